//! Tests of requests from the cursor on: a list goes on where the last run ended, or more is
//! requested; and what is requested belongs to the state.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use crate::support::{InMemory, an_hour_later, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{ResourceReport, RunOptions};
use etlgen_runtime::world::{VirtualClock, WireRequest};
use serde_json::{Value, json};

#[derive(Record)]
struct Event {
    id: Option<String>,
    at: Option<Timestamp>,
    version: Option<i64>,
}

/// The time of an event, in hours after the start of 2024.
fn hour(at: i64) -> String {
    let (day, hour) = (1 + at / 24, at % 24);
    format!("2024-01-{day:02}T{hour:02}:00:00Z")
}

fn hours(text: &str) -> i64 {
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    (part(8..10) - 1) * 24 + part(11..13) + i64::from(&text[14..16] != "00")
}

/// The rows of an API: the id, the hour and the version of each.
type Rows = Arc<Mutex<Vec<(String, i64, i64)>>>;

/// Returns whether a filter shows a record of that hour, asked for records since another one.
type Filter = fn(i64, i64) -> bool;

struct Api {
    rows: Rows,
    clock: VirtualClock,
    source: Source,
    into: InMemory,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Returns a value of the table without its type: `PrimitiveArray<Int64> [ 5, ]` is 5.
fn number(text: &str) -> String {
    let number = text.split_once("Int64").map_or(text, |(_, number)| number);
    let digits = number.chars().filter(char::is_ascii_alphanumeric);
    digits.collect()
}

impl Api {
    /// `shows(hour, since)`: whether a filter shows a row. Times within an hour are its end.
    fn new(
        cursor: Cursor<Event>,
        shows: impl Fn(i64, i64) -> bool + Send + Sync + 'static,
    ) -> Self {
        let rows: Rows = Arc::default();
        *rows.lock().unwrap() = (0..53).map(|n| (format!("e{n:02}"), 4 * n, 0)).collect();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (theirs, kept) = (rows.clone(), log.clone());
        let (world, clock) = simulated(1_800_000_000, move |request: &WireRequest| {
            let since = asked(request, "since");
            kept.lock().unwrap().push(since.clone());
            let rows = theirs.lock().unwrap();
            let rows = rows
                .iter()
                .filter(|(_, at, _)| since.is_empty() || shows(*at, hours(&since)));
            let rows: Vec<Value> = rows
                .map(|(id, at, version)| json!({"id": id, "at": hour(*at), "version": version}))
                .collect();
            Ok(page(json!({"data": rows, "next": null})))
        });
        let list = Event::list("events", "/events")
            .records("data")
            .primary_key([Event::ID])
            .paginate(Paginator::token("page", "next"))
            .incremental(cursor);
        Api {
            rows,
            clock,
            source: Source::new("s", "https://api.example")
                .world(world)
                .resource(list),
            into: InMemory::new(1),
            asked: log,
        }
    }

    fn load(&self) -> ResourceReport {
        an_hour_later(&self.clock);
        self.asked.lock().unwrap().clear();
        let report = run_by(
            &self.clock,
            &self.source,
            &self.into,
            &RunOptions::default(),
        );
        report.unwrap().resources.pop().unwrap()
    }

