//! A destination in memory that implements its trait exactly and whose commits are atomic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use etlgen_runtime::Result;
use etlgen_runtime::load::{
    Brought, Capabilities, Chunk, Commit, DeletedIds, Destination, LoadInfo, Memory, NotSeenSince,
    Operation,
};
use etlgen_runtime::schema::{ColumnRole, Drifted, TableBatch, TableSchema};
use serde_json::Value;

use super::Loaded;
use crate::fault::Fault;

/// A row: its record, and its columns as one line of JSON.
#[derive(Clone)]
struct Row {
    /// The id of the record that it belongs to; its own id for a record.
    root: String,
    load: String,
    deleted: bool,
    line: String,
}

type Rows = BTreeMap<String, Row>;

#[derive(Clone, Default)]
struct Tables {
    rows: BTreeMap<String, Rows>,
    staged: BTreeMap<String, Rows>,
    memory: Memory,
}

/// The destination. Clones hold the same committed rows.
#[derive(Clone, Default)]
pub struct Model {
    committed: Arc<Mutex<Tables>>,
    working: Tables,
    fault: Option<Fault>,
    /// Whether it reads back the rows of an interrupted pass.
    reads_back: bool,
}

impl Model {
    pub fn new(fault: Option<Fault>, reads_back: bool) -> Self {
        Model {
            fault,
            reads_back,
            ..Model::default()
        }
    }

    /// Returns the committed rows of a resource's table.
    pub fn rows(&self, table: &str) -> Vec<Loaded> {
        let tables = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(rows) = tables.rows.get(table) else {
            return Vec::new();
        };
        let lists = super::LISTS.iter();
        let lists = lists.filter_map(|list| tables.rows.get(&format!("{table}{list}")));
        let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
        for row in lists.flat_map(BTreeMap::values) {
            *tags.entry(&row.root).or_default() += 1;
        }
        let loaded = rows.iter().map(|(id, row)| {
            let line: Value = serde_json::from_str(&row.line).unwrap_or_default();
            Loaded {
                version: line["v"].as_u64().unwrap_or_default() as u32,
                item: line["item"].as_str().map(str::to_owned),
                deleted: row.deleted,
                tags: tags.get(id.as_str()).copied().unwrap_or_default(),
                load: row.load.clone(),
            }
        });
        loaded.collect()
    }
}

/// Returns the rows of a batch, with their ids.
fn rows(table: &TableBatch) -> Vec<(String, Row)> {
    let text = |role, row| table.text(role, row).unwrap_or_default().to_owned();
    let of_record = table.schema.role(ColumnRole::RootId).is_none();
    let row = |(at, line)| {
        let id = text(ColumnRole::RowId, at);
        let row = Row {
            root: match of_record {
                true => id.clone(),
                false => text(ColumnRole::RootId, at),
            },
            load: text(ColumnRole::LoadId, at),
            deleted: false,
            line,
        };
        (id, row)
    };
    table.json_lines().enumerate().map(row).collect()
}

impl Tables {
    /// Returns the tables of a resource.
    fn names(&self, resource: &str) -> Vec<String> {
        let tables = self.memory.tables.iter();
        let of_resource = tables.filter(|table| table.resource == resource);
        of_resource.map(|table| table.name.clone()).collect()
    }

    fn learn(&mut self, schema: &TableSchema) {
        let known = &mut self.memory.tables;
        match known.iter_mut().find(|known| known.name == schema.name) {
            Some(known) => *known = schema.clone(),
            None => known.push(schema.clone()),
        }
    }

