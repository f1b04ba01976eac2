//! Which slices of a run can be extracted now.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::asked::Asked;
use super::fingerprint::Fingerprint;
use super::receipts::{Ready, Receipts};
use super::run_file::{RunFile, state_hash};
use super::slice::{Extracts, PlannedSlice};
use super::stage::Stage;
use crate::error::{Error, ErrorKind, Result};
use crate::load::staging::{Staging, staging};
use crate::load::{Destination, LoadInfo, look};
use crate::run::migrate::{self, Migrated};
use crate::run::options::RunOptions;
use crate::run::plan::{self, RunPlan, Slices, load_id};
use crate::run::report::Outcome;
use crate::run::start::Reading;
use crate::run::sync::Run;
use crate::source::Source;

/// The folder of planned slices.
const SLICES: &str = "slices";

/// How often a plan is made anew because another process has planned meanwhile.
const TRIES: usize = 100;

/// Plans a run into `destination`, stores it at `place` (a folder, or the URL of a bucket), and
/// returns the slices that can be extracted now. Nothing is sent, and the destination is neither
/// locked nor changed. `group`: the most lists of a child resource that are one slice.
///
/// # Errors
/// If the options name something that the source does not have, or `place` has a run already.
pub async fn begin(
    source: &Source,
    destination: &dyn Destination,
    options: &RunOptions,
    place: &str,
    group: usize,
) -> Result<Vec<PlannedSlice>> {
    let place = staging(place)?;
    planned(source, destination, options, group)?.store(&*place)?;
    ready(source, place, true).await
}

/// Returns the first slices of a run as [`begin`] does, and stores nothing.
///
/// # Errors
/// As [`begin`].
pub async fn preview(
    source: &Source,
    destination: &dyn Destination,
    options: &RunOptions,
    group: usize,
) -> Result<Vec<PlannedSlice>> {
    let folder = tempfile::tempdir()?;
    let place = staging(&folder.path().display().to_string())?;
    planned(source, destination, options, group)?.store(&*place)?;
    ready(source, place, false).await
}

/// Returns the slices of a run that have no receipt and can be extracted now. If there are none, all
/// are extracted.
///
/// # Errors
/// If there is no run at `place`, or another connector has planned it.
pub async fn next(source: &Source, place: &str) -> Result<Vec<PlannedSlice>> {
    ready(source, staging(place)?, true).await
}

/// Plans a run.
fn planned(
    source: &Source,
    destination: &dyn Destination,
    options: &RunOptions,
    group: usize,
) -> Result<RunFile> {
    source.validate()?;
    let asked = Asked::of(options)?;
    let now = source.world.time();
    let load = LoadInfo::new(load_id(now), source.name(), options.layout);
    let memory = look(destination, &load)?;
    let capabilities = memory.capabilities;
    let choice = plan::choose(source, options)?;
    let Migrated {
        memory,
        resources,
        notes,
    } = migrate::foresee(source, &choice.loaded(), options, memory)?;
    let names = source.resource_names();
    let state = state_hash(&memory.state, names.into_iter());
    let migrated = Migrated {
        memory,
        resources,
        notes,
    };
    let mut plan = plan::lay_out(source, choice, migrated, options, now)?;
    plan.destination = Some(destination.describe());
    let connector = Fingerprint::of(source)?;
    let before = (capabilities, state);
    Ok(RunFile::new(plan, connector, asked, before, group.max(1)))
}

/// Returns the slices that can be extracted now; those that nobody has planned yet are stored, if
/// `stores`.
async fn ready(
    source: &Source,
    place: Arc<dyn Staging>,
    stores: bool,
) -> Result<Vec<PlannedSlice>> {
    let run = RunFile::read(&*place, true)?;
    run.check(source)?;
    for _ in 0..TRIES {
        let (slices, files) = stored(&*place)?;
        let receipts = walk(source, &run, place.clone(), slices).await?;
        let mut missing: Vec<PlannedSlice> = receipts.missing().into_iter().cloned().collect();
        let new = slices_of(&run, receipts.ready());
        if new.is_empty() {
            return Ok(missing);
        }
        let lines: String = new.iter().map(|slice| slice.to_line() + "\n").collect();
        let name = format!("{SLICES}/{:05}.jsonl", files + 1);
        if !stores || place.create(&name, lines.as_bytes())? {
            missing.extend(new);
            return Ok(missing);
        }
    }
    let message = format!(
        "other processes plan in {} without an end",
        place.describe()
    );
    Err(Error::new(ErrorKind::System, message))
}

/// Reads the slices that have been planned; also returns the number of their files.
pub(super) fn stored(place: &dyn Staging) -> Result<(Vec<PlannedSlice>, usize)> {
    let names = place.list(SLICES)?;
    let paths: Vec<String> = names
        .iter()
        .map(|name| format!("{SLICES}/{name}"))
        .collect();
    let mut slices = Vec::new();
    for content in place.get_all(&paths)?.into_iter().flatten() {
        let content = String::from_utf8_lossy(&content);
        for line in content.lines().filter(|line| !line.is_empty()) {
            slices.push(PlannedSlice::parse(line)?);
        }
    }
    Ok((slices, names.len()))
}

