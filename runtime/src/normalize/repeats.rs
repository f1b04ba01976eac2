//! How often each content has occurred in a list whose records have no key.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::ids::Id;
use crate::error::{Error, ErrorKind, Result};
use crate::page::Distinct;

/// The contents of a list, each with the numbers of its occurrences: 8 bytes for each row, in
/// memory or on disk.
#[derive(Default)]
pub(super) struct Repeats(Distinct);

impl Repeats {
    /// Returns how often a content has occurred.
    pub fn count(&mut self, content: &Id) -> Result<u64> {
        if !self.has(content, 0)? {
            return Ok(0);
        }
        // The occurrences are numbered without a gap.
        let (mut known, mut unknown) = (0, 1);
        while self.has(content, unknown)? {
            known = unknown;
            unknown = unknown.saturating_mul(2);
        }
        while unknown - known > 1 {
            let middle = known + (unknown - known) / 2;
            match self.has(content, middle)? {
                true => known = middle,
                false => unknown = middle,
            }
        }
        Ok(unknown)
    }

    /// Adds the occurrence of a content that has occurred `before` times.
    pub fn add(&mut self, content: &Id, before: u64) -> Result<()> {
        let added = self.0.add_one(number(content, before));
        added.map(drop).map_err(uncounted)
    }

    fn has(&mut self, content: &Id, occurrence: u64) -> Result<bool> {
        let has = self.0.contains(number(content, occurrence));
        has.map_err(uncounted)
    }
}

fn number(content: &Id, occurrence: u64) -> u64 {
    xxh3_64_with_seed(content, occurrence)
}

fn uncounted(error: std::io::Error) -> Error {
    let message = "the received rows cannot be counted in a temporary file";
    Error::new(ErrorKind::System, message).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(number: u64) -> Id {
        let mut id = [0; 20];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id
    }

    #[test]
    fn occurrences_are_counted_in_memory_and_on_disk() {
        // The smaller table holds 48 rows; the others are on disk.
        for places in [64, 1 << 16] {
            let mut repeats = Repeats(Distinct::with_places(places));
            // Content n occurs n times, mixed with the others.
            for round in 0..40 {
                for number in round + 1..=40 {
                    let before = repeats.count(&content(number)).unwrap();
                    assert_eq!(before, round, "{number} of {places}");
                    repeats.add(&content(number), before).unwrap();
                }
            }
            assert_eq!(repeats.count(&content(40)).unwrap(), 40);
            assert_eq!(repeats.count(&content(41)).unwrap(), 0);
            assert_eq!(repeats.0.in_memory() <= 48, places == 64);
        }
    }
}
