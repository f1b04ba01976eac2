//! Arrow batches in a program.

use std::collections::BTreeMap;
use std::sync::Arc;

use etlgen_runtime::load::{Memory, Operation};
use etlgen_runtime::run::{Handed, Outcome, RunOptions};
use etlgen_runtime::schema::{ColumnRole, NestedRecords};
use serde_json::Value;

use super::shop::{Held, Host, Shop, leaves, same_as_sync, sorted};

/// The records of each resource by their ids.
type Records = BTreeMap<String, BTreeMap<String, Value>>;

/// A program that keeps what it is handed, with the state that belongs to it.
#[derive(Default)]
struct Program {
    kept: (Records, Records),
    state: Memory,
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// Applies an operation to the records and those that wait for their publication.
fn apply((records, staged): &mut (Records, Records), resource: &str, operation: &Operation) {
    let place = match operation {
        Operation::Append(_) | Operation::Merge(_) => records,
        Operation::Stage { first, .. } => {
            if *first {
                staged.remove(resource);
            }
            staged
        }
        Operation::Publish => {
            let whole = staged.remove(resource).unwrap_or_default();
            records.insert(resource.to_owned(), whole);
            return;
        }
        other => panic!("{other:?}"),
    };
    let of = NestedRecords::new(operation.tables()).unwrap();
    let of = of.with(ColumnRole::RowId, "_etl_id");
    let place = place.entry(resource.to_owned()).or_default();
    place.extend(of.json_lines().map(|line| {
        let record: Value = serde_json::from_str(&line).unwrap();
        (record["_etl_id"].to_string(), record)
    }));
}

impl Host for Program {
    fn run(&mut self, shop: &Shop, fails: bool) {
        let source = shop.source();
        // What was handed over after the last state is forgotten.
        let mut now = self.kept.clone();
        runtime().block_on(async {
            let last = self.state.clone();
            let mut batches = source.batches(RunOptions::default(), last, Arc::new(()));
            let mut ended = false;
            while let Some(handed) = batches.next().await {
                assert!(!ended);
                match handed.unwrap() {
                    Handed::Operation {
                        resource,
                        operation,
                    } => apply(&mut now, &resource, &operation),
                    Handed::State(state) => (self.kept, self.state) = (now.clone(), *state),
                    Handed::End(report) => {
                        ended = true;
                        let mut outcomes = report.resources.iter().map(|it| &it.outcome);
                        let failed = outcomes.any(|it| matches!(it, Outcome::Failed(..)));
                        assert_eq!(failed, fails);
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert!(ended);
        });
    }

    fn held(&self) -> Held {
        let mut held = Held::new();
        for (resource, records) in &self.kept.0 {
            held.insert(resource.clone(), records.values().map(leaves).collect());
        }
        sorted(held)
    }
}

#[test]
fn batches_bring_what_sync_loads() {
    same_as_sync(&mut Program::default());
}

#[test]
fn a_program_that_takes_no_more_ends_the_run() {
    let shop = Shop::open();
    let source = shop.source();
    runtime().block_on(async {
        let mut batches = source.batches(RunOptions::default(), Memory::default(), Arc::new(()));
        let first = batches.next().await.unwrap().unwrap();
        assert!(matches!(first, Handed::Operation { .. }), "{first:?}");
        drop(batches);
    });
}
