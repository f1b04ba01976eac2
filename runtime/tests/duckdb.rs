//! Whole runs into DuckDB.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::serve;
use etlgen_runtime::load::{LoadInfo, destination};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, RunReport, sync};
use etlgen_runtime::schema::Layout;
use etlgen_testkit::duckdb::Library;
use etlgen_testkit::{Kind, skip};
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
    at: Option<Timestamp>,
    price: Option<Decimal>,
    rowid: Option<f64>,
    tags: Option<Vec<Tag>>,
}

#[derive(Record)]
struct Tag {
    name: Option<String>,
}

fn run(base: &str, url: &str, layout: Layout) -> RunReport {
    let items = Item::list("items", "/items")
        .primary_key([Item::ID])
        .incremental(Cursor::updated(Item::AT).param("since"));
    let source = Source::new("shop", base).resource(items);
    let options = RunOptions::default().layout(layout);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let run = sync(&source, destination(url).unwrap(), &options, Arc::new(()));
    runtime.unwrap().block_on(run).unwrap()
}

fn continues(library: &std::path::Path, layout: Layout) {
    let dir = tempfile::tempdir().unwrap();
    let asked = AtomicUsize::new(0);
    // Keys of an object become columns: of the second page more than DuckDB may use memory for at first.
    let wide = |prefix: &str, count: usize| -> serde_json::Map<String, serde_json::Value> {
        (0..count)
            .map(|n| (format!("{prefix}{n}"), json!(n)))
            .collect()
    };
    let (base, log) = serve(move |_, _| {
        let rows: Vec<_> = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => (0..3000)
                .map(|id| {
                    let tags = [json!({"name": "a\u{0}"}), json!({"name": "\u{1F600}"})];
                    json!({"id": id, "at": "2024-01-01T00:00:00Z", "price": "1.10", "rowid": 0.5,
                        "tags": &tags[..id % 3], "more": wide("a", 100)})
                })
                .collect(),
            _ => vec![
                json!({"id": 1, "at": "2024-01-02T00:00:00Z", "tags": [], "other": wide("b", 100)}),
            ],
        };
        (200, Vec::new(), json!(rows).to_string())
    });
    let url = format!(
        "duckdb:{}/shop.db?driver={}",
        dir.path().display(),
        library.display()
    );
    for rows in [3000, 1] {
        let report = run(&base, &url, layout);
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.resources[0].records, rows);
    }
    let last = log.lock().unwrap().last().cloned().unwrap_or_default();
    assert!(last.contains("since=2023-12-31T23%3A59%3A59Z"), "{last}");
    let mut into = destination(&url).unwrap();
    let memory = into.open(&LoadInfo::new("9", "shop", layout)).unwrap();
    assert!(!memory.state.is_empty());
    let counts = into.row_counts().unwrap();
    assert!(counts.contains(&("items".to_owned(), 3000)), "{counts:?}");
    // Of three items one has none, one has one, and one has two; the changed one has lost its one.
    assert!(
        counts.contains(&("items__tags".to_owned(), 2999)),
        "{counts:?}"
    );
}

#[test]
fn a_run_loads_into_duckdb_and_the_next_one_continues() {
    for library in [Library::Npm, Library::Wheel] {
        match library.path() {
            Ok(path) => {
                for layout in [Layout::Etl, Layout::Dlt] {
                    continues(&path, layout);
                }
            }
            Err(why) => skip(Kind::Service, &why),
        }
    }
}
