//! Categories as 0/1 columns.

use std::collections::HashMap;

use datasets::Column;
use datasets::MISSING;
use serde::{Deserialize, Serialize};

use super::step::{Feature, categories, features};
use crate::error::ModelError;

/// One 0/1 feature per kept level `column=level`, one for the levels too rare to keep, one for missing cells;
/// or a single feature where the training rows had just two levels and nothing else.
///
/// A level that was not there at fitting counts as infrequent; where there was no infrequent level it leaves
/// every feature 0, as scikit-learn's `handle_unknown="ignore"` does, and the single feature of two levels takes
/// its training mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// The kept levels, in the order of their features.
    pub levels: Vec<String>,
    /// Whether rare levels have a feature of their own.
    pub infrequent: bool,
    /// Whether missing cells have a feature of their own.
    pub missing: bool,
    /// For a column of exactly two levels: the share of the second, the only feature; it stands for cells that
    /// are neither.
    pub second: Option<f64>,
}

impl OneHot {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let (codes, levels) = categories(column)?;
        let names = self.names(&column.name);
        let kept: HashMap<&str, usize> =
            self.levels.iter().enumerate().map(|(slot, level)| (level.as_str(), slot)).collect();
        let slots: Vec<Option<usize>> = levels.iter().map(|level| kept.get(level.as_str()).copied()).collect();
        let slot_of = |code: u32| slots.get(code as usize).copied().flatten();
        if let Some(share) = self.second {
            let values = codes
                .iter()
                .map(|&code| match slot_of(code) {
                    Some(slot) => f64::from(u8::from(slot > 0)),
                    None => share,
                })
                .collect();
            return Ok(features(names, vec![values], false));
        }
        let mut values = vec![vec![0.0; codes.len()]; names.len()];
        let infrequent = self.infrequent.then_some(self.levels.len());
        let missing = self.missing.then_some(self.levels.len() + usize::from(self.infrequent));
        for (row, &code) in codes.iter().enumerate() {
            let slot = if code == MISSING { missing.or(infrequent) } else { slot_of(code).or(infrequent) };
            if let Some(slot) = slot {
                values[slot][row] = 1.0;
            }
        }
        Ok(features(names, values, false))
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        if self.second.is_some() {
            return self.levels.iter().skip(1).take(1).map(|level| format!("{column}={level}")).collect();
        }
        let mut names: Vec<String> = self.levels.iter().map(|level| format!("{column}={level}")).collect();
        if self.infrequent {
            names.push(format!("{column}_infrequent"));
        }
        if self.missing {
            names.push(super::impute::marker_name(column));
        }
        names
    }
}

#[cfg(feature = "fit")]
pub use fit::FitOneHot;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;
    use datasets::MISSING;

    use super::super::step::{Step, Transform, categories, inside};
    use super::OneHot;
    use crate::error::TrainError;

    /// Fits [`OneHot`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitOneHot {
        /// A level is kept when at least this many training rows have it; default 2.
        pub min_count: usize,
        /// At most this many levels are kept, the most frequent; default 40.
        pub max_levels: usize,
    }

    impl Default for FitOneHot {
        fn default() -> FitOneHot {
            FitOneHot { min_count: 2, max_levels: 40 }
        }
    }

    impl Transform for FitOneHot {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let (codes, levels) = categories(column)?;
            let mut counts = vec![0_usize; levels.len()];
            let (mut n_missing, mut n_unseen) = (0, 0);
            for row in inside(rows, codes.len()) {
                match counts.get_mut(codes[row] as usize) {
                    Some(count) => *count += 1,
                    None if codes[row] == MISSING => n_missing += 1,
                    None => n_unseen += 1,
                }
            }
            let mut kept: Vec<usize> = (0..levels.len()).filter(|&l| counts[l] >= self.min_count.max(1)).collect();
            // The sort is stable: of equally frequent levels the earlier ones stay.
            kept.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
            kept.truncate(self.max_levels);
            kept.sort_unstable();
            let n_kept: usize = kept.iter().map(|&level| counts[level]).sum();
            let n_seen: usize = counts.iter().sum();
            let infrequent = n_seen - n_kept + n_unseen > 0;
            let missing = n_missing > 0;
            let second =
                (kept.len() == 2 && !infrequent && !missing).then(|| counts[kept[1]] as f64 / n_kept.max(1) as f64);
            let levels = kept.into_iter().map(|level| levels[level].clone()).collect();
            Ok(Step::OneHot(OneHot { levels, infrequent, missing, second }))
        }
    }
}
