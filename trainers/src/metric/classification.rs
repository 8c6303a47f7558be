//! Scores of class predictions. Definitions are scikit-learn's, which is the oracle of the tests.

use super::table::Metric;
use crate::data::Predictions;
use crate::error::MetricError;
use crate::task::Task;

pub(super) fn of_probabilities(
    metric: Metric,
    task: Task,
    truth: &[usize],
    predictions: &Predictions,
) -> Result<f64, MetricError> {
    match metric {
        Metric::LogLoss => Ok(log_loss(truth, predictions)),
        Metric::AveragePrecision => averaged(metric, task, truth, predictions, average_precision, Average::Macro),
        _ => averaged(metric, task, truth, predictions, roc_auc, Average::Weighted),
    }
}

pub(super) fn of_labels(metric: Metric, task: Task, truth: &[usize], labels: &[usize], n_classes: usize) -> f64 {
    let confusion = Confusion::new(truth, labels, n_classes);
    match metric {
        Metric::Accuracy => confusion.n_right as f64 / truth.len() as f64,
        Metric::BalancedAccuracy => confusion.balanced_accuracy(),
        Metric::F1 => confusion.f1(task),
        _ => confusion.matthews_correlation(),
    }
}

/// Probabilities are kept off 0 and 1 by the epsilon of `f64`, as scikit-learn has done since 1.5.
fn log_loss(truth: &[usize], predictions: &Predictions) -> f64 {
    let sum: f64 = truth
        .iter()
        .zip(predictions.rows())
        .map(|(&class, row)| -row[class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln())
        .sum();
    sum / truth.len() as f64
}

#[derive(Clone, Copy)]
enum Average {
    Macro,
    Weighted,
}

/// A two-class score of the positive class, or of each class present against the rest, averaged.
fn averaged(
    metric: Metric,
    task: Task,
    truth: &[usize],
    predictions: &Predictions,
    score: fn(&[(f64, bool)]) -> f64,
    average: Average,
) -> Result<f64, MetricError> {
    let n_classes = predictions.n_outputs();
    let mut counts = vec![0_usize; n_classes];
    for &class in truth {
        counts[class] += 1;
    }
    if counts.iter().filter(|&&count| count > 0).count() < 2 {
        return Err(MetricError::Undefined { metric: metric.name(), reason: "the rows are all of one class" });
    }
    let against_rest = |class: usize| {
        let mut ranked: Vec<(f64, bool)> =
            truth.iter().zip(predictions.rows()).map(|(&t, row)| (row[class], t == class)).collect();
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        score(&ranked)
    };
    if task == Task::Binary {
        return Ok(against_rest(1));
    }
    let (mut sum, mut weights) = (0.0, 0.0);
    for class in (0..n_classes).filter(|&class| counts[class] > 0) {
        let weight = match average {
            Average::Macro => 1.0,
            Average::Weighted => counts[class] as f64,
        };
        sum += weight * against_rest(class);
        weights += weight;
    }
    Ok(sum / weights)
}

/// Visits groups of equal score, best first, with how many positives and negatives each adds. The zeros `0.0`
/// and `-0.0` are one group.
pub(super) fn groups(ranked: &[(f64, bool)]) -> impl Iterator<Item = (f64, usize, usize)> {
    ranked.chunk_by(|a, b| a.0 == b.0).map(|group| {
        let positives = group.iter().filter(|(_, positive)| *positive).count();
        (group[group.len() - 1].0, positives, group.len() - positives)
    })
}

/// Share of (positive, negative) pairs in the right order, ties half: the Mann-Whitney form of the area.
fn roc_auc(ranked: &[(f64, bool)]) -> f64 {
    // Twice the number of pairs is a whole number, so that the sum is exact. 2 · (2^31)² fits a u64.
    let (mut twice, mut positives, mut negatives) = (0_u64, 0_u64, 0_u64);
    for (_, p, n) in groups(ranked) {
        twice += n as u64 * (2 * positives + p as u64);
        positives += p as u64;
        negatives += n as u64;
    }
    twice as f64 / (2.0 * positives as f64 * negatives as f64)
}

/// `Σ (Rₙ - Rₙ₋₁) Pₙ` over the thresholds, without interpolation.
fn average_precision(ranked: &[(f64, bool)]) -> f64 {
    let n_positives = ranked.iter().filter(|(_, positive)| *positive).count() as f64;
    let (mut sum, mut positives, mut seen) = (0.0, 0, 0);
    for (_, p, n) in groups(ranked) {
        positives += p;
        seen += p + n;
        sum += p as f64 / n_positives * (positives as f64 / seen as f64);
    }
    sum
}

/// Counts per class: rows that are of it, rows predicted as it, and rows that are both.
struct Confusion {
    n_rows: usize,
    n_right: usize,
    of: Vec<usize>,
    predicted: Vec<usize>,
    right: Vec<usize>,
}

impl Confusion {
    fn new(truth: &[usize], labels: &[usize], n_classes: usize) -> Confusion {
        let (mut of, mut predicted, mut right) = (vec![0; n_classes], vec![0; n_classes], vec![0; n_classes]);
        for (&class, &label) in truth.iter().zip(labels) {
            of[class] += 1;
            predicted[label] += 1;
            right[class] += usize::from(class == label);
        }
        Confusion { n_rows: truth.len(), n_right: right.iter().sum(), of, predicted, right }
    }

    fn balanced_accuracy(&self) -> f64 {
        let recalls = self.of.iter().zip(&self.right).filter(|(of, _)| **of > 0);
        let n_present = recalls.clone().count();
        recalls.map(|(&of, &right)| right as f64 / of as f64).sum::<f64>() / n_present as f64
    }

    fn f1(&self, task: Task) -> f64 {
        let of_class = |class: usize| {
            let both = self.of[class] + self.predicted[class];
            (both > 0).then(|| 2.0 * self.right[class] as f64 / both as f64)
        };
        if task == Task::Binary {
            return of_class(1).unwrap_or(0.0);
        }
        let scores: Vec<f64> = (0..self.of.len()).filter_map(of_class).collect();
        scores.iter().sum::<f64>() / scores.len() as f64
    }

    fn matthews_correlation(&self) -> f64 {
        let n = self.n_rows as f64;
        let dot = |a: &[usize], b: &[usize]| a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum::<f64>();
        let covariance = self.n_right as f64 * n - dot(&self.of, &self.predicted);
        let of = n * n - dot(&self.of, &self.of);
        let predicted = n * n - dot(&self.predicted, &self.predicted);
        // Rounding may carry a perfect score beyond 1.
        if of == 0.0 || predicted == 0.0 { 0.0 } else { (covariance / (of.sqrt() * predicted.sqrt())).clamp(-1.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Target, TargetValues};

    fn binary() -> (Target, Predictions) {
        let classes = vec![0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0];
        let positive = [0.1, 0.8, 0.35, 0.35, 0.9, 0.5, 0.05, 0.6, 0.35, 0.7, 0.95, 0.2];
        let target = Target {
            task: Task::Binary,
            classes: vec!["no".into(), "yes".into()],
            values: TargetValues::Classes(classes),
        };
        (target, Predictions::new(2, positive.iter().flat_map(|p| [1.0 - p, *p]).collect()))
    }

    fn multiclass() -> (Target, Predictions) {
        let classes = vec![0, 1, 2, 1, 1, 0, 2, 1, 0, 1, 2, 1];
        let rows = [
            [0.7, 0.2, 0.1],
            [0.25, 0.5, 0.25],
            [0.1, 0.3, 0.6],
            [0.4, 0.35, 0.25],
            [0.05, 0.9, 0.05],
            [0.3, 0.4, 0.3],
            [0.2, 0.2, 0.6],
            [0.1, 0.6, 0.3],
            [0.55, 0.25, 0.2],
            [0.15, 0.2, 0.65],
            [0.25, 0.5, 0.25],
            [0.3, 0.45, 0.25],
        ];
        let target = Target {
            task: Task::Multiclass,
            classes: ["a", "b", "c"].map(String::from).to_vec(),
            values: TargetValues::Classes(classes),
        };
        (target, Predictions::new(3, rows.concat()))
    }

    fn assert_scores((target, predictions): &(Target, Predictions), threshold: f64, expected: &[(Metric, f64)]) {
        let rows: Vec<u32> = (0..predictions.n_rows() as u32).collect();
        for &(metric, expected) in expected {
            let found = metric.score(target, &rows, predictions, threshold).expect("the figure exists");
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{metric}: {found}, expected {expected}");
        }
    }

    /// scikit-learn 1.9.1 on the arrays above; labels are `probability >= threshold`.
    #[test]
    fn binary_scores_are_those_of_scikit_learn() {
        assert_scores(
            &binary(),
            0.5,
            &[
                (Metric::RocAuc, 0.833_333_333_333_333_3),
                (Metric::LogLoss, 0.474_830_624_705_071_15),
                (Metric::Accuracy, 0.666_666_666_666_666_6),
                (Metric::BalancedAccuracy, 0.666_666_666_666_666_6),
                (Metric::F1, 0.666_666_666_666_666_6),
                (Metric::AveragePrecision, 0.855_555_555_555_555_5),
                (Metric::MatthewsCorrelation, 0.333_333_333_333_333_3),
            ],
        );
        assert_scores(
            &binary(),
            0.35,
            &[
                (Metric::Accuracy, 0.75),
                (Metric::BalancedAccuracy, 0.75),
                (Metric::F1, 0.8),
                (Metric::MatthewsCorrelation, 0.577_350_269_189_625_7),
            ],
        );
    }

    /// scikit-learn 1.9.1: `roc_auc_score(multi_class="ovr", average="weighted")`, `f1_score(average="macro")`,
    /// `average_precision_score(average="macro")`, the others by default.
    #[test]
    fn multiclass_scores_are_those_of_scikit_learn() {
        assert_scores(
            &multiclass(),
            0.9,
            &[
                (Metric::RocAuc, 0.807_870_370_370_370_3),
                (Metric::LogLoss, 0.777_794_284_233_872_9),
                (Metric::Accuracy, 0.666_666_666_666_666_6),
                (Metric::BalancedAccuracy, 0.666_666_666_666_666_6),
                (Metric::F1, 0.666_666_666_666_666_6),
                (Metric::AveragePrecision, 0.738_756_613_756_613_6),
                (Metric::MatthewsCorrelation, 0.466_666_666_666_666_7),
            ],
        );
    }

    /// `log_loss([0, 1, 1], [0.0, 0.0, 1.0])` of scikit-learn 1.9.1.
    #[test]
    fn a_certain_mistake_is_clipped() {
        let predictions = Predictions::new(2, vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let expected = 12.014_551_129_705_717;
        assert!((log_loss(&[0, 1, 1], &predictions) - expected).abs() < 1e-12 * expected);
    }

    #[test]
    fn one_class_has_no_ranking() {
        let (target, predictions) = binary();
        let only_yes = Predictions::new(2, [predictions.row(1), predictions.row(2)].concat());
        for metric in [Metric::RocAuc, Metric::AveragePrecision] {
            let outcome = metric.score(&target, &[1, 2], &only_yes, 0.5);
            assert!(matches!(outcome, Err(MetricError::Undefined { .. })), "{metric}: {outcome:?}");
        }
        assert!(Metric::LogLoss.score(&target, &[1, 2], &only_yes, 0.5).is_ok());
        assert_eq!(Metric::F1.score(&target, &[1, 2], &only_yes, 2.0), Ok(0.0));
        assert_eq!(Metric::MatthewsCorrelation.score(&target, &[1, 2], &only_yes, 0.5), Ok(0.0));
    }

    mod laws {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            /// The area is the share of (positive, negative) pairs in the right order, counted one by one.
            #[test]
            fn area_counts_pairs(rows in prop::collection::vec((0_u8..8, any::<bool>()), 2..40)) {
                let mut ranked: Vec<(f64, bool)> = rows.iter().map(|&(score, t)| (f64::from(score), t)).collect();
                let of = |class: bool| rows.iter().filter(move |row| row.1 == class);
                prop_assume!(of(true).count() > 0 && of(false).count() > 0);
                let pairs = of(true).flat_map(|p| of(false).map(move |n| (p.0, n.0)));
                let half = |yes: bool| if yes { 0.5 } else { 0.0 };
                let right: f64 = pairs.clone().map(|(p, n)| half(p > n) + half(p >= n)).sum();
                ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
                prop_assert_eq!(roc_auc(&ranked), right / pairs.count() as f64);
            }

            /// Naming the classes the other way round turns no figure that treats them alike.
            #[test]
            fn classes_are_interchangeable(rows in prop::collection::vec((0_usize..3, 0_usize..3), 1..40)) {
                let turn = |class: usize| (class + 1) % 3;
                let (truth, labels): (Vec<usize>, Vec<usize>) = rows.iter().copied().unzip();
                let turned_truth: Vec<usize> = truth.iter().copied().map(turn).collect();
                let turned_labels: Vec<usize> = labels.iter().copied().map(turn).collect();
                for metric in [Metric::Accuracy, Metric::BalancedAccuracy, Metric::F1, Metric::MatthewsCorrelation] {
                    let plain = of_labels(metric, Task::Multiclass, &truth, &labels, 3);
                    let turned = of_labels(metric, Task::Multiclass, &turned_truth, &turned_labels, 3);
                    prop_assert!((plain - turned).abs() < 1e-12);
                    prop_assert!((-1.0..=1.0).contains(&plain));
                }
            }
        }
    }
}
