//! Every command for tables and state, in every destination: it works, or its reason says why not.

use std::path::Path;

use serde_json::json;

use crate::cli::target::open_whole;
use crate::cli::{args, commands};
use crate::error::{Error, Result};
use crate::load::{Capabilities, Destinations};
use crate::record::Record;
use crate::schema::{ColumnType, Layout};
use crate::source::{RecordExt, Source};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    size: Option<i64>,
    lines: Option<Vec<i64>>,
}

/// The same after the owner has changed its declaration.
#[derive(Record)]
struct Later {
    id: Option<i64>,
    size: Option<f64>,
    lines: Option<Vec<i64>>,
}

/// A destination, and the folder of its test.
struct Place<'a> {
    known: Destinations,
    url: &'a str,
    folder: &'a Path,
}

impl Place<'_> {
    fn at(&self, words: &[&str]) -> clap::ArgMatches {
        let words = [&["c"], words, &["--destination", self.url]].concat();
        let command = args::command("c", "1", "c", self.known.clone());
        command.get_matches_from(words)
    }

    fn run(&self, words: &[&str], source: &Source) -> Result<u8> {
        commands::run(&self.at(words), source)
    }

    fn succeed(&self, words: &[&str], source: &Source) {
        match self.run(words, source) {
            Ok(code) => assert_eq!(code, 0, "{words:?} {}", self.url),
            Err(error) => panic!("{words:?} {}: {}", self.url, error.report()),
        }
    }

    fn refused(&self, words: &[&str], source: &Source) -> Error {
        match self.run(words, source) {
            Ok(code) => panic!("{words:?} {}: {code}", self.url),
            Err(error) => error,
        }
    }

    /// Runs `sync` with a response of these records.
    fn sync(&self, records: &serde_json::Value, source: &Source, more: &[&str]) {
        let tape = self.folder.join("tape");
        std::fs::create_dir_all(&tape).unwrap();
        let exchange = json!({
            "request": {"method": "GET", "path": "/items"},
            "response": {"status": 200, "body": records},
        });
        std::fs::write(tape.join("1.json"), exchange.to_string()).unwrap();
        let sync = ["sync", "--replay", tape.to_str().unwrap()];
        self.succeed(&[&sync, more].concat(), source);
    }

    fn opened<T>(&self, read: impl FnOnce(&mut dyn crate::load::Destination) -> T) -> T {
        let matches = self.at(&["tables"]);
        let (_, matches) = matches.subcommand().unwrap();
        let (mut into, _) = open_whole(matches, &source("items")).unwrap();
        read(&mut *into)
    }

    fn counts(&self) -> Vec<(String, u64)> {
        self.opened(|into| into.row_counts().unwrap())
    }

    /// Returns the tables of the source.
    fn tables(&self) -> Vec<crate::schema::TableSchema> {
        let matches = self.at(&["tables"]);
        let (_, matches) = matches.subcommand().unwrap();
        open_whole(matches, &source("items")).unwrap().1.tables
    }
}

fn source(resource: &str) -> Source {
    let items = Item::list(resource, &format!("/{resource}"));
    Source::new("taped", "https://api.example").resource(items.primary_key([Item::ID]))
}

fn later() -> Source {
    let items = Later::list("items", "/items").primary_key([Later::ID]);
    Source::new("taped", "https://api.example").resource(items)
}

fn every_command(known: &Destinations, url: &str, other: &str) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        known: known.clone(),
        url,
        folder: folder.path(),
    };
    let items = source("items");
    let two = json!([{"id": 1, "size": 5, "lines": [1, 2]}, {"id": 2, "size": 6}]);
    place.sync(&two, &items, &[]);
    place.sync(&two, &items, &["--plan"]);
    let all = [("items".to_owned(), 2), ("items__lines".to_owned(), 2)];
    assert_eq!(place.counts(), all, "{url}");
    place.succeed(&["tables"], &items);
    place.succeed(&["state", "show"], &items);
    let file = folder.path().join("state.json");
    let file = file.to_str().unwrap();
    place.succeed(&["state", "export", file], &items);
    place.succeed(&["state", "reset"], &items);
    place.succeed(&["state", "import", file], &items);
    // A changed declaration changes the table.
    let three = json!([{"id": 1, "size": 5, "lines": [1, 2]}, {"id": 2, "size": 6}, {"id": 3, "size": 0.5}]);
    place.sync(&three, &later(), &[]);
    let tables = place.tables();
    let root = tables.iter().find(|table| table.name == "items").unwrap();
    let size = root.columns.iter().find(|column| column.name == "size");
    assert_eq!(size.unwrap().ty, ColumnType::Float64, "{url}");
    assert_eq!(place.counts()[0].1, 3, "{url}");
    let loads = place.opened(|into| into.loads().unwrap());
    let last = loads.last().unwrap();
    assert!(last.undoable, "{url}: {loads:?}");
    place.succeed(&["rollback", &last.id], &later());
    place.succeed(&["tables", "vacuum", "--wait", "0s"], &later());
    place.sync(&three, &later(), &[]);
    assert_eq!(place.counts()[0].1, 3, "{url}");
    place.succeed(&["tables", "rename", "items", "things"], &source("things"));
    let names: Vec<String> = place.counts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["things", "things__lines"], "{url}");
    place.succeed(&["tables", "drop", "things"], &items);
    assert_eq!(place.counts(), [], "{url}");
    // The layout of dlt.
    let place = Place {
        url: other,
        ..place
    };
    place.sync(&two, &items, &["--layout", "dlt"]);
    assert_eq!(Layout::of(&place.tables()), Some(Layout::Dlt), "{other}");
    place.succeed(&["tables", "vacuum", "--wait", "0s"], &items);
    place.sync(&two, &items, &["--layout", "dlt"]);
    let counts = place.counts();
    let rows = counts.iter().find(|(name, _)| name == "items");
    assert_eq!(rows.unwrap().1, 2, "{counts:?}");
    let error = place.refused(&["rollback", "1"], &items);
    assert!(error.message().contains("layout `dlt`"), "{error}");
}

