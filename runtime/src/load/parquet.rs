//! Parquet files in a local folder.
//!
//! ```text
//! FOLDER/<table>/<load id>-<number>.parquet   data files, never changed after their creation
//! FOLDER/_etl_drift/…                         data of each load that the structs do not declare
//! FOLDER/_etl/manifest.json                   what was committed: tables, their files, state, loads
//! FOLDER/_etl/lock                            excludes a second run
//! FOLDER/_etl/staging/<table>/                files of a commit in progress, and of a pass that has not ended
//! ```
//!
//! The manifest is the commit: it is written next to the old one and renamed. Before that, files move into place; after
//! it, files that are no longer needed are removed. A run that is killed in between leaves files that the manifest does
//! not name, and the next run removes them. So the tables are exactly the files that the manifest names. A reader with
//! a glob (`FOLDER/<table>/*.parquet`) sees the same when no load is running. During a commit, it may briefly see rows
//! of that commit early, or both the old and the new row of a record.
//!
//! Files never change: a commit rewrites those that hold a replaced record, without that record and its child rows. So
//! a merge that touches a few old records reads and writes only their files; one that returns all records again writes
//! only what is new. The `_etl_id` columns say which file holds which record; they are read when the first rows of a
//! resource arrive, and take about 35 bytes of memory per record. `_etl_load_id` says which load wrote a row, the name
//! of a file says which load wrote the file.
//!
//! Tables gain columns, files do not: a file from before a new column lacks it. Readers fill in nulls with an option:
//! DuckDB with `read_parquet('FOLDER/<table>/*.parquet', union_by_name = true)`, Polars with `scan_parquet(...,
//! missing_columns="insert", schema=...)` and the schema of a file that has all columns. Every table has at least one
//! such file, if necessary one without rows.

mod batch;
mod drift;
mod errors;
mod files;
mod folder;
mod manifest;
mod migrate;
mod names;
mod remove;
mod resource;
mod space;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;

use self::batch::{Key, Retired};
use self::drift::DriftLog;
use self::files::{Context, OpenBatch};
use self::folder::{Committed, Folder, Lock};
use self::manifest::{FileEntry, LoadEntry, Manifest, SourceEntry, StateEntry, TableEntry};
use self::resource::Resource;
use self::undo::UndoLog;
use super::identity::overtaken;
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

/// Parquet files in a folder.
pub struct Parquet {
    folder: Arc<Folder>,
    open: Option<Open>,
}

/// An opened folder.
struct Open {
    folder: Arc<Folder>,
    load: LoadInfo,
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
    undo: UndoLog,
    /// Resources that rows have arrived for.
    touched: BTreeSet<String>,
    /// Tables whose folders have new files since the last commit.
    filled: BTreeSet<String>,
    /// The manifest file of the last commit.
    lies: Committed,
    lock: Lock,
}

impl Parquet {
    /// Creates a destination for the folder at `path`; opening it creates the folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Parquet {
            folder: Arc::new(Folder::new(path.into())),
            open: None,
        }
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Destination, "the folder has not been opened"))
    }
}

impl Destination for Parquet {
    fn describe(&self) -> String {
        format!("parquet:{}", self.folder.root().display())
    }

    fn exists(&self) -> bool {
        self.folder.manifest().exists()
    }

