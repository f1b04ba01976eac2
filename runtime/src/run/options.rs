//! The options of a run, and the progress that it reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::page::Required;
use crate::record::SelectRule;
use crate::schema::{ContractRule, Layout};

/// The options of a run. Each has a method of its name.
///
/// ```
/// use etlgen_runtime::run::RunOptions;
///
/// let options = RunOptions::default().resources(["invoices"]).since("2024-01-01").limit(100);
/// assert_eq!(options.limit, Some(100));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Only these resources are loaded, and their parents are read for them. If there are none, all
    /// that are not off are loaded.
    pub resources: Vec<String>,
    /// Everything is read, whatever the state says, and replaces the rows of the chosen resources.
    pub full_refresh: bool,
    /// The most records that are read of each resource.
    pub limit: Option<u64>,
    /// Lower bound of incremental cursors: RFC 3339 or a date.
    pub since: Option<String>,
    /// Upper bound of incremental cursors: RFC 3339 or a date.
    pub until: Option<String>,
    /// The length of windows, for lists that can be bounded by their cursor. It overrides the
    /// declared length.
    pub window: Option<Duration>,
    /// The run commits after this many records, instead of as often as the destination prefers.
    pub checkpoint_rows: Option<usize>,
    /// The fields that are loaded. All fields of a resource are, unless a rule is about it.
    pub select: Vec<SelectRule>,
    /// Contracts that override the declared ones. A rule about one resource counts more than one
    /// about all.
    pub contracts: Vec<ContractRule>,
    /// The layout of the tables. A destination that has tables of the source must have this layout.
    pub layout: Layout,
    /// The run is asked to stop after this time, as by a signal; requests in flight then end.
    pub max_time: Option<Duration>,
    /// The worst grade with which a resource passes; a worse one is named in the report and changes
    /// the exit code.
    pub required: Required,
    /// Asks the run to stop after the pages in flight.
    pub stop: StopSignal,
}

impl RunOptions {
    /// Loads only these resources; their parents are read for them.
    pub fn resources<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.resources = names.into_iter().map(Into::into).collect();
        self
    }

    /// Reads everything, whatever the state says, and replaces the rows of the chosen resources.
    pub fn full_refresh(mut self, full: bool) -> Self {
        self.full_refresh = full;
        self
    }

    /// Reads at most this many records of each resource.
    pub fn limit(mut self, records: u64) -> Self {
        self.limit = Some(records);
        self
    }

    /// Sets the lower bound of incremental cursors: RFC 3339 or a date.
    pub fn since(mut self, moment: impl Into<String>) -> Self {
        self.since = Some(moment.into());
        self
    }

    /// Sets the upper bound of incremental cursors: RFC 3339 or a date.
    pub fn until(mut self, moment: impl Into<String>) -> Self {
        self.until = Some(moment.into());
        self
    }

    /// Sets the length of windows, for lists that can be bounded by their cursor.
    pub fn window(mut self, length: Duration) -> Self {
        self.window = Some(length);
        self
    }

    /// Commits after this many records.
    pub fn checkpoint_rows(mut self, records: usize) -> Self {
        self.checkpoint_rows = Some(records);
        self
    }

    /// Sets the rules of the fields that are loaded.
    pub fn select(mut self, rules: impl IntoIterator<Item = SelectRule>) -> Self {
        self.select = rules.into_iter().collect();
        self
    }

    /// Sets the contracts that override the declared ones.
    pub fn contracts(mut self, rules: impl IntoIterator<Item = ContractRule>) -> Self {
        self.contracts = rules.into_iter().collect();
        self
    }

    /// Sets the layout of the tables.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Asks the run to stop after this time, as by a signal.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.max_time = Some(time);
        self
    }

    /// Stops the run when the signal is set.
    pub fn stop(mut self, signal: StopSignal) -> Self {
        self.stop = signal;
        self
    }
}

/// A signal that asks a run to stop after the pages in flight. All clones are the same signal.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<Stop>);

#[derive(Debug, Default)]
struct Stop {
    asked: AtomicBool,
    /// Whether requests in flight end too.
    cut: AtomicBool,
    cutting: Notify,
}

impl StopSignal {
    /// Asks the run to stop.
    pub fn set(&self) {
        self.0.asked.store(true, Ordering::Relaxed);
    }

    /// Asks the run to stop at once: requests in flight end.
    pub fn cut(&self) {
        self.set();
        self.0.cut.store(true, Ordering::Release);
        self.0.cutting.notify_waiters();
    }

    /// Returns whether the run has been asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// Waits until the run is asked to stop at once.
    pub(crate) async fn wait_for_cut(&self) {
        let mut cutting = std::pin::pin!(self.0.cutting.notified());
        // From here on notifications arrive; the flag covers earlier ones.
        cutting.as_mut().enable();
        if !self.0.cut.load(Ordering::Acquire) {
            cutting.await;
        }
    }
}

/// An event of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// A page was read. The numbers are the totals of the resource so far.
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
        /// The request, the cause, and the time until the retry.
        reason: String,
        /// The cause alone, which many requests may have in common.
        cause: String,
    },
    /// A sentence for the user.
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

/// Observes the events of a run. It is called from several threads.
pub trait Observer: Send + Sync {
    /// Is called for each event.
    fn on(&self, progress: Progress);
}

impl Observer for () {
    fn on(&self, _: Progress) {}
}
