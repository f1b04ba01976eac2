//! Collects the rows of one resource into batches.

use std::collections::{BTreeSet, VecDeque};

use super::earlier::Earlier;
use crate::error::Result;
use crate::normalize::{Normalizer, RowOrigin};
use crate::record::RowRef;
use crate::run::read::rows::{Origin, RowPlace};
use crate::schema::{Deletes, Drifted, TableBatch};
use crate::world::World;

/// A batch is closed when it holds this many records …
const BATCH_ROWS: usize = 10_000;
/// … or about this many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// Collects the rows of a resource that were not sent yet.
pub(super) struct RowCollector {
    normalizer: Normalizer,
    world: World,
    /// For rows without a key: the pass, if a row that recurs in another pass is another row; else
    /// empty.
    pass: String,
    /// What happens to records that say that they are deleted.
    deletes: Deletes,
    /// The ids of records deleted since the last batch.
    gone: BTreeSet<String>,
    /// Batches that had to be closed within a page, the oldest first.
    full: VecDeque<Batch>,
    /// The rows that interrupted runs of this pass have loaded.
    earlier: Option<Earlier>,
    /// The number of rows that have replaced one of them.
    replaced: u64,
}

/// Rows that are sent to the loader, and their drift.
pub(super) struct Batch {
    pub tables: Vec<TableBatch>,
    pub drift: Vec<(Drifted, u64)>,
    /// The ids of deleted records.
    pub gone: Vec<String>,
}

impl RowCollector {
    pub fn new(normalizer: Normalizer, world: World, pass: String, deletes: Deletes) -> Self {
        RowCollector {
            normalizer,
            world,
            pass,
            deletes,
            gone: BTreeSet::new(),
            full: VecDeque::new(),
            earlier: None,
            replaced: 0,
        }
    }

    /// Compares the rows with those that interrupted runs of this pass have loaded.
    pub fn after(&mut self, earlier: Option<Earlier>) {
        self.earlier = earlier;
    }

    /// Returns how many rows since the last call have replaced one of them that may be another
    /// record.
    pub fn replaced(&mut self) -> u64 {
        std::mem::take(&mut self.replaced)
    }

    /// Takes a row.
    pub fn take(&mut self, row: RowRef<'_>, place: &RowPlace, from: &Origin<'_>) -> Result<()> {
        let origin = RowOrigin {
            slice: from.slice,
            pass: &self.pass,
            list: from.list,
            ordinal: place.ordinal,
            copied: from.columns,
            deleted: place
                .gone
                .map(|since| since.unwrap_or_else(|| self.world.micros())),
        };
        if let Some(earlier) = &mut self.earlier
            && place.gone.is_none()
            && let Some((id, _)) = self.normalizer.id_of(row, &origin)
        {
            self.replaced += u64::from(earlier.is_replaced(&id, place, from)?);
        }
        let removed = place.gone.is_some() && self.deletes == Deletes::Hard;
        if removed || !self.gone.is_empty() {
            let id = self.normalizer.id_of(row, &origin);
            let (id, here) = id.unwrap_or_default();
            let turns = match removed {
                true => here,
                false => self.gone.contains(&id),
            };
            // Within a batch deletions come last, whatever came first.
            if turns {
                let batch = batch(&mut self.normalizer, &mut self.gone)?;
                self.full.push_back(batch);
            }
            if removed {
                self.gone.extend((!id.is_empty()).then_some(id));
                return Ok(());
            }
        }
        if !self.normalizer.append(row, &origin)? {
            // The same key came twice: within a batch the order is lost, so the first row is sent
            // before.
            let batch = batch(&mut self.normalizer, &mut self.gone)?;
            self.full.push_back(batch);
            self.normalizer.append(row, &origin)?;
        }
        Ok(())
    }

    /// Takes the keys of deleted records.
    pub fn gone(&mut self, keys: &[String]) {
        if self.deletes != Deletes::Keep {
            let ids = keys.iter().map(|key| self.normalizer.id_of_key(key));
            self.gone.extend(ids);
        }
    }

    /// Ends a list that has been read to its end: no more of its rows come.
    pub fn end_list(&mut self, list: u64) {
        self.normalizer.end_list(list);
    }

    /// Returns whether the collected rows are worth a batch; `rows` of them are.
    pub fn is_full(&self, rows: usize) -> bool {
        self.normalizer.rows() >= BATCH_ROWS.min(rows) || self.normalizer.bytes() >= BATCH_BYTES
    }

    /// Returns the oldest batch that was closed within a page.
    pub fn next_full(&mut self) -> Option<Batch> {
        self.full.pop_front()
    }

    /// Returns all that is left. A table without rows is included: its columns must exist.
    pub fn rest(&mut self) -> Result<Batch> {
        batch(&mut self.normalizer, &mut self.gone)
    }

    /// Discards the rows that were not sent yet, and their drift.
    pub fn refuse(&mut self) {
        self.full.clear();
        self.normalizer.forget_drift();
    }

    /// Returns the drift of the rows.
    pub fn drift(&self) -> Vec<(String, String, String, u64)> {
        self.normalizer.drift_lines()
    }
}

fn batch(normalizer: &mut Normalizer, gone: &mut BTreeSet<String>) -> Result<Batch> {
    Ok(Batch {
        tables: normalizer.finish()?,
        drift: normalizer.take_drift(),
        gone: std::mem::take(gone).into_iter().collect(),
    })
}
