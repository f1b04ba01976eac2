//! One SQLite file: the embedded destination.
//!
//! Everything since the last commit is one transaction. The journal is a WAL with `synchronous = NORMAL`: a killed
//! process loses nothing. After a power failure the last commits may be lost, but data and state together, so that the
//! next run reads those pages again.

mod look;
mod meta;
mod migrate;
mod names;
mod rows;
mod scan;
mod seen;
mod tables;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::RecordBatch;
use rusqlite::Connection;

use super::place::Place;
use super::{
    Brought, Capabilities, Chunk, Commit, Destination, LoadInfo, LoadRow, Memory, RolledBack,
    TableChange,
};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Drifted, TableSchema};
use crate::state::{StateChange, format};

/// One SQLite file.
pub struct Sqlite {
    path: PathBuf,
    open: Option<Open>,
}

/// An opened file.
struct Open {
    db: Connection,
    load: LoadInfo,
    /// The schemas of the tables, including uncommitted changes.
    tables: BTreeMap<String, TableSchema>,
    /// The tables that this load has created.
    created: BTreeSet<String>,
    in_transaction: bool,
    /// The unchanged records of this load, by resource.
    unchanged: BTreeMap<String, u64>,
    /// Root rows written in this load.
    rows: u64,
    /// The changes since the last commit, by resource.
    changes: BTreeMap<String, undo::Change>,
    /// The other loads that were committed when this one began.
    others: meta::Others,
    /// Declared after the connection, so that the lock is released last.
    place: Place,
}

impl Sqlite {
    /// Creates a destination for the file at `path`; opening it creates the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Sqlite {
            path: path.into(),
            open: None,
        }
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Destination, "the file has not been opened"))
    }

    fn explain(&self, error: rusqlite::Error) -> Error {
        explain(&self.path, error)
    }
}

impl Destination for Sqlite {
    fn describe(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    fn exists(&self) -> bool {
        self.path.exists()
    }

    fn capabilities(&self) -> Capabilities {
        // SQLite has no limit of its own for names; this keeps them readable and portable.
        Capabilities::new(255)
            .columns(2000)
            .checkpoints(20_000, Duration::from_secs(10))
            .migrates(true)
            .rolls_back(true)
            .skips_unchanged(true)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        let place = Place::take(&self.path, "SQLite")?;
        let connect = || -> rusqlite::Result<(Connection, Option<u32>)> {
            let db = Connection::open(&place.real)?;
            db.busy_timeout(Duration::from_secs(5))?;
            let format = meta::format(&db)?;
            Ok((db, format))
        };
        let (db, format) = connect().map_err(|error| self.explain(error))?;
        format::check("the database", format.unwrap_or(format::FORMAT).into())
            .map_err(|error| error.at(self.path.display().to_string()))?;
        let prepare = |db: &Connection| -> rusqlite::Result<(Memory, meta::Others)> {
            // Large pages make fewer, larger writes. An existing file keeps its page size.
            db.pragma_update(None, "page_size", 16_384)?;
            db.pragma_update(None, "journal_mode", "wal")?;
            db.pragma_update(None, "synchronous", "normal")?;
            db.pragma_update(None, "cache_size", -32_000)?;
            meta::create(db)?;
            // This is read before the memory: a commit in between is noticed at the first commit.
            let others = meta::others(db, load)?;
            Ok((meta::read(db, &load.source)?, others))
        };
        let (memory, others) = prepare(&db).map_err(|error| self.explain(error))?;
        let tables = memory
            .tables
            .iter()
            .map(|table| (table.name.clone(), table.clone()))
            .collect();
        self.open = Some(Open {
            db,
            load: load.after(&memory),
            tables,
            created: BTreeSet::new(),
            in_transaction: false,
            unchanged: BTreeMap::new(),
            rows: 0,
            changes: BTreeMap::new(),
            others,
            place,
        });
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        if !self.exists() {
            return Ok(Memory::default());
        }
        let look = || meta::look(&look::open(&self.path)?, &load.source);
        look().map_err(|error| self.explain(error))
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        Ok(self.opened()?.is_taken(table))
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.write(&chunk).map_err(|error| explain(&path, error))
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.drift(resource, counts)
            .map_err(|error| explain(&path, error))
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.commit(&path, commit)
    }

    fn unchanged(&self) -> BTreeMap<String, u64> {
        let open = self.open.as_ref();
        open.map(|open| open.unchanged.clone()).unwrap_or_default()
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.row_counts(&path)
            .map_err(|error| explain(&path, error))
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        let named = |name: &&str| table.columns.iter().find(|column| column.name == **name);
        let columns: Vec<_> = columns.iter().filter_map(named).cloned().collect();
        let mut scan = scan::Scan::new(&table.name, &table.columns, &columns)
            .map_err(|error| explain(&path, error))?;
        while let Some((_, rows)) = scan.next(&open.db).map_err(|error| explain(&path, error))? {
            each(&rows)?;
        }
        Ok(())
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        let path = self.path.clone();
        let open = self.opened()?;
        // An error of `each` is not one of the database.
        let mut failed = Ok(());
        scan::brought(&open.db, &open.load.source, rows, &mut |texts| {
            failed = each(texts);
            failed.is_ok()
        })
        .map_err(|error| explain(&path, error))?;
        failed.map(|()| true)
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.migrate(&path, changes, state)
    }

    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.loads().map_err(|error| explain(&path, error))
    }

    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        let path = self.path.clone();
        let open = self.opened()?;
        open.check_place(&path)?;
        open.rollback(loads).map_err(|error| explain(&path, error))
    }
}

/// Explains an error of SQLite, with a hint.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, ReadOnly,
    };
    let hint = match error.sqlite_error_code() {
        Some(DiskFull) => "free some space and run again: it continues from the last commit",
        Some(ReadOnly | CannotOpen) => "check that the file and its folder are writable",
        Some(DatabaseBusy | DatabaseLocked) => {
            "another program is writing to it: close it and run again"
        }
        Some(NotADatabase | DatabaseCorrupt) => {
            "it is not a complete SQLite database: name another file"
        }
        _ => "the current commit was not written; earlier commits are intact",
    };
    Error::new(ErrorKind::Destination, "the database failed")
        .caused_by(error)
        .at(path.display().to_string())
        .hint(hint)
}

#[cfg(test)]
mod tests;
