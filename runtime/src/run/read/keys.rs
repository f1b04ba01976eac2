//! Keys that are not unique: a record that has the key of another one must not replace it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::error::{Error, ErrorKind, Result};
use crate::page::Distinct;
use crate::run::read::fetch::Fetched;
use crate::run::read::reader::{ResourceReader, Slice};

/// The keys that have come in the slices of a resource, each as one number.
#[derive(Default)]
pub(crate) struct SliceKeys {
    /// Each key, with a fingerprint of its row.
    keys: Distinct,
    /// Each key with its slice.
    of_slices: Distinct,
}

/// How many rows of a page have keys that have come in other slices, and not in this one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Foreign {
    /// Rows that are the same, or that may have changed since the pass began.
    again: u64,
    /// Rows of other records.
    other: u64,
}

impl SliceKeys {
    /// Adds the rows of a page of a slice, which adds `columns` to each of them.
    fn add(
        &mut self,
        slice: &str,
        columns: &BTreeMap<String, Option<String>>,
        page: &Fetched,
    ) -> io::Result<Foreign> {
        let seed = xxh3_64(slice.as_bytes());
        let beside = columns.iter().fold(0, |hash, (name, value)| {
            let hash = xxh3_64_with_seed(name.as_bytes(), hash);
            xxh3_64_with_seed(value.as_deref().unwrap_or_default().as_bytes(), hash)
        });
        let mut foreign = Foreign::default();
        for (row, id) in page.ids.iter().enumerate() {
            let content = page.contents.get(row).copied().unwrap_or_default();
            let content = xxh3_64_with_seed(&content.to_le_bytes(), beside);
            let was_in_memory = self.keys.is_in_memory(*id);
            let added = self.keys.add_page(&[*id], &[content])?;
            let of_slice = xxh3_64_with_seed(&id.to_le_bytes(), seed);
            if !self.of_slices.add_one(of_slice)? || added.new > 0 {
                continue;
            }
            // The contents of keys on disk are unknown, but rows of several parents differ in the
            // columns that name the parent.
            let differs = match was_in_memory {
                true => !added.changed.is_empty(),
                false => !columns.is_empty(),
            };
            match differs && page.moving.get(row) != Some(&true) {
                true => foreign.other += 1,
                false => foreign.again += 1,
            }
        }
        Ok(foreign)
    }
}

impl ResourceReader {
    /// Counts the rows of a page whose keys have come in another slice. It fails if its rows would
    /// replace those of other records; then nothing of the page may be loaded.
    pub(super) fn compare_keys(&self, slice: &Slice, page: &Fetched) -> Result<u64> {
        let twins = if page.again > 0 { twins(page) } else { 0 };
        if twins > 0 {
            let name = self.name();
            let hint = format!(
                "`primary_key = […]` of `{name}` in etlgen.toml names another key, and `primary_key = []` keeps every record"
            );
            let message = format!(
                "{} of one response had the key of another record of it, with other contents",
                counted(twins, "record")
            );
            return Err(self.collision(message, hint));
        }
        let Some(keys) = &self.keys else {
            return Ok(0);
        };
        let mut keys = keys.lock().unwrap_or_else(|e| e.into_inner());
        let foreign = keys.add(&slice.id, &slice.columns, page).map_err(|error| {
            let message = "the received keys cannot be kept in a temporary file";
            Error::new(ErrorKind::System, message).caused_by(error)
        })?;
        self.fetcher.stats.foreign.fetch_add(foreign.again, Relaxed);
        if foreign.other > 0 {
            let name = self.name();
            let hint = format!(
                "`within_parent = true` of `{name}` in etlgen.toml (`.within_parent()`) keeps a row for each parent, and `primary_key = […]` names another key; if records move from one parent to another, run again"
            );
            let message = format!(
                "{} had a key that another parent's record has",
                counted(foreign.other, "record")
            );
            return Err(self.collision(message, hint));
        }
        Ok(foreign.again)
    }

    /// Returns the error of a key that does not identify a record. The next run reads all slices
    /// again, since only then can it compare their keys.
    fn collision(&self, what: String, hint: String) -> Error {
        self.collided.store(true, Relaxed);
        let message = format!(
            "the key is not unique: {what}; the response is not loaded, since its rows would replace others"
        );
        Error::new(ErrorKind::Contract, message).hint(hint)
    }
}

/// Returns how many rows of a page have the key of another row of it and other contents.
fn twins(page: &Fetched) -> u64 {
    let mut seen = HashMap::new();
    let rows = page.ids.iter().zip(&page.contents);
    let twins = rows.filter(|(id, content)| *seen.entry(**id).or_insert(**content) != **content);
    twins.count() as u64
}
