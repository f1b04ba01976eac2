//! The trait that every destination implements.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

#[cfg(doc)]
use super::Operation;
use super::{Brought, Capabilities, Chunk, Commit, LoadInfo, LoadRow, RolledBack, TableChange};
use crate::error::{Error, ErrorKind, Result};
#[cfg(doc)]
use crate::schema::{ColumnRole, TableBatch};
use crate::schema::{Drifted, TableSchema};
use crate::state::{Memory, StateChange};

/// A destination: it holds the tables and the state of sources.
///
/// One thread owns it. It calls `open` first, then `write` and `commit` any number of times.
///
/// `write` takes a chunk and applies its [`Operation`]s in their order. The rows are [`TableBatch`]es of Arrow columns,
/// or, row by row, [`TableBatch::json_lines`]. [`ColumnRole`] identifies the column with the id of a row (`RowId`) and
/// the one with the id of a child row's record (`RootId`). The loader has checked that each table belongs to the
/// resource, that nobody else has created it ([`Destination::is_taken`]), that no column changes its type, and that
/// [`Destination::capabilities`] cover each operation.
///
/// `commit` makes everything written since the last commit visible, together with the state, or
/// none of it: a process that is killed at any moment leaves the last commit. Over a network the answer to a commit may
/// be lost: the loader then asks [`Destination::committed`].
///
/// `docs/customise.md` has a complete destination with tests.
pub trait Destination: Send {
    /// Returns its name for people, without secrets: `sqlite:stripe.db`.
    fn describe(&self) -> String;

    /// Returns whether an earlier load has written to it.
    fn exists(&self) -> bool;

    /// Returns what it can do.
    fn capabilities(&self) -> Capabilities;

    /// Returns whether the rows go to standard output: the command line then reports to standard error.
    fn prints(&self) -> bool {
        false
    }

    /// Repairs what a killed run has left, takes the lock that excludes a second run, and reads the memory of this
    /// source, with the highest id of its loads in [`Memory::last_load`]. The load that it commits is
    /// [`load.after(&memory)`](LoadInfo::after).
    fn open(&mut self, load: &LoadInfo) -> Result<Memory>;

    /// Reads the memory of this source without a lock; changes and creates nothing. If nothing exists, the memory is
    /// empty. `sync --plan` calls it instead of `open`.
    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        let _ = load;
        match self.exists() {
            true => Err(self.cannot("be read without being opened")),
            false => Ok(Memory::default()),
        }
    }

    /// Returns whether this name of a table that this source has not created is taken: by another source, or by a user.
    fn is_taken(&mut self, table: &str) -> Result<bool> {
        let _ = table;
        Ok(false)
    }

    /// Applies the operations of a chunk; creates missing tables and columns, and never changes or drops one.
    fn write(&mut self, chunk: Chunk) -> Result<()>;

    /// Takes counts of values that rows of a resource have and its struct does not declare; they are added to what this
    /// load has reported before. They become visible, as rows of `_etl_drift`, with the next commit.
    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()>;

    /// Makes everything written since the last commit visible, together with the state and the row of the load.
    fn commit(&mut self, commit: &Commit<'_>) -> Result<()>;

    /// Returns the number of the last commit of this load that is there, or 0. After an error of [`Destination::commit`]
    /// it connects again if necessary. A destination whose commits cannot fail after they are there need not
    /// implement it.
    fn committed(&mut self) -> Result<u64> {
        Ok(0)
    }

    /// Returns how many records of this load it did not write because they were unchanged
    /// ([`Capabilities::skips_unchanged`]), by resource.
    fn unchanged(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// Returns the committed tables of this source, and how many rows each holds.
    fn row_counts(&mut self) -> Result<Vec<(String, u64)>>;

    /// Passes the named columns of the committed rows of a table, in that order, batch by batch.
    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let _ = (table, columns, each);
        Err(self.cannot("migrate tables"))
    }

    /// Passes the rows that an unfinished pass has brought to a table, each as the texts of the named columns, and
    /// returns true. A run that resumes the pass compares their ids with those of the rows that follow: one key may be
    /// that of two records. Returns false if the destination cannot do that; such a run is *unproved*.
    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        let _ = (rows, each);
        Ok(false)
    }

    /// Changes tables and the state in one commit, before anything is written. Drops staged rows of the resources;
    /// earlier loads can no longer be rolled back.
    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        let _ = (changes, state);
        Err(self.cannot("migrate tables"))
    }

    /// Returns the loads of this source, the oldest first.
    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        Ok(Vec::new())
    }

    /// Removes the rows that these loads wrote and restores the state from before them, in one
    /// commit. The loads are the last ones of the source. Resources of which a load has replaced
    /// all rows stay unchanged.
    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        let _ = loads;
        Err(self.cannot("roll back loads"))
    }

    /// Returns the error of a destination that cannot do `what` ("roll back loads").
    fn cannot(&self, what: &str) -> Error {
        let message = format!("{} cannot {what}", self.describe());
        Error::new(ErrorKind::Destination, message)
    }
}
