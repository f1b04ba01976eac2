//! The connection to a database, as the shared SQL sees it.

use arrow_array::RecordBatch;

use super::Dialect;
use crate::error::Result;
use crate::schema::{Column, TableBatch};

/// A value of a statement or of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Int(i64),
    Bool(bool),
    Texts(Vec<String>),
}

impl Value {
    /// Returns the text; empty if it is not one.
    pub fn text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        }
    }

    /// Returns the text, if it is one.
    pub fn optional(&self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn is_true(&self) -> bool {
        *self == Value::Bool(true)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Text(text.clone())
    }
}

/// The number of rows read at a time.
pub const PAGE_ROWS: u32 = 4096;

/// Expressions over the rows of a table.
pub struct Select<'a> {
    pub expressions: &'a str,
    /// The table, quoted.
    pub table: &'a str,
    /// The condition of the rows, if not all are meant.
    pub wanted: Option<&'a str>,
}

/// A connection that runs SQL in one schema. Statements name their values `$1`, `$2`; results are texts, 64-bit integers
/// and booleans. Every text comes back as it was written.
pub trait Session {
    /// What reads the rows of a table page by page.
    type Cursor;

    /// Returns what is special about its SQL.
    fn dialect(&self) -> Dialect;

    /// Runs one statement; returns the number of rows that it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64>;

    /// Runs one statement; returns its rows.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>>;

    /// Begins to read rows of a table, which are not changed meanwhile.
    fn cursor(&mut self, select: &Select<'_>) -> Result<Self::Cursor>;

    /// Returns the next rows, which have these columns; no batch at the end.
    fn page(&mut self, cursor: &mut Self::Cursor, columns: &[Column]) -> Result<Vec<RecordBatch>>;

    /// Runs statements without values.
    fn script(&mut self, sql: &str) -> Result<()>;

    /// Returns the columns of a table; none if it does not exist.
    fn columns(&mut self, table: &str) -> Result<Vec<String>>;

    /// Returns whether the name of a table is taken, by whatever the schema holds.
    fn is_taken(&mut self, table: &str) -> Result<bool>;

    /// Excludes other commits of this source until the transaction ends.
    fn exclude_commits(&mut self, source: &str) -> Result<()>;

    /// Returns the name of a temporary table that holds the rows of a batch, and no others.
    fn arrive(&mut self, batch: &TableBatch) -> Result<String>;

    /// Adds rows to a table: all of the batch, or those at these positions.
    fn ingest(&mut self, table: &str, batch: &TableBatch, rows: Option<&[usize]>) -> Result<()>;
}
