//! Finds what dependent resources miss: children whose parents are read without them, and resources
//! that are changed by feeds.

use std::collections::HashMap;

use etlgen_model::counted;

use super::MissedRows;
use super::choose::Chosen;
use super::scope::{PriorState, StateScope};
use super::values::ResourcePlan;
use crate::source::{ResourceSpec, Source};
use crate::state::{Pass, SliceState, StateChange};

/// Changes of a resource that no feed reports any more: the resource must be read in full.
pub(crate) struct Unseen {
    pub why: String,
    /// A pass that began before this time, in microseconds since 1970, has not seen them either.
    before: Option<i64>,
}

impl Unseen {
    /// Returns whether an open pass will not show them.
    pub fn hides_from(&self, pass: &Pass) -> bool {
        pass.from.is_some()
            || self
                .before
                .is_some_and(|before| pass.began() < Some(before))
    }
}

/// Finds what the chosen resources have missed, and which others miss this run.
pub(super) struct Missed<'a> {
    pub source: &'a Source,
    pub chosen: &'a [Chosen],
    pub prior: &'a HashMap<String, PriorState>,
    pub load_id: &'a str,
    /// The time of the run, in microseconds since 1970.
    pub now: i64,
}

impl Missed<'_> {
    /// Returns the resources that must be read in full, since their feed no longer reports all
    /// changes.
    pub fn unseen(&self) -> HashMap<String, Unseen> {
        let targets = self.chosen.iter().filter(|chosen| chosen.loads);
        let unseen = |target: &Chosen| {
            let name = &target.resource.spec().name;
            let feed = self.source.feed_of(name)?;
            let of_target = self.state(name)?;
            let missed = of_target.missed.as_deref().and_then(began);
            if let Some(missed) = missed {
                let why = format!("`{}` was read without it", feed.name);
                let before = Some(missed);
                return Some((name.clone(), Unseen { why, before }));
            }
            // If the feed is not read in this run, no change is lost.
            let read = self.state(&feed.name);
            let read = read.and_then(|state| began(state.done.as_deref()?));
            let unseen = self.unseen_by(feed, read)?;
            let told = of_target.done.is_some() || of_target.pass.is_some();
            (told && self.loads(&feed.name)).then(|| (name.clone(), unseen))
        };
        targets.filter_map(unseen).collect()
    }

    /// Returns the resources that miss this run: for each, the resource that is read without it,
    /// and the state that records this.
    pub fn all(&self) -> MissedRows {
        let mut missed = Vec::new();
        for resource in self.source.resources() {
            let spec = resource.spec();
            let parent = spec.parent.as_ref().map(|parent| &parent.resource);
            if let Some(parent) = parent.filter(|parent| self.loads(parent)) {
                missed.extend(self.row(parent, &spec.name));
            }
        }
        for feed in self.chosen.iter().filter(|chosen| chosen.loads) {
            let feed = feed.resource.spec();
            for changes in &feed.changes {
                missed.extend(self.row(&feed.name, &changes.target));
            }
        }
        missed
    }

    /// Returns the state of a resource that misses this run. A resource that was never read has no
    /// row and needs none.
    fn row(&self, by: &str, name: &str) -> Option<(String, StateChange)> {
        let state = self.state(name).filter(|_| !self.loads(name))?;
        let state = SliceState {
            missed: Some(self.load_id.to_owned()),
            ..state.clone()
        };
        let row = StateScope::default().put(name, "", &state);
        Some((by.to_owned(), row))
    }

    fn state(&self, name: &str) -> Option<&SliceState> {
        self.prior.get(name)?.root()
    }

    fn loads(&self, name: &str) -> bool {
        let mut chosen = self.chosen.iter();
        chosen.any(|chosen| chosen.loads && chosen.resource.spec().name == name)
    }

    /// Returns the changes that a feed which was last read at `read` does not report.
    fn unseen_by(&self, feed: &ResourceSpec, read: Option<i64>) -> Option<Unseen> {
        let reach = feed
            .reach
            .map(|reach| (reach, self.now - reach.as_micros() as i64));
        let Some(read) = read else {
            return Some(Unseen {
                why: format!("its feed `{}` was not read before", feed.name),
                before: reach.map(|(_, before)| before),
            });
        };
        let (reach, before) = reach?;
        (read < before).then(|| Unseen {
            why: format!(
                "its feed `{}` reaches back {}, and was last read before that",
                feed.name,
                counted(reach.as_secs() / 86_400, "day")
            ),
            before: Some(before),
        })
    }
}

/// Connects feeds to the resources of the run that they change.
pub(super) fn tie(source: &Source, resources: &mut [ResourcePlan]) {
    let loaded: Vec<String> = resources
        .iter()
        .filter(|plan| plan.loads)
        .map(|plan| plan.name.clone())
        .collect();
    for plan in resources {
        // Old events must not overwrite newer data.
        if !plan.loads || plan.pass.bounds.is_some() {
            continue;
        }
        let changes = source.find(&plan.name).map(|feed| &feed.spec().changes);
        let targets = changes.into_iter().flatten().map(|changes| &changes.target);
        plan.feeds = targets
            .filter(|target| loaded.contains(target))
            .cloned()
            .collect();
    }
}

/// Returns when the pass with this id began, in microseconds since 1970.
fn began(id: &str) -> Option<i64> {
    let pass = Pass {
        id: id.to_owned(),
        ..Pass::default()
    };
    pass.began()
}
