//! Decides how one resource is read: which pass, from where, into what.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::error::{Error, Result};
use crate::load::Memory;
use crate::normalize::{NormalizeOptions, Normalizer};
use crate::record::{Lookup, SelectRule, Selection};
use crate::run::children::{Children, WAITING};
use crate::run::evolve::Evolved;
use crate::run::extract::Extraction;
use crate::run::feeds::Unseen;
use crate::run::fetch::Fetcher;
use crate::run::lane::{Known, Lane};
use crate::run::sink::Sink;
use crate::run::stats::Stats;
use crate::run::sync::{Plan, Ready};
use crate::run::window::Window;
use crate::schema::{Deletes, Disposition};
use crate::source::{AnyResource, ResourceSpec, placeholders};
use crate::state::{Pass, SliceState};

/// What earlier runs have left of one resource.
pub(super) struct Earlier {
    pub known: Known,
    /// The newest pass of its parent.
    pub above: Option<String>,
    /// Changes that no feed tells any more.
    pub unseen: Option<Unseen>,
}

impl Plan<'_> {
    /// Decides how one resource is read: which pass, from where, into what.
    pub(super) fn prepare(
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

        let replaces = refresh || open.as_ref().is_some_and(|pass| pass.staged);
        let disposition = match spec.disposition() {
            // A window must not replace what is outside of it.
            declared if explicit.is_some() && (replaces || declared == Disposition::Replace) => {
                match spec.primary_key.is_empty() {
                    true => Disposition::Append,
                    false => Disposition::Merge,
                }
            }
            _ if replaces => Disposition::Replace,
            declared => declared,
        };
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
            self.note_unknown(&*resource, &stats);
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

    /// Notes what was selected and is not in the resource's struct.
    fn note_unknown(&self, resource: &dyn AnyResource, stats: &Stats) {
        let name = &resource.spec().name;
        let about = |rule: &&SelectRule| rule.is_about(name) && !rule.excludes();
        let rules = self.options.select.iter().filter(about);
        for rule in rules.filter(|rule| !rule.is_known(resource.schema())) {
            stats.note(format!(
                "`--select {rule}` names what its struct does not know"
            ));
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
