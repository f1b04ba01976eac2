//! Tests of records that the API no longer has: they are deleted only if a complete pass proves it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, RunReport, sync};
use serde_json::{Value, json};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    made: Option<UnixTime>,
    tags: Option<Vec<i64>>,
}

/// The data: parents, and the children of each.
type Stock = Arc<Mutex<BTreeMap<i64, Vec<i64>>>>;

fn stock() -> Stock {
    let children = |parent: i64| (1..=4).map(|n| parent * 10 + n).collect();
    Arc::new(Mutex::new((1..=5).map(|n| (n, children(n))).collect()))
}

/// Serves `/parents` and `/children?parent=` in pages of two; `fails` replaces a page by a status.
fn api(
    stock: &Stock,
    fails: fn(&str, &BTreeMap<String, String>) -> Option<u16>,
) -> impl Fn(&str, &BTreeMap<String, String>) -> Answer + Send + Sync + use<> {
    let stock = stock.clone();
    move |path, query| {
        if let Some(status) = fails(path, query) {
            return (status, Vec::new(), "{}".into());
        }
        let stock = stock.lock().unwrap();
        let number = |name: &str| query.get(name).map_or(0, |text| text.parse().unwrap());
        let ids: Vec<i64> = match path {
            "/parents" => stock.keys().copied().collect(),
            _ => match stock.get(&number("parent")) {
                Some(children) => children.clone(),
                None => return (404, Vec::new(), "{}".into()),
            },
        };
        let row = |id: &i64| json!({"id": id, "made": 1_700_000_000 + id, "tags": [1, 2]});
        let since = number("since");
        let rest: Vec<Value> = ids
            .iter()
            .filter(|id| **id > number("after") && 1_700_000_000 + **id >= since)
            .map(row)
            .collect();
        let page = &rest[..rest.len().min(2)];
        let body = json!({"data": page, "more": rest.len() > 2});
        (200, Vec::new(), body.to_string())
    }
}

fn never(_: &str, _: &BTreeMap<String, String>) -> Option<u16> {
    None
}

fn list(name: &str, path: &str, deletes: Deletes) -> Resource<Item> {
    Item::list(name, path)
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::last_id("after").more("more"))
        .deletes(deletes)
}

fn source(base: &str, deletes: Deletes) -> Source {
    Source::new("stock", base)
        .resource(list("parents", "/parents", deletes))
        .resource(
            list("children", "/children", deletes).child_of("parents", |parent: &Item, request| {
                request.query("parent", parent.id)
            }),
        )
}

fn run(source: &Source, into: &InMemory, options: &RunOptions) -> RunReport {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = Box::new(into.clone());
    runtime
        .block_on(sync(source, into, options, Arc::new(())))
        .unwrap()
}

/// Returns the ids of the records, with a `-` after those that are marked as deleted.
fn ids(into: &InMemory, table: &str) -> Vec<String> {
    let number = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let rows = into.table(table).into_values();
    let mut ids: Vec<String> = rows
        .map(|row| {
            let id = row["id"].split_once('[').unwrap().1.to_owned();
            let mark = if row.contains_key("_etl_deleted_at") {
                "-"
            } else {
                ""
            };
            format!("{}{mark}", number(&id))
        })
        .collect();
    ids.sort();
    ids
}

fn lose(stock: &Stock) {
    let mut stock = stock.lock().unwrap();
    stock.remove(&2);
    stock.get_mut(&1).unwrap().retain(|id| *id != 13);
}

