//! Fits support vector machines along a kernel.

use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Choice, Dimension, Params, Value};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::calibrate::{Calibration, FOLDS, calibrate, folds};
use super::model::{Kernel, Svm};
use super::smo::{Gram, Solved, solve};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TrainData};
use crate::error::TrainError;
use crate::gather::classes_of;
use crate::linear::Rows;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;
use crate::weigh::weight_of;

const SELF: Algorithm = Algorithm::Svm;
/// More training rows than this are thinned to this many.
const MAX_ROWS: usize = 4000;
/// The dual is solved to this, and no further than so many steps a row.
const TOLERANCE: f64 = 1e-3;
const STEPS_PER_ROW: usize = 100;

/// Fits [`Svm`]: C-support vector classification (Cortes & Vapnik 1995) with a Gaussian or cubic kernel, each class against
/// the others, losses multiplied with the weights of the rows at a mean of 1.
///
/// All kernels of pairs of rows are held, 4 bytes each. So above 4,000 training rows, or where [`TrainData::memory`] does
/// not allow so many, it learns from a sample drawn by the data's seed that keeps the classes' shares. `gamma` is in
/// units of scikit-learn's `scale`, one over the number of features times their variance. Decisions become log-odds by a
/// line fitted on decisions of rows that were not learned from (three folds; the learned rows themselves where a class
/// has fewer than three): Platt's sigmoid for two classes, a softmax for more.
#[derive(Debug, Clone, Copy)]
pub struct KernelSvmTrainer;

impl Trainer for KernelSvmTrainer {
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
        vec![
            Dimension::float("c", 0.03, 1e3).log(),
            Dimension::choice("kernel", vec![Choice::leaf("rbf"), Choice::leaf("poly")]),
            Dimension::float("gamma", 0.01, 10.0).log(),
        ]
    }

    fn default_params(&self, _: &Shape) -> Params {
        Params::new()
            .with("c", Value::Float(1.0))
            .with("kernel", Value::Text("rbf".to_string()))
            .with("gamma", Value::Float(1.0))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Half the kernels of pairs; of each class four machines of some ten steps a row, each over all rows; and of a
        // quarter as many rows as there are the kernels with half of those learned from.
        let n_scores = if shape.n_classes > 2 { shape.n_classes } else { 1 };
        let (n, p) = (shape.n_rows.clamp(1, MAX_ROWS) as f64, (shape.n_features + 1) as f64);
        let queries = (shape.n_rows as f64 / 4.0).max(1.0);
        n * n * (p + 20.0) + n_scores as f64 * 4.0 * 10.0 * n * n * 4.0 + queries * n / 2.0 * (2.0 * p + 20.0)
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let settings = Settings::read(params)?;
        let data = data.clone();
        OneShot::stoppable(SELF, checkpoint, move |stop| fit(&data, settings, stop))
    }
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    c: f64,
    rbf: bool,
    gamma: f64,
}

impl Settings {
    fn read(params: &Params) -> Result<Settings, TrainError> {
        let positive = |name: &'static str| {
            let value = params.float(name)?;
            if value.is_finite() && value > 0.0 {
                return Ok(value);
            }
            Err(TrainError::Param { name, value: value.to_string(), allowed: "it must be positive" })
        };
        let rbf = match params.text("kernel")? {
            "rbf" => true,
            "poly" => false,
            other => {
                return Err(TrainError::Param {
                    name: "kernel",
                    value: format!("`{other}`"),
                    allowed: "it must be `rbf` or `poly`",
                });
            }
        };
        Ok(Settings { c: positive("c")?, rbf, gamma: positive("gamma")? })
    }
}

/// The rows that are learned from.
struct Problem {
    rows: Rows,
    /// Ascending, two or more; and of each row the position of its class among them.
    classes: Vec<u32>,
    members: Vec<usize>,
    weights: Option<Vec<f64>>,
    kernel: Kernel,
    gram: Gram,
    c: f64,
}

