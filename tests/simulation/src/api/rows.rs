//! The rows of one list, and all that they ever were.

use std::sync::Arc;

/// A row as it stands in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Names the row for the judge; it is never sent.
    pub uid: u32,
    /// Its key, which may be another row's too.
    pub key: i64,
    /// Its place: lists are sorted by it.
    pub place: i64,
    /// Grows with each change of any row, so that it names the row and its state.
    pub version: u32,
    /// When it changed last, in seconds on the API's clock.
    pub updated: i64,
}

impl Row {
    /// How many tags it has, which follows from its state.
    pub fn tags(&self) -> usize {
        tags(self.version)
    }
}

/// How many tags a row of that version has.
pub fn tags(version: u32) -> usize {
    version as usize % 3
}

/// A list, in the order in which it is shown.
#[derive(Debug)]
pub struct Table {
    pub rows: Vec<Row>,
    newest_first: bool,
    next_place: i64,
    /// The list after each change, with the moment of it.
    pub history: Vec<(u64, Arc<Vec<Row>>)>,
}

/// The distance of two rows that were made one after the other.
const STEP: i64 = 1000;

impl Table {
    pub fn new(newest_first: bool, first_place: i64) -> Self {
        Table {
            rows: Vec::new(),
            newest_first,
            next_place: first_place,
            history: Vec::new(),
        }
    }

    /// Puts a row behind all others, or between two: before the one that is picked.
    pub fn come(&mut self, mut row: Row, between: Option<usize>) {
        let free = between.and_then(|pick| self.between(pick));
        row.place = free.unwrap_or_else(|| {
            self.next_place += STEP;
            self.next_place
        });
        row.key = row.place;
        self.rows.push(row);
        self.sort();
    }

    /// A place between two rows; `None`: there is no room.
    fn between(&self, pick: usize) -> Option<i64> {
        let at = 1 + pick % self.rows.len().checked_sub(1).filter(|n| *n > 0)?;
        let (before, behind) = (self.rows[at - 1].place, self.rows[at].place);
        let middle = before.midpoint(behind);
        let taken = |row: &Row| row.place == middle || row.key == middle;
        (!self.rows.iter().any(taken)).then_some(middle)
    }

    /// Takes the picked row to another place.
    pub fn relocate(&mut self, pick: usize) {
        if self.rows.is_empty() {
            return;
        }
        let at = pick % self.rows.len();
        let place = match self.between(pick / 7) {
            Some(place) if pick.is_multiple_of(2) => place,
            _ => {
                self.next_place += STEP;
                self.next_place
            }
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

    /// Notes what the list is from that moment on.
    pub fn note(&mut self, tick: u64) {
        self.history.push((tick, Arc::new(self.rows.clone())));
    }

    /// The lists that were there between two moments, the first and the last included.
    pub fn during(&self, from: u64, to: u64) -> &[(u64, Arc<Vec<Row>>)] {
        let first = self.history.partition_point(|(tick, _)| *tick <= from);
        let end = self.history.partition_point(|(tick, _)| *tick <= to);
        &self.history[first.saturating_sub(1).min(end)..end]
    }
}
