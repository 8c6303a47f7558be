//! Fits k nearest neighbours: the training rows are the model.

use std::collections::BTreeSet;

use hyperdrive::{Choice, Dimension, Params, Value};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::model::{Answers, Distance, Knn, Vote};
use crate::algorithm::Algorithm;
use crate::data::{Shape, TargetValues, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use crate::trainer::{Capabilities, OneShot, Trainer, Training};
use crate::transform::SHARED_INPUT;

const SELF: Algorithm = Algorithm::Knn;
/// More training rows than this are thinned to this many.
const MAX_POINTS: usize = 50_000;
const MAX_K: usize = 100;

/// Fits [`Knn`]. Above 50,000 training rows a subsample of that size, drawn without replacement from the data's
/// seed, is remembered: exact search costs a pass over all of them for every prediction. Weights multiply votes; they
/// do not change who is among the k, so a row of weight 2 is one neighbour, not two.
#[derive(Debug, Clone, Copy)]
pub struct KnnTrainer;

impl Trainer for KnnTrainer {
    fn describe(&self) -> Capabilities {
        Capabilities {
            algorithm: SELF,
            tasks: &Task::ALL,
            input: SHARED_INPUT,
            stepped: false,
            weighted: true,
            watches: false,
            baseline: false,
        }
    }

    fn space(&self, shape: &Shape) -> Vec<Dimension> {
        vec![
            Dimension::int("k", 1, greatest_k(shape)).log(),
            Dimension::choice("weights", vec![Choice::leaf("uniform"), Choice::leaf("distance")]),
            Dimension::int("p", 1, 2),
        ]
    }

    fn default_params(&self, shape: &Shape) -> Params {
        Params::new()
            .with("k", Value::Int(greatest_k(shape).min(5)))
            .with("weights", Value::Text("uniform".to_string()))
            .with("p", Value::Int(2))
    }

    fn work(&self, shape: &Shape, _: &Params) -> f64 {
        // Remembering costs nothing; predicting a quarter as many rows costs three operations per remembered cell
        // and row, which vector instructions do faster than the other trainers' by about that.
        let n_points = shape.n_rows.clamp(1, MAX_POINTS) as f64;
        let n_queries = (shape.n_rows as f64 / 4.0).max(1.0);
        n_points * n_queries * (shape.n_features + 1) as f64
    }

    fn start(
        &self,
        data: &TrainData,
        params: &Params,
        checkpoint: Option<&[u8]>,
    ) -> Result<Box<dyn Training>, TrainError> {
        let settings = Settings::read(params)?;
        let data = data.clone();
        OneShot::start(SELF, checkpoint, move || fit(&data, settings))
    }
}

fn greatest_k(shape: &Shape) -> i64 {
    (shape.n_rows / 2).clamp(1, MAX_K) as i64
}

#[derive(Clone, Copy)]
struct Settings {
    k: usize,
    vote: Vote,
    distance: Distance,
}

impl Settings {
    fn read(params: &Params) -> Result<Settings, TrainError> {
        let k = params.int("k")?;
        let k = usize::try_from(k).ok().filter(|&k| k >= 1).ok_or_else(|| TrainError::Param {
            name: "k",
            value: k.to_string(),
            allowed: "it must be 1 or more",
        })?;
        let vote = match params.text("weights")? {
            "uniform" => Vote::Uniform,
            "distance" => Vote::Distance,
            other => {
                return Err(TrainError::Param {
                    name: "weights",
                    value: format!("`{other}`"),
                    allowed: "it must be `uniform` or `distance`",
                });
            }
        };
        let distance = match params.int("p")? {
            1 => Distance::Manhattan,
            2 => Distance::Euclidean,
            other => {
                return Err(TrainError::Param {
                    name: "p",
                    value: other.to_string(),
                    allowed: "it must be 1 (Manhattan) or 2 (Euclidean)",
                });
            }
        };
        Ok(Settings { k, vote, distance })
    }
}

fn fit(data: &TrainData, settings: Settings) -> Result<Estimator, TrainError> {
    let (mut data, mut weights) = data.weighed()?;
    if data.rows.len() > MAX_POINTS {
        // The same seed picks the same places of both.
        data.rows = thin(&data.rows, data.seed).into();
        weights = weights.map(|weights| thin(&weights, data.seed));
    }
    let targets = data.training_targets(SELF)?;
    let (n_rows, n_features) = (data.rows.len(), data.n_features());
    let columns = data.training_features()?;
    let mut points = vec![0.0_f32; columns.len()];
    for (j, column) in columns.chunks_exact(n_rows).enumerate() {
        for (i, value) in column.iter().enumerate() {
            points[i * n_features + j] = *value as f32;
        }
    }
    let answers = match targets {
        TargetValues::Classes(classes) => Answers::Classes(classes),
        TargetValues::Numbers(numbers) => Answers::Numbers(numbers),
    };
    Ok(Estimator::Knn(Knn {
        n_outputs: data.target.n_outputs(),
        k: settings.k.min(n_rows),
        vote: settings.vote,
        distance: settings.distance,
        n_features,
        points,
        answers: match weights {
            Some(weights) => Answers::Weighed { weights, of: Box::new(answers) },
            None => answers,
        },
    }))
}

/// [`MAX_POINTS`] of the rows, in their order, by Floyd's sampling without replacement.
fn thin<T: Copy>(rows: &[T], seed: u64) -> Vec<T> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut chosen = BTreeSet::new();
    for last in rows.len() - MAX_POINTS..rows.len() {
        let drawn = rng.random_range(0..=last);
        if !chosen.insert(drawn) {
            chosen.insert(last);
        }
    }
    chosen.into_iter().map(|i| rows[i]).collect()
}

