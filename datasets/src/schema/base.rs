//! What the cells of a text column are in themselves: numbers, times, levels or free text.

use super::kind::{Kind, Storage};
use super::overrides::TypeOverride;
use super::parse::{MARKS, NumberFormat, sign_of};
use super::scan::{Allowance, Cell, Scan, n_rows_of, strays};
use super::time::{ISO, TimeReader, formats, swapped};
use super::types::Rules;
use crate::error::DataError;
use crate::note::Note;

/// Words a cell must have on average to be free text.
const TEXT_WORDS: f64 = 3.0;
/// Whole numbers from here on are not all floats, so they are names rather than numbers.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;
/// Distinct cells whose signs and units are tried.
const SIGNS_TRIED: usize = 3;
/// What a boolean is written with, no first.
const BOOLEANS: [[&str; 2]; 4] = [["false", "true"], ["no", "yes"], ["f", "t"], ["n", "y"]];

/// A reading of a column, before it is asked whether it names rows or never changes.
pub(crate) struct Base<'a> {
    pub(crate) kind: Kind,
    pub(crate) storage: Storage,
    pub(crate) rules: Rules,
    /// Distinct cells that are not missing.
    pub(crate) cells: Vec<Cell<'a>>,
    /// Cells that stand for a missing value, but for blanks.
    pub(crate) missing: Vec<Cell<'a>>,
    pub(crate) notes: Vec<Note>,
}

/// Reads the column as what it is, or as what it is said to be.
pub(crate) fn read<'a>(name: &str, scan: &Scan<'a>, given: Option<&TypeOverride>) -> Result<Base<'a>, DataError> {
    let format = given.and_then(|given| given.format.as_deref());
    match given.map(|given| given.kind) {
        None | Some(Kind::Id | Kind::Constant) => Ok(infer(name, scan)),
        Some(kind @ (Kind::Numeric | Kind::Integer)) => Ok(forced_number(name, scan, kind, format)),
        Some(Kind::Datetime) => forced_time(name, scan, format),
        Some(Kind::Boolean) => forced_boolean(name, scan),
        Some(Kind::Categorical) => Ok(forced_levels(scan, Kind::Categorical)),
        Some(Kind::Text) => Ok(forced_levels(scan, Kind::Text)),
    }
}

fn infer<'a>(name: &str, scan: &Scan<'a>) -> Base<'a> {
    let (words, present): (Vec<Cell>, Vec<Cell>) = scan.cells.iter().partition(|cell| cell.is_missing_word());
    let (marks, plain): (Vec<Cell>, Vec<Cell>) = present.iter().partition(|cell| cell.is_missing_mark());
    let missing = [words.clone(), marks].concat();
    if plain.is_empty() {
        return Base {
            kind: Kind::Constant,
            storage: Storage::Number,
            rules: Rules::default(),
            cells: plain,
            missing,
            notes: Vec::new(),
        };
    }
    let mut notes = Vec::new();
    if let Some(number) = number_format(&plain, None, Allowance::NONE, Allowance::of(&plain)) {
        match number.not_a_quantity(name, &plain) {
            Some(note) => notes.push(note),
            None => return number.base(name, &plain, missing),
        }
    } else if let Some(time) = time_format(&plain, None, Allowance::NONE, Allowance::of(&plain)) {
        return time.base(name, &plain, missing);
    }
    let kind = if boolean_levels(&present).is_some() {
        Kind::Boolean
    } else if is_free_text(&present) {
        Kind::Text
    } else {
        Kind::Categorical
    };
    let mut base = levels(kind, present, words);
    base.notes = notes;
    base
}

/// Levels of these cells, or free text.
fn levels<'a>(kind: Kind, cells: Vec<Cell<'a>>, missing: Vec<Cell<'a>>) -> Base<'a> {
    let mut rules = Rules::default();
    let storage = if kind == Kind::Text {
        Storage::Text
    } else {
        let mut levels = match boolean_levels(&cells) {
            Some(levels) if kind == Kind::Boolean => levels,
            _ => cells.iter().map(|cell| cell.text.to_owned()).collect(),
        };
        levels.sort_unstable();
        rules.levels = levels.into();
        Storage::Category
    };
    Base { kind, storage, rules, cells, missing, notes: Vec::new() }
}

