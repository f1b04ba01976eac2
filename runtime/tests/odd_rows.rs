//! Tests of rows that are not as the document says: items that are null, an object in place of a
//! list, keys and parents without a value or of another type, flags in words. Nothing of that is
//! left out, doubled or deleted below a grade that says otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::support::{InMemory, an_hour_later, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions, RunReport};
use etlgen_runtime::world::{VirtualClock, WireRequest, WireResponse};
use serde_json::{Value, json};

#[derive(Record)]
struct Thing {
    id: Option<String>,
    name: Option<String>,
    gone: Option<String>,
}

#[derive(Record)]
struct Shelf {
    id: Option<i64>,
}

/// A source that is loaded several times into one destination.
struct Runs {
    source: Source,
    clock: VirtualClock,
    into: InMemory,
    run: Arc<AtomicUsize>,
}

impl Runs {
    /// `answer(run, path)` is the body of a response.
    fn new(
        resources: impl FnOnce(Source) -> Source,
        answer: impl Fn(usize, &str) -> Value + Send + Sync + 'static,
    ) -> Self {
        let run = Arc::new(AtomicUsize::new(0));
        let count = run.clone();
        let (world, clock) = simulated(1_700_000_000, move |request: &WireRequest| {
            match answer(count.load(Relaxed), request.url().path()) {
                Value::Null => Ok(WireResponse::new(404)),
                body => Ok(page(body)),
            }
        });
        let source = Source::new("odd", "https://api.example").world(world);
        Runs {
            source: resources(source),
            clock,
            into: InMemory::new(1),
            run,
        }
    }

    fn all(&self) -> RunReport {
        an_hour_later(&self.clock);
        let report = run_by(
            &self.clock,
            &self.source,
            &self.into,
            &RunOptions::default(),
        );
        self.run.fetch_add(1, Relaxed);
        report.unwrap()
    }

    /// Returns the report of the last resource.
    fn load(&self) -> ResourceReport {
        self.all().resources.pop().unwrap()
    }

    fn rows(&self, table: &str) -> usize {
        self.into.table(table).len()
    }
}

fn things(deletes: Deletes) -> Resource<Thing> {
    Thing::list("things", "/things")
        .records("data")
        .primary_key([Thing::ID])
        .paginate(Paginator::token("cursor", "next"))
        .deletes(deletes)
}

fn parts() -> Resource<Thing> {
    let parts = Thing::list("parts", "/things/{thing}/parts");
    let parts = parts.records("data").primary_key([Thing::ID]);
    parts.paginate(Paginator::token("cursor", "next"))
}

fn with_parts(source: Source) -> Source {
    let parts = parts().child_of("things", |thing: &Thing, request| {
        request.path("thing", &thing.id)
    });
    let parts = parts.deletes(Deletes::Hard);
    source.resource(things(Deletes::Keep)).resource(parts)
}

/// Two parts of the thing in a path.
fn parts_of(path: &str) -> Value {
    let thing = path.split('/').nth(2).unwrap_or_default();
    let id = |n: u8| format!("{thing}-{n}");
    json!({"data": [{"id": id(1)}, {"id": id(2)}], "next": null})
}

fn is_proved(report: &ResourceReport) -> bool {
    matches!(report.proof, Proof::Proved(_))
}

fn is_unproved(report: &ResourceReport) -> bool {
    matches!(report.proof, Proof::Unproved(_))
}

fn list(rows: impl IntoIterator<Item = Value>) -> Value {
    json!({"data": rows.into_iter().collect::<Vec<_>>(), "next": null})
}

fn row(id: &str) -> Value {
    json!({"id": id, "name": "n"})
}

#[test]
fn the_lists_of_parents_whose_id_has_another_type_are_read() {
    // Numbers where the document has text; some parents, then all.
    let ids = [
        vec![json!("a"), json!("b")],
        vec![json!("a"), json!(7)],
        vec![json!(7), json!(8)],
    ];
    let runs = Runs::new(with_parts, move |run, path| match path {
        "/things" => list(ids[run].iter().map(|id| json!({"id": id}))),
        path => parts_of(path),
    });
    for _ in 0..3 {
        let report = runs.load();
        assert!(is_proved(&report), "{report:?}");
        assert_eq!((report.records, runs.rows("parts")), (4, 4), "{report:?}");
    }
}

