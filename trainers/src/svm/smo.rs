//! The dual of a support vector machine, by sequential minimal optimisation.

use std::sync::atomic::{AtomicBool, Ordering};

/// Curvature where two rows are the same to the kernel.
const TAU: f64 = 1e-12;
/// Steps between two looks at the stop flag.
const LOOK: usize = 256;

/// Kernels of every pair of rows, symmetric, row-major.
pub(super) struct Gram {
    pub(super) n_rows: usize,
    pub(super) values: Vec<f32>,
}

impl Gram {
    fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.n_rows..][..self.n_rows]
    }
}

/// A solved machine of two classes.
pub(super) struct Solved {
    /// Of each row, what its kernel is multiplied with: `y · alpha`, 0 where it supports nothing.
    pub(super) coefficients: Vec<f64>,
    /// What is added to the sum of kernels.
    pub(super) intercept: f64,
    /// The decision on each row, those with bound 0 too.
    pub(super) decisions: Vec<f64>,
}

/// Maximises `Σ alpha - ½ ΣΣ alpha alpha y y K` with `Σ y alpha = 0` and each alpha between 0 and its bound; rows of bound
/// 0 are left out, but decided. `None` when `stop` became true meanwhile.
///
/// Fan, Chen & Lin, *Working set selection using second order information*, 2005 (algorithm 2; `LIBSVM`'s). Without
/// shrinking or a cache: the kernels are all there. After `most` steps it ends where it is.
pub(super) fn solve(
    gram: &Gram,
    positive: &[bool],
    bounds: &[f64],
    tolerance: f64,
    most: usize,
    stop: &AtomicBool,
) -> Option<Solved> {
    let n = gram.n_rows;
    let side = |i: usize| if positive[i] { 1.0 } else { -1.0 };
    let mut alphas = vec![0.0; n];
    // How far each row's decision, without the intercept, falls short of its side: minus the dual's gradient times y.
    let mut short: Vec<f64> = (0..n).map(side).collect();
    let diagonal: Vec<f64> = (0..n).map(|i| f64::from(gram.row(i)[i])).collect();
    // A row whose coefficient y · alpha may grow, or shrink.
    let grows = |alphas: &[f64], i: usize| if positive[i] { alphas[i] < bounds[i] } else { alphas[i] > 0.0 };
    let shrinks = |alphas: &[f64], i: usize| if positive[i] { alphas[i] > 0.0 } else { alphas[i] < bounds[i] };
    let (mut high, mut low) = (f64::NAN, f64::NAN);
    for step in 0..most {
        if step.is_multiple_of(LOOK) && stop.load(Ordering::Relaxed) {
            return None;
        }
        let mut first = None;
        high = f64::NEG_INFINITY;
        for (i, &short) in short.iter().enumerate() {
            if short > high && grows(&alphas, i) {
                (high, first) = (short, Some(i));
            }
        }
        let Some(i) = first else { break };
        let of_i = gram.row(i);
        let (mut second, mut best) = (None, 0.0);
        low = f64::INFINITY;
        for (t, &short) in short.iter().enumerate() {
            if !shrinks(&alphas, t) {
                continue;
            }
            low = low.min(short);
            let gap = high - short;
            if gap > 0.0 {
                let curvature = (diagonal[i] + diagonal[t] - 2.0 * f64::from(of_i[t])).max(TAU);
                let gain = gap * gap / curvature;
                if gain > best {
                    (best, second) = (gain, Some((t, gap / curvature)));
                }
            }
        }
        if high - low <= tolerance {
            break;
        }
        let Some((j, wanted)) = second else { break };
        let room_i = if positive[i] { bounds[i] - alphas[i] } else { alphas[i] };
        let room_j = if positive[j] { alphas[j] } else { bounds[j] - alphas[j] };
        let by = wanted.min(room_i).min(room_j);
        // What reaches a bound lies on it exactly.
        let moved = |alpha: f64, towards: f64, room: f64, bound: f64| {
            if by < room {
                alpha + towards * by
            } else if towards > 0.0 {
                bound
            } else {
                0.0
            }
        };
        alphas[i] = moved(alphas[i], side(i), room_i, bounds[i]);
        alphas[j] = moved(alphas[j], -side(j), room_j, bounds[j]);
        for ((short, of_i), of_j) in short.iter_mut().zip(of_i).zip(gram.row(j)) {
            *short -= by * f64::from(of_i - of_j);
        }
    }
    let free: Vec<f64> = (0..n).filter(|&i| alphas[i] > 0.0 && alphas[i] < bounds[i]).map(|i| short[i]).collect();
    let intercept = if !free.is_empty() {
        free.iter().sum::<f64>() / free.len() as f64
    } else if high.is_finite() && low.is_finite() {
        f64::midpoint(high, low)
    } else {
        0.0
    };
    let decisions = (0..n).map(|i| side(i) - short[i] + intercept).collect();
    let coefficients = alphas.iter().enumerate().map(|(i, alpha)| side(i) * alpha).collect();
    Some(Solved { coefficients, intercept, decisions })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The conditions of the optimum: rows beyond the margin have no part, rows short of it all of theirs, and the
        /// decisions are what the coefficients say.
        #[test]
        fn the_optimum_satisfies_its_conditions(
            rows in proptest::collection::vec((-2.0_f64..2.0, -2.0_f64..2.0, proptest::bool::ANY), 4..40),
            log_c in -1.0_f64..1.5,
        ) {
            let n_rows = rows.len();
            let near = |a: &(f64, f64, bool), b: &(f64, f64, bool)| (-(a.0 - b.0).powi(2) - (a.1 - b.1).powi(2)).exp() as f32;
            let values = rows.iter().flat_map(|a| rows.iter().map(move |b| near(a, b))).collect();
            let gram = Gram { n_rows, values };
            let positive: Vec<bool> = rows.iter().map(|row| row.2).collect();
            prop_assume!(positive.contains(&true) && positive.contains(&false));
            // Every fifth row is held out.
            let c = 10_f64.powf(log_c);
            let bounds: Vec<f64> = (0..n_rows).map(|i| if i % 5 == 4 { 0.0 } else { c }).collect();
            let solved = solve(&gram, &positive, &bounds, 1e-4, 100_000, &AtomicBool::new(false)).expect("nobody stops it");
            prop_assert!(solved.coefficients.iter().sum::<f64>().abs() < 1e-6 * c * n_rows as f64);
            for i in 0..n_rows {
                let own: f64 = gram.row(i).iter().zip(&solved.coefficients).map(|(k, a)| f64::from(*k) * a).sum();
                prop_assert!((own + solved.intercept - solved.decisions[i]).abs() < 1e-4 * (1.0 + c));
                let side = if positive[i] { 1.0 } else { -1.0 };
                let (alpha, margin) = (side * solved.coefficients[i], side * solved.decisions[i]);
                prop_assert!((0.0..=bounds[i]).contains(&alpha));
                if bounds[i] > 0.0 && solved.coefficients.iter().any(|a| *a != 0.0) {
                    prop_assert!(alpha > 0.0 || margin > 1.0 - 1e-3, "no part at a margin of {margin}");
                    prop_assert!(alpha < c || margin < 1.0 + 1e-3, "all its part at a margin of {margin}");
                }
            }
        }
    }
}
