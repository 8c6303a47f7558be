//! Apache Parquet.

use std::io::Cursor;

use polars::prelude::{ParquetReader, SerReader};

use super::csv::check_names;
use super::frame::{columns, guarded};
use crate::error::DataError;
use crate::raw::{Dialect, Format, Raw};

/// Types that polars, as it is built here, does not know and would panic on.
const UNKNOWN: [&str; 2] = ["Decimal", "Time"];
/// Types whose cells hold several values.
const NESTED: [&str; 5] = ["List", "LargeList", "FixedSizeList", "Struct", "Map"];

/// Reads a Parquet file.
///
/// A file that is cut short, or whose footer is damaged, is an error. A changed byte inside a page
/// header may make polars ask for more memory than there is, which ends the process: pages carry no
/// checksum that it checks.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Raw, DataError> {
    let schema = guarded(path, Format::Parquet, || ParquetReader::new(Cursor::new(bytes)).schema())?;
    let names: Vec<String> = schema.iter_values().map(|field| field.name.to_string()).collect();
    for field in schema.iter_values() {
        let dtype = format!("{:?}", field.dtype);
        let named =
            |types: &[&str]| types.iter().any(|known| dtype.starts_with(known) && !dtype.starts_with("Timestamp"));
        let (path, column) = (path.to_owned(), field.name.to_string());
        if named(&NESTED) {
            return Err(DataError::Nested { path, column, dtype });
        }
        if named(&UNKNOWN) {
            return Err(DataError::UnsupportedType { path, column, dtype });
        }
    }
    check_names(path, &names)?;
    let frame = guarded(path, Format::Parquet, || ParquetReader::new(Cursor::new(bytes)).finish())?;
    if names.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let n_rows = frame.height();
    if n_rows == 0 {
        return Err(DataError::HeaderOnly { path: path.to_owned(), n_columns: names.len() });
    }
    let columns = guarded(path, Format::Parquet, || Ok(columns(path, frame)))??;
    let dialect = Dialect { format: Format::Parquet, ..Dialect::default() };
    Ok(Raw { columns, n_rows, dialect, sha256: String::new(), notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame, DataType, ParquetWriter, PolarsResult, TimeUnit};

    use super::*;
    use crate::raw::RawValues;
    use crate::table::MISSING_TIME;

    fn written(columns: Vec<Column>) -> Vec<u8> {
        let mut frame = DataFrame::new_infer_height(columns).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        bytes
    }

    #[test]
    fn types_are_kept() -> PolarsResult<()> {
        let days = Column::new("day".into(), [Some(1_i32), None]).cast(&DataType::Date)?;
        let times = Column::new("time".into(), [Some(1_500_i64), None])
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, None))?;
        let bytes = written(vec![
            Column::new("x".into(), [Some(1.5), None]),
            Column::new("n".into(), [Some(3_i64), None]),
            Column::new("long".into(), [Some(9_007_199_254_740_993_i64), None]),
            Column::new("b".into(), [Some(true), None]),
            Column::new("s".into(), [Some("a"), None]),
            days,
            times,
        ]);
        let raw = read("f.parquet", &bytes).unwrap();
        assert_eq!(raw.n_rows, 2);
        let number = |name: &str| match &raw.column(name).unwrap().values {
            RawValues::Number { values, integer } => (values[0], values[1].is_nan(), *integer),
            other => panic!("{other:?}"),
        };
        assert_eq!(number("x"), (1.5, true, false));
        assert_eq!(number("n"), (3.0, true, true));
        assert_eq!(raw.column("long").unwrap().values.text(0).unwrap(), "9007199254740993");
        assert_eq!(raw.column("b").unwrap().values, RawValues::Boolean(vec![Some(true), None]));
        assert_eq!(raw.column("s").unwrap().values.text(1), None);
        assert_eq!(raw.column("day").unwrap().values, RawValues::Datetime(vec![86_400_000_000, MISSING_TIME]));
        assert_eq!(raw.column("time").unwrap().values, RawValues::Datetime(vec![1_500_000, MISSING_TIME]));
        Ok(())
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = written(vec![Column::new("x".into(), [1.0, 2.0])]);
        for end in 4..bytes.len() {
            assert!(read("f.parquet", &bytes[..end]).is_err(), "cut at {end}");
        }
        let empty = written(vec![Column::new("x".into(), Vec::<f64>::new())]);
        assert!(matches!(read("f.parquet", &empty), Err(DataError::HeaderOnly { n_columns: 1, .. })));
    }
}
