//! Tests of lists and pages that are answered with an error status: what a rule of the owner leaves
//! out, what it calls empty, and what that proves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::support::{InMemory, an_hour_later, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions};
use etlgen_runtime::world::{VirtualClock, WireRequest, WireResponse, World};
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

/// Three items with one part each, loaded several times into one destination.
struct Parts {
    source: Source,
    clock: VirtualClock,
    into: InMemory,
    run: Arc<AtomicUsize>,
}

impl Parts {
    /// From run `from` on, the lists of the items in `missing` are answered with 404. Without a key,
    /// each pass replaces all rows.
    fn new(rule: StatusRule, keyed: bool, missing: &'static [&'static str], from: usize) -> Self {
        let run = Arc::new(AtomicUsize::new(0));
        let count = run.clone();
        let (world, clock) = simulated(1_700_000_000, move |request| {
            let path = request.url().path();
            Ok(match path.split('/').nth(2) {
                None => page(json!([{"id": 1}, {"id": 2}, {"id": 3}])),
                Some(item) if count.load(Relaxed) >= from && missing.contains(&item) => {
                    WireResponse::new(404)
                }
                Some(item) => page(json!([{"id": item.parse::<i64>().unwrap() * 10}])),
            })
        });
        let parts = Item::list("parts", "/items/{item}/parts")
            .child_of("items", |item: &Item, request| {
                request.path("item", item.id)
            })
            .on_status(404, rule);
        let parts = match keyed {
            true => parts.primary_key([Item::ID]).deletes(Deletes::Hard),
            false => parts,
        };
        let source = Source::new("s", "https://api.example")
            .world(world)
            .resource(Item::list("items", "/items").primary_key([Item::ID]))
            .resource(parts);
        let into = InMemory::new(1);
        Parts {
            source,
            clock,
            into,
            run,
        }
    }

    /// Returns the report of the parts, and the number of their rows.
    fn load(&self, options: &RunOptions) -> (ResourceReport, usize) {
        an_hour_later(&self.clock);
        let mut report = run_by(&self.clock, &self.source, &self.into, options).unwrap();
        self.run.fetch_add(1, Relaxed);
        let report = report.resources.pop().unwrap();
        (report, self.into.table("parts").len())
    }
}

#[test]
fn a_list_that_a_rule_leaves_out_is_told_as_such_and_keeps_its_rows() {
    let parts = Parts::new(StatusRule::Skip, true, &["2"], 1);
    let usual = RunOptions::default();
    assert_eq!(parts.load(&usual).1, 3);
    for _ in 0..2 {
        let (report, rows) = parts.load(&usual);
        assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
        assert_eq!((rows, &report.skipped[..]), (3, &[(404, 1)][..]));
        let notes = report.notes.join("\n");
        let said = "1 list was answered 404 and left out, as `on_status` says";
        assert!(notes.contains(said), "{notes}");
        assert!(!notes.contains("no longer exists"), "{notes}");
        assert!(notes.contains("are kept"), "{notes}");
    }
}

#[test]
fn a_pass_that_replaces_all_rows_does_not_lose_those_of_a_list_that_a_rule_leaves_out() {
    let usual = RunOptions::default();
    let parts = Parts::new(StatusRule::Skip, false, &["2"], 1);
    assert_eq!(parts.load(&usual).1, 3);
    for _ in 0..2 {
        let (report, rows) = parts.load(&usual);
        let Outcome::Failed(_, message) = &report.outcome else {
            panic!("{report:?}")
        };
        assert!(message.contains("leaves out 1 list"), "{message}");
        assert!(message.contains("404 = \"empty\""), "{message}");
        assert_eq!(rows, 3);
    }
    let (report, rows) = parts.load(&RunOptions::default().full_refresh(true));
    assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
    assert_eq!(rows, 2);
    // A list of which nothing was ever loaded has no rows to lose.
    let parts = Parts::new(StatusRule::Skip, false, &["2"], 0);
    for _ in 0..2 {
        let (report, rows) = parts.load(&usual);
        assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
        assert_eq!(rows, 2);
    }
}

