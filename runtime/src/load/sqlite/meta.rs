//! The system tables of the file: loads, state, and the schemas of its tables.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::load::{LoadInfo, LoadStatus, Memory};
use crate::schema::{Column, ColumnRole, ColumnType, Drifted, TableSchema};
use crate::state::format::FORMAT;
use crate::state::{StateChange, StateRow};

/// Creates the system tables if they do not exist.
pub fn create(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS _etl_loads (
             load_id TEXT NOT NULL, source TEXT NOT NULL, status TEXT NOT NULL, committed_at TIMESTAMP NOT NULL,
             rows INTEGER NOT NULL, PRIMARY KEY (load_id, source));
         CREATE TABLE IF NOT EXISTS _etl_state (
             source TEXT NOT NULL, resource TEXT NOT NULL, slice TEXT NOT NULL, value TEXT NOT NULL,
             PRIMARY KEY (source, resource, slice)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS _etl_columns (
             source TEXT NOT NULL, resource TEXT NOT NULL, table_name TEXT NOT NULL, parent TEXT, table_path TEXT NOT NULL,
             position INTEGER NOT NULL, column_name TEXT NOT NULL, type TEXT NOT NULL, role TEXT NOT NULL,
             column_path TEXT NOT NULL,
             PRIMARY KEY (source, table_name, position)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS _etl_drift (
             load_id TEXT NOT NULL, source TEXT NOT NULL, resource TEXT NOT NULL, table_name TEXT NOT NULL,
             keys TEXT NOT NULL, type TEXT NOT NULL, done TEXT NOT NULL, count INTEGER NOT NULL,
             PRIMARY KEY (load_id, source, resource, table_name, keys, type, done)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS _etl_undo (
             source TEXT NOT NULL, load_id TEXT NOT NULL, resource TEXT NOT NULL, slice TEXT NOT NULL, value TEXT,
             PRIMARY KEY (source, load_id, resource, slice)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS _etl_changes (
             source TEXT NOT NULL, load_id TEXT NOT NULL, resource TEXT NOT NULL, records INTEGER NOT NULL,
             replaced INTEGER NOT NULL, PRIMARY KEY (source, load_id, resource)) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS _etl_seen (
             source TEXT NOT NULL, resource TEXT NOT NULL, scope TEXT NOT NULL, pass TEXT NOT NULL,
             load_id TEXT NOT NULL, ids TEXT NOT NULL);
         CREATE TABLE IF NOT EXISTS _etl_format (format INTEGER NOT NULL PRIMARY KEY) WITHOUT ROWID;",
    )?;
    let numbered: bool = db.query_row("SELECT EXISTS (SELECT 1 FROM _etl_format)", [], |row| {
        row.get(0)
    })?;
    if !numbered {
        db.execute("INSERT INTO _etl_format VALUES (?1)", [FORMAT])?;
    }
    Ok(())
}

/// Reads the format number of these tables. It is `None` if they do not exist, or have the first
/// format, which had no number.
pub fn format(db: &Connection) -> rusqlite::Result<Option<u32>> {
    let named =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_etl_format')";
    match db.query_row(named, [], |row| row.get(0))? {
        false => Ok(None),
        true => db.query_row("SELECT max(format) FROM _etl_format", [], |row| row.get(0)),
    }
}

/// Reads the memory of a source from a file that may have none of these tables.
pub fn look(db: &Connection, source: &str) -> rusqlite::Result<Memory> {
    let tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('_etl_columns', '_etl_state')";
    match db.query_row(tables, [], |row| row.get::<_, i64>(0))? {
        2 => read(db, source),
        _ => Ok(Memory::default()),
    }
}

/// Reads the memory of a source.
pub fn read(db: &Connection, source: &str) -> rusqlite::Result<Memory> {
    let mut tables: BTreeMap<String, TableSchema> = BTreeMap::new();
    let mut columns = db.prepare(
        "SELECT table_name, resource, parent, column_name, type, role, table_path, column_path FROM _etl_columns
         WHERE source = ?1 ORDER BY table_name, position",
    )?;
    let mut found = columns.query([source])?;
    while let Some(row) = found.next()? {
        let name: String = row.get(0)?;
        let table = tables.entry(name.clone()).or_insert(TableSchema {
            name,
            resource: row.get(1)?,
            parent: row.get(2)?,
            path: row.get(6)?,
            columns: Vec::new(),
        });
        let (ty, role): (String, String) = (row.get(4)?, row.get(5)?);
        table.columns.push(Column {
            name: row.get(3)?,
            ty: ColumnType::parse(&ty).unwrap_or(ColumnType::Text),
            role: ColumnRole::parse(&role).unwrap_or(ColumnRole::Data),
            path: row.get(7)?,
        });
    }
    let mut state =
        db.prepare("SELECT resource, slice, value FROM _etl_state WHERE source = ?1")?;
    let state = state.query_map([source], |row| {
        Ok(StateRow {
            resource: row.get(0)?,
            slice: row.get(1)?,
            value: row.get(2)?,
        })
    })?;
    let state = state.collect::<rusqlite::Result<_>>()?;
    let last = "SELECT max(load_id) FROM _etl_loads WHERE source = ?1";
    let mut memory = Memory::new(tables.into_values().collect(), state);
    memory.last_load = db.query_row(last, [source], |row| row.get(0))?;
    Ok(memory)
}

/// Stores the schema of a table.
pub fn put_table(db: &Connection, source: &str, table: &TableSchema) -> rusqlite::Result<()> {
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO _etl_columns VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (position, column) in table.columns.iter().enumerate() {
        put.execute(params![
            source,
            table.resource,
            table.name,
            table.parent,
            table.path,
            position as i64,
            column.name,
            column.ty.name(),
            column.role.name(),
            column.path,
        ])?;
    }
    Ok(())
}

/// The number of other loads, of any source, and the time when the last of them committed.
pub type Others = (i64, Option<String>);

/// Reads the other loads that are committed.
pub fn others(db: &Connection, load: &LoadInfo) -> rusqlite::Result<Others> {
    let sql =
        "SELECT count(*), max(committed_at) FROM _etl_loads WHERE load_id <> ?1 OR source <> ?2";
    let mut others = db.prepare_cached(sql)?;
    others.query_row(params![load.id, load.source], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Applies changes of the state, and keeps the value that each row had before the load.
pub fn put_state(
    db: &Connection,
    load: &LoadInfo,
    changes: &[StateChange],
) -> rusqlite::Result<()> {
    let source = &load.source;
    let mut keep = db.prepare_cached(
        "INSERT OR IGNORE INTO _etl_undo VALUES (?1, ?2, ?3, ?4,
             (SELECT value FROM _etl_state WHERE source = ?1 AND resource = ?3 AND slice = ?4))",
    )?;
    let mut put = db.prepare_cached("INSERT OR REPLACE INTO _etl_state VALUES (?1, ?2, ?3, ?4)")?;
    let mut forget = db.prepare_cached(
        "DELETE FROM _etl_state WHERE source = ?1 AND resource = ?2 AND slice = ?3",
    )?;
    for change in changes {
        let (resource, slice) = change.key();
        keep.execute(params![source, load.id, resource, slice])?;
        match change {
            StateChange::Put(row) => {
                put.execute(params![source, row.resource, row.slice, row.value])?
            }
            StateChange::Forget { resource, slice } => {
                forget.execute(params![source, resource, slice])?
            }
        };
    }
    Ok(())
}

/// Adds to the drift of a load.
pub fn add_drift(
    db: &Connection,
    load: &LoadInfo,
    resource: &str,
    counts: &[(Drifted, u64)],
) -> rusqlite::Result<()> {
    let mut add = db.prepare_cached(
        "INSERT INTO _etl_drift VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (line, count) in counts {
        let done = line.done.to_string();
        let (id, source, count) = (&load.id, &load.source, *count as i64);
        add.execute(params![
            id, source, resource, line.table, line.keys, line.came, done, count
        ])?;
    }
    Ok(())
}

/// Writes the row of the load.
pub fn put_load(
    db: &Connection,
    load: &LoadInfo,
    status: &LoadStatus,
    rows: u64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO _etl_loads
         VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ', ?4 / 1e6, 'unixepoch'), ?5)",
    )?
    .execute(params![
        load.id,
        load.source,
        status.name(),
        load.now(),
        rows as i64
    ])?;
    Ok(())
}
