//! Tests of polite behaviour: rules per status, rate limits respected before they are hit, bounded
//! runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, RunOptions, RunReport, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

#[derive(Record)]
struct Part {
    id: Option<i64>,
}

fn json(body: serde_json::Value) -> Answer {
    (200, Vec::new(), body.to_string())
}

fn items() -> Resource<Item> {
    Item::list("items", "/items").primary_key([Item::ID])
}

fn parts() -> Resource<Part> {
    Part::list("parts", "/items/{item}/parts")
        .primary_key([Part::ID])
        .child_of("items", |item: &Item, request| {
            request.path("item", item.id)
        })
}

fn run(source: &Source, options: &RunOptions) -> (RunReport, InMemory) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let into = InMemory::new(10_000);
    let report = sync(source, Box::new(into.clone()), options, Arc::new(()));
    (runtime.block_on(report).unwrap(), into)
}

fn sync_all(source: &Source) -> (RunReport, InMemory) {
    run(source, &RunOptions::default())
}

/// Serves three items; the parts of item 2 are answered with that status.
fn one_child_answers(status: u16) -> String {
    let (base, _) = serve(move |path, _| match path {
        "/items" => json(serde_json::json!([{"id": 1}, {"id": 2}, {"id": 3}])),
        "/items/2/parts" => (status, Vec::new(), r#"{"message":"no"}"#.into()),
        path => {
            let item: i64 = path.split('/').nth(2).unwrap().parse().unwrap();
            json(serde_json::json!([{"id": item * 10}, {"id": item * 10 + 1}]))
        }
    });
    base
}

#[test]
fn a_status_that_is_skipped_for_one_parent_is_counted_and_fails_nothing_else() {
    let source = |parts| {
        Source::new("s", &one_child_answers(403))
            .resource(items())
            .resource(parts)
    };
    let (report, into) = sync_all(&source(parts().on_status(403, StatusRule::Skip)));
    let parts_of = &report.resources[1];
    assert!(matches!(parts_of.outcome, Outcome::Complete), "{report:?}");
    assert_eq!(into.table("parts").len(), 4);
    assert_eq!(parts_of.skipped, [(403, 1)]);
    assert!(parts_of.notes.iter().any(|note| note.contains("403")));
    // By default only this resource fails.
    let (report, into) = sync_all(&source(parts()));
    assert!(matches!(report.resources[1].outcome, Outcome::Failed(..)));
    assert!(matches!(report.resources[0].outcome, Outcome::Complete));
    assert_eq!(into.table("items").len(), 3);
}

#[test]
fn a_gone_parent_is_skipped_unless_a_rule_says_that_it_fails() {
    let source = |parts| {
        Source::new("s", &one_child_answers(404))
            .resource(items())
            .resource(parts)
    };
    let (report, _) = sync_all(&source(parts()));
    assert_eq!(report.resources[1].skipped, [(404, 1)]);
    let (report, _) = sync_all(&source(parts().on_status(404, StatusRule::Fail)));
    assert!(matches!(report.resources[1].outcome, Outcome::Failed(..)));
}

#[test]
fn a_resource_that_is_skipped_keeps_its_table_and_its_children_do() {
    let answers = Arc::new(AtomicUsize::new(0));
    let count = answers.clone();
    let (base, _) = serve(move |path, _| match path {
        "/items" if count.load(Ordering::Relaxed) > 0 => (403, Vec::new(), String::new()),
        "/items" => json(serde_json::json!([{"id": 1}])),
        _ => json(serde_json::json!([{"id": 5}])),
    });
    let source = Source::new("s", &base)
        .resource(Item::list("items", "/items").on_status(403, StatusRule::Skip))
        .resource(parts());
    let (_, into) = sync_all(&source);
    answers.fetch_add(1, Ordering::Relaxed);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = RunOptions::default();
    let report = runtime
        .block_on(sync(
            &source,
            Box::new(into.clone()),
            &options,
            Arc::new(()),
        ))
        .unwrap();
    for resource in &report.resources {
        assert!(matches!(resource.outcome, Outcome::Complete), "{report:?}");
        assert!(matches!(resource.proof, Proof::Unproved(_)), "{report:?}");
    }
    assert_eq!(
        (into.table("items").len(), into.table("parts").len()),
        (1, 1)
    );
}

#[test]
fn a_status_can_be_worth_another_try() {
    let calls = AtomicUsize::new(0);
    let (base, _) = serve(move |_, _| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => (404, Vec::new(), String::new()),
        _ => json(serde_json::json!([{"id": 1}])),
    });
    let items = items().on_status(404, StatusRule::Retry);
    let (report, into) = sync_all(&Source::new("s", &base).resource(items));
    assert_eq!(into.table("items").len(), 1);
    assert_eq!(report.resources[0].retries, 1);
}

/// Serves a list of 12 pages by token, and logs the time of each request.
fn paged(
    headers: impl Fn(usize) -> Vec<(String, String)> + Send + Sync + 'static,
) -> (Source, Arc<Mutex<Vec<Instant>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    let (base, _) = serve(move |_, query| {
        let count = {
            let mut asked = kept.lock().unwrap();
            asked.push(Instant::now());
            asked.len()
        };
        let page: u64 = query
            .get("after")
            .map_or(0, |page| page[1..].parse().unwrap());
        let next = (page < 11).then(|| format!("p{}", page + 1));
        let body = serde_json::json!({"data": [{"id": page}], "next": next});
        (200, headers(count), body.to_string())
    });
    let list = Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"));
    (Source::new("s", &base).resource(list), asked)
}

