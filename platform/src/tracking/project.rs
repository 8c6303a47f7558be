//! What people see of a journal's events: rows of child runs. No search reads them.

use hyperdrive::{Event, FailureKind, Outcome, Params, Value};
use rusqlite::Transaction;
use serde_json::json;

use super::run::{NewRun, RunStatus};
use super::write::{exists, insert_run, put_metric, put_param, put_status, put_tag};
use crate::ids::RunId;
use crate::store::Fault;

/// The kind of a trial's run.
const TRIAL: &str = "trial";
/// Tag of a trial that was stopped or failed: why.
const REASON: &str = "reason";
/// Tag of a trial that failed: in which way.
const FAILURE: &str = "failure";
/// Tag of a trial scored at its own deadline: `true`.
const PARTIAL: &str = "partial";
/// Tag of a study whose hang guard fired: `false`.
const REPRODUCIBLE: &str = "reproducible";

/// Writes the rows that `event` changes. `metrics` are the names of the study's objectives.
///
/// An event of a trial that has no row changes none: whether a sequence of events makes sense is for the history
/// to say, and the journal keeps what it is given.
pub(super) fn project(
    transaction: &Transaction<'_>,
    study: &RunId,
    metrics: &[String],
    event: &Event,
    now_ms: i64,
) -> Result<(), Fault> {
    match event {
        Event::Created { .. } | Event::Resumed { .. } | Event::Waited { .. } | Event::Paused { .. } => Ok(()),
        Event::Started { trial, params, .. } => start(transaction, study, trial.0, params, now_ms),
        Event::Reported { trial, rung, outcome, .. } => with_run(transaction, study, trial.0, |run| {
            score(transaction, run, metrics, outcome, i64::from(rung.0), now_ms)
        }),
        Event::Finished { trial, partial, outcome, .. } => with_run(transaction, study, trial.0, |run| {
            if *partial {
                let step = next_step(transaction, run)?;
                score(transaction, run, metrics, outcome, step, now_ms)?;
                put_tag(transaction, run, PARTIAL, "true")?;
            }
            put_status(transaction, run, RunStatus::Finished, Some(now_ms))
        }),
        Event::Stopped { trial, reason, .. } => with_run(transaction, study, trial.0, |run| {
            put_tag(transaction, run, REASON, reason)?;
            put_status(transaction, run, RunStatus::Stopped, Some(now_ms))
        }),
        Event::Failed { trial, kind, reason, .. } => with_run(transaction, study, trial.0, |run| {
            put_tag(transaction, run, REASON, reason)?;
            put_tag(transaction, run, FAILURE, failure(*kind))?;
            put_status(transaction, run, RunStatus::Failed, Some(now_ms))
        }),
        Event::HangGuard { trial } => {
            put_tag(transaction, study, REPRODUCIBLE, "false")?;
            with_run(transaction, study, trial.0, |run| put_tag(transaction, run, REPRODUCIBLE, "false"))
        }
        Event::Ended { .. } => end(transaction, study, now_ms),
    }
}

/// A trial begins, or goes on: from a pause, or again after its process died.
fn start(transaction: &Transaction<'_>, study: &RunId, trial: u32, params: &Params, now_ms: i64) -> Result<(), Fault> {
    let run = study.child(trial);
    if exists(transaction, &run)? {
        put_status(transaction, &run, RunStatus::Running, None)?;
        transaction.prepare_cached("DELETE FROM tag WHERE run = ?1 AND key IN (?2, ?3)")?.execute((
            run.as_str(),
            REASON,
            FAILURE,
        ))?;
    } else {
        let new = NewRun {
            id: run.clone(),
            parent: Some(study.clone()),
            kind: TRIAL.to_owned(),
            name: format!("trial {trial}"),
            spec: json!({}),
            tags: [].into(),
            started_ms: now_ms,
        };
        insert_run(transaction, &new)?;
    }
    for (key, value) in params.iter() {
        put_param(transaction, &run, key, &exact(value))?;
    }
    Ok(())
}

/// The values of a report. A step reported again, by a second attempt, takes the new value.
fn score(
    transaction: &Transaction<'_>,
    run: &RunId,
    metrics: &[String],
    outcome: &Outcome,
    step: i64,
    now_ms: i64,
) -> Result<(), Fault> {
    for (metric, &value) in metrics.iter().zip(&outcome.values) {
        transaction.prepare_cached("DELETE FROM metric WHERE run = ?1 AND key = ?2 AND step = ?3")?.execute((
            run.as_str(),
            metric,
            step,
        ))?;
        put_metric(transaction, run, metric, value, step, now_ms)?;
    }
    Ok(())
}

/// The search ends: trials that wait for a promotion, or were cut off, are no longer at work. A resume that goes
/// on with one starts it again.
fn end(transaction: &Transaction<'_>, study: &RunId, now_ms: i64) -> Result<(), Fault> {
    const OPEN: &str = "parent = ?1 AND kind = 'trial' AND status = 'running'";
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO tag (run, key, value)
             SELECT id, ?2, 'the search ended before it was done' FROM run WHERE {OPEN}"
        ))?
        .execute((study.as_str(), REASON))?;
    transaction
        .prepare_cached(&format!("UPDATE run SET status = 'stopped', ended_ms = ?2 WHERE {OPEN}"))?
        .execute((study.as_str(), now_ms))?;
    Ok(())
}

