//! Making runs and logging to them.

use std::collections::BTreeMap;

use rusqlite::{Connection, ErrorCode, Transaction};

use super::run::{NewRun, RunStatus};
use crate::error::PlatformError;
use crate::ids::RunId;
use crate::store::{Durability, Fault};
use crate::workspace::Workspace;

/// How many ids are drawn before giving up; with 65,536 to draw from, one is free long before.
const ID_DRAWS: u32 = 10_000;

impl Workspace {
    /// A free id for a run, `stem-xxxx` with a random ending (see [`RunId::new`]).
    pub fn new_run_id(&self, stem: &str) -> Result<RunId, PlatformError> {
        self.store().read("drawing a run id", |connection| {
            for _ in 0..ID_DRAWS {
                let random = getrandom::u32()
                    .map_err(|error| PlatformError::invalid("run id", stem, format!("no random number: {error}")))?;
                let run = RunId::new(stem, random as u16);
                if !exists(connection, &run)? {
                    return Ok(run);
                }
            }
            Err(PlatformError::invalid("run id", stem, "every id of this name is taken").into())
        })
    }

    /// Makes a run. Errors: [`PlatformError::RunExists`], or [`PlatformError::UnknownRun`] for its parent.
    pub fn create_run(&self, run: &NewRun) -> Result<(), PlatformError> {
        self.store().write("creating a run", Durability::Power, |transaction| {
            if let Some(parent) = &run.parent {
                check_run(transaction, parent)?;
            }
            insert_run(transaction, run)?;
            for (key, value) in &run.tags {
                put_tag(transaction, &run.id, key, value)?;
            }
            Ok(())
        })
    }

    /// Sets what state a run is in, and when it ended (milliseconds since 1970; `None` while it is at work).
    pub fn set_status(&self, run: &RunId, status: RunStatus, ended_ms: Option<i64>) -> Result<(), PlatformError> {
        self.store().write("setting the status of a run", Durability::Power, |transaction| {
            check_run(transaction, run)?;
            put_status(transaction, run, status, ended_ms)
        })
    }

    /// Logs one value of each metric at `step`, at `timestamp_ms` (milliseconds since 1970).
    /// Errors: [`PlatformError::Invalid`] if a value is not finite; then none is logged.
    pub fn log_metrics(
        &self,
        run: &RunId,
        metrics: &[(&str, f64)],
        step: i64,
        timestamp_ms: i64,
    ) -> Result<(), PlatformError> {
        self.store().write("logging metrics", Durability::Process, |transaction| {
            check_run(transaction, run)?;
            for &(key, value) in metrics {
                put_metric(transaction, run, key, value, step, timestamp_ms)?;
            }
            Ok(())
        })
    }

    /// Logs what a run was given; a key logged before takes the new value.
    pub fn log_params(&self, run: &RunId, params: &BTreeMap<String, String>) -> Result<(), PlatformError> {
        self.store().write("logging parameters", Durability::Process, |transaction| {
            check_run(transaction, run)?;
            for (key, value) in params {
                put_param(transaction, run, key, value)?;
            }
            Ok(())
        })
    }

    /// Sets labels; the others stay.
    pub fn set_tags(&self, run: &RunId, tags: &BTreeMap<String, String>) -> Result<(), PlatformError> {
        self.store().write("setting tags", Durability::Process, |transaction| {
            check_run(transaction, run)?;
            for (key, value) in tags {
                put_tag(transaction, run, key, value)?;
            }
            Ok(())
        })
    }

    /// Replaces what resuming a run needs.
    pub fn update_spec(&self, run: &RunId, spec: &serde_json::Value) -> Result<(), PlatformError> {
        self.store().write("updating the spec of a run", Durability::Power, |transaction| {
            check_run(transaction, run)?;
            transaction
                .prepare_cached("UPDATE run SET spec = ?2 WHERE id = ?1")?
                .execute((run.as_str(), spec.to_string()))?;
            Ok(())
        })
    }

