//! Tests of `sync` and `sync --plan`, from their arguments to what they write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use serde_json::json;

use crate::cli::commands::run;
use crate::cli::{args, sync};
use crate::error::Result;
use crate::http::Auth;
use crate::load::{Chunk, Commit, Destinations, LoadInfo, LoadStatus, Operation, destination};
use crate::record::Record;
use crate::schema::{Layout, TableBatch, TableSchema};
use crate::source::{RecordExt, Source};
use crate::state::{StateChange, StateRow};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

fn sync_with(folder: &Path, words: &[&str]) -> (Result<u8>, serde_json::Value) {
    let report = folder.join("report.json");
    let mut all = vec!["c", "sync", "--report", report.to_str().unwrap()];
    all.extend(words);
    let matches = args::command("c", "1", "c", Destinations::default()).try_get_matches_from(all);
    let source = Source::new("taped", "https://api.example")
        .resource(Item::list("items", "/items").primary_key([Item::ID]));
    let code = run(&matches.unwrap(), &source);
    let written = std::fs::read_to_string(&report).unwrap();
    (code, serde_json::from_str(&written).unwrap())
}

#[test]
fn the_report_is_written_whatever_happens() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    std::fs::create_dir(&tape).unwrap();
    let exchange = |status: u16| {
        json!({
            "request": {"method": "GET", "path": "/items"},
            "response": {"status": status, "body": [{"id": 1}, {"id": 2}]},
        })
    };
    let file = tape.join("1.json");
    let into = format!("sqlite:{}", folder.path().join("x.db").display());
    let words = [
        "--replay",
        tape.to_str().unwrap(),
        "--log-format",
        "json",
        "--destination",
    ];
    let words = |into| [&words[..], &[into]].concat();

    std::fs::write(&file, exchange(200).to_string()).unwrap();
    let (code, report) = sync_with(folder.path(), &words(&into));
    assert_eq!((code.unwrap(), &report["complete"]), (0, &json!(true)));
    assert_eq!(report["resources"][0]["records"], 2);

    std::fs::write(&file, exchange(403).to_string()).unwrap();
    let (code, report) = sync_with(folder.path(), &words(&into));
    assert_eq!(code.unwrap(), 3);
    assert_eq!(report["resources"][0]["error"]["kind"], "credentials");

    let (code, report) = sync_with(folder.path(), &words("nowhere:x"));
    assert!(code.is_err());
    assert_eq!(
        (&report["complete"], &report["error"]["kind"]),
        (&json!(false), &json!("usage"))
    );
}

/// Runs `sync` for four resources, whose API answers all requests alike; returns the exit code, the
/// report, and the number of requests.
fn sync_four(status: u16, body: &'static str) -> (u8, serde_json::Value, usize) {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let server = etlgen_testkit::http::Server::start(0, move |_| {
        count.fetch_add(1, Relaxed);
        etlgen_testkit::http::Response::bytes(status, body.as_bytes().to_vec())
    });
    let server = server.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let into = format!("sqlite:{}", folder.path().join("x.db").display());
    let words = ["c", "sync", "--destination", &into, "--report"];
    let words = words.into_iter().chain([report.to_str().unwrap()]);
    let command = args::command("c", "1", "c", Destinations::default());
    let matches = command.try_get_matches_from(words).unwrap();
    let mut source = Source::new("four", &server.url()).auth(Auth::bearer("a-wrong-key"));
    for (name, path) in [("a", "/a"), ("b", "/b"), ("c", "/c"), ("d", "/d")] {
        source = source.resource(Item::list(name, path).primary_key([Item::ID]));
    }
    let code = run(&matches, &source).unwrap();
    let report = std::fs::read_to_string(&report).unwrap();
    let report = serde_json::from_str(&report).unwrap();
    (code, report, sent.load(Relaxed))
}

