//! The rows of the state that a run uses. Runs with `--since` or `--until` keep their progress in
//! rows of their own, so that a killed run resumes and other runs never see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::run::options::RunOptions;
use crate::state::{SliceState, StateChange, StateRow};

/// The states of the slices of one resource, by slice id.
pub(crate) type SliceStates = BTreeMap<String, SliceState>;

/// The runs that rows of the state belong to: usual runs (empty), or runs with certain bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StateScope(String);

/// The prefix of a slice's id in the rows of a run with bounds. No id starts with it: an id is
/// empty or JSON.
const MARK: char = '~';

impl StateScope {
    /// Returns the scope of runs with the bounds of these options.
    pub fn of(options: &RunOptions) -> Self {
        let text = |bound: &Option<String>| bound.clone().unwrap_or_default().replace(' ', "_");
        StateScope(format!(
            "{MARK}{}..{} ",
            text(&options.since),
            text(&options.until)
        ))
    }

    /// Returns whether these are the rows of usual runs.
    pub fn is_usual(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns its name; empty for usual runs.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Returns whether these changes record the end of a pass of a resource, so that no run resumes it.
    pub fn ends(&self, pass: &str, changes: &[StateChange]) -> bool {
        let of_resource = |change: &&StateChange| change.key().1 == self.0;
        match changes.iter().rfind(of_resource) {
            Some(StateChange::Put(row)) => {
                let state = SliceState::parse(&row.resource, &row.slice, &row.value);
                state.is_ok_and(|state| state.pass.is_none() && state.done.as_deref() == Some(pass))
            }
            _ => false,
        }
    }

    /// Splits the slice of a state row into its scope and the slice's id.
    fn split(slice: &str) -> (StateScope, &str) {
        match slice.split_once(' ').filter(|_| slice.starts_with(MARK)) {
            Some((scope, slice)) => (StateScope(format!("{scope} ")), slice),
            None => (StateScope::default(), slice),
        }
    }

    /// Returns the change that writes a row of the state.
    pub fn put(&self, resource: &str, slice: &str, state: &SliceState) -> StateChange {
        StateChange::Put(StateRow {
            resource: resource.to_owned(),
            slice: format!("{}{slice}", self.0),
            value: state.to_json(),
        })
    }

    /// Returns the change that removes a row of the state.
    pub fn forget(&self, resource: &str, slice: &str) -> StateChange {
        StateChange::Forget {
            resource: resource.to_owned(),
            slice: format!("{}{slice}", self.0),
        }
    }
}

/// The state of one resource that earlier runs left.
#[derive(Default)]
pub(crate) struct PriorState {
    scopes: BTreeMap<StateScope, SliceStates>,
}

impl PriorState {
    pub fn add(&mut self, row: &StateRow) -> Result<()> {
        let state = SliceState::parse(&row.resource, &row.slice, &row.value)?;
        let (scope, slice) = StateScope::split(&row.slice);
        let slices = self.scopes.entry(scope).or_default();
        slices.insert(slice.to_owned(), state);
        Ok(())
    }

    /// Returns the slices of usual runs.
    pub fn usual(&self) -> Option<&SliceStates> {
        self.scopes.get(&StateScope::default())
    }

    /// Returns the state of the resource as a whole, in usual runs.
    pub fn root(&self) -> Option<&SliceState> {
        self.usual()?.get("")
    }

    /// Returns whether no run has left any state.
    pub fn is_empty(&self) -> bool {
        self.scopes.values().all(SliceStates::is_empty)
    }

    /// Returns whether a usual run has moved a cursor of the resource.
    pub fn has_cursor(&self) -> bool {
        let mut states = self.usual().into_iter().flat_map(SliceStates::values);
        states.any(|state| state.cursor.is_some())
    }

    /// Returns the newest pass in which something was read. The ids of passes are those of loads,
    /// which grow.
    pub fn newest_pass(&self) -> Option<String> {
        let of = |state: &SliceState| {
            // A pass that has only begun has shown nothing that could be missed.
            let open = state.pass.as_ref().filter(|pass| pass.is_begun());
            open.map(|pass| pass.id.clone()).max(state.done.clone())
        };
        self.usual()?.values().filter_map(of).max()
    }

    /// Returns the slices of a scope, with the other slices that usual runs know, and the removal
    /// of the rows of bounded runs that have been read to their end.
    pub fn take(mut self, scope: &StateScope, resource: &str) -> (SliceStates, Vec<StateChange>) {
        let ended = |slices: &SliceStates| slices.get("").is_some_and(|root| root.done.is_some());
        let mut gone = Vec::new();
        self.scopes.retain(|scope, slices| {
            let goes = !scope.is_usual() && ended(slices);
            if goes {
                gone.extend(slices.keys().map(|slice| scope.forget(resource, slice)));
            }
            !goes
        });
        gone.sort_by(|one, other| one.key().cmp(&other.key()));
        let mut slices = self.scopes.remove(scope).unwrap_or_default();
        let usual = self.scopes.remove(&StateScope::default());
        for (slice, state) in usual.into_iter().flatten() {
            if state.request.is_some() {
                slices.entry(slice).or_insert(SliceState {
                    request: state.request,
                    ..SliceState::default()
                });
            }
        }
        (slices, gone)
    }
}
