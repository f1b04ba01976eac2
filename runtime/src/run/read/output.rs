//! Where what is read of a resource goes.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::run::read::rows::PageRows;
use crate::source::SliceRequest;
use crate::state::StateChange;

/// A future behind a trait object.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes what is read of one resource, in order: rows, the slices that they make for its children, and the state that
/// follows. Readers need to know nothing else of where rows go.
///
/// What was taken since the last change of the state, and that change, belong together: both become visible, or neither.
pub(crate) trait Output: Send {
    /// Takes the rows of a page: it must call [`PageRows::each`]. An error means that nothing of the page may be loaded,
    /// nor anything after it.
    fn page(&mut self, rows: PageRows<'_>) -> Result<()>;

    /// A record of the last page has a slice of the child at that place. It may be read once the record and the change of
    /// the state that remembers the slice are safe.
    fn child(&mut self, child: usize, slice: SliceRequest);

    /// Takes the keys of records that are gone.
    fn gone(&mut self, keys: &[String]);

    /// A list has been read to its end: no more of its rows come.
    fn end_list(&mut self, list: u64);

    /// Adds a change of the state to the rows taken so far.
    fn remember(&mut self, change: StateChange);

    /// What was taken so far may leave, if it is worth it.
    fn checkpoint(&mut self) -> Boxed<'_, Result<()>>;

    /// What was taken so far leaves. `end`: the pass ends with it.
    fn flush(&mut self, end: Option<PassEnd>) -> Boxed<'_, Result<()>>;

    /// Nothing more comes.
    fn close(&mut self, how: Closed) -> Boxed<'_, ()>;

    /// What came and the struct does not say: (table, key or column, what was done, how many values).
    fn drift(&mut self) -> Vec<(String, String, String, u64)>;
}

/// The end of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PassEnd {
    /// Every record that there is has come: what has not is gone.
    pub whole: bool,
}

/// How the reading of a resource ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// At its end.
    AtEnd {
        /// It was proved that nothing is missing.
        whole: bool,
    },
    /// Before its end.
    Early,
    /// It was left out, and so are its children.
    Skipped,
}
