//! Reading cells by a frozen schema, which never infers again.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::kind::{Kind, Storage};
use super::parse::NumberFormat;
use super::time::{ISO, TimeReader};
use super::types::{ColumnSchema, Schema};
use crate::error::{DataError, nearest};
use crate::note::{Coercion, CoercionReason};
use crate::raw::{Raw, RawValues, TextColumn};
use crate::table::{Column, MISSING, MISSING_TIME, Table, UNSEEN, Values};

impl Schema {
    /// Reads raw columns, found by name, into a table of this schema's columns in this schema's
    /// order.
    ///
    /// Cells that do not fit are counted by column and reason; so are columns the schema does not
    /// know, which are ignored. Columns that are absent are an error.
    pub fn read(&self, raw: &Raw) -> Result<(Table, Vec<Coercion>), DataError> {
        let by_name: HashMap<&str, &RawValues> =
            raw.columns.iter().map(|column| (column.name.as_str(), &column.values)).collect();
        self.check_names(&by_name.keys().copied().collect(), || raw.names())?;
        let mut coercions = Vec::new();
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let (values, found) = column.read(by_name[column.name.as_str()]);
            columns.push(Column::new(column.name.clone(), values));
            coercions.extend(found);
        }
        self.extra_columns(raw.columns.iter().map(|column| column.name.as_str()), raw.n_rows, &mut coercions);
        Ok((Table::with_rows(columns, raw.n_rows)?, coercions))
    }

    /// Reads one row of named cells, for a predictor that is handed rows; an empty cell is missing.
    ///
    /// As [`Schema::read`]. Of cells of one name the last counts.
    pub fn read_row(&self, cells: &[(&str, &str)]) -> Result<(Table, Vec<Coercion>), DataError> {
        let by_name: HashMap<&str, &str> = cells.iter().copied().collect();
        let names = || cells.iter().map(|&(name, _)| name).collect();
        self.check_names(&by_name.keys().copied().collect(), names)?;
        let mut coercions = Vec::new();
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let mut cell = TextColumn::new();
            cell.push(Some(by_name[column.name.as_str()]));
            let (values, found) = column.read(&RawValues::Text(cell));
            columns.push(Column::new(column.name.clone(), values));
            coercions.extend(found);
        }
        self.extra_columns(cells.iter().map(|&(name, _)| name), 1, &mut coercions);
        Ok((Table::with_rows(columns, 1)?, coercions))
    }

    fn check_names<'a>(&self, present: &HashSet<&str>, names: impl Fn() -> Vec<&'a str>) -> Result<(), DataError> {
        let absent: Vec<String> = self
            .columns
            .iter()
            .filter(|column| !present.contains(column.name.as_str()))
            .map(|column| column.name.clone())
            .collect();
        match absent.first() {
            None => Ok(()),
            Some(first) => {
                // Only a name the schema has no use for can be the absent one misspelt.
                let spare: Vec<&str> = names().into_iter().filter(|name| self.column(name).is_none()).collect();
                Err(DataError::MissingColumns { nearest: nearest(first, &spare), names: absent })
            }
        }
    }

    fn extra_columns<'a>(&self, names: impl Iterator<Item = &'a str>, n_rows: usize, coercions: &mut Vec<Coercion>) {
        let known: HashSet<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        coercions.extend(names.filter(|name| !known.contains(name)).map(|name| Coercion {
            column: name.to_owned(),
            n_cells: n_rows,
            reason: CoercionReason::ExtraColumn,
            example: String::new(),
            first_row: 1,
        }));
    }
}

impl ColumnSchema {
    /// Reads the cells of this column by its rules, and counts those that do not fit.
    pub fn read(&self, raw: &RawValues) -> (Values, Vec<Coercion>) {
        let mut tally = Tally { column: &self.name, coercions: Vec::new() };
        let values = match (self.storage, raw) {
            (Storage::Number, RawValues::Number { values, .. }) => Values::Number(finite(values, &mut tally)),
            (Storage::Number, RawValues::Boolean(values)) => {
                Values::Number(values.iter().map(|value| value.map_or(f64::NAN, f64::from)).collect())
            }
            (Storage::Datetime, RawValues::Datetime(values)) => Values::Datetime(values.clone()),
            (storage, raw) => {
                let text = match raw {
                    RawValues::Text(cells) => Cow::Borrowed(cells),
                    typed => Cow::Owned(typed.to_text()),
                };
                match storage {
                    Storage::Number => Values::Number(self.numbers(&text, &mut tally)),
                    Storage::Datetime => Values::Datetime(self.times(&text, &mut tally)),
                    Storage::Category => Values::Category {
                        codes: self.codes(&text, &mut tally),
                        levels: Arc::clone(&self.rules.levels),
                    },
                    Storage::Text => Values::Text(text.iter().map(|cell| self.present(cell)).collect()),
                }
            }
        };
        (values, tally.coercions)
    }

