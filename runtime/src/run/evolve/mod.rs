//! What has changed since the last run: the declaration of each resource is compared with the one under which its rows
//! and its state were written, before anything is read or written.
//!
//! A difference is settled in the destination, in one commit with the state, if no row can be lost by it and none can be
//! there twice after it. Everything else is refused, with the command that settles it.

mod columns;
mod reads;
mod renames;
mod rows;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use self::rows::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Destination, LoadStatus, Memory, TableChange};
use crate::normalize::{NormalizeOptions, Normalizer, Rekey, renamed};
use crate::run::RunOptions;
use crate::schema::{ColumnRole, Layout, TableSchema, is_meta};
use crate::source::{AnyResource, Source};
use crate::state::{Declared, SliceState, StateChange, StateRow};

pub(crate) use renames::{drop_tables, rename_tables};

/// What a run knows of what has changed.
#[derive(Default)]
pub(crate) struct Evolved {
    /// What the destination remembers now.
    pub memory: Memory,
    pub resources: HashMap<String, Evolution>,
    /// Sentences for the report that are about no resource of the run.
    pub notes: Vec<String>,
}

/// What a resource needs in this run.
#[derive(Default)]
pub(crate) struct Evolution {
    /// It is read in full, and its rows replace those that are there when it has been read to its end.
    pub refresh: bool,
    /// Sentences for the report.
    pub notes: Vec<String>,
    /// Goes with its first rows.
    pub first: Option<StateChange>,
    /// Goes with its last rows.
    pub last: Option<StateChange>,
}

/// Compares what is declared with what is there, and changes what is there. `loads`: the resources that this run loads.
pub(crate) fn evolve(
    source: &Source,
    loads: &HashSet<String>,
    options: &RunOptions,
    destination: &mut dyn Destination,
    mut memory: Memory,
) -> Result<Evolved> {
    let declared = Declared::take(&mut memory.state)?;
    let renames = match destination.migrates() {
        true => renames::find(source, &memory, &declared)?,
        false => HashMap::new(),
    };
    let layout = Layout::of(&memory.tables).unwrap_or(options.layout);
    let run = Run {
        destination,
        memory,
        declared,
        renames,
        layout,
        options,
        changes: Vec::new(),
        state: Vec::new(),
        refused: Vec::new(),
    };
    run.all(source, loads)
}

/// Resources of which there are tables and that the source does not have, and what there is to say of each.
pub(crate) fn orphans(source: &Source, memory: &Memory) -> BTreeMap<String, String> {
    let names = source.resource_names();
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for table in &memory.tables {
        let resource = table.resource.as_str();
        if !is_meta(resource) && !names.contains(&resource) {
            tables.entry(resource).or_default().push(&table.name);
        }
    }
    let note = |(resource, tables): (&str, Vec<&str>)| {
        let note = format!(
            "nothing loads into {} any more: there is no resource `{resource}`; `tables rename {resource} NEW` gives them to the resource NEW, `tables drop {resource}` removes them",
            tables.join(", ")
        );
        (resource.to_owned(), note)
    };
    tables.into_iter().map(note).collect()
}

/// The tables of a resource, parents first.
fn tables_of(memory: &Memory, resource: &str) -> Vec<TableSchema> {
    let mut waiting: Vec<&TableSchema> = memory.tables.iter().collect();
    waiting.retain(|table| table.resource == resource);
    let mut ordered: Vec<TableSchema> = Vec::new();
    loop {
        let before = waiting.len();
        waiting.retain(|table| {
            let above = table.parent.as_ref();
            let ready = above.is_none_or(|above| ordered.iter().any(|t| t.name == *above));
            if ready {
                ordered.push((*table).clone());
            }
            !ready
        });
        if waiting.len() == before {
            return ordered;
        }
    }
}

/// Everything that keeps the run from going on, in one error.
fn refusal(refused: &[(String, String)]) -> Error {
    let reasons = refused
        .iter()
        .map(|(name, why)| format!("resource {name}: {why}"));
    let names: Vec<&str> = refused.iter().map(|(name, _)| name.as_str()).collect();
    let message = reasons.collect::<Vec<_>>().join("; ");
    Error::new(ErrorKind::State, message).hint(format!(
        "`sync --full-refresh --resources {}` reads everything and puts it in the place of the rows that are there; to keep them, undo the change or load into another destination",
        names.join(",")
    ))
}

/// A comparison under way.
struct Run<'a> {
    destination: &'a mut dyn Destination,
    memory: Memory,
    declared: HashMap<String, Declared>,
    /// The old name of each resource that has another one now.
    renames: HashMap<String, String>,
    layout: Layout,
    options: &'a RunOptions,
    changes: Vec<TableChange>,
    state: Vec<StateChange>,
    /// Resources, and why the run cannot go on.
    refused: Vec<(String, String)>,
}

