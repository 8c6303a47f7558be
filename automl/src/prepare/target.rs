//! The target: which task it is, why, and its values as classes or numbers.

use std::collections::BTreeMap;

use datasets::{ColumnSchema, Kind, Table, Values};
use trainers::{MetricSpec, Target, TargetValues, Task};

use crate::error::AutoMlError;
use crate::spec::{AutoMlSpec, wrong_metric};

/// An integer target with at most this many values reads as classes when nothing else decides.
const MAX_INTEGER_CLASSES: usize = 10;

/// More classes than this is a mistake more often than a task.
const MAX_CLASSES: usize = 1000;

/// A target column's cells: as text for classes, as numbers where they are.
#[derive(Debug)]
pub(super) struct Labels {
    name: String,
    /// The cell as a person would write it; `None` where missing.
    text: Vec<Option<String>>,
    /// The cell as a number; `None` for a column that is not numeric.
    numbers: Option<Vec<f64>>,
    n_unique: usize,
}

/// Takes a column apart as a target.
pub(super) fn labels_of(table: &Table, name: &str) -> Result<Labels, AutoMlError> {
    let column = table.column(name).ok_or_else(|| {
        AutoMlError::unusable(format!("column `{name}` was not read"), "name another target with --target")
    })?;
    let text: Vec<Option<String>> = match &column.values {
        Values::Number(values) => values.iter().map(|&v| v.is_finite().then(|| (v + 0.0).to_string())).collect(),
        Values::Category { codes, levels } => {
            codes.iter().map(|&code| levels.get(code as usize).map(ToString::to_string)).collect()
        }
        Values::Text(cells) => (0..table.n_rows()).map(|row| cells.get(row).map(str::to_owned)).collect(),
        Values::Datetime(_) => {
            return Err(AutoMlError::unusable(
                format!("column `{name}` holds dates, which cannot be predicted"),
                "name another target, or say its type with --types",
            ));
        }
    };
    let numbers = if let Values::Number(values) = &column.values { Some(values.clone()) } else { None };
    let n_unique = text.iter().flatten().collect::<std::collections::BTreeSet<_>>().len();
    Ok(Labels { name: name.to_owned(), text, numbers, n_unique })
}

/// The task and what decided it.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) task: Task,
    pub(super) reason: String,
}

/// The request decides, then the metric, then the target's values.
pub(super) fn decide(spec: &AutoMlSpec, schema: &ColumnSchema, labels: &Labels) -> Result<Decided, AutoMlError> {
    let name = &labels.name;
    let present = labels.text.iter().flatten().count();
    if present == 0 {
        return Err(AutoMlError::unusable(
            format!("column `{name}`: the target is missing in every row"),
            "name another column with --target",
        ));
    }
    if labels.n_unique == 1 {
        let value = labels.text.iter().flatten().next().map_or("", String::as_str);
        return Err(AutoMlError::unusable(
            format!("column `{name}`: the target is `{value}` in every row; there is nothing to learn"),
            "name another column with --target",
        ));
    }
    let classes = if labels.n_unique == 2 { Task::Binary } else { Task::Multiclass };
    let decided = |task, reason: String| Ok::<_, AutoMlError>(Decided { task, reason });
    let numeric = labels.numbers.is_some();
    let result = if let Some(task) = spec.task {
        match task {
            Task::Binary if labels.n_unique > 2 => {
                return Err(AutoMlError::unusable(
                    format!("column `{name}` has {} values; a binary target has 2", labels.n_unique),
                    "use --task classification",
                ));
            }
            // `--task classification` arrives as multiclass; two values make it binary.
            Task::Multiclass => decided(classes, "as asked".into()),
            other => decided(other, "as asked".into()),
        }
    } else if let Some((metric, task)) = spec.metric.as_ref().and_then(|metric| Some((metric, asked(metric, classes)?)))
    {
        decided(task, format!("as {} asks", metric.name()))
    } else if labels.n_unique == 2 {
        decided(Task::Binary, "the target has 2 values".into())
    } else if !numeric {
        decided(Task::Multiclass, format!("the target has {} values that are not numbers", labels.n_unique))
    } else if schema.kind == Kind::Integer && labels.n_unique <= MAX_INTEGER_CLASSES {
        decided(
            Task::Multiclass,
            format!("the target has {} whole numbers; --task regression if they measure", labels.n_unique),
        )
    } else {
        decided(Task::Regression, format!("the target has {} numbers", labels.n_unique))
    }?;
    match result.task {
        Task::Regression if !numeric => Err(AutoMlError::unusable(
            format!("column `{name}` is {}, and regression needs numbers", schema.kind),
            match &spec.metric {
                Some(metric) => {
                    format!("{} scores numbers; for classes use --metric roc_auc or log_loss", metric.name())
                }
                None => format!("use --task classification, or --types {name}=numeric if it only looks otherwise"),
            },
        )),
        Task::Binary | Task::Multiclass if labels.n_unique == present && present > 2 => Err(AutoMlError::unusable(
            format!("column `{name}`: every one of {present} values is different; there is no class to learn"),
            "name another column with --target",
        )),
        Task::Binary | Task::Multiclass if labels.n_unique > MAX_CLASSES => Err(AutoMlError::unusable(
            format!("column `{name}` has {} classes, more than {MAX_CLASSES}", labels.n_unique),
            "use --task regression if they measure something",
        )),
        task => match &spec.metric {
            Some(metric) if !metric.tasks().contains(&task) => Err(AutoMlError::Usage(wrong_metric(metric, task))),
            _ => Ok(result),
        },
    }
}

