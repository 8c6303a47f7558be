//! What a reader hands over: cells as they were written, or typed where the file itself has types.

use std::borrow::Cow;
use std::fmt;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::note::Note;
use crate::table::MISSING_TIME;

/// A column of text in one allocation: all cells end to end, and where each ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    text: String,
    ends: Vec<usize>,
    missing: Vec<bool>,
}

impl TextColumn {
    /// An empty column.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty column with room for `n_rows` cells of `n_bytes` bytes altogether.
    pub fn with_capacity(n_rows: usize, n_bytes: usize) -> Self {
        Self {
            text: String::with_capacity(n_bytes),
            ends: Vec::with_capacity(n_rows),
            missing: Vec::with_capacity(n_rows),
        }
    }

    /// Appends a cell; `None` is a missing one.
    pub fn push(&mut self, cell: Option<&str>) {
        self.text.push_str(cell.unwrap_or_default());
        self.ends.push(self.text.len());
        self.missing.push(cell.is_none());
    }

    /// Cell `i`, or `None` where it is missing or beyond the end.
    pub fn get(&self, i: usize) -> Option<&str> {
        if *self.missing.get(i)? {
            return None;
        }
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        Some(&self.text[start..self.ends[i]])
    }

    /// Cells, missing ones included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every cell in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }

    /// Missing cells.
    pub fn n_missing(&self) -> usize {
        self.missing.iter().filter(|&&missing| missing).count()
    }
}

impl<'a> FromIterator<Option<&'a str>> for TextColumn {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(cells: I) -> Self {
        let mut column = Self::new();
        for cell in cells {
            column.push(cell);
        }
        column
    }
}

impl<'a> FromIterator<&'a str> for TextColumn {
    fn from_iter<I: IntoIterator<Item = &'a str>>(cells: I) -> Self {
        cells.into_iter().map(Some).collect()
    }
}

/// The cells of a raw column.
#[derive(Debug, Clone, PartialEq)]
pub enum RawValues {
    /// Cells as written: delimited text, and strings of JSON and Parquet.
    Text(TextColumn),
    /// Numbers of a typed file.
    Number {
        /// One value a row; NaN is missing.
        values: Vec<f64>,
        /// Whether the file declares integers.
        integer: bool,
    },
    /// Truth values of a typed file; `None` is missing.
    Boolean(Vec<Option<bool>>),
    /// Times of a typed file: microseconds since 1970-01-01 UTC; [`MISSING_TIME`] is missing.
    Datetime(Vec<i64>),
}

impl RawValues {
    /// Cells, missing ones included.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Number { values, .. } => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Datetime(values) => values.len(),
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cell `i` as text, `None` where it is missing.
    ///
    /// Numbers are written in their shortest exact form (`3`, `0.1`), times as
    /// `2025-03-04T05:06:07`.
    pub fn text(&self, i: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(cells) => cells.get(i).map(Cow::Borrowed),
            Self::Number { values, .. } => {
                values.get(i).filter(|value| !value.is_nan()).map(|value| Cow::Owned(value.to_string()))
            }
            Self::Boolean(values) => {
                values.get(i).copied().flatten().map(|value| Cow::Borrowed(if value { "true" } else { "false" }))
            }
            Self::Datetime(values) => {
                values.get(i).filter(|&&value| value != MISSING_TIME).map(|&value| Cow::Owned(time_text(value)))
            }
        }
    }

    /// The same cells as text, as [`RawValues::text`] writes them.
    pub fn to_text(&self) -> TextColumn {
        if let Self::Text(cells) = self {
            return cells.clone();
        }
        let mut column = TextColumn::new();
        for i in 0..self.len() {
            column.push(self.text(i).as_deref());
        }
        column
    }
}

/// Microseconds since 1970-01-01 UTC as ISO 8601; whole days without a time of day.
pub(crate) fn time_text(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    match DateTime::from_timestamp_micros(micros) {
        Some(time) if micros.rem_euclid(DAY) == 0 => time.format("%Y-%m-%d").to_string(),
        Some(time) => time.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
        // Beyond the calendar: some 262,000 years from now.
        None => micros.to_string(),
    }
}

/// A column as a reader found it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawColumn {
    /// Its name, unique in the file.
    pub name: String,
    /// Its cells.
    pub values: RawValues,
}

