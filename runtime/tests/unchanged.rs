//! Tests of records that come again as they are: they are not written, and count as seen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::serve;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use etlgen_runtime::load::{LoadInfo, destination};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{ResourceReport, RunOptions, sync};
use serde_json::{Value, json};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    note: Option<String>,
    tags: Option<Vec<i64>>,
}

/// The records that the API has, by id: a note and tags.
type Stock = Arc<Mutex<BTreeMap<i64, (&'static str, Vec<i64>)>>>;

/// Returns a token that shows no position.
fn token(id: i64) -> String {
    let letters = id.to_string();
    letters
        .bytes()
        .map(|digit| (digit + b'g' - b'0') as char)
        .collect()
}

fn stand(token: &str) -> i64 {
    let digits = token.bytes().map(|letter| (letter - b'g' + b'0') as char);
    digits.collect::<String>().parse().unwrap()
}

/// Serves the records in pages of two.
fn source(stock: &Stock, deletes: Deletes) -> Source {
    let stock = stock.clone();
    let (base, _) = serve(move |_, query| {
        let after = query.get("after").map_or(0, |token| stand(token));
        let stock = stock.lock().unwrap();
        let row = |(id, (note, tags)): (&i64, &(&str, Vec<i64>))| json!({"id": id, "note": note, "tags": tags});
        let rest: Vec<Value> = stock.range(after + 1..).map(row).collect();
        let page = &rest[..rest.len().min(2)];
        let last = page.last().and_then(|row| row["id"].as_i64());
        let next = last.filter(|_| rest.len() > 2).map(token);
        let body = json!({"data": page, "next": next});
        (200, Vec::new(), body.to_string())
    });
    let items = Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"))
        .deletes(deletes)
        .map(|item: Item| Item {
            // The content is what the owner makes of it.
            note: item.note.map(|note| note.trim().to_owned()),
            ..item
        });
    Source::new("stock", &base).resource(items)
}

/// Runs into a place; returns the id of the load and the report of the resource.
fn run(source: &Source, into: &str, options: &RunOptions) -> (String, ResourceReport) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = destination(into).unwrap();
    let report = runtime.block_on(sync(source, into, options, Arc::new(())));
    let mut report = report.unwrap();
    (report.load_id, report.resources.remove(0))
}

/// Returns the ids of the records with their loads, and the number of rows of each table.
fn found(into: &str) -> (BTreeMap<i64, String>, Vec<(String, u64)>) {
    let mut into = destination(into).unwrap();
    let load = LoadInfo::new("9999999999.000000", "stock", None);
    let memory = into.open(&load).unwrap();
    let table = memory.tables.iter().find(|table| table.name == "items");
    let mut rows = BTreeMap::new();
    into.scan(table.unwrap(), &["id", "_etl_load_id"], &mut |batch| {
        let ids = batch.column(0).as_primitive::<Int64Type>();
        let loads = batch.column(1).as_string::<i32>();
        let pairs = ids.iter().flatten().zip(loads.iter().flatten());
        rows.extend(pairs.map(|(id, load)| (id, load.to_owned())));
        Ok(())
    })
    .unwrap();
    (rows, into.row_counts().unwrap())
}

fn each(test: impl Fn(&str)) {
    for kind in ["sqlite", "parquet"] {
        let dir = tempfile::tempdir().unwrap();
        test(&format!("{kind}:{}", dir.path().join("data").display()));
    }
}

fn stock() -> Stock {
    let record = |id| (id, ("as it was", vec![id, id + 1]));
    Arc::new(Mutex::new((1..=5).map(record).collect()))
}

#[test]
fn only_what_has_changed_is_written() {
    each(|into| {
        let stock = stock();
        let source = source(&stock, Deletes::Keep);
        let (first, report) = run(&source, into, &RunOptions::default());
        assert_eq!((report.records, report.unchanged), (5, 0));
        {
            let mut stock = stock.lock().unwrap();
            stock.get_mut(&2).unwrap().0 = "other";
            stock.get_mut(&3).unwrap().1.push(7);
            // The owner's closure removes this difference.
            stock.get_mut(&4).unwrap().0 = "as it was ";
        }
        let (second, report) = run(&source, into, &RunOptions::default());
        assert_eq!((report.records, report.unchanged), (5, 3), "{into}");
        let tables = [("items".to_owned(), 5), ("items__tags".to_owned(), 11)];
        assert_eq!(report.tables, tables);
        let (rows, counts) = found(into);
        let expected = [&first, &second, &second, &first, &first];
        assert_eq!(
            rows,
            (1..).zip(expected.map(String::clone)).collect(),
            "{into}"
        );
        assert_eq!(counts, tables);
    });
}

#[test]
fn a_pass_that_was_stopped_deletes_only_what_is_gone() {
    for deletes in [Deletes::Hard, Deletes::Soft] {
        each(|into| {
            let stock = stock();
            let source = source(&stock, deletes);
            let (first, _) = run(&source, into, &RunOptions::default());
            stock.lock().unwrap().remove(&2);
            let (_, report) = run(&source, into, &RunOptions::default().limit(2));
            assert_eq!((report.records, report.unchanged), (2, 2), "{into}");
            let (_, report) = run(&source, into, &RunOptions::default());
            assert_eq!(report.records, report.unchanged, "{into}");
            let (rows, counts) = found(into);
            let kept = match deletes {
                Deletes::Hard => vec![1, 3, 4, 5],
                _ => vec![1, 2, 3, 4, 5],
            };
            let expected = kept.iter().map(|id| (*id, first.clone())).collect();
            assert_eq!(rows, expected, "{into}");
            assert_eq!(counts[1].1, kept.len() as u64 * 2, "{into}");
            // The record returns, and nothing else is written.
            stock.lock().unwrap().insert(2, ("as it was", vec![2, 3]));
            let (last, report) = run(&source, into, &RunOptions::default());
            assert_eq!(report.records - report.unchanged, 1, "{into}");
            assert_eq!(found(into).0[&2], last);
        });
    }
}

#[test]
fn a_full_refresh_leaves_hashes() {
    each(|into| {
        let stock = stock();
        let source = source(&stock, Deletes::Keep);
        run(&source, into, &RunOptions::default());
        let (second, report) = run(&source, into, &RunOptions::default().full_refresh(true));
        assert_eq!(report.unchanged, 0);
        let (_, report) = run(&source, into, &RunOptions::default());
        assert_eq!(report.unchanged, 5, "{into}");
        assert!(found(into).0.values().all(|load| *load == second));
    });
}
