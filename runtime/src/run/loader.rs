//! The thread that owns the destination: it takes chunks in order and commits them together with the state.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, ErrorKind, Result};
use crate::load::checks::{self, Checks};
use crate::load::{CheckpointPolicy, Chunk, Destination, Limits, LoadInfo, LoadStatus, Memory};
use crate::run::dlt::Meta;
use crate::run::evolve::Evolved;
use crate::run::{Observer, Progress, trace};
use crate::schema::Drifted;
use crate::state::StateChange;

/// Chunks that may wait for the destination; more would only cost memory.
const WAITING: usize = 2;

/// Rows and the state that belongs to them: both are committed, or neither.
pub(crate) struct Delivery {
    pub chunk: Option<Chunk>,
    /// What the rows of the chunk brought that the struct does not say.
    pub drift: Vec<(Drifted, u64)>,
    pub state: Vec<StateChange>,
}

enum Message {
    Deliver(Delivery),
    Finish(LoadStatus),
}

/// The loader's end that the readers hold.
#[derive(Clone)]
pub(crate) struct LoaderHandle(mpsc::Sender<Message>);

impl LoaderHandle {
    /// Hands over a delivery; waits while the destination is behind.
    pub async fn send(&self, delivery: Delivery) -> Result<()> {
        // The loader's own error is what the run reports; this one only ends the reader.
        self.0
            .send(Message::Deliver(delivery))
            .await
            .map_err(|_| Error::new(ErrorKind::Destination, "the destination failed"))
    }
}

/// What is done to a destination when it has been opened.
pub(crate) type Evolve = Box<dyn FnOnce(&mut dyn Destination, Memory) -> Result<Evolved> + Send>;

/// The running loader.
pub(crate) struct Loader {
    pub handle: LoaderHandle,
    pub limits: Limits,
    pub policy: CheckpointPolicy,
    ended: oneshot::Receiver<Result<()>>,
}

impl Loader {
    /// Opens the destination on a thread of its own. `evolve` compares what it remembers with what is
    /// declared, and changes it before anything else is done.
    pub async fn start(
        destination: Box<dyn Destination>,
        evolve: Evolve,
        load: LoadInfo,
        policy: CheckpointPolicy,
        meta: Option<Meta>,
        observer: Arc<dyn Observer>,
    ) -> Result<(Self, Evolved)> {
        let limits = destination.limits();
        let (sender, receiver) = mpsc::channel(WAITING);
        let (opened, opening) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Handle::current();
        let span = tracing::Span::current();
        let thread = move || {
            let _within = span.entered();
            let mut destination = destination;
            let mut meta = meta;
            let memory = destination.open(&load).and_then(|memory| {
                let place = |error: Error| error.at(destination.describe());
                checks::layout(&load, &memory).map_err(place)?;
                Ok(memory)
            });
            let evolved = memory.and_then(|memory| evolve(&mut *destination, memory));
            let checks = evolved.as_ref().map(|evolved| Checks::new(&evolved.memory));
            if let (Ok(evolved), Some(meta)) = (&evolved, &mut meta) {
                let tables = evolved.memory.tables.iter();
                tables.for_each(|table| meta.learn(table));
            }
            let checks = checks.ok();
            if opened.send(evolved).is_ok()
                && let Some(checks) = checks
            {
                let worker = Worker {
                    destination,
                    checks,
                    observer,
                    policy,
                    meta,
                    state: HashMap::new(),
                    rows: 0,
                    since: None,
                };
                let _ = end.send(worker.run(&runtime, receiver));
            }
        };
        std::thread::Builder::new()
            .name("etlgen-loader".into())
            .spawn(thread)?;
        let evolved = opening.await.map_err(|_| lost())??;
        Ok((
            Loader {
                handle: LoaderHandle(sender),
                limits,
                policy,
                ended,
            },
            evolved,
        ))
    }

    /// Commits what is left, marks the load, and tells whether all went well.
    pub async fn finish(self, status: LoadStatus) -> Result<()> {
        // A loader that is gone has left its error.
        let _ = self.handle.0.send(Message::Finish(status)).await;
        self.ended.await.map_err(|_| lost())?
    }
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Destination,
        "the thread of the destination ended early; this is a bug",
    )
}

struct Worker {
    destination: Box<dyn Destination>,
    checks: Checks,
    observer: Arc<dyn Observer>,
    policy: CheckpointPolicy,
    /// In dlt's layout: the rows of dlt's own tables.
    meta: Option<Meta>,
    /// Changes since the last commit, the last one of each row.
    state: HashMap<(String, String), StateChange>,
    /// Root rows since the last commit.
    rows: u64,
    /// When the first uncommitted change came.
    since: Option<Instant>,
}

impl Worker {
    fn run(
        mut self,
        runtime: &tokio::runtime::Handle,
        mut receiver: mpsc::Receiver<Message>,
    ) -> Result<()> {
        loop {
            let left = self
                .since
                .map(|since| self.policy.interval.saturating_sub(since.elapsed()));
            let received = match left {
                None => runtime.block_on(receiver.recv()),
                Some(left) => match runtime
                    .block_on(async { tokio::time::timeout(left, receiver.recv()).await })
                {
                    Ok(received) => received,
                    Err(_) => {
                        self.commit(LoadStatus::Running)?;
                        continue;
                    }
                },
            };
            match received {
                Some(Message::Deliver(delivery)) => self.take(delivery)?,
                Some(Message::Finish(status)) => return self.commit(status),
                // No word means that the run itself is gone: what is whole is kept.
                None => return self.commit(LoadStatus::Partial),
            }
            if self.rows >= self.policy.rows as u64 {
                self.commit(LoadStatus::Running)?;
            }
        }
    }

    fn take(&mut self, delivery: Delivery) -> Result<()> {
        if let Some(chunk) = &delivery.chunk {
            let place = |error: Error| error.at(self.destination.describe());
            self.checks.chunk(chunk).map_err(place)?;
            self.destination.write(chunk)?;
            if let Some(meta) = &mut self.meta {
                chunk
                    .tables
                    .iter()
                    .for_each(|table| meta.learn(&table.schema));
            }
            if !delivery.drift.is_empty() {
                self.destination.drift(&chunk.resource, &delivery.drift)?;
            }
            self.rows += chunk
                .tables
                .first()
                .map_or(0, |root| root.rows.num_rows() as u64);
        }
        for change in delivery.state {
            let (resource, slice) = change.key();
            self.state
                .insert((resource.to_owned(), slice.to_owned()), change);
        }
        self.since.get_or_insert_with(Instant::now);
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
            self.destination.write(&chunk)?;
        }
        let state: Vec<StateChange> = self.state.drain().map(|(_, change)| change).collect();
        self.destination.commit(&state, status)?;
        self.since = None;
        self.observer.on(Progress::Committed {
            rows: std::mem::take(&mut self.rows),
        });
        Ok(())
    }
}
