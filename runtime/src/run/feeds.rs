//! Which feeds of a run change which of its resources, and what no feed tells any more.

use std::collections::HashMap;

use crate::error::Result;
use crate::run::changes::Feed;
use crate::run::extract::now;
use crate::run::lane::{Known, Lane};
use crate::run::sync::{Chosen, Plan, Ready, busy};
use crate::source::ResourceSpec;
use crate::state::{Pass, SliceState, StateChange};

/// Changes of a resource that no feed tells any more: it must be read in full.
#[derive(Clone)]
pub(super) struct Unseen {
    pub why: String,
    /// A pass that began before has not seen them either, in microseconds since 1970.
    before: Option<i64>,
}

impl Unseen {
    /// Whether a pass that is open will not show them.
    pub fn hides_from(&self, pass: &Pass) -> bool {
        pass.from.is_some()
            || self
                .before
                .is_some_and(|before| pass.began() < Some(before))
    }
}

impl Plan<'_> {
    /// Ties feeds to what they change.
    pub(super) fn feed(&self, ready: &mut [Ready]) -> Result<()> {
        for at in 0..ready.len() {
            let extraction = ready[at].extraction.clone();
            // Old events must not overwrite what is newer.
            if !extraction.keeps_state || extraction.explicit.is_some() {
                continue;
            }
            let mut feed = None;
            for changes in &extraction.fetcher.spec().changes {
                let is_target = |ready: &&mut Ready| {
                    let spec = ready.extraction.fetcher.spec();
                    ready.extraction.keeps_state && spec.name == changes.target
                };
                if let Some(target) = ready.iter_mut().find(is_target) {
                    let key = target.extraction.fetcher.spec().primary_key.first();
                    let key = key.cloned().unwrap_or_default();
                    let feed = feed.get_or_insert_with(Feed::default);
                    target.feed = Some(feed.add(&changes.target, changes.of.clone(), key));
                }
            }
            extraction.sink.try_lock().map_err(|_| busy())?.feed = feed;
        }
        Ok(())
    }

    /// The resources of this run that must be read in full, since their feed no longer tells all changes.
    pub(super) fn unseen(
        &self,
        chosen: &[Chosen],
        known: &HashMap<String, Known>,
    ) -> HashMap<String, Unseen> {
        let state = |name: &str| known.get(name)?.usual()?.get("");
        let targets = chosen.iter().filter(|chosen| chosen.loads);
        let unseen = |target: &Chosen| {
            let name = &target.resource.spec().name;
            let feed = self.source.feed_of(name)?;
            let of_target = state(name)?;
            let missed = of_target.missed.as_deref().and_then(began);
            if let Some(missed) = missed {
                let why = format!("`{}` was read without it", feed.name);
                let before = Some(missed);
                return Some((name.clone(), Unseen { why, before }));
            }
            // Without the feed in this run, nothing gets lost in it.
            let reads_feed =
                |chosen: &Chosen| chosen.loads && chosen.resource.spec().name == feed.name;
            let read = state(&feed.name).and_then(|state| began(state.done.as_deref()?));
            let unseen = unseen_by(feed, read)?;
            let told = of_target.done.is_some() || of_target.pass.is_some();
            (told && chosen.iter().any(reads_feed)).then(|| (name.clone(), unseen))
        };
        targets.filter_map(unseen).collect()
    }

    /// Resources of which this run reads the feed without them: the feed, and the state that says so.
    pub(super) fn untold(
        &self,
        chosen: &[Chosen],
        known: &HashMap<String, Known>,
    ) -> Vec<(String, StateChange)> {
        let loads = |name: &str| {
            let mut chosen = chosen.iter();
            chosen.any(|chosen| chosen.loads && chosen.resource.spec().name == name)
        };
        let mut untold = Vec::new();
        for feed in chosen.iter().filter(|chosen| chosen.loads) {
            let feed = feed.resource.spec();
            for changes in feed
                .changes
                .iter()
                .filter(|changes| !loads(&changes.target))
            {
                if let Some(state) = known
                    .get(&changes.target)
                    .and_then(|known| known.usual()?.get(""))
                {
                    let state = SliceState {
                        missed: Some(self.load.id.clone()),
                        ..state.clone()
                    };
                    let row = Lane::default().put(&changes.target, "", &state);
                    untold.push((feed.name.clone(), row));
                }
            }
        }
        untold
    }
}

/// What a feed that was last read then does not tell.
fn unseen_by(feed: &ResourceSpec, read: Option<i64>) -> Option<Unseen> {
    let Some(read) = read else {
        return Some(Unseen {
            why: format!("its feed `{}` was not read before", feed.name),
            before: feed.reach.map(|reach| now() - reach.as_micros() as i64),
        });
    };
    let reach = feed.reach?;
    let before = now() - reach.as_micros() as i64;
    (read < before).then(|| Unseen {
        why: format!(
            "its feed `{}` reaches back {} days, and was last read before that",
            feed.name,
            reach.as_secs() / 86_400
        ),
        before: Some(before),
    })
}

/// When the pass of that id began, in microseconds since 1970.
fn began(id: &str) -> Option<i64> {
    let pass = Pass {
        id: id.to_owned(),
        ..Pass::default()
    };
    pass.began()
}