    /// Keeps a JSON document with a run, in place of an earlier one of the same key. Its writer versions it.
    pub fn set_document(&self, run: &RunId, key: &str, document: &serde_json::Value) -> Result<(), PlatformError> {
        self.store().write("keeping a document", Durability::Power, |transaction| {
            check_run(transaction, run)?;
            transaction
                .prepare_cached("INSERT OR REPLACE INTO document (run, key, json) VALUES (?1, ?2, ?3)")?
                .execute((run.as_str(), key, document.to_string()))?;
            Ok(())
        })
    }
}

/// Whether a run exists.
pub(super) fn exists(connection: &Connection, run: &RunId) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM run WHERE id = ?1")?.exists([run.as_str()])
}

/// Refuses a run that does not exist.
pub(crate) fn check_run(connection: &Connection, run: &RunId) -> Result<(), Fault> {
    if exists(connection, run)? {
        return Ok(());
    }
    let nearest = super::query::nearest_run(connection, run.as_str())?;
    Err(PlatformError::UnknownRun { name: run.to_string(), nearest }.into())
}

/// Adds the row of a run, at work; its tags are the caller's.
pub(super) fn insert_run(transaction: &Transaction<'_>, run: &NewRun) -> Result<(), Fault> {
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO run (id, parent, kind, name, status, spec, started_ms)
             VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6)",
        )?
        .execute((
            run.id.as_str(),
            run.parent.as_ref().map(RunId::as_str),
            &run.kind,
            &run.name,
            run.spec.to_string(),
            run.started_ms,
        ));
    match inserted {
        Ok(_) => Ok(()),
        Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::ConstraintViolation => {
            Err(PlatformError::RunExists { run: run.id.clone() }.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Sets the status of a run.
pub(super) fn put_status(
    transaction: &Transaction<'_>,
    run: &RunId,
    status: RunStatus,
    ended_ms: Option<i64>,
) -> Result<(), Fault> {
    transaction.prepare_cached("UPDATE run SET status = ?2, ended_ms = ?3 WHERE id = ?1")?.execute((
        run.as_str(),
        status.as_str(),
        ended_ms,
    ))?;
    Ok(())
}

/// Sets one parameter.
pub(super) fn put_param(transaction: &Transaction<'_>, run: &RunId, key: &str, value: &str) -> Result<(), Fault> {
    transaction.prepare_cached("INSERT OR REPLACE INTO param (run, key, value) VALUES (?1, ?2, ?3)")?.execute((
        run.as_str(),
        key,
        value,
    ))?;
    Ok(())
}

/// Sets one label.
pub(super) fn put_tag(transaction: &Transaction<'_>, run: &RunId, key: &str, value: &str) -> Result<(), Fault> {
    transaction.prepare_cached("INSERT OR REPLACE INTO tag (run, key, value) VALUES (?1, ?2, ?3)")?.execute((
        run.as_str(),
        key,
        value,
    ))?;
    Ok(())
}

/// Adds one value of a metric, and makes it the latest unless one of a later step or time is.
pub(super) fn put_metric(
    transaction: &Transaction<'_>,
    run: &RunId,
    key: &str,
    value: f64,
    step: i64,
    timestamp_ms: i64,
) -> Result<(), Fault> {
    if !value.is_finite() {
        return Err(PlatformError::invalid("metric", key, format!("is {value}, not finite")).into());
    }
    let row = (run.as_str(), key, step, timestamp_ms, value);
    transaction
        .prepare_cached("INSERT INTO metric (run, key, step, timestamp_ms, value) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(row)?;
    transaction
        .prepare_cached(
            "INSERT INTO latest_metric (run, key, step, timestamp_ms, value)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (run, key) DO UPDATE
             SET step = excluded.step, timestamp_ms = excluded.timestamp_ms, value = excluded.value
             WHERE (excluded.step, excluded.timestamp_ms) >= (step, timestamp_ms)",
        )?
        .execute(row)?;
    Ok(())
}
