//! The lock that excludes a second run from a file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// How often a lock is tried whose file a run that ends has just removed.
const TRIES: usize = 20;

/// A lock, in a file of its own beside the file that it guards. Where the system allows it, the file is removed with the
/// lock; a process that is killed leaves it, without effect.
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

/// Takes the lock of a file. Errors name the file as it was `named`. The system releases the lock when the process ends.
pub(crate) fn lock(named: &Path, file: &Path) -> Result<Lock> {
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    for _ in 0..TRIES {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| unwritable(named, error))?;
        match file.try_lock() {
            // The run before may have removed the file between the two calls: another run could then lock a new one.
            Ok(()) if is_at(&file, &path) => return Ok(Lock { file, path }),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(named)),
            Err(TryLockError::Error(error)) => return Err(unwritable(named, error)),
        }
    }
    Err(busy(named))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file goes before the lock, so that whoever takes the lock of this file sees that it is gone.
        if cfg!(unix) && is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Returns whether the path leads to this open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, named) = (file.metadata().map(place), path.metadata().map(place));
    open.is_ok_and(|open| named.is_ok_and(|named| open == named))
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

fn busy(named: &Path) -> Error {
    let message = format!("another run is loading into `{}`", named.display());
    Error::new(ErrorKind::Destination, message)
        .hint("wait until it has ended (`--wait 10m`), or load into another file")
        .busy()
}

/// Returns the error for a file that cannot be written.
pub(crate) fn unwritable(named: &Path, error: io::Error) -> Error {
    Error::file(ErrorKind::Destination, "write", named, error)
        .hint("check that the folder exists and may be written to")
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[test]
    fn the_file_goes_with_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.db");
        let beside = folder.path().join("x.db.lock");
        let held = lock(&file, &file).unwrap();
        assert!(beside.exists());
        assert!(lock(&file, &file).is_err());
        drop(held);
        assert!(!beside.exists());
        // The lock of a run that was killed has no effect.
        std::fs::write(&beside, "").unwrap();
        drop(lock(&file, &file).unwrap());
        // A lock whose file was replaced leaves the other file.
        let held = lock(&file, &file).unwrap();
        std::fs::remove_file(&beside).unwrap();
        let other = lock(&file, &file).unwrap();
        drop(held);
        assert!(beside.exists());
        drop(other);
    }

    #[test]
    fn only_one_holds_the_lock_while_others_let_it_go() {
        let folder = tempfile::tempdir().unwrap();
        let file = Arc::new(folder.path().join("x.db"));
        let (holders, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (file, holders, taken) = (file.clone(), holders.clone(), taken.clone());
                std::thread::spawn(move || {
                    for _ in 0..2_000 {
                        let Ok(held) = lock(&file, &file) else {
                            continue;
                        };
                        assert_eq!(holders.fetch_add(1, SeqCst), 0);
                        taken.fetch_add(1, SeqCst);
                        holders.fetch_sub(1, SeqCst);
                        drop(held);
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert!(taken.load(SeqCst) > 100);
    }
}
