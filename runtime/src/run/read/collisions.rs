//! Keys that are not unique: a record that has the key of another one must not replace it.

use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;

use crate::error::{Error, ErrorKind, Result};
use crate::run::read::fetch::Fetched;
use crate::run::read::keys::twins;
use crate::run::read::reader::{ResourceReader, Slice};

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
