//! Decisions into probabilities.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::linear::{Iteration, Lbfgs};
use crate::weigh::weight_of;

/// Folds on which decisions are made for rows that were not learned from.
pub(super) const FOLDS: usize = 3;
/// Rows of the rarest class that folds need.
const FEWEST: usize = 3;
const MAX_ITERATIONS: usize = 200;
const TOLERANCE: f64 = 1e-8;

/// What each decision is multiplied with, and what is added then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calibration {
    pub(super) slopes: Vec<f64>,
    pub(super) offsets: Vec<f64>,
}

/// The fold of every row, each class spread evenly over them by the seed; `None` where some class has fewer rows than
/// there are folds.
pub(super) fn folds(members: &[usize], n_classes: usize, seed: u64) -> Option<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut fold = vec![0; members.len()];
    let mut next = 0;
    for class in 0..n_classes {
        let mut rows: Vec<usize> = (0..members.len()).filter(|&row| members[row] == class).collect();
        if rows.len() < FEWEST {
            return None;
        }
        rows.shuffle(&mut rng);
        for row in rows {
            fold[row] = next % FOLDS;
            next += 1;
        }
    }
    Some(fold)
}

/// Platt's sigmoid of a single score of two classes, and the softmax of a line in each score of more: the slopes and
/// offsets under which the classes are likeliest.
///
/// Targets are not 0 and 1 but `1 / (N + k)` and `(N + 1) / (N + k)` for a row of a class of N rows among k, which for two
/// classes are those of Platt (Lin, Lin & Weng, *A note on Platt's probabilistic outputs for support vector machines*,
/// 2007, eq. 2), so that separable decisions have a finite answer. `scores` are row-major. `None` when `stop` became
/// true meanwhile.
pub(super) fn calibrate(
    scores: &[f64],
    members: &[usize],
    n_classes: usize,
    weights: Option<&[f64]>,
    stop: &AtomicBool,
) -> Option<Calibration> {
    let n_scores = if n_classes == 2 { 1 } else { n_classes };
    let mut counts = vec![0.0; n_classes];
    for (row, &class) in members.iter().enumerate() {
        counts[class] += weight_of(weights, row);
    }
    let k = n_classes as f64;
    let aim = |class: usize, of: usize| {
        let rows: f64 = counts[class];
        (if class == of { rows + 1.0 } else { 1.0 }) / (rows + k)
    };
    let mut start = vec![1.0; n_scores];
    start.resize(2 * n_scores, 0.0);
    let mut at = Lbfgs::new(start);
    let mut own = vec![0.0; n_scores];
    let mut likelihood = |x: &[f64], gradient: &mut [f64]| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        gradient.fill(0.0);
        let mut sum = 0.0;
        for (row, (scores, &class)) in scores.chunks_exact(n_scores).zip(members).enumerate() {
            for (of, own) in own.iter_mut().enumerate() {
                *own = x[of] * scores[of] + x[n_scores + of];
            }
            let weight = weight_of(weights, row) / members.len() as f64;
            sum += weight * cross_entropy(&mut own, |of| aim(class, of));
            for (of, slope) in own.iter().enumerate() {
                gradient[of] += weight * slope * scores[of];
                gradient[n_scores + of] += weight * slope;
            }
        }
        Some(sum)
    };
    for _ in 0..MAX_ITERATIONS {
        match at.iterate(TOLERANCE, &mut likelihood) {
            Iteration::Moved => {}
            Iteration::Converged => break,
            Iteration::Stopped => return None,
        }
    }
    let offsets = at.x.split_off(n_scores);
    Some(Calibration { slopes: at.x, offsets })
}

/// The cross-entropy of scores with target probabilities; the scores become its slopes.
fn cross_entropy(scores: &mut [f64], aim: impl Fn(usize) -> f64) -> f64 {
    if let [score] = scores {
        let small = (-score.abs()).exp();
        let positive = if *score > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        let value = score.max(0.0) + small.ln_1p() - aim(1) * *score;
        *score = positive - aim(1);
        return value;
    }
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| (score - greatest).exp()).sum();
    let mut value = 0.0;
    for (of, score) in scores.iter_mut().enumerate() {
        let log = *score - greatest - total.ln();
        value -= aim(of) * log;
        *score = log.exp() - aim(of);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    fn calibrated(scores: &[f64], members: &[usize], n_classes: usize) -> Calibration {
        calibrate(scores, members, n_classes, None, &AtomicBool::new(false)).expect("nobody stops it")
    }

    /// scikit-learn 1.9.1, `_sigmoid_calibration` of these decisions, which negates both.
    #[test]
    fn two_classes_have_platts_sigmoid() {
        let scores = [-2.0, -1.2, -0.3, 0.4, 0.1, 0.9, 1.7, -0.6];
        let found = calibrated(&scores, &[0, 0, 0, 0, 1, 1, 1, 1], 2);
        assert_close(&found.slopes, &[0.822_992_07], 1e-4);
        assert_close(&found.offsets, &[0.099_644_69], 1e-4);
    }

    #[test]
    fn separable_decisions_have_a_finite_answer() {
        let found = calibrated(&[-2.0, -1.0, 1.0, 2.0], &[0, 0, 1, 1], 2);
        assert!(found.slopes[0] > 0.5 && found.slopes[0] < 10.0, "{found:?}");
        assert!(found.offsets[0].abs() < 1e-6, "{found:?}");
        let scores = [[3.0, -1.0, -2.0], [-1.0, 2.0, -1.0], [-3.0, -1.0, 2.0]].concat();
        let found = calibrated(&scores, &[0, 1, 2], 3);
        assert!(found.slopes.iter().all(|slope| slope.is_finite() && *slope > 0.0), "{found:?}");
    }

    #[test]
    fn folds_hold_a_share_of_every_class() {
        let members: Vec<usize> = (0..50).map(|row| usize::from(row % 5 == 0)).collect();
        let found = folds(&members, 2, 3).expect("both have rows enough");
        for fold in 0..FOLDS {
            let of = |class| (0..50).filter(|&row| found[row] == fold && members[row] == class).count();
            assert!((13..=14).contains(&of(0)) && (3..=4).contains(&of(1)), "{} and {}", of(0), of(1));
        }
        assert_eq!(folds(&members, 2, 3), Some(found));
        assert_eq!(folds(&[0, 0, 0, 1, 1], 2, 3), None);
    }
}
