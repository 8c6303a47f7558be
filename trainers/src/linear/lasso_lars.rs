//! Fits the lasso under the name that Azure has it by.

use hyperdrive::{Dimension, Params, Value};

use super::elastic_net::{fit, read_penalty};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::LassoLars;

/// Fits [`crate::linear::Linear`] with the objective of scikit-learn's `LassoLars`, on a target of standard deviation 1:
/// `|y - Xw|² / 2n + penalty · |w|₁`. So a penalty here is scikit-learn's `alpha` divided by the target's standard
/// deviation.
///
/// A departure: the solution is the same, but it is found by coordinate descent down a path of penalties, not by least
/// angles (Efron et al. 2004), of which the steps are many and ill-conditioned where features are alike. Least angles
/// would also refuse the weights of rows, which here multiply the squares, at a mean of 1.
#[derive(Debug, Clone, Copy)]
pub struct LassoLarsTrainer;

impl Trainer for LassoLarsTrainer {
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
        vec![Dimension::float("penalty", 1e-4, 1.0).log()]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new().with("penalty", Value::Float(0.01))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // As the elastic net, with fewer weights that are not 0.
        let (n, p) = (shape.n_rows as f64 + 1.0, shape.n_features as f64 + 1.0);
        40.0 * 4.0 * n * p
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
        let data = data.clone();
        OneShot::stoppable(SELF, checkpoint, move |stop| fit(SELF, &data, penalty, 1.0, stop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Estimator;
    use crate::testing::{DIABETES, assert_close, fit, standardised};

    /// scikit-learn 1.9.1, `LassoLars(alpha=penalty * y.std())` on `StandardScaler` features.
    #[test]
    fn weights_are_those_of_scikit_learn() {
        let data = standardised(DIABETES, Task::Regression);
        for (penalty, expected) in [
            (
                0.01,
                [0.0, -9.759_032, 24.899_31, 14.348_41, -6.077_722, 0.0, -9.762_541, 1.322_337, 24.672_66, 2.725_958],
            ),
            (0.1, [0.0, 0.0, 23.475_82, 8.187_309, 0.0, 0.0, -4.500_074, 0.0, 20.386_57, 0.0]),
        ] {
            let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new().with("penalty", penalty)) else {
                panic!("a linear model")
            };
            assert_close(&model.weights, &expected, 2e-3);
            assert_close(&[model.intercept], &[152.133_5], 1e-3);
        }
    }
}
