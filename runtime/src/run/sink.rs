//! Where the pages of one resource meet: rows become batches, and leave for the loader together with the state that
//! says how far the resource has been read.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::load::{CheckpointPolicy, Chunk, DeletedIds, NotSeenSince};
use crate::normalize::{Normalizer, RowOrigin};
use crate::record::{CursorValue, Lookup, RowRef};
use crate::run::changes::{Feed, Pending};
use crate::run::children::Children;
use crate::run::extract::now;
use crate::run::loader::{Delivery, LoaderHandle};
use crate::run::order::Sorting;
use crate::run::stats::Stats;
use crate::run::window::Window;
use crate::schema::{Deletes, Disposition, Drifted, TableBatch};
use crate::source::{ReadPage, RowSink, SliceRequest};
use crate::state::StateChange;

/// A batch leaves when it holds that many records …
const BATCH_ROWS: usize = 10_000;
/// … or about that many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// Where the pages of one resource meet; its slices share it.
pub(crate) struct Sink {
    pub resource: Arc<str>,
    /// `None`: the resource is read only for its children.
    normalizer: Option<Normalizer>,
    disposition: Disposition,
    loader: LoaderHandle,
    policy: CheckpointPolicy,
    /// When the oldest row that has not left came.
    since: Option<Instant>,
    pub children: Vec<Children>,
    stats: Arc<Stats>,
    state: Vec<StateChange>,
    /// The next chunk begins a staged pass.
    begins_pass: bool,
    /// What becomes of the records that a whole pass has not brought; said when it ends.
    pub not_seen: Option<NotSeenSince>,
    /// What the state says once the resource has been read to its end.
    pub last: Option<StateChange>,
    /// What becomes of records that are gone.
    pub deletes: Deletes,
    /// The field that says that a record is gone.
    pub tombstone: Option<Lookup>,
    /// The ids of records that are gone, since the last batch.
    gone: BTreeSet<String>,
    /// The first part of the key.
    pub key: Option<Lookup>,
    /// What the records say of other resources.
    pub feed: Option<Feed>,
    /// What a feed says of this resource's records.
    pub pending: Option<Pending>,
    /// The contract forbids what came: nothing that has not left is loaded, nor anything after it.
    refused: Option<String>,
}

/// Where the rows of a page belong.
pub(crate) struct PageOrigin<'a> {
    pub slice: &'a str,
    pub request: &'a SliceRequest,
    /// Columns that each row gets.
    pub columns: &'a BTreeMap<String, Option<String>>,
    pub pass: &'a str,
    /// The number of its list, of all that this run reads.
    pub list: u64,
    /// Rows received from this list before the page.
    pub rows_before: u64,
    pub window: &'a Window,
    /// Rows of the page that are taken.
    pub limit: u64,
}

impl Sink {
    pub fn new(
        resource: Arc<str>,
        normalizer: Option<Normalizer>,
        disposition: Disposition,
        loader: LoaderHandle,
        policy: CheckpointPolicy,
        children: Vec<Children>,
        stats: Arc<Stats>,
    ) -> Self {
        Sink {
            resource,
            normalizer,
            disposition,
            loader,
            policy,
            since: None,
            children,
            stats,
            state: Vec::new(),
            begins_pass: false,
            not_seen: None,
            last: None,
            deletes: Deletes::Keep,
            tombstone: None,
            gone: BTreeSet::new(),
            key: None,
            feed: None,
            pending: None,
            refused: None,
        }
    }

    /// The next rows begin a pass whose rows replace the table's when it ends.
    pub fn begin_pass(&mut self) {
        self.begins_pass = self.disposition == Disposition::Replace;
    }

    /// Takes a page. Returns the highest cursor value of its rows; `sorting` sees them all.
    pub async fn page(
        &mut self,
        page: ReadPage,
        origin: &PageOrigin<'_>,
        sorting: &mut Sorting,
    ) -> Result<Option<CursorValue>> {
        if let Some(message) = &self.refused {
            return Err(Error::new(ErrorKind::Contract, message));
        }
        let mut taker = Taker {
            sink: self,
            origin,
            sorting,
            ordinal: origin.rows_before,
            high: None,
            cursor: None,
            full: Vec::new(),
        };
        let drained = page.rows.drain(&mut taker);
        let (high, full) = (taker.high, taker.full);
        if let Err(error) = drained {
            // The state says that rows are loaded which wait with those of this page.
            if error.kind() == ErrorKind::Contract {
                self.refused = Some(error.report());
            }
            return Err(error);
        }
        for batch in full {
            self.send(Some(batch), Vec::new(), false).await?;
        }
        Ok(high)
    }

