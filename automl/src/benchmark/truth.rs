//! What is true of the rows to predict, and how predictions are scored against it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datasets::{Raw, ReadOptions};
use trainers::{Measure, Metric, MetricSpec, Predictions, Target, TargetValues, Task};

use super::layout::{Case, labels};
use super::suite::Dataset;
use crate::error::AutoMlError;

/// Probabilities are kept off 0, as the harness keeps them.
const LEAST: f64 = 1e-15;

/// The truth of a fold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Truth {
    target: Target,
    /// Least and greatest number of the training target.
    range: Option<(f64, f64)>,
    /// Whether each class is among the rows to learn from: what is not cannot be asked for.
    is_taught: Vec<bool>,
    /// The same answer for every row: shares of the classes, or the mean.
    constant: Vec<f64>,
}

/// Scores by the names of their metrics.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scored {
    /// By the metric that ranks.
    pub(super) score: f64,
    /// By others.
    pub(super) others: BTreeMap<String, f64>,
}

impl Truth {
    /// Reads the truth of a fold.
    pub(super) fn read(dataset: &Dataset, case: &Case) -> Result<Self, AutoMlError> {
        let (train, test) = (open(&case.train)?, open(&case.truth)?);
        Self::new(dataset, &train, &test).map_err(|reason| {
            let text = format!("data set {}, fold {}: {reason}", dataset.name, case.fold);
            AutoMlError::unusable(text, "`task`, `target` and `positive` of the data set must be those of its files")
        })
    }

    pub(super) fn new(dataset: &Dataset, train: &Raw, test: &Raw) -> Result<Self, String> {
        let column = |raw: &Raw| labels(raw, &dataset.target).ok_or_else(|| format!("no column `{}`", dataset.target));
        let (learned, asked) = (column(train)?, column(test)?);
        if let Some(row) = asked.iter().position(Option::is_none) {
            return Err(format!("row {} to predict has no value of `{}`", row + 1, dataset.target));
        }
        let learned: Vec<String> = learned.into_iter().flatten().collect();
        let asked: Vec<String> = asked.into_iter().flatten().collect();
        if dataset.task == Task::Regression {
            Self::numbers(dataset, &learned, &asked)
        } else {
            Self::classes(dataset, &learned, &asked)
        }
    }

    fn numbers(dataset: &Dataset, learned: &[String], asked: &[String]) -> Result<Self, String> {
        let parse = |texts: &[String]| -> Result<Vec<f64>, String> {
            let number = |text: &String| text.parse::<f64>().ok().filter(|number| number.is_finite());
            texts
                .iter()
                .map(|text| number(text).ok_or_else(|| format!("`{}`: `{text}` is no number", dataset.target)))
                .collect()
        };
        let (learned, asked) = (parse(learned)?, parse(asked)?);
        let mean = learned.iter().sum::<f64>() / learned.len().max(1) as f64;
        let bounds = learned.iter().fold(None, |range: Option<(f64, f64)>, &number| {
            Some(range.map_or((number, number), |(low, high)| (low.min(number), high.max(number))))
        });
        let target = Target { task: dataset.task, classes: Vec::new(), values: TargetValues::Numbers(asked) };
        Ok(Self { target, range: bounds, is_taught: Vec::new(), constant: vec![mean] })
    }

    fn classes(dataset: &Dataset, learned: &[String], asked: &[String]) -> Result<Self, String> {
        let classes = class_order(dataset, learned, asked)?;
        let find = |text: &String| {
            named(&classes, text)
                .ok_or_else(|| format!("`{}`: `{text}` is none of the classes {}", dataset.target, classes.join(", ")))
        };
        let codes =
            asked.iter().map(|text| find(text).map(|class| class as u32)).collect::<Result<Vec<u32>, String>>()?;
        let mut counts = vec![0_usize; classes.len()];
        for text in learned {
            counts[find(text)?] += 1;
        }
        let constant = counts.iter().map(|&n| n as f64 / learned.len().max(1) as f64).collect();
        let is_taught = counts.iter().map(|&n| n > 0).collect();
        let target = Target { task: dataset.task, classes, values: TargetValues::Classes(codes) };
        Ok(Self { target, range: None, is_taught, constant })
    }

    /// Scores the file that an engine has written. The error says what is wrong with it.
    pub(super) fn judge(&self, file: &Path, metric: &MetricSpec) -> Result<Scored, String> {
        if !file.is_file() {
            return Err("no predictions were written to {out}".into());
        }
        let options = ReadOptions { delimiter: Some(','), header: Some(true), ..ReadOptions::default() };
        let raw = datasets::open(&[file.display().to_string()], &options);
        let raw = raw.map_err(|error| format!("the predictions cannot be read: {error}"))?;
        let predictions =
            if self.target.task == Task::Regression { self.read_numbers(&raw)? } else { self.read_classes(&raw)? };
        self.score(&predictions, metric)
    }

    /// The score of the same answer for every row; `None` where the metric has none.
    pub(super) fn baseline(&self, metric: &MetricSpec) -> Option<f64> {
        let predictions = Predictions::new(self.constant.len(), self.constant.repeat(self.target.n_rows()));
        self.score(&predictions, metric).ok().map(|scored| scored.score)
    }

    fn score(&self, predictions: &Predictions, metric: &MetricSpec) -> Result<Scored, String> {
        let rows: Vec<u32> = (0..self.target.n_rows() as u32).collect();
        let by = |metric: MetricSpec| Measure::new(metric, self.range).score(&self.target, &rows, predictions, 0.5);
        let score = by(metric.clone()).map_err(|error| error.to_string())?;
        let others =
            others(self.target.task).iter().map(|other| MetricSpec::from(*other)).filter(|other| other != metric);
        // Another metric may be undefined where the one that ranks is not.
        let others = others.filter_map(|other| Some((other.name().to_owned(), by(other).ok()?))).collect();
        Ok(Scored { score, others })
    }

