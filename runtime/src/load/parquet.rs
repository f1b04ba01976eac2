//! Parquet files in a local folder: a lake of tables whose store is the folder.
//!
//! The file `_etl/lock` excludes a second run. The manifest is written next to the old one and renamed.

mod folder;
mod read;

use std::path::PathBuf;

pub use self::folder::Folder;
use super::lake::Lake;

/// Parquet files in a folder.
pub type Parquet = Lake<Folder>;

impl Parquet {
    /// Creates a destination for the folder at `path`; opening it creates the folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Lake::of(Folder::new(path.into()))
    }
}

#[cfg(test)]
mod tests;
