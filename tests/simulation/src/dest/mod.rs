//! The destinations: a model, SQLite and Parquet. A process that may die owns each, and the judge
//! reads it back.

mod model;
mod mortal;
mod read;

use std::path::PathBuf;

use etlgen_runtime::Result;
use etlgen_runtime::load::Destination;
use etlgen_runtime::load::parquet::Parquet;
use etlgen_runtime::load::sqlite::Sqlite;

use crate::fault::Fault;
use crate::life::Life;
use crate::scenario::Place;
use crate::trace::Trace;
use model::Model;
use mortal::Mortal;

/// A destination that survives the runs that use it.
pub enum Target {
    Model(Model),
    Sqlite(tempfile::TempDir),
    Parquet(tempfile::TempDir),
}

/// The ends of the names of the tables with the tags, as part of the record or by pages.
const LISTS: [&str; 2] = ["__tags", "__tags__data"];

/// A loaded row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Identifies the row and its state at the API.
    pub version: u32,
    /// The key of its item, for a part.
    pub item: Option<String>,
    /// Whether it is marked as deleted.
    pub deleted: bool,
    /// The number of rows of its list of tags.
    pub tags: usize,
    /// The load that wrote it.
    pub load: String,
}

impl Target {
    /// Creates an empty destination, in memory if the machine allows it.
    pub fn new(place: Place, fault: Option<Fault>) -> std::io::Result<Self> {
        let folder = || match std::path::Path::new("/dev/shm").is_dir() {
            true => tempfile::tempdir_in("/dev/shm"),
            false => tempfile::tempdir(),
        };
        Ok(match place {
            Place::Model => Target::Model(Model::new(fault, true)),
            Place::Forgetful => Target::Model(Model::new(fault, false)),
            Place::Sqlite => Target::Sqlite(folder()?),
            Place::Parquet => Target::Parquet(folder()?),
        })
    }

    /// Returns the destination for one process.
    pub fn open(
        &self,
        life: &Life,
        commit_rows: usize,
        commit_fails: Option<u64>,
        trace: &Trace,
    ) -> Box<dyn Destination> {
        Box::new(Mortal {
            inner: self.plain(),
            life: life.clone(),
            commit_rows,
            commit_fails,
            commits: 0,
            trace: trace.clone(),
        })
    }

    fn plain(&self) -> Box<dyn Destination> {
        match self {
            Target::Model(model) => Box::new(model.clone()),
            Target::Sqlite(folder) => Box::new(Sqlite::new(database(folder))),
            Target::Parquet(folder) => Box::new(Parquet::new(folder.path().join("lake"))),
        }
    }

    /// Returns the committed rows of a resource's table.
    ///
    /// # Errors
    /// Fails if the destination cannot be read.
    pub fn rows(&self, table: &str) -> Result<Vec<Loaded>> {
        match self {
            Target::Model(model) => Ok(model.rows(table)),
            _ => read::rows(&mut *self.plain(), table),
        }
    }
}

fn database(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("data.db")
}
