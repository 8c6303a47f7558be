//! Data sets laid out as files: for each fold rows to learn from, rows to predict without the target, and the truth,
//! which no engine is shown.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use datasets::{Folds, Raw, ReadOptions};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use trainers::Task;

use super::engine::hex;
use super::suite::{Dataset, Division, Source};
use crate::error::AutoMlError;

/// Names of the three files of a fold.
const FILES: [&str; 3] = ["train.csv", "test.csv", "test_target.csv"];
/// Seconds that a download may take.
const DOWNLOAD: &str = "900";
/// Cells of a target that hold no value.
const NO_VALUE: [&str; 8] = ["", "?", "na", "n/a", "nan", "null", "<na>", "#n/a"];

/// One fold of a data set, on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// Which data set of the suite.
    pub(super) dataset: usize,
    pub(super) fold: u32,
    pub(super) train: PathBuf,
    pub(super) test: PathBuf,
    pub(super) truth: PathBuf,
    /// Identifies the content of the three files.
    pub(super) hash: String,
}

/// Lays out every fold of a data set below `folder`, where it is not laid out already.
pub(super) fn lay_out(dataset: &Dataset, index: usize, folder: &Path) -> Result<Vec<Case>, AutoMlError> {
    let home = folder.join(&dataset.name);
    let at = |fold: u32| home.join(format!("fold{fold}"));
    match &dataset.source {
        Source::Laid(folders) => {
            let unpacked = folders.iter().map(|(fold, from)| Ok((*fold, unpack(from, &at(*fold))?)));
            unpacked.map(|found| found.and_then(|(fold, files)| case(index, fold, files))).collect()
        }
        Source::Given { train, test } => {
            let (train, test) = (read(train, folder)?, read(test, folder)?);
            check_target(dataset, &train)?;
            check_target(dataset, &test)?;
            let rows = (with_value(dataset, &train), with_value(dataset, &test));
            Ok(vec![write(dataset, index, 0, (&train, &rows.0), (&test, &rows.1), &at(0))?])
        }
        Source::Divided { data, split, seed } => {
            let raw = read(data, folder)?;
            check_target(dataset, &raw)?;
            let parts = divide(dataset, &raw, *split, *seed)?;
            let parts = parts.iter().zip(0_u32..);
            parts
                .map(|((train, test), fold)| write(dataset, index, fold, (&raw, train), (&raw, test), &at(fold)))
                .collect()
        }
    }
}

/// Reads a table: a file, a sample, or a URL, which is fetched once.
fn read(source: &str, folder: &Path) -> Result<Raw, AutoMlError> {
    let is_remote = ["http://", "https://", "ftp://"].iter().any(|scheme| source.starts_with(scheme));
    let path = if is_remote { fetch(source, folder)?.display().to_string() } else { source.to_owned() };
    Ok(datasets::open(&[path], &ReadOptions::default())?)
}

/// Fetches a URL with `curl`, which this machine must have; what is there already is not fetched again.
fn fetch(url: &str, folder: &Path) -> Result<PathBuf, AutoMlError> {
    let folder = folder.join("downloads");
    make(&folder)?;
    let name = url.rsplit('/').next().unwrap_or_default().split(['?', '#']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    let path = folder.join(format!("{}-{name}", hex(&Sha256::digest(url.as_bytes())[..4])));
    if path.is_file() {
        return Ok(path);
    }
    let part = folder.join(format!("{}.part", hex(&Sha256::digest(url.as_bytes())[..8])));
    let output = Command::new("curl")
        .args(["--fail", "--location", "--silent", "--show-error", "--max-time", DOWNLOAD, "--output"])
        .arg(&part)
        .args(["--", url])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            AutoMlError::Usage(format!("{url}: it is fetched by `curl`, which cannot be started: {error}"))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(AutoMlError::unusable(
            format!("{url}: it cannot be fetched: {said}"),
            "fetch it by hand and name the file",
        ));
    }
    std::fs::rename(&part, &path).map_err(|error| failed(&path, &error))?;
    Ok(path)
}

fn check_target(dataset: &Dataset, raw: &Raw) -> Result<(), AutoMlError> {
    if raw.column(&dataset.target).is_some() {
        return Ok(());
    }
    let near = datasets::nearest(&dataset.target, &raw.names());
    let near = near.map_or_else(String::new, |near| format!("; nearest: `{near}`"));
    let text = format!("data set {}: there is no column `{}`{near}", dataset.name, dataset.target);
    Err(AutoMlError::Usage(text))
}

/// The target as text, `None` where a cell holds no value.
pub(super) fn labels(raw: &Raw, target: &str) -> Option<Vec<Option<String>>> {
    let values = &raw.column(target)?.values;
    let cell = |row| values.text(row).map(|text| text.trim().to_owned()).filter(|text| has_value(text));
    Some((0..raw.n_rows).map(cell).collect())
}

fn has_value(text: &str) -> bool {
    !NO_VALUE.contains(&text.to_lowercase().as_str())
}

