//! A trial, its parts and its states.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::params::Params;

/// Number of a trial in its study, from 0 in the order of suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrialId(pub u32);

/// Index into the study's ladder of [`Fidelity`], from 0; the last is the top rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rung(pub u16);

/// Number of a suggestion, from 0, and of the run it led to.
///
/// A retry of an interrupted run keeps the number; a wait has a number and an empty run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Segment(pub u32);

/// Number of a record in its journal, dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

macro_rules! plain_number {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
plain_number!(TrialId, Rung, Segment, Seq);

/// Whether more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Greater values are better.
    Maximize,
    /// Smaller values are better.
    Minimize,
}

impl Goal {
    /// Whether `a` is strictly better than `b`; false where either is NaN.
    pub fn better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Maximize => a > b,
            Self::Minimize => a < b,
        }
    }

    /// The value with its sign set so that smaller is better.
    pub fn loss(self, value: f64) -> f64 {
        match self {
            Self::Maximize => -value,
            Self::Minimize => value,
        }
    }
}

/// One thing to be made large or small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// Name of the metric, as it is reported.
    pub metric: String,
    /// Which way is better.
    pub goal: Goal,
}

/// What a trial has achieved at one rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// One finite value for each objective of the study, in its order.
    pub values: Vec<f64>,
    /// Constraints, each kept where it is at most 0. May be empty.
    pub constraints: Vec<f64>,
    /// What this *segment* has cost from its start to this report: seconds in arrival order, work units in
    /// ordered mode. Earlier segments of the same trial are not counted again.
    pub cost: f64,
}

impl Outcome {
    /// One value, no constraints.
    pub fn single(value: f64, cost: f64) -> Self {
        Self { values: vec![value], constraints: Vec::new(), cost }
    }

    /// Its place among outcomes of the same rung: the smaller, the better.
    pub fn rank(&self, goal: Goal) -> Rank {
        let loss = self.values.first().map_or(f64::INFINITY, |value| goal.loss(*value));
        // Adding 0 turns -0 into 0, which the total order would tell apart.
        Rank { violation: self.violation() + 0.0, loss: loss + 0.0 }
    }

    /// By how much the constraints are broken in sum; 0 when all hold.
    pub fn violation(&self) -> f64 {
        self.constraints.iter().map(|c| c.max(0.0)).sum()
    }
}

/// How an outcome compares with others of the same rung: first by how much it breaks its constraints, then by the
/// first objective. Smaller is better.
#[derive(Clone, Copy, Debug)]
pub struct Rank {
    violation: f64,
    loss: f64,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.violation.total_cmp(&other.violation).then(self.loss.total_cmp(&other.loss))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rank {}

/// How much of a full evaluation one rung is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fidelity {
    /// Fraction of the training rows, in (0, 1].
    pub rows: f64,
    /// Number of cross-validation folds evaluated, at least 1.
    pub folds: u16,
    /// Fraction of the trainer's own rounds or epochs, in (0, 1].
    pub work: f64,
}

/// Where a trial's run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From nothing.
    New,
    /// From its own checkpoint: it had been paused.
    Resume,
    /// From another trial's checkpoint.
    From(TrialId),
}

/// Why a trial failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It reported an error, or a value that is no number.
    Error,
    /// It panicked.
    Panicked,
    /// It passed its own deadline with nothing to score, or did not stop when told.
    TimedOut,
    /// The process that ran it died. Retried up to `max_retries` times before it becomes final.
    Interrupted,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed out",
            Self::Interrupted => "interrupted",
        })
    }
}

/// Where a trial stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TrialState {
    /// Under way to `until` (or, after a crash, waiting to be retried).
    Running {
        /// Where it will yield.
        until: Rung,
    },
    /// Arrived below the top rung; a sampler may resume it.
    Paused {
        /// Where it arrived.
        rung: Rung,
    },
    /// Final, with a result.
    Finished {
        /// Whether its own deadline came before the top rung: scored with what it had.
        partial: bool,
    },
    /// Final: early termination or the end of the search stopped it.
    Stopped {
        /// The highest rung it had reported; also 0 where it had reported none (see [`Trial::reports`]).
        rung: Rung,
        /// Why.
        reason: String,
    },
    /// Final, without a result.
    Failed {
        /// How.
        kind: FailureKind,
        /// Why.
        reason: String,
    },
}

