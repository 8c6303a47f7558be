//! What can go wrong between a file and a table, each with the thing and its value named.

use std::io;

use thiserror::Error;

/// An error of this crate. The message says what was found; [`DataError::hint`] says what to do
/// about it.
///
/// Rows are counted from 1 without the header; lines are counted from 1 with it.
#[derive(Debug, Error)]
pub enum DataError {
    /// A named file does not exist.
    #[error("`{path}` does not exist")]
    NotFound {
        /// The path as given.
        path: String,
    },
    /// A pattern such as `data/*.csv` matches no file.
    #[error("no file matches `{pattern}`")]
    NoMatch {
        /// The pattern as given.
        pattern: String,
    },
    /// A pattern cannot be understood.
    #[error("`{pattern}` is not a file pattern: {message}")]
    BadPattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// No source was named at all.
    #[error("no file was named")]
    NoSource,
    /// `open://name` names no sample set.
    #[error("`open://{name}` is not a sample set")]
    UnknownSample {
        /// The name as given.
        name: String,
        /// The closest known name.
        nearest: Option<String>,
    },
    /// One file is named twice, or by a pattern too; its rows would count twice.
    #[error("`{path}` is named twice")]
    NamedTwice {
        /// The path as given the second time.
        path: String,
    },
    /// A file could not be read.
    #[error("`{path}` cannot be read: {source}")]
    Io {
        /// The path as given.
        path: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A gzip file is damaged or cut short.
    #[error("`{path}` cannot be unpacked: {source}")]
    Gzip {
        /// The path as given.
        path: String,
        /// What the decoder says.
        #[source]
        source: io::Error,
    },
    /// A file holds no bytes, or nothing but blanks.
    #[error("`{path}` is empty")]
    Empty {
        /// The path as given.
        path: String,
    },
    /// A file holds column names and no row.
    #[error("`{path}` has {n_columns} column names and no rows")]
    HeaderOnly {
        /// The path as given.
        path: String,
        /// How many names the header has.
        n_columns: usize,
    },
    /// A file expected to be text holds a byte that no text has.
    #[error("`{path}` is not a text file: byte {offset} is {byte:#04x}")]
    Binary {
        /// The path as given.
        path: String,
        /// Position of the first such byte in the decoded text, counted from 0.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The encoding asked for is unknown.
    #[error("`{label}` is not a known encoding")]
    UnknownEncoding {
        /// The label as given.
        label: String,
    },
    /// The bytes do not decode in the encoding asked for.
    #[error("`{path}` is not {encoding}: bytes near {offset} do not decode")]
    Undecodable {
        /// The path as given.
        path: String,
        /// The encoding asked for.
        encoding: String,
        /// Position of the first bad byte, counted from 0, or 0 where the decoder does not say.
        offset: usize,
    },
    /// A delimiter or quote that cannot serve as one.
    #[error("`{mark}` cannot be used as {role}")]
    BadMark {
        /// The character as given.
        mark: char,
        /// `a delimiter` or `a quote`.
        role: &'static str,
    },
    /// A line has more or fewer fields than the header.
    #[error("`{path}` line {line}: expected {expected} fields, found {found}")]
    Ragged {
        /// The path as given.
        path: String,
        /// Line of the file, counted from 1.
        line: usize,
        /// Fields of the header.
        expected: usize,
        /// Fields of this line.
        found: usize,
    },
    /// A quoted field never ends.
    #[error("`{path}` line {line}: a quoted field opens here and never closes")]
    UnclosedQuote {
        /// The path as given.
        path: String,
        /// Line on which the field opens, counted from 1.
        line: usize,
    },
    /// Several columns have one name.
    #[error("`{path}` has more than one column named {}", names_list(names))]
    DuplicateColumns {
        /// The path as given, or `table`.
        path: String,
        /// The names that occur more than once, in order.
        names: Vec<String>,
    },
    /// A JSON line is not an object of plain values.
    #[error("`{path}` line {line}: {message}")]
    BadJson {
        /// The path as given.
        path: String,
        /// Line of the file, counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A column holds lists or objects.
    #[error("`{path}` column `{column}`: nested values ({dtype}) are not a table's cells")]
    Nested {
        /// The path as given.
        path: String,
        /// The column.
        column: String,
        /// The type found.
        dtype: String,
    },
    /// A column holds a type that has no reading here.
    #[error("`{path}` column `{column}`: values of type {dtype} cannot be read")]
    UnsupportedType {
        /// The path as given.
        path: String,
        /// The column.
        column: String,
        /// The type found.
        dtype: String,
    },
    /// The file reader refused the file.
    #[error("`{path}` cannot be read as {format}: {message}")]
    Unreadable {
        /// The path as given.
        path: String,
        /// The format it was read as.
        format: String,
        /// What the reader says.
        message: String,
    },
    /// Several files were named and one has other columns than the first.
    #[error("`{path}` has other columns than `{first}`: {}", difference(missing, extra))]
    ColumnsDiffer {
        /// The first file.
        first: String,
        /// The file that differs.
        path: String,
        /// Columns of the first file that this one lacks.
        missing: Vec<String>,
        /// Columns that only this file has.
        extra: Vec<String>,
    },
    /// A table, fold or schema was handed columns of unequal length.
    #[error("column `{column}` has {found} rows, expected {expected}")]
    UnequalLength {
        /// The column, or what stands for it.
        column: String,
        /// Rows of the others.
        expected: usize,
        /// Rows of this one.
        found: usize,
    },
    /// A table has more rows than a 32-bit index can name.
    #[error("{n_rows} rows are more than the {} an index can name", u32::MAX - 2)]
    TooManyRows {
        /// Rows found.
        n_rows: usize,
    },
    /// A column was named that does not exist.
    #[error("there is no column `{name}`")]
    UnknownColumn {
        /// The name as given.
        name: String,
        /// The closest column name.
        nearest: Option<String>,
    },
    /// The target column does not exist.
    #[error("there is no target column `{name}`")]
    MissingTarget {
        /// The name as given.
        name: String,
        /// The closest column name.
        nearest: Option<String>,
    },
    /// Columns that the schema was made on are absent.
    #[error("{} missing: {}", column_or_columns(names), names_list(names))]
    MissingColumns {
        /// The absent columns, in schema order.
        names: Vec<String>,
        /// For the first absent column, the closest name that is there.
        nearest: Option<String>,
    },
    /// An entry of `--types` cannot be understood.
    #[error("`{entry}` is not a column type: {message}")]
    BadOverride {
        /// The entry as given.
        entry: String,
        /// What is wrong with it.
        message: String,
    },
    /// A number of folds that the rows cannot give.
    #[error("{k} folds cannot be cut from {n} {unit}")]
    TooFewForFolds {
        /// Folds asked for.
        k: usize,
        /// How many units there are.
        n: usize,
        /// What is being divided: `rows`, `groups`, `distinct times` or `labels`.
        unit: &'static str,
    },
    /// A row index outside of the table.
    #[error("row index {row} is outside of the {n_rows} rows")]
    RowOutOfRange {
        /// The index, counted from 0.
        row: usize,
        /// Rows of the table.
        n_rows: usize,
    },
    /// A row index that is named twice where each may be named once.
    #[error("row index {row} is named twice")]
    RepeatedRow {
        /// The index, counted from 0.
        row: usize,
    },
    /// Rows without a time cannot be put in order.
    #[error("the time is missing in {n_rows} of the rows (first at row {first})")]
    MissingTimes {
        /// Rows without a time.
        n_rows: usize,
        /// The first of them, counted from 1.
        first: usize,
    },
    /// A holdout share outside of (0, 1).
    #[error("a holdout of {fraction} is not between 0 and 1")]
    BadFraction {
        /// The share as given.
        fraction: f64,
    },
    /// A holdout that would leave one side empty.
    #[error("a holdout of {fraction} of {n_rows} rows leaves one side without rows")]
    EmptyHoldout {
        /// The share as given.
        fraction: f64,
        /// Rows to divide.
        n_rows: usize,
    },
}

impl DataError {
    /// The error of a target that is not among `columns`, with the closest name looked up.
    pub fn missing_target(name: &str, columns: &[impl AsRef<str>]) -> Self {
        Self::MissingTarget { name: name.to_owned(), nearest: nearest(name, columns) }
    }

    /// The error of a column that is not among `columns`, with the closest name looked up.
    pub fn unknown_column(name: &str, columns: &[impl AsRef<str>]) -> Self {
        Self::UnknownColumn { name: name.to_owned(), nearest: nearest(name, columns) }
    }

    /// What a person can do about it, as a sentence fragment; `None` where the message says it all.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownSample { nearest: Some(name), .. } => format!("did you mean `open://{name}`?"),
            Self::UnknownSample { .. } => "samples are iris, wine, breast_cancer and diabetes".to_owned(),
            Self::UnknownColumn { nearest, .. }
            | Self::MissingTarget { nearest, .. }
            | Self::MissingColumns { nearest: nearest @ Some(_), .. } => {
                format!("did you mean `{}`?", nearest.as_ref()?)
            }
            Self::MissingColumns { .. } => {
                "the model was fitted on them; give the file the columns of the training data".to_owned()
            }
            Self::NamedTwice { .. } => "name each file once".to_owned(),
            Self::NotFound { path } if path.starts_with("open:") => "samples are named like `open://iris`".to_owned(),
            Self::NotFound { .. } => "check the path; quote patterns such as 'data/*.csv'".to_owned(),
            Self::Binary { .. } => "delimited text, JSON lines and Parquet are read, plain or gzip; \
                 text in UTF-16 needs its byte order mark"
                .to_owned(),
            Self::UnknownEncoding { .. } => {
                "use a name such as utf-8, windows-1252, iso-8859-2 or shift_jis".to_owned()
            }
            Self::Undecodable { .. } => "leave the encoding out to have it detected".to_owned(),
            Self::Ragged { expected, found, .. } if found > expected => {
                "put fields that contain the delimiter in quotes, or name the right delimiter".to_owned()
            }
            Self::Ragged { .. } => "mend the line, or name the right delimiter".to_owned(),
            Self::UnclosedQuote { .. } => "close the quote, or double quotes that are part of the text".to_owned(),
            Self::DuplicateColumns { .. } => "give every column its own name".to_owned(),
            Self::BadJson { .. } => "JSON lines hold one flat object per line".to_owned(),
            Self::Nested { .. } => "flatten the column into several, or leave it out of the file".to_owned(),
            Self::HeaderOnly { .. } => "if the first line is data, the file needs a line of column names".to_owned(),
            Self::BadOverride { .. } => "write COL=TYPE with one of numeric, integer, boolean, categorical, datetime, \
                 text, id, constant"
                .to_owned(),
            Self::TooFewForFolds { unit, .. } => {
                format!("ask for fewer folds than there are {unit}")
            }
            Self::MissingTimes { .. } => "fill the time column or leave those rows out".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

/// The candidate closest to `name` by edit distance, upper and lower case alike, if it is close
/// enough to be meant: at most a third of the name's characters (and never fewer than 2) may
/// differ.
///
/// Ties go to the earlier candidate. A name that contains the other whole (`churn`, `churned`) also
/// counts as close.
pub fn nearest(name: &str, candidates: &[impl AsRef<str>]) -> Option<String> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let limit = (wanted.len() / 3).max(2);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let candidate = candidate.as_ref();
        let lower = candidate.to_lowercase();
        let chars: Vec<char> = lower.chars().collect();
        let shorter = wanted.len().min(chars.len());
        let name_lower: String = wanted.iter().collect();
        let contained = shorter >= 3 && (lower.contains(&name_lower) || name_lower.contains(&lower));
        let distance = edit_distance(&wanted, &chars);
        // A distance as long as the names themselves means that nothing is shared.
        let close = (distance <= limit && distance < shorter.max(1)) || distance == 0 || contained;
        if close && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
///
/// The restricted Damerau-Levenshtein distance, kept to three rows.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = above;
        above = row;
    }
    above[b.len()]
}

fn column_or_columns(names: &[String]) -> &'static str {
    if names.len() == 1 { "a column is" } else { "columns are" }
}

/// Up to eight names in back quotes, then a count of the rest.
fn names_list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn difference(missing: &[String], extra: &[String]) -> String {
    match (missing.is_empty(), extra.is_empty()) {
        (false, true) => format!("it lacks {}", names_list(missing)),
        (true, false) => format!("it adds {}", names_list(extra)),
        _ => format!("it lacks {} and adds {}", names_list(missing), names_list(extra)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_counts_edits() {
        let distance = |a: &str, b: &str| edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn nearest_finds_what_was_meant_and_nothing_else() {
        let columns = ["customerID", "Churn", "tenure"];
        assert_eq!(nearest("churn", &columns).as_deref(), Some("Churn"));
        assert_eq!(nearest("chrun", &columns).as_deref(), Some("Churn"));
        assert_eq!(nearest("churned", &columns).as_deref(), Some("Churn"));
        assert_eq!(nearest("price", &columns), None);
        assert_eq!(nearest("y", &["x"]), None);
        assert_eq!(nearest("", &["x"]), None);
    }

    #[test]
    fn messages_name_the_thing_and_its_value() {
        let error = DataError::missing_target("chrun", &["Churn", "x"]);
        assert_eq!(error.to_string(), "there is no target column `chrun`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `Churn`?"));
        let error = DataError::Ragged { path: "a.csv".into(), line: 7, expected: 3, found: 4 };
        assert_eq!(error.to_string(), "`a.csv` line 7: expected 3 fields, found 4");
        let names = (0..10).map(|i| format!("c{i}")).collect();
        let error = DataError::MissingColumns { names, nearest: None };
        assert!(error.to_string().ends_with("`c7` and 2 more"), "{error}");
    }
}
