//! `AutoMl::fit` and `AutoMl::resume`: from a request to a registered model, in one straight line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Counts, EndReason, History, Journal, Order, StudySpec, TrialId};
use platform::{Artifact, ModelName, NewRun, NewVersion, RegisteredVersion, RunId, RunStatus, Workspace};
use serde_json::json;
use trainers::Model;

use crate::benchmark::quoted;
use crate::clock::{Clock, unix_ms};
use crate::conclude::{Concluded, Conclusion, failures};
use crate::error::AutoMlError;
use crate::featurization::{FEATURIZATION_SUMMARY, featurization_summary};
use crate::guardrail;
use crate::leaderboard::{
    Cost, DataSummary, FromSummary, GoalSummary, ModelSummary, SUMMARY_VERSION, SearchSummary, Summary, WeightSummary,
};
use crate::life::Honest;
use crate::prepare::{Prepared, prepare};
use crate::report;
use crate::search::{self, Ground, Measured, Sink, Status};
use crate::spec::{AutoMlSpec, Bytes, Seconds};

/// Kind of a run that fits, in the workspace.
pub const FIT: &str = "fit";
/// The document under which a [`Summary`] is stored with its run.
pub const SUMMARY: &str = "summary";
/// The document that counts looks at a run's holdout.
const LOOKS: &str = "holdout_looks";
/// The artifact that is the model.
pub const MODEL: &str = "model.automl";
/// Share of the budget kept for choosing, refitting and the report, at least.
const RESERVE_SHARE: f64 = 0.06;
/// That reserve is at least and at most this many seconds.
const RESERVE: (f64, f64) = (0.6, 20.0);
/// What is measured of the best trials can raise it up to this share.
const RESERVE_MOST: f64 = 0.4;
/// A second layer of the ensemble is given up to this share of the window.
const SECOND_SHARE: f64 = 0.08;
/// Features may take this share of free memory when `--memory` is not given.
const MEMORY_SHARE: f64 = 0.5;

/// What a fit runs in: where it is remembered, since when it is timed, and who watches.
pub struct Session<'a> {
    /// Where runs, artifacts and models are kept.
    pub workspace: &'a Workspace,
    /// Started when the user pressed Enter.
    pub clock: Clock,
    /// Set from outside to end the search and keep everything (Ctrl-C).
    pub stop: Arc<AtomicBool>,
    /// Told what happens as it happens.
    pub narrator: &'a mut dyn Narrator,
    /// The command line, recorded with the run; empty for a library call.
    pub command_line: Vec<String>,
}

/// Told what happens, as it happens. Every method does nothing by default.
pub trait Narrator {
    /// The data is read and everything that is decided once is decided.
    fn prepared(&mut self, _spec: &AutoMlSpec, _prepared: &Prepared) {}
    /// The search begins; `status` is its live picture and `until` its end on the session's clock.
    fn searching(&mut self, _run: &RunId, _status: &Arc<Status>, _clock: Clock, _until: Option<f64>) {}
    /// The search has ended; choosing, refitting and the report come now.
    fn searched(&mut self, _counts: Counts) {}
}

/// A narrator that says nothing.
#[derive(Debug, Default)]
pub struct Silent;

impl Narrator for Silent {}

/// A request, ready to run.
#[derive(Debug, Clone)]
pub struct AutoMl {
    spec: AutoMlSpec,
}

/// More budget for a run that is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Extra {
    /// Time: a total, or on top of what was asked.
    pub time: Option<More<Seconds>>,
    /// Trials: a total, or on top of what was asked.
    pub trials: Option<More<u32>>,
    /// Computing threads for this sitting.
    pub cores: Option<usize>,
}

/// A new amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More<T> {
    /// In all, over every sitting.
    Total(T),
    /// On top of what was asked so far.
    Plus(T),
}

impl AutoMl {
    /// Checks a request. Nothing is read yet.
    pub fn new(spec: AutoMlSpec) -> Result<Self, AutoMlError> {
        spec.check()?;
        Ok(Self { spec })
    }

