//! Columns of files that say what they hold.

use std::collections::HashSet;

use super::facts::{Facts, is_gapless};
use super::kind::{Kind, Storage};
use super::types::{ColumnSchema, Rules};
use crate::note::Note;
use crate::table::MISSING_TIME;

/// A column whose file says what it holds.
pub(super) struct Typed {
    kind: Kind,
    storage: Storage,
    levels: Vec<String>,
    n_present: usize,
    n_unique: usize,
    gapless: bool,
    /// Infinite values, and the row of the first, counted from 1.
    infinite: Option<(usize, usize)>,
}

impl Typed {
    pub(super) fn numbers(values: &[f64], integer: bool) -> Self {
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        // Adding zero makes one of the two zeros.
        let unique: HashSet<u64> = finite.iter().map(|value| (value + 0.0).to_bits()).collect();
        let n_infinite = values.iter().filter(|value| value.is_infinite()).count();
        let infinite = values.iter().position(|value| value.is_infinite()).map(|first| (n_infinite, first + 1));
        Self {
            kind: if integer { Kind::Integer } else { Kind::Numeric },
            storage: Storage::Number,
            levels: Vec::new(),
            n_present: finite.len(),
            n_unique: unique.len(),
            gapless: integer && is_gapless(finite.iter().copied(), unique.len()),
            infinite,
        }
    }

    pub(super) fn booleans(values: &[Option<bool>]) -> Self {
        let present: HashSet<bool> = values.iter().flatten().copied().collect();
        Self {
            kind: Kind::Boolean,
            storage: Storage::Category,
            levels: vec!["false".to_owned(), "true".to_owned()],
            n_present: values.iter().flatten().count(),
            n_unique: present.len(),
            gapless: false,
            infinite: None,
        }
    }

    pub(super) fn times(values: &[i64]) -> Self {
        let present = || values.iter().filter(|&&value| value != MISSING_TIME);
        Self {
            kind: Kind::Datetime,
            storage: Storage::Datetime,
            levels: Vec::new(),
            n_present: present().count(),
            n_unique: present().collect::<HashSet<_>>().len(),
            gapless: false,
            infinite: None,
        }
    }

    pub(super) fn column(self, name: &str, n_rows: usize, given: Option<Kind>) -> (ColumnSchema, Vec<Note>) {
        let mut notes = Vec::new();
        if let Some((n, first)) = self.infinite {
            let values = if n == 1 { "value is" } else { "values are" };
            notes.push(Note::column(name, format!("{n} {values} not finite (first at row {first}), read as missing")));
        }
        let facts = Facts {
            n_rows,
            n_missing: n_rows - self.n_present,
            n_unique: self.n_unique,
            gapless: self.gapless,
            single_words: false,
        };
        let kind = given.unwrap_or_else(|| facts.kind(name, self.kind, &mut notes));
        let datetime_format = (self.storage == Storage::Datetime).then(|| super::time::ISO.to_owned());
        let column = ColumnSchema {
            name: name.to_owned(),
            kind,
            storage: self.storage,
            rules: Rules { levels: self.levels.into(), datetime_format, ..Rules::default() },
            n_missing: facts.n_missing,
            n_unique: facts.n_unique,
        };
        (column, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::{Raw, RawColumn, RawValues};
    use crate::schema::{Schema, TypeOverrides};

    #[test]
    fn typed_columns_keep_their_types() {
        let column = |name: &str, values| RawColumn { name: name.to_owned(), values };
        let raw = Raw::from_columns(vec![
            column("n", RawValues::Number { values: vec![1.0, f64::NAN, 3.0], integer: true }),
            column("x", RawValues::Number { values: vec![1.0, f64::INFINITY, 3.0], integer: false }),
            column("b", RawValues::Boolean(vec![Some(true), None, Some(false)])),
            column("t", RawValues::Datetime(vec![0, 1, MISSING_TIME])),
            column("k", RawValues::Number { values: vec![2.0; 3], integer: false }),
        ]);
        let (schema, notes) = Schema::infer(&raw, &TypeOverrides::default()).unwrap();
        let kinds: Vec<Kind> = schema.columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [Kind::Integer, Kind::Numeric, Kind::Boolean, Kind::Datetime, Kind::Constant]);
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].text, "1 value is not finite (first at row 2), read as missing");
        let (schema, _) = Schema::infer(&raw, &TypeOverrides::default().with("n", Kind::Categorical)).unwrap();
        assert_eq!(schema.columns[0].rules.levels.as_ref(), ["1", "3"]);
    }
}
