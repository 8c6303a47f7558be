//! Ask and tell over lines of JSON: any program that can print a line can be tuned.
//!
//! The first line describes the study ([`Opening`]); every line after it is a message ([`AskTell::hear`]) that is
//! answered with lines of its own. A line that cannot be understood is answered with `{"error": …}` and changes
//! nothing.

use std::collections::BTreeMap;

use hyperdrive::{
    Decision, EarlyTerminationPolicy, EndReason, FailureKind, Goal, Ladder, Limits, Objective, Outcome, Params, Rung,
    SamplingAlgorithm, Study, StudySpec, TrialId, TrialState,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::flat::{Flat, Parameter};
use super::sampler::{policy, sampler};

/// The name of what is told, where messages need one.
const VALUE: &str = "value";

/// The first line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What can be tried.
    pub space: Vec<Parameter>,
    /// Which way is better. Default minimize.
    #[serde(default = "minimize")]
    pub goal: Goal,
    /// The seed of everything random. Default: the command line's.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Trials in all; the result of the same answers is then the same on every machine. Default: no limit.
    #[serde(default)]
    pub n_trials: Option<u32>,
    /// Trials that are kept under way without being asked for; 0 to ask for each. Default 1.
    #[serde(default = "one")]
    pub parallel: u32,
    /// The sampler. Default: the command line's.
    #[serde(default)]
    pub sampler: Option<String>,
    /// A policy that stops trials by their reports, as in a sweep file. Default: none.
    #[serde(default)]
    pub early_termination: Option<Json>,
    /// Points to try first.
    #[serde(default)]
    pub points: Vec<Map<String, Json>>,
}

fn minimize() -> Goal {
    Goal::Minimize
}

fn one() -> u32 {
    1
}

/// A line after the first. Which message it is, its fields say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    ask: Option<u32>,
    best: Option<bool>,
    trial: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Json>,
    step: Option<u64>,
    error: Option<String>,
}

/// Tells a field that is null from one that is not there.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

/// A conversation.
pub struct AskTell {
    study: Study,
    flat: Flat,
    parallel: u32,
    /// Of each trial under way: its latest step, and how many it has reported.
    reports: BTreeMap<u32, (u64, u16)>,
    reported: bool,
    over: bool,
}

impl AskTell {
    /// Begins with the first line; `sampler_name` and `seed` stand where it names none.
    pub fn open(line: &str, sampler_name: &str, seed: u64) -> Result<Self, String> {
        let opening: Opening = serde_json::from_str(&numbers_spelt_out(line))
            .map_err(|error| format!("the first line is no study: {error}; it looks like {EXAMPLE}"))?;
        let flat = Flat::new(opening.space)?;
        let policy = opening.early_termination.as_ref().map_or(Ok(EarlyTerminationPolicy::None), policy)?;
        let points = opening.points.iter().enumerate();
        let points: Vec<Params> = points
            .map(|(i, point)| flat.inside(point).map_err(|reason| format!("points[{i}]: {reason}")))
            .collect::<Result<_, _>>()?;
        let mut algorithm = sampler(opening.sampler.as_deref().unwrap_or(sampler_name))?;
        if !points.is_empty() {
            algorithm = SamplingAlgorithm::Enqueue { points, then: Box::new(algorithm) };
        }
        let reports = policy != EarlyTerminationPolicy::None;
        let spec = StudySpec {
            search_space: flat.space.clone(),
            objectives: vec![Objective { metric: VALUE.into(), goal: opening.goal }],
            sampling_algorithm: algorithm,
            early_termination: policy,
            limits: Limits { max_trials: opening.n_trials, lag: opening.parallel.max(1), ..Limits::default() },
            ladder: if reports { Ladder::Reports } else { Ladder::single() },
            known: Vec::new(),
            seed: opening.seed.unwrap_or(seed),
        };
        let study = Study::new(&spec).map_err(|error| error.to_string())?;
        Ok(Self {
            study,
            flat,
            parallel: opening.parallel,
            reports: BTreeMap::new(),
            reported: reports,
            over: false,
        })
    }

