//! Where trials run.

use std::time::Duration;

use crate::params::Params;
use crate::trial::{FailureKind, Origin, Outcome, Rung, Segment, TrialId};

/// One segment to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Its number. A retry has the number of the segment it repeats.
    pub segment: Segment,
    /// The trial it carries on.
    pub trial: TrialId,
    /// The trial's point.
    pub params: Params,
    /// Where it begins. A checkpoint that is gone is made again by running from the start.
    pub origin: Origin,
    /// The rung of the checkpoint it begins from; `None` from nothing.
    pub from: Option<Rung>,
    /// Where it yields.
    pub until: Rung,
    /// From 1.
    pub attempt: u32,
    /// Seed of the trial, the same at every attempt and rung.
    pub seed: u64,
    /// Its own deadline, in seconds from its start; `None` for none, as always in ordered mode.
    pub trial_seconds: Option<f64>,
}

/// What an executor has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A segment crossed a rung: above the one it began from, at most `until`, each once and ascending.
    Reported {
        /// The segment.
        segment: Segment,
        /// Its trial.
        trial: TrialId,
        /// The rung.
        rung: Rung,
        /// What it achieved there. A value that is not finite makes the trial fail.
        outcome: Outcome,
    },
    /// A segment is over; nothing more comes of it. Exactly once for each start.
    Ended {
        /// The segment.
        segment: Segment,
        /// Its trial.
        trial: TrialId,
        /// How.
        end: SegmentEnd,
    },
}

/// How a segment ended.
#[derive(Clone, Debug, PartialEq)]
pub enum SegmentEnd {
    /// It crossed `until`, after reporting there.
    Reached {
        /// Curve of the trainer's own rounds; may be empty. Kept up to the first number that is not finite.
        curve: Vec<f64>,
    },
    /// Its own deadline came, or it was told to stop at the end of the search, and it was scored with what it had.
    Partial {
        /// The score.
        outcome: Outcome,
        /// As above.
        curve: Vec<f64>,
    },
    /// It was told to stop, and did.
    Stopped,
    /// It failed. [`FailureKind::Interrupted`] (a worker died) is tried again, the others are final.
    Failed {
        /// How.
        kind: FailureKind,
        /// Why.
        reason: String,
    },
    /// Ordered mode: it took so much longer than could be that it was given up. The study is then marked as not
    /// reproducible, and the trial as timed out.
    HangGuard,
}

/// Where trials run: threads, processes, machines, or [`crate::simulate`].
pub trait Executor {
    /// How many segments it can take now.
    fn free(&self) -> usize;

    /// Begins a segment. Called only while [`Executor::free`] is above 0.
    fn start(&mut self, assignment: Assignment);

    /// Tells a segment to end soon. It answers with [`Update::Ended`] within about a second, by abandoning work that
    /// does not listen. Ignored for a segment that has ended.
    fn stop(&mut self, trial: TrialId, segment: Segment);

    /// The next update, waiting for it at most `timeout`; `None` if none came.
    fn next(&mut self, timeout: Duration) -> Option<Update>;
}
