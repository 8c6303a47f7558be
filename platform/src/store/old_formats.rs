//! Databases of every released format must still load. `examples/store_fixture.rs` wrote them.

use std::collections::BTreeMap;
use std::fs;

use hyperdrive::{Event, FailureKind, Journal, Outcome, Rung, Segment, Seq, TrialId};
use serde_json::json;

use crate::ids::RunId;
use crate::tracking::RunStatus;
use crate::workspace::Workspace;

const V1: &[u8] = include_bytes!("testdata/v1.db");

fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Opens a workspace with this database.
fn opened(database: &[u8]) -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("automl.db"), database).expect("written");
    let workspace = Workspace::open(folder.path()).expect("an old workspace opens");
    (folder, workspace)
}

#[test]
fn runs_of_format_1_load() {
    let (_folder, workspace) = opened(V1);
    let id = workspace.find_run("churn").expect("found");
    assert_eq!(id, RunId::new("churn", 0x3f2a));
    let run = workspace.get_run(&id).expect("the run");
    assert_eq!((run.kind.as_str(), run.name.as_str(), run.parent), ("fit", "churn", None));
    assert_eq!((run.status, run.started_ms, run.ended_ms), (RunStatus::Finished, 1_000, Some(5_000)));
    assert_eq!(run.spec, json!({"version": 1, "seed": u64::MAX}));
    assert_eq!((run.tags, run.params), (strings(&[("owner", "me")]), strings(&[("cores", "2")])));
    assert_eq!(run.metrics, [("roc_auc".to_owned(), 0.1 + 0.2)].into());
    assert_eq!((run.artifacts[0].path.as_str(), run.artifacts[0].size), ("model", 3));
    let history = workspace.metric_history(&id, "roc_auc").expect("a history");
    assert_eq!((history[0].step, history[0].value, history[0].timestamp_ms), (3, 0.1 + 0.2, 2_000));
    let summary = workspace.get_document(&id, "summary").expect("read");
    assert_eq!(summary, Some(json!({"version": 1, "best": 0.1 + 0.2})));
}

#[test]
fn journals_of_format_1_load_and_go_on() {
    let (_folder, workspace) = opened(V1);
    let id = RunId::new("churn", 0x3f2a);
    let mut journal = workspace.journal(&id, || 0).expect("a journal");
    let records = journal.read(Seq(1)).expect("read");
    let (segment, trial) = (Segment(0), TrialId(0));
    let events: Vec<Event> = records.into_iter().map(|record| record.event).collect();
    let expected = [
        Event::Reported { segment, trial, rung: Rung(0), outcome: Outcome::single(0.1 + 0.2, 1.0) },
        Event::Failed { segment, trial, kind: FailureKind::Error, reason: "it broke".to_owned() },
    ];
    assert_eq!(events, expected);
    let child = workspace.get_run(&id.child(0)).expect("a child run");
    assert_eq!((child.status, child.ended_ms), (RunStatus::Failed, Some(3_000)));
    assert_eq!(child.params, strings(&[("x", "0.3333333333333333")]));
    assert_eq!(journal.append(&[Event::HangGuard { trial }]).expect("appended"), Seq(3));
}

#[test]
fn models_of_format_1_load() {
    let (_folder, workspace) = opened(V1);
    let model = workspace.resolve_model("churn@champion").expect("a model");
    assert_eq!((model.id().to_string().as_str(), model.created_ms, model.size), ("churn@1", 4_000, 3));
    assert_eq!(model.aliases, ["champion"]);
    // FIPS 180-4's example for the message "abc".
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!((model.sha256.as_str(), model.data_hash), (sha256, "0".repeat(64)));
    assert_eq!((model.schema, model.tags), (json!({"version": 1}), strings(&[("stage", "test")])));
    assert_eq!(model.metrics, [("roc_auc".to_owned(), 0.1 + 0.2)].into());
    assert_eq!(workspace.list_models().expect("models").len(), 1);
}
