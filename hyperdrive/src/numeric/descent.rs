//! Descent of a smooth function within bounds.

use super::linear::dot;

/// How far back the curvature is remembered.
const MEMORY: usize = 10;
/// Share of the promised decrease that a step must bring (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Halvings of a step before the search gives up.
const HALVINGS: usize = 25;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Steps at most.
    pub(crate) steps: usize,
    /// A projected gradient whose every entry is at most this is taken as 0.
    pub(crate) gradient: f64,
    /// So is a step that brings less than this.
    pub(crate) decrease: f64,
}

/// Goes down from `x` within the box `bounds` until nothing more is gained; returns the value there.
///
/// Limited-memory BFGS (Liu and Nocedal, Mathematical Programming 45, 1989, two-loop recursion) on the entries that no
/// bound holds, steps bent into the box and halved until they bring enough (Bertsekas, "Projected Newton methods", SIAM
/// Journal on Control and Optimization 20, 1982). `f` writes the gradient and returns the value; a value that is not
/// finite counts as too long a step.
pub(crate) fn descend(
    x: &mut [f64],
    bounds: &[(f64, f64)],
    patience: Patience,
    f: &mut dyn FnMut(&[f64], &mut [f64]) -> f64,
) -> f64 {
    let n = x.len();
    for (x, (low, high)) in x.iter_mut().zip(bounds) {
        *x = x.clamp(*low, *high);
    }
    let mut gradient = vec![0.0; n];
    let mut value = f(x, &mut gradient);
    if !value.is_finite() {
        return value;
    }
    let mut memory = Memory::default();
    let (mut next, mut next_gradient) = (vec![0.0; n], vec![0.0; n]);
    for _ in 0..patience.steps {
        let free: Vec<bool> = (0..n)
            .map(|i| !(x[i] <= bounds[i].0 && gradient[i] > 0.0 || x[i] >= bounds[i].1 && gradient[i] < 0.0))
            .collect();
        if (0..n).all(|i| !free[i] || gradient[i].abs() <= patience.gradient) {
            break;
        }
        let mut step = memory.direction(&gradient, &free);
        if dot(&step, &gradient) >= 0.0 {
            memory = Memory::default();
            step = memory.direction(&gradient, &free);
        }
        let mut length = 1.0;
        let mut taken = None;
        for _ in 0..HALVINGS {
            for i in 0..n {
                next[i] = (x[i] + length * step[i]).clamp(bounds[i].0, bounds[i].1);
            }
            let promised: f64 = (0..n).map(|i| gradient[i] * (next[i] - x[i])).sum();
            let here = f(&next, &mut next_gradient);
            if here.is_finite() && here <= value + SUFFICIENT * promised {
                taken = Some(here);
                break;
            }
            // The minimum of the parabola through what is known, where there is one.
            let parabola = -0.5 * promised / (here - value - promised);
            length *= if parabola.is_finite() { parabola.clamp(0.1, 0.5) } else { 0.1 };
        }
        let Some(here) = taken else {
            break;
        };
        let moved: Vec<f64> = (0..n).map(|i| next[i] - x[i]).collect();
        let turned: Vec<f64> = (0..n).map(|i| next_gradient[i] - gradient[i]).collect();
        memory.remember(moved, turned);
        x.copy_from_slice(&next);
        gradient.copy_from_slice(&next_gradient);
        let gained = value - here;
        value = here;
        if gained < patience.decrease {
            break;
        }
    }
    value
}

/// The last moves and the changes of the gradient they made.
#[derive(Default)]
struct Memory(Vec<(Vec<f64>, Vec<f64>, f64)>);

impl Memory {
    fn remember(&mut self, moved: Vec<f64>, turned: Vec<f64>) {
        let curvature = dot(&moved, &turned);
        if curvature > 1e-10 * dot(&turned, &turned).sqrt() * dot(&moved, &moved).sqrt() {
            if self.0.len() == MEMORY {
                self.0.remove(0);
            }
            self.0.push((moved, turned, 1.0 / curvature));
        }
    }

    fn direction(&self, gradient: &[f64], free: &[bool]) -> Vec<f64> {
        let mask = |x: &mut [f64]| x.iter_mut().zip(free).for_each(|(x, free)| *x *= f64::from(u8::from(*free)));
        let mut q = gradient.to_vec();
        mask(&mut q);
        let mut shares = Vec::with_capacity(self.0.len());
        for (moved, turned, rho) in self.0.iter().rev() {
            let share = rho * dot(moved, &q);
            q.iter_mut().zip(turned).for_each(|(q, turned)| *q -= share * turned);
            shares.push(share);
        }
        let scale = match self.0.last() {
            Some((_, turned, rho)) => 1.0 / (rho * dot(turned, turned)),
            // The first step is no longer than 1, or than the gradient.
            None => 1.0 / dot(&q, &q).sqrt().max(1.0),
        };
        for q in &mut q {
            *q *= scale;
        }
        for ((moved, turned, rho), share) in self.0.iter().zip(shares.iter().rev()) {
            let back = rho * dot(turned, &q);
            q.iter_mut().zip(moved).for_each(|(q, moved)| *q += (share - back) * moved);
        }
        mask(&mut q);
        for q in &mut q {
            *q = -*q;
        }
        q
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Patience = Patience { steps: 200, gradient: 1e-8, decrease: 0.0 };

    fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient[0] = -2.0 * a - 400.0 * x[0] * b;
        gradient[1] = 200.0 * b;
        a * a + 100.0 * b * b
    }

    #[test]
    fn finds_the_end_of_a_curved_valley() {
        let mut x = [-1.2, 1.0];
        let value = descend(&mut x, &[(-5.0, 5.0); 2], LONG, &mut rosenbrock);
        assert!(value < 1e-12 && (x[0] - 1.0).abs() < 1e-5, "{value} at {x:?}");
    }

    #[test]
    fn stays_in_the_box_and_finds_its_best_edge() {
        // With x at most 0.5 the best is y = x² there: 0.25.
        let mut x = [-1.2, 1.0];
        let value = descend(&mut x, &[(-5.0, 0.5), (-5.0, 5.0)], LONG, &mut rosenbrock);
        assert!((value - 0.25).abs() < 1e-9 && x[0] == 0.5 && (x[1] - 0.25).abs() < 1e-6, "{value} at {x:?}");
    }

    #[test]
    fn a_wall_of_infinity_is_too_long_a_step() {
        let mut x = [1.0];
        let mut f = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 1.0 - 1.0 / x[0];
            x[0] - x[0].ln()
        };
        let value = descend(&mut x, &[(-10.0, 10.0)], LONG, &mut f);
        assert!((value - 1.0).abs() < 1e-12);
        let mut x = [9.0];
        let value = descend(&mut x, &[(-10.0, 10.0)], LONG, &mut f);
        assert!((value - 1.0).abs() < 1e-9, "{value}");
    }
}
