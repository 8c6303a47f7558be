//! Fits least squares with linfa's QR decomposition.

use hyperdrive::{Dimension, Params};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;

use super::regression::Standardised;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::LinearRegression;
/// Ridge relative to a feature of variance 1.
const RIDGE: f64 = 1e-9;

/// Fits [`crate::linear::Linear`] by least squares, weighted if there are weights.
///
/// A departure: every weight carries a ridge a billionth as strong as a standardised feature's own variance. One-hot
/// features always sum to a constant, so that plain least squares has no single solution; the ridge picks the
/// shortest, also where there are more features than rows, and is far below the noise everywhere else.
#[derive(Debug, Clone, Copy)]
pub struct LeastSquaresTrainer;

impl Trainer for LeastSquaresTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Regression],
            input: SHARED_INPUT,
            stepped: false,
            interruptible: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        Vec::new()
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new()
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Householder's QR of (n + p) × p.
        let (n, p) = (shape.n_rows as f64 + 1.0, shape.n_features as f64 + 1.0);
        2.0 * (n + p) * p * p
    }

    fn repeats_within(&self) -> Option<f64> {
        Some(1e-6)
    }

    fn start(&self, data: &TrainData, _: &Params, checkpoint: Option<&[u8]>) -> Result<Box<dyn Training>, TrainError> {
        let data = data.clone();
        OneShot::start(SELF, checkpoint, move || fit(&data))
    }
}

fn fit(data: &TrainData) -> Result<Estimator, TrainError> {
    let (data, weights) = data.weighed()?;
    let n_features = data.n_features();
    let n_rows = data.rows.len();
    let mut problem = Standardised::new(&data, weights.as_deref(), SELF, n_features)?;
    if problem.is_trivial() {
        return Ok(problem.trivial().into());
    }
    // A ridge λ is the same as one more row per feature that asks its weight to be 0 with strength √λ.
    let strength = (RIDGE * n_rows as f64).sqrt();
    for j in 0..n_features {
        problem.x[[n_rows + j, j]] = strength;
    }
    let model = LinearRegression::default()
        .with_intercept(false)
        .fit(&DatasetBase::new(problem.x.view(), problem.y.view()))
        .map_err(|error| TrainError::Library { algorithm: SELF, reason: error.to_string() })?;
    Ok(problem.unscale(model.params(), SELF)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DIABETES, assert_close, fit, standardised, weighted};

    /// scikit-learn 1.9.1, `LinearRegression` on `StandardScaler` features of the diabetes data.
    #[test]
    fn weights_are_those_of_scikit_learn() {
        let data = standardised(DIABETES, Task::Regression);
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new()) else { panic!("a linear model") };
        let expected = [
            -0.476_120_786,
            -11.406_866_923,
            24.726_548_86,
            15.429_404_131,
            -37.679_952_611,
            22.676_162_766,
            4.806_138_137,
            8.422_039_356,
            35.734_445_771,
            3.216_673_718,
        ];
        assert_close(&model.weights, &expected, 2e-3);
        assert_close(&[model.intercept], &[152.133_484_162], 1e-4);
    }

    #[test]
    fn features_that_add_up_share_the_weight() {
        // y = 3 + 2·a with a twice: the shortest solution gives each half.
        let columns = [[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]].concat();
        let block = std::sync::Arc::new(crate::Block::numbers(vec!["a".into(), "b".into()], 4, columns));
        let target = std::sync::Arc::new(crate::Target {
            task: Task::Regression,
            classes: Vec::new(),
            values: crate::TargetValues::Numbers(vec![5.0, 7.0, 9.0, 11.0]),
        });
        let data = TrainData::new(vec![block], (0..4).collect(), target, 0);
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new()) else { panic!("a linear model") };
        assert_close(&model.weights, &[1.0, 1.0], 1e-6);
        assert_close(&[model.intercept], &[3.0], 1e-6);
    }

    /// As above, with `sample_weight`.
    #[test]
    fn weighted_fits_are_those_of_scikit_learn() {
        let data = weighted(standardised(DIABETES, Task::Regression));
        let Ok(Estimator::Linear(model)) = fit(SELF, &data, &Params::new()) else { panic!("a linear model") };
        let expected = [
            -1.672_861_328,
            -11.668_917_65,
            26.048_032_171,
            18.374_986_02,
            -48.672_164_124,
            35.413_503_754,
            5.999_783_243,
            3.982_251_907,
            39.200_665_77,
            2.664_678_783,
        ];
        assert_close(&model.weights, &expected, 2e-3);
        assert_close(&[model.intercept], &[155.700_616_603], 1e-4);
    }
}
