//! The rows of a resource, live or staged: immutable batches of files, and an index from records to batches.
//!
//! A record and its child rows are always in one batch, so that rewriting files without them needs only that batch.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::batch::{Batch, FileInfo, Held, Key, Retired};
use super::files::{Context, OpenBatch, hashes, key, key_column, keys};
use crate::error::Result;
use crate::load::contents::Contents;
use crate::schema::{ColumnRole, TableBatch};

/// A batch with fewer remaining records is added to the open batch, so that files do not become many and small.
pub const SMALL: usize = 10_000;

/// After a table is copied, up to this much of it may stay in memory.
const CARRIED_BYTES: usize = 4 << 20;

/// The rows of a resource.
#[derive(Default)]
pub struct Space {
    pub batches: BTreeMap<u32, Batch>,
    /// The batch that holds each record, and the record's content; read when it is first needed.
    pub index: Option<HashMap<Key, Held>>,
    pub open: Option<OpenBatch>,
}

impl Space {
    pub fn new(batches: BTreeMap<u32, Batch>) -> Self {
        Space {
            batches,
            ..Space::default()
        }
    }

    /// Returns the open batch.
    pub fn open(&mut self) -> Option<&mut OpenBatch> {
        self.open.as_mut()
    }

    /// Takes the rows of a chunk, root table first. With `append`, the records that exist stay; otherwise they are
    /// replaced, except those in `unchanged`.
    pub fn write(
        &mut self,
        at: &mut Context<'_>,
        tables: &[TableBatch],
        (append, unchanged): (bool, &HashSet<Key>),
    ) -> Result<()> {
        let Some(root) = tables.first() else {
            return Ok(());
        };
        if tables.iter().all(|table| table.rows.num_rows() == 0) {
            return Ok(());
        }
        let records = keys(&root.rows, key_column(&root.schema));
        let index = self.index(at)?;
        let present: HashMap<Key, u32> = records
            .iter()
            .flatten()
            .filter(|key| !unchanged.contains(*key))
            .filter_map(|key| Some((*key, index.get(key)?.batch)))
            .collect();
        if !append && !present.is_empty() {
            self.replace(&present)?;
        }
        let skips = append && !present.is_empty() || !unchanged.is_empty();
        let skipped = |key: &Option<Key>| {
            let skipped =
                |key: &Key| append && present.contains_key(key) || unchanged.contains(key);
            skips && key.as_ref().is_some_and(skipped)
        };
        if skips && records.iter().all(skipped) {
            return Ok(());
        }
        let mut open = self.take_open(at)?;
        for table in tables {
            let records = match skips {
                true => keys(&table.rows, key_column(&table.schema)),
                false => Vec::new(),
            };
            open.write(at, &table.schema.name, &table.rows, |row| {
                !skips || !skipped(&records[row])
            })?;
        }
        let index = self.index(at)?;
        let written = records.iter().zip(hashes(&root.rows, &root.schema));
        for (key, hash) in written.filter(|(key, _)| !skipped(key)) {
            index.extend(key.map(|key| (key, Held::new(open.number, hash))));
        }
        self.open = Some(open);
        Ok(())
    }

    /// Returns the records of a root table that have the content of their rows.
    pub fn unchanged(&mut self, at: &Context<'_>, root: &TableBatch) -> Result<Vec<usize>> {
        let Some(contents) = Contents::of(root) else {
            return Ok(Vec::new());
        };
        let index = self.index(at)?;
        if index.is_empty() {
            return Ok(Vec::new());
        }
        let is_unchanged = |row: &usize| {
            let hash = contents.hash_of(*row);
            let held = hash.zip(index.get(&key(contents.ids.value(*row))));
            held.is_some_and(|(hash, held)| held.has(hash))
        };
        Ok((0..root.rows.num_rows()).filter(is_unchanged).collect())
    }

    /// Notes that newer rows of these records arrive.
    fn replace(&mut self, present: &HashMap<Key, u32>) -> Result<()> {
        let open = self.open.as_ref().map(|open| open.number);
        if present.values().any(|number| Some(*number) == open) {
            self.seal()?;
        }
        for (key, number) in present {
            if let Some(batch) = self.batches.get_mut(number) {
                batch.replaced.insert(*key);
            }
        }
        Ok(())
    }

    pub fn index(&mut self, at: &Context<'_>) -> Result<&mut HashMap<Key, Held>> {
        let index = match self.index.take() {
            Some(index) => index,
            None => self.read_index(at)?,
        };
        Ok(self.index.insert(index))
    }

