//! Reads every chosen resource, concurrently, into one destination.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tracing::Instrument;

use crate::error::{ErrorKind, Result};
use crate::load::{CheckpointPolicy, Destination, LoadInfo, LoadStatus};
use crate::page::Proof;
use crate::run::deliver::dlt::Meta;
use crate::run::deliver::loader::{Migration, Opening};
use crate::run::migrate::migrate;
use crate::run::options::{Observer, Progress, RunOptions, StopSignal};
use crate::run::plan::{self, OffResource, RunPlan, load_id};
use crate::run::read::reader::ReadOutcome;
use crate::run::report::{Outcome, ResourceReport, RunReport, trace};
use crate::run::start::{Context, Ready};
use crate::source::Source;
use crate::world::World;

/// Reads the chosen resources into the destination, from where the last run stopped.
///
/// A resource that fails does not affect the others: they are committed, and the report names the
/// failure. An error is returned if nothing could be read at all, or if the destination failed.
pub async fn sync(
    source: &Source,
    destination: Box<dyn Destination>,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunReport> {
    source.validate()?;
    let now = source.world.time();
    let load = LoadInfo::new(load_id(now), source.name(), options.layout).within(&source.world);
    let span = trace::run(source.name(), &load.id, &destination.describe());
    let run = Run {
        source,
        options,
        observer: Arc::new(trace::Traced(observer)),
        load,
        now,
    };
    let report = run.into(destination).instrument(span.clone()).await?;
    span.record("complete", report.is_complete());
    Ok(report)
}

/// A run that is about to begin.
struct Run<'a> {
    source: &'a Source,
    options: &'a RunOptions,
    observer: Arc<dyn Observer>,
    load: LoadInfo,
    /// When the run begins; its load is named after this time.
    now: SystemTime,
}

impl Run<'_> {
    /// Opens the destination, migrates it to the current declaration, plans the run, reads and
    /// delivers, and reports.
    async fn into(self, destination: Box<dyn Destination>) -> Result<RunReport> {
        let started = self.source.world.moment();
        let Run {
            source,
            options,
            observer,
            load,
            now,
        } = self;
        let choice = plan::choose(source, options)?;
        let client = Arc::new(source.client()?);
        let named = destination.describe();
        let time = options.max_time;
        let _deadline = time.map(|time| Deadline::new(time, &options.stop, &source.world));
        let opening = Opening {
            policy: policy(&*destination, options),
            meta: Meta::new(source, &load),
            load: load.clone(),
            observer: observer.clone(),
            destination,
        };
        let migration = migration(source, choice.loaded(), options);
        let (loader, migrated) = opening.start(migration).await?;
        let load = load.after(&migrated.memory);
        let context = Context {
            source,
            options,
            client: client.clone(),
            observer,
            target: loader.target(),
        };
        let read = async {
            let plan = plan::lay_out(source, choice, migrated, options, now)?;
            let (off, notes) = (plan.off.clone(), plan.notes.clone());
            let resources = context.read(plan).await?;
            Ok((resources, off, notes))
        };
        let read = read.await;
        // The destination's own error, if there is one, explains more than that of a reader.
        let unchanged = loader.finish(status(&read)).await?;
        let (mut resources, off, notes) = read?;
        for report in &mut resources {
            report.unchanged = unchanged.get(&report.name).copied().unwrap_or_default();
        }
        Ok(RunReport {
            load_id: load.id,
            source: source.name().to_owned(),
            destination: named,
            resources,
            off,
            required: options.required,
            notes,
            refused: client.is_refused(),
            elapsed: source.world.moment().since(started),
        })
    }
}

/// Returns how often the run commits.
fn policy(destination: &dyn Destination, options: &RunOptions) -> CheckpointPolicy {
    let policy = destination.capabilities().checkpoints;
    CheckpointPolicy {
        rows: options.checkpoint_rows.unwrap_or(policy.rows),
        ..policy
    }
}

/// The reports of the resources, the resources that are off, and the notes.
type Read = (Vec<ResourceReport>, Vec<OffResource>, Vec<String>);

