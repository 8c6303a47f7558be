//! Everything that can go wrong in a workspace.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ffi;
use thiserror::Error;

use crate::ids::RunId;

/// What can go wrong in a workspace, by what the caller can do about it.
///
/// Messages are fragments that name the thing and its value; [`PlatformError::hint`] says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// There is no workspace where one was asked for.
    #[error("no workspace at {}", path.display())]
    NoWorkspace {
        /// The folder that was looked at.
        path: PathBuf,
    },
    /// The workspace was written by a newer program; nothing was touched.
    #[error("the workspace {} has format {found}, this program reads formats up to {supported}", path.display())]
    NewerFormat {
        /// The database file.
        path: PathBuf,
        /// Format number in the file.
        found: u32,
        /// Highest format number this program reads.
        supported: u32,
    },
    /// The file or folder may not be written.
    #[error("{} cannot be written: {reason}", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The disk or a quota is full.
    #[error("no space left for {}: {reason}", path.display())]
    NoSpace {
        /// The file that did not fit.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The database is not one of ours, or is damaged.
    #[error("the workspace database {} is damaged: {reason}", path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A stored artifact no longer has the bytes that were put there.
    #[error("artifact `{path}` is damaged: {reason}")]
    CorruptArtifact {
        /// Logical path of the artifact, or the reference of the model.
        path: String,
        /// The hash that was recorded.
        sha256: String,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// Another process held the database, or wrote to the same journal.
    #[error("{action}: the workspace is busy: {reason}")]
    Busy {
        /// What was being done.
        action: String,
        /// Who was in the way.
        reason: String,
    },
    /// Another process is working on this run.
    #[error("run `{run}` is being worked on by {}", match pid { Some(pid) => format!("process {pid}"), None => "another process".to_owned() })]
    RunBusy {
        /// The run.
        run: RunId,
        /// The process that holds it, where it has said so.
        pid: Option<u32>,
    },
    /// No run has this id or begins like this.
    #[error("no run `{name}`{}", did_you_mean(nearest.as_deref()))]
    UnknownRun {
        /// What was asked for.
        name: String,
        /// The id nearest to it in spelling.
        nearest: Option<String>,
    },
    /// Several runs begin like this.
    #[error("`{prefix}` begins {} runs: {}{}", matches.len(), matches.iter().take(5).cloned().collect::<Vec<_>>().join(", "), if matches.len() > 5 { ", …" } else { "" })]
    AmbiguousRun {
        /// What was asked for.
        prefix: String,
        /// The ids that begin with it, newest first.
        matches: Vec<String>,
    },
    /// A run of this id exists already.
    #[error("run `{run}` exists already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// No model of this name is registered.
    #[error("no model `{name}`{}", did_you_mean(nearest.as_deref()))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The registered name nearest to it in spelling.
        nearest: Option<String>,
    },
    /// The model has no such version or alias.
    #[error("model `{name}` has no version or alias `{version}`; it has {}", known.join(", "))]
    UnknownVersion {
        /// Name of the model.
        name: String,
        /// What was asked for after the `@`.
        version: String,
        /// What could have been asked for.
        known: Vec<String>,
    },
    /// The run has no artifact of this path, or a version is to be registered whose bytes were never put.
    #[error("run `{run}` has no artifact `{path}`")]
    UnknownArtifact {
        /// The run.
        run: RunId,
        /// Logical path, or the hash.
        path: String,
    },
    /// A name, path or value that is refused before anything is written.
    #[error("{what} `{value}`: {reason}")]
    Invalid {
        /// The kind of thing: "run id", "artifact path", "metric".
        what: &'static str,
        /// The value itself.
        value: String,
        /// What it should have been.
        reason: String,
    },
    /// A file operation failed for another reason.
    #[error("{action} {}", path.display())]
    Io {
        /// What was being done, as "reading".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The database failed for another reason.
    #[error("{action} in the workspace database")]
    Storage {
        /// What was being done.
        action: String,
        /// What `SQLite` said.
        #[source]
        source: rusqlite::Error,
    },
    /// A JSON value in the database could not be read or written.
    #[error("{what} is not valid JSON")]
    Json {
        /// The value.
        what: String,
        /// Where it broke.
        #[source]
        source: serde_json::Error,
    },
}

impl PlatformError {
    /// What a person can do about it, as a sentence without a full stop; `None` where the message says it all.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoWorkspace { .. } => {
                "run `automl fit` in this folder to make one, or name one with --workspace DIR".to_owned()
            }
            Self::NewerFormat { .. } => "update automl, or name another workspace with --workspace DIR".to_owned(),
            Self::ReadOnly { .. } => "make the folder writable, or name another with --workspace DIR".to_owned(),
            Self::NoSpace { .. } => {
                "free some space and resume the run; everything reported finished is kept".to_owned()
            }
            Self::Corrupt { path, .. } => format!(
                "keep {} aside and restore a copy, or name another workspace with --workspace DIR",
                path.display()
            ),
            Self::CorruptArtifact { .. } => {
                "restore the artifacts folder from a copy, or fit the model again".to_owned()
            }
            Self::Busy { .. } => "wait for the other process to end, then try again".to_owned(),
            Self::RunBusy { .. } => "wait for it to end, or stop it with Ctrl-C where it runs".to_owned(),
            Self::UnknownRun { .. } => "`automl run list` shows the runs".to_owned(),
            Self::AmbiguousRun { .. } => "give more of the id".to_owned(),
            Self::UnknownModel { .. } | Self::UnknownVersion { .. } => {
                "`automl model list` shows the models".to_owned()
            }
            Self::RunExists { .. }
            | Self::UnknownArtifact { .. }
            | Self::Invalid { .. }
            | Self::Io { .. }
            | Self::Storage { .. }
            | Self::Json { .. } => return None,
        })
    }

    /// Sorts a failed file operation into the variant that says what to do.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if action != "reading" => {
                Self::ReadOnly { path, reason: source.to_string() }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::NoSpace { path, reason: source.to_string() }
            }
            _ => Self::Io { action, path, source },
        }
    }

    /// Sorts a failed database operation into the variant that says what to do.
    pub(crate) fn sqlite(action: &str, path: &Path, source: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = &source else {
            return Self::Storage { action: action.to_owned(), source };
        };
        let (path, reason) = (path.to_path_buf(), source.to_string());
        match failure.code {
            rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked => {
                Self::Busy { action: action.to_owned(), reason: "another process is writing".to_owned() }
            }
            rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied => {
                Self::ReadOnly { path, reason }
            }
            rusqlite::ErrorCode::DiskFull => Self::NoSpace { path, reason },
            rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase => Self::Corrupt { path, reason },
            // SQLite names a short read when pages are missing at the end of the file.
            rusqlite::ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHORT_READ => {
                Self::Corrupt { path, reason }
            }
            // A quota or a file size limit shows as a failed write, not as a full disk.
            rusqlite::ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_WRITE => {
                Self::NoSpace { path, reason }
            }
            _ => Self::Storage { action: action.to_owned(), source },
        }
    }

    /// A value refused before anything is written.
    pub(crate) fn invalid(what: &'static str, value: &str, reason: impl Into<String>) -> Self {
        Self::Invalid { what, value: value.to_owned(), reason: reason.into() }
    }
}

