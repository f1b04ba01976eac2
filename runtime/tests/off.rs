//! Tests of resources that are off: a run reads them only if they are named, and reports them.

use std::sync::Arc;

use crate::support::{InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, RunReport, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

/// Returns `shops`, with the children `orders`, with the children `notes`; and `items`. The shops
/// are off.
fn source(base: &str) -> Source {
    let child = |name: &str, path: &str, parent: &str| {
        Item::list(name, path)
            .child_of(parent, |parent: &Item, request| {
                request.path("id", parent.id)
            })
            .primary_key([Item::ID])
    };
    Source::new("store", base)
        .resource(
            Item::list("shops", "/shops")
                .primary_key([Item::ID])
                .off("it may start something"),
        )
        .resource(child("orders", "/shops/{id}/orders", "shops"))
        .resource(child("notes", "/orders/{id}/notes", "orders"))
        .resource(Item::list("items", "/items").primary_key([Item::ID]))
}

async fn run(names: &[&str]) -> (RunReport, Vec<String>, InMemory) {
    let (base, log) = serve(|_, _| (200, Vec::new(), r#"[{"id": 1}]"#.into()));
    let memory = InMemory::new(10);
    let options = RunOptions::default().resources(names.iter().copied());
    let source = source(&base);
    let report = sync(&source, Box::new(memory.clone()), &options, Arc::new(()));
    let report = report.await.unwrap();
    let mut asked = log.lock().unwrap().clone();
    asked.sort();
    (report, asked, memory)
}

#[tokio::test]
async fn a_plain_run_leaves_out_what_is_off_and_what_depends_on_it() {
    let (report, asked, memory) = run(&[]).await;
    assert_eq!(asked, ["/items"]);
    assert!(report.is_complete());
    let read: Vec<&str> = report.resources.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(read, ["items"]);
    let off = report
        .off
        .iter()
        .map(|off| (off.name.as_str(), off.reason.as_str()));
    let off: Vec<_> = off.collect();
    let above = "its parent `shops` is off";
    assert_eq!(
        off,
        [
            ("shops", "it may start something"),
            ("orders", above),
            ("notes", above)
        ]
    );
    let json = report.to_json();
    assert_eq!(json["off"][0]["reason"], "it may start something");
    assert!(
        json["off"][1]["settle"]
            .as_str()
            .unwrap()
            .contains("--resources orders")
    );
    assert_eq!(memory.tables().keys().collect::<Vec<_>>(), ["items"]);
}

#[tokio::test]
async fn what_is_off_is_read_if_it_is_named() {
    let (report, asked, memory) = run(&["shops"]).await;
    assert_eq!(asked, ["/shops"]);
    assert!(report.off.is_empty());
    assert_eq!(memory.table("shops").len(), 1);
}

#[tokio::test]
async fn a_parent_that_is_off_is_read_for_a_child_that_is_named() {
    let (report, asked, memory) = run(&["orders"]).await;
    assert_eq!(asked, ["/shops", "/shops/1/orders"]);
    assert!(report.is_complete());
    assert_eq!(memory.tables().keys().collect::<Vec<_>>(), ["orders"]);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_read_under_its_name_either() {
    let (base, log) = serve(|_, _| (200, Vec::new(), r#"[{"id": 1}]"#.into()));
    let why = "its request needs a body of the type `text/xml`";
    let list = Item::list("searches", "/searches")
        .post()
        .primary_key([Item::ID]);
    let source = Source::new("store", &base).resource(list.unsendable(why));
    let run = |options: RunOptions| {
        let into = Box::new(InMemory::new(10));
        let source = source.clone();
        async move { sync(&source, into, &options, Arc::new(())).await.unwrap() }
    };
    let plain = run(RunOptions::default()).await;
    assert_eq!(
        (plain.off[0].reason.as_str(), plain.resources.len()),
        (why, 0)
    );
    assert!(
        !plain.off[0].settle.contains("--resources"),
        "{:?}",
        plain.off
    );
    let named = run(RunOptions::default().resources(["searches"])).await;
    let Outcome::Failed(_, said) = &named.resources[0].outcome else {
        panic!("{named:?}")
    };
    assert!(said.contains(why), "{said}");
    assert!(log.lock().unwrap().is_empty());
}
