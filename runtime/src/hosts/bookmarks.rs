//! The state of a run, resource by resource, as hosts keep it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::load::Memory;
use crate::schema::TableSchema;
use crate::state::{SliceState, StateRow, format};

/// What a host keeps of one resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bookmark {
    format: u32,
    /// The highest id of the loads so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    load: Option<String>,
    /// The state of each slice.
    #[serde(default)]
    slices: BTreeMap<String, String>,
    /// The tables and columns that have been found.
    #[serde(default)]
    tables: Vec<TableSchema>,
}

impl Default for Bookmark {
    fn default() -> Self {
        Bookmark {
            format: format::FORMAT,
            load: None,
            slices: BTreeMap::new(),
            tables: Vec::new(),
        }
    }
}

impl Bookmark {
    /// Returns the highest value of the cursor, if there is one.
    pub fn cursor(&self, resource: &str) -> Option<String> {
        let value = self.slices.get("")?;
        SliceState::parse(resource, "", value).ok()?.cursor
    }
}

/// Returns the bookmarks of a memory by the names of their resources.
pub(super) fn split(memory: &Memory) -> BTreeMap<String, Bookmark> {
    let mut all: BTreeMap<String, Bookmark> = BTreeMap::new();
    for row in &memory.state {
        let bookmark = all.entry(row.resource.clone()).or_default();
        bookmark.slices.insert(row.slice.clone(), row.value.clone());
    }
    for table in &memory.tables {
        let bookmark = all.entry(table.resource.clone()).or_default();
        bookmark.tables.push(table.clone());
    }
    for bookmark in all.values_mut() {
        bookmark.load.clone_from(&memory.last_load);
    }
    all
}

/// Returns the memory of these bookmarks.
pub(super) fn join(bookmarks: BTreeMap<String, Bookmark>) -> Result<Memory> {
    let mut memory = Memory::default();
    for (resource, bookmark) in bookmarks {
        format::check("the state", bookmark.format.into())?;
        for (slice, value) in bookmark.slices {
            memory
                .state
                .push(StateRow::new(resource.clone(), slice, value));
        }
        if let Some(other) = bookmark.tables.iter().find(|it| it.resource != resource) {
            let message = format!(
                "the state of `{resource}` has a table of `{}`",
                other.resource
            );
            return Err(Error::new(ErrorKind::State, message));
        }
        memory.tables.extend(bookmark.tables);
        memory.last_load = memory.last_load.max(bookmark.load);
    }
    Ok(memory)
}
