//! Times as numbers.

use datasets::Column;
use datasets::MISSING_TIME;
use serde::{Deserialize, Serialize};

use super::impute::{marker, marker_name};
use super::step::{Feature, features, times};
use crate::error::ModelError;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A part of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatetimePart {
    /// Seconds since 1970-01-01.
    Epoch,
    /// Year of the Gregorian calendar.
    Year,
    /// Month, 1 to 12.
    Month,
    /// Day of the month, 1 to 31.
    Day,
    /// Day of the week, 0 (Monday) to 6.
    DayOfWeek,
    /// Hour, 0 to 23.
    Hour,
}

impl DatetimePart {
    /// Every part, in the order of their features.
    pub const ALL: [DatetimePart; 6] = [
        DatetimePart::Epoch,
        DatetimePart::Year,
        DatetimePart::Month,
        DatetimePart::Day,
        DatetimePart::DayOfWeek,
        DatetimePart::Hour,
    ];

    fn name(self) -> &'static str {
        match self {
            DatetimePart::Epoch => "epoch",
            DatetimePart::Year => "year",
            DatetimePart::Month => "month",
            DatetimePart::Day => "day",
            DatetimePart::DayOfWeek => "day_of_week",
            DatetimePart::Hour => "hour",
        }
    }

    /// The part of a time in microseconds since the epoch.
    pub fn of(self, micros: i64) -> f64 {
        let days = micros.div_euclid(DAY);
        match self {
            DatetimePart::Epoch => micros as f64 / SECOND as f64,
            DatetimePart::Year => civil(days).0 as f64,
            DatetimePart::Month => civil(days).1 as f64,
            DatetimePart::Day => civil(days).2 as f64,
            // 1970-01-01 was a Thursday.
            DatetimePart::DayOfWeek => (days + 3).rem_euclid(7) as f64,
            DatetimePart::Hour => (micros.rem_euclid(DAY) / (3600 * SECOND)) as f64,
        }
    }
}

/// Year, month and day of a day number since 1970-01-01, by Hinnant's `civil_from_days`: eras of 400 years
/// counted from 1 March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The parts that vary among the training rows, each a feature; missing times take the training rows' median
/// and are marked where training rows lacked some. Unscaled, the epoch is a large number that `f32` keeps to
/// within two minutes for present times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Datetime {
    /// The parts that are features.
    pub parts: Vec<DatetimePart>,
    /// What stands for a missing time, in microseconds since the epoch.
    pub value: i64,
    /// Whether missing cells are marked.
    pub marker: bool,
}

impl Datetime {
    pub(super) fn apply(&self, column: &Column) -> Result<Vec<Feature>, ModelError> {
        let values = times(column)?;
        let time = |&t: &i64| if t == MISSING_TIME { self.value } else { t };
        let parts = self.parts.iter().map(|part| values.iter().map(|t| part.of(time(t))).collect()).collect();
        let mut features = features(self.names(&column.name), parts, true);
        if self.marker {
            let missing = values.iter().map(|&t| f64::from(u8::from(t == MISSING_TIME))).collect();
            features.push(marker(&column.name, missing));
        }
        Ok(features)
    }

    pub(super) fn names(&self, column: &str) -> Vec<String> {
        let mut names = part_names(column, &self.parts);
        if self.marker {
            names.push(marker_name(column));
        }
        names
    }
}

/// The names of the features of these parts of a column.
pub(super) fn part_names(column: &str, parts: &[DatetimePart]) -> Vec<String> {
    parts.iter().map(|part| format!("{column}_{}", part.name())).collect()
}

/// The parts that vary among these times. The epoch stays even where it is constant, so that the column has a feature.
#[cfg(feature = "fit")]
pub(super) fn varying_parts(present: &[i64]) -> Vec<DatetimePart> {
    let varies = |part: &DatetimePart| present.iter().any(|&t| part.of(t) != part.of(present[0]));
    DatetimePart::ALL.into_iter().filter(|part| *part == DatetimePart::Epoch || varies(part)).collect()
}

#[cfg(feature = "fit")]
pub use fit::FitDatetime;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;
    use datasets::MISSING_TIME;

    use super::super::step::{Step, Transform, inside, times};
    use super::{Datetime, varying_parts};
    use crate::error::TrainError;

    /// Fits [`Datetime`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitDatetime;

    impl Transform for FitDatetime {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let values = times(column)?;
            let (mut present, missing): (Vec<i64>, Vec<i64>) =
                inside(rows, values.len()).map(|row| values[row]).partition(|&t| t != MISSING_TIME);
            let marker = !missing.is_empty() && !present.is_empty();
            let parts = varying_parts(&present);
            let middle = present.len() / 2;
            let value = if present.is_empty() { 0 } else { *present.select_nth_unstable(middle).1 };
            Ok(Step::Datetime(Datetime { parts, value, marker }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures from Python's `datetime` (UTC): `datetime(y, m, d, h)`, `.timestamp()`, `.weekday()`.
    #[test]
    fn parts_follow_the_calendar() {
        for (seconds, expected) in [
            (0, [1970.0, 1.0, 1.0, 3.0, 0.0]),
            (951_825_600, [2000.0, 2.0, 29.0, 1.0, 12.0]),
            (-1, [1969.0, 12.0, 31.0, 2.0, 23.0]),
            (4_107_542_400, [2100.0, 3.0, 1.0, 0.0, 0.0]),
            (-11_670_998_400, [1600.0, 2.0, 29.0, 1.0, 0.0]),
        ] {
            let parts: Vec<f64> = DatetimePart::ALL[1..].iter().map(|part| part.of(seconds * SECOND)).collect();
            assert_eq!(parts, expected, "{seconds}");
            assert_eq!(DatetimePart::Epoch.of(seconds * SECOND), seconds as f64);
        }
    }
}