    /// The request.
    pub fn spec(&self) -> &AutoMlSpec {
        &self.spec
    }

    /// The plan without a search: reads the data, decides, and returns.
    pub fn plan(&self) -> Result<Prepared, AutoMlError> {
        prepare(&self.spec)
    }

    /// Reads, searches, chooses, saves. The best model is registered in the workspace.
    pub fn fit(&self, session: &mut Session<'_>) -> Result<Summary, AutoMlError> {
        self.fit_on(self.plan()?, session)
    }

    /// [`AutoMl::fit`] on what [`AutoMl::plan`] prepared.
    pub fn fit_on(&self, prepared: Prepared, session: &mut Session<'_>) -> Result<Summary, AutoMlError> {
        let prepared = Arc::new(prepared);
        session.narrator.prepared(&self.spec, &prepared);
        let run = session.workspace.new_run_id(&self.spec.model_name())?;
        session.workspace.create_run(&NewRun {
            id: run.clone(),
            parent: None,
            kind: FIT.into(),
            name: self.spec.model_name(),
            spec: to_json(&self.spec),
            tags: facts(&self.spec, &prepared, session),
            started_ms: unix_ms(),
        })?;
        let _lock = session.workspace.try_lock_run(&run)?;
        let window = self.spec.budget.effective_time().map(|limit| Window::of(limit.seconds(), 0.0));
        Sitting { spec: &self.spec, prepared, run, window, spent: 0.0 }.run(session)
    }

    /// Goes on with a run, finished or not: what is left of its budget, or more.
    pub fn resume(run: &RunId, extra: Extra, session: &mut Session<'_>) -> Result<Summary, AutoMlError> {
        let workspace = session.workspace;
        let record = workspace.get_run(run)?;
        if record.kind != FIT {
            return Err(AutoMlError::Usage(format!("run `{run}` is a {}; only a fit can be resumed", record.kind)));
        }
        let lock = workspace.try_lock_run(run)?;
        let mut spec = spec_of(&record, run)?;
        if spec.train.iter().any(|source| source == "-") {
            return Err(AutoMlError::Usage(format!(
                "run `{run}` read standard input, which cannot be read again: fit a file to be able to resume"
            )));
        }
        let history = replay(workspace, run)?;
        let began = session.clock.seconds();
        let concluded = record.status == RunStatus::Finished;
        let window = extend(&mut spec, extra, history.as_ref(), concluded)?;
        let spent = history.as_ref().map_or(0.0, History::spent);
        spec.check()?;
        let prepared = Arc::new(prepare(&spec)?);
        let known = record.tags.get("data_sha256").map(String::as_str);
        if known.is_some_and(|known| known != prepared.data_hash) {
            return Err(AutoMlError::unusable(
                format!("{}: the file has changed since run `{run}` began", spec.train.join(", ")),
                "restore the file, or start a new fit",
            ));
        }
        session.narrator.prepared(&spec, &prepared);
        if concluded && extra.trials.is_some() {
            // The search had already ended once, and went on from there: not what the whole count at once would do.
            workspace.set_tags(run, &BTreeMap::from([("reproducible".to_owned(), "false".to_owned())]))?;
        }
        workspace.update_spec(run, &to_json(&spec))?;
        workspace.set_status(run, RunStatus::Running, None)?;
        let window = window.map(|total| Window::of(began + total, began));
        let result = Sitting { spec: &spec, prepared, run: run.clone(), window, spent }.run(session);
        drop(lock);
        result
    }
}

/// When searching and when everything must end, on the session's clock.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: f64,
    search: f64,
    end: f64,
}

impl Window {
    /// A window from `start` to `end`, less the reserve for what comes after the search.
    fn of(end: f64, start: f64) -> Self {
        let reserve = ((end - start) * RESERVE_SHARE).clamp(RESERVE.0, RESERVE.1);
        Self { start, search: (end - reserve).max(start + 0.3), end }
    }

