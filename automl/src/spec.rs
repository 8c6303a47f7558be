//! What is asked of a fit: the options of `automl fit` as one plain value, stored with the run so that `resume` asks
//! for the same thing.

use std::fmt;
use std::str::FromStr;

use datasets::TypeOverrides;
use hyperdrive::Params;
use serde::{Deserialize, Serialize};
use trainers::{Algorithm, Metric, MetricSpec, Task};

use crate::error::AutoMlError;
use crate::featurization::FeaturizationSpec;
use crate::portfolio::Portfolio;

/// The format of a stored [`AutoMlSpec`].
pub const SPEC_VERSION: u32 = 1;

/// A whole request: data, split, goal and budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoMlSpec {
    /// Format of this document, [`SPEC_VERSION`].
    pub version: u32,
    /// Training data: paths, globs, `-` for standard input or `open://NAME`.
    pub train: Vec<String>,
    /// The folder relative paths begin at; the current one when absent.
    pub folder: Option<String>,
    /// The target column.
    pub target: String,
    /// A test file with the target; scored once, never trained on.
    pub test: Option<String>,
    /// Columns left out of the features.
    pub ignore: Vec<String>,
    /// Columns kept as features although a check would exclude them.
    pub keep_columns: Vec<String>,
    /// A column that names the row; carried, never a feature.
    pub id: Option<String>,
    /// A column that says how much each row counts in training; never a feature.
    pub weight: Option<String>,
    /// Column types that override what is inferred.
    pub types: TypeOverrides,
    /// How columns become features.
    #[serde(default)]
    pub featurization: FeaturizationSpec,
    /// How models may be put together.
    #[serde(default)]
    pub ensemble: EnsembleKind,
    /// Most time that predicting a row may take the saved model, of many rows at once on one thread; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_latency: Option<Micros>,
    /// Which algorithms are searched.
    #[serde(default)]
    pub algorithms: AlgorithmSpec,
    /// How rows are split.
    pub split: SplitSpec,
    /// The task; inferred from the metric or the target when absent.
    pub task: Option<Task>,
    /// The metric that chooses, by name or as an expression; the task's default when absent.
    pub metric: Option<MetricSpec>,
    /// The positive class of a binary task; the rarer one when absent.
    pub positive: Option<String>,
    /// Time, trials, cores and memory.
    pub budget: Budget,
    /// Seed of everything random. Default 7.
    pub seed: u64,
    /// Name in the registry; the training file's stem when absent.
    pub name: Option<String>,
    /// Configurations that are tried first in place of those that are shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portfolio: Option<Portfolio>,
    /// Configurations of an earlier run that are tried before those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmStart>,
}

/// What an earlier run has found, to begin with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmStart {
    /// The run.
    pub run: String,
    /// Its best configurations, best first, then the other members of its model.
    pub points: Vec<Params>,
}

/// How far models may be put together; what is simpler is kept where it is as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnsembleKind {
    /// In two layers: models that hear what the others say (Azure's `StackEnsemble`).
    #[default]
    Stack,
    /// In one: a weighted mean (Azure's `VotingEnsemble`).
    Voting,
    /// Not at all: the best single model.
    None,
}

/// More folds than this are a mistake.
pub(crate) const MOST_FOLDS: usize = 100;