fn fit(data: &TrainData, settings: Settings, stop: &AtomicBool) -> Result<Option<Estimator>, TrainError> {
    let (mut data, mut weights) = data.weighed()?;
    let (_, members) = classes_of(&data.training_classes(SELF)?, data.target.n_outputs());
    let bound = data.memory.map_or(MAX_ROWS, |bytes| (bytes as f64 / 8.0).sqrt() as usize).clamp(2, MAX_ROWS);
    if members.len() > bound {
        let places = sample(&members, bound, data.seed);
        data.rows = places.iter().map(|&place| data.rows[place]).collect();
        weights = weights.map(|weights| places.iter().map(|&place| weights[place]).collect());
    }
    let Some(problem) = Problem::new(&data, weights, settings, stop)? else { return Ok(None) };
    let n_classes = problem.classes.len();
    let n_scores = if n_classes == 2 { 1 } else { n_classes };
    let folds = folds(&problem.members, n_classes, data.seed);
    let mut machines = Vec::with_capacity(n_scores);
    let mut scores = vec![0.0; problem.members.len() * n_scores];
    for of in 0..n_scores {
        let class = if n_scores == 1 { 1 } else { of };
        let Some(machine) = problem.machine(class, |_| true, stop) else { return Ok(None) };
        match &folds {
            Some(folds) => {
                for fold in 0..FOLDS {
                    let Some(own) = problem.machine(class, |row| folds[row] != fold, stop) else { return Ok(None) };
                    for row in (0..folds.len()).filter(|&row| folds[row] == fold) {
                        scores[row * n_scores + of] = own.decisions[row];
                    }
                }
            }
            None => {
                for (row, decision) in machine.decisions.iter().enumerate() {
                    scores[row * n_scores + of] = *decision;
                }
            }
        }
        machines.push(machine);
    }
    let Some(found) = calibrate(&scores, &problem.members, n_classes, problem.weights.as_deref(), stop) else {
        return Ok(None);
    };
    Ok(Some(Estimator::Svm(problem.model(&machines, &found, data.target.n_outputs()))))
}

impl Problem {
    /// `None` when asked to stop on the way.
    fn new(
        data: &TrainData,
        weights: Option<Vec<f64>>,
        settings: Settings,
        stop: &AtomicBool,
    ) -> Result<Option<Problem>, TrainError> {
        let targets = data.training_classes(SELF)?;
        let (classes, members) = classes_of(&targets, data.target.n_outputs());
        if classes.len() < 2 {
            return Err(TrainError::OneClass { algorithm: SELF, n_rows: targets.len() });
        }
        let rows = Rows::of(data)?;
        let variance = variance(&rows, weights.as_deref());
        let scale = 1.0 / (rows.n_features.max(1) as f64 * if variance > 0.0 { variance } else { 1.0 });
        // Of features too large or too alike for any gamma the smallest and greatest numbers are left.
        let gamma = (settings.gamma * scale).clamp(f64::MIN_POSITIVE, f64::MAX);
        let kernel = if settings.rbf { Kernel::Rbf { gamma } } else { Kernel::Cubic { gamma } };
        let n_rows = rows.n_rows();
        let mut values = vec![0.0; n_rows * n_rows];
        for i in 0..n_rows {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            for j in 0..=i {
                let near = kernel.of(rows.row(i), rows.row(j));
                (values[i * n_rows + j], values[j * n_rows + i]) = (near, near);
            }
        }
        let gram = Gram { n_rows, values };
        Ok(Some(Problem { rows, classes, members, weights, kernel, gram, c: settings.c }))
    }

    /// The machine of a class against the others, from some of the rows.
    fn machine(&self, class: usize, learns: impl Fn(usize) -> bool, stop: &AtomicBool) -> Option<Solved> {
        let positive: Vec<bool> = self.members.iter().map(|&member| member == class).collect();
        let bound = |row| if learns(row) { self.c * weight_of(self.weights.as_deref(), row) } else { 0.0 };
        let bounds: Vec<f64> = (0..positive.len()).map(bound).collect();
        solve(&self.gram, &positive, &bounds, TOLERANCE, STEPS_PER_ROW * positive.len().max(100), stop)
    }

    fn model(self, machines: &[Solved], found: &Calibration, n_outputs: usize) -> Svm {
        let (mut points, mut coefficients) = (Vec::new(), Vec::new());
        for row in 0..self.rows.n_rows() {
            if machines.iter().any(|machine| machine.coefficients[row] != 0.0) {
                points.extend_from_slice(self.rows.row(row));
                let own = |(machine, slope): (&Solved, &f64)| slope * machine.coefficients[row];
                coefficients.extend(machines.iter().zip(&found.slopes).map(own));
            }
        }
        let lines = machines.iter().zip(found.slopes.iter().zip(&found.offsets));
        Svm {
            n_outputs,
            classes: self.classes,
            kernel: self.kernel,
            n_features: self.rows.n_features,
            points,
            coefficients,
            intercepts: lines.map(|(machine, (slope, offset))| slope * machine.intercept + offset).collect(),
        }
    }
}

