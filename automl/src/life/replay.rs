//! `replay RUN`: every decision of a search derived again from its journal; and a search that depends on nothing but
//! data, seed and number of trials run again, to see that the same comes of it.

use std::path::PathBuf;
use std::sync::Arc;

use hyperdrive::{Difference, History, Journal, Replay, Seq, StudyError, Suggestion, Trial};
use platform::{RunId, Workspace};
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, unix_ms};
use crate::error::AutoMlError;
use crate::fit::{AutoMl, FIT, SUMMARY, Session, Silent, replay, spec_of};
use crate::leaderboard::Summary;

/// Differences that are told one by one.
const TOLD: usize = 10;

/// What doing a run again came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// The run.
    pub run: String,
    /// `ordered` or `arrival`, as its search was; empty of one that has no model.
    pub order: String,
    /// Whether everything came out as it was.
    pub same: bool,
    /// Suggestions that began a trial or went on with one.
    pub suggestions: u32,
    /// Suggestions to wait.
    pub waits: u32,
    /// Segments that were begun again after a crash; no decision of the sampler.
    pub retries: u32,
    /// Suggestions that came out otherwise.
    pub n_differences: usize,
    /// The first of those, in words.
    pub differences: Vec<String>,
    /// The second search; none where it was not asked for or would not be the same.
    pub again: Option<Again>,
    /// Why there was no second search.
    pub not_again: Option<String>,
}

/// A search run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Again {
    /// Trials of the first.
    pub trials: usize,
    /// Whether every trial has the same parameters.
    pub same_params: bool,
    /// And the same scores, to the last bit.
    pub same_scores: bool,
    /// And the model file the same bytes.
    pub same_model: bool,
    /// SHA-256 of the first model file, in hex.
    pub sha256: String,
    /// That of the second.
    pub again_sha256: String,
    /// The first differences, in words.
    pub differences: Vec<String>,
}

/// Derives the decisions of a fit again; and, unless `journal_only`, fits again where the first fit depended on nothing
/// but its request. The second fit is made in a workspace of its own, which is then gone.
///
/// Errors: the run is unknown, no fit, or its journal unsound.
pub fn replay_run(
    workspace: &Workspace,
    run: &RunId,
    journal_only: bool,
    cores: usize,
    clock: Clock,
) -> Result<Replayed, AutoMlError> {
    let record = workspace.get_run(run)?;
    if record.kind != FIT {
        return Err(AutoMlError::Usage(format!("run `{run}` is a {}; only a fit can be replayed", record.kind)));
    }
    let mut journal = workspace.journal(run, unix_ms)?;
    let records = journal.read(Seq(0)).map_err(StudyError::from)?;
    let decisions = Replay::of(&records)?;
    let summary = workspace.get_document(run, SUMMARY)?;
    let summary: Option<Summary> = summary.and_then(|value| serde_json::from_value(value).ok());
    let why_not = match &summary {
        _ if journal_only => Some("only the journal was asked for".to_owned()),
        None => Some("the run has no model yet".to_owned()),
        Some(summary) if summary.search.order != "ordered" => {
            Some("its search was limited by time, so another machine, or another minute, gives other trials".to_owned())
        }
        Some(summary) if !summary.search.reproducible => {
            Some("it was stopped or went on after its end, and one search at once does otherwise".to_owned())
        }
        Some(_) => None,
    };
    let again = match (&summary, &why_not) {
        (Some(summary), None) => Some(fit_again(workspace, run, summary, cores, clock)?),
        _ => None,
    };
    let same_again = again.as_ref().is_none_or(|again| again.same_params && again.same_scores && again.same_model);
    Ok(Replayed {
        run: run.to_string(),
        order: summary.map(|summary| summary.search.order).unwrap_or_default(),
        same: decisions.differences.is_empty() && same_again,
        suggestions: decisions.n_suggestions,
        waits: decisions.n_waits,
        retries: decisions.n_retries,
        n_differences: decisions.differences.len(),
        differences: decisions.differences.iter().take(TOLD).map(in_words).collect(),
        again,
        not_again: why_not,
    })
}

fn in_words(Difference { segment, recorded, derived }: &Difference) -> String {
    let derived = derived.as_ref().map_or_else(Clone::clone, said);
    format!("suggestion {}: recorded {}, derived {derived}", segment.0, said(recorded))
}

fn said(suggestion: &Suggestion) -> String {
    match suggestion {
        Suggestion::New { params, until } => format!("a new trial to rung {until} with {params}"),
        Suggestion::Resume { trial, until } => format!("trial {trial} to rung {until}"),
        Suggestion::From { trial, params, until } => format!("a trial from {trial} to rung {until} with {params}"),
        Suggestion::Wait => "a wait".into(),
        Suggestion::Done => "an end".into(),
    }
}

/// A folder that is gone when this is.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // What cannot be removed lies in the machine's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fit_again(
    workspace: &Workspace,
    run: &RunId,
    summary: &Summary,
    cores: usize,
    clock: Clock,
) -> Result<Again, AutoMlError> {
    let mut spec = spec_of(&workspace.get_run(run)?, run)?;
    if spec.train.iter().any(|source| source == "-") {
        return Err(AutoMlError::Usage(format!(
            "run `{run}` read standard input, which cannot be read again: --journal-only derives its decisions"
        )));
    }
    spec.budget.cores = cores;
    let auto = AutoMl::new(spec)?;
    let prepared = auto.plan()?;
    if prepared.data_hash != summary.data.sha256 {
        return Err(AutoMlError::unusable(
            format!("{}: the file has changed since run `{run}` was made", auto.spec().train.join(", ")),
            "restore the file, or say --journal-only",
        ));
    }
    let folder = Passing(std::env::temp_dir().join(format!("automl-replay-{run}-{}", std::process::id())));
    let other = Workspace::find_or_create(Some(&folder.0), &folder.0)?;
    let again = auto.fit_on(
        prepared,
        &mut Session {
            workspace: &other,
            clock,
            stop: Arc::default(),
            narrator: &mut Silent,
            command_line: Vec::new(),
        },
    )?;
    let (first, second) = (replay(workspace, run)?, replay(&other, &RunId::parse(&again.run)?)?);
    let trials =
        |history: &Option<History>| history.as_ref().map(|history| history.trials().to_vec()).unwrap_or_default();
    let (first, second) = (trials(&first), trials(&second));
    let mut differences = Vec::new();
    if first.len() != second.len() {
        differences.push(format!("{} trials, {} when done again", first.len(), second.len()));
    }
    let (mut same_params, mut same_scores) = (first.len() == second.len(), first.len() == second.len());
    for (one, two) in first.iter().zip(&second) {
        if one.params != two.params {
            same_params = false;
            differences.push(format!("trial {}: {} against {}", one.id, one.params, two.params));
        } else if scores(one) != scores(two) {
            same_scores = false;
            differences.push(format!("trial {}: it scored {:?}, done again {:?}", one.id, one.value(), two.value()));
        }
    }
    differences.truncate(TOLD);
    Ok(Again {
        trials: first.len(),
        same_params,
        same_scores: same_scores && same_params,
        same_model: again.model.sha256 == summary.model.sha256,
        sha256: summary.model.sha256.clone(),
        again_sha256: again.model.sha256,
        differences,
    })
}

/// What a trial scored, to the last bit.
fn scores(trial: &Trial) -> Vec<u64> {
    trial.value().iter().chain(&trial.curve).map(|value| value.to_bits()).collect()
}
