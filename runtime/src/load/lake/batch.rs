//! Batches of data files.

use std::collections::{BTreeMap, HashSet};

/// The hashed id of a row: among a billion records, the probability of two equal keys is less than one in 100 billion.
pub type Key = [u8; 12];

/// Where a record is, and the content that it has there.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The number of the batch.
    pub batch: u32,
    /// The content hash, in two halves so that an entry of the index has no gap; 0 is unknown.
    hash: [u32; 2],
}

impl Held {
    pub fn new(batch: u32, hash: Option<i64>) -> Self {
        let hash = hash.unwrap_or(0).cast_unsigned();
        Held {
            batch,
            hash: [hash as u32, (hash >> 32) as u32],
        }
    }

    /// Returns whether it is known to have that content.
    pub fn has(self, hash: i64) -> bool {
        hash != 0 && self.hash == Held::new(0, Some(hash)).hash
    }
}

/// The name of a data file.
#[derive(Clone, Copy)]
pub struct DataFile<'a> {
    pub table: &'a str,
    /// Without its extension.
    pub name: &'a str,
    /// Whether it is in the folder of its table; otherwise it is staged.
    pub placed: bool,
}

/// What is known of a data file.
#[derive(Clone, Copy, Debug)]
pub struct FileInfo {
    pub rows: u64,
    /// The number of the table's columns that it has.
    pub columns: usize,
}

/// Files of one name, one for each table that has rows.
#[derive(Debug)]
pub struct Batch {
    /// The name of its files.
    pub name: String,
    /// Whether they are in the folders of their tables; otherwise they are staged.
    pub placed: bool,
    /// By table.
    pub files: BTreeMap<String, FileInfo>,
    /// Records that were replaced since the last commit.
    pub replaced: HashSet<Key>,
}

impl Batch {
    pub fn new(name: &str, placed: bool) -> Self {
        Batch {
            name: name.to_owned(),
            placed,
            files: BTreeMap::new(),
            replaced: HashSet::new(),
        }
    }

    /// Returns its file of a table.
    pub fn file<'a>(&'a self, table: &'a str) -> DataFile<'a> {
        DataFile {
            table,
            name: &self.name,
            placed: self.placed,
        }
    }

    pub fn retire(self, retired: &mut Vec<Retired>) {
        for table in self.files.into_keys() {
            retired.push(Retired {
                table,
                name: self.name.clone(),
                placed: self.placed,
            });
        }
    }
}

/// A data file to remove, usually after the next commit.
pub struct Retired {
    pub table: String,
    pub name: String,
    pub placed: bool,
}

impl Retired {
    pub fn file(&self) -> DataFile<'_> {
        DataFile {
            table: &self.table,
            name: &self.name,
            placed: self.placed,
        }
    }
}
