//! One dimension and what it can be.

use serde::{Deserialize, Serialize};

/// One named thing to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name; not empty, without a `.`.
    pub name: String,
    /// What it can be.
    pub domain: Domain,
}

/// How a range is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal differences are equally likely.
    Linear,
    /// Equal ratios are equally likely; the range must lie above 0.
    Log,
}

/// What a dimension can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Domain {
    /// A real number between two finite bounds.
    Float {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// How it is spread.
        scale: Scale,
    },
    /// An integer, both bounds included.
    Int {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
        /// How it is spread.
        scale: Scale,
    },
    /// One of several options.
    Choice {
        /// At least one; labels differ.
        options: Vec<Choice>,
    },
}

/// One option of a choice, and the dimensions that exist only where it is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its label, the value of the choice in [`crate::Params`].
    pub label: String,
    /// Dimensions below it, keyed `label.name`.
    pub dimensions: Vec<Dimension>,
}

impl Dimension {
    /// A real number from `low` to `high`, spread evenly.
    pub fn float(name: impl Into<String>, low: f64, high: f64) -> Self {
        Self { name: name.into(), domain: Domain::Float { low, high, scale: Scale::Linear } }
    }

    /// An integer from `low` to `high`, both included, spread evenly.
    pub fn int(name: impl Into<String>, low: i64, high: i64) -> Self {
        Self { name: name.into(), domain: Domain::Int { low, high, scale: Scale::Linear } }
    }

    /// One of `options`, each equally likely.
    pub fn choice(name: impl Into<String>, options: Vec<Choice>) -> Self {
        Self { name: name.into(), domain: Domain::Choice { options } }
    }

    /// The same on a logarithmic scale; a choice has no scale and stays as it is.
    #[must_use]
    pub fn log(mut self) -> Self {
        match &mut self.domain {
            Domain::Float { scale, .. } | Domain::Int { scale, .. } => *scale = Scale::Log,
            Domain::Choice { .. } => {}
        }
        self
    }
}

impl Choice {
    /// An option with nothing below it.
    pub fn leaf(label: impl Into<String>) -> Self {
        Self::with(label, Vec::new())
    }

    /// An option with dimensions of its own.
    pub fn with(label: impl Into<String>, dimensions: Vec<Dimension>) -> Self {
        Self { label: label.into(), dimensions }
    }
}
