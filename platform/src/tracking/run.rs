//! What a run is.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::ids::RunId;

/// One run: a search, one of its trials, or another step, with all that was logged to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The run that it is a part of.
    pub parent: Option<RunId>,
    /// What sort of run it is: "fit", "trial", …
    pub kind: String,
    /// Its name for people.
    pub name: String,
    /// Whether it is at work, and how it ended.
    pub status: RunStatus,
    /// What resuming it needs, versioned by whoever wrote it.
    pub spec: serde_json::Value,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// What it was given.
    pub params: BTreeMap<String, String>,
    /// The latest value of each metric: that of the highest step, then the latest time stamp.
    pub metrics: BTreeMap<String, f64>,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended, in milliseconds since 1970; `None` while it has not.
    pub ended_ms: Option<i64>,
    /// Its artifacts, by path.
    pub artifacts: Vec<Artifact>,
}

/// A run to be made; it starts as [`RunStatus::Running`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// Its id; no other run may have it.
    pub id: RunId,
    /// The run that it is a part of; that must exist.
    pub parent: Option<RunId>,
    /// What sort of run it is: "fit", "trial", …
    pub kind: String,
    /// Its name for people.
    pub name: String,
    /// What resuming it needs, versioned by whoever wrote it.
    pub spec: serde_json::Value,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
}

/// A line in a list of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// The run that it is a part of.
    pub parent: Option<RunId>,
    /// What sort of run it is: "fit", "trial", …
    pub kind: String,
    /// Its name for people.
    pub name: String,
    /// Whether it is at work, and how it ended.
    pub status: RunStatus,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// The latest value of each metric.
    pub metrics: BTreeMap<String, f64>,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended, in milliseconds since 1970; `None` while it has not.
    pub ended_ms: Option<i64>,
    /// How many runs are parts of it.
    pub n_children: u32,
}

/// Whether a run is at work, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// At work, or its process died without a word.
    Running,
    /// It did what it was asked to do.
    Finished,
    /// It could not.
    Failed,
    /// It was told to stop; what it had is kept.
    Stopped,
}

impl RunStatus {
    /// The word for it, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// The status that a stored word stands for.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Running, Self::Finished, Self::Failed, Self::Stopped].into_iter().find(|status| status.as_str() == word)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One logged value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricPoint {
    /// The step, whatever the writer counts; a trial's metrics count rungs.
    pub step: i64,
    /// The value, finite.
    pub value: f64,
    /// When it was logged, in milliseconds since 1970.
    pub timestamp_ms: i64,
}
