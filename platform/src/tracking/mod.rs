//! Runs, their child runs, and what is logged to them.

mod journal;
mod lock;
mod project;
mod query;
mod run;
mod write;

pub use journal::SqliteJournal;
pub use lock::RunLock;
pub use query::RunFilter;
pub use run::{MetricPoint, NewRun, Run, RunStatus, RunSummary};

pub(crate) use query::parse_json;
pub(crate) use write::check_run;
