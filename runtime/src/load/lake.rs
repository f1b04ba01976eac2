//! Tables of Parquet files, and a manifest that names those which were committed.
//!
//! ```text
//! <table>/<load id>-<number>.parquet   data files, never changed after their creation
//! _etl_drift/…                         data of each load that the structs do not declare
//! _etl/manifest.json                   what was committed: tables, their files, state, loads
//! _etl/staging/<table>/                files of a commit in progress, and of a pass that has not ended
//! ```
//!
//! A [`Store`] is where they are: a local folder, or a bucket. The manifest is the commit: it is replaced as a whole,
//! unless another run has replaced it. Before that, files move into place; after
//! it, files that are no longer needed are removed. A run that is killed in between leaves files that the manifest does
//! not name, and the next run removes them. So the tables are exactly the files that the manifest names. A reader with
//! a glob (`<table>/*.parquet`) sees the same when no load is running and the last one was not killed. During a
//! commit, it may briefly see rows of that commit early, or both the old and the new row of a record.
//!
//! Files never change: a commit rewrites those that hold a replaced record, without that record and its child rows. So
//! a merge that touches a few old records reads and writes only their files; one that returns all records again writes
//! only what is new. The `_etl_id` columns say which file holds which record; they are read when the first rows of a
//! resource arrive, with the content hashes beside them, and take 24 bytes of memory per record, and as much again where
//! the index has just grown. A record with the hash of its row is not written. `_etl_load_id` says which load wrote a row,
//! the name of a file says which load wrote the file.
//!
//! Tables gain columns, files do not: a file from before a new column lacks it. Readers fill in nulls with an option:
//! DuckDB with `read_parquet('FOLDER/<table>/*.parquet', union_by_name = true)`, Polars with `scan_parquet(...,
//! missing_columns="insert", schema=...)` and the schema of a file that has all columns. Every table has at least one
//! such file, if necessary one without rows.

pub mod batch;
#[cfg(test)]
pub mod cells;
mod drift;
pub mod errors;
pub mod files;
pub mod manifest;
mod migrate;
pub mod names;
mod remove;
mod repair;
mod resource;
mod seen;
pub mod space;
pub mod store;
mod undo;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;

use self::batch::{Key, Retired};
use self::drift::DriftLog;
use self::files::{Context, OpenBatch, Schemas, key_column, keys};
use self::manifest::{FileEntry, LoadEntry, Manifest, SourceEntry, StateEntry, TableEntry};
use self::resource::Resource;
use self::seen::SeenLog;
use self::store::{Catalog, Store};
use self::undo::UndoLog;
use super::contents::Contents;
use super::{
    Brought, Capabilities, Chunk, Commit, Destination, LoadInfo, LoadRow, Memory, NotSeenSince,
    Operation, RolledBack, TableChange,
};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Timestamp;
use crate::schema::{Drifted, TableSchema};
use crate::state::{StateChange, StateRow};

/// At most about this many bytes of encoded rows wait in memory, over all files.
const WAITING_BYTES: usize = 24 << 20;

/// At most about this many bytes wait in memory for the end of their files; of local files, none do.
const UNFINISHED_BYTES: usize = 48 << 20;

/// Tables of Parquet files in a store.
pub struct Lake<S> {
    pub(super) store: Arc<S>,
    open: Option<Open>,
}

/// A lake that is open for a load.
struct Open {
    store: Arc<dyn Store>,
    load: LoadInfo,
    /// The first part of the names of files.
    prefix: String,
    /// The last commit.
    committed: Manifest,
    /// The number of the next file.
    next: u32,
    resources: BTreeMap<String, Resource>,
    state: BTreeMap<(String, String), String>,
    /// Files to remove after the next commit.
    retired: Vec<Retired>,
    /// Root rows written in this load.
    rows: u64,
    drift: DriftLog,
    seen: SeenLog,
    undo: UndoLog,
    /// Resources that rows have arrived for.
    touched: BTreeSet<String>,
    /// Tables whose folders have new files since the last commit.
    filled: BTreeSet<String>,
    /// The number of the last commit of this load, and of the last one that was tried.
    numbers: (u64, u64),
    catalog: Box<dyn Catalog>,
}

