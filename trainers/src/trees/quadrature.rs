//! Gauss-Legendre quadrature between 0 and 1.

/// Points and weights: the integral of a polynomial of degree below `2 n` is its weighted sum over `n` points.
#[derive(Debug, Clone)]
pub(super) struct Quadrature {
    /// Ascending, strictly between 0 and 1.
    pub(super) points: Vec<f64>,
    /// Positive, of sum 1.
    pub(super) weights: Vec<f64>,
}

impl Quadrature {
    /// The rule of `n` points: the zeros of the Legendre polynomial of degree `n` by Newton's method from Tricomi's
    /// estimate (Abramowitz & Stegun 22.16.6 and 25.4.29), moved from [-1, 1].
    pub(super) fn new(n: usize) -> Quadrature {
        let mut rule = Quadrature { points: vec![0.0; n], weights: vec![0.0; n] };
        for i in 0..n {
            let mut z = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            let mut slope = 1.0;
            // Convergence is quadratic from an estimate this near.
            for _ in 0..8 {
                let (value, at_slope) = legendre(n, z);
                slope = at_slope;
                z -= value / slope;
            }
            // Mirrored, so that points ascend.
            rule.points[i] = (1.0 - z) / 2.0;
            rule.weights[i] = 1.0 / ((1.0 - z * z) * slope * slope);
        }
        rule
    }
}

/// The Legendre polynomial of degree `n` and its derivative at `-1 < z < 1`.
fn legendre(n: usize, z: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for k in 1..=n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * z * value - (k - 1.0) * before) / k);
    }
    (value, n as f64 * (z * value - before) / (z * z - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_exactly() {
        for n in 1..40 {
            let rule = Quadrature::new(n);
            assert!(rule.points.windows(2).all(|pair| pair[0] < pair[1]), "{n} points ascend");
            for power in 0..2 * n {
                let sum: f64 = rule.points.iter().zip(&rule.weights).map(|(x, w)| w * x.powi(power as i32)).sum();
                let exact = 1.0 / (power as f64 + 1.0);
                assert!((sum - exact).abs() < 1e-14, "x^{power} at {n} points: {sum}, not {exact}");
            }
        }
        let sum: f64 = {
            let rule = Quadrature::new(1);
            rule.points.iter().zip(&rule.weights).map(|(x, w)| w * x * x).sum()
        };
        assert!((sum - 1.0 / 3.0).abs() > 0.01, "one point is not enough for a square");
    }
}
