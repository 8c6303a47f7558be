//! A sweep file: the YAML of an Azure ML CLI v2 sweep job, as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hyperdrive::{EarlyTerminationPolicy, Goal, Ladder, Limits, Objective, SamplingAlgorithm, StudySpec};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::command::Template;
use super::names::Names;
use super::sampler::{policy, sampler, sampler_with};
use super::search_space::search_space;
use super::yaml;

/// Seconds a sweep may take where its file does not say: Azure's default, 60 days.
const TIMEOUT: f64 = 5_184_000.0;
/// The seed where the file has none.
const SEED: u64 = 7;
/// The sampler that Azure's word `bayesian` means.
const BAYESIAN: &str = "auto";
/// A trial lost to a crash of this program is tried once more.
const RETRIES: u32 = 1;

/// The file, field by field. A field that is not here is refused by name; those that have no meaning on one machine
/// are taken as [`Ignored`] and named in a note.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    sampling_algorithm: Option<Json>,
    search_space: Map<String, Json>,
    objective: Json,
    limits: Json,
    early_termination: Option<Json>,
    trial: Json,
    #[serde(default)]
    inputs: BTreeMap<String, Json>,
    name: Option<String>,
    display_name: Option<String>,
    experiment_name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, Json>,
    compute: Option<Ignored>,
    resources: Option<Ignored>,
    queue_settings: Option<Ignored>,
    identity: Option<Ignored>,
    services: Option<Ignored>,
    properties: Option<Ignored>,
    outputs: Option<Ignored>,
}

