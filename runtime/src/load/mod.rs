//! Where rows go. A destination takes chunks of batches and commits them together with the state.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;

pub use migrate::{NewValues, TableChange};

use crate::error::{Error, ErrorKind, Result};
#[cfg(doc)]
use crate::schema::ColumnRole;
use crate::schema::{Disposition, Drifted, Layout, TableBatch, TableSchema};
use crate::state::StateChange;

mod destinations;
mod migrate;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(any(
    feature = "promises",
    all(test, any(feature = "sqlite", feature = "parquet"))
))]
pub mod promises;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use crate::state::Memory;
pub use destinations::Destinations;

/// Rows of one resource on their way; all of them become visible in one commit.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The resource.
    pub resource: Arc<str>,
    /// How its rows meet those that are there.
    pub disposition: Disposition,
    /// Root table first, then children, parents before children. A table of the resource without new rows may be
    /// here with an empty batch: it and its columns must exist after the commit.
    pub tables: Vec<TableBatch>,
    /// `Replace` only: a new pass begins here; what an earlier unfinished pass had staged is dropped. Within a pass
    /// rows meet as in `Merge`: one that comes again takes the place of the one that was staged.
    pub begins_pass: bool,
    /// `Replace` only: the pass ends here; what was staged takes the place of the table's rows in this commit.
    pub ends_pass: bool,
    /// `Merge` only: all records that there are have come, this chunk's being the last.
    pub vanished: Option<Vanished>,
    /// Records that are gone, whatever load brought them; said after the rows of the chunk.
    pub gone: Option<Gone>,
}

/// Records of which the API has said that they are gone.
#[derive(Clone, Debug)]
pub struct Gone {
    /// The ids of their rows ([`ColumnRole::RowId`]); some may not be there.
    pub ids: Vec<String>,
    /// As [`Vanished::mark`].
    pub mark: Option<i64>,
}

/// What becomes of the records that a whole reading did not bring.
#[derive(Clone, Debug)]
pub struct Vanished {
    /// They are those that an older load brought.
    pub before: String,
    /// Their rows get that time, in microseconds since 1970, as [`ColumnRole::DeletedAt`] unless they have one; `None`:
    /// they are removed, with their child rows.
    pub mark: Option<i64>,
}

/// A load, as `_etl_loads` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadRow {
    /// Its id.
    pub id: String,
    /// Its status.
    pub status: String,
    /// Root rows that it wrote.
    pub rows: u64,
    /// Whether it is still known what it changed.
    pub undoable: bool,
}

/// What a rollback did to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// The resource.
    pub resource: String,
    /// Records that were removed; `None`: the load had replaced all rows, and the resource was left as it is.
    pub removed: Option<u64>,
    /// Records that were there before the load and are gone now: it had put newer ones in their place, or removed them.
    pub lost: u64,
}

/// So many of the last loads of a source can be rolled back.
pub const UNDOABLE_LOADS: usize = 10;
/// The status of a load that was rolled back.
pub(crate) const ROLLED_BACK: &str = "rolled back";

/// One run into one destination; its id is in `_etl_load_id` and in `_etl_loads`.
#[derive(Clone, Debug)]
pub struct LoadInfo {
    /// Grows from run to run: seconds since 1970 with six decimals, as text (`1795369642.355108`).
    pub id: String,
    /// The name of the source.
    pub source: String,
    /// The layout of what it writes; `None`: it only looks.
    pub layout: Option<Layout>,
}

