//! Numbers on a common scale.

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::step::{Feature, features, numbers};
use crate::error::ModelError;

/// `clip((x - offset) · factor, low, high)`.
///
/// The clip is for rows the training did not see: one corrupt cell a thousand deviations out would otherwise
/// decide a linear score or a distance alone. Ten standard deviations, or half a range beyond the range, leave
/// every plausible value as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Subtracted first: the mean or minimum of the training rows.
    pub offset: f64,
    /// Multiplied then: one over the standard deviation or range; 1 where that is 0.
    pub factor: f64,
    /// Least value after scaling.
    pub low: f64,
    /// Greatest value after scaling.
    pub high: f64,
}

impl Scale {
    /// One value scaled. A value that is not finite becomes what the offset becomes, 0.
    pub fn value(&self, x: f64) -> f64 {
        if x.is_finite() {
            // `max` and `min`, not `clamp`, which would panic where a file has `low` above `high`.
            ((x - self.offset) * self.factor).max(self.low).min(self.high)
        } else {
            0.0
        }
    }

    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let values = numbers(column)?.iter().map(|&x| self.value(x)).collect();
        Ok(features(vec![column.name.clone()], vec![values], false))
    }
}

#[cfg(feature = "fit")]
pub use fit::FitScale;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;

    use super::super::featurizer::Scaling;
    use super::super::step::{Step, Transform, inside, numbers};
    use super::Scale;
    use crate::error::TrainError;

    /// Fits [`Scale`]. [`Scaling::None`] gives a step that changes nothing.
    #[derive(Debug, Clone, Copy)]
    pub struct FitScale(pub Scaling);

    impl FitScale {
        /// The scale of these values; those that are not finite are left out.
        pub fn values(self, values: impl Iterator<Item = f64> + Clone) -> Scale {
            let values = values.filter(|v| v.is_finite());
            let n = values.clone().count().max(1) as f64;
            let inverse = |spread: f64| {
                if spread > 0.0 && (1.0 / spread).is_finite() { 1.0 / spread } else { 1.0 }
            };
            match self.0 {
                Scaling::None => Scale { offset: 0.0, factor: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY },
                Scaling::Standard => {
                    let mean = values.clone().map(|v| v / n).sum::<f64>();
                    let variance = values.map(|v| (v - mean) * (v - mean) / n).sum::<f64>();
                    // What rounding leaves of a constant column is no spread: scikit-learn's bound.
                    let std = if variance > n * (f64::EPSILON * mean).powi(2) { variance.sqrt() } else { 0.0 };
                    Scale { offset: mean, factor: inverse(std), low: -10.0, high: 10.0 }
                }
                Scaling::MinMax => {
                    let low = values.clone().fold(f64::INFINITY, f64::min);
                    let high = values.fold(f64::NEG_INFINITY, f64::max);
                    let offset = if low.is_finite() { low } else { 0.0 };
                    Scale { offset, factor: inverse(high - low), low: -0.5, high: 1.5 }
                }
            }
        }
    }

    impl Transform for FitScale {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let values = numbers(column)?;
            Ok(Step::Scale(self.values(inside(rows, values.len()).map(|row| values[row]))))
        }
    }
}