/// The spelling of no and yes, if the cells say nothing else: of several (`No`, `NO`) the most
/// frequent.
fn boolean_levels(cells: &[Cell<'_>]) -> Option<Vec<String>> {
    BOOLEANS.iter().find_map(|pair| {
        let side = |cell: &Cell| pair.iter().position(|word| cell.text.eq_ignore_ascii_case(word));
        let mut best: [Option<Cell>; 2] = [None; 2];
        for cell in cells {
            let best = &mut best[side(cell)?];
            if best.is_none_or(|best| (cell.n, best.text) > (best.n, cell.text)) {
                *best = Some(*cell);
            }
        }
        Some(vec![best[0]?.text.to_owned(), best[1]?.text.to_owned()])
    })
}

/// Whether cells hold several words and are mostly different from one another.
fn is_free_text(cells: &[Cell<'_>]) -> bool {
    let n_rows = n_rows_of(cells);
    let words: usize = cells.iter().map(|cell| cell.n * cell.text.split_whitespace().count()).sum();
    words as f64 > TEXT_WORDS * n_rows as f64 && 2 * cells.len() > n_rows
}

/// Numbers found in a column, and the cells that are none.
struct Numbers<'a> {
    format: NumberFormat,
    strays: Vec<Cell<'a>>,
    /// Whether the format was given, so that it is nothing to ask about.
    given: bool,
}

/// The first format that reads all cells but the strays allowed at first, else the one with the
/// fewest rows of strays among those allowed at last.
fn number_format<'a>(
    cells: &[Cell<'a>],
    mark: Option<&str>,
    at_first: Allowance,
    at_last: Allowance,
) -> Option<Numbers<'a>> {
    let mut signs = vec![None];
    for cell in cells {
        if let Some(sign) = sign_of(cell.text)
            && !signs.contains(&Some(sign.clone()))
        {
            signs.push(Some(sign));
            if signs.len() > SIGNS_TRIED {
                break;
            }
        }
    }
    let wanted = match mark {
        Some("comma") => Some(','),
        Some("point") => Some('.'),
        _ => None,
    };
    let formats: Vec<NumberFormat> = signs
        .iter()
        .flat_map(|sign| {
            let marks = MARKS.iter().filter(|(decimal, _)| wanted.is_none_or(|wanted| wanted == *decimal));
            marks.map(|&(decimal, thousands)| NumberFormat { decimal, thousands, sign: sign.clone() })
        })
        .collect();
    let given = mark.is_some();
    let read = |format: &NumberFormat, allowed| strays(cells, allowed, |text| format.parse(text).is_some());
    for format in &formats {
        if let Some(strays) = read(format, at_first) {
            return Some(Numbers { format: format.clone(), strays, given });
        }
    }
    let tried = formats.iter().filter_map(|format| read(format, at_last).map(|strays| (format, strays)));
    tried.min_by_key(|(_, strays)| n_rows_of(strays)).map(|(format, strays)| Numbers {
        format: format.clone(),
        strays,
        given,
    })
}