impl Run<'_> {
    fn all(mut self, source: &Source, loads: &HashSet<String>) -> Result<Evolved> {
        let mut resources = HashMap::new();
        for resource in source.resources() {
            let name = &resource.spec().name;
            if loads.contains(name) {
                resources.insert(name.clone(), self.resource(&**resource)?);
            }
        }
        if !self.refused.is_empty() {
            return Err(refusal(&self.refused));
        }
        self.commit()?;
        let notes = orphans(source, &self.memory).into_values().collect();
        Ok(Evolved {
            memory: self.memory,
            resources,
            notes,
        })
    }

    fn resource(&mut self, resource: &dyn AnyResource) -> Result<Evolution> {
        let spec = resource.spec();
        let name = &spec.name;
        let old_name = self.renames.get(name).cloned();
        let there = old_name.as_ref().unwrap_or(name);
        let tables = tables_of(&self.memory, there);
        let options = NormalizeOptions {
            layout: self.layout,
            identifier_length: self.destination.limits().identifier_length,
            ..NormalizeOptions::new(name, &spec.primary_key, spec.disposition())
        };
        let fresh = Normalizer::new(resource.schema(), options, &[])?;
        let known = self.declared.get(there).cloned();
        let before = known.clone().unwrap_or_default();
        let mut now = Declared::of(spec, columns::named(&fresh));
        now.was.clone_from(&before.was);
        now.was.extend(old_name.clone());
        let parent = self.renamed_parent(&before, &now);
        let mut evolution = Evolution::default();
        let mut step = match tables.is_empty() {
            true => Step::Same,
            false => rows::step(before.rows.as_ref(), now.rows.as_ref(), spec),
        };
        if self.options.full_refresh {
            step = step.consented();
        }
        let state = self
            .memory
            .state
            .iter()
            .filter(|row| row.resource == *there);
        let state: Vec<StateRow> = state.cloned().collect();
        let mut slices = state.clone();
        if let (Some(was), Some(is), false) = (&before.reads, &now.reads, self.options.full_refresh)
            && let Some(why) = reads::adapt(was, is, parent.is_some(), &mut slices)?
        {
            step = step.read_again(&why, now.rows.as_ref());
            evolution.notes.push(format!("read in full once: {why}"));
        }
        let mut becomes = tables.clone();
        becomes
            .iter_mut()
            .for_each(|table| table.resource.clone_from(name));
        if let (Some((old, new)), Some(root)) = (&parent, becomes.first_mut()) {
            columns::follow_parent(root, old, new);
        }
        let mut casts = BTreeMap::new();
        if self.destination.migrates() {
            let destination = &mut *self.destination;
            let mut adapt = columns::Adapt {
                tables: &tables,
                becomes: &mut becomes,
                named: &before.columns,
                notes: &mut evolution.notes,
            };
            casts = adapt.adapt(&fresh, &mut |table, columns, each| {
                destination.scan(table, columns, each)
            })?;
        }
        let rekey = self.ids(resource, step, &tables, &mut becomes, &now, &mut evolution)?;
        let changes = changes(&tables, &becomes, &casts, rekey);
        if changes.iter().any(|change| !change.leaves_rows()) {
            give_up_staged(&mut slices, spec.parent.is_some())?;
        }
        let goes_on = before.next == now.rows && is_staged(&slices)?;
        let mut put = now.clone();
        if evolution.refresh {
            (put.rows, put.next) = (before.rows, now.rows.clone());
            evolution.last = Some(now.put(name));
            evolution.refresh = !goes_on;
        }
        let mut moved = difference(&state, &slices, name);
        if changes.is_empty() && moved.is_empty() {
            evolution.first = (known.as_ref() != Some(&put)).then(|| put.put(name));
            return Ok(evolution);
        }
        moved.extend(old_name.as_deref().map(Declared::forget));
        moved.push(put.put(name));
        self.changes.extend(changes);
        self.state.extend(moved);
        Ok(evolution)
    }

    /// The names that the parent of a resource had and has, if it is the same resource.
    fn renamed_parent(&self, before: &Declared, now: &Declared) -> Option<(String, String)> {
        let old = before.reads.as_ref()?.parent.clone()?;
        let new = now.reads.as_ref()?.parent.clone()?;
        let was = |parent: &Declared| parent.was.contains(&old);
        let same = self.renames.get(&new) == Some(&old) || self.declared.get(&new).is_some_and(was);
        (old != new && same).then_some((old, new))
    }

    /// Decides what names the rows that are there, and gives their new ids. `becomes` gets the names of a resource that
    /// has another one now, unless its rows could not follow.
    fn ids(
        &mut self,
        resource: &dyn AnyResource,
        step: Step,
        tables: &[TableSchema],
        becomes: &mut Vec<TableSchema>,
        now: &Declared,
        evolution: &mut Evolution,
    ) -> Result<Option<Rekey>> {
        let spec = resource.spec();
        let name = &spec.name;
        let identifier_length = self.destination.limits().identifier_length;
        let was = self.renames.get(name).filter(|_| !tables.is_empty());
        let mut named = becomes.clone();
        if let Some(was) = was {
            evolution
                .notes
                .push(format!("it was called `{was}` before"));
            let of = |table: &&TableSchema| table.resource != *was;
            let others = self.memory.tables.iter().filter(of);
            let parts: Vec<&TableSchema> = becomes.iter().collect();
            let others = others.map(|table| table.name.as_str());
            named = renamed(&parts, name, self.layout, identifier_length, others);
        }
        let is_keyed = |rows: &crate::state::Rows| {
            !rows.key.is_empty() && !rows.appends() && !rows.within_parent
        };
        let wanted = match &step {
            Step::Rekey(_) => true,
            Step::Same => was.is_some() && now.rows.as_ref().is_some_and(is_keyed),
            _ => false,
        };
        let mut rekey = None;
        if wanted && self.destination.migrates() {
            let pairs: Vec<_> = tables.iter().zip(&named).collect();
            let destination = &mut *self.destination;
            let made = Rekey::new(
                &pairs,
                &spec.primary_key,
                self.layout,
                identifier_length,
                &mut |table, columns, each| destination.scan(table, columns, each),
            )?;
            rekey = Some(made);
        }
        let replaces = now.rows.as_ref().is_some_and(crate::state::Rows::replaces);
        match (step, rekey) {
            (Step::Same, Some(Ok(ids))) => {
                *becomes = named;
                return Ok(Some(ids));
            }
            (Step::Same, _) if replaces => *becomes = named,
            (Step::Same, reason) => {
                if let Some(was) = was {
                    let why = match reason {
                        Some(Err(reason)) => reason,
                        _ => "their ids are made from that name".to_owned(),
                    };
                    evolution
                        .notes
                        .push(format!("its tables stay those of `{was}`: {why}"));
                }
            }
            (Step::Rekey(why), Some(Ok(ids))) => {
                *becomes = named;
                evolution
                    .notes
                    .push(format!("the rows that were there have new ids: {why}"));
                return Ok(Some(ids));
            }
            (Step::Rekey(why), reason) => {
                let reason = match reason {
                    Some(Err(reason)) => reason,
                    _ => format!("{} cannot do that", self.destination.describe()),
                };
                let why =
                    format!("{why}, and the rows that are there cannot get new ids: {reason}");
                self.refused.push((name.clone(), why));
            }
            (Step::Refresh(why), _) => {
                *becomes = named;
                if self.options.since.is_some() || self.options.until.is_some() {
                    let why =
                        format!("{why}, for which it has to be read in full, without a window");
                    self.refused.push((name.clone(), why));
                }
                evolution.notes.push(format!(
                    "read in full, to replace the rows that were there: {why}"
                ));
                evolution.refresh = true;
            }
            (Step::Refuse(why), _) => self.refused.push((name.clone(), why)),
        }
        Ok(None)
    }

    fn commit(&mut self) -> Result<()> {
        match (self.changes.is_empty(), self.state.is_empty()) {
            (true, true) => return Ok(()),
            (true, false) => self.destination.commit(&self.state, LoadStatus::Running)?,
            (false, _) => self.destination.migrate(&self.changes, &self.state)?,
        }
        let memory = &mut self.memory;
        memory.change(&self.changes, &self.state);
        // The declarations have been read.
        Declared::take(&mut memory.state).map(|_| ())
    }
}