/// What a place can do that stores tables.
fn can_all(known: &Destinations, url: &str) {
    let can = known.open(url).unwrap().capabilities();
    let all = Capabilities::new(can.identifier_length)
        .columns(can.columns)
        .checkpoints(can.checkpoints.rows, can.checkpoints.interval)
        .migrates(true)
        .rolls_back(true)
        .skips_unchanged(true)
        .queries(
            !["parquet:", "s3:", "az:"]
                .iter()
                .any(|files| url.starts_with(files)),
        )
        .vacuums(true);
    assert_eq!(can, all, "{url}");
}

fn in_file(scheme: &str, options: &str) {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("{scheme}:{}{options}", folder.path().join(name).display());
    let known = Destinations::default();
    can_all(&known, &url("one"));
    every_command(&known, &url("one"), &url("other"));
}

#[test]
fn every_command_works_in_sqlite() {
    in_file("sqlite", "");
}

#[test]
fn every_command_works_in_a_folder() {
    in_file("parquet", "");
}

#[cfg(feature = "duckdb")]
#[test]
fn every_command_works_in_duckdb() {
    match etlgen_testkit::duckdb::Library::Npm.path() {
        Ok(library) => in_file("duckdb", &format!("?driver={}", library.display())),
        Err(why) => etlgen_testkit::skip(etlgen_testkit::Kind::Service, &why),
    }
}

#[cfg(feature = "duckdb")]
#[test]
fn every_command_works_in_ducklake() {
    let library = etlgen_testkit::duckdb::Library::Npm.path();
    let extensions = etlgen_testkit::duckdb::extensions();
    match (library, extensions) {
        (Ok(library), Ok(extensions)) => in_file(
            "ducklake",
            &format!(
                "?driver={}&extensions={}",
                library.display(),
                extensions.display()
            ),
        ),
        (Err(why), _) | (_, Err(why)) => {
            etlgen_testkit::skip(etlgen_testkit::Kind::Service, &why);
        }
    }
}

#[cfg(feature = "postgres")]
#[test]
fn every_command_works_in_postgres() {
    use etlgen_testkit::postgres as kit;
    let server = match kit::server() {
        Ok(server) => server,
        Err(why) => return etlgen_testkit::skip(etlgen_testkit::Kind::Service, &why),
    };
    let (user, password, port) = (kit::USER, &server.password, server.port);
    let process = std::process::id();
    let url = |name: &str| {
        format!(
            "postgres://{user}:{password}@127.0.0.1:{port}/postgres?schema=places_{process}_{name}&sslmode=disable"
        )
    };
    let known = Destinations::default();
    can_all(&known, &url("one"));
    every_command(&known, &url("one"), &url("other"));
}

#[cfg(feature = "buckets")]
#[test]
fn every_command_works_in_a_bucket() {
    use etlgen_testkit::moto as kit;

    use crate::load::buckets::tests::place::of_url;
    let port = match kit::server() {
        Ok(server) => server.port,
        Err(why) => return etlgen_testkit::skip(etlgen_testkit::Kind::Service, &why),
    };
    let (bucket, process) = (kit::BUCKET, std::process::id());
    let options = format!("?endpoint=http://127.0.0.1:{port}&region=us-east-1");
    let keys = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
    ];
    let known = Destinations::default().with("s3", "//BUCKET/PREFIX", move |rest| {
        of_url(&format!("s3:{rest}"), &keys)
    });
    let url = |name: &str| format!("s3://{bucket}/places-{process}-{name}{options}");
    can_all(&known, &url("one"));
    every_command(&known, &url("one"), &url("other"));
}

#[test]
fn a_place_that_keeps_no_rows_says_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let known = Destinations::default().append_only("print", |_| Ok(()));
    let url = format!("print:{}", folder.path().join("state.json").display());
    let can = known.open(&url).unwrap().capabilities();
    let flags = [
        can.migrates,
        can.rolls_back,
        can.skips_unchanged,
        can.vacuums,
    ];
    assert_eq!(flags, [false; 4]);
    assert!(!can.replaces && !can.deletes);
    let place = Place {
        known,
        url: &url,
        folder: folder.path(),
    };
    let items = source("items").resource(Item::list("appended", "/appended"));
    let tape = folder.path().join("tape");
    std::fs::create_dir_all(&tape).unwrap();
    let exchange = json!({
        "request": {"method": "GET", "path": "/items"},
        "response": {"status": 200, "body": [{"id": 1}]},
    });
    std::fs::write(tape.join("1.json"), exchange.to_string()).unwrap();
    let sync = ["sync", "--replay", tape.to_str().unwrap()];
    place.succeed(&[&sync[..], &["--resources", "items"]].concat(), &items);
    place.succeed(&["tables"], &items);
    place.succeed(&["state", "show"], &items);
    for (words, wanted) in [
        (&["tables", "vacuum"][..], "cannot be vacuumed"),
        (&["tables", "drop", "items"], "cannot migrate tables"),
    ] {
        let error = place.refused(words, &items);
        assert!(error.message().contains(wanted), "{error}");
    }
}

/// MotherDuck does it by itself.
#[cfg(feature = "duckdb")]
#[test]
fn motherduck_is_not_vacuumed() {
    let known = Destinations::default();
    let can = |url: &str| known.open(url).unwrap().capabilities().vacuums;
    assert!(can("duckdb:x.db") && can("ducklake:x") && !can("duckdb:md:shop"));
}
