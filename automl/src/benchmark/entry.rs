//! One entry of a suite's `datasets`.

use std::path::Path;

use serde_json::Value as Json;
use trainers::{Metric, MetricSpec, Task};

use super::fields::{Fields, shown};
use super::manifest;
use super::suite::{Dataset, Division, Source};

/// One entry of `datasets`: a data set, or all of a harness's manifest.
pub(super) fn read(
    path: &str,
    given: Json,
    folder: &Path,
    datasets: &mut Vec<Dataset>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let mut fields = Fields::new(path, given)?;
    if let Some(file) = fields.text("manifest")? {
        return manifest::read(fields, &file, folder, datasets, notes);
    }
    let name = fields.need_text("name", "what the data set is called in tables")?;
    let target = fields.need_text("target", "the column to predict")?;
    let task = task(&fields.at("task"), &fields.need_text("task", "binary, multiclass or regression")?)?;
    let metric = match fields.text("metric")? {
        Some(asked) => metric(&fields.at("metric"), &asked, task)?,
        None => default_metric(task),
    };
    let positive = fields.text("positive")?;
    if positive.is_some() && task != Task::Binary {
        return Err(format!(
            "{}: only a binary target has a positive class, and this is {task}",
            fields.at("positive")
        ));
    }
    let (train, test, data) = (fields.text("train")?, fields.text("test")?, fields.text("data")?);
    let split = fields.take("split");
    let source = match (train, test, data) {
        (Some(train), Some(test), None) if split.is_none() => {
            Source::Given { train: rooted(folder, train), test: rooted(folder, test) }
        }
        (None, None, Some(data)) => {
            let (split, seed) = division(&fields.at("split"), split)?;
            Source::Divided { data: rooted(folder, data), split, seed }
        }
        _ => return Err(format!("{path}: data set `{name}` needs `train` and `test`, or `data` and `split`")),
    };
    fields.end()?;
    datasets.push(Dataset { name, task, target, metric, positive, classes: None, source });
    Ok(())
}

/// `{folds: 5, seed: 1}` or `{test: 0.25}`; a quarter is predicted where nothing is said.
fn division(path: &str, given: Option<Json>) -> Result<(Division, u64), String> {
    let Some(given) = given else { return Ok((Division::Test(0.25), 1)) };
    let mut fields = Fields::new(path, given)?;
    let (folds, test, seed) = (fields.whole("folds", 2)?, fields.take("test"), fields.whole("seed", 0)?.unwrap_or(1));
    let division = match (folds, test) {
        (Some(k), None) => Division::Folds(u32::try_from(k).map_err(|_| format!("{path}.folds: {k} are too many"))?),
        (None, Some(share)) => Division::Test(
            share
                .as_f64()
                .filter(|share| (0.01..=0.9).contains(share))
                .ok_or_else(|| format!("{path}.test: {} is no share from 0.01 to 0.9", shown(&share)))?,
        ),
        _ => return Err(format!("{path}: it needs one of `folds` and `test`")),
    };
    fields.end()?;
    Ok((division, seed))
}

/// A path seen from the suite's folder; a URL or a sample as it is.
fn rooted(folder: &Path, path: String) -> String {
    if path.contains("://") { path } else { folder.join(path).display().to_string() }
}

pub(super) fn task(path: &str, name: &str) -> Result<Task, String> {
    let found = Task::ALL.into_iter().find(|task| task.name() == name);
    found.ok_or_else(|| format!("{path}: `{name}` is no task: binary, multiclass or regression"))
}

pub(super) fn metric(path: &str, name: &str, task: Task) -> Result<MetricSpec, String> {
    let metric = MetricSpec::parse(name).map_err(|error| format!("{path}: {error}"))?;
    if !metric.tasks().contains(&task) {
        let listed: Vec<&str> = Metric::of(task).map(Metric::name).collect();
        return Err(format!("{path}: {name} does not score {task} predictions; there are {}", listed.join(", ")));
    }
    Ok(metric)
}

/// The harness's: area under the ROC curve, log-loss, root mean squared error.
fn default_metric(task: Task) -> MetricSpec {
    MetricSpec::Table(match task {
        Task::Binary => Metric::RocAuc,
        Task::Multiclass => Metric::LogLoss,
        Task::Regression => Metric::Rmse,
    })
}
