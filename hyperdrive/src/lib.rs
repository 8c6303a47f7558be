//! Hyperparameter search: what to try next, whether a trial is still worth it, and when it is all over.
//!
//! The key decision: **the journal is the truth, and all that an algorithm may see is its left fold, [`History`]**.
//! A [`Sampler`] or an [`EarlyTermination`] policy is a pure function of the history and of randomness keyed by
//! (seed, number of the suggestion); whatever it keeps between calls is a cache. So a search resumes by replay,
//! nothing is pickled, and one law test ([`check_sampler`]) covers every sampler.
//!
//! | question | owner |
//! |---|---|
//! | what to try next, and how far | [`Sampler`] |
//! | is this running trial still worth it | [`EarlyTermination`] |
//! | is it all over | [`Limits`] |
//! | where does it run | [`Executor`] |
//! | what has happened | [`Journal`] |
//!
//! [`run`] drives the five; [`Study`] does the same for whoever would rather ask and tell. What is absent: clocks, files, the environment, threads, async, and any knowledge of
//! machine learning; time comes in as a closure, work goes out through the executor.
//!
//! *A trial reported finished is never lost and never searched again; any other segment is attempted at most
//! `max_retries + 1` times.*
//!
//! ```
//! use hyperdrive::{Dimension, Goal, Ladder, Limits, Objective, Outcome, SamplingAlgorithm};
//! use hyperdrive::{EarlyTerminationPolicy, Space, StudySpec, simulate::SimulatedExecutor};
//!
//! let spec = StudySpec {
//!     search_space: Space::new(vec![Dimension::float("x", -1.0, 1.0)]),
//!     objectives: vec![Objective { metric: "loss".to_owned(), goal: Goal::Minimize }],
//!     sampling_algorithm: SamplingAlgorithm::Random,
//!     early_termination: EarlyTerminationPolicy::None,
//!     limits: Limits { max_trials: Some(20), ..Limits::default() },
//!     ladder: Ladder::single(),
//!     known: Vec::new(),
//!     seed: 7,
//! };
//! let executor = SimulatedExecutor::new(1, |params, _rung, _seed| {
//!     let x = params.float("x").expect("the space has an x");
//!     Outcome::single(x * x, 1.0)
//! });
//! let (ended, _journal) = executor.run(&spec)?;
//! assert_eq!(ended.history.counts().finished, 20);
//! # Ok::<(), hyperdrive::StudyError>(())
//! ```

mod ask_tell;
mod early_termination;
mod error;
mod history;
pub mod insight;
mod journal;
mod keys;
mod limits;
mod numeric;
mod order;
mod params;
mod run;
mod sampler;
pub mod simulate;
mod space;
mod study;
mod trial;

pub use ask_tell::Study;
pub use early_termination::{Decision, EarlyTermination, EarlyTerminationPolicy, Slack, check_early_termination};
pub use error::{JournalError, StudyError};
pub use history::{Counts, History};
pub use journal::{EndReason, Event, FORMAT, Journal, MemoryJournal, Record, check_journal, decode, encode};
pub use keys::{branch, keyed_rng, trial_seed};
pub use limits::{Limits, Order};
pub use params::{Params, Value};
pub use run::{Assignment, Ended, Executor, SegmentEnd, Sitting, Update, run};
pub use sampler::{Brackets, Difference, Promotion, Replay, Sampler, SamplingAlgorithm, Suggestion, check_sampler};
pub use space::{Choice, Dimension, Domain, Scale, Space};
pub use study::{Known, Ladder, MAX_RUNGS, StudySpec};
pub use trial::{
    FailureKind, Fidelity, Goal, Objective, Origin, Outcome, Rank, Rung, Segment, Seq, Trial, TrialId, TrialState,
};
