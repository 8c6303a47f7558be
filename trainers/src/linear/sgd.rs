//! Fits weighted sums by averaged stochastic gradient descent.

use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Choice, Dimension, Params, Value};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::model::{Linear, Logistic};
use super::regression::standardise;
use super::rows::{Rows, add_row, score};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TargetValues, TrainData};
use crate::error::TrainError;
use crate::gather::classes_of;
use crate::model::{Estimator, softmax};
use crate::task::Task;
use crate::trainer::{Capabilities, Trainer, Training, decode, encode};
use crate::transform::SHARED_INPUT;
use crate::weigh::weight_of;

const SELF: Algorithm = Algorithm::Sgd;
/// A training is so many epochs; the last two thirds are averaged.
const EPOCHS: u32 = 30;
const AVERAGED_FROM: u32 = 10;
/// An epoch goes through the rows until it has seen so many, at least once.
const EPOCH_ROWS: usize = 1024;
/// Where Huber's loss turns from squares to differences, in standard deviations of the target.
const HUBER: f64 = 0.5;

/// Fits [`Logistic`] or [`Linear`] row by row in an order drawn from the data's seed.
///
/// The objective is that of scikit-learn's `SGDClassifier(loss="log_loss")` and `SGDRegressor`: the mean loss plus
/// `alpha · (l1_ratio · |w|₁ + (1 - l1_ratio) / 2 · |w|²)`, the intercepts free. Three departures. More than two classes
/// share a softmax. Targets are brought to a standard deviation of 1 first. And each step is implicit (Toulis & Airoldi
/// 2017): it is shortened by `1 + rate · curvature · |x|²`, so that no row, scale or weight throws it out, and the rate
/// `eta0 · (1 + eta0 · alpha · t)^-0.75` needs no care (Bottou 2012, section 5); the L1 part shrinks each weight towards 0.
/// What is learned is the average of the last two thirds.
#[derive(Debug, Clone, Copy)]
pub struct SgdTrainer;

impl Trainer for SgdTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &Task::ALL,
            input: SHARED_INPUT,
            stepped: true,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, shape: &Shape) -> Vec<Dimension> {
        let mut space = vec![
            Dimension::float("alpha", 1e-7, 1e-1).log(),
            Dimension::float("l1_ratio", 0.0, 1.0),
            Dimension::float("eta0", 1e-3, 1.0).log(),
        ];
        if shape.task == Task::Regression {
            space.push(Dimension::choice("loss", vec![Choice::leaf("squared_error"), Choice::leaf("huber")]));
        }
        space
    }

    fn default_params(&self, shape: &Shape) -> Params {
        let params = Params::new()
            .with("alpha", Value::Float(1e-4))
            .with("l1_ratio", Value::Float(0.15))
            .with("eta0", Value::Float(0.05));
        if shape.task == Task::Regression {
            return params.with("loss", Value::Text("huber".to_string()));
        }
        params
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        let n_scores = if shape.n_classes > 2 { shape.n_classes } else { 1 };
        let seen = (shape.n_rows.max(1) as f64).max(EPOCH_ROWS as f64 / 2.0) + shape.n_rows as f64 / 1e3;
        f64::from(EPOCHS) * seen * n_scores as f64 * (8.0 * (shape.n_features + 1) as f64 + 20.0)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let problem = Problem::new(data, params)?;
        let n = problem.n_scores() * (problem.rows.n_features + 1);
        let state = match checkpoint {
            Some(bytes) => {
                let state: State = decode(SELF, bytes)?;
                if state.at.len() != n || state.mean.len() != n || state.epochs > EPOCHS {
                    let reason = format!("{} weights, where {n} are expected", state.at.len());
                    return Err(TrainError::Checkpoint { algorithm: SELF, reason });
                }
                state
            }
            None => State { epochs: 0, steps: 0, at: vec![0.0; n], mean: vec![0.0; n] },
        };
        Ok(Box::new(SgdTraining { problem, state }))
    }
}

