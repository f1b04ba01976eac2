//! Tests of records marked as deleted, and of feeds that change other resources.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, RunOptions, RunReport, sync};
use serde_json::{Value, json};

#[derive(Record)]
struct Customer {
    id: Option<i64>,
    version: Option<i64>,
    created: Option<UnixTime>,
    tags: Option<Vec<i64>>,
    gone: Option<bool>,
    gone_at: Option<UnixTime>,
}

#[derive(Record)]
struct Event {
    id: Option<i64>,
    created: Option<UnixTime>,
    kind: Option<String>,
    object: Option<Json>,
}

#[derive(Record)]
struct Gone {
    key: Option<i64>,
}

const START: i64 = 1_700_000_000;

/// An API that reports each change of a customer as an event.
#[derive(Default)]
struct Store {
    customers: BTreeMap<i64, Value>,
    events: Vec<Value>,
    deleted: Vec<i64>,
    clock: i64,
    oldest_first: bool,
    /// The list that answers with 418.
    fails: Option<&'static str>,
    /// A change at the first request for the list of customers.
    meanwhile: Option<fn(&mut Store)>,
}

impl Store {
    fn new(customers: i64) -> Arc<Mutex<Store>> {
        let mut store = Store::default();
        (1..=customers).for_each(|id| store.put(id));
        Arc::new(Mutex::new(store))
    }

    fn tell(&mut self, kind: &str, object: &Value) {
        let id = self.events.len() as i64 + 1;
        // There are two events a second.
        let created = START + self.clock / 2;
        self.events
            .push(json!({"id": id, "created": created, "kind": kind, "object": object}));
    }

    /// Adds or changes a customer.
    fn put(&mut self, id: i64) {
        self.clock += 1;
        let there = self.customers.get(&id);
        let created = there.map_or(START + self.clock / 2, |there| {
            there["created"].as_i64().unwrap()
        });
        let version = self.clock;
        let tags: Vec<i64> = (0..version % 3).collect();
        let object = json!({"id": id, "version": version, "created": created, "tags": tags});
        self.customers.insert(id, object.clone());
        self.tell("customer.updated", &object);
    }

    fn delete(&mut self, id: i64) {
        self.clock += 1;
        let object = self.customers.remove(&id).unwrap();
        self.deleted.push(id);
        self.tell("customer.deleted", &object);
    }

    fn answer(&mut self, path: &str, query: &BTreeMap<String, String>) -> Answer {
        if self.fails == Some(path) {
            return (418, Vec::new(), "{}".into());
        }
        if path == "/customers"
            && let Some(meanwhile) = self.meanwhile.take()
        {
            meanwhile(self);
        }
        let number = |name: &str| query.get(name).map_or(0, |text| text.parse().unwrap());
        let mut rows: Vec<Value> = match path {
            "/customers" => self.customers.values().cloned().collect(),
            "/deleted" => self
                .deleted
                .iter()
                .map(|key| json!({"id": key, "key": key}))
                .collect(),
            _ if self.oldest_first => self.events.clone(),
            _ => self.events.iter().rev().cloned().collect(),
        };
        rows.retain(|row| {
            row["created"]
                .as_i64()
                .is_none_or(|time| time >= number("since"))
        });
        let after = number("after");
        let start = rows
            .iter()
            .position(|row| row["id"] == after)
            .map_or(0, |at| at + 1);
        let page = &rows[start..rows.len().min(start + 3)];
        let body = json!({"data": page, "more": start + 3 < rows.len()});
        (200, Vec::new(), body.to_string())
    }
}

fn list<T: Record>(name: &str, path: &str) -> Resource<T> {
    T::list(name, path)
        .records("data")
        .paginate(Paginator::last_id("after").field("id").more("more"))
}

fn customers(deletes: Deletes) -> Resource<Customer> {
    list("customers", "/customers")
        .primary_key([Customer::ID])
        .incremental(
            Cursor::created(Customer::CREATED)
                .param("since")
                .new_rows_only(),
        )
        .deletes(deletes)
}

fn since() -> Cursor<Event> {
    Cursor::created(Event::CREATED)
        .param("since")
        .new_rows_only()
}

fn reported(event: &Event) -> Option<Change> {
    let object = event.object.as_ref()?;
    match event.kind.as_deref()? {
        "customer.updated" => Some(Change::put(object)),
        "customer.deleted" => Change::delete(object.text("id")),
        _ => None,
    }
}

