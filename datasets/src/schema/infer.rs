//! Inference: from all cells of a file to a frozen schema.

use super::base::{Base, read};
use super::facts::{Facts, is_gapless};
use super::kind::{Kind, Storage};
use super::overrides::{TypeOverride, TypeOverrides};
use super::scan::{Cell, Scan};
use super::typed::Typed;
use super::types::{ColumnSchema, Schema};
use crate::error::DataError;
use crate::note::Note;
use crate::raw::{Raw, RawColumn, RawValues, TextColumn};

impl Schema {
    /// Says what each column is and by which rules it is read, from all cells, and notes every
    /// reading that could have been another. The kinds given in `overrides` are taken as said; a
    /// column they name must exist.
    ///
    /// Without an override:
    /// - empty and blank cells, `NA`, `N/A`, `NaN`, `null`, `None`, `?` and their like are missing;
    ///   among numbers and times so are `-`, `--`, `.` and, if they are at most one row in a
    ///   hundred, up to ten other words;
    /// - numbers are read with the first of these marks that fits every cell: `1234.5`, `1,234.5`,
    ///   `1234,5`, `1.234,5`, `1 234.5`, `1 234,5`, `1'234.5`; a percent or currency sign, or a
    ///   unit of up to four letters that stands on all, is left out; numbers with leading zeros or
    ///   more than 15 digits are kept as written;
    /// - dates that could be month or day first are taken as month first with slashes and dashes,
    ///   day first with dots;
    /// - two of true/false, yes/no, t/f, y/n are boolean; more than three words a cell, most of
    ///   them different, are text; anything else is categorical;
    /// - a column of 20 or more rows is an id if every row has another value and these are words, or if 95% of the rows
    ///   have and these are words without blanks, whole numbers without a gap, or whole numbers in a column named so;
    /// - a column with nothing but missing cells, or one value and no missing cell, is constant.
    pub fn infer(raw: &Raw, overrides: &TypeOverrides) -> Result<(Self, Vec<Note>), DataError> {
        let names = raw.names();
        for (name, _) in overrides.iter() {
            if !names.contains(&name) {
                return Err(DataError::unknown_column(name, &names));
            }
        }
        let mut notes = Vec::new();
        let mut columns = Vec::with_capacity(raw.columns.len());
        for column in &raw.columns {
            let (schema, found) = infer_column(column, overrides.get(&column.name))?;
            columns.push(schema);
            notes.extend(found);
        }
        Ok((Self { columns }, notes))
    }
}

fn infer_column(column: &RawColumn, given: Option<&TypeOverride>) -> Result<(ColumnSchema, Vec<Note>), DataError> {
    let kind = given.map(|given| given.kind);
    let typed = match &column.values {
        RawValues::Text(cells) => return infer_text(&column.name, cells, given),
        RawValues::Number { values, integer } => {
            matches!(kind, None | Some(Kind::Numeric | Kind::Integer | Kind::Id | Kind::Constant))
                .then(|| Typed::numbers(values, *integer))
        }
        RawValues::Boolean(values) => {
            matches!(kind, None | Some(Kind::Boolean | Kind::Categorical | Kind::Id | Kind::Constant))
                .then(|| Typed::booleans(values))
        }
        RawValues::Datetime(values) => {
            matches!(kind, None | Some(Kind::Datetime | Kind::Id | Kind::Constant)).then(|| Typed::times(values))
        }
    };
    match typed {
        Some(typed) => Ok(typed.column(&column.name, column.values.len(), kind)),
        // A kind the typed values do not have in themselves: what they look like when written
        // decides.
        None => infer_text(&column.name, &column.values.to_text(), given),
    }
}

fn infer_text(
    name: &str,
    cells: &TextColumn,
    given: Option<&TypeOverride>,
) -> Result<(ColumnSchema, Vec<Note>), DataError> {
    let scan = Scan::of(cells);
    let mut base = read(name, &scan, given)?;
    let n_present: usize = base.cells.iter().map(|cell| cell.n).sum();
    let mut notes = std::mem::take(&mut base.notes);
    notes.extend(missing_note(name, &scan, &base, given));
    let mut words: Vec<String> = base.missing.iter().map(|cell| cell.text.to_owned()).collect();
    if scan.n_blank > 0 {
        words.push(String::new());
    }
    words.sort_unstable();
    base.rules.missing = words;
    let facts = Facts {
        n_rows: scan.n_rows,
        n_missing: scan.n_rows - n_present,
        n_unique: base.cells.len(),
        gapless: base.kind == Kind::Integer && gapless(&base),
        single_words: base.cells.iter().all(|cell| !cell.text.contains(char::is_whitespace)),
    };
    let kind = given.map_or_else(|| facts.kind(name, base.kind, &mut notes), |given| given.kind);
    let mut storage = base.storage;
    if kind == Kind::Id && storage == Storage::Category {
        // As many levels as rows would be of no use.
        storage = Storage::Text;
        base.rules.levels = [].into();
    }
    let column = ColumnSchema {
        name: name.to_owned(),
        kind,
        storage,
        rules: base.rules,
        n_missing: facts.n_missing,
        n_unique: facts.n_unique,
    };
    Ok((column, notes))
}

