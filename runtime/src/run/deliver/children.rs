//! The slices of a child resource: found in the parent's records, remembered with them, read when they are safe.

use std::collections::HashSet;

use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_128;

use crate::run::plan::{ChildSlices, PassPlan, SliceStates, StateScope};
use crate::run::read::resource::{Found, FoundSlice};
use crate::source::SliceRequest;
use crate::state::{Pass, SliceState, StateChange};

/// Slices that may wait for the reader of a child; then its parent waits.
pub(crate) const WAITING: usize = 1 << 16;

/// The parent's side of one child resource.
pub(crate) struct ChildQueue {
    /// The child's name.
    child: String,
    /// Its pass: a slice that was read in it is not read again.
    pass: String,
    /// The rows of the state that are its own.
    scope: StateScope,
    /// From the runs before this one; what this one hands over is not in it any more.
    known: SliceStates,
    /// Fingerprints of the slices found in this run: there may be millions.
    seen: HashSet<u128>,
    /// Those that earlier runs have found and not finished, to be read again.
    resumed: Vec<(String, SliceState)>,
    /// Found since the last flush, and whether this pass has seen their parents.
    new: Vec<(String, SliceState, bool)>,
    /// What begins the child's pass: a slice must not be remembered without it.
    begins: Vec<StateChange>,
    /// Whether its state is kept; else it is read only for its own children.
    keeps_state: bool,
    /// Only the parents that are shown have slices in this run.
    changed_only: bool,
    /// With `changed_only`: those that earlier runs have not finished, until the parent's end tells that it does not show
    /// them again.
    waiting: Vec<String>,
    queue: mpsc::Sender<Found>,
}

impl ChildQueue {
    /// `keeps_state`: whether the child's rows are loaded.
    pub fn new(
        child: String,
        pass: &PassPlan,
        slices: ChildSlices,
        keeps_state: bool,
        queue: mpsc::Sender<Found>,
    ) -> Self {
        let mut children = ChildQueue {
            child,
            pass: pass.id.clone(),
            scope: pass.scope.clone(),
            known: slices.known,
            seen: HashSet::new(),
            resumed: Vec::new(),
            new: Vec::new(),
            begins: slices.begins,
            keeps_state,
            changed_only: slices.changed_only,
            waiting: Vec::new(),
            queue,
        };
        children.resume();
        if slices.revisit {
            children.revisit();
        }
        children
    }

    /// Slices that a run before this one has found and not finished.
    fn resume(&mut self) {
        // Of changed parents nobody else will find what an earlier pass has left.
        let is_open = |state: &SliceState| match self.changed_only {
            true => state.pass.is_some(),
            false => state.is_open_in(&self.pass),
        };
        let open = self.known.iter();
        let open = open.filter(|(id, state)| !id.is_empty() && is_open(state));
        let open: Vec<String> = open.map(|(id, _)| id.clone()).collect();
        match self.changed_only {
            true => self.waiting = open,
            false => {
                self.seen.extend(open.iter().map(|id| fingerprint(id)));
                self.resumed = self.begun(open);
            }
        }
    }

    /// These slices, as they are to be read in this pass.
    fn begun(&mut self, slices: Vec<String>) -> Vec<(String, SliceState)> {
        let state = |id: String| {
            let mut state = self.known.remove(&id).unwrap_or_default();
            if !state.is_open_in(&self.pass) {
                state.pass = Some(self.beginning());
            }
            (id, state)
        };
        slices.into_iter().map(state).collect()
    }

    async fn send(&self, slices: impl IntoIterator<Item = (String, SliceState, bool)>) {
        for (id, state, listed) in slices {
            let state = Box::new(state);
            // The reader of the child is gone only when the run is failing.
            let slice = FoundSlice { id, state, listed };
            let _ = self.queue.send(Found::Slice(slice)).await;
        }
    }

    /// The slices of earlier runs that were not shown again.
    async fn send_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|id| !self.seen.contains(&fingerprint(id)));
        let resumed = std::mem::take(&mut self.resumed);
        self.send(resumed.into_iter().map(listed)).await;
        let waiting = self.begun(waiting);
        self.send(waiting.into_iter().map(unlisted)).await;
    }

    /// Every slice ever found: for a parent that is read incrementally, and so does not show all its records.
    fn revisit(&mut self) {
        for (id, state) in std::mem::take(&mut self.known) {
            let request = state.request.clone().filter(|_| !id.is_empty());
            self.known.insert(id.clone(), state);
            if let Some(request) = request {
                self.found(id, request, false);
            }
        }
    }

    /// A record of the parent has a slice.
    pub fn find(&mut self, request: SliceRequest) {
        self.found(request.id(), request, true);
    }

    fn found(&mut self, id: String, request: SliceRequest, listed: bool) {
        if !self.seen.insert(fingerprint(&id)) {
            return;
        }
        let mut state = self.known.remove(&id).unwrap_or_default();
        // With `changed_only`, what is shown again has changed since, and nobody else will ask for it again.
        if !self.changed_only && state.done.as_deref() == Some(&self.pass) {
            return;
        }
        state.request = Some(request);
        state.pass = Some(self.beginning());
        self.new.push((id, state, listed));
    }

    fn beginning(&self) -> Pass {
        Pass {
            id: self.pass.clone(),
            ..Pass::default()
        }
    }

    /// The state of the slices found since the last flush.
    pub fn pending_state(&mut self) -> Vec<StateChange> {
        if !self.keeps_state {
            return Vec::new();
        }
        let mut changes = std::mem::take(&mut self.begins);
        let resource = &self.child;
        let row =
            |(slice, state, _): &(String, SliceState, bool)| self.scope.put(resource, slice, state);
        changes.extend(self.new.iter().map(row));
        changes
    }

    /// Lets the child read the slices found since the last flush.
    pub async fn release(&mut self) {
        let resumed = std::mem::take(&mut self.resumed);
        let new = std::mem::take(&mut self.new);
        self.send(resumed.into_iter().map(listed).chain(new)).await;
    }

    /// The parent did not get to its end: what earlier runs have found can be read all the same.
    pub async fn give_up(mut self) {
        self.send_waiting().await;
    }

    /// Informs the child's reader that the parent was not read.
    pub async fn skip(self) {
        let _ = self.queue.send(Found::Skipped).await;
    }

    /// Informs the child's reader that every slice has been found.
    pub async fn end(mut self, whole: bool) {
        self.send_waiting().await;
        let _ = self.queue.send(Found::End { whole }).await;
    }
}

/// A slice whose parent this pass has seen, in an earlier run.
fn listed((id, state): (String, SliceState)) -> (String, SliceState, bool) {
    (id, state, true)
}

/// A slice whose parent this pass has not seen.
fn unlisted((id, state): (String, SliceState)) -> (String, SliceState, bool) {
    (id, state, false)
}

fn fingerprint(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

impl SliceState {
    /// Found in that pass and not finished.
    fn is_open_in(&self, pass: &str) -> bool {
        self.pass.as_ref().is_some_and(|open| open.id == pass)
    }
}