    /// The same rules with the levels of these cells that are not yet among its own, for a model that is fitted again; a
    /// column without categories, and one of booleans, stays as it is.
    #[must_use]
    pub fn with_levels_of(&self, raw: &RawValues) -> Self {
        let mut column = self.clone();
        if self.storage != Storage::Category || self.kind == Kind::Boolean {
            return column;
        }
        let text = match raw {
            RawValues::Text(cells) => Cow::Borrowed(cells),
            typed => Cow::Owned(typed.to_text()),
        };
        let new: BTreeSet<&str> =
            text.iter().filter_map(|cell| self.present(cell)).filter(|cell| self.code(cell).is_none()).collect();
        if !new.is_empty() {
            let mut levels: Vec<String> = self.rules.levels.to_vec();
            levels.extend(new.into_iter().map(str::to_owned));
            levels.sort_unstable();
            column.rules.levels = levels.into();
        }
        column
    }

    /// The trimmed cell, unless it means a missing one.
    fn present<'a>(&self, cell: Option<&'a str>) -> Option<&'a str> {
        let text = cell?.trim();
        (!text.is_empty() && !self.rules.missing.iter().any(|word| word == text)).then_some(text)
    }

    fn numbers(&self, cells: &TextColumn, tally: &mut Tally<'_>) -> Vec<f64> {
        let format = NumberFormat::of(&self.rules);
        let read = |(row, cell): (usize, Option<&str>)| {
            // Nearly every cell is a number, so the words for missing come second.
            match format.parse(cell.unwrap_or_default().trim()) {
                Some(value) if value.is_finite() => value,
                parsed => {
                    if let Some(text) = self.present(cell) {
                        let reason =
                            if parsed.is_some() { CoercionReason::NonFinite } else { CoercionReason::UnparsedNumber };
                        tally.count(reason, row, || text.to_owned());
                    }
                    f64::NAN
                }
            }
        };
        cells.iter().enumerate().map(read).collect()
    }

    fn times(&self, cells: &TextColumn, tally: &mut Tally<'_>) -> Vec<i64> {
        let reader = TimeReader::new(self.rules.datetime_format.as_deref().unwrap_or(ISO));
        let read = |(row, cell): (usize, Option<&str>)| {
            let Some(text) = self.present(cell) else {
                return MISSING_TIME;
            };
            reader.as_ref().and_then(|reader| reader.parse(text)).unwrap_or_else(|| {
                tally.count(CoercionReason::UnparsedDatetime, row, || text.to_owned());
                MISSING_TIME
            })
        };
        cells.iter().enumerate().map(read).collect()
    }

    fn codes(&self, cells: &TextColumn, tally: &mut Tally<'_>) -> Vec<u32> {
        let read = |(row, cell): (usize, Option<&str>)| {
            let Some(text) = self.present(cell) else {
                return MISSING;
            };
            self.code(text).unwrap_or_else(|| {
                tally.count(CoercionReason::UnseenLevel, row, || text.to_owned());
                UNSEEN
            })
        };
        cells.iter().enumerate().map(read).collect()
    }

    /// The code of a trimmed cell among the levels; booleans may be written in any case.
    pub fn code(&self, text: &str) -> Option<u32> {
        let levels = &self.rules.levels;
        let exact = levels.binary_search_by(|level| level.as_str().cmp(text)).ok();
        let found = exact.or_else(|| {
            let boolean = self.kind == Kind::Boolean;
            boolean.then(|| levels.iter().position(|level| level.eq_ignore_ascii_case(text))).flatten()
        });
        found.map(|code| code as u32)
    }
}

fn finite(values: &[f64], tally: &mut Tally<'_>) -> Vec<f64> {
    let read = |(row, &value): (usize, &f64)| {
        if value.is_infinite() {
            tally.count(CoercionReason::NonFinite, row, || value.to_string());
            return f64::NAN;
        }
        value
    };
    values.iter().enumerate().map(read).collect()
}

/// Misfits of one column by reason, in order of first appearance.
struct Tally<'a> {
    column: &'a str,
    coercions: Vec<Coercion>,
}

