//! `run compare`: two fits beside each other, row by row on the rows both were judged on without having seen them.
//!
//! A row's loss is paired with the same row's, so what makes a row hard counts for neither; the interval of the mean
//! difference is a percentile bootstrap over rows (Efron & Tibshirani 1993, ch. 13).

use std::collections::BTreeMap;

use hyperdrive::keyed_rng;
use platform::{RunId, Workspace};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainers::{Metric, MetricSpec, Task};

use super::honest::{Honest, Judgement};
use crate::error::AutoMlError;
use crate::fit::{FIT, SUMMARY, spec_of, to_json};
use crate::leaderboard::Summary;
use crate::search::mean;

/// Resamples behind the interval; fewer where there are many rows.
const RESAMPLES: usize = 2000;
/// Rows drawn in all, at most.
const DRAWS: usize = 40_000_000;
/// Fewer resamples make no interval.
const LEAST: usize = 200;
/// Fields of a request that say nothing about the result.
const ASIDE: [&str; 3] = ["folder", "name", "version"];

/// Whether two runs can be compared, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Compared {
    /// They can.
    Comparable(Box<Comparison>),
    /// They cannot.
    Not {
        /// The first run.
        a: String,
        /// The second.
        b: String,
        /// `false`.
        comparable: bool,
        /// Why not.
        reason: String,
    },
}

/// Two runs on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// `true`.
    pub comparable: bool,
    /// The first run.
    pub a: Side,
    /// The second.
    pub b: Side,
    /// The metric that chose in both.
    pub metric: String,
    /// The loss that is paired, less being better.
    pub loss: String,
    /// Rows it is paired on.
    pub n_rows: usize,
    /// Mean of the first run's loss less the second's: below 0 the first is better.
    pub difference: f64,
    /// Its 95% interval.
    pub interval: (f64, f64),
    /// What that says of the first run.
    pub verdict: Verdict,
    /// Where requests, data and models differ.
    pub differences: Vec<Differs>,
}

/// One of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The run.
    pub run: String,
    /// Its model.
    pub model: String,
    /// Its honest score by the metric that chose.
    pub score: f64,
    /// Its mean loss on the rows.
    pub loss: f64,
}

/// What an interval of a difference says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first is better: the whole interval lies below 0.
    Win,
    /// The second is.
    Lose,
    /// Neither for certain: 0 lies in the interval.
    Noise,
}

/// Something in which two runs differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Differs {
    /// What, such as `budget.max_trials`.
    pub what: String,
    /// As it is in the first.
    pub a: String,
    /// And in the second.
    pub b: String,
}

/// The loss of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Log,
    Wrong,
    Squared,
    Absolute,
}

