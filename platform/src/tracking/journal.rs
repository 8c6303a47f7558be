//! The journal of a search: one append-only table, and projections for people to look at.

use std::fmt;

use hyperdrive::{Event, Journal, JournalError, Record, Seq, decode, encode};
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::project::project;
use super::write::check_run;
use crate::error::PlatformError;
use crate::ids::RunId;
use crate::store::{Durability, Fault};
use crate::workspace::Workspace;

/// The journal of one study in the database of a workspace.
///
/// Its lines lie in a table of their own, one for each event, each with its checksum. A batch is one transaction,
/// which also holds the rows of the child runs: a started trial is a child run with its parameters, a report is a
/// metric whose step is the rung, an end is a status and a reason. Those rows are made from the events and never
/// read back here.
///
/// A batch that creates or ends a study, or starts or ends a trial, survives the loss of power; any other the death
/// of the process.
///
/// One journal at a time may append: a batch that finds events it has not made itself is refused with
/// [`JournalError::Busy`] and leaves nothing.
pub struct SqliteJournal {
    workspace: Workspace,
    study: RunId,
    /// Milliseconds since 1970, for the time stamps of projections.
    clock_ms: Box<dyn Fn() -> i64 + Send>,
    /// Names of the objectives, once they are known from the study's first event.
    metrics: Option<Vec<String>>,
    /// How many events the table holds by what this journal has read and appended; `None` before either.
    n_events: Option<u64>,
}

impl Workspace {
    /// The journal of the study that run `study` is. `clock_ms` gives milliseconds since 1970.
    /// Errors: [`PlatformError::UnknownRun`]: the run must have been created.
    pub fn journal(
        &self,
        study: &RunId,
        clock_ms: impl Fn() -> i64 + Send + 'static,
    ) -> Result<SqliteJournal, PlatformError> {
        self.store().read("opening a journal", |connection| check_run(connection, study))?;
        Ok(SqliteJournal {
            workspace: self.clone(),
            study: study.clone(),
            clock_ms: Box::new(clock_ms),
            metrics: None,
            n_events: None,
        })
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, events: &[Event]) -> Result<Seq, JournalError> {
        if events.is_empty() {
            return Err(JournalError::Empty);
        }
        events.iter().try_for_each(Event::check)?;
        let metrics = self.metrics_of(events)?;
        let now_ms = (self.clock_ms)();
        let expected = self.n_events;
        let appended = self.workspace.store().write("appending to a journal", durability(events), |transaction| {
            let n_before = count(transaction, &self.study)?;
            if let Some(expected) = expected
                && expected != n_before
            {
                let reason = format!("it holds {n_before} events where {expected} were expected");
                let action = format!("appending to the journal of run `{}`", self.study);
                return Err(PlatformError::Busy { action, reason }.into());
            }
            insert(transaction, &self.study, n_before, events)?;
            for event in events {
                project(transaction, &self.study, &metrics, event, now_ms)?;
            }
            Ok(n_before + events.len() as u64)
        });
        let n_events = appended.map_err(|error| journal_error("append to", error))?;
        self.n_events = Some(n_events);
        // There are none only before the study is created.
        self.metrics = (!metrics.is_empty()).then_some(metrics);
        Ok(Seq(n_events - 1))
    }

    fn read(&mut self, from: Seq) -> Result<Vec<Record>, JournalError> {
        let (n_events, lines) = self
            .workspace
            .store()
            .read("reading a journal", |connection| {
                Ok((count(connection, &self.study)?, lines(connection, &self.study, from.0)?))
            })
            .map_err(|error| journal_error("read", error))?;
        let mut records = Vec::with_capacity(lines.len());
        for (place, (seq, line)) in (from.0..).zip(lines) {
            if seq != place {
                return Err(damaged(place, "the event is missing"));
            }
            let record = decode(&line, place)?;
            if record.seq.0 != place {
                return Err(damaged(place, format!("the line is that of event {}", record.seq)));
            }
            records.push(record);
        }
        // Whoever reads has seen everything up to here, and may append after it.
        self.n_events = Some(n_events);
        Ok(records)
    }
}

impl SqliteJournal {
    /// Names of the objectives: from this batch if it creates the study, else from the journal's first event.
    fn metrics_of(&self, events: &[Event]) -> Result<Vec<String>, JournalError> {
        if let Some(metrics) = events.iter().find_map(metrics_in) {
            return Ok(metrics);
        }
        if let Some(metrics) = &self.metrics {
            return Ok(metrics.clone());
        }
        let first = self
            .workspace
            .store()
            .read("reading a journal", |connection| {
                let line = connection
                    .prepare_cached("SELECT line FROM journal WHERE study = ?1 AND seq = 0")?
                    .query_row([self.study.as_str()], |row| row.get::<_, String>(0))
                    .optional()?;
                Ok(line)
            })
            .map_err(|error| journal_error("read", error))?;
        let Some(line) = first else {
            return Ok(Vec::new());
        };
        Ok(metrics_in(&decode(&line, 0)?.event).unwrap_or_default())
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJournal")
            .field("study", &self.study)
            .field("n_events", &self.n_events)
            .finish_non_exhaustive()
    }
}