    /// Takes the keys of records that are gone.
    pub fn gone(&mut self, keys: &[String]) {
        let normalizer = self.normalizer.as_mut();
        if let Some(normalizer) = normalizer.filter(|_| self.deletes != Deletes::Keep) {
            (self.gone).extend(keys.iter().map(|key| normalizer.id_of_key(key)));
        }
    }

    /// Keeps the last change of the state back, if others must take what this resource's records say first.
    pub fn hold(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.end_with(self.state.pop());
        }
    }

    /// A list has been read to its end.
    pub fn end_list(&mut self, list: u64) {
        if let Some(normalizer) = &mut self.normalizer {
            normalizer.end_list(list);
        }
    }

    /// Adds a change of the state to the rows taken so far: they are committed together.
    pub fn remember(&mut self, change: StateChange) {
        self.state.push(change);
    }

    /// Sends what there is if it is worth a batch; a resource with children sends each page, so that they can start.
    pub async fn checkpoint(&mut self) -> Result<()> {
        let rows = BATCH_ROWS.min(self.policy.rows);
        let full = self
            .normalizer
            .as_ref()
            .is_some_and(|n| n.rows() >= rows || n.bytes() >= BATCH_BYTES);
        // A slow API must not keep its rows from being committed.
        let waited = self.since.get_or_insert_with(Instant::now).elapsed();
        if full || waited >= self.policy.interval / 2 || !self.children.is_empty() {
            self.flush(false).await
        } else {
            Ok(())
        }
    }

    /// Sends what there is; `ends_pass`: the resource has been read to its end.
    pub async fn flush(&mut self, ends_pass: bool) -> Result<()> {
        self.since = None;
        if self.refused.is_some() {
            return Ok(());
        }
        for child in &mut self.children {
            self.state.extend(child.pending_state());
        }
        let batch = match &mut self.normalizer {
            Some(normalizer) => Some(Batch::of(normalizer, &mut self.gone)?),
            None => None,
        };
        self.state.extend(self.last.take_if(|_| ends_pass));
        let state = std::mem::take(&mut self.state);
        self.send(batch, state, ends_pass).await?;
        // Only now: the rows of a child must not overtake the row that says the slice is to be read.
        for child in &mut self.children {
            child.release().await;
        }
        Ok(())
    }

    async fn send(
        &mut self,
        batch: Option<Batch>,
        state: Vec<StateChange>,
        ends_pass: bool,
    ) -> Result<()> {
        let Batch {
            tables,
            drift,
            gone,
        } = batch.unwrap_or_default();
        let mark = (self.deletes == Deletes::Soft).then(now);
        let chunk = self.normalizer.is_some().then(|| Chunk {
            resource: self.resource.clone(),
            disposition: self.disposition,
            begins_pass: std::mem::take(&mut self.begins_pass),
            ends_pass: ends_pass && self.disposition == Disposition::Replace,
            tables,
            not_seen: self.not_seen.take_if(|_| ends_pass),
            deleted: (!gone.is_empty()).then_some(DeletedIds { ids: gone, mark }),
        });
        if let Some(chunk) = &chunk {
            let mut shared = self.stats.lock();
            for table in &chunk.tables {
                let rows = table.rows.num_rows() as u64;
                match shared
                    .tables
                    .iter_mut()
                    .find(|(name, _)| *name == table.schema.name)
                {
                    Some((_, count)) => *count += rows,
                    None => shared.tables.push((table.schema.name.clone(), rows)),
                }
            }
        }
        let delivery = Delivery {
            chunk,
            drift,
            state,
        };
        self.loader.send(delivery).await
    }

    /// The resource has been read to its end, or has failed (`None`). `whole`: it was proved that nothing is missing.
    pub async fn close(&mut self, whole: Option<bool>) {
        // Nobody waits for it any more.
        self.feed = None;
        for child in self.children.drain(..) {
            match whole {
                Some(whole) => child.end(whole).await,
                None => child.give_up().await,
            }
        }
    }

    /// The resource was left out, and so are its children.
    pub async fn skip(&mut self) {
        self.feed = None;
        for child in self.children.drain(..) {
            child.skip().await;
        }
    }

    /// What the normaliser says of drift: (table, key or column, what was done, how many).
    pub fn drift(&mut self) -> Vec<(String, String, String, u64)> {
        if let Some(normalizer) = self.normalizer.as_mut().filter(|_| self.refused.is_some()) {
            normalizer.forget_drift();
        }
        self.normalizer
            .as_ref()
            .map(Normalizer::drift_lines)
            .unwrap_or_default()
    }
}

