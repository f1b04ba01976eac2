//! Puts everything that was extracted of a run into its destination.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::next::{apart, next, stored};
use super::receipts::Receipts;
use super::run_file::{RunFile, json_of, parse, state_hash};
use super::slice::PlannedSlice;
use crate::error::{Error, ErrorKind, Result};
use crate::load::staging::{Staging, staging};
use crate::load::{Destination, LoadInfo, LoadStatus, Memory};
use crate::run::deliver::loader::Migration;
use crate::run::migrate::{Migrated, foresee, migrate};
use crate::run::options::{Observer, RunOptions};
use crate::run::report::RunReport;
use crate::run::start::Reading;
use crate::run::sync::Run;
use crate::source::Source;

const COMMITTED: &str = "committed.json";

/// How a commit has ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Committed {
    /// Data and state are in the destination.
    Now(Box<RunReport>),
    /// They were there before: this load has committed the run.
    Before(String),
    /// These slices have no receipt: nothing was committed.
    Missing(Vec<PlannedSlice>),
}

/// Commits the run at `place`: the rows of all slices and the state become visible in `destination`
/// at once. A second commit of the run changes nothing. The tables, the state and the report are those
/// of [`sync`](crate::run::sync()).
///
/// `wait` in `options` says how long it waits for another run; the other options are those of the plan.
///
/// # Errors
/// If another connector has planned the run, or the destination has changed since.
pub async fn commit(
    source: &Source,
    place: &str,
    destination: Box<dyn Destination>,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<Committed> {
    let named = place;
    let place = staging(place)?;
    let run = RunFile::read(&*place, true)?;
    run.check(source)?;
    let missing = next(source, named).await?;
    if !missing.is_empty() {
        return Ok(Committed::Missing(missing));
    }
    let (slices, _) = stored(&*place)?;
    let receipts = Receipts::new(place.clone(), source, apart(&run.plan), slices, true)?;
    let options = RunOptions {
        stop: options.stop.clone(),
        wait: options.wait,
        ..run.asked.options()?
    };
    let before = Arc::new(Mutex::new(None));
    let destination_name = destination.describe();
    let check = Check {
        source: source.clone(),
        options: options.clone(),
        loads: run
            .plan
            .resources
            .iter()
            .filter(|r| r.loads)
            .map(|r| r.name.clone())
            .collect(),
        load: run.plan.load_id.clone(),
        state: run.state.clone(),
        earlier: earlier(&*place, &destination_name)?,
        before: before.clone(),
    };
    let load = LoadInfo::new(run.plan.load_id.clone(), source.name(), options.layout);
    let load_id = run.plan.load_id.clone();
    let whole = Run {
        source,
        options: &options,
        observer: Arc::new(crate::run::report::trace::Traced(observer)),
        load: load.within(&source.world),
        now: source.world.time(),
        planned: Some((run.plan, check.into_migration())),
        reading: Reading::Taken {
            by: Arc::new(receipts),
            patient: false,
        },
        in_one_commit: true,
    };
    let done = whole.into(destination).await;
    if let Some(load) = before.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Ok(Committed::Before(load));
    }
    let report = done?;
    let note = json!({"load": load_id, "destination": destination_name});
    place.create(COMMITTED, &json_of(&note)?)?;
    Ok(Committed::Now(Box::new(report)))
}

/// Returns the load that has committed the run into this destination, as far as the run knows.
fn earlier(place: &dyn Staging, destination: &str) -> Result<Option<String>> {
    let Some(content) = place.get(COMMITTED)? else {
        return Ok(None);
    };
    let note: serde_json::Value = parse(COMMITTED, &content, place)?;
    let is_there = note["destination"].as_str() == Some(destination);
    Ok(note["load"]
        .as_str()
        .filter(|_| is_there)
        .map(str::to_owned))
}

/// What is checked when the destination is open.
struct Check {
    source: Source,
    options: RunOptions,
    /// The resources that the run loads.
    loads: HashSet<String>,
    /// The id of the run's load.
    load: String,
    /// The hash of the state from which the run was planned.
    state: String,
    /// The load that has committed the run into this destination, as far as the run knows.
    earlier: Option<String>,
    /// Is set if the run was committed before.
    before: Arc<Mutex<Option<String>>>,
}

impl Check {
    /// Returns the migration of the destination, which fails if the run cannot be committed.
    fn into_migration(self) -> Migration {
        Box::new(move |destination, memory| self.migrate(destination, memory))
    }

    fn migrate(self, destination: &mut dyn Destination, memory: Memory) -> Result<Migrated> {
        let ended =
            |status: &LoadStatus| matches!(status, LoadStatus::Complete | LoadStatus::Partial);
        let loads = destination.loads()?;
        if loads
            .iter()
            .any(|row| row.id == self.load && ended(&row.status))
        {
            return Err(self.was_committed(self.load.clone()));
        }
        let foreseen = foresee(&self.source, &self.loads, &self.options, memory.clone())?;
        let names = self.source.resource_names();
        if state_hash(&foreseen.memory.state, names.into_iter()) == self.state {
            return migrate(
                &self.source,
                &self.loads,
                &self.options,
                destination,
                memory,
            );
        }
        if let Some(load) = &self.earlier {
            return Err(self.was_committed(load.clone()));
        }
        let last = memory.last_load.as_deref().unwrap_or("none");
        let message = format!(
            "another run has loaded into {} since this one was planned (the last load is {last})",
            destination.describe()
        );
        Err(Error::new(ErrorKind::Destination, message)
            .hint("plan again: what was extracted continues from an older state"))
    }

    fn was_committed(&self, load: String) -> Error {
        let message = format!("the load {load} has committed this run");
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(load);
        Error::new(ErrorKind::Destination, message)
    }
}