impl LoadInfo {
    /// Whether its tables can stand beside those that are there.
    #[cfg(any(feature = "sqlite", feature = "parquet"))]
    fn check_layout(&self, memory: &Memory) -> Result<()> {
        match (Layout::of(&memory.tables), self.layout) {
            (Some(there), Some(wanted)) if there != wanted => {
                let (there, wanted) = (there.name(), wanted.name());
                let message = format!(
                    "the tables of {} have the layout `{there}`, and this run would write `{wanted}`",
                    self.source
                );
                Err(Error::new(ErrorKind::Destination, message).hint(format!(
                    "run with `--layout {there}`, or load into another destination"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// The state of a load in `_etl_loads`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadStatus {
    /// Some of its rows are committed and more may come; also what a killed run leaves behind.
    Running,
    /// Everything it set out to load is committed.
    Complete,
    /// It ended early, or some resource failed; what is committed is whole.
    Partial,
}

impl LoadStatus {
    /// Its name in `_etl_loads`.
    pub fn name(self) -> &'static str {
        match self {
            LoadStatus::Running => "running",
            LoadStatus::Complete => "complete",
            LoadStatus::Partial => "partial",
        }
    }
}

/// How often a destination wants to commit.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointPolicy {
    /// Commit after that many root rows.
    pub rows: usize,
    /// Commit after that much time with uncommitted rows.
    pub interval: Duration,
}

/// What a destination can hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest table or column name, in bytes.
    pub identifier_length: usize,
}

/// A place that holds tables. One thread owns it; calls come in the order `open`, then any number of
/// `write`s and `commit`s.
///
/// `write` puts the rows of a chunk, which are [`TableBatch`]es of Arrow columns or, row by row, [`TableBatch::json_lines`],
/// beside those that are there as its [`Disposition`] says; [`ColumnRole`] tells which column names a row
/// (`RowId`) and which the record that a child row belongs to (`RootId`).
///
/// What was written since the last commit becomes visible at `commit`, all of it, together with the state, or not
/// at all: a process killed at any moment leaves the last commit.
pub trait Destination: Send {
    /// How a person names it: `sqlite:stripe.db`.
    fn describe(&self) -> String;

    /// Whether something has been loaded there before.
    fn exists(&self) -> bool;

    /// What it can hold.
    fn limits(&self) -> Limits;

    /// How often it wants to commit.
    fn checkpoint_policy(&self) -> CheckpointPolicy;

    /// Repairs what a killed run may have left, takes the lock that keeps a second run out, and reads what is
    /// remembered of this source.
    fn open(&mut self, load: &LoadInfo) -> Result<Memory>;

    /// Takes the rows of a chunk; tables and columns that are missing are made (never changed, never dropped).
    fn write(&mut self, chunk: &Chunk) -> Result<()>;

    /// Takes what rows of a resource brought that its struct does not say; it adds to what this load has met before. It
    /// becomes visible, as rows of `_etl_drift`, with what was written.
    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()>;

    /// Makes everything written since the last commit visible, together with the state and the load's row.
    fn commit(&mut self, state: &[StateChange], status: LoadStatus) -> Result<()>;

    /// The tables of this source and how many rows each holds, as committed.
    fn row_counts(&mut self) -> Result<Vec<(String, u64)>>;

    /// Whether it has [`Destination::scan`] and [`Destination::migrate`]. Where it has not, tables stay as they are made,
    /// and what wants them changed is refused.
    fn migrates(&self) -> bool {
        false
    }

    /// Hands over the named columns of a table's rows as last committed, in their order, one batch after the other.
    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let _ = (table, columns, each);
        Err(self.cannot("migrate tables"))
    }

    /// Changes tables, and the state with them, in one commit, before anything was written. Staged rows of the resources
    /// go; loads before can no longer be rolled back.
    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        let _ = (changes, state);
        Err(self.cannot("migrate tables"))
    }

    /// The loads of this source, the oldest first.
    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        Ok(Vec::new())
    }

    /// Removes what those loads brought, which are the last ones of the source, and puts the state back to what it was
    /// before them, in one commit. Resources of which a load replaced all rows stay as they are.
    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        let _ = loads;
        Err(self.cannot("roll back loads"))
    }

    /// The error of a destination that cannot do that.
    fn cannot(&self, what: &str) -> Error {
        let message = format!("{} cannot {what}", self.describe());
        Error::new(ErrorKind::Destination, message)
    }
}

/// Opens the destination that `url` names: `sqlite:FILE`, `parquet:FOLDER`.
pub fn destination(url: &str) -> Result<Box<dyn Destination>> {
    Destinations::default().open(url)
}
