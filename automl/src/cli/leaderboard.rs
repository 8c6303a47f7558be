//! `automl leaderboard`: the models of a run, best first; also of one that was stopped or killed.

use std::collections::BTreeSet;

use hyperdrive::TrialState;
use platform::RunId;
use serde_json::json;

use super::args::LeaderboardArgs;
use super::screen::soft;
use super::{Context, summary};
use crate::conclude::failures;
use crate::error::AutoMlError;
use crate::fit::{FIT, SUMMARY, replay, to_json};
use crate::leaderboard::{Row, Summary};
use crate::life::REFIT;
use crate::search::{deviation, mean};
use crate::sweep::SWEEP;

pub(super) fn run(args: &LeaderboardArgs, context: &mut Context) -> Result<u8, AutoMlError> {
    let workspace = context.existing_workspace()?;
    let run = named_or_latest(args.run.as_deref(), &workspace)?;
    if workspace.get_run(&run)?.kind == SWEEP {
        return sweep_board(&run, args.top, &workspace, context);
    }
    if workspace.get_run(&run)?.kind == REFIT {
        return Err(AutoMlError::Usage(format!("run `{run}` fitted a recipe again and searched nothing")));
    }
    let stored = workspace.get_document(&run, SUMMARY)?;
    let stored: Option<Summary> = stored.and_then(|value| serde_json::from_value(value).ok());
    let history = replay(&workspace, &run)?;
    let mut rows: Vec<Row> = stored.as_ref().map(|summary| summary.leaderboard.clone()).unwrap_or_default();
    let known: BTreeSet<u32> = rows.iter().filter_map(|row| row.trial).collect();
    let mut failed = Vec::new();
    if let Some(history) = &history {
        let complete = history.trials().iter().filter(|trial| trial.state == TrialState::Finished { partial: false });
        rows.extend(complete.filter(|trial| !known.contains(&trial.id.0)).map(|trial| {
            let algorithm = trial.params.text(crate::candidate::ALGORITHM).unwrap_or_default();
            Row {
                name: format!("{algorithm} #{}", trial.id),
                trial: Some(trial.id.0),
                score: trial.value().unwrap_or_else(|| mean(&trial.curve)),
                deviation: deviation(&trial.curve),
                nested: None,
                fit_seconds: 0.0,
                predict_us: 0.0,
                params: trial.params.under(algorithm).to_string(),
            }
        }));
        let loss = |row: &Row| history.spec().goal().loss(row.score);
        rows.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        failed = failures(history);
    }
    let total = rows.len();
    rows.truncate(args.top);
    if context.screen.json() {
        context.screen.document(
            &json!({ "run": run.to_string(), "models": total, "leaderboard": to_json(&rows), "failures": failed }),
        );
        return Ok(0);
    }
    if total == 0 {
        context.screen.line(&format!("No model of {run} has finished yet."));
    } else {
        for line in summary::board(&rows, args.top) {
            context.screen.line(&line);
        }
        let more = total - rows.len();
        let more = if more > 0 { format!(" · {more} more: --top {total}") } else { String::new() };
        context.screen.line(&soft(&format!("{total} models of {run}{more}")));
    }
    for (reason, n) in failed.iter().take(5) {
        context.screen.note(&format!("{n} failed: {reason}"));
    }
    Ok(0)
}

/// The trials of a sweep, also of one that was killed.
fn sweep_board(
    run: &RunId,
    top: usize,
    workspace: &platform::Workspace,
    context: &mut Context,
) -> Result<u8, AutoMlError> {
    let Some(summary) = crate::sweep::so_far(run, workspace)? else {
        context.screen.note(&format!("No trial of {run} has begun yet."));
        return Ok(0);
    };
    if context.screen.json() {
        context.screen.document(&to_json(&summary));
        return Ok(0);
    }
    for line in super::sweep::board(&summary, top) {
        context.screen.line(&line);
    }
    let total = summary.trials.len();
    let more = if total > top { format!(" · {} more: --top {total}", total - top) } else { String::new() };
    context.screen.line(&soft(&format!("{total} trials of {run}{more}")));
    for (reason, n) in summary.failures.iter().take(5) {
        context.screen.note(&format!("{n} failed: {reason}"));
    }
    Ok(0)
}

/// A run by name or prefix; the latest fit or sweep when none is named.
pub(super) fn named_or_latest(name: Option<&str>, workspace: &platform::Workspace) -> Result<RunId, AutoMlError> {
    let latest = || {
        let newest = |kind| workspace.latest_run(kind)?.map(|run| workspace.get_run(&run)).transpose();
        let runs: [Option<platform::Run>; 2] = [newest(FIT)?, newest(SWEEP)?];
        let newest = runs.into_iter().flatten().max_by_key(|run| run.started_ms);
        Ok::<_, AutoMlError>(newest.map(|run| run.id))
    };
    match name {
        Some(name) => Ok(workspace.find_run(name)?),
        None => latest()?
            .ok_or_else(|| AutoMlError::Usage("there is no run yet: automl fit train.csv --target y makes one".into())),
    }
}
