//! Feeds that change other resources: their changes are collected to the end of the feed and handed
//! to its targets, whose own lists are read after it and so are newer. The feed's cursor moves with
//! the last change.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use etlgen_model::Order;
use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::page::Proof;
use crate::record::{CursorValue, Lookup, RowRef};
use crate::source::{Change, ChangeFn, What};
use crate::state::StateChange;

/// The most bytes of changes that a run holds in memory for a feed.
const MOST_BYTES: usize = 256 << 20;

/// Why the newest change of a record may be another one.
const UNORDERED: &str = "two changes of one record have the same time, and nothing shows which one is newer: declare the order of the feed with `.oldest_first()` or `.newest_first()` on its cursor";

/// The changes that are collected from a feed.
#[derive(Default)]
pub(crate) struct Feed {
    targets: Vec<Target>,
    /// The order of its records, if that is declared.
    order: Option<Order>,
    /// How often a record was newer, and how often it was older, than the one before.
    turns: (u64, u64),
    last: Option<CursorValue>,
    bytes: usize,
    /// The state that ends the feed's pass; it waits for the changes.
    ending: Vec<StateChange>,
}

struct Target {
    name: String,
    of: Arc<ChangeFn>,
    key: Vec<String>,
    newest: HashMap<String, Newest>,
    /// Changes that name no record.
    nameless: u64,
    hand: oneshot::Sender<Pending>,
}

/// The newest changes of a record: of those with the same time, the first and the last.
struct Newest {
    at: Option<CursorValue>,
    first: Change,
    last: Option<Change>,
}

impl Feed {
    /// Creates a feed whose records have this order.
    pub fn new(order: Option<Order>) -> Self {
        Feed {
            order,
            ..Feed::default()
        }
    }

    /// Adds a resource that the feed changes; returns the receiver of its changes.
    pub fn add(
        &mut self,
        name: &str,
        of: Arc<ChangeFn>,
        key: Vec<String>,
    ) -> oneshot::Receiver<Pending> {
        let (hand, pending) = oneshot::channel();
        self.targets.push(Target {
            name: name.to_owned(),
            of,
            key,
            newest: HashMap::new(),
            nameless: 0,
            hand,
        });
        pending
    }

    /// Takes the changes from a record of the feed.
    pub fn take(&mut self, record: &dyn Any, at: Option<&CursorValue>) -> Result<()> {
        if let (Some(at), Some(last)) = (at, &self.last) {
            self.turns.0 += u64::from(at > last);
            self.turns.1 += u64::from(at < last);
        }
        self.last = at.cloned();
        for target in &mut self.targets {
            let Some(change) = (target.of)(record) else {
                continue;
            };
            let Some(key) = change.key(&target.key) else {
                target.nameless += 1;
                continue;
            };
            self.bytes += change.bytes();
            match target.newest.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(Newest::new(at, change));
                }
                Entry::Occupied(mut place) => {
                    let there = place.get_mut();
                    if at == there.at.as_ref() {
                        self.bytes -= there.last.as_ref().map_or(0, Change::bytes);
                        there.last = Some(change);
                    } else if at > there.at.as_ref() {
                        self.bytes -= there.bytes();
                        *there = Newest::new(at, change);
                    } else {
                        self.bytes -= change.bytes();
                    }
                }
            }
        }
        if self.bytes > MOST_BYTES {
            let message = "it changes more than fits into memory (256 MB)";
            return Err(Error::new(ErrorKind::System, message).hint(
                "read what it changes in full: `--full-refresh --resources` with it and its targets",
            ));
        }
        Ok(())
    }

    /// Holds back the state that ends its pass until the changes are loaded.
    pub fn end_with(&mut self, state: Option<StateChange>) {
        self.ending.extend(state);
    }

    /// Returns the order of its records that their times show, or that is declared.
    fn shown_order(&self) -> Option<Order> {
        match self.turns.0.cmp(&self.turns.1) {
            std::cmp::Ordering::Greater => Some(Order::OldestFirst),
            std::cmp::Ordering::Less => Some(Order::NewestFirst),
            std::cmp::Ordering::Equal => self.order,
        }
    }

    /// Hands the changes of a feed that has been read to its end to its targets, with the proof of
    /// that end; returns notes.
    pub fn hand_over(self, proof: Proof) -> Vec<String> {
        let order = self.shown_order();
        let Feed {
            targets, ending, ..
        } = self;
        let ending = Arc::new(Ending {
            left: AtomicUsize::new(targets.len()),
            state: ending,
        });
        let mut notes = Vec::new();
        for target in targets {
            if target.nameless > 0 {
                let (count, name) = (target.nameless, &target.name);
                notes.push(format!("{count} changes of `{name}` name no record"));
            }
            let is_open = order.is_none() && target.newest.values().any(Newest::is_open);
            let proof = match is_open {
                true => proof.clone().and(Proof::Unproved(UNORDERED.to_owned())),
                false => proof.clone(),
            };
            let newest = target.newest.into_iter();
            let changes = newest.map(|(key, newest)| (key, newest.pick(order)));
            // A target that has failed does not receive them.
            let _ = target.hand.send(Pending {
                changes: changes.collect(),
                proof,
                is_open,
                ending: ending.clone(),
            });
        }
        notes
    }
}

