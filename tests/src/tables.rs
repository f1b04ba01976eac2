//! The content of a destination, in a form that is equal for two loads of the same data.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// The rows of every table, by `_etl_id` (`_dlt_id` in dlt's layout); each row as lines of `column = value`, without
/// its load.
pub type Tables = BTreeMap<String, BTreeMap<String, String>>;

/// Reads the tables of a SQLite file, without system tables.
pub fn sqlite(file: &Path) -> Tables {
    let db = open(file);
    let names = texts(
        &db,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_etl%' ESCAPE '\\'
         AND name NOT LIKE '\\_dlt%' ESCAPE '\\'",
    );
    names
        .into_iter()
        .map(|name| {
            let rows = rows(&db, &name);
            (name, rows)
        })
        .collect()
}

/// Counts the rows of each table of a SQLite file.
pub fn counts(file: &Path) -> BTreeMap<String, usize> {
    let count = |(name, rows): (String, BTreeMap<_, _>)| (name, rows.len());
    sqlite(file).into_iter().map(count).collect()
}

/// Reads an integer column of a table in a SQLite file.
pub fn sqlite_numbers(file: &Path, table: &str, column: &str) -> Vec<i64> {
    let db = open(file);
    let select = format!("SELECT {} FROM {}", quote(column), quote(table));
    let mut statement = db.prepare(&select).unwrap();
    let numbers = statement.query_map([], |row| row.get(0)).unwrap();
    numbers.map(Result::unwrap).collect()
}

fn open(file: &Path) -> Connection {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database opens")
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn texts(db: &Connection, select: &str) -> Vec<String> {
    let mut statement = db.prepare(select).unwrap();
    let texts = statement.query_map([], |row| row.get(0)).unwrap();
    texts.map(Result::unwrap).collect()
}

fn rows(db: &Connection, table: &str) -> BTreeMap<String, String> {
    let select = format!("SELECT * FROM {}", quote(table));
    let mut statement = db.prepare(&select).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).unwrap();
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next().unwrap() {
        let mut lines: Vec<String> = Vec::new();
        let mut id = String::new();
        for (at, column) in columns.iter().enumerate() {
            let value = text(row.get_ref(at).unwrap());
            match column.as_str() {
                "_etl_load_id" | "_dlt_load_id" | "_etl_hash" => {}
                "_etl_id" | "_dlt_id" => id = value,
                _ => lines.push(format!("{column} = {value}")),
            }
        }
        lines.sort();
        let twice = found.insert(id.clone(), lines.join("\n"));
        assert!(twice.is_none(), "{table} holds {id} twice");
    }
    found
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// Reads the tables of a folder of Parquet files, as its manifest names them.
pub fn parquet(folder: &Path, source: &str) -> Tables {
    let mut found = Tables::new();
    for (name, path) in parquet_files(folder, source) {
        let rows = found.entry(name).or_default();
        if let Some(path) = path {
            read_parquet(&path, rows);
        }
    }
    found
}

/// Reads an integer column of a table in a folder of Parquet files.
pub fn parquet_numbers(folder: &Path, source: &str, table: &str, column: &str) -> Vec<i64> {
    let mut numbers = Vec::new();
    for (name, path) in parquet_files(folder, source) {
        let Some(path) = path.filter(|_| name == table) else {
            continue;
        };
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let mut columns = row.get_column_iter();
            let (_, value) = columns.find(|(name, _)| *name == column).unwrap();
            numbers.push(value.to_string().parse().unwrap());
        }
    }
    numbers
}

/// Returns the files of each table that the manifest names; a table without rows has none.
fn parquet_files(folder: &Path, source: &str) -> Vec<(String, Option<PathBuf>)> {
    let text = std::fs::read_to_string(folder.join("_etl/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let tables = manifest["sources"][source]["tables"].as_array();
    let mut found = Vec::new();
    for table in tables.expect("the manifest knows the source") {
        let name = table["name"].as_str().unwrap();
        found.push((name.to_owned(), None));
        for file in table["files"].as_array().unwrap() {
            let path = folder.join(name).join(file["name"].as_str().unwrap());
            found.push((name.to_owned(), Some(path)));
        }
    }
    found
}

fn read_parquet(path: &Path, rows: &mut BTreeMap<String, String>) {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = SerializedFileReader::new(file).unwrap();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let mut lines: Vec<String> = Vec::new();
        let mut id = String::new();
        for (column, value) in row.get_column_iter() {
            let value = value.to_string();
            match column.as_str() {
                "_etl_load_id" | "_etl_hash" => {}
                "_etl_id" => id = value,
                // A file that is older than the column has no nulls for it.
                _ if value == "null" => {}
                _ => lines.push(format!("{column} = {value}")),
            }
        }
        lines.sort();
        let twice = rows.insert(id.clone(), lines.join("\n"));
        assert!(twice.is_none(), "{} brings {id} again", path.display());
    }
}

/// Fails at the first row that differs between two loads.
pub fn assert_same(left: &Tables, right: &Tables) {
    let names = |tables: &Tables| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "not the same tables");
    for (name, rows) in left {
        let others = &right[name];
        for (id, row) in rows {
            let other = others.get(id);
            assert_eq!(Some(row), other, "row {id} of {name}");
        }
        let more = others.keys().find(|id| !rows.contains_key(*id));
        assert_eq!(None, more, "{name} has a row only on the right");
    }
}

/// Converts a time in RFC 3339 and UTC to seconds since 1970.
pub fn seconds(time: &str) -> Option<f64> {
    let part = |at: std::ops::Range<usize>| time.get(at)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let years = year - i64::from(month < 3);
    let months = (month + 9) % 12;
    let days = years * 365 + years / 4 - years / 100 + years / 400;
    let days = days + (months * 306 + 5) / 10 + day - 1 - 719_468;
    let seconds = days * 86_400 + part(11..13)? * 3600 + part(14..16)? * 60;
    let rest: f64 = time.get(17..)?.strip_suffix('Z')?.parse().ok()?;
    Some(seconds as f64 + rest)
}
