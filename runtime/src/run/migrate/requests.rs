//! The commands `tables rename` and `tables drop`.

use std::collections::{HashMap, HashSet};

use super::commit;
use super::compare::Comparison;
use super::ground::Stored;
use super::tables::tables_of;
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Destination, Memory, TableChange};
use crate::run::options::RunOptions;
use crate::schema::is_meta;
use crate::source::Source;
use crate::state::{Declared, StateChange};
use crate::text::alternatives;

/// Moves the tables and the state of a resource that the source no longer has to a resource that
/// has none yet. Returns what happened.
pub(crate) fn rename_tables(
    source: &Source,
    old: &str,
    new: &str,
    destination: &mut dyn Destination,
    memory: Memory,
) -> Result<Vec<String>> {
    source.find(new)?;
    check(&memory, old)?;
    if source.resource_names().contains(&old) {
        let message = format!("the source has the resource `{old}`, which loads into these tables");
        return Err(Error::new(ErrorKind::Usage, message));
    }
    if memory.tables.iter().any(|table| table.resource == new) {
        let message = format!("`{new}` has tables of its own");
        return Err(
            Error::new(ErrorKind::Usage, message).hint(format!("`tables drop {new}` removes them"))
        );
    }
    let mut ground = Stored {
        name: destination.describe(),
        destination: &mut *destination,
    };
    let options = RunOptions::default();
    let mut comparison = Comparison::new(&options, memory, &mut ground)?;
    comparison.renames = HashMap::from([(new.to_owned(), old.to_owned())]);
    let done = comparison.resources(source, &HashSet::from([new.to_owned()]))?;
    let (memory, changes, state) = comparison.end();
    commit(destination, memory, &changes, &state)?;
    let notes = done.into_values().flat_map(|resource| resource.notes);
    Ok(notes.collect())
}

/// Removes the tables and the state of a resource; returns the names of the tables.
pub(crate) fn drop_tables(
    resource: &str,
    destination: &mut dyn Destination,
    memory: &Memory,
) -> Result<Vec<String>> {
    check(memory, resource)?;
    let tables = tables_of(memory, resource);
    let names = tables.iter().map(|table| table.name.clone()).collect();
    let changes: Vec<TableChange> = tables.into_iter().map(TableChange::drop).collect();
    let state = memory.state.iter().filter(|row| row.resource == resource);
    let mut state: Vec<StateChange> = state
        .map(|row| StateChange::Forget {
            resource: row.resource.clone(),
            slice: row.slice.clone(),
        })
        .collect();
    state.push(Declared::forget(resource));
    destination.migrate(&changes, &state)?;
    Ok(names)
}

fn check(memory: &Memory, resource: &str) -> Result<()> {
    let mut known: Vec<&str> = memory.tables.iter().map(|t| t.resource.as_str()).collect();
    known.retain(|name| !is_meta(name));
    known.sort_unstable();
    known.dedup();
    if known.contains(&resource) {
        return Ok(());
    }
    let message = format!("no tables belong to a resource `{resource}`");
    Err(Error::new(ErrorKind::Usage, message).hint(alternatives(resource, &known)))
}
