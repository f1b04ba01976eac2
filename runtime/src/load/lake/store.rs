//! What a place of files can do: a local folder, a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use arrow_array::RecordBatch;

use super::batch::{DataFile, Retired};
use super::manifest::Manifest;
use crate::error::Result;

/// Takes the rows of a file, batch by batch.
pub type Each<'a> = &'a mut dyn FnMut(&RecordBatch) -> Result<()>;

/// A place of data files.
pub trait Store: Send + Sync {
    /// Returns its name for people, without secrets: `parquet:data`.
    fn describe(&self) -> String;

    /// Returns the full name of a file for people.
    fn path(&self, file: DataFile<'_>) -> String;

    /// Returns whether something was committed to it.
    fn exists(&self) -> bool;

    /// Reads the last commit without the lock.
    fn look(&self) -> Result<Manifest>;

    /// Locks it against a second run: two runs would each continue from the same state.
    fn lock(&self) -> Result<Box<dyn Catalog>>;

    /// Returns whether anything with that table's name exists.
    fn has(&self, table: &str) -> Result<bool>;

    /// Creates a staged file. Until the manifest lists the table, staged files mark the table as owned.
    fn create(&self, table: &str, name: &str) -> Result<Box<dyn Output>>;

    /// Reads a file, with only the named columns if any are named.
    fn read(&self, file: DataFile<'_>, columns: &[&str], each: Each<'_>) -> Result<()>;

    /// Gives a staged file its place in the folder of its table.
    fn place(&self, table: &str, name: &str) -> Result<()>;

    /// Makes sure that files that were placed in these tables, or staged, are there, and survive a power failure.
    fn sync(&self, tables: &BTreeSet<String>) -> Result<()>;

    /// Removes files that are no longer needed. The next run removes those that cannot be removed now.
    fn remove(&self, files: Vec<Retired>);

    /// Marks a table as owned, so that a repair removes its files although the manifest does not list it.
    fn leave(&self, table: &str) -> Result<()>;

    /// Removes what is left of a table that was left, except other files.
    fn forget(&self, table: &str);

    /// Lists the files of these tables, and of all tables with staged files.
    fn list(&self, tables: &BTreeSet<String>) -> Result<Listing>;

    /// Stages a file again that was placed and not committed.
    fn restage(&self, table: &str, name: &str) -> Result<()>;

    /// Removes a file that no commit names.
    fn sweep(&self, file: &Retired) -> Result<()>;

    /// Removes the staged files of a table that was never committed, and what is left of the table.
    fn disown(&self, table: &str) -> Result<()>;
}

/// The names of files, by table.
#[derive(Default)]
pub struct Listing {
    pub placed: BTreeMap<String, BTreeSet<String>>,
    pub staged: BTreeMap<String, BTreeSet<String>>,
}

/// A file that is written.
pub trait Output: Write + Send {
    /// Ends the file: from now on it can be read. An error may come only with the next [`Store::sync`].
    fn finish(&mut self) -> Result<()>;

    /// Returns the bytes that wait in memory and that only the end of the file writes.
    fn waiting(&self) -> usize {
        0
    }
}

/// The manifest of a place that is locked for one run.
pub trait Catalog: Send {
    /// Reads the last commit; returns an empty manifest if there is none.
    fn read(&mut self) -> Result<Manifest>;

    /// Refuses a place that was removed, or into which another run has loaded.
    fn check(&self) -> Result<()>;

    /// Makes every commit of an earlier run fail, before its files are removed.
    fn exclude(&mut self, committed: &Manifest) -> Result<()>;

    /// Replaces the manifest, which is the commit, unless another run has loaded.
    fn commit(&mut self, manifest: &Manifest) -> Result<()>;

    /// Returns whether the commit that failed last is there.
    fn is_there(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Returns digits for the names of files, where two runs may write at a time.
    fn digits(&self) -> Option<&str> {
        None
    }
}
