//! Errors of files and of the Parquet library, with the way out.

use std::io;
use std::path::Path;

use parquet::errors::ParquetError;

use crate::error::{Error, ErrorKind};

/// What an error of the system means, and the way out.
pub fn failed(path: &Path, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space and run again: it goes on from the last commit"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "check that the folder and everything in it may be written to"
        }
        _ => "nothing of the commit under way was written; what was committed before is whole",
    };
    Error::new(ErrorKind::Destination, "cannot be read or written")
        .caused_by(error)
        .at(path.display().to_string())
        .hint(hint)
}

/// What an error of the Parquet library means, and the way out.
pub fn failed_parquet(path: &Path, error: ParquetError) -> Error {
    let error = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => return failed(path, *error),
            Err(inner) => ParquetError::External(inner),
        },
        error => error,
    };
    Error::new(
        ErrorKind::Destination,
        "cannot be read or written as Parquet",
    )
    .caused_by(error)
    .at(path.display().to_string())
    .hint("if the file is damaged, bring it back from a backup or load into another folder")
}
