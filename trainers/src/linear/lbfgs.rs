//! Minimises a smooth convex function of many numbers by L-BFGS, one iteration at a time.
//!
//! Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 7.4 with ten pairs. The line search brackets a step
//! that satisfies the weak Wolfe conditions by bisection (Lewis & Overton 2013, algorithm 2.6): every accepted step then
//! has positive curvature, and the first tried, 1, is nearly always it. Where rounding hides the descent, a step
//! that does not rise beyond rounding and does not steepen is taken (Hager & Zhang 2005, eq. 4.1).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Pairs of steps and gradient changes that are remembered.
const PAIRS: usize = 10;
/// A step must bring this share of the descent that the slope promises, and end on a slope this much flatter.
const DESCENT: f64 = 1e-4;
const FLATTER: f64 = 0.9;
/// Rise of the value, relative to it, that may be rounding.
const ROUNDING: f64 = 1e-12;
/// Steps tried along one direction.
const MAX_TRIES: usize = 50;

/// What an iteration came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Iteration {
    /// A better point.
    Moved,
    /// The gradient is short enough, or no better point can be told from this one.
    Converged,
    /// The objective was asked to stop; nothing has changed.
    Stopped,
}

/// A point on its way to the minimum; also a checkpoint, from which the same bits follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lbfgs {
    /// The point.
    pub(crate) x: Vec<f64>,
    /// Value and gradient there; no value before the first iteration.
    value: Option<f64>,
    gradient: Vec<f64>,
    /// Steps and changes of the gradient, the latest last.
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
}

impl Lbfgs {
    pub(crate) fn new(x: Vec<f64>) -> Lbfgs {
        Lbfgs { gradient: vec![0.0; x.len()], x, value: None, pairs: VecDeque::new() }
    }

    /// Whether this state, read from bytes, is of so many numbers.
    pub(crate) fn fits(&self, n: usize) -> bool {
        let all = [&self.x, &self.gradient].into_iter().chain(self.pairs.iter().flat_map(|(s, y)| [s, y]));
        let finite = |v: &Vec<f64>| v.len() == n && v.iter().all(|x| x.is_finite());
        all.into_iter().all(finite) && self.pairs.len() <= PAIRS
    }

    /// One iteration. `objective` writes the gradient at a point and gives the value; `None` asks to stop. Converged
    /// when no part of the gradient is beyond `tolerance`.
    pub(crate) fn iterate(
        &mut self,
        tolerance: f64,
        mut objective: impl FnMut(&[f64], &mut [f64]) -> Option<f64>,
    ) -> Iteration {
        let value = match self.value {
            Some(value) => value,
            None => match objective(&self.x, &mut self.gradient) {
                Some(value) => *self.value.insert(value),
                None => return Iteration::Stopped,
            },
        };
        if self.gradient.iter().all(|g| g.abs() <= tolerance) {
            return Iteration::Converged;
        }
        let mut direction = self.direction();
        let mut slope = dot(&direction, &self.gradient);
        if slope.is_nan() || slope >= 0.0 {
            // The pairs have gone bad; the gradient alone always descends.
            self.pairs.clear();
            direction = self.direction();
            slope = dot(&direction, &self.gradient);
        }
        let (mut low, mut high, mut step) = (0.0_f64, f64::INFINITY, 1.0_f64);
        let (mut x, mut gradient) = (self.x.clone(), vec![0.0; self.x.len()]);
        for _ in 0..MAX_TRIES {
            for ((x, from), d) in x.iter_mut().zip(&self.x).zip(&direction) {
                *x = from + step * d;
            }
            let Some(found) = objective(&x, &mut gradient) else { return Iteration::Stopped };
            let steepness = dot(&direction, &gradient);
            let descends = found <= value + DESCENT * step * slope
                || (found <= value + ROUNDING * value.abs() && steepness <= (2.0 * DESCENT - 1.0) * slope);
            if !(found.is_finite() && steepness.is_finite() && descends) {
                high = step;
            } else if steepness < FLATTER * slope {
                low = step;
            } else {
                self.take(x, found, gradient);
                return Iteration::Moved;
            }
            step = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * step };
        }
        Iteration::Converged
    }

    fn take(&mut self, x: Vec<f64>, value: f64, gradient: Vec<f64>) {
        let step: Vec<f64> = x.iter().zip(&self.x).map(|(to, from)| to - from).collect();
        let change: Vec<f64> = gradient.iter().zip(&self.gradient).map(|(to, from)| to - from).collect();
        if dot(&step, &change) > f64::EPSILON * dot(&change, &change).sqrt() * dot(&step, &step).sqrt() {
            if self.pairs.len() == PAIRS {
                self.pairs.pop_front();
            }
            self.pairs.push_back((step, change));
        }
        (self.x, self.value, self.gradient) = (x, Some(value), gradient);
    }

    /// The two-loop recursion: the inverse Hessian that the pairs tell of, times the gradient, downwards.
    fn direction(&self) -> Vec<f64> {
        let mut q: Vec<f64> = self.gradient.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for (step, change) in self.pairs.iter().rev() {
            let share = dot(step, &q) / dot(step, change);
            add(&mut q, -share, change);
            shares.push(share);
        }
        let scale = match self.pairs.back() {
            Some((step, change)) => dot(step, change) / dot(change, change),
            // Nothing is known of the curvature: a step of length 1.
            None => 1.0 / dot(&q, &q).sqrt(),
        };
        for q in &mut q {
            *q *= scale;
        }
        for ((step, change), share) in self.pairs.iter().zip(shares.iter().rev()) {
            let back = share - dot(change, &q) / dot(step, change);
            add(&mut q, back, step);
        }
        q
    }
}

