//! Tests of what one run leaves to the next one: a list that was not proved stays so until it is
//! read in full, and a list that is resumed knows what its earlier pages announced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::support::{InMemory, an_hour_later, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Proof, RunOptions, RunReport};
use etlgen_runtime::world::{VirtualClock, WireResponse};
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
    updated: Option<UnixTime>,
}

const START: u64 = 1_700_000_000;

fn list(name: &str, path: &str) -> Resource<Item> {
    Item::list(name, path)
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"))
}

fn run(clock: &VirtualClock, source: &Source, into: &InMemory, options: RunOptions) -> RunReport {
    an_hour_later(clock);
    run_by(clock, source, into, &options).unwrap()
}

/// Returns the proof of a resource.
fn proof<'a>(report: &'a RunReport, name: &str) -> &'a Proof {
    let mut resources = report.resources.iter();
    &resources.find(|it| it.name == name).unwrap().proof
}

/// A list whose second page is announced and is `null` in the first run; later it has a row.
fn cut_in_the_first_run() -> (Source, VirtualClock) {
    let runs = AtomicUsize::new(0);
    let (world, clock) = simulated(START, move |request| {
        let row = |id: u64| json!({"id": id, "updated": START + id});
        let (since, after) = (asked(request, "since"), asked(request, "after"));
        Ok(match (since.as_str(), after.as_str()) {
            ("", "") => {
                runs.fetch_add(1, Relaxed);
                page(json!({"data": [row(1), row(2)], "next": "b"}))
            }
            ("", _) if runs.load(Relaxed) == 1 => page(json!({"data": null})),
            ("", _) => page(json!({"data": [row(3)]})),
            _ => page(json!({"data": [row(2), row(4)]})),
        })
    });
    let list = list("items", "/items");
    let list = list.incremental(Cursor::updated(Item::UPDATED).param("since"));
    let source = Source::new("s", "https://api.example");
    (source.world(world).resource(list), clock)
}

#[test]
fn a_pass_that_continues_from_a_cursor_inherits_the_proof_of_the_one_before() {
    let (source, clock) = cut_in_the_first_run();
    let into = InMemory::new(1);
    let first = run(&clock, &source, &into, RunOptions::default());
    assert!(matches!(proof(&first, "items"), Proof::Unproved(_)));
    // The rows that the first run missed are older than its cursor.
    for _ in 0..2 {
        let next = run(&clock, &source, &into, RunOptions::default());
        let Proof::Unproved(why) = proof(&next, "items") else {
            panic!("{next:?}")
        };
        let said = "an earlier run is not proved (`null` follows a page";
        assert!(why.starts_with(said), "{why}");
        assert_eq!(why.matches("earlier run").count(), 1, "{why}");
        assert!(why.ends_with("`--full-refresh` reads all records again"));
    }
    assert_eq!(into.table("items").len(), 3);
    let full = run(
        &clock,
        &source,
        &into,
        RunOptions::default().full_refresh(true),
    );
    assert!(matches!(proof(&full, "items"), Proof::Proved(_)));
    let next = run(&clock, &source, &into, RunOptions::default());
    assert!(matches!(proof(&next, "items"), Proof::Proved(_)));
    assert_eq!(into.table("items").len(), 4);
}

/// Two parents, of which only the second is shown again; the list of the first ends in `null`.
#[test]
fn a_child_list_that_is_not_read_again_counts_with_its_last_proof() {
    let (world, clock) = simulated(START, |request| {
        let (since, after) = (asked(request, "since"), asked(request, "after"));
        let row = |id: u64| json!({"id": id, "updated": START + id});
        Ok(
            match (request.url().path(), since.as_str(), after.as_str()) {
                ("/items", "", _) => page(json!({"data": [row(1), row(2)]})),
                ("/items", ..) => page(json!({"data": [row(2)]})),
                ("/items/1/parts", _, "") => page(json!({"data": [row(10)], "next": "10"})),
                ("/items/1/parts", ..) => page(json!({"data": null})),
                _ => page(json!({"data": [row(20)]})),
            },
        )
    });
    let parts = list("parts", "/items/{item}/parts")
        .child_of("items", |item: &Item, request| {
            request.path("item", item.id)
        })
        .of_changed_parents();
    let items = list("items", "/items");
    let items = items.incremental(Cursor::updated(Item::UPDATED).param("since"));
    let source = Source::new("s", "https://api.example").world(world);
    let source = source.resource(items).resource(parts);
    let into = InMemory::new(1);
    for _ in 0..3 {
        let report = run(&clock, &source, &into, RunOptions::default());
        assert!(matches!(proof(&report, "items"), Proof::Proved(_)));
        assert!(matches!(proof(&report, "parts"), Proof::Unproved(_)));
    }
}

