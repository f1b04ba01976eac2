//! The lists of the parents of one resource: if all of them are the same list, the API may ignore
//! which parent it is asked for.

/// The fewest records in such lists that are no coincidence: short lists of settings, roles or
/// states are often the same for all parents.
const FEWEST: u64 = 8;

/// The lists of several parents that have been read.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// The records of the first list, as one number.
    first: Option<u64>,
    lists: u64,
    rows: u64,
    /// Whether two of them differ.
    differ: bool,
}

impl Alike {
    /// Adds a list with these records, as one number, and their count. An empty list says nothing.
    pub fn add(&mut self, records: u64, rows: u64) {
        if rows == 0 {
            return;
        }
        self.differ |= *self.first.get_or_insert(records) != records || rows < 2;
        self.lists += 1;
        self.rows = self.rows.saturating_add(rows);
    }

    /// Returns how many lists there are, if all are the same.
    pub fn all(&self) -> Option<u64> {
        let same = !self.differ && self.lists > 1 && self.rows >= FEWEST;
        same.then_some(self.lists)
    }
}

#[cfg(test)]
mod tests {
    use super::Alike;

    fn all(lists: &[(u64, u64)]) -> Option<u64> {
        let mut alike = Alike::default();
        for (records, rows) in lists {
            alike.add(*records, *rows);
        }
        alike.all()
    }

    #[test]
    fn equal_lists_of_several_parents_are_noticed() {
        assert_eq!(all(&[(7, 13), (7, 13), (0, 0), (7, 13)]), Some(3));
        assert_eq!(all(&[(7, 4), (7, 4)]), Some(2));
        for honest in [
            &[(7, 13)][..],
            &[(7, 13), (8, 13)],
            &[
                (7, 1),
                (7, 1),
                (7, 1),
                (7, 1),
                (7, 1),
                (7, 1),
                (7, 1),
                (7, 1),
            ],
            &[(7, 3), (7, 3)],
            &[(0, 0), (0, 0)],
        ] {
            assert_eq!(all(honest), None, "{honest:?}");
        }
    }
}