    fn check_rows(&self, raw: &Raw) -> Result<(), String> {
        let expected = self.target.n_rows();
        if raw.n_rows == expected { Ok(()) } else { Err(format!("{} predictions for {expected} rows", raw.n_rows)) }
    }

    /// The column `prediction`, else the last.
    fn read_numbers(&self, raw: &Raw) -> Result<Predictions, String> {
        self.check_rows(raw)?;
        let column = raw.column("prediction").or(raw.columns.last()).ok_or("the predictions have no column")?;
        Ok(Predictions::new(1, numbers(raw, &column.name)?))
    }

    /// One column of probabilities a class, by the class's name, with or without `p_`; rows are scaled to a sum of 1.
    fn read_classes(&self, raw: &Raw) -> Result<Predictions, String> {
        self.check_rows(raw)?;
        let classes = &self.target.classes;
        let mut columns: Vec<Option<Vec<f64>>> = vec![None; classes.len()];
        for column in &raw.columns {
            let bare = column.name.strip_prefix("p_").filter(|_| !classes.contains(&column.name));
            let Some(class) = named(classes, bare.unwrap_or(&column.name)) else { continue };
            if columns[class].is_some() {
                return Err(format!("class `{}` has two columns of probabilities", classes[class]));
            }
            columns[class] = Some(numbers(raw, &column.name)?);
        }
        let missing = |class: &usize| columns[*class].is_none() && self.is_taught[*class];
        if let Some(class) = (0..classes.len()).find(missing) {
            let there: Vec<String> = raw.names().iter().take(6).map(ToString::to_string).collect();
            return Err(format!(
                "no probabilities of class `{}` among the columns {}",
                classes[class],
                there.join(", ")
            ));
        }
        let mut values = Vec::with_capacity(raw.n_rows * classes.len());
        for row in 0..raw.n_rows {
            let of = |column: &Option<Vec<f64>>| column.as_ref().map_or(0.0, |column| column[row]).clamp(LEAST, 1.0);
            let clipped: Vec<f64> = columns.iter().map(of).collect();
            let sum: f64 = clipped.iter().sum();
            values.extend(clipped.iter().map(|p| p / sum));
        }
        Ok(Predictions::new(classes.len(), values))
    }
}

fn open(path: &Path) -> Result<Raw, AutoMlError> {
    Ok(datasets::open(&[path.display().to_string()], &ReadOptions::default())?)
}

fn numbers(raw: &Raw, name: &str) -> Result<Vec<f64>, String> {
    let column = raw.column(name).ok_or_else(|| format!("the predictions have no column `{name}`"))?;
    let number = |row: usize| {
        let text = column.values.text(row).unwrap_or_default();
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| format!("prediction `{text}` of row {} in column `{name}` is no finite number", row + 1))
    };
    (0..raw.n_rows).map(number).collect()
}

/// What is recorded beside the metric that ranks.
fn others(task: Task) -> &'static [Metric] {
    match task {
        Task::Binary => &[
            Metric::RocAuc,
            Metric::LogLoss,
            Metric::Accuracy,
            Metric::BalancedAccuracy,
            Metric::F1,
            Metric::AveragePrecision,
        ],
        Task::Multiclass => &[Metric::LogLoss, Metric::RocAuc, Metric::Accuracy, Metric::BalancedAccuracy, Metric::F1],
        Task::Regression => &[Metric::Rmse, Metric::Mae, Metric::R2, Metric::SpearmanCorrelation],
    }
}

/// The class that a text means: by its exact name, else without the `.0` of a whole number, else in another case.
fn named(classes: &[String], text: &str) -> Option<usize> {
    let exact = |wanted: &str| classes.iter().position(|class| class == wanted);
    let short = |text: &str| text.strip_suffix(".0").unwrap_or(text).to_lowercase();
    exact(text).or_else(|| exact(text.strip_suffix(".0")?)).or_else(|| {
        let wanted = short(text);
        classes.iter().position(|class| short(class) == wanted)
    })
}

/// Sorted, numbers by value; for two classes the positive one last.
fn class_order(dataset: &Dataset, learned: &[String], asked: &[String]) -> Result<Vec<String>, String> {
    let there = || learned.iter().chain(asked).cloned().collect::<BTreeSet<String>>().into_iter().collect();
    let mut classes: Vec<String> = dataset.classes.clone().unwrap_or_else(there);
    let number = |text: &String| text.parse::<f64>().ok();
    if dataset.classes.is_none() && classes.iter().all(|class| number(class).is_some()) {
        classes.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)));
    }
    let n = classes.len();
    if n < 2 || (dataset.task == Task::Binary && n != 2) {
        return Err(format!("`{}` has {n} classes, and the task is {}", dataset.target, dataset.task));
    }
    if dataset.task == Task::Binary {
        let mut counts = BTreeMap::new();
        for text in learned {
            *counts.entry(text.as_str()).or_insert(0) += 1;
        }
        let natural = || named(&classes, &crate::prepare::natural_positive(&classes, &counts)).unwrap_or(1);
        let said = |asked: &String| {
            let none = || format!("positive: `{}` has no value `{asked}`, only {}", dataset.target, classes.join(", "));
            named(&classes, asked).ok_or_else(none)
        };
        let positive = dataset.positive.as_ref().map_or_else(|| Ok(natural()), said)?;
        let class = classes.remove(positive);
        classes.push(class);
    }
    Ok(classes)
}