/// What is to be told of each row.
enum Answers {
    /// The position of its class among those that occur.
    Classes { classes: Vec<u32>, members: Vec<usize> },
    /// Its number, standardised.
    Numbers { y: Vec<f64>, mean: f64, std: f64, huber: bool },
}

struct Problem {
    rows: Rows,
    answers: Answers,
    weights: Option<Vec<f64>>,
    n_outputs: usize,
    alpha: f64,
    l1_ratio: f64,
    eta0: f64,
    seed: u64,
}

/// What a training has reached; also its checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    epochs: u32,
    steps: u64,
    /// Score-major, of each score its weights and then its intercept.
    at: Vec<f64>,
    /// The mean of what came so far, once it is averaged.
    mean: Vec<f64>,
}

struct SgdTraining {
    problem: Problem,
    state: State,
}

fn number(params: &Params, name: &'static str, allowed: &'static str, most: f64) -> Result<f64, TrainError> {
    let value = params.float(name)?;
    if (0.0..=most).contains(&value) {
        return Ok(value);
    }
    Err(TrainError::Param { name, value: value.to_string(), allowed })
}

impl Problem {
    fn new(data: &TrainData, params: &Params) -> Result<Problem, TrainError> {
        let alpha = number(params, "alpha", "it must be from 0 to 1000", 1e3)?;
        let l1_ratio = number(params, "l1_ratio", "it must be from 0 to 1", 1.0)?;
        let eta0 = number(params, "eta0", "it must be from 0 to 1000", 1e3)?;
        let (view, weights) = data.weighed()?;
        let answers = match view.training_targets(SELF)? {
            TargetValues::Classes(targets) => {
                let (classes, members) = classes_of(&targets, view.target.n_outputs());
                if classes.len() < 2 {
                    return Err(TrainError::OneClass { algorithm: SELF, n_rows: targets.len() });
                }
                Answers::Classes { classes, members }
            }
            TargetValues::Numbers(mut y) => {
                let huber = match params.text("loss")? {
                    "squared_error" => false,
                    "huber" => true,
                    other => {
                        return Err(TrainError::Param {
                            name: "loss",
                            value: format!("`{other}`"),
                            allowed: "it must be `squared_error` or `huber`",
                        });
                    }
                };
                let (mean, std) = standardise(&mut y, weights.as_deref());
                Answers::Numbers { y, mean, std, huber }
            }
        };
        let rows = Rows::of(&view)?;
        let n_outputs = view.target.n_outputs();
        Ok(Problem { rows, answers, weights, n_outputs, alpha, l1_ratio, eta0, seed: view.seed })
    }

    fn n_scores(&self) -> usize {
        match &self.answers {
            Answers::Classes { classes, .. } if classes.len() > 2 => classes.len(),
            _ => 1,
        }
    }

    /// The slopes of the loss of a row along its scores, in their place, and a bound of its curvature.
    fn slopes(&self, row: usize, scores: &mut [f64]) -> f64 {
        match (&self.answers, scores) {
            (Answers::Numbers { y, huber, .. }, scores) => {
                let short = scores[0] - y[row];
                scores[0] = if *huber { short.clamp(-HUBER, HUBER) } else { short };
                // Huber's loss is as flat as its slope is far from the distance.
                if *huber { (HUBER / short.abs()).min(1.0) } else { 1.0 }
            }
            (Answers::Classes { members, .. }, [score]) => {
                *score = 1.0 / (1.0 + (-*score).exp()) - members[row] as f64;
                0.25
            }
            (Answers::Classes { members, .. }, scores) => {
                softmax(scores);
                scores[members[row]] -= 1.0;
                0.5
            }
        }
    }

