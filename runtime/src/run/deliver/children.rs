//! The slices of a child resource: they are found in the parent's records, stored with them, and
//! read after that.

use std::collections::HashSet;

use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_128;

use crate::page::Proof;
use crate::run::plan::{ChildSlices, PassPlan, SliceStates, StateScope};
use crate::run::read::resource::{Found, FoundSlice};
use crate::source::SliceRequest;
use crate::state::{Pass, SliceState, StateChange};

/// Slices that may wait for the reader of a child; if there are more, the parent waits.
pub(crate) const WAITING: usize = 1 << 16;

/// The parent's side of one child resource.
pub(crate) struct ChildQueue {
    /// The child's name.
    child: String,
    /// The child's pass: a slice that was read in it is not read again.
    pass: String,
    /// When it began, if its id states another time.
    began: Option<i64>,
    /// The scope of its rows in the state.
    scope: StateScope,
    /// The slices of earlier runs; those that this run hands over are removed.
    known: SliceStates,
    /// Fingerprints of the slices found in this run, which may be millions.
    seen: HashSet<u128>,
    /// Slices that earlier runs found and did not finish, which are read again.
    resumed: Vec<(String, SliceState)>,
    /// Slices found since the last flush, and whether this pass has seen their parents.
    new: Vec<(String, SliceState, bool)>,
    /// Changes that begin the child's pass: no slice may be stored without them.
    begins: Vec<StateChange>,
    /// Whether its state is kept; otherwise it is read only for its own children.
    keeps_state: bool,
    /// Whether only the parents that are shown have slices in this run.
    changed_only: bool,
    /// With `changed_only`: slices that earlier runs did not finish, until the parent's end shows
    /// whether they are shown again.
    waiting: Vec<String>,
    /// The slices of earlier runs that are read even if this pass does not show their parents.
    revisited: Vec<String>,
    /// The proof of the slices that this run does not read, and of those that the parent may not show.
    owed: Option<Proof>,
    /// Whether an earlier run has read a list of this pass.
    answered: bool,
    queue: mpsc::Sender<Found>,
}

impl ChildQueue {
    /// Creates the queue of a child. `keeps_state`: whether the child's rows are loaded.
    pub fn new(
        child: String,
        pass: &PassPlan,
        slices: ChildSlices,
        keeps_state: bool,
        queue: mpsc::Sender<Found>,
    ) -> Self {
        let answered = (slices.known.values()).any(|state| has_read(state, &pass.id));
        let mut children = ChildQueue {
            child,
            answered,
            pass: pass.id.clone(),
            began: pass.began,
            scope: pass.scope.clone(),
            known: slices.known,
            seen: HashSet::new(),
            resumed: Vec::new(),
            new: Vec::new(),
            begins: slices.begins,
            keeps_state,
            changed_only: slices.changed_only,
            waiting: Vec::new(),
            revisited: Vec::new(),
            owed: None,
            queue,
        };
        children.resume();
        if slices.revisit {
            children.revisit();
        }
        children
    }

    /// Resumes slices that an earlier run found and did not finish.
    fn resume(&mut self) {
        // With `changed_only`, nothing else finds the slices that an earlier pass left.
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

    /// Returns these slices as they are read in this pass.
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
            // The child's reader ends early only if the run is failing.
            let slice = FoundSlice { id, state, listed };
            let _ = self.queue.send(Found::Slice(slice)).await;
        }
    }

    /// Sends the slices of earlier runs that were not shown again.
    async fn send_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|id| !self.seen.contains(&fingerprint(id)));
        let resumed = std::mem::take(&mut self.resumed);
        self.send(resumed.into_iter().map(listed)).await;
        let waiting = self.begun(waiting);
        self.send(waiting.into_iter().map(unlisted)).await;
        for id in std::mem::take(&mut self.revisited) {
            if self.seen.insert(fingerprint(&id))
                && let Some(state) = self.opened(&id, None)
            {
                self.send([(id, state, false)]).await;
            }
        }
    }

    /// Finds every slice that was ever found, if a parent that is read incrementally does not show
    /// all its records: those that it does not show are read at its end.
    fn revisit(&mut self) {
        let known = self.known.iter();
        let known = known.filter(|(id, state)| !id.is_empty() && state.request.is_some());
        self.revisited = known.map(|(id, _)| id.clone()).collect();
    }

    /// Finds the slice of a record of the parent.
    pub fn find(&mut self, request: SliceRequest) {
        let id = request.id();
        if self.seen.insert(fingerprint(&id))
            && let Some(state) = self.opened(&id, Some(request))
        {
            self.new.push((id, state, true));
        }
    }

    /// Opens a slice for this pass, unless an earlier run has read it in this pass.
    fn opened(&mut self, id: &str, request: Option<SliceRequest>) -> Option<SliceState> {
        let mut state = self.known.remove(id).unwrap_or_default();
        // With `changed_only`, a parent that is shown again has changed since, and nothing else
        // requests its slice again.
        if !self.changed_only && state.done.as_deref() == Some(&self.pass) {
            self.owe(state.proof);
            return None;
        }
        state.request = request.or(state.request);
        state.pass = Some(self.beginning());
        Some(state)
    }

    fn owe(&mut self, proof: Option<Proof>) {
        if let Some(proof) = proof {
            Proof::weaken(&mut self.owed, proof.inherited());
        }
    }

    fn beginning(&self) -> Pass {
        Pass {
            id: self.pass.clone(),
            started: self.began,
            ..Pass::default()
        }
    }

    /// Returns the state of the slices found since the last flush.
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

    /// Sends the slices that earlier runs found, if the parent was not read to its end.
    pub async fn give_up(mut self) {
        self.send_waiting().await;
    }

    /// Informs the child's reader that the parent was not read.
    pub async fn skip(self) {
        let _ = self.queue.send(Found::Skipped).await;
    }

    /// Informs the child's reader that every slice has been found, as far as the proof of the parent
    /// says so.
    pub async fn end(mut self, whole: bool, parent: Proof) {
        self.send_waiting().await;
        // The slices of parents that no longer exist do not count.
        if self.changed_only || !whole {
            for (_, state) in std::mem::take(&mut self.known) {
                self.owe(state.proof);
            }
        }
        if !parent.is_proved() {
            Proof::weaken(&mut self.owed, parent);
        }
        let (owed, answered) = (self.owed.take(), self.answered);
        let _ = self
            .queue
            .send(Found::End {
                whole,
                owed,
                answered,
            })
            .await;
    }
}

/// Returns whether an earlier run has read rows, or the end, of a list in this pass.
fn has_read(state: &SliceState, pass: &str) -> bool {
    let ended = state.done.as_deref() == Some(pass) && !state.left_out;
    let begun = state.pass.as_ref();
    ended || begun.is_some_and(|begun| begun.id == pass && begun.is_begun())
}

/// Returns a slice whose parent this pass has seen, in an earlier run.
fn listed((id, state): (String, SliceState)) -> (String, SliceState, bool) {
    (id, state, true)
}

/// Returns a slice whose parent this pass has not seen.
fn unlisted((id, state): (String, SliceState)) -> (String, SliceState, bool) {
    (id, state, false)
}

fn fingerprint(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

impl SliceState {
    /// Returns whether it was found in this pass and not finished.
    fn is_open_in(&self, pass: &str) -> bool {
        self.pass.as_ref().is_some_and(|open| open.id == pass)
    }
}
