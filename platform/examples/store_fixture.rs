//! Writes a small workspace database of the current format, to be kept under `src/store/testdata/` when a format is
//! released: `cargo run -p platform --example store_fixture -- FILE`. The test of `store/old_formats.rs` says what is
//! in it.

use std::error::Error;
use std::path::PathBuf;

use hyperdrive::{Event, FailureKind, Journal, Origin, Outcome, Params, Rung, Segment, Seq, TrialId};
use platform::{ModelName, NewRun, NewVersion, RunId, RunStatus, Workspace};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let file = PathBuf::from(std::env::args_os().nth(1).ok_or("which file?")?);
    let folder = file.with_extension("workspace");
    let workspace = Workspace::find_or_create(Some(&folder), &folder)?;
    fill(&workspace)?;
    let database = workspace.root().join("automl.db");
    drop(workspace);

    // Small pages keep the file small; one file without a log beside it can be checked in.
    let connection = rusqlite::Connection::open(&database)?;
    connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM;")?;
    drop(connection);
    std::fs::copy(&database, &file)?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn fill(workspace: &Workspace) -> Result<(), Box<dyn Error>> {
    let run = RunId::new("churn", 0x3f2a);
    workspace.create_run(&NewRun {
        id: run.clone(),
        parent: None,
        kind: "fit".to_owned(),
        name: "churn".to_owned(),
        spec: json!({"version": 1, "seed": u64::MAX}),
        tags: [("owner".to_owned(), "me".to_owned())].into(),
        started_ms: 1_000,
    })?;
    workspace.log_params(&run, &[("cores".to_owned(), "2".to_owned())].into())?;
    workspace.log_metrics(&run, &[("roc_auc", 0.1 + 0.2)], 3, 2_000)?;
    workspace.set_document(&run, "summary", &json!({"version": 1, "best": 0.1 + 0.2}))?;
    let artifact = workspace.put_artifact(&run, "model", b"abc")?;

    let (segment, trial) = (Segment(0), TrialId(0));
    workspace.journal(&run, || 3_000)?.append(&[
        Event::Started {
            segment,
            trial,
            params: Params::new().with("x", 1.0 / 3.0),
            origin: Origin::New,
            from: None,
            until: Rung(0),
            attempt: 1,
            saw: Seq(0),
            suggest_seconds: 0.0,
        },
        Event::Reported { segment, trial, rung: Rung(0), outcome: Outcome::single(0.1 + 0.2, 1.0) },
        Event::Failed { segment, trial, kind: FailureKind::Error, reason: "it broke".to_owned() },
    ])?;

    let name = ModelName::parse("churn")?;
    workspace.register(&NewVersion {
        name: name.clone(),
        run: run.clone(),
        sha256: artifact.sha256,
        size: artifact.size,
        data_hash: "0".repeat(64),
        schema: json!({"version": 1}),
        metrics: [("roc_auc".to_owned(), 0.1 + 0.2)].into(),
        tags: [("stage".to_owned(), "test".to_owned())].into(),
        created_ms: 4_000,
    })?;
    workspace.set_alias(&name, "champion", 1)?;
    workspace.set_status(&run, RunStatus::Finished, Some(5_000))?;
    Ok(())
}
