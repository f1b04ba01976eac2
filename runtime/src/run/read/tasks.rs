//! Tasks that read side by side.

use crate::error::{Error, ErrorKind, Result};

/// A task that panicked is an error of ours, not the end of the process.
pub(super) fn flatten<T>(joined: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    joined.unwrap_or_else(|error| {
        let message = format!("a task ended early: {error}");
        Err(Error::new(ErrorKind::System, message))
    })
}
