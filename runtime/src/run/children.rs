//! The slices of a child resource: found in the parent's rows, remembered with them, read when they are safe.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::run::lane::Lane;
use crate::schema::Deletes;
use crate::source::{AnyResource, SliceRequest};
use crate::state::{Pass, SliceState, StateChange};

/// What is known of the slices of a child resource, by slice id.
pub(crate) type KnownSlices = HashMap<String, SliceState>;

/// What the parent tells the reader of a child resource.
pub(crate) enum Found {
    /// A slice that may be read now.
    Slice(String, Box<SliceState>),
    /// There are no more; without it the parent has failed or stopped early.
    End {
        /// Every parent that there is has been found.
        whole: bool,
    },
    /// The parent was left out.
    Skipped,
}

/// The parent's side of one child resource.
pub(crate) struct Children {
    child: Arc<dyn AnyResource>,
    /// The child's pass: a slice that was read in it is not read again.
    pass: String,
    /// The rows of the state that are its own.
    lane: Lane,
    known: KnownSlices,
    /// Found since the last flush.
    found: Vec<(String, SliceState)>,
    /// What begins the child's pass: a slice must not be remembered without it.
    begins: Vec<StateChange>,
    /// Whether its state is kept; else it is read only for its own children.
    keeps_state: bool,
    /// The last load that read the parent without this child.
    pub missed: Option<String>,
    /// Only the parents that are shown have slices in this run.
    pub changed_only: bool,
    /// With `changed_only`: the slices shown in this run.
    shown: HashSet<String>,
    /// With `changed_only`: those that earlier runs have not finished, until the parent's end tells that it does not show
    /// them again.
    waiting: Vec<String>,
    queue: mpsc::UnboundedSender<Found>,
}

impl Children {
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one queue, put together once"
    )]
    pub fn new(
        child: Arc<dyn AnyResource>,
        pass: String,
        lane: Lane,
        known: KnownSlices,
        begins: Vec<StateChange>,
        keeps_state: bool,
        missed: Option<String>,
        queue: mpsc::UnboundedSender<Found>,
    ) -> Self {
        Children {
            child,
            pass,
            lane,
            known,
            found: Vec::new(),
            begins,
            keeps_state,
            missed,
            changed_only: false,
            shown: HashSet::new(),
            waiting: Vec::new(),
            queue,
        }
    }

    /// Whether the child must know that its parents are all there.
    pub fn marks_gone(&self) -> bool {
        self.child.spec().deletes != Deletes::Keep
    }

    /// Slices that a run before this one has found and not finished.
    pub fn resume(&mut self) {
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
            false => self.send(open),
        }
    }

    fn send(&self, slices: Vec<String>) {
        for id in slices {
            let mut state = self.known.get(&id).cloned().unwrap_or_default();
            if !state.is_open_in(&self.pass) {
                state.pass = Some(self.beginning());
            }
            // The reader of the child is gone only when the run is failing.
            let _ = self.queue.send(Found::Slice(id, Box::new(state)));
        }
    }

    /// The slices that wait and were not shown again.
    fn send_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let shown = &self.shown;
        let waiting = waiting.into_iter().filter(|id| !shown.contains(id));
        let waiting = waiting.collect();
        self.send(waiting);
    }

    /// Every slice ever found: for a parent that is read incrementally, and so does not show all its records.
    pub fn revisit(&mut self) {
        if self.changed_only {
            return;
        }
        let known = self.known.iter().filter(|(id, _)| !id.is_empty());
        let requests: Vec<_> = known
            .filter_map(|(id, state)| Some((id.clone(), state.request.clone()?)))
            .collect();
        for (id, request) in requests {
            self.find(id, request);
        }
    }

    /// Finds the slice of a parent's record; false if the record lacks a value that the child's request wants.
    pub fn link(&mut self, record: &dyn Any, request: &SliceRequest) -> bool {
        let Some(parent) = &self.child.spec().parent else {
            return false;
        };
        match (parent.link)(record, request).finish() {
            Ok(request) => {
                self.find(request.id(), request);
                true
            }
            Err(_) => false,
        }
    }

    fn find(&mut self, id: String, request: SliceRequest) {
        let beginning = self.beginning();
        let state = self.known.entry(id.clone()).or_default();
        // What is shown again has changed since, and in this pass nobody else will ask for it again.
        let stands = match self.changed_only {
            true => !self.shown.insert(id.clone()),
            false => state.is_open_in(&self.pass) || state.done.as_deref() == Some(&self.pass),
        };
        if stands {
            return;
        }
        state.request = Some(request);
        state.pass = Some(beginning);
        self.found.push((id, state.clone()));
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
        let resource = &self.child.spec().name;
        let row = |(slice, state): &(String, SliceState)| self.lane.put(resource, slice, state);
        changes.extend(self.found.iter().map(row));
        changes
    }

    /// Lets the child read the slices found since the last flush.
    pub fn release(&mut self) {
        for (id, state) in self.found.drain(..) {
            // The reader of the child is gone only when the run is failing.
            let _ = self.queue.send(Found::Slice(id, Box::new(state)));
        }
    }

    /// The parent did not get to its end: what earlier runs have found can be read all the same.
    pub fn give_up(mut self) {
        self.send_waiting();
    }

    /// Tells the child's reader that nobody looked for slices.
    pub fn skip(self) {
        let _ = self.queue.send(Found::Skipped);
    }

    /// Tells the child's reader that every slice has been found.
    pub fn end(mut self, whole: bool) {
        self.send_waiting();
        let _ = self.queue.send(Found::End { whole });
    }
}

impl SliceState {
    /// Found in that pass and not finished.
    fn is_open_in(&self, pass: &str) -> bool {
        self.pass.as_ref().is_some_and(|open| open.id == pass)
    }
}
