//! The system tables: loads, state, and the schemas of the tables of sources.

use std::collections::BTreeMap;

use super::{Session, Value, first_int};
use crate::error::Result;
use crate::load::{Commit, LoadInfo, Memory};
use crate::schema::{Column, ColumnRole, ColumnType, Drifted, TableSchema};
use crate::state::format::{self, FORMAT};
use crate::state::{StateChange, StateRow};

/// The table that earlier versions did not have.
const SEEN: &str = "_etl_seen";

/// The tables, with their columns and their keys.
const TABLES: [(&str, &str, &str); 8] = [
    (
        "_etl_loads",
        "load_id text NOT NULL, source text NOT NULL, status text NOT NULL, committed_at timestamptz NOT NULL,
         rows bigint NOT NULL, commit_number bigint NOT NULL",
        "load_id, source",
    ),
    (
        "_etl_state",
        "source text NOT NULL, resource text NOT NULL, slice text NOT NULL, value text NOT NULL",
        "source, resource, slice",
    ),
    (
        "_etl_columns",
        "source text NOT NULL, resource text NOT NULL, table_name text NOT NULL, parent text, table_path text NOT NULL,
         position bigint NOT NULL, column_name text NOT NULL, type text NOT NULL, role text NOT NULL,
         column_path text NOT NULL",
        "source, table_name, position",
    ),
    // Values of the columns that identify a row may be too long for an index.
    (
        "_etl_drift",
        "load_id text NOT NULL, source text NOT NULL, resource text NOT NULL, table_name text NOT NULL,
         keys text NOT NULL, type text NOT NULL, done text NOT NULL, count bigint NOT NULL",
        "",
    ),
    (
        "_etl_undo",
        "source text NOT NULL, load_id text NOT NULL, resource text NOT NULL, slice text NOT NULL, value text",
        "source, load_id, resource, slice",
    ),
    (
        "_etl_changes",
        "source text NOT NULL, load_id text NOT NULL, resource text NOT NULL, records bigint NOT NULL,
         replaced boolean NOT NULL",
        "source, load_id, resource",
    ),
    // Unchanged records that unfinished passes have seen.
    (
        SEEN,
        "source text NOT NULL, resource text NOT NULL, scope text NOT NULL, pass text NOT NULL, load_id text NOT NULL,
         ids text[] NOT NULL",
        "",
    ),
    // The last one: where it is, all are, except those that earlier versions did not have.
    ("_etl_format", "format bigint NOT NULL", "format"),
];

/// Returns whether the system tables exist.
pub fn exists(session: &mut impl Session) -> Result<bool> {
    Ok(!session.columns("_etl_format")?.is_empty())
}

/// Creates the system tables if they do not exist, and refuses those of a later format.
pub fn create(session: &mut impl Session) -> Result<()> {
    if !exists(session)? || session.columns(SEEN)?.is_empty() {
        let has_keys = session.dialect().has_keys;
        let creation = |(name, columns, key): (&str, &str, &str)| match has_keys && !key.is_empty()
        {
            true => format!("CREATE TABLE IF NOT EXISTS {name} ({columns}, PRIMARY KEY ({key}))"),
            false => format!("CREATE TABLE IF NOT EXISTS {name} ({columns})"),
        };
        session.script(&TABLES.map(creation).join(";\n"))?;
    }
    let found = session.query("SELECT max(format) FROM _etl_format", &[])?;
    match first_int(&found) {
        0 => session.script(&format!("INSERT INTO _etl_format VALUES ({FORMAT})")),
        found => format::check("the database", found.unsigned_abs()),
    }
}

/// Reads the memory of a source.
pub fn read(session: &mut impl Session, source: &str) -> Result<Memory> {
    let source = [Value::from(source)];
    let columns = session.query(
        "SELECT table_name, resource, parent, column_name, type, role, table_path, column_path FROM _etl_columns
         WHERE source = $1 ORDER BY table_name, position",
        &source,
    )?;
    let mut tables: BTreeMap<String, TableSchema> = BTreeMap::new();
    for row in &columns {
        let [name, resource, parent, column, ty, role, path, place] = &row[..] else {
            continue;
        };
        let table = tables.entry(name.text()).or_insert_with(|| TableSchema {
            name: name.text(),
            resource: resource.text(),
            parent: parent.optional(),
            path: path.text(),
            columns: Vec::new(),
        });
        table.columns.push(Column {
            name: column.text(),
            ty: ColumnType::parse(&ty.text()).unwrap_or(ColumnType::Text),
            role: ColumnRole::parse(&role.text()).unwrap_or(ColumnRole::Data),
            path: place.text(),
        });
    }
    let state = "SELECT resource, slice, value FROM _etl_state WHERE source = $1";
    let state = session.query(state, &source)?.into_iter();
    let row = |row: Vec<Value>| StateRow::new(row[0].text(), row[1].text(), row[2].text());
    let mut memory = Memory::new(tables.into_values().collect(), state.map(row).collect());
    // The order of ids must not depend on a language.
    let last = "SELECT max(load_id COLLATE \"C\") FROM _etl_loads WHERE source = $1";
    let last = session.query(last, &source)?;
    memory.last_load = last.first().and_then(|row| row[0].optional());
    Ok(memory)
}

