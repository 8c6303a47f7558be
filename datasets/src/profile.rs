//! What is in each column, counted.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::folds::duplicate_groups;
use crate::schema::{Kind, Schema};
use crate::table::{Column, MISSING_TIME, Table, UNSEEN, Values};

/// The most frequent values a [`ColumnProfile`] keeps.
const TOP: usize = 10;

/// A summary of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// One summary per column, in table order.
    pub columns: Vec<ColumnProfile>,
    /// Rows.
    pub n_rows: usize,
    /// Rows that equal an earlier one in every column.
    pub duplicate_rows: usize,
}

/// A summary of a column. Statistics are over the cells that are not missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Missing cells.
    pub n_missing: usize,
    /// Distinct values, missing ones apart.
    pub n_unique: usize,
    /// Mean, of numbers.
    pub mean: Option<f64>,
    /// Standard deviation with n - 1 in the denominator, of two or more numbers.
    pub std: Option<f64>,
    /// Smallest number, or earliest time in microseconds since 1970-01-01 UTC.
    pub min: Option<f64>,
    /// Middle number or time; the mean of the middle two of an even count.
    pub median: Option<f64>,
    /// Largest number, or latest time in microseconds since 1970-01-01 UTC.
    pub max: Option<f64>,
    /// The ten most frequent values with their counts, most frequent first, ties in the order of
    /// their text; empty where no value occurs twice, and for text.
    pub top: Vec<(String, usize)>,
}

impl Profile {
    /// Summarises a table; a column the schema does not know is told by how it is held.
    pub fn of(table: &Table, schema: &Schema) -> Self {
        let columns = table
            .columns()
            .iter()
            .map(|column| ColumnProfile::of(column, schema.column(&column.name).map(|known| known.kind)))
            .collect();
        let (_, duplicate_rows) = duplicate_groups(table, &[]);
        // Rows without a column are not equal in anything.
        let duplicate_rows = if table.n_columns() == 0 { 0 } else { duplicate_rows };
        Self { columns, n_rows: table.n_rows(), duplicate_rows }
    }

    /// The summary of this column.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl ColumnProfile {
    /// Summarises a column of this kind; without one it is told by how the column is held.
    pub fn of(column: &Column, kind: Option<Kind>) -> Self {
        let mut profile = Self {
            name: column.name.clone(),
            kind: kind.unwrap_or(match column.values {
                Values::Number(_) => Kind::Numeric,
                Values::Category { .. } => Kind::Categorical,
                Values::Datetime(_) => Kind::Datetime,
                Values::Text(_) => Kind::Text,
            }),
            n_missing: column.values.n_missing(),
            n_unique: 0,
            mean: None,
            std: None,
            min: None,
            median: None,
            max: None,
            top: Vec::new(),
        };
        match &column.values {
            Values::Number(values) => {
                let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
                present.sort_unstable_by(f64::total_cmp);
                profile.moments(&present);
                profile.order_statistics(&present);
                profile.counts(runs(&present).into_iter().map(|(value, n)| (value.to_string(), n)));
            }
            Values::Datetime(values) => {
                let mut present: Vec<i64> = values.iter().copied().filter(|&value| value != MISSING_TIME).collect();
                present.sort_unstable();
                profile.order_statistics(&present.iter().map(|&value| value as f64).collect::<Vec<_>>());
                profile.counts(runs(&present).into_iter().map(|(value, n)| (crate::raw::time_text(value), n)));
            }
            Values::Category { codes, levels } => {
                let mut counts: HashMap<u32, usize> = HashMap::new();
                for &code in codes.iter().filter(|&&code| code == UNSEEN || (code as usize) < levels.len()) {
                    *counts.entry(code).or_default() += 1;
                }
                let name = |code: u32| levels.get(code as usize).map_or("(unseen)", String::as_str).to_owned();
                profile.counts(counts.into_iter().map(|(code, n)| (name(code), n)));
            }
            Values::Text(cells) => {
                profile.n_unique = cells.iter().flatten().collect::<HashSet<_>>().len();
            }
        }
        profile
    }

    /// Mean and deviation in two passes, which stays exact for numbers far from zero.
    fn moments(&mut self, sorted: &[f64]) {
        if sorted.is_empty() {
            return;
        }
        let n = sorted.len() as f64;
        // Dividing before adding keeps numbers near the largest float from overflowing.
        let mean: f64 = sorted.iter().map(|value| value / n).sum();
        self.mean = Some(mean);
        if sorted.len() > 1 {
            let variance: f64 = sorted.iter().map(|value| (value - mean).powi(2) / (n - 1.0)).sum();
            self.std = Some(variance.sqrt());
        }
    }

    fn order_statistics(&mut self, sorted: &[f64]) {
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return;
        };
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        self.min = Some(min);
        self.max = Some(max);
        self.median = Some(low.midpoint(high));
    }

    fn counts(&mut self, counts: impl Iterator<Item = (String, usize)>) {
        let mut counts: Vec<(String, usize)> = counts.collect();
        self.n_unique = counts.len();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if counts.first().is_some_and(|&(_, n)| n > 1) {
            counts.truncate(TOP);
            self.top = counts;
        }
    }
}

/// Distinct values of a sorted slice with their counts.
fn runs<T: Copy + PartialEq>(sorted: &[T]) -> Vec<(T, usize)> {
    sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::table::MISSING;

    #[test]
    fn numbers_are_summarised() {
        // numpy 2: np.mean, np.std(ddof=1), np.median of [2, 4, 4, 9].
        let column = Column::new("x", Values::Number(vec![4.0, f64::NAN, 2.0, 9.0, 4.0]));
        let profile = ColumnProfile::of(&column, None);
        assert_eq!((profile.n_missing, profile.n_unique), (1, 3));
        assert_eq!(profile.mean, Some(4.75));
        assert!((profile.std.unwrap() - 2.986_078_811_194_819_6).abs() < 1e-12);
        assert_eq!((profile.min, profile.median, profile.max), (Some(2.0), Some(4.0), Some(9.0)));
        assert_eq!(profile.top[0], ("4".to_owned(), 2));
    }

    #[test]
    fn categories_are_counted_and_rows_compared() {
        let levels: Arc<[String]> = Arc::from(["a".to_owned(), "b".to_owned()]);
        let codes = vec![1, 0, 1, MISSING, UNSEEN, 1];
        let table = Table::new(vec![Column::new("c", Values::Category { codes, levels })]).unwrap();
        let profile = Profile::of(&table, &Schema::default());
        assert_eq!(profile.duplicate_rows, 2);
        let column = profile.column("c").unwrap();
        assert_eq!(column.top[0], ("b".to_owned(), 3));
        assert_eq!((column.n_unique, column.n_missing, column.mean), (3, 1, None));
    }

    #[test]
    fn empty_columns_have_no_statistics() {
        let profile = ColumnProfile::of(&Column::new("x", Values::Number(vec![f64::NAN])), None);
        assert_eq!((profile.mean, profile.std, profile.max), (None, None, None));
        assert!(profile.top.is_empty());
    }

    #[test]
    fn distinct_values_have_no_top() {
        let profile = ColumnProfile::of(&Column::new("x", Values::Number(vec![1.0, 2.0])), None);
        assert_eq!(profile.n_unique, 2);
        assert!(profile.top.is_empty());
    }
}