fn events() -> Resource<Event> {
    list("events", "/events")
        .primary_key([Event::ID])
        .incremental(since())
        .changes("customers", reported)
}

fn start(store: &Arc<Mutex<Store>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let store = store.clone();
    serve(move |path, query| store.lock().unwrap().answer(path, query))
}

fn source(base: &str, deletes: Deletes) -> Source {
    Source::new("shop", base)
        .resource(customers(deletes))
        .resource(events())
}

fn try_run(source: &Source, into: &InMemory, names: &[&str]) -> etlgen_runtime::Result<RunReport> {
    let options = RunOptions::default().resources(names.iter().copied());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = Box::new(into.clone());
    runtime.block_on(sync(source, into, &options, Arc::new(())))
}

fn run(source: &Source, into: &InMemory) -> RunReport {
    try_run(source, into, &[]).unwrap()
}

fn number(text: &str) -> i64 {
    let value = text.split_once('[').unwrap().1;
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Returns the customers by id (their version and number of tags), and separately those marked as
/// deleted.
fn there(into: &InMemory) -> (BTreeMap<i64, (i64, usize)>, Vec<i64>) {
    let tags: Vec<String> = into
        .table("customers__tags")
        .into_values()
        .map(|row| row["_etl_root_id"].clone())
        .collect();
    let (mut there, mut marked) = (BTreeMap::new(), Vec::new());
    for (id, row) in into.table("customers") {
        let tags = tags.iter().filter(|root| **root == id).count();
        match row.contains_key("_etl_deleted_at") {
            true => marked.push(number(&row["id"])),
            false => _ = there.insert(number(&row["id"]), (number(&row["version"]), tags)),
        }
    }
    marked.sort();
    (there, marked)
}

fn expected(store: &Arc<Mutex<Store>>) -> BTreeMap<i64, (i64, usize)> {
    let store = store.lock().unwrap();
    let customers = store.customers.iter();
    customers
        .map(|(id, row)| {
            (
                *id,
                (
                    row["version"].as_i64().unwrap(),
                    row["tags"].as_array().unwrap().len(),
                ),
            )
        })
        .collect()
}

/// Makes changes: some customers are added, some change more than once, some are deleted, some of
/// them after a change, and one returns.
fn change(store: &Arc<Mutex<Store>>) {
    let mut store = store.lock().unwrap();
    for id in [2, 3, 2, 9, 3, 3] {
        store.put(id);
    }
    store.delete(4);
    store.put(5);
    store.delete(5);
    store.delete(6);
    store.put(6);
}

#[test]
fn events_change_and_remove_what_the_list_does_not_show_any_more() {
    for (deletes, oldest_first) in [
        (Deletes::Hard, false),
        (Deletes::Hard, true),
        (Deletes::Soft, false),
        (Deletes::Soft, true),
    ] {
        let store = Store::new(8);
        store.lock().unwrap().oldest_first = oldest_first;
        let (base, log) = start(&store);
        let source = source(&base, deletes);
        let into = InMemory::new(1);
        run(&source, &into);
        assert_eq!(there(&into), (expected(&store), Vec::new()));
        change(&store);
        log.lock().unwrap().clear();
        let report = run(&source, &into);
        let marked = if deletes == Deletes::Soft {
            vec![4, 5]
        } else {
            Vec::new()
        };
        assert_eq!(
            there(&into),
            (expected(&store), marked.clone()),
            "{deletes:?} {oldest_first}"
        );
        let lists = log
            .lock()
            .unwrap()
            .iter()
            .filter(|r| r.starts_with("/customers"))
            .count();
        assert_eq!(lists, 2, "only what is new, and the second before it");
        assert!(
            matches!(report.resources[0].proof, Proof::Proved(_)),
            "{report:#?}"
        );
        // Without new events nothing changes, although the last events are read again.
        run(&source, &into);
        assert_eq!(there(&into), (expected(&store), marked));
    }
}

#[test]
fn what_the_list_brings_in_the_same_run_is_newer_than_the_feed() {
    let store = Store::new(4);
    let (base, _) = start(&store);
    let source = source(&base, Deletes::Hard);
    let into = InMemory::new(1);
    run(&source, &into);
    store.lock().unwrap().put(7);
    // The feed has reported the first version of 7 and the addition of 8; then 7 changes and 8 is
    // deleted.
    store.lock().unwrap().put(8);
    store.lock().unwrap().meanwhile = Some(|store| {
        store.put(7);
        store.delete(8);
    });
    let before = into.table("events").len();
    run(&source, &into);
    assert_eq!(into.table("events").len(), before + 2);
    let (rows, _) = there(&into);
    assert_eq!(
        rows[&7],
        expected(&store)[&7],
        "an older event must not overwrite the list's row"
    );
    run(&source, &into);
    assert_eq!(there(&into).0, expected(&store));
}

#[test]
fn a_run_that_fails_at_any_commit_or_list_loses_no_change() {
    for deletes in [Deletes::Hard, Deletes::Soft] {
        for commit in 0.. {
            let store = Store::new(8);
            let (base, _) = start(&store);
            let source = source(&base, deletes);
            let into = InMemory::new(1);
            run(&source, &into);
            change(&store);
            let failed = try_run(&source, &into.failing_at(commit), &[]).is_err();
            // The data also changes between a failure and the run that continues.
            store.lock().unwrap().put(3);
            store.lock().unwrap().delete(7);
            run(&source, &into);
            let (rows, marked) = there(&into);
            assert_eq!(
                rows,
                expected(&store),
                "{deletes:?} after a failure at commit {commit}"
            );
            assert_eq!(marked.len(), if deletes == Deletes::Soft { 3 } else { 0 });
            if !failed {
                break;
            }
        }
    }
    for list in ["/customers", "/events"] {
        let store = Store::new(8);
        let (base, _) = start(&store);
        let source = source(&base, Deletes::Hard);
        let into = InMemory::new(1);
        run(&source, &into);
        change(&store);
        store.lock().unwrap().fails = Some(list);
        let report = run(&source, &into);
        let failed = |resource: &&etlgen_runtime::run::ResourceReport| {
            matches!(resource.outcome, Outcome::Failed(..))
        };
        assert_eq!(report.resources.iter().filter(failed).count(), 1);
        // Without its feed the list does not show what has changed.
        if list == "/events" {
            let Proof::Unproved(why) = &report.resources[0].proof else {
                panic!("{report:#?}")
            };
            assert!(why.contains("its feed `events`"), "{why}");
        }
        store.lock().unwrap().fails = None;
        let report = run(&source, &into);
        assert_eq!(there(&into).0, expected(&store), "{list}");
        let proof = &report.resources[0].proof;
        assert!(matches!(proof, Proof::Proved(_)), "{list} {proof:?}");
    }
}

#[test]
fn what_no_feed_tells_any_more_is_read_in_full() {
    // The feed drops events that no run has read.
    let forget = |store: &Arc<Mutex<Store>>| store.lock().unwrap().events.clear();
    let note = |report: &RunReport, why: &str| {
        let notes = &report.resources[0].notes;
        assert!(
            notes.iter().any(|note| note.contains(why)),
            "{why}: {notes:?}"
        );
    };
    let store = Store::new(8);
    let (base, log) = start(&store);
    let lists = || {
        let mut log = log.lock().unwrap();
        std::mem::take(&mut *log)
            .iter()
            .filter(|r| r.starts_with("/customers"))
            .count()
    };
    let into = InMemory::new(1);
    // A feed is added to a list that has been read.
    let alone = Source::new("shop", &base).resource(customers(Deletes::Hard));
    run(&alone, &into);
    change(&store);
    forget(&store);
    let report = run(&source(&base, Deletes::Hard), &into);
    note(&report, "its feed `events` was not read before");
    assert_eq!(there(&into).0, expected(&store));

    // The feed was last read too long ago.
    let short = || {
        Source::new("shop", &base)
            .resource(customers(Deletes::Hard))
            .resource(events().reaches_back(Duration::from_millis(20)))
    };
    change_again(&store);
    forget(&store);
    std::thread::sleep(Duration::from_millis(30));
    let report = run(&short(), &into);
    note(&report, "reaches back");
    assert_eq!(there(&into).0, expected(&store));

    // The feed was read without the list.
    change_again(&store);
    let source = source(&base, Deletes::Hard);
    try_run(&source, &into, &["events"]).unwrap();
    forget(&store);
    lists();
    let report = try_run(&source, &into, &["customers"]).unwrap();
    note(&report, "`events` was read without it");
    assert_eq!(there(&into).0, expected(&store));
    assert!(lists() > 1);
    run(&source, &into);
    assert_eq!(lists(), 1, "once is enough");
}

#[test]
fn events_of_the_same_time_need_an_order() {
    // The two events of customer 1 have the same time, and no other time shows the order of the feed.
    let load = |oldest_first: bool, declared: bool| {
        let store = Store::new(2);
        store.lock().unwrap().oldest_first = oldest_first;
        let (base, _) = start(&store);
        let events = match declared {
            true => list::<Event>("events", "/events")
                .primary_key([Event::ID])
                .incremental(match oldest_first {
                    true => since().oldest_first(),
                    false => since().newest_first(),
                })
                .changes("customers", reported),
            false => events(),
        };
        let customers = customers(Deletes::Hard);
        let source = Source::new("shop", &base)
            .resource(customers)
            .resource(events);
        let into = InMemory::new(1);
        run(&source, &into);
        {
            let mut store = store.lock().unwrap();
            store.events.clear();
            // An even number begins a second.
            store.clock = 11;
            store.put(1);
            store.put(1);
        }
        let report = run(&source, &into);
        let is_right = there(&into).0 == expected(&store);
        (report.resources[0].proof.clone(), is_right)
    };
    for oldest_first in [true, false] {
        let (proof, is_right) = load(oldest_first, true);
        assert!(matches!(proof, Proof::Proved(_)), "{proof:?}");
        assert!(is_right, "{oldest_first}");
        let (proof, _) = load(oldest_first, false);
        let Proof::Unproved(why) = &proof else {
            panic!("{proof:?}")
        };
        assert!(why.contains("which one is newer"), "{why}");
    }
}

#[test]
fn a_list_that_is_read_in_full_does_not_show_which_event_is_newer() {
    let store = Store::new(0);
    let (base, _) = start(&store);
    let source = source(&base, Deletes::Hard);
    let into = InMemory::new(1);
    let report = run(&source, &into);
    assert!(
        matches!(report.resources[0].proof, Proof::Proved(_)),
        "{report:?}"
    );
    {
        let mut store = store.lock().unwrap();
        store.clock = 11;
        store.put(1);
        store.delete(1);
    }
    // Without a last value, the list is read in full again; the customer came and went before that.
    let report = run(&source, &into);
    let Proof::Unproved(why) = &report.resources[0].proof else {
        panic!("{report:#?}")
    };
    assert!(why.contains("which one is newer"), "{why}");
}

#[test]
fn a_target_without_its_feed_shows_new_rows_only_and_is_not_proved() {
    let store = Store::new(20);
    let (base, _) = start(&store);
    let source = source(&base, Deletes::Hard);
    let into = InMemory::new(1);
    let proof = |names: &[&str]| {
        let report = try_run(&source, &into, names).unwrap();
        report.resources[0].proof.clone()
    };
    // A list that is read in full needs no feed.
    let first = proof(&["customers"]);
    assert!(matches!(first, Proof::Proved(_)), "{first:?}");
    store.lock().unwrap().put(1);
    let alone = proof(&["customers"]);
    assert_ne!(there(&into).0, expected(&store));
    let Proof::Unproved(why) = &alone else {
        panic!("{alone:?}")
    };
    assert!(why.contains("`events`"), "{why}");
    let with_feed = proof(&["customers", "events"]);
    assert!(matches!(with_feed, Proof::Proved(_)), "{with_feed:?}");
    assert_eq!(there(&into).0, expected(&store));
}

fn change_again(store: &Arc<Mutex<Store>>) {
    let mut store = store.lock().unwrap();
    let last = *store.customers.keys().last().unwrap();
    store.delete(last);
    store.put(1);
    store.put(last + 10);
}

#[test]
fn a_list_of_what_was_deleted_removes_it() {
    for (deletes, marked) in [
        (Deletes::Hard, vec![]),
        (Deletes::Soft, vec![2, 5]),
        (Deletes::Keep, vec![]),
    ] {
        let store = Store::new(6);
        let (base, _) = start(&store);
        let gone = list("deleted", "/deleted")
            .primary_key([Gone::KEY])
            .tombstones_of("customers", |gone: &Gone| gone.key);
        let source = Source::new("shop", &base)
            .resource(gone)
            .resource(customers(deletes));
        let into = InMemory::new(1);
        run(&source, &into);
        store.lock().unwrap().delete(2);
        store.lock().unwrap().delete(5);
        let report = run(&source, &into);
        let (rows, found) = there(&into);
        assert_eq!(found, marked);
        let stay = if deletes == Deletes::Keep { 6 } else { 4 };
        assert_eq!(rows.len(), stay, "{deletes:?}");
        let notes = &report.resources[1].notes;
        assert!(
            notes
                .iter()
                .any(|note| note.contains("2 records") && note.contains("deleted")),
            "{notes:?}"
        );
    }
}

#[test]
fn a_record_may_say_itself_that_it_is_gone() {
    type Declare = fn(Resource<Customer>) -> Resource<Customer>;
    let fields: [(Declare, Value); 4] = [
        (|list| list.tombstone(Customer::GONE), json!({"gone": true})),
        (
            |list| list.tombstone(Customer::GONE_AT),
            json!({"gone_at": START}),
        ),
        (
            |list| list.tombstone("state.removed"),
            json!({"state": {"removed": 1}}),
        ),
        (
            |list| list.tombstone("removed"),
            json!({"removed": "2023-11-14T22:13:20Z"}),
        ),
    ];
    for (declare, says) in fields {
        for deletes in [Deletes::Soft, Deletes::Hard, Deletes::Keep] {
            let store = Store::new(5);
            let (base, _) = start(&store);
            let changed = list("customers", "/customers")
                .primary_key([Customer::ID])
                .incremental(Cursor::updated(Customer::CREATED).param("since"))
                .deletes(deletes);
            let source = Source::new("shop", &base).resource(declare(changed));
            let into = InMemory::new(1);
            run(&source, &into);
            let touch = |id: i64, more: &Value| {
                let mut store = store.lock().unwrap();
                store.clock += 2;
                let created = START + store.clock / 2;
                let object = store.customers.get_mut(&id).unwrap();
                object["created"] = json!(created);
                for key in ["gone", "gone_at", "state", "removed"] {
                    object.as_object_mut().unwrap().remove(key);
                }
                object
                    .as_object_mut()
                    .unwrap()
                    .extend(more.as_object().unwrap().clone());
            };
            touch(2, &says);
            touch(
                3,
                &json!({"gone": false, "gone_at": null, "removed": "", "state": {"removed": 0}}),
            );
            run(&source, &into);
            let (rows, marked) = there(&into);
            let ids: Vec<i64> = rows.into_keys().collect();
            match deletes {
                Deletes::Keep => assert_eq!((ids, marked), (vec![1, 2, 3, 4, 5], vec![])),
                Deletes::Soft => assert_eq!((ids, marked), (vec![1, 3, 4, 5], vec![2])),
                Deletes::Hard => assert_eq!((ids, marked), (vec![1, 3, 4, 5], vec![])),
            }
            // A deleted record returns.
            touch(2, &json!({}));
            run(&source, &into);
            assert_eq!(there(&into).0.len(), 5);
            assert!(there(&into).1.is_empty());
        }
    }
}

#[test]
fn feeds_that_cannot_be_are_errors() {
    let (base, _) = serve(|_, _| (200, Vec::new(), "{}".into()));
    let feed = || list::<Gone>("deleted", "/deleted").primary_key([Gone::KEY]);
    let tells = |feed: Resource<Gone>| feed.tombstones_of("customers", |gone: &Gone| gone.key);
    let with = |feed: Resource<Gone>| Source::new("s", &base).resource(feed);
    let list = || customers(Deletes::Hard);
    let child = list().child_of("deleted", |gone: &Gone, request| {
        request.query("x", gone.key)
    });
    let compound = list().primary_key([Customer::ID, Customer::VERSION]);
    for (source, message) in [
        (with(tells(feed())), "does not exist"),
        (
            with(tells(feed()).primary_key([Gone::KEY; 0])).resource(list()),
            "needs a key",
        ),
        (with(tells(feed())).resource(child), "is a child"),
        (with(tells(feed())).resource(compound), "key of one field"),
        (
            with(tells(feed())).resource(list()).resource(events()),
            "two feeds",
        ),
    ] {
        let error = try_run(&source, &InMemory::new(1), &[]).unwrap_err();
        assert!(error.report().contains(message), "{message}: {error}");
    }
}
