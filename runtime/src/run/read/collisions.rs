//! Keys that are not unique: a record that has the key of another one must not replace it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;

use crate::error::{Error, ErrorKind, Result};
use crate::run::read::fetch::Fetched;
use crate::run::read::keys::{Foreign, KeyedList, ListKeys, twins};
use crate::run::read::reader::{ResourceReader, Slice};
use crate::run::read::window::Window;

/// Adds the rows of a page of a list to the keys that have come.
fn add(keys: &Mutex<ListKeys>, list: &KeyedList<'_>, page: &Fetched) -> Result<Foreign> {
    let mut keys = keys.lock().unwrap_or_else(|e| e.into_inner());
    keys.add(list, page).map_err(|error| {
        let message = "the received keys cannot be kept in a temporary file";
        Error::new(ErrorKind::System, message).caused_by(error)
    })
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
        let list = KeyedList {
            scope: "",
            name: &slice.id,
            columns: &slice.columns,
        };
        let foreign = add(keys, &list, page)?;
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

    /// Fails if rows of a page would replace those of other records in other windows of the slice.
    /// A record that changed during the pass may have moved to another window.
    pub(super) fn compare_windows(
        &self,
        slice: &Slice,
        window: &Window,
        page: &Fetched,
    ) -> Result<()> {
        let list = KeyedList {
            scope: &slice.id,
            name: &format!("{} {:?}", slice.id, window.range.interval()),
            columns: &BTreeMap::new(),
        };
        let other = add(&self.window_keys, &list, page)?.other;
        if other == 0 {
            return Ok(());
        }
        let name = self.name();
        let hint = format!("`primary_key = […]` of `{name}` in etlgen.toml names another key");
        let message = format!(
            "{} had the key of a record with another `{}`",
            counted(other, "record"),
            self.cursor_path(),
        );
        Err(self.collision(message, hint))
    }

    fn cursor_path(&self) -> String {
        let cursor = self.fetcher.spec().cursor.as_ref();
        cursor.map_or_else(String::new, |cursor| cursor.keys.join("."))
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
