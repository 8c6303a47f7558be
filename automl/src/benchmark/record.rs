//! The results: one line of JSON a run, appended and synced, never rewritten but for a half line at its end.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::failed;
use crate::error::AutoMlError;

/// Version of a record.
pub(super) const VERSION: u32 = 1;
/// Name of the file.
const FILE: &str = "results.jsonl";

/// One run of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Version of this form, 1.
    pub version: u32,
    /// Name of the data set.
    pub dataset: String,
    /// The fold of it.
    pub fold: u32,
    /// Seconds that the engine was given.
    pub budget: f64,
    /// The seed that it was given.
    pub seed: u64,
    /// Name of the engine.
    pub engine: String,
    /// Identifies its command, threads, task and metric.
    pub command_hash: String,
    /// What it says of its version; empty where it was not asked.
    pub engine_version: String,
    /// `binary`, `multiclass` or `regression`.
    pub task: String,
    /// The metric that ranks.
    pub metric: String,
    /// Threads that it was given.
    pub threads: usize,
    /// Its score; none where it failed.
    pub score: Option<f64>,
    /// Further scores by their metrics.
    pub metrics: BTreeMap<String, f64>,
    /// The score of the same answer for every row; none where the metric has none.
    pub baseline: Option<f64>,
    /// Wall clock of the command that fits.
    pub fit_seconds: f64,
    /// Wall clock of the command that predicts, where it is one of its own.
    pub predict_seconds: Option<f64>,
    /// CPU seconds of both, over all their processes.
    pub cpu_seconds: f64,
    /// The largest sum of resident memory over all their processes, sampled; bytes.
    pub peak_memory_bytes: u64,
    /// Why there is no score.
    pub error: Option<String>,
    /// The end of what it printed, where it failed.
    pub log_tail: Option<String>,
    /// Load average of a minute when it began; below 0 where the system does not tell.
    pub load_average: f64,
    /// Runs at a time; with more than one, times and scores are not comparable.
    pub jobs: usize,
    /// Identifies the rows it was given.
    pub data_hash: String,
    /// Processor and cores.
    pub machine: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
}

/// What makes a run the same run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) dataset: String,
    pub(super) fold: u32,
    /// Seconds, as text: they are compared as they are written.
    pub(super) budget: String,
    pub(super) seed: u64,
    pub(super) engine: String,
    pub(super) command_hash: String,
}

impl Record {
    pub(super) fn key(&self) -> Key {
        Key {
            dataset: self.dataset.clone(),
            fold: self.fold,
            budget: self.budget.to_string(),
            seed: self.seed,
            engine: self.engine.clone(),
            command_hash: self.command_hash.clone(),
        }
    }
}

/// The file of results, locked while it is held.
#[derive(Debug)]
pub(super) struct Results {
    file: File,
    path: PathBuf,
}

impl Results {
    /// Opens or makes the file in `folder`, and reads what is there. A last line that is none is dropped, with a note.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Record>, Option<String>), AutoMlError> {
        let path = folder.join(FILE);
        let file =
            File::options().read(true).append(true).create(true).open(&path).map_err(|error| failed(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text =
                    format!("{}: another benchmark writes to it: wait for it, or give another --out", path.display());
                return Err(AutoMlError::Usage(text));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&path, &error)),
        }
        let mut results = Self { file, path };
        let (records, note) = results.read()?;
        Ok((results, records, note))
    }

    fn read(&mut self) -> Result<(Vec<Record>, Option<String>), AutoMlError> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0)).map_err(|error| failed(&self.path, &error))?;
        self.file.read_to_end(&mut bytes).map_err(|error| failed(&self.path, &error))?;
        let (records, sound, note) = parse(&bytes).map_err(|reason| {
            AutoMlError::Usage(format!("{}: {reason}: mend or remove the line", self.path.display()))
        })?;
        if sound < bytes.len() {
            self.file.set_len(sound as u64).map_err(|error| failed(&self.path, &error))?;
        } else if bytes.last().is_some_and(|last| *last != b'\n') {
            self.file.write_all(b"\n").map_err(|error| failed(&self.path, &error))?;
        }
        Ok((records, note))
    }

    /// Appends a record: one write, then the disk has it.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), AutoMlError> {
        let text = serde_json::to_string(record).expect("plain values with string keys have a JSON form");
        let line = format!("{text}\n");
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| failed(&self.path, &error))
    }
}

