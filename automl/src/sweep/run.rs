//! A sweep from its file to its best trial, and on from wherever it was.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyperdrive::{Counts, EndReason, History, Record, Sitting, StudySpec, Trial, TrialState};
use platform::{NewRun, RunId, RunStatus, Workspace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::executor::{Ground, ProcessExecutor, Recorder};
use super::file::{Stored, Sweep};
use crate::clock::{Clock, unix_ms};
use crate::conclude::failures;
use crate::error::AutoMlError;
use crate::fit::{Extra, More, SUMMARY, replay, to_json, words};
use crate::search::{BestTrial, Status};
use crate::spec::Seconds;

/// Kind of a run that sweeps, in the workspace.
pub const SWEEP: &str = "sweep";
/// Version of a stored sweep.
const VERSION: u32 = 1;
/// Points of a metric that are recorded of a trial; the log has all of them.
const POINTS: i64 = 1000;

/// What a sweep runs in.
pub struct SweepSession<'a> {
    /// Where runs are kept.
    pub workspace: &'a Workspace,
    /// Started when the user pressed Enter.
    pub clock: Clock,
    /// Set from outside to end the sweep and keep everything (Ctrl-C).
    pub stop: Arc<AtomicBool>,
    /// Told what happens as it happens.
    pub narrator: &'a mut dyn SweepNarrator,
    /// The command line, recorded with the run; empty for a library call.
    pub command_line: Vec<String>,
}

/// Told what happens. Every method does nothing by default.
pub trait SweepNarrator {
    /// The file is read and the run is there; trials begin now. `until` is the end on the session's clock.
    fn begun(&mut self, _sweep: &Sweep, _run: &RunId, _status: &Arc<Status>, _clock: Clock, _until: Option<f64>) {}
    /// No trial runs any more.
    fn ended(&mut self, _counts: Counts) {}
}

/// How a sweep ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSummary {
    /// Version of this form, 1.
    pub version: u32,
    /// The run.
    pub run: String,
    /// `finished`, or `stopped` by the user.
    pub state: String,
    /// Why it ended.
    pub ended: String,
    /// Whether all trials that the limits allow were run.
    pub trials_exhausted: bool,
    /// The primary metric.
    pub metric: String,
    /// `maximize` or `minimize`.
    pub goal: String,
    /// The best trial that ended by itself or at its own limit; none where no trial did.
    pub best: Option<SweepBest>,
    /// Trials with a result.
    pub finished: u32,
    /// Trials that a policy, or the end of the time, stopped.
    pub stopped: u32,
    /// Trials that failed.
    pub failed: u32,
    /// Reasons of failed trials with how often, most frequent first.
    pub failures: Vec<(String, usize)>,
    /// Every trial, best first; those without a result last.
    pub trials: Vec<SweepRow>,
    /// Where the logs are.
    pub logs: String,
}

/// The best trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepBest {
    /// Its number.
    pub trial: u32,
    /// The best value of the metric that it reported.
    pub value: f64,
    /// Its parameters.
    pub params: Map<String, Json>,
    /// Its command: what to run to get it again.
    pub command: String,
    /// Where the command runs.
    pub folder: String,
}

/// A trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRow {
    /// Its number.
    pub trial: u32,
    /// `finished`, `timed out` (with what it had), `stopped` or `failed`.
    pub state: String,
    /// The best value of the metric that it reported, if it did.
    pub value: Option<f64>,
    /// Reports of the metric.
    pub reports: usize,
    /// Its parameters in words.
    pub params: String,
    /// Seconds that it took.
    pub seconds: f64,
    /// Why it was stopped or failed.
    pub reason: Option<String>,
}

/// Runs a sweep file.
pub fn start(file: &Path, cores: usize, session: &mut SweepSession<'_>) -> Result<SweepSummary, AutoMlError> {
    let stored = read(file, cores)?;
    let sweep = parse(&stored)?;
    let name = sweep.name.clone().or_else(|| Some(file.file_stem()?.to_string_lossy().into_owned()));
    let name = name.unwrap_or_else(|| SWEEP.to_owned());
    let run = session.workspace.new_run_id(&name)?;
    let mut tags = sweep.tags.clone();
    tags.insert("seed".into(), sweep.study.seed.to_string());
    tags.insert("automl_version".into(), env!("CARGO_PKG_VERSION").into());
    tags.insert("command_line".into(), session.command_line.join(" "));
    session.workspace.create_run(&NewRun {
        id: run.clone(),
        parent: None,
        kind: SWEEP.into(),
        name,
        spec: to_json(&stored),
        tags,
        started_ms: unix_ms(),
    })?;
    let _lock = session.workspace.try_lock_run(&run)?;
    sit(&sweep, &run, 0.0, session)
}

