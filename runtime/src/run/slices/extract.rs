//! Reads one slice of a run into files.

use std::collections::HashMap;
use std::sync::Arc;

use super::collected::{Collected, Files};
use super::next::{tables, unchanged};
use super::receipt::{Closed, Receipt};
use super::receipts::receipt_name;
use super::run_file::{RunFile, json_of, parse};
use super::slice::{Extracts, PlannedSlice};
use super::stage::Stage;
use crate::error::{Error, ErrorKind, Result};
use crate::load::LoadInfo;
use crate::load::staging::{Staging, staging};
use crate::page::Proof;
use crate::run::options::{Observer, RunOptions, StopSignal};
use crate::run::plan::{ResourcePlan, RunPlan, Slices};
use crate::run::read::reads::Part;
use crate::run::read::resource::FoundSlice;
use crate::run::report::{Outcome, RunReport};
use crate::run::start::{Given, Reading};
use crate::run::sync::Run;
use crate::source::{AnyResource, Source};

/// The folder of what was extracted.
const EXTRACTED: &str = "extracted";

/// Reads a slice of the run at `place`, writes its rows there, and then a receipt. If the slice has a
/// receipt already, that one is returned and nothing is sent. Several processes may extract the same
/// slice at once: the first receipt counts, and the files of the others are removed.
///
/// # Errors
/// If the slice is not one of the run, another connector has planned it, or it cannot be read to its
/// end: then nothing of it counts, and it can be extracted again.
pub async fn extract(
    source: &Source,
    place: &str,
    slice: &PlannedSlice,
    stop: StopSignal,
    observer: Arc<dyn Observer>,
) -> Result<Receipt> {
    let place = staging(place)?;
    // Only lists that are read with others may have been found by earlier runs.
    let with_known = matches!(&slice.extracts, Extracts::Resources(names) if names.len() > 1);
    let run = RunFile::read(&*place, with_known)?;
    run.check(source)?;
    if slice.run != run.plan.load_id {
        let message = format!("the slice `{}` belongs to another run", slice.id);
        return Err(Error::new(ErrorKind::Usage, message).hint(format!(
            "take the slices from `plan --run {}`",
            place.describe()
        )));
    }
    if let Some(receipt) = there(&*place, slice)? {
        return Ok(receipt);
    }
    let attempt = attempt(source);
    let folder = format!("{EXTRACTED}/{}/{attempt}", slice.id);
    let options = RunOptions {
        stop,
        ..run.asked.options()?
    };
    let collected = Collected::new(place.clone(), folder.clone());
    let read = read(source, (&run, slice), &options, observer, collected.clone()).await;
    let receipt = read.and_then(|()| {
        let receipt = receipt(slice, attempt, collected.finish()?);
        let name = receipt_name(&slice.id);
        match place.create(&name, &json_of(&receipt)?)? {
            true => Ok(Some(receipt)),
            false => Ok(None),
        }
    });
    match receipt {
        Ok(Some(receipt)) => Ok(receipt),
        Ok(None) => {
            place.remove(&folder);
            there(&*place, slice)?.ok_or_else(|| {
                let message = format!("the receipt of `{}` has gone", slice.id);
                Error::new(ErrorKind::System, message)
            })
        }
        Err(error) => {
            place.remove(&folder);
            Err(error.at(slice.describe()))
        }
    }
}

/// Returns the receipt of a slice, if there is one.
fn there(place: &dyn Staging, slice: &PlannedSlice) -> Result<Option<Receipt>> {
    let name = receipt_name(&slice.id);
    let content = place.get(&name)?;
    content
        .map(|content| parse(&name, &content, place))
        .transpose()
}

/// Returns a name for an attempt that no other one has.
fn attempt(source: &Source) -> String {
    let chance = (source.world.fraction() * (1u64 << 52) as f64) as u64;
    format!(
        "{:x}-{:x}-{chance:x}",
        source.world.micros(),
        std::process::id()
    )
}

async fn read(
    source: &Source,
    (run, slice): (&RunFile, &PlannedSlice),
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    into: Collected,
) -> Result<()> {
    let (plan, slices) = part_of(&run.plan, slice)?;
    let windows_of = match &slice.extracts {
        Extracts::Window(_) => Some(slice.resource.clone()),
        Extracts::Resources(_) | Extracts::Lists(_) => None,
    };
    let facts = into.clone();
    let given = Given {
        part: Arc::new(Part {
            keys: Arc::new(into.clone()),
            windows_of,
        }),
        slices,
        children: children(source, &run.plan, &plan)?,
        found: Arc::new(into.clone()),
        facts: Arc::new(move |resource, shown| facts.facts(resource, shown)),
    };
    let load = LoadInfo::new(run.plan.load_id.clone(), source.name(), options.layout);
    let there = tables(&plan);
    let run_of_part = Run {
        source,
        options,
        observer,
        load: load.within(&source.world),
        now: source.world.time(),
        planned: Some((plan, unchanged())),
        reading: Reading::Part(given),
        in_one_commit: true,
    };
    let stage = Stage::new(Some(into), slice.describe(), there, run.capabilities);
    let report = run_of_part.into(Box::new(stage)).await?;
    complete(report)
}

