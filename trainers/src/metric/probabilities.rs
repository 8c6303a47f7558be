//! Scores of probabilities as such. Definitions are scikit-learn's.

use crate::data::Predictions;

/// Probabilities are kept off 0 and 1 by the epsilon of `f64`, as scikit-learn has done since 1.5.
pub(super) fn log_loss(truth: &[usize], predictions: &Predictions) -> f64 {
    let sum: f64 = truth
        .iter()
        .zip(predictions.rows())
        .map(|(&class, row)| -row[class].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln())
        .sum();
    sum / truth.len() as f64
}

/// Mean squared distance of the probabilities to the truth (Brier 1950): of the positive class for two classes, so
/// from 0 to 1, else over all classes, from 0 to 2.
pub(super) fn brier(truth: &[usize], predictions: &Predictions) -> f64 {
    let distance = |(&class, row): (&usize, &[f64])| match row {
        [_, positive] => (positive - class as f64).powi(2),
        _ => row.iter().enumerate().map(|(c, p)| (p - f64::from(u8::from(c == class))).powi(2)).sum(),
    };
    truth.iter().zip(predictions.rows()).map(distance).sum::<f64>() / truth.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `log_loss([0, 1, 1], [0.0, 0.0, 1.0])` of scikit-learn 1.9.1.
    #[test]
    fn a_certain_mistake_is_clipped() {
        let predictions = Predictions::new(2, vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let expected = 12.014_551_129_705_717;
        assert!((log_loss(&[0, 1, 1], &predictions) - expected).abs() < 1e-12 * expected);
    }
}
