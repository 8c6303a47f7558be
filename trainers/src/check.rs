//! The compliance suite that every registered trainer passes.

mod odd;
mod toy;
mod weights;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyperdrive::{Params, Space};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::algorithm::Algorithm;
use crate::data::{Block, Predictions, TrainData};
use crate::error::TrainError;
use crate::metric::Metric;
use crate::model::Estimator;
use crate::task::Task;
use toy::Toy;

/// Checks a trainer against everything its callers rely on; for every task it answers:
///
/// - its space is well formed and holds its default; its work is positive, finite and grows with the rows;
/// - it does better than the constant predictor on rows it has not seen, unless it is a baseline;
/// - the same data, parameters and seed give the same model, and sampled parameters give usable ones;
/// - it looks at training rows only, and does not mind how features are cut into blocks;
/// - a stop, a checkpoint and a resumption end in the same bits as an uninterrupted fit;
/// - weights are refused, or only their ratios matter: equal ones are as good as none, a row of weight 0 as good as
///   absent, heavier rows draw predictions towards their answers, and where the trainer says so a row of weight k is as
///   good as k rows;
/// - predictions follow the order of the rows asked for, each independent of the others;
/// - odd data (constant columns, one row, one class, more features than rows, nothing) end in a model or an
///   error.
///
/// # Panics
/// On the first breach, saying which.
pub fn check_trainer(algorithm: Algorithm) {
    let trainer = algorithm.trainer();
    let capabilities = trainer.describe();
    assert_eq!(capabilities.algorithm, algorithm, "the trainer describes another algorithm");
    assert_eq!(Algorithm::parse(algorithm.name()), Ok(algorithm), "the name does not parse back");
    assert!(!capabilities.tasks.is_empty(), "{algorithm} answers no task");
    for task in Task::ALL {
        let toy = Toy::new(task, 120, 7);
        if capabilities.tasks.contains(&task) {
            check_space(algorithm, &toy);
            check_learning(algorithm, &toy);
            check_sampled(algorithm, &toy);
            check_view(algorithm, &toy);
            check_stops(algorithm, &toy);
            check_prediction(algorithm, &toy);
            weights::check_weights(algorithm, &toy);
            odd::check_odd_data(algorithm, task);
        } else {
            let outcome = fit(algorithm, &toy.data, &trainer.default_params(&toy.data.shape()));
            assert!(outcome.is_err(), "{algorithm} fits {task}, which it does not describe");
        }
    }
}

/// Fits to the end.
fn fit(algorithm: Algorithm, data: &TrainData, params: &Params) -> Result<Estimator, TrainError> {
    let mut training = algorithm.trainer().start(data, params, None)?;
    let reached = training.advance(1.0, &AtomicBool::new(false))?;
    assert_eq!(reached, 1.0, "{algorithm} did not reach its end, unstopped");
    training.model()
}

fn fit_default(algorithm: Algorithm, data: &TrainData) -> Estimator {
    let params = algorithm.trainer().default_params(&data.shape());
    expect(algorithm, fit(algorithm, data, &params))
}

fn expect<T>(algorithm: Algorithm, outcome: Result<T, TrainError>) -> T {
    outcome.unwrap_or_else(|error| panic!("{algorithm} fails: {error}"))
}

fn check_space(algorithm: Algorithm, toy: &Toy) {
    let trainer = algorithm.trainer();
    let shape = toy.data.shape();
    for n_rows in [1, 2, 3, 10, 1_000, 1_000_000] {
        let shape = crate::Shape { n_rows, ..shape };
        let space = Space::new(trainer.space(&shape));
        let default = trainer.default_params(&shape);
        let checked = space.check().and_then(|()| space.contains(&default));
        assert!(checked.is_ok(), "{algorithm} at {n_rows} rows: {checked:?}");
        let work = trainer.work(&shape, &default);
        assert!(work.is_finite() && work > 0.0, "{algorithm} at {n_rows} rows: work {work}");
        let more = trainer.work(&crate::Shape { n_rows: 4 * n_rows, ..shape }, &default);
        assert!(more > work, "{algorithm}: four times {n_rows} rows are no more work");
    }
}

fn check_learning(algorithm: Algorithm, toy: &Toy) {
    let model = fit_default(algorithm, &toy.data);
    let again = fit_default(algorithm, &toy.data);
    assert_eq!(bytes(&model), bytes(&again), "{algorithm}: two fits of the same data differ");
    if algorithm.trainer().describe().baseline {
        return;
    }
    // Not the logarithmic loss, which a vote of few neighbours loses by one certain mistake.
    let metric = if toy.data.target.task.is_classification() { Metric::BalancedAccuracy } else { Metric::Rmse };
    let score = |model: &Estimator| {
        metric
            .score(&toy.data.target, &toy.unseen, &model.predict(&toy.block, &toy.unseen), 0.5)
            .unwrap_or_else(|error| panic!("{algorithm}: {error}"))
    };
    let (own, constant) = (score(&model), score(&fit_default(Algorithm::Constant, &toy.data)));
    assert!(
        metric.goal().better(own, constant),
        "{algorithm} does no better than the constant predictor: {metric} {own} against {constant}"
    );
}

fn check_sampled(algorithm: Algorithm, toy: &Toy) {
    let space = Space::new(algorithm.trainer().space(&toy.data.shape()));
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..8 {
        let params = space.sample(&mut rng);
        let model = fit(algorithm, &toy.data, &params)
            .unwrap_or_else(|error| panic!("{algorithm} with {params} fails: {error}"));
        check_sane(algorithm, &toy.data, &model.predict(&toy.block, &toy.unseen), toy.unseen.len());
        let read: Estimator = rmp_serde::from_slice(&bytes(&model)).expect("what was written can be read");
        assert_eq!(read, model, "{algorithm} with {params}: the model does not survive writing and reading");
    }
}

