//! Tests of concurrency: independent requests are sent in parallel, and the order of the rows does
//! not change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, RunOptions, RunReport, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

const PAUSE: Duration = Duration::from_millis(50);

fn json(body: serde_json::Value) -> Answer {
    (200, Vec::new(), body.to_string())
}

fn list(name: &str, paginator: impl Into<Paginator>) -> Resource<Item> {
    Item::list(name, &format!("/{name}"))
        .records("data")
        .primary_key([Item::ID])
        .paginate(paginator)
}

fn run(source: &Source) -> (RunReport, InMemory, Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let into = InMemory::new(100_000);
    let options = RunOptions::default();
    let started = Instant::now();
    let report = runtime.block_on(sync(source, Box::new(into.clone()), &options, Arc::new(())));
    (report.unwrap(), into, started.elapsed())
}

fn number(query: &std::collections::BTreeMap<String, String>, name: &str, default: u64) -> u64 {
    query
        .get(name)
        .map_or(default, |text| text.parse().unwrap())
}

fn ids(from: u64, to: u64) -> Vec<serde_json::Value> {
    (from..to).map(|id| serde_json::json!({"id": id})).collect()
}

/// Serves responses after a pause, and counts the maximum number of concurrent requests.
fn slow(
    answer: impl Fn(&std::collections::BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let (base, _) = serve(move |_, query| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(PAUSE);
        now.fetch_sub(1, Ordering::SeqCst);
        answer(query)
    });
    (base, most)
}

#[test]
fn four_chains_of_fifty_pages_take_as_long_as_one() {
    let (base, _) = slow(|query| {
        let page = number(query, "after", 0);
        let next = (page < 49).then(|| (page + 1).to_string());
        json(serde_json::json!({"data": ids(page * 20, page * 20 + 20), "next": next}))
    });
    let mut source = Source::new("s", &base);
    for name in ["a", "b", "c", "d"] {
        source = source.resource(list(name, Paginator::token("after", "next")));
    }
    let (report, into, elapsed) = run(&source);
    assert!(report.is_complete());
    for name in ["a", "b", "c", "d"] {
        assert_eq!(into.table(name).len(), 1000);
    }
    let floor = 50.0 * PAUSE.as_secs_f64();
    let times = elapsed.as_secs_f64() / floor;
    println!("4 x 50 pages of 50 ms: {elapsed:.2?}, {times:.2} x the longest chain");
    // The factor is 1.15 on an idle machine.
    assert!(times < 1.6, "{times:.2} x the longest chain");
}

#[test]
fn numbered_lists_with_a_total_are_read_side_by_side() {
    let total = 40 * 25 - 7;
    let lists = [
        list("items", Paginator::page_number("page").total_items("total")),
        list("items", Paginator::page_number("page").total_pages("pages")),
        list(
            "items",
            Paginator::offset("offset")
                .total_items("total")
                .page_size("limit", 500),
        ),
    ];
    for list in lists {
        let (base, most) = slow(move |query| {
            let start = match query.contains_key("offset") || query.contains_key("limit") {
                true => number(query, "offset", 0),
                false => (number(query, "page", 1) - 1) * 25,
            };
            let rows = ids(start.min(total), (start + 25).min(total));
            json(serde_json::json!({"data": rows, "total": total, "pages": 40}))
        });
        let source = Source::new("s", &base).concurrency(8).resource(list);
        let (report, into, elapsed) = run(&source);
        assert_eq!(into.table("items").len() as u64, total, "{report:?}");
        let numbered = matches!(report.resources[0].proof, Proof::Consistent(_));
        let overlapped = matches!(report.resources[0].proof, Proof::Proved(_));
        assert!(numbered || overlapped, "{report:?}");
        // The additional requests repeat the first page, or a row of each page.
        assert!((41..=42).contains(&report.resources[0].requests));
        assert!(elapsed < 20 * PAUSE, "{elapsed:?}");
        assert!(most.load(Ordering::SeqCst) <= 8);
    }
}

#[test]
fn a_guess_that_is_wrong_costs_nothing_but_time() {
    // Pages of a list by offset get shorter: all following offsets differ from the predicted ones.
    let (base, _) = serve(|_, query| {
        let start = number(query, "offset", 0);
        let size = if start < 100 { 20 } else { 7 };
        json(
            serde_json::json!({"data": ids(start.min(250), (start + size).min(250)), "total": 250}),
        )
    });
    let list = list("items", Paginator::offset("offset").total_items("total"));
    let (report, into, _) = run(&Source::new("s", &base).resource(list));
    assert_eq!(into.table("items").len(), 250, "{report:?}");
    assert!(
        matches!(report.resources[0].proof, Proof::Proved(_)),
        "{report:?}"
    );
}

#[test]
fn a_page_that_fails_among_those_under_way_fails_the_list_and_keeps_what_was_before() {
    let (base, _) = serve(|_, query| match number(query, "page", 1) {
        6 => (403, Vec::new(), String::new()),
        page => json(serde_json::json!({"data": ids(page * 10, page * 10 + 10), "total": 100})),
    });
    let list = list("items", Paginator::page_number("page").total_items("total"));
    let (report, into, _) = run(&Source::new("s", &base).resource(list));
    assert!(matches!(report.resources[0].outcome, Outcome::Failed(..)));
    assert_eq!(into.table("items").len(), 50);
}

#[test]
fn a_limit_asks_for_no_more_pages_than_it_needs() {
    let (base, log) = serve(|_, query| {
        let page = number(query, "page", 1);
        json(serde_json::json!({"data": ids(page * 10, page * 10 + 10), "total": 1000}))
    });
    let list = list("items", Paginator::page_number("page").total_items("total"));
    let source = Source::new("s", &base).resource(list);
    let options = RunOptions::default().limit(25);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = InMemory::new(1000);
    let report = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
    runtime.block_on(report).unwrap();
    assert_eq!(into.table("items").len(), 25);
    assert_eq!(log.lock().unwrap().len(), 3);
}
