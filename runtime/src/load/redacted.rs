//! A destination whose URL holds a secret: none of its texts shows it.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::{
    Brought, Capabilities, Chunk, Commit, Destination, DestinationUrl, LoadInfo, LoadRow,
    RolledBack, TableChange,
};
use crate::error::{Error, Result};
use crate::schema::{Drifted, TableSchema};
use crate::state::{Memory, StateChange};

/// A destination, with `***` in place of the secrets of its URL in its name and its errors.
pub(super) struct Redacted {
    url: DestinationUrl,
    inner: Box<dyn Destination>,
}

impl Redacted {
    /// Wraps the destination that this URL names.
    pub fn new(url: DestinationUrl, inner: Box<dyn Destination>) -> Self {
        Redacted { url, inner }
    }

    /// Calls the destination, and redacts the error.
    fn with<T>(&mut self, run: impl FnOnce(&mut dyn Destination) -> Result<T>) -> Result<T> {
        run(&mut *self.inner).map_err(|error| error.map_message(|text| self.url.redact(text)))
    }
}

impl Destination for Redacted {
    fn describe(&self) -> String {
        self.url.redact(&self.inner.describe())
    }

    fn exists(&self) -> bool {
        self.inner.exists()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn prints(&self) -> bool {
        self.inner.prints()
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.with(|inner| inner.open(load))
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        let looked = self.inner.look(load);
        looked.map_err(|error| error.map_message(|text| self.url.redact(text)))
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        self.with(|inner| inner.is_taken(table))
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.with(|inner| inner.write(chunk))
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.with(|inner| inner.drift(resource, counts))
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.with(|inner| inner.commit(commit))
    }

    fn committed(&mut self) -> Result<u64> {
        self.with(|inner| inner.committed())
    }

    fn unchanged(&self) -> BTreeMap<String, u64> {
        self.inner.unchanged()
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.with(|inner| inner.row_counts())
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.with(|inner| inner.scan(table, columns, each))
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.with(|inner| inner.brought(rows, each))
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.with(|inner| inner.migrate(changes, state))
    }

    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        self.with(|inner| inner.loads())
    }

    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        self.with(|inner| inner.rollback(loads))
    }

    fn cannot(&self, what: &str) -> Error {
        let error = self.inner.cannot(what);
        error.map_message(|text| self.url.redact(text))
    }
}