impl Tally<'_> {
    fn count(&mut self, reason: CoercionReason, row: usize, example: impl FnOnce() -> String) {
        if let Some(known) = self.coercions.iter_mut().find(|known| known.reason == reason) {
            known.n_cells += 1;
        } else {
            self.coercions.push(Coercion {
                column: self.column.to_owned(),
                n_cells: 1,
                reason,
                example: example(),
                first_row: row + 1,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::RawColumn;
    use crate::schema::TypeOverrides;

    fn raw(columns: &[(&str, &[&str])]) -> Raw {
        let column = |&(name, cells): &(&str, &[&str])| RawColumn {
            name: name.to_owned(),
            values: RawValues::Text(cells.iter().copied().collect()),
        };
        Raw::from_columns(columns.iter().map(column).collect())
    }

    fn schema() -> Schema {
        let raw = raw(&[
            ("price", &["1.234,5", "NA", "7,25"]),
            ("colour", &["red", "blue", "red"]),
            ("day", &["13/01/2025", "14/01/2025", "15/02/2025"]),
            ("ok", &["Yes", "No", "Yes"]),
            ("note", &["one two three four", "five six seven eight nine", "ten eleven twelve thirteen"]),
        ]);
        Schema::infer(&raw, &TypeOverrides::default()).unwrap().0
    }

    #[test]
    fn later_files_are_read_by_the_same_rules() {
        let schema = schema();
        let later = raw(&[
            ("note", &["x", "", "z"]),
            ("ok", &["yes", "NO", "maybe"]),
            ("day", &["01/02/2025", "02/13/2025", ""]),
            ("colour", &[" red ", "green", "green"]),
            ("extra", &["1", "2", "3"]),
            ("price", &["1,5", "NA", "dear"]),
        ]);
        let (table, coercions) = schema.read(&later).unwrap();
        let Values::Number(prices) = &table.column("price").unwrap().values else { panic!("numbers") };
        assert!(prices[0] == 1.5 && prices[1].is_nan() && prices[2].is_nan());
        let Values::Category { codes, levels } = &table.column("colour").unwrap().values else { panic!("levels") };
        assert_eq!(
            (codes.as_slice(), levels.as_ref()),
            (&[1, UNSEEN, UNSEEN][..], &["blue".to_owned(), "red".to_owned()][..])
        );
        let Values::Category { codes, .. } = &table.column("ok").unwrap().values else { panic!("levels") };
        assert_eq!(codes, &[1, 0, UNSEEN]);
        assert_eq!(table.column("day").unwrap().values.display(0).unwrap(), "2025-02-01");
        let lines: Vec<String> = coercions.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "price: 1 cell not a number, read as missing (first `dear` at row 3)",
                "colour: 2 cells of an unseen level (first `green` at row 2)",
                "day: 1 cell not a time, read as missing (first `02/13/2025` at row 2)",
                "ok: 1 cell of an unseen level (first `maybe` at row 3)",
                "extra: not in the schema, ignored",
            ]
        );
    }

    #[test]
    fn a_row_reads_as_a_file_of_one_row() {
        let schema = schema();
        let cells =
            [("price", "2,5"), ("colour", "blue"), ("day", "01/02/2025"), ("ok", "No"), ("note", ""), ("spare", "1")];
        let (table, coercions) = schema.read_row(&cells).unwrap();
        assert_eq!((table.n_rows(), table.n_columns(), coercions.len()), (1, 5, 1));
        let columns: Vec<(&str, [&str; 1])> = cells.iter().map(|&(name, cell)| (name, [cell])).collect();
        let columns: Vec<(&str, &[&str])> = columns.iter().map(|(name, cell)| (*name, cell.as_slice())).collect();
        assert_eq!(schema.read(&raw(&columns)).unwrap(), (table, coercions));
    }

    #[test]
    fn absent_columns_are_named() {
        let schema = schema().without(&["ok", "note", "never there"]);
        assert_eq!(schema.names(), ["price", "colour", "day"]);
        let error = schema.read(&raw(&[("price", &["1"]), ("color", &["red"])])).unwrap_err();
        assert_eq!(error.to_string(), "columns are missing: `colour`, `day`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `color`?"));
        assert!(matches!(schema.read_row(&[("price", "1")]), Err(DataError::MissingColumns { .. })));
        assert_eq!(schema.only(&["day"]).names(), ["day"]);
    }

    #[test]
    fn typed_and_written_cells_read_alike() {
        let text = raw(&[("n", &["1", "3", ""]), ("c", &["1", "2", "2"])]);
        let overrides = TypeOverrides::parse("c=categorical").unwrap();
        let (schema, _) = Schema::infer(&text, &overrides).unwrap();
        let typed = Raw::from_columns(vec![
            RawColumn {
                name: "n".to_owned(),
                values: RawValues::Number { values: vec![1.0, 3.0, f64::INFINITY], integer: false },
            },
            RawColumn {
                name: "c".to_owned(),
                values: RawValues::Number { values: vec![1.0, 2.0, 2.0], integer: true },
            },
        ]);
        let (table, coercions) = schema.read(&typed).unwrap();
        assert_eq!(coercions.len(), 1);
        assert_eq!(coercions[0].reason, CoercionReason::NonFinite);
        let (expected, _) = schema.read(&text).unwrap();
        assert_eq!(table.column("c"), expected.column("c"));
        assert_eq!(table.column("n").unwrap().values.n_missing(), 1);
    }

    #[test]
    fn schemas_survive_serde() {
        let schema = schema();
        let text = serde_json::to_string(&schema).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), schema);
    }
}