/// Returns the first failure of a part.
fn complete(report: RunReport) -> Result<()> {
    for resource in report.resources {
        match resource.outcome {
            Outcome::Complete => {}
            Outcome::Failed(kind, message) => return Err(Error::new(kind, message)),
            Outcome::Stopped => {
                let message = "it was stopped before its end: extract it again";
                return Err(Error::new(ErrorKind::Stopped, message));
            }
        }
    }
    Ok(())
}

/// Returns the plan of a part, and the slices of a child in it whose parent is not.
fn part_of(
    plan: &RunPlan,
    slice: &PlannedSlice,
) -> Result<(RunPlan, HashMap<String, Vec<FoundSlice>>)> {
    let mut slices = HashMap::new();
    let names = match &slice.extracts {
        Extracts::Resources(names) => names.clone(),
        Extracts::Window(_) => vec![slice.resource.clone()],
        Extracts::Lists(lists) => {
            let found = lists.iter().map(|list| FoundSlice {
                id: list.slice.clone(),
                state: Box::new(list.state.clone()),
                listed: list.listed,
            });
            slices.insert(slice.resource.clone(), found.collect());
            vec![slice.resource.clone()]
        }
    };
    let resources = plan
        .resources
        .iter()
        .filter(|planned| names.contains(&planned.name));
    let mut resources: Vec<ResourcePlan> = resources.cloned().collect();
    if resources.len() != names.len() {
        let message = format!("the run does not read `{}`", slice.resource);
        return Err(Error::new(ErrorKind::Usage, message));
    }
    for resource in &mut resources {
        // The commit begins and ends passes.
        (resource.write.first, resource.write.last) = (Vec::new(), None);
        match (&mut resource.slices, &slice.extracts) {
            (Slices::Children(children), _) => children.begins = Vec::new(),
            (Slices::One(one), Extracts::Window(window)) => {
                one.windows.retain(|open| open.window == *window);
                if one.windows.is_empty() {
                    let message = format!("the run has no such window of `{}`", slice.resource);
                    return Err(Error::new(ErrorKind::Usage, message));
                }
                if let Some(pass) = &mut one.state.pass {
                    pass.open.retain(|open| open.window == *window);
                }
            }
            (Slices::One(_), _) => {}
        }
    }
    let plan = RunPlan {
        resources,
        ..plan.clone()
    };
    Ok((plan, slices))
}

/// Returns the children of each resource of a part that are not in it.
fn children(
    source: &Source,
    all: &RunPlan,
    part: &RunPlan,
) -> Result<HashMap<String, Vec<Arc<dyn AnyResource>>>> {
    let mut children: HashMap<String, Vec<_>> = HashMap::new();
    let is_in_part = |name: &str| part.resources.iter().any(|planned| planned.name == name);
    for child in all
        .resources
        .iter()
        .filter(|child| !is_in_part(&child.name))
    {
        if let Some(parent) = child.parent.as_ref().filter(|parent| is_in_part(parent)) {
            let resource = source.find(&child.name)?.clone();
            children.entry(parent.clone()).or_default().push(resource);
        }
    }
    Ok(children)
}

fn receipt(slice: &PlannedSlice, attempt: String, files: Files) -> Receipt {
    let Files { resources, found } = files;
    let all = || resources.iter().flat_map(|of| &of.files);
    let proofs = resources
        .iter()
        .filter_map(|of| of.facts.counted.proof.clone());
    let closed = resources.iter().filter_map(|of| {
        let (from, until) = match &slice.extracts {
            Extracts::Window(window) => (window.from.clone(), window.until.clone()),
            Extracts::Resources(_) | Extracts::Lists(_) => of.facts.counted.cursor.clone()?,
        };
        Some(Closed {
            resource: of.resource.clone(),
            from,
            until,
        })
    });
    Receipt {
        version: 1,
        run: slice.run.clone(),
        slice: slice.id.clone(),
        attempt,
        rows: all().map(|file| file.rows).sum(),
        bytes: all().map(|file| file.bytes).sum(),
        requests: resources.iter().map(|of| of.facts.counted.requests).sum(),
        proof: proofs
            .reduce(Proof::and)
            .unwrap_or(Proof::Open)
            .grade()
            .to_owned(),
        closed: closed.collect(),
        children: found
            .iter()
            .map(|(child, (_, count))| (child.clone(), *count))
            .collect(),
        found: found
            .into_iter()
            .map(|(child, (file, _))| (child, file))
            .collect(),
        resources,
    }
}
