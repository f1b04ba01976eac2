//! A DuckDB file, a database of MotherDuck, or a DuckLake.
//!
//! DuckDB is not part of the connector: a library of it is found when the destination is opened, and is spoken to by ADBC.
//! Everything since the last commit is one transaction: rows, tables, columns, drift and state. One process may open a file
//! at a time.

mod address;
mod client;
mod ducklake;
mod errors;
mod library;
mod python;
mod values;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use address::{Address, DUCKLAKE};
use arrow_array::RecordBatch;
use client::{Access, Client};

use super::place::Place;
use super::sql::{self, Session, Store};
use super::{
    Brought, Capabilities, Chunk, Commit, Destination, DestinationUrl, LoadInfo, LoadRow, Memory,
    RolledBack, TableChange,
};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Drifted, TableSchema};
use crate::state::StateChange;

/// A DuckDB file, a database of MotherDuck, or a DuckLake.
pub struct DuckDb {
    url: DestinationUrl,
    open: Option<Open>,
}

/// An opened database.
struct Open {
    store: Store<Client>,
    /// The file; none for a database of MotherDuck. Declared after the session, so that the lock is released last.
    place: Option<Place>,
}

impl DuckDb {
    /// Creates a destination for the URL after `duckdb:`, as in `FILE` or `md:NAME`; opening it creates the file.
    pub fn new(rest: impl AsRef<str>) -> Self {
        DuckDb {
            url: DestinationUrl::parse(&format!("duckdb:{}", rest.as_ref())),
            open: None,
        }
    }

    /// Creates a destination for the URL after `ducklake:`, as in `FILE` or `postgres://USER@HOST/DATABASE`; opening it
    /// creates the catalogue.
    pub fn lake(rest: impl AsRef<str>) -> Self {
        DuckDb {
            url: DestinationUrl::parse(&format!("{DUCKLAKE}:{}", rest.as_ref())),
            open: None,
        }
    }

    fn address(&self) -> Result<Address> {
        Address::parse(&self.url)
    }

    /// Names the destination in an error, and shows none of its secrets.
    fn placed<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            let error = error.at(self.describe());
            error.map_message(|text| address::redact_environment(&self.url.redact(text)))
        })
    }

    fn with<T>(&mut self, run: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
        let done = match &mut self.open {
            Some(open) => run(open),
            None => Err(Error::new(
                ErrorKind::Destination,
                "the database has not been opened",
            )),
        };
        self.placed(done)
    }

    fn opened(&self, load: &LoadInfo) -> Result<(Open, Memory)> {
        let address = self.address()?;
        let mut place = match address.file() {
            Some(path) => Some(Place::take(path, address.product())?),
            None => None,
        };
        let mut client = match &mut place {
            Some(place) => open_file(&address, place)?,
            None => Client::connect(&address, None, Access::Write)?,
        };
        client.script("BEGIN")?;
        sql::prepare(&mut client)?;
        client.script("COMMIT")?;
        let (store, memory) = Store::open(client, load)?;
        Ok((Open { store, place }, memory))
    }

    /// Reads the database without a lock.
    fn reader(&self) -> Result<Client> {
        Client::connect(&self.address()?, None, Access::Read)
    }
}

/// Opens a file, and creates its database if it is empty: under another name first, so that it is never half a database.
fn open_file(address: &Address, place: &mut Place) -> Result<Client> {
    if place.is_empty()? {
        let new = place.beside(".new");
        let log = place.beside(".new.wal");
        for left in [&new, &log] {
            let _ = std::fs::remove_file(left);
        }
        Client::create(address, &new, &place.real)?;
        place.put(&new)?;
    }
    Client::connect(address, Some(&place.real), Access::Write)
}

impl Destination for DuckDb {
    fn describe(&self) -> String {
        self.url.to_string()
    }

    fn exists(&self) -> bool {
        // What prevents the connection is the error of `open`.
        let Ok(address) = self.address() else {
            return true;
        };
        match address.file() {
            // A run that was killed at once has left an empty file.
            Some(path) => has_bytes(path),
            None => self.reader().map_or_else(
                |error| !address.is_missing(&error),
                |mut client| sql::exists(&mut client).unwrap_or(true),
            ),
        }
    }

    fn capabilities(&self) -> Capabilities {
        // DuckDB has no limits of its own; these keep names readable, and the memory for a row bounded.
        Capabilities::new(client::NAME_BYTES)
            .columns(2000)
            .checkpoints(20_000, Duration::from_secs(10))
            .migrates(true)
            .rolls_back(true)
            .skips_unchanged(true)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.open = None;
        let (open, memory) = self.placed(self.opened(load))?;
        self.open = Some(open);
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        if !self.exists() {
            return Ok(Memory::default());
        }
        let looked = self.reader();
        self.placed(looked.and_then(|mut client| sql::look(&mut client, &load.source)))
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        self.with(|open| open.store.is_taken(table))
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.with(|open| open.store.write(&chunk))
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.with(|open| open.store.drift(resource, counts))
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.with(|open| {
            open.check()?;
            open.store.commit(commit)
        })
    }

    fn committed(&mut self) -> Result<u64> {
        if self.open.is_none() {
            return Ok(0);
        }
        self.with(|open| {
            // The old session has ended when the new one begins: its commit is then there, or never will be.
            open.store.session.reconnect()?;
            open.store.committed()
        })
    }

    fn unchanged(&self) -> BTreeMap<String, u64> {
        let open = self.open.as_ref();
        open.map(|open| open.store.unchanged_records())
            .unwrap_or_default()
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.with(|open| {
            let source = open.store.source().to_owned();
            if !open.store.in_transaction() {
                return sql::row_counts(&mut open.store.session, &source);
            }
            // The session itself sees uncommitted rows.
            let mut other = open.store.session.again()?;
            sql::row_counts(&mut other, &source)
        })
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.with(|open| open.store.scan(table, columns, each))
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.with(|open| open.store.brought(rows, each).map(|()| true))
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.with(|open| {
            open.check()?;
            open.store.migrate(changes, state)
        })
    }

    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        self.with(|open| open.store.loads())
    }

    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        self.with(|open| {
            open.check()?;
            open.store.rollback(loads)
        })
    }
}

impl Open {
    /// Refuses a file that was removed or replaced since the load began.
    fn check(&self) -> Result<()> {
        self.place.as_ref().map_or(Ok(()), Place::check)
    }
}

fn has_bytes(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => metadata.len() > 0,
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests;