#[cfg(test)]
mod tests {
    use smartcore::linalg::basic::matrix::DenseMatrix;
    use smartcore::neighbors::knn_regressor::{KNNRegressor, KNNRegressorParameters};

    use super::*;
    use crate::testing::{DIABETES, IRIS, assert_close, predict, standardised};

    fn params(k: i64, weights: &str, p: i64) -> Params {
        Params::new().with("k", k).with("weights", weights).with("p", p)
    }

    /// scikit-learn 1.9.1, `KNeighborsClassifier(7, weights=…, p=…)` fitted on every other row of iris, features
    /// from `StandardScaler`.
    #[test]
    fn probabilities_are_those_of_scikit_learn() {
        let mut data = standardised(IRIS, Task::Multiclass);
        data.rows = (0..150).step_by(2).collect();
        for (weights, p, second) in [
            ("uniform", 1, [0.0, 1.0, 3.0 / 7.0, 5.0 / 7.0, 3.0 / 7.0]),
            ("uniform", 2, [0.0, 1.0, 3.0 / 7.0, 5.0 / 7.0, 3.0 / 7.0]),
            ("distance", 1, [0.0, 1.0, 0.375_089_145, 0.726_667_583, 0.342_933_864]),
            ("distance", 2, [0.0, 1.0, 0.374_463_996, 0.709_496_875, 0.368_313_237]),
        ] {
            let found = predict(SELF, &data, &params(7, weights, p), &[1, 71, 83, 133, 149]);
            let found: Vec<f64> = found.iter().map(|row| row[1]).collect();
            assert_close(&found, &second, 1e-6);
        }
    }

    #[test]
    fn numbers_are_those_of_smartcore() {
        let mut data = standardised(DIABETES, Task::Regression);
        data.rows = (0..300).collect();
        let columns = data.training_features().expect("the features are finite");
        let x = DenseMatrix::new(300, 10, columns, true).expect("as many values as cells");
        let y = data.training_numbers(SELF).expect("every row has a number");
        let theirs = KNNRegressor::fit(&x, &y, KNNRegressorParameters::default().with_k(9)).expect("smartcore fits");
        let rows: Vec<u32> = (300..442).collect();
        let unseen = TrainData { rows: rows.clone().into(), ..data.clone() };
        let queries = unseen.training_features().expect("the features are finite");
        let queries = DenseMatrix::new(rows.len(), 10, queries, true).expect("as many values as cells");
        let expected: Vec<f64> = theirs.predict(&queries).expect("smartcore predicts");
        let found = predict(SELF, &data, &params(9, "uniform", 2), &rows).concat();
        assert_close(&found, &expected, 1e-9);
    }

    #[test]
    fn a_training_row_is_its_own_nearest() {
        let data = standardised(DIABETES, Task::Regression);
        let rows: Vec<u32> = (0..442).collect();
        let found = predict(SELF, &data, &params(5, "distance", 2), &rows).concat();
        assert_close(&found, &data.training_numbers(SELF).expect("every row has a number"), 1e-9);
    }

    #[test]
    fn many_rows_are_thinned_by_the_seed() {
        let rows: Vec<u32> = (0..60_000).map(|row| row * 2).collect();
        let thinned = thin(&rows, 9);
        assert_eq!(thinned.len(), MAX_POINTS);
        assert!(thinned.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        assert_eq!(thinned, thin(&rows, 9));
        assert_ne!(thinned, thin(&rows, 10));
        let late = thinned.iter().filter(|&&row| row >= 60_000).count();
        let places: Vec<f64> = (0..60_000).map(f64::from).collect();
        let same = thin(&places, 9).iter().zip(&thinned).all(|(place, row)| place * 2.0 == f64::from(*row));
        assert!(same, "the same places of anything that long");
        assert!((24_000..26_000).contains(&late), "drawn evenly: {late} from the second half");
    }

    #[test]
    fn weights_multiply_votes() {
        let data = standardised(IRIS, Task::Multiclass);
        let rows: std::sync::Arc<[u32]> = [0, 60, 61, 140].into();
        let weights = (0..150).map(|row| if row == 60 { 6.0 } else { 2.0 }).collect();
        let data = TrainData { rows, weights: Some(weights), ..data };
        let found = predict(SELF, &data, &params(4, "uniform", 2), &[99]);
        assert_close(&found[0], &[1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0], 1e-12);
        let model = crate::testing::fit(SELF, &data, &params(4, "uniform", 2)).expect("four points");
        assert!(model.check(4, 3).is_ok());
        let Estimator::Knn(mut knn) = model else { panic!("a model of neighbours") };
        let Answers::Weighed { weights, .. } = &mut knn.answers else { panic!("weighed answers") };
        weights.pop();
        assert!(!knn.fits(4), "a file with too few weights is refused");
    }
}
