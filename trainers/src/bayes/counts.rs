//! What the two naive Bayes of counts share: their parameters, and sums by class.

use hyperdrive::{Choice, Dimension, Params, Value};

use crate::algorithm::Algorithm;
use crate::data::TrainData;
use crate::error::TrainError;
use crate::gather::{classes_of, count};
use crate::weigh::weight_of;

/// `alpha`, and whether classes are as frequent as in the training rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smoothing {
    pub(super) alpha: f64,
    fit_prior: bool,
}

/// What both search: scikit-learn's parameters, within the bounds of auto-sklearn.
pub(super) fn space() -> Vec<Dimension> {
    vec![
        Dimension::float("alpha", 1e-2, 1e2).log(),
        Dimension::choice("fit_prior", vec![Choice::leaf("true"), Choice::leaf("false")]),
    ]
}

pub(super) fn defaults() -> Params {
    Params::new().with("alpha", Value::Float(1.0)).with("fit_prior", Value::Text("true".to_string()))
}

impl Smoothing {
    pub(super) fn read(params: &Params) -> Result<Smoothing, TrainError> {
        let alpha = params.float("alpha")?;
        if !(alpha.is_finite() && alpha > 0.0) {
            return Err(TrainError::Param { name: "alpha", value: alpha.to_string(), allowed: "it must be positive" });
        }
        let fit_prior = match params.text("fit_prior")? {
            "true" => true,
            "false" => false,
            other => {
                return Err(TrainError::Param {
                    name: "fit_prior",
                    value: format!("`{other}`"),
                    allowed: "it must be `true` or `false`",
                });
            }
        };
        Ok(Smoothing { alpha, fit_prior })
    }
}

/// The training rows by class.
pub(super) struct Counts {
    pub(super) n_outputs: usize,
    /// The classes that occur, ascending, two or more.
    pub(super) classes: Vec<u32>,
    members: Vec<usize>,
    weights: Option<Vec<f64>>,
    /// Weight of the rows of each class.
    pub(super) rows: Vec<f64>,
    /// Column-major features.
    values: Vec<f64>,
    n_rows: usize,
}

impl Counts {
    pub(super) fn of(data: &TrainData, own: Algorithm) -> Result<Counts, TrainError> {
        let (data, weights) = data.weighed()?;
        let targets = data.training_classes(own)?;
        let (classes, members) = classes_of(&targets, data.target.n_outputs());
        if classes.len() < 2 {
            return Err(TrainError::OneClass { algorithm: own, n_rows: targets.len() });
        }
        let rows = count(&members, weights.as_deref(), classes.len());
        let values = data.training_features()?;
        Ok(Counts {
            n_outputs: data.target.n_outputs(),
            classes,
            members,
            weights,
            rows,
            values,
            n_rows: targets.len(),
        })
    }

    pub(super) fn columns(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_rows)
    }

    /// The sum of a function of a column over the rows of each class, by weight.
    pub(super) fn sums(&self, column: &[f64], of: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.classes.len()];
        for (row, (&class, x)) in self.members.iter().zip(column).enumerate() {
            sums[class] += weight_of(self.weights.as_deref(), row) * of(*x);
        }
        sums
    }

    /// Natural logarithm of each class's share, or of equal shares.
    pub(super) fn log_priors(&self, smoothing: Smoothing) -> Vec<f64> {
        let total: f64 = self.rows.iter().sum();
        let equal = 1.0 / self.rows.len() as f64;
        self.rows.iter().map(|rows| if smoothing.fit_prior { rows / total } else { equal }.ln()).collect()
    }
}
