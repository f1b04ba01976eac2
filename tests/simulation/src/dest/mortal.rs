//! A destination in a process that may die between any two of its steps, and that may refuse a commit.

use std::time::Duration;

use arrow_array::RecordBatch;
use etlgen_runtime::load::{
    Brought, Capabilities, Chunk, Commit, Destination, LoadInfo, LoadRow, Memory, Operation,
    TableChange,
};
use etlgen_runtime::schema::{Drifted, TableSchema};
use etlgen_runtime::state::StateChange;
use etlgen_runtime::{Error, ErrorKind, Result};

use crate::life::Life;
use crate::trace::Trace;

pub struct Mortal {
    pub inner: Box<dyn Destination>,
    pub life: Life,
    pub commit_rows: usize,
    /// The commit that fails, from 1.
    pub commit_fails: Option<u64>,
    pub commits: u64,
    pub trace: Trace,
}

impl Mortal {
    /// Takes a step of the process.
    fn step(&self, what: &str) -> Result<()> {
        match self.life.step() {
            true => Ok(()),
            false => {
                self.trace.add(format_args!("the process dies {what}"));
                Err(self.dead())
            }
        }
    }

    fn alive(&self) -> Result<()> {
        match self.life.is_over() {
            true => Err(self.dead()),
            false => Ok(()),
        }
    }

    fn dead(&self) -> Error {
        Error::new(ErrorKind::Destination, "the process is dead")
    }
}

/// Returns an operation for the trace: what it does, and the rows of each table.
fn told(operation: &Operation) -> String {
    let rows: Vec<_> = (operation.tables().iter())
        .map(|table| (table.schema.name.as_str(), table.rows.num_rows()))
        .collect();
    match operation {
        Operation::Append(_) => format!("append {rows:?}"),
        Operation::Merge(_) => format!("merge {rows:?}"),
        Operation::Stage { first, .. } => format!("stage {rows:?} first {first}"),
        other => format!("{other:?}"),
    }
}

impl Destination for Mortal {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn exists(&self) -> bool {
        self.inner.exists()
    }

    fn capabilities(&self) -> Capabilities {
        let can = self.inner.capabilities();
        can.checkpoints(self.commit_rows, Duration::from_secs(20))
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.alive()?;
        self.inner.open(load)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        self.inner.look(load)
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        self.inner.is_taken(table)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.alive()?;
        for operation in &chunk.operations {
            self.trace.add(format_args!("{}", told(operation)));
        }
        self.inner.write(chunk)
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.alive()?;
        self.inner.drift(resource, counts)
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        let (state, status) = (commit.state, commit.status);
        self.step("before a commit")?;
        self.commits += 1;
        if self.commit_fails == Some(self.commits) {
            self.trace.add(format_args!("a commit is refused"));
            return Err(Error::new(ErrorKind::Destination, "the disk is full"));
        }
        self.trace
            .add(format_args!("commit {} {state:?}", status.name()));
        self.inner.commit(commit)?;
        self.step("after a commit")
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.inner.row_counts()
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.inner.scan(table, columns, each)
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.inner.brought(rows, each)
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.alive()?;
        self.inner.migrate(changes, state)
    }

    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        self.inner.loads()
    }
}