/// How a sweep stands, also one that is under way or was killed; none before its first trial.
pub(crate) fn so_far(run: &RunId, workspace: &Workspace) -> Result<Option<SweepSummary>, AutoMlError> {
    let record = workspace.get_run(run)?;
    let stored: Stored = serde_json::from_value(record.spec)
        .map_err(|error| AutoMlError::Usage(format!("run `{run}` was written by another version: {error}")))?;
    let sweep = parse(&stored)?;
    let Some(history) = replay(workspace, run)? else { return Ok(None) };
    let logs = workspace.run_dir(run)?.join("logs");
    let reason = history.ended().unwrap_or(EndReason::Stopped);
    Ok(Some(summarise(&sweep, run, &history, reason, &logs)))
}

/// Checks a sweep file without running it.
pub(crate) fn check(file: &Path, cores: usize) -> Result<Sweep, AutoMlError> {
    parse(&read(file, cores)?)
}

/// Goes on with a sweep: what is left of its limits, or more.
pub fn resume(run: &RunId, extra: Extra, session: &mut SweepSession<'_>) -> Result<SweepSummary, AutoMlError> {
    let record = session.workspace.get_run(run)?;
    let _lock = session.workspace.try_lock_run(run)?;
    let mut stored: Stored = serde_json::from_value(record.spec).map_err(|error| {
        AutoMlError::Usage(format!("run `{run}` was written by another version and cannot be resumed: {error}"))
    })?;
    if let Some(cores) = extra.cores {
        stored.cores = cores;
    }
    let history = replay(session.workspace, run)?;
    let before = parse(&stored)?;
    extend(&mut stored, extra, &before.study, history.as_ref())?;
    let sweep = parse(&stored)?;
    session.workspace.update_spec(run, &to_json(&stored))?;
    session.workspace.set_status(run, RunStatus::Running, None)?;
    sit(&sweep, run, history.as_ref().map_or(0.0, History::spent), session)
}

/// Raises the stored limits by what is asked for; refuses where nothing would be left to do.
fn extend(stored: &mut Stored, extra: Extra, study: &StudySpec, history: Option<&History>) -> Result<(), AutoMlError> {
    let asked = study.limits.max_trials.unwrap_or(0);
    if let Some(more) = extra.trials {
        stored.max_trials = Some(match more {
            More::Total(n) => n,
            More::Plus(n) => asked.saturating_add(n),
        });
    }
    let seconds = study.limits.search_seconds.unwrap_or(0.0);
    let spent = history.map_or(0.0, History::spent);
    if let Some(more) = extra.time {
        stored.search_seconds = Some(match more {
            More::Total(Seconds(total)) => total,
            More::Plus(Seconds(plus)) => seconds.max(spent) + plus,
        });
    }
    let Some(history) = history else { return Ok(()) };
    let most = stored.max_trials.unwrap_or(asked);
    let is_open = history.open().next().is_some();
    if !is_open && history.trials().len() as u32 >= most {
        let text = format!("all {most} trials were run: say how many more, as --max-trials +40");
        return Err(AutoMlError::Usage(text));
    }
    let total = stored.search_seconds.unwrap_or(seconds);
    if spent >= total {
        let text = format!("{} is spent: say how much more, as --time-limit +5m", Seconds(total));
        return Err(AutoMlError::Usage(text));
    }
    Ok(())
}

fn read(file: &Path, cores: usize) -> Result<Stored, AutoMlError> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| AutoMlError::Usage(format!("{shown}: the sweep file cannot be read: {error}")))?;
    let absolute = std::path::absolute(file)
        .map_err(|error| AutoMlError::Usage(format!("{shown}: the sweep file cannot be found: {error}")))?;
    let folder = absolute.parent().unwrap_or(Path::new("/")).display().to_string();
    let stored = Stored { version: VERSION, text, folder, cores, max_trials: None, search_seconds: None };
    match Sweep::parse(&stored.text, Path::new(&stored.folder), cores) {
        Ok(_) => Ok(stored),
        Err(reason) => Err(AutoMlError::Usage(format!("{shown}: {reason}"))),
    }
}

