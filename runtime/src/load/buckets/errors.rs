//! Errors of buckets, with hints.

use object_store::Error as Cause;

use crate::error::{Error, ErrorKind};

/// Explains an error of a service, with a hint.
pub fn explain(error: &Cause) -> Error {
    let (what, hint) = match error {
        Cause::NotFound { .. } => (
            "is not there",
            "check the name of the bucket, its region and its endpoint: `?region=…&endpoint=…`",
        ),
        Cause::PermissionDenied { .. } => (
            "may not be read or written",
            "the credentials need to list the bucket, and to read, write and delete objects below the prefix",
        ),
        Cause::Unauthenticated { .. } => (
            "cannot be read or written: the credentials are not accepted",
            "check the variables of the environment, or the profile: docs/destinations.md",
        ),
        Cause::NotImplemented { .. } | Cause::NotSupported { .. } => (
            "cannot be read or written as a lake needs it",
            "use a service that can write an object on a condition (`If-Match`)",
        ),
        _ => (
            "cannot be read or written",
            "the current commit was not written, and earlier ones are intact; check the region, the endpoint and the credentials: docs/destinations.md",
        ),
    };
    Error::new(ErrorKind::Destination, what)
        .caused_by(chain(error))
        .hint(hint)
}

/// Returns whether a conditional put found another object than the one that it was to replace.
pub fn is_conflict(error: &Cause) -> bool {
    matches!(
        error,
        Cause::AlreadyExists { .. } | Cause::Precondition { .. } | Cause::NotModified { .. }
    )
}

/// Returns the text of an error with its causes, each of which is said once.
fn chain(error: &Cause) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
