//! What weights must mean.

use std::sync::Arc;

use super::toy::Toy;
use super::{bytes, expect, fit, fit_default};
use crate::algorithm::Algorithm;
use crate::data::{TargetValues, TrainData};
use crate::error::TrainError;

/// Seven in turn, so that they follow neither the classes of a toy nor its view.
const UNEVEN: [f64; 7] = [0.5, 3.0, 1.0, 0.0, 2.0, 1.0, 0.25];

pub(super) fn check_weights(algorithm: Algorithm, toy: &Toy) {
    let describe = algorithm.trainer().describe();
    let params = algorithm.trainer().default_params(&toy.data.shape());
    let uneven = with(&toy.data, |row| UNEVEN[row % 7]);
    if !describe.weighted {
        let outcome = fit(algorithm, &uneven, &params);
        assert!(matches!(outcome, Err(TrainError::Unweighted { .. })), "{algorithm} does not refuse weights");
        return;
    }
    let model = fit_default(algorithm, &uneven);

    let plain = bytes(&fit_default(algorithm, &toy.data));
    assert_ne!(bytes(&model), plain, "{algorithm} does not look at the weights");
    let alike = fit_default(algorithm, &with(&toy.data, |_| 2.5));
    assert_eq!(bytes(&alike), plain, "{algorithm}: equal weights are not as good as none");

    let eightfold = fit_default(algorithm, &with(&toy.data, |row| 8.0 * UNEVEN[row % 7]));
    assert_eq!(bytes(&eightfold), bytes(&model), "{algorithm} looks at more of the weights than their ratios");

    let rows = uneven.rows.iter().copied().filter(|row| row % 7 != 3).collect();
    let without = expect(algorithm, fit(algorithm, &TrainData { rows, ..uneven.clone() }, &params));
    assert_eq!(bytes(&without), bytes(&model), "{algorithm}: a row of weight 0 is not as good as absent");

    check_direction(algorithm, toy);
    if let Some(tolerance) = algorithm.trainer().repeats_within() {
        check_repeats(algorithm, toy, tolerance);
    }
    for (what, weight) in [("NaN", f64::NAN), ("negative", -1.0), ("infinite", f64::INFINITY)] {
        let bad = toy.data.rows[3] as usize;
        let data = with(&toy.data, |row| if row == bad { weight } else { 1.0 });
        assert!(fit(algorithm, &data, &params).is_err(), "{algorithm} takes a {what} weight");
        let unseen = with(&uneven, |row| if toy.unseen.contains(&(row as u32)) { weight } else { 1.0 });
        assert_eq!(bytes(&fit_default(algorithm, &unseen)), plain, "{algorithm} weighs rows outside its view");
    }
    assert!(fit(algorithm, &with(&toy.data, |_| 0.0), &params).is_err(), "{algorithm} learns from no weight");
    let short = TrainData { weights: Some(Arc::new([1.0; 3])), ..toy.data.clone() };
    assert!(fit(algorithm, &short, &params).is_err(), "{algorithm} takes weights for fewer rows than there are");
}

fn with(data: &TrainData, weight: impl Fn(usize) -> f64) -> TrainData {
    TrainData { weights: Some((0..data.target.n_rows()).map(weight).collect()), ..data.clone() }
}

/// Rows that count more draw predictions towards their answers.
fn check_direction(algorithm: Algorithm, toy: &Toy) {
    let heavy = with(&toy.data, |row| match &toy.data.target.values {
        TargetValues::Classes(classes) => {
            if classes[row] == 0 {
                20.0
            } else {
                1.0
            }
        }
        TargetValues::Numbers(numbers) => {
            if numbers[row] > 5.0 {
                20.0
            } else {
                1.0
            }
        }
    });
    let first = |data: &TrainData| {
        let predictions = fit_default(algorithm, data).predict(&toy.block, &toy.unseen);
        predictions.column(0).iter().sum::<f64>()
    };
    let (plain, drawn) = (first(&toy.data), first(&heavy));
    assert!(drawn > plain, "{algorithm}: heavier rows draw predictions from {plain} to {drawn}");
}

fn check_repeats(algorithm: Algorithm, toy: &Toy, tolerance: f64) {
    let times = |row: usize| row % 3 + 1;
    let weighted = fit_default(algorithm, &with(&toy.data, |row| times(row) as f64));
    let rows = toy.data.rows.iter().flat_map(|&row| std::iter::repeat_n(row, times(row as usize))).collect();
    let params = algorithm.trainer().default_params(&toy.data.shape());
    let repeated = expect(algorithm, fit(algorithm, &TrainData { rows, ..toy.data.clone() }, &params));
    let predict = |model: &crate::Estimator| model.predict(&toy.block, &toy.unseen);
    let (a, b) = (predict(&weighted), predict(&repeated));
    let apart = a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart <= tolerance, "{algorithm}: weights and repeated rows predict {apart} apart");
}
