//! Engines measured beside each other: data sets, budgets and seeds, each run in a process of its own, scored here.
//!
//! The key decision: **an engine is a command**. It is given files, a budget and threads, and leaves predictions; its time,
//! memory and scores are taken from outside, in the same way for all, ours included. Results are appended one by one, so
//! that a benchmark is a folder that fills up.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use automl::Clock;
//! use automl::benchmark::{BenchmarkSession, Suite, run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let suite = Suite::read(Path::new("suite.yml"))?;
//! let outcome = run(&suite, &mut BenchmarkSession {
//!     out: "benchmark-suite".into(),
//!     program: "/usr/local/bin/automl".into(),
//!     jobs: 1,
//!     retry_failed: false,
//!     clock: Clock::start(),
//!     stop: Arc::default(),
//!     narrator: &mut (),
//! })?;
//! for engine in &outcome.summary.budgets[0].engines {
//!     println!("{} {:?}", engine.name, engine.average_rank);
//! }
//! # Ok(())
//! # }
//! ```

mod engine;
mod entry;
mod fields;
mod layout;
mod learn;
mod manifest;
mod process;
mod record;
mod report;
mod run;
mod single;
mod statistics;
mod suite;
mod summary;
mod tally;
mod template;
#[cfg(test)]
mod tests;
mod truth;

pub use engine::{Engine, EngineKind};
pub use learn::{Learned, Learning, in_words, learn_portfolio};
pub use record::Record;
pub use run::{BenchmarkNarrator, BenchmarkOutcome, BenchmarkSession, Plan, run, summarise};
pub use suite::{Dataset, Division, Source, Suite};
pub use summary::{BenchmarkSummary, BudgetSummary, Cell, DatasetSummary, EngineSummary, Failure, Gap};
pub use template::Template;
pub(crate) use template::quoted;
