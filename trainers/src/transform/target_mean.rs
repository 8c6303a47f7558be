//! Categories as what the target is on average where they occur.

use std::collections::HashMap;

use datasets::{Column, MISSING};
use serde::{Deserialize, Serialize};

use super::step::{Feature, categories, features};
use crate::error::ModelError;

/// The mean of the target per level, drawn towards the mean of all training rows where a level has few (Micci-Barreca
/// 2001, "A preprocessing scheme for high-cardinality categorical attributes"): one feature for a number and for two
/// classes (the share of the second), else one for each class. A level that was not there at fitting takes the mean of
/// all; missing cells are a level of their own.
///
/// A training row's own target is in the mean of its level; what a trainer is to see of training rows is
/// [`super::FittedFeatures::block`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetMean {
    /// The levels seen in training.
    pub levels: Vec<String>,
    /// The classes whose shares are features; empty where there is a single feature.
    pub classes: Vec<String>,
    /// Per feature: what stands for a level that was not seen.
    pub prior: Vec<f64>,
    /// Per feature: what stands for a missing cell.
    pub missing: Vec<f64>,
    /// Features × levels, the levels of one feature side by side.
    pub values: Vec<f64>,
}

impl TargetMean {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let (codes, levels) = categories(column)?;
        let known: HashMap<&str, usize> =
            self.levels.iter().enumerate().map(|(index, level)| (level.as_str(), index)).collect();
        let slots: Vec<Option<usize>> = levels.iter().map(|level| known.get(level.as_str()).copied()).collect();
        let n_levels = self.levels.len();
        let feature = |j: usize| {
            let cell = |&code: &u32| match slots.get(code as usize) {
                Some(&Some(slot)) => self.values[j * n_levels + slot],
                _ if code == MISSING => self.missing[j],
                _ => self.prior[j],
            };
            codes.iter().map(cell).collect()
        };
        Ok(features(self.names(&column.name), (0..self.prior.len()).map(feature).collect(), true))
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        if self.classes.is_empty() {
            return vec![format!("{column}_target")];
        }
        self.classes.iter().map(|class| format!("{column}_target:{class}")).collect()
    }

    pub(super) fn check(&self) -> bool {
        let n = self.prior.len();
        n == self.classes.len().max(1) && self.missing.len() == n && self.values.len() == n * self.levels.len()
    }
}

#[cfg(feature = "fit")]
pub use fit::{FitTargetMean, Smoothing};

#[cfg(feature = "fit")]
mod fit {
    use datasets::{Column, MISSING};

    use super::super::step::{Step, TargetTransform, categories, inside};
    use super::TargetMean;
    use crate::data::Target;
    use crate::error::TrainError;
    use crate::task::Task;

    /// How a level's own mean is weighed against the mean of all: by λ = n τ² / (n τ² + σ²) for a level of n rows, where
    /// τ² is how much levels differ and σ² how much rows of one level do (Morris 1983, parametric empirical Bayes).
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Smoothing {
        /// σ² within all levels together and τ² between them, from the analysis of variance of one random factor (Searle,
        /// Casella and `McCulloch` 1992, section 3.6); τ² is 0, and every level alike, where levels differ no more than
        /// chance lets them. A level of one row is drawn to the mean as hard as that row is uncertain.
        Pooled,
        /// scikit-learn's `TargetEncoder(smooth="auto")`: σ² within the level itself and τ² the variance of the target. A
        /// level of one row, or of rows that agree, has σ² = 0 and is not drawn at all.
        Auto,
    }

    /// Fits [`TargetMean`]. Rows without a target are not looked at.
    #[derive(Debug, Clone)]
    pub struct FitTargetMean {
        /// How few rows of a level are dealt with; default [`Smoothing::Pooled`].
        pub smoothing: Smoothing,
        /// The classes whose shares are features, by index. For regression and two classes it plays no part.
        pub classes: Vec<u32>,
    }

    impl FitTargetMean {
        /// At most this many classes have a feature.
        pub const MOST_CLASSES: usize = 10;

        /// For this target: of more than [`FitTargetMean::MOST_CLASSES`] classes those of most rows are taken.
        pub fn new(target: &Target, rows: &[u32]) -> FitTargetMean {
            let mut counts = vec![0_usize; target.n_classes()];
            for class in rows.iter().filter_map(|&row| target.class(row)) {
                counts[class as usize] += 1;
            }
            let mut classes: Vec<u32> = (0..counts.len() as u32).collect();
            // The sort is stable: of equally frequent classes the earlier stay.
            classes.sort_by_key(|&class| std::cmp::Reverse(counts[class as usize]));
            classes.truncate(FitTargetMean::MOST_CLASSES);
            classes.sort_unstable();
            FitTargetMean { smoothing: Smoothing::Pooled, classes }
        }
    }

