//! `automl run`: what is recorded of runs.

use chrono::DateTime;
use platform::{RunFilter, RunStatus, RunSummary, Workspace};

use super::args::RunCommand;
use super::leaderboard::named_or_latest;
use super::screen::{label, soft};
use super::{Context, compare, table};
use crate::error::AutoMlError;
use crate::fit::{FIT, to_json};
use crate::life::REFIT;
use crate::report::number;
use crate::spec::{Bytes, Seconds};
use crate::sweep::SWEEP;

pub(super) fn run(command: &RunCommand, context: &mut Context) -> Result<u8, AutoMlError> {
    let workspace = context.existing_workspace()?;
    match command {
        RunCommand::List { parent, limit } => {
            let parent = parent.as_deref().map(|name| workspace.find_run(name)).transpose()?;
            let of = |kind| workspace.list_runs(&RunFilter { kind, parent: parent.clone(), limit: Some(*limit) });
            let runs = if parent.is_some() {
                of(None)?
            } else {
                let mut runs =
                    [of(Some(FIT.to_owned()))?, of(Some(REFIT.to_owned()))?, of(Some(SWEEP.to_owned()))?].concat();
                runs.sort_by_key(|run| std::cmp::Reverse(run.started_ms));
                runs.truncate(*limit);
                runs
            };
            list(&runs, &workspace, context);
        }
        RunCommand::Compare { a, b } => {
            let (a, b) = (workspace.find_run(a)?, workspace.find_run(b)?);
            compare::run(&a, &b, &workspace, context)?;
        }
        RunCommand::Show { run } => {
            let id = named_or_latest(run.as_deref(), &workspace)?;
            show(&workspace.get_run(&id)?, context);
        }
    }
    Ok(0)
}

fn list(runs: &[RunSummary], workspace: &Workspace, context: &mut Context) {
    if context.screen.json() {
        return context.screen.document(&to_json(&runs));
    }
    if runs.is_empty() {
        return context.screen.line("No runs yet: automl fit train.csv --target y makes one.");
    }
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let shown = |(name, value): (&String, &f64)| format!("{name} {}", number(*value));
            let internal = ["fit_seconds", "predict_us_per_row"];
            let metric = run.metrics.iter().find(|(name, _)| !internal.contains(&name.as_str())).map(shown);
            let took = run
                .ended_ms
                .map_or_else(|| "–".to_owned(), |end| Seconds((end - run.started_ms) as f64 / 1000.0).to_string());
            vec![
                run.id.to_string(),
                status(run, workspace).to_owned(),
                when(run.started_ms),
                took,
                metric.unwrap_or_default(),
                children(run),
            ]
        })
        .collect();
    for (i, line) in
        table::lines(&["run", "status", "started", "took", "score", "trials"], &rows, &[3, 5]).iter().enumerate()
    {
        context.screen.line(&if i == 0 { soft(line) } else { line.clone() });
    }
}

/// How many trials a fit has; a trial has none.
fn children(run: &RunSummary) -> String {
    if run.parent.is_some() { "–".into() } else { run.n_children.to_string() }
}

/// A run that says it is running, and that nobody works on, was killed.
fn status(run: &RunSummary, workspace: &Workspace) -> &'static str {
    let whole = run.parent.as_ref().unwrap_or(&run.id);
    if run.status == RunStatus::Running && workspace.try_lock_run(whole).is_ok() {
        "killed"
    } else {
        run.status.as_str()
    }
}

fn show(run: &platform::Run, context: &mut Context) {
    if context.screen.json() {
        return context.screen.document(&to_json(run));
    }
    let screen = &mut context.screen;
    screen.line(&format!("{}{} · {} · {}", label("Run"), run.id, run.kind, run.status.as_str()));
    let ended = run
        .ended_ms
        .map_or_else(String::new, |end| format!(" · took {}", Seconds((end - run.started_ms) as f64 / 1000.0)));
    screen.line(&format!("{}{}{ended}", label("Started"), when(run.started_ms)));
    let block = |title: &str, pairs: Vec<(String, String)>, screen: &mut super::Screen| {
        if pairs.is_empty() {
            return;
        }
        let rows: Vec<Vec<String>> = pairs.into_iter().map(|(name, value)| vec![name, value]).collect();
        for (i, line) in table::lines(&["", ""], &rows, &[]).into_iter().skip(1).enumerate() {
            screen.line(&format!("{}{line}", label(if i == 0 { title } else { "" })));
        }
    };
    let text =
        |map: &std::collections::BTreeMap<String, String>| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    block("Metrics", run.metrics.iter().map(|(k, v)| (k.clone(), number(*v))).collect(), screen);
    block("Params", text(&run.params), screen);
    block("Facts", text(&run.tags), screen);
    block("Files", run.artifacts.iter().map(|a| (a.path.clone(), Bytes(a.size).to_string())).collect(), screen);
}

/// A time as people write it, in UTC.
pub(super) fn when(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(|| "–".into(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string())
}
