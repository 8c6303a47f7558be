//! A suite: data sets, budgets, seeds and engines, as a YAML file describes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use trainers::{MetricSpec, Task};

use super::engine::Engine;
use super::entry;
use super::fields::{self, Fields, shown, whole};
use crate::error::AutoMlError;
use crate::spec::Seconds;

/// Seconds beyond twice the budget after which an engine is ended, where the suite does not say: those of the harness.
const GRACE: f64 = 120.0;

/// What is to be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// The folder that paths begin at, absolute; engines find it as `$AUTOML_SUITE_DIR`.
    pub folder: PathBuf,
    /// The data sets.
    pub datasets: Vec<Dataset>,
    /// Seconds that an engine is given to fit, each above 0.
    pub budgets: Vec<f64>,
    /// Seeds that engines are given.
    pub seeds: Vec<u64>,
    /// Threads that an engine is given.
    pub threads: usize,
    /// The engines, in the order in which they take turns.
    pub engines: Vec<Engine>,
    /// The engine whose score is 1 in normalised scores; the best of each data set where absent.
    pub reference: Option<String>,
    /// Seconds after which an engine is ended; twice the budget and 120 where absent.
    pub kill_after: Option<f64>,
    /// What the file asks for that is left aside.
    pub notes: Vec<String>,
}

/// A data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// What is asked of it.
    pub task: Task,
    /// The column to predict.
    pub target: String,
    /// The metric that ranks.
    pub metric: MetricSpec,
    /// The positive class of a binary task, where it is said.
    pub positive: Option<String>,
    /// The classes by name, where they are known beforehand.
    pub classes: Option<Vec<String>>,
    /// Where its rows are.
    pub source: Source,
}

/// Where the rows of a data set are. Paths are files as `automl fit` reads them, a URL, or `open://NAME`.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Rows to learn from, and rows to predict; both with the target.
    Given {
        /// Rows to learn from.
        train: String,
        /// Rows to predict, with the target, which no engine sees.
        test: String,
    },
    /// One table, divided here.
    Divided {
        /// The table.
        data: String,
        /// How.
        split: Division,
        /// The seed of the division; no engine's.
        seed: u64,
    },
    /// Folders with `train.csv`, `test.csv` (without the target) and `test_target.csv`, plain or `.gz`, by fold.
    Laid(Vec<(u32, PathBuf)>),
}

/// How a table is divided: by classes, where there are some.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Division {
    /// Every row is predicted once, in one of so many folds.
    Folds(u32),
    /// This share of the rows is predicted.
    Test(f64),
}

impl Dataset {
    /// The numbers of its folds.
    pub fn folds(&self) -> Vec<u32> {
        match &self.source {
            Source::Divided { split: Division::Folds(k), .. } => (0..*k).collect(),
            Source::Laid(folders) => folders.iter().map(|(fold, _)| *fold).collect(),
            Source::Given { .. } | Source::Divided { .. } => vec![0],
        }
    }
}

impl Suite {
    /// Reads a suite file. Errors name the field and its value.
    pub fn read(file: &Path) -> Result<Self, AutoMlError> {
        let shown = file.display();
        let cannot =
            |error: std::io::Error| AutoMlError::Usage(format!("{shown}: the suite file cannot be read: {error}"));
        let text = std::fs::read_to_string(file).map_err(cannot)?;
        let absolute = std::path::absolute(file).map_err(cannot)?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        let stem = file.file_stem().map_or_else(|| "suite".to_owned(), |stem| stem.to_string_lossy().into_owned());
        Self::parse(&text, folder, &stem).map_err(|reason| AutoMlError::Usage(format!("{shown}: {reason}")))
    }

    /// Reads the text of a suite file that lay in `folder` and is called `stem` where it does not name itself.
    pub fn parse(text: &str, folder: &Path, stem: &str) -> Result<Self, String> {
        let mut fields = Fields::new("", crate::sweep::read_yaml(text)?)?;
        let name = fields.text("name")?.unwrap_or_else(|| stem.to_owned());
        let (mut datasets, mut notes) = (Vec::new(), Vec::new());
        for (path, given) in fields.list("datasets") {
            entry::read(&path, given, folder, &mut datasets, &mut notes)?;
        }
        let engines = fields.list("engines");
        let engines =
            engines.into_iter().map(|(path, given)| Engine::read(&path, given)).collect::<Result<Vec<_>, _>>()?;
        let budgets =
            fields.list("budgets").iter().map(|(path, given)| seconds(path, given)).collect::<Result<_, _>>()?;
        let seeds: Vec<u64> =
            fields.list("seeds").iter().map(|(path, given)| whole(path, given, 0)).collect::<Result<_, _>>()?;
        let only: Vec<String> =
            fields.list("only").iter().map(|(path, given)| fields::text(path, given)).collect::<Result<_, _>>()?;
        let threads = fields.whole("threads", 1)?.unwrap_or(crate::spec::available_cores() as u64) as usize;
        let kill_after = fields.take("kill_after").map(|given| seconds("kill_after", &given)).transpose()?;
        let reference = fields.text("reference")?;
        fields.end()?;
        let seeds = if seeds.is_empty() { vec![1] } else { seeds };
        let folder = folder.to_path_buf();
        let mut suite = Self { name, folder, datasets, budgets, seeds, threads, engines, reference, kill_after, notes };
        suite.keep_only("only", &only)?;
        suite.check()?;
        Ok(suite)
    }

