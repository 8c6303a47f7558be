//! The normal distribution that CMA-ES searches with, and how it learns.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::strategy::Strategy;
use crate::numeric::{eigen, normal};

/// N(m, σ² A C A), where A widens single coordinates ([`super::margin`]) and is 1 elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    pub(super) strategy: Strategy,
    pub(super) mean: Vec<f64>,
    pub(super) sigma: f64,
    /// C, row after row.
    covariance: Vec<f64>,
    /// The diagonal of A.
    pub(super) widened: Vec<f64>,
    /// Eigenvectors of C, one after another.
    axes: Vec<f64>,
    /// Square roots of their eigenvalues.
    pub(super) lengths: Vec<f64>,
    path_sigma: Vec<f64>,
    pub(super) path_c: Vec<f64>,
    pub(super) generations: u32,
    /// How much of C was learned since its axes were computed.
    stale: f64,
}

/// A share of C so small that the axes need not follow it: in high dimensions one decomposition serves many
/// generations, so that it costs O(d²) for each point.
const STALE: f64 = 0.02;
/// The widest standard deviation, in a space of side 1.
const WIDEST: f64 = 1.0;

impl Distribution {
    /// N(mean, σ² I).
    pub(super) fn round(mean: Vec<f64>, sigma: f64, population: usize) -> Self {
        let d = mean.len();
        Self {
            strategy: Strategy::new(d, population),
            mean,
            sigma,
            covariance: eigen::identity(d),
            widened: vec![1.0; d],
            axes: eigen::identity(d),
            lengths: vec![1.0; d],
            path_sigma: vec![0.0; d],
            path_c: vec![0.0; d],
            generations: 0,
            stale: 0.0,
        }
    }

    /// N(mean, covariance), with σ such that C has determinant 1.
    pub(super) fn shaped(mean: Vec<f64>, covariance: Vec<f64>, population: usize) -> Self {
        let mut new = Self::round(mean, 1.0, population);
        new.covariance = covariance;
        new.decompose();
        let d = new.mean.len();
        new.sigma = (new.lengths.iter().map(|length| length.ln()).sum::<f64>() / d as f64).exp();
        scale(&mut new.covariance, 1.0 / (new.sigma * new.sigma));
        scale(&mut new.lengths, 1.0 / new.sigma);
        new
    }

    /// Standard deviation of coordinate `i`.
    pub(super) fn deviation(&self, i: usize) -> f64 {
        self.sigma * self.widened[i] * self.covariance[i * (self.mean.len() + 1)].sqrt()
    }

    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let d = self.mean.len();
        let mut y = vec![0.0; d];
        for (length, axis) in self.lengths.iter().zip(self.axes.chunks_exact(d)) {
            let z = length * normal::quantile(rng.random_range(f64::EPSILON..1.0));
            add(&mut y, z, axis);
        }
        (0..d).map(|i| self.mean[i] + self.sigma * self.widened[i] * y[i]).collect()
    }

    /// The step from the mean to `point`, undoing σ and A, and its length in standard deviations.
    pub(super) fn step(&self, point: &[f64]) -> (Vec<f64>, f64) {
        let step = |i: usize| (point[i] - self.mean[i]) / (self.sigma * self.widened[i]);
        let step: Vec<f64> = (0..point.len()).map(step).collect();
        let length = self.white(&step).map(|z| z * z).sum::<f64>().sqrt();
        (step, length)
    }

    /// Coordinates of C^(-1/2) `y` along the axes.
    fn white<'a>(&'a self, y: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.axes.chunks_exact(y.len()).zip(&self.lengths).map(|(axis, length)| dot(axis, y) / length)
    }

    /// One generation: `points` from best to worst, as many as the population.
    ///
    /// A point need not have been drawn from this distribution, nor be where it was drawn (bounds, other samplers):
    /// a step is cut at the length that one drawn here hardly passes (Hansen, arXiv:1110.4181).
    pub(super) fn learn(&mut self, points: &[&[f64]]) {
        let d = self.mean.len();
        let n = d as f64;
        let s = self.strategy.clone();
        let mut shift = vec![0.0; d];
        let mut learned = vec![0.0; d * d];
        for (weight, point) in s.weights.iter().zip(points) {
            let (mut step, mut length) = self.step(point);
            if length > s.longest {
                scale(&mut step, s.longest / length);
                length = s.longest;
            }
            if *weight > 0.0 {
                add(&mut shift, *weight, &step);
            }
            let weight = if *weight < 0.0 { weight * n / (length * length).max(1e-12) } else { *weight };
            for (row, x) in learned.chunks_exact_mut(d).zip(&step) {
                add(row, weight * x, &step);
            }
        }
        let total: f64 = s.weights.iter().sum();
        for (mean, (widened, shift)) in self.mean.iter_mut().zip(self.widened.iter().zip(&shift)) {
            *mean += self.sigma * widened * shift;
        }
        self.generations += 1;
        let grown = (s.c_sigma * (2.0 - s.c_sigma) * s.mu_eff).sqrt();
        scale(&mut self.path_sigma, 1.0 - s.c_sigma);
        let white: Vec<f64> = self.white(&shift).collect();
        for (z, axis) in white.iter().zip(self.axes.chunks_exact(d)) {
            add(&mut self.path_sigma, grown * z, axis);
        }
        let length = dot(&self.path_sigma, &self.path_sigma).sqrt();
        let young = (1.0 - (1.0 - s.c_sigma).powi(2 * self.generations as i32)).sqrt();
        let steady = length / young < (1.4 + 2.0 / (n + 1.0)) * s.chi;
        scale(&mut self.path_c, 1.0 - s.c_c);
        if steady {
            add(&mut self.path_c, (s.c_c * (2.0 - s.c_c) * s.mu_eff).sqrt(), &shift);
        }
        let lost = if steady { 0.0 } else { s.c_1 * s.c_c * (2.0 - s.c_c) };
        let kept = 1.0 + lost - s.c_1 - s.c_mu * total;
        for i in 0..d {
            for j in 0..d {
                let k = i * d + j;
                let rank_one = s.c_1 * self.path_c[i] * self.path_c[j];
                self.covariance[k] = kept * self.covariance[k] + rank_one + s.c_mu * learned[k];
            }
        }
        self.sigma *= ((s.c_sigma / s.d_sigma) * (length / s.chi - 1.0)).min(1.0).exp();
        self.stale += s.c_1 + s.c_mu;
        if self.stale >= STALE {
            self.decompose();
        }
        let longest = self.lengths.iter().copied().fold(0.0, f64::max);
        self.sigma = self.sigma.min(WIDEST / longest);
    }

    fn decompose(&mut self) {
        let d = self.mean.len();
        let eigen = eigen::symmetric(&self.covariance, d, &self.axes);
        let largest = eigen.values.iter().copied().fold(0.0, f64::max);
        // Rounding may leave an eigenvalue below 0 where the axes differ by many powers of ten.
        self.lengths = eigen.values.iter().map(|value| value.max(1e-20 * largest).sqrt()).collect();
        self.axes = eigen.vectors;
        self.stale = 0.0;
    }

    /// The axis `k` in the space, its standard deviation long.
    pub(super) fn axis(&self, k: usize) -> impl Iterator<Item = f64> + '_ {
        let d = self.mean.len();
        let length = self.sigma * self.lengths[k];
        self.axes[k * d..(k + 1) * d].iter().zip(&self.widened).map(move |(x, widened)| x * length * widened)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(sum: &mut [f64], weight: f64, x: &[f64]) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum += weight * x;
    }
}

fn scale(x: &mut [f64], by: f64) {
    for x in x {
        *x *= by;
    }
}
