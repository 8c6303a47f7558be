//! The manifest of a harness: many data sets that are laid out in folders already.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value as Json;
use trainers::Task;

use super::entry::{metric, task};
use super::fields::{Fields, text, whole};
use super::suite::{Dataset, Source};

/// What is read of an entry; a manifest says more, for people.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Entry {
    name: String,
    task: String,
    target: String,
    metric: String,
    positive: Option<Json>,
    classes: Option<Vec<Json>>,
    path: Option<String>,
    set: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Manifest {
    datasets: Vec<Entry>,
}

/// Reads the entry `{manifest: FILE, data: FOLDER, folds: [0], set: PUBLIC}` of a suite: every data set of a table in the
/// manifest. Its folders are `data/NAME/foldK`, or `PATH` beside the manifest, which is fold 0.
pub(super) fn read(
    mut fields: Fields,
    file: &str,
    folder: &Path,
    datasets: &mut Vec<Dataset>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let (at, file) = (fields.at("manifest"), folder.join(file));
    let shown = file.display();
    let data = fields.text("data")?;
    let folds = fields.list("folds").iter().map(|(at, value)| whole(at, value, 0)).collect::<Result<Vec<_>, _>>()?;
    let set = fields.text("set")?;
    fields.end()?;
    let beside = file.parent().unwrap_or(Path::new("/"));
    let data = data.map_or_else(|| beside.join("data"), |data| folder.join(data));
    let bytes = std::fs::read(&file).map_err(|error| format!("{at}: {shown}: it cannot be read: {error}"))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|error| format!("{at}: {shown}: it is no manifest: {error}"))?;
    let before = datasets.len();
    let mut left_aside = Vec::new();
    for entry in manifest.datasets {
        let is_asked = set.as_ref().is_none_or(|set| entry.set.as_ref() == Some(set));
        if !is_asked {
            continue;
        }
        if entry.task == "forecast" {
            left_aside.push(entry.name);
            continue;
        }
        let at = format!("{at}: {}", entry.name);
        datasets.push(dataset(&at, entry, beside, &data, &folds)?);
    }
    if !left_aside.is_empty() {
        notes.push(format!("{} forecasting sets of {shown} are left aside: this runs tables", left_aside.len()));
    }
    if datasets.len() == before {
        return Err(format!(
            "{at}: {shown} has no data set of a table{}",
            set.map_or_else(String::new, |s| format!(" in set {s}"))
        ));
    }
    Ok(())
}

fn dataset(at: &str, entry: Entry, beside: &Path, data: &Path, folds: &[u64]) -> Result<Dataset, String> {
    let task = task(at, &entry.task)?;
    // The harness's own short names.
    let asked = match entry.metric.as_str() {
        "auc" => "roc_auc",
        "logloss" => "log_loss",
        other => other,
    };
    let words = |values: Vec<Json>| values.iter().map(|value| text(at, value)).collect::<Result<Vec<_>, _>>();
    let positive = entry.positive.map(|value| text(at, &value)).transpose()?.filter(|_| task == Task::Binary);
    let classes = entry.classes.map(words).transpose()?.filter(|_| task.is_classification());
    let mut found = laid_out(&data.join(&entry.name));
    if found.is_empty() {
        let own = entry.path.as_ref().map(|path| beside.join(path)).filter(|own| has_rows(own));
        found.extend(own.map(|own| (0, own)));
    }
    if !folds.is_empty() {
        found.retain(|(fold, _)| folds.contains(&u64::from(*fold)));
    }
    if found.is_empty() {
        let shown = data.join(&entry.name);
        return Err(format!(
            "{at}: there is no train.csv in {}: lay the data out, or give `data`",
            shown.join("fold0").display()
        ));
    }
    let metric = metric(at, asked, task)?;
    Ok(Dataset { name: entry.name, task, target: entry.target, metric, positive, classes, source: Source::Laid(found) })
}

fn has_rows(folder: &Path) -> bool {
    ["train.csv", "train.csv.gz"].iter().any(|name| folder.join(name).is_file())
}

/// Folders `foldK` with rows, by their numbers.
fn laid_out(folder: &Path) -> Vec<(u32, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let number = entry.file_name().to_string_lossy().strip_prefix("fold")?.parse::<u32>().ok()?;
        Some((number, entry.path()))
    });
    let mut found: Vec<(u32, PathBuf)> = numbered.filter(|(_, path)| has_rows(path)).collect();
    found.sort();
    found
}
