//! Compares the current declaration with what a destination remembers.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ground::Ground;
use super::rows::{self, Step};
use super::slices::{difference, give_up_staged, is_staged};
use super::tables::{changes, tables_of};
use super::{Effect, columns, reads, renames};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Memory, TableChange};
use crate::normalize::{NormalizeOptions, Normalizer, Rekey, renamed};
use crate::run::options::RunOptions;
use crate::schema::{Layout, TableSchema};
use crate::source::{AnyResource, ResourceSpec, Source};
use crate::state::{Declared, StateChange, StateRow};

/// A comparison in progress.
pub(super) struct Comparison<'a> {
    ground: &'a mut dyn Ground,
    memory: Memory,
    declared: HashMap<String, Declared>,
    /// The old name of each renamed resource, by its new name.
    pub renames: HashMap<String, String>,
    layout: Layout,
    options: &'a RunOptions,
    changes: Vec<TableChange>,
    state: Vec<StateChange>,
    /// Resources, and why the run cannot continue.
    refused: Vec<(String, String)>,
}

impl<'a> Comparison<'a> {
    pub fn new(
        options: &'a RunOptions,
        mut memory: Memory,
        ground: &'a mut dyn Ground,
    ) -> Result<Self> {
        Ok(Comparison {
            ground,
            declared: Declared::take(&mut memory.state)?,
            layout: Layout::of(&memory.tables).unwrap_or(options.layout),
            memory,
            renames: HashMap::new(),
            options,
            changes: Vec::new(),
            state: Vec::new(),
            refused: Vec::new(),
        })
    }

    pub fn find_renames(&mut self, source: &Source) -> Result<()> {
        if self.memory.capabilities.migrates {
            self.renames = renames::find(source, &self.memory, &self.declared)?;
        }
        Ok(())
    }

    /// Compares the resources that this run loads.
    pub fn resources(
        &mut self,
        source: &Source,
        loads: &HashSet<String>,
    ) -> Result<HashMap<String, Effect>> {
        let mut resources = HashMap::new();
        for resource in source.resources() {
            let name = &resource.spec().name;
            if loads.contains(name) {
                resources.insert(name.clone(), self.resource(source, &**resource)?);
            }
        }
        match self.refused.is_empty() {
            true => Ok(resources),
            false => Err(refusal(&self.refused)),
        }
    }

    /// Returns what the destination remembers, and the changes to make there.
    pub fn end(self) -> (Memory, Vec<TableChange>, Vec<StateChange>) {
        (self.memory, self.changes, self.state)
    }

    fn resource(&mut self, source: &Source, resource: &dyn AnyResource) -> Result<Effect> {
        let spec = resource.spec();
        let name = &spec.name;
        let old_name = self.renames.get(name).cloned();
        let there = old_name.as_ref().unwrap_or(name);
        let tables = tables_of(&self.memory, there);
        let options = NormalizeOptions {
            layout: self.layout,
            identifier_length: self.memory.capabilities.identifier_length,
            ..NormalizeOptions::new(name, &spec.primary_key, spec.disposition())
        };
        let fresh = Normalizer::new(resource.schema(), options, &[])?;
        let known = self.declared.get(there).cloned();
        let before = known.clone().unwrap_or_default();
        let mut now = Declared::of(source, spec, columns::named(&fresh));
        now.was.clone_from(&before.was);
        now.was.extend(old_name.clone());
        let parent = self.renamed_parent(&before, &now);
        let mut step = match tables.is_empty() {
            true => Step::Same,
            false => rows::step(before.rows.as_ref(), now.rows.as_ref(), spec),
        };
        if self.options.full_refresh {
            step = step.consented();
        }
        let rows = self.memory.state.iter();
        let state: Vec<StateRow> = rows.filter(|row| row.resource == *there).cloned().collect();
        let mut slices = state.clone();
        let mut adapting = Adapting::new(spec, tables, now);
        if let Some(why) =
            self.begins_anew(&before, &adapting.now, parent.is_some(), &mut slices)?
        {
            step = step.read_again(&why, adapting.now.rows.as_ref());
            let note = format!("read in full once: {why}");
            adapting.effect.notes.push(note);
        }
        if let (Some((old, new)), Some(root)) = (&parent, adapting.becomes.first_mut()) {
            columns::follow_parent(root, old, new);
        }
        let casts = self.columns(&fresh, &before, &mut adapting)?;
        let rekey = self.ids(step, &mut adapting)?;
        let changes = changes(&adapting.tables, &adapting.becomes, &casts, rekey);
        if changes.iter().any(|change| !change.leaves_rows()) {
            give_up_staged(&mut slices, spec.parent.is_some())?;
        }
        let Adapting {
            now, mut effect, ..
        } = adapting;
        let goes_on = before.next == now.rows && is_staged(&slices)?;
        let mut put = now.clone();
        if effect.refresh {
            (put.rows, put.next) = (before.rows, now.rows.clone());
            effect.last = Some(now.put(name));
            effect.refresh = !goes_on;
        }
        let mut moved = difference(&state, &slices, name);
        if changes.is_empty() && moved.is_empty() {
            effect.first = (known.as_ref() != Some(&put)).then(|| put.put(name));
            return Ok(effect);
        }
        moved.extend(old_name.as_deref().map(Declared::forget));
        moved.push(put.put(name));
        self.changes.extend(changes);
        self.state.extend(moved);
        Ok(effect)
    }

