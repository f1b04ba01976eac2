//! The file of a database behind a name: two runs must not load into it, even under different names.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::lock::{lock, unwritable};
use crate::error::{Error, ErrorKind, Result};

/// The file of a load, and the lock that excludes a second run.
pub struct Place {
    /// The path as given.
    named: PathBuf,
    /// The path without links: a database keeps its log next to it.
    pub real: PathBuf,
    identity: Identity,
    /// Held as long as the file is open. The system releases it when the process ends.
    _lock: File,
}

impl Place {
    /// Finds the file, creates it if it does not exist, and locks it: two runs would each continue
    /// from the same state. `database` is the name of the database for people, and of its scheme.
    pub fn take(named: &Path, database: &str) -> Result<Self> {
        let cannot = |error: io::Error| unwritable(named, error);
        // The file is opened only if it does not exist: closing a file releases the locks that the
        // database holds in it.
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
            let scheme = database.to_lowercase();
            return Err(Error::new(ErrorKind::Destination, message).hint(format!(
                "name a file: `{scheme}:FOLDER/data.db`; {database} creates it if it does not exist"
            )));
        }
        check_links(named, &metadata, database)?;
        let lock = lock(named, &real)?;
        Ok(Place {
            named: named.to_owned(),
            real,
            identity: Identity::from(&metadata),
            _lock: lock,
        })
    }

    /// Returns whether the file has no bytes.
    #[cfg(feature = "duckdb")]
    pub fn is_empty(&self) -> Result<bool> {
        match std::fs::metadata(&self.real) {
            Ok(metadata) => Ok(metadata.len() == 0),
            Err(error) => Err(unwritable(&self.named, error)),
        }
    }

    /// Returns the name of a file next to it.
    #[cfg(feature = "duckdb")]
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.real.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }

    /// Puts another file in its place.
    #[cfg(feature = "duckdb")]
    pub fn put(&mut self, other: &Path) -> Result<()> {
        let mut put = || -> io::Result<()> {
            std::fs::rename(other, &self.real)?;
            self.identity = Identity::of(&self.real)?;
            Ok(())
        };
        put().map_err(|error| unwritable(&self.named, error))
    }

    /// Refuses a file that was removed or replaced since the load began.
    pub fn check(&self) -> Result<()> {
        self.identity.check(&self.named)
    }
}

/// Refuses a file with several names. The database keeps a log for each name and reads only one of them,
/// so rows would be lost or the file damaged.
#[cfg(unix)]
fn check_links(named: &Path, metadata: &std::fs::Metadata, database: &str) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    match metadata.nlink() {
        0 | 1 => Ok(()),
        names => {
            let message = format!(
                "`{}` is one of {names} names (hard links) of a file",
                named.display()
            );
            Err(Error::new(ErrorKind::Destination, message).hint(format!(
                "{database} keeps a log for each name, which breaks such a file: keep one name, use a symbolic link or a copy"
            )))
        }
    }
}

#[cfg(not(unix))]
fn check_links(_: &Path, _: &std::fs::Metadata, _: &str) -> Result<()> {
    Ok(())
}
