//! The schema after loads. The tests for every destination are in `load/conformance.rs`.

mod faults;
mod proxy;
mod tls;

use std::path::Path;

use etlgen_testkit::{Kind, postgres as kit, skip};
use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::conformance;
use crate::load::LoadStatus;
use crate::load::conformance::Place;
use crate::load::conformance::support::*;
use crate::load::sql::Value;
use crate::schema::{Disposition, Layout};
use crate::state::StateRow;

/// A schema of the tests' server, by the folder of the test.
struct Schema;

/// Returns whether there is a server.
fn is_there() -> bool {
    let server = kit::server();
    if let Err(why) = &server {
        skip(Kind::Service, why);
    }
    server.is_ok()
}

fn schema(dir: &Path) -> String {
    format!("t\"{:016x}", xxh3_64(dir.as_os_str().as_encoded_bytes()))
}

/// Returns the URL of the schema of a test, on that port.
fn url(dir: &Path, port: u16) -> String {
    let schema = schema(dir).replace('"', "%22");
    let (user, password) = (kit::USER, &kit::server().unwrap().password);
    format!("//{user}:{password}@127.0.0.1:{port}/postgres?schema={schema}&sslmode=disable")
}

fn port() -> u16 {
    kit::server().unwrap().port
}

/// Returns a connection that reads the schema.
fn reader(dir: &Path) -> Client {
    Client::connect(&Address::parse(&url(dir, port())).unwrap()).unwrap()
}

/// Returns how a column is read, as text.
fn expression(name: &str, ty: &str) -> String {
    let name = format!("\"{}\"", name.replace('"', "\"\""));
    match ty {
        "boolean" => format!("{name}::int::text"),
        "bytea" => format!("encode({name}, 'base64')"),
        "timestamp with time zone" => {
            format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        }
        // The text of JSON is not escaped as other texts are.
        "json" => format!("'json' || encode(convert_to({name}::text, 'UTF8'), 'hex')"),
        _ => format!("{name}::text"),
    }
}

fn json(hex: &str) -> String {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    String::from_utf8(digits.map(byte).collect()).unwrap()
}

impl Place for Schema {
    fn is_available() -> bool {
        is_there()
    }

    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(Postgres::new(url(dir, proxy::port(dir))))
    }

    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let mut db = reader(dir);
        let types = "SELECT column_name::text, data_type::text FROM information_schema.columns
                     WHERE table_schema = $1 AND table_name = $2";
        let types = db
            .query(types, &[(&schema(dir)).into(), table.into()])
            .unwrap();
        let expression = |name: &&str| {
            let found = types.iter().find(|row| row[0].text() == **name);
            found.map_or("NULL".to_owned(), |row| expression(name, &row[1].text()))
        };
        let columns: Vec<String> = columns.iter().map(expression).collect();
        if types.is_empty() {
            // A missing table has no rows.
            return Vec::new();
        }
        let table = table.replace('"', "\"\"");
        let sql = format!("SELECT {} FROM \"{table}\"", columns.join(", "));
        let rows = db.query(&sql, &[]).unwrap();
        let text = |value: Value| {
            let text = value.optional()?;
            Some(text.strip_prefix("json").map_or(text.clone(), json))
        };
        rows.into_iter()
            .map(|row| row.into_iter().map(text).collect())
            .collect()
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        let mut db = reader(dir);
        db.create_schema().unwrap();
        db.script(&format!(
            "CREATE VIEW {} AS SELECT 1",
            db.dialect().quoted(table)
        ))
        .unwrap();
        true
    }

    fn lose_next_answer(dir: &Path) {
        proxy::lose_next_answer(dir);
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        let mut killed = Postgres::new(url(dir, proxy::port(dir)));
        killed
            .open(&LoadInfo::new("7", "shop", Layout::Etl))
            .unwrap();
        killed.write(chunk.clone()).unwrap();
        let met = drifted("killed", crate::schema::Done::Columns);
        killed.drift("orders", &[(met, 1)]).unwrap();
        // This is the whole commit except its end.
        proxy::lose_next_commit(dir);
        let commit = Commit::new(1, &[], &LoadStatus::Complete);
        killed.commit(&commit).unwrap_err();
        assert_eq!(killed.committed().unwrap(), 0);
    }
}

conformance!(Schema);

#[test]
fn columns_have_the_types_of_the_documentation() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rows = chunk(Disposition::Merge, &[("a", 1, &[2])]);
    let rows = std::slice::from_ref(&rows);
    run::<Schema>(dir.path(), "1.5", &[rows, rows]);
    let loads = ["load_id", "status", "rows", "commit_number"];
    let loads = Schema::rows(dir.path(), "_etl_loads", &loads);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(loads, [["1.5", "running", "2", "2"].map(text)]);
    let types = "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)
                 FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'orders__lines'";
    let types = reader(dir.path())
        .query(types, &[(&schema(dir.path())).into()])
        .unwrap();
    assert_eq!(
        types[0][0].text(),
        "_etl_id text, _etl_root_id text, v bigint"
    );
}

