//! Scores predictions by a metric of the table.

use super::confusion::Confusion;
use super::figure::Figure;
use super::ranking;
use super::table::Metric;
use crate::data::{Predictions, Target, decide};
use crate::error::MetricError;

impl Metric {
    /// Scores predictions, one per entry of `rows`, against those rows of the target. `threshold` is the
    /// probability at which a binary prediction counts as positive; other tasks do not look at it.
    ///
    /// A normalized error is divided by the range of all the target's values; where the target is not that of the
    /// training data, [`Measure`](super::Measure) is given the range.
    pub fn score(
        self,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        threshold: f64,
    ) -> Result<f64, MetricError> {
        score(self, || target.range(0..target.n_rows() as u32), target, rows, predictions, threshold)
    }
}

/// [`Metric::score`] with the least and greatest number of the training target, which is asked for where needed.
pub(super) fn score(
    metric: Metric,
    range: impl FnOnce() -> Option<(f64, f64)>,
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
    threshold: f64,
) -> Result<f64, MetricError> {
    let (name, task) = (metric.name(), target.task);
    if !metric.tasks().contains(&task) {
        return Err(MetricError::WrongTask { metric: name, task });
    }
    check(name, target, rows, predictions)?;
    let confusion = || -> Result<Confusion, MetricError> {
        let labels: Vec<usize> = predictions.rows().map(|row| decide(row, threshold)).collect();
        Ok(Confusion::new(&classes(name, target, rows)?, &labels, target.n_classes()))
    };
    let figure = match metric.figure() {
        Figure::Ranking(of, average) => {
            ranking::averaged(of, average, task, &classes(name, target, rows)?, predictions)
        }
        Figure::Probabilities(of) => Ok(of(&classes(name, target, rows)?, predictions)),
        Figure::PerClass(of, average) => Ok(confusion()?.averaged(of, average, task)),
        Figure::Labels(of) => of(&confusion()?),
        Figure::Numbers(of) => of(&numbers(name, target, rows)?, predictions.values()),
        Figure::Normalized(of) => {
            let error = of(&numbers(name, target, rows)?, predictions.values());
            error.and_then(|error| Ok(error / width(range())?))
        }
    };
    figure.map_err(|reason| MetricError::Undefined { metric: name, reason })
}

fn width(range: Option<(f64, f64)>) -> Result<f64, &'static str> {
    match range {
        None => Err("the range of the training target is not known"),
        Some((low, high)) if high > low => Ok(high - low),
        Some(_) => Err("the training target is constant"),
    }
}

/// Whether rows and predictions are parallel and finite.
pub(super) fn check(
    metric: &'static str,
    target: &Target,
    rows: &[u32],
    predictions: &Predictions,
) -> Result<(), MetricError> {
    if rows.is_empty() {
        return Err(MetricError::NoRows { metric });
    }
    let expected = target.n_outputs();
    if predictions.n_rows() != rows.len() || predictions.n_outputs() != expected {
        return Err(MetricError::Shape {
            metric,
            rows: rows.len(),
            n_predictions: predictions.n_rows(),
            n_outputs: predictions.n_outputs(),
            expected,
        });
    }
    for (&row, prediction) in rows.iter().zip(predictions.rows()) {
        if let Some(&value) = prediction.iter().find(|value| !value.is_finite()) {
            return Err(MetricError::NotFinite { metric, row, value });
        }
    }
    Ok(())
}

/// The class of every row.
pub(super) fn classes(metric: &'static str, target: &Target, rows: &[u32]) -> Result<Vec<usize>, MetricError> {
    rows.iter()
        .map(|&row| target.class(row).map(|class| class as usize).ok_or(MetricError::NoTarget { metric, row }))
        .collect()
}

pub(super) fn numbers(metric: &'static str, target: &Target, rows: &[u32]) -> Result<Vec<f64>, MetricError> {
    rows.iter().map(|&row| target.number(row).ok_or(MetricError::NoTarget { metric, row })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    #[test]
    fn bad_input_is_an_error_that_names_it() {
        let target = Target {
            task: Task::Regression,
            classes: Vec::new(),
            values: crate::TargetValues::Numbers(vec![1.0, f64::NAN]),
        };
        let score =
            |rows: &[u32], values: Vec<f64>| Metric::Mae.score(&target, rows, &Predictions::new(1, values), 0.5);
        assert_eq!(score(&[0], vec![3.0]), Ok(2.0));
        assert_eq!(score(&[], vec![]), Err(MetricError::NoRows { metric: "mae" }));
        assert_eq!(score(&[1], vec![3.0]), Err(MetricError::NoTarget { metric: "mae", row: 1 }));
        assert_eq!(score(&[9], vec![3.0]), Err(MetricError::NoTarget { metric: "mae", row: 9 }));
        assert!(matches!(score(&[0], vec![1.0, 2.0]), Err(MetricError::Shape { n_predictions: 2, .. })));
        assert!(matches!(score(&[0], vec![f64::INFINITY]), Err(MetricError::NotFinite { row: 0, .. })));
        assert!(matches!(
            Metric::RocAuc.score(&target, &[0], &Predictions::new(1, vec![1.0]), 0.5),
            Err(MetricError::WrongTask { task: Task::Regression, .. })
        ));
    }
}
