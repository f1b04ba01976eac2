//! Destinations that pass rows on and keep none: the rows of a run go out, its state goes out at
//! each commit and comes in at the start of the next run.

#[cfg(feature = "emit")]
mod arrow;
#[cfg(feature = "emit")]
mod control;
#[cfg(feature = "emit")]
mod lines;
mod states;
#[cfg(feature = "emit")]
mod stdout;

pub(crate) use self::states::States;
#[cfg(feature = "emit")]
pub(super) use self::stdout::Stdout;
use super::{Capabilities, Chunk, Commit, Destination, LoadInfo, Memory, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Drifted, TableBatch};

/// Takes the rows and the state of a run. It is called from one thread: `begin` first, then `take`
/// and `commit` any number of times.
pub(crate) trait Emit: Send {
    /// Returns its name for people, without secrets.
    fn describe(&self) -> String;

    /// Returns whether an earlier run has left a state.
    fn exists(&self) -> bool {
        false
    }

    /// Returns what it can express. An operation that it cannot is refused before the first request.
    fn capabilities(&self) -> Capabilities;

    /// Returns whether it writes to standard output.
    fn prints(&self) -> bool {
        false
    }

    /// Takes the lock that excludes a second run, if it has one, and returns what earlier runs have
    /// left.
    fn begin(&mut self, load: &LoadInfo) -> Result<Memory>;

    /// Returns the same without a lock.
    fn look(&self, load: &LoadInfo) -> Result<Memory>;

    /// Takes an operation on a resource.
    fn take(&mut self, resource: &str, operation: &Operation) -> Result<()>;

    /// Takes the state that belongs to everything taken before. It must not be seen earlier than
    /// those rows.
    fn commit(&mut self, memory: &Memory, commit: &Commit<'_>) -> Result<()>;

    /// Returns the rows that were taken of each table, by all runs.
    fn row_counts(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

/// The destination that hands everything to an [`Emit`].
pub(crate) struct Emitter<E> {
    to: E,
    /// What the next run starts from; `None` before the destination is opened.
    memory: Option<Memory>,
}

impl<E: Emit> Emitter<E> {
    pub fn new(to: E) -> Self {
        Emitter { to, memory: None }
    }
}

impl<E: Emit> Destination for Emitter<E> {
    fn describe(&self) -> String {
        self.to.describe()
    }

    fn exists(&self) -> bool {
        self.to.exists()
    }

    fn capabilities(&self) -> Capabilities {
        self.to.capabilities()
    }

    fn prints(&self) -> bool {
        self.to.prints()
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        let memory = self.to.begin(load)?;
        let last_load = Some(load.after(&memory).id);
        self.memory = Some(Memory {
            last_load,
            ..memory.clone()
        });
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        self.to.look(load)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let memory = opened(&mut self.memory)?;
        for operation in &chunk.operations {
            let tables = operation.tables();
            tables.iter().for_each(|table| learn(memory, table));
            self.to.take(&chunk.resource, operation)?;
        }
        Ok(())
    }

    fn drift(&mut self, _: &str, _: &[(Drifted, u64)]) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        let memory = opened(&mut self.memory)?;
        memory.apply(commit.state);
        self.to.commit(memory, commit)
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        Ok(self.to.row_counts())
    }
}

/// Returns the destination `emit:REST` that writes to `out` instead of standard output: `jsonl`,
/// `arrow`, either with `?state=FILE`.
///
/// ```
/// use etlgen_runtime::load::{Destination, emit_to};
///
/// let file = tempfile::tempfile()?;
/// let into = emit_to("jsonl?state=shop.json", file);
/// assert_eq!(into.describe(), "emit:jsonl?state=shop.json");
/// # Ok::<(), std::io::Error>(())
/// ```
#[cfg(feature = "emit")]
pub fn emit_to(rest: &str, out: impl std::io::Write + Send + 'static) -> Box<dyn Destination> {
    Box::new(Emitter::new(Stdout::new(rest).to(Box::new(out))))
}

fn opened(memory: &mut Option<Memory>) -> Result<&mut Memory> {
    memory.as_mut().ok_or_else(|| {
        let message = "the destination has not been opened";
        Error::new(ErrorKind::Destination, message)
    })
}

/// Adds a table to what is remembered, or the columns that it did not have.
fn learn(memory: &mut Memory, table: &TableBatch) {
    let schema = &*table.schema;
    match memory
        .tables
        .iter_mut()
        .find(|known| known.name == schema.name)
    {
        None => memory.tables.push(schema.clone()),
        Some(known) => known.columns.extend(known.lacks(schema)),
    }
}
