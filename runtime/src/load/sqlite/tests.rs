//! The file after loads. The tests for every destination are in `load/conformance.rs`.

use rusqlite::types::ValueRef;

use super::names::quoted;
use super::tables::existing_columns;
use super::*;
use crate::conformance;
use crate::load::conformance::Place;
use crate::load::conformance::support::*;

/// The file, for tests of every destination.
struct SqliteFile;

fn reader(dir: &Path) -> Connection {
    Connection::open(dir.join("data.db")).unwrap()
}

impl Place for SqliteFile {
    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(Sqlite::new(dir.join("data.db")))
    }

    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let db = reader(dir);
        let there = existing_columns(&db, table).unwrap();
        let names: Vec<String> = columns
            .iter()
            .map(|name| match there.contains(*name) {
                true => quoted(name),
                false => "NULL".to_owned(),
            })
            .collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), quoted(table));
        // A missing table has no rows.
        let Ok(mut select) = db.prepare(&sql) else {
            return Vec::new();
        };
        let rows = select.query_map([], |row| {
            (0..columns.len())
                .map(|at| row.get_ref(at).map(text))
                .collect()
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        // SQLite ignores the case of names.
        let sql = format!("CREATE TABLE {} (x)", quoted(&table.to_uppercase()));
        reader(dir).execute_batch(&sql).is_ok()
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        let mut killed = Sqlite::new(dir.join("data.db"));
        killed.open(&load("7")).unwrap();
        killed.write(chunk).unwrap();
        let met = drifted("killed", crate::schema::Done::Columns);
        killed.drift("orders", &[(met, 1)]).unwrap();
        // The whole commit except its end.
        let open = killed.opened().unwrap();
        meta::put_load(&open.db, &open.load, LoadStatus::Complete, 1).unwrap();
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(format!("{value:?}")),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => Some(crate::text::base64(bytes)),
    }
}

conformance!(SqliteFile);

#[test]
fn a_load_has_one_row_and_tables_say_their_types() {
    let dir = tempfile::tempdir().unwrap();
    let mut destination = opened::<SqliteFile>(dir.path(), "1.5");
    let rows = chunk(crate::schema::Disposition::Merge, &[("a", 1, &[2])]);
    destination.write(&rows).unwrap();
    destination.commit(&[], LoadStatus::Running).unwrap();
    destination.commit(&[], LoadStatus::Complete).unwrap();
    let loads = SqliteFile::rows(dir.path(), "_etl_loads", &["load_id", "status", "rows"]);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(loads, [[text("1.5"), text("complete"), text("1")]]);
    let sql = "SELECT sql FROM sqlite_master WHERE name = 'orders__lines'";
    let sql: String = reader(dir.path())
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert!(
        sql.contains("\"_etl_root_id\" TEXT, \"v\" INTEGER"),
        "{sql}"
    );
}

#[test]
fn a_file_of_a_later_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut destination = SqliteFile::at(dir.path());
    destination.open(&load("1")).unwrap();
    drop(destination);
    // A database without a number has the first format.
    for (statement, is_read) in [
        ("DROP TABLE _etl_format", true),
        ("UPDATE _etl_format SET format = 2", false),
    ] {
        reader(dir.path()).execute_batch(statement).unwrap();
        let opened = SqliteFile::at(dir.path()).open(&load("2"));
        assert_eq!(opened.is_ok(), is_read, "{statement}");
        if let Err(error) = opened {
            let text = error.to_string();
            assert!(text.contains("data.db"), "{text}");
            assert!(text.contains("the database has the format 2"), "{text}");
        }
    }
}