/// The inner product, in eight lanes so that it becomes vector instructions.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += a * b;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// `to += factor · of`.
pub(crate) fn add(to: &mut [f64], factor: f64, of: &[f64]) {
    for (to, of) in to.iter_mut().zip(of) {
        *to += factor * of;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::assert_close;

    fn run(mut state: Lbfgs, objective: impl Fn(&[f64], &mut [f64]) -> f64) -> (Lbfgs, usize) {
        for n in 0..500 {
            if state.iterate(1e-9, |x, g| Some(objective(x, g))) == Iteration::Converged {
                return (state, n);
            }
        }
        panic!("no minimum in 500 iterations");
    }

    /// `Σ cosh(a (x - b)) / a²`, of which the minimum is b.
    fn bowl(slopes: &[f64], centers: &[f64]) -> impl Fn(&[f64], &mut [f64]) -> f64 {
        let (slopes, centers) = (slopes.to_vec(), centers.to_vec());
        move |x, gradient| {
            let mut sum = 0.0;
            for (i, g) in gradient.iter_mut().enumerate() {
                let at = slopes[i] * (x[i] - centers[i]);
                *g = at.sinh() / slopes[i];
                sum += at.cosh() / (slopes[i] * slopes[i]);
            }
            sum
        }
    }

    proptest! {
        #[test]
        fn the_minimum_is_found_from_anywhere(
            parts in proptest::collection::vec((0.1_f64..3.0, -20.0_f64..20.0, -20.0_f64..20.0), 1..12)
        ) {
            let slopes: Vec<f64> = parts.iter().map(|part| part.0).collect();
            let centers: Vec<f64> = parts.iter().map(|part| part.1).collect();
            let (state, _) = run(Lbfgs::new(parts.iter().map(|part| part.2).collect()), bowl(&slopes, &centers));
            for (x, center) in state.x.iter().zip(&centers) {
                prop_assert!((x - center).abs() < 1e-5, "{x} where {center} is the minimum");
            }
        }
    }

    /// Rosenbrock's valley is not convex and takes a few dozen iterations of any quasi-Newton method.
    #[test]
    fn a_bent_valley_is_followed() {
        let valley = |x: &[f64], g: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (g[0], g[1]) = (-2.0 * a - 400.0 * x[0] * b, 200.0 * b);
            a * a + 100.0 * b * b
        };
        let (state, n) = run(Lbfgs::new(vec![-1.2, 1.0]), valley);
        assert_close(&state.x, &[1.0, 1.0], 1e-6);
        assert!(n < 60, "{n} iterations");
    }

    #[test]
    fn a_stop_changes_nothing_and_a_checkpoint_ends_in_the_same_bits() {
        let objective = bowl(&[0.5, 1.0, 2.0], &[3.0, -1.0, 0.5]);
        let mut state = Lbfgs::new(vec![0.0; 3]);
        for _ in 0..3 {
            assert_eq!(state.iterate(1e-9, |x, g| Some(objective(x, g))), Iteration::Moved);
        }
        let before = state.clone();
        assert_eq!(state.iterate(1e-9, |_, _| None), Iteration::Stopped);
        assert_eq!(state, before);
        let bytes = rmp_serde::to_vec_named(&state).expect("plain numbers");
        let read: Lbfgs = rmp_serde::from_slice(&bytes).expect("what was written can be read");
        assert!(read.fits(3) && !read.fits(4));
        assert_eq!(run(read, &objective).0, run(state, &objective).0);
    }
}
