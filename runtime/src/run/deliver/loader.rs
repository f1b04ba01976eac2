//! The loader, which owns the destination: it takes chunks in order and commits them together with
//! the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use crate::error::{Error, ErrorKind, Result};
use crate::load::checks::Checks;
use crate::load::{
    CheckpointPolicy, Chunk, Commit, Destination, LoadInfo, LoadStatus, Memory, open,
};
use crate::run::deliver::dlt::Meta;
use crate::run::deliver::earlier::{Earlier, Recall};
use crate::run::migrate::Migrated;
use crate::run::options::{Observer, Progress};
use crate::run::report::trace;
use crate::schema::Drifted;
use crate::state::StateChange;
use crate::world::{Moment, World};

/// Chunks that may wait for the destination; more would only cost memory.
const WAITING: usize = 2;

/// Rows and the state that belongs to them, which are committed together.
pub(crate) struct Delivery {
    pub chunk: Option<Chunk>,
    /// The drift of the rows of the chunk.
    pub drift: Vec<(Drifted, u64)>,
    pub state: Vec<StateChange>,
}

enum Message {
    Deliver(Delivery),
    Recall(Recall, oneshot::Sender<Result<Option<Earlier>>>),
    Finish(LoadStatus),
}

/// The readers' end of the queue to the loader.
#[derive(Clone)]
pub(crate) struct LoaderHandle {
    sender: mpsc::Sender<Message>,
    pub world: World,
}

impl LoaderHandle {
    /// Hands over a delivery; waits while the destination is behind.
    pub async fn send(&self, delivery: Delivery) -> Result<()> {
        // The loader's own error is what the run reports; this one only ends the reader.
        self.sender
            .send(Message::Deliver(delivery))
            .await
            .map_err(|_| Error::new(ErrorKind::Destination, "the destination failed"))
    }

    /// Returns what interrupted runs of a pass have loaded; `None` if the destination cannot read
    /// that.
    pub async fn recall(&self, recall: Recall) -> Result<Option<Earlier>> {
        let (sender, answer) = oneshot::channel();
        let message = Message::Recall(recall, sender);
        self.sender.send(message).await.map_err(|_| lost())?;
        answer.await.map_err(|_| lost())?
    }
}

/// The target of the outputs of a load, and how often it commits.
#[derive(Clone)]
pub(crate) struct Target {
    pub loader: LoaderHandle,
    pub policy: CheckpointPolicy,
    /// The most columns that a table may have.
    pub columns: usize,
    /// Whether the destination does not write unchanged records again.
    pub skips_unchanged: bool,
}

/// The number of records of each resource that a load did not write because the destination had them unchanged.
pub(crate) type Unchanged = BTreeMap<String, u64>;

/// The function that migrates a destination after it was opened.
pub(crate) type Migration =
    Box<dyn FnOnce(&mut dyn Destination, Memory) -> Result<Migrated> + Send>;

/// The running loader.
pub(crate) struct Loader {
    target: Target,
    ended: oneshot::Receiver<Result<Unchanged>>,
}

/// What a loader needs to start.
pub(crate) struct Opening {
    pub destination: Box<dyn Destination>,
    pub load: LoadInfo,
    pub policy: CheckpointPolicy,
    /// The rows of dlt's own tables, in dlt's layout.
    pub meta: Option<Meta>,
    pub observer: Arc<dyn Observer>,
}

impl Opening {
    /// Opens the destination, on a thread of its own unless the world says otherwise. `migration`
    /// migrates the destination to the current declaration before anything else is done.
    pub async fn start(self, migration: Migration) -> Result<(Loader, Migrated)> {
        let (policy, can) = (self.policy, self.destination.capabilities());
        let (sender, receiver) = mpsc::channel(WAITING);
        let (opened, opening) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let world = self.load.world().clone();
        let span = tracing::Span::current();
        // The receiver of the result may export the spans at once, so the span of the run is
        // dropped before.
        let drive = async move {
            match span.in_scope(|| self.open(migration)) {
                Ok((migrated, worker)) => {
                    if opened.send(Ok(migrated)).is_ok() {
                        let result = worker.run(receiver).instrument(span).await;
                        let _ = end.send(result);
                    }
                }
                Err(error) => {
                    drop(span);
                    let _ = opened.send(Err(error));
                }
            }
        };
        world.host_loader(drive)?;
        let migrated = opening.await.map_err(|_| lost())??;
        let target = Target {
            loader: LoaderHandle { sender, world },
            policy,
            columns: can.columns,
            skips_unchanged: can.skips_unchanged,
        };
        Ok((Loader { target, ended }, migrated))
    }

