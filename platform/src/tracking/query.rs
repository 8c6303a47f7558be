//! Finding runs and reading them.

use std::collections::BTreeMap;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row};

use super::run::{MetricPoint, Run, RunStatus, RunSummary};
use super::write::{check_run, exists};
use crate::artifact::list_rows;
use crate::error::PlatformError;
use crate::ids::RunId;
use crate::nearest::nearest;
use crate::store::Fault;
use crate::workspace::Workspace;

/// How many of the newest runs are looked through for the one that may have been meant.
const N_NEAREST: u32 = 1_000;

/// Which runs to list; the default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs of this kind: "fit", "trial", …
    pub kind: Option<String>,
    /// Only the parts of this run.
    pub parent: Option<RunId>,
    /// At most so many, the newest.
    pub limit: Option<usize>,
}

impl Workspace {
    /// All that is known of a run. Errors: [`PlatformError::UnknownRun`].
    pub fn get_run(&self, run: &RunId) -> Result<Run, PlatformError> {
        self.store().read("reading a run", |connection| {
            check_run(connection, run)?;
            let (summary, spec) = connection
                .prepare_cached(&format!("SELECT {SUMMARY}, spec FROM run WHERE id = ?1"))?
                .query_row([run.as_str()], |row| Ok((stored(row)?, row.get::<_, String>(8)?)))?;
            let summary = complete(connection, summary)?;
            Ok(Run {
                spec: parse_json(&spec, || format!("the spec of run `{run}`"))?,
                params: pairs(connection, "SELECT key, value FROM param WHERE run = ?1", run)?,
                artifacts: list_rows(connection, run)?,
                id: summary.id,
                parent: summary.parent,
                kind: summary.kind,
                name: summary.name,
                status: summary.status,
                tags: summary.tags,
                metrics: summary.metrics,
                started_ms: summary.started_ms,
                ended_ms: summary.ended_ms,
            })
        })
    }