#[test]
fn names_of_63_bytes_are_whole() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = ["a", "b"].map(|end| format!("{}{end}", "o".repeat(62)));
    for name in [&one, &other] {
        let mut tables = tables(&[("a", 1, &[])], None);
        tables.truncate(1);
        tables[0].schema = std::sync::Arc::new(crate::schema::TableSchema {
            name: name.clone(),
            resource: name.clone(),
            ..(*tables[0].schema).clone()
        });
        let mut staged = pass_of(tables.clone(), true, true);
        staged.resource = name.as_str().into();
        let mut merged = chunk_of(Disposition::Merge, tables);
        merged.resource = name.as_str().into();
        run::<Schema>(dir.path(), "1", &[&[merged], &[staged]]);
        assert_eq!(Schema::rows(dir.path(), name, &["n"]).len(), 1);
    }
    assert_eq!(
        opened::<Schema>(dir.path(), "9")
            .row_counts()
            .unwrap()
            .len(),
        2
    );
}

/// Checks that what `COPY` wrote comes back into Arrow, and that columns may have any name.
#[test]
fn rows_are_read_as_they_were_written() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rows = crate::load::conformance::types::rows(&["xmin", "ctid", "_etl_row"]);
    let schema = rows.schema.clone();
    let written = rows.rows.clone();
    run::<Schema>(
        dir.path(),
        "1",
        &[&[chunk_of(Disposition::Append, vec![rows])]],
    );
    let mut open = opened::<Schema>(dir.path(), "2");
    let names: Vec<&str> = schema.columns.iter().map(|column| &*column.name).collect();
    let mut found = Vec::new();
    let mut each = |rows: &RecordBatch| {
        found.push(rows.clone());
        Ok(())
    };
    open.scan(&schema, &names, &mut each).unwrap();
    assert_eq!(found, [written]);
    // Rows that somebody has changed to another type are not read.
    reader(dir.path())
        .script("ALTER TABLE orders ALTER COLUMN bigint TYPE integer USING 1")
        .unwrap();
    let error = open
        .scan(&schema, &["bigint"], &mut |_| Ok(()))
        .unwrap_err();
    assert!(
        error
            .message()
            .contains("`bigint` has values of another type"),
        "{error}"
    );
}

#[test]
fn loads_are_rolled_back_with_their_state() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let state = |value: &str| StateChange::Put(StateRow::new("orders", "", value));
    for (id, records) in [
        ("1.5", &[("a", 1, &[1][..]), ("b", 2, &[])][..]),
        ("2.5", &[("b", 3, &[3]), ("c", 4, &[4])]),
    ] {
        let mut open = opened::<Schema>(dir.path(), id);
        open.write(brought_by(id, records)).unwrap();
        open.commit(&Commit::new(1, &[state(id)], &LoadStatus::Complete))
            .unwrap();
    }
    let mut open = Schema::at(dir.path());
    open.open(&LoadInfo::new("3.5", "shop", None)).unwrap();
    let loads = open.loads().unwrap();
    let ids: Vec<_> = loads
        .iter()
        .map(|load| (&*load.id, load.rows, load.undoable))
        .collect();
    assert_eq!(ids, [("1.5", 2, true), ("2.5", 2, true)]);
    let done = open.rollback(&["2.5".to_owned()]).unwrap();
    // The load had replaced `b`.
    assert_eq!(done, [RolledBack::new("orders", Some(2), 1)]);
    assert_eq!(open.loads().unwrap()[1].status, LoadStatus::RolledBack);
    drop(open);
    assert_eq!(orders::<Schema>(dir.path()), ["a=1"]);
    assert_eq!(lines::<Schema>(dir.path()), ["a=1"]);
    let memory = Schema::at(dir.path()).open(&load("4.5")).unwrap();
    assert_eq!(memory.state, [StateRow::new("orders", "", "1.5")]);
    let looked = Schema::at(dir.path()).look(&load("4.5")).unwrap();
    assert_eq!(looked.state, memory.state);
}

/// A full refresh of a large table would otherwise read the whole table for each batch.
#[test]
fn a_batch_finds_its_rows_by_index() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rows = chunk(Disposition::Merge, &[("a", 1, &[2])]);
    let rows = std::slice::from_ref(&rows);
    run::<Schema>(dir.path(), "1", &[rows, rows]);
    let mut db = reader(dir.path());
    db.script(
        "INSERT INTO orders SELECT md5(n::text), n FROM generate_series(1, 50000) AS n;
         INSERT INTO orders__lines SELECT md5('l' || n), md5(n::text), n FROM generate_series(1, 50000) AS n;
         CREATE TEMPORARY TABLE arrival AS SELECT * FROM orders LIMIT 5000",
    )
    .unwrap();
    for (table, key) in [("orders", "_etl_id"), ("orders__lines", "_etl_root_id")] {
        let sql = format!(
            "EXPLAIN DELETE FROM {table} AS t USING arrival AS o WHERE t.{key} = o._etl_id"
        );
        let plan = db.query(&sql, &[]).unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row[0].text()).collect();
        let plan = plan.join("\n");
        assert!(
            plan.contains(&format!("Index Scan using _etl_index__{table}")),
            "{plan}"
        );
    }
}