    /// Whether the search must end now, when what comes after it is predicted to take `after` seconds.
    fn is_over(self, now: f64, after: f64) -> bool {
        let reserve = (self.end - self.search + after).min((self.end - self.start) * RESERVE_MOST);
        now > self.end - reserve
    }
}

/// Works out the budget of a resumed sitting, in seconds; none in ordered mode. The stored request is raised to match.
/// `history` is what the run has done so far; `concluded` says that a model came of it.
fn extend(
    spec: &mut AutoMlSpec,
    extra: Extra,
    history: Option<&History>,
    concluded: bool,
) -> Result<Option<f64>, AutoMlError> {
    if let Some(cores) = extra.cores {
        spec.budget.cores = cores;
    }
    let spent = history.map_or(0.0, History::spent);
    let asked = spec.budget.effective_time();
    if let Some(more) = extra.trials {
        let begun = history.map_or(0, |history| history.trials().len() as u32);
        let before = spec.budget.max_trials.unwrap_or(begun);
        spec.budget.max_trials = Some(match more {
            More::Total(n) => n,
            More::Plus(n) => before.saturating_add(n),
        });
    }
    let usage = |text: String| Err(AutoMlError::Usage(text));
    let full = history.is_some_and(|history| {
        let begun = history.trials().len() as u32;
        concluded && spec.budget.max_trials.is_some_and(|most| begun >= most)
    });
    if full {
        let most = spec.budget.max_trials.unwrap_or(0);
        return usage(format!("all {most} trials were run: say how many more, as --max-trials +40"));
    }
    let Some(asked) = asked else {
        if extra.time.is_some() {
            return usage(
                "this run counts trials, so that its result depends on nothing else: say --max-trials +40".into(),
            );
        }
        return Ok(None);
    };
    // What was asked and never used is gone with the sitting that did not use it.
    let (total, left) = match extra.time {
        Some(More::Plus(plus)) => (asked.seconds() + plus.seconds(), plus.seconds()),
        Some(More::Total(total)) => (total.seconds(), total.seconds() - spent),
        None if concluded => (asked.seconds(), 0.0),
        None => (asked.seconds(), asked.seconds() - spent),
    };
    if left < RESERVE.0 + 0.3 {
        let searched = Seconds(spent);
        return usage(format!(
            "{} is spent ({searched} searched): say how much more, as --time-limit +5m",
            Seconds(total)
        ));
    }
    spec.budget.time_limit = Some(Seconds(total));
    Ok(Some(left))
}

/// The history of a run so far; none when its search never began.
pub(crate) fn replay(workspace: &Workspace, run: &RunId) -> Result<Option<History>, AutoMlError> {
    let mut journal = workspace.journal(run, unix_ms)?;
    let records = journal.read(hyperdrive::Seq(0)).map_err(hyperdrive::StudyError::from)?;
    Ok(History::replay(&records).map_err(hyperdrive::StudyError::from)?)
}

/// One sitting: everything from prepared data to a summary.
struct Sitting<'a> {
    spec: &'a AutoMlSpec,
    prepared: Arc<Prepared>,
    run: RunId,
    window: Option<Window>,
    spent: f64,
}