impl Newest {
    /// Returns whether it depends on the order of the feed which change is the newest.
    fn is_open(&self) -> bool {
        self.last.as_ref().is_some_and(|last| *last != self.first)
    }

    fn new(at: Option<&CursorValue>, change: Change) -> Self {
        Newest {
            at: at.cloned(),
            first: change,
            last: None,
        }
    }

    fn bytes(&self) -> usize {
        self.first.bytes() + self.last.as_ref().map_or(0, Change::bytes)
    }

    /// Returns the newest change. If nothing shows the order, a record is not deleted, and otherwise
    /// the newest change comes first, as is usual in feeds.
    fn pick(self, order: Option<Order>) -> Change {
        let is_delete = matches!(self.first.0, What::Delete(_));
        match self.last {
            Some(last) if order == Some(Order::OldestFirst) => last,
            Some(last) if order.is_none() && is_delete => last,
            _ => self.first,
        }
    }
}

/// The state that ends a feed's pass, until all its targets have taken their changes.
struct Ending {
    left: AtomicUsize,
    state: Vec<StateChange>,
}

/// The changes of one target, by the keys of its records.
pub(crate) struct Pending {
    changes: HashMap<String, Change>,
    /// How certain it is that the feed brought all changes, and that they are the newest ones.
    pub proof: Proof,
    /// Whether nothing shows which change of some record is the newest. A list that is read in full shows
    /// the changes that a feed has missed, and not that a change is an old one.
    pub is_open: bool,
    ending: Arc<Ending>,
}

impl Pending {
    /// Drops the change of a record that the target's own list has brought, later than the feed.
    pub fn forget(&mut self, key: &Lookup, row: RowRef<'_>) {
        if !self.changes.is_empty()
            && let Some(key) = key.text(row)
        {
            self.changes.remove(&key);
        }
    }

    /// Returns the changes of records that the list has not brought, in the order of their keys:
    /// objects, and the keys of deleted records.
    pub fn split(&mut self) -> (Vec<Box<str>>, Vec<String>) {
        let changes = std::mem::take(&mut self.changes);
        let mut changes: Vec<(String, Change)> = changes.into_iter().collect();
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut puts, mut gone) = (Vec::new(), Vec::new());
        for (key, Change(what)) in changes {
            match what {
                What::Put(raw) => puts.push(raw),
                What::Delete(_) => gone.push(key),
            }
        }
        (puts, gone)
    }

    /// Returns the state that ends the pass of the feed, if this is the last of its targets.
    pub fn ending(&self) -> &[StateChange] {
        match self.ending.left.fetch_sub(1, Ordering::SeqCst) {
            1 => &self.ending.state,
            _ => &[],
        }
    }
}
