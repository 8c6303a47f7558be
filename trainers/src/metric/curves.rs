//! Curves over every threshold, and how far probabilities are true: what a report draws. Definitions are scikit-learn's.

use super::ranking::{average_precision, groups, roc_auc};
use super::score::{check, classes};
use crate::data::{Predictions, Target};
use crate::error::MetricError;

/// Rows ranked by the probability of one class, greatest first, each with whether it is of the class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassRanking {
    ranked: Vec<(f64, bool)>,
    n_positives: usize,
}

/// Rows whose probability of a class lies between two edges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Mean probability of the class.
    pub predicted: f64,
    /// Share of the rows that are of it.
    pub observed: f64,
    /// Rows, at least one.
    pub n_rows: usize,
}

impl ClassRanking {
    /// Ranks `rows`, of which `predictions` are, by the probability of a class against all others; for two classes that
    /// is class 1. Errors: rows and predictions are not parallel or not finite; all rows, or none, are of the class.
    pub fn new(
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        class: usize,
    ) -> Result<ClassRanking, MetricError> {
        let mut ranked = pairs("roc_curve", target, rows, predictions, class)?;
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let n_positives = ranked.iter().filter(|(_, positive)| *positive).count();
        if n_positives == 0 || n_positives == ranked.len() {
            return Err(MetricError::Undefined { metric: "roc_curve", reason: "the rows are all of one class" });
        }
        Ok(ClassRanking { ranked, n_positives })
    }

    /// Share of the rows that are of the class: the precision of calling every row so.
    pub fn share(&self) -> f64 {
        self.n_positives as f64 / self.ranked.len() as f64
    }

    /// The area under [`ClassRanking::roc`].
    pub fn roc_auc(&self) -> f64 {
        roc_auc(&self.ranked)
    }

    /// The average precision, `Σ (Rₙ - Rₙ₋₁) Pₙ`, which is not the area under straight lines between the points.
    pub fn average_precision(&self) -> f64 {
        average_precision(&self.ranked)
    }

    /// False positive rate with true positive rate at every distinct threshold, highest first, from `(0, 0)` to `(1, 1)`:
    /// `roc_curve(drop_intermediate=False)`.
    pub fn roc(&self) -> Vec<(f64, f64)> {
        let (positives, negatives) = (self.n_positives as f64, (self.ranked.len() - self.n_positives) as f64);
        let rates = self.cuts().map(|(tp, fp)| (fp as f64 / negatives, tp as f64 / positives));
        std::iter::once((0.0, 0.0)).chain(rates).collect()
    }

    /// Recall with precision at every distinct threshold, highest first, from `(0, 1)` on: `precision_recall_curve`, which
    /// gives them lowest first.
    pub fn precision_recall(&self) -> Vec<(f64, f64)> {
        let positives = self.n_positives as f64;
        let rates = self.cuts().map(|(tp, fp)| (tp as f64 / positives, tp as f64 / (tp + fp) as f64));
        std::iter::once((0.0, 1.0)).chain(rates).collect()
    }

    /// True and false positives at every distinct threshold, highest first.
    fn cuts(&self) -> impl Iterator<Item = (usize, usize)> {
        groups(&self.ranked).scan((0, 0), |(tp, fp), (_, positives, negatives)| {
            *tp += positives;
            *fp += negatives;
            Some((*tp, *fp))
        })
    }
}

/// The reliability diagram of one class's probability: `n_bins` equal bins over 0 to 1 (0 counts as 1), a probability on an
/// edge in the bin below, bins without rows left out. It is `calibration_curve(strategy="uniform")`, after Niculescu-Mizil &
/// Caruana, "Predicting good probabilities with supervised learning", ICML 2005, section 4. Errors: rows and predictions are
/// not parallel or not finite.
pub fn reliability(
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
    class: usize,
    n_bins: usize,
) -> Result<Vec<ReliabilityBin>, MetricError> {
    let n_bins = n_bins.max(1);
    let mut bins = vec![(0.0, 0, 0); n_bins];
    for (probability, is_of_it) in pairs("calibration_curve", target, rows, predictions, class)? {
        // As `numpy.searchsorted` of the inner edges: a probability on an edge belongs to the bin below.
        let scaled = probability.clamp(0.0, 1.0) * n_bins as f64;
        let bin = &mut bins[((scaled.ceil() as usize).max(1) - 1).min(n_bins - 1)];
        *bin = (bin.0 + probability, bin.1 + usize::from(is_of_it), bin.2 + 1);
    }
    let filled = bins.into_iter().filter(|(_, _, n)| *n > 0);
    let of = |(sum, hits, n_rows): (f64, usize, usize)| ReliabilityBin {
        predicted: sum / n_rows as f64,
        observed: hits as f64 / n_rows as f64,
        n_rows,
    };
    Ok(filled.map(of).collect())
}

