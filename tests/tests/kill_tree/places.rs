//! The destinations that the runs are killed into, and readers of them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use etlgen_runtime::load::{self, LoadInfo};
use etlgen_runtime::schema::Column;
use etlgen_testkit::duckdb::Library;
use etlgen_testkit::{Kind, moto, postgres, skip};
use etlgen_tests::tables::{self, Tables};

/// A kind of destination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    Sqlite,
    Parquet,
    Postgres,
    DuckDb,
    Bucket,
}

impl Place {
    /// Returns whether this machine can have it.
    pub fn is_there(self) -> bool {
        let there = match self {
            Place::Sqlite | Place::Parquet => Ok(()),
            Place::Postgres => postgres::server().map(drop),
            Place::DuckDb => Library::Npm.path().map(drop),
            Place::Bucket => moto::server().map(drop),
        };
        if let Err(why) = &there {
            skip(Kind::Service, why);
        }
        there.is_ok()
    }

    /// Returns the URL of a new destination; that of a file is within the folder of the run.
    pub fn url(self) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("kills_{}_{number}", std::process::id());
        match self {
            Place::Sqlite => "sqlite:tree.db".to_owned(),
            Place::Parquet => "parquet:lake".to_owned(),
            Place::Postgres => {
                let server = postgres::server().unwrap();
                let (user, password, port) = (postgres::USER, &server.password, server.port);
                format!(
                    "postgres://{user}:{password}@127.0.0.1:{port}/postgres?schema={name}&sslmode=disable"
                )
            }
            Place::DuckDb => {
                let library = Library::Npm.path().unwrap();
                format!("duckdb:tree.duckdb?driver={}", library.display())
            }
            Place::Bucket => {
                let (bucket, port) = (moto::BUCKET, moto::server().unwrap().port);
                format!("s3://{bucket}/{name}?endpoint=http://127.0.0.1:{port}&region=us-east-1")
            }
        }
    }

    /// Sets the credentials that the destination needs.
    pub fn admit(self, command: &mut Command) {
        if self == Place::Bucket {
            command
                .env("AWS_ACCESS_KEY_ID", "id")
                .env("AWS_SECRET_ACCESS_KEY", "s3cret");
        }
    }

    /// Lets the lock of a run that was killed lapse, which takes 20 seconds otherwise.
    pub fn after_kill(self, url: &str) {
        if self == Place::Bucket {
            let lock = format!("{}_etl/lock", prefix(url));
            if ask("GET", &format!("/{lock}"), "").0 == 200 {
                ask("PUT", &format!("/{lock}"), r#"{"run": null, "renewed": 0}"#);
            }
        }
    }

    /// Reads the tables of the source `tree`.
    pub fn read(self, folder: &Path, url: &str) -> Tables {
        match self {
            Place::Sqlite => tables::sqlite(&folder.join("tree.db")),
            Place::Parquet => tables::parquet(&folder.join("lake"), "tree"),
            Place::Postgres => scanned(url),
            Place::DuckDb => {
                let file = folder.join("tree.duckdb").display().to_string();
                scanned(&url.replacen("tree.duckdb", &file, 1))
            }
            Place::Bucket => {
                let copy = tempfile::tempdir().unwrap();
                download(&prefix(url), copy.path());
                tables::parquet(copy.path(), "tree")
            }
        }
    }
}

/// Reads the tables by the destination itself, which the tests of every destination hold to its contents.
fn scanned(url: &str) -> Tables {
    let mut into = load::destination(url).unwrap();
    let memory = into.open(&LoadInfo::new("1", "tree", None)).unwrap();
    let mut found = Tables::new();
    for table in memory.tables {
        let rows = found.entry(table.name.clone()).or_default();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        into.scan(&table, &names, &mut |batch| {
            (0..batch.num_rows()).for_each(|row| put(rows, &table.columns, batch, row));
            Ok(())
        })
        .unwrap();
    }
    found
}

fn put(rows: &mut BTreeMap<String, String>, columns: &[Column], batch: &RecordBatch, row: usize) {
    let (mut lines, mut id) = (Vec::new(), String::new());
    for (column, values) in columns.iter().zip(batch.columns()) {
        match &*column.name {
            "_etl_load_id" | "_etl_hash" => {}
            "_etl_id" => id = values.as_string::<i32>().value(row).to_owned(),
            name if values.is_null(row) => lines.push(format!("{name} = null")),
            name => lines.push(format!("{name} = {:?}", values.slice(row, 1))),
        }
    }
    lines.sort();
    let twice = rows.insert(id.clone(), lines.join("\n"));
    assert!(twice.is_none(), "{id} is there twice");
}

/// Returns the prefix of a URL of a bucket, with `/` at its end.
fn prefix(url: &str) -> String {
    let place = url.split('?').next().unwrap();
    let (_, prefix) = place.trim_start_matches("s3://").split_once('/').unwrap();
    format!("{prefix}/")
}

/// Copies the objects below a prefix into a folder.
fn download(prefix: &str, to: &Path) {
    let (_, list) = ask(
        "GET",
        &format!("?list-type=2&max-keys=1000&prefix={prefix}"),
        "",
    );
    let list = String::from_utf8(list).unwrap();
    assert!(list.contains("<IsTruncated>false"), "{list}");
    for part in list.split("<Key>").skip(1) {
        let key = part.split("</Key>").next().unwrap();
        let file = to.join(&key[prefix.len()..]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, ask("GET", &format!("/{key}"), "").1).unwrap();
    }
}

/// What the server takes for a signature; it checks none.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// Asks the server of the bucket; returns the status and the body of the answer.
fn ask(method: &str, target: &str, body: &str) -> (u16, Vec<u8>) {
    let port = moto::server().unwrap().port;
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "{method} /{}{target} HTTP/1.1\r\nHost: s3\r\n{SIGNED}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        moto::BUCKET,
        body.len()
    );
    server.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let mut ends = answer.windows(4);
    let end = ends.position(|part| part == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    (status, answer.split_off(end + 4))
}
