//! A destination that hands rows over and keeps none: a queue, a webhook, a print. The state of its
//! sources is in a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lock::lock;
use super::{Capabilities, Chunk, Commit, Destination, LoadInfo, Memory, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Drifted, TableBatch};
use crate::settings::private_file;
use crate::state::format;

/// Takes the rows of one table.
type Take = dyn Fn(&TableBatch) -> Result<()> + Send + Sync;

/// What the file holds.
#[derive(Clone, Serialize, Deserialize)]
struct Contents {
    format: u32,
    sources: BTreeMap<String, Kept>,
}

/// What it holds of a source.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    memory: Memory,
    /// The rows of each table that were handed over.
    rows: BTreeMap<String, u64>,
}

impl Default for Contents {
    fn default() -> Self {
        Contents {
            format: format::FORMAT,
            sources: BTreeMap::new(),
        }
    }
}

/// A destination that hands its rows to a function.
pub(super) struct AppendOnly {
    name: String,
    file: PathBuf,
    take: Arc<Take>,
    open: Option<Open>,
}

struct Open {
    source: String,
    load: String,
    contents: Contents,
    /// The system releases the lock when the process ends.
    _lock: File,
}

impl AppendOnly {
    /// Creates a destination of that name, whose state is in `file`.
    pub fn new(name: &str, file: &str, take: Arc<Take>) -> Self {
        AppendOnly {
            name: name.to_owned(),
            file: file.into(),
            take,
            open: None,
        }
    }

    fn opened(&mut self) -> Result<&mut Open> {
        self.open
            .as_mut()
            .ok_or_else(|| Error::new(ErrorKind::Destination, "the file has not been opened"))
    }

    fn contents(&self) -> Result<Contents> {
        if !self.exists() {
            return Ok(Contents::default());
        }
        let cannot = |error| Error::file(ErrorKind::Destination, "read", &self.file, error);
        let text = fs::read_to_string(&self.file).map_err(cannot)?;
        let contents: Contents = serde_json::from_str(&text).map_err(|error| {
            Error::new(
                ErrorKind::State,
                "the state of a destination cannot be read",
            )
            .caused_by(error)
            .at(self.file.display().to_string())
            .hint("restore the file, or name another one: the next run then loads everything again")
        })?;
        format::check("the file", contents.format.into())
            .map_err(|error| error.at(self.file.display().to_string()))?;
        Ok(contents)
    }

    fn memory(contents: &Contents, source: &str) -> Memory {
        let kept = contents.sources.get(source);
        kept.map(|kept| kept.memory.clone()).unwrap_or_default()
    }
}

impl Destination for AppendOnly {
    fn describe(&self) -> String {
        format!("{}:{}", self.name, self.file.display())
    }

    fn exists(&self) -> bool {
        self.file.exists()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255)
            .checkpoints(1_000, Duration::from_secs(10))
            .replaces(false)
            .deletes(false)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        let lock = lock(&self.file, &self.file)?;
        let mut contents = self.contents()?;
        let memory = Self::memory(&contents, &load.source);
        let id = load.after(&memory).id;
        let kept = contents.sources.entry(load.source.clone()).or_default();
        kept.memory.last_load = Some(id.clone());
        self.open = Some(Open {
            source: load.source.clone(),
            load: id,
            contents,
            _lock: lock,
        });
        Ok(memory)
    }

    fn look(&self, load: &LoadInfo) -> Result<Memory> {
        Ok(Self::memory(&self.contents()?, &load.source))
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let take = self.take.clone();
        let cannot = self.cannot("delete rows, or replace all rows of a table");
        let open = self.opened()?;
        let kept = open
            .contents
            .sources
            .entry(open.source.clone())
            .or_default();
        for operation in &chunk.operations {
            let (Operation::Append(tables) | Operation::Merge(tables)) = operation else {
                return Err(cannot);
            };
            for table in tables {
                learn(&mut kept.memory, table);
                if table.rows.num_rows() > 0 {
                    take(table)?;
                    let rows = kept.rows.entry(table.schema.name.clone()).or_default();
                    *rows += table.rows.num_rows() as u64;
                }
            }
        }
        Ok(())
    }

    fn drift(&mut self, _: &str, _: &[(Drifted, u64)]) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        let file = self.file.clone();
        let open = self.opened()?;
        let kept = open
            .contents
            .sources
            .entry(open.source.clone())
            .or_default();
        kept.memory.apply(commit.state);
        kept.memory.last_load = Some(open.load.clone());
        let text = serde_json::to_vec(&open.contents).map_err(|error| {
            Error::new(ErrorKind::System, "the state cannot be written as JSON").caused_by(error)
        })?;
        private_file(&file, &text)
            .map_err(|error| Error::file(ErrorKind::Destination, "write", &file, error))?;
        Ok(())
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        let open = self.opened()?;
        let kept = open.contents.sources.get(&open.source);
        let rows = kept.into_iter().flat_map(|kept| &kept.rows);
        Ok(rows.map(|(name, rows)| (name.clone(), *rows)).collect())
    }
}

/// Adds a table to what is remembered, or the columns that it did not have.
fn learn(memory: &mut Memory, table: &TableBatch) {
    let schema = &*table.schema;
    match memory
        .tables
        .iter_mut()
        .find(|known| known.name == schema.name)
    {
        None => memory.tables.push(schema.clone()),
        Some(known) => known.columns.extend(known.lacks(schema)),
    }
}