/// What is to be done to the tables; nothing, if they stay as they are.
fn changes(
    tables: &[TableSchema],
    becomes: &[TableSchema],
    casts: &BTreeMap<String, Vec<usize>>,
    rekey: Option<Rekey>,
) -> Vec<TableChange> {
    if rekey.is_none() && tables == becomes {
        return Vec::new();
    }
    let rekey = rekey.map(Arc::new);
    let change = |(from, to): (&TableSchema, &TableSchema)| {
        let mut anew = casts.get(&from.name).cloned().unwrap_or_default();
        if rekey.is_some() {
            anew.extend(Rekey::columns(from));
        }
        let (places, rekey, old, new) = (anew.clone(), rekey.clone(), from.clone(), to.clone());
        TableChange {
            from: from.clone(),
            to: Some(to.clone()),
            anew,
            values: Box::new(move |rows| {
                let value = |at: &usize| match (&rekey, old.columns[*at].role) {
                    (Some(rekey), role) if role != ColumnRole::Data => {
                        Ok(rekey.values(&old, &new, rows, *at))
                    }
                    _ => columns::cast(&old.columns[*at], new.columns[*at].ty, rows),
                };
                places.iter().map(value).collect()
            }),
        }
    };
    tables.iter().zip(becomes).map(change).collect()
}

/// Whether a pass is under way whose rows are to replace all others.
fn is_staged(slices: &[StateRow]) -> Result<bool> {
    for row in slices.iter().filter(|row| row.slice.is_empty()) {
        let state = SliceState::parse(&row.resource, &row.slice, &row.value)?;
        if state.pass.is_some_and(|pass| pass.staged) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Staged rows do not follow their tables: such a pass begins anew.
fn give_up_staged(slices: &mut Vec<StateRow>, is_child: bool) -> Result<()> {
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

/// What makes the one state the other, under that name.
fn difference(before: &[StateRow], after: &[StateRow], name: &str) -> Vec<StateChange> {
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
