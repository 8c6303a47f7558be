//! A metric with what it knows of the training data.

use super::goal::{Goal, Needs};
use super::score::score;
use super::table::Metric;
use crate::data::{Predictions, Target};
use crate::error::MetricError;

/// A metric with what it must know of the training data: what a search is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    metric: Metric,
    range: Option<(f64, f64)>,
}

impl Measure {
    /// `range` is the least and greatest number of the training target, by which normalized errors are divided; `None`
    /// leaves those undefined.
    pub fn new(metric: Metric, range: Option<(f64, f64)>) -> Measure {
        Measure { metric, range }
    }

    /// The name used everywhere here, such as `roc_auc`.
    pub fn name(&self) -> &str {
        self.metric.name()
    }

    /// Which way it improves.
    pub fn goal(&self) -> Goal {
        self.metric.goal()
    }

    /// What of a prediction it looks at.
    pub fn needs(&self) -> Needs {
        self.metric.needs()
    }

    /// Whether this is that metric of the table.
    pub fn is(&self, metric: Metric) -> bool {
        self.metric == metric
    }

    /// Another metric of the table with the same knowledge.
    #[must_use]
    pub fn with(&self, metric: Metric) -> Measure {
        Measure { metric, range: self.range }
    }

    /// [`Metric::score`], with normalized errors divided by the range of the training target.
    pub fn score(
        &self,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        threshold: f64,
    ) -> Result<f64, MetricError> {
        score(self.metric, || self.range, target, rows, predictions, threshold)
    }
}