    impl TargetTransform for FitTargetMean {
        fn fit(&self, column: &Column, rows: &[u32], target: &Target) -> Result<Step, TrainError> {
            let (codes, levels) = categories(column)?;
            let mut slots = vec![None; levels.len()];
            let mut seen = Vec::new();
            for row in inside(rows, codes.len()) {
                if let Some(slot) = slots.get_mut(codes[row] as usize)
                    && slot.is_none()
                {
                    *slot = Some(seen.len());
                    seen.push(levels[codes[row] as usize].clone());
                }
            }
            // One more group for what is missing, and one for what is no level of the schema.
            let (missing, unknown) = (seen.len(), seen.len() + 1);
            let group = |row: usize| match slots.get(codes[row] as usize) {
                Some(&Some(slot)) => slot,
                _ if codes[row] == MISSING => missing,
                _ => unknown,
            };
            let single = target.task != Task::Multiclass;
            let asked: &[u32] = if target.task == Task::Regression {
                &[0]
            } else if single {
                &[1]
            } else {
                &self.classes
            };
            let mut step = TargetMean {
                classes: if single {
                    Vec::new()
                } else {
                    asked.iter().map(|&c| target.classes[c as usize].clone()).collect()
                },
                levels: seen,
                prior: Vec::new(),
                missing: Vec::new(),
                values: Vec::new(),
            };
            for &class in asked {
                let of_row = |row: u32| match target.class(row) {
                    Some(own) => Some(f64::from(u8::from(own == class))),
                    None => target.number(row),
                };
                let cells: Vec<(usize, f64)> = inside(rows, codes.len())
                    .filter_map(|row| of_row(row as u32).map(|value| (group(row), value)))
                    .collect();
                let (prior, mut values) = self.smoothing.means(&cells, missing + 2);
                step.prior.push(prior);
                step.missing.push(values[missing]);
                values.truncate(missing);
                step.values.extend(values);
            }
            Ok(Step::TargetMean(step))
        }
    }

    /// Rows, their mean, and the sum of squared differences from it.
    #[derive(Debug, Clone, Copy, Default)]
    struct Group {
        n: f64,
        mean: f64,
        squares: f64,
    }

    impl Group {
        /// Welford's update.
        fn add(&mut self, value: f64) {
            self.n += 1.0;
            let before = value - self.mean;
            self.mean += before / self.n;
            self.squares += before * (value - self.mean);
        }
    }

    impl Smoothing {
        /// The mean of all and the smoothed mean of each group; that of all for a group without rows.
        fn means(self, cells: &[(usize, f64)], n_groups: usize) -> (f64, Vec<f64>) {
            let mut all = Group::default();
            let mut groups = vec![Group::default(); n_groups];
            for &(group, value) in cells {
                all.add(value);
                groups[group].add(value);
            }
            let weight = self.weight(&all, &groups);
            let smoothed = groups.iter().map(|group| all.mean + weight(group) * (group.mean - all.mean)).collect();
            (all.mean, smoothed)
        }

        /// λ of a group.
        fn weight(self, all: &Group, groups: &[Group]) -> impl Fn(&Group) -> f64 {
            let (between, within) = match self {
                Smoothing::Auto => (all.squares / all.n, None),
                Smoothing::Pooled => {
                    let k = groups.iter().filter(|group| group.n > 0.0).count() as f64;
                    let free = all.n - k;
                    let inside: f64 = groups.iter().map(|group| group.squares).sum();
                    let within = if free > 0.0 { inside / free } else { f64::INFINITY };
                    let outside: f64 = groups.iter().map(|group| group.n * (group.mean - all.mean).powi(2)).sum();
                    let rows = all.n - groups.iter().map(|group| group.n * group.n).sum::<f64>() / all.n;
                    (((outside - (k - 1.0) * within) / rows).max(0.0), Some(within))
                }
            };
            move |group| {
                let known = group.n * between;
                let weight = known / (known + within.unwrap_or(group.squares / group.n));
                // Without rows, or where nothing varies, there is nothing to tell levels apart by.
                if weight.is_finite() { weight } else { 0.0 }
            }
        }
    }
}
