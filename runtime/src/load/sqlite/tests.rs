//! The file after loads. The tests for every destination are in `load/conformance.rs`.

use rusqlite::types::ValueRef;

use super::names::quoted;
use super::tables::existing_columns;
use super::*;
use crate::conformance;
use crate::load::LoadStatus;
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
        killed.write(chunk.clone()).unwrap();
        let met = drifted("killed", crate::schema::Done::Columns);
        killed.drift("orders", &[(met, 1)]).unwrap();
        // This is the whole commit except its end.
        let open = killed.opened().unwrap();
        meta::put_load(&open.db, &open.load, &LoadStatus::Complete, 1).unwrap();
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
    destination.write(rows.clone()).unwrap();
    destination
        .commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap();
    destination
        .commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap();
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

/// Writes a chunk of two orders and commits it.
fn load_into(destination: &mut Sqlite) -> crate::error::Result<()> {
    let rows = chunk(
        crate::schema::Disposition::Merge,
        &[("a", 1, &[2]), ("b", 2, &[])],
    );
    destination.write(rows)?;
    destination.commit(&Commit::new(1, &[], &LoadStatus::Running))
}

#[cfg(unix)]
#[test]
fn two_runs_into_one_file_are_one_too_many_whatever_they_call_it() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("data.db");
    let other = dir.path().join("other");
    std::os::unix::fs::symlink(dir.path(), &other).unwrap();
    let [link, dangling] = ["link.db", "dangling.db"].map(|name| dir.path().join(name));
    std::os::unix::fs::symlink("data.db", &dangling).unwrap();
    // The first run creates the file.
    let mut first = Sqlite::new(&dangling);
    first.open(&load("1")).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let names = [
        link,
        dangling,
        other.join("data.db"),
        dir.path().join("./data.db"),
        real.clone(),
    ];
    for name in &names {
        let error = Sqlite::new(name).open(&load("2")).unwrap_err();
        assert!(
            error.message().contains("another run is loading"),
            "{error}"
        );
        assert!(
            error.message().contains(&name.display().to_string()),
            "{error}"
        );
    }
    let hard = dir.path().join("hard.db");
    std::fs::hard_link(&real, &hard).unwrap();
    let error = Sqlite::new(&hard).open(&load("2")).unwrap_err();
    assert!(error.message().contains("2 names (hard links)"), "{error}");
    std::fs::remove_file(hard).unwrap();
    load_into(&mut first).unwrap();
    drop(first);
    for name in &names {
        let mut next = Sqlite::new(name);
        next.open(&load("3")).unwrap();
        load_into(&mut next).unwrap();
    }
}

#[test]
fn a_folder_is_not_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let error = Sqlite::new(dir.path()).open(&load("1")).unwrap_err();
    assert!(error.message().ends_with("is not a file"), "{error}");
}

#[test]
fn a_run_that_was_overtaken_commits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.db");
    let mut slow = Sqlite::new(&path);
    slow.open(&load("1")).unwrap();
    // Without the lock file, nothing excludes another run.
    std::fs::remove_file(dir.path().join("data.db.lock")).unwrap();
    let mut fast = Sqlite::new(&path);
    fast.open(&load("2")).unwrap();
    load_into(&mut fast).unwrap();
    let error = slow
        .commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap_err();
    assert!(
        error.message().contains("another run has loaded"),
        "{error}"
    );
    drop(slow);
    load_into(&mut fast).unwrap();
    drop(fast);
    assert_eq!(
        SqliteFile::rows(dir.path(), "_etl_loads", &["load_id"]).len(),
        1
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_is_removed_or_replaced_gets_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.db");
    let aside = dir.path().join("aside.db");
    for replaces in [false, true] {
        let mut destination = Sqlite::new(&path);
        destination.open(&load("1")).unwrap();
        load_into(&mut destination).unwrap();
        std::fs::rename(&path, &aside).unwrap();
        if replaces {
            std::fs::copy(&aside, &path).unwrap();
        }
        let error = load_into(&mut destination).unwrap_err();
        let what = if replaces {
            "was replaced"
        } else {
            "was removed"
        };
        assert!(error.message().contains(what), "{error}");
        assert!(error.message().contains("data.db"), "{error}");
        drop(destination);
        let _ = std::fs::remove_file(&path);
    }
}
