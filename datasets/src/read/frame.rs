//! From a polars frame to our own columns; no polars type goes further than this folder.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{Column, DataFrame, DataType, PolarsResult, TimeUnit};

use crate::error::DataError;
use crate::raw::{Format, RawColumn, RawValues, TextColumn};
use crate::table::MISSING_TIME;

/// Whole numbers beyond this are not all floats.
const LARGEST_EXACT: u64 = 1 << 53;

/// Runs a reader of polars. A damaged file makes some of them panic, which is an error like any
/// other here.
pub(crate) fn guarded<T>(path: &str, format: Format, read: impl FnOnce() -> PolarsResult<T>) -> Result<T, DataError> {
    let unreadable =
        |message: String| DataError::Unreadable { path: path.to_owned(), format: format.to_string(), message };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        // The message goes on for lines about options of polars.
        Ok(Err(error)) => Err(unreadable(error.to_string().lines().next().unwrap_or_default().to_owned())),
        Err(_) => Err(unreadable("the file is damaged".to_owned())),
    }
}

/// The columns of a frame.
pub(crate) fn columns(path: &str, frame: DataFrame) -> Result<Vec<RawColumn>, DataError> {
    frame
        .into_columns()
        .into_iter()
        .map(|column| {
            let name = column.name().to_string();
            Ok(RawColumn { values: values(path, &column)?, name })
        })
        .collect()
}

fn values(path: &str, column: &Column) -> Result<RawValues, DataError> {
    let dtype = column.dtype();
    let failed = |error: polars::prelude::PolarsError| DataError::Unreadable {
        path: path.to_owned(),
        format: format!("column `{}` of type {dtype}", column.name()),
        message: error.to_string(),
    };
    let unsupported = || DataError::UnsupportedType {
        path: path.to_owned(),
        column: column.name().to_string(),
        dtype: dtype.to_string(),
    };
    match dtype {
        DataType::String => {
            let cells = column.str().map_err(failed)?;
            let mut text = TextColumn::with_capacity(cells.len(), 8 * cells.len());
            for cell in cells.iter() {
                text.push(cell);
            }
            Ok(RawValues::Text(text))
        }
        DataType::Boolean => Ok(RawValues::Boolean(column.bool().map_err(failed)?.iter().collect())),
        DataType::Null => Ok(RawValues::Text((0..column.len()).map(|_| None::<&str>).collect())),
        DataType::Date => {
            let days = column.cast(&DataType::Int32).map_err(failed)?;
            let micros = |day: Option<i32>| day.map_or(MISSING_TIME, |day| i64::from(day) * 86_400_000_000);
            Ok(RawValues::Datetime(days.i32().map_err(failed)?.iter().map(micros).collect()))
        }
        DataType::Datetime(unit, _) => {
            let ticks = column.cast(&DataType::Int64).map_err(failed)?;
            let micros = |tick: Option<i64>| tick.and_then(|tick| in_micros(tick, *unit)).unwrap_or(MISSING_TIME);
            Ok(RawValues::Datetime(ticks.i64().map_err(failed)?.iter().map(micros).collect()))
        }
        DataType::Categorical(..) | DataType::Enum(..) => {
            let text = column.cast(&DataType::String).map_err(failed)?;
            values(path, &text)
        }
        DataType::Duration(unit) => {
            let ticks = column.cast(&DataType::Int64).map_err(failed)?;
            let second = match unit {
                TimeUnit::Nanoseconds => 1e9,
                TimeUnit::Microseconds => 1e6,
                TimeUnit::Milliseconds => 1e3,
            };
            let seconds = |tick: Option<i64>| tick.map_or(f64::NAN, |tick| tick as f64 / second);
            let values = ticks.i64().map_err(failed)?.iter().map(seconds).collect();
            Ok(RawValues::Number { values, integer: false })
        }
        DataType::List(_) | DataType::Struct(_) => Err(DataError::Nested {
            path: path.to_owned(),
            column: column.name().to_string(),
            dtype: dtype.to_string(),
        }),
        dtype if dtype.is_primitive_numeric() => {
            let integer = dtype.is_integer();
            if integer && let Some(text) = long_integers(column).map_err(failed)? {
                return Ok(RawValues::Text(text));
            }
            let numbers = column.cast(&DataType::Float64).map_err(failed)?;
            let values = numbers.f64().map_err(failed)?.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            Ok(RawValues::Number { values, integer })
        }
        _ => Err(unsupported()),
    }
}

fn in_micros(tick: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Nanoseconds => Some(tick.div_euclid(1000)),
        TimeUnit::Microseconds => Some(tick),
        TimeUnit::Milliseconds => tick.checked_mul(1000),
    }
}

/// Whole numbers as text, if some are too long to be floats without a change.
fn long_integers(column: &Column) -> PolarsResult<Option<TextColumn>> {
    if column.dtype() == &DataType::UInt64 {
        let numbers = column.u64()?;
        let long = numbers.iter().flatten().any(|value| value > LARGEST_EXACT);
        return Ok(long.then(|| digits(numbers.iter())));
    }
    if column.dtype() == &DataType::Int64 {
        let numbers = column.i64()?;
        let long = numbers.iter().flatten().any(|value| value.unsigned_abs() > LARGEST_EXACT);
        return Ok(long.then(|| digits(numbers.iter())));
    }
    Ok(None)
}

fn digits(numbers: impl Iterator<Item = Option<impl ToString>>) -> TextColumn {
    let mut column = TextColumn::new();
    for number in numbers {
        column.push(number.map(|number| number.to_string()).as_deref());
    }
    column
}