impl Sitting<'_> {
    fn run(&self, session: &mut Session<'_>) -> Result<Summary, AutoMlError> {
        let result = self.search_and_conclude(session);
        if result.is_err() {
            let status = if session.stop.load(Ordering::Relaxed) { RunStatus::Stopped } else { RunStatus::Failed };
            // The first error is the one to tell; a store that cannot take the status has told it already.
            let _ = session.workspace.set_status(&self.run, status, Some(unix_ms()));
        }
        result
    }

    fn search_and_conclude(&self, session: &mut Session<'_>) -> Result<Summary, AutoMlError> {
        let workspace = session.workspace;
        let clock = session.clock;
        let left = self.window.map(|window| (window.search - clock.seconds()).max(0.2));
        let study = search::study(self.spec, &self.prepared, left.map(|left| self.spent + left));
        let status = Arc::new(Status::default());
        let ordered = matches!(study.limits.order(), Order::Ordered { .. });
        let ground = Arc::new(Ground::new(
            self.prepared.clone(),
            status.clone(),
            clock,
            self.memory(),
            !ordered || self.spec.budget.memory.is_some(),
            ordered,
            sink(workspace, &self.run),
        ));
        session.narrator.searching(&self.run, &status, clock, self.window.map(|window| window.search));
        let mut journal = workspace.journal(&self.run, unix_ms)?;
        let stop = session.stop.clone();
        let cores = self.spec.budget.cores;
        let after = |window: Window| {
            let second = ground.second_layer_seconds(cores).min(SECOND_SHARE * (window.end - window.start));
            ground.after_search(cores) + second
        };
        let over = || stop.load(Ordering::Relaxed) || self.window.is_some_and(|w| w.is_over(clock.seconds(), after(w)));
        let mut searched = search::search(&study, &ground, self.spec.budget.cores, &mut journal, clock, &over)?;
        if searched.reason == EndReason::Stopped && !stop.load(Ordering::Relaxed) {
            searched.reason = EndReason::SearchTime;
        }
        session.narrator.searched(searched.history.counts());

        let stopped = searched.reason == EndReason::Stopped;
        let looks = self.looks(workspace)?;
        let load = |trial: TrialId| Ok(workspace.get_artifact(&self.run.child(trial.0), OOF)?);
        let measured = |trial: TrialId| Ok(Measured::of(&workspace.get_run(&self.run.child(trial.0))?.metrics));
        let concluded = Conclusion {
            spec: self.spec,
            prepared: &self.prepared,
            ground: &ground,
            history: &searched.history,
            clock,
            until: self.window.map(|window| window.end),
            stop: &stop,
            load: &load,
            measured: &measured,
            looks,
        }
        .conclude()?;
        if self.prepared.split.holdout.is_some() {
            workspace.set_document(&self.run, LOOKS, &json!(looks + 1))?;
        }
        let (artifact, registered) = self.save(workspace, &concluded)?;
        let columns = featurization_summary(&self.prepared.ledger, &concluded.fitted);
        workspace.put_artifact(&self.run, FEATURIZATION_SUMMARY, to_json(&columns).to_string().as_bytes())?;
        let picture = status.picture();
        let summary =
            self.summary(session, &study, &searched, &concluded, &artifact, &registered, picture.improvements)?;
        Honest::of(&concluded, &self.prepared).save(workspace, &self.run)?;
        let facts = workspace.get_run(&self.run)?.tags;
        let (prepared, history) = (&*self.prepared, &searched.history);
        let html =
            report::render(&report::Material { summary: &summary, prepared, history, concluded: &concluded, facts });
        workspace.write_report(&self.run, "report.html", html.as_bytes())?;
        workspace.set_document(&self.run, SUMMARY, &to_json(&summary))?;
        let metrics = [(summary.score.metric.as_str(), summary.score.value)];
        workspace.log_metrics(&self.run, &metrics, 0, unix_ms())?;
        let status = if stopped { RunStatus::Stopped } else { RunStatus::Finished };
        workspace.set_status(&self.run, status, Some(unix_ms()))?;
        Ok(summary)
    }

    /// Bytes the shared feature blocks may hold.
    fn memory(&self) -> u64 {
        let free = platform::host_facts().free_memory_bytes;
        self.spec.budget.memory.map_or((free as f64 * MEMORY_SHARE) as u64, |Bytes(asked)| asked)
    }

    fn looks(&self, workspace: &Workspace) -> Result<u32, AutoMlError> {
        let document = workspace.get_document(&self.run, LOOKS)?;
        Ok(document.and_then(|value| value.as_u64()).unwrap_or(0) as u32)
    }

    /// Stores the model file and registers it, durably.
    fn save(&self, workspace: &Workspace, concluded: &Concluded) -> Result<(Artifact, RegisteredVersion), AutoMlError> {
        let bytes = concluded.fitted.save()?;
        let artifact = workspace.put_artifact(&self.run, MODEL, &bytes)?;
        let mut metrics = BTreeMap::from([(concluded.score.metric.clone(), concluded.score.value)]);
        metrics.extend(concluded.score.others.clone());
        let registered = workspace.register(&NewVersion {
            name: ModelName::parse(&self.spec.model_name())?,
            run: self.run.clone(),
            sha256: artifact.sha256.clone(),
            size: artifact.size,
            data_hash: self.prepared.data_hash.clone(),
            schema: to_json(&self.prepared.schema),
            metrics,
            tags: BTreeMap::from([
                ("task".into(), self.prepared.task().to_string()),
                ("score_source".into(), concluded.score.source.clone()),
                ("trained_on".into(), concluded.fitted.card.trained_on.clone()),
            ]),
            created_ms: unix_ms(),
        })?;
        Ok((artifact, registered))
    }

    #[expect(clippy::too_many_arguments, reason = "a summary gathers what every stage found")]
    fn summary(
        &self,
        session: &Session<'_>,
        study: &StudySpec,
        searched: &search::Searched,
        concluded: &Concluded,
        artifact: &Artifact,
        registered: &RegisteredVersion,
        improvements: Vec<search::BestTrial>,
    ) -> Result<Summary, AutoMlError> {
        let prepared = &self.prepared;
        let counts = searched.history.counts();
        let ordered = matches!(study.limits.order(), Order::Ordered { .. });
        let tags = session.workspace.get_run(&self.run)?.tags;
        let spoiled = tags.get("reproducible").is_some_and(|said| said == "false");
        // What is chosen by measured time depends on the machine.
        let timed = self.spec.max_latency.is_some();
        let whole = searched.history.is_reproducible() && !timed && !session.stop.load(Ordering::Relaxed) && !spoiled;
        Ok(Summary {
            version: SUMMARY_VERSION,
            automl_version: env!("CARGO_PKG_VERSION").into(),
            run: self.run.to_string(),
            state: if searched.reason == EndReason::Stopped { "stopped" } else { "finished" }.into(),
            data: DataSummary {
                source: self.spec.train.clone(),
                sha256: prepared.data_hash.clone(),
                dialect: prepared.dialect.clone(),
                ledger: prepared.ledger.clone(),
                checks: prepared.checks.clone(),
                azure_guardrails: guardrail::azure(&prepared.checks, &prepared.split.in_words()),
                profile: prepared.profile.clone(),
            },
            goal: GoalSummary {
                target: self.spec.target.clone(),
                task: prepared.task(),
                task_reason: prepared.task_reason.clone(),
                metric: prepared.metric.name().into(),
                higher_is_better: prepared.metric.goal() == trainers::Goal::Higher,
                classes: prepared.target.classes.clone(),
                class_counts: prepared.class_counts.clone(),
                weight: prepared.weights.as_ref().map(|weights| WeightSummary {
                    column: weights.column.clone(),
                    low: weights.low,
                    high: weights.high,
                    n_zero: weights.n_zero,
                    left_out: crate::candidate::left_out(prepared.task()).iter().map(ToString::to_string).collect(),
                }),
                split: prepared.split.in_words(),
                seed: self.spec.seed,
            },
            search: SearchSummary {
                finished: counts.finished as usize,
                paused: counts.paused as usize,
                stopped: counts.stopped as usize,
                failed: counts.failed as usize,
                failures: failures(&searched.history),
                ended: words(searched.reason).into(),
                trials_exhausted: searched.reason == EndReason::MaxTrials,
                order: if ordered { "ordered" } else { "arrival" }.into(),
                reproducible: ordered && whole,
                from: from_summary(self.spec, prepared),
                improvements: improvements
                    .into_iter()
                    .map(|best| (best.at_seconds, best.trial.0, best.value))
                    .collect(),
            },
            leaderboard: concluded.leaderboard.clone(),
            n_models: concluded.n_models,
            baseline: concluded.baseline,
            score: concluded.score.clone(),
            stacking: concluded.stacking,
            test: concluded.test.clone(),
            threshold: concluded.threshold.clone(),
            importance: concluded.explained.importance.clone(),
            importance_deviations: concluded.explained.deviations.clone(),
            dependence: concluded.explained.dependence.clone(),
            model: ModelSummary {
                name: registered.id().to_string(),
                bytes: artifact.size,
                sha256: artifact.sha256.clone(),
                trained_on: concluded.fitted.card.trained_on.clone(),
                members: concluded.members.clone(),
                ensemble: concluded.ensemble.clone(),
                latency_us: concluded.latency_us,
                max_latency_us: self.spec.max_latency.map(|most| most.0),
            },
            cost: Cost {
                asked_seconds: self.window.map(|window| window.end),
                used_seconds: session.clock.seconds(),
                cores: self.spec.budget.cores,
                peak_memory_bytes: platform::peak_rss_bytes(),
            },
            report: session.workspace.run_dir(&self.run)?.join("report.html").display().to_string(),
        })
    }
}

