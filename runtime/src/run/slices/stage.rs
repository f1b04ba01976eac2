//! The destination of a process that extracts a slice, and of one that only plans.

use super::collected::Collected;
use crate::error::Result;
use crate::load::{Capabilities, Chunk, Commit, Destination, LoadInfo, Memory, Operation};
use crate::schema::{Drifted, TableSchema};

/// Takes rows into the files of an attempt; without them, takes nothing.
pub(super) struct Stage {
    into: Option<Collected>,
    name: String,
    /// The tables that the destination of the run has.
    tables: Vec<TableSchema>,
    capabilities: Capabilities,
}

impl Stage {
    pub fn new(
        into: Option<Collected>,
        name: String,
        tables: Vec<TableSchema>,
        capabilities: Capabilities,
    ) -> Self {
        Stage {
            into,
            name,
            tables,
            capabilities,
        }
    }
}

impl Destination for Stage {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn exists(&self) -> bool {
        false
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.look(load)
    }

    fn look(&self, _: &LoadInfo) -> Result<Memory> {
        Ok(Memory::new(self.tables.clone(), Vec::new()))
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let Some(into) = &self.into else {
            return Ok(());
        };
        for operation in &chunk.operations {
            match operation {
                Operation::Append(tables)
                | Operation::Merge(tables)
                | Operation::Stage { tables, .. } => {
                    into.batch(&chunk.resource, tables)?;
                }
                Operation::Delete(deleted) => {
                    into.gone(&chunk.resource, &deleted.ids);
                }
                // How a pass ends is decided by the commit.
                Operation::Publish | Operation::DeleteNotSeen(_) => {}
            }
        }
        Ok(())
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        if let Some(into) = &self.into {
            into.drift(resource, counts);
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        if let Some(into) = &self.into {
            into.state(commit.state);
        }
        Ok(())
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }
}
