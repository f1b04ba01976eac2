//! Which rows of the state a run works on. Runs with `--since` or `--until` remember how far they are in rows of their
//! own, so that a killed one goes on and the others never see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::run::options::RunOptions;
use crate::state::{SliceState, StateChange, StateRow};

/// The states of the slices of one resource, by slice id.
pub(crate) type SliceStates = BTreeMap<String, SliceState>;

/// Whose rows of the state: those of usual runs (empty), or those of the runs with certain bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StateScope(String);

/// What stands before a slice's id in the rows of a run with bounds. No slice begins so: it is empty, or JSON.
const MARK: char = '~';

impl StateScope {
    /// The scope of the runs with the bounds of these options.
    pub fn of(options: &RunOptions) -> Self {
        let text = |bound: &Option<String>| bound.clone().unwrap_or_default().replace(' ', "_");
        StateScope(format!(
            "{MARK}{}..{} ",
            text(&options.since),
            text(&options.until)
        ))
    }

    /// Whether these are the rows of usual runs.
    pub fn is_usual(&self) -> bool {
        self.0.is_empty()
    }

    /// The scope of a state row, and its slice.
    fn split(slice: &str) -> (StateScope, &str) {
        match slice.split_once(' ').filter(|_| slice.starts_with(MARK)) {
            Some((scope, slice)) => (StateScope(format!("{scope} ")), slice),
            None => (StateScope::default(), slice),
        }
    }

    /// The change that writes a row of the state.
    pub fn put(&self, resource: &str, slice: &str, state: &SliceState) -> StateChange {
        StateChange::Put(StateRow {
            resource: resource.to_owned(),
            slice: format!("{}{slice}", self.0),
            value: state.to_json(),
        })
    }

    /// The change that removes a row of the state.
    pub fn forget(&self, resource: &str, slice: &str) -> StateChange {
        StateChange::Forget {
            resource: resource.to_owned(),
            slice: format!("{}{slice}", self.0),
        }
    }
}

/// What earlier runs have left of one resource.
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

    /// The slices of usual runs.
    pub fn usual(&self) -> Option<&SliceStates> {
        self.scopes.get(&StateScope::default())
    }

    /// The state of the resource as a whole, in usual runs.
    pub fn root(&self) -> Option<&SliceState> {
        self.usual()?.get("")
    }

    /// Whether a usual run has moved a cursor of the resource.
    pub fn has_cursor(&self) -> bool {
        let mut states = self.usual().into_iter().flat_map(SliceStates::values);
        states.any(|state| state.cursor.is_some())
    }

    /// The newest pass of which something was read; the ids of passes are those of loads, which grow.
    pub fn newest_pass(&self) -> Option<String> {
        let of = |state: &SliceState| {
            // Of a pass that has only begun nobody has missed anything.
            let open = state.pass.as_ref().filter(|pass| pass.is_begun());
            open.map(|pass| pass.id.clone()).max(state.done.clone())
        };
        self.usual()?.values().filter_map(of).max()
    }

    /// The slices of a scope, with the slices that usual runs know of others; and the removal of the rows of bounded
    /// runs that have been read to their end.
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