impl AutoMlSpec {
    /// A request with every default: 5 minutes, all cores, seed 7.
    pub fn new(train: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            version: SPEC_VERSION,
            train: vec![train.into()],
            folder: None,
            target: target.into(),
            test: None,
            ignore: Vec::new(),
            keep_columns: Vec::new(),
            id: None,
            weight: None,
            types: TypeOverrides::default(),
            featurization: FeaturizationSpec::default(),
            ensemble: EnsembleKind::default(),
            max_latency: None,
            algorithms: AlgorithmSpec::default(),
            split: SplitSpec::default(),
            task: None,
            metric: None,
            positive: None,
            budget: Budget::default(),
            seed: 7,
            name: None,
            portfolio: None,
            warm: None,
        }
    }

    /// Refuses what no data could make sensible, before anything is read.
    pub fn check(&self) -> Result<(), AutoMlError> {
        let usage = |text: String| Err(AutoMlError::Usage(text));
        if self.version != SPEC_VERSION {
            return usage(format!("this run was written as format {}, this build reads {SPEC_VERSION}", self.version));
        }
        if self.train.is_empty() {
            return usage("no training data was named".into());
        }
        if let (Some(task), Some(metric)) = (self.task, &self.metric) {
            // `--task classification` arrives as multiclass; two values make it binary.
            let measures = |other: &Task| *other == task || (task, *other) == (Task::Multiclass, Task::Binary);
            if !metric.tasks().iter().any(measures) {
                return usage(wrong_metric(metric, task));
            }
        }
        if let (Some(column), true) = (&self.split.column, self.split.cv != CrossValidation::Auto) {
            return usage(format!("--split-column {column} says the folds, and so does --cv: give one of them"));
        }
        if self.budget.cores == 0 {
            return usage("--cores 0: at least one core is needed".into());
        }
        if self.budget.concurrent == Some(0) {
            return usage("--concurrent 0: at least one trial at a time is needed".into());
        }
        if self.budget.max_trials == Some(0) {
            return usage("--max-trials 0: at least one trial is needed".into());
        }
        if self.budget.time_limit.is_some_and(|limit| limit.seconds() < 1.0) {
            return usage("--time-limit: less than 1s leaves no time for one trial".into());
        }
        if let Some(fraction) = self.split.holdout
            && !(0.01..=0.9).contains(&fraction)
        {
            return usage(format!("--holdout {}%: must lie between 1% and 90%", fraction * 100.0));
        }
        self.algorithms.check()?;
        if let Some(portfolio) = &self.portfolio {
            portfolio.check()?;
        }
        self.featurization.check(&self.target)?;
        let splits = [&self.split.group, &self.split.time, &self.split.column];
        if splits.iter().filter(|column| column.is_some()).count() > 1 {
            return usage("--group, --time and --split-column exclude each other: name one".into());
        }
        for column in splits.into_iter().flatten().chain(&self.id).chain(&self.ignore).chain(&self.weight) {
            if *column == self.target {
                return usage(format!(
                    "`{column}` is the target and cannot also be split by, ignored, an id or the weight"
                ));
            }
        }
        let others = splits.into_iter().flatten().chain(&self.id).chain(&self.keep_columns);
        if let Some(weight) = &self.weight
            && others.into_iter().any(|column| column == weight)
        {
            return usage(format!("--weight {weight}: the column cannot also split rows, name them or be a feature"));
        }
        Ok(())
    }

    /// The same request with what columns are for said as their types, and as columns to ignore.
    pub(crate) fn with_purposes(&self) -> Result<Self, AutoMlError> {
        let mut spec = self.clone();
        for (name, purpose) in &self.featurization.column_name_and_types {
            let Some(kind) = purpose.kind() else {
                spec.ignore.push(name.clone());
                continue;
            };
            if self.types.get(name).is_some_and(|given| given.kind != kind) {
                return Err(AutoMlError::Usage(format!(
                    "--types and --column-type {name}={purpose} say different things of `{name}`: name it once"
                )));
            }
            if self.types.get(name).is_none() {
                spec.types = spec.types.with(name, kind);
            }
        }
        Ok(spec)
    }

    /// The name under which the model is registered: `--name`, or the stem of the first file.
    pub fn model_name(&self) -> String {
        let raw = self.name.clone().unwrap_or_else(|| stem(&self.train[0]));
        let clean: String = raw
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
            .collect();
        let trimmed = clean.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
        if trimmed.is_empty() { "model".into() } else { trimmed }
    }
}

/// A metric that the task does not have, with those it has.
pub(crate) fn wrong_metric(metric: &MetricSpec, task: Task) -> String {
    format!("--metric {metric} does not measure a {task} task; these do: {}", metric_names(task))
}

/// The metrics of a task in words.
pub(crate) fn metric_names(task: Task) -> String {
    Metric::of(task).map(Metric::name).collect::<Vec<_>>().join(", ")
}

/// The file's name without folders, scheme and extensions; `stdin` for `-`.
fn stem(source: &str) -> String {
    if source == "-" {
        return "stdin".into();
    }
    let name = source.rsplit(['/', '\\']).next().unwrap_or(source);
    name.split('.').next().unwrap_or(name).to_owned()
}

/// Which algorithms are searched: all that answer the task, only some, or all but some (Azure's
/// `allowed_training_algorithms` and `blocked_training_algorithms`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlgorithmSpec {
    /// Only these; all when empty.
    #[serde(default)]
    pub allowed: Vec<Algorithm>,
    /// Not these.
    #[serde(default)]
    pub blocked: Vec<Algorithm>,
}

