//! What is compared: this program, or any command.

use std::path::Path;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::fields::{Fields, shown, text};
use super::suite::Dataset;
use super::template::{Template, quoted};

/// What the benchmark says to our own engine itself, and its options must therefore not.
const OWN: [&str; 13] = [
    "train",
    "target",
    "task",
    "metric",
    "positive",
    "time-limit",
    "cores",
    "seed",
    "model-out",
    "dry-run",
    "name",
    "test",
    "help",
];

/// An engine under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Its name in tables and records.
    pub name: String,
    /// How it is run.
    pub kind: EngineKind,
    /// A command whose first line of output is its version.
    pub version_command: Option<String>,
}

/// How an engine is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineKind {
    /// This program: `automl fit` with these further arguments, then `automl predict --proba`.
    Ours(Vec<String>),
    /// Commands for `sh -c`; without the second the first writes the predictions too.
    Command {
        /// Fits, and predicts where there is no second.
        fit: Template,
        /// Predicts.
        predict: Option<Template>,
    },
}

/// What is filled in for one run.
#[derive(Debug, Clone)]
pub(super) struct Values<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) train: &'a Path,
    pub(super) test: &'a Path,
    pub(super) out: &'a Path,
    pub(super) model: &'a Path,
    pub(super) workspace: &'a Path,
    pub(super) budget: f64,
    pub(super) threads: usize,
    pub(super) seed: u64,
}

impl Values<'_> {
    fn of(&self, place: &str) -> String {
        match place {
            "train" => self.train.display().to_string(),
            "test" => self.test.display().to_string(),
            "out" => self.out.display().to_string(),
            "model" => self.model.display().to_string(),
            "target" => self.dataset.target.clone(),
            "task" => self.dataset.task.name().to_owned(),
            "metric" => self.dataset.metric.name().to_owned(),
            "budget" => self.budget.to_string(),
            "threads" => self.threads.to_string(),
            "seed" => self.seed.to_string(),
            "horizon" | "seasonality" => "0".to_owned(),
            _ => String::new(),
        }
    }
}

