//! Scores of predicted numbers. Definitions are scikit-learn's and `SciPy`'s.

use super::table::Metric;
use crate::error::MetricError;

pub(super) fn score(metric: Metric, truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    let n = truth.len() as f64;
    let errors = || truth.iter().zip(predicted).map(|(t, p)| t - p);
    match metric {
        Metric::Mae => Ok(errors().map(f64::abs).sum::<f64>() / n),
        Metric::R2 => r2(truth, errors().map(|e| e * e).sum()),
        Metric::MedianAbsoluteError => Ok(median(errors().map(f64::abs).collect())),
        Metric::SpearmanCorrelation => spearman(truth, predicted),
        _ => Ok((errors().map(|e| e * e).sum::<f64>() / n).sqrt()),
    }
}

/// A constant target has nothing to explain: 1 when it is met exactly, else 0, as in scikit-learn.
fn r2(truth: &[f64], squared_errors: f64) -> Result<f64, MetricError> {
    if truth.len() < 2 {
        return Err(MetricError::Undefined { metric: Metric::R2.name(), reason: "fewer than two rows" });
    }
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let total: f64 = truth.iter().map(|t| (t - mean) * (t - mean)).sum();
    Ok(match (squared_errors == 0.0, total == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 1.0 - squared_errors / total,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    f64::midpoint(values[(n - 1) / 2], values[n / 2])
}

/// Pearson's correlation of the ranks, equal values sharing their mean rank. A constant prediction says nothing
/// of the order and scores 0, where `SciPy` gives NaN, so that the baseline has a score.
fn spearman(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    let (a, b) = (ranks(truth), ranks(predicted));
    // Every ranking has the same mean.
    let mean = f64::midpoint(truth.len() as f64, 1.0);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let (of_truth, of_predicted) = (product(&a, &a), product(&b, &b));
    if of_truth == 0.0 {
        return Err(MetricError::Undefined {
            metric: Metric::SpearmanCorrelation.name(),
            reason: "the target is constant",
        });
    }
    Ok(if of_predicted == 0.0 { 0.0 } else { product(&a, &b) / (of_truth.sqrt() * of_predicted.sqrt()) })
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for group in order.chunk_by(|&i, &j| values[i] == values[j]) {
        // Ranks before + 1 to before + len, at their mean.
        let rank = before as f64 + f64::midpoint(group.len() as f64, 1.0);
        for &i in group {
            ranks[i] = rank;
        }
        before += group.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: [f64; 10] = [3.0, -0.5, 2.0, 7.0, 4.25, 2.0, -1.5, 10.0, 6.0, 2.5];
    const PREDICTED: [f64; 10] = [2.5, 0.0, 2.0, 8.0, 4.0, 2.0, -1.0, 8.5, 6.5, 4.0];

    /// scikit-learn 1.9.1 and `SciPy` 1.17.1 on the arrays above.
    #[test]
    fn scores_are_those_of_scikit_learn() {
        for (metric, expected) in [
            (Metric::Rmse, 0.810_092_587_300_982_5),
            (Metric::Mae, 0.625),
            (Metric::R2, 0.939_267_742_495_228_2),
            (Metric::MedianAbsoluteError, 0.5),
            (Metric::SpearmanCorrelation, 0.978_597_848_105_453_7),
        ] {
            let found = score(metric, &TRUTH, &PREDICTED).expect("the figure exists");
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{metric}: {found}, expected {expected}");
        }
    }

    #[test]
    fn edges_are_stated() {
        assert_eq!(score(Metric::R2, &[2.0; 3], &[2.0, 2.0, 3.0]), Ok(0.0));
        assert_eq!(score(Metric::R2, &[2.0; 3], &[2.0; 3]), Ok(1.0));
        assert!(matches!(score(Metric::R2, &[2.0], &[2.0]), Err(MetricError::Undefined { .. })));
        assert_eq!(score(Metric::SpearmanCorrelation, &[1.0, 2.0], &[5.0, 5.0]), Ok(0.0));
        let outcome = score(Metric::SpearmanCorrelation, &[1.0, 1.0], &[5.0, 6.0]);
        assert!(matches!(outcome, Err(MetricError::Undefined { .. })));
        assert_eq!(score(Metric::MedianAbsoluteError, &[0.0; 4], &[1.0, 2.0, 4.0, 8.0]), Ok(3.0));
    }
}
