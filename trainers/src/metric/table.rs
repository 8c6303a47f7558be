//! The list of metrics: one line of the table below gives a metric its names, goal, tasks and figure. `docs/metrics.md`
//! has the same list, and a test that it does.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::average::Average::{Macro, Micro, Positive, PositiveOrMacro, PositiveOrWeighted, Weighted};
use super::confusion::{Confusion, Counts};
use super::figure::Figure::{self, Labels, Normalized, Numbers, PerClass, Probabilities, Ranking};
use super::goal::{Goal, Needs};
use super::{probabilities, ranking, regression};
use crate::error::UnknownName;
use crate::task::Task;

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal [$($azure:literal),*] $([$($also:literal),+])?
        => $goal:ident $tasks:ident $figure:expr;)+) => {
        /// A metric by name. The names are stable: they stand in specs, journals and model files.
        ///
        /// A class that is in no row weighs nothing in a mean over classes of a ranking; one that is in no row and is
        /// not predicted weighs nothing in a mean of precisions, recalls or F1. Tasks say which of two equal figures a
        /// metric is: the plain `f1`, `precision`, `recall`, `roc_auc` and `average_precision` are of the positive
        /// class for two classes, and a mean over classes for more.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Metric {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        const ALL: &[Metric] = &[$(Metric::$variant,)+];

        /// In the order of the variants.
        const TABLE: &[Entry] = &[$(Entry {
            name: $name,
            azure: &[$($azure,)*],
            also: &[$($($also,)+)?],
            goal: Goal::$goal,
            tasks: $tasks,
            figure: $figure,
        },)+];
    };
}

struct Entry {
    name: &'static str,
    /// Azure's names; the first is that of `binary`, the last that of other tasks.
    azure: &'static [&'static str],
    /// Other names people type.
    also: &'static [&'static str],
    goal: Goal,
    tasks: &'static [Task],
    figure: Figure,
}

const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];
const BINARY: &[Task] = &[Task::Binary];
const NUMBERS: &[Task] = &[Task::Regression];

