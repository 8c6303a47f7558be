//! Where bytes come from, and several files as one.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::options::ReadOptions;
use super::samples::{sample, sample_names};
use super::{csv, detect, json, parquet};
use crate::error::{DataError, nearest};
use crate::raw::{Format, Raw, RawColumn, RawValues};

/// What names a sample set.
const SAMPLE_SCHEME: &str = "open://";
/// What every gzip file starts with.
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";

/// Reads one or several sources as one: paths, patterns such as `data/*.csv` (in the order of their
/// names), `-` for standard input, `open://iris` for a sample set; each plain or gzip.
///
/// Several files must have the same columns, in any order; rows follow one another in the order of
/// the files.
pub fn open(sources: &[String], options: &ReadOptions) -> Result<Raw, DataError> {
    let mut files: Vec<(String, Raw)> = Vec::new();
    let mut hash = Sha256::new();
    for source in sources {
        for path in expand(source)? {
            if files.iter().any(|(read, _)| same_file(read, &path)) {
                return Err(DataError::NamedTwice { path });
            }
            let bytes = bytes(&path)?;
            hash.update(&bytes);
            let raw = read_stored(&path, &bytes, options)?;
            files.push((path, raw));
        }
    }
    let mut raw = merge(files)?;
    raw.sha256 = hex(&hash.finalize());
    Ok(raw)
}

/// Whether two names stand for one file, whatever way they are written.
fn same_file(a: &str, b: &str) -> bool {
    let real = |path: &str| std::fs::canonicalize(path).ok();
    a == b || real(a).is_some_and(|file| real(b) == Some(file))
}

/// Reads bytes as if they were the file of this name, which helps to tell the format.
pub fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Raw, DataError> {
    let mut raw = read_stored(name, bytes, options)?;
    raw.sha256 = hex(&Sha256::digest(bytes));
    Ok(raw)
}

fn read_stored(path: &str, bytes: &[u8], options: &ReadOptions) -> Result<Raw, DataError> {
    options.check()?;
    let bytes = unpack(path, bytes)?;
    if bytes.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    match options.format.unwrap_or_else(|| detect::format(path, &bytes)) {
        Format::Delimited => csv::read(path, &bytes, options),
        Format::Parquet => parquet::read(path, &bytes),
        Format::JsonLines => json::read(path, &bytes, options),
    }
}

/// The bytes of a gzip file unpacked; others as they are.
fn unpack<'a>(path: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, DataError> {
    if !bytes.starts_with(GZIP_MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut plain = Vec::with_capacity(4 * bytes.len());
    MultiGzDecoder::new(bytes)
        .read_to_end(&mut plain)
        .map_err(|source| DataError::Gzip { path: path.to_owned(), source })?;
    Ok(Cow::Owned(plain))
}

/// The files a source stands for.
fn expand(source: &str) -> Result<Vec<String>, DataError> {
    // A file whose own name has a bracket in it is that file.
    let is_pattern = source.contains(['*', '?', '[']) && !source.starts_with(SAMPLE_SCHEME);
    if !is_pattern || Path::new(source).exists() {
        return Ok(vec![source.to_owned()]);
    }
    let matches = glob::glob(source)
        .map_err(|error| DataError::BadPattern { pattern: source.to_owned(), message: error.msg.to_owned() })?;
    let mut paths = Vec::new();
    for entry in matches {
        let path =
            entry.map_err(|error| DataError::Io { path: error.path().display().to_string(), source: error.into() })?;
        if path.is_file() {
            paths.push(path.display().to_string());
        }
    }
    if paths.is_empty() {
        return Err(DataError::NoMatch { pattern: source.to_owned() });
    }
    paths.sort_unstable();
    Ok(paths)
}

fn bytes(path: &str) -> Result<Cow<'static, [u8]>, DataError> {
    if let Some(name) = path.strip_prefix(SAMPLE_SCHEME) {
        let unknown = || DataError::UnknownSample { name: name.to_owned(), nearest: nearest(name, sample_names()) };
        return sample(name).map(Cow::Borrowed).ok_or_else(unknown);
    }
    let failed = |source: std::io::Error| {
        if source.kind() == std::io::ErrorKind::NotFound {
            DataError::NotFound { path: path.to_owned() }
        } else {
            DataError::Io { path: path.to_owned(), source }
        }
    };
    if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        return Ok(Cow::Owned(bytes));
    }
    std::fs::read(path).map(Cow::Owned).map_err(failed)
}

