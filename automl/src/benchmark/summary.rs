//! What a summary holds: ranks, wins, normalised scores, gaps, failures, time and memory, by budget.

use serde::{Deserialize, Serialize};
use trainers::Goal;

/// A benchmark summed up. Scores are means over folds and seeds first, then every data set counts once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkSummary {
    /// Version of this form, 1.
    pub version: u32,
    /// Name of the suite.
    pub name: String,
    /// Runs of the whole suite.
    pub runs: usize,
    /// Those that have ended.
    pub done: usize,
    /// Threads that engines were given.
    pub threads: usize,
    /// Seeds that they were given.
    pub seeds: Vec<u64>,
    /// The engine whose normalised score is 1; the best of each data set where absent.
    pub reference: Option<String>,
    /// What to know before reading on.
    pub notes: Vec<String>,
    /// By budget, in the order of the suite.
    pub budgets: Vec<BudgetSummary>,
}

/// What was found at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSummary {
    /// Seconds.
    pub budget: f64,
    /// Data sets on which every engine has run in full: ranks, wins, normalised scores and gaps are over these.
    pub compared: usize,
    /// Engines, best average rank first.
    pub engines: Vec<EngineSummary>,
    /// The share of data sets on which the engine of the row is better than that of the column, ties half; in the order
    /// of `engines`, none on the diagonal.
    pub win_rates: Vec<Vec<Option<f64>>>,
    /// Every pair of engines, in the order of `engines`.
    pub gaps: Vec<Gap>,
    /// Data sets in the order of the suite.
    pub datasets: Vec<DatasetSummary>,
    /// Runs without a score.
    pub failures: Vec<Failure>,
}

/// One engine at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSummary {
    /// Its name.
    pub name: String,
    /// What it said of its version; several where it changed.
    pub versions: Vec<String>,
    /// Runs that have ended.
    pub runs: usize,
    /// Those without a score.
    pub failures: usize,
    /// Mean rank over data sets; a data set with a failure ranks last.
    pub average_rank: Option<f64>,
    /// Data sets on which none is better.
    pub firsts: usize,
    /// Mean of its win rates against the others.
    pub win_rate: Option<f64>,
    /// Mean over data sets of (score - constant) / (reference - constant), each kept from -1 to 3; a failed run scores as
    /// the constant does.
    pub normalised: Option<f64>,
    /// Data sets in that mean: those on which the reference is better than the constant.
    pub normalised_datasets: usize,
    /// Mean seconds of fitting.
    pub fit_seconds: Option<f64>,
    /// Mean seconds of predicting, where that is a command of its own.
    pub predict_seconds: Option<f64>,
    /// Mean seconds that fitting took beyond the budget; 0 for runs within it.
    pub seconds_beyond: Option<f64>,
    /// The most seconds beyond the budget.
    pub most_beyond: Option<f64>,
    /// Mean CPU seconds.
    pub cpu_seconds: Option<f64>,
    /// Median of the runs' peak memory, in bytes.
    pub median_memory: Option<u64>,
    /// The largest of them.
    pub most_memory: Option<u64>,
}

/// How far one engine is ahead of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The one.
    pub engine: String,
    /// The other.
    pub other: String,
    /// Mean over data sets of the difference of their errors as a share of the larger; above 0 where the one is better.
    /// The error is 1 less the score where greater is better, else the score; a failed run has the constant's.
    pub mean: f64,
    /// Its 95% bootstrap interval over data sets; none for fewer than two.
    pub interval: Option<(f64, f64)>,
    /// Data sets.
    pub datasets: usize,
}

/// One data set at one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSummary {
    /// Its name.
    pub name: String,
    /// Its task.
    pub task: String,
    /// The metric that ranks.
    pub metric: String,
    /// Which way it improves.
    pub goal: Goal,
    /// The score of the same answer for every row.
    pub constant: Option<f64>,
    /// In the order of the engines.
    pub scores: Vec<Cell>,
}

/// An engine on a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Mean score of the runs that have one.
    pub score: Option<f64>,
    /// Runs that have ended.
    pub runs: usize,
    /// Those without a score.
    pub failures: usize,
    /// Whether no engine is better here; of data sets that are compared.
    pub is_best: bool,
}

/// A run without a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The engine.
    pub engine: String,
    /// The data set.
    pub dataset: String,
    /// Its fold.
    pub fold: u32,
    /// The seed.
    pub seed: u64,
    /// Why.
    pub error: String,
}
