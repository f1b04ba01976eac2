//! The changes of the last loads, and their rollback.

use std::collections::{BTreeMap, BTreeSet};

use super::Open;
use super::batch::Key;
use super::files::Context;
use super::manifest::{LoadEntry, UndoEntry, UndoResource, UndoState};
use crate::error::Result;
use crate::load::{LoadRow, LoadStatus, RolledBack, UNDOABLE_LOADS};
use crate::state::without_pass;

/// The data for the undo entry of this load.
#[derive(Default)]
pub struct UndoLog {
    /// The rows of the state that it changed, with their old values.
    pub state: BTreeMap<(String, String), Option<String>>,
    /// The number of records of each resource before this load.
    pub records: BTreeMap<String, u64>,
    /// Resources of which it replaced all rows.
    pub replaced: BTreeSet<String>,
}

impl Open {
    /// Returns the number of records of each resource, as committed.
    pub fn records(&self) -> BTreeMap<String, u64> {
        let resources = self.resources.iter();
        let count = |(name, resource): (&String, &super::resource::Resource)| {
            let mut tables = resource.tables.values();
            let root = tables.find(|table| table.parent.is_none());
            let records = root.map_or(0, |root| resource.live.records(&root.name));
            (name.clone(), records)
        };
        resources.map(count).collect()
    }

    /// Returns the changes of this load so far.
    pub fn undo_entry(&self) -> UndoEntry {
        let of = |((resource, slice), value): (&(String, String), &Option<String>)| UndoState {
            resource: resource.clone(),
            slice: slice.clone(),
            value: value.clone(),
        };
        let mut resources = BTreeMap::new();
        for (name, now) in self.records() {
            let before = self.undo.records.get(&name).copied().unwrap_or(0);
            let change = UndoResource {
                records: now as i64 - before as i64,
                replaced: self.undo.replaced.contains(&name),
            };
            if self.touched.contains(&name) {
                resources.insert(name, change);
            }
        }
        UndoEntry {
            state: self.undo.state.iter().map(of).collect(),
            resources,
        }
    }

    pub fn loads(&self) -> Vec<LoadRow> {
        let source = self.committed.sources.get(&self.load.source);
        let loads = source.iter().flat_map(|source| &source.loads);
        let mut loads: Vec<LoadRow> = loads
            .map(|load| LoadRow {
                id: load.load_id.clone(),
                status: LoadStatus::parse(&load.status),
                rows: load.rows,
                undoable: load.undo.is_some(),
            })
            .collect();
        loads.sort_by(|a, b| a.id.cmp(&b.id));
        loads
    }

    pub fn rollback(&mut self, loads: &[String]) -> Result<Vec<RolledBack>> {
        let Some(mut source) = self.committed.sources.get(&self.load.source).cloned() else {
            return Ok(Vec::new());
        };
        let mut undone: Vec<&mut LoadEntry> = source
            .loads
            .iter_mut()
            .filter(|load| loads.contains(&load.load_id))
            .collect();
        // The newest first, so that the oldest values win.
        undone.sort_by(|a, b| b.load_id.cmp(&a.load_id));
        let mut changes: BTreeMap<String, UndoResource> = BTreeMap::new();
        let undos: Vec<UndoEntry> = undone.iter_mut().filter_map(|l| l.undo.take()).collect();
        for (name, change) in undos.iter().flat_map(|undo| &undo.resources) {
            let sum = changes.entry(name.clone()).or_default();
            sum.records += change.records;
            sum.replaced |= change.replaced;
        }
        for load in undone {
            load.status = LoadStatus::RolledBack.name().to_owned();
        }
        let mut done = Vec::new();
        for (name, change) in &changes {
            let resource = self.resources.get_mut(name).filter(|_| !change.replaced);
            let mut back = RolledBack {
                resource: name.clone(),
                removed: None,
                lost: 0,
            };
            if let Some(resource) = resource {
                let at = Context {
                    store: &*self.store,
                    schemas: &resource.tables,
                    prefix: &self.prefix,
                    next: &mut self.next,
                };
                let wanted = |_: &Key, load: &str| loads.iter().any(|known| known == load);
                let removed = resource.live.remove(&at, wanted)?;
                back.removed = Some(removed as u64);
                back.lost = (removed as i64 - change.records).max(0) as u64;
            }
            done.push(back);
        }
        let left = |name: &String| changes.get(name).is_some_and(|change| change.replaced);
        for row in undos.into_iter().flat_map(|undo| undo.state) {
            let UndoState {
                resource,
                slice,
                value,
            } = row;
            if left(&resource) {
                continue;
            }
            match value {
                Some(value) => {
                    let value = without_pass(&value);
                    self.state.insert((resource, slice), value)
                }
                None => self.state.remove(&(resource, slice)),
            };
        }
        self.seen.undo(loads, &mut self.retired);
        let loads = std::mem::take(&mut source.loads);
        self.publish(loads, source.drift)?;
        Ok(done)
    }
}

/// Drops the stored changes of all but the last loads.
pub fn forget_old(loads: &mut [LoadEntry]) {
    loads.sort_by(|a, b| a.load_id.cmp(&b.load_id));
    let undoable = loads.iter_mut().rev().filter(|load| load.undo.is_some());
    undoable
        .skip(UNDOABLE_LOADS)
        .for_each(|load| load.undo = None);
}
