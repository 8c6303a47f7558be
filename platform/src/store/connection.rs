//! One connection, its settings, and its transactions.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::schema::{self, FORMAT, Header};
use crate::error::PlatformError;

/// How long one process waits for another to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Entering WAL mode does not wait by itself: how often it is tried, and the pause between.
const WAL_TRIES: u32 = 200;
const WAL_PAUSE: Duration = Duration::from_millis(25);

/// What an acknowledged transaction survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The loss of power (`synchronous = FULL`).
    Power,
    /// The death of the process (`synchronous = NORMAL`). Since the log is written in order, such a transaction
    /// also survives the loss of power once a later one of [`Durability::Power`] was acknowledged.
    Process,
}

/// An error inside a transaction: the database's, or one of ours that undoes it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// `SQLite` refused.
    Sqlite(rusqlite::Error),
    /// We refused.
    Platform(PlatformError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<PlatformError> for Fault {
    fn from(error: PlatformError) -> Self {
        Self::Platform(error)
    }
}

/// The database of one workspace, shared by the threads of this process.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    connected: Mutex<Connected>,
}

#[derive(Debug)]
struct Connected {
    connection: Connection,
    /// What `PRAGMA synchronous` was last set to; it cannot be changed inside a transaction.
    durability: Durability,
}

