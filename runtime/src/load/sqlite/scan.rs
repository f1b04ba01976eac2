//! Reads the rows of a table, as `rows` wrote them, into Arrow.

use arrow_array::RecordBatch;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

use super::names::{quoted, staging};
use super::seen::SEEN;
use super::tables::existing_columns;
use crate::load::Brought;
use crate::load::values::{Building, built};
use crate::record::{Date, Decimal, parse_instant};
use crate::schema::{Column, ColumnRole};

/// The number of rows read at a time.
const READ_ROWS: usize = 4096;

/// Reads a table in the order of its rows, batch by batch; rows may be written between two batches.
pub struct Scan<'a> {
    sql: String,
    columns: &'a [Column],
    /// The last row read.
    after: i64,
}

impl<'a> Scan<'a> {
    /// Prepares a scan. `all` are the columns of the table, one of which may have a name that
    /// SQLite uses for the row number.
    pub fn new(table: &str, all: &[Column], columns: &'a [Column]) -> rusqlite::Result<Self> {
        let id = row_id(all)?;
        let names = columns.iter().map(|column| quoted(&column.name));
        let names: Vec<String> = std::iter::once(id.to_owned()).chain(names).collect();
        let (names, table) = (names.join(", "), quoted(table));
        let sql =
            format!("SELECT {names} FROM {table} WHERE {id} > ?1 ORDER BY {id} LIMIT {READ_ROWS}");
        Ok(Scan {
            sql,
            columns,
            after: i64::MIN,
        })
    }

    /// Returns the numbers of the next rows, and the rows; `None` at the end.
    pub fn next(&mut self, db: &Connection) -> rusqlite::Result<Option<(Vec<i64>, RecordBatch)>> {
        let mut select = db.prepare_cached(&self.sql)?;
        let mut found = select.query([self.after])?;
        let columns = self.columns.iter();
        let mut values: Vec<Building> = columns.map(|c| Building::new(c.ty)).collect();
        let mut ids = Vec::new();
        while let Some(row) = found.next()? {
            ids.push(row.get::<_, i64>(0)?);
            for (at, values) in values.iter_mut().enumerate() {
                let value = row.get_ref(at + 1)?;
                if push(values, value).is_none() {
                    let name = self.columns[at].name.clone();
                    return Err(Error::InvalidColumnType(at + 1, name, value.data_type()));
                }
            }
        }
        let Some(last) = ids.last() else {
            return Ok(None);
        };
        self.after = *last;
        let rows = built(self.columns, values, ids.len())
            .map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Some((ids, rows)))
    }
}

/// Passes the texts of the rows that a pass has brought, until `each` returns false.
pub fn brought(
    db: &Connection,
    source: &str,
    rows: &Brought<'_>,
    each: &mut dyn FnMut(&[Option<&str>]) -> bool,
) -> rusqlite::Result<()> {
    let table = match rows.staged {
        true => staging(&rows.table.name),
        false => rows.table.name.clone(),
    };
    let there = existing_columns(db, &table)?;
    if there.is_empty() {
        return Ok(());
    }
    // A staging table may lack the columns that are new.
    let column = |name: &&str| match there.contains(*name) {
        true => quoted(name),
        false => "NULL".to_owned(),
    };
    let columns: Vec<String> = rows.columns.iter().map(column).collect();
    let id = rows.table.role(ColumnRole::RowId);
    let since = rows.load_column().zip(id).map(|(load, id)| {
        let (load, id) = (quoted(load), quoted(&id.name));
        format!("WHERE {load} >= ?1 OR {id} IN ({SEEN})")
    });
    let sql = format!(
        "SELECT {} FROM {} {}",
        columns.join(", "),
        quoted(&table),
        since.as_deref().unwrap_or_default()
    );
    let mut select = db.prepare(&sql)?;
    let mut found = match since {
        Some(_) => select.query([rows.pass, source, &rows.table.resource])?,
        None => select.query([])?,
    };
    while let Some(row) = found.next()? {
        let text = |at| Ok(row.get_ref(at)?.as_str_or_null().ok().flatten());
        let texts = (0..columns.len()).map(text);
        if !each(&texts.collect::<rusqlite::Result<Vec<_>>>()?) {
            break;
        }
    }
    Ok(())
}

/// Returns the name of the row number in a table with these columns.
pub fn row_id(columns: &[Column]) -> rusqlite::Result<&'static str> {
    let names = ["rowid", "_rowid_", "oid"];
    let free = |name: &&str| {
        let mut columns = columns.iter();
        !columns.any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let found = names.into_iter().find(free);
    found.ok_or_else(|| Error::InvalidColumnName("rowid, _rowid_ and oid are all taken".to_owned()))
}

/// Appends a value; returns `None` if a user has changed its type.
fn push(values: &mut Building, value: ValueRef<'_>) -> Option<()> {
    let text = || value.as_str().ok();
    macro_rules! push {
        ($builder:expr, $value:expr) => {
            match value {
                ValueRef::Null => $builder.append_null(),
                _ => $builder.append_value($value?),
            }
        };
    }
    match values {
        Building::Bool(builder) => push!(builder, value.as_i64().ok().map(|value| value != 0)),
        Building::Int(builder) => push!(builder, value.as_i64().ok()),
        // SQLite stores a double without a fraction as an integer if that is shorter, and returns it as a double.
        Building::Float(builder) => push!(builder, value.as_f64().ok()),
        Building::Decimal(builder) => push!(
            builder,
            text().and_then(|text| Some(text.parse::<Decimal>().ok()?.billionths()))
        ),
        Building::Text(builder) | Building::Uuid(builder) | Building::Json(builder) => {
            push!(builder, text())
        }
        Building::Timestamp(builder) => {
            push!(builder, text().and_then(|text| parse_instant(text, true)));
        }
        Building::Date(builder) => {
            push!(
                builder,
                text().and_then(|text| Some(text.parse::<Date>().ok()?.days()))
            );
        }
        Building::Bytes(builder) => push!(builder, value.as_blob().ok()),
    }
    Some(())
}
