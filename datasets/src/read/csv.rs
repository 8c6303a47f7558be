//! Delimited text.

use std::borrow::Cow;
use std::io::Cursor;
use std::sync::Arc;

use polars::prelude::{
    CsvParseOptions, CsvReadOptions, DataType, Field as PolarsField, Schema as PolarsSchema, SerReader,
};

use super::detect::marks;
use super::encoding::decode;
use super::frame::{columns, guarded};
use super::lines::{Marks, record};
use super::options::ReadOptions;
use crate::error::DataError;
use crate::note::Note;
use crate::raw::{Dialect, Format, Raw, RawColumn, RawValues, TextColumn};

/// Reads delimited text into columns of text.
pub(crate) fn read(path: &str, bytes: &[u8], options: &ReadOptions) -> Result<Raw, DataError> {
    let decoded = decode(path, bytes, options.encoding.as_deref())?;
    let mut notes: Vec<Note> = decoded.note.into_iter().collect();
    let text = line_breaks(decoded.text);
    if text.trim().is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let marks = marks(&text, options);
    let has_header = options.header.unwrap_or(true);
    let shape = Shape::of(path, &text, marks, has_header)?;
    let names = shape.names(path, &text, marks, has_header, &mut notes)?;
    if shape.n_rows == 0 {
        return Err(DataError::HeaderOnly { path: path.to_owned(), n_columns: names.len() });
    }
    if shape.n_blank > 0 {
        let lines = if shape.n_blank == 1 { "line" } else { "lines" };
        notes.push(Note::file(format!("{} blank {lines} passed over", shape.n_blank)));
    }
    let body = &text[shape.body..];
    // polars reads what is regular, on all its threads; the rest is read as the shape was.
    let regular =
        if shape.odd || shape.n_blank > 0 { None } else { by_polars(path, body, marks, &names, shape.n_rows)? };
    let columns = regular.unwrap_or_else(|| by_hand(body, marks, names));
    let dialect = Dialect {
        format: Format::Delimited,
        delimiter: marks.delimiter as char,
        quote: marks.quote as char,
        encoding: decoded.encoding.to_owned(),
        header: has_header,
    };
    Ok(Raw { columns, n_rows: shape.n_rows, dialect, sha256: String::new(), notes })
}

/// Lines that end in a carriage return alone, as on old Macs, are made to end in a line feed.
fn line_breaks(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') && !text.contains('\n') { Cow::Owned(text.replace('\r', "\n")) } else { text }
}

/// What one pass over the text finds.
struct Shape {
    /// Where the first record that is not blank starts.
    first: usize,
    /// Where the rows start.
    body: usize,
    n_columns: usize,
    n_rows: usize,
    /// Blank lines between the rows and before them.
    n_blank: usize,
    /// Whether quotes stand where polars would not expect them.
    odd: bool,
}

impl Shape {
    fn of(path: &str, text: &str, marks: Marks, has_header: bool) -> Result<Self, DataError> {
        let bytes = text.as_bytes();
        let mut shape = Self { first: 0, body: 0, n_columns: 0, n_rows: 0, n_blank: 0, odd: false };
        let (mut at, mut line, mut pending_blank) = (0, 1, 0);
        while at < bytes.len() {
            let record = record(bytes, at, marks, |_| {});
            if record.open {
                return Err(DataError::UnclosedQuote { path: path.to_owned(), line });
            }
            if record.blank {
                pending_blank += 1;
            } else if shape.n_columns == 0 {
                shape.first = at;
                shape.n_columns = record.n_fields;
                shape.body = if has_header { record.end } else { at };
                shape.n_rows = usize::from(!has_header);
                shape.odd = record.odd && !has_header;
                pending_blank = 0;
            } else if record.n_fields == shape.n_columns {
                shape.n_rows += 1;
                shape.odd |= record.odd;
                // Blank lines at the very end are nothing to speak of.
                shape.n_blank += std::mem::take(&mut pending_blank);
            } else {
                return Err(DataError::Ragged {
                    path: path.to_owned(),
                    line,
                    expected: shape.n_columns,
                    found: record.n_fields,
                });
            }
            line += 1 + record.n_breaks;
            at = record.end;
        }
        // polars would make rows of blank lines at the end of a single column.
        shape.odd |= pending_blank > 0;
        Ok(shape)
    }

