//! Migrates tables whose declaration changed: rewrites their files, and commits them with the state in one manifest.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray};

use super::files::{Context, OpenBatch, arrow_schema, fit, key, key_column};
use super::resource::Resource;
use super::seen::settled;
use super::space::Space;
use super::{Open, names};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Brought, TableChange};
use crate::schema::{Column, TableSchema};
use crate::state::StateChange;

impl Open {
    pub fn scan(
        &self,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        match self.resources.get(&table.resource) {
            Some(resource) => self.read(&resource.live, table, columns, each),
            None => Ok(()),
        }
    }

    /// Passes the named columns of the rows of a table, batch by batch.
    fn read(
        &self,
        of: &Space,
        table: &TableSchema,
        columns: &[&str],
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let named = |name: &&str| table.columns.iter().find(|column| column.name == **name);
        let wanted = TableSchema {
            columns: columns.iter().filter_map(named).cloned().collect(),
            ..table.clone()
        };
        for batch in of.batches.values() {
            if batch.files.contains_key(&table.name) {
                let file = batch.file(&table.name);
                self.store
                    .read(file, columns, &mut |rows| each(&fit(rows, &wanted)?))?;
            }
        }
        Ok(())
    }

    /// Passes the texts of the rows that a pass has brought.
    pub fn brought(
        &self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<()> {
        let Some(resource) = self.resources.get(&rows.table.resource) else {
            return Ok(());
        };
        let space = match rows.staged {
            true => &resource.staged,
            false => &resource.live,
        };
        let load = rows.load_column();
        let mut columns: Vec<&str> = rows.columns.iter().copied().chain(load).collect();
        let id = key_column(rows.table).map_or("", |id| &*id.name);
        let id = columns
            .iter()
            .position(|name| *name == id)
            .unwrap_or_else(|| {
                columns.push(id);
                columns.len() - 1
            });
        let seen = match load {
            Some(_) => self
                .seen
                .keys(&*self.store, &rows.table.resource, rows.pass)?,
            None => HashSet::new(),
        };
        self.read(space, rows.table, &columns, &mut |batch| {
            let texts: Vec<Option<&StringArray>> = (batch.columns().iter())
                .map(|column| column.as_string_opt())
                .collect();
            let text = |column: usize, row: usize| {
                let texts = texts.get(column).copied().flatten();
                texts.filter(|t| t.is_valid(row)).map(|t| t.value(row))
            };
            for row in 0..batch.num_rows() {
                let loaded = text(rows.columns.len(), row);
                let seen = || text(id, row).is_some_and(|id| seen.contains(&key(id)));
                if load.is_none() || loaded.is_some_and(|loaded| loaded >= rows.pass) || seen() {
                    let named = (0..rows.columns.len()).map(|column| text(column, row));
                    each(&named.collect::<Vec<_>>())?;
                }
            }
            Ok(())
        })
    }

    pub fn migrate(&mut self, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
        self.check_names(changes)?;
        let mut by_resource: BTreeMap<&str, Vec<&TableChange>> = BTreeMap::new();
        for change in changes {
            let resource = change.from.resource.as_str();
            by_resource.entry(resource).or_default().push(change);
        }
        let mut left = BTreeSet::new();
        for (name, changes) in by_resource {
            let Some(before) = self.resources.remove(name) else {
                continue;
            };
            let becomes = changes.iter().find_map(|change| change.to.as_ref());
            let becomes = becomes.map(|table| table.resource.clone());
            let after = self.change(before, &changes)?;
            if let Some(becomes) = becomes {
                self.seen.rename(name, &becomes);
                self.resources.insert(becomes, after);
            }
            let kept = |name: &String| {
                let mut to = changes.iter().filter_map(|change| change.to.as_ref());
                to.any(|to| to.name == *name)
            };
            let old = changes.iter().map(|change| change.from.name.clone());
            left.extend(old.filter(|name| !kept(name)));
        }
        for table in &left {
            self.store.leave(table)?;
        }
        for change in state {
            self.put_state(change);
        }
        let source = self.committed.sources.get(&self.load.source).cloned();
        let mut source = source.unwrap_or_default();
        source.loads.iter_mut().for_each(|load| load.undo = None);
        self.publish(source.loads, source.drift)?;
        left.iter().for_each(|table| self.store.forget(table));
        self.undo.records = self.records();
        Ok(())
    }

    /// Refuses new names that are taken, or that a folder cannot have.
    fn check_names(&self, changes: &[TableChange]) -> Result<()> {
        for change in changes {
            let Some(to) = &change.to else { continue };
            if to.name == change.from.name {
                continue;
            }
            let message = match (names::is_folder_name(&to.name), self.is_taken(&to.name)?) {
                (false, _) => format!("a table cannot have the name `{}` here", to.name),
                (true, true) => format!("the table `{}` exists already", to.name),
                (true, false) => continue,
            };
            return Err(Error::new(ErrorKind::Destination, message)
                .at(self.store.describe())
                .hint("rename that table, or choose another name for the resource"));
        }
        Ok(())
    }

    /// Returns the resource with its tables after the change.
    fn change(&mut self, mut before: Resource, changes: &[&TableChange]) -> Result<Resource> {
        let mut after = Resource::default();
        let to = changes.iter().filter_map(|change| change.to.clone());
        after.tables = to
            .map(|table| (table.name.clone(), Arc::new(table)))
            .collect();
        if changes.iter().all(|change| change.leaves_rows()) {
            (after.live, after.staged) = (before.live, before.staged);
            return Ok(after);
        }
        before.staged.clear(&mut self.retired);
        let resource = changes.first().map_or("", |change| &*change.from.resource);
        let seen = self.seen.take(&*self.store, resource, &mut self.retired)?;
        let mut at = Context {
            store: &*self.store,
            schemas: &after.tables,
            prefix: &self.prefix,
            next: &mut self.next,
        };
        for batch in before.live.batches.values() {
            let mut open = OpenBatch::new(&mut at);
            for change in changes {
                let Some(to) = &change.to else { continue };
                if !batch.files.contains_key(&change.from.name) {
                    continue;
                }
                open.declare(&at, &to.name)?;
                let file = batch.file(&change.from.name);
                at.store.read(file, &[], &mut |rows| {
                    let rows = match (&change.from.parent, seen.is_empty()) {
                        (None, false) => settled(rows, &change.from, &seen)?,
                        _ => fit(rows, &change.from)?,
                    };
                    let rows = changed(&rows, change, to)?;
                    open.write(&at, &to.name, &rows, |_| true)
                })?;
                open.flush(0)?;
            }
            let number = open.number;
            let batch = open.finish()?;
            after
                .live
                .batches
                .extend(batch.map(|batch| (number, batch)));
        }
        before.live.clear(&mut self.retired);
        Ok(after)
    }
}

/// Returns the rows after the change.
fn changed(rows: &RecordBatch, change: &TableChange, to: &TableSchema) -> Result<RecordBatch> {
    let mut columns = rows.columns().to_vec();
    let values = (change.values)(rows)?;
    for (at, values) in change.anew.iter().zip(values) {
        if let Some(column) = columns.get_mut(*at) {
            *column = values;
        }
    }
    RecordBatch::try_new(arrow_schema(to), columns).map_err(|error| {
        let names: Vec<&str> = to
            .columns
            .iter()
            .map(|c: &Column| c.name.as_str())
            .collect();
        let message = format!(
            "the rows of `{}` do not fit the columns {}; this is a bug of etlgen",
            to.name,
            names.join(", ")
        );
        Error::new(ErrorKind::Destination, message).caused_by(error)
    })
}
