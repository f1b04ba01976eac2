//! The rows that a pass has brought before it was interrupted.

#[cfg(doc)]
use super::Chunk;
use crate::schema::{ColumnRole, TableSchema};

/// Rows of a root table that an unfinished pass has brought, and the columns to read of them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Brought<'a> {
    /// The root table of a resource.
    pub table: &'a TableSchema,
    /// The columns, all of them text.
    pub columns: &'a [&'a str],
    /// The load in which the pass began: the rows are those whose load ([`ColumnRole::LoadId`]) is
    /// not older, and those that the pass ([`Chunk::pass`]) has found unchanged.
    pub pass: &'a str,
    /// Whether the pass stages its rows: then all staged rows are meant, and none of the table.
    pub staged: bool,
}

impl<'a> Brought<'a> {
    /// Describes the rows of a table since a load.
    pub fn new(table: &'a TableSchema, columns: &'a [&'a str], pass: &'a str) -> Self {
        Brought {
            table,
            columns,
            pass,
            staged: false,
        }
    }

    /// Means the staged rows.
    pub fn staged(self, staged: bool) -> Self {
        Brought { staged, ..self }
    }

    /// Returns the name of the column with the load of each row; `None` if it does not matter.
    pub fn load_column(&self) -> Option<&'a str> {
        let load = self.table.role(ColumnRole::LoadId);
        load.filter(|_| !self.staged)
            .map(|column| column.name.as_str())
    }
}
