//! The lock that excludes a second run from a file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// Takes the lock of a file, in a file of its own beside it. Errors name the file as it was `named`. The system releases
/// the lock when the process ends.
pub(crate) fn lock(named: &Path, file: &Path) -> Result<File> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| unwritable(named, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another run is loading into `{}`", named.display());
            Err(Error::new(ErrorKind::Destination, message)
                .hint("wait until it has ended, or load into another file"))
        }
        Err(TryLockError::Error(error)) => Err(unwritable(named, error)),
    }
}

/// Returns the error for a file that cannot be written.
pub(crate) fn unwritable(named: &Path, error: io::Error) -> Error {
    Error::file(ErrorKind::Destination, "write", named, error)
        .hint("check that the folder exists and may be written to")
}
