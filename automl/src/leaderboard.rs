//! What a search found, as one versioned document: stored with the run, printed by the terminal, drawn in the report and
//! given by `--json`.

use std::collections::BTreeMap;

use datasets::Profile;
use serde::{Deserialize, Serialize};
use trainers::{Algorithm, Task};

use crate::guardrail::{AzureGuardrail, Check};
use crate::prepare::Ledger;

/// The format of a stored [`Summary`].
pub const SUMMARY_VERSION: u32 = 1;

/// Everything a reader wants to know about a finished or stopped fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Format, [`SUMMARY_VERSION`].
    pub version: u32,
    /// Version of the program that wrote it.
    pub automl_version: String,
    /// The run.
    pub run: String,
    /// `finished`, or `stopped` by the user.
    pub state: String,
    /// What was learned from.
    pub data: DataSummary,
    /// What was asked of it.
    pub goal: GoalSummary,
    /// How the search went.
    pub search: SearchSummary,
    /// The best models, best first.
    pub leaderboard: Vec<Row>,
    /// Models that finished, those in `leaderboard` included.
    pub n_models: usize,
    /// The baseline's score by the metric that chooses.
    pub baseline: f64,
    /// The score nothing was chosen on.
    pub score: Score,
    /// What checking a second layer of the ensemble came to, where there was one to check and time for it.
    #[serde(default)]
    pub stacking: Option<StackingGuard>,
    /// Scores on the file given by `--test`.
    pub test: Option<Score>,
    /// The probability at which a binary model says yes.
    pub threshold: Option<Threshold>,
    /// Loss of score when a column is shuffled, greatest first.
    pub importance: Vec<(String, f64)>,
    /// Standard deviation of each loss over repeated shuffles, in the order of `importance`; empty where there was time
    /// for one shuffle only.
    #[serde(default)]
    pub importance_deviations: Vec<f64>,
    /// How the prediction depends on the columns that matter most.
    #[serde(default)]
    pub dependence: Vec<DependenceSummary>,
    /// The model that was saved.
    pub model: ModelSummary,
    /// Wall clock and memory.
    pub cost: Cost,
    /// Path of the HTML report.
    pub report: String,
}

/// What was learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSummary {
    /// Where it was read from.
    pub source: Vec<String>,
    /// SHA-256 of the bytes read, in hex.
    pub sha256: String,
    /// How it was read: `comma, UTF-8`.
    pub dialect: String,
    /// Rows and columns in, used and dropped.
    pub ledger: Ledger,
    /// The guardrails.
    pub checks: Vec<Check>,
    /// Those of them that Azure has too, by its names.
    #[serde(default)]
    pub azure_guardrails: Vec<AzureGuardrail>,
    /// Statistics per column.
    pub profile: Profile,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoalSummary {
    /// The target column.
    pub target: String,
    /// The task.
    pub task: Task,
    /// Why this task.
    pub task_reason: String,
    /// The metric that chooses.
    pub metric: String,
    /// Whether a higher value of it is better.
    pub higher_is_better: bool,
    /// Class names in stored order; binary: negative, positive.
    pub classes: Vec<String>,
    /// Rows per class.
    pub class_counts: Vec<usize>,
    /// How rows are weighed in training; none: all alike.
    pub weight: Option<WeightSummary>,
    /// The split in words.
    pub split: String,
    /// The seed.
    pub seed: u64,
}

/// How rows are weighed in training. Scores count every row alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightSummary {
    /// The column the weights are read from.
    pub column: String,
    /// The least weight.
    pub low: f64,
    /// The greatest weight.
    pub high: f64,
    /// Rows of weight 0.
    pub n_zero: usize,
    /// Algorithms of the task that were not searched, for they cannot weigh rows.
    pub left_out: Vec<String>,
}

/// How the search went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSummary {
    /// Trials that finished.
    pub finished: usize,
    /// Trials left at their first rung, behind better ones.
    pub paused: usize,
    /// Trials stopped.
    pub stopped: usize,
    /// Trials that failed.
    pub failed: usize,
    /// Failures by reason, most frequent first.
    pub failures: Vec<(String, usize)>,
    /// Why it ended.
    pub ended: String,
    /// Whether all trials asked for were run, so that only more trials, not more time, would go on.
    pub trials_exhausted: bool,
    /// `ordered`: the result depends on nothing but data, seed and number of trials; `arrival`: on time too.
    pub order: String,
    /// Whether the same request gives the same bytes again.
    pub reproducible: bool,
    /// What was tried first of an earlier run; none where none was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<FromSummary>,
    /// Every improvement: seconds since the start of this sitting, trial, score.
    pub improvements: Vec<(f64, u32, f64)>,
}