/// Stores the schema of a table.
pub fn put_table(session: &mut impl Session, source: &str, table: &TableSchema) -> Result<()> {
    let forget = "DELETE FROM _etl_columns WHERE source = $1 AND table_name = $2";
    let parent = table.parent.as_ref().map_or(Value::Null, Value::from);
    session.execute(forget, &[source.into(), (&table.name).into()])?;
    let texts =
        |text: fn(&Column) -> String| Value::Texts(table.columns.iter().map(text).collect());
    let positions = (0..table.columns.len()).map(|at| at.to_string());
    session.execute(
        "INSERT INTO _etl_columns
         SELECT $1, $2, $3, $4, $5, CAST(unnest($6) AS bigint), unnest($7), unnest($8), unnest($9), unnest($10)",
        &[
            source.into(),
            (&table.resource).into(),
            (&table.name).into(),
            parent,
            (&table.path).into(),
            Value::Texts(positions.collect()),
            texts(|column| column.name.clone()),
            texts(|column| column.ty.name().to_owned()),
            texts(|column| column.role.name().to_owned()),
            texts(|column| column.path.clone()),
        ],
    )?;
    Ok(())
}

/// The number of other loads of the source, and the time when the last of them committed.
pub type Others = (i64, Option<String>);

/// Reads the other loads of the source that are committed.
pub fn others(session: &mut impl Session, load: &LoadInfo) -> Result<Others> {
    let sql = "SELECT count(*), CAST(max(committed_at) AS text) FROM _etl_loads WHERE load_id <> $1 AND source = $2";
    let found = session.query(sql, &[(&load.id).into(), (&load.source).into()])?;
    let last = found.first().and_then(|row| row[1].optional());
    Ok((first_int(&found), last))
}

/// Applies changes of the state, and keeps the value that each row had before the load.
pub fn put_state(
    session: &mut impl Session,
    load: &LoadInfo,
    changes: &[StateChange],
) -> Result<()> {
    let last: BTreeMap<_, _> = changes
        .iter()
        .map(|change| (change.key(), change))
        .collect();
    if last.is_empty() {
        return Ok(());
    }
    let (source, id) = (Value::from(&load.source), Value::from(&load.id));
    let keys = last
        .keys()
        .map(|(resource, slice)| ((*resource).to_owned(), (*slice).to_owned()));
    let (resources, slices): (Vec<String>, Vec<String>) = keys.unzip();
    let (resources, slices) = (Value::Texts(resources), Value::Texts(slices));
    session.execute(
        "INSERT INTO _etl_undo
         SELECT $1, $2, c.resource, c.slice, s.value
         FROM (SELECT unnest($3) AS resource, unnest($4) AS slice) AS c
         LEFT JOIN _etl_state AS s ON s.source = $1 AND s.resource = c.resource AND s.slice = c.slice
         WHERE NOT EXISTS (SELECT 1 FROM _etl_undo AS u
             WHERE u.source = $1 AND u.load_id = $2 AND u.resource = c.resource AND u.slice = c.slice)",
        &[source.clone(), id, resources.clone(), slices.clone()],
    )?;
    session.execute(
        "DELETE FROM _etl_state AS s USING (SELECT unnest($2) AS resource, unnest($3) AS slice) AS c
         WHERE s.source = $1 AND s.resource = c.resource AND s.slice = c.slice",
        &[source.clone(), resources, slices],
    )?;
    let put = last.values().filter_map(|change| match change {
        StateChange::Put(row) => Some(row),
        StateChange::Forget { .. } => None,
    });
    let put: Vec<&StateRow> = put.collect();
    let texts = |text: fn(&StateRow) -> &String| {
        Value::Texts(put.iter().map(|row| text(row).clone()).collect())
    };
    session.execute(
        "INSERT INTO _etl_state SELECT $1, unnest($2), unnest($3), unnest($4)",
        &[
            source,
            texts(|row| &row.resource),
            texts(|row| &row.slice),
            texts(|row| &row.value),
        ],
    )?;
    Ok(())
}

/// Adds to the drift of a load.
pub fn add_drift(
    session: &mut impl Session,
    load: &LoadInfo,
    resource: &str,
    counts: &[(Drifted, u64)],
) -> Result<()> {
    for (line, count) in counts {
        let values = [
            (&load.id).into(),
            (&load.source).into(),
            resource.into(),
            (&line.table).into(),
            (&line.keys).into(),
            line.came.into(),
            (&line.done.to_string()).into(),
            Value::Int(i64::try_from(*count).unwrap_or(i64::MAX)),
        ];
        let changed = session.execute(
            "UPDATE _etl_drift SET count = count + $8 WHERE load_id = $1 AND source = $2 AND resource = $3
             AND table_name = $4 AND keys = $5 AND type = $6 AND done = $7",
            &values,
        )?;
        if changed == 0 {
            let add = "INSERT INTO _etl_drift VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
            session.execute(add, &values)?;
        }
    }
    Ok(())
}

/// Writes the row of the load.
pub fn put_load(
    session: &mut impl Session,
    load: &LoadInfo,
    commit: &Commit<'_>,
    rows: u64,
) -> Result<()> {
    let (id, source) = (Value::from(&load.id), Value::from(&load.source));
    let forget = "DELETE FROM _etl_loads WHERE load_id = $1 AND source = $2";
    session.execute(forget, &[id.clone(), source.clone()])?;
    session.execute(
        "INSERT INTO _etl_loads VALUES ($1, $2, $3, CAST($4 AS timestamptz), $5, $6)",
        &[
            id,
            source,
            commit.status.name().into(),
            crate::record::sortable(load.now()).as_str().into(),
            Value::Int(i64::try_from(rows).unwrap_or(i64::MAX)),
            Value::Int(i64::try_from(commit.number).unwrap_or(i64::MAX)),
        ],
    )?;
    Ok(())
}

/// Returns the number of the last commit of the load, or 0.
pub fn commit_number(session: &mut impl Session, load: &LoadInfo) -> Result<u64> {
    let sql = "SELECT commit_number FROM _etl_loads WHERE load_id = $1 AND source = $2";
    let found = session.query(sql, &[(&load.id).into(), (&load.source).into()])?;
    Ok(first_int(&found).unsigned_abs())
}
