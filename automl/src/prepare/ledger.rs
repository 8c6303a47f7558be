//! The ledger of rows and columns: in = used + dropped, by reason. Nothing leaves without a line here.

use datasets::{Kind, Note, Schema};
use serde::{Deserialize, Serialize};

use crate::spec::AutoMlSpec;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Learned from.
    Feature,
    /// Learned.
    Target,
    /// Decides the split (`--group`, `--time`, `--split-column`), never learned from.
    Split,
    /// Says how much a row counts (`--weight`), never learned from.
    Weight,
    /// Left out, with a reason.
    Dropped,
}

/// One column that is not used, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// The column.
    pub column: String,
    /// Why it is left out, in words.
    pub reason: String,
    /// Whether it was left out because it gives the target away; said loudly.
    pub loud: bool,
}

/// Rows and columns, in and used, with a reason for every one that is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Rows read.
    pub rows_in: usize,
    /// Rows used.
    pub rows_used: usize,
    /// Rows not used, by reason.
    pub rows_dropped: Vec<(String, usize)>,
    /// Every column with its kind and role, in file order.
    pub columns: Vec<(String, Kind, Role)>,
    /// Columns not used, by reason.
    pub columns_dropped: Vec<Dropped>,
    /// Readings that could have been otherwise, each with the override that changes it.
    pub notes: Vec<Note>,
}

impl Ledger {
    /// Takes a column out; a column already out keeps its first reason.
    pub(crate) fn drop_column(&mut self, name: &str, reason: impl Into<String>, loud: bool) {
        if let Some(entry) = self.columns.iter_mut().find(|(column, _, role)| column == name && *role == Role::Feature)
        {
            entry.2 = Role::Dropped;
            self.columns_dropped.push(Dropped { column: name.to_owned(), reason: reason.into(), loud });
        }
    }

    /// Takes `n` rows out; nothing is written for none.
    pub(crate) fn drop_rows(&mut self, n: usize, reason: impl Into<String>) {
        if n > 0 {
            self.rows_used -= n;
            self.rows_dropped.push((reason.into(), n));
        }
    }

    /// The features, in file order.
    pub fn used(&self) -> Vec<&str> {
        self.columns.iter().filter(|(_, _, role)| *role == Role::Feature).map(|(name, ..)| name.as_str()).collect()
    }

    /// Columns that could have been features: all but the target, the weights and the columns that split.
    pub fn candidates(&self) -> usize {
        self.columns.iter().filter(|(_, _, role)| matches!(role, Role::Feature | Role::Dropped)).count()
    }

    /// Every column that is not a feature.
    pub(crate) fn unused_names(&self) -> Vec<&str> {
        self.columns.iter().filter(|(_, _, role)| *role != Role::Feature).map(|(name, ..)| name.as_str()).collect()
    }

    /// `a: ignored, unique in every row; b: constant`.
    pub(crate) fn dropped_in_words(&self) -> String {
        self.columns_dropped.iter().map(|d| format!("{}: {}", d.column, d.reason)).collect::<Vec<_>>().join("; ")
    }
}

/// A ledger with everything in, less what the request itself and the kinds of columns take out.
pub(super) fn open_ledger(spec: &AutoMlSpec, schema: &Schema, n_rows: usize, notes: Vec<Note>) -> Ledger {
    let splits = [&spec.split.group, &spec.split.time, &spec.split.column];
    let role = |name: &String| {
        if *name == spec.target {
            Role::Target
        } else if splits.iter().any(|column| column.as_ref() == Some(name)) {
            Role::Split
        } else if spec.weight.as_ref() == Some(name) {
            Role::Weight
        } else {
            Role::Feature
        }
    };
    let columns = schema.columns.iter().map(|column| (column.name.clone(), column.kind, role(&column.name))).collect();
    let mut ledger = Ledger {
        rows_in: n_rows,
        rows_used: n_rows,
        rows_dropped: Vec::new(),
        columns,
        columns_dropped: Vec::new(),
        notes,
    };
    for column in &schema.columns {
        let name = &column.name;
        if spec.ignore.contains(name) {
            ledger.drop_column(name, "ignored, as asked", false);
        } else if spec.id.as_ref() == Some(name) {
            ledger.drop_column(name, "the row's id, as asked", false);
        } else if spec.keep_columns.contains(name) {
        } else if column.n_missing == n_rows {
            ledger.drop_column(name, "missing in every row", false);
        } else if column.kind == Kind::Constant {
            ledger.drop_column(name, "one value in every row", false);
        } else if column.kind == Kind::Id {
            let often = if column.n_unique == n_rows { "every row" } else { "nearly every row" };
            ledger.drop_column(name, format!("ignored, unique in {often}"), false);
        }
    }
    ledger
}