impl TrialState {
    /// What it is, to follow "the trial".
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Running { until } => format!("runs until rung {until}"),
            Self::Paused { rung } => format!("is paused at rung {rung}"),
            Self::Finished { .. } => "has finished".to_owned(),
            Self::Stopped { reason, .. } => format!("was stopped ({reason})"),
            Self::Failed { kind, reason } => format!("has failed ({kind}: {reason})"),
        }
    }
}

/// One point of the space and all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Its number.
    pub id: TrialId,
    /// The point.
    pub params: Params,
    /// Where its first segment began.
    pub origin: Origin,
    /// Where it stands.
    pub state: TrialState,
    /// Outcome at each rung it has reported, ascending.
    pub reports: Vec<(Rung, Outcome)>,
    /// The record of each report, counted as the history counts.
    pub reported: Vec<Seq>,
    /// The record that ended it for good; in a filtered history, the one with which it ended as far as that shows.
    pub ended: Option<Seq>,
    /// What it had at its own deadline, if it finished as partial. At no rung, so never compared with one.
    pub partial: Option<Outcome>,
    /// The whole curve of the trainer's own rounds, once finished; may be empty.
    pub curve: Vec<f64>,
    /// Cost over all its segments: seconds in arrival order, work units in ordered mode.
    pub cost: f64,
    /// Attempts at its latest segment so far, from 1.
    pub attempts: u32,
    /// Seconds the sampler took to suggest its segments; 0 in ordered mode.
    pub suggest_seconds: f64,
    /// Its latest segment.
    pub segment: Segment,
}

impl Trial {
    /// The first objective: of the partial result if it has one, otherwise at its highest rung.
    pub fn value(&self) -> Option<f64> {
        self.result().and_then(|outcome| outcome.values.first().copied())
    }

    /// The outcome reported at exactly `rung`.
    pub fn at(&self, rung: Rung) -> Option<&Outcome> {
        self.reports.iter().find(|(at, _)| *at == rung).map(|(_, outcome)| outcome)
    }

    /// The partial result if it has one, otherwise the outcome at its highest rung.
    pub fn result(&self) -> Option<&Outcome> {
        self.partial.as_ref().or_else(|| self.reports.last().map(|(_, outcome)| outcome))
    }

    /// The highest rung it has reported.
    pub fn rung(&self) -> Option<Rung> {
        self.reports.last().map(|(rung, _)| *rung)
    }

    /// Whether it is under way.
    pub fn is_running(&self) -> bool {
        matches!(self.state, TrialState::Running { .. })
    }

    /// Whether it finished at the top rung.
    pub fn is_complete(&self) -> bool {
        matches!(self.state, TrialState::Finished { partial: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_prefers_kept_constraints_then_the_goal() {
        let outcome = |value, constraints| Outcome { values: vec![value], constraints, cost: 0.0 };
        let (good, poor) = (outcome(0.9, vec![-1.0]), outcome(0.1, vec![0.0]));
        let broken = outcome(1.0, vec![0.5, -3.0]);
        let rank = |outcome: &Outcome| outcome.rank(Goal::Maximize);
        assert!(rank(&good) < rank(&poor));
        assert!(rank(&poor) < rank(&broken));
        assert!(poor.rank(Goal::Minimize) < good.rank(Goal::Minimize));
        assert_eq!(outcome(0.0, vec![]).rank(Goal::Maximize), outcome(-0.0, vec![]).rank(Goal::Maximize));
    }

    #[test]
    fn better_is_strict() {
        assert!(Goal::Maximize.better(2.0, 1.0) && !Goal::Maximize.better(1.0, 1.0));
        assert!(Goal::Minimize.better(1.0, 2.0) && !Goal::Minimize.better(f64::NAN, 2.0));
    }
}
