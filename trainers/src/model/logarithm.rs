//! An estimator of the logarithm of a number, for targets whose large values are far apart.

use serde::{Deserialize, Serialize};

use crate::data::{Block, Predictions};
use crate::model::Estimator;

/// How far beyond the logarithms that were seen a prediction may lie, as a share of their range: what a line says far
/// outside would be astronomical once its exponential is taken.
const MARGIN: f64 = 0.1;

/// From a number to its logarithm and back: `ln(y + shift)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogScale {
    /// What is added before: 0 where all numbers are positive, 1 where the least is 0, and more where it is negative.
    pub shift: f64,
    /// The least logarithm that is predicted.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl LogScale {
    /// The scale of these numbers; those that are not finite do not count.
    pub fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let bounds = (f64::INFINITY, f64::NEG_INFINITY);
        let of = |(low, high): (f64, f64), y: f64| (low.min(y), high.max(y));
        let (low, high) = numbers.filter(|y| y.is_finite()).fold(bounds, of);
        if low > high {
            return Self { shift: 0.0, least: 0.0, most: 0.0 };
        }
        let shift = if low > 0.0 { 0.0 } else { 1.0 - low };
        let (least, most) = ((low + shift).ln(), (high + shift).ln());
        let margin = MARGIN * (most - least);
        Self { shift, least: least - margin, most: most + margin }
    }

    /// The logarithm of a number.
    pub fn logarithm(&self, y: f64) -> f64 {
        (y + self.shift).ln()
    }

    /// The number whose logarithm this is.
    pub fn number(&self, logarithm: f64) -> f64 {
        logarithm.clamp(self.least, self.most).exp() - self.shift
    }
}

/// An estimator that was fitted on logarithms, and answers in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logarithm {
    /// From logarithms to numbers.
    pub scale: LogScale,
    /// What predicts the logarithms.
    pub estimator: Box<Estimator>,
}

impl Logarithm {
    /// Predicts the given rows of a block: `rows.len() × 1`.
    pub(super) fn predict(&self, block: &Block, rows: &[u32]) -> Predictions {
        let logarithms = self.estimator.predict(block, rows);
        Predictions::new(1, logarithms.values().iter().map(|z| self.scale.number(*z)).collect())
    }

    pub(super) fn check(&self, n_features: usize, n_outputs: usize) -> Result<(), String> {
        let LogScale { shift, least, most } = self.scale;
        if !(shift.is_finite() && least.is_finite() && most.is_finite() && least <= most) {
            return Err(format!("logarithms from {least} to {most} of numbers shifted by {shift}"));
        }
        if matches!(*self.estimator, Estimator::Logarithm(_)) || n_outputs != 1 {
            return Err("the logarithm of something that is not a number".into());
        }
        self.estimator.check(n_features, n_outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Constant;

    #[test]
    fn numbers_come_back_and_do_not_run_away() {
        for numbers in [vec![0.5, 3.0, 1e6], vec![0.0, 10.0, 500.0], vec![-7.0, 0.0, 90.0]] {
            let scale = LogScale::of(numbers.iter().copied().chain([f64::NAN]));
            for y in &numbers {
                assert!((scale.number(scale.logarithm(*y)) - y).abs() <= 1e-9 * y.abs().max(1.0), "{y} {scale:?}");
            }
            assert!(scale.number(1e9) < 5.0 * numbers[2] && scale.number(-1e9).is_finite());
        }
        assert_eq!(LogScale::of([0.5, 3.0].into_iter()).shift.to_bits(), 0.0_f64.to_bits());
        assert_eq!(LogScale::of([0.0, 3.0].into_iter()).shift.to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn what_is_no_logarithm_is_refused() {
        let inner = || Box::new(Estimator::Constant(Constant { values: vec![1.0] }));
        let scale = LogScale::of([1.0, 2.0].into_iter());
        let sound = Logarithm { scale, estimator: inner() };
        assert_eq!(sound.check(0, 1), Ok(()));
        assert!(sound.check(0, 2).is_err());
        let bad = Logarithm { scale: LogScale { most: f64::NAN, ..scale }, estimator: inner() };
        assert!(bad.check(0, 1).is_err());
        let twice = Logarithm { scale, estimator: Box::new(Estimator::Logarithm(sound)) };
        assert!(twice.check(0, 1).is_err());
    }
}
