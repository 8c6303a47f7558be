//! The table: our own columns, one vector each, missing cells marked in place.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::error::DataError;
use crate::raw::{TextColumn, time_text};

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;
/// The code of a category that was not there when the schema was made.
pub const UNSEEN: u32 = u32::MAX - 1;
/// The time that stands for a missing one.
pub const MISSING_TIME: i64 = i64::MIN;

/// The cells of a column, one per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN is missing, and no value is infinite.
    Number(Vec<f64>),
    /// Categories by code.
    Category {
        /// Index into `levels`, [`MISSING`] or [`UNSEEN`].
        codes: Vec<u32>,
        /// The levels in the schema's frozen order.
        levels: Arc<[String]>,
    },
    /// Times in microseconds since 1970-01-01 UTC; [`MISSING_TIME`] is missing.
    Datetime(Vec<i64>),
    /// Free text.
    Text(TextColumn),
}

impl Values {
    /// Cells, missing ones included.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(values) => values.len(),
            Self::Category { codes, .. } => codes.len(),
            Self::Datetime(values) => values.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether cell `i` is missing. An unseen category is not missing.
    ///
    /// # Panics
    /// When `i` is not below [`Values::len`].
    pub fn is_missing(&self, i: usize) -> bool {
        match self {
            Self::Number(values) => values[i].is_nan(),
            Self::Category { codes, .. } => codes[i] == MISSING,
            Self::Datetime(values) => values[i] == MISSING_TIME,
            Self::Text(cells) => cells.get(i).is_none(),
        }
    }

    /// Missing cells.
    pub fn n_missing(&self) -> usize {
        (0..self.len()).filter(|&i| self.is_missing(i)).count()
    }

    /// Cell `i` as text, `None` where it is missing; an unseen category is written `(unseen)`.
    ///
    /// # Panics
    /// When `i` is not below [`Values::len`].
    pub fn display(&self, i: usize) -> Option<Cow<'_, str>> {
        if self.is_missing(i) {
            return None;
        }
        Some(match self {
            Self::Number(values) => Cow::Owned(values[i].to_string()),
            Self::Category { codes, levels } => {
                Cow::Borrowed(levels.get(codes[i] as usize).map_or("(unseen)", String::as_str))
            }
            Self::Datetime(values) => Cow::Owned(time_text(values[i])),
            Self::Text(cells) => Cow::Borrowed(cells.get(i).unwrap_or_default()),
        })
    }

    /// The cells of `rows`, in that order.
    ///
    /// # Panics
    /// When a row is not below [`Values::len`].
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        match self {
            Self::Number(values) => Self::Number(rows.iter().map(|&row| values[row as usize]).collect()),
            Self::Category { codes, levels } => Self::Category {
                codes: rows.iter().map(|&row| codes[row as usize]).collect(),
                levels: Arc::clone(levels),
            },
            Self::Datetime(values) => Self::Datetime(rows.iter().map(|&row| values[row as usize]).collect()),
            Self::Text(cells) => Self::Text(rows.iter().map(|&row| cells.get(row as usize)).collect()),
        }
    }
}

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: String,
    /// Its cells.
    pub values: Values,
}

impl Column {
    /// A column of this name.
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Self { name: name.into(), values }
    }
}

/// Columns of equal length and distinct names.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    n_rows: usize,
}

impl Table {
    /// Checks the columns into a table. No columns make a table without rows.
    pub fn new(columns: Vec<Column>) -> Result<Self, DataError> {
        let n_rows = columns.first().map_or(0, |column| column.values.len());
        Self::with_rows(columns, n_rows)
    }

    /// Checks the columns into a table of `n_rows` rows, which it has even without a column.
    pub fn with_rows(columns: Vec<Column>, n_rows: usize) -> Result<Self, DataError> {
        if n_rows > (u32::MAX - 2) as usize {
            return Err(DataError::TooManyRows { n_rows });
        }
        let mut by_name = HashMap::with_capacity(columns.len());
        let mut repeated = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            let found = column.values.len();
            if found != n_rows {
                return Err(DataError::UnequalLength { column: column.name.clone(), expected: n_rows, found });
            }
            if by_name.insert(column.name.clone(), i).is_some() {
                repeated.push(column.name.clone());
            }
        }
        if repeated.is_empty() {
            Ok(Self { columns, by_name, n_rows })
        } else {
            Err(DataError::DuplicateColumns { path: "table".to_owned(), names: repeated })
        }
    }

    /// The columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.by_name.get(name).map(|&i| &self.columns[i])
    }

    /// The position of the column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns.
    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// The named columns, in the order named.
    pub fn select(&self, names: &[impl AsRef<str>]) -> Result<Self, DataError> {
        let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let columns = names
            .iter()
            .map(|name| {
                let name = name.as_ref();
                self.column(name).cloned().ok_or_else(|| DataError::unknown_column(name, &known))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::with_rows(columns, self.n_rows)
    }

    /// A copy of `rows`, in that order; a row may be taken more than once.
    pub fn take(&self, rows: &[u32]) -> Result<Self, DataError> {
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= self.n_rows) {
            return Err(DataError::RowOutOfRange { row: row as usize, n_rows: self.n_rows });
        }
        let columns =
            self.columns.iter().map(|column| Column::new(column.name.clone(), column.values.take(rows))).collect();
        Self::with_rows(columns, rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(vec![
            Column::new("x", Values::Number(vec![1.0, f64::NAN, 2.5])),
            Column::new("c", Values::Category { codes: vec![0, UNSEEN, MISSING], levels: Arc::from(["a".to_owned()]) }),
            Column::new("t", Values::Datetime(vec![0, MISSING_TIME, 86_400_000_000])),
        ])
        .unwrap()
    }

    #[test]
    fn columns_are_found_by_name_and_taken_by_row() {
        let table = table();
        assert_eq!((table.n_rows(), table.n_columns()), (3, 3));
        assert_eq!(table.position("t"), Some(2));
        assert!(table.column("nope").is_none());
        let taken = table.take(&[2, 0, 0]).unwrap();
        assert_eq!(taken.column("x").unwrap().values, Values::Number(vec![2.5, 1.0, 1.0]));
        assert_eq!(taken.column("t").unwrap().values.display(0).unwrap(), "1970-01-02");
        assert!(matches!(table.take(&[3]), Err(DataError::RowOutOfRange { row: 3, n_rows: 3 })));
    }

    #[test]
    fn missing_and_unseen_are_told_apart() {
        let table = table();
        let values = &table.column("c").unwrap().values;
        assert_eq!(values.n_missing(), 1);
        assert_eq!(values.display(0).unwrap(), "a");
        assert_eq!(values.display(1).unwrap(), "(unseen)");
        assert_eq!(values.display(2), None);
    }

    #[test]
    fn unequal_columns_and_repeated_names_are_refused() {
        let columns =
            vec![Column::new("a", Values::Number(vec![1.0])), Column::new("b", Values::Number(vec![1.0, 2.0]))];
        let error = Table::new(columns).unwrap_err();
        assert_eq!(error.to_string(), "column `b` has 2 rows, expected 1");
        let columns = vec![Column::new("a", Values::Number(vec![])), Column::new("a", Values::Number(vec![]))];
        assert!(matches!(Table::new(columns), Err(DataError::DuplicateColumns { .. })));
    }

    #[test]
    fn select_names_the_nearest_column() {
        let error = table().select(&["cc"]).unwrap_err();
        assert!(matches!(error, DataError::UnknownColumn { .. }), "{error}");
        assert_eq!(table().select(&["t", "x"]).unwrap().columns()[0].name, "t");
    }
}