/// Names of the objectives, where the event tells.
fn metrics_in(event: &Event) -> Option<Vec<String>> {
    match event {
        Event::Created { spec, .. } => Some(spec.objectives.iter().map(|objective| objective.metric.clone()).collect()),
        _ => None,
    }
}

/// What a batch must survive.
fn durability(events: &[Event]) -> Durability {
    let survives_power_loss = events.iter().any(|event| match event {
        Event::Created { .. }
        | Event::Started { .. }
        | Event::Finished { .. }
        | Event::Stopped { .. }
        | Event::Failed { .. }
        | Event::Ended { .. } => true,
        Event::Resumed { .. }
        | Event::Waited { .. }
        | Event::Reported { .. }
        | Event::Paused { .. }
        | Event::HangGuard { .. } => false,
    });
    if survives_power_loss { Durability::Power } else { Durability::Process }
}

/// One more than the last event's number.
fn count(connection: &Connection, study: &RunId) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq) + 1, 0) FROM journal WHERE study = ?1")?
        .query_row([study.as_str()], |row| row.get::<_, i64>(0))
        .map(|n_events| n_events as u64)
}

/// The lines from number `from` on, in order, each with its number.
fn lines(connection: &Connection, study: &RunId, from: u64) -> rusqlite::Result<Vec<(u64, String)>> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    connection
        .prepare_cached("SELECT seq, line FROM journal WHERE study = ?1 AND seq >= ?2 ORDER BY seq")?
        .query_map((study.as_str(), from), |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))?
        .collect()
}

/// Writes the lines of a batch.
fn insert(transaction: &Transaction<'_>, study: &RunId, first: u64, events: &[Event]) -> Result<(), Fault> {
    let mut statement = transaction.prepare_cached("INSERT INTO journal (study, seq, line) VALUES (?1, ?2, ?3)")?;
    for (seq, event) in (first..).zip(events) {
        let line = encode(&Record { seq: Seq(seq), event: event.clone() });
        statement.execute((study.as_str(), seq as i64, line))?;
    }
    Ok(())
}

fn damaged(seq: u64, reason: impl Into<String>) -> JournalError {
    JournalError::Damaged { offset: seq, reason: reason.into() }
}

