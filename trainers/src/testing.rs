//! The sample data sets as standardised features, for golden figures.

use std::sync::Arc;

use crate::data::{Block, Target, TargetValues, TrainData};
use crate::error::TrainError;
use crate::model::Estimator;
use crate::task::Task;
use hyperdrive::Params;

pub(crate) const IRIS: &str = include_str!("../../datasets/data/iris.csv");
pub(crate) const BREAST_CANCER: &str = include_str!("../../datasets/data/breast_cancer.csv");
pub(crate) const DIABETES: &str = include_str!("../../datasets/data/diabetes.csv");

/// The data set with its last column as the target and the others at mean 0 and standard deviation 1, as
/// scikit-learn's `StandardScaler` makes them. Every row is for training.
pub(crate) fn standardised(csv: &str, task: Task) -> TrainData {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let mut names: Vec<String> = lines.next().expect("a header").iter().map(ToString::to_string).collect();
    names.pop();
    let cells: Vec<Vec<&str>> = lines.collect();
    let n_rows = cells.len();
    let mut values = Vec::new();
    for j in 0..names.len() {
        let column: Vec<f64> = cells.iter().map(|row| row[j].parse().expect("a number")).collect();
        let mean = column.iter().sum::<f64>() / n_rows as f64;
        let std = (column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n_rows as f64).sqrt();
        values.extend(column.iter().map(|x| ((x - mean) / std) as f32));
    }
    let answers = cells.iter().map(|row| row[names.len()]);
    let mut classes: Vec<String> = Vec::new();
    let values_of_target = if task == Task::Regression {
        TargetValues::Numbers(answers.map(|answer| answer.parse().expect("a number")).collect())
    } else {
        classes = answers.clone().map(ToString::to_string).collect();
        classes.sort_unstable();
        classes.dedup();
        let index = |answer| classes.iter().position(|class| class == answer).expect("it is listed") as u32;
        TargetValues::Classes(answers.map(index).collect())
    };
    let block = Arc::new(Block::numbers(names, n_rows, values));
    let target = Arc::new(Target { task, classes, values: values_of_target });
    TrainData::new(vec![block], (0..n_rows as u32).collect(), target, 0)
}

/// The same data with weights 0.5, 1, 2, 0 over and over.
pub(crate) fn weighted(data: TrainData) -> TrainData {
    let weights = (0..data.target.n_rows()).map(|row| [0.5, 1.0, 2.0, 0.0][row % 4]).collect();
    TrainData { weights: Some(weights), ..data }
}

/// Fits to the end.
pub(crate) fn fit(algorithm: crate::Algorithm, data: &TrainData, params: &Params) -> Result<Estimator, TrainError> {
    let mut training = algorithm.trainer().start(data, params, None)?;
    training.advance(1.0, &std::sync::atomic::AtomicBool::new(false))?;
    training.model()
}

/// Predicts some rows with what the parameters give.
pub(crate) fn predict(algorithm: crate::Algorithm, data: &TrainData, params: &Params, rows: &[u32]) -> Vec<Vec<f64>> {
    let model = fit(algorithm, data, params).expect("the sample data can be fitted");
    model.predict(&data.blocks[0], rows).rows().map(<[f64]>::to_vec).collect()
}

/// Asserts that figures agree to `tolerance`, absolute.
pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found_one, expected_one) in found.iter().zip(expected) {
        assert!((found_one - expected_one).abs() <= tolerance, "{found:?} where {expected:?} is expected");
    }
}