    /// Converts the state to its current meaning, or returns why it must begin anew.
    fn begins_anew(
        &self,
        before: &Declared,
        now: &Declared,
        same_parent: bool,
        slices: &mut Vec<StateRow>,
    ) -> Result<Option<String>> {
        let (Some(was), Some(is), false) = (&before.reads, &now.reads, self.options.full_refresh)
        else {
            return Ok(None);
        };
        match reads::adapt(was, is, same_parent, slices)? {
            None => reads::ask_anew(before, now, slices),
            why => Ok(why),
        }
    }

    /// Adapts the columns to the current declaration. Returns the indexes of those whose type
    /// changes, by table.
    fn columns(
        &mut self,
        fresh: &Normalizer,
        before: &Declared,
        adapting: &mut Adapting<'_>,
    ) -> Result<BTreeMap<String, Vec<usize>>> {
        if !self.memory.capabilities.migrates {
            return Ok(BTreeMap::new());
        }
        let mut adapt = columns::Adapt {
            tables: &adapting.tables,
            becomes: &mut adapting.becomes,
            named: &before.columns,
            notes: &mut adapting.effect.notes,
        };
        let ground = &mut *self.ground;
        adapt.adapt(fresh, &mut |table, columns, each| {
            ground.scan(table, columns, each)
        })
    }

    /// Returns the old and the new name of the parent of a resource, if the parent was renamed.
    fn renamed_parent(&self, before: &Declared, now: &Declared) -> Option<(String, String)> {
        let old = before.reads.as_ref()?.parent.clone()?;
        let new = now.reads.as_ref()?.parent.clone()?;
        let was = |parent: &Declared| parent.was.contains(&old);
        let same = self.renames.get(&new) == Some(&old) || self.declared.get(&new).is_some_and(was);
        (old != new && same).then_some((old, new))
    }

    /// Decides what identifies the existing rows, and returns their new ids. The tables of a
    /// renamed resource get its new names, unless its rows cannot follow.
    fn ids(&mut self, step: Step, adapting: &mut Adapting<'_>) -> Result<Option<Rekey>> {
        let was = self.renames.get(&adapting.spec.name);
        let was = was.filter(|_| !adapting.tables.is_empty()).cloned();
        let named = match &was {
            Some(was) => self.renamed(was, adapting),
            None => adapting.becomes.clone(),
        };
        let notes = &mut adapting.effect.notes;
        notes.extend(
            was.as_ref()
                .map(|was| format!("it was called `{was}` before")),
        );
        let rekey = self.rekey(&step, was.is_some(), adapting, &named)?;
        let rows = adapting.now.rows.as_ref();
        let replaces = rows.is_some_and(crate::state::Rows::replaces);
        match (step, rekey) {
            (Step::Same, Some(Ok(ids))) => {
                adapting.becomes = named;
                return Ok(Some(ids));
            }
            (Step::Same, _) if replaces => adapting.becomes = named,
            (Step::Same, reason) => {
                let why = match reason {
                    Some(Err(reason)) => reason,
                    _ => "their ids are made from that name".to_owned(),
                };
                let stay = was.map(|was| format!("its tables keep the names of `{was}`: {why}"));
                adapting.effect.notes.extend(stay);
            }
            (Step::Rekey(why), Some(Ok(ids))) => {
                adapting.becomes = named;
                let note = format!("the existing rows have new ids: {why}");
                adapting.effect.notes.push(note);
                return Ok(Some(ids));
            }
            (Step::Rekey(why), reason) => {
                let reason = match reason {
                    Some(Err(reason)) => reason,
                    _ => format!("{} cannot do that", self.ground.name()),
                };
                let why = format!("{why}, and the existing rows cannot get new ids: {reason}");
                self.refuse(adapting, why);
            }
            (Step::Refresh(why), _) => {
                adapting.becomes = named;
                self.refresh(adapting, &why);
            }
            (Step::Refuse(why), _) => self.refuse(adapting, why),
        }
        Ok(None)
    }

