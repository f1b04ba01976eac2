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

/// A connection that runs SQL in one schema. Statements name their values `$1`, `$2`; results are texts, 64-bit integers
/// and booleans. Every text comes back as it was written.
pub trait Session {
    /// Returns what is special about its SQL.
    fn dialect(&self) -> Dialect;

    /// Runs one statement; returns the number of rows that it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64>;

    /// Runs one statement; returns its rows.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>>;

    /// Runs one statement whose rows have these columns; returns the rows.
    fn read(&mut self, sql: &str, columns: &[Column]) -> Result<RecordBatch>;

    /// Runs statements without values.
    fn script(&mut self, sql: &str) -> Result<()>;

    /// Returns the columns of a table; none if it does not exist.
    fn columns(&mut self, table: &str) -> Result<Vec<String>>;

    /// Returns whether the name of a table is taken, by whatever the schema holds.
    fn is_taken(&mut self, table: &str) -> Result<bool>;

    /// Excludes other commits until the transaction ends.
    fn exclude_commits(&mut self) -> Result<()>;

    /// Adds rows to a table: all of the batch, or those at these positions.
    fn ingest(&mut self, table: &str, batch: &TableBatch, rows: Option<&[usize]>) -> Result<()>;
}
