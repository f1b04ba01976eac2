//! Migrates a destination to the current declaration: before anything is read or written, the
//! declaration of each resource is compared with the one under which its rows and its state were
//! written.
//!
//! A difference is migrated, in one commit with the state, if it loses no row and duplicates none.
//! Every other difference is refused; the error names the command that settles it.

mod columns;
mod compare;
mod ground;
mod reads;
mod renames;
mod requests;
mod rows;
mod slices;
mod tables;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::compare::Comparison;
use self::ground::{Foreseen, Stored};
use crate::error::Result;
use crate::load::{Commit, Destination, LoadStatus, Memory, TableChange};
use crate::run::options::RunOptions;
use crate::run::select;
use crate::schema::is_meta;
use crate::source::Source;
use crate::state::{Declared, StateChange};

pub(crate) use requests::{drop_tables, rename_tables};

/// What a run starts from after the migration.
#[derive(Default)]
pub(crate) struct Migrated {
    /// What the destination remembers after the migration.
    pub memory: Memory,
    pub resources: HashMap<String, Effect>,
    /// Notes that belong to no resource of the run.
    pub notes: Vec<String>,
}

/// The consequences of a migration for a resource of the run.
#[derive(Default)]
pub(crate) struct Effect {
    /// Whether it is read in full, and its rows replace the existing ones at its end.
    pub refresh: bool,
    /// Notes for the report.
    pub notes: Vec<String>,
    /// The change of the state that is committed with its first rows.
    pub first: Option<StateChange>,
    /// The change of the state that is committed with its last rows.
    pub last: Option<StateChange>,
}

/// Compares the declaration with the destination, and migrates the destination. `loads`: the
/// resources that this run loads.
pub(crate) fn migrate(
    source: &Source,
    loads: &HashSet<String>,
    options: &RunOptions,
    destination: &mut dyn Destination,
    memory: Memory,
) -> Result<Migrated> {
    select::check(source, &options.select, &memory.tables)?;
    let mut ground = Stored {
        name: destination.describe(),
        destination: &mut *destination,
    };
    let mut comparison = Comparison::new(options, memory, &mut ground)?;
    comparison.find_renames(source)?;
    let resources = comparison.resources(source, loads)?;
    let renames = std::mem::take(&mut comparison.renames);
    let (memory, changes, state) = comparison.end();
    let memory = commit(destination, memory, &changes, &state)?;
    Ok(Migrated::new(source, memory, resources, &renames))
}

/// Returns what [`migrate`] would return if each existing row allows the changes.
pub(crate) fn foresee(
    source: &Source,
    loads: &HashSet<String>,
    options: &RunOptions,
    memory: Memory,
) -> Result<Migrated> {
    select::check(source, &options.select, &memory.tables)?;
    let mut ground = Foreseen;
    let mut comparison = Comparison::new(options, memory, &mut ground)?;
    comparison.find_renames(source)?;
    let resources = comparison.resources(source, loads)?;
    let renames = std::mem::take(&mut comparison.renames);
    let (mut memory, changes, state) = comparison.end();
    remember(&mut memory, &changes, &state)?;
    Ok(Migrated::new(source, memory, resources, &renames))
}

/// Makes the changes, with those of the state, in one commit.
fn commit(
    destination: &mut dyn Destination,
    mut memory: Memory,
    changes: &[TableChange],
    state: &[StateChange],
) -> Result<Memory> {
    match (changes.is_empty(), state.is_empty()) {
        (true, true) => return Ok(memory),
        (true, false) => {
            // No rows have been written yet.
            destination.commit(&Commit::new(0, state, &LoadStatus::Running))?
        }
        (false, _) => destination.migrate(changes, state)?,
    }
    remember(&mut memory, changes, state)?;
    Ok(memory)
}

/// Applies the changes to what a destination remembers.
fn remember(memory: &mut Memory, changes: &[TableChange], state: &[StateChange]) -> Result<()> {
    memory.change(changes, state);
    // The declarations have been read.
    Declared::take(&mut memory.state).map(|_| ())
}

impl Migrated {
    fn new(
        source: &Source,
        memory: Memory,
        resources: HashMap<String, Effect>,
        renames: &HashMap<String, String>,
    ) -> Self {
        let notes = orphans(source, &memory, renames);
        Migrated {
            memory,
            resources,
            notes,
        }
    }
}

/// Returns a note for each resource that has tables and that the source does not have. The state in
/// `memory` includes the declarations of resources.
pub(crate) fn orphan_notes(source: &Source, memory: &Memory) -> Result<Vec<String>> {
    let declared = Declared::take(&mut memory.state.clone())?;
    let renames = renames::find(source, memory, &declared)?;
    Ok(orphans(source, memory, &renames))
}

/// Returns the notes of [`orphan_notes`]. `renames`: the old name of each renamed resource, by its
/// new name.
fn orphans(source: &Source, memory: &Memory, renames: &HashMap<String, String>) -> Vec<String> {
    let names = source.resource_names();
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for table in &memory.tables {
        let resource = table.resource.as_str();
        if !is_meta(resource) && !names.contains(&resource) {
            tables.entry(resource).or_default().push(&table.name);
        }
    }
    let note = |(resource, tables): (&str, Vec<&str>)| {
        let tables = tables.join(", ");
        match renames.iter().find(|(_, old)| *old == resource) {
            Some((new, _)) => {
                format!(
                    "`{resource}` was renamed to `{new}`: the next load of `{new}` takes {tables} over"
                )
            }
            None => format!(
                "no resource loads into {tables}: there is no resource `{resource}`; `tables rename {resource} NEW` moves them to the resource NEW, `tables drop {resource}` removes them"
            ),
        }
    };
    tables.into_iter().map(note).collect()
}
