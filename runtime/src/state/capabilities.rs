//! What a destination can do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::schema::ColumnRole;

/// How often a destination commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckpointPolicy {
    /// Commit after this many root rows.
    pub rows: usize,
    /// Commit after uncommitted rows have waited this long.
    pub interval: Duration,
}

impl CheckpointPolicy {
    /// Commits after this many root rows, or after uncommitted rows have waited this long.
    pub fn new(rows: usize, interval: Duration) -> Self {
        CheckpointPolicy { rows, interval }
    }
}

impl Default for CheckpointPolicy {
    fn default() -> Self {
        CheckpointPolicy::new(20_000, Duration::from_secs(10))
    }
}

/// What a destination can do. A run whose plan needs more is refused before its first request.
///
/// ```
/// use etlgen_runtime::load::Capabilities;
///
/// let can = Capabilities::new(63).columns(1600);
/// assert!(can.merges && can.replaces && !can.migrates);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Capabilities {
    /// The longest name of a table or column, in bytes.
    pub identifier_length: usize,
    /// The most columns of a table. When nine tenths are taken, data that a struct does not declare goes into one
    /// column. A resource that needs more columns fails alone.
    pub columns: usize,
    /// How often it commits.
    pub checkpoints: CheckpointPolicy,
    /// Whether a record can replace an earlier version of it: the write disposition `merge`.
    pub merges: bool,
    /// Whether records can be deleted or marked as deleted.
    pub deletes: bool,
    /// Whether a pass can replace all rows: the write disposition `replace`.
    pub replaces: bool,
    /// Whether existing tables can be changed. If not, tables stay as they were created, and a run that needs to
    /// change one is refused.
    pub migrates: bool,
    /// Whether loads can be rolled back.
    pub rolls_back: bool,
    /// Whether a merged record whose content hash ([`ColumnRole::ContentHash`]) is that of its row is not written again.
    /// Without it, rows have no such column.
    pub skips_unchanged: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Capabilities {
            migrates: true,
            rolls_back: true,
            ..Capabilities::new(63)
        }
    }
}

impl Capabilities {
    /// Creates the capabilities of a destination that merges and replaces rows, and neither migrates tables nor rolls
    /// loads back; names of tables and columns have at most this many bytes.
    pub fn new(identifier_length: usize) -> Self {
        Capabilities {
            identifier_length,
            columns: usize::MAX,
            checkpoints: CheckpointPolicy::default(),
            merges: true,
            deletes: true,
            replaces: true,
            migrates: false,
            rolls_back: false,
            skips_unchanged: false,
        }
    }

    /// Limits the number of columns of a table.
    pub fn columns(self, columns: usize) -> Self {
        Capabilities { columns, ..self }
    }

    /// Sets how often it commits.
    pub fn checkpoints(self, rows: usize, interval: Duration) -> Self {
        Capabilities {
            checkpoints: CheckpointPolicy::new(rows, interval),
            ..self
        }
    }

    /// Sets whether existing tables can be changed.
    pub fn migrates(self, migrates: bool) -> Self {
        Capabilities { migrates, ..self }
    }

    /// Sets whether loads can be rolled back.
    pub fn rolls_back(self, rolls_back: bool) -> Self {
        Capabilities { rolls_back, ..self }
    }

    /// Sets whether an unchanged record is not written again.
    pub fn skips_unchanged(self, skips_unchanged: bool) -> Self {
        Capabilities {
            skips_unchanged,
            ..self
        }
    }

    /// Sets whether a record can replace an earlier version of it.
    pub fn merges(self, merges: bool) -> Self {
        Capabilities { merges, ..self }
    }

    /// Sets whether records can be deleted or marked as deleted.
    pub fn deletes(self, deletes: bool) -> Self {
        Capabilities { deletes, ..self }
    }

    /// Sets whether a pass can replace all rows.
    pub fn replaces(self, replaces: bool) -> Self {
        Capabilities { replaces, ..self }
    }
}
