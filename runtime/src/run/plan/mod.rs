//! The plan of a run, which is made before its first request.
//!
//! A plan is a plain value, computed by a pure function of the source, the destination's memory,
//! the options and the time. It holds no secrets and no closures, and can be stored as JSON. The
//! code that executes it opens the channels, the readers and the loader, and decides none of this
//! again.

mod choose;
mod feeds;
mod resource;
mod scope;
mod slice;
mod text;
mod values;

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

pub(crate) use choose::choose;
pub(crate) use scope::{SliceStates, StateScope};
pub(crate) use slice::{bounds, continues, end};
pub use values::{
    ChildSlices, OffResource, PassPlan, Problem, RequestPlan, ResourcePlan, RunPlan, Selected,
    SlicePlan, Slices, WritePlan,
};

use self::choose::Chosen;
use self::feeds::Missed;
use self::resource::{Below, Planner, Prior};
use self::scope::PriorState;
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Capabilities, LoadInfo, Memory};
use crate::run::migrate::{self, Migrated};
use crate::run::options::RunOptions;
use crate::schema::{Deletes, Disposition};
use crate::source::Source;
use crate::state::{self, StateChange};
pub(crate) use choose::Choice;

/// The version of the JSON of a [`RunPlan`].
const VERSION: u32 = 1;

/// Decides what a run that begins at `now` will do; the time also names its load. `memory`: what
/// the destination returned when it was opened; the default is that of an empty destination.
///
/// The same arguments give the same plan. If tables must be migrated before anything is read, the
/// plan assumes that the migration succeeds; whether each stored row allows it is known only when
/// it is made.
///
/// # Errors
/// If the options name something that the source does not have, or what the destination remembers
/// does not allow a run.
///
/// ```
/// use std::time::SystemTime;
/// use etlgen_runtime::load::Memory;
/// use etlgen_runtime::prelude::*;
/// use etlgen_runtime::run::{RunOptions, plan};
///
/// #[derive(Record)]
/// pub struct Item {
///     pub id: Option<i64>,
/// }
///
/// let items = Item::list("items", "/items").primary_key([Item::ID]);
/// let source = Source::new("shop", "https://api.example").resource(items);
/// let options = RunOptions::default();
/// let plan = plan(&source, &Memory::default(), &options, SystemTime::now())?;
/// assert_eq!(plan.resources[0].request.path, "/items");
/// # Ok::<(), etlgen_runtime::Error>(())
/// ```
pub fn plan(
    source: &Source,
    memory: &Memory,
    options: &RunOptions,
    now: SystemTime,
) -> Result<RunPlan> {
    source.validate()?;
    let choice = choose(source, options)?;
    let migrated = migrate::foresee(source, &choice.loaded(), options, memory.clone())?;
    lay_out(source, choice, migrated, options, now)
}

/// Returns the plan of a run whose destination has been migrated to the current declaration.
pub(crate) fn lay_out(
    source: &Source,
    choice: Choice,
    migrated: Migrated,
    options: &RunOptions,
    now: SystemTime,
) -> Result<RunPlan> {
    let Migrated {
        mut memory,
        resources: mut effects,
        notes,
    } = migrated;
    let mut prior: HashMap<String, PriorState> = HashMap::new();
    // Taking the rows avoids holding them twice.
    for row in std::mem::take(&mut memory.state) {
        prior.entry(row.resource.clone()).or_default().add(&row)?;
    }
    let newest: HashMap<String, String> = prior
        .iter()
        .filter_map(|(name, prior)| Some((name.clone(), prior.newest_pass()?)))
        .collect();
    let load = LoadInfo::new(load_id(now), source.name(), options.layout);
    let load_id = load.after(&memory).id;
    let Choice { chosen, off } = choice;
    covered(&chosen, memory.capabilities)?;
    let missed = Missed {
        source,
        chosen: &chosen,
        prior: &prior,
        load_id: &load_id,
        now: micros(now),
    };
    let (mut unseen, missed) = (missed.unseen(), missed.all());
    let planner = Planner::new(source, options, &memory, &load_id, micros(now));
    // Children come first: what a parent must show depends on what they have missed.
    let mut resources: Vec<ResourcePlan> = Vec::new();
    for chosen in chosen.iter().rev() {
        let spec = chosen.resource.spec();
        let parent = spec.parent.as_ref();
        let prior = Prior {
            state: prior.remove(&spec.name).unwrap_or_default(),
            parent_pass: parent.and_then(|parent| newest.get(&parent.resource).cloned()),
            unseen: unseen.remove(&spec.name),
            effect: effects.remove(&spec.name).unwrap_or_default(),
            below: Below::of(source, &resources, &spec.name),
        };
        let (mut plan, shows_all) = planner.resource(chosen, prior)?;
        if plan.loads {
            let missed = missed.iter().filter(|(by, _)| *by == spec.name);
            plan.write.first.extend(missed.map(|(_, row)| row.clone()));
        }
        // A resumed pass shows only the rest to children whose own pass begins.
        let children = resources.iter_mut().filter(|child| child.is_below(&plan));
        let unshown =
            |child: &&mut ResourcePlan| !shows_all || (plan.pass.resumes && !child.pass.resumes);
        children.filter(unshown).for_each(ResourcePlan::revisit);
        resources.push(plan);
    }
    resources.reverse();
    feeds::tie(source, &mut resources);
    Ok(RunPlan {
        version: VERSION,
        source: source.name().to_owned(),
        base_url: source.redactor().redact(source.base_url()),
        destination: None,
        load_id,
        layout: options.layout,
        identifier_length: memory.capabilities.identifier_length,
        resources,
        off,
        notes,
    })
}

/// Refuses a run that needs more than its destination can do.
fn covered(chosen: &[Chosen], can: Capabilities) -> Result<()> {
    let lacking = chosen
        .iter()
        .filter(|chosen| chosen.loads)
        .find_map(|chosen| {
            let spec = chosen.resource.spec();
            let what = match spec.disposition() {
                Disposition::Replace if !can.replaces => "replaces all rows of its tables",
                Disposition::Merge if !can.merges => "changes rows by their key",
                _ if spec.deletes != Deletes::Keep && !can.deletes => "deletes rows",
                _ => return None,
            };
            Some((&spec.name, what))
        });
    let Some((name, what)) = lacking else {
        return Ok(());
    };
    let message = format!("`{name}` {what}, which the destination cannot do");
    Err(Error::new(ErrorKind::Usage, message).hint(
        "load into another destination, or declare it with `.write(Disposition::Append)` and without `.deletes(…)`: the table then has one row for each version of a record",
    ))
}

impl Choice {
    /// Returns the names of the resources whose rows are loaded.
    pub fn loaded(&self) -> HashSet<String> {
        let loaded = self.chosen.iter().filter(|chosen| chosen.loads);
        loaded
            .map(|chosen| chosen.resource.spec().name.clone())
            .collect()
    }
}

/// Children and targets of feeds that this run leaves out: the resource that is read without each
/// of them, and the state that records this.
type MissedRows = Vec<(String, StateChange)>;

/// Returns the id of a load that begins at `now`: seconds since 1970 with six decimals, which grow
/// from run to run.
pub(crate) fn load_id(now: SystemTime) -> String {
    state::load_id(micros(now))
}

fn micros(now: SystemTime) -> i64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