/// Does `work` on the run of a trial, if it has one.
fn with_run(
    transaction: &Transaction<'_>,
    study: &RunId,
    trial: u32,
    work: impl FnOnce(&RunId) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let run = study.child(trial);
    if exists(transaction, &run)? { work(&run) } else { Ok(()) }
}

/// The step after the last: what a trial had at its own deadline stands at no rung, and is its latest value.
fn next_step(transaction: &Transaction<'_>, run: &RunId) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("SELECT coalesce(max(step) + 1, 0) FROM metric WHERE run = ?1")?
        .query_row([run.as_str()], |row| row.get(0))
}

/// A parameter with all its digits; its own text is rounded for people.
fn exact(value: &Value) -> String {
    match value {
        Value::Float(x) => format!("{x:?}"),
        Value::Int(k) => k.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bool(yes) => yes.to_string(),
    }
}

fn failure(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Error => "error",
        FailureKind::Panicked => "panicked",
        FailureKind::TimedOut => "timed_out",
        FailureKind::Interrupted => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use hyperdrive::{EndReason, Journal, Segment, TrialId};

    use super::*;
    use crate::testing::{created, failed, finished, journal, reported, started, stopped, study};
    use crate::tracking::RunFilter;

    #[test]
    fn trials_are_shown_as_child_runs() {
        let (_folder, workspace, run) = study();
        let mut journal = journal(&workspace, &run);
        journal.append(&[created()]).expect("appended");
        for trial in 0..6 {
            journal.append(&[started(trial, 1)]).expect("appended");
        }
        let rest = [
            reported(0, 0, 0.5),
            reported(0, 2, 0.75),
            finished(0, 0.75, false),
            reported(1, 0, 0.25),
            finished(1, 0.375, true),
            reported(2, 0, 0.1),
            stopped(2),
            failed(3, FailureKind::TimedOut),
            Event::HangGuard { trial: TrialId(4) },
        ];
        for event in rest {
            journal.append(&[event]).expect("appended");
        }
        let show = |trial: u32| {
            let run = workspace.get_run(&run.child(trial)).expect("a child run");
            (run.status, run.metrics.get("auc").copied(), run.ended_ms, run.tags)
        };
        let tags =
            |pairs: &[(&str, &str)]| pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let at = Some(5_000);
        assert_eq!(show(0), (RunStatus::Finished, Some(0.75), at, tags(&[])));
        assert_eq!(show(1), (RunStatus::Finished, Some(0.375), at, tags(&[("partial", "true")])));
        let why = [("reason", "below the median")];
        assert_eq!(show(2), (RunStatus::Stopped, Some(0.1), at, tags(&why)));
        let why = [("failure", "timed_out"), ("reason", "it broke")];
        assert_eq!(show(3), (RunStatus::Failed, None, at, tags(&why)));
        assert_eq!(show(4), (RunStatus::Running, None, None, tags(&[("reproducible", "false")])));
        let study_tags = workspace.get_run(&run).expect("the study").tags;
        assert_eq!(study_tags["reproducible"], "false");

        let child = workspace.get_run(&run.child(0)).expect("a child run");
        assert_eq!((child.kind.as_str(), child.parent, child.started_ms), ("trial", Some(run.clone()), 5_000));
        assert_eq!(child.params["x"], "0.3333333333333333");
        assert_eq!((child.params["k"].as_str(), child.params["algorithm"].as_str()), ("5", "knn"));
        let history = workspace.metric_history(&run.child(0), "auc").expect("a history");
        assert_eq!(history.iter().map(|point| point.step).collect::<Vec<_>>(), [0, 2]);
        let children = RunFilter { parent: Some(run), ..RunFilter::default() };
        assert_eq!(workspace.list_runs(&children).expect("a list").len(), 6);
    }

    #[test]
    fn a_second_attempt_takes_the_place_of_the_first() {
        let (_folder, workspace, run) = study();
        let mut journal = journal(&workspace, &run);
        let events = [created(), started(0, 1), reported(0, 0, 0.5), failed(0, FailureKind::Interrupted)];
        journal.append(&events).expect("appended");
        journal.append(&[started(0, 2), reported(0, 0, 0.25)]).expect("appended");
        let child = workspace.get_run(&run.child(0)).expect("a child run");
        assert_eq!((child.status, child.ended_ms), (RunStatus::Running, None));
        assert_eq!(child.tags, [].into());
        let history = workspace.metric_history(&run.child(0), "auc").expect("a history");
        assert_eq!(history.iter().map(|point| point.value).collect::<Vec<_>>(), [0.25]);
    }

    #[test]
    fn when_a_search_ends_no_trial_is_left_at_work() {
        let (_folder, workspace, run) = study();
        let mut journal = journal(&workspace, &run);
        let paused = Event::Paused { segment: Segment(0), trial: TrialId(0) };
        let ended = Event::Ended { reason: EndReason::Stopped, spent_seconds: 1.0 };
        journal.append(&[created(), started(0, 1), started(1, 1)]).expect("appended");
        journal.append(&[finished(1, 0.5, false), paused, ended]).expect("appended");
        let status = |trial| workspace.get_run(&run.child(trial)).expect("a child run").status;
        assert_eq!((status(0), status(1)), (RunStatus::Stopped, RunStatus::Finished));
        assert_eq!(workspace.get_run(&run).expect("the study").status, RunStatus::Running);
        journal.append(&[started(0, 1)]).expect("appended");
        let child = workspace.get_run(&run.child(0)).expect("a child run");
        assert_eq!((child.status, child.tags), (RunStatus::Running, [].into()));
    }
}
