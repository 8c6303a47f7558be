//! Fits logistic regression by L-BFGS.

use std::sync::atomic::AtomicBool;

use hyperdrive::{Dimension, Params, Value};
use serde::{Deserialize, Serialize};

use super::lbfgs::{Iteration, Lbfgs};
use super::margins::{Loss, Margins};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, Trainer, Training, decode, encode};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::LogisticRegression;
/// Most iterations; standardised features take some twenty to a hundred.
const ITERATIONS: u32 = 250;
/// Converged when no part of the gradient of the mean loss is beyond this.
const TOLERANCE: f64 = 2e-7;

/// Fits [`Logistic`](super::Logistic): the sigmoid of one score for two classes, the softmax for more.
///
/// The objective is scikit-learn's, `c · Σ loss + ½ |weights|²`, the intercepts free; losses are multiplied with the
/// weights of the rows, at a mean of 1. It begins at the class shares and can be stopped after any pass over the rows.
#[derive(Debug, Clone, Copy)]
pub struct LogisticTrainer;

impl Trainer for LogisticTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Binary, Task::Multiclass],
            input: SHARED_INPUT,
            stepped: true,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        vec![Dimension::float("c", 1e-4, 1e2).log()]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new().with("c", Value::Float(1.0))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Some 40 iterations, each two products with the features and the exponentials of the scores.
        let n_scores = if shape.n_classes > 2 { shape.n_classes } else { 1 };
        let (n, p) = (shape.n_rows.max(1) as f64, (shape.n_features + 1) as f64);
        n * n_scores as f64 * 40.0 * (4.0 * p + 20.0)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let c = params.float("c")?;
        if !(c.is_finite() && c > 0.0 && (1.0 / c).is_finite()) {
            return Err(TrainError::Param { name: "c", value: c.to_string(), allowed: "it must be positive" });
        }
        let margins = Margins::new(data, Loss::Logistic, 1.0 / c, SELF)?;
        let state = match checkpoint {
            Some(bytes) => accept(&margins, decode(SELF, bytes)?)?,
            None => State { iterations: 0, at: Lbfgs::new(margins.start()) },
        };
        Ok(Box::new(LogisticTraining { margins, state }))
    }
}

/// What a training has reached; also its checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    /// [`ITERATIONS`] when done.
    iterations: u32,
    at: Lbfgs,
}

struct LogisticTraining {
    margins: Margins,
    state: State,
}

/// Takes a checkpoint that fits this problem.
fn accept(margins: &Margins, state: State) -> Result<State, TrainError> {
    if state.at.fits(margins.len()) {
        Ok(state)
    } else {
        let reason = format!("{} weights, where {} are expected", state.at.x.len(), margins.len());
        Err(TrainError::Checkpoint { algorithm: SELF, reason })
    }
}