#[test]
fn numbers_in_quotes_name_the_lists_of_parents_too() {
    let shelves = |source: Source| {
        let parts = Thing::list("parts", "/things/{thing}/parts").records("data");
        let parts = parts.primary_key([Thing::ID]);
        source
            .resource(Shelf::list("shelves", "/shelves").primary_key([Shelf::ID]))
            .resource(parts.child_of("shelves", |shelf: &Shelf, request| {
                request.path("thing", shelf.id)
            }))
    };
    let runs = Runs::new(shelves, |_, path| match path {
        "/shelves" => json!([{"id": 1}, {"id": "2"}]),
        path => parts_of(path),
    });
    assert_eq!(runs.load().records, 4);
    // A number that the field cannot hold as it is written names no list.
    for odd in [json!("02"), json!("x"), json!(9.5), json!(1e30)] {
        let runs = Runs::new(shelves, move |_, path| match path {
            "/shelves" => json!([{"id": 1}, {"id": odd}]),
            path => parts_of(path),
        });
        let report = runs.load();
        assert!(is_unproved(&report), "{report:?}");
        assert_eq!(report.records, 2);
    }
}

#[test]
fn parents_without_an_id_leave_their_children_unproved_and_delete_none() {
    for odd in [json!(null), json!({"v": 1}), json!([7])] {
        for all in [false, true] {
            let odd = odd.clone();
            let runs = Runs::new(with_parts, move |run, path| match path {
                "/things" if run == 0 => list([row("a"), row("b")]),
                "/things" if all => list([json!({"id": odd}), json!({"name": "no id"})]),
                "/things" => list([row("a"), json!({"id": odd})]),
                path => parts_of(path),
            });
            assert!(is_proved(&runs.load()));
            assert_eq!(runs.rows("parts"), 4);
            for _ in 0..2 {
                let report = runs.load();
                assert!(is_unproved(&report), "{report:?}");
                assert_eq!(runs.rows("parts"), 4, "{report:?}");
            }
        }
    }
}

#[test]
fn children_of_parents_that_do_not_exist_are_proved() {
    let runs = Runs::new(with_parts, |_, path| match path {
        "/things" => list([]),
        path => parts_of(path),
    });
    let report = runs.load();
    assert!(
        matches!(&report.proof, Proof::Proved(why) if why.contains("no records")),
        "{report:?}"
    );
}

#[test]
fn items_that_are_null_are_rows_that_did_not_come() {
    let runs = Runs::new(
        |source| source.resource(things(Deletes::Hard)),
        |run, _| {
            let rows = ["a", "b", "c"].map(row);
            match run {
                0 => list(rows),
                _ => list(rows.into_iter().take(2).chain([Value::Null])),
            }
        },
    );
    assert!(is_proved(&runs.load()));
    let report = runs.load();
    assert!(is_unproved(&report), "{report:?}");
    assert!(report.proof.why().unwrap().contains("null"), "{report:?}");
    assert_eq!(runs.rows("things"), 3);
}

#[test]
fn items_that_are_null_replace_no_table() {
    let keyless =
        |source: Source| source.resource(things(Deletes::Keep).primary_key(Vec::<&str>::new()));
    let runs = Runs::new(keyless, |run, _| {
        let rows = ["a", "b"].map(row);
        match run {
            0 => list(rows),
            _ => list([row("a"), Value::Null]),
        }
    });
    runs.load();
    let report = runs.load();
    assert!(matches!(report.outcome, Outcome::Failed(..)), "{report:?}");
    assert_eq!(runs.rows("things"), 2, "{report:?}");
}

#[test]
fn null_items_of_a_childs_list_delete_none_of_its_rows() {
    let runs = Runs::new(with_parts, |run, path| match path {
        "/things" => list([row("a"), row("b")]),
        "/things/b/parts" if run > 0 => list([row("b-1"), Value::Null]),
        path => parts_of(path),
    });
    runs.load();
    let report = runs.load();
    assert!(is_unproved(&report), "{report:?}");
    assert_eq!(runs.rows("parts"), 4);
}

