//! One sitting of a study: from its start or resume to its end.

use std::time::Duration;

use super::driver::drive;
use super::executor::Executor;
use crate::error::StudyError;
use crate::history::History;
use crate::journal::{EndReason, Journal, Record};
use crate::order::Policies;
use crate::study::StudySpec;

/// What the outside world lends to one sitting of a study.
pub struct Sitting<'a> {
    /// Where the study is remembered; empty for a new one.
    pub journal: &'a mut dyn Journal,
    /// Where its trials run.
    pub executor: &'a mut dyn Executor,
    /// Time since this sitting began, never going back. Time for the search counts from its zero.
    pub clock: &'a dyn Fn() -> Duration,
    /// Whether the user has asked to stop. Asked at least every 50 ms of the clock.
    pub stop: &'a dyn Fn() -> bool,
    /// Called with each record once it is in the journal, in order. The history may be ahead by the rest of the
    /// batch the record was appended with.
    pub observe: &'a mut dyn FnMut(&Record, &History),
}

/// How a sitting ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// All that has happened.
    pub history: History,
    /// Why it ended.
    pub reason: EndReason,
}

/// Runs a study until it is over, from its start or from wherever its journal ends.
///
/// With records in the journal it resumes: they are replayed, segments left open are tried again first (or given up
/// after `max_retries`), and the search goes on under the limits of `spec` and in its space, which may have grown
/// ([`crate::Space::extends`]); in everything else it must be the specification the study was created with.
pub fn run(spec: &StudySpec, sitting: Sitting<'_>) -> Result<Ended, StudyError> {
    spec.check()?;
    drive(spec, spec.sampling_algorithm.build(), Policies::specified(&spec.early_termination), sitting)
}
