//! Tests of children and their parents: the slices that a run reads, whatever happened to the
//! previous run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, RunOptions, RunReport, sync};
use serde_json::{Value, json};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    version: Option<i64>,
    updated: Option<UnixTime>,
}

const START: i64 = 1_700_000_000;

/// Six shops with two orders each, with two notes each; a change below increases the version.
#[derive(Default)]
struct Store {
    /// The time of a shop's last change, and the number of changes.
    shops: BTreeMap<i64, (i64, i64)>,
    /// Lists that are answered with 418.
    fails: Vec<String>,
}

impl Store {
    fn new() -> Arc<Mutex<Store>> {
        let shops = (1..=6).map(|id| (id, (START + id, 0))).collect();
        Arc::new(Mutex::new(Store {
            shops,
            fails: Vec::new(),
        }))
    }

    fn touch(&mut self, shop: i64) {
        let latest = self.shops.values().map(|(time, _)| *time).max().unwrap();
        let (time, version) = self.shops.get_mut(&shop).unwrap();
        (*time, *version) = (latest + 1, *version + 1);
    }

    fn answer(&self, path: &str, query: &BTreeMap<String, String>) -> Answer {
        if self.fails.iter().any(|fails| fails == path) {
            return (418, Vec::new(), "{}".into());
        }
        let number = |name: &str| query.get(name).map_or(0, |text| text.parse().unwrap());
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut rows: Vec<(i64, i64, i64)> = match parts[..] {
            ["shops"] => {
                let shops = self.shops.iter();
                shops
                    .map(|(id, (time, version))| (*id, *version, *time))
                    .collect()
            }
            ["shops", shop, "orders"] => {
                let shop: i64 = shop.parse().unwrap();
                let version = self.shops[&shop].1;
                (1..=2).map(|n| (shop * 10 + n, version, START)).collect()
            }
            ["shops", shop, "orders", order, "notes"] => {
                let (shop, order): (i64, i64) = (shop.parse().unwrap(), order.parse().unwrap());
                let version = self.shops[&shop].1;
                (1..=2).map(|n| (order * 10 + n, version, START)).collect()
            }
            _ => return (404, Vec::new(), "{}".into()),
        };
        rows.retain(|(_, _, time)| *time >= number("since"));
        rows.sort_by_key(|(_, _, time)| *time);
        let after = number("after");
        let start = rows
            .iter()
            .position(|(id, ..)| *id == after)
            .map_or(0, |at| at + 1);
        let rest: Vec<Value> = rows[start..]
            .iter()
            .map(|(id, version, time)| json!({"id": id, "version": version, "updated": time}))
            .collect();
        let page = &rest[..rest.len().min(1)];
        let body = json!({"data": page, "more": rest.len() > 1});
        (200, Vec::new(), body.to_string())
    }
}

fn list(name: &str, path: &str) -> Resource<Item> {
    Item::list(name, path)
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::last_id("after").more("more"))
}

fn source(base: &str) -> Source {
    let orders = list("orders", "/shops/{shop}/orders")
        .child_of("shops", |shop: &Item, request| {
            request
                .path("shop", shop.id)
                .copy("shop_version", shop.version)
        })
        .of_changed_parents()
        .deletes(Deletes::Hard);
    let notes = list("notes", "/shops/{shop}/orders/{order}/notes")
        .child_of("orders", |order: &Item, request| {
            request.inherit("shop").path("order", order.id)
        })
        .of_changed_parents();
    Source::new("shops", base)
        .resource(
            list("shops", "/shops").incremental(Cursor::updated(Item::UPDATED).param("since")),
        )
        .resource(orders)
        .resource(notes)
}

fn run(source: &Source, into: &InMemory) -> etlgen_runtime::Result<RunReport> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = Box::new(into.clone());
    runtime.block_on(sync(source, into, &RunOptions::default(), Arc::new(())))
}

fn start(store: &Arc<Mutex<Store>>) -> (Source, Arc<Mutex<Vec<String>>>) {
    let store = store.clone();
    let (base, log) = serve(move |path, query| store.lock().unwrap().answer(path, query));
    (source(&base), log)
}

/// Returns the requests for children, by path, since the last call.
fn asked(log: &Mutex<Vec<String>>) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in std::mem::take(&mut *log.lock().unwrap()) {
        let path = request.split('?').next().unwrap();
        if path != "/shops" {
            *asked.entry(path.to_owned()).or_default() += 1;
        }
    }
    asked
}

