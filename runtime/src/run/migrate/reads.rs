//! Compares what the state of a resource meant before with what it means now.

use crate::error::Result;
use crate::record::{CursorValue, WireFormat};
use crate::state::{Declared, Pass, Reads, SliceState, StateRow};

/// Converts the state of a resource to its current meaning. Returns why the resource must begin
/// anew, if it must; then no state is left. `same_parent`: only the name of its parent changed.
pub fn adapt(
    before: &Reads,
    now: &Reads,
    same_parent: bool,
    slices: &mut Vec<StateRow>,
) -> Result<Option<String>> {
    if slices.is_empty() {
        return Ok(None);
    }
    let why = changed(before, now, same_parent, slices)?;
    if why.is_some() {
        slices.clear();
    }
    Ok(why)
}

fn changed(
    before: &Reads,
    now: &Reads,
    same_parent: bool,
    slices: &mut [StateRow],
) -> Result<Option<String>> {
    if before.parent != now.parent && !same_parent {
        let (was, is) = (
            named(before.parent.as_deref()),
            named(now.parent.as_deref()),
        );
        return Ok(Some(format!("its parent was {was} and is {is} now")));
    }
    if before.parameters != now.parameters {
        let (was, is) = (listed(&before.parameters), listed(&now.parameters));
        return Ok(Some(format!(
            "the parameters of its lists were {was} and are {is} now"
        )));
    }
    let Some(was) = &before.cursor else {
        return Ok(None);
    };
    let mut states = Vec::new();
    for row in slices.iter() {
        states.push(SliceState::parse(&row.resource, &row.slice, &row.value)?);
    }
    let is = now.cursor.as_ref();
    if is == Some(was) || !states.iter().any(holds_cursor) {
        return Ok(None);
    }
    let Some(is) = is.filter(|is| is.field == was.field) else {
        let is = named(is.map(|cursor| cursor.field.as_str()));
        return Ok(Some(format!(
            "its cursor was `{}` and is {is} now",
            was.field
        )));
    };
    let formats = was.wire_format().zip(is.wire_format());
    let rewritten = |(from, to): (WireFormat, WireFormat)| {
        let all = states.iter_mut();
        all.map(|state| rewrite(state, from, to))
            .collect::<Option<Vec<()>>>()
    };
    if formats.and_then(rewritten).is_none() {
        return Ok(Some(format!(
            "its cursor `{}` was {} and is {} now",
            was.field, was.format, is.format
        )));
    }
    for (row, state) in slices.iter_mut().zip(states) {
        row.value = state.to_json();
    }
    Ok(None)
}

/// Forgets the state of a resource whose requests ask for other records than those that led to it:
/// those of another account, or another API. Returns why, if it does.
pub fn ask_anew(
    before: &Declared,
    now: &Declared,
    slices: &mut Vec<StateRow>,
) -> Result<Option<String>> {
    let parts = now.other_parts(before);
    if parts.is_empty() {
        return Ok(None);
    }
    let mut goes_on = false;
    for row in slices.iter() {
        let state = SliceState::parse(&row.resource, &row.slice, &row.value)?;
        let begun = state.pass.as_ref().is_some_and(Pass::is_begun);
        goes_on |= holds_cursor(&state) || begun || state.request.is_some();
    }
    if !goes_on {
        return Ok(None);
    }
    slices.clear();
    Ok(Some(format!(
        "its requests differ from those of earlier runs ({}); the rows of earlier runs stay",
        parts.join(", ")
    )))
}

/// Returns whether the state holds a value of the cursor.
fn holds_cursor(state: &SliceState) -> bool {
    let pass = state.pass.as_ref();
    let holds = |pass: &Pass| pass.from.is_some() || pass.high.is_some() || pass.is_windowed();
    state.cursor.is_some() || pass.is_some_and(holds)
}

/// Writes the cursor values of a slice in another format; returns `None` if one cannot be
/// converted.
fn rewrite(state: &mut SliceState, from: WireFormat, to: WireFormat) -> Option<()> {
    let mut values = vec![&mut state.cursor];
    if let Some(edge) = &mut state.edge {
        edge.value = CursorValue::rewritten(&edge.value, from, to)?.to_string();
    }
    if let Some(pass) = &mut state.pass {
        values.extend([&mut pass.from, &mut pass.high]);
        let open = pass.open.iter_mut().map(|open| &mut open.window);
        for interval in pass.closed.iter_mut().chain(open) {
            values.extend([&mut interval.from, &mut interval.until]);
        }
    }
    for text in values.into_iter().flatten() {
        *text = CursorValue::rewritten(text, from, to)?.to_string();
    }
    Some(())
}

fn named(name: Option<&str>) -> String {
    name.map_or("none".to_owned(), |name| format!("`{name}`"))
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    }
}
