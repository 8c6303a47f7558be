//! What a journal holds.

use serde::{Deserialize, Serialize};

use crate::error::JournalError;
use crate::limits::Limits;
use crate::params::{Params, Value};
use crate::space::Space;
use crate::study::StudySpec;
use crate::trial::{FailureKind, Origin, Outcome, Rung, Segment, Seq, TrialId};

/// The format [`Event::Created`] states.
pub const FORMAT: u32 = 1;

/// One event with its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its place, dense from 0.
    pub seq: Seq,
    /// What happened.
    pub event: Event,
}

/// What happened in a study. Only decision points: a trainer's own rounds are not here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The study began. Always, and only, the first.
    Created {
        /// Format of the events, [`FORMAT`].
        format: u32,
        /// The whole specification.
        spec: StudySpec,
    },
    /// A later sitting began. Segments left open are interrupted: they will be tried again or given up.
    Resumed {
        /// The limits from here on.
        limits: Limits,
        /// Seconds of search spent in earlier sittings.
        spent_seconds: f64,
        /// The search space from here on, where it has grown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        space: Option<Space>,
    },
    /// A segment began, or began again.
    Started {
        /// Its number: the next one, or with `attempt` above 1 that of an open segment.
        segment: Segment,
        /// The trial it carries on.
        trial: TrialId,
        /// The trial's point.
        params: Params,
        /// Where it begins.
        origin: Origin,
        /// The rung of the checkpoint it begins from.
        from: Option<Rung>,
        /// Where it will yield.
        until: Rung,
        /// From 1.
        attempt: u32,
        /// The last record the suggestion saw; in ordered mode counted in canonical order. In arrival order it may be
        /// an earlier one than the last before this: then the suggestion was made ahead.
        saw: Seq,
        /// How long the suggestion took; 0 in ordered mode and for a retry.
        suggest_seconds: f64,
    },
    /// Ordered mode: a suggestion to wait, which takes a number and runs nothing.
    Waited {
        /// Its number.
        segment: Segment,
        /// As in [`Event::Started`].
        saw: Seq,
    },
    /// A running trial crossed a rung.
    Reported {
        /// Its segment.
        segment: Segment,
        /// The trial.
        trial: TrialId,
        /// The rung.
        rung: Rung,
        /// What it achieved there.
        outcome: Outcome,
    },
    /// The segment arrived where it was to yield, below the top rung.
    Paused {
        /// Its segment.
        segment: Segment,
        /// The trial.
        trial: TrialId,
    },
    /// The trial is done and has a result.
    Finished {
        /// Its segment.
        segment: Segment,
        /// The trial.
        trial: TrialId,
        /// Whether its deadline came before the top rung.
        partial: bool,
        /// The result: at the top rung, or what it had.
        outcome: Outcome,
        /// Curve of the trainer's own rounds; may be empty.
        curve: Vec<f64>,
    },
    /// The trial was stopped for good.
    Stopped {
        /// Its segment.
        segment: Segment,
        /// The trial.
        trial: TrialId,
        /// Why.
        reason: String,
    },
    /// The trial failed for good.
    Failed {
        /// Its segment.
        segment: Segment,
        /// The trial.
        trial: TrialId,
        /// How.
        kind: FailureKind,
        /// Why.
        reason: String,
    },
    /// The hang guard of ordered mode fired on a trial: the study is not reproducible.
    HangGuard {
        /// The trial.
        trial: TrialId,
    },
    /// The sitting came to an orderly end. Only a resume can follow.
    Ended {
        /// Why.
        reason: EndReason,
        /// Seconds of search spent, over all sittings.
        spent_seconds: f64,
    },
}

/// Why a sitting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// All the trials asked for are done.
    MaxTrials,
    /// The time for the search is spent.
    SearchTime,
    /// The cost allowed is spent.
    MaxCost,
    /// The best trial is as good as was asked for.
    Target,
    /// So many trials finished without a new best.
    NoImprovement,
    /// The user stopped it.
    Stopped,
    /// The sampler has nothing more to suggest.
    Exhausted,
}

impl Event {
    /// Its name, as it stands in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Resumed { .. } => "resumed",
            Self::Started { .. } => "started",
            Self::Waited { .. } => "waited",
            Self::Reported { .. } => "reported",
            Self::Paused { .. } => "paused",
            Self::Finished { .. } => "finished",
            Self::Stopped { .. } => "stopped",
            Self::Failed { .. } => "failed",
            Self::HangGuard { .. } => "hang_guard",
            Self::Ended { .. } => "ended",
        }
    }

    /// The segment it belongs to, if it belongs to one.
    pub fn segment(&self) -> Option<Segment> {
        match self {
            Self::Started { segment, .. }
            | Self::Waited { segment, .. }
            | Self::Reported { segment, .. }
            | Self::Paused { segment, .. }
            | Self::Finished { segment, .. }
            | Self::Stopped { segment, .. }
            | Self::Failed { segment, .. } => Some(*segment),
            Self::Created { .. } | Self::Resumed { .. } | Self::HangGuard { .. } | Self::Ended { .. } => None,
        }
    }

    /// Refuses numbers that JSON cannot hold. Every journal calls this on each event of a batch before it writes
    /// the first.
    pub fn check(&self) -> Result<(), JournalError> {
        match self {
            Self::Created { spec, .. } => spec.check_finite(),
            Self::Resumed { limits, spent_seconds, space } => {
                limits.check_finite()?;
                space.as_ref().map_or(Ok(()), Space::check_finite)?;
                finite("spent_seconds", *spent_seconds)
            }
            Self::Started { params, suggest_seconds, .. } => {
                params.check_finite()?;
                finite("suggest_seconds", *suggest_seconds)
            }
            Self::Reported { outcome, .. } => outcome.check_finite(),
            Self::Finished { outcome, curve, .. } => {
                outcome.check_finite()?;
                curve.iter().try_for_each(|&x| finite("curve", x))
            }
            Self::Ended { spent_seconds, .. } => finite("spent_seconds", *spent_seconds),
            Self::Waited { .. }
            | Self::Paused { .. }
            | Self::Stopped { .. }
            | Self::Failed { .. }
            | Self::HangGuard { .. } => Ok(()),
        }
    }
}

pub(crate) fn finite(name: &str, value: f64) -> Result<(), JournalError> {
    if value.is_finite() { Ok(()) } else { Err(JournalError::NotFinite { name: name.to_owned(), value }) }
}

impl Limits {
    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        let all = [
            ("search_seconds", self.search_seconds),
            ("trial_seconds", self.trial_seconds),
            ("max_cost", self.max_cost),
            ("target", self.target),
        ];
        all.into_iter().try_for_each(|(name, value)| value.map_or(Ok(()), |x| finite(name, x)))
    }
}

impl Params {
    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        self.iter().try_for_each(|(key, value)| match value {
            Value::Float(x) => finite(key, *x),
            Value::Int(_) | Value::Text(_) | Value::Bool(_) => Ok(()),
        })
    }
}

impl Outcome {
    pub(crate) fn check_finite(&self) -> Result<(), JournalError> {
        self.values.iter().try_for_each(|&x| finite("values", x))?;
        self.constraints.iter().try_for_each(|&x| finite("constraints", x))?;
        finite("cost", self.cost)
    }
}