    /// Returns the ids and versions in the table that the API does not have.
    fn missing(&self) -> Vec<(String, i64)> {
        let table = self.into.table("events");
        let known = table
            .values()
            .map(|row| (number(&row["id"]), number(&row["version"])));
        let known: BTreeSet<(String, String)> = known.collect();
        let rows = self.rows.lock().unwrap();
        let rows = rows.iter().map(|(id, _, version)| (id.clone(), *version));
        let is_known =
            |id: &str, version: i64| known.contains(&(id.to_owned(), version.to_string()));
        rows.filter(|(id, version)| !is_known(id, *version))
            .collect()
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn add(&self, id: &str, at: i64) {
        self.rows.lock().unwrap().push((id.to_owned(), at, 1));
    }
}

fn since() -> Cursor<Event> {
    Cursor::updated(Event::AT).param("since")
}

/// The hour of the last event.
const LAST: i64 = 4 * 52;

#[test]
fn a_filter_that_does_not_show_the_record_at_its_bound_is_not_believed() {
    let filters: [(Filter, usize); 5] = [
        // It reads times in another zone.
        (|at, since| at >= since + 9, 2),
        (|at, since| at >= since + 14, 2),
        // It takes seconds where milliseconds are sent, or is a filter by creation.
        (|_, _| false, 3),
        // It goes back a few days only.
        (|at, since| at >= since.max(LAST + 100), 3),
        // It excludes the bound although its name says otherwise.
        (|at, since| at > since + 1, 2),
    ];
    for (at, (shows, requests)) in filters.into_iter().enumerate() {
        let api = Api::new(since(), shows);
        assert_eq!(api.load().proof.grade(), "proved");
        api.add("late", LAST + 1);
        let report = api.load();
        assert_eq!(api.missing(), [], "{at} {report:?}");
        assert_eq!(report.proof.grade(), "proved", "{at} {report:?}");
        assert_eq!(api.requests(), requests, "{at} {report:?}");
        // So it is each time.
        api.add("later", LAST + 2);
        api.load();
        assert_eq!(api.missing(), [], "{at}");
    }
}

#[test]
fn a_filter_that_shows_it_costs_no_request_more() {
    let honest: [Filter; 3] = [
        |at, since| at >= since,
        |at, since| at > since - 1,
        |_, _| true,
    ];
    for shows in honest {
        let api = Api::new(since(), shows);
        api.load();
        for run in 0..3 {
            if run > 0 {
                // The newest record has changed.
                api.add(&format!("n{run}"), LAST + 5 * run);
                let mut rows = api.rows.lock().unwrap();
                let last = rows.iter_mut().find(|(id, ..)| id == "e52").unwrap();
                (last.1, last.2) = (LAST + 5 * run + 1, run);
            }
            let report = api.load();
            assert_eq!(
                (api.requests(), report.proof.grade()),
                (1, "proved"),
                "{report:?}"
            );
            assert_eq!(api.missing(), []);
        }
    }
}

#[test]
fn newest_records_that_were_deleted_cost_one_request_and_no_proof() {
    let api = Api::new(since(), |at, since| at >= since);
    api.load();
    api.rows.lock().unwrap().retain(|(id, ..)| id != "e52");
    let report = api.load();
    assert_eq!(
        (api.requests(), report.proof.grade()),
        (2, "proved"),
        "{report:?}"
    );
    assert_eq!(api.missing(), []);
    let bounds = api.asked.lock().unwrap().clone();
    assert!(bounds[1] < bounds[0] && !bounds[1].is_empty(), "{bounds:?}");
}

#[test]
fn without_a_key_the_list_is_not_read_again_but_unproved() {
    let mut api = Api::new(since(), |at, since| at >= since + 9);
    let list = Event::list("events", "/events")
        .records("data")
        .paginate(Paginator::token("page", "next"))
        .incremental(since());
    let rows = api.rows.clone();
    let (world, clock) = simulated(1_800_000_000, move |request: &WireRequest| {
        let since = asked(request, "since");
        let rows = rows.lock().unwrap();
        let rows = rows
            .iter()
            .filter(|(_, at, _)| since.is_empty() || *at >= hours(&since) + 9);
        let rows: Vec<Value> = rows
            .map(|(id, at, _)| json!({"id": id, "at": hour(*at)}))
            .collect();
        Ok(page(json!({"data": rows, "next": null})))
    });
    api.source = Source::new("s", "https://api.example")
        .world(world)
        .resource(list);
    api.clock = clock;
    api.load();
    api.add("late", LAST + 1);
    let report = api.load();
    assert_eq!(report.proof.grade(), "unproved", "{report:?}");
    let why = report.proof.why().unwrap();
    assert!(
        why.contains("`since`") && why.contains("at its bound"),
        "{why}"
    );
}

/// Accounts with other rows; those of `b` are older.
fn account(host: &str, name: &str, shared: &(InMemory, Arc<AtomicUsize>)) -> ResourceReport {
    let runs = shared.1.fetch_add(1, Relaxed) as u64;
    let (world, clock) = simulated(1_800_000_000 + 3600 * runs, move |request: &WireRequest| {
        let other = asked(request, "account") == "b" || request.url().path().starts_with("/two");
        let (name, from) = if other { ("b", 0) } else { ("a", 100) };
        let since = asked(request, "since");
        let rows = (0..13).filter(|n| since.is_empty() || from + n >= hours(&since));
        let rows = rows.map(|n| json!({"id": format!("{name}{n}"), "at": hour(from + n)}));
        Ok(page(
            json!({"data": rows.collect::<Vec<_>>(), "next": null}),
        ))
    });
    let list = Event::list("events", "/events")
        .records("data")
        .primary_key([Event::ID])
        .paginate(Paginator::token("page", "next"))
        .query("account", name)
        .query("secret", format!("s3cret-{runs}"))
        .incremental(since());
    let secret = Secret::new(format!("s3cret-{runs}"));
    let source = Source::new("s", host)
        .hide([secret])
        .world(world)
        .resource(list);
    let report = run_by(&clock, &source, &shared.0, &RunOptions::default());
    report.unwrap().resources.pop().unwrap()
}

#[test]
fn a_cursor_belongs_to_the_account_and_the_api_that_were_read() {
    const ONE: &str = "https://api.example";
    for (host, name, what) in [
        (ONE, "b", "parameter `account`"),
        ("https://api.example/two", "a", "base URL"),
    ] {
        let shared = (InMemory::new(1), Arc::new(AtomicUsize::new(0)));
        account(ONE, "a", &shared);
        let report = account(host, name, &shared);
        assert_eq!(shared.0.table("events").len(), 26, "{report:?}");
        let notes = report.notes.join("\n");
        assert!(
            notes.contains("read in full once") && notes.contains(what),
            "{notes}"
        );
        // The state has no part of a secret.
        let state = format!("{:?}", shared.0.state());
        assert!(!state.contains("s3cret"), "{state}");
    }
    // Another secret, and another port of this machine, change nothing.
    let shared = (InMemory::new(1), Arc::new(AtomicUsize::new(0)));
    account("http://127.0.0.1:81/x", "a", &shared);
    let report = account("http://127.0.0.1:82/x/", "a", &shared);
    assert!(
        !report.notes.join("\n").contains("read in full"),
        "{report:?}"
    );
    assert_eq!(report.records, 1, "{report:?}");
}

#[test]
fn times_without_a_zone_are_requested_from_a_day_earlier_on() {
    // The clocks have gone back: the hour of the newest record comes again.
    let mut api = Api::new(since(), |_, _| true);
    let rows = api.rows.clone();
    let log = api.asked.clone();
    let (world, clock) = simulated(1_800_000_000, move |request: &WireRequest| {
        let since = asked(request, "since");
        log.lock().unwrap().push(since.clone());
        let rows = rows.lock().unwrap();
        let rows = rows
            .iter()
            .filter(|(_, at, _)| since.is_empty() || *at >= hours(&since));
        let time = |at: i64| hour(at).trim_end_matches('Z').to_owned();
        let row = |(id, at, version): &(String, i64, i64)| json!({"id": id, "at": time(*at), "version": version});
        Ok(page(
            json!({"data": rows.map(row).collect::<Vec<_>>(), "next": null}),
        ))
    });
    let list = Event::list("events", "/events")
        .records("data")
        .primary_key([Event::ID])
        .paginate(Paginator::token("page", "next"))
        .incremental(since());
    api.source = Source::new("s", "https://api.example")
        .world(world)
        .resource(list);
    api.clock = clock;
    api.load();
    api.add("late", LAST - 1);
    let report = api.load();
    assert_eq!(api.missing(), [], "{report:?}");
    assert_eq!(
        (api.requests(), report.proof.grade()),
        (1, "proved"),
        "{report:?}"
    );
}
