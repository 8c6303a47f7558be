//! Least squares under an L1 and L2 penalty, by coordinate descent.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lbfgs::{add, dot};
use super::regression::Standardised;

/// Converged when no pass moves a prediction by more than about this, in standard deviations of the target.
const TOLERANCE: f64 = 1e-6;
/// Most passes over the features at one penalty.
const MAX_PASSES: usize = 5000;
/// Most passes over the weights that are not 0 between two over all.
const MAX_PARTIAL: usize = 50;
/// Penalties on the way down from the first that leaves a weight to the one asked for.
const PATH: usize = 10;

/// The weights that minimise `|y - Xw|² / 2n + penalty · (l1_ratio · |w|₁ + (1 - l1_ratio) / 2 · |w|²)`; `None` when `stop`
/// became true meanwhile.
///
/// Friedman, Hastie & Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010:
/// from the greatest penalty that leaves any weight down to the one asked for, each from the solution before; passes go
/// over the weights that are not 0 until they rest, then over all.
pub(super) fn descend(problem: &Standardised, penalty: f64, l1_ratio: f64, stop: &AtomicBool) -> Option<Vec<f64>> {
    let n = problem.y.len() as f64;
    let columns: Vec<&[f64]> = problem.columns().collect();
    let squares: Vec<f64> = columns.iter().map(|column| dot(column, column) / n).collect();
    let mut rest = problem.y.clone();
    let mut weights = vec![0.0; columns.len()];
    for penalty in path(&columns, &rest, penalty, l1_ratio) {
        let (l1, l2) = (penalty * l1_ratio, penalty * (1.0 - l1_ratio));
        let (mut all, mut partial) = (true, 0);
        for _ in 0..MAX_PASSES {
            let mut moved = 0.0_f64;
            for (j, column) in columns.iter().enumerate() {
                if squares[j] == 0.0 || (!all && weights[j] == 0.0) {
                    continue;
                }
                if all && stop.load(Ordering::Relaxed) {
                    return None;
                }
                let pull = dot(column, &rest) / n + squares[j] * weights[j];
                let to = pull.signum() * (pull.abs() - l1).max(0.0) / (squares[j] + l2);
                if to != weights[j] {
                    let by = to - weights[j];
                    add(&mut rest, -by, column);
                    weights[j] = to;
                    moved = moved.max(by.abs() * squares[j].sqrt());
                }
            }
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            if all && moved <= TOLERANCE {
                break;
            }
            partial = if all { 0 } else { partial + 1 };
            all = !all && (moved <= TOLERANCE || partial == MAX_PARTIAL);
        }
    }
    Some(weights)
}

/// Falling penalties, the last the one asked for; only that one where nothing is chosen among weights.
fn path(columns: &[&[f64]], y: &[f64], penalty: f64, l1_ratio: f64) -> Vec<f64> {
    let pull = columns.iter().map(|column| dot(column, y).abs()).fold(0.0, f64::max) / y.len() as f64;
    let first = pull / l1_ratio;
    if !(first.is_finite() && penalty > 0.0 && first > 2.0 * penalty) {
        return vec![penalty];
    }
    (1..=PATH).map(|step| first * (penalty / first).powf(step as f64 / PATH as f64)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::task::Task;
    use crate::testing::{DIABETES, standardised};

    proptest! {
        /// The conditions of the minimum: a weight that is not 0 is pulled as hard as its penalties hold it, one that is
        /// 0 no harder.
        #[test]
        fn the_minimum_satisfies_its_conditions(log_penalty in -4.0_f64..0.5, l1_ratio in 0.0_f64..=1.0, thin in 1_usize..20) {
            let mut data = standardised(DIABETES, Task::Regression);
            data.rows = (0..442).step_by(thin).collect();
            let problem = Standardised::new(&data, None, Algorithm::ElasticNet).expect("sound data");
            let penalty = 10_f64.powf(log_penalty);
            let weights = descend(&problem, penalty, l1_ratio, &AtomicBool::new(false)).expect("nobody stops it");
            let mut rest = problem.y.clone();
            for (column, weight) in problem.columns().zip(&weights) {
                add(&mut rest, -weight, column);
            }
            for (column, weight) in problem.columns().zip(&weights) {
                let pull = dot(column, &rest) / rest.len() as f64;
                let (l1, l2) = (penalty * l1_ratio, penalty * (1.0 - l1_ratio));
                if *weight == 0.0 {
                    prop_assert!(pull.abs() <= l1 + 1e-4, "pulled by {pull} at a penalty of {l1}");
                } else {
                    prop_assert!((pull - l2 * weight - l1 * weight.signum()).abs() < 1e-4, "{pull} against {weight}");
                }
            }
        }
    }

    #[test]
    fn a_stop_is_heard() {
        let data = standardised(DIABETES, Task::Regression);
        let problem = Standardised::new(&data, None, Algorithm::ElasticNet).expect("sound data");
        assert_eq!(descend(&problem, 0.01, 0.5, &AtomicBool::new(true)), None);
    }
}
