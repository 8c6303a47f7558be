//! The frozen schema.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kind::{Kind, Storage};

/// What each column is and by which rules its cells are read; made once from training data, kept
/// with the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns in file order.
    pub columns: Vec<ColumnSchema>,
}

/// One column of a [`Schema`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How its cells are held.
    pub storage: Storage,
    /// How its cells are read.
    pub rules: Rules,
    /// Cells read as missing when the schema was made.
    pub n_missing: usize,
    /// Distinct values, missing ones apart, when the schema was made.
    pub n_unique: usize,
}

/// How the cells of a column are read. Blanks around a cell never count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Cells that mean a missing value, as they were found, sorted; an empty cell always does.
    pub missing: Vec<String>,
    /// The decimal mark of numbers.
    pub decimal: char,
    /// The mark between groups of three digits; a space stands for any kind of space.
    pub thousands: Option<char>,
    /// A sign around numbers that is left out (`%`, `€`, `$` …); the number is not rescaled.
    pub prefix_or_unit: Option<String>,
    /// The format of times: `iso` for ISO 8601 and RFC 3339, else in the notation of strftime.
    /// Times without a zone are taken as UTC.
    pub datetime_format: Option<String>,
    /// Levels of categories and booleans, in the order of their bytes, so that no row order changes
    /// it; empty for other columns. The code of a category is its index here.
    #[serde(with = "crate::arc_slice")]
    pub levels: Arc<[String]>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            missing: Vec::new(),
            decimal: '.',
            thousands: None,
            prefix_or_unit: None,
            datetime_format: None,
            levels: Arc::from([]),
        }
    }
}

impl Schema {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column names in order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The schema without the named columns; names it does not have are passed over.
    #[must_use]
    pub fn without(&self, names: &[impl AsRef<str>]) -> Self {
        self.filtered(|column| !names.iter().any(|name| name.as_ref() == column))
    }

    /// The schema of the named columns alone, in schema order; names it does not have are passed
    /// over.
    #[must_use]
    pub fn only(&self, names: &[impl AsRef<str>]) -> Self {
        self.filtered(|column| names.iter().any(|name| name.as_ref() == column))
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self { columns: self.columns.iter().filter(|column| keep(&column.name)).cloned().collect() }
    }
}
