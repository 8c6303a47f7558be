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
    incumbent: f64,
    scratch: Scratch,
    by_mean: Vec<f64>,
    by_variance: Vec<f64>,
}

impl<'a> LogExpectedImprovement<'a> {
    pub(super) fn new(surrogate: &'a Surrogate, incumbent: f64) -> Self {
        let slots = surrogate.embedding.parts.len();
        Self {
            surrogate,
            incumbent,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_high_precision_over_the_whole_range() {
        // log(npdf(z) + z ncdf(z)) and ncdf(z) / (npdf(z) + z ncdf(z)), mpmath 1.3.0 with 60 digits.
        for (z, log, slope) in [
            (3.0, 1.098_739_665_327_707_8, 0.332_840_968_451_795_2),
            (0.0, -0.918_938_533_204_672_7, 1.253_314_137_315_500_3),
            (-0.9, -2.298_282_989_459_651_7, 1.832_699_804_921_227_2),
            (-1.1, -2.679_178_382_476_053, 1.977_077_087_305_481),
            (-5.0, -16.744_301_162_660_99, 5.361_816_241_288_089),
            (-24.9, -317.358_485_742_667_4, 24.979_936_959_471_14),
            (-25.1, -322.374_409_872_464, 25.179_305_997_377_54),
            (-60.0, -1_809.108_460_182_272_2, 60.033_305_609_420_51),
            (-1_000.0, -500_014.734_452_091_16, 1_000.001_999_994),
        ] {
            let (found, by) = log_h(z);
            assert!((found - log).abs() < 1e-10 * (1.0 + log.abs()), "{found} is not {log} at {z}");
            assert!((by - slope).abs() < 1e-9 * slope, "{by} is not {slope} at {z}");
        }
    }
}
