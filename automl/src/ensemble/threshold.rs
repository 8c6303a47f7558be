//! The probability at which a binary model says yes: the one that is best on out-of-fold rows, by the chosen metric
//! when it looks at labels, else by F1.

use trainers::{Measure, Metric, Needs, Predictions, Task};

use crate::search::Judged;

/// Candidates are this many quantiles of the predicted probabilities.
const CANDIDATES: usize = 200;

/// Best where everything, or next to nothing, is called positive: no measure of a threshold.
const ONE_SIDED: [Metric; 4] = [Metric::Precision, Metric::PrecisionBinary, Metric::Recall, Metric::RecallBinary];

/// The metric a threshold is chosen by: the one that chooses where it looks at labels, else F1.
pub(crate) fn threshold_metric(metric: &Measure) -> Measure {
    let one_sided = ONE_SIDED.iter().any(|other| metric.is(*other));
    if metric.needs() == Needs::Labels && !one_sided { metric.clone() } else { metric.with(Metric::F1) }
}

/// The best threshold over the given folds' predictions; 0.5 when the task is not binary or nothing can be scored.
pub(crate) fn best_threshold(judged: &Judged, metric: &Measure, folds: &[(usize, Predictions)]) -> f64 {
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
