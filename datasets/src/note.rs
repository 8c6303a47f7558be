//! Readings that a person should know of, and cells that did not fit a frozen schema.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reading that could have been another, or that changed cells, printed with the override that
/// changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The column it is about; `None` for the whole file.
    pub column: Option<String>,
    /// What was read, such as `8 blanks read as missing`.
    pub text: String,
    /// The option that changes it, such as `--types zip=numeric`; `None` where there is nothing to
    /// change.
    pub override_hint: Option<String>,
}

impl Note {
    /// A note on one column.
    pub fn column(column: &str, text: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), text: text.into(), override_hint: None }
    }

    /// A note on the whole file.
    pub fn file(text: impl Into<String>) -> Self {
        Self { column: None, text: text.into(), override_hint: None }
    }

    /// The same note with the option that changes the reading.
    #[must_use]
    pub fn or(mut self, override_hint: impl Into<String>) -> Self {
        self.override_hint = Some(override_hint.into());
        self
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        f.write_str(&self.text)?;
        match &self.override_hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Cells of one column that a frozen schema could not take as they are, counted.
///
/// On the very data a schema was inferred from, each of these is also told in a [`Note`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coercion {
    /// The column.
    pub column: String,
    /// Cells concerned.
    pub n_cells: usize,
    /// What happened to them.
    pub reason: CoercionReason,
    /// The first such cell as it was written; empty for an extra column.
    pub example: String,
    /// Row of the first such cell, counted from 1 without the header.
    pub first_row: usize,
}

/// What a frozen schema did with cells that did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoercionReason {
    /// Not a number by the column's rules; read as missing.
    UnparsedNumber,
    /// An infinite number; read as missing.
    NonFinite,
    /// Not a time by the column's format; read as missing.
    UnparsedDatetime,
    /// A level that was not there when the schema was made; coded as unseen.
    UnseenLevel,
    /// A column the schema does not know; ignored.
    ExtraColumn,
}

impl fmt::Display for Coercion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, n_cells, example, first_row, .. } = self;
        let cells = if *n_cells == 1 { "cell" } else { "cells" };
        let at = format!("first `{example}` at row {first_row}");
        match self.reason {
            CoercionReason::UnparsedNumber => {
                write!(f, "{column}: {n_cells} {cells} not a number, read as missing ({at})")
            }
            CoercionReason::NonFinite => {
                write!(f, "{column}: {n_cells} {cells} not finite, read as missing ({at})")
            }
            CoercionReason::UnparsedDatetime => {
                write!(f, "{column}: {n_cells} {cells} not a time, read as missing ({at})")
            }
            CoercionReason::UnseenLevel => {
                write!(f, "{column}: {n_cells} {cells} of an unseen level ({at})")
            }
            CoercionReason::ExtraColumn => write!(f, "{column}: not in the schema, ignored"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_coercions_read_as_lines() {
        let note = Note::column("zip", "leading zeros, kept as categorical").or("--types zip=numeric");
        assert_eq!(note.to_string(), "zip: leading zeros, kept as categorical (--types zip=numeric)");
        assert_eq!(Note::file("read as windows-1252").to_string(), "read as windows-1252");
        let coercion = Coercion {
            column: "age".into(),
            n_cells: 2,
            reason: CoercionReason::UnparsedNumber,
            example: "old".into(),
            first_row: 7,
        };
        assert_eq!(coercion.to_string(), "age: 2 cells not a number, read as missing (first `old` at row 7)");
    }
}
