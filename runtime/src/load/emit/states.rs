//! The states of sources as one JSON document, which a file may hold.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::load::lock::lock;
use crate::load::{LoadInfo, Memory};
use crate::settings::private_file;
use crate::state::format;

/// The states of sources, by their names.
#[derive(Serialize, Deserialize)]
pub(crate) struct States {
    format: u32,
    sources: BTreeMap<String, Kept>,
    /// The lock of the file; the system releases it when the process ends.
    #[serde(skip)]
    lock: Option<(PathBuf, File)>,
    /// The source of the run.
    #[serde(skip)]
    source: String,
}

/// What is kept of a source.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    memory: Memory,
    /// The rows of each table that were passed on.
    #[serde(default)]
    rows: BTreeMap<String, u64>,
}

impl Default for States {
    fn default() -> Self {
        States {
            format: format::FORMAT,
            sources: BTreeMap::new(),
            lock: None,
            source: String::new(),
        }
    }
}

impl States {
    /// Reads the states of a file; there are none if it does not exist.
    pub fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(States::default());
        }
        let cannot = |error| Error::file(ErrorKind::Destination, "read", file, error);
        let text = fs::read_to_string(file).map_err(cannot)?;
        let states: States = serde_json::from_str(&text).map_err(|error| {
            Error::new(
                ErrorKind::State,
                "the state of a destination cannot be read",
            )
            .caused_by(error)
            .at(file.display().to_string())
            .hint("restore the file, or name another one: the next run then loads everything again")
        })?;
        format::check("the file", states.format.into())
            .map_err(|error| error.at(file.display().to_string()))?;
        Ok(states)
    }

    /// Takes the lock of the file and reads its states; each commit replaces the file.
    pub fn open(file: &Path) -> Result<Self> {
        let lock = lock(file, file)?;
        Ok(States {
            lock: Some((file.to_owned(), lock)),
            ..States::read(file)?
        })
    }

    /// Returns what is kept of the source of a load, which is that of the commits that follow.
    pub fn begin(&mut self, load: &LoadInfo) -> Memory {
        self.source.clone_from(&load.source);
        self.memory(load)
    }

    /// Returns what is kept of the source of a load.
    pub fn memory(&self, load: &LoadInfo) -> Memory {
        let kept = self.sources.get(&load.source);
        kept.map(|kept| kept.memory.clone()).unwrap_or_default()
    }

    /// Counts rows that were passed on.
    pub fn count(&mut self, table: &str, rows: usize) {
        let kept = self.sources.entry(self.source.clone()).or_default();
        let count = kept.rows.entry(table.to_owned()).or_default();
        *count = count.saturating_add(rows as u64);
    }

    /// Returns the rows of each table that were passed on.
    pub fn row_counts(&self) -> Vec<(String, u64)> {
        let kept = self.sources.get(&self.source);
        let rows = kept.into_iter().flat_map(|kept| &kept.rows);
        rows.map(|(name, rows)| (name.clone(), *rows)).collect()
    }

    /// Replaces what is kept of the source, and returns the document.
    pub fn put(&mut self, memory: &Memory) -> Result<String> {
        let kept = self.sources.entry(self.source.clone()).or_default();
        kept.memory = memory.clone();
        serde_json::to_string(&*self).map_err(|error| {
            Error::new(ErrorKind::System, "the state cannot be written as JSON").caused_by(error)
        })
    }

    /// Writes the document to the file, if there is one.
    pub fn save(&self, text: &str) -> Result<()> {
        match &self.lock {
            Some((file, _)) => private_file(file, text.as_bytes())
                .map_err(|error| Error::file(ErrorKind::Destination, "write", file, error)),
            None => Ok(()),
        }
    }
}
