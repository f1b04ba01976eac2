//! What a destination remembers of a source.

use serde::{Deserialize, Serialize};

use super::{Capabilities, StateChange, StateRow};
use crate::schema::TableSchema;

/// What a destination remembers of a source. It can be stored as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Memory {
    /// Every table that it holds, as last committed.
    pub tables: Vec<TableSchema>,
    /// Every state row.
    pub state: Vec<StateRow>,
    /// The highest id of its loads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_load: Option<String>,
    /// What the destination can do. A run fills this in when it opens one.
    #[serde(default)]
    pub capabilities: Capabilities,
}

impl Memory {
    /// Creates the memory of these tables and this state.
    pub fn new(tables: Vec<TableSchema>, state: Vec<StateRow>) -> Self {
        Memory {
            tables,
            state,
            last_load: None,
            capabilities: Capabilities::default(),
        }
    }

    /// Applies changes of the state.
    pub fn apply(&mut self, changes: &[StateChange]) {
        for change in changes {
            let key = change.key();
            self.state
                .retain(|row| (&*row.resource, &*row.slice) != key);
            if let StateChange::Put(row) = change {
                self.state.push(row.clone());
            }
        }
    }
}
