//! The baseline: the same answer for every row, scored on every set of rows that anything will be scored on. What it
//! cannot be scored on, no model can; that is said before the search, not after it.

use trainers::{Measure, Predictions, Target, TargetValues};

use super::{Prepared, TestSet};
use crate::error::AutoMlError;

/// The mean score over the folds of the answer that the training rows suggest. Errors: some fold, the holdout or the
/// test set cannot be scored by the metric.
pub(super) fn score(prepared: &Prepared) -> Result<f64, AutoMlError> {
    let target = &prepared.target;
    let splits = &prepared.split.folds.splits;
    let mut total = 0.0;
    for (fold, split) in splits.iter().enumerate() {
        let name = if splits.len() == 1 { "the validation rows".into() } else { format!("fold {}", fold + 1) };
        let answer = answer(target, &split.train);
        total += one(&prepared.metric, target, &split.valid, &answer, &name)?;
    }
    let usual = answer(target, &prepared.rows);
    if let Some(rows) = &prepared.split.holdout {
        one(&prepared.metric, target, rows, &usual, "the holdout")?;
    }
    Ok(total / splits.len() as f64)
}

/// Refuses a test set that the metric cannot score.
pub(super) fn check_test(prepared: &Prepared, test: &TestSet, path: &str) -> Result<(), AutoMlError> {
    let usual = answer(&prepared.target, &prepared.rows);
    one(&prepared.metric, &test.target, &test.rows, &usual, &format!("`{path}`")).map(|_| ())
}

/// The class shares or the mean of some rows: one row of a prediction.
pub(crate) fn answer(target: &Target, rows: &[u32]) -> Vec<f64> {
    let n = rows.len().max(1) as f64;
    match &target.values {
        TargetValues::Numbers(numbers) => vec![rows.iter().map(|&row| numbers[row as usize] / n).sum()],
        TargetValues::Classes(codes) => {
            let mut shares = vec![0.0; target.classes.len()];
            for &row in rows {
                shares[codes[row as usize] as usize] += 1.0 / n;
            }
            shares
        }
    }
}

fn one(metric: &Measure, target: &Target, rows: &[u32], answer: &[f64], name: &str) -> Result<f64, AutoMlError> {
    let predictions = Predictions::new(answer.len(), rows.iter().flat_map(|_| answer.iter().copied()).collect());
    metric.score(target, rows, &predictions, 0.5).map_err(|error| {
        AutoMlError::unusable(
            format!("{name} ({} rows) cannot be scored by {}: {error}", rows.len(), metric.name()),
            "choose another --metric, or another split: --group, --time, --split-column, --holdout",
        )
    })
}
