//! Logarithms of a target whose large values are far apart, as what candidates may learn in its place.

use std::sync::Arc;

use trainers::transform::{FeatureSettings, Transformer};
use trainers::{LogScale, Target, TargetValues};

/// Less skewed numbers are learned as they are.
const LEAST_SKEWNESS: f64 = 0.75;

/// A target's logarithms.
#[derive(Debug, Clone)]
pub struct LogTarget {
    /// From numbers to logarithms and back.
    pub scale: LogScale,
    /// The logarithms, per table row.
    pub target: Arc<Target>,
}

impl LogTarget {
    /// The logarithms of numbers, scaled by the rows that are used; none of classes.
    pub(super) fn of(target: &Target, rows: &[u32]) -> Option<Self> {
        let TargetValues::Numbers(numbers) = &target.values else { return None };
        let scale = LogScale::of(rows.iter().filter_map(|&row| target.number(row)));
        let logarithms = numbers.iter().map(|y| scale.logarithm(*y)).collect();
        let target = Target { values: TargetValues::Numbers(logarithms), ..target.clone() };
        Some(Self { scale, target: Arc::new(target) })
    }

    /// The same where it is worth a try: no number is negative, and the logarithms are less skewed than the numbers are.
    pub(super) fn worth_trying(target: &Target, rows: &[u32], settings: &FeatureSettings) -> Option<Self> {
        if settings.plain || !settings.allows(Transformer::LogTarget) {
            return None;
        }
        let skew = skewness(target, rows).filter(|skew| *skew > LEAST_SKEWNESS)?;
        let found = Self::of(target, rows).filter(|found| found.scale.shift <= 1.0)?;
        skewness(&found.target, rows).is_some_and(|own| own.abs() < skew).then_some(found)
    }
}

/// The third standardised moment of a target's numbers; none of classes, or where all are equal.
fn skewness(target: &Target, rows: &[u32]) -> Option<f64> {
    let numbers: Vec<f64> = rows.iter().filter_map(|&row| target.number(row)).collect();
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let moment = |k| numbers.iter().map(|y| (y - mean).powi(k)).sum::<f64>() / n;
    let spread = moment(2).sqrt();
    (spread > 0.0).then(|| moment(3) / spread.powi(3))
}

#[cfg(test)]
mod tests {
    use trainers::Task;

    use super::*;

    fn target(numbers: Vec<f64>) -> Target {
        Target { task: Task::Regression, classes: Vec::new(), values: TargetValues::Numbers(numbers) }
    }

    fn tried(numbers: Vec<f64>) -> bool {
        let rows: Vec<u32> = (0..numbers.len() as u32).collect();
        LogTarget::worth_trying(&target(numbers), &rows, &FeatureSettings::default()).is_some()
    }

    #[test]
    fn heavy_tails_are_tried_in_logarithms_and_others_are_not() {
        let to = |f: fn(f64) -> f64| (1..200).map(|i| f(f64::from(i) / 20.0)).collect::<Vec<f64>>();
        assert!(tried(to(f64::exp)) && tried(to(|x| (x + 3.0).powi(4))));
        assert!(tried(to(|x| (x - 5.0).max(0.0).exp() - 1.0)), "zeros are no hindrance");
        assert!(!tried(to(|x| x)) && !tried(to(|x| -x.exp())) && !tried(to(|x| x.exp() - 50.0)));
        assert!(!tried(vec![3.0; 20]));
    }

    #[test]
    fn what_is_blocked_is_not_tried_and_classes_have_none() {
        let rows: Vec<u32> = (0..100).collect();
        let heavy = target((0..100).map(|i| f64::from(i).powi(4)).collect());
        let blocked =
            FeatureSettings { blocked: [Transformer::LogTarget].into_iter().collect(), ..FeatureSettings::default() };
        assert!(LogTarget::worth_trying(&heavy, &rows, &blocked).is_none());
        let plain = FeatureSettings { plain: true, ..FeatureSettings::default() };
        assert!(LogTarget::worth_trying(&heavy, &rows, &plain).is_none());
        let classes = Target { task: Task::Binary, classes: Vec::new(), values: TargetValues::Classes(vec![0; 100]) };
        assert!(LogTarget::of(&classes, &rows).is_none());
    }
}
