//! Are probabilities true, and where to draw the line between two classes.

use super::ranking::groups;
use super::score::{check, classes};
use crate::data::{Predictions, Target, argmax};
use crate::error::MetricError;
use crate::task::Task;

/// Expected calibration error of the predicted class: rows are put into `n_bins` equal bins by the probability
/// of their most probable class, and the gap between mean probability and accuracy is averaged by bin size
/// (Guo et al. 2017, equation 3). 0 is perfect, 1 the worst. `n_bins` 0 counts as 1.
pub fn expected_calibration_error(
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
    n_bins: usize,
) -> Result<f64, MetricError> {
    const NAME: &str = "expected_calibration_error";
    if !target.task.is_classification() {
        return Err(MetricError::WrongTask { metric: NAME, task: target.task });
    }
    check(NAME, target, rows, predictions)?;
    let truth = classes(NAME, target, rows)?;
    let n_bins = n_bins.max(1);
    let mut gaps = vec![0.0; n_bins];
    for (class, row) in truth.into_iter().zip(predictions.rows()) {
        let label = argmax(row);
        let bin = ((row[label] * n_bins as f64) as usize).min(n_bins - 1);
        gaps[bin] += row[label] - f64::from(u8::from(label == class));
    }
    Ok(gaps.into_iter().map(f64::abs).sum::<f64>() / rows.len() as f64)
}

/// The threshold at which the F1 of the positive class is greatest on these rows, and that F1; of equals the
/// highest threshold. The threshold lies midway between two neighbouring probabilities, so that it does not
/// hang on the digits of either.
pub fn best_f1_threshold(target: &Target, rows: &[u32], predictions: &Predictions) -> Result<(f64, f64), MetricError> {
    let cuts = cuts("best_f1_threshold", target, rows, predictions)?;
    let n_positives = cuts.last().map_or(0, |cut| cut.true_positives);
    let f1 = |cut: &Cut| {
        let both = n_positives + cut.true_positives + cut.false_positives;
        if both == 0 { 0.0 } else { 2.0 * cut.true_positives as f64 / both as f64 }
    };
    Ok(first_best(&cuts, |cut| -f1(cut)).map_or((0.5, 0.0), |cut| (cut.threshold, f1(cut))))
}

/// The threshold at which mistakes cost least on these rows, and that cost per row, where a false positive
/// costs `fp` and a false negative `fn_`; of equals the highest threshold. It lies midway between two
/// neighbouring probabilities, or just above the greatest where it is cheapest to call nothing positive.
pub fn cost_threshold(
    fp: f64,
    fn_: f64,
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
) -> Result<(f64, f64), MetricError> {
    let cuts = cuts("cost_threshold", target, rows, predictions)?;
    let n_positives = cuts.last().map_or(0, |cut| cut.true_positives);
    let cost = |cut: &Cut| {
        let missed = (n_positives - cut.true_positives) as f64;
        (fp * cut.false_positives as f64 + fn_ * missed) / rows.len() as f64
    };
    Ok(first_best(&cuts, cost).map_or((0.5, 0.0), |cut| (cut.threshold, cost(cut))))
}

/// What is called positive at a threshold.
struct Cut {
    threshold: f64,
    true_positives: usize,
    false_positives: usize,
}

/// Every distinct way of cutting the ranking, from nothing positive to everything positive.
fn cuts(name: &'static str, target: &Target, rows: &[u32], predictions: &Predictions) -> Result<Vec<Cut>, MetricError> {
    if target.task != Task::Binary {
        return Err(MetricError::WrongTask { metric: name, task: target.task });
    }
    check(name, target, rows, predictions)?;
    let truth = classes(name, target, rows)?;
    let mut ranked: Vec<(f64, bool)> =
        truth.into_iter().zip(predictions.rows()).map(|(class, row)| (row[1], class == 1)).collect();
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut cuts = vec![Cut { threshold: ranked[0].0.next_up(), true_positives: 0, false_positives: 0 }];
    let mut next_scores = groups(&ranked).map(|(score, ..)| score).skip(1);
    let (mut true_positives, mut false_positives) = (0, 0);
    for (score, positives, negatives) in groups(&ranked) {
        true_positives += positives;
        false_positives += negatives;
        let threshold = match next_scores.next() {
            // Between two adjacent numbers the midpoint rounds to one of them; the lower is not to be positive.
            Some(next) if f64::midpoint(score, next) > next => f64::midpoint(score, next),
            _ => score,
        };
        cuts.push(Cut { threshold, true_positives, false_positives });
    }
    Ok(cuts)
}

/// The first cut of least cost, so the highest threshold among equals.
fn first_best(cuts: &[Cut], cost: impl Fn(&Cut) -> f64) -> Option<&Cut> {
    cuts.iter().reduce(|best, cut| if cost(cut) < cost(best) { cut } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TargetValues;

    fn binary() -> (Target, Vec<u32>, Predictions) {
        let classes = vec![0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0];
        let positive = [0.1, 0.8, 0.35, 0.35, 0.9, 0.5, 0.05, 0.6, 0.35, 0.7, 0.95, 0.2];
        let target = Target {
            task: Task::Binary,
            classes: vec!["no".into(), "yes".into()],
            values: TargetValues::Classes(classes),
        };
        (target, (0..12).collect(), Predictions::new(2, positive.iter().flat_map(|p| [1.0 - p, *p]).collect()))
    }

    /// scikit-learn 1.9.1: the greatest `f1_score` over `probability >= t` is 0.8 at t = 0.35; the next lower
    /// probability is 0.2.
    #[test]
    fn the_f1_threshold_lies_between_two_probabilities() {
        let (target, rows, predictions) = binary();
        let (threshold, f1) = best_f1_threshold(&target, &rows, &predictions).expect("binary");
        assert!((threshold - 0.275).abs() < 1e-12 && (f1 - 0.8).abs() < 1e-12, "{threshold} {f1}");
        let at_threshold = crate::Metric::F1.score(&target, &rows, &predictions, threshold);
        assert_eq!(at_threshold, Ok(f1));
    }

    /// Costs counted in `NumPy` 2 at every threshold.
    #[test]
    fn the_cost_threshold_follows_the_costs() {
        let (target, rows, predictions) = binary();
        for (fp, fn_, threshold, cost) in [(1.0, 1.0, 0.75, 0.25), (5.0, 1.0, 0.75, 0.25), (1.0, 5.0, 0.275, 0.25)] {
            let (found, found_cost) = cost_threshold(fp, fn_, &target, &rows, &predictions).expect("binary");
            assert!((found - threshold).abs() < 1e-12, "{fp}:{fn_}: {found}");
            assert!((found_cost - cost).abs() < 1e-12, "{fp}:{fn_}: {found_cost}");
        }
        let (nothing, cost) = cost_threshold(1.0, 0.0, &target, &rows, &predictions).expect("binary");
        assert!(nothing > 0.95 && cost == 0.0, "{nothing}: where a miss is free, nothing is called positive");
    }

    /// Computed in `NumPy` 2 with five bins.
    #[test]
    fn calibration_error_weighs_bins_by_size() {
        let (target, rows, predictions) = binary();
        let negatives = [0, 3, 5, 6, 9, 11];
        let certain = Predictions::new(2, [1.0, 0.0].repeat(negatives.len()));
        assert_eq!(expected_calibration_error(&target, &negatives, &certain, 10), Ok(0.0));
        let found = expected_calibration_error(&target, &rows, &predictions, 5).expect("classes");
        assert!((found - 0.204_166_666_666_666_7).abs() < 1e-12, "{found}");
    }
}
