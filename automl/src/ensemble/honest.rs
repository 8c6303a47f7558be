//! Scores that nothing was chosen on. *Nested*: for each fold the choice is made again on the other folds only, then
//! scored on this one. The interval is a percentile bootstrap over rows within folds (Efron & Tibshirani 1993, ch. 13).

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use trainers::{MetricError, Predictions};

use super::threshold::{best_threshold, threshold_metric};
use super::{Choice, Pool};
use crate::search::{Judged, mean};

/// A 95% interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Predictions of every fold by a choice that never saw it, with the thresholds likewise chosen.
pub(crate) struct Nested {
    pub(crate) folds: Vec<Predictions>,
    pub(crate) thresholds: Vec<f64>,
    pub(crate) scores: Vec<f64>,
}

impl Nested {
    pub(crate) fn score(&self) -> f64 {
        mean(&self.scores)
    }
}

/// Repeats `choose` without each fold in turn. Needs at least two folds.
pub(crate) fn nested(
    pool: &Pool,
    choose: &(dyn Fn(&[usize]) -> Result<Choice, MetricError> + Sync),
) -> Result<Nested, MetricError> {
    let n = pool.judged.n_folds();
    let (mut folds, mut thresholds, mut scores) = (Vec::new(), Vec::new(), Vec::new());
    for fold in 0..n {
        let others: Vec<usize> = (0..n).filter(|&other| other != fold).collect();
        let choice = choose(&others)?;
        let seen: Vec<(usize, Predictions)> =
            others.iter().map(|&other| (other, choice.predict(pool, other))).collect();
        let threshold = best_threshold(&pool.judged, threshold_metric(&pool.judged), &seen);
        let predictions = choice.predict(pool, fold);
        scores.push(pool.judged.score_fold(fold, &predictions, threshold)?);
        thresholds.push(threshold);
        folds.push(predictions);
    }
    Ok(Nested { folds, thresholds, scores })
}

/// A 95% percentile interval of the mean score over folds, rows resampled within each fold. Resamples that cannot be
/// scored (a class that went missing) are drawn again up to a point and then left out; `None` when too few remain.
pub(crate) fn bootstrap(
    judged: &Judged,
    folds: &[(usize, &Predictions, f64)],
    n_resamples: usize,
    seed: u64,
) -> Option<Interval> {
    let draw = |resample: usize| -> Option<f64> {
        let mut rng = hyperdrive::keyed_rng(seed, resample as u64, "bootstrap");
        let mut scores = Vec::with_capacity(folds.len());
        for &(fold, predictions, threshold) in folds {
            let rows = judged.fold_rows(fold);
            let picks: Vec<usize> = (0..rows.len()).map(|_| rng.random_range(0..rows.len())).collect();
            let drawn: Vec<u32> = picks.iter().map(|&i| rows[i]).collect();
            let values = picks.iter().flat_map(|&i| predictions.row(i).iter().copied()).collect();
            let drawn_predictions = Predictions::new(predictions.n_outputs(), values);
            scores.push(judged.metric.score(&judged.target, &drawn, &drawn_predictions, threshold).ok()?);
        }
        Some(mean(&scores))
    };
    let mut scores: Vec<f64> = (0..n_resamples).into_par_iter().filter_map(draw).filter(|s| s.is_finite()).collect();
    if scores.len() < n_resamples / 2 || scores.len() < 20 {
        return None;
    }
    scores.sort_by(f64::total_cmp);
    let at = |q: f64| scores[((scores.len() - 1) as f64 * q).round() as usize];
    Some(Interval { low: at(0.025), high: at(0.975) })
}