/// Returns the versions in a table by id.
fn versions(into: &InMemory, table: &str) -> BTreeMap<i64, i64> {
    let number = |text: &str| -> i64 {
        let value = text.split_once('[').unwrap().1;
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    let rows = into.table(table).into_values();
    rows.map(|row| (number(&row["id"]), number(&row["version"])))
        .collect()
}

fn assert_whole(store: &Arc<Mutex<Store>>, into: &InMemory, case: &str) {
    let store = store.lock().unwrap();
    let shops: BTreeMap<i64, i64> = store.shops.iter().map(|(id, (_, v))| (*id, *v)).collect();
    let below = |above: &BTreeMap<i64, i64>| -> BTreeMap<i64, i64> {
        let pairs = above.iter();
        pairs
            .flat_map(|(id, v)| [(id * 10 + 1, *v), (id * 10 + 2, *v)])
            .collect()
    };
    let orders = below(&shops);
    assert_eq!(versions(into, "shops"), shops, "{case}");
    assert_eq!(versions(into, "orders"), orders, "{case}");
    assert_eq!(versions(into, "notes"), below(&orders), "{case}");
}

#[test]
fn only_the_children_of_changed_parents_are_read() {
    let store = Store::new();
    let (source, log) = start(&store);
    let into = InMemory::new(1);
    run(&source, &into).unwrap();
    assert_eq!(asked(&log).len(), 6 + 12);
    assert_whole(&store, &into, "at first");
    store.lock().unwrap().touch(2);
    store.lock().unwrap().touch(5);
    let report = run(&source, &into).unwrap();
    // The shop at the cursor's own value is read again.
    let paths: Vec<String> = asked(&log).into_keys().collect();
    let of = |shop: &str| {
        paths
            .iter()
            .filter(|path| path.starts_with(&format!("/shops/{shop}/")))
            .count()
    };
    assert_eq!([of("2"), of("5"), of("6")], [3, 3, 3], "{paths:#?}");
    assert_eq!(paths.len(), 9);
    assert_whole(&store, &into, "after a change");
    let copied = into.table("orders").into_values();
    let copied: Vec<String> = copied.map(|row| row["shop_version"].clone()).collect();
    assert_eq!(copied.iter().filter(|version| **version == "1").count(), 4);
    // Records that were not read are not deleted.
    let notes = &report.resources[1].notes;
    assert!(
        notes
            .iter()
            .any(|note| note.contains("parents that have changed")),
        "{notes:?}"
    );
}

#[test]
fn no_failure_loses_the_children_of_a_changed_parent() {
    let whole = || {
        let store = Store::new();
        let (source, log) = start(&store);
        let into = InMemory::new(3);
        run(&source, &into).unwrap();
        store.lock().unwrap().touch(2);
        store.lock().unwrap().touch(5);
        (store, source, log, into)
    };
    for commit in 0.. {
        let (store, source, _, into) = whole();
        let failed = run(&source, &into.failing_at(commit)).is_err();
        run(&source, &into).unwrap();
        assert_whole(&store, &into, &format!("commit {commit}"));
        if !failed {
            break;
        }
    }
    // One list fails for a while, and what was read before it changes in the meantime.
    for fails in [
        "/shops/5/orders",
        "/shops/5/orders/52/notes",
        "/shops/2/orders/21/notes",
    ] {
        let (store, source, log, into) = whole();
        store.lock().unwrap().fails = vec![fails.to_owned()];
        run(&source, &into).unwrap();
        store.lock().unwrap().touch(2);
        store.lock().unwrap().touch(3);
        run(&source, &into).unwrap();
        store.lock().unwrap().fails.clear();
        run(&source, &into).unwrap();
        assert_whole(&store, &into, fails);
        asked(&log);
        run(&source, &into).unwrap();
        let paths = asked(&log);
        // Shop 2 changed a second before shop 3.
        let is_last =
            |path: &String| path.starts_with("/shops/2/") || path.starts_with("/shops/3/");
        assert!(paths.keys().all(is_last), "{paths:#?}");
    }
}

#[test]
fn children_that_a_run_left_out_are_read_for_all_parents() {
    let store = Store::new();
    let (source, _) = start(&store);
    let into = InMemory::new(1);
    run(&source, &into).unwrap();
    let only = |names: &[&str]| {
        let options = RunOptions::default().resources(names.iter().copied());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let into = Box::new(into.clone());
        runtime
            .block_on(sync(&source, into, &options, Arc::new(())))
            .unwrap()
    };
    for left_out in [&["shops"][..], &["shops", "orders"]] {
        for shop in 1..=6 {
            store.lock().unwrap().touch(shop);
        }
        only(left_out);
        run(&source, &into).unwrap();
        assert_whole(&store, &into, &format!("{left_out:?}"));
    }
}

#[test]
fn a_slice_that_several_parents_lead_to_is_read_once() {
    let store = Store::new();
    let served = store.clone();
    let (base, log) = serve(move |path, query| served.lock().unwrap().answer(path, query));
    let halves =
        list("orders", "/shops/{shop}/orders").child_of("shops", |shop: &Item, request| {
            request
                .path("shop", shop.id.map(|id| id % 2 + 1))
                .copy("of", shop.id)
        });
    let source = Source::new("shops", &base)
        .resource(list("shops", "/shops"))
        .resource(halves);
    let into = InMemory::new(1);
    run(&source, &into).unwrap();
    let asked = asked(&log);
    assert_eq!(
        asked.keys().collect::<Vec<_>>(),
        ["/shops/1/orders", "/shops/2/orders"]
    );
    assert_eq!(into.table("orders").len(), 4);
}

/// Loads twelve shops in two pages, with one child each and one child of that; the second page and
/// the children of a shop take a minute.
fn three_levels(kill_at: Option<usize>) -> (RunReport, InMemory) {
    use crate::support::{an_hour_later, asked, page, run_by};
    use etlgen_runtime::world::{
        BoxFuture, Clock, Transport, VirtualClock, WireError, WireRequest, WireResponse, World,
    };
    use std::time::Duration;

    struct Api(VirtualClock);

    impl Transport for Api {
        fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
            Box::pin(async move {
                let parts: Vec<&str> = request.url().path().split('/').skip(1).collect();
                let after: i64 = asked(&request, "after").parse().unwrap_or(0);
                let slow = after > 0 || parts.len() == 3;
                self.0
                    .sleep(Duration::from_secs(if slow { 60 } else { 1 }))
                    .await;
                let (rows, next) = match parts.len() {
                    1 => (
                        (after + 1..=after + 6).collect(),
                        (after < 6).then_some("6"),
                    ),
                    _ => (vec![parts[parts.len() - 2].parse().unwrap()], None),
                };
                let rows: Vec<Value> = rows.into_iter().map(|id: i64| json!({"id": id})).collect();
                Ok(page(json!({"data": rows, "next": next})))
            })
        }
    }

    let clock = VirtualClock::new(std::time::UNIX_EPOCH + Duration::from_secs(START as u64));
    let list = |name: &str, path: &str| {
        Item::list(name, path)
            .records("data")
            .primary_key([Item::ID])
            .paginate(Paginator::token("after", "next"))
    };
    let source = Source::new("levels", "https://api.example")
        .world(World::simulated(Api(clock.clone()), clock.clone(), 1))
        .resource(list("shops", "/shops"))
        .resource(
            list("orders", "/shops/{shop}/orders").child_of("shops", |shop: &Item, request| {
                request.path("shop", shop.id)
            }),
        )
        .resource(
            list("notes", "/shops/{shop}/orders/{order}/notes")
                .child_of("orders", |order: &Item, request| {
                    request.inherit("shop").path("order", order.id)
                }),
        );
    let into = InMemory::new(1);
    let options = RunOptions::default();
    if let Some(commit) = kill_at {
        let _ = run_by(&clock, &source, &into.failing_at(commit), &options);
        an_hour_later(&clock);
    }
    (run_by(&clock, &source, &into, &options).unwrap(), into)
}

