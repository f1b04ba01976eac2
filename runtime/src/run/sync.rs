//! One run: every chosen resource is read, side by side, into one destination.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::error::{Error, ErrorKind, Result};
use crate::http::Client;
use crate::load::dlt::Meta;
use crate::load::{Destination, LoadInfo, LoadStatus, Memory};
use crate::normalize::{NormalizeOptions, Normalizer};
use crate::record::{Lookup, SelectRule, Selection};
use crate::run::changes::Pending;
use crate::run::children::{Children, Found, KnownSlices, WAITING};
use crate::run::evolve::{Evolved, evolve};
use crate::run::extract::{Ended, Extraction};
use crate::run::feeds::Unseen;
use crate::run::fetch::Fetcher;
use crate::run::lane::{Known, Lane};
use crate::run::loader::{Evolve, Loader};
use crate::run::sink::Sink;
use crate::run::stats::Stats;
use crate::run::trace;
use crate::run::window::Window;
use crate::run::{Observer, Outcome, Progress, RunOptions, RunReport, StopSignal};
use crate::schema::{Deletes, Disposition};
use crate::source::{AnyResource, ResourceSpec, Source, placeholders};
use crate::state::{Pass, SliceState, StateChange};

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
    let load = LoadInfo {
        id: load_id(),
        source: source.name().to_owned(),
        layout: Some(options.layout),
    };
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
    options: &'a RunOptions,
    client: Arc<Client>,
    observer: Arc<dyn Observer>,
    pub load: &'a LoadInfo,
    loader: &'a Loader,
}

/// A resource that is about to be read.
pub(super) struct Ready {
    pub extraction: Arc<Extraction>,
    state: SliceState,
    /// A child's side of the queue that its parent fills.
    queue: Option<mpsc::Receiver<Found>>,
    /// What a feed will say of it.
    pub feed: Option<oneshot::Receiver<Pending>>,
}

/// What earlier runs have left of one resource.
struct Earlier {
    known: Known,
    /// The newest pass of its parent.
    above: Option<String>,
    /// Changes that no feed tells any more.
    unseen: Option<Unseen>,
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
                Err(error) => Outcome::Failed(error.kind(), error.to_string()),
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

