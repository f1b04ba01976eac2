//! Tests of the grades of resources that depend on others: children, which are found in the records
//! of their parent, and the targets of feeds.

use crate::support::{InMemory, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Proof, RunOptions};
use serde_json::{Value, json};

#[derive(Record)]
struct Thing {
    id: Option<i64>,
}

fn list(name: &str, path: &str) -> Resource<Thing> {
    Thing::list(name, path)
        .records("data")
        .primary_key([Thing::ID])
        .paginate(Paginator::token("token", "next"))
}

/// Loads shops, their orders and the notes of these, whose own lists are proved; the list of the
/// shops has this body. Returns the proofs by resource.
fn proofs(shops: Value) -> [Proof; 3] {
    let (world, clock) = simulated(1_000, move |request| {
        let parts: Vec<&str> = request.url().path().trim_matches('/').split('/').collect();
        let id = |part: &str| part.parse::<u64>().unwrap_or_default();
        Ok(page(match parts[..] {
            ["shops"] => shops.clone(),
            ["shops", shop, "orders"] => json!({"data": [{"id": id(shop) * 10}], "total": 1}),
            _ => json!({"data": [{"id": id(parts[1]) * 100}], "total": 1}),
        }))
    });
    let orders = list("orders", "/shops/{shop}/orders")
        .child_of("shops", |shop: &Thing, request| {
            request.path("shop", shop.id)
        });
    let notes = list("notes", "/orders/{order}/notes")
        .child_of("orders", |order: &Thing, request| {
            request.path("order", order.id)
        });
    let source = Source::new("club", "https://api.example")
        .world(world)
        .resource(list("shops", "/shops").paginate(Paginator::single()))
        .resource(orders)
        .resource(notes);
    let into = InMemory::new(1_000);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    let proof = |at: usize| report.resources[at].proof.clone();
    [proof(0), proof(1), proof(2)]
}

fn rows(count: u64) -> Vec<Value> {
    (1..=count).map(|id| json!({ "id": id })).collect()
}

#[test]
fn the_children_of_parents_that_may_be_missing_are_no_better_proved_than_these() {
    for (shops, grade) in [
        (json!({"data": rows(3), "total": 3}), "proved"),
        (json!({"data": rows(3)}), "assumed"),
        // Nothing shows that the list does not go on.
        (json!({"data": rows(20)}), "unproved"),
        (
            json!({"data": rows(3), "total": 3, "partial": true}),
            "unproved",
        ),
        (json!({"data": [], "total": 0}), "proved"),
        (json!({"data": []}), "assumed"),
    ] {
        let [shops, orders, notes] = proofs(shops);
        assert_eq!(shops.grade(), grade, "{shops:?}");
        for (proof, of) in [(&orders, "shops"), (&notes, "orders")] {
            assert_eq!(proof.grade(), grade, "{proof:?}");
            let why = proof.why().unwrap_or_default();
            let is_told = why.starts_with(&format!("its parent `{of}`: "));
            assert_eq!(is_told, grade != "proved", "{why}");
        }
        assert!(
            grade == "proved"
                || notes
                    .why()
                    .unwrap_or_default()
                    .contains(shops.why().unwrap_or("?")),
            "{notes:?}"
        );
    }
}
