//! `fit --from RUN`: what an earlier run has found, to begin with.

use hyperdrive::{History, Params, Trial, TrialId};
use platform::Workspace;

use crate::error::AutoMlError;
use crate::fit::{FIT, SUMMARY, replay, spec_of};
use crate::leaderboard::Summary;
use crate::spec::{AutoMlSpec, WarmStart};

/// Configurations that are taken over, best first, beside the members of the model.
const BEST: usize = 10;

/// The best configurations of a run, named or by the beginning of its name: of its finished trials up to ten, best
/// first, then the members of its model that are not among them. Scores are not taken over, for they are of other data.
///
/// Errors: the run is unknown or no fit; none of its trials has finished; its task is said to be another than `spec`'s.
pub fn warm_start(workspace: &Workspace, run: &str, spec: &AutoMlSpec) -> Result<WarmStart, AutoMlError> {
    let run = workspace.find_run(run)?;
    let record = workspace.get_run(&run)?;
    if record.kind != FIT {
        return Err(AutoMlError::Usage(format!("--from {run}: it is a {}; only a fit can be begun from", record.kind)));
    }
    let history = replay(workspace, &run)?;
    let mut finished: Vec<&Trial> = history
        .iter()
        .flat_map(History::trials)
        .filter(|trial| trial.is_complete() && trial.value().is_some())
        .collect();
    let Some(goal) = history.as_ref().map(|history| history.spec().goal()).filter(|_| !finished.is_empty()) else {
        return Err(AutoMlError::Usage(format!("--from {run}: none of its trials has finished")));
    };
    if let (Some(asked), Ok(earlier)) = (spec.task, spec_of(&record, &run))
        && earlier.task.is_some_and(|task| task.is_classification() != asked.is_classification())
    {
        return Err(AutoMlError::Usage(format!("--from {run}: its task was another than --task {asked}")));
    }
    let loss = |trial: &Trial| trial.value().map_or(f64::INFINITY, |value| goal.loss(value));
    finished.sort_by(|a, b| loss(a).total_cmp(&loss(b)).then(a.id.cmp(&b.id)));
    let summary = workspace.get_document(&run, SUMMARY)?;
    let summary: Option<Summary> = summary.and_then(|value| serde_json::from_value(value).ok());
    let members: Vec<TrialId> =
        summary.iter().flat_map(|summary| &summary.model.members).filter_map(trial_of).collect();
    let mut points: Vec<Params> = Vec::new();
    let mut take = |trial: &Trial, most: usize| {
        if points.len() < most && !points.contains(&trial.params) {
            points.push(trial.params.clone());
        }
    };
    for trial in &finished {
        take(trial, BEST);
    }
    for trial in finished.iter().filter(|trial| members.contains(&trial.id)) {
        take(trial, usize::MAX);
    }
    Ok(WarmStart { run: run.to_string(), points })
}

/// The trial a member is named after; none of the second layer.
fn trial_of((name, _): &(String, f64)) -> Option<TrialId> {
    name.split_once(" #")?.1.parse().ok().map(TrialId)
}