    /// Decides how one resource is read: which pass, from where, into what.
    fn prepare(
        &self,
        resource: Arc<dyn AnyResource>,
        loads: bool,
        earlier: Earlier,
        mut children: Vec<Children>,
        evolved: &mut Evolved,
    ) -> Result<(Ready, Option<(String, Children)>)> {
        let Earlier {
            known,
            above,
            unseen,
        } = earlier;
        let spec = resource.spec();
        let name: Arc<str> = spec.name.as_str().into();
        let place = |error: Error| error.at(format!("resource {name}"));
        let explicit = Window::explicit(spec.cursor.as_ref(), self.options).map_err(place)?;
        let evolution = evolved.resources.remove(&spec.name).unwrap_or_default();
        let memory = &evolved.memory;
        // Rows that take the place of all others must be all.
        let explicit = explicit.filter(|_| !evolution.refresh);
        let lane = match &explicit {
            Some(_) => Lane::of(self.options),
            None => Lane::default(),
        };
        let usual = known.usual().cloned().unwrap_or_default();
        let (mut known, mut begins) = known.take(&lane, &spec.name);
        let refresh = self.options.full_refresh || evolution.refresh;
        if refresh && loads {
            let forget = |(slice, _): (String, SliceState)| lane.forget(&spec.name, &slice);
            begins.extend(known.drain().map(forget));
        }
        let begun = known.remove("");
        // One that was never read has missed all that its parent has shown so far.
        let missed = match &begun {
            Some(state) => state.missed.clone(),
            None => above.filter(|_| explicit.is_none()),
        };
        if !loads {
            known.clear();
        }
        let mut state = begun.filter(|_| loads).unwrap_or_default();
        // A child that has missed some of this resource's records wants to see all of them.
        let missing = children.iter().filter_map(|child| child.missed.clone());
        let shown_all = missing.max().filter(|_| loads && explicit.is_none());
        if let Some(missed) = &shown_all
            && let Some(pass) = &state.pass
            && (pass.from.is_some() || pass.id <= *missed)
        {
            state.pass = None;
        }
        let unseen = unseen.filter(|_| loads && explicit.is_none());
        if let Some(unseen) = &unseen {
            state.pass.take_if(|pass| unseen.hides_from(pass));
        }
        let open = state.pass.clone();
        let is_child = spec.parent.is_some();
        let goes_on = open.as_ref().is_some_and(|pass| {
            is_child || pass.is_windowed() || (spec.can_resume() && pass.is_begun())
        });
        let pass = open
            .as_ref()
            .map_or_else(|| self.load.id.clone(), |pass| pass.id.clone());

        let mut disposition = match spec.disposition() {
            _ if refresh || open.as_ref().is_some_and(|pass| pass.staged) => Disposition::Replace,
            // A window must not replace what is outside of it.
            Disposition::Replace if explicit.is_some() && !spec.primary_key.is_empty() => {
                Disposition::Merge
            }
            Disposition::Replace if explicit.is_some() => Disposition::Append,
            disposition => disposition,
        };
        if explicit.is_some() && self.options.full_refresh {
            disposition = if spec.primary_key.is_empty() {
                Disposition::Append
            } else {
                Disposition::Merge
            };
        }
        let staged = disposition == Disposition::Replace;
        let deletes = match (loads, disposition) {
            (true, Disposition::Merge) => spec.deletes,
            _ => Deletes::Keep,
        };
        // A first load that was killed is still the first.
        let unfinished = goes_on && state.done.is_none();

        let stats = Arc::new(Stats::default());
        evolution
            .notes
            .into_iter()
            .for_each(|note| stats.note(note));
        if let Some(cursor) = &spec.cursor
            && !cursor.is_incremental()
            && loads
            && explicit.is_none()
        {
            let why = match &cursor.param {
                Some(param) => format!("`{param}` cannot see later changes"),
                None => "when a record was made says nothing of later changes".to_owned(),
            };
            stats.note(format!("read in full each time: {why}"));
        }
        let told = spec.tombstone.is_some() || self.source.feed_of(&spec.name).is_some();
        let deletes = match self
            .blind(spec, unseen.is_some())
            .filter(|_| deletes != Deletes::Keep)
        {
            Some(why) => {
                if !told {
                    stats.note(format!("records that are gone stay: {why}"));
                }
                Deletes::Keep
            }
            None => deletes,
        };
        let selection = self.selection(&*resource).filter(|_| loads);
        if loads {
            let about = |rule: &&SelectRule| rule.is_about(&spec.name) && !rule.excludes();
            for rule in self.options.select.iter().filter(about) {
                if !rule.is_known(resource.schema()) {
                    stats.note(format!(
                        "`--select {rule}` names what its struct does not know"
                    ));
                }
            }
        }
        // Closures and the links of children may look at every field.
        let looked_at = resource.has_closures() || !children.is_empty() || !spec.changes.is_empty();
        let thorough = deletes != Deletes::Keep || children.iter().any(Children::marks_gone);
        let unread = selection.clone().filter(|_| !looked_at);
        let normalizer = match loads {
            true => Some(
                self.normalizer(&*resource, disposition, memory, unfinished, selection)
                    .map_err(place)?,
            ),
            false => None,
        };

        // A parent that shows only what changed does not show all its children.
        let by_cursor = (spec.cursor.as_ref()).is_some_and(|cursor| cursor.is_incremental());
        let incremental = self.source.shows_changes_only(spec);
        let began = || !by_cursor || usual.values().any(|state| state.cursor.is_some());
        let in_full = shown_all.is_some() || unseen.is_some();
        let partial_view = incremental && !in_full && began();
        if let Some(unseen) = &unseen {
            stats.note(format!("read in full: {}", unseen.why));
        }
        if incremental && shown_all.is_some() && began() {
            stats.note("read in full: an earlier run left its children out".to_owned());
        }
        for child in &mut children {
            child.resume();
            if partial_view {
                child.revisit();
            }
        }
        let mut sink = Sink::new(
            name.clone(),
            normalizer,
            disposition,
            self.loader.handle.clone(),
            self.loader.policy,
            children,
            stats.clone(),
        );
        sink.deletes = spec.deletes;
        sink.tombstone = spec.tombstone.clone().filter(|_| loads);
        sink.key = spec
            .primary_key
            .first()
            .map(|keys| Lookup::new(resource.schema(), keys.clone()));
        // Which rows a pass has brought is told by the ids of its loads, which a clock that was set back breaks.
        let partial = open.as_ref().is_some_and(|pass| pass.partial) || pass > self.load.id;
        let mut begun = SliceState {
            pass: Some(Pass {
                id: pass.clone(),
                staged,
                partial,
                ..Pass::default()
            }),
            done: state.done.clone(),
            missed: missed.clone(),
            ..SliceState::default()
        };
        if is_child && goes_on {
            begun.missed = state.missed.clone();
        }
        evolution
            .first
            .into_iter()
            .for_each(|row| sink.remember(row));
        sink.last = evolution.last;
        if !goes_on {
            sink.begin_pass();
        }
        if (!goes_on || partial) && is_child && loads {
            begins.push(lane.put(&spec.name, "", &begun));
        }
        let (queue, child) = match &spec.parent {
            Some(parent) => {
                // One that reads after its feed must not hold up a parent for which the feed may wait.
                let waiting = match self.source.feed_of(&spec.name) {
                    Some(_) => Semaphore::MAX_PERMITS,
                    None => WAITING,
                };
                let (sender, receiver) = mpsc::channel(waiting);
                let mut child = Children::new(
                    resource.clone(),
                    pass.clone(),
                    lane.clone(),
                    known,
                    begins,
                    loads,
                    missed.filter(|_| loads),
                    sender,
                );
                // Its own children may have missed what did not change.
                let above = self.source.find(&parent.resource)?.spec();
                child.changed_only = parent.changed_only
                    && shown_all.is_none()
                    && self.source.shows_changes_only(above);
                (Some(receiver), Some((parent.resource.clone(), child)))
            }
            None => {
                begins.into_iter().for_each(|change| sink.remember(change));
                (None, None)
            }
        };
        let publish_cut = self.options.limit.is_some()
            && staged
            && state.done.is_none()
            && (self.options.full_refresh || !evolution.refresh);
        let fetcher = Fetcher::new(
            resource.clone(),
            self.client.clone(),
            stats,
            self.observer.clone(),
            self.options.stop.clone(),
            unread.as_ref(),
        );
        let extraction = Extraction {
            fetcher: Arc::new(fetcher.thorough(thorough)),
            sink: Mutex::new(sink),
            keeps_state: loads,
            pass,
            staged,
            publish_cut,
            from_start: in_full,
            deletes,
            begun,
            partial: partial.into(),
            explicit,
            lane,
            window_length: self.options.window,
            lists: AtomicU64::new(0),
            limit: self.options.limit.filter(|_| loads),
            taken: AtomicU64::new(0),
            stop: self.options.stop.clone(),
        };
        Ok((
            Ready {
                extraction: Arc::new(extraction),
                state,
                queue,
                feed: None,
            },
            child,
        ))
    }

