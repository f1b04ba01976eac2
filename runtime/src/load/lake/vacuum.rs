//! Removes what no commit and no pass needs, and merges small files.

use std::sync::Arc;

use super::Open;
use super::batch::{Merged, Retired};
use super::drift;
use super::files::{Context, OpenBatch};
use super::space::Space;
use crate::error::Result;
use crate::load::{Vacuum, Vacuumed};

/// Batches with fewer records are merged, until they have at least so many.
const FULL: u64 = 100_000;

impl Open {
    /// The new files are committed in one manifest. The old ones stay for a while: a reader of the manifest may be about
    /// to open them.
    pub fn vacuum(&mut self, vacuum: &Vacuum) -> Result<Vacuumed> {
        self.catalog.check()?;
        let done = Vacuumed::default().orphans(std::mem::take(&mut self.orphans));
        let Some(source) = self.committed.sources.get(&self.load.source).cloned() else {
            return Ok(done);
        };
        let mut merged = Merged::default();
        for (name, resource) in &mut self.resources {
            let mut at = Context {
                store: &*self.store,
                schemas: &resource.tables,
                prefix: &self.prefix,
                next: &mut self.next,
            };
            if !vacuum.staged.contains(name) {
                resource.staged.clear(&mut self.retired);
            }
            merged.add(resource.live.merge_small(&mut at, &mut self.retired)?);
        }
        let mut drift = source.drift;
        let mut at = Context {
            store: &*self.store,
            schemas: &Arc::default(),
            prefix: &self.prefix,
            next: &mut self.next,
        };
        merged.add(drift::merge(&mut at, &mut drift, &mut self.retired)?);
        if self.retired.is_empty() {
            return Ok(done);
        }
        self.put_manifest(source.loads, drift)?;
        std::thread::sleep(match merged.before {
            0 => std::time::Duration::ZERO,
            _ => vacuum.wait,
        });
        self.is_committed();
        Ok(done.merged(merged.before, merged.after))
    }
}

impl Space {
    /// Merges small batches; nothing is written and not committed.
    fn merge_small(&mut self, at: &mut Context<'_>, retired: &mut Vec<Retired>) -> Result<Merged> {
        let mut merged = Merged::default();
        for group in self.small(at) {
            let mut open = OpenBatch::new(at);
            // One table after another, so that the rows of one file wait in memory.
            for table in at.schemas.keys() {
                let batches = group.iter().filter_map(|number| self.batches.get(number));
                for batch in batches.filter(|batch| batch.files.contains_key(table)) {
                    at.store.read(batch.file(table), &[], &mut |rows| {
                        open.write(at, table, rows, |_| true)
                    })?;
                }
                open.flush(0)?;
            }
            let number = open.number;
            let batch = open.finish()?;
            for old in group
                .iter()
                .filter_map(|number| self.batches.remove(number))
            {
                merged.before += old.files.len() as u64;
                old.retire(retired);
            }
            merged.after += batch.as_ref().map_or(0, |batch| batch.files.len() as u64);
            self.batches.extend(batch.map(|batch| (number, batch)));
            self.index = None;
        }
        Ok(merged)
    }

    /// Returns groups of small batches.
    fn small(&self, at: &Context<'_>) -> Vec<Vec<u32>> {
        let Some(root) = at.root() else {
            return Vec::new();
        };
        let (mut groups, mut group, mut records) = (Vec::new(), Vec::new(), 0);
        for (number, batch) in &self.batches {
            let rows = batch.files.get(&root.name).map_or(0, |file| file.rows);
            // A batch without records declares the columns of tables.
            if rows == 0 || rows >= FULL {
                continue;
            }
            group.push(*number);
            records += rows;
            if records >= FULL {
                groups.push(std::mem::take(&mut group));
                records = 0;
            }
        }
        groups.push(group);
        groups.retain(|group| group.len() > 1);
        groups
    }
}