    /// Leaves only data sets whose names match one of these patterns (`*` and `?`); all where there is none.
    pub fn keep_only(&mut self, who: &str, patterns: &[String]) -> Result<(), String> {
        let names: Vec<&str> = self.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
        for pattern in patterns {
            if !names.iter().any(|name| matches(pattern, name)) {
                let near = datasets::nearest(pattern, &names);
                let near = near.map_or_else(String::new, |near| format!("; nearest: `{near}`"));
                return Err(format!("{who}: no data set of the suite is called `{pattern}`{near}"));
            }
        }
        if !patterns.is_empty() {
            self.datasets.retain(|dataset| patterns.iter().any(|pattern| matches(pattern, &dataset.name)));
        }
        Ok(())
    }

    /// Refuses what cannot be run, naming it.
    pub fn check(&self) -> Result<(), String> {
        for (what, is_empty) in [
            ("datasets", self.datasets.is_empty()),
            ("budgets", self.budgets.is_empty()),
            ("seeds", self.seeds.is_empty()),
            ("engines", self.engines.is_empty()),
        ] {
            if is_empty {
                return Err(format!("{what}: there is none: at least one is needed"));
            }
        }
        if !is_name(&self.name) {
            return Err(format!("name: `{}` cannot name a folder: letters, digits, `.`, `_` and `-` can", self.name));
        }
        if let Some(budget) = self.budgets.iter().find(|budget| !(budget.is_finite() && **budget > 0.0)) {
            return Err(format!("budgets: {budget} is no number of seconds above 0"));
        }
        unique("datasets", self.datasets.iter().map(|dataset| dataset.name.as_str()))?;
        unique("engines", self.engines.iter().map(|engine| engine.name.as_str()))?;
        unique("budgets", self.budgets.iter().map(f64::to_string).collect::<Vec<_>>().iter().map(String::as_str))?;
        unique("seeds", self.seeds.iter().map(u64::to_string).collect::<Vec<_>>().iter().map(String::as_str))?;
        for dataset in &self.datasets {
            if !is_name(&dataset.name) {
                return Err(format!(
                    "datasets: `{}` cannot name a folder: letters, digits, `.`, `_` and `-` can",
                    dataset.name
                ));
            }
            if !dataset.metric.tasks().contains(&dataset.task) {
                return Err(format!(
                    "datasets: {}: metric {} does not score {} predictions",
                    dataset.name, dataset.metric, dataset.task
                ));
            }
        }
        if let Some(reference) = &self.reference {
            let names: Vec<&str> = self.engines.iter().map(|engine| engine.name.as_str()).collect();
            if !names.contains(&reference.as_str()) {
                let listed = names.join(", ");
                return Err(format!("reference: no engine is called `{reference}`; there are {listed}"));
            }
        }
        Ok(())
    }

    /// Seconds after which an engine is ended.
    pub fn limit(&self, budget: f64) -> f64 {
        self.kill_after.unwrap_or(2.0 * budget + GRACE)
    }
}

/// A number of seconds, or a length of time as `--time-limit` takes it.
fn seconds(path: &str, given: &Json) -> Result<f64, String> {
    let length = match given {
        Json::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Json::String(text) => text.parse::<Seconds>().map_err(|reason| format!("{path}: {reason}"))?.seconds(),
        other => return Err(format!("{path}: {} is no length of time: write 60s, 10m or 60", shown(other))),
    };
    if length.is_finite() && length > 0.0 {
        return Ok(length);
    }
    Err(format!("{path}: {} is no length of time above 0", shown(given)))
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what}: `{name}` is there twice"));
        }
    }
    Ok(())
}

/// Whether a name can be that of a folder.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(is_plain)
}

/// Whether a pattern of `*` (anything) and `?` (one character) matches the whole of a name.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..])),
        c => name.chars().next().is_some_and(|next| (c == '?' || c == next) && matches(rest, &name[next.len_utf8()..])),
    }
}
