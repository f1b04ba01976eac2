//! The output of a resource, which takes what is read of it.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::run::read::rows::PageRows;
use crate::source::SliceRequest;
use crate::state::StateChange;

/// A future behind a trait object.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes what is read of one resource, in order: rows, the slices that they make for its children,
/// and the state that follows. Readers know nothing else about where rows go.
///
/// The rows taken since the last change of the state and that change belong together: both become
/// visible, or neither.
pub(crate) trait Output: Send {
    /// Takes the rows of a page: it must call [`PageRows::each`]. An error means that nothing of
    /// the page may be loaded, nor anything after it.
    fn page(&mut self, rows: PageRows<'_>) -> Result<()>;

    /// Returns how many rows since the last call have replaced a row that an interrupted run of this
    /// pass has loaded, and that may be another record.
    fn replaced(&mut self) -> u64 {
        0
    }

    /// Returns why that cannot be known.
    fn doubt(&self) -> Option<String> {
        None
    }

    /// Takes a slice of the child with this index, which a record of the last page makes. It may be
    /// read once the record and the change of the state that stores the slice are safe.
    fn child(&mut self, child: usize, slice: SliceRequest);

    /// Takes the keys of deleted records.
    fn gone(&mut self, keys: &[String]);

    /// Ends a list that has been read to its end: no more of its rows come.
    fn end_list(&mut self, list: u64);

    /// Adds a change of the state to the rows taken so far.
    fn remember(&mut self, change: StateChange);

    /// Sends what was taken so far, if it is worth a batch.
    fn checkpoint(&mut self) -> Boxed<'_, Result<()>>;

    /// Sends what was taken so far. `end`: the pass ends with it.
    fn flush(&mut self, end: Option<PassEnd>) -> Boxed<'_, Result<()>>;

    /// Ends the output: nothing more comes.
    fn close(&mut self, how: Closed) -> Boxed<'_, ()>;

    /// Returns the drift: (table, key or column, what was done, how many values).
    fn drift(&mut self) -> Vec<(String, String, String, u64)>;
}

/// The end of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PassEnd {
    /// Whether every existing record has come: a record that has not is deleted.
    pub whole: bool,
    /// Whether the rows of a pass that replaces all rows are published.
    pub publishes: bool,
}

/// How the reading of a resource ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The resource was read to its end.
    AtEnd {
        /// Whether it was proved that nothing is missing.
        whole: bool,
    },
    /// The reading stopped before the end.
    Early,
    /// The resource was left out, and so are its children.
    Skipped,
}