impl<S: Store + 'static> Lake<S> {
    /// Creates a destination for the store.
    pub(super) fn of(store: S) -> Self {
        Lake {
            store: Arc::new(store),
            open: None,
        }
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open.as_mut().ok_or_else(|| {
            Error::new(
                ErrorKind::Destination,
                "the destination has not been opened",
            )
        })
    }
}

impl<S: Store + 'static> Destination for Lake<S> {
    fn describe(&self) -> String {
        self.store.describe()
    }

    fn exists(&self) -> bool {
        self.store.exists()
    }

    fn capabilities(&self) -> Capabilities {
        // The name of a table is also the name of a folder. Each commit creates files; many small files are slow to
        // read.
        Capabilities::new(200)
            .checkpoints(200_000, Duration::from_secs(60))
            .migrates(true)
            .rolls_back(true)
            .skips_unchanged(true)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        // The lock of a load that was open is free before it is taken.
        self.open = None;
        let mut catalog = self.store.lock()?;
        let committed = catalog.read()?;
        let source = committed.sources.get(&load.source);
        let memory = source.map(SourceEntry::memory).unwrap_or_default();
        repair::repair(&*self.store, &mut *catalog, &committed)?;
        let state = memory.state.iter().cloned();
        let load = load.after(&memory);
        let mut open = Open {
            store: self.store.clone(),
            prefix: names::prefix(&load.id, catalog.digits()),
            load,
            next: committed.next,
            resources: source.map(resource::all).unwrap_or_default(),
            state: state
                .map(|row| ((row.resource, row.slice), row.value))
                .collect(),
            retired: Vec::new(),
            rows: 0,
            drift: DriftLog::default(),
            seen: SeenLog::new(source.map_or_else(Vec::new, |source| source.seen.clone())),
            undo: UndoLog::default(),
            touched: BTreeSet::new(),
            filled: BTreeSet::new(),
            committed,
            numbers: (0, 0),
            catalog,
        };
        open.undo.records = open.records();
        self.open = Some(open);
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        let committed = self.store.look()?;
        let source = committed.sources.get(&load.source);
        Ok(source.map(SourceEntry::memory).unwrap_or_default())
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        self.opened()?.is_taken(table)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.opened()?.write(&chunk)
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.opened()?.drift.add(resource, counts);
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.opened()?.commit(commit)
    }

    fn committed(&mut self) -> Result<u64> {
        match &mut self.open {
            Some(open) => open.last_commit(),
            None => Ok(0),
        }
    }

    fn unchanged(&self) -> BTreeMap<String, u64> {
        let open = self.open.as_ref();
        open.map(|open| open.seen.unchanged.clone())
            .unwrap_or_default()
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        let open = self.opened()?;
        let source = open.committed.sources.get(&open.load.source);
        let mut tables: Vec<&TableEntry> =
            source.iter().flat_map(|source| &source.tables).collect();
        tables.sort_by_key(|table| (&table.resource, &table.name));
        let count = |table: &TableEntry| {
            let rows = table.files.iter().map(|file| file.rows).sum();
            (table.name.clone(), rows)
        };
        Ok(tables.into_iter().map(count).collect())
    }

    fn scan(
        &mut self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.opened()?.scan(table, columns, each)
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.opened()?.brought(rows, each).map(|()| true)
    }

    fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.opened()?.migrate(changes, state)
    }

    fn loads(&mut self) -> Result<Vec<LoadRow>> {
        Ok(self.opened()?.loads())
    }

    fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        self.opened()?.rollback(loads)
    }
}

impl Open {
    fn write(&mut self, chunk: &Chunk) -> Result<()> {
        for table in chunk.tables() {
            self.check_name(&table.schema.name)?;
        }
        self.rows += chunk.records();
        if !chunk.is_meta() {
            self.touched.insert(chunk.resource.to_string());
        }
        for operation in &chunk.operations {
            self.apply(chunk, operation)?;
        }
        self.seen.end_pass(chunk, &mut self.retired);
        self.relieve()
    }