/// The rows of all files, one after another, in the columns of the first.
fn merge(files: Vec<(String, Raw)>) -> Result<Raw, DataError> {
    let mut files = files.into_iter();
    let (first, mut all) = files.next().ok_or(DataError::NoSource)?;
    for (path, raw) in files {
        let Raw { columns, n_rows, notes, .. } = raw;
        let lacks = |columns: &[RawColumn], others: &[RawColumn]| -> Vec<String> {
            let has = |name: &str| columns.iter().any(|column| column.name == name);
            others.iter().filter(|column| !has(&column.name)).map(|column| column.name.clone()).collect()
        };
        let (missing, extra) = (lacks(&columns, &all.columns), lacks(&all.columns, &columns));
        if !missing.is_empty() || !extra.is_empty() {
            return Err(DataError::ColumnsDiffer { first, path, missing, extra });
        }
        for column in columns {
            if let Some(own) = all.columns.iter_mut().find(|own| own.name == column.name) {
                append(&mut own.values, column.values);
            }
        }
        all.n_rows += n_rows;
        for note in notes {
            if !all.notes.contains(&note) {
                all.notes.push(note);
            }
        }
    }
    Ok(all)
}

/// Adds cells to a column; cells of another type make it a column of text.
fn append(own: &mut RawValues, more: RawValues) {
    match (own, more) {
        (RawValues::Number { values, integer }, RawValues::Number { values: more, integer: whole }) => {
            values.extend(more);
            *integer &= whole;
        }
        (RawValues::Boolean(values), RawValues::Boolean(more)) => values.extend(more),
        (RawValues::Datetime(values), RawValues::Datetime(more)) => values.extend(more),
        (own, more) => {
            let mut text = own.to_text();
            for i in 0..more.len() {
                text.push(more.text(i).as_deref());
            }
            *own = RawValues::Text(text);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;
    use crate::{Kind, Profile, Schema, TypeOverrides};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn opened(sources: &[&str]) -> Result<Raw, DataError> {
        let sources: Vec<String> = sources.iter().map(|&source| source.to_owned()).collect();
        open(&sources, &ReadOptions::default())
    }

    #[test]
    fn samples_are_what_their_readme_says() {
        // Rows, columns, target, and what is neither a number nor the target.
        for (name, n_rows, n_columns, target, kind) in [
            ("iris", 150, 5, "species", Kind::Categorical),
            ("wine", 178, 14, "class", Kind::Categorical),
            ("breast_cancer", 569, 31, "diagnosis", Kind::Categorical),
            ("diabetes", 442, 11, "progression", Kind::Numeric),
        ] {
            let raw = opened(&[&format!("open://{name}")]).unwrap();
            assert_eq!((raw.n_rows, raw.columns.len()), (n_rows, n_columns), "{name}");
            let readme = include_str!("../../data/README.md");
            assert!(readme.contains(&raw.sha256), "{name} has SHA-256 {}", raw.sha256);
            let (schema, notes) = Schema::infer(&raw, &TypeOverrides::default()).unwrap();
            assert_eq!(notes, [], "{name}");
            assert_eq!(schema.column(target).unwrap().kind, kind, "{name}");
            let numbers = schema.without(&[target]);
            assert!(
                numbers.columns.iter().all(|column| matches!(column.kind, Kind::Numeric | Kind::Integer)),
                "{name}"
            );
            let (table, coercions) = schema.read(&raw).unwrap();
            assert_eq!((table.n_rows(), coercions.len()), (n_rows, 0), "{name}");
        }
        assert_eq!(sample_names().len(), 4);
    }

    #[test]
    fn iris_has_the_known_figures() {
        // pandas 3.1 on the same file: describe() and duplicated().sum().
        let raw = opened(&["open://iris"]).unwrap();
        let (schema, _) = Schema::infer(&raw, &TypeOverrides::default()).unwrap();
        let (table, _) = schema.read(&raw).unwrap();
        let profile = Profile::of(&table, &schema);
        assert_eq!(profile.duplicate_rows, 1);
        let sepal = profile.column("sepal_length_cm").unwrap();
        assert!((sepal.mean.unwrap() - 5.843_333_333_333_334).abs() < 1e-12);
        assert!((sepal.std.unwrap() - 0.828_066_127_977_863).abs() < 1e-12);
        assert_eq!((sepal.min, sepal.median, sepal.max, sepal.n_unique), (Some(4.3), Some(5.8), Some(7.9), 35));
        let species = profile.column("species").unwrap();
        assert_eq!(
            species.top,
            [("setosa".to_owned(), 50), ("versicolor".to_owned(), 50), ("virginica".to_owned(), 50)]
        );
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes() {
        let plain = read_bytes("a.csv", b"a,b\n1,2\n", &ReadOptions::default()).unwrap();
        let packed = read_bytes("a.csv", &gzip(b"a,b\n1,2\n"), &ReadOptions::default()).unwrap();
        assert_eq!(plain.columns, packed.columns);
        assert_ne!(plain.sha256, packed.sha256);
        let cut = &gzip(b"a,b\n1,2\n")[..15];
        assert!(matches!(read_bytes("a.csv.gz", cut, &ReadOptions::default()), Err(DataError::Gzip { .. })));
        assert!(matches!(read_bytes("a", &gzip(b""), &ReadOptions::default()), Err(DataError::Empty { .. })));
    }

    #[test]
    fn several_files_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("1.csv"), "a,b\n1,x\n").unwrap();
        std::fs::write(path("2.jsonl"), "{\"b\":\"y\",\"a\":2}\n").unwrap();
        std::fs::write(path("3.csv"), "a;c\n1;x\n").unwrap();
        let raw = opened(&[&path("[12].*")]).unwrap();
        assert_eq!((raw.n_rows, raw.names()), (2, vec!["a", "b"]));
        let a = raw.column("a").unwrap().values.to_text();
        assert_eq!(a.iter().collect::<Vec<_>>(), [Some("1"), Some("2")]);
        let error = opened(&[&path("*.csv")]).unwrap_err();
        assert!(error.to_string().ends_with("it lacks `b` and adds `c`"), "{error}");
        assert!(matches!(opened(&[&path("*.tsv")]), Err(DataError::NoMatch { .. })));
        assert!(matches!(opened(&[&path("none.csv")]), Err(DataError::NotFound { .. })));
        assert!(matches!(opened(&[&path("")]), Err(DataError::Io { .. })), "a folder");
        assert!(matches!(opened(&[]), Err(DataError::NoSource)));
        let error = opened(&["open://irsi"]).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean `open://iris`?"));
    }

    #[test]
    fn options_are_checked() {
        let options = ReadOptions { delimiter: Some('€'), ..ReadOptions::default() };
        let error = read_bytes("a", b"a", &options).unwrap_err();
        assert_eq!(error.to_string(), "`€` cannot be used as a delimiter");
        let options = ReadOptions { delimiter: Some(';'), quote: Some(';'), ..ReadOptions::default() };
        assert!(matches!(read_bytes("a", b"a", &options), Err(DataError::BadMark { .. })));
        let options = ReadOptions { format: Some(Format::Parquet), ..ReadOptions::default() };
        assert!(matches!(read_bytes("a.csv", b"a,b\n1,2\n", &options), Err(DataError::Unreadable { .. })));
    }

    /// Whatever is read is a table that its own schema reads.
    fn read_or_refused(name: &str, bytes: &[u8]) {
        if let Ok(raw) = read_bytes(name, bytes, &ReadOptions::default()) {
            assert!(raw.columns.iter().all(|column| column.values.len() == raw.n_rows));
            let (schema, _) = Schema::infer(&raw, &TypeOverrides::default()).unwrap();
            let (table, _) = schema.read(&raw).unwrap();
            assert_eq!(table.n_rows(), raw.n_rows);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read_or_refused("f", &bytes);
        }

        #[test]
        fn near_text_is_read_or_refused(text in "[ab1,;\t|\"' \r\n\u{feff}é-]{0,60}") {
            read_or_refused("f.csv", text.as_bytes());
        }

        #[test]
        fn near_json_is_read_or_refused(
            text in r#"(\{("[ab]":(1|"x"|null|true|\[1\]|1e9|\{\}),?){0,3}\}[
    ]{0,2}){0,4}"#,
        ) {
            read_or_refused("f.jsonl", text.as_bytes());
        }
    }
}