    /// One more epoch; `None` when asked to stop on the way.
    fn epoch(&self, state: &State, stop: &AtomicBool) -> Option<State> {
        let mut state = state.clone();
        let n_rows = self.rows.n_rows();
        let mut rng =
            ChaCha8Rng::seed_from_u64(self.seed ^ (u64::from(state.epochs) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut order: Vec<u32> = (0..n_rows as u32).collect();
        let mut scores = vec![0.0; self.n_scores()];
        let mut sum = vec![0.0; state.at.len()];
        let passes = EPOCH_ROWS.div_ceil(n_rows);
        for _ in 0..passes {
            order.shuffle(&mut rng);
            for (seen, &i) in order.iter().enumerate() {
                if seen.is_multiple_of(EPOCH_ROWS) && stop.load(Ordering::Relaxed) {
                    return None;
                }
                self.step(&mut state, i as usize, &mut scores);
                for (sum, at) in sum.iter_mut().zip(&state.at) {
                    *sum += at;
                }
            }
        }
        state.epochs += 1;
        let n = (passes * n_rows) as f64;
        let averaged = f64::from(state.epochs.saturating_sub(AVERAGED_FROM).max(1));
        for (mean, sum) in state.mean.iter_mut().zip(sum) {
            *mean += (sum / n - *mean) / averaged;
        }
        Some(state)
    }

    fn step(&self, state: &mut State, i: usize, scores: &mut [f64]) {
        let row = self.rows.row(i);
        let stride = self.rows.n_features + 1;
        let weight = weight_of(self.weights.as_deref(), i);
        let rate = self.eta0 * (1.0 + self.eta0 * self.alpha * state.steps as f64).powf(-0.75);
        for (score_of, at) in scores.iter_mut().zip(state.at.chunks_exact(stride)) {
            *score_of = score(row, &at[..stride - 1]) + at[stride - 1];
        }
        let curvature = self.slopes(i, scores);
        let squares: f64 = 1.0 + row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
        let reach = rate * weight / (1.0 + rate * weight * curvature * squares);
        let (shrink, cut) =
            (1.0 / (1.0 + rate * self.alpha * (1.0 - self.l1_ratio)), rate * self.alpha * self.l1_ratio);
        for (slope, at) in scores.iter().zip(state.at.chunks_exact_mut(stride)) {
            let (at, intercept) = at.split_at_mut(stride - 1);
            add_row(at, -reach * slope, row);
            intercept[0] -= reach * slope;
            for at in at {
                let smaller = *at * shrink;
                *at = smaller.signum() * (smaller.abs() - cut).max(0.0);
            }
        }
        state.steps += 1;
    }

    fn model(&self, at: &[f64]) -> Result<Estimator, TrainError> {
        if at.iter().any(|weight| !weight.is_finite()) {
            return Err(TrainError::Library { algorithm: SELF, reason: "a weight is not finite".to_string() });
        }
        let stride = self.rows.n_features + 1;
        match &self.answers {
            Answers::Numbers { mean, std, .. } => {
                let weights = at[..stride - 1].iter().map(|weight| weight * std).collect();
                Ok(Linear { weights, intercept: mean + std * at[stride - 1] }.into())
            }
            Answers::Classes { classes, .. } => Ok(Logistic {
                n_outputs: self.n_outputs,
                classes: classes.clone(),
                weights: at.chunks_exact(stride).flat_map(|score| &score[..stride - 1]).copied().collect(),
                intercepts: at.chunks_exact(stride).map(|score| score[stride - 1]).collect(),
            }
            .into()),
        }
    }
}

impl Training for SgdTraining {
    fn advance(&mut self, until: f64, stop: &AtomicBool) -> Result<f64, TrainError> {
        let wanted = (until.clamp(0.0, 1.0) * f64::from(EPOCHS)).ceil() as u32;
        while self.state.epochs < wanted {
            match self.problem.epoch(&self.state, stop) {
                Some(state) => self.state = state,
                None => break,
            }
        }
        Ok(f64::from(self.state.epochs) / f64::from(EPOCHS))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, TrainError> {
        encode(SELF, &self.state)
    }

    fn model(&self) -> Result<Estimator, TrainError> {
        if self.state.epochs == 0 {
            return Err(TrainError::Unfinished { algorithm: SELF });
        }
        self.problem.model(&self.state.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BREAST_CANCER, DIABETES, IRIS, fit, standardised};

    fn params(alpha: f64, l1_ratio: f64) -> Params {
        Params::new().with("alpha", alpha).with("l1_ratio", l1_ratio).with("eta0", 0.02).with("loss", "squared_error")
    }

    fn apart(a: &Estimator, b: &Estimator, data: &TrainData) -> f64 {
        let predict = |model: &Estimator| model.predict(&data.blocks[0], &data.rows);
        let (a, b) = (predict(a), predict(b));
        let squares = a.values().iter().zip(b.values()).map(|(a, b)| (a - b) * (a - b));
        (squares.sum::<f64>() / a.values().len() as f64).sqrt()
    }

    /// The objective is also logistic regression's at `c = 1 / (n · alpha)`, whose figures are scikit-learn's.
    #[test]
    fn classes_are_those_of_the_same_minimum() {
        for (csv, task) in [(BREAST_CANCER, Task::Binary), (IRIS, Task::Multiclass)] {
            let data = standardised(csv, task);
            let c = 1.0 / (data.rows.len() as f64 * 0.01);
            let exact = fit(Algorithm::LogisticRegression, &data, &Params::new().with("c", c)).expect("sound data");
            let own = fit(SELF, &data, &params(0.01, 0.0)).expect("sound data");
            let apart = apart(&exact, &own, &data);
            assert!(apart < 0.01, "{task}: {apart} apart");
        }
    }

    /// And the elastic net's, whose figures are scikit-learn's; the target has a standard deviation of 77.
    #[test]
    fn numbers_are_those_of_the_same_minimum() {
        let data = standardised(DIABETES, Task::Regression);
        for l1_ratio in [0.0, 0.5] {
            let same = Params::new().with("penalty", 0.05).with("l1_ratio", l1_ratio);
            let exact = fit(Algorithm::ElasticNet, &data, &same).expect("sound data");
            let own = fit(SELF, &data, &params(0.05, l1_ratio)).expect("sound data");
            let apart = apart(&exact, &own, &data);
            assert!(apart < 3.0, "{apart} apart");
        }
    }

    #[test]
    fn far_answers_draw_less_under_hubers_loss() {
        let mut data = standardised(DIABETES, Task::Regression);
        let mut target = (*data.target).clone();
        let TargetValues::Numbers(numbers) = &mut target.values else { panic!("numbers") };
        let middle = numbers.iter().sum::<f64>() / numbers.len() as f64;
        for number in numbers.iter_mut().step_by(40) {
            *number += 3000.0;
        }
        data.target = std::sync::Arc::new(target);
        let mean = |params: &Params| {
            let predictions = fit(SELF, &data, params).expect("sound data").predict(&data.blocks[0], &data.rows);
            predictions.values().iter().sum::<f64>() / predictions.n_rows() as f64
        };
        let squares = params(1e-4, 0.0);
        let (drawn, robust) = (mean(&squares), mean(&squares.clone().with("loss", "huber")));
        assert!(drawn > middle + 50.0 && (robust - middle).abs() < 25.0, "{drawn} and {robust} about {middle}");
    }

    #[test]
    fn the_order_is_the_seeds() {
        let data = standardised(IRIS, Task::Multiclass);
        let other = TrainData { seed: 1, ..data.clone() };
        let params = params(1e-3, 0.15);
        let model = |data: &TrainData| fit(SELF, data, &params).expect("sound data");
        assert_eq!(model(&data), model(&data));
        assert_ne!(model(&data), model(&other));
    }
}
