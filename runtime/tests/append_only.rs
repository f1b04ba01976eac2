//! Tests of a destination that hands its rows to a function.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::serve;
use etlgen_runtime::load::Destinations;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, RunReport, sync};
use etlgen_runtime::{Error, ErrorKind};
use serde_json::{Value, json};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    at: Option<Timestamp>,
    tags: Option<Vec<Tag>>,
}

#[derive(Record)]
struct Tag {
    name: Option<String>,
}

/// Runs a source once; returns the result.
fn run(
    known: &Destinations,
    url: &str,
    base: &str,
    resource: Resource<Item>,
) -> etlgen_runtime::Result<RunReport> {
    let source = Source::new("shop", base).resource(resource);
    let into = known.open(url)?;
    let options = RunOptions::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let run = sync(&source, into, &options, Arc::new(()));
    runtime.unwrap().block_on(run)
}

fn items() -> Resource<Item> {
    Item::list("items", "/items")
        .primary_key([Item::ID])
        .incremental(Cursor::updated(Item::AT).param("since"))
}

#[test]
fn new_rows_and_new_versions_are_handed_over_and_the_state_is_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("queue:{}", dir.path().join("shop.json").display());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let (base, log) = serve(move |_, _| {
        let at = |day: usize| format!("2024-01-0{day}T00:00:00Z");
        let rows = match count.fetch_add(1, Ordering::SeqCst) {
            0 => json!([{"id": 1, "at": at(1), "tags": [{"name": "a"}]}, {"id": 2, "at": at(2)}]),
            _ => json!([{"id": 2, "at": at(2)}, {"id": 1, "at": at(3), "tags": []}]),
        };
        (200, Vec::new(), rows.to_string())
    });
    let taken: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let broken = Arc::new(AtomicBool::new(false));
    let (into, refuse) = (taken.clone(), broken.clone());
    let known = Destinations::default().append_only("queue", move |table| {
        if refuse.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Destination, "the queue is full"));
        }
        let name = table.schema.name.clone();
        let rows = table.json_lines();
        let rows = rows.map(|line| (name.clone(), serde_json::from_str(&line).unwrap()));
        into.lock().unwrap().extend(rows);
        Ok(())
    });
    let of = |table: &str, field: &str| {
        let taken = taken.lock().unwrap();
        let rows = taken.iter().filter(|(name, _)| name == table);
        rows.map(|(_, row)| row[field].to_string())
            .collect::<Vec<_>>()
    };
    run(&known, &url, &base, items()).unwrap();
    assert_eq!(of("items", "id"), ["1", "2"]);
    assert_eq!(of("items__tags", "name"), ["\"a\""]);
    // The function fails: the state stays, and the row comes again.
    broken.store(true, Ordering::SeqCst);
    let error = run(&known, &url, &base, items()).unwrap_err();
    assert!(error.report().contains("the queue is full"), "{error}");
    broken.store(false, Ordering::SeqCst);
    run(&known, &url, &base, items()).unwrap();
    assert_eq!(of("items", "id"), ["1", "2", "2", "1"]);
    let asked = log.lock().unwrap().clone();
    assert!(!asked[0].contains("since"), "{asked:?}");
    let again = |asked: &String| asked.contains("since=2024-01-01T23%3A59%3A59Z");
    assert!(asked[1..].iter().all(again), "{asked:?}");
    let mut there = known.open(&url).unwrap();
    assert!(there.exists());
    there
        .open(&etlgen_runtime::load::LoadInfo::new("9", "shop", None))
        .unwrap();
    let counts = there.row_counts().unwrap();
    assert_eq!(
        counts,
        [("items".to_owned(), 4), ("items__tags".to_owned(), 1)]
    );
    // A second run has to wait.
    let error = run(&known, &url, &base, items()).unwrap_err();
    assert!(
        error.report().contains("another run is loading into"),
        "{error}"
    );
}

#[test]
fn what_it_cannot_do_is_refused_before_the_first_request() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("queue:{}", dir.path().join("shop.json").display());
    let known = Destinations::default().append_only("queue", |_| Ok(()));
    let (base, log) = serve(|_, _| (200, Vec::new(), "[]".into()));
    for (resource, what) in [
        (items().write(Disposition::Replace), "replaces all rows"),
        (items().deletes(Deletes::Hard), "deletes rows"),
    ] {
        let error = run(&known, &url, &base, resource).unwrap_err();
        assert!(error.message().contains(what), "{error}");
    }
    assert!(log.lock().unwrap().is_empty());
    let report = run(&known, &url, &base, items()).unwrap();
    assert!(matches!(report.resources[0].outcome, Outcome::Complete));
    // A file that is not of this kind is not replaced.
    std::fs::write(dir.path().join("shop.json"), "{}").unwrap();
    let error = run(&known, &url, &base, items()).unwrap_err();
    assert!(error.report().contains("cannot be read"), "{error}");
    let kept = std::fs::read_to_string(dir.path().join("shop.json")).unwrap();
    assert_eq!(kept, "{}");
}