    fn apply(&mut self, chunk: &Chunk, operation: &Operation) -> Result<()> {
        let name = &*chunk.resource;
        let none = HashSet::new();
        let resource = self.resources.entry(name.to_owned()).or_default();
        for table in operation.tables() {
            resource.ensure(&table.schema);
        }
        let mut at = Context {
            store: &*self.store,
            schemas: &resource.tables,
            prefix: &self.prefix,
            next: &mut self.next,
        };
        match operation {
            Operation::Append(tables) => resource.live.write(&mut at, tables, (true, &none)),
            Operation::Merge(tables) => {
                let Some(root) = tables.first() else {
                    return Ok(());
                };
                let unchanged = resource.live.unchanged(&at, root)?;
                if let Some(Contents { ids, .. }) =
                    Contents::of(root).filter(|_| !unchanged.is_empty())
                {
                    self.rows -= unchanged.len() as u64;
                    let ids = unchanged.iter().map(|row| ids.value(*row));
                    self.seen.see(chunk, &root.schema, ids, &mut self.retired);
                }
                let records = keys(&root.rows, key_column(&root.schema));
                let unchanged = unchanged.iter().filter_map(|row| records[*row]).collect();
                resource.live.write(&mut at, tables, (false, &unchanged))
            }
            Operation::Stage { tables, first } => {
                if *first {
                    resource.staged.clear(&mut self.retired);
                }
                resource.staged.write(&mut at, tables, (false, &none))
            }
            Operation::Publish => {
                self.undo.replaced.insert(name.to_owned());
                resource.live.clear(&mut self.retired);
                resource.live = std::mem::take(&mut resource.staged);
                Ok(())
            }
            Operation::Delete(deleted) => match deleted.staged {
                true => resource.staged.delete_ids(&mut at, deleted),
                false => resource.live.delete_ids(&mut at, deleted),
            },
            Operation::DeleteNotSeen(NotSeenSince { load, mark }) => {
                let seen = self.seen.keys(&*self.store, name, load)?;
                let older = |key: &Key, brought: &str| {
                    !brought.is_empty() && brought < load.as_str() && !seen.contains(key)
                };
                match mark {
                    Some(time) => resource.live.mark(&mut at, older, *time),
                    None => resource.live.remove(&at, older).map(drop),
                }
            }
        }
    }

    /// Refuses the name of a table that a folder cannot have.
    fn check_name(&self, table: &str) -> Result<()> {
        if names::is_folder_name(table) {
            return Ok(());
        }
        let message = format!("a table cannot have the name `{table}` here");
        Err(Error::new(ErrorKind::Destination, message)
            .at(self.store.describe())
            .hint("rename the resource or the field"))
    }

    /// Returns whether a user's folder or another source has that name.
    pub fn is_taken(&self, table: &str) -> Result<bool> {
        let mut known = self.committed.sources.values().flat_map(|s| &s.tables);
        Ok(known.any(|known| known.name == table) || self.store.has(table)?)
    }

