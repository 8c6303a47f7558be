//! Categories as how often they occur.

use std::collections::HashMap;

use datasets::{Column, MISSING};
use serde::{Deserialize, Serialize};

use super::step::{Feature, categories, features};
use crate::error::ModelError;

/// One feature, the share of the training rows that have the cell's level, from 0 to 1; 0 for a level none of them has.
/// Missing cells are a level of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frequency {
    /// The levels seen in training.
    pub levels: Vec<String>,
    /// The share of rows of each.
    pub shares: Vec<f64>,
    /// The share of rows whose cell is missing.
    pub missing: f64,
}

impl Frequency {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let (codes, levels) = categories(column)?;
        let known: HashMap<&str, f64> =
            self.levels.iter().map(String::as_str).zip(self.shares.iter().copied()).collect();
        let of_code: Vec<f64> = levels.iter().map(|level| known.get(level.as_str()).copied().unwrap_or(0.0)).collect();
        let share = |&code: &u32| match of_code.get(code as usize) {
            Some(&share) => share,
            None if code == MISSING => self.missing,
            None => 0.0,
        };
        Ok(features(self.names(&column.name), vec![codes.iter().map(share).collect()], true))
    }

    #[expect(clippy::unused_self, reason = "every step is asked alike")]
    pub(super) fn names(&self, column: &str) -> Vec<String> {
        vec![format!("{column}_frequency")]
    }
}

#[cfg(feature = "fit")]
pub use fit::FitFrequency;

#[cfg(feature = "fit")]
mod fit {
    use datasets::{Column, MISSING};

    use super::super::step::{Step, Transform, categories, inside};
    use super::Frequency;
    use crate::error::TrainError;

    /// Fits [`Frequency`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitFrequency;

    impl Transform for FitFrequency {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let (codes, levels) = categories(column)?;
            let mut counts = vec![0_usize; levels.len()];
            let (mut n_missing, mut n_rows) = (0_usize, 0_usize);
            for row in inside(rows, codes.len()) {
                n_rows += 1;
                match counts.get_mut(codes[row] as usize) {
                    Some(count) => *count += 1,
                    None if codes[row] == MISSING => n_missing += 1,
                    None => {}
                }
            }
            let share = |count: usize| count as f64 / n_rows.max(1) as f64;
            let seen = || counts.iter().enumerate().filter(|(_, count)| **count > 0);
            Ok(Step::Frequency(Frequency {
                levels: seen().map(|(level, _)| levels[level].clone()).collect(),
                shares: seen().map(|(_, count)| share(*count)).collect(),
                missing: share(n_missing),
            }))
        }
    }
}