    /// The run whose id is `text` or, alone, begins with it.
    ///
    /// Child runs are meant only by what goes on after their parent's dot: `churn` is `churn-3f2a`, not
    /// `churn-3f2a.1`. Errors: [`PlatformError::UnknownRun`] with the nearest id,
    /// [`PlatformError::AmbiguousRun`].
    pub fn find_run(&self, text: &str) -> Result<RunId, PlatformError> {
        self.store().read("finding a run", |connection| {
            if let Ok(run) = RunId::parse(text)
                && exists(connection, &run)?
            {
                return Ok(run);
            }
            // `~` sorts after every character of an id, so the range is an index scan of the beginning.
            let mut matches = connection
                .prepare_cached(
                    "SELECT id FROM run
                     WHERE id >= ?1 AND id < ?1 || '~' AND instr(substr(id, length(?1) + 1), '.') = 0
                     ORDER BY started_ms DESC, number DESC",
                )?
                .query_map([text], |row| row.get::<_, String>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            if text.is_empty() || matches.is_empty() {
                let nearest = nearest_run(connection, text)?;
                return Err(PlatformError::UnknownRun { name: text.to_owned(), nearest }.into());
            }
            if matches.len() > 1 {
                return Err(PlatformError::AmbiguousRun { prefix: text.to_owned(), matches }.into());
            }
            Ok(RunId::parse(&matches.remove(0))?)
        })
    }

    /// The run of this kind that started last.
    pub fn latest_run(&self, kind: &str) -> Result<Option<RunId>, PlatformError> {
        self.store().read("finding the latest run", |connection| {
            let id = connection
                .prepare_cached("SELECT id FROM run WHERE kind = ?1 ORDER BY started_ms DESC, number DESC LIMIT 1")?
                .query_row([kind], |row| row.get::<_, String>(0))
                .optional()?;
            Ok(id.map(|id| RunId::parse(&id)).transpose()?)
        })
    }

    /// The runs that a filter lets through, newest first.
    pub fn list_runs(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, PlatformError> {
        self.store().read("listing runs", |connection| {
            // SQLite takes a negative limit for none.
            let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1));
            let rows = connection
                .prepare_cached(&format!(
                    "SELECT {SUMMARY} FROM run
                     WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR parent = ?2)
                     ORDER BY started_ms DESC, number DESC LIMIT ?3"
                ))?
                .query_map((&filter.kind, filter.parent.as_ref().map(RunId::as_str), limit), stored)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            rows.into_iter().map(|row| complete(connection, row)).collect()
        })
    }

    /// Every logged value of a metric, by step and then in the order of logging.
    pub fn metric_history(&self, run: &RunId, key: &str) -> Result<Vec<MetricPoint>, PlatformError> {
        self.store().read("reading a metric", |connection| {
            check_run(connection, run)?;
            let points = connection
                .prepare_cached(
                    "SELECT step, value, timestamp_ms FROM metric
                     WHERE run = ?1 AND key = ?2 ORDER BY step, timestamp_ms, rowid",
                )?
                .query_map((run.as_str(), key), |row| {
                    Ok(MetricPoint { step: row.get(0)?, value: row.get(1)?, timestamp_ms: row.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(points)
        })
    }

    /// The document kept with a run under `key`; `None` where none was.
    pub fn get_document(&self, run: &RunId, key: &str) -> Result<Option<serde_json::Value>, PlatformError> {
        self.store().read("reading a document", |connection| {
            check_run(connection, run)?;
            let json = connection
                .prepare_cached("SELECT json FROM document WHERE run = ?1 AND key = ?2")?
                .query_row((run.as_str(), key), |row| row.get::<_, String>(0))
                .optional()?;
            let what = || format!("document `{key}` of run `{run}`");
            Ok(json.map(|json| parse_json(&json, what)).transpose()?)
        })
    }
}

/// The id nearest in spelling to one that was not found, among the newest runs that are no parts of others.
pub(super) fn nearest_run(connection: &Connection, text: &str) -> Result<Option<String>, Fault> {
    let ids = connection
        .prepare_cached("SELECT id FROM run WHERE parent IS NULL ORDER BY started_ms DESC, number DESC LIMIT ?1")?
        .query_map([N_NEAREST], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(nearest(text, ids.iter().map(String::as_str)))
}

/// Parses JSON out of the database; `what` names it in an error.
pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(
    json: &str,
    what: impl FnOnce() -> String,
) -> Result<T, PlatformError> {
    serde_json::from_str(json).map_err(|source| PlatformError::Json { what: what(), source })
}

/// The columns that [`stored`] reads, in its order.
const SUMMARY: &str = "id, parent, kind, name, status, started_ms, ended_ms,
    (SELECT count(*) FROM run AS child WHERE child.parent = run.id)";

/// The row of a run, its names unchecked.
struct Stored {
    id: String,
    parent: Option<String>,
    kind: String,
    name: String,
    status: String,
    started_ms: i64,
    ended_ms: Option<i64>,
    n_children: u32,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        parent: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        status: row.get(4)?,
        started_ms: row.get(5)?,
        ended_ms: row.get(6)?,
        n_children: row.get(7)?,
    })
}

/// Checks the names in a row, and adds what lies in other tables.
fn complete(connection: &Connection, row: Stored) -> Result<RunSummary, Fault> {
    let id = RunId::parse(&row.id)?;
    let status = RunStatus::from_word(&row.status)
        .ok_or_else(|| PlatformError::invalid("run status", &row.status, "is not known"))?;
    Ok(RunSummary {
        tags: pairs(connection, "SELECT key, value FROM tag WHERE run = ?1", &id)?,
        metrics: pairs(connection, "SELECT key, value FROM latest_metric WHERE run = ?1", &id)?,
        parent: row.parent.as_deref().map(RunId::parse).transpose()?,
        id,
        kind: row.kind,
        name: row.name,
        status,
        started_ms: row.started_ms,
        ended_ms: row.ended_ms,
        n_children: row.n_children,
    })
}

/// The keys and values of one run.
fn pairs<T: FromSql>(connection: &Connection, sql: &str, run: &RunId) -> rusqlite::Result<BTreeMap<String, T>> {
    connection.prepare_cached(sql)?.query_map([run.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{new_run, workspace};
    use crate::tracking::NewRun;
    use serde_json::json;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// A workspace with the runs churn-0001 (and two trials), churn-0002 and iris-0003, started in this order.
    fn filled() -> (tempfile::TempDir, Workspace, RunId) {
        let (folder, workspace) = workspace();
        let churn = RunId::new("churn", 1);
        let make = |id: &RunId, parent: Option<&RunId>, kind: &str, started_ms: i64| {
            let run = NewRun { started_ms, ..new_run(id, parent, kind) };
            workspace.create_run(&run).expect("a run");
        };
        make(&churn, None, "fit", 10);
        make(&churn.child(0), Some(&churn), "trial", 20);
        make(&churn.child(1), Some(&churn), "trial", 20);
        make(&RunId::new("churn", 2), None, "fit", 30);
        make(&RunId::new("iris", 3), None, "fit", 40);
        (folder, workspace, churn)
    }

    #[test]
    fn a_run_comes_back_as_it_was_logged() {
        let (_folder, workspace, run) = filled();
        workspace.log_params(&run, &map(&[("cores", "2"), ("seed", "7")])).expect("params");
        workspace.log_params(&run, &map(&[("seed", "8")])).expect("params");
        workspace.set_tags(&run, &map(&[("note", "«ünï»")])).expect("tags");
        workspace.log_metrics(&run, &[("auc", 0.1 + 0.2), ("loss", -0.0)], 3, 50).expect("metrics");
        workspace.log_metrics(&run, &[("auc", 0.9)], 2, 60).expect("an earlier step");
        workspace.update_spec(&run, &json!({"version": 2})).expect("a spec");
        workspace.set_status(&run, RunStatus::Stopped, Some(99)).expect("a status");
        let artifact = workspace.put_artifact(&run, "oof/87.f32", b"bytes").expect("an artifact");

        let expected = Run {
            id: run.clone(),
            parent: None,
            kind: "fit".to_owned(),
            name: "churn".to_owned(),
            status: RunStatus::Stopped,
            spec: json!({"version": 2}),
            tags: map(&[("note", "«ünï»"), ("owner", "me")]),
            params: map(&[("cores", "2"), ("seed", "8")]),
            metrics: [("auc".to_owned(), 0.1 + 0.2), ("loss".to_owned(), -0.0)].into(),
            started_ms: 10,
            ended_ms: Some(99),
            artifacts: vec![artifact],
        };
        let read = workspace.get_run(&run).expect("the run");
        assert_eq!(read, expected);
        let history: Vec<(i64, f64)> = workspace
            .metric_history(&run, "auc")
            .expect("a history")
            .iter()
            .map(|point| (point.step, point.value))
            .collect();
        assert_eq!(history, [(2, 0.9), (3, 0.1 + 0.2)]);
        assert_eq!(workspace.metric_history(&run, "other").expect("a history"), []);

        let text = serde_json::to_string(&read).expect("JSON");
        assert_eq!(serde_json::from_str::<Run>(&text).expect("a run"), read);
    }

    #[test]
    fn the_latest_value_is_that_of_the_last_step_then_time() {
        let (_folder, workspace, run) = filled();
        let latest = |value: f64, step: i64, timestamp_ms: i64| {
            workspace.log_metrics(&run, &[("m", value)], step, timestamp_ms).expect("logged");
            workspace.get_run(&run).expect("the run").metrics["m"]
        };
        assert_eq!(latest(1.0, 0, 100), 1.0);
        assert_eq!(latest(2.0, 0, 100), 2.0);
        assert_eq!(latest(3.0, 0, 99), 2.0);
        assert_eq!(latest(4.0, 5, 1), 4.0);
        assert_eq!(latest(5.0, 4, 1_000), 4.0);
    }

    #[test]
    fn values_that_are_not_finite_are_refused_whole() {
        let (_folder, workspace, run) = filled();
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = workspace.log_metrics(&run, &[("good", 1.0), ("bad", bad)], 0, 0);
            assert!(matches!(error, Err(PlatformError::Invalid { .. })), "{error:?}");
        }
        assert!(workspace.get_run(&run).expect("the run").metrics.is_empty());
    }

    #[test]
    fn runs_are_found_by_their_beginning() {
        let (_folder, workspace, churn) = filled();
        let find = |text: &str| workspace.find_run(text);
        assert_eq!(find("churn-0001").expect("exact"), churn);
        assert_eq!(find("iris").expect("a beginning"), RunId::new("iris", 3));
        assert_eq!(find("churn-0001.1").expect("a child"), churn.child(1));
        match find("churn") {
            Err(PlatformError::AmbiguousRun { matches, .. }) => {
                assert_eq!(matches, ["churn-0002", "churn-0001"]);
            }
            other => panic!("two runs begin so, yet: {other:?}"),
        }
        match find("churn-0001.") {
            Err(PlatformError::AmbiguousRun { matches, .. }) => assert_eq!(matches.len(), 2),
            other => panic!("two children begin so, yet: {other:?}"),
        }
        match find("chrun-0002") {
            Err(PlatformError::UnknownRun { nearest, .. }) => {
                assert_eq!(nearest.as_deref(), Some("churn-0002"));
            }
            other => panic!("there is none, yet: {other:?}"),
        }
        for text in ["", "%", "_", "../x", "' OR 1=1 --", "zzz"] {
            assert!(matches!(find(text), Err(PlatformError::UnknownRun { .. })), "{text:?}");
        }
    }

    #[test]
    fn lists_are_filtered_and_newest_first() {
        let (_folder, workspace, churn) = filled();
        let list = |filter: RunFilter| {
            let runs = workspace.list_runs(&filter).expect("a list");
            runs.iter().map(|run| run.id.to_string()).collect::<Vec<_>>()
        };
        let fits = RunFilter { kind: Some("fit".to_owned()), ..RunFilter::default() };
        assert_eq!(list(fits.clone()), ["iris-0003", "churn-0002", "churn-0001"]);
        assert_eq!(list(RunFilter { limit: Some(1), ..fits }), ["iris-0003"]);
        let children = RunFilter { parent: Some(churn.clone()), ..RunFilter::default() };
        assert_eq!(list(children), ["churn-0001.1", "churn-0001.0"]);
        assert_eq!(list(RunFilter::default()).len(), 5);
        assert_eq!(list(RunFilter { limit: Some(0), ..RunFilter::default() }).len(), 0);
        let parents = workspace.list_runs(&RunFilter::default()).expect("a list");
        let n_children: Vec<u32> = parents.iter().map(|run| run.n_children).collect();
        assert_eq!(n_children, [0, 0, 0, 0, 2]);
        assert_eq!(workspace.latest_run("fit").expect("a run"), Some(RunId::new("iris", 3)));
        assert_eq!(workspace.latest_run("trial").expect("a run"), Some(churn.child(1)));
        assert_eq!(workspace.latest_run("sweep").expect("no run"), None);
    }

    #[test]
    fn documents_are_kept_by_key() {
        let (_folder, workspace, run) = filled();
        assert_eq!(workspace.get_document(&run, "summary").expect("nothing"), None);
        for document in [json!({"version": 1, "score": 0.1 + 0.2, "n": u64::MAX}), json!([null])] {
            workspace.set_document(&run, "summary", &document).expect("kept");
            assert_eq!(workspace.get_document(&run, "summary").expect("read"), Some(document));
        }
        assert_eq!(workspace.get_document(&run, "ledger").expect("nothing"), None);
    }

    #[test]
    fn an_unknown_run_is_refused_by_every_writer_and_reader() {
        let (_folder, workspace, churn) = filled();
        let unknown = RunId::new("chrun", 1);
        let errors = [
            workspace.set_status(&unknown, RunStatus::Failed, None).err(),
            workspace.log_metrics(&unknown, &[], 0, 0).err(),
            workspace.log_params(&unknown, &map(&[])).err(),
            workspace.set_tags(&unknown, &map(&[])).err(),
            workspace.update_spec(&unknown, &json!(1)).err(),
            workspace.set_document(&unknown, "a", &json!(1)).err(),
            workspace.get_document(&unknown, "a").err(),
            workspace.get_run(&unknown).err(),
            workspace.metric_history(&unknown, "a").err(),
            workspace.put_artifact(&unknown, "a", b"").err(),
            workspace.get_artifact(&unknown, "a").err(),
            workspace.list_artifacts(&unknown).err(),
            workspace.journal(&unknown, || 0).err(),
            workspace.create_run(&new_run(&RunId::new("new", 1), Some(&unknown), "trial")).err(),
        ];
        for (place, error) in errors.into_iter().enumerate() {
            match error {
                Some(PlatformError::UnknownRun { nearest, .. }) => {
                    assert_eq!(nearest.as_deref(), Some("churn-0001"));
                }
                other => panic!("number {place}: {other:?}"),
            }
        }
        let again = workspace.create_run(&new_run(&churn, None, "fit"));
        assert!(matches!(again, Err(PlatformError::RunExists { run }) if run == churn));
    }

    #[test]
    fn a_drawn_id_is_free() {
        let (_folder, workspace) = workspace();
        let mut drawn = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let run = workspace.new_run_id("Churn data").expect("an id");
            assert!(run.as_str().starts_with("churn-data-"), "{run}");
            workspace.create_run(&new_run(&run, None, "fit")).expect("free");
            drawn.insert(run);
        }
        assert_eq!(drawn.len(), 20);
    }
}