/// The configurations of an earlier run that were tried first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FromSummary {
    /// The run.
    pub run: String,
    /// How many were put first.
    pub first: usize,
    /// Those that do not lie in this search's space, each with its reason.
    pub skipped: Vec<String>,
}

/// One model of the leaderboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// `ensemble of 3`, `knn #12`.
    pub name: String,
    /// The trial, unless it is the ensemble.
    pub trial: Option<u32>,
    /// The score that chose: mean over folds.
    pub score: f64,
    /// Its sample standard deviation over folds.
    pub deviation: f64,
    /// The score of the same choice made without the fold it is scored on; for the ensemble and the best of each
    /// algorithm.
    pub nested: Option<f64>,
    /// Seconds to fit, on average over folds; summed over members for the ensemble.
    pub fit_seconds: f64,
    /// Microseconds to predict one row.
    pub predict_us: f64,
    /// The parameters in words.
    pub params: String,
}

/// A score nothing was chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The metric.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// A 95% bootstrap interval, where one could be computed.
    pub interval: Option<(f64, f64)>,
    /// `nested out-of-fold`, `holdout`, `test` or, where one fold left no other way, `validation (used to choose)`.
    pub source: String,
    /// Rows it was computed on.
    pub n_rows: usize,
    /// Other metrics on the same predictions.
    pub others: BTreeMap<String, f64>,
    /// The single model that is as good within noise, when the saved one is an ensemble.
    pub within_noise_of: Option<String>,
    /// How often this run's holdout was looked at, this time included; 0 without a holdout.
    pub looks: u32,
}

/// The probability at which a binary model says yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The probability.
    pub value: f64,
    /// What it is best by.
    pub metric: String,
    /// That metric on out-of-fold rows at the threshold.
    pub score: f64,
    /// The same at one half.
    pub score_at_half: f64,
}

/// The mean prediction of the best single model where a column has one value in every row (Friedman 2001, section 8.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DependenceSummary {
    /// The column.
    pub column: String,
    /// Its values in order, in words.
    pub values: Vec<String>,
    /// For each value the mean prediction: a number, or a probability per class in stored order.
    pub means: Vec<Vec<f64>>,
}

impl Summary {
    /// Whether what was saved says the same of every row.
    pub(crate) fn is_constant(&self) -> bool {
        let constant = |(name, _): &(String, f64)| name.split(' ').next() == Some(Algorithm::Constant.name());
        self.model.members.iter().all(constant)
    }
}

/// The saved model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// `churn@1`.
    pub name: String,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Which rows it was fitted on, in words.
    pub trained_on: String,
    /// Members with their weights.
    pub members: Vec<(String, f64)>,
    /// How members are put together; none of a single model.
    #[serde(default)]
    pub ensemble: Option<EnsembleSummary>,
    /// Microseconds a row it takes, features included, of up to a thousand rows at once.
    #[serde(default)]
    pub latency_us: f64,
    /// The most that it was asked to take; none: any.
    #[serde(default)]
    pub max_latency_us: Option<f64>,
}

/// How the members of an ensemble are put together, and what came of checking it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnsembleSummary {
    /// `VotingEnsemble`, or `StackEnsemble` of two layers.
    pub kind: String,
    /// `arithmetic` or `geometric`.
    pub mean: String,
    /// The temperature of its probabilities; 1 changes nothing.
    pub temperature: f64,
}

/// What came of a second layer that scored better than the first, checked on folds that nothing had seen in any way: the
/// first layer is fitted again without them, inside and out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StackingGuard {
    /// Whether it was dropped: on those rows it is worse than one layer by more than the standard error, or far from what
    /// it had claimed and not surely better than one layer.
    pub fired: bool,
    /// Mean loss a row of one layer: log loss, or squared error.
    pub one_layer: f64,
    /// Of two.
    pub two_layers: f64,
    /// Of two, as it was when the first layer had seen those rows.
    pub claimed: f64,
    /// Standard error of the mean difference.
    pub standard_error: f64,
    /// Rows of those folds.
    pub n_rows: usize,
}

/// Wall clock and memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds asked for; none when trials were.
    pub asked_seconds: Option<f64>,
    /// Seconds used, from start to the end of saving.
    pub used_seconds: f64,
    /// Computing threads.
    pub cores: usize,
    /// Greatest resident memory of the process so far.
    pub peak_memory_bytes: u64,
}