    /// Keeps memory within bounds.
    fn relieve(&mut self) -> Result<()> {
        let resources = self.resources.values_mut();
        let mut open: Vec<&mut OpenBatch> = resources
            .flat_map(|resource| [resource.live.open(), resource.staged.open()])
            .flatten()
            .collect();
        let sizes: Vec<(usize, usize)> = open.iter().map(|batch| batch.memory()).collect();
        let most = sizes.iter().map(|(_, largest)| *largest).max().unwrap_or(0);
        if sizes.iter().map(|(sum, _)| sum).sum::<usize>() > WAITING_BYTES {
            for batch in &mut open {
                batch.flush(most / 2)?;
            }
        }
        let unfinished: usize = open.iter().map(|batch| batch.waiting()).sum();
        if unfinished > UNFINISHED_BYTES {
            for resource in self.resources.values_mut() {
                resource.live.seal()?;
                resource.staged.seal()?;
            }
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.catalog.check()?;
        self.numbers.1 = commit.number;
        for change in commit.state {
            let (key, before) = self.put_state(change);
            self.undo.state.entry(key).or_insert(before);
        }
        let before = self.committed.sources.get(&self.load.source);
        let mut drift = before.map_or(Vec::new(), |source| source.drift.clone());
        let before = before.iter().flat_map(|source| &source.loads);
        let mut loads: Vec<LoadEntry> = before
            .filter(|load| load.load_id != self.load.id)
            .cloned()
            .collect();
        self.settle()?;
        loads.push(LoadEntry {
            load_id: self.load.id.clone(),
            status: commit.status.name().to_owned(),
            committed_at: Timestamp::from_micros(self.load.now()).to_string(),
            rows: self.rows,
            undo: Some(self.undo_entry()),
        });
        let mut at = Context {
            store: &*self.store,
            schemas: &Schemas::default(),
            prefix: &self.prefix,
            next: &mut self.next,
        };
        self.seen.commit(&mut at, &self.load)?;
        let replaced = self.drift.commit(&mut at, &self.load, &mut drift)?;
        self.retired.extend(replaced);
        self.publish(loads, drift)
    }

    /// Changes a row of the state; returns its key and the old value.
    fn put_state(&mut self, change: &StateChange) -> ((String, String), Option<String>) {
        let (StateChange::Put(StateRow {
            resource, slice, ..
        })
        | StateChange::Forget { resource, slice }) = change;
        let key = (resource.clone(), slice.clone());
        let before = match change {
            StateChange::Put(row) => self.state.insert(key.clone(), row.value.clone()),
            StateChange::Forget { .. } => self.state.remove(&key),
        };
        (key, before)
    }

    /// Closes the files of this commit and moves them into place.
    fn settle(&mut self) -> Result<()> {
        let mut filled = BTreeSet::new();
        for resource in self.resources.values_mut() {
            let mut at = Context {
                store: &*self.store,
                schemas: &resource.tables,
                prefix: &self.prefix,
                next: &mut self.next,
            };
            resource.live.settle(&mut at, &mut self.retired)?;
            resource.staged.settle(&mut at, &mut self.retired)?;
            resource.live.complete(&mut at, &mut self.retired)?;
            let staged = resource.live.batches.values_mut();
            for batch in staged.filter(|batch| !batch.placed) {
                for table in batch.files.keys() {
                    self.store.place(table, &batch.name)?;
                    filled.insert(table.clone());
                }
                batch.placed = true;
            }
        }
        filled.insert(names::DRIFT.to_owned());
        self.filled.extend(filled);
        Ok(())
    }

    /// Replaces the manifest, which is the commit, and removes retired files.
    fn publish(&mut self, mut loads: Vec<LoadEntry>, drift: Vec<FileEntry>) -> Result<()> {
        self.catalog.check()?;
        self.settle()?;
        undo::forget_old(&mut loads);
        self.store.sync(&std::mem::take(&mut self.filled))?;
        let entry = self.entry(loads, drift);
        self.committed
            .sources
            .insert(self.load.source.clone(), entry);
        self.committed.next = self.next;
        self.catalog.commit(&self.committed)?;
        self.is_committed();
        Ok(())
    }

    /// Goes on after a commit.
    fn is_committed(&mut self) {
        self.numbers.0 = self.numbers.1;
        self.store.remove(std::mem::take(&mut self.retired));
    }

    /// Returns the number of the last commit; asks for one whose answer was lost.
    fn last_commit(&mut self) -> Result<u64> {
        if self.numbers.0 != self.numbers.1 && self.catalog.is_there()? {
            self.is_committed();
        }
        Ok(self.numbers.0)
    }

    /// Returns the manifest's entry of this source.
    fn entry(&self, loads: Vec<LoadEntry>, drift: Vec<FileEntry>) -> SourceEntry {
        let mut tables = Vec::new();
        for resource in self.resources.values() {
            for (name, schema) in &resource.tables {
                tables.push(TableEntry {
                    files: manifest::entries(name, resource.live.batches.values()),
                    staged: manifest::entries(name, resource.staged.batches.values()),
                    ..TableEntry::new(schema)
                });
            }
        }
        let state = self
            .state
            .iter()
            .map(|((resource, slice), value)| StateEntry {
                resource: resource.clone(),
                slice: slice.clone(),
                value: value.clone(),
            });
        SourceEntry {
            tables,
            state: state.collect(),
            loads,
            drift,
            seen: self.seen.files.clone(),
        }
    }
}
