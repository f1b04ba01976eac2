//! Detects that another file has taken the name of a file.

use std::fs::Metadata;
use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// The identity of a file, independent of its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    place: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl Identity {
    /// Returns the identity of the file that has this name now; follows links.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Identity::from(&std::fs::metadata(path)?))
    }

    /// Refuses a file that no longer exists or was replaced.
    pub fn check(&self, path: &Path) -> Result<()> {
        let what = match Identity::of(path) {
            Ok(now) if now == *self => return Ok(()),
            Ok(_) => "was replaced",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "was removed",
            Err(error) => return Err(Error::file(ErrorKind::Destination, "read", path, error)),
        };
        let message = format!("`{}` {what} during the run", path.display());
        Err(Error::new(ErrorKind::Destination, message)
            .hint("this commit was not written; run again: the run continues from the current state of the destination"))
    }
}

impl From<&Metadata> for Identity {
    #[cfg(unix)]
    fn from(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Identity {
            place: (metadata.dev(), metadata.ino()),
        }
    }

    #[cfg(not(unix))]
    fn from(metadata: &Metadata) -> Self {
        Identity {
            created: metadata.created().ok(),
        }
    }
}

/// Returns the error for a destination into which another run has loaded since this one began.
pub(crate) fn overtaken(place: impl std::fmt::Display) -> Error {
    let message = format!("another run has loaded into `{place}` since this one began");
    Error::new(ErrorKind::Destination, message)
        .hint("this commit was not written; run again, one run at a time: it continues from the last commit")
}