/// The end of a message about a name that was not found.
fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_errors_are_sorted_by_what_to_do() {
        let sorted = |action, kind| PlatformError::io(action, Path::new("x"), io::Error::from(kind));
        let permission = io::ErrorKind::PermissionDenied;
        assert!(matches!(sorted("writing", permission), PlatformError::ReadOnly { .. }));
        assert!(matches!(sorted("reading", permission), PlatformError::Io { .. }));
        let read_only = io::ErrorKind::ReadOnlyFilesystem;
        assert!(matches!(sorted("creating", read_only), PlatformError::ReadOnly { .. }));
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(matches!(sorted("writing", kind), PlatformError::NoSpace { .. }));
        }
        assert!(matches!(sorted("reading", io::ErrorKind::NotFound), PlatformError::Io { .. }));
    }

    #[test]
    fn database_errors_are_sorted_by_what_to_do() {
        let sorted = |code| {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            PlatformError::sqlite("writing", Path::new("automl.db"), failure)
        };
        assert!(matches!(sorted(ffi::SQLITE_BUSY), PlatformError::Busy { .. }));
        assert!(matches!(sorted(ffi::SQLITE_READONLY), PlatformError::ReadOnly { .. }));
        assert!(matches!(sorted(ffi::SQLITE_CANTOPEN), PlatformError::ReadOnly { .. }));
        assert!(matches!(sorted(ffi::SQLITE_FULL), PlatformError::NoSpace { .. }));
        assert!(matches!(sorted(ffi::SQLITE_CORRUPT), PlatformError::Corrupt { .. }));
        assert!(matches!(sorted(ffi::SQLITE_NOTADB), PlatformError::Corrupt { .. }));
        assert!(matches!(sorted(ffi::SQLITE_IOERR_SHORT_READ), PlatformError::Corrupt { .. }));
        assert!(matches!(sorted(ffi::SQLITE_IOERR_WRITE), PlatformError::NoSpace { .. }));
        assert!(matches!(sorted(ffi::SQLITE_MISUSE), PlatformError::Storage { .. }));
    }

    #[test]
    fn messages_name_the_thing_and_hints_say_what_to_do() {
        let error = PlatformError::UnknownModel { name: "chrun".to_owned(), nearest: Some("churn".to_owned()) };
        assert_eq!(error.to_string(), "no model `chrun`; did you mean `churn`?");
        assert_eq!(error.hint().as_deref(), Some("`automl model list` shows the models"));

        let error = PlatformError::AmbiguousRun {
            prefix: "ch".to_owned(),
            matches: (0..7).map(|n| format!("churn-{n}")).collect(),
        };
        assert_eq!(error.to_string(), "`ch` begins 7 runs: churn-0, churn-1, churn-2, churn-3, churn-4, …");

        let error = PlatformError::RunBusy { run: RunId::new("churn", 0x3f2a), pid: Some(12) };
        assert_eq!(error.to_string(), "run `churn-3f2a` is being worked on by process 12");
    }
}