/// What was tried first of an earlier run.
pub(crate) fn from_summary(spec: &AutoMlSpec, prepared: &Prepared) -> Option<FromSummary> {
    let warm = spec.warm.as_ref()?;
    let warmed = search::warmed(spec, prepared);
    Some(FromSummary { run: warm.run.clone(), first: warmed.points.len(), skipped: warmed.skipped })
}

/// The artifact of a child run that holds its out-of-fold predictions.
const OOF: &str = "oof.f32";

/// What was asked of a run. Errors: another version wrote it.
pub(crate) fn spec_of(record: &platform::Run, run: &RunId) -> Result<AutoMlSpec, AutoMlError> {
    serde_json::from_value(record.spec.clone()).map_err(|error| {
        AutoMlError::Usage(format!("run `{run}` was written by another version and cannot be read: {error}"))
    })
}

/// Makes a finished trial's predictions durable, and what was measured of it known.
fn sink(workspace: &Workspace, run: &RunId) -> Sink {
    let (workspace, run) = (workspace.clone(), run.clone());
    Box::new(move |trial, bytes, measured| {
        let child = run.child(trial.0);
        workspace.put_artifact(&child, OOF, bytes)?;
        let metrics = measured.metrics();
        let metrics: Vec<(&str, f64)> = metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        workspace.log_metrics(&child, &metrics, 0, unix_ms())?;
        Ok(())
    })
}

