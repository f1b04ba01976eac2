//! A reader writes to any output. The output here keeps what it gets, like a worker that reads a
//! slice into files.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::error::Result;
use crate::load::Memory;
use crate::record::{Record, serialize};
use crate::run::options::{RunOptions, StopSignal};
use crate::run::plan::{self, plan};
use crate::run::read::fetch::FetcherParts;
use crate::run::read::output::{Boxed, Closed, Output, PassEnd};
use crate::run::read::reader::{ReadOutcome, ResourceReader};
use crate::run::read::resource::Slices;
use crate::run::read::rows::PageRows;
use crate::run::report::stats::Stats;
use crate::source::{RecordExt, SliceRequest, Source};
use crate::state::StateChange;

#[derive(Record)]
struct Shop {
    id: Option<i64>,
}

/// Keeps what it gets, in order.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    fn keep(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Output for Kept {
    fn page(&mut self, rows: PageRows<'_>) -> Result<()> {
        rows.each(|row, place, origin| {
            let mut json = String::new();
            serialize::write_record(&mut json, row.record, row.drift.0.as_deref());
            self.keep(format!("row {}/{} {json}", origin.list, place.ordinal));
            Ok(())
        })
    }

    fn child(&mut self, child: usize, slice: SliceRequest) {
        self.keep(format!("child {child} {}", slice.id()));
    }

    fn gone(&mut self, keys: &[String]) {
        self.keep(format!("gone {keys:?}"));
    }

    fn end_list(&mut self, list: u64) {
        self.keep(format!("end of list {list}"));
    }

    fn remember(&mut self, change: StateChange) {
        if let StateChange::Put(row) = change {
            self.keep(format!("state {:?} {}", row.slice, row.value));
        }
    }

    fn checkpoint(&mut self) -> Boxed<'_, Result<()>> {
        self.keep("checkpoint".into());
        Box::pin(async { Ok(()) })
    }

    fn flush(&mut self, end: Option<PassEnd>) -> Boxed<'_, Result<()>> {
        self.keep(format!("flush {end:?}"));
        Box::pin(async { Ok(()) })
    }

    fn close(&mut self, how: Closed) -> Boxed<'_, ()> {
        self.keep(format!("close {how:?}"));
        Box::pin(async {})
    }

    fn drift(&mut self) -> Vec<(String, String, String, u64)> {
        Vec::new()
    }
}

fn tape(folder: &Path, answers: &[(&str, serde_json::Value)]) {
    for (at, (path, body)) in answers.iter().enumerate() {
        let exchange = json!({
            "request": {"method": "GET", "path": path},
            "response": {"status": 200, "body": body},
        });
        std::fs::write(folder.join(format!("{at}.json")), exchange.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_resource_is_read_into_any_output() {
    let folder = tempfile::tempdir().unwrap();
    tape(folder.path(), &[("/shops", json!([{"id": 7}, {"id": 8}]))]);
    let source = Source::new("store", "https://api.example")
        .resource(Shop::list("shops", "/shops").primary_key([Shop::ID]))
        .resource(
            Shop::list("orders", "/shops/{id}/orders")
                .child_of("shops", |shop: &Shop, request| request.path("id", shop.id)),
        )
        .replay(folder.path());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let run = plan(&source, &Memory::default(), &RunOptions::default(), now).unwrap();
    let shops = &run.resources[0];
    let plan::Slices::One(slice) = &shops.slices else {
        panic!("{run}")
    };
    let parts = FetcherParts {
        client: Arc::new(source.client().unwrap()),
        stats: Arc::new(Stats::default()),
        observer: Arc::new(()),
        stop: StopSignal::default(),
    };
    let kept = Kept::default();
    let resource = source.find("shops").unwrap().clone();
    let children = [source.find("orders").unwrap().clone()];
    let reader = ResourceReader::new(resource, shops, parts, &children, Box::new(kept.clone()));
    let reader = Arc::new(reader.unwrap());
    let outcome = reader.read(Slices::One(Box::new(slice.clone()))).await;
    assert_eq!(outcome.unwrap(), ReadOutcome::AtEnd);
    let lines = kept.0.lock().unwrap().clone();
    let expected = [
        r#"row 0/0 {"id":7}"#,
        r#"row 0/1 {"id":8}"#,
        r#"child 0 {"path":{"id":"7"}}"#,
        r#"child 0 {"path":{"id":"8"}}"#,
        "end of list 0",
        r#"state "" {"done":"1700000000.000000"}"#,
        "checkpoint",
        "flush Some(PassEnd { whole: true, publishes: true })",
        "close AtEnd { whole: true }",
    ];
    assert_eq!(lines, expected);
}