/// The task a metric asks for; an expression may score both classes and numbers, and then asks for neither.
fn asked(metric: &MetricSpec, classes: Task) -> Option<Task> {
    let tasks = metric.tasks();
    match (tasks.contains(&Task::Regression), tasks.iter().any(|task| task.is_classification())) {
        (true, true) => None,
        (true, false) => Some(Task::Regression),
        (false, _) => Some(classes),
    }
}

/// A target with its usable rows.
#[derive(Debug)]
pub(super) struct ReadTarget {
    pub(super) target: Target,
    pub(super) rows: Vec<u32>,
    pub(super) n_missing: usize,
    /// Classes with a single row, which no split can serve.
    pub(super) dropped_classes: Vec<(String, usize)>,
}

/// The target's values, class order and usable rows. Binary order is negative, positive.
pub(super) fn read(spec: &AutoMlSpec, decided: &Decided, labels: &Labels) -> Result<ReadTarget, AutoMlError> {
    let n_missing = labels.text.iter().filter(|cell| cell.is_none()).count();
    if decided.task == Task::Multiclass && spec.positive.is_some() {
        return Err(AutoMlError::Usage("--positive: the target has more than two classes".into()));
    }
    let classes = if decided.task == Task::Regression { Vec::new() } else { class_order(spec, decided.task, labels)? };
    if decided.task == Task::Regression && spec.positive.is_some() {
        return Err(AutoMlError::Usage("--positive names a class, and this is a regression".into()));
    }
    let mut dropped = Vec::new();
    let mut kept = classes;
    if decided.task != Task::Regression {
        let counts = counts(labels);
        kept.retain(|class| {
            let single = counts.get(class.as_str()) == Some(&1);
            if single {
                dropped.push((class.clone(), 1));
            }
            !single
        });
        if kept.len() < 2 {
            return Err(AutoMlError::unusable(
                format!("column `{}`: only {} class has at least two rows", labels.name, kept.len()),
                "two rows of each class are the least that can be split",
            ));
        }
    }
    // Dropping a class may leave two of three.
    let task = if decided.task == Task::Multiclass && kept.len() == 2 { Task::Binary } else { decided.task };
    let (target, rows) = read_as(task, &kept, labels);
    if rows.len() < 4 {
        return Err(AutoMlError::unusable(
            format!("{} rows have a target; at least 4 are needed to train and to test", rows.len()),
            "add rows",
        ));
    }
    Ok(ReadTarget { target, rows, n_missing, dropped_classes: dropped })
}

/// Values in a given class order; rows whose value is missing or not among the classes are not listed.
pub(super) fn read_as(task: Task, classes: &[String], labels: &Labels) -> (Target, Vec<u32>) {
    let mut rows = Vec::new();
    let values = if task == Task::Regression {
        let numbers = labels.numbers.clone().unwrap_or_else(|| vec![f64::NAN; labels.text.len()]);
        rows.extend((0..numbers.len() as u32).filter(|&row| numbers[row as usize].is_finite()));
        TargetValues::Numbers(numbers)
    } else {
        let index: BTreeMap<&str, u32> =
            classes.iter().enumerate().map(|(code, class)| (class.as_str(), code as u32)).collect();
        let codes = labels.text.iter().enumerate().map(|(row, cell)| {
            let code = cell.as_deref().and_then(|text| index.get(text)).copied();
            if code.is_some() {
                rows.push(row as u32);
            }
            code.unwrap_or(0)
        });
        TargetValues::Classes(codes.collect())
    };
    (Target { task, classes: classes.to_vec(), values }, rows)
}

/// The classes that a model does not know, with their rows; none of numbers.
pub(super) fn unknown_classes(classes: &[String], labels: &Labels) -> Vec<(String, usize)> {
    let known = |class: &str| classes.iter().any(|known| known == class);
    let unknown = counts(labels).into_iter().filter(|(class, _)| !classes.is_empty() && !known(class));
    unknown.map(|(class, n)| (class.to_owned(), n)).collect()
}

fn counts(labels: &Labels) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for cell in labels.text.iter().flatten() {
        *counts.entry(cell.as_str()).or_insert(0) += 1;
    }
    counts
}

/// Sorted, numbers by value; for a binary task the positive class last.
fn class_order(spec: &AutoMlSpec, task: Task, labels: &Labels) -> Result<Vec<String>, AutoMlError> {
    let counts = counts(labels);
    let mut classes: Vec<String> = counts.keys().map(ToString::to_string).collect();
    if labels.numbers.is_some() {
        let number = |text: &String| text.parse::<f64>().unwrap_or(f64::NAN);
        classes.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    let positive = match &spec.positive {
        Some(asked) if classes.contains(asked) => asked.clone(),
        Some(asked) => {
            return Err(AutoMlError::Usage(format!(
                "--positive {asked}: column `{}` has no such value, only {}",
                labels.name,
                classes.iter().take(10).cloned().collect::<Vec<_>>().join(", ")
            )));
        }
        None => natural_positive(&classes, &counts),
    };
    if task == Task::Binary
        && let Some(at) = classes.iter().position(|class| *class == positive)
    {
        let class = classes.remove(at);
        classes.push(class);
    }
    Ok(classes)
}

/// `yes`, `true`, `1` and their like; else the rarer class; else the last.
pub(crate) fn natural_positive(classes: &[String], counts: &BTreeMap<&str, usize>) -> String {
    let affirmative = ["yes", "y", "true", "t", "1", "positive", "pos"];
    let spoken = classes.iter().find(|class| affirmative.contains(&class.to_lowercase().as_str()));
    let rarest = classes.iter().rev().min_by_key(|class| counts.get(class.as_str()).copied().unwrap_or(0));
    spoken.or(rarest).cloned().unwrap_or_default()
}
