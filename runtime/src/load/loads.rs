//! A load: one run into one destination.

use std::fmt;

use crate::schema::Layout;
use crate::state::{Memory, load_id, load_time};
use crate::world::World;

/// This many of a source's last loads can be rolled back.
pub const UNDOABLE_LOADS: usize = 10;

/// One run into one destination. Its id is in `_etl_load_id` and in `_etl_loads`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadInfo {
    /// Grows from run to run: seconds since 1970 with six decimals, as text (`1795369642.355108`).
    pub id: String,
    /// The name of the source.
    pub source: String,
    /// The layout of the tables that it writes; `None`: it only reads.
    pub layout: Option<Layout>,
    world: World,
}

impl LoadInfo {
    /// Creates a load with this id and source, which writes tables of this layout; `None`: it only
    /// reads.
    pub fn new(
        id: impl Into<String>,
        source: impl Into<String>,
        layout: impl Into<Option<Layout>>,
    ) -> Self {
        LoadInfo {
            id: id.into(),
            source: source.into(),
            layout: layout.into(),
            world: World::real(),
        }
    }

    /// Returns the load with an id above those of all earlier loads of its source. A destination
    /// stores this load when it is opened: the ids of loads tell which rows a pass has not seen,
    /// also after the clock of the machine was set back.
    ///
    /// ```
    /// use etlgen_runtime::load::{LoadInfo, Memory};
    ///
    /// let mut memory = Memory::default();
    /// memory.last_load = Some("1795369642.355108".to_owned());
    /// let load = LoadInfo::new("1795360000.000000", "shop", None);
    /// assert_eq!(load.after(&memory).id, "1795369642.355109");
    /// ```
    pub fn after(&self, memory: &Memory) -> LoadInfo {
        let last = memory.last_load.as_deref().and_then(load_time);
        let id = match load_time(&self.id).zip(last) {
            Some((now, last)) if last >= now => load_id(last.saturating_add(1)),
            _ => self.id.clone(),
        };
        LoadInfo { id, ..self.clone() }
    }

    /// Returns the load in the world of its run.
    pub(crate) fn within(self, world: &World) -> Self {
        let world = world.clone();
        LoadInfo { world, ..self }
    }

    /// Returns the time on the clock of the run, in microseconds since 1970.
    pub fn now(&self) -> i64 {
        self.world.micros()
    }

    /// Returns the world of the run.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }
}

/// A load, as `_etl_loads` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadRow {
    /// Its id.
    pub id: String,
    /// Its progress.
    pub status: LoadStatus,
    /// The number of root rows that it wrote.
    pub rows: u64,
    /// Whether the destination still knows what it changed.
    pub undoable: bool,
}

impl LoadRow {
    /// Creates a load with this id and status, and this number of root rows.
    pub fn new(id: impl Into<String>, status: LoadStatus, rows: u64, undoable: bool) -> Self {
        LoadRow {
            id: id.into(),
            status,
            rows,
            undoable,
        }
    }
}

/// The status of a load in `_etl_loads`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadStatus {
    /// Some of its rows are committed and more may come. A killed run leaves this status.
    Running,
    /// Everything that it planned to load is committed.
    Complete,
    /// It ended early, or a resource failed; what it committed is consistent.
    Partial,
    /// It was rolled back.
    RolledBack,
    /// A status that this version does not know, by its name.
    Unknown(String),
}

impl LoadStatus {
    /// Returns its name in `_etl_loads`: `complete`.
    pub fn name(&self) -> &str {
        match self {
            LoadStatus::Running => "running",
            LoadStatus::Complete => "complete",
            LoadStatus::Partial => "partial",
            LoadStatus::RolledBack => "rolled back",
            LoadStatus::Unknown(name) => name,
        }
    }

    /// Parses the name of a status.
    pub fn parse(name: &str) -> Self {
        [
            LoadStatus::Running,
            LoadStatus::Complete,
            LoadStatus::Partial,
            LoadStatus::RolledBack,
        ]
        .into_iter()
        .find(|status| status.name() == name)
        .unwrap_or_else(|| LoadStatus::Unknown(name.to_owned()))
    }
}

impl fmt::Display for LoadStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a rollback did to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RolledBack {
    /// The resource.
    pub resource: String,
    /// The number of records that it removed; `None`: the load had replaced all rows, and the resource was left
    /// unchanged.
    pub removed: Option<u64>,
    /// The number of records from before the load that are missing now: the load had replaced or removed them.
    pub lost: u64,
}

impl RolledBack {
    /// Creates the result for a resource.
    pub fn new(resource: impl Into<String>, removed: Option<u64>, lost: u64) -> Self {
        RolledBack {
            resource: resource.into(),
            removed,
            lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_comes_back_from_its_name() {
        for name in ["running", "complete", "partial", "rolled back", "paused"] {
            assert_eq!(LoadStatus::parse(name).name(), name);
        }
        assert_eq!(LoadStatus::parse("rolled back"), LoadStatus::RolledBack);
        let unknown = LoadStatus::Unknown("paused".to_owned());
        assert_eq!(LoadStatus::parse("paused"), unknown);
    }
}
