//! Runs with `--since` or `--until` remember how far they are in state rows of their own, so that a killed one goes on
//! and the others never see it.

use std::collections::HashMap;

use crate::error::Result;
use crate::run::RunOptions;
use crate::run::children::KnownSlices;
use crate::state::{SliceState, StateChange, StateRow};

/// Whose rows of the state: those of usual runs, or those of the runs with certain bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Lane(String);

/// What stands before a slice's id in the rows of a run with bounds. No slice begins so: it is empty, or JSON.
const MARK: char = '~';

impl Lane {
    /// That of the runs with the bounds of these options.
    pub fn of(options: &RunOptions) -> Self {
        let text = |bound: &Option<String>| bound.clone().unwrap_or_default().replace(' ', "_");
        Lane(format!(
            "{MARK}{}..{} ",
            text(&options.since),
            text(&options.until)
        ))
    }

    /// The lane of a state row, and its slice.
    fn split(slice: &str) -> (Lane, &str) {
        match slice.split_once(' ').filter(|_| slice.starts_with(MARK)) {
            Some((lane, slice)) => (Lane(format!("{lane} ")), slice),
            None => (Lane::default(), slice),
        }
    }

    /// A row of the state.
    pub fn put(&self, resource: &str, slice: &str, state: &SliceState) -> StateChange {
        StateChange::Put(StateRow {
            resource: resource.to_owned(),
            slice: format!("{}{slice}", self.0),
            value: state.to_json(),
        })
    }

    /// A row of the state that goes.
    pub fn forget(&self, resource: &str, slice: &str) -> StateChange {
        StateChange::Forget {
            resource: resource.to_owned(),
            slice: format!("{}{slice}", self.0),
        }
    }
}

/// What is known of one resource.
#[derive(Default)]
pub(crate) struct Known {
    lanes: HashMap<Lane, KnownSlices>,
}

impl Known {
    pub fn add(&mut self, row: &StateRow) -> Result<()> {
        let state = SliceState::parse(&row.resource, &row.slice, &row.value)?;
        let (lane, slice) = Lane::split(&row.slice);
        let slices = self.lanes.entry(lane).or_default();
        slices.insert(slice.to_owned(), state);
        Ok(())
    }

    /// The slices of usual runs.
    pub fn usual(&self) -> Option<&KnownSlices> {
        self.lanes.get(&Lane::default())
    }

    /// The slices of a lane, with what usual runs know of others; and the rows of lanes that have been read to their end.
    pub fn take(mut self, lane: &Lane, resource: &str) -> (KnownSlices, Vec<StateChange>) {
        let ended = |slices: &KnownSlices| slices.get("").is_some_and(|root| root.done.is_some());
        let mut gone = Vec::new();
        self.lanes.retain(|lane, slices| {
            let goes = *lane != Lane::default() && ended(slices);
            if goes {
                gone.extend(slices.keys().map(|slice| lane.forget(resource, slice)));
            }
            !goes
        });
        let mut slices = self.lanes.remove(lane).unwrap_or_default();
        let usual = self.lanes.remove(&Lane::default()).unwrap_or_default();
        for (slice, state) in usual {
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
