//! The distinct rows of a list, as 64-bit numbers: a table in memory, and sorted runs on disk above
//! its limit.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// The maximum number of slots of the table (32 MB).
const MOST_PLACES: usize = 4 << 20;
/// The number of keys of a run that are read at a time.
const BLOCK: usize = 512;

/// The distinct rows of a list.
pub(crate) struct Distinct {
    /// An open-addressing table; 0 is an empty slot.
    table: Vec<u64>,
    /// A part of the fingerprint of the contents of the row in each slot; 0 means unknown. It is
    /// empty until contents are compared.
    contents: Vec<u32>,
    held: usize,
    most_places: usize,
    runs: Vec<Run>,
    /// The cached result of [`Distinct::count`].
    counted: Option<u64>,
}

/// What the rows of a page added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// The number of rows that had not arrived before.
    pub new: usize,
    /// The rows, counted from 0, that had arrived with other contents.
    pub changed: Vec<usize>,
    /// The number of rows that had arrived on an earlier page with the same contents.
    pub unchanged: usize,
    /// The number of those that follow a new row of the page.
    pub misplaced: usize,
    /// The number of rows that had arrived on an earlier page.
    pub repeated: usize,
}

/// Sorted keys that did not fit in memory. The file has no name, and is deleted with its last
/// handle.
struct Run {
    file: File,
    keys: u64,
    /// The first key of each block.
    blocks: Vec<u64>,
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct::with_places(MOST_PLACES)
    }
}

impl Distinct {
    /// Creates a table with at most this many slots, a power of two.
    pub fn with_places(most_places: usize) -> Self {
        Distinct {
            table: Vec::new(),
            contents: Vec::new(),
            held: 0,
            most_places,
            runs: Vec::new(),
            counted: None,
        }
    }

    /// Returns how many rows are in memory.
    #[cfg(test)]
    pub fn in_memory(&self) -> usize {
        self.held
    }

    /// Adds the rows of a page and returns how many of them are new.
    #[cfg(test)]
    fn add(&mut self, rows: &[u64]) -> io::Result<usize> {
        Ok(self.add_page(rows, &[])?.new)
    }

    /// Adds one row and returns whether it is new.
    pub fn add_one(&mut self, row: u64) -> io::Result<bool> {
        Ok(self.add_page(&[row], &[])?.new == 1)
    }

    /// Adds the rows of a page, with fingerprints of their contents if they are to be compared.
    /// Rows on disk are recognised only if the first row of the page is on disk or in memory, as on
    /// a page whose rows have all arrived before.
    pub fn add_page(&mut self, rows: &[u64], contents: &[u64]) -> io::Result<Added> {
        let mut added = Added::default();
        let Some(first) = rows.first() else {
            return Ok(added);
        };
        self.counted = None;
        let looks = !self.runs.is_empty() && self.contains(*first)?;
        for (at, row) in rows.iter().enumerate() {
            if looks && self.on_disk(*row)? {
                added.repeated += 1;
                continue;
            }
            if (self.held + 1) * 4 > self.table.len() * 3 {
                self.make_room()?;
            }
            // Half of the fingerprint distinguishes contents well enough.
            let content = contents.get(at).map_or(0, |content| *content as u32);
            match self.insert(key(*row), content) {
                None => added.new += 1,
                Some(before) => {
                    let known = before != 0 && content != 0;
                    if known && before != content {
                        added.changed.push(at);
                    }
                    // Equal rows of one page are records that have nothing to tell them apart.
                    let earlier = !rows[..at].contains(row);
                    let same = known && before == content && earlier;
                    added.unchanged += usize::from(same);
                    added.misplaced += usize::from(same && added.new > 0);
                    added.repeated += usize::from(earlier);
                }
            }
        }
        Ok(added)
    }

    /// Returns whether that row has arrived.
    pub fn contains(&mut self, row: u64) -> io::Result<bool> {
        Ok(self.holds(key(row)) || self.on_disk(row)?)
    }

    /// Returns how many distinct rows have arrived.
    pub fn count(&mut self) -> io::Result<u64> {
        if self.runs.is_empty() {
            return Ok(self.held as u64);
        }
        if let Some(counted) = self.counted {
            return Ok(counted);
        }
        let mut rest: Vec<u64> = self.table.iter().copied().filter(|key| *key != 0).collect();
        rest.sort_unstable();
        let mut rest = rest.into_iter();
        let mut readers = Vec::new();
        for run in &mut self.runs {
            run.file.seek(SeekFrom::Start(0))?;
            readers.push((run.keys, BufReader::with_capacity(64 << 10, &run.file)));
        }
        let in_memory = readers.len();
        let mut next = |of: usize| -> io::Result<Option<u64>> {
            match readers.get_mut(of) {
                None => Ok(rest.next()),
                Some((0, _)) => Ok(None),
                Some((left, reader)) => {
                    *left -= 1;
                    let mut bytes = [0; 8];
                    reader.read_exact(&mut bytes)?;
                    Ok(Some(u64::from_le_bytes(bytes)))
                }
            }
        };
        let mut heads = BinaryHeap::new();
        for of in 0..=in_memory {
            heads.extend(next(of)?.map(|key| Reverse((key, of))));
        }
        let (mut count, mut last) = (0, 0);
        while let Some(Reverse((key, of))) = heads.pop() {
            count += u64::from(key != last);
            last = key;
            heads.extend(next(of)?.map(|key| Reverse((key, of))));
        }
        self.counted = Some(count);
        Ok(count)
    }

    fn place(&self, key: u64) -> usize {
        let mask = self.table.len() - 1;
        let mut place = key as usize & mask;
        while self.table[place] != 0 && self.table[place] != key {
            place = (place + 1) & mask;
        }
        place
    }

