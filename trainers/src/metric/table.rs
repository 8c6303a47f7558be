//! The table of metrics.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{classification, regression};
use crate::data::{Predictions, Target, decide};
use crate::error::{MetricError, UnknownName};
use crate::task::Task;

/// Which way a score improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Greater is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Goal {
    /// The score with its sign turned where less is better, so that greater is always better.
    pub fn signed(self, score: f64) -> f64 {
        match self {
            Goal::Higher => score,
            Goal::Lower => -score,
        }
    }

    /// Whether score `a` is better than score `b`; NaN is never better.
    pub fn better(self, a: f64, b: f64) -> bool {
        match self {
            Goal::Higher => a > b,
            Goal::Lower => a < b,
        }
    }
}

/// What of a prediction a metric looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Class probabilities.
    Probabilities,
    /// The predicted class, so the threshold of a binary model.
    Labels,
    /// The predicted number.
    Numbers,
}

/// A metric by name.
///
/// | name | Azure's name | goal | tasks | as in scikit-learn |
/// |---|---|---|---|---|
/// | `roc_auc` | `AUC_weighted` | higher | classes | `roc_auc_score(multi_class="ovr", average="weighted")` |
/// | `log_loss` | `log_loss` | lower | classes | `log_loss`, clipped at the epsilon of `f64` |
/// | `accuracy` | `accuracy` | higher | classes | `accuracy_score` |
/// | `balanced_accuracy` | `balanced_accuracy` | higher | classes | `balanced_accuracy_score` |
/// | `f1` | `f1_score_binary`, `f1_score_macro` | higher | classes | `f1_score`: of the positive class for two classes, else the macro average |
/// | `average_precision` | `average_precision_score_binary`, `average_precision_score_macro` | higher | classes | `average_precision_score`: likewise |
/// | `matthews_correlation` | `matthews_correlation` | higher | classes | `matthews_corrcoef` |
/// | `rmse` | `root_mean_squared_error` | lower | numbers | `root_mean_squared_error` |
/// | `mae` | `mean_absolute_error` | lower | numbers | `mean_absolute_error` |
/// | `r2` | `r2_score` | higher | numbers | `r2_score`; not clipped at -1 as Azure does |
/// | `median_absolute_error` | `median_absolute_error` | lower | numbers | `median_absolute_error` |
/// | `spearman_correlation` | `spearman_correlation` | higher | numbers | SciPy's `spearmanr` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Area under the ROC curve; for more classes each against the rest, weighted by its share of the rows. A
    /// class that no row has weighs nothing.
    RocAuc,
    /// Mean negative logarithm of the true class's probability, in nats.
    LogLoss,
    /// Share of rows whose class is predicted.
    Accuracy,
    /// Mean over the classes present of the share of their rows that is predicted.
    BalancedAccuracy,
    /// Harmonic mean of precision and recall: of the positive class for two classes, else the mean over the
    /// classes that are present or predicted.
    F1,
    /// Area under the precision-recall steps: of the positive class for two classes, else the mean over the
    /// classes present.
    AveragePrecision,
    /// Correlation of predicted and true class (Gorodkin's for more than two); 0 where either is constant.
    MatthewsCorrelation,
    /// Root of the mean squared error, in the target's unit.
    Rmse,
    /// Mean absolute error, in the target's unit.
    Mae,
    /// Share of the variance explained; at most 1, unbounded below.
    R2,
    /// Median absolute error, in the target's unit.
    MedianAbsoluteError,
    /// Correlation of the ranks; 0 where the prediction is constant.
    SpearmanCorrelation,
}

struct Entry {
    name: &'static str,
    /// Azure's names; the first is that of `binary`, the last that of other tasks.
    azure: &'static [&'static str],
    goal: Goal,
    tasks: &'static [Task],
    needs: Needs,
}

const fn entry(
    name: &'static str,
    azure: &'static [&'static str],
    goal: Goal,
    tasks: &'static [Task],
    needs: Needs,
) -> Entry {
    Entry { name, azure, goal, tasks, needs }
}

const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];
const NUMBERS: &[Task] = &[Task::Regression];

