//! Artifacts of runs: a logical path in the database, the bytes in a folder, named by their hash.

use std::fs;
use std::io;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::atomic::{folder_of, sync_folder, write_atomic};
use crate::error::PlatformError;
use crate::ids::{self, RunId};
use crate::store::Durability;
use crate::tracking::check_run;
use crate::workspace::Workspace;

/// Longest logical path, in bytes.
const MAX_PATH: usize = 512;

/// Bytes that belong to a run. Equal bytes are kept once, however many runs have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Logical path within the run, as `oof/87.f32`. It never names a file.
    pub path: String,
    /// SHA-256 of the bytes, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Length in bytes.
    pub size: u64,
}

impl Workspace {
    /// Keeps bytes with a run, in place of earlier ones at the same path.
    ///
    /// The bytes have reached the disk when this returns; the row that names them is durable with the next
    /// journal batch, document or registration that survives the loss of power, since the database's log is
    /// written in order. Errors: [`PlatformError::Invalid`] for a path that is not made of plain names between
    /// single slashes.
    pub fn put_artifact(&self, run: &RunId, path: &str, bytes: &[u8]) -> Result<Artifact, PlatformError> {
        check_path(path)?;
        self.store().read("keeping an artifact", |connection| check_run(connection, run))?;
        let artifact = Artifact { path: path.to_owned(), sha256: hash(bytes), size: bytes.len() as u64 };
        self.put_object(&artifact.sha256, bytes)?;
        self.store().write("keeping an artifact", Durability::Process, |transaction| {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO run_artifact (run, path, sha256, size)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((run.as_str(), path, &artifact.sha256, artifact.size as i64))?;
            Ok(())
        })?;
        Ok(artifact)
    }

    /// The bytes of an artifact, verified.
    /// Errors: [`PlatformError::UnknownArtifact`], [`PlatformError::CorruptArtifact`].
    pub fn get_artifact(&self, run: &RunId, path: &str) -> Result<Vec<u8>, PlatformError> {
        let row = self.store().read("reading an artifact", |connection| {
            check_run(connection, run)?;
            let row = connection
                .prepare_cached("SELECT path, sha256, size FROM run_artifact WHERE run = ?1 AND path = ?2")?
                .query_row((run.as_str(), path), artifact)
                .optional()?;
            Ok(row)
        })?;
        let artifact = row.ok_or_else(|| PlatformError::UnknownArtifact { run: run.clone(), path: path.to_owned() })?;
        load(self, path, &artifact.sha256, artifact.size)
    }

    /// The artifacts of a run, by path.
    pub fn list_artifacts(&self, run: &RunId) -> Result<Vec<Artifact>, PlatformError> {
        self.store().read("listing artifacts", |connection| {
            check_run(connection, run)?;
            Ok(list_rows(connection, run)?)
        })
    }

    /// Writes a file for people into the folder of a run, whole or not at all, and says where it lies.
    /// Errors: [`PlatformError::Invalid`] unless `name` is one plain file name, as `report.html`.
    pub fn write_report(&self, run: &RunId, name: &str, bytes: &[u8]) -> Result<PathBuf, PlatformError> {
        check_name("report name", name)?;
        let path = self.run_dir(run)?.join(name);
        write_atomic(&path, bytes)?;
        Ok(path)
    }

    /// Puts bytes into the folder under their hash.
    fn put_object(&self, sha256: &str, bytes: &[u8]) -> Result<(), PlatformError> {
        let path = self.object_path(sha256);
        let wrap = |error| PlatformError::io("writing", &path, error);
        let shard = folder_of(&path);
        if !shard.is_dir() {
            fs::create_dir_all(shard).map_err(wrap)?;
            sync_folder(folder_of(shard)).map_err(wrap)?;
            sync_folder(self.root()).map_err(wrap)?;
        }
        // Bytes kept before are trusted no further than they can be read back; damaged ones are mended.
        if fs::read(&path).is_ok_and(|kept| kept == bytes) {
            return sync_folder(shard).map_err(wrap);
        }
        write_atomic(&path, bytes)
    }

    /// Where bytes of this hash lie. The hash has been checked.
    fn object_path(&self, sha256: &str) -> PathBuf {
        let (shard, rest) = sha256.split_at(2);
        self.artifacts_dir().join(shard).join(rest)
    }
}