/// Everything a reader found in one or several files of equal columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// The columns in file order, all of `n_rows` cells.
    pub columns: Vec<RawColumn>,
    /// Rows.
    pub n_rows: usize,
    /// How the bytes were read.
    pub dialect: Dialect,
    /// SHA-256 of the bytes as stored (compressed ones as they are), files end to end, in
    /// lower-case hex.
    pub sha256: String,
    /// Readings a person should know of.
    pub notes: Vec<Note>,
}

impl Raw {
    /// Rows handed over in memory, for tests and for callers that read by other means.
    ///
    /// `n_rows` is the length of the first column; the dialect is that of plain comma-separated
    /// text.
    pub fn from_columns(columns: Vec<RawColumn>) -> Self {
        let n_rows = columns.first().map_or(0, |column| column.values.len());
        Self { columns, n_rows, dialect: Dialect::default(), sha256: String::new(), notes: Vec::new() }
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&RawColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column names in order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text: CSV, TSV and their like.
    Delimited,
    /// Apache Parquet.
    Parquet,
    /// One JSON object a line.
    JsonLines,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delimited => "delimited text",
            Self::Parquet => "Parquet",
            Self::JsonLines => "JSON lines",
        })
    }
}

/// How the bytes of a file were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// The format.
    pub format: Format,
    /// Character between fields; meaningful for delimited text only.
    pub delimiter: char,
    /// Character around fields that contain the delimiter; meaningful for delimited text only.
    pub quote: char,
    /// Encoding of the text, such as `UTF-8` or `windows-1252`.
    pub encoding: String,
    /// Whether the first line holds the column names.
    pub header: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { format: Format::Delimited, delimiter: ',', quote: '"', encoding: "UTF-8".to_owned(), header: true }
    }
}

impl fmt::Display for Dialect {
    /// `comma, UTF-8`; `semicolon, single quote, windows-1252, no header`; `JSON lines`; `Parquet`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.format == Format::Parquet {
            return f.write_str("Parquet");
        }
        if self.format == Format::JsonLines {
            return write!(f, "JSON lines, {}", self.encoding);
        }
        match self.delimiter {
            ',' => f.write_str("comma")?,
            '\t' => f.write_str("tab")?,
            ';' => f.write_str("semicolon")?,
            '|' => f.write_str("pipe")?,
            ' ' => f.write_str("space")?,
            other => write!(f, "`{other}`")?,
        }
        match self.quote {
            '"' => {}
            '\'' => f.write_str(", single quote")?,
            other => write!(f, ", quote `{other}`")?,
        }
        write!(f, ", {}", self.encoding)?;
        if self.header { Ok(()) } else { f.write_str(", no header") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_column_keeps_cells_apart_from_missing_ones() {
        let column: TextColumn = [Some("a"), None, Some(""), Some("né")].into_iter().collect();
        assert_eq!(column.len(), 4);
        assert_eq!(column.n_missing(), 1);
        assert_eq!(column.iter().collect::<Vec<_>>(), [Some("a"), None, Some(""), Some("né")]);
        assert_eq!(column.get(4), None);
    }

    #[test]
    fn typed_cells_are_written_shortest() {
        let numbers = RawValues::Number { values: vec![3.0, 0.1, f64::NAN], integer: false };
        assert_eq!(numbers.to_text().iter().collect::<Vec<_>>(), [Some("3"), Some("0.1"), None]);
        let times = RawValues::Datetime(vec![0, 1_500_000, MISSING_TIME]);
        let text = times.to_text();
        assert_eq!(text.iter().collect::<Vec<_>>(), [Some("1970-01-01"), Some("1970-01-01T00:00:01.500"), None]);
    }

    #[test]
    fn dialects_are_named_as_a_person_would() {
        assert_eq!(Dialect::default().to_string(), "comma, UTF-8");
        let dialect = Dialect { delimiter: ';', quote: '\'', header: false, ..Dialect::default() };
        assert_eq!(dialect.to_string(), "semicolon, single quote, UTF-8, no header");
        let dialect = Dialect { format: Format::Parquet, ..Dialect::default() };
        assert_eq!(dialect.to_string(), "Parquet");
    }
}
