//! Choosing members and weights from out-of-fold predictions, and an honest score for the choice. The ensemble itself is
//! a model in `trainers`; only the choosing is here.

mod greedy;
mod honest;
mod threshold;

pub(crate) use greedy::{Choice, Pool, choose};
pub(crate) use honest::{Interval, Nested, bootstrap, nested, seen};
pub(crate) use threshold::{best_threshold, threshold_metric};

use trainers::Predictions;

/// The weighted mean of some predictions. `weights` sum to 1.
pub(crate) fn blend<'a>(parts: impl Iterator<Item = (f64, &'a Predictions)>) -> Predictions {
    let mut sum: Vec<f64> = Vec::new();
    let mut n_outputs = 1;
    for (weight, predictions) in parts {
        n_outputs = predictions.n_outputs();
        sum.resize(predictions.values().len(), 0.0);
        for (total, value) in sum.iter_mut().zip(predictions.values()) {
            *total += weight * value;
        }
    }
    Predictions::new(n_outputs, sum)
}