/// Reads records without opening the file for writing; none where there is no file.
pub(super) fn read_only(folder: &Path) -> Result<Vec<Record>, AutoMlError> {
    let path = folder.join(FILE);
    let bytes = std::fs::read(&path).map_err(|error| failed(&path, &error))?;
    let (records, ..) = parse(&bytes).map_err(|reason| AutoMlError::Usage(format!("{}: {reason}", path.display())))?;
    Ok(records)
}

/// Records, how many bytes of them are sound, and a note where the last line is not.
fn parse(bytes: &[u8]) -> Result<(Vec<Record>, usize, Option<String>), String> {
    let (mut records, mut at) = (Vec::new(), 0);
    for (i, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            at += line.len();
            continue;
        }
        match serde_json::from_slice::<Record>(line) {
            Ok(record) if record.version == VERSION => records.push(record),
            Ok(record) => return Err(format!("line {} has version {}, and {VERSION} is read", i + 1, record.version)),
            Err(_) if at + line.len() == bytes.len() => {
                let note =
                    format!("the last line of {FILE} was written by half: it is dropped, and its run runs again");
                return Ok((records, at, Some(note)));
            }
            Err(error) => return Err(format!("line {} is no result: {error}", i + 1)),
        }
        at += line.len();
    }
    Ok((records, at, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn record(dataset: &str, engine: &str, score: Option<f64>) -> Record {
        Record {
            version: VERSION,
            dataset: dataset.into(),
            fold: 0,
            budget: 60.0,
            seed: 1,
            engine: engine.into(),
            command_hash: "0".into(),
            engine_version: String::new(),
            task: "binary".into(),
            metric: "roc_auc".into(),
            threads: 2,
            score,
            metrics: BTreeMap::new(),
            baseline: Some(0.5),
            fit_seconds: 61.0,
            predict_seconds: None,
            cpu_seconds: 100.0,
            peak_memory_bytes: 1000,
            error: score.is_none().then(|| "exit status 1".into()),
            log_tail: None,
            load_average: 0.0,
            jobs: 1,
            data_hash: "d".into(),
            machine: String::new(),
            started_ms: 0,
        }
    }

    #[test]
    fn what_was_written_is_read_and_a_half_line_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut results, records, note) = Results::open(folder.path()).expect("a new file");
        assert!(records.is_empty() && note.is_none());
        let (a, b) = (record("a", "x", Some(0.1 + 0.2)), record("b", "x", None));
        results.append(&a).expect("written");
        results.append(&b).expect("written");
        assert!(Results::open(folder.path()).expect_err("it is held").to_string().contains("another benchmark"));
        drop(results);
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).expect("the file");
        for cut in [1, 40, 200] {
            // With or without the end of a line, for a disk may lose either.
            for end in ["", "\n"] {
                let mut text = whole[..whole.len() - cut].to_vec();
                let is_whole = cut == 1;
                text.extend(end.as_bytes());
                std::fs::write(&path, &text).expect("written");
                let (mut results, records, note) = Results::open(folder.path()).expect("it opens");
                assert_eq!((records.len(), note.is_none()), (1 + usize::from(is_whole), is_whole), "{cut}");
                if !is_whole {
                    results.append(&b).expect("written");
                }
                drop(results);
                assert_eq!(std::fs::read(&path).expect("the file"), whole);
            }
        }
        let mut text = b"{\"version\":1}\n".to_vec();
        text.extend(&whole);
        std::fs::write(&path, text).expect("written");
        let error = Results::open(folder.path()).expect_err("a bad line that is not the last").to_string();
        assert!(error.contains("line 1 is no result") && error.contains("mend"), "{error}");
    }
}
