//! Statements of people, which read.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};

use super::{explain, look};
use crate::error::{Error, ErrorKind, Result};
use crate::load::Answer;
use crate::text::lossless;

/// Runs a statement that reads.
pub fn query(path: &Path, sql: &str, most: usize) -> Result<Answer> {
    let db = look::open(path).map_err(|error| explain(path, error))?;
    let mut statement = prepared(&db, sql)?;
    let mut answer = Answer::new(statement.column_names());
    let columns = answer.columns.len();
    let mut rows = statement.query([]).map_err(refused)?;
    while let Some(row) = rows.next().map_err(refused)? {
        let cells = (0..columns).map(|at| Ok(text(row.get_ref(at)?)));
        let cells = cells.collect::<rusqlite::Result<_>>().map_err(refused)?;
        if !answer.add(cells, most) {
            break;
        }
    }
    Ok(answer)
}

fn prepared<'a>(db: &'a Connection, sql: &str) -> Result<Statement<'a>> {
    let statement = db.prepare(sql).map_err(refused)?;
    if statement.readonly() && statement.column_count() > 0 {
        return Ok(statement);
    }
    Err(Error::new(
        ErrorKind::Usage,
        "the statement returns no rows, or changes something",
    )
    .hint("write one SELECT"))
}

fn refused(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Usage, "the query failed")
        .caused_by(error)
        .hint("`tables` lists the tables, `discover` their columns")
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(lossless(bytes).into_owned()),
        ValueRef::Blob(bytes) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}
