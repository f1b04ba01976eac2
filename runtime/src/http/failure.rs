//! Why a request has no answer.

use crate::error::Error;
use crate::world::WireError;

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is likely to be temporary.
    Transient(String),
    /// No other attempt can succeed.
    Final(Error),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        match error.into_fatal() {
            Ok(error) => Failure::Final(error),
            Err(message) => Failure::Transient(message),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}
