//! Errors of files and of the Parquet library, with hints.

use std::io;

use parquet::errors::ParquetError;

use crate::error::{Error, ErrorKind};

/// Explains an error of the system, with a hint.
pub fn failed(place: impl ToString, error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(explained) => return explained,
        Err(error) => error,
    };
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space and run again: it continues from the last commit"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "check that the folder and everything in it is writable"
        }
        _ => "the current commit was not written; earlier commits are intact",
    };
    Error::new(ErrorKind::Destination, "cannot be read or written")
        .caused_by(error)
        .at(place.to_string())
        .hint(hint)
}

/// Explains an error of the Parquet library, with a hint.
pub fn failed_parquet(place: impl ToString, error: ParquetError) -> Error {
    let error = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => return failed(place, *error),
            Err(inner) => ParquetError::External(inner),
        },
        error => error,
    };
    Error::new(
        ErrorKind::Destination,
        "cannot be read or written as Parquet",
    )
    .caused_by(error)
    .at(place.to_string())
    .hint("if the file is damaged, restore it from a backup or load into another place")
}
