//! Writes Arrow rows to SQLite, bound directly from the arrays.

use arrow_array::ArrayRef;
use rusqlite::types::Null;
use rusqlite::{Connection, Statement};

use super::names::quoted;
use crate::load::values::Values;
use crate::record::{day, sortable};
use crate::schema::{Column, ColumnType, TableBatch};
use crate::text::decimal;

/// Returns the declaration of a column. SQLite derives a conversion from the declared type, so
/// everything that must stay text is TEXT. BOOLEAN, DATE and TIMESTAMP convert nothing that is
/// written, and document the values for readers.
pub fn definition(column: &Column) -> String {
    let ty = match column.ty {
        ColumnType::Bool => "BOOLEAN",
        ColumnType::Int64 => "INTEGER",
        ColumnType::Float64 => "REAL",
        // A double would lose digits.
        ColumnType::Decimal => "TEXT",
        ColumnType::Timestamp => "TIMESTAMP",
        ColumnType::Date => "DATE",
        ColumnType::Bytes => "BLOB",
        ColumnType::Text | ColumnType::Uuid | ColumnType::Json => "TEXT",
    };
    format!("{} {ty}", quoted(&column.name))
}

fn bind(
    values: &Values<'_>,
    statement: &mut Statement<'_>,
    at: usize,
    row: usize,
) -> rusqlite::Result<()> {
    if values.is_null(row) {
        return statement.raw_bind_parameter(at, Null);
    }
    match values {
        Values::Bool(array) => statement.raw_bind_parameter(at, array.value(row)),
        Values::Int(array) => statement.raw_bind_parameter(at, array.value(row)),
        Values::Float(array) => statement.raw_bind_parameter(at, array.value(row)),
        Values::Decimal(array) => {
            let text = decimal(array.value(row), array.scale());
            statement.raw_bind_parameter(at, text)
        }
        Values::Text(array) | Values::Uuid(array) | Values::Json(array) => {
            statement.raw_bind_parameter(at, array.value(row))
        }
        Values::Timestamp(array) => {
            statement.raw_bind_parameter(at, sortable(array.value(row)).as_str())
        }
        Values::Date(array) => statement.raw_bind_parameter(at, day(array.value(row)).as_str()),
        Values::Bytes(array) => statement.raw_bind_parameter(at, array.value(row)),
    }
}

/// Updates some columns of existing rows: those whose `row_id` is in `rows`, in that order.
pub fn update<'a>(
    db: &Connection,
    table: &str,
    (row_id, rows): (&str, &[i64]),
    columns: impl Iterator<Item = (&'a (String, ColumnType), &'a ArrayRef)>,
) -> rusqlite::Result<()> {
    let (columns, arrays): (Vec<_>, Vec<_>) = columns.unzip();
    let set: Vec<String> = columns
        .iter()
        .map(|(name, _)| format!("{} = ?", quoted(name)))
        .collect();
    let (set, table) = (set.join(", "), quoted(table));
    let sql = format!("UPDATE {table} SET {set} WHERE {row_id} = ?");
    let mut statement = db.prepare_cached(&sql)?;
    let values = columns
        .iter()
        .zip(arrays)
        .map(|((name, ty), array)| Values::of(array.as_ref(), *ty).ok_or_else(|| wrong_type(name)));
    let values: Vec<Values<'_>> = values.collect::<rusqlite::Result<_>>()?;
    for (row, id) in rows.iter().enumerate() {
        for (index, column) in values.iter().enumerate() {
            bind(column, &mut statement, index + 1, row)?;
        }
        statement.raw_bind_parameter(values.len() + 1, id)?;
        statement.raw_execute()?;
    }
    Ok(())
}

fn wrong_type(column: &str) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, column.to_owned(), rusqlite::types::Type::Null)
}

/// Inserts rows, all of the batch or those at these positions, and returns, in order, those whose record exists already;
/// they stay unchanged.
pub fn insert(
    db: &Connection,
    table: &str,
    batch: &TableBatch,
    rows: Option<&[usize]>,
) -> rusqlite::Result<Vec<usize>> {
    let mut there = Vec::new();
    let columns = &batch.schema.columns;
    let count = rows.map_or(batch.rows.num_rows(), <[usize]>::len);
    if count == 0 {
        return Ok(there);
    }
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({places}) ON CONFLICT DO NOTHING",
        quoted(table),
        names.join(", ")
    );
    let mut statement = db.prepare_cached(&sql)?;
    let values = columns
        .iter()
        .zip(batch.rows.columns())
        .map(|(column, array)| {
            Values::of(array.as_ref(), column.ty).ok_or_else(|| wrong_type(&column.name))
        });
    let values: Vec<Values<'_>> = values.collect::<rusqlite::Result<_>>()?;
    for at in 0..count {
        let row = rows.map_or(at, |rows| rows[at]);
        for (index, column) in values.iter().enumerate() {
            bind(column, &mut statement, index + 1, row)?;
        }
        if statement.raw_execute()? == 0 {
            there.push(row);
        }
    }
    Ok(there)
}
