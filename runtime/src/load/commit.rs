//! A commit of a load.

use super::LoadStatus;
use crate::state::StateChange;

/// A commit: what becomes visible together with everything written since the last one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Commit<'a> {
    /// Its number in the load, from 1; 0 for one that only changes the state before the first rows.
    pub number: u64,
    /// The changes of the state.
    pub state: &'a [StateChange],
    /// The status of the load after it.
    pub status: &'a LoadStatus,
}

impl<'a> Commit<'a> {
    /// Creates a commit with this number in its load, from 1.
    ///
    /// ```
    /// use etlgen_runtime::load::{Commit, LoadStatus};
    ///
    /// let last = Commit::new(2, &[], &LoadStatus::Complete);
    /// assert_eq!(last.number, 2);
    /// ```
    pub fn new(number: u64, state: &'a [StateChange], status: &'a LoadStatus) -> Self {
        Commit {
            number,
            state,
            status,
        }
    }
}
