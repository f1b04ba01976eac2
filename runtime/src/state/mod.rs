//! The state: one row per resource and slice, committed in the transaction that commits the data.

mod capabilities;
mod declared;
mod file;
pub(crate) mod format;
mod memory;
mod rewind;
mod slice;

pub use capabilities::{Capabilities, CheckpointPolicy};
pub(crate) use declared::{Declared, Reads, Rows};
pub use file::{export, import};
pub use format::RowFormat;
pub use memory::Memory;
pub(crate) use rewind::rewind;
pub use slice::{Edge, OpenWindow, Pass, SliceState};
pub(crate) use slice::{load_id, load_time, without_pass};

use serde::{Deserialize, Serialize};

/// One row of the state table; (`resource`, `slice`) is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StateRow {
    /// The resource.
    pub resource: String,
    /// The slice: `""` for a resource that has only one, else the parent's parameters as canonical
    /// JSON.
    pub slice: String,
    /// The slice's state as JSON; destinations store it unchanged.
    pub value: String,
}

impl StateRow {
    /// Creates a row of this resource and slice, with the slice's state as JSON.
    pub fn new(
        resource: impl Into<String>,
        slice: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        StateRow {
            resource: resource.into(),
            slice: slice.into(),
            value: value.into(),
        }
    }
}

/// A change of the state table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum StateChange {
    /// Writes the row, and replaces the one with the same key.
    Put(StateRow),
    /// Removes the row of one slice.
    Forget {
        /// The resource.
        resource: String,
        /// The slice.
        slice: String,
    },
}

impl StateChange {
    /// Returns the key of the row that it changes: the resource and the slice.
    pub fn key(&self) -> (&str, &str) {
        match self {
            StateChange::Put(row) => (&row.resource, &row.slice),
            StateChange::Forget { resource, slice } => (resource, slice),
        }
    }
}