impl Training for LogisticTraining {
    fn advance(&mut self, until: f64, stop: &AtomicBool) -> Result<f64, TrainError> {
        let wanted = (until.clamp(0.0, 1.0) * f64::from(ITERATIONS)).ceil() as u32;
        while self.state.iterations < wanted {
            match self.state.at.iterate(TOLERANCE, |x, gradient| self.margins.value(x, gradient, stop)) {
                Iteration::Moved => self.state.iterations += 1,
                Iteration::Converged => self.state.iterations = ITERATIONS,
                Iteration::Stopped => break,
            }
        }
        Ok(f64::from(self.state.iterations) / f64::from(ITERATIONS))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, TrainError> {
        encode(SELF, &self.state)
    }

    fn model(&self) -> Result<Estimator, TrainError> {
        if self.state.iterations == 0 {
            return Err(TrainError::Unfinished { algorithm: SELF });
        }
        Ok(self.margins.model(&self.state.at.x).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BREAST_CANCER, IRIS, assert_close, fit, predict, standardised, weighted};

    fn c(c: f64) -> Params {
        Params::new().with("c", c)
    }

    /// scikit-learn 1.9.1, `LogisticRegression(C=c, tol=1e-10)` on `StandardScaler` features, `predict_proba` of
    /// these rows; scikit-learn's order of the classes (malignant, benign) is the reverse of ours.
    #[test]
    fn binary_probabilities_are_those_of_scikit_learn() {
        let data = standardised(BREAST_CANCER, Task::Binary);
        assert_eq!(data.target.classes, ["benign", "malignant"]);
        let rows = [0, 13, 73, 135, 541, 568];
        for (strength, benign) in [
            (1.0, [1.20775e-9, 0.327_608_626, 0.882_898_261, 0.828_806_974, 0.452_632_426, 0.999_980_251]),
            (0.01, [0.003_482_786, 0.554_756_56, 0.717_220_769, 0.822_362_318, 0.483_544_407, 0.990_083_267]),
        ] {
            for (row, benign) in predict(SELF, &data, &c(strength), &rows).iter().zip(benign) {
                assert_close(row, &[benign, 1.0 - benign], 2e-5);
            }
        }
    }

    /// As above; scikit-learn's multinomial loss.
    #[test]
    fn multinomial_probabilities_are_those_of_scikit_learn() {
        let data = standardised(IRIS, Task::Multiclass);
        let rows = [0, 70, 83, 133, 149];
        for (strength, expected) in [
            (
                1.0,
                [
                    [0.984_695_553, 0.015_304_385, 6.2017e-8],
                    [0.012_012_145, 0.440_326_221, 0.547_661_634],
                    [0.001_678_586, 0.437_251_362, 0.561_070_052],
                    [0.001_980_42, 0.584_010_229, 0.414_009_351],
                    [0.003_045_574, 0.293_895_048, 0.703_059_379],
                ],
            ),
            (
                100.0,
                [
                    [0.999_866_117, 0.000_133_883, 1.344e-23],
                    [3.317_63e-5, 0.510_617_9, 0.489_348_923],
                    [3.480_87e-7, 0.182_326_793, 0.817_672_859],
                    [8.772_59e-7, 0.706_754_63, 0.293_244_492],
                    [5.273_47e-7, 0.051_306_352, 0.948_693_121],
                ],
            ),
            (
                0.01,
                [
                    [0.690_123_823, 0.208_396_848, 0.101_479_329],
                    [0.201_646_981, 0.356_343_413, 0.442_009_606],
                    [0.150_640_198, 0.427_945_176, 0.421_414_627],
                    [0.152_114_953, 0.411_973_177, 0.435_911_87],
                    [0.169_344_69, 0.382_123_31, 0.448_531_999],
                ],
            ),
        ] {
            for (row, expected) in predict(SELF, &data, &c(strength), &rows).iter().zip(expected) {
                assert_close(row, &expected, 2e-5);
            }
        }
    }

    fn model(data: &TrainData, strength: f64) -> crate::linear::Logistic {
        let Ok(Estimator::Logistic(model)) = fit(SELF, data, &c(strength)) else { panic!("a logistic model") };
        model
    }

    /// scikit-learn 1.9.1, `LogisticRegression(C=c, tol=1e-12)` on `StandardScaler` features, every sixth coefficient and
    /// the intercept; the last with `sample_weight` of mean 1 over the rows that have any.
    #[test]
    fn binary_coefficients_are_those_of_scikit_learn() {
        let data = standardised(BREAST_CANCER, Task::Binary);
        let unlike = weighted(data.clone());
        for (data, strength, expected, intercept) in [
            (&data, 1.0, [0.363_092_7, 0.859_916_8, 0.659_975_2, -0.295_793_2, 0.670_680_8], -0.214_502_9),
            (&data, 0.01, [0.227_286_9, 0.173_844_6, 0.148_852_4, -0.044_117_42, 0.180_031], -0.623_808_5),
            (&unlike, 1.0, [0.423_910_4, 0.695_919, 0.881_884_5, 0.072_182_9, 0.730_258_7], -0.217_275_3),
        ] {
            let model = model(data, strength);
            let found: Vec<f64> = model.weights.iter().step_by(6).copied().collect();
            assert_close(&found, &expected, 1e-4);
            assert_close(&model.intercepts, &[intercept], 1e-4);
        }
    }

    /// As above; the multinomial loss, of which the intercepts sum to 0.
    #[test]
    fn multinomial_coefficients_are_those_of_scikit_learn() {
        let model = model(&standardised(IRIS, Task::Multiclass), 1.0);
        let expected = [
            [-1.074_066, 1.160_115, -1.930_692, -1.811_556],
            [0.587_810_1, -0.361_840_6, -0.363_430_9, -0.826_269_8],
            [0.486_255_8, -0.798_274_4, 2.294_123, 2.637_826],
        ];
        assert_close(&model.weights, &expected.concat(), 1e-4);
        assert_close(&model.intercepts, &[-0.205_241, 2.074_84, -1.869_599], 1e-4);
    }

    /// What a stop has left goes on to the same bits, and a few iterations are a usable model.
    #[test]
    fn a_fraction_of_the_work_is_a_model() {
        let data = standardised(BREAST_CANCER, Task::Binary);
        let mut training = LogisticTrainer.start(&data, &c(1.0), None).expect("sound data");
        let reached = training.advance(0.02, &AtomicBool::new(false)).expect("five iterations");
        assert_eq!(reached, 0.02);
        let early = training.model().expect("it has begun").predict(&data.blocks[0], &data.rows);
        let right = early.labels().iter().zip(data.target.codes().expect("classes")).filter(|(a, b)| a == b).count();
        assert!(right > 540, "{right} of 569 after five iterations");
        assert_eq!(training.advance(1.0, &AtomicBool::new(false)).expect("the rest"), 1.0);
        let whole = training.model().expect("it is done");
        assert_eq!(whole, Estimator::Logistic(model(&data, 1.0)));
    }

    #[test]
    fn a_class_without_training_rows_has_probability_0() {
        let mut data = standardised(IRIS, Task::Multiclass);
        data.rows = (0..100).collect();
        for row in predict(SELF, &data, &c(1.0), &[0, 60, 140]) {
            assert_eq!(row[2], 0.0);
            assert!((row[0] + row[1] - 1.0).abs() < 1e-12);
        }
        data.rows = (0..50).collect();
        let error = fit(SELF, &data, &c(1.0)).expect_err("one class cannot be told from itself");
        assert_eq!(error.to_string(), "logistic_regression: the 50 training rows are all of one class");
    }
}
