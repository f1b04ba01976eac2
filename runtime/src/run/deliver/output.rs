//! Turns the pages of one resource into batches and hands each to the loader with the state that it
//! completes.

use std::sync::Arc;

use super::children::ChildQueue;
use super::earlier::Earlier;
use super::loader::{Delivery, LoaderHandle, Target};
use super::rows::{Batch, RowCollector};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Seal;
use crate::load::{CheckpointPolicy, Chunk, DeletedIds, NotSeenSince, Operation, PassMark};
use crate::normalize::Normalizer;
use crate::page::Proof;
use crate::run::plan::{PassPlan, StateScope, WritePlan};
use crate::run::read::output::{Boxed, Closed, Output, PassEnd};
use crate::run::read::rows::PageRows;
use crate::run::report::stats::Stats;
use crate::schema::{ColumnRole, Deletes, Disposition, TableBatch};
use crate::source::{ResourceSpec, SliceRequest};
use crate::state::StateChange;
use crate::world::Moment;

/// A function that makes the seal of a resource from its current secrets.
type Sealing = Box<dyn Fn() -> Seal + Send>;

/// The output of one resource into a destination.
pub(crate) struct LoadOutput {
    resource: Arc<str>,
    /// The rows; `None` if the resource is read only for its children.
    rows: Option<RowCollector>,
    disposition: Disposition,
    /// What happens to records that the API reports as deleted.
    declared: Deletes,
    /// What happens to records that are missing from a whole pass.
    deletes: Deletes,
    /// The id of the pass.
    pass: String,
    /// The scope of its rows in the state.
    scope: StateScope,
    loader: LoaderHandle,
    policy: CheckpointPolicy,
    /// The most columns that a table may have.
    columns: usize,
    /// When the oldest row that was not sent yet came.
    since: Option<Moment>,
    children: Vec<ChildQueue>,
    stats: Arc<Stats>,
    /// Keeps the secrets of its requests out of the state.
    seal: Option<Sealing>,
    state: Vec<StateChange>,
    /// The change of the state once the resource has been read to its end.
    last: Option<StateChange>,
    /// Whether the next chunk begins a staged pass.
    begins_pass: bool,
    /// Whether interrupted runs of the pass have loaded rows whose keys are unknown.
    doubted: bool,
    /// Why data was refused: nothing that was not sent yet is loaded, nor anything after it.
    refused: Option<String>,
}

impl LoadOutput {
    /// Creates the output of a resource that is read only for its children: see
    /// [`LoadOutput::with_rows`].
    pub fn new(
        spec: &ResourceSpec,
        pass: &PassPlan,
        write: &WritePlan,
        target: Target,
        stats: Arc<Stats>,
    ) -> Self {
        LoadOutput {
            resource: spec.name.as_str().into(),
            rows: None,
            disposition: write.disposition,
            declared: spec.deletes,
            deletes: write.deletes,
            pass: pass.id.clone(),
            scope: pass.scope.clone(),
            loader: target.loader,
            policy: target.policy,
            columns: target.columns,
            since: None,
            children: Vec::new(),
            stats,
            seal: None,
            state: write.first.clone(),
            last: write.last.clone(),
            begins_pass: !pass.resumes && pass.staged,
            doubted: false,
            refused: None,
        }
    }

    /// Loads the rows.
    pub fn with_rows(self, normalizer: Normalizer) -> Self {
        // Rows without a key are identified by their position; in a pass that appends, the pass is
        // part of it.
        let pass = match self.disposition {
            Disposition::Append => self.pass.clone(),
            _ => String::new(),
        };
        let world = self.loader.world.clone();
        let rows = RowCollector::new(normalizer, world, pass, self.declared);
        LoadOutput {
            rows: Some(rows),
            ..self
        }
    }

    /// Compares the rows with those that interrupted runs of the pass have loaded; `None`: the
    /// destination cannot read them.
    pub fn after(mut self, earlier: Option<Earlier>) -> Self {
        self.doubted = earlier.is_none();
        if let Some(rows) = &mut self.rows {
            rows.after(earlier);
        }
        self
    }

