//! What a destination remembers of a source.

use serde::{Deserialize, Serialize};

use super::{StateChange, StateRow};
use crate::schema::TableSchema;

/// What a destination remembers of a source. As JSON it can be kept in a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Every table it holds, as last committed.
    pub tables: Vec<TableSchema>,
    /// Every state row.
    pub state: Vec<StateRow>,
}

impl Memory {
    /// What it is after those changes of the state.
    pub(crate) fn apply(&mut self, changes: &[StateChange]) {
        for change in changes {
            let (StateChange::Put(StateRow {
                resource, slice, ..
            })
            | StateChange::Forget { resource, slice }) = change;
            self.state
                .retain(|row| row.resource != *resource || row.slice != *slice);
            if let StateChange::Put(row) = change {
                self.state.push(row.clone());
            }
        }
    }
}
