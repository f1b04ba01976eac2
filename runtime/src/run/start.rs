//! Opens what the plan of a run needs: a reader and an output for each resource, the queues between
//! parents and children, and the connections of feeds.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::error::{Error, ErrorKind, Result};
use crate::http::Client;
use crate::normalize::{NormalizeOptions, Normalizer};
use crate::page::Proof;
use crate::run::deliver::children::{ChildQueue, WAITING};
use crate::run::deliver::earlier::{Earlier, Recall};
use crate::run::deliver::loader::Target;
use crate::run::deliver::output::LoadOutput;
use crate::run::options::{Observer, RunOptions};
use crate::run::plan::{self, ChildSlices, PassPlan, ResourcePlan, RunPlan, WritePlan};
use crate::run::read::feed::{Feed, Pending};
use crate::run::read::fetch::FetcherParts;
use crate::run::read::reader::ResourceReader;
use crate::run::read::resource::{Found, Slices};
use crate::run::report::stats::Stats;
use crate::schema::Layout;
use crate::source::{AnyResource, Source};

/// What all resources of a run share.
pub(super) struct Context<'a> {
    pub source: &'a Source,
    pub options: &'a RunOptions,
    pub client: Arc<Client>,
    pub observer: Arc<dyn Observer>,
    pub target: Target,
}

/// A resource that is about to be read.
pub(super) struct Ready {
    pub reader: Arc<ResourceReader>,
    pub slices: Slices,
    /// The name of the feed that changes the resource, and the receiver of its changes.
    pub feed: Option<(String, oneshot::Receiver<Pending>)>,
}

/// What the tables of a run have in common.
struct Names {
    load_id: String,
    layout: Layout,
    identifier_length: usize,
}

/// A child resource, and the side of its queue that its parent fills.
struct Child {
    resource: Arc<dyn AnyResource>,
    queue: ChildQueue,
}

/// What interrupted runs have loaded of the resources whose pass is resumed; `None` if the
/// destination cannot read it.
pub(super) type Recalled = HashMap<String, Option<Earlier>>;

