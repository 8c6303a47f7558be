//! What a point is worth trying: the logarithm of its expected improvement.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::surrogate::{Scratch, Surrogate};

/// Logarithm of h(z) = φ(z) + z Φ(z), and its derivative Φ(z) / h(z), accurate for any z.
///
/// Ament et al., "Unexpected improvements to expected improvement", arXiv:2310.20708, section 4 and appendix A; here the
/// far tail is the asymptotic series of Mills' ratio.
pub(super) fn log_h(z: f64) -> (f64, f64) {
    let log_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    if z > -1.0 {
        let below = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
        let h = log_density.exp() + z * below;
        return (h.ln(), below / h);
    }
    if z > -25.0 {
        // Mills' ratio Φ/φ; the exponential makes up for the tail of erfc.
        let mills = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2) * (-log_density).exp();
        let rest = 1.0 + z * mills;
        return (log_density + rest.ln(), mills / rest);
    }
    let w = (z * z).recip();
    // Φ/φ = (1 − w + 3w² − 15w³ …)/|z| and h/φ = w (1 − 3w + 15w² − 105w³ …).
    let mills = 1.0 - w * (1.0 - w * (3.0 - w * (15.0 - w * (105.0 - 945.0 * w))));
    let rest = 1.0 - w * (3.0 - w * (15.0 - w * (105.0 - w * (945.0 - 10_395.0 * w))));
    (log_density + w.ln() + rest.ln(), -z * mills / rest)
}

/// Logarithm of the expected improvement of `incumbent` where a loss has this mean and variance.
pub(in crate::sampler) fn log_expected_improvement(mean: f64, variance: f64, incumbent: f64) -> f64 {
    let deviation = variance.sqrt();
    deviation.ln() + log_h((incumbent - mean) / deviation).0
}

/// Logarithm of the expected improvement of a surrogate's least expected loss.
pub(super) struct LogExpectedImprovement<'a> {
    pub(super) surrogate: &'a Surrogate,
    pub(super) incumbent: f64,
    scratch: Scratch,
    by_mean: Vec<f64>,
    by_variance: Vec<f64>,
}

impl<'a> LogExpectedImprovement<'a> {
    pub(super) fn new(surrogate: &'a Surrogate, fixed: &[(usize, f64)], margin: f64) -> Self {
        let slots = surrogate.embedding.parts.len();
        Self {
            surrogate,
            incumbent: surrogate.incumbent(fixed) - margin,
            scratch: Scratch::default(),
            by_mean: vec![0.0; slots],
            by_variance: vec![0.0; slots],
        }
    }

    /// Its value at a row of the layout.
    pub(super) fn value(&mut self, row: &[f64]) -> f64 {
        let (mean, variance) = self.surrogate.predict_in(row, &mut self.scratch);
        let deviation = variance.sqrt();
        deviation.ln() + log_h((self.incumbent - mean) / deviation).0
    }

    /// Its value, and writes its derivatives by each number of the row.
    pub(super) fn gradient(&mut self, row: &[f64], out: &mut [f64]) -> f64 {
        let (mean, variance) =
            self.surrogate.gradients_in(row, &mut self.scratch, &mut self.by_mean, &mut self.by_variance);
        let deviation = variance.sqrt();
        let z = (self.incumbent - mean) / deviation;
        let (log, slope) = log_h(z);
        for ((out, m), v) in out.iter_mut().zip(&self.by_mean).zip(&self.by_variance) {
            let by_deviation = 0.5 * v / deviation;
            *out = (by_deviation + slope * (-m - z * by_deviation)) / deviation;
        }
        deviation.ln() + log
    }

    /// The expected loss.
    pub(super) fn mean(&mut self, row: &[f64]) -> f64 {
        self.surrogate.mean_in(row, &mut self.scratch)
    }
}