/// The artifacts of a run, by path.
pub(crate) fn list_rows(connection: &Connection, run: &RunId) -> rusqlite::Result<Vec<Artifact>> {
    connection
        .prepare_cached("SELECT path, sha256, size FROM run_artifact WHERE run = ?1 ORDER BY path")?
        .query_map([run.as_str()], artifact)?
        .collect()
}

/// The bytes of this hash and size, verified; `label` names them in an error.
pub(crate) fn load(workspace: &Workspace, label: &str, sha256: &str, size: u64) -> Result<Vec<u8>, PlatformError> {
    let path = find(workspace, label, sha256, size)?;
    let bytes = fs::read(&path).map_err(|error| PlatformError::io("reading", &path, error))?;
    let found = hash(&bytes);
    if found != sha256 {
        let reason = format!("its SHA-256 is {found}, {sha256} was recorded");
        return Err(corrupt(label, sha256, reason));
    }
    Ok(bytes)
}

/// Refuses bytes that are not there, or not of this size, without reading them.
pub(crate) fn check_stored(workspace: &Workspace, label: &str, sha256: &str, size: u64) -> Result<(), PlatformError> {
    find(workspace, label, sha256, size).map(|_| ())
}

/// The file that holds bytes of this hash, if its size is right.
fn find(workspace: &Workspace, label: &str, sha256: &str, size: u64) -> Result<PathBuf, PlatformError> {
    // A hash out of a damaged database must not become a path.
    let is_hash =
        sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !is_hash {
        return Err(corrupt(label, sha256, format!("`{sha256}` is not a SHA-256")));
    }
    let path = workspace.object_path(sha256);
    match fs::symlink_metadata(&path) {
        Ok(file) if !file.is_file() => Err(corrupt(label, sha256, format!("{} is not a plain file", path.display()))),
        Ok(file) if file.len() != size => {
            let reason = format!("it has {} bytes, {size} were recorded", file.len());
            Err(corrupt(label, sha256, reason))
        }
        Ok(_) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(corrupt(label, sha256, format!("{} is missing", path.display())))
        }
        Err(error) => Err(PlatformError::io("reading", &path, error)),
    }
}

fn corrupt(label: &str, sha256: &str, reason: String) -> PlatformError {
    PlatformError::CorruptArtifact { path: label.to_owned(), sha256: sha256.to_owned(), reason }
}

fn artifact(row: &rusqlite::Row<'_>) -> rusqlite::Result<Artifact> {
    Ok(Artifact { path: row.get(0)?, sha256: row.get(1)?, size: row.get::<_, i64>(2)? as u64 })
}

/// SHA-256 in lower-case hexadecimal.
fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every write");
        text
    })
}

fn check_path(path: &str) -> Result<(), PlatformError> {
    if path.len() > MAX_PATH {
        let reason = format!("is {} bytes long, more than {MAX_PATH}", path.len());
        return Err(PlatformError::invalid("artifact path", path, reason));
    }
    for name in path.split('/') {
        // The whole path is what a person knows.
        if let Err(PlatformError::Invalid { reason, .. }) = check_name("artifact path", name) {
            let reason = if name == path { reason } else { format!("`{name}` {reason}") };
            return Err(PlatformError::invalid("artifact path", path, reason));
        }
    }
    Ok(())
}

