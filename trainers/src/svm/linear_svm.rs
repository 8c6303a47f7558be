//! Fits linear support vector machines.

use std::sync::atomic::AtomicBool;

use hyperdrive::{Dimension, Params, Value};

use super::calibrate::{FOLDS, calibrate, folds};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::linear::{Iteration, Lbfgs, Logistic, Loss, Margins};
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;
use crate::weigh::weight_of;

const SELF: Algorithm = Algorithm::LinearSvm;
const ITERATIONS: usize = 250;
/// Converged when no part of the gradient of the mean loss is beyond this.
const TOLERANCE: f64 = 1e-6;

/// Fits [`Logistic`] from margins.
///
/// The objective is that of scikit-learn's `LinearSVC`, `c · Σ max(0, 1 - y s)² + ½ |weights|²`, each class against the
/// others. A departure: the intercepts are free. Then the scores become log-odds by a line, fitted on scores of rows that
/// were not learned from (three folds; the learned rows themselves where a class has fewer than three): Platt's sigmoid
/// for two classes, a softmax for more.
#[derive(Debug, Clone, Copy)]
pub struct LinearSvmTrainer;

impl Trainer for LinearSvmTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &[Task::Binary, Task::Multiclass],
            input: SHARED_INPUT,
            stepped: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, _: &Shape) -> Vec<Dimension> {
        vec![Dimension::float("c", 1e-4, 1e2).log()]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new().with("c", Value::Float(0.1))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Four fits of some 50 iterations, each two products with the features.
        let n_scores = if shape.n_classes > 2 { shape.n_classes } else { 1 };
        let (n, p) = (shape.n_rows.max(1) as f64, (shape.n_features + 1) as f64);
        n * n_scores as f64 * 4.0 * 50.0 * (4.0 * p + 5.0)
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
        let margins = Margins::new(data, Loss::SquaredHinge, 1.0 / c, SELF)?;
        let seed = data.seed;
        OneShot::stoppable(SELF, checkpoint, move |stop| Ok(fit(&margins, seed, stop).map(Estimator::from)))
    }
}

fn fit(margins: &Margins, seed: u64, stop: &AtomicBool) -> Option<Logistic> {
    let n_scores = margins.n_scores();
    let point = minimise(margins, margins.start(), stop)?;
    let n_rows = margins.members.len();
    let mut scores = vec![0.0; n_rows * n_scores];
    let folds = folds(&margins.members, margins.classes.len(), seed);
    for fold in 0..folds.as_ref().map_or(1, |_| FOLDS) {
        let held = |row: usize| folds.as_ref().is_none_or(|folds| folds[row] == fold);
        let own = if let Some(folds) = &folds {
            let weight = |row: usize| weight_of(margins.weights.as_deref(), row);
            let weights = (0..n_rows).map(|row| if folds[row] == fold { 0.0 } else { weight(row) }).collect();
            // From the whole solution it is a few steps.
            minimise(&margins.weighing(weights), point.clone(), stop)?
        } else {
            point.clone()
        };
        for row in (0..n_rows).filter(|row| held(*row)) {
            for of in 0..n_scores {
                scores[row * n_scores + of] = margins.score(&own, row, of);
            }
        }
    }
    let found = calibrate(&scores, &margins.members, margins.classes.len(), margins.weights.as_deref(), stop)?;
    let mut model = margins.model(&point);
    let n_features = model.weights.len() / n_scores;
    for (of, (slope, offset)) in found.slopes.iter().zip(&found.offsets).enumerate() {
        model.weights[of * n_features..][..n_features].iter_mut().for_each(|weight| *weight *= slope);
        model.intercepts[of] = slope * model.intercepts[of] + offset;
    }
    Some(model)
}

fn minimise(margins: &Margins, start: Vec<f64>, stop: &AtomicBool) -> Option<Vec<f64>> {
    let mut at = Lbfgs::new(start);
    for _ in 0..ITERATIONS {
        match at.iterate(TOLERANCE, |x, gradient| margins.value(x, gradient, stop)) {
            Iteration::Moved => {}
            Iteration::Converged => break,
            Iteration::Stopped => return None,
        }
    }
    Some(at.x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BREAST_CANCER, IRIS, assert_close, standardised, weighted};

    /// scikit-learn 1.9.1, `LinearSVC(C=c, tol=1e-10, dual=False, intercept_scaling=1e4)` on `StandardScaler` features,
    /// every sixth coefficient and the intercept, which so large a scale leaves as good as free; the last with
    /// `sample_weight` of mean 1 over the rows that have any.
    #[test]
    fn margins_are_those_of_scikit_learn() {
        let data = standardised(BREAST_CANCER, Task::Binary);
        let unlike = weighted(data.clone());
        for (data, c, expected, intercept) in [
            (&data, 1.0, [-0.270_632_7, 0.658_316, -0.090_751_25, -0.193_693_1, 0.034_105_28], 0.221_020_8),
            (&data, 0.01, [0.117_734_5, 0.133_496_2, 0.125_635_1, -0.042_778_29, 0.143_090_1], -0.157_356_6),
            (&unlike, 0.01, [0.124_543_6, 0.110_345_8, 0.141_957_8, 0.000_359_749_7, 0.113_380_4], -0.135_711_5),
        ] {
            let margins = Margins::new(data, Loss::SquaredHinge, 1.0 / c, SELF).expect("sound data");
            let point = minimise(&margins, margins.start(), &AtomicBool::new(false)).expect("nobody stops it");
            let found: Vec<f64> = point[..30].iter().step_by(6).copied().collect();
            assert_close(&found, &expected, 2e-3);
            assert_close(&point[30..], &[intercept], 2e-3);
        }
    }

    /// Probabilities are as sure as the rows that were not learned from allow.
    #[test]
    fn probabilities_are_calibrated() {
        for (csv, task, most) in [(BREAST_CANCER, Task::Binary, 0.12), (IRIS, Task::Multiclass, 0.45)] {
            let mut data = standardised(csv, task);
            let all: Vec<u32> = data.rows.to_vec();
            data.rows = all.iter().copied().filter(|row| row % 3 != 0).collect();
            let rest: Vec<u32> = all.into_iter().filter(|row| row % 3 == 0).collect();
            let model = crate::testing::fit(SELF, &data, &Params::new().with("c", 0.1)).expect("sound data");
            let predictions = model.predict(&data.blocks[0], &rest);
            let loss = crate::Metric::LogLoss.score(&data.target, &rest, &predictions, 0.5).expect("probabilities");
            assert!(loss < most, "{task}: {loss}");
        }
    }
}