/// Whether predictions are of the right shape, finite, and probabilities sum to 1.
fn check_sane(algorithm: Algorithm, data: &TrainData, predictions: &Predictions, n_rows: usize) {
    assert_eq!(predictions.n_rows(), n_rows, "{algorithm}: as many predictions as rows");
    assert_eq!(predictions.n_outputs(), data.target.n_outputs(), "{algorithm}: one output per class");
    for row in predictions.rows() {
        assert!(row.iter().all(|value| value.is_finite()), "{algorithm} predicts {row:?}");
        if data.target.task.is_classification() {
            let sum: f64 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{algorithm}: probabilities {row:?} sum to {sum}");
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{algorithm}: {row:?} are no probabilities");
        }
    }
}

fn check_view(algorithm: Algorithm, toy: &Toy) {
    let model = bytes(&fit_default(algorithm, &toy.data));
    let poisoned = fit_default(algorithm, &toy.poisoned());
    assert_eq!(bytes(&poisoned), model, "{algorithm} looks at rows outside its view");
    let (left, right) = halves(&toy.block);
    let cut = TrainData { blocks: vec![Arc::new(left), Arc::new(right)], ..toy.data.clone() };
    assert_eq!(bytes(&fit_default(algorithm, &cut)), model, "{algorithm} minds how features are cut into blocks");
}

fn halves(block: &Block) -> (Block, Block) {
    let part = |from: usize, to: usize| {
        let values = block.values[from * block.n_rows..to * block.n_rows].to_vec();
        Block::numbers(block.names[from..to].to_vec(), block.n_rows, values)
    };
    (part(0, 1), part(1, block.n_features()))
}

fn check_stops(algorithm: Algorithm, toy: &Toy) {
    let trainer = algorithm.trainer();
    let params = trainer.default_params(&toy.data.shape());
    let whole = expect(algorithm, fit(algorithm, &toy.data, &params));
    let go_on = AtomicBool::new(false);
    let start = |checkpoint: Option<&[u8]>| expect(algorithm, trainer.start(&toy.data, &params, checkpoint));

    let mut training = start(None);
    let reached = expect(algorithm, training.advance(1.0, &AtomicBool::new(true)));
    assert_eq!(reached, 0.0, "{algorithm} works although it was stopped before it began");
    assert!(training.model().is_err(), "{algorithm} has a model before its first step");
    let reached = expect(algorithm, training.advance(0.0, &go_on));
    assert_eq!(reached, 0.0, "{algorithm} works although nothing was asked");
    let empty = expect(algorithm, training.checkpoint());

    let mut last = 0.0;
    for until in [0.3, 0.6, 0.6] {
        let reached = expect(algorithm, training.advance(until, &go_on));
        assert!(reached >= until && reached <= 1.0 && reached >= last, "{algorithm}: asked {until}, reached {reached}");
        last = reached;
        check_sane(
            algorithm,
            &toy.data,
            &expect(algorithm, training.model()).predict(&toy.block, &toy.unseen),
            toy.unseen.len(),
        );
    }
    for checkpoint in [empty, expect(algorithm, training.checkpoint())] {
        let mut resumed = start(Some(&checkpoint));
        assert_eq!(expect(algorithm, resumed.advance(1.0, &go_on)), 1.0, "{algorithm} does not resume to its end");
        let model = expect(algorithm, resumed.model());
        assert_eq!(bytes(&model), bytes(&whole), "{algorithm}: a resumed fit differs from an uninterrupted one");
        for damage in [&checkpoint[..checkpoint.len() / 2], &[0xff, 0x00][..]] {
            // Half a checkpoint is an error; what cannot be told from a whole one must still not panic.
            if let Ok(mut training) = trainer.start(&toy.data, &params, Some(damage)) {
                let _ = training.advance(1.0, &go_on);
            }
        }
    }
}

fn check_prediction(algorithm: Algorithm, toy: &Toy) {
    let model = fit_default(algorithm, &toy.data);
    let all = model.predict(&toy.block, &toy.unseen);
    let backwards: Vec<u32> = toy.unseen.iter().rev().copied().collect();
    let reversed = model.predict(&toy.block, &backwards);
    let n = toy.unseen.len();
    for (i, &row) in toy.unseen.iter().enumerate() {
        assert_eq!(all.row(i), reversed.row(n - 1 - i), "{algorithm}: predictions do not follow the rows");
        assert_eq!(
            all.row(i),
            model.predict(&toy.block, &[row]).row(0),
            "{algorithm}: row {row} alone is predicted otherwise than in a batch"
        );
    }
    assert_eq!(model.predict(&toy.block, &[]).n_rows(), 0, "{algorithm}: no rows, no predictions");
}

fn bytes(model: &Estimator) -> Vec<u8> {
    rmp_serde::to_vec_named(model).expect("an estimator is plain data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_trainer_complies() {
        for &algorithm in Algorithm::all() {
            check_trainer(algorithm);
        }
    }

    #[test]
    fn every_task_has_a_trainer_and_a_baseline() {
        for task in Task::ALL {
            let of_task =
                || Algorithm::all().iter().map(|a| a.trainer().describe()).filter(|d| d.tasks.contains(&task));
            assert!(of_task().any(|d| d.baseline));
            assert!(of_task().any(|d| !d.baseline));
        }
    }
}
