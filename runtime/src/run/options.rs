//! What a caller may ask of a run, and what a run tells while it goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::record::SelectRule;
use crate::schema::{ContractRule, Layout};

/// What a caller may ask of a run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Only these resources (their parents are read too, but not loaded); empty: all.
    pub resources: Vec<String>,
    /// Forget all state first and read everything; tables of the chosen resources are replaced.
    pub full_refresh: bool,
    /// At most that many records per resource.
    pub limit: Option<u64>,
    /// Lower bound of incremental cursors: RFC 3339 or a date.
    pub since: Option<String>,
    /// Upper bound of incremental cursors: RFC 3339 or a date.
    pub until: Option<String>,
    /// Reads lists that can be bounded by their cursor in windows of that length, in place of what is declared.
    pub window: Option<Duration>,
    /// Commit after that many records of the source, in place of the destination's own measure.
    pub checkpoint_rows: Option<usize>,
    /// Fields that are loaded; of a resource that no rule is about: all.
    pub select: Vec<SelectRule>,
    /// Contracts in place of those that are declared; the word nearest to a resource counts.
    pub contracts: Vec<ContractRule>,
    /// The layout of a destination that is new to the source; that of another one must be this one.
    pub layout: Layout,
    /// After that long the run is asked to stop, as by a signal.
    pub max_time: Option<Duration>,
    /// Asks the run to stop after the pages under way.
    pub stop: StopSignal,
}

/// Asks a run to stop after the pages under way; clones are one signal.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Asks for the stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has been asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Something a run tells while it goes.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A page was read: totals of the resource so far.
    Page {
        /// The resource.
        resource: String,
        /// Pages so far.
        pages: u64,
        /// Records so far.
        records: u64,
        /// The total that the API states, if it does.
        total: Option<u64>,
    },
    /// A request is tried again.
    Retry {
        /// The resource.
        resource: String,
        /// Why, and after how long.
        reason: String,
    },
    /// Something the reader should know.
    Warning {
        /// The resource.
        resource: String,
        /// One sentence.
        message: String,
    },
    /// Rows and state were committed.
    Committed {
        /// Root rows in the commit.
        rows: u64,
    },
    /// A resource was read to its end, or failed.
    Finished {
        /// The resource.
        resource: String,
        /// The error, if it failed.
        error: Option<String>,
    },
}

/// Hears what a run tells; called from several threads.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on(&self, progress: Progress);
}

impl Observer for () {
    fn on(&self, _: Progress) {}
}
