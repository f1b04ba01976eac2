//! A destination that hands rows to a function and keeps none: a queue, a webhook, a print. The
//! state of its sources is in a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::emit::{Emit, States};
use super::{Capabilities, Commit, LoadInfo, Memory, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::TableBatch;

/// Takes the rows of one table.
type Take = dyn Fn(&TableBatch) -> Result<()> + Send + Sync;

/// A destination that hands its rows to a function.
pub(super) struct AppendOnly {
    name: String,
    file: PathBuf,
    take: Arc<Take>,
    states: States,
}

impl AppendOnly {
    /// Creates a destination of that name, whose state is in `file`.
    pub fn new(name: &str, file: &str, take: Arc<Take>) -> Self {
        AppendOnly {
            name: name.to_owned(),
            file: file.into(),
            take,
            states: States::default(),
        }
    }
}

impl Emit for AppendOnly {
    fn describe(&self) -> String {
        format!("{}:{}", self.name, self.file.display())
    }

    fn exists(&self) -> bool {
        self.file.exists()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255)
            .checkpoints(1_000, Duration::from_secs(10))
            .replaces(false)
            .deletes(false)
    }

    fn begin(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.states = States::open(&self.file)?;
        Ok(self.states.begin(load))
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        Ok(States::read(&self.file)?.memory(load))
    }

    fn take(&mut self, _: &str, operation: &Operation) -> Result<()> {
        let (Operation::Append(tables) | Operation::Merge(tables)) = operation else {
            let place = self.describe();
            let message = format!("{place} cannot delete rows, or replace all rows of a table");
            return Err(Error::new(ErrorKind::Destination, message));
        };
        for table in tables.iter().filter(|table| table.rows.num_rows() > 0) {
            (self.take)(table)?;
            self.states.count(&table.schema.name, table.rows.num_rows());
        }
        Ok(())
    }

    fn commit(&mut self, memory: &Memory, _: &Commit<'_>) -> Result<()> {
        let states = self.states.put(memory)?;
        self.states.save(&states)
    }

    fn row_counts(&self) -> Vec<(String, u64)> {
        self.states.row_counts()
    }
}
