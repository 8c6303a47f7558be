//! Weights that make classes count alike, where the metric asks for the class of a row and counts classes alike.

use std::sync::Arc;

use trainers::{Measure, Metric, Target, Task};

use super::Weights;

/// Classes are balanced enough when the most frequent is less often than this many times the rarest.
const UNEVEN: f64 = 1.5;

/// The metrics that count classes alike and look at the class that is named. Ranks and probabilities need no balance, and
/// of two classes the threshold does the same and better.
const ALIKE: [Metric; 6] = [
    Metric::BalancedAccuracy,
    Metric::NormMacroRecall,
    Metric::F1,
    Metric::F1Macro,
    Metric::Recall,
    Metric::RecallMacro,
];

/// The weight of every table row with which each class of the used rows has the same total; none of numbers.
pub(super) fn of(target: &Target, rows: &[u32], weights: Option<&Weights>) -> Option<Arc<[f64]>> {
    let codes = target.codes()?;
    let own = |row: u32| weights.map_or(1.0, |weights| weights.values[row as usize]);
    let mut totals = vec![0.0; target.classes.len()];
    for &row in rows {
        totals[codes[row as usize] as usize] += own(row);
    }
    let mut values = vec![0.0; codes.len()];
    for &row in rows {
        let total: f64 = totals[codes[row as usize] as usize];
        values[row as usize] = if total > 0.0 { own(row) / total } else { 0.0 };
    }
    Some(values.into())
}

/// The same where it is worth a try: several uneven classes and a metric that counts them alike.
pub(super) fn worth_trying(
    metric: &Measure,
    target: &Target,
    counts: &[usize],
    rows: &[u32],
    weights: Option<&Weights>,
) -> Option<Arc<[f64]>> {
    let (least, most) = (counts.iter().min()?, counts.iter().max()?);
    let uneven = *most as f64 >= UNEVEN * *least as f64;
    let asked = ALIKE.iter().any(|alike| metric.is(*alike));
    if target.task == Task::Multiclass && uneven && asked { of(target, rows, weights) } else { None }
}

#[cfg(test)]
mod tests {
    use trainers::{MetricSpec, TargetValues};

    use super::*;

    fn target(codes: Vec<u32>) -> Target {
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        Target { task: Task::Multiclass, classes, values: TargetValues::Classes(codes) }
    }

    #[test]
    fn every_class_weighs_the_same_in_total() {
        let target = target(vec![0, 0, 0, 1, 1, 2, 2]);
        let rows = [0, 1, 2, 3, 4, 5];
        let balanced = of(&target, &rows, None).expect("classes");
        assert_eq!(balanced.to_vec(), [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.5, 0.5, 1.0, 0.0]);
        let values: Arc<[f64]> = vec![2.0, 0.0, 2.0, 1.0, 3.0, 0.0, 9.0].into();
        let weights = Weights { column: "w".into(), values, low: 0.0, high: 3.0, n_zero: 2 };
        let balanced = of(&target, &rows, Some(&weights)).expect("classes");
        assert_eq!(balanced.to_vec(), [0.5, 0.0, 0.5, 0.25, 0.75, 0.0, 0.0]);
    }

    #[test]
    fn only_metrics_that_count_classes_alike_ask_for_it() {
        let target = target(vec![0, 0, 0, 1, 1, 2]);
        let rows: Vec<u32> = (0..6).collect();
        let tried = |metric: Metric, counts: &[usize]| {
            worth_trying(&Measure::new(MetricSpec::from(metric), None), &target, counts, &rows, None).is_some()
        };
        assert!(tried(Metric::BalancedAccuracy, &[3, 2, 1]) && tried(Metric::NormMacroRecall, &[3, 2, 1]));
        assert!(!tried(Metric::Accuracy, &[3, 2, 1]) && !tried(Metric::LogLoss, &[3, 2, 1]));
        assert!(!tried(Metric::BalancedAccuracy, &[2, 2, 2]));
    }
}
