//! Times as numbers.

use datasets::{Column, MISSING_TIME, Values};
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
    /// Day of the year, 1 to 366.
    DayOfYear,
    /// Quarter of the year, 1 to 4.
    QuarterOfYear,
    /// Week of the month, 1 to 5: the first has days 1 to 7.
    WeekOfMonth,
    /// Minute, 0 to 59.
    Minute,
    /// Second, 0 to 59.
    Second,
}

impl DatetimePart {
    /// Every part, in the order of their features.
    pub const ALL: [DatetimePart; 11] = [
        DatetimePart::Epoch,
        DatetimePart::Year,
        DatetimePart::Month,
        DatetimePart::Day,
        DatetimePart::DayOfWeek,
        DatetimePart::Hour,
        DatetimePart::DayOfYear,
        DatetimePart::QuarterOfYear,
        DatetimePart::WeekOfMonth,
        DatetimePart::Minute,
        DatetimePart::Second,
    ];

    fn name(self) -> &'static str {
        match self {
            DatetimePart::Epoch => "epoch",
            DatetimePart::Year => "year",
            DatetimePart::Month => "month",
            DatetimePart::Day => "day",
            DatetimePart::DayOfWeek => "day_of_week",
            DatetimePart::Hour => "hour",
            DatetimePart::DayOfYear => "day_of_year",
            DatetimePart::QuarterOfYear => "quarter_of_year",
            DatetimePart::WeekOfMonth => "week_of_month",
            DatetimePart::Minute => "minute",
            DatetimePart::Second => "second",
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
            DatetimePart::DayOfYear => day_of_year(days) as f64,
            DatetimePart::QuarterOfYear => ((civil(days).1 - 1) / 3 + 1) as f64,
            DatetimePart::WeekOfMonth => ((civil(days).2 - 1) / 7 + 1) as f64,
            DatetimePart::Minute => (micros.rem_euclid(3600 * SECOND) / (60 * SECOND)) as f64,
            DatetimePart::Second => (micros.rem_euclid(60 * SECOND) / SECOND) as f64,
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

/// Days before each month of a common year.
const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

fn day_of_year(days: i64) -> i64 {
    let (year, month, day) = civil(days);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    BEFORE[month as usize - 1] + day + i64::from(leap && month > 2)
}

/// What a column of differences between two columns of times is called.
pub(super) fn difference_name(later: &str, earlier: &str) -> String {
    format!("{later}_minus_{earlier}")
}

/// The days from the times of one column to those of another, as a column of numbers; NaN where either is missing.
pub(super) fn difference(later: &Column, earlier: &Column) -> Result<Column, ModelError> {
    let days = |(&later, &earlier): (&i64, &i64)| {
        if later == MISSING_TIME || earlier == MISSING_TIME {
            return f64::NAN;
        }
        (later as f64 - earlier as f64) / DAY as f64
    };
    let values = times(later)?.iter().zip(times(earlier)?).map(days).collect();
    Ok(Column::new(difference_name(&later.name, &earlier.name), Values::Number(values)))
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

/// Of these parts those that vary among these times. The epoch stays even where it is constant, so that the column has a
/// feature.
#[cfg(feature = "fit")]
pub(super) fn varying_parts(parts: &[DatetimePart], present: &[i64]) -> Vec<DatetimePart> {
    let varies = |part: &DatetimePart| present.iter().any(|&t| part.of(t) != part.of(present[0]));
    parts.iter().copied().filter(|part| *part == DatetimePart::Epoch || varies(part)).collect()
}

#[cfg(feature = "fit")]
pub use fit::FitDatetime;

#[cfg(feature = "fit")]
mod fit {
    use datasets::Column;
    use datasets::MISSING_TIME;

    use super::super::step::{Step, Transform, inside, times};
    use super::{Datetime, DatetimePart, varying_parts};
    use crate::error::TrainError;

    /// Fits [`Datetime`].
    #[derive(Debug, Clone, Copy)]
    pub struct FitDatetime {
        /// The parts that are features where they vary; default all.
        pub parts: &'static [DatetimePart],
    }

    impl Default for FitDatetime {
        fn default() -> FitDatetime {
            FitDatetime { parts: &DatetimePart::ALL }
        }
    }

    impl Transform for FitDatetime {
        fn fit(&self, column: &Column, rows: &[u32]) -> Result<Step, TrainError> {
            let values = times(column)?;
            let (mut present, missing): (Vec<i64>, Vec<i64>) =
                inside(rows, values.len()).map(|row| values[row]).partition(|&t| t != MISSING_TIME);
            let marker = !missing.is_empty() && !present.is_empty();
            let parts = varying_parts(self.parts, &present);
            let middle = present.len() / 2;
            let value = if present.is_empty() { 0 } else { *present.select_nth_unstable(middle).1 };
            Ok(Step::Datetime(Datetime { parts, value, marker }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures from Python's `datetime` (UTC): `datetime(y, m, d, h)`, `.timestamp()`, `.weekday()`, `.timetuple().tm_yday`;
    /// the quarter and the week of the month by their definition.
    #[test]
    fn parts_follow_the_calendar() {
        for (seconds, expected) in [
            (0, [1970.0, 1.0, 1.0, 3.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
            (951_825_600, [2000.0, 2.0, 29.0, 1.0, 12.0, 60.0, 1.0, 5.0, 0.0, 0.0]),
            (-1, [1969.0, 12.0, 31.0, 2.0, 23.0, 365.0, 4.0, 5.0, 59.0, 59.0]),
            (4_107_542_400, [2100.0, 3.0, 1.0, 0.0, 0.0, 60.0, 1.0, 1.0, 0.0, 0.0]),
            (-11_670_998_400, [1600.0, 2.0, 29.0, 1.0, 0.0, 60.0, 1.0, 5.0, 0.0, 0.0]),
            (1_735_649_405, [2024.0, 12.0, 31.0, 1.0, 12.0, 366.0, 4.0, 5.0, 50.0, 5.0]),
        ] {
            let parts: Vec<f64> = DatetimePart::ALL[1..].iter().map(|part| part.of(seconds * SECOND)).collect();
            assert_eq!(parts, expected, "{seconds}");
            assert_eq!(DatetimePart::Epoch.of(seconds * SECOND), seconds as f64);
        }
    }
}
