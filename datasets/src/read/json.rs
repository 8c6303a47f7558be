//! JSON lines: one flat object a line.

use std::io::Cursor;

use polars::prelude::{JsonFormat, JsonReader, SerReader};

use super::encoding::decode;
use super::frame::{columns, guarded};
use super::options::ReadOptions;
use crate::error::DataError;
use crate::raw::{Dialect, Format, Raw};

/// Reads JSON lines. A key that a line lacks is a missing cell; a column that holds numbers and
/// strings is text.
pub(crate) fn read(path: &str, bytes: &[u8], options: &ReadOptions) -> Result<Raw, DataError> {
    let decoded = decode(path, bytes, options.encoding.as_deref())?;
    let text = decoded.text.trim_end();
    if text.trim().is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let n_rows = check_lines(path, text)?;
    let frame = guarded(path, Format::JsonLines, || {
        JsonReader::new(Cursor::new(text.as_bytes()))
            .with_json_format(JsonFormat::JsonLines)
            .infer_schema_len(None)
            .finish()
    })?;
    if frame.width() == 0 {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    if frame.height() != n_rows {
        let message = format!("{n_rows} lines gave {} rows", frame.height());
        let format = Format::JsonLines.to_string();
        return Err(DataError::Unreadable { path: path.to_owned(), format, message });
    }
    let mut columns = columns(path, frame)?;
    // polars forgets the order of many keys: those of the first line come first, in its order, then
    // the others by name.
    let order = keys(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
    columns.sort_by_cached_key(|column| {
        (order.iter().position(|key| *key == column.name).unwrap_or(order.len()), column.name.clone())
    });
    let dialect = Dialect { format: Format::JsonLines, encoding: decoded.encoding.to_owned(), ..Dialect::default() };
    Ok(Raw { columns, n_rows, dialect, sha256: String::new(), notes: decoded.note.into_iter().collect() })
}

/// Rows, if every line that is not blank looks like an object.
fn check_lines(path: &str, text: &str) -> Result<usize, DataError> {
    let mut n_rows = 0;
    // Only a line feed ends a line for polars, too.
    for (i, line) in text.split('\n').enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if !(line.starts_with('{') && line.ends_with('}')) {
            let message = if line.starts_with('[') { "a list, not an object" } else { "not an object on one line" };
            return Err(DataError::BadJson { path: path.to_owned(), line: i + 1, message: message.to_owned() });
        }
        n_rows += 1;
    }
    Ok(n_rows)
}

/// The keys of a flat object in order; keys with an escape in them are left out.
fn keys(object: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    let mut rest = object;
    let mut expects_key = true;
    while let Some(at) = rest.find(['"', ',', ':']) {
        let mark = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match mark {
            b',' => expects_key = true,
            b':' => expects_key = false,
            _ => {
                let end = string_end(rest);
                if expects_key {
                    keys.push(&rest[..end]);
                }
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
    }
    keys
}

/// Where the quote that closes a string stands.
fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::RawValues;

    fn read_text(text: &str) -> Result<Raw, DataError> {
        read("f.jsonl", text.as_bytes(), &ReadOptions::default())
    }

    #[test]
    fn values_and_gaps() {
        let raw = read_text("{\"z\":1,\"a\":\"x\",\"t\":true}\n\n{\"z\":null,\"a\":2.5,\"new\":1.5}\r\n").unwrap();
        assert_eq!(raw.names(), ["z", "a", "t", "new"]);
        assert_eq!(raw.n_rows, 2);
        let RawValues::Number { values, integer } = &raw.column("z").unwrap().values else { panic!("numbers") };
        assert!(values[0] == 1.0 && values[1].is_nan() && *integer);
        let mixed = raw.column("a").unwrap().values.to_text();
        assert_eq!(mixed.iter().collect::<Vec<_>>(), [Some("x"), Some("2.5")]);
        assert_eq!(raw.column("t").unwrap().values, RawValues::Boolean(vec![Some(true), None]));
        assert_eq!(raw.dialect.to_string(), "JSON lines, UTF-8");
    }

    #[test]
    fn many_keys_keep_their_order() {
        let object: Vec<String> = (0..100).map(|i| format!("\"k{i}\":{i}")).collect();
        let raw = read_text(&format!("{{{}}}\n", object.join(", "))).unwrap();
        let expected: Vec<String> = (0..100).map(|i| format!("k{i}")).collect();
        assert_eq!(raw.names(), expected);
    }

    #[test]
    fn wrong_lines_are_named() {
        assert_eq!(read_text("{\"a\":1}\nb\n").unwrap_err().to_string(), "`f.jsonl` line 2: not an object on one line");
        assert_eq!(read_text("[{\"a\":1}]").unwrap_err().to_string(), "`f.jsonl` line 1: a list, not an object");
        assert!(matches!(read_text("{\"a\":[1]}\n"), Err(DataError::Nested { column, .. }) if column == "a"));
        assert!(matches!(read_text("{\"a\":{\"b\":1}}\n"), Err(DataError::Nested { column, .. }) if column == "a"));
        assert!(matches!(read_text("{}\n"), Err(DataError::Empty { .. })));
        assert!(read_text("{\"a\":1,}\n").is_err());
        assert!(read_text("{\"a\":1}\n{\"a\":true}\n").is_err());
    }

    #[test]
    fn keys_are_found_in_order() {
        assert_eq!(keys(r#"{"b": "x,\"y\":z", "a" :1,"c":null}"#), ["b", "a", "c"]);
        assert_eq!(keys("{\"open"), ["open"]);
    }
}