metrics! {
    /// Area under the ROC curve: of the positive class for two classes, else of each against the rest, weighted by its
    /// share of the rows.
    RocAuc = "roc_auc" ["AUC_weighted"] ["auc"] => Higher CLASSES Ranking(ranking::roc_auc, PositiveOrWeighted);
    /// Mean negative logarithm of the true class's probability, in nats.
    LogLoss = "log_loss" ["log_loss"] => Lower CLASSES Probabilities(probabilities::log_loss);
    /// Share of rows whose class is predicted.
    Accuracy = "accuracy" ["accuracy"] => Higher CLASSES Labels(|counts| Ok(counts.accuracy()));
    /// Mean over the classes present of the share of their rows that is predicted.
    BalancedAccuracy = "balanced_accuracy" ["balanced_accuracy"]
        => Higher CLASSES Labels(|counts| Ok(counts.balanced_accuracy()));
    /// Harmonic mean of precision and recall: of the positive class for two classes, else the mean over classes.
    F1 = "f1" ["f1_score_binary", "f1_score_macro"] ["f1_score"]
        => Higher CLASSES PerClass(Counts::f1, PositiveOrMacro);
    /// Area under the precision-recall steps: of the positive class for two classes, else the mean over classes.
    AveragePrecision = "average_precision" ["average_precision_score_binary", "average_precision_score_macro"]
        ["average_precision_score"] => Higher CLASSES Ranking(ranking::average_precision, PositiveOrMacro);
    /// Correlation of predicted and true class (Gorodkin's for more than two); 0 where either is constant.
    MatthewsCorrelation = "matthews_correlation" ["matthews_correlation"] ["mcc", "matthews_corrcoef"]
        => Higher CLASSES Labels(|counts| Ok(counts.matthews_correlation()));
    /// Share of the rows predicted as a class that are of it: of the positive class for two classes, else the mean over
    /// classes; 0 for a class that is never predicted.
    Precision = "precision" ["precision_score_binary", "precision_score_macro"] ["precision_score"]
        => Higher CLASSES PerClass(Counts::precision, PositiveOrMacro);
    /// Share of a class's rows that are predicted as it: of the positive class for two classes, else the mean over
    /// classes.
    Recall = "recall" ["recall_score_binary", "recall_score_macro"] ["recall_score"]
        => Higher CLASSES PerClass(Counts::recall, PositiveOrMacro);
    /// Mean squared distance of the probabilities to the truth: of the positive class for two classes (0 to 1), else
    /// over all classes (0 to 2).
    BrierScore = "brier_score" [] ["brier", "brier_score_loss"] => Lower CLASSES Probabilities(probabilities::brier);
    /// Agreement of predicted and true class beyond chance.
    CohenKappa = "cohen_kappa" [] ["kappa", "cohen_kappa_score"] => Higher CLASSES Labels(Confusion::cohen_kappa);
    /// Balanced accuracy on a scale where guessing among the classes present is 0 and perfection 1.
    NormMacroRecall = "norm_macro_recall" ["norm_macro_recall"] => Higher CLASSES Labels(Confusion::norm_macro_recall);
    /// Accuracy where each row counts as many times as its class has rows.
    WeightedAccuracy = "weighted_accuracy" ["weighted_accuracy"]
        => Higher CLASSES Labels(|counts| Ok(counts.weighted_accuracy()));
    /// Area under the ROC curve of the positive class.
    AucBinary = "AUC_binary" ["AUC_binary"] => Higher BINARY Ranking(ranking::roc_auc, Positive);
    /// Area under the ROC curve, mean over classes.
    AucMacro = "AUC_macro" ["AUC_macro"] => Higher CLASSES Ranking(ranking::roc_auc, Macro);
    /// Area under the ROC curve of all (row, class) decisions together.
    AucMicro = "AUC_micro" ["AUC_micro"] => Higher CLASSES Ranking(ranking::roc_auc, Micro);
    /// Area under the precision-recall steps of the positive class.
    AveragePrecisionBinary = "average_precision_score_binary" ["average_precision_score_binary"]
        => Higher BINARY Ranking(ranking::average_precision, Positive);
    /// Area under the precision-recall steps, mean over classes.
    AveragePrecisionMacro = "average_precision_score_macro" ["average_precision_score_macro"]
        => Higher CLASSES Ranking(ranking::average_precision, Macro);
    /// Area under the precision-recall steps of all (row, class) decisions together.
    AveragePrecisionMicro = "average_precision_score_micro" ["average_precision_score_micro"]
        => Higher CLASSES Ranking(ranking::average_precision, Micro);
    /// Area under the precision-recall steps, mean over classes weighted by their rows.
    AveragePrecisionWeighted = "average_precision_score_weighted" ["average_precision_score_weighted"]
        => Higher CLASSES Ranking(ranking::average_precision, Weighted);
    /// Harmonic mean of precision and recall of the positive class.
    F1Binary = "f1_score_binary" ["f1_score_binary"] => Higher BINARY PerClass(Counts::f1, Positive);
    /// Harmonic mean of precision and recall, mean over classes.
    F1Macro = "f1_score_macro" ["f1_score_macro"] => Higher CLASSES PerClass(Counts::f1, Macro);
    /// Harmonic mean of precision and recall of all (row, class) decisions together.
    F1Micro = "f1_score_micro" ["f1_score_micro"] => Higher CLASSES PerClass(Counts::f1, Micro);
    /// Harmonic mean of precision and recall, mean over classes weighted by their rows.
    F1Weighted = "f1_score_weighted" ["f1_score_weighted"] => Higher CLASSES PerClass(Counts::f1, Weighted);
    /// Precision of the positive class.
    PrecisionBinary = "precision_score_binary" ["precision_score_binary"]
        => Higher BINARY PerClass(Counts::precision, Positive);
    /// Precision, mean over classes.
    PrecisionMacro = "precision_score_macro" ["precision_score_macro"]
        => Higher CLASSES PerClass(Counts::precision, Macro);
    /// Precision of all (row, class) decisions together.
    PrecisionMicro = "precision_score_micro" ["precision_score_micro"]
        => Higher CLASSES PerClass(Counts::precision, Micro);
    /// Precision, mean over classes weighted by their rows.
    PrecisionWeighted = "precision_score_weighted" ["precision_score_weighted"]
        => Higher CLASSES PerClass(Counts::precision, Weighted);
    /// Recall of the positive class.
    RecallBinary = "recall_score_binary" ["recall_score_binary"] => Higher BINARY PerClass(Counts::recall, Positive);
    /// Recall, mean over classes.
    RecallMacro = "recall_score_macro" ["recall_score_macro"] => Higher CLASSES PerClass(Counts::recall, Macro);
    /// Recall of all (row, class) decisions together.
    RecallMicro = "recall_score_micro" ["recall_score_micro"] => Higher CLASSES PerClass(Counts::recall, Micro);
    /// Recall, mean over classes weighted by their rows.
    RecallWeighted = "recall_score_weighted" ["recall_score_weighted"]
        => Higher CLASSES PerClass(Counts::recall, Weighted);
    /// Root of the mean squared error, in the target's unit.
    Rmse = "rmse" ["root_mean_squared_error"]
        => Lower NUMBERS Numbers(|y, p| Ok(regression::root_mean_squared_error(y, p)));
    /// Mean absolute error, in the target's unit.
    Mae = "mae" ["mean_absolute_error"] => Lower NUMBERS Numbers(|y, p| Ok(regression::mean_absolute_error(y, p)));
    /// Share of the squared deviation from the mean explained; at most 1, unbounded below.
    R2 = "r2" ["r2_score"] => Higher NUMBERS Numbers(regression::r2);
    /// Median absolute error, in the target's unit.
    MedianAbsoluteError = "median_absolute_error" ["median_absolute_error"]
        => Lower NUMBERS Numbers(|y, p| Ok(regression::median_absolute_error(y, p)));
    /// Correlation of the ranks; 0 where the prediction is constant.
    SpearmanCorrelation = "spearman_correlation" ["spearman_correlation"] ["spearman"]
        => Higher NUMBERS Numbers(regression::spearman_correlation);
    /// Mean squared error, in the target's unit squared.
    Mse = "mse" [] ["mean_squared_error"] => Lower NUMBERS Numbers(|y, p| Ok(regression::mean_squared_error(y, p)));
    /// Mean absolute error as a share of the target: 0.1 is ten percent.
    Mape = "mape" ["mean_absolute_percentage_error"]
        => Lower NUMBERS Numbers(|y, p| Ok(regression::mean_absolute_percentage_error(y, p)));
    /// Root of the mean squared error of `ln(1 + y)`; both must be above -1.
    Rmsle = "rmsle" ["root_mean_squared_log_error"] => Lower NUMBERS Numbers(regression::root_mean_squared_log_error);
    /// Share of the variance explained: [`R2`](Metric::R2) but for a shift of all predictions.
    ExplainedVariance = "explained_variance" ["explained_variance"] ["explained_variance_score"]
        => Higher NUMBERS Numbers(|y, p| Ok(regression::explained_variance(y, p)));
    /// Mean deviance of a Poisson distribution; the target must not be below 0, predictions above.
    MeanPoissonDeviance = "mean_poisson_deviance" [] ["poisson_deviance"]
        => Lower NUMBERS Numbers(regression::mean_poisson_deviance);
    /// Mean deviance of a gamma distribution; target and predictions must be above 0.
    MeanGammaDeviance = "mean_gamma_deviance" [] ["gamma_deviance"]
        => Lower NUMBERS Numbers(regression::mean_gamma_deviance);
    /// Mean absolute error as a share of the range of the training target.
    NormalizedMeanAbsoluteError = "normalized_mean_absolute_error" ["normalized_mean_absolute_error"]
        => Lower NUMBERS Normalized(|y, p| Ok(regression::mean_absolute_error(y, p)));
    /// Median absolute error as a share of the range of the training target.
    NormalizedMedianAbsoluteError = "normalized_median_absolute_error" ["normalized_median_absolute_error"]
        => Lower NUMBERS Normalized(|y, p| Ok(regression::median_absolute_error(y, p)));
    /// Root of the mean squared error as a share of the range of the training target.
    NormalizedRootMeanSquaredError = "normalized_root_mean_squared_error"
        ["normalized_root_mean_squared_error"] ["nrmse"]
        => Lower NUMBERS Normalized(|y, p| Ok(regression::root_mean_squared_error(y, p)));
    /// Root of the mean squared error of `ln(1 + y)` as a share of the range of the training target.
    NormalizedRootMeanSquaredLogError = "normalized_root_mean_squared_log_error"
        ["normalized_root_mean_squared_log_error"]
        => Lower NUMBERS Normalized(regression::root_mean_squared_log_error);
}