/// What is read and does nothing here.
type Ignored = Json;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileObjective {
    goal: String,
    primary_metric: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLimits {
    max_total_trials: u32,
    max_concurrent_trials: Option<u32>,
    timeout: Option<f64>,
    trial_timeout: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTrial {
    command: String,
    code: Option<String>,
    #[serde(default)]
    environment_variables: BTreeMap<String, Json>,
    environment: Option<Ignored>,
    distribution: Option<Ignored>,
    resources: Option<Ignored>,
    queue_settings: Option<Ignored>,
}

/// A sweep, checked and ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// Its name for people and for its run: the file's `name` or `display_name`, if it has one.
    pub name: Option<String>,
    /// The study, its concurrency set for this machine.
    pub study: StudySpec,
    /// What its parameters are called.
    pub names: Names,
    /// How the command is made.
    pub template: Template,
    /// The folder that the command runs in.
    pub folder: PathBuf,
    /// Variables for the command's environment.
    pub environment: BTreeMap<String, String>,
    /// Seconds for the whole sweep, where the file says.
    pub timeout: Option<f64>,
    /// What the file says that has no effect here, and other things worth a line.
    pub notes: Vec<String>,
    /// What the run is labelled with.
    pub tags: BTreeMap<String, String>,
}

impl Sweep {
    /// Reads a file that lay in `folder`. `cores` is how many trials run at a time where it does not say. The error names
    /// the field or the line.
    pub fn parse(text: &str, folder: &Path, cores: usize) -> Result<Self, String> {
        let file: File = part("", yaml::read(text)?)?;
        let (given_objective, given_limits) =
            (part("objective", file.objective.clone())?, part("limits", file.limits.clone())?);
        let trial: FileTrial = part("trial", file.trial.clone())?;
        if let Some(kind) = file.kind.as_deref().filter(|kind| *kind != "sweep") {
            return Err(format!("type: `{kind}` is no sweep: `automl sweep run` runs files of `type: sweep`"));
        }
        let (space, names) = search_space(&file.search_space)?;
        let (algorithm, seed) = algorithm(file.sampling_algorithm.as_ref())?;
        let limits = limits(&given_limits, cores)?;
        let mut notes = ignored(&file, &trial);
        if given_limits.max_concurrent_trials.is_none() {
            notes.push(format!(
                "limits.max_concurrent_trials is not given: {} at a time, one a core (Azure would start all at once)",
                limits.max_concurrent
            ));
        }
        let study = StudySpec {
            search_space: space,
            objectives: vec![objective(&given_objective)?],
            sampling_algorithm: algorithm,
            early_termination: file.early_termination.as_ref().map_or(Ok(EarlyTerminationPolicy::None), policy)?,
            limits,
            ladder: Ladder::Reports,
            known: Vec::new(),
            seed,
        };
        study.check().map_err(|error| error.to_string())?;
        let template = Template::parse(&trial.command, &names, &study.search_space, &file.inputs, folder)?;
        notes.extend(template.unused().map(|name| format!("the command does not use `${{{{search_space.{name}}}}}`")));
        let tags = file.tags.iter().map(|(key, value)| (key.clone(), super::names::text(value)));
        let labels = [("experiment", &file.experiment_name), ("description", &file.description)];
        let labels = labels.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
        Ok(Self {
            name: file.display_name.clone().or(file.name.clone()),
            names,
            template,
            folder: code(trial.code.as_deref(), folder)?,
            environment: environment(&trial.environment_variables)?,
            timeout: given_limits.timeout,
            notes,
            tags: labels.chain(tags).collect(),
            study,
        })
    }
}

/// A part of the file; a field that it does not have is named.
fn part<T: serde::de::DeserializeOwned>(path: &str, given: Json) -> Result<T, String> {
    let at = if path.is_empty() { String::new() } else { format!("{path}: ") };
    if !given.is_object() {
        return Err(format!("{at}it is no mapping of fields to values"));
    }
    serde_json::from_value(given).map_err(|error| format!("{at}{error}"))
}

/// The folder that the command runs in: `code`, seen from the file, or the file's own.
fn code(given: Option<&str>, folder: &Path) -> Result<PathBuf, String> {
    let Some(code) = given else { return Ok(folder.to_path_buf()) };
    let remote = ["azureml:", "http:", "https:", "git+", "git:"].iter().any(|scheme| code.starts_with(scheme));
    let path = folder.join(code.strip_prefix("file:").unwrap_or(code));
    if remote || !path.is_dir() {
        return Err(format!("trial.code: `{code}` is no folder here: a folder on this machine, seen from the file's"));
    }
    Ok(path)
}

fn objective(given: &FileObjective) -> Result<Objective, String> {
    let goal = match given.goal.to_lowercase().as_str() {
        "maximize" => Goal::Maximize,
        "minimize" => Goal::Minimize,
        other => return Err(format!("objective.goal: `{other}` is neither maximize nor minimize")),
    };
    if given.primary_metric.trim().is_empty() {
        return Err("objective.primary_metric: it is empty: give the name that the script prints".into());
    }
    Ok(Objective { metric: given.primary_metric.clone(), goal })
}

fn limits(given: &FileLimits, cores: usize) -> Result<Limits, String> {
    let at_least_one = |name: &str, value: u32| {
        if value > 0 { Ok(value) } else { Err(format!("limits.{name}: 0 is less than 1")) }
    };
    let seconds = |name: &str, value: Option<f64>| match value {
        Some(x) if !(x.is_finite() && x > 0.0) => Err(format!("limits.{name}: {x} is no number of seconds above 0")),
        other => Ok(other),
    };
    let max_trials = at_least_one("max_total_trials", given.max_total_trials)?;
    let at_once = given.max_concurrent_trials.map(|n| at_least_one("max_concurrent_trials", n)).transpose()?;
    Ok(Limits {
        max_trials: Some(max_trials),
        search_seconds: Some(seconds("timeout", given.timeout)?.unwrap_or(TIMEOUT)),
        trial_seconds: seconds("trial_timeout", given.trial_timeout)?,
        max_concurrent: at_once.unwrap_or(cores.max(1) as u32).min(max_trials),
        max_retries: RETRIES,
        ..Limits::default()
    })
}

/// The sampler and the seed. Azure's own words are `random`, `grid` and `bayesian`; any other is one of the search's.
fn algorithm(given: Option<&Json>) -> Result<(SamplingAlgorithm, u64), String> {
    let bad = |reason: String| format!("sampling_algorithm: {reason}");
    let by_name = |name: &str| sampler(if name == "bayesian" { BAYESIAN } else { name }).map_err(bad);
    match given {
        None => Ok((by_name(BAYESIAN)?, SEED)),
        Some(Json::String(name)) => Ok((by_name(name)?, SEED)),
        Some(Json::Object(fields)) => {
            let mut fields = fields.clone();
            let Some(Json::String(name)) = fields.remove("type") else {
                return Err(bad("it has no `type`: random, grid, bayesian or a sampler of ours".into()));
            };
            let seed = match fields.remove("seed") {
                None | Some(Json::Null) => SEED,
                Some(seed) => {
                    seed.as_u64().ok_or_else(|| bad(format!("seed {seed} is no whole number of at least 0")))?
                }
            };
            if name == "random" {
                // The base of a logarithm changes no distribution: equal ratios stay equally likely.
                fields.remove("logbase");
                match fields.remove("rule") {
                    None | Some(Json::Null) => {}
                    Some(Json::String(rule)) if rule == "random" => {}
                    Some(Json::String(rule)) if rule == "sobol" => {
                        return match fields.keys().next() {
                            None => Ok((by_name("sobol")?, seed)),
                            Some(name) => Err(bad(format!("random has no field `{name}`"))),
                        };
                    }
                    Some(rule) => return Err(bad(format!("rule {rule} is neither random nor sobol"))),
                }
            }
            let name = if name == "bayesian" { BAYESIAN } else { &name };
            Ok((sampler_with(name, &fields).map_err(bad)?, seed))
        }
        Some(other) => Err(bad(format!("{other} is no sampler: write its name, or an object with a `type`"))),
    }
}

fn environment(given: &BTreeMap<String, Json>) -> Result<BTreeMap<String, String>, String> {
    let mut variables = BTreeMap::new();
    for (name, value) in given {
        if name.is_empty() || name.contains(['=', '\0']) || value.is_object() || value.is_array() {
            return Err(format!("trial.environment_variables.{name}: {value} cannot stand in an environment"));
        }
        variables.insert(name.clone(), if value.is_null() { String::new() } else { super::names::text(value) });
    }
    Ok(variables)
}

/// Fields that mean something elsewhere, each with what happens instead.
fn ignored(file: &File, trial: &FileTrial) -> Vec<String> {
    let all = [
        ("trial.environment", trial.environment.is_some(), "the command runs with what this machine has installed"),
        ("trial.distribution", trial.distribution.is_some(), "a trial is one process here"),
        ("trial.resources", trial.resources.is_some(), "trials run on this machine"),
        ("trial.queue_settings", trial.queue_settings.is_some(), "trials run on this machine"),
        ("compute", file.compute.as_ref().is_some_and(|compute| *compute != "local"), "trials run on this machine"),
        ("resources", file.resources.is_some(), "trials run on this machine"),
        ("queue_settings", file.queue_settings.is_some(), "trials run on this machine"),
        ("identity", file.identity.is_some(), "trials run as who started the sweep"),
        ("services", file.services.is_some(), "none is started"),
        ("properties", file.properties.is_some(), "they are for the service"),
        ("outputs", file.outputs.is_some(), "a trial's own folder is in `$AUTOML_OUTPUT_DIR`"),
    ];
    let said = |(name, there, instead): (&str, bool, &str)| there.then(|| format!("{name} is ignored: {instead}"));
    all.into_iter().filter_map(said).collect()
}

/// What a run of a sweep is made again from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Version of this form, 1.
    pub version: u32,
    /// The file's text.
    pub text: String,
    /// The folder it lay in, absolute.
    pub folder: String,
    /// Trials at a time, where the file does not say.
    pub cores: usize,
    /// Trials in all, where a resume has changed it.
    #[serde(default)]
    pub max_trials: Option<u32>,
    /// Seconds in all, where a resume has changed it.
    #[serde(default)]
    pub search_seconds: Option<f64>,
}
