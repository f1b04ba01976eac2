//! Feeds that change other resources: what they say is collected to the end of the feed, and handed to its targets, whose
//! own lists are read after it and so are newer. The feed's cursor moves with the last change.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{CursorValue, Lookup, RowRef};
use crate::source::{Change, ChangeFn, What};
use crate::state::StateChange;

/// What a feed may say in one run, in memory.
const MOST_BYTES: usize = 256 << 20;

/// What is collected of a feed.
#[derive(Default)]
pub(crate) struct Feed {
    targets: Vec<Target>,
    /// How often a record was newer and older than the one before.
    turns: (u64, u64),
    last: Option<CursorValue>,
    bytes: usize,
    /// What ends the feed's pass in the state; it waits for the changes.
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

/// What counts of all that was said of a record: of what was said at the same time, the first and the last.
struct Newest {
    at: Option<CursorValue>,
    first: Change,
    last: Option<Change>,
}

impl Feed {
    /// One more resource that it changes; gives where its changes come.
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

    /// Takes what a record of the feed says.
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

    /// Keeps what ends its pass back until the changes are loaded.
    pub fn end_with(&mut self, state: Option<StateChange>) {
        self.ending.extend(state);
    }

    /// It has been read to its end, and its rows are on their way.
    pub fn hand_over(self) -> Vec<String> {
        let Feed {
            targets,
            turns,
            ending,
            ..
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
            // Where nothing tells the order, the newest comes first, as feeds have it.
            let oldest_first = turns.0 > turns.1;
            let newest = target.newest.into_iter();
            let changes = newest.map(|(key, newest)| (key, newest.pick(oldest_first)));
            // A target that has failed takes none.
            let _ = target.hand.send(Pending {
                changes: changes.collect(),
                ending: ending.clone(),
            });
        }
        notes
    }
}

impl Newest {
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

    fn pick(self, oldest_first: bool) -> Change {
        match self.last {
            Some(last) if oldest_first => last,
            _ => self.first,
        }
    }
}

/// The end of a feed's pass, until all its targets have taken their changes.
struct Ending {
    left: AtomicUsize,
    state: Vec<StateChange>,
}

/// The changes of one target, by the keys of its records.
pub(crate) struct Pending {
    changes: HashMap<String, Change>,
    ending: Arc<Ending>,
}

impl Pending {
    /// The target's own list has brought a record, later than the feed.
    pub fn forget(&mut self, key: &Lookup, row: RowRef<'_>) {
        if !self.changes.is_empty()
            && let Some(key) = key.text(row)
        {
            self.changes.remove(&key);
        }
    }

    /// What it says of records that the list has not brought, in the order of their keys: objects, and the keys of what is
    /// gone.
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

    /// What ends the pass of the feed, if this is the last of its targets.
    pub fn ending(&self) -> &[StateChange] {
        match self.ending.left.fetch_sub(1, Ordering::SeqCst) {
            1 => &self.ending.state,
            _ => &[],
        }
    }
}
