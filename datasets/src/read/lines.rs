//! The shape of delimited text: records, fields and what is odd about them.
//!
//! polars pads short lines, cuts long ones and counts quotes in its own way; what a person should
//! know of is found here first, in one pass over the bytes. The same pass can hand over the fields,
//! for files too odd for polars.

use std::borrow::Cow;

/// The marks of delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

/// One record: a line, or several where a quoted field spans them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// Fields.
    pub(crate) n_fields: usize,
    /// Line breaks inside it.
    pub(crate) n_breaks: usize,
    /// Where the next record starts.
    pub(crate) end: usize,
    /// Whether there is nothing on the line.
    pub(crate) blank: bool,
    /// Whether a quote stands where it neither opens nor closes a field.
    pub(crate) odd: bool,
    /// Whether a quoted field is still open at the end of the text.
    pub(crate) open: bool,
}

/// A field, as a place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    start: usize,
    end: usize,
    quoted: bool,
}

impl Field {
    /// What the field says: without its quotes, doubled ones single.
    pub(crate) fn text<'a>(&self, text: &'a str, marks: Marks) -> Cow<'a, str> {
        let raw = &text[self.start..self.end];
        if !self.quoted {
            return Cow::Borrowed(raw);
        }
        let quote = marks.quote as char;
        let inner = raw.strip_prefix(quote).unwrap_or(raw);
        match inner.strip_suffix(quote) {
            Some(inner) if !inner.contains(quote) => Cow::Borrowed(inner),
            _ => Cow::Owned(unquote(inner, quote)),
        }
    }
}

/// Text after an opening quote: doubled quotes are one, a single one closes, and what follows it is
/// kept as it is.
fn unquote(inner: &str, quote: char) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    let mut open = true;
    while let Some(c) = chars.next() {
        if open && c == quote {
            if chars.peek() == Some(&quote) {
                chars.next();
                out.push(quote);
            } else {
                open = false;
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The record that starts at `start`, each of its fields given to `each`.
pub(crate) fn record(text: &[u8], start: usize, marks: Marks, mut each: impl FnMut(Field)) -> Record {
    let Marks { delimiter, quote } = marks;
    let mut record = Record::default();
    let mut at = start;
    loop {
        // Blanks before an opening quote are not part of the field.
        let mut field_start = at;
        while text.get(field_start) == Some(&b' ') && delimiter != b' ' {
            field_start += 1;
        }
        let quoted = text.get(field_start) == Some(&quote);
        if quoted {
            record.odd |= field_start > at;
            at = field_start + 1;
            let mut open = true;
            while let Some(&byte) = text.get(at) {
                if open {
                    if byte == quote {
                        if text.get(at + 1) == Some(&quote) {
                            at += 1;
                        } else {
                            open = false;
                        }
                    } else if byte == b'\n' {
                        record.n_breaks += 1;
                    }
                } else if byte == delimiter || byte == b'\n' {
                    break;
                } else {
                    record.odd |= !(byte == b'\r' && matches!(text.get(at + 1), None | Some(b'\n')));
                }
                at += 1;
            }
            record.open = open;
        } else {
            field_start = at;
            while let Some(&byte) = text.get(at) {
                if byte == delimiter || byte == b'\n' {
                    break;
                }
                record.odd |= byte == quote;
                at += 1;
            }
        }
        let last = text.get(at) != Some(&delimiter);
        // The carriage return of a Windows line break is no part of the field.
        let end = if last && at > field_start && text[at - 1] == b'\r' { at - 1 } else { at };
        record.n_fields += 1;
        record.blank = last && record.n_fields == 1 && end == field_start;
        each(Field { start: field_start, end, quoted });
        at += 1;
        if last {
            record.end = at.min(text.len());
            return record;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks { delimiter: b',', quote: b'"' };

    fn fields(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        record(text.as_bytes(), 0, MARKS, |field| {
            found.push(field.text(text, MARKS).into_owned());
        });
        found
    }

    #[test]
    fn fields_and_quotes() {
        assert_eq!(fields("a,b\nc"), ["a", "b"]);
        assert_eq!(fields("a,,\r\n"), ["a", "", ""]);
        assert_eq!(fields("\"a,\"\"b\"\"\",c"), ["a,\"b\"", "c"]);
        assert_eq!(fields("\"two\nlines\",x\r\n"), ["two\nlines", "x"]);
        assert_eq!(fields("5\" pipe,x"), ["5\" pipe", "x"]);
        assert_eq!(fields("a, \"b, c\""), ["a", "b, c"]);
        assert_eq!(fields("\"a\"b,c"), ["ab", "c"]);
        assert_eq!(fields("\"\",\"\"\"\""), ["", "\""]);
    }

    #[test]
    fn odd_records_are_told() {
        let odd = |text: &str| record(text.as_bytes(), 0, MARKS, |_| {}).odd;
        assert!(!odd("\"a\",b\r\n"));
        assert!(odd("5\" pipe,x"));
        assert!(odd("a, \"b\""));
        assert!(odd("\"a\"b"));
        assert!(record(b"\"a,b\n", 0, MARKS, |_| {}).open);
        assert!(record(b"\r\nx", 0, MARKS, |_| {}).blank);
        assert!(!record(b"\"\"\nx", 0, MARKS, |_| {}).blank);
        let two = record(b"\"a\nb\",c\nnext", 0, MARKS, |_| {});
        assert_eq!((two.n_fields, two.n_breaks, two.end), (2, 1, 8));
    }
}
