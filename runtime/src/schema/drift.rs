//! Counts of the drift of a load: never a value, which may be a secret.

use std::fmt;

/// The treatment of values that the struct does not declare.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Done {
    /// They are in that column.
    Column(String),
    /// They are in columns for the keys of an object.
    Columns,
    /// They are in that table.
    Table(String),
    /// They were left out.
    DiscardedValue,
    /// The rows that held them were left out.
    DiscardedRow,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Done::Column(name) => write!(f, "column {name}"),
            Done::Columns => f.write_str("columns of its own"),
            Done::Table(name) => write!(f, "table {name}"),
            Done::DiscardedValue => f.write_str("discarded value"),
            Done::DiscardedRow => f.write_str("discarded row"),
        }
    }
}

/// A kind of value that the struct does not declare: its place, its type, and what was done with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Drifted {
    /// The table of the row.
    pub table: String,
    /// The keys within the row, joined with dots.
    pub keys: String,
    /// The name of a [`ColumnType`](super::ColumnType), `object` or `list`.
    pub came: &'static str,
    /// The treatment of its values.
    pub done: Done,
}
