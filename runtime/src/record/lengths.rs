//! The lengths of the lists within records: an API that cuts them off at a usual number shows that by
//! nothing else.

use std::collections::BTreeMap;

/// The numbers of items at which APIs cut lists within records off.
const USUAL: [u64; 5] = [10, 20, 25, 50, 100];
/// The least number of records with lists of one length that is no chance.
const RECORDS: u64 = 3;

/// The length of the longest list at one place of the records, and the number of records that have one
/// of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Longest {
    length: u64,
    records: u64,
}

impl Longest {
    /// Adds the list of a record.
    pub fn add(&mut self, length: usize) {
        let length = length as u64;
        self.merge(Longest { length, records: 1 });
    }

    /// Adds the lists of other records.
    pub fn merge(&mut self, other: Longest) {
        match other.length.cmp(&self.length) {
            std::cmp::Ordering::Greater => *self = other,
            std::cmp::Ordering::Equal => self.records = self.records.saturating_add(other.records),
            std::cmp::Ordering::Less => {}
        }
    }

    /// Returns whether no list is longer than a usual limit, and several have exactly its length: the
    /// length, and the number of records.
    pub fn limit(&self) -> Option<(u64, u64)> {
        let usual = USUAL.contains(&self.length) && self.records >= RECORDS;
        usual.then_some((self.length, self.records))
    }

    /// Returns whether a list is too short to matter.
    pub(super) fn is_short(length: usize) -> bool {
        (length as u64) < USUAL[0]
    }
}

/// The longest lists at all places of the records of a page.
#[derive(Debug, Default)]
pub(crate) struct Lengths {
    /// Those of the places that the struct declares.
    pub(super) declared: Vec<Longest>,
    /// Those of other places, by their paths.
    pub(super) others: BTreeMap<String, Longest>,
}

#[cfg(test)]
mod tests {
    use super::Longest;

    #[test]
    fn several_lists_of_a_usual_length_and_none_that_is_longer_are_a_limit() {
        let of = |lengths: &[usize]| {
            let mut longest = Longest::default();
            lengths.iter().for_each(|length| longest.add(*length));
            longest.limit()
        };
        assert_eq!(of(&[3, 20, 7, 20, 20]), Some((20, 3)));
        assert_eq!(of(&[20, 20]), None);
        assert_eq!(of(&[20, 20, 20, 21]), None);
        assert_eq!(of(&[9, 9, 9]), None);
        assert_eq!(of(&[]), None);
    }
}