impl Engine {
    /// Our own engine with its defaults.
    pub fn ours(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: EngineKind::Ours(Vec::new()), version_command: None }
    }

    /// Reads an entry of `engines`: a mapping, or the word `automl`.
    pub(super) fn read(path: &str, given: Json) -> Result<Self, String> {
        if given == "automl" {
            return Ok(Self::ours("automl"));
        }
        let mut fields = Fields::new(path, given)?;
        let name = fields.need_text("name", "what the engine is called in tables")?;
        let is_ours = fields.flag("ours")?;
        let options = fields.take("options");
        let (command, predict) = (fields.text("command")?, fields.text("predict_command")?);
        let version_command = fields.text("version_command")?;
        let at = |field: &str| fields.at(field);
        let kind = match (is_ours, command) {
            (true, None) if predict.is_none() => EngineKind::Ours(flags(&at("options"), options)?),
            (true, _) => return Err(format!("{path}: `ours` is this program, which has no command: leave one away")),
            (false, None) => {
                return Err(format!("{path}: engine `{name}` has no `command`; this program itself is `ours: true`"));
            }
            (false, Some(_)) if options.is_some() => {
                return Err(format!("{}: only `ours` has options: write them in the command", at("options")));
            }
            (false, Some(command)) => {
                let template = |field: &str, command: &str| {
                    Template::parse(command).map_err(|reason| format!("{}: {reason}", at(field)))
                };
                let fit = template("command", &command)?;
                let predict = predict.map(|command| template("predict_command", &command)).transpose()?;
                if !fit.names("out") && !predict.as_ref().is_some_and(|predict| predict.names("out")) {
                    return Err(format!("{path}: no command of engine `{name}` names `{{out}}`, where predictions go"));
                }
                EngineKind::Command { fit, predict }
            }
        };
        fields.end()?;
        Ok(Self { name, kind, version_command })
    }

    /// What identifies the command on this data set: results of another are not its results.
    pub(super) fn hash(&self, dataset: &Dataset, threads: usize) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        match &self.kind {
            EngineKind::Ours(options) => options.iter().for_each(|option| part(option)),
            EngineKind::Command { fit, predict } => {
                part(fit.text());
                part(predict.as_ref().map_or("", |predict| predict.text()));
            }
        }
        for text in [dataset.task.name(), &dataset.target, dataset.metric.name()] {
            part(text);
        }
        part(dataset.positive.as_deref().unwrap_or_default());
        part(&threads.to_string());
        hex(&hash.finalize()[..6])
    }

    /// The command that fits, for `sh -c`.
    pub(super) fn fit_command(&self, program: &Path, values: &Values<'_>) -> String {
        match &self.kind {
            EngineKind::Command { fit, .. } => fit.fill(|place| values.of(place)),
            EngineKind::Ours(options) => {
                let of = |place| values.of(place);
                let mut words = vec![program.display().to_string(), "fit".into(), of("train")];
                let limit = format!("{}s", values.budget);
                let workspace = values.workspace.display().to_string();
                let given = [
                    ("--target", of("target")),
                    ("--task", of("task")),
                    ("--metric", of("metric")),
                    ("--time-limit", limit),
                    ("--cores", of("threads")),
                    ("--seed", of("seed")),
                    ("--workspace", workspace),
                    ("--model-out", of("model")),
                    ("--name", "benchmark".into()),
                ];
                // An option and its value are one word, so that a value may begin with a dash.
                words.extend(given.iter().map(|(flag, value)| format!("{flag}={value}")));
                words.extend(values.dataset.positive.iter().map(|class| format!("--positive={class}")));
                words.extend(options.iter().cloned());
                words.push("--quiet".into());
                words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// The command that predicts, where it is one of its own.
    pub(super) fn predict_command(&self, program: &Path, values: &Values<'_>) -> Option<String> {
        match &self.kind {
            EngineKind::Command { predict, .. } => Some(predict.as_ref()?.fill(|place| values.of(place))),
            EngineKind::Ours(_) => {
                let mut words = vec![program.display().to_string(), "predict".into(), values.of("test")];
                words.push(format!("--model={}", values.of("model")));
                words.push(format!("--out={}", values.of("out")));
                words.push(format!("--cores={}", values.of("threads")));
                if values.dataset.task.is_classification() {
                    words.push("--proba".into());
                }
                words.push("--quiet".into());
                Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// Options of `automl fit` as arguments: a text or number is a value, true a flag, a list joined by commas.
fn flags(path: &str, given: Option<Json>) -> Result<Vec<String>, String> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let Json::Object(fields) = given else {
        return Err(format!("{path}: {} is no mapping of options to values", shown(&given)));
    };
    let command = crate::cli::command();
    let fit = command.get_subcommands().find(|command| command.get_name() == "fit");
    let known: Vec<&str> =
        fit.into_iter().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long).collect();
    let mut flags = Vec::new();
    for (name, value) in &fields {
        let at = format!("{path}.{name}");
        let flag = name.trim_start_matches("--").replace('_', "-");
        if OWN.contains(&flag.as_str()) {
            return Err(format!("{at}: the benchmark itself says `--{flag}` (its value is {})", shown(value)));
        }
        if !known.contains(&flag.as_str()) {
            let near = datasets::nearest(&flag, &known).map_or_else(String::new, |near| format!("; nearest: `{near}`"));
            return Err(format!("{at}: `automl fit` has no option `--{flag}`{near}"));
        }
        match value {
            Json::Bool(true) => flags.push(format!("--{flag}")),
            Json::Bool(false) | Json::Null => {}
            Json::Array(items) => {
                let items: Result<Vec<String>, String> = items.iter().map(|item| text(&at, item)).collect();
                flags.push(format!("--{flag}={}", items?.join(",")));
            }
            one => flags.push(format!("--{flag}={}", text(&at, one)?)),
        }
    }
    Ok(flags)
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn our_own_options_are_those_of_fit() {
        let read = |options: Json| Engine::read("engines[0]", json!({"name": "x", "ours": true, "options": options}));
        let engine = read(json!({"max_trials": 5, "concurrent": 1, "ignore": ["a", "b"], "dry_run": false}));
        assert!(engine.expect_err("refused").contains("the benchmark itself says `--dry-run`"));
        let engine = read(json!({"max_trials": 5, "ignore": ["a", "b"]})).expect("sound");
        assert_eq!(engine.kind, EngineKind::Ours(vec!["--ignore=a,b".into(), "--max-trials=5".into()]));
        let error = read(json!({"max-trails": 5})).expect_err("no such option");
        assert_eq!(
            error,
            "engines[0].options.max-trails: `automl fit` has no option `--max-trails`; nearest: `max-trials`"
        );
        assert!(read(json!({"seed": 5})).expect_err("ours to say").contains("--seed"));
    }

    #[test]
    fn engines_that_cannot_run_are_refused() {
        for (given, word) in [
            (json!({"name": "x"}), "has no `command`"),
            (json!({"name": "x", "command": "fit {train}"}), "names `{out}`"),
            (json!({"name": "x", "ours": true, "command": "a {out}"}), "leave one away"),
            (json!({"name": "x", "ours": 1}), "engines[0].ours: 1 is neither true nor false"),
            (json!({"name": "x", "command": "{out}", "options": {}}), "only `ours` has options"),
            (json!({"name": "x", "comand": "{out}", "ours": true}), "engines[0].comand: no such field"),
            (json!("flaml"), "no mapping"),
        ] {
            let error = Engine::read("engines[0]", given.clone()).expect_err("refused");
            assert!(error.contains(word), "{given}: {error}");
        }
    }
}