fn check_name(what: &'static str, name: &str) -> Result<(), PlatformError> {
    ids::check(what, name, |byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{new_run, workspace};
    use proptest::prelude::*;

    fn filled() -> (tempfile::TempDir, Workspace, RunId) {
        let (folder, workspace) = workspace();
        let run = RunId::new("churn", 1);
        workspace.create_run(&new_run(&run, None, "fit")).expect("a run");
        (folder, workspace, run)
    }

    /// The files in the artifacts folder.
    fn files(workspace: &Workspace) -> Vec<PathBuf> {
        let list =
            |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        list(workspace.artifacts_dir()).flat_map(list).collect()
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-4's example for the message "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), expected);
    }

    #[test]
    fn bytes_come_back_and_equal_ones_are_kept_once() {
        let (_folder, workspace, run) = filled();
        let first = workspace.put_artifact(&run, "oof/87.f32", b"abc").expect("kept");
        assert_eq!((first.path.as_str(), first.size), ("oof/87.f32", 3));
        let second = workspace.put_artifact(&run, "model", b"abc").expect("kept");
        assert_eq!(first.sha256, second.sha256);
        let empty = workspace.put_artifact(&run, "empty", b"").expect("kept");
        assert_eq!(files(&workspace).len(), 2);
        assert_eq!(workspace.get_artifact(&run, "oof/87.f32").expect("bytes"), b"abc");
        assert_eq!(workspace.get_artifact(&run, "empty").expect("bytes"), b"");
        assert_eq!(workspace.list_artifacts(&run).expect("a list"), [empty, second, first]);
        workspace.put_artifact(&run, "model", b"abd").expect("replaced");
        assert_eq!(workspace.get_artifact(&run, "model").expect("bytes"), b"abd");
        let error = workspace.get_artifact(&run, "other").expect_err("none");
        assert_eq!(error.to_string(), "run `churn-0001` has no artifact `other`");
    }

    #[test]
    fn damage_is_noticed_and_mended_by_putting_again() {
        let (_folder, workspace, run) = filled();
        let bytes = b"the bytes of a model";
        workspace.put_artifact(&run, "model", bytes).expect("kept");
        let file = files(&workspace).remove(0);
        let flipped = |place: usize| {
            let mut changed = bytes.to_vec();
            changed[place] ^= 1;
            changed
        };
        let mut damages: Vec<Vec<u8>> = (0..bytes.len()).map(flipped).collect();
        damages.extend([bytes[..5].to_vec(), Vec::new(), [bytes.as_slice(), b"x"].concat()]);
        for damaged in damages {
            fs::write(&file, &damaged).expect("written");
            let error = workspace.get_artifact(&run, "model").expect_err("damaged");
            assert!(matches!(error, PlatformError::CorruptArtifact { .. }), "{error:?}");
        }
        workspace.put_artifact(&run, "copy", bytes).expect("kept");
        assert_eq!(workspace.get_artifact(&run, "model").expect("mended"), bytes);

        fs::remove_file(&file).expect("removed");
        let error = workspace.get_artifact(&run, "model").expect_err("missing");
        assert!(error.to_string().contains("missing"), "{error}");
        std::os::unix::fs::symlink("/dev/zero", &file).expect("a link");
        let error = workspace.get_artifact(&run, "model").expect_err("a link");
        assert!(error.to_string().contains("not a plain file"), "{error}");
    }

    #[test]
    fn paths_that_could_leave_the_run_are_refused() {
        let (_folder, workspace, run) = filled();
        let long = "a/".repeat(300);
        for bad in
            ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a\\b", "a\0b", "%2e%2e/a", ".hidden", &long]
        {
            let error = workspace.put_artifact(&run, bad, b"x").expect_err(bad);
            assert!(matches!(error, PlatformError::Invalid { .. }), "{bad:?}: {error:?}");
            let error = workspace.write_report(&run, bad, b"x").expect_err(bad);
            assert!(matches!(error, PlatformError::Invalid { .. }), "{bad:?}: {error:?}");
        }
        assert!(files(&workspace).is_empty());
        let error = workspace.put_artifact(&run, "a/../b", b"x").expect_err("refused");
        assert!(error.to_string().starts_with("artifact path `a/../b`: `..` begins"), "{error}");
    }

    #[test]
    fn reports_lie_in_the_folder_of_their_run() {
        let (_folder, workspace, run) = filled();
        let path = workspace.write_report(&run, "report.html", b"<p>").expect("written");
        assert_eq!(path, workspace.root().join("runs/churn-0001/report.html"));
        assert_eq!(fs::read(path).expect("the report"), b"<p>");
        assert!(workspace.write_report(&run, "a/b.html", b"").is_err());
    }

    #[test]
    fn writers_of_equal_bytes_do_not_disturb_each_other() {
        let (_folder, workspace, run) = filled();
        let bytes = vec![7; 100_000];
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (workspace, run, bytes) = (&workspace, &run, &bytes);
                scope.spawn(move || {
                    for n in 0..5 {
                        let path = format!("{thread}/{n}");
                        workspace.put_artifact(run, &path, bytes).expect("kept");
                        assert!(workspace.get_artifact(run, &path).expect("bytes") == *bytes);
                    }
                });
            }
        });
        assert_eq!(files(&workspace).len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let (_folder, workspace, run) = filled();
            let artifact = workspace.put_artifact(&run, "a", &bytes).expect("kept");
            prop_assert_eq!(artifact.size, bytes.len() as u64);
            prop_assert_eq!(workspace.get_artifact(&run, "a").expect("bytes"), bytes);
        }
    }
}