/// `8 blanks and 3 cells of `NA` read as missing`.
fn missing_note(name: &str, scan: &Scan<'_>, base: &Base<'_>, given: Option<&TypeOverride>) -> Option<Note> {
    let known: Vec<&Cell> =
        base.missing.iter().filter(|cell| cell.is_missing_word() || cell.is_missing_mark()).collect();
    if scan.n_blank + known.len() == 0 {
        return None;
    }
    let mut parts = Vec::new();
    if scan.n_blank > 0 {
        parts.push(format!("{} {}", scan.n_blank, if scan.n_blank == 1 { "blank" } else { "blanks" }));
    }
    for cell in &known {
        parts.push(format!("{} `{}`", cell.n, cell.text));
    }
    let last = parts.pop().unwrap_or_default();
    let list = if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) };
    let note = Note::column(name, format!("{list} read as missing"));
    let levels = matches!(base.storage, Storage::Category | Storage::Text);
    // Among levels, `None` may well be one.
    if levels && given.is_none() && !known.is_empty() {
        let kind = if base.storage == Storage::Text { Kind::Text } else { Kind::Categorical };
        return Some(note.or(format!("--types {name}={kind}")));
    }
    Some(note)
}

/// Whether whole numbers, each in one row, leave none out between the least and the greatest.
fn gapless(base: &Base<'_>) -> bool {
    let format = super::parse::NumberFormat::of(&base.rules);
    is_gapless(base.cells.iter().filter_map(|cell| format.parse(cell.text)), base.cells.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(name: &str, cells: impl IntoIterator<Item = impl AsRef<str>>) -> Raw {
        let mut column = TextColumn::new();
        for cell in cells {
            column.push(Some(cell.as_ref()));
        }
        let values = RawValues::Text(column);
        Raw::from_columns(vec![RawColumn { name: name.to_owned(), values }])
    }

    /// The kind of a column `c`, and its notes as lines.
    fn check(cells: &[&str]) -> (Kind, Vec<String>) {
        check_as(cells, "")
    }

    fn check_as(cells: &[&str], types: &str) -> (Kind, Vec<String>) {
        let overrides = TypeOverrides::parse(types).unwrap();
        let (schema, notes) = Schema::infer(&raw("c", cells), &overrides).unwrap();
        (schema.columns[0].kind, notes.iter().map(ToString::to_string).collect())
    }

    fn none() -> Vec<String> {
        Vec::new()
    }

    #[test]
    fn plain_kinds() {
        assert_eq!(check(&["1", "2", "2"]), (Kind::Integer, none()));
        assert_eq!(check(&["1.5", "2", "2"]), (Kind::Numeric, none()));
        assert_eq!(check(&["1e3", "2", "2"]), (Kind::Numeric, none()));
        assert_eq!(check(&["0", "1", "0"]), (Kind::Integer, none()));
        assert_eq!(check(&["yes", "no", "yes"]), (Kind::Boolean, none()));
        assert_eq!(check(&["True", "FALSE", "true"]), (Kind::Boolean, none()));
        assert_eq!(check(&["a", "b", "a"]), (Kind::Categorical, none()));
        assert_eq!(check(&["2025-01-02", "2025-01-03T10:00:00Z", "2025-01-02"]), (Kind::Datetime, none()));
        assert_eq!(check(&["one two three four", "the quick brown fox jumps"]), (Kind::Text, none()));
        assert_eq!(check(&["x", "x"]), (Kind::Constant, none()));
    }

    #[test]
    fn missing_cells_are_counted() {
        let (kind, notes) = check(&["1", " ", "", "NA", "NA", "-", "?", "2"]);
        assert_eq!(kind, Kind::Integer);
        assert_eq!(notes, ["c: 2 blanks, 2 `NA`, 1 `?` and 1 `-` read as missing"]);
        let (kind, notes) = check(&["a", "?", "b", "None", "-"]);
        assert_eq!(kind, Kind::Categorical);
        assert_eq!(notes, ["c: 1 `?` and 1 `None` read as missing (--types c=categorical)"]);
        assert_eq!(check(&["", "NA"]), (Kind::Constant, vec!["c: 1 blank and 1 `NA` read as missing".to_owned()]));
        // One value and some missing cells are two states.
        assert_eq!(check(&["x", ""]).0, Kind::Categorical);
    }

    #[test]
    fn the_override_a_note_names_changes_the_reading() {
        let cells = ["a", "?", "b", "None"];
        let overrides = TypeOverrides::default().with("c", Kind::Categorical);
        let (schema, notes) = Schema::infer(&raw("c", cells), &overrides).unwrap();
        assert_eq!(schema.columns[0].rules.levels.as_ref(), ["?", "None", "a", "b"]);
        assert!(notes.is_empty());
        // Among codes that look like numbers they stay missing.
        let (schema, _) = Schema::infer(&raw("c", ["01", "NA", "02"]), &overrides).unwrap();
        assert_eq!(schema.columns[0].rules.levels.as_ref(), ["01", "02"]);
    }

    #[test]
    fn numbers_as_people_write_them() {
        assert_eq!(
            check(&["1.234,56", "7,5", "10"]),
            (Kind::Numeric, vec!["c: `1.234,56` read as 1234.56 (--types c=categorical)".to_owned()])
        );
        assert_eq!(
            check(&["12 %", "7.5%", "8"]),
            (Kind::Numeric, vec!["c: `%` left out of the numbers (--types c=categorical)".to_owned()])
        );
        assert_eq!(check(&["€5", "€7", "€5"]).0, Kind::Integer);
        assert_eq!(check(&["$1,234.50", "$7.25", "-$3.00"]).0, Kind::Numeric);
        assert_eq!(check(&["12%", "7%", ""]).0, Kind::Integer);
        assert_eq!(check(&["€5", "$7", "€5"]).0, Kind::Categorical);
        assert_eq!(check(&["1248 CC", "998 CC"]).0, Kind::Integer);
        assert_eq!(check(&["A1", "A2", "A1"]).0, Kind::Categorical);
        assert_eq!(check(&["1'234.5", "2'000.0"]).0, Kind::Numeric);
    }

    #[test]
    fn open_readings_take_the_documented_default() {
        let (kind, notes) = check(&["1,234", "5,678", "9"]);
        assert_eq!(kind, Kind::Integer);
        assert_eq!(notes, ["c: `1,234` read as 1234 (--types c=numeric:comma)"]);
        let (kind, notes) = check_as(&["1,234", "5,678", "9"], "c=numeric:comma");
        assert_eq!((kind, notes.len()), (Kind::Numeric, 1));
        let (kind, notes) = check(&["1.234", "5.678"]);
        assert_eq!(kind, Kind::Numeric);
        assert_eq!(notes, ["c: `1.234` read as 1.234 (--types c=numeric:comma)"]);
        assert_eq!(check(&["0.123", "1.234"]), (Kind::Numeric, none()));
        assert_eq!(check(&["1.234", "5.67"]), (Kind::Numeric, none()));
        let (kind, notes) = check(&["03/04/2025", "05/06/2025"]);
        assert_eq!(kind, Kind::Datetime);
        assert_eq!(notes, ["c: `03/04/2025` read with the month first (--types c=datetime:dmy)"]);
        assert_eq!(check(&["03/04/2025", "25/06/2025"]), (Kind::Datetime, none()));
        assert_eq!(check(&["03.04.2025", "05.06.2025"]), (Kind::Datetime, none()));
        assert_eq!(check_as(&["03/04/2025", "05/06/2025"], "c=datetime:dmy"), (Kind::Datetime, none()));
    }

    #[test]
    fn digits_that_are_names_are_kept() {
        let (kind, notes) = check(&["01234", "98765", "01234"]);
        assert_eq!(kind, Kind::Categorical);
        assert_eq!(notes, ["c: leading zeros kept, such as `01234` (--types c=numeric)"]);
        let (kind, notes) = check(&["12345678901234567", "1", "1"]);
        assert_eq!((kind, notes.len()), (Kind::Categorical, 1));
        assert_eq!(check(&["00.5", "1.5", "2"]).0, Kind::Numeric);
        assert_eq!(check_as(&["01234", "98765"], "c=numeric").0, Kind::Numeric);
    }

    #[test]
    fn few_strays_are_missing_and_many_are_levels() {
        let numbers: Vec<String> = (0..300).map(|i| (i % 50).to_string()).collect();
        let with = |strays: &[&str]| {
            let cells: Vec<&str> = numbers.iter().map(String::as_str).chain(strays.iter().copied()).collect();
            check(&cells)
        };
        let (kind, notes) = with(&["unknown", "abc"]);
        assert_eq!(kind, Kind::Integer);
        assert_eq!(
            notes,
            ["c: 2 cells that are no numbers (first `unknown` at row 301) read as missing \
                 (--types c=categorical)"]
        );
        assert_eq!(with(&["a", "b", "c", "d"]).0, Kind::Categorical);
        let (kind, notes) = with(&["inf", "-inf"]);
        assert_eq!(kind, Kind::Integer);
        assert_eq!(notes, ["c: 2 values are not finite (first `inf` at row 301), read as missing"]);
    }

    #[test]
    fn given_kinds_are_taken_as_said() {
        assert_eq!(check_as(&["1", "2", "1"], "c=categorical"), (Kind::Categorical, none()));
        assert_eq!(check_as(&["a", "b"], "c=id"), (Kind::Id, none()));
        assert_eq!(check_as(&["1", "2"], "c=constant"), (Kind::Constant, none()));
        assert_eq!(check_as(&["a", "b"], "c=text"), (Kind::Text, none()));
        assert_eq!(check_as(&["0", "1"], "c=boolean"), (Kind::Boolean, none()));
        let (kind, notes) = check_as(&["a", "1", "b"], "c=numeric");
        assert_eq!(kind, Kind::Numeric);
        assert!(notes[0].contains("2 cells that are no numbers"), "{notes:?}");
        let (kind, notes) = check_as(&["a", "2025-01-01", "b"], "c=datetime");
        assert_eq!((kind, notes.len()), (Kind::Datetime, 1));
        assert_eq!(check_as(&["20250102", "20250203"], "c=datetime:%Y%m%d"), (Kind::Datetime, none()));
    }

    #[test]
    fn wrong_overrides_are_named() {
        let data = raw("colour", ["a", "b", "c"]);
        let infer = |types: &str| Schema::infer(&data, &TypeOverrides::parse(types).unwrap()).unwrap_err();
        assert_eq!(infer("color=text").hint().as_deref(), Some("did you mean `colour`?"));
        assert_eq!(
            infer("colour=boolean").to_string(),
            "`colour=boolean` is not a column type: the column has 3 different values"
        );
        assert!(matches!(infer("colour=datetime:%Q"), DataError::BadOverride { .. }));
    }

    proptest! {
        #[test]
        fn row_order_changes_no_schema(
            cells in proptest::collection::vec("[0-9]{1,3}|[a-c]|NA|", 1..40),
        ) {
            let (forward, _) = Schema::infer(&raw("c", &cells), &TypeOverrides::default()).unwrap();
            let reversed = raw("c", cells.iter().rev());
            let (backward, _) = Schema::infer(&reversed, &TypeOverrides::default()).unwrap();
            prop_assert_eq!(forward, backward);
        }

        #[test]
        fn any_cells_have_a_schema_that_reads_them(
            cells in proptest::collection::vec("[0-9.,/: eE%$+-]{0,8}|\\PC{0,6}", 0..30),
        ) {
            let raw = raw("c", &cells);
            let mut kinds: Vec<TypeOverrides> = Kind::ALL
                .into_iter()
                .map(|kind| TypeOverrides::default().with("c", kind))
                .collect();
            kinds.push(TypeOverrides::default());
            for overrides in &kinds {
                // Only too many values for a boolean are refused.
                let Ok((schema, _)) = Schema::infer(&raw, overrides) else { continue };
                let (table, _) = schema.read(&raw).unwrap();
                let values = &table.columns()[0].values;
                prop_assert_eq!(values.n_missing(), schema.columns[0].n_missing);
                let profile = crate::ColumnProfile::of(&table.columns()[0], None);
                if schema.columns[0].kind == Kind::Categorical {
                    prop_assert_eq!(profile.n_unique, schema.columns[0].n_unique);
                }
            }
        }
    }
}
