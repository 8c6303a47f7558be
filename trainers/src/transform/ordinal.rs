//! Categories as ranks.

use std::collections::HashMap;

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::step::{Feature, categories, features};
use crate::error::ModelError;

/// One feature: the position of the level among those seen in training, from 0; missing and unseen cells take
/// the next number after the last, a value of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ordinal {
    /// The levels seen in training, in the schema's order.
    pub levels: Vec<String>,
}

impl Ordinal {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let (codes, levels) = categories(column)?;
        let ranks: HashMap<&str, usize> =
            self.levels.iter().enumerate().map(|(rank, level)| (level.as_str(), rank)).collect();
        let other = self.levels.len() as f64;
        let of_code: Vec<f64> =
            levels.iter().map(|level| ranks.get(level.as_str()).map_or(other, |&rank| rank as f64)).collect();
        let values = codes.iter().map(|&code| of_code.get(code as usize).copied().unwrap_or(other)).collect();
        Ok(features(vec![column.name.clone()], vec![values], true))
    }
}

#[cfg(feature = "fit")]
pub use fit::FitOrdinal;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;

    use super::super::step::{Step, Transform, categories, inside};
    use super::Ordinal;
    use crate::error::TrainError;

    /// Fits [`Ordinal`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitOrdinal;

    impl Transform for FitOrdinal {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let (codes, levels) = categories(column)?;
            let mut seen = vec![false; levels.len()];
            for row in inside(rows, codes.len()) {
                if let Some(seen) = seen.get_mut(codes[row] as usize) {
                    *seen = true;
                }
            }
            let levels = levels.iter().zip(seen).filter(|(_, seen)| *seen).map(|(level, _)| level.clone()).collect();
            Ok(Step::Ordinal(Ordinal { levels }))
        }
    }
}
