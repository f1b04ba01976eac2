//! Counts the drift: how often data that the struct does not declare arrived, and what was done with it.

use std::collections::BTreeMap;

use crate::schema::{Done, Drifted};

/// Up to this many different lines are counted separately; an object with unbounded keys must not fill the memory.
const LINES: usize = 2_000;

/// Counts by line: those of rows in the current batch, and earlier ones.
#[derive(Default)]
pub(super) struct Account {
    lines: BTreeMap<Drifted, Counts>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    waiting: u64,
    left: u64,
}

impl Account {
    /// Counts one value; returns the line that it was added to.
    pub fn add(&mut self, mut line: Drifted) -> Drifted {
        if self.lines.len() >= LINES && !self.lines.contains_key(&line) {
            "(other keys)".clone_into(&mut line.keys);
            if let Done::Column(_) | Done::Table(_) = line.done {
                line.done = Done::Columns;
            }
        }
        self.lines.entry(line.clone()).or_default().waiting += 1;
        line
    }

    /// Takes one value back because its row is left out.
    pub fn take_back(&mut self, line: &Drifted) {
        if let Some(counts) = self.lines.get_mut(line) {
            counts.waiting = counts.waiting.saturating_sub(1);
        }
    }

    /// Returns the counts since the last call: they are passed on with the rows.
    pub fn leave(&mut self) -> Vec<(Drifted, u64)> {
        let mut leaving = Vec::new();
        for (line, counts) in &mut self.lines {
            let count = std::mem::take(&mut counts.waiting);
            if count > 0 {
                counts.left += count;
                leaving.push((line.clone(), count));
            }
        }
        leaving
    }

    /// Forgets the counts of the current batch.
    pub fn forget(&mut self) {
        for counts in self.lines.values_mut() {
            counts.waiting = 0;
        }
    }

    /// Returns the lines for a report: (table, keys, what was done, number).
    pub fn told(&self) -> Vec<(String, String, String, u64)> {
        let mut told: BTreeMap<(&str, &str, u8), (Vec<String>, u64)> = BTreeMap::new();
        for (line, counts) in &self.lines {
            let count = counts.waiting + counts.left;
            if count == 0 {
                continue;
            }
            let (kind, place) = match &line.done {
                Done::Column(name) => (0, format!("the column `{name}`")),
                Done::Columns => (0, "columns of its own".to_owned()),
                Done::Table(name) => (0, format!("the table `{name}`")),
                Done::DiscardedValue => (1, "not loaded: value discarded".to_owned()),
                Done::DiscardedRow => (2, "not loaded: row discarded".to_owned()),
            };
            let key = (line.table.as_str(), line.keys.as_str(), kind);
            let (places, sum) = told.entry(key).or_default();
            if !places.contains(&place) {
                places.push(place);
            }
            *sum += count;
        }
        let line =
            |((table, keys, kind), (places, count)): ((&str, &str, u8), (Vec<String>, u64))| {
                let places = places.join(", ");
                let what = match kind {
                    0 => format!("loaded into {places}"),
                    _ => places,
                };
                (table.to_owned(), keys.to_owned(), what, count)
            };
        told.into_iter().map(line).collect()
    }
}