    /// The trials that are to be under way and are not yet.
    pub fn greet(&mut self) -> Vec<Json> {
        let mut said = Vec::new();
        self.refill(&mut said);
        said
    }

    /// The answer to a line.
    pub fn hear(&mut self, line: &str) -> Vec<Json> {
        let mut said = Vec::new();
        if let Err((message, help)) = self.answer(line, &mut said) {
            said.push(json!({ "error": message, "help": help }));
        }
        said
    }

    fn answer(&mut self, line: &str, said: &mut Vec<Json>) -> Result<(), (String, String)> {
        let message: Message = serde_json::from_str(&numbers_spelt_out(line))
            .map_err(|error| (format!("the line is no message: {error}"), MESSAGES.into()))?;
        match message {
            Message { ask: Some(n), best: None, trial: None, value: None, step: None, error: None } => {
                for _ in 0..n {
                    if !self.ask(said)? {
                        break;
                    }
                }
                Ok(())
            }
            Message { best: Some(true), ask: None, trial: None, value: None, step: None, error: None } => {
                said.push(json!({ "best": self.best() }));
                Ok(())
            }
            Message { trial: Some(trial), value, step, error, ask: None, best: None } => {
                self.told(trial, value, step, error, said)?;
                self.refill(said);
                Ok(())
            }
            _ => Err(("the line is several messages, or none".into(), MESSAGES.into())),
        }
    }

    fn told(
        &mut self,
        trial: u32,
        value: Option<Json>,
        step: Option<u64>,
        error: Option<String>,
        said: &mut Vec<Json>,
    ) -> Result<(), (String, String)> {
        let id = TrialId(trial);
        let refused = |error: hyperdrive::StudyError| (error.to_string(), self_help(trial));
        match (value, step, error) {
            (None | Some(Json::Null), None, Some(reason)) => {
                self.study.fail(id, FailureKind::Error, reason).map_err(refused)?;
            }
            (Some(value), Some(step), None) => {
                let value = number(&value)?;
                return self.report(trial, step, value, said);
            }
            (Some(value), None, None) => {
                let value = number(&value)?;
                if value.is_finite() {
                    self.study.tell(id, Outcome::single(value, 0.0)).map_err(refused)?;
                } else {
                    let reason = format!("its value is {value}");
                    self.study.fail(id, FailureKind::Error, reason).map_err(refused)?;
                }
            }
            _ => {
                let message = format!("trial {trial}: neither a value nor an error, or both");
                return Err((message, MESSAGES.into()));
            }
        }
        self.reports.remove(&trial);
        Ok(())
    }

    /// An intermediate value: whether the trial goes on.
    fn report(
        &mut self,
        trial: u32,
        step: u64,
        value: f64,
        said: &mut Vec<Json>,
    ) -> Result<(), (String, String)> {
        let id = TrialId(trial);
        let known = self.study.history().trial(id);
        if !known.is_some_and(hyperdrive::Trial::is_running) {
            let state = if known.is_some() { "is over" } else { "was never asked for" };
            return Err((format!("trial {trial}: it {state}"), self_help(trial)));
        }
        let before = self.reports.get(&trial).copied();
        if let Some((last, _)) = before.filter(|(last, _)| step <= *last) {
            let message = format!("trial {trial}: step {step} is reported after step {last}");
            return Err((message, "report steps upwards, each once".into()));
        }
        let n = before.map_or(0, |(_, n)| n.saturating_add(1));
        let decision = if self.reported && n < u16::MAX {
            self.study
                .report(id, Rung(n), Outcome::single(value, 0.0))
                .map_err(|error| (error.to_string(), self_help(trial)))?
        } else {
            Decision::Continue
        };
        match decision {
            Decision::Continue => {
                self.reports.insert(trial, (step, n));
                said.push(json!({ "trial": trial, "step": step, "decision": "continue" }));
            }
            Decision::Stop { reason } => {
                self.reports.remove(&trial);
                said.push(json!({ "trial": trial, "step": step, "decision": "stop", "reason": reason }));
            }
        }
        Ok(())
    }