/// Rows that have a target.
fn with_value(dataset: &Dataset, raw: &Raw) -> Vec<u32> {
    let labels = labels(raw, &dataset.target).unwrap_or_default();
    labels.iter().zip(0..).filter(|(label, _)| label.is_some()).map(|(_, row)| row).collect()
}

/// Rows to learn from and rows to predict.
type Parts = (Vec<u32>, Vec<u32>);

/// The rows of every fold.
fn divide(dataset: &Dataset, raw: &Raw, split: Division, seed: u64) -> Result<Vec<Parts>, AutoMlError> {
    let rows = with_value(dataset, raw);
    let codes = (dataset.task != Task::Regression).then(|| codes(dataset, raw));
    let codes = codes.as_deref();
    match split {
        Division::Test(share) => Ok(vec![datasets::holdout(&rows, share, codes, None, None, seed)?]),
        Division::Folds(k) => {
            let k = k as usize;
            let folds = match codes {
                Some(codes) => Folds::stratified(&rows, codes, k, seed, None)?,
                None => Folds::plain(&rows, k, seed, None)?,
            };
            Ok(folds.splits.into_iter().map(|split| (split.train.to_vec(), split.valid.to_vec())).collect())
        }
    }
}

/// Each row's class as a number.
fn codes(dataset: &Dataset, raw: &Raw) -> Vec<u32> {
    let mut numbers = std::collections::BTreeMap::new();
    let labels = labels(raw, &dataset.target).unwrap_or_default();
    labels
        .iter()
        .map(|label| {
            let next = numbers.len() as u32;
            *numbers.entry(label.clone()).or_insert(next)
        })
        .collect()
}

/// Writes the three files of a fold.
fn write(
    dataset: &Dataset,
    index: usize,
    fold: u32,
    train: (&Raw, &[u32]),
    test: (&Raw, &[u32]),
    folder: &Path,
) -> Result<Case, AutoMlError> {
    if train.1.is_empty() || test.1.is_empty() {
        let text =
            format!("data set {}: fold {fold} has no row with a target to learn from or to predict", dataset.name);
        return Err(AutoMlError::unusable(text, "the target's cells may be empty, or the split leave no row"));
    }
    make(folder)?;
    let target = dataset.target.as_str();
    let texts = [
        csv(train.0, train.1, |_| true),
        csv(test.0, test.1, |name| name != target),
        csv(test.0, test.1, |name| name == target),
    ];
    let files = FILES.map(|name| folder.join(name));
    for (file, text) in files.iter().zip(&texts) {
        platform::write_atomic(file, text.as_bytes())?;
    }
    case(index, fold, files)
}

/// Rows and columns of a table as comma-separated text.
fn csv(raw: &Raw, rows: &[u32], keep: impl Fn(&str) -> bool) -> String {
    let columns: Vec<_> = raw.columns.iter().filter(|column| keep(&column.name)).collect();
    let header: Vec<String> = columns.iter().map(|column| crate::predict::quoted(&column.name)).collect();
    let mut text = header.join(",");
    text.push('\n');
    for &row in rows {
        for (i, column) in columns.iter().enumerate() {
            let cell = column.values.text(row as usize);
            let cell = crate::predict::quoted(cell.as_deref().unwrap_or_default());
            // A line of one empty cell would be a blank line, which a reader may pass over.
            text.push_str(if columns.len() == 1 && cell.is_empty() { "\"\"" } else { &cell });
            text.push(if i + 1 == columns.len() { '\n' } else { ',' });
        }
    }
    text
}

/// The three files of a folder, unpacked below `to` where they are packed.
fn unpack(from: &Path, to: &Path) -> Result<[PathBuf; 3], AutoMlError> {
    let mut files = FILES.map(|name| from.join(name));
    for (file, name) in files.iter_mut().zip(FILES) {
        let packed = from.join(format!("{name}.gz"));
        if file.is_file() || !packed.is_file() {
            continue;
        }
        let reader = std::fs::File::open(&packed).map_err(|error| failed(&packed, &error))?;
        let mut bytes = Vec::new();
        MultiGzDecoder::new(reader).read_to_end(&mut bytes).map_err(|error| failed(&packed, &error))?;
        make(to)?;
        *file = to.join(name);
        platform::write_atomic(file, &bytes)?;
    }
    Ok(files)
}

fn case(dataset: usize, fold: u32, files: [PathBuf; 3]) -> Result<Case, AutoMlError> {
    let mut hash = Sha256::new();
    for file in &files {
        let bytes = std::fs::read(file).map_err(|error| failed(file, &error))?;
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    let hash = hex(&hash.finalize()[..8]);
    let [train, test, truth] = files;
    Ok(Case { dataset, fold, train, test, truth, hash })
}

pub(super) fn make(folder: &Path) -> Result<(), AutoMlError> {
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> AutoMlError {
    AutoMlError::Usage(format!("{}: {error}", path.display()))
}