    /// Keeps secrets out of the state.
    pub fn sealed(self, seal: impl Fn() -> Seal + Send + 'static) -> Self {
        LoadOutput {
            seal: Some(Box::new(seal)),
            ..self
        }
    }

    /// Sets the queues for the slices of its children.
    pub fn with_children(self, children: Vec<ChildQueue>) -> Self {
        LoadOutput { children, ..self }
    }

    /// Sends the batches that had to be closed within a page.
    async fn send_full(&mut self) -> Result<()> {
        while let Some(batch) = self.rows.as_mut().and_then(RowCollector::next_full) {
            self.send(Some(batch), Vec::new(), None).await?;
        }
        Ok(())
    }

    async fn send_all(&mut self, end: Option<PassEnd>) -> Result<()> {
        self.since = None;
        if self.refused.is_some() {
            return Ok(());
        }
        self.send_full().await?;
        for child in &mut self.children {
            self.state.extend(child.pending_state());
        }
        let batch = self.rows.as_mut().map(RowCollector::rest).transpose()?;
        self.state.extend(self.last.take_if(|_| end.is_some()));
        let mut state = std::mem::take(&mut self.state);
        let ends = end.is_some() && self.scope.ends(&self.pass, &state);
        if let Some(seal) = self.seal.as_ref().filter(|_| !state.is_empty()) {
            let seal = seal();
            for change in &mut state {
                if let StateChange::Put(row) = change {
                    row.value = seal.close(&row.value);
                }
            }
        }
        self.send(batch, state, end.map(|end| (end, ends))).await?;
        // Slices are released only now: the rows of a child must not overtake the state row of the
        // slice.
        for child in &mut self.children {
            child.release().await;
        }
        Ok(())
    }

    /// Sends a batch with the state that it completes; at the end of the pass also how it ends, and whether the state
    /// records that.
    async fn send(
        &mut self,
        batch: Option<Batch>,
        state: Vec<StateChange>,
        end: Option<(PassEnd, bool)>,
    ) -> Result<()> {
        let (chunk, drift) = match batch {
            Some(Batch {
                tables,
                drift,
                gone,
            }) => {
                self.check_columns(&tables)?;
                self.stats.wrote(&tables)?;
                let operations = self.operations(tables, gone, end.map(|(end, _)| end));
                let chunk = Chunk::new(self.resource.clone(), operations);
                let chunk = chunk.of_pass(PassMark {
                    id: self.pass.clone(),
                    scope: self.scope.name().to_owned(),
                    ends: end.is_some_and(|(_, ends)| ends),
                });
                (Some(chunk), drift)
            }
            None => (None, Vec::new()),
        };
        let delivery = Delivery {
            chunk,
            drift,
            state,
        };
        self.loader.send(delivery).await
    }

    /// Returns what is done with the rows of a batch and the records that the API reports as deleted.
    fn operations(
        &mut self,
        tables: Vec<TableBatch>,
        gone: Vec<String>,
        end: Option<PassEnd>,
    ) -> Vec<Operation> {
        let staged = self.disposition == Disposition::Replace;
        let first = std::mem::take(&mut self.begins_pass);
        let mut operations = vec![match self.disposition {
            Disposition::Append => Operation::Append(tables),
            Disposition::Merge => Operation::Merge(tables),
            Disposition::Replace => Operation::Stage { tables, first },
        }];
        if let Some(not_seen) = end.and_then(|end| self.not_seen(end)) {
            operations.push(Operation::DeleteNotSeen(not_seen));
        }
        if !gone.is_empty() {
            let mark = (self.declared == Deletes::Soft).then(|| self.loader.world.micros());
            let deleted = DeletedIds::new(gone, mark).staged(staged);
            operations.push(Operation::Delete(deleted));
        }
        if staged && end.is_some_and(|end| end.publishes) {
            operations.push(Operation::Publish);
        }
        operations
    }

