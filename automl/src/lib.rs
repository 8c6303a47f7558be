//! The `AutoML` engine: composes `datasets`, `hyperdrive`, `trainers` and `platform` into one call.
//!
//! The key decision: **this crate implements no algorithm, no sampler and no storage**. It decides what is decided once
//! ([`prepare`]), describes the candidates ([`candidate`]), runs the search on threads, chooses an ensemble from
//! out-of-fold predictions, scores it on rows nothing was chosen on, and writes it down ([`Summary`]).
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use automl::{AutoMl, AutoMlSpec, Clock, Session, Silent};
//! use platform::Workspace;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut spec = AutoMlSpec::new("churn.csv", "churned");
//! spec.budget.time_limit = Some("60s".parse()?);
//! let workspace = Workspace::find_or_create(None, &std::env::current_dir()?)?;
//! let summary = AutoMl::new(spec)?.fit(&mut Session {
//!     workspace: &workspace,
//!     clock: Clock::start(),
//!     stop: Arc::default(),
//!     narrator: &mut Silent,
//!     command_line: Vec::new(),
//! })?;
//! println!("{} scores {} {:.3}", summary.model.name, summary.score.metric, summary.score.value);
//! # Ok(())
//! # }
//! ```

pub mod benchmark;
pub mod candidate;
pub mod cli;
mod clock;
mod conclude;
mod ensemble;
mod error;
pub mod featurization;
mod fit;
mod guardrail;
mod leaderboard;
pub mod life;
mod mlflow;
mod portfolio;
mod predict;
pub mod prepare;
mod report;
mod search;
mod spec;
pub mod sweep;

pub use clock::{Clock, unix_ms};
pub use error::AutoMlError;
pub use fit::{AutoMl, Extra, FIT, MODEL, More, Narrator, SUMMARY, Session, Silent};
pub use guardrail::{AzureGuardrail, Check, CheckState};
pub use leaderboard::{
    Cost, DataSummary, DependenceSummary, EnsembleSummary, FromSummary, GoalSummary, ModelSummary, Row,
    SUMMARY_VERSION, Score, SearchSummary, StackingGuard, Summary, Threshold, WeightSummary,
};
pub use mlflow::mlflow_folder;
pub use search::{BestTrial, Picture, RunningTrial, Status, WORKER};
pub use spec::{AutoMlSpec, Budget, Bytes, Micros, SPEC_VERSION, Seconds, SplitSpec, WarmStart, available_cores};
