//! The format of a file, and the marks of delimited text.

use std::collections::BTreeMap;

use super::lines::{Marks, record};
use super::options::ReadOptions;
use crate::raw::Format;

/// Records looked at for the marks.
const SAMPLE: usize = 200;

/// The format: by what the bytes start with, by the name, else delimited text.
pub(crate) fn format(name: &str, bytes: &[u8]) -> Format {
    if bytes.starts_with(b"PAR1") {
        return Format::Parquet;
    }
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[".parquet", ".pq"]) {
        Format::Parquet
    } else if ends(&[".jsonl", ".ndjson", ".json"]) {
        Format::JsonLines
    } else if ends(&[".csv", ".tsv", ".tab", ".psv", ".txt"]) {
        Format::Delimited
    } else {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if text.starts_with(b"{\"") { Format::JsonLines } else { Format::Delimited }
    }
}

/// The delimiter and quote that divide the first records most evenly, unless they are given.
pub(crate) fn marks(text: &str, options: &ReadOptions) -> Marks {
    let quote = options.quote.map_or_else(|| quote(text, options.delimiter), |quote| quote as u8);
    let delimiter = options.delimiter.map_or_else(|| delimiter(text, quote), |delimiter| delimiter as u8);
    Marks { delimiter, quote }
}

/// Of comma, tab, semicolon and pipe the one by which most records have as many fields as the
/// first, and of equally good ones the one with the most fields.
fn delimiter(text: &str, quote: u8) -> u8 {
    let mut best = (b',', 0.0, 0);
    for delimiter in [b',', b'\t', b';', b'|'].into_iter().filter(|&delimiter| delimiter != quote) {
        let counts = field_counts(text, Marks { delimiter, quote });
        let Some(&first) = counts.first() else {
            continue;
        };
        let share = counts.iter().filter(|&&n| n == first).count() as f64 / counts.len() as f64;
        // One field everywhere says nothing for a delimiter, but a record that it divides speaks
        // against it.
        let share = if first > 1 { 1.0 + share } else { share };
        if share > best.1 || share == best.1 && first > best.2 {
            best = (delimiter, share, first);
        }
    }
    best.0
}

/// The apostrophe where fields stand between apostrophes and no double quote is used.
fn quote(text: &str, delimiter: Option<char>) -> u8 {
    let mut sample = String::new();
    for line in text.lines().take(SAMPLE) {
        sample.push_str(line);
        sample.push('\n');
    }
    if sample.contains('"') || !sample.contains('\'') {
        return b'"';
    }
    let is_edge = |c: Option<char>| match (c, delimiter) {
        (None | Some('\n'), _) => true,
        (c, Some(_)) => c == delimiter,
        (Some(c), None) => matches!(c, ',' | '\t' | ';' | '|'),
    };
    // Apostrophes that open a field and those that close one.
    let mut edges: BTreeMap<bool, usize> = BTreeMap::new();
    let mut inner = 0;
    let mut before = None;
    let mut chars = sample.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            match (is_edge(before), is_edge(chars.peek().copied())) {
                (true, _) => *edges.entry(true).or_default() += 1,
                (_, true) => *edges.entry(false).or_default() += 1,
                _ => inner += 1,
            }
        }
        before = Some(c);
    }
    let (opening, closing) = (edges.get(&true), edges.get(&false));
    if opening.is_some() && opening == closing && inner == 0 { b'\'' } else { b'"' }
}

fn field_counts(text: &str, marks: Marks) -> Vec<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut counts) = (0, Vec::new());
    while at < bytes.len() && counts.len() < SAMPLE {
        let record = record(bytes, at, marks, |_| {});
        at = record.end;
        if !record.blank {
            counts.push(record.n_fields);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (char, char) {
        let marks = marks(text, &ReadOptions::default());
        (marks.delimiter as char, marks.quote as char)
    }

    #[test]
    fn delimiters() {
        assert_eq!(found("a,b\n1,2\n"), (',', '"'));
        assert_eq!(found("a\tb\n1,5\t2\n"), ('\t', '"'));
        assert_eq!(found("a;b\n1,5;2,5\n"), (';', '"'));
        assert_eq!(found("a|b|c\n1|2|3\n"), ('|', '"'));
        assert_eq!(found("a,b;c\n1,2;3\n\"x;y\",4;5\n"), (',', '"'));
        assert_eq!(found("\"a;b\";c\n\"1;2\";3\n"), (';', '"'));
        assert_eq!(found("text\nyes, indeed\nno\n"), ('\t', '"'), "one column of text with commas");
        assert_eq!(found("x\n1\n2\n"), (',', '"'));
        assert_eq!(found(""), (',', '"'));
    }

    #[test]
    fn quotes() {
        assert_eq!(found("a,b\n'x, y',2\n'z',3\n"), (',', '\''));
        assert_eq!(found("a,b\nit's,2\n"), (',', '"'));
        assert_eq!(found("a,b\n'tis,2\n"), (',', '"'));
    }

    #[test]
    fn formats() {
        assert_eq!(format("x.csv", b"{\"a\":1}"), Format::Delimited);
        assert_eq!(format("x.jsonl.gz", b"a"), Format::JsonLines);
        assert_eq!(format("-", b"  {\"a\":1}"), Format::JsonLines);
        assert_eq!(format("x.csv", b"PAR1"), Format::Parquet);
        assert_eq!(format("-", b"a,b"), Format::Delimited);
    }
}
