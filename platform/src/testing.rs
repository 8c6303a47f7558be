//! What the tests of this crate share.

use hyperdrive::{
    Dimension, EarlyTerminationPolicy, Event, FORMAT, FailureKind, Fidelity, Goal, Ladder, Limits, Objective, Origin,
    Outcome, Params, Rung, SamplingAlgorithm, Segment, Seq, Space, StudySpec, TrialId,
};
use tempfile::TempDir;

use crate::ids::RunId;
use crate::tracking::{NewRun, SqliteJournal};
use crate::workspace::Workspace;

/// A new workspace, and the temporary folder that goes when the first value is dropped.
pub(crate) fn workspace() -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = Workspace::find_or_create(None, folder.path()).expect("a workspace");
    (folder, workspace)
}

/// A run to be made, with one tag.
pub(crate) fn new_run(id: &RunId, parent: Option<&RunId>, kind: &str) -> NewRun {
    NewRun {
        id: id.clone(),
        parent: parent.cloned(),
        kind: kind.to_owned(),
        name: "churn".to_owned(),
        spec: serde_json::json!({"version": 1, "seed": u64::MAX}),
        tags: [("owner".to_owned(), "me".to_owned())].into(),
        started_ms: 1_000,
    }
}

fn spec() -> StudySpec {
    StudySpec {
        search_space: Space::new(vec![Dimension::float("x", 0.0, 1.0)]),
        objectives: vec![Objective { metric: "auc".to_owned(), goal: Goal::Maximize }],
        sampling_algorithm: SamplingAlgorithm::Random,
        early_termination: EarlyTerminationPolicy::None,
        limits: Limits::default(),
        ladder: Ladder::Rungs(vec![Fidelity { rows: 1.0, folds: 5, work: 1.0 }; 3]),
        known: Vec::new(),
        seed: 7,
    }
}

/// A trial starts, from nothing.
pub(crate) fn started(trial: u32, attempt: u32) -> Event {
    Event::Started {
        segment: Segment(trial),
        trial: TrialId(trial),
        params: Params::new().with("x", 1.0 / 3.0).with("k", 5_i64).with("algorithm", "knn"),
        origin: Origin::New,
        from: None,
        until: Rung(2),
        attempt,
        saw: Seq(0),
        suggest_seconds: 0.0,
    }
}

/// A trial reports its first objective.
pub(crate) fn reported(trial: u32, rung: u16, value: f64) -> Event {
    let outcome = Outcome::single(value, 1.0);
    Event::Reported { segment: Segment(trial), trial: TrialId(trial), rung: Rung(rung), outcome }
}

/// A trial is done.
pub(crate) fn finished(trial: u32, value: f64, partial: bool) -> Event {
    let (segment, trial) = (Segment(trial), TrialId(trial));
    Event::Finished { segment, trial, partial, outcome: Outcome::single(value, 1.0), curve: vec![] }
}

/// A trial fails.
pub(crate) fn failed(trial: u32, kind: FailureKind) -> Event {
    let (segment, trial) = (Segment(trial), TrialId(trial));
    Event::Failed { segment, trial, kind, reason: "it broke".to_owned() }
}

/// A trial is stopped.
pub(crate) fn stopped(trial: u32) -> Event {
    let (segment, trial) = (Segment(trial), TrialId(trial));
    Event::Stopped { segment, trial, reason: "below the median".to_owned() }
}

/// The study begins; its one objective is `auc`.
pub(crate) fn created() -> Event {
    Event::Created { format: FORMAT, spec: spec() }
}

/// A workspace with one study; the clock of its journals stands at 5,000.
pub(crate) fn study() -> (TempDir, Workspace, RunId) {
    let (folder, workspace) = workspace();
    let run = RunId::new("churn", 1);
    workspace.create_run(&new_run(&run, None, "fit")).expect("a run");
    (folder, workspace, run)
}

/// The journal of a study.
pub(crate) fn journal(workspace: &Workspace, study: &RunId) -> SqliteJournal {
    workspace.journal(study, || 5_000).expect("a journal")
}