#[test]
fn a_list_that_a_rule_calls_empty_has_no_rows_and_deletes_those_that_it_had() {
    for keyed in [true, false] {
        let parts = Parts::new(StatusRule::Empty, keyed, &["2"], 1);
        assert_eq!(parts.load(&RunOptions::default()).1, 3);
        let (report, rows) = parts.load(&RunOptions::default());
        assert!(matches!(report.proof, Proof::Assumed(_)), "{report:?}");
        assert_eq!((rows, &report.skipped[..]), (2, &[][..]), "{report:?}");
    }
    // Lists that are all missing are no proof that every record was deleted.
    let parts = Parts::new(StatusRule::Empty, true, &["1", "2", "3"], 1);
    parts.load(&RunOptions::default());
    assert_eq!(parts.load(&RunOptions::default()).1, 3);
}

/// A list by page number, with 404 behind its last page; `rows` in the first run and in the second
/// one.
fn numbered(
    rows: [i64; 2],
    change: impl FnOnce(Resource<Item>) -> Resource<Item>,
) -> (ResourceReport, usize) {
    let run = Arc::new(AtomicUsize::new(0));
    let count = run.clone();
    let answer = move |request: &WireRequest| {
        let rows = rows[count.load(Relaxed)];
        let number: i64 = asked(request, "page").parse().unwrap_or(1);
        let page_of = |id: &i64| (id + 2) / 3 == number;
        let ids: Vec<i64> = (1..=rows).filter(page_of).collect();
        Ok(match ids.is_empty() {
            true => WireResponse::new(404).body(r#"{"detail": "Invalid page."}"#),
            false => page(ids.iter().map(|id| json!({"id": id})).collect()),
        })
    };
    let (world, clock): (World, _) = simulated(1_700_000_000, answer);
    let items = Item::list("items", "/items")
        .primary_key([Item::ID])
        .deletes(Deletes::Hard)
        .paginate(Paginator::page_number("page").page_size("size", 3));
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(change(items));
    let into = InMemory::new(1);
    let mut last = None;
    for number in [0, 1] {
        run.store(number, Relaxed);
        an_hour_later(&clock);
        let mut report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        last = report.resources.pop();
    }
    (last.unwrap(), into.table("items").len())
}

#[test]
fn an_end_by_404_behind_a_short_page_deletes_when_a_second_reading_confirms_it() {
    let (report, rows) = numbered([8, 7], |items| items);
    assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
    assert_eq!(rows, 7, "{report:?}");
}

#[test]
fn an_end_by_404_behind_a_full_page_deletes_only_if_its_owner_says_that_it_is_the_end() {
    let (report, rows) = numbered([8, 6], |items| items);
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
    assert_eq!(rows, 8, "{report:?}");
    let notes = report.notes.join("\n");
    assert!(
        notes.contains("404 after page 2, which was full"),
        "{notes}"
    );
    assert!(notes.contains("404 = \"empty\""), "{notes}");
    let (report, rows) = numbered([8, 6], |items| items.on_status(404, StatusRule::Empty));
    assert!(matches!(report.proof, Proof::Assumed(_)), "{report:?}");
    assert_eq!(rows, 6, "{report:?}");
}

#[test]
fn rows_that_may_not_be_all_are_not_proved_and_delete_nothing() {
    let run = Arc::new(AtomicUsize::new(0));
    let count = run.clone();
    let (world, clock) = simulated(1_700_000_000, move |_| {
        let rows = match count.load(Relaxed) {
            0 => json!([{"id": 1}, {"id": 2}]),
            _ => json!([{"id": 1}]),
        };
        Ok(page(
            json!({"items": rows, "total": rows.as_array().unwrap().len()}),
        ))
    });
    let list = |unsure: bool| {
        let list = Item::list("items", "/items")
            .records("items")
            .primary_key([Item::ID]);
        let list = list.deletes(Deletes::Hard);
        match unsure {
            true => list.unsure("without `status` the API returns only `active`"),
            false => list,
        }
    };
    for unsure in [true, false] {
        run.store(0, Relaxed);
        let source = Source::new("s", "https://api.example").world(world.clone());
        let source = source.resource(list(unsure));
        let into = InMemory::new(1);
        let load = || {
            an_hour_later(&clock);
            let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
            run.fetch_add(1, Relaxed);
            report.resources.into_iter().next().unwrap()
        };
        let first = load();
        assert_eq!(
            matches!(&first.proof, Proof::Unproved(why) if why.contains("`status`")),
            unsure,
            "{first:?}"
        );
        let second = load();
        assert_eq!(
            into.table("items").len(),
            if unsure { 2 } else { 1 },
            "{second:?}"
        );
    }
}