/// Runs until the API refuses the second page, and again while it answers `rest`.
fn resumed(first: serde_json::Value, rest: serde_json::Value) -> RunReport {
    let asked_before = AtomicUsize::new(0);
    let (world, clock) = simulated(START, move |request| {
        let before = asked_before.fetch_add(1, Relaxed);
        Ok(match asked(request, "after").as_str() {
            "" => page(first.clone()),
            _ if before == 1 => WireResponse::new(403),
            _ => page(rest.clone()),
        })
    });
    let list = list("items", "/items").paginate(
        Paginator::token("after", "next")
            .more("more")
            .total_items("total"),
    );
    let source = Source::new("s", "https://api.example");
    let source = source.world(world).resource(list);
    let into = InMemory::new(1);
    let report = run(&clock, &source, &into, RunOptions::default());
    assert!(!report.is_complete());
    run(&clock, &source, &into, RunOptions::default())
}

#[test]
fn a_resumed_list_knows_what_its_earlier_pages_announced() {
    let rows = json!([{"id": 1}, {"id": 2}]);
    let flag = json!({"data": rows, "more": true, "next": "b"});
    let total = json!({"data": rows, "total": 5, "next": "b"});
    // The flag of the first run is contradicted.
    let report = resumed(flag.clone(), json!({"data": []}));
    assert!(!report.is_complete(), "{report:?}");
    // The total of the first run is not reached.
    let report = resumed(total.clone(), json!({"data": [{"id": 3}]}));
    let Proof::Unproved(why) = proof(&report, "items") else {
        panic!("{report:?}")
    };
    assert!(why.contains("the API counted 5 in an earlier run"), "{why}");
    // The same total, but undeclared; and a number of pages.
    for (statement, counted) in [("count", "5"), ("totalPages", "5 pages")] {
        let announced = json!({"data": rows, statement: 5, "next": "b"});
        let report = resumed(announced, json!({"data": [{"id": 3}]}));
        let Proof::Unproved(why) = proof(&report, "items") else {
            panic!("{report:?}")
        };
        assert!(
            why.contains(&format!("the API counted {counted} in an earlier run")),
            "{why}"
        );
    }
    // The records of the first run were a list, also if its pages had one record each.
    for rows in [&rows, &json!([{"id": 1}])] {
        let list = json!({"data": rows, "more": true, "next": "b"});
        let report = resumed(list, json!({"data": {"id": 3}, "more": false}));
        assert!(!report.is_complete(), "{report:?}");
    }
    // Nothing contradicts.
    let report = resumed(flag, json!({"data": [{"id": 3}], "more": false}));
    assert!(matches!(proof(&report, "items"), Proof::Proved(_)));
    let report = resumed(total, json!({"data": [{"id": 3}, {"id": 4}, {"id": 5}]}));
    assert!(matches!(proof(&report, "items"), Proof::Proved(_)));
}

#[test]
fn a_clock_that_goes_back_deletes_no_row_and_keeps_none() {
    let gone = Arc::new(AtomicUsize::new(0));
    let count = gone.clone();
    let answer = move |_: &etlgen_runtime::world::WireRequest| {
        let rows: Vec<_> = (count.load(Relaxed)..3)
            .map(|id| json!({"id": id}))
            .collect();
        Ok::<WireResponse, _>(page(json!({"data": rows})))
    };
    let into = InMemory::new(1);
    let mut ids = Vec::new();
    for (deleted, second) in [(0, START), (1, START - 7200), (2, START - 3600)] {
        gone.store(deleted, Relaxed);
        let (world, clock) = simulated(second, answer.clone());
        let list = list("items", "/items").deletes(Deletes::Hard);
        let source = Source::new("s", "https://api.example");
        let source = source.world(world).resource(list);
        let report = run(&clock, &source, &into, RunOptions::default());
        assert!(matches!(proof(&report, "items"), Proof::Proved(_)));
        assert_eq!(into.table("items").len(), 3 - deleted);
        ids.push(report.load_id);
    }
    assert!(
        ids.is_sorted() && ids[0] != ids[1] && ids[1] != ids[2],
        "{ids:?}"
    );
}
