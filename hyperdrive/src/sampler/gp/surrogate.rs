//! What the losses are expected to be everywhere, from those at some points.

use super::embedding::{Embedding, Part, Warp};
use super::fit;
use super::kernel::{matern, matern_and_slope};
use super::output::Output;
use crate::numeric::linear::{Whitener, dot};
use crate::space::Layout;

/// A Gaussian process over the points of a layout, conditional ones too, conditioned on losses.
///
/// Means and variances are in the model's own units, in which the losses it was fitted to have mean 0 and variance 1
/// after a monotone bend: the order of losses is kept, so the least mean is the least expected loss.
#[derive(Clone, Debug)]
pub(crate) struct Surrogate {
    pub(super) embedding: Embedding,
    pub(super) output: Output,
    weights: Vec<f64>,
    warps: Vec<Warp>,
    signal: f64,
    pub(super) noise: f64,
    /// What it is conditioned on, as the layout has it.
    pub(super) rows: Vec<Vec<f64>>,
    /// The same as features, in columns.
    columns: Vec<Vec<f64>>,
    pub(super) targets: Vec<f64>,
    whitener: Whitener,
    mean: f64,
    alpha: Vec<f64>,
}

/// Room for the numbers of one prediction, to be used again for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    point: Vec<f64>,
    q: Vec<f64>,
    slopes: Vec<f64>,
    white: Vec<f64>,
    back: Vec<f64>,
}

impl Surrogate {
    /// Fits hyperparameters to `losses` (finite, smaller is better) at `rows` of the layout and conditions on them all.
    /// A pure function of its arguments: the order of the rows matters in the last bits only.
    ///
    /// Costs O(n³) a step, some hundred steps; `append` between fits costs O(n²).
    pub(crate) fn fit(layout: &Layout, rows: &[Vec<f64>], losses: &[f64]) -> Self {
        let embedding = Embedding::new(layout);
        let (hyper, output) = fit::fit(&embedding, dimension(layout), rows, losses);
        let mut surrogate = Self {
            columns: vec![Vec::new(); embedding.width()],
            embedding,
            output,
            weights: hyper.weights(),
            warps: hyper.warps(),
            signal: hyper.signal(),
            noise: hyper.noise(),
            rows: Vec::new(),
            targets: Vec::new(),
            whitener: Whitener::new(),
            mean: 0.0,
            alpha: Vec::new(),
        };
        for (row, loss) in rows.iter().zip(losses) {
            surrogate.push(row, output.apply(*loss));
        }
        surrogate.weigh();
        surrogate
    }

    /// Conditions on one more loss, with the hyperparameters as they are.
    pub(crate) fn append(&mut self, row: &[f64], loss: f64) {
        self.push(row, self.output.apply(loss));
        self.weigh();
    }

    /// Conditions on a point under way as if it had come out as expected: the variance around it shrinks, the mean stays
    /// (the kriging believer of Ginsbourger, Le Riche and Carraro, 2010).
    pub(crate) fn believe(&mut self, row: &[f64]) {
        let (mean, _) = self.predict(row);
        self.push(row, mean);
        self.weigh();
    }

    /// How many points it is conditioned on.
    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// Mean and variance of the loss without noise at a row of the layout, in the model's units.
    pub(crate) fn predict(&self, row: &[f64]) -> (f64, f64) {
        self.predict_in(row, &mut Scratch::default())
    }

    pub(super) fn predict_in(&self, row: &[f64], scratch: &mut Scratch) -> (f64, f64) {
        self.distances(row, scratch);
        for q in &mut scratch.q {
            *q = self.signal * matern(*q);
        }
        self.whitener.whiten(&scratch.q, &mut scratch.white);
        let mean = self.mean + dot(&scratch.q, &self.alpha);
        (mean, self.variance(&scratch.white))
    }

    /// The mean alone, at a fraction of the cost.
    pub(super) fn mean_in(&self, row: &[f64], scratch: &mut Scratch) -> f64 {
        self.distances(row, scratch);
        let sum: f64 = scratch.q.iter().zip(&self.alpha).map(|(q, alpha)| matern(*q) * alpha).sum();
        self.mean + self.signal * sum
    }