impl Metric {
    /// Every metric, classification first.
    pub fn all() -> &'static [Metric] {
        ALL
    }

    /// The metrics of a task, each figure once: where a plain name is the same figure as one of Azure's, as `f1` and
    /// `f1_score_binary` for two classes, the plain name stands for both.
    pub fn of(task: Task) -> impl Iterator<Item = Metric> + Clone {
        let is_other = move |metric: Metric| {
            let same = |other: &Metric| *other != metric && other.azure_name(task) == Some(metric.name());
            ALL.iter().any(same)
        };
        ALL.iter().copied().filter(move |metric| metric.tasks().contains(&task) && !is_other(*metric))
    }

    fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    pub(super) fn figure(self) -> Figure {
        self.entry().figure
    }

    /// The name used everywhere here, such as `roc_auc`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Azure's name for the same figure under this task, such as `AUC_weighted`; `None` where Azure has none.
    pub fn azure_name(self, task: Task) -> Option<&'static str> {
        match (task, self.entry().azure) {
            (_, []) => None,
            (Task::Binary, [binary, ..]) => Some(binary),
            (_, [.., other]) => Some(other),
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
        match self.entry().figure {
            Ranking(..) | Probabilities(_) => Needs::Probabilities,
            PerClass(..) | Labels(_) => Needs::Labels,
            Numbers(_) | Normalized(_) => Needs::Numbers,
        }
    }

    /// The metric a search uses when none is named.
    pub fn default_for(task: Task) -> Metric {
        match task {
            Task::Binary => Metric::RocAuc,
            Task::Multiclass => Metric::LogLoss,
            Task::Regression => Metric::Rmse,
        }
    }

    /// The metric of this name: ours, or else Azure's or scikit-learn's; upper and lower case, `-` and `_` are the
    /// same.
    pub fn parse(name: &str) -> Result<Metric, UnknownName> {
        let plain = |name: &str| name.trim().to_lowercase().replace('-', "_");
        let wanted = plain(name);
        let is = |spelled: &str| plain(spelled) == wanted;
        let own = ALL.iter().find(|metric| is(metric.name()));
        let found = own.or_else(|| {
            ALL.iter().find(|metric| metric.entry().azure.iter().chain(metric.entry().also).any(|other| is(other)))
        });
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = TABLE
                .iter()
                .flat_map(|entry| std::iter::once(&entry.name).chain(entry.azure).chain(entry.also).copied())
                .collect();
            UnknownName::new("metric", name, &known)
        })
    }
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
    fn every_spelling_parses() {
        for &metric in Metric::all() {
            assert_eq!(Metric::parse(metric.name()), Ok(metric));
            for &task in metric.tasks() {
                // A name of Azure's that is also our own is that metric: the same figure under this task.
                let azure = metric.azure_name(task).map(|name| Metric::parse(name).expect("it is in the table"));
                assert!(azure.is_none_or(|found| found == metric || found.name() == metric.azure_name(task).unwrap()));
            }
            assert_eq!(serde_json::to_string(&metric).expect("a unit variant is a string"), format!("\"{metric}\""));
        }
        for (name, metric) in [
            ("auc-weighted", Metric::RocAuc),
            ("root_mean_squared_error", Metric::Rmse),
            ("f1_score_macro", Metric::F1Macro),
            ("MCC", Metric::MatthewsCorrelation),
        ] {
            assert_eq!(Metric::parse(name), Ok(metric));
        }
        let error = Metric::parse("rocauc").expect_err("no such name");
        assert_eq!(error.nearest.as_deref(), Some("roc_auc"));
    }

    /// No two metrics share a name, but for Azure's names that are also a metric's own.
    #[test]
    fn names_are_of_one_metric() {
        let own: Vec<&str> = TABLE.iter().map(|entry| entry.name).collect();
        let mut all: Vec<String> = own.iter().map(|name| name.to_lowercase()).collect();
        let others = TABLE.iter().flat_map(|entry| entry.azure.iter().chain(entry.also)).copied();
        all.extend(others.filter(|name| !own.contains(name)).map(str::to_lowercase));
        let n = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), n);
    }

    /// The names that specs, journals and model files of earlier builds hold.
    #[test]
    fn names_of_earlier_builds_are_read() {
        for name in [
            "roc_auc",
            "log_loss",
            "accuracy",
            "balanced_accuracy",
            "f1",
            "average_precision",
            "matthews_correlation",
            "rmse",
            "mae",
            "r2",
            "median_absolute_error",
            "spearman_correlation",
        ] {
            let metric: Metric = serde_json::from_str(&format!("\"{name}\"")).expect("it is still a metric");
            assert_eq!(metric.name(), name);
        }
    }

    #[test]
    fn every_name_of_azure_is_there() {
        let of_classes = ["AUC", "average_precision_score", "f1_score", "precision_score", "recall_score"];
        let averaged = of_classes.iter().flat_map(|n| ["macro", "micro", "weighted"].map(|a| format!("{n}_{a}")));
        let plain = ["accuracy", "balanced_accuracy", "log_loss", "norm_macro_recall", "matthews_correlation"];
        let both: Vec<String> = averaged.chain(plain.map(String::from)).chain(["weighted_accuracy".into()]).collect();
        let binary = of_classes.map(|n| format!("{n}_binary"));
        let numbers = [
            "explained_variance",
            "mean_absolute_error",
            "mean_absolute_percentage_error",
            "median_absolute_error",
            "r2_score",
            "root_mean_squared_error",
            "root_mean_squared_log_error",
            "spearman_correlation",
            "normalized_mean_absolute_error",
            "normalized_median_absolute_error",
            "normalized_root_mean_squared_error",
            "normalized_root_mean_squared_log_error",
        ];
        let check = |names: &[String], task: Task| {
            for name in names {
                assert!(Metric::parse(name).is_ok_and(|metric| metric.tasks().contains(&task)), "{name} for {task}");
                assert!(Metric::of(task).any(|metric| metric.azure_name(task) == Some(name)), "{name} is listed");
            }
        };
        check(&both, Task::Binary);
        check(&both, Task::Multiclass);
        check(&binary, Task::Binary);
        check(&numbers.map(String::from), Task::Regression);
    }

    #[test]
    fn defaults_score_their_task() {
        for task in Task::ALL {
            assert!(Metric::default_for(task).tasks().contains(&task));
            assert!(Metric::of(task).all(|metric| metric.tasks().contains(&task)));
        }
        let names = |task| Metric::of(task).map(Metric::name).collect::<Vec<_>>();
        assert!(names(Task::Binary).contains(&"f1") && !names(Task::Binary).contains(&"f1_score_binary"));
        assert!(
            names(Task::Binary).contains(&"f1_score_macro") && !names(Task::Multiclass).contains(&"f1_score_macro")
        );
    }
}