#[test]
fn what_is_gone_stays_is_marked_or_goes_as_the_owner_wants() {
    for (deletes, parents, children) in [
        (
            Deletes::Keep,
            vec!["1", "2", "3"],
            vec!["11", "12", "13", "14", "21"],
        ),
        (
            Deletes::Soft,
            vec!["1", "2-", "3"],
            vec!["11", "12", "13-", "14", "21-"],
        ),
        (
            Deletes::Hard,
            vec!["1", "3", "4"],
            vec!["11", "12", "14", "31", "32"],
        ),
    ] {
        let stock = stock();
        let (base, _) = serve(api(&stock, never));
        let source = source(&base, deletes);
        let into = InMemory::new(1);
        run(&source, &into, &RunOptions::default());
        assert_eq!(ids(&into, "children").len(), 20);
        lose(&stock);
        run(&source, &into, &RunOptions::default());
        assert_eq!(ids(&into, "parents")[..3], parents, "{deletes:?}");
        assert_eq!(ids(&into, "children")[..5], children, "{deletes:?}");
        let tags = into.table("children__tags").len();
        assert_eq!(tags, ids(&into, "children").len() * 2, "{deletes:?}");
        // A deleted record returns.
        stock.lock().unwrap().insert(2, vec![21, 22, 23, 24]);
        run(&source, &into, &RunOptions::default());
        assert_eq!(ids(&into, "parents"), ["1", "2", "3", "4", "5"]);
    }
}

#[test]
fn nothing_goes_unless_a_whole_reading_proves_it() {
    type Fails = fn(&str, &BTreeMap<String, String>) -> Option<u16>;
    let full = RunOptions::default();
    let limited = RunOptions::default().limit(3);
    let since = RunOptions::default().since("2023-11-14T22:13:23Z");
    let slice: Fails = |_, query| (query.get("parent")? == "3").then_some(418);
    let list_of_parents: Fails =
        |path, query| (path == "/parents" && query.contains_key("after")).then_some(418);
    let cases: [(&str, &RunOptions, Fails); 4] = [
        ("a limit", &limited, never),
        ("a window", &since, never),
        ("a failed slice", &full, slice),
        ("a failed parent", &full, list_of_parents),
    ];
    for (case, options, fails) in cases {
        let stock = stock();
        let (base, _) = serve(api(&stock, never));
        let (failing, _) = serve(api(&stock, fails));
        let windowed = |base: &str| {
            let parents = list("parents", "/parents", Deletes::Hard)
                .incremental(Cursor::created(Item::MADE).param("since"));
            let children = list("children", "/children", Deletes::Hard)
                .child_of("parents", |parent: &Item, request| {
                    request.query("parent", parent.id)
                });
            Source::new("stock", base)
                .resource(parents)
                .resource(children)
        };
        let into = InMemory::new(1);
        run(&windowed(&base), &into, &full);
        lose(&stock);
        run(&windowed(&failing), &into, options);
        let children = ids(&into, "children");
        assert!(
            children.contains(&"13".into()) && children.contains(&"21".into()),
            "{case}"
        );
        assert!(
            case == "a failed slice" || ids(&into, "parents").len() == 5,
            "{case}"
        );
        run(&windowed(&base), &into, &full);
        run(&windowed(&base), &into, &full);
        assert_eq!(ids(&into, "children").len(), 15, "{case}");
        assert_eq!(ids(&into, "parents").len(), 4, "{case}");
    }
}

#[test]
fn lists_that_do_not_prove_their_end_or_show_only_changes_keep_all() {
    let unproved = |resource: Resource<Item>| {
        resource.paginate(Paginator::token("token", "nowhere").page_size("limit", 2))
    };
    let changes =
        |resource: Resource<Item>| resource.incremental(Cursor::updated(Item::MADE).param("since"));
    let strict =
        |resource: Resource<Item>| resource.contract(Contract::evolve().columns(Mode::DiscardRow));
    let variants: [&dyn Fn(Resource<Item>) -> Resource<Item>; 3] = [&unproved, &changes, &strict];
    for (number, variant) in variants.into_iter().enumerate() {
        let stock = stock();
        let (base, _) = serve(api(&stock, never));
        let source = Source::new("stock", &base).resource(variant(list(
            "parents",
            "/parents",
            Deletes::Hard,
        )));
        let into = InMemory::new(1);
        run(&source, &into, &RunOptions::default());
        let before = ids(&into, "parents");
        assert!(!before.is_empty());
        stock.lock().unwrap().remove(&2);
        let report = run(&source, &into, &RunOptions::default());
        let after = ids(&into, "parents");
        assert!(
            before.iter().all(|id| after.contains(id)),
            "{number}: {after:?}"
        );
        if number > 0 {
            let notes = &report.resources[0].notes;
            assert!(
                notes.iter().any(|n| n.contains("deleted records are kept")),
                "{notes:?}"
            );
        }
    }
}
