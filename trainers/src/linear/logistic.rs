//! Fits logistic regression with linfa's L-BFGS, a few iterations at a time.

use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Dimension, Params, Value};
use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::model::Logistic;
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, Trainer, Training, decode, encode};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::LogisticRegression;
/// A training is this many steps, each a fresh L-BFGS run from where the last one ended.
const STEPS: u32 = 10;
/// Iterations of a step.
const ITERATIONS: u64 = 25;
/// Converged when the gradient of the mean loss is this short.
const TOLERANCE: f64 = 1e-5;
/// The same for more than two classes, where every iteration costs as many times more: scikit-learn's default.
const TOLERANCE_MANY: f64 = 1e-4;

/// Greatest feature value taken. Beyond, the loss can overflow to NaN, on which the line search below linfa (argmin's
/// More-Thuente) never ends; scaled features are a hundred thousand million times smaller.
const MAX_VALUE: f64 = 1e12;

/// Fits [`Logistic`].
///
/// The objective is scikit-learn's: `c · Σ loss + ½ |weights|²`, the intercept free. Since linfa's solver only
/// runs to its end, it is run ten times 25 iterations, each from the weights of the last; between two runs the
/// training can be stopped, checkpointed or asked for its model. It takes no weights, for linfa takes none.
#[derive(Debug, Clone, Copy)]
pub struct LogisticTrainer;

impl Trainer for LogisticTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Binary, Task::Multiclass],
            input: SHARED_INPUT,
            stepped: true,
            interruptible: true,
            weighted: false,
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
        // An iteration evaluates loss and gradient about twice, each two products with the features; fits on
        // standardised features take some 50 iterations.
        let n_scores = if shape.n_classes > 2 { shape.n_classes } else { 1 };
        let cells = shape.n_rows.max(1) as f64 * (shape.n_features + 1) as f64;
        cells * n_scores as f64 * 50.0 * 2.0 * 4.0
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
        data.unweighed(SELF)?;
        let problem = Problem::new(data, 1.0 / c)?;
        let state = match checkpoint {
            Some(bytes) => problem.accept(decode(SELF, bytes)?)?,
            None => State { steps: 0, weights: vec![0.0; problem.n_weights()], positive: problem.classes[1] },
        };
        Ok(Box::new(LogisticTraining { problem, state }))
    }
}

/// The training rows as linfa wants them.
struct Problem {
    data: DatasetBase<Array2<f64>, Array1<u32>>,
    /// Classes of the training rows, ascending, two or more.
    classes: Vec<u32>,
    n_outputs: usize,
    n_features: usize,
    alpha: f64,
}

/// What a training has reached; also its checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    steps: u32,
    /// `(columns + 1) × n_scores`, row-major, the intercepts last, as linfa lays them out.
    weights: Vec<f64>,
    /// Two classes only: the class whose score the weights give.
    positive: u32,
}

struct LogisticTraining {
    problem: Problem,
    state: State,
}

impl Problem {
    fn new(data: &TrainData, alpha: f64) -> Result<Problem, TrainError> {
        let targets = data.training_classes(SELF)?;
        let n_rows = targets.len();
        let mut classes = targets.clone();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() < 2 {
            return Err(TrainError::OneClass { algorithm: SELF, n_rows });
        }
        let n_features = data.n_features();
        let mut values = data.training_features()?;
        if values.iter().any(|value| value.abs() > MAX_VALUE) {
            let reason = format!("a feature value is beyond {MAX_VALUE:e}; features have to be scaled");
            return Err(TrainError::Library { algorithm: SELF, reason });
        }
        if n_features == 0 {
            // linfa cannot multiply by no columns; one of zeros leaves the intercept alone.
            values = vec![0.0; n_rows];
        }
        let x = Array2::from_shape_vec((n_rows, n_features.max(1)).f(), values)
            .map_err(|error| TrainError::Blocks { reason: error.to_string() })?;
        let n_outputs = data.target.n_outputs();
        Ok(Problem { data: DatasetBase::new(x, Array1::from_vec(targets)), classes, n_outputs, n_features, alpha })
    }

    fn n_columns(&self) -> usize {
        self.n_features.max(1)
    }

    fn n_scores(&self) -> usize {
        if self.classes.len() == 2 { 1 } else { self.classes.len() }
    }

    fn n_weights(&self) -> usize {
        (self.n_columns() + 1) * self.n_scores()
    }

    /// Takes a checkpoint that fits this problem.
    fn accept(&self, state: State) -> Result<State, TrainError> {
        if state.weights.len() == self.n_weights() && self.classes.contains(&state.positive) {
            Ok(state)
        } else {
            Err(TrainError::Checkpoint {
                algorithm: SELF,
                reason: format!("{} weights, where {} are expected", state.weights.len(), self.n_weights()),
            })
        }
    }

