//! What a vacuum of a destination is asked for, and what it has done.

use std::collections::BTreeSet;
use std::time::Duration;

/// What [`Destination::vacuum`](super::Destination::vacuum) is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vacuum {
    /// How long files whose rows were merged into others stay, for readers that have listed them before.
    pub wait: Duration,
    /// The resources whose staged rows a pass in progress still needs; those of all others are removed.
    pub staged: BTreeSet<String>,
}

impl Vacuum {
    /// Asks for a vacuum that lets files whose rows were merged stay for that long, and removes all staged rows.
    pub fn new(wait: Duration) -> Self {
        Vacuum {
            wait,
            staged: BTreeSet::new(),
        }
    }

    /// Keeps the staged rows of these resources.
    pub fn keep_staged(self, staged: impl IntoIterator<Item = String>) -> Self {
        Vacuum {
            staged: staged.into_iter().collect(),
            ..self
        }
    }
}

/// What [`Destination::vacuum`](super::Destination::vacuum) has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vacuumed {
    /// The number of files that it removed since no commit names them.
    pub orphans: u64,
    /// The number of files whose rows it merged into others.
    pub merged: u64,
    /// The number of files that hold those rows now.
    pub into: u64,
    /// The bytes of the source's tables before and after, where the destination knows them.
    pub bytes: Option<(u64, u64)>,
}

impl Vacuumed {
    /// Reports that it removed this many files that no commit names.
    pub fn orphans(self, orphans: u64) -> Self {
        Vacuumed { orphans, ..self }
    }

    /// Reports that it merged the rows of this many files into this many others.
    pub fn merged(self, merged: u64, into: u64) -> Self {
        Vacuumed {
            merged,
            into,
            ..self
        }
    }

    /// Reports the bytes before and after.
    pub fn bytes(self, before: u64, after: u64) -> Self {
        Vacuumed {
            bytes: Some((before, after)),
            ..self
        }
    }
}
