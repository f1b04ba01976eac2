//! The state of a resource before and after a migration.

use crate::error::Result;
use crate::state::{SliceState, StateChange, StateRow};

/// Returns whether a pass is in progress whose rows will replace all others.
pub(super) fn is_staged(slices: &[StateRow]) -> Result<bool> {
    for row in slices.iter().filter(|row| row.slice.is_empty()) {
        let state = SliceState::parse(&row.resource, &row.slice, &row.value)?;
        if state.pass.is_some_and(|pass| pass.staged) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Abandons a staged pass: staged rows do not follow their tables, so the pass begins anew.
pub(super) fn give_up_staged(slices: &mut Vec<StateRow>, is_child: bool) -> Result<()> {
    if !is_staged(slices)? {
        return Ok(());
    }
    if is_child {
        slices.clear();
    }
    for row in slices.iter_mut() {
        let mut state = SliceState::parse(&row.resource, &row.slice, &row.value)?;
        state.pass = None;
        row.value = state.to_json();
    }
    Ok(())
}

/// Returns the changes that turn one state into the other, under the name of the resource.
pub(super) fn difference(before: &[StateRow], after: &[StateRow], name: &str) -> Vec<StateChange> {
    let after: Vec<StateRow> = after
        .iter()
        .map(|row| StateRow {
            resource: name.to_owned(),
            ..row.clone()
        })
        .collect();
    let gone = before.iter().filter(|row| {
        let mut kept = after.iter();
        !kept.any(|kept| kept.resource == row.resource && kept.slice == row.slice)
    });
    let gone = gone.map(|row| StateChange::Forget {
        resource: row.resource.clone(),
        slice: row.slice.clone(),
    });
    let new = after.iter().filter(|row| !before.contains(row)).cloned();
    gone.chain(new.map(StateChange::Put)).collect()
}
