//! Tasks that run concurrently.

use crate::error::{Error, ErrorKind, Result};

/// Returns the result of a task; a task that panicked becomes an error instead of ending the
/// process.
pub(super) fn flatten<T>(joined: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    joined.unwrap_or_else(|error| {
        let message = format!("a task ended early: {error}");
        Err(Error::new(ErrorKind::System, message))
    })
}