    /// Up to this many iterations on from the given weights.
    fn run(&self, state: &State, iterations: u64) -> Result<State, linfa_logistic::error::Error> {
        let mean = if self.n_scores() == 1 { TOLERANCE } else { TOLERANCE_MANY };
        let tolerance = mean * self.data.targets.len() as f64;
        let weights = state.weights.clone();
        let (weights, positive) = if self.n_scores() == 1 {
            let model = LogisticRegression::default()
                .alpha(self.alpha)
                .gradient_tolerance(tolerance)
                .max_iterations(iterations)
                .initial_params(Array1::from_vec(weights))
                .fit(&self.data)?;
            // linfa calls the larger class of the rows positive, and of equal ones the first it meets.
            let weights = model.params().iter().copied().chain([model.intercept()]).collect();
            (weights, model.labels().pos.class)
        } else {
            let shape = (self.n_columns() + 1, self.n_scores());
            let start = Array2::from_shape_vec(shape, weights).expect("the state was made or checked for this shape");
            let model = MultiLogisticRegression::default()
                .alpha(self.alpha)
                .gradient_tolerance(tolerance)
                .max_iterations(iterations)
                .initial_params(start)
                .fit(&self.data)?;
            (model.params().iter().chain(model.intercept()).copied().collect(), state.positive)
        };
        Ok(State { steps: state.steps + 1, weights, positive })
    }

    /// One step. The line search gives up where rounding hides the descent, and the iterations of that run are
    /// lost with it; then fewer are tried.
    fn step(&self, state: &State) -> Result<State, TrainError> {
        let mut reason = String::new();
        for iterations in [ITERATIONS, 5, 1] {
            match self.run(state, iterations) {
                Ok(next) if next.weights.iter().all(|weight| weight.is_finite()) => {
                    return Ok(next);
                }
                Ok(_) => reason = "a weight is not finite".to_string(),
                Err(error) => reason = error.to_string(),
            }
        }
        if state.steps == 0 {
            return Err(TrainError::Library { algorithm: SELF, reason });
        }
        Ok(State { steps: STEPS, ..state.clone() })
    }
}

impl Training for LogisticTraining {
    fn advance(&mut self, until: f64, stop: &AtomicBool) -> Result<f64, TrainError> {
        let wanted = (until.clamp(0.0, 1.0) * f64::from(STEPS)).ceil() as u32;
        while self.state.steps < wanted && !stop.load(Ordering::Relaxed) {
            let mut next = self.problem.step(&self.state)?;
            if next.weights == self.state.weights {
                // A run that changes nothing has converged; so would every later one.
                next.steps = STEPS;
            }
            self.state = next;
        }
        Ok(f64::from(self.state.steps) / f64::from(STEPS))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, TrainError> {
        encode(SELF, &self.state)
    }

    fn model(&self) -> Result<Estimator, TrainError> {
        if self.state.steps == 0 {
            return Err(TrainError::Unfinished { algorithm: SELF });
        }
        let Problem { classes, n_outputs, n_features, .. } = &self.problem;
        let n_scores = self.problem.n_scores();
        // Towards the second class of two, whichever linfa called positive.
        let sign = if n_scores == 1 && self.state.positive != classes[1] { -1.0 } else { 1.0 };
        let weight = |row: usize, score: usize| sign * self.state.weights[row * n_scores + score];
        let weights = (0..n_scores).flat_map(|s| (0..*n_features).map(move |j| (j, s))).map(|(j, s)| weight(j, s));
        let intercepts = (0..n_scores).map(|s| weight(self.problem.n_columns(), s));
        Ok(Logistic {
            n_outputs: *n_outputs,
            classes: classes.clone(),
            weights: weights.collect(),
            intercepts: intercepts.collect(),
        }
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BREAST_CANCER, IRIS, assert_close, predict, standardised};

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
                assert_close(row, &[benign, 1.0 - benign], 2e-4);
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
                assert_close(row, &expected, 2e-3);
            }
        }
    }

    #[test]
    fn probabilities_belong_to_their_class_whichever_is_larger() {
        // linfa calls the larger class positive, so each class has to be the larger one once.
        for positives in [2_u32, 10, 18] {
            let n = 20;
            let column = (0..n).map(|i| if i < positives { 1.0 } else { -1.0 }).collect();
            let block = std::sync::Arc::new(crate::Block::numbers(vec!["x".into()], n as usize, column));
            let target = std::sync::Arc::new(crate::Target {
                task: Task::Binary,
                classes: vec!["no".into(), "yes".into()],
                values: crate::TargetValues::Classes((0..n).map(|i| u32::from(i < positives)).collect()),
            });
            let data = TrainData::new(vec![block], (0..n).collect(), target, 0);
            let rows = predict(SELF, &data, &c(10.0), &[0, n - 1]);
            assert!(rows[0][1] > 0.9 && rows[1][1] < 0.1, "{positives} of {n}: {rows:?}");
        }
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
        let error = crate::testing::fit(SELF, &data, &c(1.0)).expect_err("one class cannot be told from itself");
        assert_eq!(error.to_string(), "logistic_regression: the 50 training rows are all of one class");
    }
}
