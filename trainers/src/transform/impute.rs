//! Missing numbers.

use datasets::Column;
use serde::{Deserialize, Serialize};

use super::step::{Feature, features, numbers};
use crate::data::Kind;
use crate::error::ModelError;

/// Fills missing numbers with the median of the training rows and, where training rows lacked some, says in a
/// second feature `A_WASNULL` which were missing: that a cell is missing often tells something by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Impute {
    /// What stands for a missing number.
    pub value: f64,
    /// Whether missing cells are marked.
    pub marker: bool,
}

impl Impute {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let values = numbers(column)?;
        let filled = values.iter().map(|&v| if v.is_finite() { v } else { self.value }).collect();
        let mut features = features(vec![column.name.clone()], vec![filled], true);
        if self.marker {
            let missing = values.iter().map(|v| f64::from(u8::from(!v.is_finite()))).collect();
            features.push(marker(&column.name, missing));
        }
        Ok(features)
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let mut names = vec![column.to_string()];
        if self.marker {
            names.push(marker_name(column));
        }
        names
    }
}

/// The 0/1 feature that says which cells of a column are missing.
pub(super) fn marker(column: &str, missing: Vec<f64>) -> Feature {
    Feature { name: marker_name(column), values: missing, kind: Kind::Number, scalable: false }
}

pub(super) fn marker_name(column: &str) -> String {
    format!("{column}_WASNULL")
}

#[cfg(feature = "fit")]
pub use fit::FitImpute;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;

    use super::super::settings::{Fill, Strategy};
    use super::super::step::{Step, Transform, inside, median, numbers};
    use super::Impute;
    use crate::error::TrainError;

    /// Fits [`Impute`]; the median is what is used where nobody says otherwise.
    #[derive(Debug, Clone, Copy)]
    pub struct FitImpute(pub Strategy);

    impl Transform for FitImpute {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let values = numbers(column)?;
            let (present, missing): (Vec<f64>, Vec<f64>) =
                inside(rows, values.len()).map(|row| values[row]).partition(|v| v.is_finite());
            // A column that is missing throughout would be marked by a constant, which says nothing.
            let marker = !missing.is_empty() && !present.is_empty();
            let value = match self.0 {
                Strategy::Median => median(present),
                Strategy::Mean => {
                    let n = present.len().max(1) as f64;
                    present.iter().map(|value| value / n).sum()
                }
                Strategy::MostFrequent => most_frequent(present),
                Strategy::Constant(Fill(value)) => value,
            };
            Ok(Step::Impute(Impute { value, marker }))
        }
    }

    /// The value that occurs most often, the smallest of equals; 0 for none.
    fn most_frequent(mut values: Vec<f64>) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        let mut best = (0, 0.0);
        for run in values.chunk_by(|a, b| a == b) {
            if run.len() > best.0 {
                best = (run.len(), run[0]);
            }
        }
        best.1
    }
}