#[test]
fn a_kill_between_the_first_commits_of_three_levels_loses_nothing() {
    for kill_at in [None].into_iter().chain((0..12).map(Some)) {
        let (report, into) = three_levels(kill_at);
        assert!(report.is_complete(), "{kill_at:?}: {report:?}");
        let rows = ["shops", "orders", "notes"].map(|table| into.table(table).len());
        assert_eq!(rows, [12, 12, 12], "{kill_at:?}");
    }
}

/// Loads three items whose child lists named by `missing` are answered with 404 from the second run
/// on.
fn with_missing(missing: &'static [&'static str], keyed: bool) -> (Vec<RunReport>, InMemory) {
    use crate::support::{an_hour_later, page, run_by, simulated};
    use etlgen_runtime::world::WireResponse;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    let later = Arc::new(AtomicBool::new(false));
    let is_later = later.clone();
    let (world, clock) = simulated(START as u64, move |request| {
        let path = request.url().path();
        Ok(match path.split('/').nth(2) {
            None => page(json!([{"id": 1}, {"id": 2}, {"id": 3}])),
            Some(item) if is_later.load(Relaxed) && missing.contains(&item) => {
                WireResponse::new(404)
            }
            Some(item) => page(json!([{"id": item.parse::<i64>().unwrap() * 10}])),
        })
    });
    let parts = Item::list("parts", "/items/{item}/parts")
        .child_of("items", |item: &Item, request| {
            request.path("item", item.id)
        });
    // Without a key, each pass replaces all rows.
    let parts = match keyed {
        true => parts.primary_key([Item::ID]).deletes(Deletes::Hard),
        false => parts,
    };
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(Item::list("items", "/items").primary_key([Item::ID]))
        .resource(parts);
    let into = InMemory::new(1);
    let run = || {
        an_hour_later(&clock);
        run_by(&clock, &source, &into, &RunOptions::default()).unwrap()
    };
    let first = run();
    later.store(true, Relaxed);
    (vec![first, run(), run()], into)
}