    fn read_index(&self, at: &Context<'_>) -> Result<HashMap<Key, Held>> {
        let mut index = HashMap::new();
        let Some(root) = at.root() else {
            return Ok(index);
        };
        let column = key_column(root);
        let hash = root.role(ColumnRole::ContentHash);
        let columns = column.into_iter().chain(hash);
        let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        for (number, batch) in &self.batches {
            if batch
                .files
                .get(&root.name)
                .is_none_or(|file| file.rows == 0)
            {
                continue;
            }
            let file = batch.file(&root.name);
            at.store.read(file, &names, &mut |rows| {
                let found = keys(rows, column).into_iter().zip(hashes(rows, root));
                let held = found.filter_map(|(key, hash)| Some((key?, Held::new(*number, hash))));
                index.extend(held);
                Ok(())
            })?;
        }
        Ok(index)
    }

    /// Closes the open batch.
    pub fn seal(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            let number = open.number;
            if let Some(batch) = open.finish()? {
                self.batches.insert(number, batch);
            }
        }
        Ok(())
    }

    /// Takes the batch to write to: the open one, or a new one if that lacks columns.
    pub fn take_open(&mut self, at: &mut Context<'_>) -> Result<OpenBatch> {
        if self
            .open
            .as_ref()
            .is_some_and(|open| !open.fits(at.schemas))
        {
            self.seal()?;
        }
        Ok(self.open.take().unwrap_or_else(|| OpenBatch::new(at)))
    }

    /// Closes the batches: those with replaced records are rewritten without them.
    pub fn settle(&mut self, at: &mut Context<'_>, retired: &mut Vec<Retired>) -> Result<()> {
        let numbers: Vec<u32> = self
            .batches
            .iter()
            .filter(|(_, batch)| !batch.replaced.is_empty())
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            let Some(batch) = self.batches.remove(&number) else {
                continue;
            };
            let records = at
                .root()
                .and_then(|root| batch.files.get(&root.name))
                .map_or(0, |file| file.rows as usize);
            let left = records.saturating_sub(batch.replaced.len());
            if left >= SMALL {
                let mut open = OpenBatch::new(at);
                self.carry(at, &batch, &mut open)?;
                let number = open.number;
                self.batches
                    .extend(open.finish()?.map(|batch| (number, batch)));
            } else if left > 0 {
                let mut open = self.take_open(at)?;
                self.carry(at, &batch, &mut open)?;
                self.open = Some(open);
            }
            batch.retire(retired);
        }
        self.seal()
    }

    /// Copies the rows of the records that were not replaced.
    fn carry(&mut self, at: &Context<'_>, batch: &Batch, to: &mut OpenBatch) -> Result<()> {
        for table in batch.files.keys() {
            let Some(schema) = at.schemas.get(table) else {
                continue;
            };
            let column = key_column(schema);
            let file = batch.file(table);
            at.store.read(file, &[], &mut |rows| {
                let records = keys(rows, column);
                let stays =
                    |key: &Option<Key>| key.is_none_or(|key| !batch.replaced.contains(&key));
                to.write(at, table, rows, |row| stays(&records[row]))?;
                if let (None, Some(index)) = (&schema.parent, &mut self.index) {
                    for key in records.iter().filter(|key| stays(key)).flatten() {
                        if let Some(held) = index.get_mut(key) {
                            held.batch = to.number;
                        }
                    }
                }
                Ok(())
            })?;
            to.flush(CARRIED_BYTES)?;
        }
        Ok(())
    }

    /// Ensures that every table has a file with all its columns, if necessary one without rows.
    pub fn complete(&mut self, at: &mut Context<'_>, retired: &mut Vec<Retired>) -> Result<()> {
        let mut lacking = Vec::new();
        for (table, schema) in at.schemas {
            let whole = |file: &FileInfo| file.columns == schema.columns.len();
            let files = || self.batches.values().filter_map(|b| b.files.get(table));
            let by_rows = files().any(|file| whole(file) && file.rows > 0);
            if !files().any(whole) {
                lacking.push(table);
            }
            for batch in self.batches.values_mut() {
                let idle = |file: &FileInfo| file.rows == 0 && (by_rows || !whole(file));
                if batch.files.get(table).is_some_and(idle) {
                    batch.files.remove(table);
                    retired.push(Retired {
                        table: table.clone(),
                        name: batch.name.clone(),
                        placed: batch.placed,
                    });
                }
            }
        }
        self.batches.retain(|_, batch| !batch.files.is_empty());
        if !lacking.is_empty() {
            let mut open = OpenBatch::new(at);
            for table in lacking {
                open.declare(at, table)?;
            }
            let number = open.number;
            self.batches
                .extend(open.finish()?.map(|batch| (number, batch)));
        }
        Ok(())
    }

    /// Discards all rows.
    pub fn clear(&mut self, retired: &mut Vec<Retired>) {
        if let Some(open) = self.open.take() {
            open.abandon(retired);
        }
        for batch in std::mem::take(&mut self.batches).into_values() {
            batch.retire(retired);
        }
        self.index = Some(HashMap::new());
    }
}
