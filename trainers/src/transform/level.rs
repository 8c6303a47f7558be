//! Categories as the index of their level.

use std::collections::HashMap;

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::step::{Feature, categories};
use crate::data::Kind;
use crate::error::ModelError;

/// One feature of [`Kind::Category`]: the index of the level among those seen in training, from 0; NaN where the cell
/// is missing or its level was not seen. The index is a name, not a quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The levels seen in training, the most frequent first, equally frequent ones in the schema's order; at most 2²⁴,
    /// the integers that an `f32` tells apart.
    pub levels: Vec<String>,
}

impl Level {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let (codes, levels) = categories(column)?;
        let known: HashMap<&str, usize> =
            self.levels.iter().enumerate().map(|(index, level)| (level.as_str(), index)).collect();
        let of_code: Vec<f64> =
            levels.iter().map(|level| known.get(level.as_str()).map_or(f64::NAN, |&index| index as f64)).collect();
        let values = codes.iter().map(|&code| of_code.get(code as usize).copied().unwrap_or(f64::NAN)).collect();
        let kind = Kind::Category { n_levels: self.levels.len() as u32 };
        Ok(vec![Feature { name: column.name.clone(), values, kind, scalable: false }])
    }
}

#[cfg(feature = "fit")]
pub use fit::FitLevel;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;

    use super::super::step::{Step, Transform, categories, inside};
    use super::Level;
    use crate::error::TrainError;

    /// Integers from 0 that an `f32` tells apart.
    const MOST: usize = 1 << f32::MANTISSA_DIGITS;

    /// Fits [`Level`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitLevel;

    impl Transform for FitLevel {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let (codes, levels) = categories(column)?;
            let mut counts = vec![0_usize; levels.len()];
            for row in inside(rows, codes.len()) {
                if let Some(count) = counts.get_mut(codes[row] as usize) {
                    *count += 1;
                }
            }
            let mut seen: Vec<usize> = (0..levels.len()).filter(|&level| counts[level] > 0).collect();
            // The sort is stable: equally frequent levels stay in the schema's order.
            seen.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
            seen.truncate(MOST);
            Ok(Step::Level(Level { levels: seen.into_iter().map(|level| levels[level].clone()).collect() }))
        }
    }
}