fn parse(stored: &Stored) -> Result<Sweep, AutoMlError> {
    let mut sweep = Sweep::parse(&stored.text, Path::new(&stored.folder), stored.cores).map_err(AutoMlError::Usage)?;
    let limits = &mut sweep.study.limits;
    limits.max_trials = stored.max_trials.or(limits.max_trials);
    limits.search_seconds = stored.search_seconds.or(limits.search_seconds);
    sweep.timeout = stored.search_seconds.or(sweep.timeout);
    Ok(sweep)
}

/// One sitting.
fn sit(sweep: &Sweep, run: &RunId, spent: f64, session: &mut SweepSession<'_>) -> Result<SweepSummary, AutoMlError> {
    let result = search(sweep, run, spent, session);
    if result.is_err() {
        let status = if session.stop.load(Ordering::Relaxed) { RunStatus::Stopped } else { RunStatus::Failed };
        // The first error is the one to tell; a store that cannot take the status has told it already.
        let _ = session.workspace.set_status(run, status, Some(unix_ms()));
    }
    result
}

fn search(sweep: &Sweep, run: &RunId, spent: f64, session: &mut SweepSession<'_>) -> Result<SweepSummary, AutoMlError> {
    let (workspace, clock) = (session.workspace, session.clock);
    let folder = workspace.run_dir(run)?;
    let (logs, outputs) = (folder.join("logs"), folder.join("outputs"));
    std::fs::create_dir_all(&logs)
        .map_err(|error| AutoMlError::Usage(format!("{}: it cannot be made: {error}", logs.display())))?;
    let status = Arc::new(Status::default());
    let objective = &sweep.study.objectives[0];
    let ground = Ground {
        template: sweep.template.clone(),
        names: sweep.names.clone(),
        environment: sweep.environment.clone(),
        folder: sweep.folder.clone(),
        logs: logs.clone(),
        outputs,
        metric: objective.metric.clone(),
        goal: objective.goal,
        is_watched: sweep.study.early_termination != hyperdrive::EarlyTerminationPolicy::None,
        clock,
        status: status.clone(),
        record: recorder(workspace, run),
    };
    let began = clock.elapsed();
    let until = sweep.timeout.map(|total| clock.seconds() + total - spent);
    session.narrator.begun(sweep, run, &status, clock, until);
    let mut journal = workspace.journal(run, unix_ms)?;
    let slots = sweep.study.limits.slots();
    let mut executor = ProcessExecutor::new(ground, slots).map_err(|error| AutoMlError::NoModel {
        reason: format!("no process could be started: {error}"),
        hint: Some("`sh` must be there, and the system must allow one more process".into()),
    })?;
    let mut observe = |_: &Record, history: &History| {
        let best =
            best(history).and_then(|trial| Some((trial.id, sweep.names.in_words(&trial.params), trial.value()?)));
        status.update(|picture| {
            picture.counts = history.counts();
            let Some((trial, algorithm, value)) = best else { return };
            if picture.improvements.last().is_none_or(|last| objective.goal.better(value, last.value)) {
                picture.improvements.push(BestTrial { trial, algorithm, value, at_seconds: clock.seconds() });
            }
        });
    };
    let stop = session.stop.clone();
    let ended = hyperdrive::run(
        &sweep.study,
        Sitting {
            journal: &mut journal,
            executor: &mut executor,
            clock: &|| clock.elapsed().saturating_sub(began),
            stop: &|| stop.load(Ordering::Relaxed),
            observe: &mut observe,
        },
    )?;
    drop(executor);
    session.narrator.ended(ended.history.counts());
    let summary = summarise(sweep, run, &ended.history, ended.reason, &logs);
    workspace.set_document(run, SUMMARY, &to_json(&summary))?;
    if let Some(best) = &summary.best {
        workspace.log_metrics(run, &[(summary.metric.as_str(), best.value)], 0, unix_ms())?;
        let child = BTreeMap::from([("best_trial".to_owned(), best.trial.to_string())]);
        workspace.set_tags(run, &child)?;
    }
    let is_stopped = ended.reason == EndReason::Stopped;
    let status = match (is_stopped, &summary.best) {
        (true, _) => RunStatus::Stopped,
        (false, Some(_)) => RunStatus::Finished,
        (false, None) => RunStatus::Failed,
    };
    workspace.set_status(run, status, Some(unix_ms()))?;
    if summary.best.is_none() && !is_stopped {
        return Err(no_result(&summary));
    }
    Ok(summary)
}