impl Store {
    /// Opens the database at `path`; an absent or empty one is made if `create`.
    pub(crate) fn open(path: &Path, create: bool) -> Result<Self, PlatformError> {
        let wrap = |error| PlatformError::sqlite("opening", path, error);
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let mut connection = Connection::open_with_flags(path, flags).map_err(wrap)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(wrap)?;
        connection.set_prepared_statement_cache_capacity(64);
        let found = schema::header(&connection).map_err(wrap)?;
        check_header(path, found, create)?;
        enter_wal(&connection).map_err(wrap)?;
        connection
            .execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON;
                 PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
            )
            .map_err(wrap)?;
        if found != Header::Ours(i64::from(FORMAT)) {
            bring_up_to_date(&mut connection, path, create)?;
        }
        let connected = Connected { connection, durability: Durability::Power };
        Ok(Self { path: path.to_path_buf(), connected: Mutex::new(connected) })
    }

    /// Runs `work` in one immediate transaction, which is undone if `work` fails.
    pub(crate) fn write<T>(
        &self,
        action: &str,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, PlatformError> {
        let mut connected = self.lock();
        let connected = &mut *connected;
        let outcome = (|| {
            if connected.durability != durability {
                let level = match durability {
                    Durability::Power => "FULL",
                    Durability::Process => "NORMAL",
                };
                connected.connection.pragma_update(None, "synchronous", level)?;
                connected.durability = durability;
            }
            let transaction = connected.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        outcome.map_err(|fault| self.sort(action, fault))
    }

    /// Runs `work` on one consistent snapshot.
    pub(crate) fn read<T>(
        &self,
        action: &str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, PlatformError> {
        let mut connected = self.lock();
        let outcome = (|| {
            let transaction = connected.connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        outcome.map_err(|fault| self.sort(action, fault))
    }

    /// Names the action and the file in an error of a transaction.
    fn sort(&self, action: &str, fault: Fault) -> PlatformError {
        match fault {
            Fault::Platform(error) => error,
            Fault::Sqlite(error) => PlatformError::sqlite(action, &self.path, error),
        }
    }

    /// A thread that panicked inside a transaction has had it rolled back, so the connection is sound.
    fn lock(&self) -> MutexGuard<'_, Connected> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses what is not ours to open.
fn check_header(path: &Path, found: Header, create: bool) -> Result<(), PlatformError> {
    let corrupt = |reason: &str| Err(PlatformError::Corrupt { path: path.to_path_buf(), reason: reason.to_owned() });
    match found {
        Header::Empty if create => Ok(()),
        // A process killed between making the file and its tables leaves this: no workspace was ever there.
        Header::Empty => Err(PlatformError::NoWorkspace { path: path.to_path_buf() }),
        Header::Foreign => corrupt("it is another program's database"),
        Header::Ours(format) if format > i64::from(FORMAT) => Err(PlatformError::NewerFormat {
            path: path.to_path_buf(),
            found: u32::try_from(format).unwrap_or(u32::MAX),
            supported: FORMAT,
        }),
        Header::Ours(format) if format < 1 => corrupt(&format!("its format number is {format}")),
        Header::Ours(_) => Ok(()),
    }
}

/// Enters WAL mode, where readers and one writer do not wait for each other.
fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut tries = 1;
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match mode {
            // A file system without shared memory keeps its rollback journal: slower, as safe.
            Ok(_) => return Ok(()),
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == ErrorCode::DatabaseBusy && tries < WAL_TRIES =>
            {
                tries += 1;
                std::thread::sleep(WAL_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes or migrates the tables; of several processes at once, one does and the others find it done.
fn bring_up_to_date(connection: &mut Connection, path: &Path, create: bool) -> Result<(), PlatformError> {
    let wrap = |error| PlatformError::sqlite("making the tables", path, error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
    let found = schema::header(&transaction).map_err(wrap)?;
    check_header(path, found, create)?;
    let format = match found {
        Header::Ours(format) => format as u32,
        Header::Empty | Header::Foreign => 0,
    };
    if format < FORMAT {
        schema::migrate(&transaction, format).map_err(wrap)?;
    }
    transaction.commit().map_err(wrap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("automl.db"), true).expect("a store");
        (folder, store)
    }

    fn put(store: &Store, key: &str, value: &str) -> Result<(), PlatformError> {
        store.write("putting", Durability::Process, |transaction| {
            transaction.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", (key, value))?;
            Ok(())
        })
    }

    fn n_rows(store: &Store) -> i64 {
        store
            .read("counting", |connection| Ok(connection.query_row("SELECT count(*) FROM meta", [], |row| row.get(0))?))
            .expect("a count")
    }

    /// Sets a pragma on the store's own connection.
    fn pragma(store: &Store, name: &str, value: i64) {
        let set = store.lock().connection.pragma_update(None, name, value);
        assert!(set.is_ok() || set == Err(rusqlite::Error::ExecuteReturnedResults), "{set:?}");
    }

    #[test]
    fn each_transaction_has_the_durability_it_asks_for() {
        let (_folder, store) = store();
        let level = |durability| {
            store
                .write("asking", durability, |transaction| {
                    Ok(transaction.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))?)
                })
                .expect("a level")
        };
        // 1 is NORMAL and 2 is FULL, by SQLite's documentation of the pragma.
        let levels = [Durability::Power, Durability::Process, Durability::Process, Durability::Power];
        assert_eq!(levels.map(level), [2, 1, 1, 2]);
        let mode = store.read("asking", |connection| {
            Ok(connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0))?)
        });
        assert_eq!(mode.expect("a mode"), "wal");
    }

    #[test]
    fn a_refusal_undoes_the_transaction() {
        let (_folder, store) = store();
        let before = n_rows(&store);
        let outcome: Result<(), _> = store.write("putting", Durability::Power, |transaction| {
            transaction.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')", [])?;
            Err(PlatformError::invalid("key", "a", "is refused").into())
        });
        assert!(matches!(outcome, Err(PlatformError::Invalid { .. })));
        assert_eq!(n_rows(&store), before);
    }

    #[test]
    fn a_panic_undoes_the_transaction_and_the_store_goes_on() {
        let (_folder, store) = store();
        let before = n_rows(&store);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.write("putting", Durability::Power, |transaction| -> Result<(), Fault> {
                transaction.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')", [])?;
                panic!("in the middle of a transaction");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(n_rows(&store), before);
        put(&store, "a", "b").expect("the store goes on");
    }

    #[test]
    fn a_full_disk_is_named_and_passes() {
        let (_folder, store) = store();
        let n_pages = store
            .read("asking", |connection| Ok(connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))?))
            .expect("a count");
        pragma(&store, "max_page_count", n_pages);
        let big = "x".repeat(100_000);
        let error = put(&store, "big", &big).expect_err("no page is left");
        assert!(matches!(error, PlatformError::NoSpace { .. }), "{error:?}");
        pragma(&store, "max_page_count", n_pages + 100);
        put(&store, "big", &big).expect("space is there again");
    }

    #[test]
    fn a_store_that_may_not_be_written_says_so() {
        let (_folder, store) = store();
        pragma(&store, "query_only", 1);
        let error = put(&store, "a", "b").expect_err("may not be written");
        assert!(matches!(error, PlatformError::ReadOnly { .. }), "{error:?}");
    }

    #[test]
    fn two_connections_take_turns() {
        let (folder, _store) = store();
        let path = folder.path().join("automl.db");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let store = Store::open(path, false).expect("the same store");
                    for n in 0..25 {
                        put(&store, &format!("{writer} {n}"), "x").expect("its turn");
                    }
                });
            }
        });
        let store = Store::open(&path, false).expect("the same store");
        assert_eq!(n_rows(&store), 2 + 100);
    }

    #[test]
    fn many_may_make_the_same_store_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("automl.db");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let path = &path;
                scope.spawn(move || Store::open(path, true).map(|_| ()).expect("a store"));
            }
        });
        assert_eq!(n_rows(&Store::open(&path, false).expect("the store")), 2);
    }
}