impl AlgorithmSpec {
    /// Whether this one is asked for.
    pub fn asks_for(&self, algorithm: Algorithm) -> bool {
        (self.allowed.is_empty() || self.allowed.contains(&algorithm)) && !self.blocked.contains(&algorithm)
    }

    fn check(&self) -> Result<(), AutoMlError> {
        let usage = |text: String| Err(AutoMlError::Usage(text));
        if !self.allowed.is_empty() && !self.blocked.is_empty() {
            return usage("--algorithms and --block-algorithms exclude each other: say one".into());
        }
        if let Some(baseline) = self.allowed.iter().find(|algorithm| **algorithm == Algorithm::Constant) {
            return usage(format!(
                "--algorithms {baseline}: it is the baseline, scored in every fit and never searched"
            ));
        }
        Ok(())
    }
}

/// How rows are split for validation. All empty: stratified (classification) or plain folds, chosen by size.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitSpec {
    /// Rows of one group stay on one side of every split.
    pub group: Option<String>,
    /// Rows are split along this column: always trained on the past, scored on the future.
    pub time: Option<String>,
    /// A column whose values are the folds.
    pub column: Option<String>,
    /// Share of rows (0.01 to 0.9) held out for the honest score.
    pub holdout: Option<f64>,
    /// How many folds.
    #[serde(default)]
    pub cv: CrossValidation,
}

/// How many folds rows are cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossValidation {
    /// Five up to 20,000 rows; above, one split and a holdout.
    #[default]
    Auto,
    /// By Azure's rules: ten below 1,000 rows, three up to 20,000, above one split that validates on a tenth.
    Azure,
    /// So many, whatever the size.
    Folds(usize),
}

impl std::str::FromStr for CrossValidation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "azure" => Ok(Self::Azure),
            _ => match text.parse() {
                Ok(n) if (2..=MOST_FOLDS).contains(&n) => Ok(Self::Folds(n)),
                _ => Err(format!("`{text}`: write a number from 2 to {MOST_FOLDS}, `azure` or `auto`")),
            },
        }
    }
}

/// What may be spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Wall clock from start to prompt. Default 5 minutes, unless `max_trials` alone is given.
    pub time_limit: Option<Seconds>,
    /// Trials to run; alone it makes the result independent of time and cores.
    pub max_trials: Option<u32>,
    /// Computing threads.
    pub cores: usize,
    /// Trials at a time, at most one a core; fewer than cores share the cores. Default: one a core.
    pub concurrent: Option<usize>,
    /// Memory the search may hold, in bytes; a share of what is free when absent.
    pub memory: Option<Bytes>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { time_limit: None, max_trials: None, cores: available_cores(), concurrent: None, memory: None }
    }
}

impl Budget {
    /// How many trials may run at a time.
    pub fn slots(&self) -> usize {
        self.concurrent.map_or(self.cores, |asked| asked.min(self.cores))
    }

    /// The time limit in force: as asked, else 5 minutes, else none when only trials were asked for.
    pub fn effective_time(&self) -> Option<Seconds> {
        self.time_limit.or(if self.max_trials.is_some() { None } else { Some(Seconds(300.0)) })
    }
}

/// The cores this process may use.
pub fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// No budget is longer: ten years, in seconds.
const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

/// A length of time, written `90s`, `5m`, `1h` or `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Seconds(pub f64);

impl Seconds {
    /// The length in seconds.
    pub fn seconds(self) -> f64 {
        self.0
    }
}

/// Millionths of a second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Micros(pub f64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.0 < 1000.0 { format!("{}us", self.0) } else { format!("{}ms", self.0 / 1000.0) };
        f.pad(&text)
    }
}