#[test]
fn an_object_in_place_of_a_list_is_a_record_only_if_it_has_the_key() {
    let objects = [
        json!({"i0": {"id": "a"}, "i1": {"id": "b"}}),
        json!({"1": {"name": "x"}}),
        json!({"items": [{"id": "a"}]}),
        json!({"error": "timeout", "code": 504}),
        json!({"id": null, "name": "x"}),
        json!({}),
    ];
    for keyed in [true, false] {
        for object in objects.clone() {
            let things = match keyed {
                true => things(Deletes::Keep),
                false => things(Deletes::Keep).primary_key(Vec::<&str>::new()),
            };
            let runs = Runs::new(
                |source| source.resource(things),
                move |run, _| match run {
                    0 => list([row("a"), row("b")]),
                    _ => json!({"data": object, "next": null}),
                },
            );
            runs.load();
            let report = runs.load();
            let Outcome::Failed(_, message) = &report.outcome else {
                panic!("{report:?}")
            };
            assert!(message.contains("`data`"), "{message}");
            assert_eq!(runs.rows("things"), 2, "{report:?}");
        }
    }
    // One record without the list around it, and a document that declares an object.
    let runs = Runs::new(
        |source| source.resource(things(Deletes::Keep)),
        |_, _| json!({"data": {"id": "a"}, "next": null}),
    );
    assert!(matches!(runs.load().outcome, Outcome::Complete));
    assert_eq!(runs.rows("things"), 1);
    let runs = Runs::new(
        |source| source.resource(Thing::single("limits", "/limits").records("data")),
        |_, _| json!({"data": {"name": "x"}}),
    );
    assert!(matches!(runs.load().outcome, Outcome::Complete));
    assert_eq!(runs.rows("limits"), 1);
}

#[test]
fn items_without_the_records_are_lists_that_did_not_come() {
    let nested = |source: Source| {
        source.resource(
            Thing::list("things", "/things")
                .records("data")
                .primary_key([Thing::ID]),
        )
    };
    for odd in [
        json!({"error": "x"}),
        Value::Null,
        json!("x"),
        json!({"data": 7}),
    ] {
        let runs = Runs::new(
            nested,
            move |_, _| json!([{"data": [{"id": "a"}]}, odd, {"data": []}]),
        );
        let report = runs.load();
        assert!(is_unproved(&report), "{report:?}");
        assert_eq!(runs.rows("things"), 1);
    }
    let runs = Runs::new(
        nested,
        |_, _| json!([{"data": [{"id": "a"}]}, {"data": []}]),
    );
    let report = runs.load();
    assert!(!is_unproved(&report), "{report:?}");
}

#[test]
fn a_key_that_is_an_object_identifies_its_record() {
    let runs = Runs::new(
        |source| source.resource(things(Deletes::Keep)),
        |run, _| {
            let name = format!("n{run}");
            let id = |n: u8| json!({"$oid": format!("5f{n}")});
            list((0..3).map(|n| json!({"id": id(n), "name": name})))
        },
    );
    for _ in 0..2 {
        let report = runs.load();
        assert!(is_proved(&report), "{report:?}");
        assert_eq!(runs.rows("things"), 3, "{report:?}");
    }
}

#[test]
fn records_without_a_key_are_not_proved_where_their_older_rows_stay() {
    for odd in [json!({"name": "x"}), json!({"id": null, "name": "x"})] {
        let answer = move |run: usize, _: &str| {
            let mut odd = odd.clone();
            odd["name"] = format!("n{run}").into();
            list([row("a"), odd])
        };
        let runs = Runs::new(
            |source| source.resource(things(Deletes::Keep)),
            answer.clone(),
        );
        let report = runs.load();
        assert!(is_unproved(&report), "{report:?}");
        assert!(report.proof.why().unwrap().contains("`id`"), "{report:?}");
        // The older rows are deleted if the owner wants that: nothing of the list is missing. But two
        // equal records would be one record that came twice, or two.
        let runs = Runs::new(|source| source.resource(things(Deletes::Hard)), answer);
        runs.load();
        let report = runs.load();
        assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
        assert_eq!(runs.rows("things"), 2);
    }
}

#[test]
fn records_without_a_key_are_not_proved_where_their_list_deletes_nothing() {
    let run = Arc::new(AtomicUsize::new(0));
    let now = run.clone();
    let (world, clock) = simulated(1_700_000_000, move |request: &WireRequest| {
        let name = format!("n{}", now.load(Relaxed));
        let rows = match asked(request, "cursor").as_str() {
            "" => json!([row("a"), row("b")]),
            _ => json!([{"name": name}]),
        };
        Ok(page(json!({"data": rows, "next": "t2"})))
    });
    let list = things(Deletes::Hard);
    let source = Source::new("odd", "https://api.example").world(world);
    let (source, into) = (source.resource(list), InMemory::new(1));
    let load = || {
        an_hour_later(&clock);
        let report = run_by(&clock, &source, &into, &RunOptions::default());
        run.fetch_add(1, Relaxed);
        report.unwrap().resources.pop().unwrap()
    };
    load();
    let report = load();
    // A token that repeats the page is no proof of its end, so the older row stays.
    assert_eq!(into.table("things").len(), 4, "{report:?}");
    assert!(is_unproved(&report), "{report:?}");
}

