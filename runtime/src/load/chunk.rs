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
    /// Adds records with their child rows, in place of those with the same id.
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
        }
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
