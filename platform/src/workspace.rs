//! The workspace folder and the handle on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::PlatformError;
use crate::ids::RunId;
use crate::store::Store;

/// Name of the folder that is looked for.
const FOLDER: &str = ".automl";
/// Name of the database in it.
const DATABASE: &str = "automl.db";
/// Name of the folder of artifacts in it.
const ARTIFACTS: &str = "artifacts";
/// Name of the folder of runs in it.
const RUNS: &str = "runs";

/// A handle on a workspace folder, cheap to clone and shared between threads.
///
/// Several processes may have the same workspace open: writers take turns, each waiting up to ten seconds for
/// another. A run is worked on by one process at a time ([`Workspace::try_lock_run`]).
#[derive(Debug, Clone)]
pub struct Workspace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    store: Store,
}

impl Workspace {
    /// Opens the workspace, making it where there is none.
    ///
    /// `explicit` names the workspace folder itself, or a folder that holds (or shall hold, if it has other files
    /// in it) a `.automl` folder. Without it, `.automl` is looked for in `start` and every folder above it, and
    /// else made in `start`.
    pub fn find_or_create(explicit: Option<&Path>, start: &Path) -> Result<Self, PlatformError> {
        let root = match explicit {
            Some(folder) => explicit_root(folder),
            None => found_upward(start)?.unwrap_or_else(|| start.join(FOLDER)),
        };
        Self::create(&root)
    }

    /// Opens the workspace that [`Workspace::find_or_create`] would, but makes nothing.
    /// Errors: [`PlatformError::NoWorkspace`].
    pub fn find(explicit: Option<&Path>, start: &Path) -> Result<Self, PlatformError> {
        let root = match explicit {
            Some(folder) => explicit_root(folder),
            None => found_upward(start)?.ok_or_else(|| PlatformError::NoWorkspace { path: start.to_path_buf() })?,
        };
        Self::open(&root)
    }

    /// Opens the workspace in `dir`, the folder that holds the database.
    /// Errors: [`PlatformError::NoWorkspace`] where there is none.
    pub fn open(dir: &Path) -> Result<Self, PlatformError> {
        let root = absolute(dir)?;
        let database = root.join(DATABASE);
        if !database.exists() {
            check_not_lost(&root)?;
            return Err(PlatformError::NoWorkspace { path: root });
        }
        let store = Store::open(&database, false).or_else(|error| match error {
            PlatformError::NoWorkspace { .. } => {
                check_not_lost(&root)?;
                Err(PlatformError::NoWorkspace { path: root.clone() })
            }
            other => Err(other),
        })?;
        Ok(Self { inner: Arc::new(Inner { root, store }) })
    }

    /// The workspace folder, absolute.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// The folder of a run's files for people (`runs/<id>`), made if need be.
    pub fn run_dir(&self, run: &RunId) -> Result<PathBuf, PlatformError> {
        let folder = self.inner.root.join(RUNS).join(run.as_str());
        fs::create_dir_all(&folder).map_err(|error| PlatformError::io("creating", &folder, error))?;
        Ok(folder)
    }

    /// The folder of artifacts; it may not exist yet.
    pub(crate) fn artifacts_dir(&self) -> PathBuf {
        self.inner.root.join(ARTIFACTS)
    }

    /// The database.
    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    fn create(root: &Path) -> Result<Self, PlatformError> {
        let root = absolute(root)?;
        let database = root.join(DATABASE);
        if fs::metadata(&database).map_or(true, |file| file.len() == 0) {
            check_not_lost(&root)?;
            fs::create_dir_all(&root).map_err(|error| PlatformError::io("creating", &root, error))?;
            // What a workspace holds is made from sources and is none itself.
            let ignore = root.join(".gitignore");
            fs::write(&ignore, "*\n").map_err(|error| PlatformError::io("writing", &ignore, error))?;
        }
        let store = Store::open(&database, true)?;
        Ok(Self { inner: Arc::new(Inner { root, store }) })
    }
}

/// The workspace folder that `--workspace DIR` means.
fn explicit_root(folder: &Path) -> PathBuf {
    let inside = folder.join(FOLDER);
    let is_workspace = [DATABASE, ARTIFACTS, RUNS].iter().any(|name| folder.join(name).exists());
    let holds_files = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if !is_workspace && holds_files { inside } else { folder.to_path_buf() }
}

/// The nearest `.automl` folder in `start` or above it.
fn found_upward(start: &Path) -> Result<Option<PathBuf>, PlatformError> {
    let start = absolute(start)?;
    Ok(start.ancestors().map(|folder| folder.join(FOLDER)).find(|folder| folder.is_dir()))
}

/// The path from the root of the file system; links are kept as they are.
fn absolute(path: &Path) -> Result<PathBuf, PlatformError> {
    std::path::absolute(path).map_err(|error| PlatformError::io("finding", path, error))
}