/// Compares two fits.
///
/// Errors: a run is unknown or no fit. That two fits cannot be compared is an answer, not an error.
pub fn compare(workspace: &Workspace, a: &RunId, b: &RunId) -> Result<Compared, AutoMlError> {
    let not = |reason: String| Ok(Compared::Not { a: a.to_string(), b: b.to_string(), comparable: false, reason });
    let (mut summaries, mut judged, mut specs) = (Vec::new(), Vec::new(), Vec::new());
    for run in [a, b] {
        let record = workspace.get_run(run)?;
        if record.kind != FIT {
            return Err(AutoMlError::Usage(format!("run `{run}` is a {}; only fits can be compared", record.kind)));
        }
        specs.push(to_json(&spec_of(&record, run)?));
        let summary = workspace.get_document(run, SUMMARY)?;
        let summary: Option<Summary> = summary.and_then(|value| serde_json::from_value(value).ok());
        let (Some(summary), Some(honest)) = (summary, Honest::load(workspace, run)?) else {
            return not(format!(
                "{run} has kept no out-of-fold predictions: it has no model yet, or an earlier version made it; automl \
                 resume {run} makes them"
            ));
        };
        summaries.push(summary);
        judged.push(honest);
    }
    let [one, two] = [&summaries[0], &summaries[1]];
    let goals = [
        ("target", one.goal.target.clone(), two.goal.target.clone()),
        ("task", one.goal.task.to_string(), two.goal.task.to_string()),
        ("metric", one.goal.metric.clone(), two.goal.metric.clone()),
        ("classes", judged[0].header.classes.join(", "), judged[1].header.classes.join(", ")),
    ];
    if let Some((what, a, b)) = goals.into_iter().find(|(_, a, b)| a != b) {
        return not(format!("other {what}: {a} against {b}"));
    }
    let (rows_a, rows_b) = (judged[0].rows(), judged[1].rows());
    if let Some(reason) = not_paired(&rows_a, &rows_b, one, two) {
        return not(reason);
    }
    let loss = Loss::of(one.goal.task, &one.goal.metric);
    let losses = |rows: &[Judgement<'_>]| rows.iter().map(|row| loss.at(row)).collect::<Vec<f64>>();
    let (losses_a, losses_b) = (losses(&rows_a), losses(&rows_b));
    let differences: Vec<f64> = losses_a.iter().zip(&losses_b).map(|(a, b)| a - b).collect();
    let interval = interval(&differences, one.goal.seed);
    let side = |summary: &Summary, losses: &[f64]| Side {
        run: summary.run.clone(),
        model: summary.model.name.clone(),
        score: summary.score.value,
        loss: mean(losses),
    };
    Ok(Compared::Comparable(Box::new(Comparison {
        comparable: true,
        a: side(one, &losses_a),
        b: side(two, &losses_b),
        metric: one.goal.metric.clone(),
        loss: loss.name().into(),
        n_rows: differences.len(),
        difference: mean(&differences),
        interval,
        verdict: verdict(interval),
        differences: differ([&specs[0], &specs[1]], one, two),
    })))
}

/// Why the rows of two runs are not the same rows, judged in the same folds; none where they are.
fn not_paired(a: &[Judgement<'_>], b: &[Judgement<'_>], one: &Summary, two: &Summary) -> Option<String> {
    let same_rows = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.row == b.row);
    let same_truth = a.iter().zip(b).all(|(a, b)| a.truth.to_bits() == b.truth.to_bits());
    if one.data.sha256 != two.data.sha256 && !(same_rows && same_truth) {
        return Some(format!(
            "other rows: the data differ ({} rows of {} against {} of {})",
            a.len(),
            one.data.source.join(", "),
            b.len(),
            two.data.source.join(", ")
        ));
    }
    let moved = a.iter().zip(b).filter(|(a, b)| a.fold != b.fold).count();
    if same_rows && moved > 0 && one.goal.split == two.goal.split && one.goal.seed == two.goal.seed {
        return Some(format!(
            "other split: {moved} of {} rows lie in other folds, for with other columns other rows are copies of each other",
            a.len()
        ));
    }
    if !same_rows || moved > 0 {
        return Some(format!(
            "other split: {} with seed {} against {} with seed {}",
            one.goal.split, one.goal.seed, two.goal.split, two.goal.seed
        ));
    }
    (!same_truth).then(|| "other target values in the same rows".to_owned())
}

impl Loss {
    /// The row's own part of the metric where it has one, else log loss or squared error.
    fn of(task: Task, metric: &str) -> Self {
        let is = |metrics: &[Metric]| {
            MetricSpec::parse(metric).is_ok_and(|spec| metrics.iter().any(|metric| spec == (*metric).into()))
        };
        match task {
            Task::Regression
                if is(&[Metric::Mae, Metric::MedianAbsoluteError, Metric::NormalizedMeanAbsoluteError]) =>
            {
                Self::Absolute
            }
            Task::Regression => Self::Squared,
            Task::Binary | Task::Multiclass if is(&[Metric::Accuracy]) => Self::Wrong,
            Task::Binary | Task::Multiclass => Self::Log,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Log => "log loss",
            Self::Wrong => "share of wrong rows",
            Self::Squared => "squared error",
            Self::Absolute => "absolute error",
        }
    }

    fn at(self, row: &Judgement<'_>) -> f64 {
        match self {
            Self::Log => -row.said[row.truth as usize].max(1e-15).ln(),
            Self::Wrong => {
                let label = match row.said {
                    [_, positive] => usize::from(*positive >= row.threshold),
                    many => (0..many.len()).rev().max_by(|&i, &j| many[i].total_cmp(&many[j])).unwrap_or(0),
                };
                f64::from(u8::from(label != row.truth as usize))
            }
            Self::Squared => (row.truth - row.said[0]).powi(2),
            Self::Absolute => (row.truth - row.said[0]).abs(),
        }
    }
}

