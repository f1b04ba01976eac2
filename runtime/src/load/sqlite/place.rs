//! The file that a name means: two runs must not load into it, whatever names they give it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::load::identity::Identity;

/// The file of a load, and the lock that keeps a second run out.
pub struct Place {
    /// As it was named.
    named: PathBuf,
    /// Without links: SQLite keeps its log beside that name.
    pub real: PathBuf,
    identity: Identity,
    /// Held as long as the file is open; the system drops it with the process.
    _lock: File,
}

impl Place {
    /// Finds the file, which is made if it is not there, and locks it: two runs would each go on from the same state.
    pub fn take(named: &Path) -> Result<Self> {
        let cannot = |error: io::Error| {
            Error::file(ErrorKind::Destination, "write", named, error)
                .hint("check that the folder exists and may be written to")
        };
        // Opened only if it is not there: to close a file lets go of what SQLite has locked in it.
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
        check_links(named, &metadata)?;
        let lock = lock(named, &real)?;
        Ok(Place {
            named: named.to_owned(),
            real,
            identity: Identity::from(&metadata),
            _lock: lock,
        })
    }

    /// Refuses a file that was removed or replaced since.
    pub fn check(&self) -> Result<()> {
        self.identity.check(&self.named)
    }
}

/// A file of several names has several logs, of which SQLite sees one: rows would be lost, or the file broken.
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
