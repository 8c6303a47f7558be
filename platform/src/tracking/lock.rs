//! One process at a time works on a run.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::PlatformError;
use crate::ids::RunId;
use crate::workspace::Workspace;

/// The right to work on a run, held until it is dropped or the process dies, however it dies.
#[derive(Debug)]
pub struct RunLock {
    run: RunId,
    /// The lock is the kernel's, on this open file; closing it gives the lock back.
    _file: File,
}

impl RunLock {
    /// The run that is held.
    pub fn run(&self) -> &RunId {
        &self.run
    }
}

impl Workspace {
    /// Takes the right to work on a run, without waiting.
    ///
    /// Errors: [`PlatformError::RunBusy`] while another holder lives, in this process or another.
    pub fn try_lock_run(&self, run: &RunId) -> Result<RunLock, PlatformError> {
        let path = self.run_dir(run)?.join("lock");
        // The file outlives the lock: were it removed, two processes could each lock one of the same name.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| PlatformError::io("writing", &path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                return Err(PlatformError::RunBusy { run: run.clone(), pid: holder(&mut file) });
            }
            Err(error) => return Err(PlatformError::io("locking", &path, error.into())),
        }
        sign(&mut file, &path)?;
        Ok(RunLock { run: run.clone(), _file: file })
    }
}

/// Writes the id of this process into the lock, for the one that finds it taken.
fn sign(file: &mut File, path: &Path) -> Result<(), PlatformError> {
    let text = format!("{}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(text.as_bytes()))
        .map_err(|error| PlatformError::io("writing", path, error))
}

/// The process that holds the lock, if it has signed it yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_held_once_and_given_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = Workspace::find_or_create(None, folder.path()).expect("a workspace");
        let second = Workspace::open(first.root()).expect("the same workspace");
        let run = RunId::new("churn", 1);
        let other = RunId::new("churn", 2);

        let lock = first.try_lock_run(&run).expect("a free run");
        assert_eq!(lock.run(), &run);
        for workspace in [&first, &second] {
            match workspace.try_lock_run(&run) {
                Err(PlatformError::RunBusy { run: busy, pid }) => {
                    assert_eq!((busy, pid), (run.clone(), Some(std::process::id())));
                }
                other => panic!("the run is held, yet: {other:?}"),
            }
        }
        second.try_lock_run(&other).expect("another run is free");
        drop(lock);
        second.try_lock_run(&run).expect("the run was given back");
    }
}