    fn names(
        &self,
        path: &str,
        text: &str,
        marks: Marks,
        has_header: bool,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<String>, DataError> {
        let mut names: Vec<String> = Vec::with_capacity(self.n_columns);
        if has_header {
            record(text.as_bytes(), self.first, marks, |field| {
                names.push(field.text(text, marks).trim().to_owned());
            });
            if names.iter().all(|name| name.parse::<f64>().is_ok()) {
                notes.push(Note::file("the first line was read as column names, though all of it is numbers"));
            }
        }
        names.resize(self.n_columns, String::new());
        for (i, name) in names.iter_mut().enumerate() {
            if name.is_empty() {
                *name = format!("column_{}", i + 1);
                if has_header {
                    notes.push(Note::column(name, format!("column {} has no name in the file", i + 1)));
                }
            }
        }
        check_names(path, &names)?;
        Ok(names)
    }
}

/// Names that occur more than once are an error.
pub(crate) fn check_names(path: &str, names: &[String]) -> Result<(), DataError> {
    let mut seen = std::collections::HashSet::new();
    let mut repeated: Vec<String> = Vec::new();
    for name in names {
        if !seen.insert(name) && !repeated.contains(name) {
            repeated.push(name.clone());
        }
    }
    if repeated.is_empty() {
        return Ok(());
    }
    Err(DataError::DuplicateColumns { path: path.to_owned(), names: repeated })
}

/// The rows by polars; `None` if it does not find as many as there are.
fn by_polars(
    path: &str,
    body: &str,
    marks: Marks,
    names: &[String],
    n_rows: usize,
) -> Result<Option<Vec<RawColumn>>, DataError> {
    let schema: PolarsSchema =
        names.iter().map(|name| PolarsField::new(name.as_str().into(), DataType::String)).collect();
    let parse = CsvParseOptions::default().with_separator(marks.delimiter).with_quote_char(Some(marks.quote));
    let options =
        CsvReadOptions::default().with_has_header(false).with_schema(Some(Arc::new(schema))).with_parse_options(parse);
    let frame = guarded(path, Format::Delimited, || {
        options.into_reader_with_file_handle(Cursor::new(body.as_bytes())).finish()
    });
    match frame {
        Ok(frame) if frame.height() == n_rows && frame.width() == names.len() => columns(path, frame).map(Some),
        // Whatever polars stumbles over, the shape is known to be right.
        _ => Ok(None),
    }
}

/// The rows by the pass that found the shape.
fn by_hand(body: &str, marks: Marks, names: Vec<String>) -> Vec<RawColumn> {
    let mut cells = vec![TextColumn::new(); names.len()];
    let bytes = body.as_bytes();
    let (mut at, mut fields) = (0, Vec::with_capacity(names.len()));
    while at < bytes.len() {
        fields.clear();
        let record = record(bytes, at, marks, |field| fields.push(field));
        at = record.end;
        if record.blank {
            continue;
        }
        for (cells, field) in cells.iter_mut().zip(&fields) {
            let text = field.text(body, marks);
            cells.push((!text.is_empty()).then_some(text.as_ref()));
        }
    }
    names.into_iter().zip(cells).map(|(name, cells)| RawColumn { name, values: RawValues::Text(cells) }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_text(text: &str) -> Result<Raw, DataError> {
        read("f.csv", text.as_bytes(), &ReadOptions::default())
    }

    fn cells(raw: &Raw, name: &str) -> Vec<String> {
        let text = raw.column(name).unwrap().values.to_text();
        text.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn quotes_breaks_and_line_ends() {
        let raw = read_text("a,b\r\n\"x, \"\"y\"\"\nz\",1\r\n,2\r\n").unwrap();
        assert_eq!(raw.n_rows, 2);
        assert_eq!(cells(&raw, "a"), ["x, \"y\"\nz", ""]);
        assert_eq!(cells(&raw, "b"), ["1", "2"]);
        let raw = read_text("a,b\r1,2\r3,4\r").unwrap();
        assert_eq!(cells(&raw, "b"), ["2", "4"]);
    }

    #[test]
    fn odd_files_are_read_all_the_same() {
        let raw = read_text("\n a ,b\n5\" pipe,1\n\nx, \"2, 3\"\n\n").unwrap();
        assert_eq!(raw.n_rows, 2);
        assert_eq!(cells(&raw, "a"), ["5\" pipe", "x"]);
        assert_eq!(cells(&raw, "b"), ["1", "2, 3"]);
        assert_eq!(raw.notes[0].text, "1 blank line passed over");
        let raw = read_text("x\n1\n2\n\n\n").unwrap();
        assert_eq!((raw.n_rows, raw.notes.len()), (2, 0));
    }

    #[test]
    fn wrong_files_are_named() {
        for (text, expected) in [
            ("", "`f.csv` is empty"),
            ("\u{feff} \n\n", "`f.csv` is empty"),
            ("a,b\n", "`f.csv` has 2 column names and no rows"),
            ("a,b\n1,2\n\"3\n4\",5\n6\n", "`f.csv` line 5: expected 2 fields, found 1"),
            ("a,b\n1,2\n1,2,3\n", "`f.csv` line 3: expected 2 fields, found 3"),
            ("a,b,a\n1,2,3\n", "`f.csv` has more than one column named `a`"),
            ("a,b\n1,2\n\"3,4\n5,6\n", "`f.csv` line 3: a quoted field opens here and never closes"),
            ("a\0b\n", "`f.csv` is not a text file: byte 1 is 0x00"),
        ] {
            assert_eq!(read_text(text).unwrap_err().to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_made_where_there_are_none() {
        let raw = read_text(",b\n1,2\n").unwrap();
        assert_eq!(raw.names(), ["column_1", "b"]);
        assert_eq!(raw.notes[0].to_string(), "column_1: column 1 has no name in the file");
        let options = ReadOptions { header: Some(false), ..ReadOptions::default() };
        let raw = read("f", b"1,2\n3,4", &options).unwrap();
        assert_eq!((raw.names(), raw.n_rows), (vec!["column_1", "column_2"], 2));
        assert_eq!(raw.dialect.to_string(), "comma, UTF-8, no header");
        let raw = read_text("1,2\n3,4").unwrap();
        assert!(raw.notes[0].text.contains("first line"), "{:?}", raw.notes);
    }

    fn quoted(cell: &str) -> String {
        format!("\"{}\"", cell.replace('"', "\"\""))
    }

    /// Rows of fields that the pattern makes.
    fn rows(field: &'static str, n: usize) -> impl Strategy<Value = Vec<Vec<String>>> {
        proptest::collection::vec(proptest::collection::vec(field, n), 1..30)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(rows in rows("[a-z,;\"'\n é]{0,6}", 3)) {
            let mut text = "x,y,z\n".to_owned();
            for row in &rows {
                text.push_str(&row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
                text.push('\n');
            }
            let options = ReadOptions {
                delimiter: Some(','),
                quote: Some('"'),
                ..ReadOptions::default()
            };
            let raw = read("f", text.as_bytes(), &options).unwrap();
            for (i, name) in ["x", "y", "z"].into_iter().enumerate() {
                let expected: Vec<&str> = rows.iter().map(|row| row[i].as_str()).collect();
                prop_assert_eq!(cells(&raw, name), expected);
            }
        }

        #[test]
        fn both_ways_of_reading_agree(rows in rows("[a-z ]{0,3}|\"[a-z,\n]{0,4}\"", 2)) {
            let mut body = String::new();
            for row in &rows {
                body.push_str(&row.join(","));
                body.push('\n');
            }
            let marks = Marks { delimiter: b',', quote: b'"' };
            let names = vec!["x".to_owned(), "y".to_owned()];
            let cell = |cell: Option<&str>| cell.unwrap_or_default().to_owned();
            let cells = |column: &RawColumn| -> Vec<String> {
                column.values.to_text().iter().map(cell).collect()
            };
            let text = |columns: Vec<RawColumn>| -> Vec<Vec<String>> {
                columns.iter().map(cells).collect()
            };
            let polars = by_polars("f", &body, marks, &names, rows.len()).unwrap();
            prop_assert!(polars.is_some());
            prop_assert_eq!(text(polars.unwrap()), text(by_hand(&body, marks, names)));
        }
    }
}
