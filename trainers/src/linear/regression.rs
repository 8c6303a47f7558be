//! What the two least-squares algorithms share: centred features, a standardised target, and the way back.

use super::model::Linear;
use crate::algorithm::Algorithm;
use crate::data::TrainData;
use crate::error::TrainError;
use crate::gather::{center, mean};

/// A regression on standard terms: every feature has mean 0, the target mean 0 and standard deviation 1. So the
/// intercept needs no fitting, and penalties mean the same whatever the target's unit. Under weights all of these are
/// weighted, and then every row is multiplied by the root of its weight, so that its square counts as much.
pub(super) struct Standardised {
    /// Features, column-major: `n_rows × n_features`.
    pub(super) x: Vec<f64>,
    /// Targets, one per row.
    pub(super) y: Vec<f64>,
    feature_means: Vec<f64>,
    target_mean: f64,
    target_std: f64,
}

impl Standardised {
    /// `weights` are one per training row, of mean 1.
    pub(super) fn new(
        data: &TrainData,
        weights: Option<&[f64]>,
        algorithm: Algorithm,
    ) -> Result<Standardised, TrainError> {
        let mut y = data.training_numbers(algorithm)?;
        let n_rows = y.len();
        let mut values = data.training_features()?;
        let feature_means = center(&mut values, n_rows, weights);
        let (target_mean, target_std) = standardise(&mut y, weights);
        if let Some(weights) = weights {
            let roots: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
            for column in values.chunks_exact_mut(n_rows).chain([&mut *y]) {
                for (value, root) in column.iter_mut().zip(&roots) {
                    *value *= root;
                }
            }
        }
        Ok(Standardised { x: values, y, feature_means, target_mean, target_std })
    }

    /// The features, one slice each.
    pub(super) fn columns(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.x.chunks_exact(self.y.len())
    }

    /// Whether there is anything to fit: a feature, and a target that varies.
    pub(super) fn is_trivial(&self) -> bool {
        self.x.is_empty() || self.target_std == 0.0
    }

    /// The model that predicts the mean.
    pub(super) fn trivial(&self) -> Linear {
        Linear { weights: vec![0.0; self.feature_means.len()], intercept: self.target_mean }
    }

    /// Weights on standard terms as a model in the target's own unit.
    pub(super) fn unscale(&self, weights: &[f64], algorithm: Algorithm) -> Result<Linear, TrainError> {
        let weights: Vec<f64> = weights.iter().map(|weight| weight * self.target_std).collect();
        let shift: f64 = weights.iter().zip(&self.feature_means).map(|(weight, mean)| weight * mean).sum();
        let intercept = self.target_mean - shift;
        if intercept.is_finite() && weights.iter().all(|weight| weight.is_finite()) {
            Ok(Linear { weights, intercept })
        } else {
            Err(TrainError::Library { algorithm, reason: "a weight is not finite".to_string() })
        }
    }
}

/// Brings targets to mean 0 and standard deviation 1, and says which they had; a deviation of 0 is left.
pub(super) fn standardise(y: &mut [f64], weights: Option<&[f64]>) -> (f64, f64) {
    let target_mean = mean(y, weights);
    for y in y.iter_mut() {
        *y -= target_mean;
    }
    let largest = y.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
    // Squares of the target are taken relative to its largest, so that they neither over- nor underflow.
    let target_std = if largest > 0.0 && largest.is_finite() {
        let squares: Vec<f64> = y.iter().map(|y| (y / largest) * (y / largest)).collect();
        largest * mean(&squares, weights).sqrt()
    } else {
        0.0
    };
    if target_std > 0.0 {
        for y in y.iter_mut() {
            *y /= target_std;
        }
    }
    (target_mean, target_std)
}