    fn apply(&mut self, resource: &str, operation: &Operation, lost: &mut bool) {
        match operation {
            Operation::Append(tables) => self.put(tables, (false, true), lost),
            Operation::Merge(tables) => self.put(tables, (false, false), lost),
            Operation::Stage { tables, first } => {
                for table in tables.iter().filter(|_| *first) {
                    self.staged.remove(&table.schema.name);
                }
                self.put(tables, (true, false), lost);
            }
            Operation::Publish => {
                for name in self.names(resource) {
                    let staged = self.staged.remove(&name).unwrap_or_default();
                    self.rows.insert(name, staged);
                }
            }
            Operation::DeleteNotSeen(NotSeenSince { load, mark, .. }) => {
                let unseen = |_: &str, row: &Row| row.load < *load && !row.deleted;
                self.drop_records(resource, (false, *mark), unseen);
            }
            Operation::Delete(DeletedIds {
                ids, mark, staged, ..
            }) => {
                let named = |id: &str, _: &Row| ids.iter().any(|gone| gone == id);
                self.drop_records(resource, (*staged, *mark), named);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Adds rows to the existing ones: among the staged rows, and without those that are there.
    fn put(&mut self, tables: &[TableBatch], (staged, append): (bool, bool), lost: &mut bool) {
        let mut records = BTreeSet::new();
        for table in tables {
            self.learn(&table.schema);
            let tables = match staged {
                true => &mut self.staged,
                false => &mut self.rows,
            };
            let place = tables.entry(table.schema.name.clone()).or_default();
            let mut rows = rows(table);
            let is_root = table.schema.role(ColumnRole::RootId).is_none();
            if is_root && append {
                // An identical record is not loaded again.
                rows.retain(|(id, _)| !place.contains_key(id));
            }
            if is_root {
                records = rows.iter().map(|(id, _)| id.clone()).collect();
            }
            rows.retain(|(_, row)| records.contains(&row.root));
            place.retain(|_, row| !records.contains(&row.root));
            if is_root && std::mem::take(lost) {
                rows.pop();
            }
            place.extend(rows);
        }
    }

    /// Marks or removes the records of a resource for which `gone` is true.
    fn drop_records(
        &mut self,
        resource: &str,
        (staged, mark): (bool, Option<i64>),
        gone: impl Fn(&str, &Row) -> bool,
    ) {
        let names = self.names(resource);
        let tables = match staged {
            true => &mut self.staged,
            false => &mut self.rows,
        };
        let Some(root) = names.first().and_then(|name| tables.get_mut(name)) else {
            return;
        };
        if mark.is_some() {
            let rows = root.iter_mut().filter(|(id, row)| gone(id, row));
            rows.for_each(|(_, row)| row.deleted = true);
            return;
        }
        root.retain(|id, row| !gone(id, row));
        let left: BTreeSet<String> = root.keys().cloned().collect();
        for name in &names[1..] {
            let rows = tables.entry(name.clone()).or_default();
            rows.retain(|_, row| left.contains(&row.root));
        }
    }
}

impl Destination for Model {
    fn describe(&self) -> String {
        "model".to_owned()
    }

    fn exists(&self) -> bool {
        true
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255).checkpoints(1000, Duration::from_secs(10))
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.working = self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let memory = self.working.memory.clone();
        self.working.memory.last_load = Some(load.after(&memory).id);
        Ok(memory)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let mut lost = self.fault == Some(Fault::LostRow);
        for operation in &chunk.operations {
            self.working.apply(&chunk.resource, operation, &mut lost);
        }
        Ok(())
    }

    fn drift(&mut self, _: &str, _: &[(Drifted, u64)]) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.working.memory.apply(commit.state);
        *self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.working.clone();
        Ok(())
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        if !self.reads_back {
            return Ok(false);
        }
        let tables = match rows.staged {
            true => &self.working.staged,
            false => &self.working.rows,
        };
        let table = tables.get(&rows.table.name).into_iter();
        for row in table.flat_map(BTreeMap::values) {
            if rows.staged || row.load.as_str() >= rows.pass {
                let line: Value = serde_json::from_str(&row.line).unwrap_or_default();
                let texts = rows.columns.iter().map(|name| line[*name].as_str());
                each(&texts.collect::<Vec<_>>())?;
            }
        }
        Ok(true)
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        let counts = self.working.rows.iter();
        let counts = counts.map(|(name, rows)| (name.clone(), rows.len() as u64));
        Ok(counts.collect())
    }
}
