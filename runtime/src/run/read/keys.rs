//! The keys that have come: of the rows of a page, and in the lists of a resource.

use std::collections::{BTreeMap, HashMap};
use std::io;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::page::Distinct;
use crate::run::read::fetch::Fetched;

/// The keys that have come in several lists, each as one number.
#[derive(Default)]
pub(crate) struct ListKeys {
    /// Each key, with a fingerprint of its row.
    keys: Distinct,
    /// Each key with its list.
    of_lists: Distinct,
}

/// A list whose keys are compared with those of others.
pub(super) struct KeyedList<'a> {
    /// What the keys are unique within, and are compared in: `""`, or a slice.
    pub scope: &'a str,
    /// What tells the list from the others: a slice, or a window.
    pub name: &'a str,
    /// The columns that each of its rows gets.
    pub columns: &'a BTreeMap<String, Option<String>>,
}

/// How many rows of a page have keys that have come in other lists, and not in this one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Foreign {
    /// Rows that are the same, or that may have changed since the pass began.
    pub again: u64,
    /// Rows of other records.
    pub other: u64,
}

impl ListKeys {
    /// Adds the rows of a page of a list.
    pub(super) fn add(&mut self, list: &KeyedList<'_>, page: &Fetched) -> io::Result<Foreign> {
        let (seed, columns) = (xxh3_64(list.name.as_bytes()), list.columns);
        let beside = columns.iter().fold(0, |hash, (name, value)| {
            let hash = xxh3_64_with_seed(name.as_bytes(), hash);
            xxh3_64_with_seed(value.as_deref().unwrap_or_default().as_bytes(), hash)
        });
        let mut foreign = Foreign::default();
        for (row, id) in page.ids.iter().enumerate() {
            let id = &match list.scope {
                "" => *id,
                scope => xxh3_64_with_seed(scope.as_bytes(), *id),
            };
            let content = page.contents.get(row).copied().unwrap_or_default();
            let content = xxh3_64_with_seed(&content.to_le_bytes(), beside);
            let was_in_memory = self.keys.is_in_memory(*id);
            let added = self.keys.add_page(&[*id], &[content])?;
            let of_list = xxh3_64_with_seed(&id.to_le_bytes(), seed);
            if !self.of_lists.add_one(of_list)? || added.new > 0 {
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

/// Returns how many rows of a page have the key of another row of it and other contents.
pub(super) fn twins(page: &Fetched) -> u64 {
    let mut seen = HashMap::new();
    let rows = page.ids.iter().zip(&page.contents);
    let twins = rows.filter(|(id, content)| *seen.entry(**id).or_insert(**content) != **content);
    twins.count() as u64
}
