//! What is remembered: the workspace, its runs, their journal and artifacts, and the model registry.
//!
//! The key decision: **one folder holds everything, and the journal in it is the truth**. A [`Workspace`] is a
//! folder (`.automl/`) with an embedded `SQLite` database and a store of artifacts addressed by their SHA-256:
//!
//! ```text
//! .automl/automl.db               runs, metrics, journals, registry (WAL; format number in `user_version`)
//! .automl/artifacts/ab/cdef…      bytes, written once, named by their hash, verified whenever they are read
//! .automl/runs/<id>/report.html   files for people, and the lock of a run that is being worked on
//! ```
//!
//! A search writes only to its [`SqliteJournal`]; the rows of its child runs (parameters, metrics, status) are
//! projections made in the same transaction, for people to look at, and no search ever reads them back.
//!
//! What a batch that was acknowledged survives: journal batches that start or end a trial or a study, registry
//! writes, the making of runs, their status and their documents survive the loss of power
//! (`synchronous = FULL`); metrics, parameters and tags survive the death of the process.
//!
//! Absent, on purpose: clocks (every time stamp is an argument, in milliseconds since 1970), the network,
//! anything async, and all knowledge of algorithms.

mod artifact;
mod error;
mod host;
mod ids;
mod nearest;
mod registry;
mod store;
#[cfg(test)]
mod testing;
mod tracking;
mod workspace;

pub use artifact::{Artifact, write_atomic};
pub use error::PlatformError;
pub use host::{GitFacts, HostFacts, git_facts, host_facts, peak_rss_bytes};
pub use ids::{ModelName, ModelVersion, RunId};
pub use registry::{NewVersion, RegisteredVersion};
pub use tracking::{MetricPoint, NewRun, Run, RunFilter, RunLock, RunStatus, RunSummary, SqliteJournal};
pub use workspace::Workspace;