#[test]
fn a_list_that_is_not_found_below_a_parent_that_is_there_is_not_gone() {
    let (reports, into) = with_missing(&["2"], true);
    for report in &reports[1..] {
        let parts = &report.resources[1];
        assert!(matches!(parts.outcome, Outcome::Complete), "{report:?}");
        assert!(matches!(parts.proof, Proof::Unproved(_)), "{report:?}");
        assert_eq!(parts.skipped, [(404, 1)]);
        let notes = parts.notes.join("\n");
        assert!(notes.contains("although the parent exists"), "{notes}");
        assert!(!notes.contains("no longer exists"), "{notes}");
    }
    assert_eq!(into.table("parts").len(), 3);
}

/// Checks that the children fail each time, with that message, and that their rows stay.
fn assert_fails_each_time(missing: &'static [&'static str], keyed: bool, said: &str) {
    let (reports, into) = with_missing(missing, keyed);
    assert!(reports[0].is_complete(), "{:?}", reports[0]);
    for report in &reports[1..] {
        let Outcome::Failed(_, message) = &report.resources[1].outcome else {
            panic!("{report:?}")
        };
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(into.table("parts").len(), 3);
}

#[test]
fn lists_that_are_all_not_found_are_a_failure_each_time() {
    assert_fails_each_time(&["1", "2", "3"], true, "all 3 lists were answered 404");
}

#[test]
fn lists_that_are_all_not_found_are_a_failure_in_a_run_that_goes_on_too() {
    use crate::support::{page, run_by, simulated};
    use etlgen_runtime::world::{WireRequest, WireResponse};

    // The lists of the first items are there.
    for there in [0, 2] {
        let (world, clock) = simulated(1_700_000_000, move |request: &WireRequest| {
            let item = request.url().path().split('/').nth(2).map(str::to_owned);
            Ok(match item.map(|item| item.parse::<i64>().unwrap()) {
                None => page(json!(
                    (1..=9).map(|id| json!({"id": id})).collect::<Vec<_>>()
                )),
                Some(item) if item <= there => page(json!([{"id": item}])),
                Some(_) => WireResponse::new(404),
            })
        });
        let parts = Item::list("parts", "/items/{item}/parts")
            .child_of("items", |item: &Item, request| {
                request.path("item", item.id)
            })
            .primary_key([Item::ID]);
        let source = Source::new("s", "https://api.example")
            .world(world)
            .resource(Item::list("items", "/items").primary_key([Item::ID]))
            .resource(parts);
        for kill_at in 1..6 {
            let into = InMemory::new(1);
            let options = RunOptions::default().checkpoint_rows(1);
            let killed = run_by(&clock, &source, &into.failing_at(kill_at), &options);
            let report = run_by(&clock, &source, &into, &options).unwrap();
            let failed = matches!(report.resources[1].outcome, Outcome::Failed(..));
            assert_eq!(
                failed,
                there == 0,
                "{kill_at} {}: {report:?}",
                killed.is_err()
            );
        }
    }
}

#[test]
fn a_pass_that_replaces_all_rows_is_not_published_without_the_lists_that_are_not_found() {
    assert_fails_each_time(&["2"], false, "1 of 3 lists were answered 404");
}

#[test]
fn an_empty_list_among_others_deletes_its_rows_and_nothing_but_empty_lists_deletes_none() {
    use crate::support::{an_hour_later, page, run_by, simulated};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let (world, clock) = simulated(START as u64, move |request| {
        let run = count.load(Relaxed);
        Ok(page(match request.url().path() {
            "/items" => json!([{"id": 1}, {"id": 2}]),
            "/items/1/parts" if run == 0 => json!([{"id": 10}]),
            "/items/2/parts" if run < 2 => json!([{"id": 20}]),
            _ => json!([]),
        }))
    });
    let parts = Item::list("parts", "/items/{item}/parts")
        .primary_key([Item::ID])
        .deletes(Deletes::Hard)
        .child_of("items", |item: &Item, request| {
            request.path("item", item.id)
        });
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(Item::list("items", "/items").primary_key([Item::ID]))
        .resource(parts);
    let into = InMemory::new(1);
    for (run, left) in [(0, 2), (1, 1), (2, 1)] {
        runs.store(run, Relaxed);
        an_hour_later(&clock);
        let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        assert_eq!(into.table("parts").len(), left, "{run}");
        let kept = report.resources[1].notes.join("\n");
        assert_eq!(kept.contains("are kept"), run == 2, "{kept}");
    }
}

#[derive(Record)]
struct Wide {
    id: Option<i64>,
    one: Option<i64>,
    two: Option<i64>,
    three: Option<i64>,
}

#[test]
fn a_table_that_is_too_wide_costs_its_own_resource_only() {
    use crate::support::{an_hour_later, page, run_by, simulated};

    let (world, clock) = simulated(START as u64, |request| {
        Ok(page(match request.url().path() {
            "/wide" => json!([{"id": 1, "one": 1, "two": 2, "three": 3}]),
            _ => json!([{"id": 1, "a": 1, "b": 2, "c": {"d": 3}, "e": 4}]),
        }))
    });
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(Wide::list("wide", "/wide").primary_key([Wide::ID]))
        .resource(Narrow::list("narrow", "/narrow").primary_key([Narrow::ID]));
    let into = InMemory::new(1);
    // The id, the load and four of its own columns are one too many.
    let narrow = into.with_columns(5);
    let report = run_by(&clock, &source, &narrow, &RunOptions::default()).unwrap();
    let Outcome::Failed(kind, message) = &report.resources[0].outcome else {
        panic!("{report:?}")
    };
    assert_eq!(kind.name(), "contract");
    assert!(message.contains("`wide` would get 6 columns"), "{message}");
    assert!(
        matches!(report.resources[1].outcome, Outcome::Complete),
        "{report:?}"
    );
    let rows = into.table("narrow");
    let row = rows.values().next().unwrap();
    assert!(row["other_keys"].contains(r#""e":4"#), "{row:?}");
    assert!(into.table("wide").is_empty());
    // The state does not claim that its rows are loaded.
    an_hour_later(&clock);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(into.table("wide").len(), 1);
}

#[derive(Record)]
struct Narrow {
    id: Option<i64>,
}

#[derive(Record)]
struct Branch {
    name: Option<String>,
}

#[test]
fn a_parent_whose_name_cannot_be_in_a_path_keeps_no_other_list_from_being_read() {
    use crate::support::{page, run_by, simulated};

    let (world, clock) = simulated(START as u64, |request| {
        let path = request.url().path();
        Ok(match path.strip_prefix("/branches/") {
            None => page(
                ["..", "main", ".", "a/b", "", "..."]
                    .iter()
                    .map(|name| json!({"name": name}))
                    .collect(),
            ),
            Some("main/items") => page(json!([{"id": 1}])),
            Some("a%2Fb/items") => page(json!([{"id": 2}])),
            Some(".../items") => page(json!([{"id": 3}])),
            Some(path) => panic!("{path}"),
        })
    });
    let items = Item::list("items", "/branches/{branch}/items")
        .primary_key([Item::ID])
        .deletes(Deletes::Hard)
        .child_of("branches", |branch: &Branch, request| {
            request.path("branch", branch.name.as_deref().map(str::to_owned))
        });
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(Branch::list("branches", "/branches").primary_key([Branch::NAME]))
        .resource(items);
    let into = InMemory::new(1);
    for _ in 0..2 {
        let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        let items = &report.resources[1];
        assert!(matches!(items.outcome, Outcome::Complete), "{items:?}");
        assert!(matches!(items.proof, Proof::Unproved(_)), "{items:?}");
        let notes = items.notes.join("\n");
        assert!(
            notes.contains("3 lists not read: a value of the parent"),
            "{notes}"
        );
        assert!(notes.contains("are kept"), "{notes}");
        assert_eq!(into.table("items").len(), 3);
        crate::support::an_hour_later(&clock);
    }
}