    /// Inserts a key and returns the contents of the row that was in its slot, if there was one.
    fn insert(&mut self, key: u64, content: u32) -> Option<u32> {
        let place = self.place(key);
        let new = self.table[place] == 0;
        self.table[place] = key;
        self.held += usize::from(new);
        if content != 0 && self.contents.is_empty() {
            self.contents = vec![0; self.table.len()];
        }
        let held = self.contents.get_mut(place);
        let before = held.map_or(0, |held| std::mem::replace(held, content));
        (!new).then_some(before)
    }

    /// Returns whether that row has arrived and is not on disk.
    pub fn is_in_memory(&self, row: u64) -> bool {
        self.holds(key(row))
    }

    fn holds(&self, key: u64) -> bool {
        !self.table.is_empty() && self.table[self.place(key)] == key
    }

    fn on_disk(&mut self, row: u64) -> io::Result<bool> {
        for run in &mut self.runs {
            if run.contains(key(row))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Enlarges the table, or moves its keys to disk and empties it.
    fn make_room(&mut self) -> io::Result<()> {
        let places = (self.table.len() * 2).max(64);
        if places > self.most_places {
            let mut keys: Vec<u64> = self.table.iter().copied().filter(|key| *key != 0).collect();
            keys.sort_unstable();
            self.runs.push(Run::write(&keys)?);
            self.table.fill(0);
            self.contents.fill(0);
            self.held = 0;
            return Ok(());
        }
        let before = std::mem::replace(&mut self.table, vec![0; places]);
        let contents = std::mem::take(&mut self.contents);
        self.held = 0;
        for (at, key) in before.into_iter().enumerate() {
            if key != 0 {
                self.insert(key, contents.get(at).copied().unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// Returns the key of a row; 0 is reserved for an empty slot.
fn key(row: u64) -> u64 {
    row.max(1)
}

impl Run {
    fn write(keys: &[u64]) -> io::Result<Self> {
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for key in keys {
            file.write_all(&key.to_le_bytes())?;
        }
        let file = file.into_inner().map_err(|error| error.into_error())?;
        Ok(Run {
            file,
            keys: keys.len() as u64,
            blocks: keys.chunks(BLOCK).map(|block| block[0]).collect(),
        })
    }

    fn contains(&mut self, key: u64) -> io::Result<bool> {
        let Some(block) = self
            .blocks
            .partition_point(|first| *first <= key)
            .checked_sub(1)
        else {
            return Ok(false);
        };
        let start = block * BLOCK;
        let keys = (self.keys as usize).saturating_sub(start).min(BLOCK);
        let mut bytes = [0; BLOCK * 8];
        let bytes = &mut bytes[..keys * 8];
        self.file.seek(SeekFrom::Start(start as u64 * 8))?;
        self.file.read_exact(bytes)?;
        Ok(bytes
            .chunks_exact(8)
            .any(|bytes| bytes == key.to_le_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn rows(range: std::ops::Range<u64>) -> Vec<u64> {
        range.map(|row| xxh3_64(&row.to_le_bytes())).collect()
    }

    #[test]
    fn rows_are_counted_once_in_memory_and_on_disk() {
        // 64 slots hold 48 rows; the others are on disk.
        for places in [64, 1 << 16] {
            let mut distinct = Distinct::with_places(places);
            assert_eq!(distinct.count().unwrap(), 0);
            for page in 0..100 {
                let page = rows(page * 10..page * 10 + 10);
                assert_eq!(distinct.add(&page).unwrap(), 10);
            }
            assert_eq!(distinct.runs.is_empty(), places > 64);
            assert_eq!(distinct.count().unwrap(), 1000);
            // The first page has arrived before; the second begins with a row that has.
            assert_eq!(distinct.add(&rows(500..510)).unwrap(), 0);
            assert_eq!(distinct.add(&rows(999..1009)).unwrap(), 9);
            assert_eq!(distinct.count().unwrap(), 1009);
            assert!(distinct.contains(rows(3..4)[0]).unwrap());
            assert!(!distinct.contains(rows(2000..2001)[0]).unwrap());
        }
    }

    #[test]
    fn a_row_that_comes_again_with_other_contents_is_told() {
        let mut distinct = Distinct::default();
        let added = distinct.add_page(&[1, 2, 3], &[10, 20, 30]).unwrap();
        assert_eq!(
            added,
            Added {
                new: 3,
                ..Added::default()
            }
        );
        // The table grows in between.
        distinct.add(&rows(0..1000)).unwrap();
        let added = distinct.add_page(&[1, 2, 4, 3], &[10, 21, 40, 30]).unwrap();
        assert_eq!(
            added,
            Added {
                new: 1,
                changed: vec![1],
                unchanged: 2,
                misplaced: 1,
                repeated: 3,
            }
        );
    }

    #[test]
    fn a_row_whose_number_is_zero_is_a_row() {
        let mut distinct = Distinct::default();
        assert_eq!(distinct.add(&[0, 5]).unwrap(), 2);
        assert_eq!(distinct.add(&[0, 5]).unwrap(), 0);
        assert_eq!(distinct.count().unwrap(), 2);
        assert_eq!(distinct.add(&[]).unwrap(), 0);
    }

    #[test]
    fn rows_that_come_again_from_disk_are_counted_once_in_the_end() {
        let mut distinct = Distinct::with_places(64);
        distinct.add(&rows(0..400)).unwrap();
        // The first row is new, so the others are only recognised when all rows are counted.
        let mixed: Vec<u64> = rows(400..401).into_iter().chain(rows(0..30)).collect();
        distinct.add(&mixed).unwrap();
        assert_eq!(distinct.count().unwrap(), 401);
    }
}
