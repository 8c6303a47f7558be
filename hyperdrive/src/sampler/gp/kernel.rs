//! The Matern kernel with ν = 5/2 as a function of the squared distance.

const ROOT_5: f64 = 2.236_067_977_499_79;

/// Covariance of unit variance at squared distance `q`: (1 + √5 r + 5 r²/3) exp(−√5 r), r² = q
/// (Rasmussen and Williams, "Gaussian Processes for Machine Learning", equation 4.17).
pub(super) fn matern(q: f64) -> f64 {
    let r = ROOT_5 * q.sqrt();
    (1.0 + r + 5.0 / 3.0 * q) * (-r).exp()
}

/// The same and its derivative by `q`, which is finite at 0: −(5/6)(1 + √5 r) exp(−√5 r).
pub(super) fn matern_and_slope(q: f64) -> (f64, f64) {
    let r = ROOT_5 * q.sqrt();
    let e = (-r).exp();
    ((1.0 + r + 5.0 / 3.0 * q) * e, -5.0 / 6.0 * (1.0 + r) * e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_scikit_learn_and_with_its_own_differences() {
        // sklearn.gaussian_process.kernels.Matern(nu=2.5)([[0.0]], [[r]]).
        for (r, expected) in GOLDEN {
            assert!((matern(r * r) - expected).abs() < 1e-14, "at {r}");
        }
        for q in [1e-3, 0.1, 1.0, 7.0] {
            let (value, slope) = matern_and_slope(q);
            let h = 1e-5 * q;
            assert_eq!(value, matern(q));
            assert!(((matern(q + h) - matern(q - h)) / (2.0 * h) - slope).abs() < 1e-8);
        }
        assert_eq!(matern_and_slope(0.0), (1.0, -5.0 / 6.0));
    }

    // Version 1.9.1.
    const GOLDEN: [(f64, f64); 4] = [
        (0.1, 0.991_759_236_171_177_6),
        (0.5, 0.828_649_142_418_125_5),
        (1.0, 0.523_994_108_831_820_3),
        (3.0, 0.027_723_421_914_625_807),
    ];
}
