//! Why a request has no response.

use crate::error::{Error, ErrorKind};
use crate::world::{WireError, WireErrorKind};

/// Why a request has no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// The failure is likely to be temporary.
    Transient(String),
    /// No server accepts connections at the host, for example during a restart.
    Unreachable(String),
    /// No further attempt can succeed.
    Final(Error),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        let kind = error.kind();
        match (kind, error.into_fatal()) {
            (_, Ok(error)) => Failure::Final(error),
            (Some(WireErrorKind::Connect), Err(message)) => Failure::Unreachable(message),
            (Some(WireErrorKind::Unresolved), Err(message)) => {
                Failure::Final(Error::new(ErrorKind::Api, message).hint(
                    "check the host of the base URL, and that this machine can resolve names",
                ))
            }
            (_, Err(message)) => Failure::Transient(message),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}