    /// Why a resource does not show what is gone.
    fn blind(&self, spec: &ResourceSpec, in_full: bool) -> Option<&'static str> {
        let contract = self.source.contract_of(spec);
        let contract = contract.with(&self.options.contracts, &spec.name);
        if !in_full && spec.cursor.as_ref().is_some_and(|c| c.is_incremental()) {
            Some("its cursor asks only for what has changed")
        } else if !in_full && self.source.shows_changes_only(spec) {
            Some("it is read only for the parents that have changed")
        } else if spec.cursor.as_ref().is_some_and(|c| c.windows.is_some()) {
            Some("windows may not show records without a value of its cursor")
        } else if contract.discards_rows() {
            Some("its contract leaves rows out")
        } else if spec.primary_key.is_empty() {
            Some("it has no key")
        } else {
            None
        }
    }

    /// The fields of a resource that are loaded; its key and its cursor are, whatever is said, and what tells its parent.
    fn selection(&self, resource: &dyn AnyResource) -> Option<Selection> {
        let spec = resource.spec();
        let mut always = spec.primary_key.clone();
        always.extend(spec.cursor.as_ref().map(|cursor| cursor.keys.clone()));
        always.extend(spec.tombstone.as_ref().map(|field| field.keys.clone()));
        if spec.parent.is_some() {
            let names = placeholders(&spec.path);
            // The column of a parameter is left out where the record has a field of its name.
            let own = names.filter(|name| resource.schema().position(name).is_some());
            always.extend(own.map(|name| vec![name.to_owned()]));
        }
        Selection::new(&self.options.select, &spec.name, always)
    }

    fn normalizer(
        &self,
        resource: &dyn AnyResource,
        disposition: Disposition,
        memory: &Memory,
        unfinished: bool,
        selection: Option<Selection>,
    ) -> Result<Normalizer> {
        // Rows that replace all others are named like those that will be appended to them.
        let disposition = match resource.spec().disposition() {
            Disposition::Append => Disposition::Append,
            _ => disposition,
        };
        let known: Vec<_> = memory
            .tables
            .iter()
            .filter(|table| table.resource == resource.spec().name)
            .cloned()
            .collect();
        let options = NormalizeOptions {
            load_id: self.load.id.clone(),
            identifier_length: self.loader.limits.identifier_length,
            layout: self.options.layout,
            within_slice: resource.spec().within_parent,
            named_by_content: resource.spec().cursor.is_some(),
            contract: self
                .source
                .contract_of(resource.spec())
                .with(&self.options.contracts, &resource.spec().name),
            first_load: known.is_empty() || unfinished,
            selection,
            marks_deleted: resource.spec().deletes == Deletes::Soft,
            ..NormalizeOptions::new(
                &resource.spec().name,
                &resource.spec().primary_key,
                disposition,
            )
        };
        Normalizer::new(resource.schema(), options, &known)
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
