//! The unit of delivery to a destination: operations on the tables of one resource.

use std::sync::Arc;

#[cfg(doc)]
use crate::schema::ColumnRole;
use crate::schema::TableBatch;

/// Operations on the tables of one resource, in their order; all of them become visible in one commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Chunk {
    /// The resource.
    pub resource: Arc<str>,
    /// What is done.
    pub operations: Vec<Operation>,
    /// The pass that brings the records of [`Operation::Merge`]; `None`: nothing is remembered of it.
    pub pass: Option<PassMark>,
}

/// The pass that brings records. An unchanged record is not written, so that its row does not say which pass has brought
/// it last: the destination remembers the ids of the unchanged records of a pass until its end, also beyond the load.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassMark {
    /// The load in which it began.
    pub id: String,
    /// The kind of passes that it belongs to: a resource has at most one unfinished pass of each kind. Empty for usual
    /// runs.
    pub scope: String,
    /// Whether the chunk is its last one.
    pub ends: bool,
}

impl PassMark {
    /// Creates the mark of a pass of usual runs that has not ended.
    pub fn new(id: impl Into<String>) -> Self {
        PassMark {
            id: id.into(),
            scope: String::new(),
            ends: false,
        }
    }

    /// Sets whether the chunk is the last one of the pass.
    pub fn ends(self, ends: bool) -> Self {
        PassMark { ends, ..self }
    }
}

/// An operation on the tables of one resource.
///
/// The rows of an operation are those of its tables: the root table first, then child tables, each after its parent. A
/// table without new rows has an empty batch: it and its columns must exist after the commit. No record is twice in the
/// tables of one operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// Adds records with their child rows, except those whose id the table has.
    Append(Vec<TableBatch>),
    /// Adds records with their child rows, in place of those with the same id. A record with the content hash
    /// ([`ColumnRole::ContentHash`]) of its row is unchanged: a destination that
    /// [skips](super::Capabilities::skips_unchanged) those writes neither it nor its child rows.
    Merge(Vec<TableBatch>),
    /// Adds records with their child rows to a pass that waits for [`Operation::Publish`], in place of those of the
    /// pass with the same id. They stay invisible, also after commits.
    Stage {
        /// The rows.
        tables: Vec<TableBatch>,
        /// Whether a new pass begins: what an earlier unfinished pass has staged is dropped.
        first: bool,
    },
    /// The staged rows replace all rows of the tables of the resource.
    Publish,
    /// Deletes records that the API has reported as deleted, whatever load wrote them.
    Delete(DeletedIds),
    /// Deletes the records that a complete pass did not bring.
    DeleteNotSeen(NotSeenSince),
}

impl Operation {
    /// Returns the tables whose rows it adds.
    pub fn tables(&self) -> &[TableBatch] {
        match self {
            Operation::Append(tables)
            | Operation::Merge(tables)
            | Operation::Stage { tables, .. } => tables,
            Operation::Publish | Operation::Delete(_) | Operation::DeleteNotSeen(_) => &[],
        }
    }
}

impl Chunk {
    /// Creates a chunk of these operations.
    pub fn new(
        resource: impl Into<Arc<str>>,
        operations: impl IntoIterator<Item = Operation>,
    ) -> Self {
        Chunk {
            resource: resource.into(),
            operations: operations.into_iter().collect(),
            pass: None,
        }
    }

    /// Names the pass that brings the records.
    pub fn of_pass(self, pass: PassMark) -> Self {
        Chunk {
            pass: Some(pass),
            ..self
        }
    }

    /// Returns the pass if a destination must remember which unchanged records of the chunk it has brought.
    pub fn remembers(&self) -> Option<&PassMark> {
        let asks = |operation: &Operation| matches!(operation, Operation::DeleteNotSeen(_));
        let needed = |pass: &&PassMark| !pass.ends || self.operations.iter().any(asks);
        self.pass.as_ref().filter(needed)
    }

    /// Returns the tables whose rows its operations add.
    pub fn tables(&self) -> impl Iterator<Item = &TableBatch> {
        self.operations.iter().flat_map(Operation::tables)
    }

    /// Returns the number of records: the rows of root tables. Rows in which dlt's layout describes
    /// loads do not count.
    pub fn records(&self) -> u64 {
        let roots = self.tables().filter(|table| table.schema.parent.is_none());
        let records = roots.filter(|root| !root.schema.is_meta());
        records.map(|root| root.rows.num_rows() as u64).sum()
    }

    /// Returns whether the rows describe loads for dlt's layout, and are not records of the API:
    /// they are not counted, and a rollback keeps them.
    pub fn is_meta(&self) -> bool {
        self.tables().any(|table| table.schema.is_meta())
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
    /// Whether the records are among the staged rows.
    pub staged: bool,
}

impl DeletedIds {
    /// Creates a deletion of the records with these ids: they are removed, or marked with that
    /// time.
    pub fn new(ids: Vec<String>, mark: Option<i64>) -> Self {
        DeletedIds {
            ids,
            mark,
            staged: false,
        }
    }

    /// Deletes records among the staged rows if `staged` says so.
    pub fn staged(self, staged: bool) -> Self {
        DeletedIds { staged, ..self }
    }
}

/// Records that a complete pass did not return: the API no longer has them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSeenSince {
    /// The load in which the pass started: the records are those whose load ([`ColumnRole::LoadId`]) is older, except
    /// those that the pass ([`Chunk::pass`]) has found unchanged.
    pub load: String,
    /// Sets [`ColumnRole::DeletedAt`] of their rows to this time, in microseconds since 1970, unless it is set; `None`:
    /// removes them with their child rows.
    pub mark: Option<i64>,
}

impl NotSeenSince {
    /// Creates a deletion of the records that no load since then has brought: they are removed, or
    /// marked with that time.
    pub fn new(load: impl Into<String>, mark: Option<i64>) -> Self {
        NotSeenSince {
            load: load.into(),
            mark,
        }
    }
}
