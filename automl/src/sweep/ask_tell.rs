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
        let flat = Flat::new(&opening.space)?;
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
        Ok(Self { study, flat, parallel: opening.parallel, reports: BTreeMap::new(), reported: reports, over: false })
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
                // Whoever asks is answered, if only that it is over.
                self.over = false;
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
    fn report(&mut self, trial: u32, step: u64, value: f64, said: &mut Vec<Json>) -> Result<(), (String, String)> {
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
        self.study.best().map_or(
            Json::Null,
            |trial| json!({ "trial": trial.id.0, "value": trial.value(), "params": self.flat.outside(&trial.params) }),
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: &str =
        r#""space":[{"name":"x","kind":"float","lo":0,"hi":1},{"name":"c","kind":"cat","choices":["a",1]}]"#;

    fn open(rest: &str) -> AskTell {
        AskTell::open(&format!("{{{SPACE}{rest}}}"), "random", 1).expect("a sound study")
    }

    /// The field of the only answer.
    fn only(said: &[Json], field: &str) -> Json {
        assert_eq!(said.len(), 1, "{said:?}");
        said[0].get(field).cloned().unwrap_or_else(|| panic!("no {field} in {}", said[0]))
    }

    #[test]
    fn one_trial_after_the_other_until_all_are_told() {
        let talk = || {
            let mut session = open(r#","n_trials":12,"seed":3"#);
            let mut said = session.greet();
            for trial in 0..12 {
                assert_eq!(only(&said, "trial"), json!(trial));
                let x = said[0]["params"]["x"].as_f64().expect("x");
                said = session.hear(&format!(r#"{{"trial":{trial},"value":{}}}"#, (x - 0.3).abs()));
            }
            (said, session)
        };
        let (said, mut session) = talk();
        assert_eq!(only(&said, "done"), json!(true));
        let best = only(&session.hear(r#"{"best":true}"#), "best");
        assert_eq!(said[0]["best"], best);
        let x = best["params"]["x"].as_f64().expect("x");
        assert!((best["value"].as_f64().expect("a value") - (x - 0.3).abs()).abs() < 1e-12);
        assert_eq!(talk().0, said, "the same answers give the same study");
        assert_eq!(only(&session.hear(r#"{"ask":2}"#), "done"), json!(true), "whoever asks is answered");
    }

    #[test]
    fn as_many_at_a_time_as_asked_for() {
        let mut session = open(r#","parallel":3"#);
        let trials = |said: &[Json]| said.iter().map(|line| line["trial"].as_u64()).collect::<Vec<_>>();
        assert_eq!(trials(&session.greet()), [Some(0), Some(1), Some(2)]);
        assert_eq!(trials(&session.hear(r#"{"trial":1,"value":1}"#)), [Some(3)]);
        assert_eq!(trials(&session.hear(r#"{"ask":2}"#)), [Some(4), Some(5)]);
        assert_eq!(session.hear(r#"{"trial":0,"value":1}"#), Vec::<Json>::new(), "four are still under way");
        let mut session = open(r#","parallel":0"#);
        assert_eq!(session.greet(), Vec::<Json>::new());
        assert_eq!(trials(&session.hear(r#"{"ask":2}"#)), [Some(0), Some(1)]);
        assert_eq!(session.hear(r#"{"trial":0,"value":1}"#), Vec::<Json>::new());
    }

    #[test]
    fn mistakes_are_answered_and_change_nothing() {
        let mut session = open("");
        session.greet();
        for (line, word) in [
            ("{", "no message"),
            ("[]", "no message"),
            ("{}", "several messages, or none"),
            (r#"{"trial":0,"valeu":1}"#, "valeu"),
            (r#"{"trial":0,"value":"high"}"#, "is no number"),
            (r#"{"trial":0}"#, "neither a value nor an error"),
            (r#"{"trial":0,"value":1,"error":"x"}"#, "neither a value nor an error, or both"),
            (r#"{"trial":7,"value":1}"#, "trial 7"),
            (r#"{"trial":7,"value":1,"step":1}"#, "trial 7: it was never asked for"),
            (r#"{"trial":-1,"value":1}"#, "no message"),
            (r#"{"ask":1,"best":true}"#, "several messages"),
        ] {
            let said = session.hear(line);
            assert!(only(&said, "error").as_str().is_some_and(|error| error.contains(word)), "{line}: {said:?}");
            assert!(!only(&said, "help").as_str().unwrap_or_default().is_empty());
        }
        assert_eq!(only(&session.hear(r#"{"trial":0,"value":1}"#), "trial"), json!(1));
        assert!(only(&session.hear(r#"{"trial":0,"value":1}"#), "error").to_string().contains("trial 0"), "told twice");
        assert_eq!(only(&session.hear(r#"{"best":true}"#), "best")["trial"], json!(0));
    }

    #[test]
    fn what_fails_is_no_result() {
        let mut session = open("");
        session.greet();
        for (trial, answer) in [
            r#""error":"out of memory""#,
            r#""value":null"#,
            r#""value":NaN"#,
            r#""value":-Infinity"#,
            r#""value":null,"error":"x""#,
        ]
        .iter()
        .enumerate()
        {
            let said = session.hear(&format!(r#"{{"trial":{trial},{answer}}}"#));
            assert_eq!(only(&said, "trial"), json!(trial + 1), "{answer}");
            let reason = session.failure(trial as u32).expect("it failed");
            assert!(
                ["out of memory", "its value is NaN", "its value is -inf", "x"].contains(&reason.as_str()),
                "{reason}"
            );
        }
        assert_eq!(session.counts().failed, 5);
        assert_eq!(only(&session.hear(r#"{"best":true}"#), "best"), Json::Null);
    }

    #[test]
    fn reports_are_decided_on() {
        let policy = r#","goal":"maximize","early_termination":{"type":"bandit","slack_amount":0.1}"#;
        for rest in ["", policy] {
            let mut session = open(rest);
            session.greet();
            let report = |session: &mut AskTell, trial: u32, step: u32, value: f64| {
                session.hear(&format!(r#"{{"trial":{trial},"step":{step},"value":{value}}}"#))
            };
            assert_eq!(only(&report(&mut session, 0, 1, 0.9), "decision"), json!("continue"));
            assert!(
                only(&report(&mut session, 0, 1, 0.9), "error").to_string().contains("step 1 is reported after step 1")
            );
            assert_eq!(only(&report(&mut session, 0, 5, 0.95), "decision"), json!("continue"));
            session.hear(r#"{"trial":0,"value":0.95}"#);
            let said = report(&mut session, 1, 1, 0.5);
            if rest.is_empty() {
                assert_eq!(only(&said, "decision"), json!("continue"));
                continue;
            }
            assert_eq!((&said[0]["decision"], &said[1]["trial"]), (&json!("stop"), &json!(2)), "{said:?}");
            assert!(said[0]["reason"].to_string().contains("0.9"), "{said:?}");
            assert!(only(&session.hear(r#"{"trial":1,"value":0.5}"#), "error").to_string().contains("trial 1"));
        }
    }

    #[test]
    fn points_come_first_and_a_bad_first_line_is_refused() {
        let mut session = open(r#","points":[{"x":0.5,"c":1}]"#);
        assert_eq!(session.greet()[0]["params"], json!({"x": 0.5, "c": 1}));
        for (line, word) in [
            (r#"{"space":[]}"#.to_owned(), "no parameters"),
            (format!(r#"{{{SPACE},"goal":"most"}}"#), "most"),
            (format!(r#"{{{SPACE},"sampler":"best"}}"#), "`best`"),
            (format!(r#"{{{SPACE},"trials":3}}"#), "unknown field `trials`"),
            (format!(r#"{{{SPACE},"points":[{{"x":2,"c":1}}]}}"#), "points[0]"),
            ("hello".to_owned(), "it looks like"),
        ] {
            let error = AskTell::open(&line, "random", 1).err().expect("refused");
            assert!(error.contains(word), "{line}: {error}");
        }
    }

    #[test]
    fn words_for_numbers_are_only_replaced_outside_of_text() {
        let line = r#"{"NaN":"a \" NaN","v":[NaN,-Infinity,Infinity]}"#;
        let expected = r#"{"NaN":"a \" NaN","v":["NaN","-Infinity","Infinity"]}"#;
        assert_eq!(numbers_spelt_out(line), expected);
    }
}
