//! Fits naive Bayes with smartcore.

use hyperdrive::{Dimension, Params, Value};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::naive_bayes::gaussian::{GaussianNB, GaussianNBParameters};

use super::model::GaussianNaiveBayes;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::gather::center;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::GaussianNaiveBayes;

/// Fits [`GaussianNaiveBayes`]: class shares, means and variances by smartcore, then scikit-learn's smoothing,
/// `var_smoothing` times the greatest variance of a feature over all rows, added to every variance.
#[derive(Debug, Clone, Copy)]
pub struct GaussianTrainer;

impl Trainer for GaussianTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Binary, Task::Multiclass],
            input: SHARED_INPUT,
            stepped: false,
            interruptible: true,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        vec![Dimension::float("var_smoothing", 1e-12, 1e-1).log()]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new().with("var_smoothing", Value::Float(1e-9))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // A fit reads every cell a few times; predicting a quarter as many rows, once per class.
        let cells = shape.n_rows.max(1) as f64 * (shape.n_features + 1) as f64;
        cells * (10.0 + shape.n_classes as f64)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let var_smoothing = params.float("var_smoothing")?;
        if !(var_smoothing.is_finite() && var_smoothing >= 0.0) {
            return Err(TrainError::Param {
                name: "var_smoothing",
                value: var_smoothing.to_string(),
                allowed: "it must be 0 or more",
            });
        }
        let data = data.clone();
        OneShot::start(SELF, checkpoint, move || fit(&data, var_smoothing))
    }
}

fn fit(data: &TrainData, var_smoothing: f64) -> Result<Estimator, TrainError> {
    let targets = data.training_classes(SELF)?;
    let (n_rows, n_features) = (data.rows.len(), data.n_features());
    let mut values = data.training_features()?;
    // smartcore takes the variance as a difference of squares, which loses its digits far from 0; so the features
    // are centred first, and their means given back after.
    let offsets = center(&mut values, n_rows);
    let greatest = values
        .chunks_exact(n_rows)
        .map(|column| column.iter().map(|x| x * x).sum::<f64>() / n_rows as f64)
        .fold(0.0, f64::max);
    if n_features == 0 {
        // smartcore cannot take the variance of no columns; one of zeros leaves the class shares alone.
        values = vec![0.0; n_rows];
    }
    let library = |error: smartcore::error::Failed| TrainError::Library {
        algorithm: SELF,
        reason: error.to_string(),
    };
    let x = DenseMatrix::new(n_rows, n_features.max(1), values, true).map_err(library)?;
    let model = GaussianNB::fit(&x, &targets, GaussianNBParameters::default()).map_err(library)?;
    // Where every feature is constant, any variance says the same; it only must not be 0.
    let smoothing = (var_smoothing * greatest).max(f64::MIN_POSITIVE.sqrt());
    let means = model.theta().iter().flat_map(|means| {
        means
            .iter()
            .zip(&offsets)
            .map(|(mean, offset)| mean + offset)
    });
    let variances = model.var().iter().flat_map(|variances| {
        variances
            .iter()
            .take(n_features)
            .map(|variance| variance.max(0.0) + smoothing)
    });
    Ok(Estimator::GaussianNaiveBayes(GaussianNaiveBayes {
        n_outputs: data.target.n_outputs(),
        classes: model.classes().clone(),
        log_priors: model
            .class_priors()
            .iter()
            .map(|share| share.ln())
            .collect(),
        means: means.collect(),
        variances: variances.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{IRIS, assert_close, predict, standardised};

    /// scikit-learn 1.9.1, `GaussianNB(var_smoothing=…)` on `StandardScaler` features of iris.
    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        let data = standardised(IRIS, Task::Multiclass);
        let rows = [0, 70, 83, 133, 149];
        for (smoothing, expected) in [
            (
                1e-9,
                [
                    [1.0, 1.358e-18, 7.11e-26],
                    [2.59e-130, 0.154_494_061, 0.845_505_939],
                    [2.14e-135, 0.612_159_847, 0.387_840_153],
                    [2.68e-131, 0.712_645_156, 0.287_354_844],
                    [3.26e-146, 0.056_005, 0.943_995],
                ],
            ),
            (
                0.1,
                [
                    [0.999_999_987, 1.262_395_6e-8, 2.722_65e-14],
                    [1.052e-15, 0.390_548_233, 0.609_451_767],
                    [2.57e-16, 0.706_066_154, 0.293_933_846],
                    [4.02e-16, 0.695_322_206, 0.304_677_794],
                    [2.16e-17, 0.316_014_229, 0.683_985_771],
                ],
            ),
        ] {
            let params = Params::new().with("var_smoothing", smoothing);
            for (row, expected) in predict(SELF, &data, &params, &rows).iter().zip(expected) {
                // Features are f32 here, which the densest variances magnify.
                assert_close(row, &expected, 1e-5);
            }
        }
    }
}