#[test]
fn a_rate_limit_is_kept() {
    let (source, asked) = paged(|_| Vec::new());
    let per = Duration::from_millis(300);
    let (_, into) = sync_all(&source.rate_limit(4, per));
    assert_eq!(into.table("items").len(), 12);
    for five in asked.lock().unwrap().windows(5) {
        // The server's clock starts when the request arrives.
        assert!(five[4] - five[0] >= per - Duration::from_millis(60));
    }
}

#[test]
fn what_the_headers_say_is_left_is_kept_before_there_is_a_429() {
    // 4 requests are allowed in any second: a fifth one would be refused.
    let window = Arc::new(Mutex::new((Instant::now(), 0)));
    let (source, asked) = paged(move |_| {
        let mut window = window.lock().unwrap();
        if window.0.elapsed() >= Duration::from_millis(1000) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        assert!(window.1 <= 4, "the limit was hit");
        vec![
            ("x-ratelimit-remaining".into(), (4 - window.1).to_string()),
            ("x-ratelimit-reset".into(), "1.1".into()),
        ]
    });
    let (report, into) = sync_all(&source);
    assert_eq!(into.table("items").len(), 12);
    assert_eq!(report.resources[0].retries, 0);
    assert!(
        report.resources[0].waited >= Duration::from_secs(1),
        "{report:?}"
    );
    assert_eq!(asked.lock().unwrap().len(), 12);
}

#[test]
fn a_limit_that_lasts_too_long_ends_the_run_with_its_name() {
    let (source, _) = paged(|count| {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        vec![
            (
                "x-ratelimit-remaining".into(),
                2usize.saturating_sub(count).to_string(),
            ),
            (
                "x-ratelimit-reset".into(),
                (now.as_secs() + 3000).to_string(),
            ),
        ]
    });
    let (report, into) = sync_all(&source);
    let Outcome::Failed(_, message) = &report.resources[0].outcome else {
        panic!("{report:?}")
    };
    assert!(
        message.contains("rate limit") && message.contains("later"),
        "{message}"
    );
    // Earlier pages are loaded.
    assert_eq!(into.table("items").len(), 2);
}

#[test]
fn one_429_makes_every_resource_wait() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    let (base, _) = serve(move |_, query| {
        let mut asked = kept.lock().unwrap();
        asked.push(Instant::now());
        if asked.len() == 5 {
            return (429, vec![("retry-after".into(), "1".into())], String::new());
        }
        drop(asked);
        std::thread::sleep(Duration::from_millis(20));
        let page: u64 = query
            .get("after")
            .map_or(0, |page| page[1..].parse().unwrap());
        let next = (page < 9).then(|| format!("p{}", page + 1));
        json(serde_json::json!({"data": [{"id": page}], "next": next}))
    });
    let mut source = Source::new("s", &base);
    for name in ["a", "b", "c"] {
        source = source.resource(
            Item::list(name, &format!("/{name}"))
                .records("data")
                .primary_key([Item::ID])
                .paginate(Paginator::token("after", "next")),
        );
    }
    let (report, into) = sync_all(&source);
    assert!(report.is_complete());
    assert_eq!(
        ["a", "b", "c"].map(|name| into.table(name).len()),
        [10, 10, 10]
    );
    let asked = asked.lock().unwrap();
    // Requests in progress with the fifth still arrive, then none for a second.
    let told = asked[4];
    let during = asked[5..].iter().filter(|at| {
        let after = **at - told;
        after > Duration::from_millis(100) && after < Duration::from_millis(900)
    });
    assert_eq!(during.count(), 0);
}

#[test]
fn a_run_ends_when_its_time_is_up_and_the_next_goes_on() {
    let (base, log) = serve(|_, query| {
        std::thread::sleep(Duration::from_millis(50));
        let page: u64 = query.get("after").map_or(0, |page| page.len() as u64);
        // A token that shows no number, which would be a position.
        let next = (page < 19).then(|| "p".repeat(page as usize + 1));
        json(serde_json::json!({"data": [{"id": page}], "next": next}))
    });
    let list = Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"));
    let source = Source::new("s", &base).resource(list);
    let options = RunOptions::default().max_time(Duration::from_millis(400));
    let (report, into) = run(&source, &options);
    assert!(matches!(report.resources[0].outcome, Outcome::Stopped));
    let first = into.table("items").len();
    assert!((1..20).contains(&first), "{first}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = RunOptions::default();
    let rest = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
    assert!(runtime.block_on(rest).unwrap().is_complete());
    assert_eq!(into.table("items").len(), 20);
    // At most one page is requested again.
    assert!(log.lock().unwrap().len() <= 21);
}

#[test]
fn the_end_of_the_time_cuts_a_long_pause_short() {
    let (base, _) = serve(|_, _| {
        (
            503,
            vec![("retry-after".into(), "60".into())],
            String::new(),
        )
    });
    let started = Instant::now();
    let options = RunOptions::default().max_time(Duration::from_millis(300));
    let (report, _) = run(&Source::new("s", &base).resource(items()), &options);
    assert!(
        matches!(report.resources[0].outcome, Outcome::Stopped),
        "{report:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}
