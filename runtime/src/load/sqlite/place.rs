//! The file behind a name: two runs must not load into it, even under different names.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::load::identity::Identity;

/// The file of a load, and the lock that excludes a second run.
pub struct Place {
    /// The path as given.
    named: PathBuf,
    /// The path without links: SQLite keeps its log next to it.
    pub real: PathBuf,
    identity: Identity,
    /// Held as long as the file is open. The system releases it when the process ends.
    _lock: File,
}

impl Place {
    /// Finds the file, creates it if it does not exist, and locks it: two runs would each continue
    /// from the same state.
    pub fn take(named: &Path) -> Result<Self> {
        let cannot = |error: io::Error| {
            Error::file(ErrorKind::Destination, "write", named, error)
                .hint("check that the folder exists and may be written to")
        };
        // The file is opened only if it does not exist: closing a file releases the locks that
        // SQLite holds in it.
        if let Err(error) = std::fs::metadata(named) {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(cannot(error));
            }
            File::options()
                .append(true)
                .create(true)
                .open(named)
                .map_err(cannot)?;
        }
        let real = named.canonicalize().map_err(cannot)?;
        let metadata = std::fs::metadata(&real).map_err(cannot)?;
        if !metadata.is_file() {
            let message = format!("`{}` is not a file", named.display());
            return Err(Error::new(ErrorKind::Destination, message).hint(
                "name a file: `sqlite:FOLDER/data.db`; SQLite creates it if it does not exist",
            ));
        }
        check_links(named, &metadata)?;
        let lock = lock(named, &real)?;
        Ok(Place {
            named: named.to_owned(),
            real,
            identity: Identity::from(&metadata),
            _lock: lock,
        })
    }

    /// Refuses a file that was removed or replaced since the load began.
    pub fn check(&self) -> Result<()> {
        self.identity.check(&self.named)
    }
}

/// Refuses a file with several names. SQLite keeps a log for each name and reads only one of them,
/// so rows would be lost or the file damaged.
#[cfg(unix)]
fn check_links(named: &Path, metadata: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    match metadata.nlink() {
        0 | 1 => Ok(()),
        names => {
            let message = format!(
                "`{}` is one of {names} names (hard links) of a file",
                named.display()
            );
            Err(Error::new(ErrorKind::Destination, message).hint(
                "SQLite keeps a log for each name, which breaks such a file: keep one name, use a symbolic link or a copy",
            ))
        }
    }
}

#[cfg(not(unix))]
fn check_links(_: &Path, _: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

fn lock(named: &Path, real: &Path) -> Result<File> {
    let mut name = real.as_os_str().to_owned();
    name.push(".lock");
    let cannot = |error: io::Error| {
        Error::file(ErrorKind::Destination, "write", named, error)
            .hint("check that the folder exists and may be written to")
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::new(
            ErrorKind::Destination,
            format!("another run is loading into `{}`", named.display()),
        )
        .hint("wait until it has ended, or load into another file")),
        Err(std::fs::TryLockError::Error(error)) => Err(cannot(error)),
    }
}