impl<'a> Numbers<'a> {
    /// Why digits are names and not quantities: leading zeros, or more digits than a float holds.
    fn not_a_quantity(&self, name: &str, cells: &[Cell<'a>]) -> Option<Note> {
        let whole = |cell: &&Cell| self.format.parse(cell.text).is_some() && self.format.is_whole(cell.text);
        if self.numbers(cells).any(|cell| !self.format.is_whole(cell.text)) {
            return None;
        }
        let as_numbers = format!("--types {name}=numeric");
        if let Some(cell) = cells.iter().filter(whole).find(|cell| self.format.has_leading_zero(cell.text)) {
            return Some(Note::column(name, format!("leading zeros kept, such as `{}`", cell.text)).or(as_numbers));
        }
        let too_long = |cell: &&Cell| self.format.parse(cell.text).is_some_and(|value| value.abs() >= LARGEST_WHOLE);
        cells.iter().filter(whole).find(too_long).map(|cell| {
            Note::column(name, format!("numbers such as `{}` are too long to be exact, kept as written", cell.text))
                .or(as_numbers)
        })
    }

    /// The cells that are finite numbers.
    fn numbers<'b>(&'b self, cells: &'b [Cell<'a>]) -> impl Iterator<Item = &'b Cell<'a>> {
        cells.iter().filter(|cell| self.format.parse(cell.text).is_some_and(f64::is_finite))
    }

    fn base(self, name: &str, cells: &[Cell<'a>], mut missing: Vec<Cell<'a>>) -> Base<'a> {
        let mut notes = self.format_notes(name, cells);
        notes.extend(stray_note(name, &self.strays, "no numbers"));
        let infinite: Vec<Cell> =
            cells.iter().filter(|cell| self.format.parse(cell.text).is_some_and(f64::is_infinite)).copied().collect();
        if let Some(first) = infinite.first() {
            let n = n_rows_of(&infinite);
            let text = format!(
                "{n} {} not finite (first `{}` at row {}), read as missing",
                if n == 1 { "value is" } else { "values are" },
                first.text,
                first.first_row + 1
            );
            notes.push(Note::column(name, text));
        }
        let whole = self.numbers(cells).all(|cell| self.format.is_whole(cell.text));
        let cells: Vec<Cell> = self.numbers(cells).copied().collect();
        // A few strays are frozen as words for missing; many, which only a given kind allows, are
        // counted each time.
        if self.strays.len() <= MOST_WORDS {
            missing.extend(&self.strays);
        }
        let NumberFormat { decimal, thousands, sign } = self.format;
        Base {
            kind: if whole { Kind::Integer } else { Kind::Numeric },
            storage: Storage::Number,
            rules: Rules { decimal, thousands, prefix_or_unit: sign, ..Rules::default() },
            cells,
            missing,
            notes,
        }
    }

    /// What is unusual or open about how the numbers are written.
    fn format_notes(&self, name: &str, cells: &[Cell<'a>]) -> Vec<Note> {
        let NumberFormat { decimal, thousands, sign } = &self.format;
        let mut notes = Vec::new();
        let numbers: Vec<&Cell> = self.numbers(cells).collect();
        let marked = numbers.iter().find(|cell| cell.text.contains(['.', ',']));
        let value = |cell: &Cell| self.format.parse(cell.text).unwrap_or_default();
        let both_ways = !self.given && numbers.iter().all(|cell| self.format.reads_both_ways(cell.text));
        if let (true, Some(example)) = (both_ways, marked) {
            let other = if *decimal == '.' { "comma" } else { "point" };
            let text = format!("`{}` read as {}", example.text, value(example));
            notes.push(Note::column(name, text).or(format!("--types {name}=numeric:{other}")));
        } else if *decimal == ',' || thousands.is_some() {
            // A mark that is only allowed for, and never met, is not worth a line.
            let is_marked = |cell: &&&Cell| cell.text.contains(|c: char| !c.is_ascii_digit() && c != '-' && c != '+');
            if let Some(example) = numbers.iter().max_by_key(|cell| (is_marked(cell), cell.text.len())) {
                let text = format!("`{}` read as {}", example.text, value(example));
                notes.push(Note::column(name, text).or(format!("--types {name}=categorical")));
            }
        }
        if let Some(sign) = sign {
            let text = format!("`{sign}` left out of the numbers");
            notes.push(Note::column(name, text).or(format!("--types {name}=categorical")));
        }
        notes
    }
}

/// Distinct strays that are frozen as words for missing.
const MOST_WORDS: usize = 10;

fn stray_note(name: &str, strays: &[Cell<'_>], what: &str) -> Option<Note> {
    let first = strays.iter().min_by_key(|cell| cell.first_row)?;
    let n = n_rows_of(strays);
    let cells = if n == 1 { "cell" } else { "cells" };
    let text =
        format!("{n} {cells} that are {what} (first `{}` at row {}) read as missing", first.text, first.first_row + 1);
    Some(Note::column(name, text).or(format!("--types {name}=categorical")))
}

/// Times found in a column, and the cells that are none.
struct Times<'a> {
    format: String,
    strays: Vec<Cell<'a>>,
    /// The same with day and month changed places, where that reads as many cells.
    open: bool,
}

