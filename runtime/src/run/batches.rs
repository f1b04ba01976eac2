//! Arrow batches as a stream, for programs that load them themselves.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::{Error, ErrorKind, Result};
use crate::load::emit::{Emit, Emitter};
use crate::load::{Capabilities, Commit, LoadInfo, Memory, Operation};
use crate::run::options::{Observer, RunOptions};
use crate::run::report::RunReport;
use crate::run::sync::sync;
use crate::source::Source;

/// Operations that may wait for the program; more would only cost memory.
const WAITING: usize = 2;

/// What a run hands over, in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Handed {
    /// Rows of a resource, or another operation on its tables.
    Operation {
        /// The resource.
        resource: String,
        /// What is done with its tables.
        operation: Operation,
    },
    /// Everything before is complete with this state: keep both in one transaction, and begin the
    /// next run with it.
    State(Box<Memory>),
    /// The run has ended. Nothing follows.
    End(Box<RunReport>),
}

/// The batches of a run, resource by resource.
pub struct Batches {
    handed: UnboundedReceiver<Result<Handed>>,
    gate: Arc<Gate>,
}

/// Lets the run go on while few operations wait.
#[derive(Default)]
struct Gate {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    operations: usize,
    /// The program takes no more.
    closed: bool,
}

impl Source {
    /// Runs as [`crate::run::sync`] does, and hands over Arrow batches of each table, with the state
    /// at each checkpoint. `from` is the last state that was kept, or `Memory::default()`. It must be
    /// called within a Tokio runtime.
    ///
    /// ```
    /// use etlgen_runtime::load::{Memory, Operation};
    /// use etlgen_runtime::prelude::*;
    /// use etlgen_runtime::run::{Handed, RunOptions};
    ///
    /// async fn load(source: &Source, last: Memory) -> Result<Memory> {
    ///     let mut kept = last.clone();
    ///     let mut batches = source.batches(RunOptions::default(), last, std::sync::Arc::new(()));
    ///     while let Some(handed) = batches.next().await {
    ///         match handed? {
    ///             Handed::Operation { resource, operation } => {
    ///                 for table in operation.tables() {
    ///                     println!("{resource}: {} rows of {}", table.rows.num_rows(), table.schema.name);
    ///                 }
    ///             }
    ///             Handed::State(state) => kept = *state,
    ///             Handed::End(report) => assert!(report.is_complete()),
    ///             _ => {}
    ///         }
    ///     }
    ///     Ok(kept)
    /// }
    /// # let _ = load;
    /// ```
    pub fn batches(
        &self,
        options: RunOptions,
        from: Memory,
        observer: Arc<dyn Observer>,
    ) -> Batches {
        let (sender, handed) = unbounded_channel();
        let gate = Arc::<Gate>::default();
        let into = Emitter::new(Sender {
            memory: from,
            blocks: self.world.loader_blocks(),
            to: sender.clone(),
            gate: gate.clone(),
        });
        let source = self.clone();
        tokio::spawn(async move {
            let ran = sync(&source, Box::new(into), &options, observer).await;
            // A program that takes no more does not wait for the end.
            let _ = sender.send(ran.map(|report| Handed::End(Box::new(report))));
        });
        Batches { handed, gate }
    }
}

impl Batches {
    /// Returns what comes next; `None` after the end of the run or after an error.
    pub async fn next(&mut self) -> Option<Result<Handed>> {
        let handed = self.handed.recv().await?;
        if let Ok(Handed::Operation { .. }) = &handed {
            let mut waiting = self.gate.lock();
            waiting.operations = waiting.operations.saturating_sub(1);
            self.gate.changed.notify_all();
        }
        Some(handed)
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.gate.lock().closed = true;
        self.gate.changed.notify_all();
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room for another operation, if this thread may wait.
    fn enter(&self, blocks: bool) {
        let mut waiting = self.lock();
        while blocks && waiting.operations >= WAITING && !waiting.closed {
            let changed = self.changed.wait(waiting);
            waiting = changed.unwrap_or_else(PoisonError::into_inner);
        }
        waiting.operations = waiting.operations.saturating_add(1);
    }
}

/// Hands over what a run brings.
struct Sender {
    memory: Memory,
    /// Whether the loader has a thread of its own, which may wait.
    blocks: bool,
    to: UnboundedSender<Result<Handed>>,
    gate: Arc<Gate>,
}

impl Sender {
    fn send(&self, handed: Handed) -> Result<()> {
        self.to.send(Ok(handed)).map_err(|_| {
            let message = "the program takes no more of the run";
            Error::new(ErrorKind::Destination, message)
        })
    }
}

impl Emit for Sender {
    fn describe(&self) -> String {
        "the program".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255)
    }

    fn begin(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.look(load)
    }

    fn look(&self, _: &LoadInfo) -> Result<Memory> {
        Ok(self.memory.clone())
    }

    fn take(&mut self, resource: &str, operation: &Operation) -> Result<()> {
        self.gate.enter(self.blocks);
        self.send(Handed::Operation {
            resource: resource.to_owned(),
            operation: operation.clone(),
        })
    }

    fn commit(&mut self, memory: &Memory, _: &Commit<'_>) -> Result<()> {
        self.send(Handed::State(Box::new(memory.clone())))
    }
}