impl Context<'_> {
    /// Reads back what interrupted runs have loaded of the resources whose pass is resumed.
    pub async fn recall(&self, plan: &RunPlan) -> Result<Recalled> {
        let mut recalled = Recalled::new();
        for plan in &plan.resources {
            let resource = self.source.find(&plan.name)?;
            if let Some(recall) = Recall::of(&**resource, plan) {
                let earlier = self.target.loader.recall(recall).await?;
                recalled.insert(plan.name.clone(), earlier);
            }
        }
        Ok(recalled)
    }

    /// Opens the readers of a plan, parents before children.
    pub fn start(&self, plan: RunPlan, mut earlier: Recalled) -> Result<Vec<Ready>> {
        let names = Names {
            load_id: plan.load_id,
            layout: plan.layout,
            identifier_length: plan.identifier_length,
        };
        let feeds: Vec<Vec<String>> = plan.resources.iter().map(|p| p.feeds.clone()).collect();
        // Children come first, so that each parent can be given its side of their queues.
        let mut ready: Vec<Ready> = Vec::new();
        let mut waiting: HashMap<String, Vec<Child>> = HashMap::new();
        for plan in plan.resources.into_iter().rev() {
            let children = waiting.remove(&plan.name).unwrap_or_default();
            let parent = plan.parent.clone();
            let earlier = earlier.remove(&plan.name);
            let (made, child) = self.reader(plan, &names, (children, earlier))?;
            if let Some((parent, child)) = parent.zip(child) {
                waiting.entry(parent).or_default().push(child);
            }
            ready.push(made);
        }
        ready.reverse();
        tie(&feeds, &mut ready)?;
        self.doubt_targets(&ready);
        Ok(ready)
    }

    /// Limits the proof of resources whose lists do not show all changes and which are read without
    /// their feed.
    fn doubt_targets(&self, ready: &[Ready]) {
        for Ready {
            reader,
            slices,
            feed,
        } in ready
        {
            let feeds = self.source.feed_of(&reader.fetcher.spec().name);
            if let Some(left_out) = feeds.filter(|_| feed.is_none() && !slices.is_in_full()) {
                let why = format!(
                    "its feed `{}` was not read with it, and its own list does not show all changes",
                    left_out.name
                );
                reader.fetcher.stats.prove(Proof::Unproved(why));
            }
        }
    }

    /// Opens the reader of one resource, and returns its parent's side of the queue.
    fn reader(
        &self,
        mut plan: ResourcePlan,
        names: &Names,
        (children, earlier): (Vec<Child>, Option<Option<Earlier>>),
    ) -> Result<(Ready, Option<Child>)> {
        let resource = self.source.find(&plan.name)?.clone();
        let spec = resource.spec();
        let stats = Arc::new(Stats::default());
        plan.notes.iter().for_each(|note| stats.note(note.clone()));
        let (slices, child) = match &mut plan.slices {
            plan::Slices::One(slice) => (Slices::One(Box::new(slice.clone())), None),
            plan::Slices::Children(slices) => {
                let slices = slices.hand_over();
                let (found, child) = self.queue(resource.clone(), &plan.pass, slices, plan.loads);
                (Slices::Found(found), Some(child))
            }
        };
        let (children, queues): (Vec<_>, Vec<_>) = children
            .into_iter()
            .map(|child| (child.resource, child.queue))
            .unzip();
        let target = self.target.clone();
        let mut output = LoadOutput::new(spec, &plan.pass, &plan.write, target, stats.clone());
        if plan.loads {
            output = output.with_rows(self.normalizer(&*resource, &plan.write, names)?);
        }
        if let Some(earlier) = earlier {
            output = output.after(earlier);
        }
        let (client, auth) = (self.client.clone(), spec.auth.clone());
        let output = output.sealed(move || client.seal(auth.as_ref()));
        let output = Box::new(output.with_children(queues));
        let parts = FetcherParts {
            client: self.client.clone(),
            stats,
            observer: self.observer.clone(),
            stop: self.options.stop.clone(),
        };
        let reader = ResourceReader::new(resource, &plan, parts, &children, output)?;
        let ready = Ready {
            reader: Arc::new(reader),
            slices,
            feed: None,
        };
        Ok((ready, child))
    }

    fn normalizer(
        &self,
        resource: &dyn AnyResource,
        write: &WritePlan,
        names: &Names,
    ) -> Result<Normalizer> {
        let columns = self.target.columns;
        let options = NormalizeOptions {
            load_id: names.load_id.clone(),
            layout: names.layout,
            identifier_length: names.identifier_length,
            // Some columns are reserved for declared fields that have not arrived yet.
            most_columns: columns.saturating_sub((columns / 10).max(1)),
            ..write.normalize(resource.spec(), self.target.skips_unchanged)?
        };
        Normalizer::new(resource.schema(), options, &write.there)
    }

    /// Opens the queue of the slices of a child, and returns its own side and its parent's.
    fn queue(
        &self,
        resource: Arc<dyn AnyResource>,
        pass: &PassPlan,
        slices: ChildSlices,
        loads: bool,
    ) -> (mpsc::Receiver<Found>, Child) {
        let name = resource.spec().name.clone();
        // A child that waits for its feed must not block a parent for which the feed may wait.
        let waiting = match self.source.feed_of(&name) {
            Some(_) => Semaphore::MAX_PERMITS,
            None => WAITING,
        };
        let (sender, found) = mpsc::channel(waiting);
        let queue = ChildQueue::new(name, pass, slices, loads, sender);
        (found, Child { resource, queue })
    }
}

/// Connects feeds to the resources that they change. `feeds`: the targets of each resource.
fn tie(feeds: &[Vec<String>], ready: &mut [Ready]) -> Result<()> {
    for (at, targets) in feeds.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
        let reader = ready[at].reader.clone();
        let cursor = reader.fetcher.spec().cursor.as_ref();
        let mut feed = Feed::new(cursor.and_then(|cursor| cursor.order));
        for target in targets {
            let changes = &reader.fetcher.spec().changes;
            let changes = changes.iter().find(|changes| changes.target == *target);
            let is_target = |ready: &&mut Ready| ready.reader.fetcher.spec().name == *target;
            let target = ready.iter_mut().find(is_target);
            if let Some((changes, target)) = changes.zip(target) {
                let key = target.reader.fetcher.spec().primary_key.first();
                let key = key.cloned().unwrap_or_default();
                let pending = feed.add(&changes.target, changes.of.clone(), key);
                target.feed = Some((reader.fetcher.spec().name.clone(), pending));
            }
        }
        let busy = |_| Error::new(ErrorKind::System, "a reader is in use; this is a bug");
        reader.intake.try_lock().map_err(busy)?.feed = Some(feed);
    }
    Ok(())
}