/// The variance of all cells together, as scikit-learn's `scale` has it; by weight.
fn variance(rows: &Rows, weights: Option<&[f64]>) -> f64 {
    let (mut total, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for i in 0..rows.n_rows() {
        let weight = weight_of(weights, i);
        for x in rows.row(i) {
            // West's update, which keeps its digits far from 0.
            total += weight;
            let away = f64::from(*x) - mean;
            mean += weight / total * away;
            squares += weight * away * (f64::from(*x) - mean);
        }
    }
    if total > 0.0 { squares / total } else { 0.0 }
}

/// The places of `most` rows in their order, of each class its share and at least one where there is room.
fn sample(members: &[usize], most: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut places: Vec<usize> = (0..members.len()).collect();
    places.shuffle(&mut rng);
    // Each row by how far into its class it comes; then the first of every class go before all others.
    let n_classes = members.iter().max().map_or(0, |last| last + 1);
    let mut sizes = vec![0_usize; n_classes];
    for &class in members {
        sizes[class] += 1;
    }
    let mut seen = vec![0_usize; n_classes];
    let mut ranked: Vec<(f64, usize)> = Vec::with_capacity(places.len());
    for place in places {
        let class = members[place];
        let rank = if seen[class] == 0 { 0.0 } else { seen[class] as f64 / sizes[class] as f64 };
        seen[class] += 1;
        ranked.push((rank, place));
    }
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut chosen: Vec<usize> = ranked.into_iter().take(most).map(|(_, place)| place).collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BREAST_CANCER, IRIS, assert_close, fit as fit_to_end, standardised};

    fn params(c: f64, kernel: &str) -> Params {
        Params::new().with("c", c).with("kernel", kernel).with("gamma", 1.0)
    }

    /// scikit-learn 1.9.1, `SVC(C=c, kernel=…, degree=3, coef0=1, gamma="scale", tol=1e-8).decision_function` on
    /// `StandardScaler` features.
    #[test]
    fn decisions_are_those_of_scikit_learn() {
        let data = standardised(BREAST_CANCER, Task::Binary);
        for (c, kernel, expected) in [
            (1.0, "rbf", [1.0, 0.651_183_7, -0.659_805_9, -0.824_505_9, -0.025_410_98, -1.136_877]),
            (100.0, "rbf", [1.046_054, 0.999_999, 0.999_998_8, 1.000_004, -1.000_001, -2.445_907]),
            (1.0, "poly", [7.036_366, 1.0, -0.524_583_7, -0.582_668, -0.413_410_7, -3.180_062]),
        ] {
            let settings = Settings::read(&params(c, kernel)).expect("sound parameters");
            let go_on = AtomicBool::new(false);
            let problem = Problem::new(&data, None, settings, &go_on).expect("sound data").expect("nobody stops it");
            let machine = problem.machine(1, |_| true, &go_on).expect("nobody stops it");
            let found = [0, 13, 73, 135, 541, 568].map(|row| machine.decisions[row]);
            assert_close(&found, &expected, 5e-3);
        }
    }

    /// Probabilities are as sure as the rows that were not learned from allow.
    #[test]
    fn probabilities_are_calibrated() {
        for (csv, task, kernel, most) in [
            (BREAST_CANCER, Task::Binary, "rbf", 0.15),
            (IRIS, Task::Multiclass, "rbf", 0.25),
            (IRIS, Task::Multiclass, "poly", 0.25),
        ] {
            let mut data = standardised(csv, task);
            let all: Vec<u32> = data.rows.to_vec();
            data.rows = all.iter().copied().filter(|row| row % 3 != 0).collect();
            let rest: Vec<u32> = all.into_iter().filter(|row| row % 3 == 0).collect();
            let model = fit_to_end(SELF, &data, &params(1.0, kernel)).expect("sound data");
            let predictions = model.predict(&data.blocks[0], &rest);
            let loss = crate::Metric::LogLoss.score(&data.target, &rest, &predictions, 0.5).expect("probabilities");
            assert!(loss < most, "{task} {kernel}: {loss}");
        }
    }

    #[test]
    fn a_sample_keeps_shares_and_rare_classes() {
        let members: Vec<usize> = (0..1000).map(|row| if row == 7 { 2 } else { usize::from(row % 4 == 0) }).collect();
        let found = sample(&members, 100, 5);
        assert!(found.len() == 100 && found.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        let of = |class| found.iter().filter(|&&place| members[place] == class).count();
        assert!(of(2) == 1 && (24..=26).contains(&of(1)), "{} {}", of(1), of(2));
        assert_eq!(found, sample(&members, 100, 5));
        assert_ne!(found, sample(&members, 100, 6));
    }

    #[test]
    fn a_bound_of_memory_and_a_stop_are_heard() {
        let mut data = standardised(BREAST_CANCER, Task::Binary);
        data.memory = Some(8 * 100 * 100);
        let Ok(Estimator::Svm(model)) = fit_to_end(SELF, &data, &params(1.0, "rbf")) else { panic!("a kernel model") };
        assert!(model.points.len() <= 100 * 30 && model.fits(30) && !model.fits(29));
        let stopped = AtomicBool::new(true);
        let settings = Settings::read(&params(1.0, "rbf")).expect("sound parameters");
        assert!(fit(&data, settings, &stopped).expect("sound data").is_none());
    }
}