    /// Refuses tables that the destination cannot hold; nothing of the resource is loaded after
    /// that.
    fn check_columns(&mut self, tables: &[TableBatch]) -> Result<()> {
        let mut schemas = tables.iter().map(|table| &table.schema);
        let Some(wide) = schemas.find(|schema| schema.columns.len() > self.columns) else {
            return Ok(());
        };
        let mut data = wide.columns.iter().rev();
        let last = data.find(|column| column.role == ColumnRole::Data);
        let last = last.map_or("", |column| column.path.as_str());
        let message = format!(
            "the table `{}` would get {} columns, the last for `{}`, and the destination holds {} in a table",
            wide.name,
            wide.columns.len(),
            last.trim_start_matches('/').replace('/', "."),
            self.columns
        );
        self.refused = Some(message.clone());
        self.rows
            .as_mut()
            .into_iter()
            .for_each(RowCollector::refuse);
        Err(Error::new(ErrorKind::Contract, message).hint(
            "load fewer fields with `--select`, or declare the object with many keys as JSON",
        ))
    }

    /// Returns what happens to the records that a pass has not brought.
    fn not_seen(&self, end: PassEnd) -> Option<NotSeenSince> {
        let mark = (self.deletes == Deletes::Soft).then(|| self.loader.world.micros());
        (end.whole && self.deletes != Deletes::Keep)
            .then(|| NotSeenSince::new(self.pass.clone(), mark))
    }
}

impl Output for LoadOutput {
    fn page(&mut self, page: PageRows<'_>) -> Result<()> {
        if let Some(message) = &self.refused {
            return Err(Error::new(ErrorKind::Contract, message));
        }
        let taken = match &mut self.rows {
            Some(rows) => page.each(|row, place, origin| rows.take(row, place, origin)),
            None => page.each(|_, _, _| Ok(())),
        };
        // The state already counts rows that are collected with those of this page.
        if let Err(error) = &taken
            && error.kind() == ErrorKind::Contract
        {
            self.refused = Some(error.report());
            self.rows
                .as_mut()
                .into_iter()
                .for_each(RowCollector::refuse);
        }
        taken
    }

    fn replaced(&mut self) -> u64 {
        self.rows.as_mut().map_or(0, RowCollector::replaced)
    }

    fn doubt(&self) -> Option<String> {
        self.doubted.then(|| {
            "an interrupted run of this pass has loaded rows that this destination does not read back: whether a key recurs is unknown (`Destination::brought`)".to_owned()
        })
    }

    fn child(&mut self, child: usize, slice: SliceRequest) {
        if let Some(child) = self.children.get_mut(child) {
            child.find(slice);
        }
    }

    fn gone(&mut self, keys: &[String]) {
        if let Some(rows) = &mut self.rows {
            rows.gone(keys);
        }
    }

    fn end_list(&mut self, list: u64) {
        if let Some(rows) = &mut self.rows {
            rows.end_list(list);
        }
    }

    fn remember(&mut self, change: StateChange) {
        self.state.push(change);
    }

    /// Sends each page of a resource with children, so that they can start.
    fn checkpoint(&mut self) -> Boxed<'_, Result<()>> {
        Box::pin(async {
            let rows = self.policy.rows;
            let full = self.rows.as_ref().is_some_and(|taken| taken.is_full(rows));
            // A slow API must not keep its rows from being committed.
            let now = self.loader.world.moment();
            let waited = now.since(*self.since.get_or_insert(now));
            if full || waited >= self.policy.interval / 2 || !self.children.is_empty() {
                return self.send_all(None).await;
            }
            self.send_full().await
        })
    }

    fn flush(&mut self, end: Option<PassEnd>) -> Boxed<'_, Result<()>> {
        Box::pin(self.send_all(end))
    }

    fn close(&mut self, how: Closed) -> Boxed<'_, ()> {
        Box::pin(async move {
            let proof = self.stats.lock().proof.clone().unwrap_or(Proof::Open);
            let proof = proof.of_parent(&self.resource);
            for child in self.children.drain(..) {
                match how {
                    Closed::AtEnd { whole } => child.end(whole, proof.clone()).await,
                    Closed::Early => child.give_up().await,
                    Closed::Skipped => child.skip().await,
                }
            }
        })
    }

    fn drift(&mut self) -> Vec<(String, String, String, u64)> {
        self.rows
            .as_ref()
            .map(RowCollector::drift)
            .unwrap_or_default()
    }
}