/// What every run records: seed, version, command line, data, git and host.
pub(crate) fn facts(spec: &AutoMlSpec, prepared: &Prepared, session: &Session<'_>) -> BTreeMap<String, String> {
    let host = platform::host_facts();
    let mut facts: BTreeMap<String, String> = BTreeMap::from([
        ("seed", spec.seed.to_string()),
        ("automl_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("command_line", session.command_line.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
        ("data_sha256", prepared.data_hash.clone()),
        ("target", spec.target.clone()),
        ("task", prepared.task().to_string()),
        ("metric", prepared.metric.name().to_owned()),
        ("host.os", host.os),
        ("host.arch", host.arch),
        ("host.cpu", host.cpu_model),
        ("host.cores", host.n_cores.to_string()),
        ("host.memory_bytes", host.memory_bytes.to_string()),
    ])
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    if let Some(git) = std::env::current_dir().ok().and_then(|dir| platform::git_facts(&dir)) {
        facts.insert("git.commit".into(), git.commit);
        facts.insert("git.dirty".into(), git.dirty.to_string());
        facts.extend(git.branch.map(|branch| ("git.branch".to_owned(), branch)));
    }
    facts
}

pub(crate) fn words(reason: EndReason) -> &'static str {
    match reason {
        EndReason::MaxTrials => "all trials asked for were run",
        EndReason::SearchTime => "the time for searching was up",
        EndReason::MaxCost => "the cost limit was reached",
        EndReason::Target => "the target was reached",
        EndReason::NoImprovement => "no trial was better for as long as was allowed",
        EndReason::Stopped => "stopped by the user",
        EndReason::Exhausted => "nothing was left to try",
    }
}

/// Our own plain values always have a JSON form.
pub(crate) fn to_json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("plain values with string keys have a JSON form")
}