/// No trial has a result: why, in the words of the most frequent failure.
fn no_result(summary: &SweepSummary) -> AutoMlError {
    let n = summary.trials.len();
    let reason = match summary.failures.first() {
        Some((reason, times)) => format!("none of {n} trials has a result; {times} failed: {reason}"),
        None => format!("none of {n} trials has a result: {}", summary.ended),
    };
    let hint = format!("the logs are in {}; automl run list --parent {} lists the trials", summary.logs, summary.run);
    AutoMlError::NoModel { reason, hint: Some(hint) }
}

/// Writes metrics to the runs of trials, up to [`POINTS`] of each.
fn recorder(workspace: &Workspace, run: &RunId) -> Recorder {
    let (workspace, run) = (workspace.clone(), run.clone());
    Box::new(move |trial, step, name, value| {
        if step < POINTS {
            // What is shown of a trial is no reason to end a sweep; the log has it too.
            let _ = workspace.log_metrics(&run.child(trial.0), &[(name, value)], step, unix_ms());
        }
    })
}

/// The best trial with a result: of those that ended by themselves, or at their own limit with what they had.
fn best(history: &History) -> Option<&Trial> {
    let goal = history.spec().goal();
    let ended = history.trials().iter().filter(|trial| matches!(trial.state, TrialState::Finished { .. }));
    let ranked = ended.filter_map(|trial| Some((goal.loss(trial.value()?), trial)));
    ranked.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, trial)| trial)
}

/// What a trial's value is: the best it reported.
fn value(history: &History, trial: &Trial) -> Option<f64> {
    let goal = history.spec().goal();
    let reports = trial.reports.iter().filter_map(|(_, outcome)| outcome.values.first().copied());
    let all = reports.chain(trial.value());
    all.reduce(|best, value| if goal.better(value, best) { value } else { best })
}

fn summarise(sweep: &Sweep, run: &RunId, history: &History, reason: EndReason, logs: &Path) -> SweepSummary {
    let objective = &sweep.study.objectives[0];
    let counts = history.counts();
    let mut trials: Vec<SweepRow> = history.trials().iter().map(|trial| row(sweep, history, trial)).collect();
    let rank = |row: &SweepRow| {
        let has_result = matches!(row.state.as_str(), "finished" | "timed out");
        (!has_result, row.value.map_or(f64::INFINITY, |value| objective.goal.loss(value)))
    };
    trials.sort_by(|a, b| {
        let ((a_none, a_loss), (b_none, b_loss)) = (rank(a), rank(b));
        a_none.cmp(&b_none).then(a_loss.total_cmp(&b_loss)).then(a.trial.cmp(&b.trial))
    });
    let best = best(history).and_then(|trial| {
        let params = sweep.names.outside(&trial.params);
        Some(SweepBest {
            trial: trial.id.0,
            value: trial.value()?,
            command: sweep.template.fill(&params).trim_end().to_owned(),
            params,
            folder: sweep.folder.display().to_string(),
        })
    });
    SweepSummary {
        version: VERSION,
        run: run.to_string(),
        state: if reason == EndReason::Stopped { "stopped" } else { "finished" }.into(),
        ended: words(reason).into(),
        trials_exhausted: reason == EndReason::MaxTrials,
        metric: objective.metric.clone(),
        goal: match objective.goal {
            hyperdrive::Goal::Maximize => "maximize",
            hyperdrive::Goal::Minimize => "minimize",
        }
        .into(),
        best,
        finished: counts.finished,
        stopped: counts.stopped,
        failed: counts.failed,
        failures: failures(history),
        trials,
        logs: logs.display().to_string(),
    }
}

fn row(sweep: &Sweep, history: &History, trial: &Trial) -> SweepRow {
    let (state, reason) = match &trial.state {
        TrialState::Running { .. } | TrialState::Paused { .. } => ("interrupted", None),
        TrialState::Finished { partial: false } => ("finished", None),
        TrialState::Finished { partial: true } => ("timed out", None),
        TrialState::Stopped { reason, .. } => ("stopped", Some(reason.clone())),
        TrialState::Failed { reason, .. } => ("failed", Some(reason.clone())),
    };
    let watched = trial.reports.iter().filter(|(rung, _)| rung.0 < u16::MAX).count();
    SweepRow {
        trial: trial.id.0,
        state: state.into(),
        value: value(history, trial),
        reports: watched.max(trial.curve.len()),
        params: sweep.names.in_words(&trial.params),
        seconds: trial.cost,
        reason,
    }
}
