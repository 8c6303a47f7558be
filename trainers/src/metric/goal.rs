//! Which way a score improves, and what it looks at.

use serde::{Deserialize, Serialize};

/// Which way a score improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Greater is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Goal {
    /// The score with its sign turned where less is better, so that greater is always better.
    pub fn signed(self, score: f64) -> f64 {
        match self {
            Goal::Higher => score,
            Goal::Lower => -score,
        }
    }

    /// Whether score `a` is better than score `b`; NaN is never better.
    pub fn better(self, a: f64, b: f64) -> bool {
        match self {
            Goal::Higher => a > b,
            Goal::Lower => a < b,
        }
    }
}

/// What of a prediction a metric looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Class probabilities.
    Probabilities,
    /// The predicted class, so the threshold of a binary model.
    Labels,
    /// The predicted number.
    Numbers,
}
