//! A metric as it is asked for, and with what it knows of the training data.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::expression::{Expression, ExpressionError};
use super::goal::{Goal, Needs};
use super::score::score;
use super::table::Metric;
use crate::data::{Predictions, Target};
use crate::error::{MetricError, UnknownName};
use crate::task::Task;

/// A metric as it is asked for: by name, or as an expression. In files it is the name or the expression's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum MetricSpec {
    /// A metric of the table.
    Table(Metric),
    /// An expression.
    Expression(Arc<Expression>),
}

/// Why a text is neither the name of a metric nor an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MetricSpecError {
    /// No metric has this name.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// It begins as an expression and is none.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
}

impl MetricSpec {
    /// Reads a metric's name, or an expression with its `maximize:` or `minimize:`.
    pub fn parse(text: &str) -> Result<MetricSpec, MetricSpecError> {
        if Expression::is_meant(text) {
            return Ok(MetricSpec::Expression(Arc::new(Expression::parse(text)?)));
        }
        Ok(MetricSpec::Table(Metric::parse(text)?))
    }

    /// The metric's name, such as `roc_auc`, or the expression's text.
    pub fn name(&self) -> &str {
        match self {
            MetricSpec::Table(metric) => metric.name(),
            MetricSpec::Expression(expression) => expression.text(),
        }
    }

    /// Which way it improves.
    pub fn goal(&self) -> Goal {
        match self {
            MetricSpec::Table(metric) => metric.goal(),
            MetricSpec::Expression(expression) => expression.goal(),
        }
    }

    /// The tasks it scores.
    pub fn tasks(&self) -> &[Task] {
        match self {
            MetricSpec::Table(metric) => metric.tasks(),
            MetricSpec::Expression(expression) => expression.tasks(),
        }
    }

    /// What of a prediction it looks at.
    pub fn needs(&self) -> Needs {
        match self {
            MetricSpec::Table(metric) => metric.needs(),
            MetricSpec::Expression(expression) => expression.needs(),
        }
    }
}

impl From<Metric> for MetricSpec {
    fn from(metric: Metric) -> MetricSpec {
        MetricSpec::Table(metric)
    }
}

impl From<MetricSpec> for String {
    fn from(spec: MetricSpec) -> String {
        spec.name().to_owned()
    }
}

impl TryFrom<String> for MetricSpec {
    type Error = MetricSpecError;

    fn try_from(text: String) -> Result<MetricSpec, MetricSpecError> {
        MetricSpec::parse(&text)
    }
}

impl fmt::Display for MetricSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A metric with what it must know of the training data: what a search is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    metric: MetricSpec,
    range: Option<(f64, f64)>,
}

impl Measure {
    /// `range` is the least and greatest number of the training target, by which normalized errors are divided; `None`
    /// leaves those undefined.
    pub fn new(metric: impl Into<MetricSpec>, range: Option<(f64, f64)>) -> Measure {
        Measure { metric: metric.into(), range }
    }

    /// The metric's name, such as `roc_auc`, or the expression's text.
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
        self.metric == MetricSpec::Table(metric)
    }

    /// Another metric of the table with the same knowledge.
    #[must_use]
    pub fn with(&self, metric: Metric) -> Measure {
        Measure { metric: metric.into(), range: self.range }
    }

    /// [`Metric::score`], with normalized errors divided by the range of the training target.
    pub fn score(
        &self,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        threshold: f64,
    ) -> Result<f64, MetricError> {
        match &self.metric {
            MetricSpec::Table(metric) => score(*metric, || self.range, target, rows, predictions, threshold),
            MetricSpec::Expression(expression) => expression.score(self.range, target, rows, predictions, threshold),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_the_name_or_the_text() {
        for text in ["roc_auc", "minimize: mean((y - p)^2) / mean(y)"] {
            let spec = MetricSpec::parse(text).expect("a metric");
            let json = serde_json::to_string(&spec).expect("a string");
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<MetricSpec>(&json).expect("the same"), spec);
        }
        assert!(matches!(MetricSpec::parse("rocauc"), Err(MetricSpecError::Name(_))));
        assert!(matches!(MetricSpec::parse("minimize: y"), Err(MetricSpecError::Expression(_))));
        assert!(serde_json::from_str::<MetricSpec>("\"minimize: y\"").is_err());
    }
}
