//! Columns that name rows, and columns that never change.

use super::kind::Kind;
use crate::note::Note;

/// Rows from which on different values in every row mean that a column names rows.
const ID_ROWS: usize = 20;
/// A column that names rows may be repeated by copies of rows, and lack in some: this share of the rows has a value of its
/// own, at least.
const ID_SHARE: f64 = 0.95;

/// Counts that tell ids and constants.
pub(super) struct Facts {
    pub(super) n_rows: usize,
    pub(super) n_missing: usize,
    pub(super) n_unique: usize,
    /// Whole numbers without a gap.
    pub(super) gapless: bool,
    /// Words without a blank inside, such as codes.
    pub(super) single_words: bool,
}

impl Facts {
    /// The base kind, unless the column names rows or never changes.
    pub(super) fn kind(&self, name: &str, base: Kind, notes: &mut Vec<Note>) -> Kind {
        if self.n_unique == 0 || self.n_unique == 1 && self.n_missing == 0 {
            return Kind::Constant;
        }
        let share = self.n_unique as f64 / self.n_rows as f64;
        if share < ID_SHARE || self.n_rows < ID_ROWS {
            return base;
        }
        let all = self.n_unique == self.n_rows;
        let as_numbers = format!("--types {name}=integer");
        match base {
            Kind::Categorical if all => Kind::Id,
            Kind::Categorical if self.single_words => {
                let text = format!("another word in {:.0}% of the rows, read as an id", (share * 100.0).floor());
                notes.push(Note::column(name, text).or(format!("--types {name}=categorical")));
                Kind::Id
            }
            Kind::Integer if self.gapless => {
                let text = if all { "numbers every row, read as an id" } else { "numbers the rows, read as an id" };
                notes.push(Note::column(name, text).or(as_numbers));
                Kind::Id
            }
            Kind::Integer if is_id_name(name) => {
                let often = if all { "unique in every row" } else { "unique in nearly every row" };
                notes.push(Note::column(name, format!("named as an id and {often}")).or(as_numbers));
                Kind::Id
            }
            kind => kind,
        }
    }
}

/// Whether a column is named as an id: `id`, `user_id`, `PassengerId`, `customerID`, `account_number`, `order no`.
fn is_id_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let last = lower.rsplit_once(['_', '-', ' ', '.']).map(|(_, last)| last);
    if last.is_some_and(|last| ["uid", "uuid", "guid", "key", "number", "no", "nr", "serial", "code"].contains(&last)) {
        return true;
    }
    if ["id", "ids", "uuid", "guid", "index", "rowid", "row_number"].contains(&lower.as_str()) {
        return true;
    }
    let Some(stem) = name.strip_suffix("Id").or_else(|| name.strip_suffix("ID")).or_else(|| name.strip_suffix("id"))
    else {
        return false;
    };
    let parted = stem.ends_with(['_', '-', ' ', '.']);
    let humped = !name.ends_with("id") && stem.ends_with(|c: char| c.is_lowercase() || c.is_ascii_digit());
    parted || humped
}

/// Whether `n` different whole numbers leave none out between the least and the greatest.
pub(super) fn is_gapless(values: impl Iterator<Item = f64>, n: usize) -> bool {
    let (least, greatest) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    greatest - least + 1.0 == n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::{Raw, RawColumn, RawValues};
    use crate::schema::{Schema, Storage, TypeOverrides};

    fn raw(name: &str, cells: &[String]) -> Raw {
        let values = RawValues::Text(cells.iter().map(String::as_str).collect());
        Raw::from_columns(vec![RawColumn { name: name.to_owned(), values }])
    }

    #[test]
    fn ids_differ_in_every_row() {
        let words: Vec<String> = (0..30).map(|i| format!("x-{}", i * 7)).collect();
        let (schema, _) = Schema::infer(&raw("c", &words), &TypeOverrides::default()).unwrap();
        assert_eq!((schema.columns[0].kind, schema.columns[0].storage), (Kind::Id, Storage::Text));
        let gapless: Vec<String> = (0..30).map(|i| ((i * 7) % 30 + 5).to_string()).collect();
        let (schema, notes) = Schema::infer(&raw("c", &gapless), &TypeOverrides::default()).unwrap();
        assert_eq!((schema.columns[0].kind, schema.columns[0].storage), (Kind::Id, Storage::Number));
        assert_eq!(notes[0].override_hint.as_deref(), Some("--types c=integer"));
        let gaps: Vec<String> = (0..30).map(|i| (i * i).to_string()).collect();
        let kind = |name: &str| Schema::infer(&raw(name, &gaps), &TypeOverrides::default()).unwrap().0.columns[0].kind;
        for (name, expected) in [
            ("price", Kind::Integer),
            ("PassengerId", Kind::Id),
            ("user_id", Kind::Id),
            ("ID", Kind::Id),
            ("paid", Kind::Integer),
            ("GRID", Kind::Integer),
            ("account_number", Kind::Id),
            ("order no", Kind::Id),
            ("piano", Kind::Integer),
            ("number", Kind::Integer),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
        // Copies of rows repeat an id, and some rows lack one.
        let repeated = |n: usize| -> Vec<String> {
            (0..100).map(|i| if i < n { "k-7".into() } else { format!("k-{}", i * 13) }).collect()
        };
        let kind_of = |cells: &[String]| {
            let (schema, notes) = Schema::infer(&raw("c", cells), &TypeOverrides::default()).unwrap();
            (schema.columns[0].kind, notes.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let (found, notes) = kind_of(&repeated(5));
        assert_eq!(found, Kind::Id);
        assert_eq!(notes, ["c: another word in 96% of the rows, read as an id (--types c=categorical)"]);
        assert_eq!(kind_of(&repeated(7)).0, Kind::Categorical);
        // Several words may say something in common.
        let phrases: Vec<String> = repeated(5).iter().map(|cell| cell.replace('-', " ")).collect();
        assert_eq!(kind_of(&phrases).0, Kind::Categorical);
        let counted: Vec<String> =
            (0..100).map(|i| if i % 40 == 39 { String::new() } else { (i * i).to_string() }).collect();
        let (schema, _) = Schema::infer(&raw("user_id", &counted), &TypeOverrides::default()).unwrap();
        assert_eq!(schema.columns[0].kind, Kind::Id);
        // Few rows differ by chance.
        let (schema, _) = Schema::infer(&raw("c", &words[..19]), &TypeOverrides::default()).unwrap();
        assert_eq!(schema.columns[0].kind, Kind::Categorical);
    }
}
