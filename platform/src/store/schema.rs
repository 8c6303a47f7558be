//! The tables, by format number.
//!
//! A new format appends one step to [`STEPS`] and a database of the old one to `testdata/`; a step already
//! released is never edited.

use rusqlite::{Connection, Transaction};

/// Marks the file as ours (`PRAGMA application_id`): the letters `AuML`.
pub(crate) const APPLICATION_ID: i64 = 0x4175_4d4c;

/// The format this program writes, and the newest that it reads.
pub(crate) const FORMAT: u32 = STEPS.len() as u32;

/// `STEPS[n]` turns format `n` into format `n + 1`; format 0 is an empty file.
const STEPS: [&str; 1] = [V1];

/// Format 1. Time stamps are milliseconds since 1970 in UTC; JSON is text.
const V1: &str = "
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    parent     TEXT REFERENCES run (id),
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    status     TEXT NOT NULL,
    spec       TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER
) STRICT;
CREATE INDEX run_by_parent ON run (parent, kind);
CREATE INDEX run_by_kind ON run (kind, started_ms);

CREATE TABLE param (
    run   TEXT NOT NULL REFERENCES run (id),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
    run   TEXT NOT NULL REFERENCES run (id),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
    run          TEXT NOT NULL REFERENCES run (id),
    key          TEXT NOT NULL,
    step         INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    value        REAL NOT NULL
) STRICT;
CREATE INDEX metric_by_run ON metric (run, key, step);

CREATE TABLE latest_metric (
    run          TEXT NOT NULL REFERENCES run (id),
    key          TEXT NOT NULL,
    step         INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    value        REAL NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
    run  TEXT NOT NULL REFERENCES run (id),
    key  TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_artifact (
    run    TEXT NOT NULL REFERENCES run (id),
    path   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size   INTEGER NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    study TEXT NOT NULL,
    seq   INTEGER NOT NULL,
    line  TEXT NOT NULL,
    PRIMARY KEY (study, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_version (
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    run        TEXT NOT NULL REFERENCES run (id),
    data_hash  TEXT NOT NULL,
    schema     TEXT NOT NULL,
    metrics    TEXT NOT NULL,
    tags       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_alias (
    name    TEXT NOT NULL,
    alias   TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (name, alias),
    FOREIGN KEY (name, version) REFERENCES model_version (name, version)
) STRICT, WITHOUT ROWID;
";

/// What the header of a database says, before any table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// No table was ever made.
    Empty,
    /// One of ours, of this format.
    Ours(i64),
    /// Another program's.
    Foreign,
}

/// Reads the header.
pub(crate) fn header(connection: &Connection) -> rusqlite::Result<Header> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    // Reading the schema first finds a file that is no database at all.
    let n_tables = number("SELECT count(*) FROM sqlite_schema")?;
    let application = number("PRAGMA application_id")?;
    let format = number("PRAGMA user_version")?;
    Ok(match (application, format, n_tables) {
        (0, 0, 0) => Header::Empty,
        (APPLICATION_ID, _, _) => Header::Ours(format),
        _ => Header::Foreign,
    })
}

/// Brings a database of format `found` to [`FORMAT`], within the caller's transaction.
pub(crate) fn migrate(transaction: &Transaction<'_>, found: u32) -> rusqlite::Result<()> {
    for step in &STEPS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    let mut statement = transaction.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
    statement.execute(("format", FORMAT.to_string()))?;
    statement.execute(("written_by", env!("CARGO_PKG_VERSION")))?;
    Ok(())
}
