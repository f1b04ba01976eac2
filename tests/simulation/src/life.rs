//! The life of a process: its steps are counted, and at one of them it dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use tokio::sync::Notify;

/// Counts steps. Clones share the count.
#[derive(Clone, Default)]
pub struct Life(Arc<State>);

#[derive(Default)]
struct State {
    steps: AtomicU64,
    dies_at: AtomicU64,
    dead: AtomicBool,
    died: Notify,
}

impl Life {
    /// Creates a process that dies at that step, counted from 1.
    pub fn new(dies_at: Option<u64>) -> Self {
        let life = Life::default();
        life.0.dies_at.store(dies_at.unwrap_or(u64::MAX), Relaxed);
        life
    }

    /// Takes a step; returns false if the process is dead.
    pub fn step(&self) -> bool {
        let steps = 1 + self.0.steps.fetch_add(1, Relaxed);
        if steps == self.0.dies_at.load(Relaxed) {
            self.0.dead.store(true, Relaxed);
            self.0.died.notify_one();
        }
        !self.is_over()
    }

    /// Returns whether the process is dead.
    pub fn is_over(&self) -> bool {
        self.0.dead.load(Relaxed)
    }

    /// Waits for the death.
    pub async fn end(&self) {
        self.0.died.notified().await;
    }
}