impl FromStr for Micros {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no time for a row: write 100us, 0.5ms or 1ms");
        let units = [("us", 1.0), ("µs", 1.0), ("ms", 1e3)];
        let (number, unit) =
            units.iter().find_map(|(unit, micros)| Some((text.strip_suffix(unit)?, micros))).ok_or_else(bad)?;
        let value = number.trim().parse::<f64>().map_err(|_| bad())? * unit;
        if value > 0.0 && value.is_finite() { Ok(Self(value)) } else { Err(bad()) }
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not a length of time: write 90s, 5m, 1h or 1h30m");
        let (mut total, mut number, mut rest) = (0.0, String::new(), text.chars().peekable());
        if text.is_empty() {
            return Err(bad());
        }
        while let Some(c) = rest.next() {
            if c.is_ascii_digit() || c == '.' {
                number.push(c);
                continue;
            }
            let value: f64 = number.parse().map_err(|_| bad())?;
            number.clear();
            total += value
                * match c {
                    's' => 1.0,
                    'm' => 60.0,
                    'h' => 3600.0,
                    'd' => 86_400.0,
                    _ => return Err(bad()),
                };
            // `min` and `sec` are spelled out by many.
            while rest.peek().is_some_and(char::is_ascii_alphabetic) {
                if !matches!(rest.next(), Some('i' | 'n' | 'e' | 'c')) {
                    return Err(bad());
                }
            }
        }
        if number.is_empty() && total <= LONGEST { Ok(Self(total)) } else { Err(bad()) }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        if s < 0.001 {
            write!(f, "<1 ms")
        } else if s < 0.1 {
            write!(f, "{:.0} ms", s * 1000.0)
        } else if s < 1.0 {
            write!(f, "{s:.2} s")
        } else if s < 10.0 && s.fract() > 0.05 {
            write!(f, "{s:.1} s")
        } else if s < 120.0 {
            write!(f, "{s:.0} s")
        } else if s < 7200.0 && s % 60.0 < 1.0 {
            write!(f, "{:.0} min", s / 60.0)
        } else {
            let whole = s as u64;
            match whole / 3600 {
                0 => write!(f, "{}:{:02}", whole / 60, whole % 60),
                h => write!(f, "{h}:{:02}:{:02}", whole / 60 % 60, whole % 60),
            }
        }
    }
}

/// An amount of memory, written `512MB` or `4GB` (powers of ten; `GiB` and `MiB` for powers of two).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not an amount of memory: write 512MB or 4GB");
        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
        let value: f64 = text[..split].trim().parse().map_err(|_| bad())?;
        let unit = match text[split..].to_ascii_lowercase().as_str() {
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err(bad()),
        };
        if value <= 0.0 || !value.is_finite() {
            return Err(bad());
        }
        Ok(Self((value * unit) as u64))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} B", self.0),
            1_000..1_000_000 => write!(f, "{:.0} kB", b / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", b / 1e6),
            _ => write!(f, "{:.1} GB", b / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_as_people_write_them() {
        for (text, seconds) in [("30s", 30.0), ("5m", 300.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("10min", 600.0)] {
            assert_eq!(text.parse::<Seconds>(), Ok(Seconds(seconds)), "{text}");
        }
        for text in ["99999999999999999999d", "", "5", "m", "5x", "-5s", "1h5"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
        assert_eq!(Seconds(0.0123).to_string(), "12 ms");
        assert_eq!(Seconds(300.0).to_string(), "5 min");
        assert_eq!(Seconds(299.0).to_string(), "4:59");
    }

    #[test]
    fn memory_reads_as_people_write_it() {
        assert_eq!("4GB".parse(), Ok(Bytes(4_000_000_000)));
        assert_eq!("1MiB".parse(), Ok(Bytes(1_048_576)));
        assert!("4".parse::<Bytes>().is_err());
        assert!("-4GB".parse::<Bytes>().is_err());
    }

    #[test]
    fn a_request_that_makes_no_sense_is_refused() {
        let mut spec = AutoMlSpec::new("a/churn.csv.gz", "y");
        assert!(spec.check().is_ok());
        assert_eq!(spec.model_name(), "churn");
        spec.split.group = Some("g".into());
        spec.split.time = Some("t".into());
        assert!(spec.check().is_err());
        let mut both = AutoMlSpec::new("x.csv", "y");
        both.algorithms.allowed.push(Algorithm::Svm);
        assert!(both.check().is_ok());
        both.algorithms.blocked.push(Algorithm::Knn);
        let error = both.check().expect_err("they exclude each other").to_string();
        assert!(error.contains("--algorithms and --block-algorithms exclude each other"), "{error}");
        let mut own = AutoMlSpec::new("x.csv", "y");
        own.ignore.push("y".into());
        assert!(own.check().is_err_and(|error| error.exit_code() == 2));
    }
}
