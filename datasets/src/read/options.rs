//! What a person may say about a file instead of having it detected.

use crate::error::DataError;
use crate::raw::Format;

/// How to read a file, where it is not to be detected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format; detected from the content and the name by default.
    pub format: Option<Format>,
    /// The character between fields, one ASCII character; by default the one of comma, tab,
    /// semicolon and pipe that divides the first lines most evenly.
    pub delimiter: Option<char>,
    /// The character around fields, one ASCII character; by default `"`, or `'` where the first
    /// lines use that.
    pub quote: Option<char>,
    /// The encoding by its common name, such as `windows-1252`; by default UTF-8 or UTF-16 by byte
    /// order mark, else UTF-8 if the bytes are, else windows-1252 with a note.
    pub encoding: Option<String>,
    /// Whether the first line holds the column names, as it does by default; without, columns are
    /// `column_1` and so on.
    pub header: Option<bool>,
}

impl ReadOptions {
    /// Checks that delimiter and quote can serve as such.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        let usable =
            |mark: char| mark.is_ascii() && !mark.is_ascii_alphanumeric() && !matches!(mark, '\n' | '\r' | '\0');
        if let Some(mark) = self.delimiter.filter(|&mark| !usable(mark)) {
            return Err(DataError::BadMark { mark, role: "a delimiter" });
        }
        let taken = |mark: char| mark == ' ' || Some(mark) == self.delimiter;
        if let Some(mark) = self.quote.filter(|&mark| !usable(mark) || taken(mark)) {
            return Err(DataError::BadMark { mark, role: "a quote" });
        }
        Ok(())
    }
}
