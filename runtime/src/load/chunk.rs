//! What travels to a destination: the rows of one resource, and which records go.

use std::sync::Arc;

#[cfg(doc)]
use crate::schema::ColumnRole;
use crate::schema::{Disposition, TableBatch};

/// Rows of one resource on their way to a destination; all of them become visible in one commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Chunk {
    /// The resource.
    pub resource: Arc<str>,
    /// How its rows meet those that are there.
    pub disposition: Disposition,
    /// The root table first, then child tables, each after its parent. A table without new rows has an empty batch: it
    /// and its columns must exist after the commit.
    pub tables: Vec<TableBatch>,
    /// `Replace` only: a new pass begins here; drop what an earlier unfinished pass has staged. Within a pass rows meet
    /// as in `Merge`: a row that comes again replaces the one that is staged.
    pub begins_pass: bool,
    /// `Replace` only: the pass ends here; the staged rows replace the rows of the table in this commit.
    pub ends_pass: bool,
    /// `Merge` only: every record that exists has now come, those of this chunk being the last; the others are deleted.
    pub not_seen: Option<NotSeenSince>,
    /// Records that the API has reported as deleted, whatever load brought them. Apply this after the rows.
    pub deleted: Option<DeletedIds>,
}

impl Chunk {
    /// A chunk of these tables, the root table first, that belongs to no pass and deletes nothing.
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

    /// How many records it holds: the rows of its root table. The rows in which dlt's layout describes loads are none.
    pub fn records(&self) -> u64 {
        match self.tables.first() {
            Some(root) if !root.schema.is_meta() => root.rows.num_rows() as u64,
            _ => 0,
        }
    }

    /// Whether it holds what dlt's layout says of loads, and no records of the API: such rows are not counted, and a
    /// rollback leaves them.
    pub fn is_meta(&self) -> bool {
        self.tables.iter().any(|table| table.schema.is_meta())
    }
}

/// Records that the API has reported as deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedIds {
    /// The ids of their rows ([`ColumnRole::RowId`]); some may not be there.
    pub ids: Vec<String>,
    /// As [`NotSeenSince::mark`].
    pub mark: Option<i64>,
}

impl DeletedIds {
    /// The records of these ids, to be removed, or marked with that time.
    pub fn new(ids: Vec<String>, mark: Option<i64>) -> Self {
        DeletedIds { ids, mark }
    }
}

/// Records that a complete pass did not bring: the API no longer has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSeenSince {
    /// The load in which the pass began: the records are those whose load ([`ColumnRole::LoadId`]) is an older one.
    pub load: String,
    /// Sets [`ColumnRole::DeletedAt`] of their rows to that time, in microseconds since 1970, unless it is set; `None`:
    /// removes them with their child rows.
    pub mark: Option<i64>,
}

impl NotSeenSince {
    /// The records that no load since then has brought, to be removed, or marked with that time.
    pub fn new(load: impl Into<String>, mark: Option<i64>) -> Self {
        NotSeenSince {
            load: load.into(),
            mark,
        }
    }
}
