//! The rows of one list, and their history.

use std::sync::Arc;

use crate::scenario::ListSpec;

/// A row in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Identifies the row for the judge; it is never sent.
    pub uid: u32,
    /// Its key, which another row may have too.
    pub key: i64,
    /// Its place: lists are sorted by it.
    pub place: i64,
    /// Grows with each change of any row, so that it identifies the row and its state.
    pub version: u32,
    /// The time at which it was added, in seconds on the API's clock.
    pub created: i64,
    /// The time of its last change.
    pub updated: i64,
}

impl Row {
    /// Returns the number of its tags, which follows from its state.
    pub fn tags(&self) -> usize {
        tags(self.version)
    }
}

/// Returns the number of tags of a row of that version.
pub fn tags(version: u32) -> usize {
    version as usize % 5
}

/// A list, in the order in which it is sent.
#[derive(Debug)]
pub struct Table {
    pub rows: Vec<Row>,
    /// The rows that were removed and have not come back.
    gone: Vec<Row>,
    newest_first: bool,
    /// The rows are sorted by the time of their last change.
    by_change: bool,
    next_place: i64,
    /// The list after each change, with its tick.
    pub history: Vec<(u64, Arc<Vec<Row>>)>,
}

/// The distance between the places of two rows that were added one after the other.
const STEP: i64 = 1000;
/// The number of places of one second, in a list that is sorted by time.
const PER_SECOND: i64 = 1_000_000;

impl Table {
    pub fn new(spec: &ListSpec, first_place: i64) -> Self {
        Table {
            rows: Vec::new(),
            gone: Vec::new(),
            newest_first: spec.newest_first,
            by_change: spec.by_cursor,
            next_place: first_place,
            history: Vec::new(),
        }
    }

    /// Adds a row after all others, or before the picked one.
    pub fn come(&mut self, mut row: Row, between: Option<usize>) {
        let free = between.and_then(|pick| self.between(pick));
        row.place = free.unwrap_or_else(|| self.last_place(row.updated));
        row.key = row.place;
        let ordered = self.rows.last().is_none_or(|last| last.place < row.place);
        self.rows.push(row);
        if self.newest_first || !ordered {
            self.sort();
        }
    }

    /// Removes the picked row.
    pub fn go(&mut self, pick: usize) {
        if !self.rows.is_empty() {
            let row = self.rows.remove(pick % self.rows.len());
            self.gone.push(row);
        }
    }

    /// Adds a removed row again, with its key and its place, in a new state.
    pub fn back(&mut self, pick: usize, version: u32, updated: i64) {
        let Some(count) = Some(self.gone.len()).filter(|count| *count > 0) else {
            return;
        };
        let mut row = self.gone.swap_remove(pick % count);
        if self.by_change {
            row.place = self.last_place(updated);
        }
        let taken = |other: &Row| other.place == row.place || other.key == row.key;
        if !self.rows.iter().any(taken) {
            self.rows.push(Row {
                version,
                updated,
                ..row
            });
            self.sort();
        }
    }

    /// Returns the place of a row that was changed at that time, after all other places.
    fn last_place(&mut self, updated: i64) -> i64 {
        self.next_place += if self.by_change { 1 } else { STEP };
        match self.by_change {
            true => updated * PER_SECOND + self.next_place,
            false => self.next_place,
        }
    }

    /// Changes the picked row, unless another one has its key.
    pub fn edit(&mut self, pick: usize, version: u32, updated: i64) {
        let Some(at) = pick.checked_rem(self.rows.len()) else {
            return;
        };
        // A record that changes while it is read may come again with its key: nothing would tell
        // it from another record with that key.
        let key = self.rows[at].key;
        if self.rows.iter().filter(|row| row.key == key).count() > 1 {
            return;
        }
        (self.rows[at].version, self.rows[at].updated) = (version, updated);
        if self.by_change {
            self.rows[at].place = self.last_place(updated);
            self.sort();
        }
    }

    /// Returns a place between two rows; `None` if there is no room.
    fn between(&self, pick: usize) -> Option<i64> {
        if self.by_change {
            return None;
        }
        let at = 1 + pick % self.rows.len().checked_sub(1).filter(|n| *n > 0)?;
        let (before, behind) = (self.rows[at - 1].place, self.rows[at].place);
        let middle = before.midpoint(behind);
        let taken = |row: &Row| row.place == middle || row.key == middle;
        (!self.rows.iter().any(taken)).then_some(middle)
    }

    /// Moves the picked row to another place.
    pub fn relocate(&mut self, pick: usize) {
        if self.rows.is_empty() || self.by_change {
            return;
        }
        let at = pick % self.rows.len();
        let place = match self.between(pick / 7) {
            Some(place) if pick.is_multiple_of(2) => place,
            _ => self.last_place(0),
        };
        self.rows[at].place = place;
        self.sort();
    }

    fn sort(&mut self) {
        self.rows.sort_by_key(|row| match self.newest_first {
            true => -row.place,
            false => row.place,
        });
    }

    /// Records the list from that tick on.
    pub fn note(&mut self, tick: u64) {
        self.history.push((tick, Arc::new(self.rows.clone())));
    }

    /// Returns the states of the list between two ticks, both included.
    pub fn during(&self, from: u64, to: u64) -> &[(u64, Arc<Vec<Row>>)] {
        let first = self.history.partition_point(|(tick, _)| *tick <= from);
        let end = self.history.partition_point(|(tick, _)| *tick <= to);
        &self.history[first.saturating_sub(1).min(end)..end]
    }
}