/// Refuses to make a new database beside the artifacts or runs of one that is gone: nothing is lost silently.
fn check_not_lost(root: &Path) -> Result<(), PlatformError> {
    for name in [ARTIFACTS, RUNS] {
        let holds_files = fs::read_dir(root.join(name)).is_ok_and(|mut entries| entries.next().is_some());
        if holds_files {
            return Err(PlatformError::Corrupt {
                path: root.join(DATABASE),
                reason: format!("it is missing or empty, though `{name}` beside it is not"),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{new_run, workspace};
    use rusqlite::Connection;

    /// Closes a workspace that holds one run and an artifact, changes its database file, and opens it again.
    fn reopened(change: impl FnOnce(&Path)) -> Result<Workspace, PlatformError> {
        let (folder, workspace) = workspace();
        let run = RunId::new("churn", 1);
        workspace.create_run(&new_run(&run, None, "fit")).expect("a run");
        workspace.put_artifact(&run, "model", b"bytes").expect("an artifact");
        let root = workspace.root().to_path_buf();
        drop(workspace);
        change(&root.join(DATABASE));
        let opened = Workspace::open(&root);
        let found = Workspace::find_or_create(None, folder.path());
        assert_eq!(opened.is_ok(), found.is_ok(), "opening and finding agree: {found:?}");
        opened
    }

    fn pragma(path: &Path, name: &str, value: i64) {
        let connection = Connection::open(path).expect("a database");
        connection.pragma_update(None, name, value).expect("a pragma");
    }

    #[test]
    fn a_handle_is_shared_between_threads() {
        fn shared<T: Send + Sync + Clone>() {}
        shared::<Workspace>();
    }

    #[test]
    fn a_workspace_is_found_from_below_and_made_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let below = folder.path().join("a").join("b");
        fs::create_dir_all(&below).expect("folders");
        let error = Workspace::find(None, &folder.path().join("a")).expect_err("none is there");
        assert!(matches!(error, PlatformError::NoWorkspace { .. }), "{error:?}");

        let made = Workspace::find_or_create(None, folder.path()).expect("a workspace");
        assert_eq!(made.root(), folder.path().join(".automl"));
        let found = Workspace::find_or_create(None, &below).expect("the same");
        assert_eq!(found.root(), made.root());
        assert_eq!(Workspace::find(None, &below).expect("the same").root(), made.root());
        assert_eq!(fs::read(made.root().join(".gitignore")).expect("a file"), b"*\n");
    }

    #[test]
    fn an_explicit_folder_is_the_workspace_or_holds_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let start = folder.path();
        let root = |explicit: &Path| {
            let made = Workspace::find_or_create(Some(explicit), start).expect("a workspace");
            let again = Workspace::find_or_create(Some(explicit), start).expect("the same");
            assert_eq!(made.root(), again.root());
            made.root().to_path_buf()
        };
        let new = start.join("new");
        assert_eq!(root(&new), new);
        let project = start.join("project");
        fs::create_dir(&project).expect("a folder");
        fs::write(project.join("train.csv"), "a,b\n").expect("a file");
        assert_eq!(root(&project), project.join(".automl"));
        assert_eq!(root(&project.join(".automl")), project.join(".automl"));
        let missing = start.join("missing");
        assert!(Workspace::find(Some(&missing), start).is_err());
        assert!(!missing.exists(), "looking makes nothing");
    }

    #[test]
    fn a_newer_format_is_refused() {
        let error = reopened(|path| pragma(path, "user_version", 2)).expect_err("a newer format");
        assert!(matches!(error, PlatformError::NewerFormat { found: 2, supported: 1, .. }), "{error:?}");
        assert!(error.hint().expect("a hint").contains("update"));
    }

    #[test]
    fn what_is_no_database_of_ours_is_refused() {
        type Damage = fn(&Path);
        let damages: [(&str, Damage); 8] = [
            ("garbage", |path| {
                fs::write(path, [b'x'; 8192]).expect("written");
            }),
            ("a broken header", |path| {
                let mut bytes = fs::read(path).expect("the file");
                bytes[..32].fill(0xff);
                fs::write(path, bytes).expect("written");
            }),
            ("half of it", |path| {
                let bytes = fs::read(path).expect("the file");
                fs::write(path, &bytes[..bytes.len() / 2]).expect("written");
            }),
            ("a few bytes of it", |path| {
                let bytes = fs::read(path).expect("the file");
                fs::write(path, &bytes[..50]).expect("written");
            }),
            ("nothing of it", |path| {
                fs::write(path, b"").expect("written");
            }),
            ("no file", |path| fs::remove_file(path).expect("removed")),
            ("another program's", |path| {
                pragma(path, "application_id", 7);
            }),
            ("no format", |path| pragma(path, "user_version", -1)),
        ];
        for (name, damage) in damages {
            let error = reopened(damage).expect_err(name);
            assert!(matches!(error, PlatformError::Corrupt { .. }), "{name}: {error:?}");
            assert!(error.hint().is_some());
        }
        reopened(|_| ()).expect("an unharmed one opens");
    }

    #[test]
    fn a_damaged_page_is_an_error_when_it_is_read() {
        // Everything but the first page, which opening reads.
        let workspace = reopened(|path| {
            let mut bytes = fs::read(path).expect("the file");
            bytes[4096..].fill(0xa5);
            fs::write(path, bytes).expect("written");
        });
        let outcome = workspace.and_then(|workspace| workspace.get_run(&RunId::new("churn", 1)));
        let error = outcome.expect_err("damaged");
        assert!(matches!(error, PlatformError::Corrupt { .. }), "{error:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_may_not_be_written_is_named() {
        // Not even root makes folders in the kernel's own file system.
        let error = Workspace::find_or_create(None, Path::new("/sys")).expect_err("read-only");
        assert!(matches!(&error, PlatformError::ReadOnly { path, .. } if path.starts_with("/sys")), "{error:?}");
        assert!(error.hint().expect("a hint").contains("--workspace"));
    }

    #[test]
    fn a_run_has_its_folder() {
        let (_folder, workspace) = workspace();
        let run = RunId::new("churn", 0x3f2a);
        let folder = workspace.run_dir(&run).expect("a folder");
        assert_eq!(folder, workspace.root().join("runs").join("churn-3f2a"));
        assert!(folder.is_dir());
    }
}
