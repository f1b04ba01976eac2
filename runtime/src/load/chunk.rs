//! The unit of delivery to a destination: rows of one resource, and the records to delete.

use std::sync::Arc;

#[cfg(doc)]
use crate::schema::ColumnRole;
use crate::schema::{Disposition, TableBatch};

/// Rows of one resource for a destination; all of them become visible in one commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Chunk {
    /// The resource.
    pub resource: Arc<str>,
    /// How its rows are combined with existing ones.
    pub disposition: Disposition,
    /// The root table first, then child tables, each after its parent. A table without new rows has an empty batch: it
    /// and its columns must exist after the commit.
    pub tables: Vec<TableBatch>,
    /// `Replace` only: a new pass starts here; drop what an earlier unfinished pass has staged. Within a pass rows are
    /// merged as with `Merge`: a row with the same key replaces the staged one.
    pub begins_pass: bool,
    /// `Replace` only: the pass ends here; the staged rows replace the rows of the table in this commit.
    pub ends_pass: bool,
    /// `Merge` only: this chunk completes a pass; delete the records that the pass did not bring.
    pub not_seen: Option<NotSeenSince>,
    /// Records that the API has reported as deleted, whatever load wrote them. Apply this after the rows.
    pub deleted: Option<DeletedIds>,
}

impl Chunk {
    /// Creates a chunk of these tables, the root table first, outside of a pass and without
    /// deletions.
    pub fn new(
        resource: impl Into<Arc<str>>,
        disposition: Disposition,
        tables: Vec<TableBatch>,
    ) -> Self {
        Chunk {
            resource: resource.into(),
            disposition,
            tables,
            begins_pass: false,
            ends_pass: false,
            not_seen: None,
            deleted: None,
        }
    }

    /// Returns the number of records: the rows of the root table. Rows in which dlt's layout
    /// describes loads do not count.
    pub fn records(&self) -> u64 {
        match self.tables.first() {
            Some(root) if !root.schema.is_meta() => root.rows.num_rows() as u64,
            _ => 0,
        }
    }

    /// Returns whether the rows describe loads for dlt's layout, and are not records of the API:
    /// they are not counted, and a rollback keeps them.
    pub fn is_meta(&self) -> bool {
        self.tables.iter().any(|table| table.schema.is_meta())
    }
}

/// Records that the API has reported as deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedIds {
    /// The ids of their rows ([`ColumnRole::RowId`]); some may not exist.
    pub ids: Vec<String>,
    /// The same as [`NotSeenSince::mark`].
    pub mark: Option<i64>,
}

impl DeletedIds {
    /// Creates a deletion of the records with these ids: they are removed, or marked with that
    /// time.
    pub fn new(ids: Vec<String>, mark: Option<i64>) -> Self {
        DeletedIds { ids, mark }
    }
}

/// Records that a complete pass did not return: the API no longer has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSeenSince {
    /// The load in which the pass started: the records are those whose load ([`ColumnRole::LoadId`]) is older.
    pub load: String,
    /// Sets [`ColumnRole::DeletedAt`] of their rows to this time, in microseconds since 1970, unless it is set; `None`:
    /// removes them with their child rows.
    pub mark: Option<i64>,
}

impl NotSeenSince {
    /// Creates a deletion of the records that no load since then has written: they are removed, or
    /// marked with that time.
    pub fn new(load: impl Into<String>, mark: Option<i64>) -> Self {
        NotSeenSince {
            load: load.into(),
            mark,
        }
    }
}