/// Rows that leave, and what they brought that the struct does not say.
#[derive(Default)]
struct Batch {
    tables: Vec<TableBatch>,
    drift: Vec<(Drifted, u64)>,
    /// The ids of records that are gone.
    gone: Vec<String>,
}

impl Batch {
    fn of(normalizer: &mut Normalizer, gone: &mut BTreeSet<String>) -> Result<Self> {
        Ok(Batch {
            tables: normalizer.finish()?,
            drift: normalizer.take_drift(),
            gone: std::mem::take(gone).into_iter().collect(),
        })
    }
}

/// Takes the rows of one page.
struct Taker<'a> {
    sink: &'a mut Sink,
    origin: &'a PageOrigin<'a>,
    sorting: &'a mut Sorting,
    ordinal: u64,
    high: Option<CursorValue>,
    /// Of the row that comes next.
    cursor: Option<CursorValue>,
    full: Vec<Batch>,
}

impl RowSink for Taker<'_> {
    fn admit(&mut self, cursor: Option<CursorValue>) -> bool {
        self.ordinal += 1;
        self.sorting.see(cursor.as_ref());
        let cut = self.ordinal - self.origin.rows_before > self.origin.limit;
        if cut {
            return false;
        }
        let wanted = self.origin.window.holds(cursor.as_ref());
        let stats = &self.sink.stats;
        if !wanted {
            stats.outside.fetch_add(1, Relaxed);
        } else if cursor.is_none() {
            stats.without_cursor.fetch_add(1, Relaxed);
        } else if cursor > self.high {
            self.high.clone_from(&cursor);
        }
        if self.sink.feed.is_some() {
            self.cursor = cursor;
        }
        wanted
    }

    fn take(&mut self, row: RowRef<'_>, record: &dyn Any) -> Result<()> {
        if let Some(feed) = &mut self.sink.feed {
            feed.take(record, self.cursor.as_ref())?;
        }
        if let (Some(pending), Some(key)) = (&mut self.sink.pending, &self.sink.key) {
            pending.forget(key, row);
        }
        let deletes = self.sink.deletes;
        let tombstone = self
            .sink
            .tombstone
            .as_ref()
            .filter(|_| deletes != Deletes::Keep);
        let gone = tombstone.and_then(|field| field.gone(row));
        // What is gone has no lists.
        let linked = self.sink.children.iter_mut().filter(|_| gone.is_none());
        for child in linked {
            if !child.link(record, self.origin.request) {
                self.sink.stats.unlinked.fetch_add(1, Relaxed);
            }
        }
        let Some(normalizer) = &mut self.sink.normalizer else {
            return Ok(());
        };
        let origin = RowOrigin {
            slice: self.origin.slice,
            // Rows without a key are named by their place; in a pass that appends, the pass is part of it.
            pass: if self.sink.disposition == Disposition::Append {
                self.origin.pass
            } else {
                ""
            },
            list: self.origin.list,
            ordinal: self.ordinal - 1,
            copied: self.origin.columns,
            deleted: gone.map(|since| since.unwrap_or_else(now)),
        };
        let removed = gone.is_some() && deletes == Deletes::Hard;
        if removed || !self.sink.gone.is_empty() {
            let id = normalizer.id_of(row, &origin);
            let (id, here) = id.unwrap_or_default();
            let turns = match removed {
                true => here,
                false => self.sink.gone.contains(&id),
            };
            // Within a batch what is gone goes last, whatever came first.
            if turns {
                self.full.push(Batch::of(normalizer, &mut self.sink.gone)?);
            }
            if removed {
                self.sink.gone.extend((!id.is_empty()).then_some(id));
                return Ok(());
            }
        }
        if !normalizer.append(row, &origin)? {
            // The same key twice: within a batch the order is lost, so the first one leaves before.
            self.full.push(Batch::of(normalizer, &mut self.sink.gone)?);
            normalizer.append(row, &origin)?;
        }
        Ok(())
    }
}