/// As [`number_format`], for times.
fn time_format<'a>(
    cells: &[Cell<'a>],
    order: Option<&str>,
    at_first: Allowance,
    at_last: Allowance,
) -> Option<Times<'a>> {
    let candidates = match order {
        Some(format) if format.contains('%') => vec![format.to_owned()],
        order => formats(order),
    };
    let readers: Vec<(String, TimeReader)> =
        candidates.into_iter().filter_map(|format| TimeReader::new(&format).map(|reader| (format, reader))).collect();
    let read = |reader: &TimeReader, allowed| strays(cells, allowed, |text| reader.parse(text).is_some());
    let found = |format: &str, strays: Vec<Cell<'a>>, allowed| {
        let other = swapped(format).filter(|_| order.is_none()).and_then(|format| TimeReader::new(&format));
        let open = other
            .is_some_and(|other| read(&other, allowed).is_some_and(|other| n_rows_of(&other) <= n_rows_of(&strays)));
        Times { format: format.to_owned(), strays, open }
    };
    for (format, reader) in &readers {
        if let Some(strays) = read(reader, at_first) {
            return Some(found(format, strays, at_first));
        }
    }
    let tried = readers.iter().filter_map(|(format, reader)| read(reader, at_last).map(|strays| (format, strays)));
    tried.min_by_key(|(_, strays)| n_rows_of(strays)).map(|(format, strays)| found(format, strays, at_last))
}

impl<'a> Times<'a> {
    fn base(self, name: &str, cells: &[Cell<'a>], mut missing: Vec<Cell<'a>>) -> Base<'a> {
        let mut notes = Vec::new();
        let is_time = |cell: &Cell| !self.strays.contains(cell);
        if self.open
            && let Some(example) = cells.iter().find(|cell| is_time(cell))
        {
            let text = format!("`{}` read with the month first", example.text);
            notes.push(Note::column(name, text).or(format!("--types {name}=datetime:dmy")));
        }
        notes.extend(stray_note(name, &self.strays, "no times"));
        let cells = cells.iter().filter(|cell| is_time(cell)).copied().collect();
        if self.strays.len() <= MOST_WORDS {
            missing.extend(&self.strays);
        }
        Base {
            kind: Kind::Datetime,
            storage: Storage::Datetime,
            rules: Rules { datetime_format: Some(self.format), ..Rules::default() },
            cells,
            missing,
            notes,
        }
    }
}

/// Cells that mean something, and those that mean a missing value among numbers and times.
fn split_marks<'a>(scan: &Scan<'a>) -> (Vec<Cell<'a>>, Vec<Cell<'a>>) {
    scan.cells.iter().partition(|cell| !cell.is_missing_word() && !cell.is_missing_mark())
}

fn forced_number<'a>(name: &str, scan: &Scan<'a>, kind: Kind, mark: Option<&str>) -> Base<'a> {
    let (cells, missing) = split_marks(scan);
    let numbers = number_format(&cells, mark, Allowance::NONE, Allowance::ALL).expect("every cell may be a stray");
    Base { kind, ..numbers.base(name, &cells, missing) }
}

fn forced_time<'a>(name: &str, scan: &Scan<'a>, format: Option<&str>) -> Result<Base<'a>, DataError> {
    let (cells, missing) = split_marks(scan);
    if let Some(format) = format.filter(|format| format.contains('%') && TimeReader::new(format).is_none()) {
        let entry = format!("{name}=datetime:{format}");
        return Err(DataError::BadOverride { entry, message: "the format has an unknown part".to_owned() });
    }
    let times = time_format(&cells, format, Allowance::NONE, Allowance::ALL).unwrap_or_else(|| Times {
        format: ISO.to_owned(),
        strays: cells.clone(),
        open: false,
    });
    Ok(times.base(name, &cells, missing))
}

fn forced_boolean<'a>(name: &str, scan: &Scan<'a>) -> Result<Base<'a>, DataError> {
    let (missing, cells): (Vec<Cell>, Vec<Cell>) = scan.cells.iter().partition(|cell| cell.is_missing_word());
    if cells.len() > 2 && boolean_levels(&cells).is_none() {
        return Err(DataError::BadOverride {
            entry: format!("{name}=boolean"),
            message: format!("the column has {} different values", cells.len()),
        });
    }
    Ok(levels(Kind::Boolean, cells, missing))
}

/// Whoever says that a column is categorical or text means its words as they stand, `NA` and `None`
/// too; but among codes that look like numbers these stay words for a missing one.
fn forced_levels<'a>(scan: &Scan<'a>, kind: Kind) -> Base<'a> {
    let (cells, missing) = split_marks(scan);
    let numeric = kind == Kind::Categorical
        && !cells.is_empty()
        && number_format(&cells, None, Allowance::NONE, Allowance::NONE).is_some();
    if numeric { levels(kind, cells, missing) } else { levels(kind, scan.cells.clone(), Vec::new()) }
}