    /// Keeps as many under way as the first line asked for.
    fn refill(&mut self, said: &mut Vec<Json>) {
        while self.study.history().counts().running < self.parallel {
            match self.ask(said) {
                Ok(true) => {}
                Ok(false) => break,
                Err((message, help)) => {
                    said.push(json!({ "error": message, "help": help }));
                    break;
                }
            }
        }
    }

    /// Whether there was another trial to say.
    fn ask(&mut self, said: &mut Vec<Json>) -> Result<bool, (String, String)> {
        let asked = self.study.ask().map_err(|error| (error.to_string(), "end the session".to_owned()))?;
        if let Some(asked) = asked {
            said.push(json!({ "trial": asked.trial.0, "params": self.flat.outside(&asked.params) }));
            return Ok(true);
        }
        match self.study.over() {
            Some(reason) if !self.over => {
                self.over = true;
                said.push(json!({ "done": true, "reason": words(reason), "best": self.best() }));
            }
            Some(_) => {}
            None => {
                let running = self.study.history().counts().running;
                said.push(json!({ "wait": true, "reason": format!("{running} trials under way are to be told first; \
                    with `n_trials`, more at a time need a larger `parallel` in the first line") }));
            }
        }
        Ok(false)
    }

    fn best(&self) -> Json {
        self.study.best().map_or(Json::Null, |trial| {
            json!({ "trial": trial.id.0, "value": trial.value(), "params": self.flat.outside(&trial.params) })
        })
    }

    /// Trials by how they ended, for the end of a session: finished, stopped, failed.
    pub fn counts(&self) -> hyperdrive::Counts {
        self.study.history().counts()
    }

    /// Why a trial failed, if it did.
    pub fn failure(&self, trial: u32) -> Option<String> {
        match &self.study.history().trial(TrialId(trial))?.state {
            TrialState::Failed { reason, .. } => Some(reason.clone()),
            _ => None,
        }
    }
}

const EXAMPLE: &str = r#"{"space":[{"name":"x","kind":"float","lo":0,"hi":1}],"goal":"minimize","seed":7}"#;
const MESSAGES: &str = r#"write {"trial":0,"value":0.5}, {"trial":0,"error":"why"}, {"trial":0,"step":1,"value":0.5}, {"ask":1} or {"best":true}"#;

fn self_help(trial: u32) -> String {
    format!("tell trial {trial} once, after it was asked for; {{\"ask\":1}} asks for another")
}

fn number(value: &Json) -> Result<f64, (String, String)> {
    match value {
        Json::Null => Ok(f64::NAN),
        Json::Number(number) => Ok(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(word) if NOT_FINITE.contains(&word.as_str()) => Ok(match word.as_str() {
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => f64::NAN,
        }),
        other => Err((format!("value {other} is no number"), "tell a number, or an error".into())),
    }
}

/// How programs write what JSON has no numbers for.
const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The line with the words for numbers that are not finite in quotes, where they stand outside of text.
pub(super) fn numbers_spelt_out(line: &str) -> String {
    let mut spelt = String::with_capacity(line.len());
    let (mut rest, mut inside, mut escaped) = (line, false, false);
    while let Some(c) = rest.chars().next() {
        if !inside && let Some(word) = NOT_FINITE.iter().find(|word| rest.starts_with(**word)) {
            spelt.push('"');
            spelt.push_str(word);
            spelt.push('"');
            rest = &rest[word.len()..];
            continue;
        }
        inside ^= c == '"' && !escaped;
        escaped = inside && c == '\\' && !escaped;
        spelt.push(c);
        rest = &rest[c.len_utf8()..];
    }
    spelt
}

/// Why a study ended, for people.
pub(super) fn words(reason: EndReason) -> &'static str {
    crate::fit::words(reason)
}
