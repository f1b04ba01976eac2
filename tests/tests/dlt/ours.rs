//! The etlgen side: JSON from an API on loopback is loaded into a SQLite file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use etlgen_runtime::Result;
use etlgen_runtime::load::sqlite::Sqlite;
use etlgen_runtime::load::{Capabilities, Chunk, Commit, Destination, LoadInfo, Memory};
use etlgen_runtime::prelude::*;
use etlgen_runtime::record::FieldPath;
use etlgen_runtime::run::{RunOptions, sync};
use etlgen_runtime::schema::Drifted;
use etlgen_runtime::schema::Layout;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::compare::{Dataset, Table};

/// The longest name for both: dlt uses table names as file names.
pub const LONGEST: usize = 120;

/// A SQLite file with shorter names.
struct Narrow(Sqlite);

impl Destination for Narrow {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn exists(&self) -> bool {
        self.0.exists()
    }

    fn capabilities(&self) -> Capabilities {
        let can = self.0.capabilities();
        Capabilities::new(LONGEST).checkpoints(can.checkpoints.rows, can.checkpoints.interval)
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.0.open(load)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.0.write(chunk)
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        self.0.drift(resource, counts)
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        self.0.commit(commit)
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.0.row_counts()
    }
}

/// Responds to `/<number>` with the body of that number.
fn serve(bodies: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(bodies);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let bodies = bodies.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                let (mut first, mut line) = (String::new(), String::new());
                let _ = reader.read_line(&mut first);
                while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                    line.clear();
                }
                let path = first.split([' ', '?']).nth(1).unwrap_or_default();
                let body = path
                    .trim_start_matches('/')
                    .parse()
                    .ok()
                    .and_then(|at: usize| bodies.get(at));
                let body = body.map_or("[]", String::as_str);
                let head =
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
                let _ = write!(
                    &stream,
                    "{head}content-length: {}\r\n\r\n{body}",
                    body.len()
                );
            });
        }
    });
    base
}

/// Loads the bodies, one resource each.
pub fn load(file: &Path, bodies: Vec<(String, String)>) -> Dataset {
    let (names, bodies): (Vec<String>, Vec<String>) = bodies.into_iter().unzip();
    let mut source = Source::new("shop", &serve(bodies));
    for (number, name) in names.iter().enumerate() {
        let key = FieldPath::new(vec!["case_no".to_owned()]);
        let resource = Json::list(name, &format!("/{number}"));
        source = source.resource(resource.primary_key([key]).paginate(Paginator::single()));
    }
    let options = RunOptions::default().layout(Layout::Dlt);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let into = Box::new(Narrow(Sqlite::new(file)));
    let report = runtime
        .block_on(sync(&source, into, &options, Arc::new(())))
        .unwrap();
    assert!(report.is_complete(), "{report:#?}");
    read(file)
}

fn read(file: &Path) -> Dataset {
    let db = Connection::open(file).unwrap();
    let mut set = Dataset::default();
    let mut columns = db
        .prepare("SELECT table_name, column_name, type FROM _etl_columns")
        .unwrap();
    let mut found = columns.query([]).unwrap();
    while let Some(row) = found.next().unwrap() {
        let table: String = row.get(0).unwrap();
        if !table.starts_with("_dlt") {
            let table = set.tables.entry(table).or_default();
            table
                .columns
                .insert(row.get(1).unwrap(), row.get(2).unwrap());
        }
    }
    for (name, table) in &mut set.tables {
        read_rows(&db, name, table);
    }
    let mut schemas = db.prepare("SELECT schema FROM _dlt_version").unwrap();
    let schemas = schemas.query_map([], |row| row.get(0)).unwrap();
    set.schemas = schemas.map(|schema| schema.unwrap()).collect();
    set
}

fn read_rows(db: &Connection, name: &str, table: &mut Table) {
    let mut select = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let mut cells = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            let text = match row.get_ref(at).unwrap() {
                ValueRef::Null => continue,
                ValueRef::Integer(value) if table.columns[name] == "bool" => {
                    (value == 1).to_string()
                }
                ValueRef::Integer(value) => value.to_string(),
                ValueRef::Real(value) => format!("{value:?}"),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => format!("{bytes:?}"),
            };
            cells.insert(name.clone(), text);
        }
        table.add(cells.into_iter());
    }
}
