//! Fits the elastic net by coordinate descent.

use std::sync::atomic::AtomicBool;

use hyperdrive::{Dimension, Params, Value};

use super::descent::descend;
use super::regression::Standardised;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::ElasticNet;

/// Fits [`crate::linear::Linear`] with the objective of scikit-learn's `ElasticNet`, on a target of standard
/// deviation 1: `|y - Xw|² / 2n + penalty · (l1_ratio · |w|₁ + (1 - l1_ratio) / 2 · |w|²)`. So a penalty here is
/// scikit-learn's `alpha` divided by the target's standard deviation for the L1 part, and `alpha` itself for the
/// L2 part. Weights, if any, multiply the squares, at a mean of 1.
#[derive(Debug, Clone, Copy)]
pub struct ElasticNetTrainer;

impl Trainer for ElasticNetTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Regression],
            input: SHARED_INPUT,
            stepped: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        vec![Dimension::float("penalty", 1e-4, 1e1).log(), Dimension::float("l1_ratio", 0.0, 1.0)]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new().with("penalty", Value::Float(0.01)).with("l1_ratio", Value::Float(0.5))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Some 60 passes along the path, of two vector products per feature.
        let (n, p) = (shape.n_rows as f64 + 1.0, shape.n_features as f64 + 1.0);
        60.0 * 4.0 * n * p
    }

    fn repeats_within(&self) -> Option<f64> {
        Some(1e-3)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let penalty = read_penalty(params)?;
        let l1_ratio = params.float("l1_ratio")?;
        if !(0.0..=1.0).contains(&l1_ratio) {
            return Err(TrainError::Param {
                name: "l1_ratio",
                value: l1_ratio.to_string(),
                allowed: "it must be from 0 to 1",
            });
        }
        let data = data.clone();
        OneShot::stoppable(SELF, checkpoint, move |stop| fit(SELF, &data, penalty, l1_ratio, stop))
    }
}

/// The parameter `penalty`, 0 or more.
pub(super) fn read_penalty(params: &Params) -> Result<f64, TrainError> {
    let penalty = params.float("penalty")?;
    if penalty.is_finite() && penalty >= 0.0 {
        return Ok(penalty);
    }
    Err(TrainError::Param { name: "penalty", value: penalty.to_string(), allowed: "it must be 0 or more" })
}

/// The fit of any algorithm with this objective; `None` when stopped.
pub(super) fn fit(
    own: Algorithm,
    data: &TrainData,
    penalty: f64,
    l1_ratio: f64,
    stop: &AtomicBool,
) -> Result<Option<Estimator>, TrainError> {
    let (data, weights) = data.weighed()?;
    let problem = Standardised::new(&data, weights.as_deref(), own)?;
    if problem.is_trivial() {
        return Ok(Some(problem.trivial().into()));
    }
    let Some(found) = descend(&problem, penalty, l1_ratio, stop) else { return Ok(None) };
    Ok(Some(problem.unscale(&found, own)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DIABETES, assert_close, fit, standardised, weighted};

    /// scikit-learn 1.9.1, `ElasticNet(alpha=penalty, l1_ratio=l1_ratio, tol=1e-12)` on `StandardScaler` features
    /// and the target divided by its standard deviation; the weights times that.
    #[test]
    fn weights_are_those_of_scikit_learn() {
        let data = standardised(DIABETES, Task::Regression);
        for (penalty, l1_ratio, expected) in [
            (0.01, 0.5, [-0.0, -10.44609, 24.91255, 14.76345, -8.25608, 0.0, -8.02339, 4.01215, 24.87496, 3.04089]),
            (0.1, 1.0, [0.0, 0.0, 23.47582, 8.18731, 0.0, 0.0, -4.50007, 0.0, 20.38657, 0.0]),
            (1.0, 0.0, [1.40156, -3.95525, 14.57171, 9.59045, 0.28109, -1.40390, -7.23182, 5.57995, 12.50698, 5.32154]),
        ] {
            let params = Params::new().with("penalty", penalty).with("l1_ratio", l1_ratio);
            let Ok(Estimator::Linear(model)) = fit(SELF, &data, &params) else { panic!("a linear model") };
            assert_close(&model.weights, &expected, 2e-3);
            assert_close(&[model.intercept], &[152.133_484_162], 1e-3);
        }
    }

    /// As above, with `sample_weight`, and the weighted standard deviation of the target.
    #[test]
    fn weighted_fits_are_those_of_scikit_learn() {
        let data = weighted(standardised(DIABETES, Task::Regression));
        let params = Params::new().with("penalty", 0.1).with("l1_ratio", 0.5);
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &params) else { panic!("a linear model") };
        let expected = [0.0, -3.85502, 24.47722, 14.02313, 0.0, 0.0, -9.15574, 0.0, 19.54815, 0.0];
        assert_close(&model.weights, &expected, 2e-3);
        assert_close(&[model.intercept], &[154.773_045], 1e-3);
    }
}
