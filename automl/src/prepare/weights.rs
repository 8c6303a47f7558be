//! How much each row counts: `--weight`.

use std::sync::Arc;

use datasets::{Folds, Table, Values};

use super::split::thousands;
use crate::error::AutoMlError;
use crate::report::number;
use crate::spec::AutoMlSpec;

/// What rows count in training. Scores count every row alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The column they were read from.
    pub column: String,
    /// The weight of every table row, finite and not negative; 0 outside the rows that are used.
    pub values: Arc<[f64]>,
    /// The least weight of a row that is used.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// How many of the rows that are used have weight 0, which is as good as leaving them out of training.
    pub n_zero: usize,
}

impl Weights {
    /// `w, from 0.5 to 3, 12 rows of weight 0`.
    pub(crate) fn in_words(&self) -> String {
        let zero = match self.n_zero {
            0 => String::new(),
            1 => ", 1 row of weight 0".into(),
            n => format!(", {} rows of weight 0", thousands(n)),
        };
        format!("{}, from {} to {}{zero}", self.column, number(self.low), number(self.high))
    }
}

/// Reads the weights of the rows that are used.
pub(super) fn read(spec: &AutoMlSpec, table: &Table, rows: &[u32]) -> Result<Option<Weights>, AutoMlError> {
    let Some(name) = &spec.weight else { return Ok(None) };
    let Some(Values::Number(cells)) = table.column(name).map(|column| &column.values) else {
        return Err(AutoMlError::unusable(
            format!("column `{name}` does not hold numbers; rows cannot be weighed by it"),
            format!("name a numeric column, or say --types {name}=numeric if it only looks otherwise"),
        ));
    };
    let at = |row: u32| cells[row as usize];
    refuse(rows, name, "missing", |row| !at(row).is_finite(), |_| String::new())?;
    refuse(rows, name, "negative", |row| at(row) < 0.0, |row| format!(": {}", at(row)))?;
    let n_zero = rows.iter().filter(|&&row| at(row) == 0.0).count();
    if n_zero == rows.len() {
        return Err(AutoMlError::unusable(
            format!("column `{name}`: the weight is 0 in each of the {} rows that are used", thousands(n_zero)),
            "name another column with --weight",
        ));
    }
    let mut values = vec![0.0; table.n_rows()];
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &row in rows {
        values[row as usize] = at(row);
        (low, high) = (low.min(at(row)), high.max(at(row)));
    }
    Ok(Some(Weights { column: name.clone(), values: values.into(), low, high, n_zero }))
}

/// An error when some row's weight is such, naming the first.
fn refuse(
    rows: &[u32],
    name: &str,
    what: &str,
    such: impl Fn(u32) -> bool,
    value: impl Fn(u32) -> String,
) -> Result<(), AutoMlError> {
    let found: Vec<u32> = rows.iter().copied().filter(|&row| such(row)).collect();
    let Some(&first) = found.first() else { return Ok(()) };
    let (n, row) = (thousands(found.len()), thousands(first as usize + 1));
    let weights = if found.len() == 1 { "1 weight is".into() } else { format!("{n} weights are") };
    Err(AutoMlError::unusable(
        format!("column `{name}`: {weights} {what} (first at row {row}{})", value(first)),
        "give those rows a weight, 0 if they should not count, or leave them out of the file",
    ))
}

/// Whether every fold trains on some row that counts.
pub(super) fn check_folds(weights: &Weights, folds: &Folds) -> Result<(), AutoMlError> {
    for (fold, split) in folds.splits.iter().enumerate() {
        if split.train.iter().all(|&row| weights.values[row as usize] == 0.0) {
            return Err(AutoMlError::unusable(
                format!(
                    "column `{}`: the {} training rows of fold {} all have weight 0",
                    weights.column,
                    thousands(split.train.len()),
                    fold + 1
                ),
                "choose another split (--group, --time, --split-column, --seed), or leave rows of weight 0 out",
            ));
        }
    }
    Ok(())
}