/// Rows of the target by rows of what was predicted, in class order: `n_classes × n_classes` counts. A binary prediction
/// is positive from `threshold` on. Errors: rows and predictions are not parallel or not finite.
pub fn confusion_matrix(
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
    threshold: f64,
) -> Result<Vec<Vec<usize>>, MetricError> {
    const NAME: &str = "confusion_matrix";
    if !target.task.is_classification() {
        return Err(MetricError::WrongTask { metric: NAME, task: target.task });
    }
    check(NAME, target, rows, predictions)?;
    let mut counts = vec![vec![0; target.n_classes()]; target.n_classes()];
    for (class, row) in classes(NAME, target, rows)?.into_iter().zip(predictions.rows()) {
        counts[class][crate::data::decide(row, threshold)] += 1;
    }
    Ok(counts)
}

/// The probability of a class, and whether the row is of it.
fn pairs(
    name: &'static str,
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
    class: usize,
) -> Result<Vec<(f64, bool)>, MetricError> {
    if !target.task.is_classification() {
        return Err(MetricError::WrongTask { metric: name, task: target.task });
    }
    check(name, target, rows, predictions)?;
    let truth = classes(name, target, rows)?;
    Ok(truth.into_iter().zip(predictions.rows()).map(|(of, row)| (row[class], of == class)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{all_rows, binary, classes as target_of, multiclass, numbers, of_positive};
    use super::*;
    use crate::task::Task;

    fn assert_points(found: &[(f64, f64)], expected: &[(f64, f64)], scale: f64) {
        let near = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 * scale - b.0).abs() + (a.1 * scale - b.1).abs() < 1e-12;
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?}");
    }

    /// scikit-learn 1.9.1 on the arrays of `metric::tests`; rates in sixths, there being six rows of either class.
    #[test]
    fn binary_curves_are_those_of_scikit_learn() {
        let (target, predictions) = binary();
        let rows = all_rows(&predictions);
        let ranking = ClassRanking::new(&target, &rows, &predictions, 1).expect("both classes");
        let sixths = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 3), (1, 4), (2, 4), (3, 6), (4, 6), (5, 6), (6, 6)];
        assert_points(&ranking.roc(), &sixths.map(|(x, y)| (f64::from(x), f64::from(y))), 6.0);
        let (half, third) = (0.5, 2.0 / 3.0);
        let expected = [
            (0.0, 1.0),
            (1.0 / 6.0, 1.0),
            (1.0 / 3.0, 1.0),
            (half, 1.0),
            (half, 0.75),
            (third, 0.8),
            (third, third),
            (1.0, third),
            (1.0, 0.6),
            (1.0, 6.0 / 11.0),
            (1.0, half),
        ];
        assert_points(&ranking.precision_recall(), &expected, 1.0);
        assert!((ranking.roc_auc() - 0.833_333_333_333_333_3).abs() < 1e-15 && ranking.share() == 0.5);
        assert_eq!(confusion_matrix(&target, &rows, &predictions, 0.35), Ok(vec![vec![3, 3], vec![0, 6]]));
    }

    /// scikit-learn 1.9.1: one class against the others, and `confusion_matrix` of the most probable one.
    #[test]
    fn curves_of_one_class_against_the_others() {
        let (target, predictions) = multiclass();
        let rows = all_rows(&predictions);
        let of = |class| ClassRanking::new(&target, &rows, &predictions, class).expect("both kinds of rows");
        let sixths = [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4), (2, 4), (2, 5), (3, 5), (4, 5), (6, 6)];
        assert_points(&of(1).roc(), &sixths.map(|(x, y)| (f64::from(x), f64::from(y))), 6.0);
        let third = 2.0 / 3.0;
        let expected = [
            (0.0, 1.0),
            (0.0, 0.0),
            (third, third),
            (third, 0.4),
            (1.0, 1.0 / 3.0),
            (1.0, 0.3),
            (1.0, 3.0 / 11.0),
            (1.0, 0.25),
        ];
        assert_points(&of(2).precision_recall(), &expected, 1.0);
        let counts = confusion_matrix(&target, &rows, &predictions, 0.5);
        assert_eq!(counts, Ok(vec![vec![2, 1, 0], vec![1, 4, 1], vec![0, 1, 2]]));
    }

    /// `calibration_curve(n_bins=5)` and `(n_bins=10)` of scikit-learn 1.9.1; three probabilities lie on an edge.
    #[test]
    fn reliability_is_that_of_scikit_learn() {
        let (target, predictions) = binary();
        let rows = all_rows(&predictions);
        let of = |n_bins| -> Vec<(f64, f64)> {
            let bins = reliability(&target, &rows, &predictions, 1, n_bins).expect("classes");
            assert_eq!(bins.iter().map(|bin| bin.n_rows).sum::<usize>(), rows.len());
            bins.iter().map(|bin| (bin.predicted, bin.observed)).collect()
        };
        let third = 2.0 / 3.0;
        let five = [(0.116_666_666_666_666_68, 0.0), (0.35, third), (0.55, 0.5), (0.75, 0.5), (0.925, 1.0)];
        assert_points(&of(5), &five, 1.0);
        let ten = [(0.075, 0.0), (0.2, 0.0), (0.35, third), (0.5, 0.0), (0.6, 1.0), (0.7, 0.0), (0.8, 1.0), (0.9, 1.0)];
        assert_points(&of(10), &[&ten[..], &[(0.95, 1.0)]].concat(), 1.0);
        assert_eq!(of(0).len(), 1);
    }

    #[test]
    fn what_has_no_curve_says_so() {
        let predictions = of_positive(&[0.2, 0.8]);
        let same = target_of(Task::Binary, vec![1, 1]);
        assert!(matches!(ClassRanking::new(&same, &[0, 1], &predictions, 1), Err(MetricError::Undefined { .. })));
        assert_eq!(reliability(&same, &[0, 1], &predictions, 1, 2).map(|bins| bins.len()), Ok(2));
        let amount = numbers(&[1.0, 2.0]);
        assert!(matches!(
            confusion_matrix(&amount, &[0, 1], &Predictions::new(1, vec![1.0, 2.0]), 0.5),
            Err(MetricError::WrongTask { .. })
        ));
    }

    proptest! {
        /// Both curves only go up or right, end where every row is called positive, and the area under straight lines
        /// between the points of one is the area of the other definition.
        #[test]
        fn curves_begin_and_end_where_they_must(rows in prop::collection::vec((0_u8..8, any::<bool>()), 2..40)) {
            let truth: Vec<u32> = rows.iter().map(|row| u32::from(row.1)).collect();
            prop_assume!(truth.contains(&0) && truth.contains(&1));
            let predictions = of_positive(&rows.iter().map(|row| f64::from(row.0) / 8.0).collect::<Vec<_>>());
            let (target, rows) = (target_of(Task::Binary, truth), all_rows(&predictions));
            let ranking = ClassRanking::new(&target, &rows, &predictions, 1).expect("both classes");
            let (roc, pr) = (ranking.roc(), ranking.precision_recall());
            prop_assert_eq!(roc.last(), Some(&(1.0, 1.0)));
            prop_assert_eq!(pr.last(), Some(&(1.0, ranking.share())));
            prop_assert!(roc.windows(2).all(|p| p[0].0 <= p[1].0 && p[0].1 <= p[1].1));
            prop_assert!(pr.windows(2).all(|p| p[0].0 <= p[1].0));
            let area: f64 = roc.windows(2).map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum();
            prop_assert!((area - ranking.roc_auc()).abs() < 1e-12);
        }
    }
}