    fn open(mut self, migration: Migration) -> Result<(Migrated, Worker)> {
        let memory = open(&mut *self.destination, &self.load)?;
        let migrated = migration(&mut *self.destination, memory)?;
        if let Some(meta) = &mut self.meta {
            meta.belongs_to(self.load.after(&migrated.memory));
            let tables = migrated.memory.tables.iter();
            tables.for_each(|table| meta.learn(table));
        }
        let worker = Worker {
            checks: Checks::new(&migrated.memory),
            destination: self.destination,
            observer: self.observer,
            policy: self.policy,
            meta: self.meta,
            state: BTreeMap::new(),
            world: self.load.world().clone(),
            number: 0,
            rows: 0,
            since: None,
        };
        Ok((migrated, worker))
    }
}

impl Loader {
    /// Returns where the outputs of the resources deliver.
    pub fn target(&self) -> Target {
        self.target.clone()
    }

    /// Commits what is left, marks the load, and returns the numbers of unchanged records, or the loader's error.
    pub async fn finish(self, status: LoadStatus) -> Result<Unchanged> {
        // A loader that has ended has left its error.
        let handle = &self.target.loader;
        let _ = handle.sender.send(Message::Finish(status)).await;
        self.ended.await.map_err(|_| lost())?
    }
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Destination,
        "the loader ended early; this is a bug",
    )
}

struct Worker {
    destination: Box<dyn Destination>,
    checks: Checks,
    observer: Arc<dyn Observer>,
    policy: CheckpointPolicy,
    /// The rows of dlt's own tables, in dlt's layout.
    meta: Option<Meta>,
    /// Changes since the last commit; only the last one of each row is kept.
    state: BTreeMap<(String, String), StateChange>,
    world: World,
    /// The number of the last commit.
    number: u64,
    /// Root rows since the last commit.
    rows: u64,
    /// When the first uncommitted change came.
    since: Option<Moment>,
}

impl Worker {
    async fn run(mut self, receiver: mpsc::Receiver<Message>) -> Result<Unchanged> {
        self.deliver(receiver).await?;
        Ok(self.destination.unchanged())
    }

    async fn deliver(&mut self, mut receiver: mpsc::Receiver<Message>) -> Result<()> {
        loop {
            let received = match self.since {
                None => receiver.recv().await,
                Some(since) => {
                    let due = since.after(self.policy.interval);
                    let left = due.since(self.world.moment());
                    match self.world.timeout(left, receiver.recv()).await {
                        Some(received) => received,
                        None => {
                            self.commit(LoadStatus::Running)?;
                            continue;
                        }
                    }
                }
            };
            match received {
                Some(Message::Deliver(delivery)) => self.take(delivery)?,
                Some(Message::Recall(recall, answer)) => {
                    let place = self.destination.describe();
                    let earlier = recall.read(&mut *self.destination);
                    // A run that has ended does not wait for the answer.
                    let _ = answer.send(earlier.map_err(|error| error.at(place)));
                    continue;
                }
                Some(Message::Finish(status)) => return self.commit(status),
                // A closed queue means that the run itself has ended: what is complete is kept.
                None => return self.commit(LoadStatus::Partial),
            }
            if self.rows >= self.policy.rows as u64 {
                self.commit(LoadStatus::Running)?;
            }
        }
    }

    fn take(&mut self, delivery: Delivery) -> Result<()> {
        if let Some(chunk) = delivery.chunk {
            self.checks.chunk(&mut *self.destination, &chunk)?;
            if let Some(meta) = &mut self.meta {
                chunk.tables().for_each(|table| meta.learn(&table.schema));
            }
            self.rows += chunk.records();
            let resource = chunk.resource.clone();
            self.destination.write(chunk)?;
            if !delivery.drift.is_empty() {
                self.destination.drift(&resource, &delivery.drift)?;
            }
        }
        for change in delivery.state {
            let (resource, slice) = change.key();
            let key = (resource.to_owned(), slice.to_owned());
            self.state.insert(key, change);
        }
        self.since.get_or_insert_with(|| self.world.moment());
        Ok(())
    }

    fn commit(&mut self, status: LoadStatus) -> Result<()> {
        let _span = trace::commit(self.rows).entered();
        for chunk in self
            .meta
            .as_mut()
            .map(Meta::chunks)
            .transpose()?
            .into_iter()
            .flatten()
        {
            self.checks.chunk(&mut *self.destination, &chunk)?;
            self.destination.write(chunk)?;
        }
        let state: Vec<StateChange> = std::mem::take(&mut self.state).into_values().collect();
        self.number += 1;
        let commit = Commit::new(self.number, &state, &status);
        if let Err(error) = self.destination.commit(&commit) {
            // The commit may be there although its answer was lost.
            match self.destination.committed() {
                Ok(last) if last == self.number => {}
                _ => return Err(error),
            }
        }
        self.since = None;
        self.observer.on(Progress::Committed {
            rows: std::mem::take(&mut self.rows),
        });
        Ok(())
    }
}
