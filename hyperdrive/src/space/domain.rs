//! One dimension and what it can be.

use serde::{Deserialize, Serialize};

use crate::params::Value;

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
        /// Where there is one, the value is rounded to a multiple of it, which may pass a bound that is none:
        /// Azure's `quniform` and `qloguniform`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<f64>,
    },
    /// A real number without bounds, normally distributed; on a log scale, one whose logarithm is.
    Normal {
        /// Mean of the number, or of its natural logarithm.
        mean: f64,
        /// Standard deviation of the number, or of its natural logarithm; above 0.
        deviation: f64,
        /// Whether the number or its logarithm is normal.
        scale: Scale,
        /// As for [`Domain::Float`]: Azure's `qnormal` and `qlognormal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<f64>,
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
    /// One of several values that have an order, each equally likely.
    Ordinal {
        /// At least one, all different, in their order.
        values: Vec<Value>,
    },
    /// One of several options, each equally likely.
    Choice {
        /// At least one; labels differ.
        options: Vec<Choice>,
    },
    /// One value always: nothing to search.
    Fixed {
        /// The value.
        value: Value,
    },
}

/// One option of a choice, and the dimensions that exist only where it is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The value of the choice in [`crate::Params`] where this option is taken.
    pub value: Value,
    /// Dimensions below it, keyed `label.name`.
    pub dimensions: Vec<Dimension>,
}

impl Dimension {
    /// A dimension of that name and domain.
    pub fn new(name: impl Into<String>, domain: Domain) -> Self {
        Self { name: name.into(), domain }
    }

    /// A real number from `low` to `high`, spread evenly.
    pub fn float(name: impl Into<String>, low: f64, high: f64) -> Self {
        Self::new(name, Domain::Float { low, high, scale: Scale::Linear, step: None })
    }

    /// A real number, normally distributed.
    pub fn normal(name: impl Into<String>, mean: f64, deviation: f64) -> Self {
        Self::new(name, Domain::Normal { mean, deviation, scale: Scale::Linear, step: None })
    }

    /// An integer from `low` to `high`, both included, spread evenly.
    pub fn int(name: impl Into<String>, low: i64, high: i64) -> Self {
        Self::new(name, Domain::Int { low, high, scale: Scale::Linear })
    }

    /// One of `values`, which have an order.
    pub fn ordinal<V: Into<Value>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::new(name, Domain::Ordinal { values: values.into_iter().map(Into::into).collect() })
    }

    /// One of `options`, each equally likely.
    pub fn choice(name: impl Into<String>, options: Vec<Choice>) -> Self {
        Self::new(name, Domain::Choice { options })
    }

    /// Yes or no.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::choice(name, vec![Choice::leaf(false), Choice::leaf(true)])
    }

    /// One value always.
    pub fn fixed(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::new(name, Domain::Fixed { value: value.into() })
    }

    /// The same on a logarithmic scale; what has no scale stays as it is.
    #[must_use]
    pub fn log(mut self) -> Self {
        match &mut self.domain {
            Domain::Float { scale, .. } | Domain::Normal { scale, .. } | Domain::Int { scale, .. } => {
                *scale = Scale::Log;
            }
            Domain::Ordinal { .. } | Domain::Choice { .. } | Domain::Fixed { .. } => {}
        }
        self
    }

    /// The same rounded to multiples of `q`; what is no real number stays as it is.
    #[must_use]
    pub fn step(mut self, q: f64) -> Self {
        match &mut self.domain {
            Domain::Float { step, .. } | Domain::Normal { step, .. } => *step = Some(q),
            Domain::Int { .. } | Domain::Ordinal { .. } | Domain::Choice { .. } | Domain::Fixed { .. } => {}
        }
        self
    }
}

impl Choice {
    /// An option with nothing below it.
    pub fn leaf(value: impl Into<Value>) -> Self {
        Self::with(value, Vec::new())
    }

    /// An option with dimensions of its own.
    pub fn with(value: impl Into<Value>, dimensions: Vec<Dimension>) -> Self {
        Self { value: value.into(), dimensions }
    }

    /// What it is called in the keys of its dimensions.
    pub fn label(&self) -> String {
        self.value.label()
    }
}
