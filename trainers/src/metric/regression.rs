//! Scores of predicted numbers. Definitions are scikit-learn's and `SciPy`'s. Errors say why there is no figure, in
//! words.

pub(super) fn root_mean_squared_error(truth: &[f64], predicted: &[f64]) -> f64 {
    mean_squared_error(truth, predicted).sqrt()
}

pub(super) fn mean_squared_error(truth: &[f64], predicted: &[f64]) -> f64 {
    mean(truth, predicted, |t, p| (t - p) * (t - p))
}

pub(super) fn mean_absolute_error(truth: &[f64], predicted: &[f64]) -> f64 {
    mean(truth, predicted, |t, p| (t - p).abs())
}

/// A fraction, not a percentage. A target of 0 is taken as the epsilon of `f64`, as in scikit-learn.
pub(super) fn mean_absolute_percentage_error(truth: &[f64], predicted: &[f64]) -> f64 {
    mean(truth, predicted, |t, p| (t - p).abs() / t.abs().max(f64::EPSILON))
}

pub(super) fn median_absolute_error(truth: &[f64], predicted: &[f64]) -> f64 {
    median(truth.iter().zip(predicted).map(|(t, p)| (t - p).abs()).collect())
}

/// Of `ln(1 + y)`.
pub(super) fn root_mean_squared_log_error(truth: &[f64], predicted: &[f64]) -> Result<f64, &'static str> {
    if truth.iter().any(|&t| t <= -1.0) {
        return Err("a target is -1 or less, which has no ln(1 + y)");
    }
    if predicted.iter().any(|&p| p <= -1.0) {
        return Err("a prediction is -1 or less, which has no ln(1 + y)");
    }
    Ok(mean(truth, predicted, |t, p| (t.ln_1p() - p.ln_1p()).powi(2)).sqrt())
}

/// `2 · mean(y ln(y / p) - y + p)`.
pub(super) fn mean_poisson_deviance(truth: &[f64], predicted: &[f64]) -> Result<f64, &'static str> {
    if truth.iter().any(|&t| t < 0.0) {
        return Err("a target is below 0, which is no count");
    }
    if predicted.iter().any(|&p| p <= 0.0) {
        return Err("a prediction is 0 or less, which is no mean of counts");
    }
    let entropy = |t: f64, p: f64| if t == 0.0 { 0.0 } else { t * (t / p).ln() };
    Ok(mean(truth, predicted, |t, p| 2.0 * (entropy(t, p) - t + p)))
}

/// `2 · mean(ln(p / y) + y / p - 1)`.
pub(super) fn mean_gamma_deviance(truth: &[f64], predicted: &[f64]) -> Result<f64, &'static str> {
    if truth.iter().any(|&t| t <= 0.0) {
        return Err("a target is 0 or less");
    }
    if predicted.iter().any(|&p| p <= 0.0) {
        return Err("a prediction is 0 or less");
    }
    Ok(mean(truth, predicted, |t, p| 2.0 * ((p / t).ln() + t / p - 1.0)))
}

/// `1 - Var(y - p) / Var(y)`: [`r2`] but for a shift of all predictions.
pub(super) fn explained_variance(truth: &[f64], predicted: &[f64]) -> f64 {
    let errors: Vec<f64> = truth.iter().zip(predicted).map(|(t, p)| t - p).collect();
    explained(squares_about_mean(&errors), squares_about_mean(truth))
}

/// `1 - Σ(y - p)² / Σ(y - ȳ)²`.
pub(super) fn r2(truth: &[f64], predicted: &[f64]) -> Result<f64, &'static str> {
    if truth.len() < 2 {
        return Err("fewer than two rows");
    }
    let squared_errors = truth.iter().zip(predicted).map(|(t, p)| (t - p) * (t - p)).sum();
    Ok(explained(squared_errors, squares_about_mean(truth)))
}

/// A constant target has nothing to explain: 1 when it is met exactly, else 0, as in scikit-learn.
fn explained(left: f64, total: f64) -> f64 {
    match (left == 0.0, total == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 1.0 - left / total,
    }
}

fn squares_about_mean(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean) * (v - mean)).sum()
}

fn mean(truth: &[f64], predicted: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    truth.iter().zip(predicted).map(|(&t, &p)| of(t, p)).sum::<f64>() / truth.len() as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    f64::midpoint(values[(n - 1) / 2], values[n / 2])
}

/// Pearson's correlation of the ranks, equal values sharing their mean rank. A constant prediction says nothing
/// of the order and scores 0, where `SciPy` gives NaN, so that the baseline has a score.
pub(super) fn spearman_correlation(truth: &[f64], predicted: &[f64]) -> Result<f64, &'static str> {
    let (a, b) = (ranks(truth), ranks(predicted));
    // Every ranking has the same mean.
    let mean = f64::midpoint(truth.len() as f64, 1.0);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let (of_truth, of_predicted) = (product(&a, &a), product(&b, &b));
    if of_truth == 0.0 {
        return Err("the target is constant");
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