    fn capabilities(&self) -> Capabilities {
        // The name of a table is also the name of a folder. Each commit creates files; many small files are slow to
        // read.
        Capabilities::new(200)
            .checkpoints(200_000, Duration::from_secs(60))
            .migrates(true)
            .rolls_back(true)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        let lock = self.folder.lock()?;
        let lies = self.folder.committed();
        let committed = self.folder.read()?;
        let source = committed.sources.get(&load.source);
        let memory = source.map(SourceEntry::memory).unwrap_or_default();
        self.folder.repair(&committed)?;
        let state = memory.state.iter().cloned();
        let mut open = Open {
            folder: self.folder.clone(),
            load: load.after(&memory),
            next: committed.next,
            resources: source.map(resource::all).unwrap_or_default(),
            state: state
                .map(|row| ((row.resource, row.slice), row.value))
                .collect(),
            retired: Vec::new(),
            rows: 0,
            drift: DriftLog::default(),
            undo: UndoLog::default(),
            touched: BTreeSet::new(),
            filled: BTreeSet::new(),
            committed,
            lies,
            lock,
        };
        open.undo.records = open.records();
        self.open = Some(open);
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        let committed = self.folder.read()?;
        let source = committed.sources.get(&load.source);
        Ok(source.map(SourceEntry::memory).unwrap_or_default())
    }

    fn is_taken(&mut self, table: &str) -> Result<bool> {
        Ok(self.opened()?.is_taken(table))
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
            self.apply(&chunk.resource, operation)?;
        }
        self.relieve()
    }

    fn apply(&mut self, name: &str, operation: &Operation) -> Result<()> {
        let resource = self.resources.entry(name.to_owned()).or_default();
        for table in operation.tables() {
            resource.ensure(&table.schema);
        }
        let mut at = Context {
            folder: &self.folder,
            schemas: &resource.tables,
            load: &self.load.id,
            next: &mut self.next,
        };
        match operation {
            Operation::Append(tables) => resource.live.write(&mut at, tables, true),
            Operation::Merge(tables) => resource.live.write(&mut at, tables, false),
            Operation::Stage { tables, first } => {
                if *first {
                    resource.staged.clear(&mut self.retired);
                }
                resource.staged.write(&mut at, tables, false)
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
                let older = |_: &Key, brought: &str| !brought.is_empty() && brought < load.as_str();
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
            .at(self.folder.root().display().to_string())
            .hint("rename the resource or the field"))
    }

    /// Returns whether a user's folder or another source has that name.
    pub fn is_taken(&self, table: &str) -> bool {
        let mut known = self.committed.sources.values().flat_map(|s| &s.tables);
        self.folder.has(table) || known.any(|known| known.name == table)
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
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.check_place()?;
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
        let replaced = self
            .drift
            .commit(&self.folder, &self.load, &mut self.next, &mut drift)?;
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
                folder: &self.folder,
                schemas: &resource.tables,
                load: &self.load.id,
                next: &mut self.next,
            };
            resource.live.settle(&mut at, &mut self.retired)?;
            resource.staged.settle(&mut at, &mut self.retired)?;
            resource.live.complete(&mut at, &mut self.retired)?;
            let staged = resource.live.batches.values_mut();
            for batch in staged.filter(|batch| !batch.placed) {
                for table in batch.files.keys() {
                    self.folder.place(table, &batch.name)?;
                    filled.insert(table.clone());
                }
                batch.placed = true;
            }
        }
        filled.insert(names::DRIFT.to_owned());
        self.filled.extend(filled);
        Ok(())
    }

    /// Refuses a folder that no longer exists, or into which another run has loaded.
    fn check_place(&self) -> Result<()> {
        self.lock.check()?;
        match self.folder.committed() == self.lies {
            true => Ok(()),
            false => Err(overtaken(self.folder.root())),
        }
    }

    /// Replaces the manifest, which is the commit, and removes retired files.
    fn publish(&mut self, mut loads: Vec<LoadEntry>, drift: Vec<FileEntry>) -> Result<()> {
        self.check_place()?;
        self.settle()?;
        undo::forget_old(&mut loads);
        self.folder.sync(&std::mem::take(&mut self.filled));
        let entry = self.entry(loads, drift);
        self.committed
            .sources
            .insert(self.load.source.clone(), entry);
        self.committed.next = self.next;
        self.folder.write(&self.committed)?;
        self.lies = self.folder.committed();
        self.folder.remove(std::mem::take(&mut self.retired));
        Ok(())
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
        }
    }
}

#[cfg(test)]
mod tests;