#[test]
fn credentials_that_are_refused_end_the_run_with_3_and_are_said_once() {
    let (code, report, sent) = sync_four(401, r#"{"message": "who are you?"}"#);
    assert_eq!((code, &report["refused"]), (3, &json!(true)), "{report}");
    assert!(sent <= 4, "{sent}");
    let resources = report["resources"].as_array().unwrap();
    let errors: Vec<_> = resources.iter().map(|r| &r["error"]).collect();
    let said: Vec<_> = errors.iter().filter(|error| !error.is_null()).collect();
    assert_eq!(said.len(), 1, "{report}");
    assert_eq!(said[0]["kind"], "credentials");
    let message = said[0]["message"].as_str().unwrap();
    assert!(
        message.contains("401 Unauthorized: who are you?"),
        "{message}"
    );
    assert!(!report.to_string().contains("a-wrong-key"), "{report}");
    // Credentials that may read none of the lists.
    let (code, report, _) = sync_four(403, r#"{"message": "not yours"}"#);
    assert_eq!((code, &report["refused"]), (3, &json!(false)), "{report}");
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none").join("r.json");
    for (file, said) in [
        (missing.as_path(), "there is no folder"),
        (folder.path(), "is a folder"),
    ] {
        let command = args::command("c", "1", "c", Destinations::default());
        let into = format!("sqlite:{}", folder.path().join("x.db").display());
        let words = [
            "c",
            "sync",
            "--destination",
            &into,
            "--report",
            file.to_str().unwrap(),
        ];
        let source = Source::new("taped", "http://127.0.0.1:9")
            .resource(Item::list("items", "/items").primary_key([Item::ID]));
        let error = run(&command.get_matches_from(words), &source).unwrap_err();
        assert!(error.message().contains(said), "{error}");
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
    }
    assert!(!folder.path().join("x.db").exists());
}

/// Returns the files of a folder with their contents.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push((path.clone(), std::fs::read(&path).unwrap())),
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_plan_reads_a_destination_and_leaves_no_trace() {
    for kind in ["sqlite", "parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let into = format!("{kind}:{}", folder.path().join("a b?#%.db").display());
        let source = Source::new("taped", "https://api.example")
            .resource(Item::list("items", "/items").primary_key([Item::ID]));
        let planned = || {
            let words = ["c", "sync", "--plan", "--destination", &into];
            let command = args::command("c", "1", "c", Destinations::default());
            let matches = command.try_get_matches_from(words).unwrap();
            let Some(("sync", matches)) = matches.subcommand() else {
                panic!("it is `sync`")
            };
            sync::planned(matches, &source).unwrap()
        };
        let plan = planned();
        assert_eq!(plan.destination.as_ref(), Some(&into));
        assert!(
            plan.to_string()
                .contains("  from     https://api.example\n")
        );
        assert_eq!(plan.resources[0].write.coming[0].name, "items");
        assert_eq!(files(folder.path()), [], "{kind}");

        let mut open = destination(&into).unwrap();
        let load = LoadInfo::new("1.000000", "taped", Layout::Etl);
        open.open(&load).unwrap();
        let tables = batches(&plan.resources[0].write.coming);
        let chunk = Chunk::new("items", [Operation::Merge(tables)]);
        open.write(chunk).unwrap();
        let done = StateRow::new("items", "", r#"{"done":"1.000000"}"#);
        open.commit(&Commit::new(
            1,
            &[StateChange::Put(done)],
            &LoadStatus::Complete,
        ))
        .unwrap();
        // Another run holds the lock, and the database's write-ahead log is not merged yet.
        assert_eq!(planned().resources[0].write.coming, [], "{kind}");
        drop(open);
        let before = files(folder.path());
        let plan = planned();
        assert_eq!(plan.resources[0].write.coming, [], "{kind}");
        assert_eq!(files(folder.path()), before, "{kind}");
        let crate::run::Slices::One(slice) = &plan.resources[0].slices else {
            panic!("{plan}")
        };
        assert_eq!(slice.state.done.as_deref(), Some("1.000000"));
    }
}

/// Returns tables without rows.
fn batches(tables: &[TableSchema]) -> Vec<TableBatch> {
    let batch = |schema: &TableSchema| {
        let fields: Vec<_> = schema.columns.iter().map(|c| c.arrow_field()).collect();
        TableBatch {
            schema: Arc::new(schema.clone()),
            rows: RecordBatch::new_empty(Arc::new(arrow_schema::Schema::new(fields))),
        }
    };
    tables.iter().map(batch).collect()
}
