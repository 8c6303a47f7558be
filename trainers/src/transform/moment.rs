//! Times as numbers, missing ones left missing.

use datasets::{Column, MISSING_TIME};
use serde::{Deserialize, Serialize};

use super::datetime::{DatetimePart, part_names};
use super::step::{Feature, features, times};
use crate::error::ModelError;

/// The parts of the calendar that vary among the training rows, each a feature as in [`super::Datetime`], but NaN where
/// the time is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// The parts that are features.
    pub parts: Vec<DatetimePart>,
}

impl Moment {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let values = times(column)?;
        let of = |part: DatetimePart, time: i64| if time == MISSING_TIME { f64::NAN } else { part.of(time) };
        let parts = self.parts.iter().map(|&part| values.iter().map(|&time| of(part, time)).collect()).collect();
        Ok(features(self.names(&column.name), parts, true))
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        part_names(column, &self.parts)
    }
}

#[cfg(feature = "fit")]
pub use fit::FitMoment;

#[cfg(feature = "fit")]
mod fit {
    use datasets::{Column, MISSING_TIME};

    use super::super::datetime::{DatetimePart, varying_parts};
    use super::super::step::{Step, Transform, inside, times};
    use super::Moment;
    use crate::error::TrainError;

    /// Fits [`Moment`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitMoment {
        /// The parts that are features where they vary; default all.
        pub parts: &'static [DatetimePart],
    }

    impl Default for FitMoment {
        fn default() -> FitMoment {
            FitMoment { parts: &DatetimePart::ALL }
        }
    }

    impl Transform for FitMoment {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let values = times(column)?;
            let present: Vec<i64> =
                inside(rows, values.len()).map(|row| values[row]).filter(|&time| time != MISSING_TIME).collect();
            Ok(Step::Moment(Moment { parts: varying_parts(self.parts, &present) }))
        }
    }
}
