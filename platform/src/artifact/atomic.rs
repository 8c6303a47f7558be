//! Writing a file whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::PlatformError;

/// Writes a file so that, whenever the process dies or power is lost, the path holds either what it held before
/// or all of `bytes`.
///
/// The bytes go to a temporary name in the same folder, are synced, and renamed over `path`; then the folder is
/// synced. A link is followed and an existing file keeps its permissions. What is not a plain file (a pipe, a
/// terminal, `/dev/null`) is written to directly.
///
/// Errors: [`PlatformError::ReadOnly`], [`PlatformError::NoSpace`], [`PlatformError::Io`]; none leaves a
/// temporary file behind.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), PlatformError> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(PlatformError::io("writing", path, error)),
    };
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(|file| !file.is_file() && !file.is_dir()) {
        return fs::write(&target, bytes).map_err(|error| PlatformError::io("writing", path, error));
    }
    let written = (|| {
        let temporary = temporary_beside(&target)?;
        let outcome = write_synced(&temporary, bytes)
            .and_then(|()| match &existing {
                Some(file) => fs::set_permissions(&temporary, file.permissions()),
                None => Ok(()),
            })
            .and_then(|()| fs::rename(&temporary, &target));
        if outcome.is_err() {
            // The first error is the one to tell of.
            let _ = fs::remove_file(&temporary);
        }
        outcome?;
        sync_folder(folder_of(&target))
    })();
    written.map_err(|error| PlatformError::io("writing", path, error))
}

/// Makes the names in a folder survive the loss of power.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name in the same folder that no other writer of this or another process uses.
fn temporary_beside(target: &Path) -> io::Result<PathBuf> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let name =
        target.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name"))?;
    let mut temporary = OsString::from(".");
    // A name at the limit of the file system must leave room for the ending.
    let stem: String = name.to_string_lossy().chars().take(40).collect();
    temporary.push(stem);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    temporary.push(format!(".{}.{number}.tmp", std::process::id()));
    Ok(folder_of(target).join(temporary))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One of the same name can only be left over from a dead process of the same id.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("predictions.csv");
        write_atomic(&path, b"one").expect("a new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("permissions");
        write_atomic(&path, b"two").expect("a replaced file");
        assert_eq!(fs::read(&path).expect("the file"), b"two");
        assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["predictions.csv"]);
    }

    #[test]
    fn a_link_is_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_atomic(&file, b"one").expect("a file");
        symlink(&file, &link).expect("a link");
        write_atomic(&link, b"two").expect("through the link");
        assert_eq!(fs::read(&file).expect("the file"), b"two");
        assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    }

    #[test]
    fn failures_are_named_and_leave_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let missing = folder.path().join("no").join("file");
        let error = write_atomic(&missing, b"x").expect_err("no such folder");
        assert!(matches!(&error, PlatformError::Io { path, .. } if *path == missing), "{error:?}");
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("a folder");
        write_atomic(&taken, b"x").expect_err("a folder in the way");
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        write_atomic(Path::new("/dev/null"), b"x").expect("the null device");
        assert!(!fs::metadata("/dev/null").expect("the null device").is_file());
    }
}
