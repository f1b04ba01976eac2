//! Tests of `sync` and `sync --plan`, from their arguments to what they write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use serde_json::json;

use crate::cli::commands::run;
use crate::cli::{args, sync};
use crate::error::Result;
use crate::load::{Chunk, Destinations, LoadInfo, LoadStatus, destination};
use crate::record::Record;
use crate::schema::{Disposition, Layout, TableBatch, TableSchema};
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
        let chunk = Chunk::new("items", Disposition::Merge, tables);
        open.write(&chunk).unwrap();
        let done = StateRow::new("items", "", r#"{"done":"1.000000"}"#);
        open.commit(&[StateChange::Put(done)], LoadStatus::Complete)
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