impl Metric {
    /// Every metric, classification first.
    pub fn all() -> &'static [Metric] {
        &[
            Metric::RocAuc,
            Metric::LogLoss,
            Metric::Accuracy,
            Metric::BalancedAccuracy,
            Metric::F1,
            Metric::AveragePrecision,
            Metric::MatthewsCorrelation,
            Metric::Rmse,
            Metric::Mae,
            Metric::R2,
            Metric::MedianAbsoluteError,
            Metric::SpearmanCorrelation,
        ]
    }

    fn entry(self) -> Entry {
        use Goal::{Higher, Lower};
        use Needs::{Labels, Numbers, Probabilities};
        match self {
            Metric::RocAuc => entry("roc_auc", &["AUC_weighted"], Higher, CLASSES, Probabilities),
            Metric::LogLoss => entry("log_loss", &["log_loss"], Lower, CLASSES, Probabilities),
            Metric::Accuracy => entry("accuracy", &["accuracy"], Higher, CLASSES, Labels),
            Metric::BalancedAccuracy => entry("balanced_accuracy", &["balanced_accuracy"], Higher, CLASSES, Labels),
            Metric::F1 => entry("f1", &["f1_score_binary", "f1_score_macro"], Higher, CLASSES, Labels),
            Metric::AveragePrecision => entry(
                "average_precision",
                &["average_precision_score_binary", "average_precision_score_macro"],
                Higher,
                CLASSES,
                Probabilities,
            ),
            Metric::MatthewsCorrelation => {
                entry("matthews_correlation", &["matthews_correlation"], Higher, CLASSES, Labels)
            }
            Metric::Rmse => entry("rmse", &["root_mean_squared_error"], Lower, NUMBERS, Numbers),
            Metric::Mae => entry("mae", &["mean_absolute_error"], Lower, NUMBERS, Numbers),
            Metric::R2 => entry("r2", &["r2_score"], Higher, NUMBERS, Numbers),
            Metric::MedianAbsoluteError => {
                entry("median_absolute_error", &["median_absolute_error"], Lower, NUMBERS, Numbers)
            }
            Metric::SpearmanCorrelation => {
                entry("spearman_correlation", &["spearman_correlation"], Higher, NUMBERS, Numbers)
            }
        }
    }

    /// The name used everywhere here, such as `roc_auc`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Azure's name for the same figure under this task, such as `AUC_weighted`.
    pub fn azure_name(self, task: Task) -> &'static str {
        match (task, self.entry().azure) {
            (Task::Binary, [binary, ..]) => binary,
            (_, [.., other]) => other,
            (_, []) => self.name(),
        }
    }

    /// Which way it improves.
    pub fn goal(self) -> Goal {
        self.entry().goal
    }

    /// The tasks it scores.
    pub fn tasks(self) -> &'static [Task] {
        self.entry().tasks
    }

    /// What of a prediction it looks at.
    pub fn needs(self) -> Needs {
        self.entry().needs
    }

    /// The metric a search uses when none is named.
    pub fn default_for(task: Task) -> Metric {
        match task {
            Task::Binary => Metric::RocAuc,
            Task::Multiclass => Metric::LogLoss,
            Task::Regression => Metric::Rmse,
        }
    }

    /// The metric of this name, ours or Azure's; upper and lower case, `-` and `_` are the same.
    pub fn parse(name: &str) -> Result<Metric, UnknownName> {
        let plain = |name: &str| name.trim().to_lowercase().replace('-', "_");
        let wanted = plain(name);
        let spelled = |metric: Metric| {
            let entry = metric.entry();
            entry.name == wanted || entry.azure.iter().any(|azure| plain(azure) == wanted)
        };
        Metric::all().iter().copied().find(|&metric| spelled(metric)).ok_or_else(|| {
            let known: Vec<&str> = Metric::all()
                .iter()
                .flat_map(|metric| {
                    let entry = metric.entry();
                    std::iter::once(entry.name).chain(entry.azure.iter().copied())
                })
                .collect();
            UnknownName::new("metric", name, &known)
        })
    }

    /// Scores predictions, one per entry of `rows`, against those rows of the target. `threshold` is the
    /// probability at which a binary prediction counts as positive; other tasks do not look at it.
    pub fn score(
        self,
        target: &Target,
        rows: &[u32],
        predictions: &Predictions,
        threshold: f64,
    ) -> Result<f64, MetricError> {
        let metric = self.name();
        if !self.tasks().contains(&target.task) {
            return Err(MetricError::WrongTask { metric, task: target.task });
        }
        check(metric, target, rows, predictions)?;
        if target.task == Task::Regression {
            let truth = numbers(metric, target, rows)?;
            return regression::score(self, &truth, predictions.values());
        }
        let truth = classes(metric, target, rows)?;
        if self.needs() == Needs::Probabilities {
            classification::of_probabilities(self, target.task, &truth, predictions)
        } else {
            let labels: Vec<usize> = predictions.rows().map(|row| decide(row, threshold)).collect();
            Ok(classification::of_labels(self, target.task, &truth, &labels, target.n_classes()))
        }
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

fn numbers(metric: &'static str, target: &Target, rows: &[u32]) -> Result<Vec<f64>, MetricError> {
    rows.iter().map(|&row| target.number(row).ok_or(MetricError::NoTarget { metric, row })).collect()
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_parse() {
        for &metric in Metric::all() {
            assert_eq!(Metric::parse(metric.name()), Ok(metric));
            for &task in metric.tasks() {
                assert_eq!(Metric::parse(metric.azure_name(task)), Ok(metric));
            }
            assert_eq!(serde_json::to_string(&metric).expect("a unit variant is a string"), format!("\"{metric}\""));
        }
        assert_eq!(Metric::parse("auc-weighted"), Ok(Metric::RocAuc));
        let error = Metric::parse("rocauc").expect_err("no such name");
        assert_eq!(error.nearest.as_deref(), Some("roc_auc"));
    }

    #[test]
    fn defaults_score_their_task() {
        for task in Task::ALL {
            assert!(Metric::default_for(task).tasks().contains(&task));
        }
    }

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
