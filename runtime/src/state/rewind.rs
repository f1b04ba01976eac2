//! Moves the cursor of a resource back.

use super::{SliceState, StateChange, StateRow};
use crate::cursor::CursorSpec;
use crate::error::Result;
use crate::record::CursorValue;

/// Returns the state of a resource with no cursor beyond `to`, and how many cursors that moves.
/// Passes in progress are abandoned, since they would move the cursors to their own end. Child
/// slices are found and read again from their cursors.
pub(crate) fn rewind(
    resource: &str,
    cursor: &CursorSpec,
    to: &CursorValue,
    rows: &[StateRow],
) -> Result<(Vec<StateChange>, usize)> {
    let mut changes = Vec::new();
    let mut moved = 0;
    for row in rows.iter().filter(|row| row.resource == resource) {
        let mut state = SliceState::parse(resource, &row.slice, &row.value)?;
        let stood = state.cursor.as_deref().and_then(|text| cursor.parse(text));
        if stood.is_some_and(|stood| stood > *to) {
            state.cursor = Some(to.to_string());
            moved += 1;
        }
        state.pass = None;
        changes.push(StateChange::Put(StateRow {
            value: state.to_json(),
            ..row.clone()
        }));
    }
    Ok((changes, moved))
}
