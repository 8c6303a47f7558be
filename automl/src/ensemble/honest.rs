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

/// One fold predicted by a choice that never saw it, with the threshold likewise chosen.
pub(crate) struct Unseen {
    pub(crate) fold: usize,
    pub(crate) predictions: Predictions,
    pub(crate) threshold: f64,
    pub(crate) score: f64,
}

/// Every fold, predicted so.
pub(crate) struct Nested(pub(crate) Vec<Unseen>);

impl Nested {
    pub(crate) fn score(&self) -> f64 {
        mean(&self.scores())
    }

    pub(crate) fn scores(&self) -> Vec<f64> {
        self.0.iter().map(|unseen| unseen.score).collect()
    }
}

/// Repeats `choose` without each fold in turn; where folds follow one another in time, on the earlier ones only, so that
/// the first has no score of this kind. Needs at least two folds.
pub(crate) fn nested(
    pool: &Pool,
    choose: &(dyn Fn(&[usize]) -> Result<Choice, MetricError> + Sync),
) -> Result<Nested, MetricError> {
    let n = pool.judged.n_folds();
    let mut all = Vec::new();
    for fold in 0..n {
        let sees = |other: &usize| if pool.judged.in_time { *other < fold } else { *other != fold };
        let others: Vec<usize> = (0..n).filter(sees).collect();
        if others.is_empty() {
            continue;
        }
        let choice = choose(&others)?;
        let seen: Vec<(usize, Predictions)> =
            others.iter().map(|&other| (other, choice.predict(pool, other))).collect();
        let threshold = best_threshold(&pool.judged, &threshold_metric(&pool.judged.metric), &seen);
        let predictions = choice.predict(pool, fold);
        let score = pool.judged.score_fold(fold, &predictions, threshold)?;
        all.push(Unseen { fold, predictions, threshold, score });
    }
    Ok(Nested(all))
}

/// The choice judged on the very rows that chose, for when there are too few to do otherwise; said so wherever it is shown.
pub(crate) fn seen(pool: &Pool, choice: &Choice) -> Result<Nested, MetricError> {
    let all = (0..pool.judged.n_folds()).map(|fold| {
        let predictions = choice.predict(pool, fold);
        let score = pool.judged.score_fold(fold, &predictions, 0.5)?;
        Ok(Unseen { fold, predictions, threshold: 0.5, score })
    });
    Ok(Nested(all.collect::<Result<_, MetricError>>()?))
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
