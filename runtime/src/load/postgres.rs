//! A schema of a Postgres database.
//!
//! Everything since the last commit is one transaction: rows, tables, columns, drift and state. A lock excludes a second
//! run of the same source; other sources may load into the same schema. Texts with NUL characters are stored as
//! `docs/destinations.md` says; JSON is kept as it is, in columns of the type `json`.

mod address;
mod client;
mod copy;
mod errors;
mod passwords;
mod read;
mod text;
mod tls;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use address::Address;
use arrow_array::RecordBatch;
use client::{Client, NAME_BYTES};

use super::sql::{self, Session, Store};
use super::{
    Brought, Capabilities, Chunk, Commit, Destination, DestinationUrl, LoadInfo, LoadRow, Memory,
    RolledBack, TableChange,
};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Drifted, TableSchema};
use crate::state::StateChange;

/// How long the lock is waited for when a load begins: a server notices only after a while that the last run was killed.
const LOCK_WAIT: Duration = Duration::from_secs(3);
/// How long the server is waited for after the answer to a commit was lost.
const RETURN_WAIT: Duration = Duration::from_secs(20);

/// A schema of a Postgres database.
pub struct Postgres {
    url: DestinationUrl,
    open: Option<Store<Client>>,
}

impl Postgres {
    /// Creates a destination for the URL after `postgres:`, as in `//USER@HOST:PORT/DATABASE?schema=NAME`; opening it creates
    /// the schema.
    pub fn new(rest: impl AsRef<str>) -> Self {
        Postgres {
            url: DestinationUrl::parse(&format!("postgres:{}", rest.as_ref())),
            open: None,
        }
    }

    fn connect(&self) -> Result<Client> {
        self.placed(Address::parse(self.url.rest()).and_then(|address| Client::connect(&address)))
    }

    /// Names the destination in an error, and shows none of its secrets.
    fn placed<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            let error = error.at(self.describe());
            error.map_message(|text| self.url.redact(text))
        })
    }

    fn with<T>(&mut self, run: impl FnOnce(&mut Store<Client>) -> Result<T>) -> Result<T> {
        let done = match &mut self.open {
            Some(store) => run(store),
            None => Err(Error::new(
                ErrorKind::Destination,
                "the database has not been opened",
            )),
        };
        self.placed(done)
    }

    /// Connects again after the connection was lost; the server may be restarting.
    fn connect_again(&self) -> Result<Client> {
        let until = Instant::now() + RETURN_WAIT;
        loop {
            match self.connect() {
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(500)),
                done => return done,
            }
        }
    }

    fn lock(&self, client: &mut Client, source: &str, wait: Duration) -> Result<()> {
        if client.lock(source, wait)? {
            return Ok(());
        }
        let holder = client.lock_holder(source)?;
        let holder = holder.map_or(String::new(), |pid| {
            format!(" (session {pid} of the server)")
        });
        let message = format!(
            "another run is loading {source} into `{}`{holder}",
            self.url
        );
        Err(Error::new(ErrorKind::Destination, message)
            .hint("wait until it has ended, or load into another schema"))
    }

    fn opened(&self, load: &LoadInfo) -> Result<(Store<Client>, Memory)> {
        let mut client = self.connect()?;
        self.lock(&mut client, &load.source, LOCK_WAIT)?;
        client.script("BEGIN")?;
        // Two sources may begin at the same time.
        client.lock_schema()?;
        client.create_schema()?;
        sql::prepare(&mut client)?;
        client.script("COMMIT")?;
        Store::open(client, load)
    }
}

impl Destination for Postgres {
    fn describe(&self) -> String {
        self.url.to_string()
    }

    fn exists(&self) -> bool {
        // What prevents the connection is the error of `open`.
        let there = self
            .connect()
            .and_then(|mut client| sql::exists(&mut client));
        there.unwrap_or(true)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(NAME_BYTES)
            .columns(1600)
            .checkpoints(20_000, Duration::from_secs(10))
            .migrates(true)
            .rolls_back(true)
            .skips_unchanged(true)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.open = None;
        let (store, memory) = self.placed(self.opened(load))?;
        self.open = Some(store);
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        let mut client = self.connect()?;
        self.placed(sql::look(&mut client, &load.source))
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        self.with(|store| store.is_taken(table))
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.with(|store| store.write(&chunk))
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.with(|store| store.drift(resource, counts))
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.with(|store| store.commit(commit))
    }

    fn committed(&mut self) -> Result<u64> {
        let Some(mut store) = self.open.take() else {
            return Ok(0);
        };
        store.session.close();
        let mut again = self.connect_again()?;
        // The old session holds the lock until it has ended: its commit is then there, or never will be.
        self.placed(self.lock(&mut again, store.source(), RETURN_WAIT))?;
        store.session = again;
        self.open = Some(store);
        self.with(Store::committed)
    }

    fn unchanged(&self) -> BTreeMap<String, u64> {
        let open = self.open.as_ref();
        open.map(|store| store.unchanged_records())
            .unwrap_or_default()
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.with(|store| {
            let source = store.source().to_owned();
            if !store.in_transaction() {
                return sql::row_counts(&mut store.session, &source);
            }
            // The session itself sees uncommitted rows, and may have locked tables.
            let mut other = store.session.again()?;
            other.script("SET lock_timeout TO '5s'")?;
            sql::row_counts(&mut other, &source)
        })
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.with(|store| store.scan(table, columns, each))
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.with(|store| store.brought(rows, each).map(|()| true))
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.with(|store| store.migrate(changes, state))
    }

    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        self.with(Store::loads)
    }

    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        self.with(|store| store.rollback(loads))
    }
}

#[cfg(test)]
mod tests;