/// Puts an error of the workspace into a journal's words.
fn journal_error(action: &str, error: PlatformError) -> JournalError {
    match error {
        PlatformError::Busy { reason, .. } => JournalError::Busy { reason },
        error => JournalError::Storage { action: action.to_owned(), source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hyperdrive::{EndReason, FailureKind, MemoryJournal, Segment, check_journal};

    use super::*;
    use crate::testing::{created, failed, finished, journal, new_run, reported, started, stopped, study, workspace};
    use crate::tracking::RunFilter;

    /// Runs SQL behind the workspace's back.
    fn meddle(root: &Path, sql: &str) {
        let connection = Connection::open(root.join("automl.db")).expect("the database");
        connection.execute_batch("PRAGMA foreign_keys = OFF").expect("a pragma");
        connection.execute_batch(sql).expect(sql);
    }

    #[test]
    fn passes_the_suite_of_journals() {
        let (_folder, workspace) = workspace();
        check_journal(&mut || {
            let run = workspace.new_run_id("study").expect("an id");
            workspace.create_run(&new_run(&run, None, "fit")).expect("a run");
            Box::new(journal(&workspace, &run))
        });
    }

    #[test]
    fn holds_what_a_journal_in_memory_holds_also_when_opened_again() {
        let (_folder, workspace, run) = study();
        let batches = [
            vec![created(), started(0, 1)],
            vec![reported(0, 0, 0.5)],
            vec![reported(0, 1, 0.6), reported(0, 2, 0.7), finished(0, 0.7, false), started(1, 1)],
        ];
        let mut memory = MemoryJournal::new();
        let mut stored = journal(&workspace, &run);
        for batch in &batches {
            let expected = memory.append(batch).expect("appended");
            assert_eq!(stored.append(batch).expect("appended"), expected);
        }
        let other = Workspace::open(workspace.root()).expect("the same workspace");
        let mut again = journal(&other, &run);
        for from in 0..10 {
            let expected = memory.read(Seq(from)).expect("read");
            assert_eq!(stored.read(Seq(from)).expect("read"), expected);
            assert_eq!(again.read(Seq(from)).expect("read"), expected);
        }
    }

    #[test]
    fn projections_are_never_read_back() {
        let (_folder, workspace, run) = study();
        let events = [created(), started(0, 1), reported(0, 0, 0.5)];
        journal(&workspace, &run).append(&events).expect("appended");
        let before = journal(&workspace, &run).read(Seq(0)).expect("read");
        meddle(
            workspace.root(),
            "UPDATE metric SET value = 99; UPDATE latest_metric SET value = 99;
             UPDATE param SET value = 'other'; UPDATE run SET status = 'finished', spec = 'no JSON';",
        );
        assert_eq!(journal(&workspace, &run).read(Seq(0)).expect("read"), before);
        meddle(
            workspace.root(),
            "DELETE FROM metric; DELETE FROM latest_metric; DELETE FROM param; DELETE FROM tag;
             DELETE FROM run WHERE parent IS NOT NULL;",
        );
        let mut after = journal(&workspace, &run);
        assert_eq!(after.read(Seq(0)).expect("read"), before);
        assert_eq!(after.append(&[finished(0, 0.5, false)]).expect("appended"), Seq(3));
    }

    #[test]
    fn lines_and_projections_are_written_together_or_not_at_all() {
        let (_folder, workspace, run) = study();
        let mut journal = journal(&workspace, &run);
        journal.append(&[created(), started(0, 1)]).expect("appended");
        meddle(workspace.root(), "ALTER TABLE latest_metric RENAME TO gone");
        let error = journal.append(&[reported(0, 0, 0.5)]).expect_err("no such table");
        assert!(matches!(error, JournalError::Storage { .. }), "{error:?}");
        meddle(workspace.root(), "ALTER TABLE gone RENAME TO latest_metric");
        assert_eq!(journal.read(Seq(0)).expect("read").len(), 2);
        let history = workspace.metric_history(&run.child(0), "auc").expect("a history");
        assert_eq!(history, []);
        assert_eq!(journal.append(&[reported(0, 0, 0.5)]).expect("appended"), Seq(2));
    }

    #[test]
    fn damage_is_found_with_its_place() {
        let damages = [
            ("UPDATE journal SET line = replace(line, '0.5', '0.6') WHERE seq = 2", 2),
            ("UPDATE journal SET line = substr(line, 1, 40) WHERE seq = 1", 1),
            ("UPDATE journal SET line = '' WHERE seq = 0", 0),
            ("DELETE FROM journal WHERE seq = 1", 1),
            ("DELETE FROM journal WHERE seq = 0", 0),
            ("UPDATE journal SET line = (SELECT line FROM journal WHERE seq = 1) WHERE seq = 2", 2),
            ("UPDATE journal SET seq = 9 WHERE seq = 3", 3),
        ];
        for (sql, place) in damages {
            let (_folder, workspace, run) = study();
            let events = [created(), started(0, 1), reported(0, 0, 0.5), finished(0, 0.5, false)];
            journal(&workspace, &run).append(&events).expect("appended");
            meddle(workspace.root(), sql);
            match journal(&workspace, &run).read(Seq(0)) {
                Err(JournalError::Damaged { offset, .. }) => assert_eq!(offset, place, "{sql}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_second_writer_is_refused_and_spoils_nothing() {
        let (_folder, workspace, run) = study();
        let other = Workspace::open(workspace.root()).expect("the same workspace");
        let (mut first, mut second) = (journal(&workspace, &run), journal(&other, &run));
        first.append(&[created()]).expect("appended");
        assert_eq!(second.read(Seq(0)).expect("read").len(), 1);
        first.append(&[started(0, 1)]).expect("appended");
        let error = second.append(&[started(0, 1)]).expect_err("it has not seen the last event");
        assert!(matches!(error, JournalError::Busy { .. }), "{error:?}");
        first.append(&[stopped(0)]).expect("the first writer goes on");
        assert_eq!(second.read(Seq(0)).expect("read").len(), 3);
    }

    #[test]
    fn two_writers_at_once_leave_a_sound_journal() {
        let (_folder, workspace, run) = study();
        journal(&workspace, &run).append(&[created()]).expect("appended");
        let appended: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|writer| {
                    let (root, run) = (workspace.root(), &run);
                    scope.spawn(move || {
                        let own = Workspace::open(root).expect("the same workspace");
                        let mut journal = journal(&own, run);
                        let outcomes = (0..20).map(|n| journal.append(&[started(writer * 20 + n, 1)]));
                        outcomes.flatten().count()
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().expect("a writer")).sum()
        });
        let records = journal(&workspace, &run).read(Seq(0)).expect("a sound journal");
        assert_eq!(records.len(), 1 + appended);
        let children = RunFilter { parent: Some(run), ..RunFilter::default() };
        assert_eq!(workspace.list_runs(&children).expect("a list").len(), appended);
    }

    #[test]
    fn what_starts_or_ends_survives_the_loss_of_power() {
        let waited = Event::Waited { segment: Segment(1), saw: Seq(0) };
        let ended = Event::Ended { reason: EndReason::MaxTrials, spent_seconds: 0.0 };
        for event in [created(), started(0, 1), finished(0, 1.0, true), stopped(0), ended] {
            assert_eq!(durability(&[waited.clone(), event]), Durability::Power);
        }
        assert_eq!(durability(&[failed(0, FailureKind::Error)]), Durability::Power);
        assert_eq!(durability(&[waited, reported(0, 0, 1.0)]), Durability::Process);
    }
}
