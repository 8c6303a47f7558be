//! Scores of predicted classes, all from counts per class. Definitions are scikit-learn's.

use super::average::Average;
use crate::task::Task;

/// Counts per class: rows that are of it, rows predicted as it, and rows that are both.
pub(super) struct Confusion {
    n_rows: usize,
    n_right: usize,
    of: Vec<usize>,
    predicted: Vec<usize>,
    right: Vec<usize>,
}

/// Rows that are of a class, rows predicted as it, and rows that are both.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    of: usize,
    predicted: usize,
    right: usize,
}

impl Counts {
    /// `f1 = 2·right / (of + predicted)`, the harmonic mean of the two below.
    pub(super) fn f1(self) -> f64 {
        share(2 * self.right, self.of + self.predicted)
    }

    pub(super) fn precision(self) -> f64 {
        share(self.right, self.predicted)
    }

    pub(super) fn recall(self) -> f64 {
        share(self.right, self.of)
    }
}

/// 0 where there is nothing to have a share of, as scikit-learn's `zero_division="warn"`.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Confusion {
    pub(super) fn new(truth: &[usize], labels: &[usize], n_classes: usize) -> Confusion {
        let (mut of, mut predicted, mut right) = (vec![0; n_classes], vec![0; n_classes], vec![0; n_classes]);
        for (&class, &label) in truth.iter().zip(labels) {
            of[class] += 1;
            predicted[label] += 1;
            right[class] += usize::from(class == label);
        }
        Confusion { n_rows: truth.len(), n_right: right.iter().sum(), of, predicted, right }
    }

    fn class(&self, class: usize) -> Counts {
        Counts { of: self.of[class], predicted: self.predicted[class], right: self.right[class] }
    }

    /// A score of each class, averaged over the classes that are present or predicted.
    pub(super) fn averaged(&self, score: fn(Counts) -> f64, average: Average, task: Task) -> f64 {
        let seen = (0..self.of.len()).map(|class| self.class(class)).filter(|c| c.of + c.predicted > 0);
        match average.under(task) {
            Average::Positive => score(self.class(1)),
            Average::Micro => score(Counts { of: self.n_rows, predicted: self.n_rows, right: self.n_right }),
            Average::Weighted => seen.map(|counts| counts.of as f64 * score(counts)).sum::<f64>() / self.n_rows as f64,
            _ => {
                let n_seen = seen.clone().count();
                seen.map(score).sum::<f64>() / n_seen as f64
            }
        }
    }

    pub(super) fn accuracy(&self) -> f64 {
        share(self.n_right, self.n_rows)
    }

    /// The mean recall of the classes present, and how many those are.
    fn mean_recall(&self) -> (f64, f64) {
        let present = (0..self.of.len()).map(|class| self.class(class)).filter(|counts| counts.of > 0);
        let n_present = present.clone().count() as f64;
        (present.map(Counts::recall).sum::<f64>() / n_present, n_present)
    }

    pub(super) fn balanced_accuracy(&self) -> f64 {
        self.mean_recall().0
    }

    /// `(recall - R) / (1 - R)` with `R` that of guessing among the classes present.
    pub(super) fn norm_macro_recall(&self) -> Result<f64, &'static str> {
        let (recall, n_present) = self.mean_recall();
        if n_present < 2.0 {
            return Err("the rows are all of one class");
        }
        Ok((recall - 1.0 / n_present) / (1.0 - 1.0 / n_present))
    }

    /// The share of right rows where each row counts as many times as its class has rows.
    pub(super) fn weighted_accuracy(&self) -> f64 {
        dot(&self.right, &self.of) / dot(&self.of, &self.of)
    }

    pub(super) fn matthews_correlation(&self) -> f64 {
        let n = self.n_rows as f64;
        let covariance = self.n_right as f64 * n - dot(&self.of, &self.predicted);
        let of = n * n - dot(&self.of, &self.of);
        let predicted = n * n - dot(&self.predicted, &self.predicted);
        // Rounding may carry a perfect score beyond 1.
        let score = (covariance / (of.sqrt() * predicted.sqrt())).clamp(-1.0, 1.0);
        if of == 0.0 || predicted == 0.0 { 0.0 } else { score }
    }

    /// Agreement beyond what the shares of the classes would give by chance (Cohen 1960).
    pub(super) fn cohen_kappa(&self) -> Result<f64, &'static str> {
        let n = self.n_rows as f64;
        let by_chance = dot(&self.of, &self.predicted);
        if by_chance == n * n {
            return Err("the rows and the predictions are all of one class");
        }
        Ok((self.n_right as f64 * n - by_chance) / (n * n - by_chance))
    }
}

fn dot(a: &[usize], b: &[usize]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum()
}