/// Returns the status of a finished run in `_etl_loads`.
fn status(read: &Result<Read>) -> LoadStatus {
    let complete = |report: &ResourceReport| matches!(report.outcome, Outcome::Complete);
    match read {
        Ok((resources, ..)) if resources.iter().all(complete) => LoadStatus::Complete,
        _ => LoadStatus::Partial,
    }
}

/// Returns the migration of a destination to the current declaration.
fn migration(source: &Source, loads: HashSet<String>, options: &RunOptions) -> Migration {
    let (source, options) = (source.clone(), options.clone());
    Box::new(move |destination, memory| migrate(&source, &loads, &options, destination, memory))
}

/// Stops the run when its time is up.
struct Deadline(tokio::task::JoinHandle<()>);

impl Deadline {
    fn new(time: Duration, stop: &StopSignal, world: &World) -> Self {
        let (stop, world) = (stop.clone(), world.clone());
        Deadline(tokio::spawn(async move {
            world.sleep(time).await;
            stop.cut();
        }))
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Context<'_> {
    /// Reads the resources of a plan concurrently.
    async fn read(&self, plan: RunPlan) -> Result<Vec<ResourceReport>> {
        let mut tasks = JoinSet::new();
        let (mut readers, mut spans) = (Vec::new(), Vec::new());
        let earlier = self.recall(&plan).await?;
        for ready in self.start(plan, earlier)? {
            let at = readers.len();
            let span = trace::resource(&ready.reader.fetcher.spec().name);
            readers.push(ready.reader.clone());
            spans.push(span.clone());
            let read = async move { (at, ready.read().await) };
            tasks.spawn(read.instrument(span));
        }
        let mut outcomes: Vec<Outcome> = readers
            .iter()
            .map(|_| Outcome::Failed(ErrorKind::System, "its task ended early".into()))
            .collect();
        while let Some(joined) = tasks.join_next().await {
            let Ok((at, result)) = joined else {
                continue;
            };
            let outcome = outcome(result)?;
            let fetcher = &readers[at].fetcher;
            trace::ended(&spans[at], &fetcher.stats, &outcome);
            let error = match &outcome {
                Outcome::Failed(_, message) => Some(message.clone()),
                _ => None,
            };
            let resource = fetcher.spec().name.clone();
            self.observer.on(Progress::Finished { resource, error });
            outcomes[at] = outcome;
        }
        let mut reports = Vec::new();
        for (reader, outcome) in readers.iter().zip(outcomes) {
            let drift = reader.intake.lock().await.output.drift();
            let spec = reader.fetcher.spec();
            let stats = &reader.fetcher.stats;
            reports.push(stats.report(&spec.name, spec.cursor.as_ref(), outcome, drift));
        }
        Ok(reports)
    }
}

impl Ready {
    async fn read(self) -> Result<ReadOutcome> {
        // The changes from feeds are older than the resource's own list. A feed that fails brings
        // none, and only a list that is read in full shows them nevertheless.
        if let Some((name, feed)) = self.feed {
            let pending = feed.await.ok();
            let is_open = pending.as_ref().is_some_and(|pending| pending.is_open);
            let proof = pending.as_ref();
            let proof = proof.map_or(&Proof::Open, |pending| &pending.proof);
            if !proof.is_proved() && (is_open || !self.slices.is_in_full()) {
                self.reader.fetcher.stats.prove(proof.of_feed(&name));
            }
            self.reader.intake.lock().await.pending = pending;
        }
        self.reader.read(self.slices).await
    }
}

/// Returns how a resource ended. A failed destination fails the run, not one resource.
fn outcome(read: Result<ReadOutcome>) -> Result<Outcome> {
    match read {
        Ok(ReadOutcome::Stopped) => Ok(Outcome::Stopped),
        Err(error) if error.kind() == ErrorKind::Stopped => Ok(Outcome::Stopped),
        Ok(_) => Ok(Outcome::Complete),
        Err(error) if error.kind() == ErrorKind::Destination => Err(error),
        Err(error) => Ok(Outcome::Failed(error.kind(), error.report())),
    }
}
