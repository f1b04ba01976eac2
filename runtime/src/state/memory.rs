//! What a destination remembers of a source.

use serde::{Deserialize, Serialize};

use super::{StateChange, StateRow};
use crate::schema::TableSchema;

/// What a destination remembers of a source. It can be stored as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Memory {
    /// Every table it holds, as last committed.
    pub tables: Vec<TableSchema>,
    /// Every state row.
    pub state: Vec<StateRow>,
}

impl Memory {
    /// Memory of these tables and this state.
    pub fn new(tables: Vec<TableSchema>, state: Vec<StateRow>) -> Self {
        Memory { tables, state }
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
