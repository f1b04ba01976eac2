//! One run: every chosen resource is read, side by side, into one destination.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::error::{Error, ErrorKind, Result};
use crate::http::Client;
use crate::load::{Destination, LoadInfo, LoadStatus};
use crate::run::changes::Pending;
use crate::run::children::{Children, Found, KnownSlices};
use crate::run::dlt::Meta;
use crate::run::evolve::{Evolved, evolve};
use crate::run::extract::{Ended, Extraction};
use crate::run::lane::{Known, Lane};
use crate::run::loader::{Evolve, Loader};
use crate::run::prepare::Earlier;
use crate::run::trace;
use crate::run::{Observer, Outcome, Progress, RunOptions, RunReport, StopSignal};
use crate::source::{AnyResource, Source};
use crate::state::{SliceState, StateChange};

/// Reads the chosen resources into the destination, from where the last run stopped.
///
/// A resource that fails fails alone: the others are committed, and the report says which. An error is returned
/// when nothing could be read at all, or when the destination failed.
pub async fn sync(
    source: &Source,
    destination: Box<dyn Destination>,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunReport> {
    source.validate()?;
    let load = LoadInfo::new(load_id(), source.name(), options.layout);
    let span = trace::run(source.name(), &load.id, &destination.describe());
    let run = run(source, destination, load, options, observer);
    let report = run.instrument(span.clone()).await?;
    span.record("complete", report.is_complete());
    Ok(report)
}

async fn run(
    source: &Source,
    destination: Box<dyn Destination>,
    load: LoadInfo,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunReport> {
    let started = Instant::now();
    let chosen = choose(source, &options.resources)?;
    for rule in &options.select {
        if !source
            .resource_names()
            .iter()
            .any(|name| rule.is_about(name))
        {
            let message = format!("`{rule}` selects fields of no resource");
            return Err(Error::new(ErrorKind::Usage, message)
                .hint(format!("there are {}", source.resource_names().join(", "))));
        }
    }
    for name in options.contracts.iter().filter_map(|rule| rule.resource()) {
        source.find(name)?;
    }
    let client = Arc::new(source.client()?);
    let named = destination.describe();
    let observer: Arc<dyn Observer> = Arc::new(trace::Traced(observer));
    let mut policy = destination.checkpoint_policy();
    policy.rows = options.checkpoint_rows.unwrap_or(policy.rows);
    let meta = Meta::new(source, &load);
    let _deadline = options
        .max_time
        .map(|time| Deadline::new(time, &options.stop));
    let evolve = comparing(source, &chosen, options);
    let (loader, mut evolved) = Loader::start(
        destination,
        evolve,
        load.clone(),
        policy,
        meta,
        observer.clone(),
    )
    .await?;
    let notes = std::mem::take(&mut evolved.notes);

    let plan = Plan {
        source,
        options,
        client,
        observer: observer.clone(),
        load: &load,
        loader: &loader,
    };
    let result = plan.read_all(chosen, evolved).await;
    let reports = match result {
        Ok(reports) => reports,
        Err(error) => {
            // The destination's own error, if there is one, says more than that of a reader.
            loader.finish(LoadStatus::Partial).await?;
            return Err(error);
        }
    };
    let complete = reports
        .iter()
        .all(|report| matches!(report.outcome, Outcome::Complete));
    loader
        .finish(if complete {
            LoadStatus::Complete
        } else {
            LoadStatus::Partial
        })
        .await?;
    Ok(RunReport {
        load_id: load.id,
        source: source.name().to_owned(),
        destination: named,
        resources: reports,
        notes,
        elapsed: started.elapsed(),
    })
}

/// Compares what is declared with what a destination remembers.
fn comparing(source: &Source, chosen: &[Chosen], options: &RunOptions) -> Evolve {
    let (source, options) = (source.clone(), options.clone());
    let loaded = chosen.iter().filter(|chosen| chosen.loads);
    let loads = loaded.map(|chosen| chosen.resource.spec().name.clone());
    let loads = loads.collect();
    Box::new(move |destination, memory| evolve(&source, &loads, &options, destination, memory))
}

/// Asks the run to stop when its time is up.
struct Deadline(tokio::task::JoinHandle<()>);

impl Deadline {
    fn new(time: Duration, stop: &StopSignal) -> Self {
        let stop = stop.clone();
        Deadline(tokio::spawn(async move {
            tokio::time::sleep(time).await;
            stop.set();
        }))
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A resource of this run.
pub(super) struct Chosen {
    pub resource: Arc<dyn AnyResource>,
    /// Its rows are loaded; else it is read only for its children.
    pub loads: bool,
}

/// The resources named, and the parents they need; parents before children.
fn choose(source: &Source, names: &[String]) -> Result<Vec<Chosen>> {
    let mut wanted: HashMap<&str, bool> = HashMap::new();
    for name in names {
        wanted.insert(source.find(name)?.spec().name.as_str(), true);
    }
    if names.is_empty() {
        wanted.extend(
            source
                .resources()
                .iter()
                .map(|resource| (resource.spec().name.as_str(), true)),
        );
    }
    let named: Vec<&str> = wanted.keys().copied().collect();
    for name in named {
        let mut at = source.find(name)?;
        while let Some(parent) = &at.spec().parent {
            at = source.find(&parent.resource)?;
            wanted.entry(at.spec().name.as_str()).or_insert(false);
        }
    }
    let mut chosen: Vec<Chosen> = source
        .resources()
        .iter()
        .filter_map(|resource| {
            let loads = *wanted.get(resource.spec().name.as_str())?;
            Some(Chosen {
                resource: resource.clone(),
                loads,
            })
        })
        .collect();
    let depth = |resource: &Arc<dyn AnyResource>| {
        let mut depth = 0;
        let mut at = resource.clone();
        while let Some(parent) = at
            .spec()
            .parent
            .as_ref()
            .and_then(|parent| source.find(&parent.resource).ok())
        {
            depth += 1;
            at = parent.clone();
        }
        depth
    };
    chosen.sort_by_key(|chosen| depth(&chosen.resource));
    Ok(chosen)
}

/// What all resources of a run share.
pub(super) struct Plan<'a> {
    pub source: &'a Source,
    pub options: &'a RunOptions,
    pub client: Arc<Client>,
    pub observer: Arc<dyn Observer>,
    pub load: &'a LoadInfo,
    pub loader: &'a Loader,
}

/// A resource that is about to be read.
pub(super) struct Ready {
    pub extraction: Arc<Extraction>,
    pub state: SliceState,
    /// A child's side of the queue that its parent fills.
    pub queue: Option<mpsc::Receiver<Found>>,
    /// What a feed will say of it.
    pub feed: Option<oneshot::Receiver<Pending>>,
}

impl Plan<'_> {
    async fn read_all(
        &self,
        chosen: Vec<Chosen>,
        mut evolved: Evolved,
    ) -> Result<Vec<crate::run::ResourceReport>> {
        let mut known: HashMap<String, Known> = HashMap::new();
        // It is not held twice.
        for row in std::mem::take(&mut evolved.memory.state) {
            known.entry(row.resource.clone()).or_default().add(&row)?;
        }
        let newest: HashMap<String, String> = known
            .iter()
            .filter_map(|(name, known)| Some((name.clone(), newest_pass(known.usual()?)?)))
            .collect();
        let left_out = self.left_out(&chosen, &known);
        let unseen = self.unseen(&chosen, &known);
        // Children first, so that each parent can be given its side of their queues.
        let mut ready: Vec<Ready> = Vec::new();
        let mut waiting: HashMap<String, Vec<Children>> = HashMap::new();
        for Chosen { resource, loads } in chosen.into_iter().rev() {
            let name = resource.spec().name.clone();
            let slices = known.remove(&name).unwrap_or_default();
            let children = waiting.remove(&name).unwrap_or_default();
            let parent = resource.spec().parent.as_ref();
            let above = parent.and_then(|parent| newest.get(&parent.resource));
            let earlier = Earlier {
                known: slices,
                above: above.cloned(),
                unseen: unseen.get(&name).cloned(),
            };
            let (made, child) = self.prepare(resource, loads, earlier, children, &mut evolved)?;
            if loads {
                let mut sink = made.extraction.sink.try_lock().map_err(|_| busy())?;
                let without = left_out.iter().filter(|(parent, _)| *parent == name);
                without.for_each(|(_, change)| sink.remember(change.clone()));
            }
            if let Some((parent, child)) = child {
                waiting.entry(parent).or_default().push(child);
            }
            ready.push(made);
        }
        ready.reverse();
        self.feed(&mut ready)?;

        let mut tasks = JoinSet::new();
        let (mut extractions, mut spans) = (Vec::new(), Vec::new());
        for Ready {
            extraction,
            state,
            queue,
            feed,
        } in ready
        {
            let index = extractions.len();
            extractions.push(extraction.clone());
            let span = trace::resource(&extraction.fetcher.spec().name);
            spans.push(span.clone());
            let task = async move {
                // What feeds say of it is older than its own list; one that fails says nothing.
                if let Some(feed) = feed
                    && let Ok(pending) = feed.await
                {
                    extraction.sink.lock().await.pending = Some(pending);
                }
                let result = match queue {
                    Some(queue) => extraction.clone().child(queue).await,
                    None => extraction.clone().root(state).await,
                };
                // Whatever happened: the children must not wait for more.
                let mut sink = extraction.sink.lock().await;
                let kept = if result.is_err() {
                    sink.flush(false).await
                } else {
                    Ok(())
                };
                sink.close(None).await;
                (index, result, kept)
            };
            tasks.spawn(task.instrument(span));
        }
        let mut outcomes: Vec<Outcome> = extractions
            .iter()
            .map(|_| Outcome::Failed(ErrorKind::System, "its task ended early".into()))
            .collect();
        while let Some(joined) = tasks.join_next().await {
            let Ok((index, result, kept)) = joined else {
                continue;
            };
            // A destination that failed fails the run, not one resource.
            kept?;
            let outcome = match result {
                Ok(Ended::Stopped) => Outcome::Stopped,
                Err(error) if error.kind() == ErrorKind::Stopped => Outcome::Stopped,
                Ok(_) => Outcome::Complete,
                Err(error) if error.kind() == ErrorKind::Destination => return Err(error),
                Err(error) => Outcome::Failed(error.kind(), error.report()),
            };
            let error = if let Outcome::Failed(_, message) = &outcome {
                Some(message.clone())
            } else {
                None
            };
            let fetcher = &extractions[index].fetcher;
            trace::ended(&spans[index], &fetcher.stats, &outcome);
            let resource = fetcher.spec().name.clone();
            self.observer.on(Progress::Finished { resource, error });
            outcomes[index] = outcome;
        }
        let mut reports = Vec::new();
        for (extraction, outcome) in extractions.iter().zip(outcomes) {
            let drift = extraction.sink.lock().await.drift();
            reports.push(extraction.fetcher.stats.report(
                &extraction.fetcher.spec().name,
                extraction.fetcher.spec().cursor.as_ref(),
                outcome,
                drift,
            ));
        }
        Ok(reports)
    }

    /// Children that this run leaves out while it reads their parents: each parent, and the state that says so.
    fn left_out(
        &self,
        chosen: &[Chosen],
        known: &HashMap<String, Known>,
    ) -> Vec<(String, StateChange)> {
        let is_loaded = |name: &str| {
            let mut chosen = chosen.iter();
            chosen.any(|chosen| chosen.loads && chosen.resource.spec().name == name)
        };
        let resources = self.source.resources().iter();
        let row = |resource: &Arc<dyn AnyResource>| {
            let spec = resource.spec();
            let parent = &spec.parent.as_ref()?.resource;
            // One that was never read has no row, and needs none.
            let state = known.get(&spec.name)?.usual()?.get("")?;
            if is_loaded(&spec.name) || !is_loaded(parent) {
                return None;
            }
            let missed = Some(self.load.id.clone());
            let state = SliceState {
                missed,
                ..state.clone()
            };
            let row = Lane::default().put(&spec.name, "", &state);
            Some((parent.clone(), row))
        };
        resources
            .filter_map(row)
            .chain(self.untold(chosen, known))
            .collect()
    }
}

/// The newest pass of a resource; the ids of passes are those of loads, which grow.
fn newest_pass(slices: &KnownSlices) -> Option<String> {
    let of = |state: &SliceState| {
        let open = state.pass.as_ref().map(|pass| pass.id.clone());
        open.max(state.done.clone())
    };
    slices.values().filter_map(of).max()
}

pub(super) fn busy() -> Error {
    Error::new(ErrorKind::System, "a sink is in use; this is a bug")
}

/// Seconds since 1970 with six decimals: grows from run to run.
pub(crate) fn load_id() -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}.{:06}", now.as_secs(), now.subsec_micros())
}