    /// Mean and variance, and writes their derivatives by each number of the row; 0 for options and what does not exist.
    pub(super) fn gradients_in(
        &self,
        row: &[f64],
        scratch: &mut Scratch,
        by_mean: &mut [f64],
        by_variance: &mut [f64],
    ) -> (f64, f64) {
        self.distances(row, scratch);
        scratch.slopes.clear();
        for q in &mut scratch.q {
            let (value, slope) = matern_and_slope(*q);
            *q = self.signal * value;
            scratch.slopes.push(self.signal * slope);
        }
        self.whitener.whiten(&scratch.q, &mut scratch.white);
        self.whitener.whiten_back(&scratch.white, &mut scratch.back);
        let mean = self.mean + dot(&scratch.q, &self.alpha);
        // From here on `q` and `back` are the derivatives by the squared distance to each point.
        let mut sums = (0.0, 0.0);
        for i in 0..self.len() {
            scratch.q[i] = scratch.slopes[i] * self.alpha[i];
            scratch.back[i] *= -2.0 * scratch.slopes[i];
            sums.0 += scratch.q[i];
            sums.1 += scratch.back[i];
        }
        for (slot, part) in self.embedding.parts.iter().enumerate() {
            let (m, v) = self.slot_gradient(*part, slot, row[slot], scratch, sums);
            by_mean[slot] = m;
            by_variance[slot] = v;
        }
        (mean, self.variance(&scratch.white))
    }

    fn slot_gradient(&self, part: Part, slot: usize, at: f64, scratch: &Scratch, sums: (f64, f64)) -> (f64, f64) {
        // Σ c (x − other) for a feature x: the derivative of Σ c × squared distance, halved.
        let pull = |feature: usize| {
            let (x, column) = (scratch.point[feature], &self.columns[feature]);
            (x * sums.0 - dot(&scratch.q, column), x * sums.1 - dot(&scratch.back, column))
        };
        let scale = 2.0 * self.weights[slot] * if at.is_nan() { 0.0 } else { self.warps[slot].slope(at) };
        match part {
            Part::Line { feature } => {
                let (m, v) = pull(feature);
                (scale * m, scale * v)
            }
            Part::Arc { .. } if at.is_nan() => (0.0, 0.0),
            Part::Arc { feature } => {
                let (cos, sin) = (scratch.point[feature], scratch.point[feature + 1]);
                let ((a, b), (c, d)) = (pull(feature), pull(feature + 1));
                (scale * (cos * c - sin * a), scale * (cos * d - sin * b))
            }
            Part::Code { .. } => (0.0, 0.0),
        }
    }

    /// The expected loss at each point it is conditioned on.
    pub(super) fn expected(&self) -> impl Iterator<Item = f64> {
        // K α = targets − mean with the noise in K, so without it the expectation is the target less the noise's share.
        self.targets.iter().zip(&self.alpha).map(|(target, alpha)| target - self.noise * alpha)
    }

    /// The least expected loss at the points it is conditioned on: less is an improvement.
    pub(super) fn incumbent(&self, fixed: &[(usize, f64)]) -> f64 {
        let own = self.expected().zip(&self.rows).filter(|(_, row)| fixed.iter().all(|(slot, at)| row[*slot] == *at)).map(|(x, _)| x).fold(f64::INFINITY, f64::min);
        if own.is_finite() { own } else { self.expected().fold(f64::INFINITY, f64::min) }
    }

    /// Each slot's length: how far the loss is alike along it.
    pub(super) fn lengths(&self) -> Vec<f64> {
        self.weights.iter().map(|weight| weight.sqrt().recip()).collect()
    }

    fn distances(&self, row: &[f64], scratch: &mut Scratch) {
        self.embedding.embed(row, &self.warps, &mut scratch.point);
        scratch.q.clear();
        scratch.q.resize(self.len(), 0.0);
        for (part, weight) in self.embedding.parts.iter().zip(&self.weights) {
            part.add_distances(*weight, &scratch.point, &self.columns, &mut scratch.q);
        }
    }

    fn variance(&self, white: &[f64]) -> f64 {
        (self.signal - dot(white, white)).max(1e-12 * self.signal)
    }

    fn push(&mut self, row: &[f64], target: f64) {
        let mut scratch = Scratch::default();
        self.distances(row, &mut scratch);
        for q in &mut scratch.q {
            *q = self.signal * matern(*q);
        }
        self.whitener.push(&scratch.q, self.signal + self.noise, 1e-3 * self.noise);
        for (column, x) in self.columns.iter_mut().zip(&scratch.point) {
            column.push(*x);
        }
        self.targets.push(target);
        self.rows.push(row.to_vec());
    }

    fn weigh(&mut self) {
        (self.mean, self.alpha, _) = fit::weigh(&self.whitener, &self.targets);
    }
}

/// How many slots a point of the layout has on the average, if each option is equally likely; at least 1.
fn dimension(layout: &Layout) -> f64 {
    let mut chance: Vec<f64> = Vec::with_capacity(layout.len());
    for slot in &layout.slots {
        chance.push(match slot.parent {
            None => 1.0,
            Some((parent, _)) => match layout.slots[parent].kind {
                crate::space::Kind::Category { levels } => chance[parent] / levels as f64,
                _ => chance[parent],
            },
        });
    }
    chance.iter().sum::<f64>().max(1.0)
}