/// Reads a run as far as receipts go, and keeps no rows.
async fn walk(
    source: &Source,
    run: &RunFile,
    place: Arc<dyn Staging>,
    slices: Vec<PlannedSlice>,
) -> Result<Arc<Receipts>> {
    let name = place.describe();
    let apart = apart(&run.plan);
    let receipts = Arc::new(Receipts::new(place, source, apart, slices, false)?);
    let options = run.asked.options()?;
    let load = LoadInfo::new(run.plan.load_id.clone(), source.name(), options.layout);
    let walk = Run {
        source,
        options: &options,
        observer: Arc::new(()),
        load: load.within(&source.world),
        now: source.world.time(),
        planned: Some((run.plan.clone(), unchanged())),
        reading: Reading::Taken {
            by: receipts.clone(),
            patient: true,
        },
        in_one_commit: true,
    };
    let stage = Stage::new(None, name, tables(&run.plan), run.capabilities);
    let report = walk.into(Box::new(stage)).await?;
    for resource in report.resources {
        // Any other failure is one of the resource, which the commit reports.
        if let Outcome::Failed(ErrorKind::System, message) = resource.outcome {
            return Err(Error::new(ErrorKind::System, message).at(resource.name));
        }
    }
    Ok(receipts)
}

/// Returns a migration that changes nothing.
pub(super) fn unchanged() -> crate::run::deliver::loader::Migration {
    Box::new(|_, memory| {
        Ok(Migrated {
            memory,
            ..Migrated::default()
        })
    })
}

/// Returns the tables that the destination of a plan has.
pub(super) fn tables(plan: &RunPlan) -> Vec<crate::schema::TableSchema> {
    let there = plan
        .resources
        .iter()
        .flat_map(|resource| &resource.write.there);
    there.cloned().collect()
}

/// Returns the resources whose windows are slices of their own, and the resources that are extracted
/// together, each with the first of them.
pub(super) fn apart(plan: &RunPlan) -> (HashSet<String>, BTreeMap<String, String>) {
    let tied = tied(plan);
    let is_split = |resource: &&plan::ResourcePlan| {
        let windows = match &resource.slices {
            Slices::One(slice) => slice.windows.len(),
            Slices::Children(_) => 0,
        };
        windows > 1 && !tied.contains_key(&resource.name)
    };
    let split = plan.resources.iter().filter(is_split);
    (split.map(|resource| resource.name.clone()).collect(), tied)
}

/// Returns the resources that change the records of others, these others, and their parents: each with
/// the first of those that are tied to it.
fn tied(plan: &RunPlan) -> BTreeMap<String, String> {
    let of = |name: &str| plan.resources.iter().find(|resource| resource.name == name);
    let mut sets: Vec<Vec<&str>> = Vec::new();
    for feed in plan
        .resources
        .iter()
        .filter(|resource| !resource.feeds.is_empty())
    {
        let mut set: Vec<&str> = vec![&feed.name];
        set.extend(feed.feeds.iter().map(String::as_str));
        let mut at = 0;
        while let Some(name) = set.get(at) {
            let parent = of(name).and_then(|resource| resource.parent.as_deref());
            set.extend(parent.filter(|parent| !set.contains(parent)));
            at += 1;
        }
        let (joined, apart) = sets
            .into_iter()
            .partition(|other: &Vec<&str>| other.iter().any(|name| set.contains(name)));
        sets = apart;
        let joined: Vec<Vec<&str>> = joined;
        set.extend(joined.into_iter().flatten());
        sets.push(set);
    }
    let mut tied = BTreeMap::new();
    for set in sets {
        let first = plan
            .resources
            .iter()
            .find(|resource| set.contains(&resource.name.as_str()));
        for name in set {
            let first = first.map_or(name, |first| &first.name);
            tied.insert(name.to_owned(), first.to_owned());
        }
    }
    tied
}

/// Returns the slices of what can be extracted.
fn slices_of(run: &RunFile, ready: Vec<Ready>) -> Vec<PlannedSlice> {
    let plan = &run.plan;
    let connector = run.connector.short();
    let (_, tied) = apart(plan);
    let mut slices: Vec<PlannedSlice> = Vec::new();
    let mut lists: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for ready in ready {
        let (resource, extracts) = match ready {
            Ready::List(resource, list) => {
                lists.entry(resource).or_default().push(*list);
                continue;
            }
            Ready::Window(resource, window) => (resource, Extracts::Window(window)),
            Ready::Resource(resource) => {
                let first = tied.get(&resource).unwrap_or(&resource).clone();
                let names = plan.resources.iter().map(|resource| &resource.name);
                let with = names.filter(|name| tied.get(*name) == Some(&first));
                let names: Vec<String> = match tied.contains_key(&resource) {
                    true => with.cloned().collect(),
                    false => vec![resource],
                };
                (first, Extracts::Resources(names))
            }
        };
        let slice = PlannedSlice::new(plan, &resource, extracts, &connector);
        if seen.insert(slice.id.clone()) {
            slices.push(slice);
        }
    }
    for (resource, lists) in lists {
        for group in lists.chunks(run.group) {
            let extracts = Extracts::Lists(group.to_vec());
            slices.push(PlannedSlice::new(plan, &resource, extracts, &connector));
        }
    }
    slices
}