/// The 95% percentile interval of the mean over rows.
fn interval(values: &[f64], seed: u64) -> (f64, f64) {
    let n = values.len();
    let resamples = (DRAWS / n.max(1)).clamp(LEAST, RESAMPLES);
    let mut rng = keyed_rng(seed, 0, "compare");
    let mut means: Vec<f64> =
        (0..resamples).map(|_| (0..n).map(|_| values[rng.random_range(0..n)]).sum::<f64>() / n.max(1) as f64).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((means.len() - 1) as f64 * share).round() as usize];
    (at(0.025), at(0.975))
}

fn verdict((low, high): (f64, f64)) -> Verdict {
    if high < 0.0 {
        Verdict::Win
    } else if low > 0.0 {
        Verdict::Lose
    } else {
        Verdict::Noise
    }
}

/// Requests field by field, then data and models.
fn differ(specs: [&Value; 2], a: &Summary, b: &Summary) -> Vec<Differs> {
    let [mut one, mut two] = specs.map(|spec| {
        let mut leaves = BTreeMap::new();
        flatten("", spec, &mut leaves);
        leaves.retain(|what, _| !ASIDE.contains(&what.as_str()) && !what.starts_with("warm.points"));
        leaves
    });
    for (leaves, summary) in [(&mut one, a), (&mut two, b)] {
        let members: Vec<&str> = summary.model.members.iter().map(|(name, _)| name.as_str()).collect();
        leaves.insert("~ data".into(), summary.data.sha256.chars().take(12).collect());
        leaves.insert("~ features".into(), summary.data.ledger.used().len().to_string());
        leaves.insert("~ members".into(), members.join(", "));
        leaves.insert("~ trials finished".into(), summary.search.finished.to_string());
    }
    let keys: std::collections::BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    let of = |leaves: &BTreeMap<String, String>, key: &str| leaves.get(key).cloned().unwrap_or_else(|| "–".into());
    keys.into_iter()
        .map(|key| Differs { what: key.trim_start_matches("~ ").to_owned(), a: of(&one, key), b: of(&two, key) })
        .filter(|differs| differs.a != differs.b)
        .collect()
}

/// The leaves of a document by their paths; what is absent or null is not there.
fn flatten(path: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&below(name), value, leaves)),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().enumerate().for_each(|(i, value)| flatten(&below(&i.to_string()), value, leaves));
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let words = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            leaves.insert(path.to_owned(), words.collect::<Vec<_>>().join(", "));
        }
        Value::String(text) => {
            leaves.insert(path.to_owned(), text.clone());
        }
        other => {
            leaves.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_by_hand() {
        let row = |truth: f64, said: &'static [f64]| Judgement { row: 0, truth, said, fold: 0, threshold: 0.4 };
        assert!((Loss::Log.at(&row(1.0, &[0.75, 0.25])) - 4.0_f64.ln()).abs() < 1e-12);
        assert_eq!(Loss::Wrong.at(&row(1.0, &[0.55, 0.45])), 0.0);
        assert_eq!(Loss::Wrong.at(&row(2.0, &[0.5, 0.2, 0.3])), 1.0);
        assert_eq!(Loss::Squared.at(&row(3.0, &[1.0])), 4.0);
        assert_eq!(Loss::Absolute.at(&row(3.0, &[5.0])), 2.0);
        assert_eq!(Loss::of(Task::Regression, "mae"), Loss::Absolute);
        assert_eq!(Loss::of(Task::Binary, "accuracy"), Loss::Wrong);
        assert_eq!(Loss::of(Task::Binary, "roc_auc"), Loss::Log);
    }

    #[test]
    fn a_difference_that_is_there_is_found_and_noise_is_not() {
        let noise: Vec<f64> = (0..400).map(|i| f64::from((i * 37) % 101) - 50.0).collect();
        assert_eq!(verdict(interval(&noise, 7)), Verdict::Noise);
        let worse: Vec<f64> = noise.iter().map(|x| x + 10.0).collect();
        assert_eq!(verdict(interval(&worse, 7)), Verdict::Lose);
        let better: Vec<f64> = noise.iter().map(|x| x - 10.0).collect();
        assert_eq!(verdict(interval(&better, 7)), Verdict::Win);
    }
}