#[test]
fn a_key_that_no_record_has_any_more_deletes_nothing() {
    let runs = Runs::new(
        |source| source.resource(things(Deletes::Hard)),
        |run, _| match run {
            0 => list(["a", "b", "c"].map(row)),
            _ => list(["a", "b"].map(|id| json!({"uid": id, "name": "n"}))),
        },
    );
    assert!(is_proved(&runs.load()));
    let report = runs.load();
    assert!(is_unproved(&report), "{report:?}");
    assert!(report.proof.why().unwrap().contains("another field"));
    assert_eq!(runs.rows("things"), 5, "{report:?}");
}

#[test]
fn a_tombstone_that_says_no_deletes_nothing() {
    let marked = |source: Source| {
        let cursor = Cursor::updated(Thing::NAME);
        source.resource(
            things(Deletes::Hard)
                .incremental(cursor)
                .tombstone(Thing::GONE),
        )
    };
    let words = [
        "no",
        "N",
        "n",
        "False",
        "f",
        "off",
        "0",
        "0.0",
        "null",
        "none",
        " ",
        "not deleted",
    ];
    let runs = Runs::new(marked, move |run, _| match run {
        0 => list(words.iter().map(|word| json!({"id": word, "name": "1"}))),
        _ => list(
            words
                .iter()
                .map(|word| json!({"id": word, "name": "2", "gone": word})),
        ),
    });
    runs.load();
    runs.load();
    assert_eq!(
        runs.rows("things"),
        words.len() - 1,
        "`not deleted` is no known word"
    );
    let words = [
        "yes",
        "Y",
        "true",
        "1",
        "t",
        "on",
        "2024-01-01T00:00:00Z",
        "deleted",
    ];
    let runs = Runs::new(marked, move |run, _| match run {
        0 => list(words.iter().map(|word| json!({"id": word, "name": "1"}))),
        _ => list(
            words
                .iter()
                .map(|word| json!({"id": word, "name": "2", "gone": word})),
        ),
    });
    runs.load();
    runs.load();
    assert_eq!(runs.rows("things"), 0);
}

/// Loads three things and their parts; the list of the second one is answered with this body.
fn with_an_odd_list(body: Value, parts: Resource<Thing>) -> (RunReport, InMemory) {
    let parts = parts.child_of("things", |thing: &Thing, request| {
        request.path("thing", &thing.id)
    });
    let (world, clock) = simulated(1_000, move |request| {
        let path = request.url().path().to_owned();
        Ok(page(match path.as_str() {
            "/things" => json!({"data": [row("a"), row("b"), row("c")], "next": null}),
            "/things/b/parts" => body.clone(),
            _ => parts_of(&path),
        }))
    });
    let source = Source::new("club", "https://api.example")
        .world(world)
        .resource(things(Deletes::Keep))
        .resource(parts);
    let into = InMemory::new(100);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    (report, into)
}

#[test]
fn an_object_without_its_list_is_an_empty_list_only_if_the_owner_says_so() {
    let none = || json!({"message": "this thing has no parts"});
    // Without a word of the owner it is no list, and the lists of the other parents are read.
    let (report, into) = with_an_odd_list(none(), parts());
    let Outcome::Failed(_, said) = &report.resources[1].outcome else {
        panic!("{report:?}")
    };
    assert!(said.contains("list_may_be_absent = true"), "{said}");
    assert_eq!(into.table("parts").len(), 4);
    let (report, into) = with_an_odd_list(none(), parts().list_may_be_absent());
    let proof = &report.resources[1].proof;
    assert!(matches!(proof, Proof::Assumed(_)), "{report:?}");
    assert_eq!(into.table("parts").len(), 4);
    // So where the response should be the list itself.
    let whole = || Thing::list("parts", "/things/{thing}/parts").primary_key([Thing::ID]);
    let (report, _) = with_an_odd_list(none(), whole());
    let Outcome::Failed(_, said) = &report.resources[1].outcome else {
        panic!("{report:?}")
    };
    assert!(said.contains("list_may_be_absent = true"), "{said}");
    // An error is none, and a word about records that are left out is heard.
    for (body, fails) in [
        (json!({"error": "not allowed"}), true),
        (json!({"success": false, "hint": "x"}), true),
        (json!({"message": "the search timed out"}), false),
        (json!("none"), true),
    ] {
        let (report, _) = with_an_odd_list(body.clone(), parts().list_may_be_absent());
        let parts = &report.resources[1];
        let failed = matches!(parts.outcome, Outcome::Failed(..));
        assert_eq!(failed, fails, "{body} {parts:?}");
        assert!(fails || is_unproved(parts), "{body} {parts:?}");
    }
}