    /// Returns the tables under the names of the renamed resource.
    fn renamed(&self, was: &str, adapting: &Adapting<'_>) -> Vec<TableSchema> {
        let of = |table: &&TableSchema| table.resource != was;
        let others = self.memory.tables.iter().filter(of);
        let others = others.map(|table| table.name.as_str());
        let parts: Vec<&TableSchema> = adapting.becomes.iter().collect();
        let length = self.memory.capabilities.identifier_length;
        renamed(&parts, &adapting.spec.name, self.layout, length, others)
    }

    /// Returns new ids for the existing rows, if they need them, or why they cannot have them.
    fn rekey(
        &mut self,
        step: &Step,
        is_renamed: bool,
        adapting: &Adapting<'_>,
        named: &[TableSchema],
    ) -> Result<Option<Result<Rekey, String>>> {
        let is_keyed = |rows: &crate::state::Rows| {
            !rows.key.is_empty() && !rows.appends() && !rows.within_parent
        };
        let wanted = match step {
            Step::Rekey(_) => true,
            Step::Same => is_renamed && adapting.now.rows.as_ref().is_some_and(is_keyed),
            _ => false,
        };
        if !wanted || !self.memory.capabilities.migrates {
            return Ok(None);
        }
        let pairs: Vec<_> = adapting.tables.iter().zip(named).collect();
        let length = self.memory.capabilities.identifier_length;
        let ground = &mut *self.ground;
        let made = Rekey::new(
            &pairs,
            &adapting.spec.primary_key,
            self.layout,
            length,
            &mut |table, columns, each| ground.scan(table, columns, each),
        );
        made.map(Some)
    }

    /// Sets that all records are read and replace the existing rows.
    fn refresh(&mut self, adapting: &mut Adapting<'_>, why: &str) {
        if self.options.since.is_some() || self.options.until.is_some() {
            let why = format!("{why}, so it must be read in full, without a window");
            self.refuse(adapting, why);
        }
        adapting
            .effect
            .notes
            .push(format!("read in full to replace the existing rows: {why}"));
        adapting.effect.refresh = true;
    }

    fn refuse(&mut self, adapting: &Adapting<'_>, why: String) {
        self.refused.push((adapting.spec.name.clone(), why));
    }
}

/// A resource whose tables are compared.
struct Adapting<'a> {
    spec: &'a ResourceSpec,
    /// Its tables as they are.
    tables: Vec<TableSchema>,
    /// Its tables as they become.
    becomes: Vec<TableSchema>,
    /// Its current declaration.
    now: Declared,
    effect: Effect,
}

impl<'a> Adapting<'a> {
    fn new(spec: &'a ResourceSpec, tables: Vec<TableSchema>, now: Declared) -> Self {
        let mut becomes = tables.clone();
        let names = becomes.iter_mut().map(|table| &mut table.resource);
        names.for_each(|resource| resource.clone_from(&spec.name));
        Adapting {
            spec,
            tables,
            becomes,
            now,
            effect: Effect::default(),
        }
    }
}

/// Returns one error with all reasons that prevent the run.
fn refusal(refused: &[(String, String)]) -> Error {
    let reasons = refused
        .iter()
        .map(|(name, why)| format!("resource {name}: {why}"));
    let names: Vec<&str> = refused.iter().map(|(name, _)| name.as_str()).collect();
    let message = reasons.collect::<Vec<_>>().join("; ");
    Error::new(ErrorKind::State, message).hint(format!(
        "`sync --full-refresh --resources {}` reads everything and replaces the existing rows; to keep them, undo the change or load into another destination",
        names.join(",")
    ))
}
