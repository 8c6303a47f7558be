//! Numbers as they are.

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::step::{Feature, features, numbers};
use crate::error::ModelError;

/// The column itself: NaN where a cell is missing or not finite, for algorithms that know what to do with that. Nothing
/// is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep;

impl Keep {
    pub(super) fn apply(column: &Column) -> Result<Vec<Feature>, ModelError> {
        let values = numbers(column)?.iter().map(|&v| if v.is_finite() { v } else { f64::NAN }).collect();
        Ok(features(vec![column.name.clone()], vec![values], true))
    }
}

#[cfg(feature = "fit")]
pub use fit::FitKeep;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;

    use super::super::step::{Step, Transform, numbers};
    use super::Keep;
    use crate::error::TrainError;

    /// Gives [`Keep`] for a column of numbers.
    #[derive(Debug, Clone, Copy)]
    pub struct FitKeep;

    impl Transform for FitKeep {
        fn fit(&self, column: &Column, _: &[u32]) -> Result<Step, TrainError> {
            numbers(column)?;
            Ok(Step::Keep(Keep))
        }
    }
}
