//! The probability at which a binary model says yes: the one that is best on out-of-fold rows, by the chosen metric
//! when it looks at labels, else by F1.

use trainers::{Metric, Needs, Predictions, Task};

use crate::search::Judged;

/// Candidates are this many quantiles of the predicted probabilities.
const CANDIDATES: usize = 200;

/// The metric a threshold is chosen by.
pub(crate) fn threshold_metric(judged: &Judged) -> Metric {
    if judged.metric.needs() == Needs::Labels { judged.metric } else { Metric::F1 }
}

/// The best threshold over the given folds' predictions; 0.5 when the task is not binary or nothing can be scored.
pub(crate) fn best_threshold(judged: &Judged, metric: Metric, folds: &[(usize, Predictions)]) -> f64 {
    if judged.target.task != Task::Binary {
        return 0.5;
    }
    let rows: Vec<u32> = folds.iter().flat_map(|(fold, _)| judged.fold_rows(*fold).iter().copied()).collect();
    let all = Predictions::new(2, folds.iter().flat_map(|(_, p)| p.values().iter().copied()).collect());
    let mut positive = all.column(1);
    positive.sort_by(f64::total_cmp);
    positive.dedup();
    let step = (positive.len() / CANDIDATES).max(1);
    // 0.5 first: a tie keeps it. A threshold lies half way between two predicted values, so that rounding moves nothing.
    let between = positive.windows(2).step_by(step).map(|pair| f64::midpoint(pair[0], pair[1]));
    let mut best = (0.5, f64::NEG_INFINITY);
    for threshold in std::iter::once(0.5).chain(between) {
        if let Ok(score) = metric.score(&judged.target, &rows, &all, threshold) {
            let signed = metric.goal().signed(score);
            if signed > best.1 {
                best = (threshold, signed);
            }
        }
    }
    best.0
}
