//! Tests of the bounds that a connector derives from its cursor: what an API returns below or above
//! one is taken, and a record at a bound comes although the API excludes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::support::{InMemory, an_hour_later, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions};
use etlgen_runtime::world::{VirtualClock, WireRequest};
use serde_json::{Value, json};

#[derive(Record)]
struct Event {
    id: Option<String>,
    at: Option<Timestamp>,
    number: Option<i64>,
    second: Option<UnixTime>,
    text: Option<String>,
}

/// A list that is loaded several times into one destination.
struct Runs {
    source: Source,
    clock: VirtualClock,
    into: InMemory,
    run: Arc<AtomicUsize>,
}

impl Runs {
    /// `answer(run, request)` is the list.
    fn new(
        events: Resource<Event>,
        answer: impl Fn(usize, &WireRequest) -> Vec<Value> + Send + Sync + 'static,
    ) -> Self {
        let run = Arc::new(AtomicUsize::new(0));
        let count = run.clone();
        let (world, clock) = simulated(1_800_000_000, move |request: &WireRequest| {
            let rows = answer(count.load(Relaxed), request);
            Ok(page(json!({"data": rows, "next": null})))
        });
        Runs {
            source: Source::new("s", "https://api.example")
                .world(world)
                .resource(events),
            clock,
            into: InMemory::new(1),
            run,
        }
    }

    fn with(&self, options: &RunOptions) -> ResourceReport {
        an_hour_later(&self.clock);
        let report = run_by(&self.clock, &self.source, &self.into, options);
        self.run.fetch_add(1, Relaxed);
        report.unwrap().resources.pop().unwrap()
    }

    fn load(&self) -> ResourceReport {
        self.with(&RunOptions::default())
    }

    fn ids(&self) -> Vec<String> {
        let rows = self.into.table("events");
        let mut ids: Vec<String> = rows.values().map(|row| row["id"].clone()).collect();
        ids.sort_unstable();
        ids
    }
}

fn events(cursor: Cursor<Event>) -> Resource<Event> {
    Event::list("events", "/events")
        .records("data")
        .primary_key([Event::ID])
        .paginate(Paginator::token("page", "next"))
        .incremental(cursor)
}

fn keyless(cursor: Cursor<Event>) -> Resource<Event> {
    events(cursor).primary_key(Vec::<&str>::new())
}

fn event(id: &str, day: u8) -> Value {
    json!({"id": id, "at": format!("2024-01-{day:02}T10:00:00Z")})
}

fn since() -> Cursor<Event> {
    Cursor::updated(Event::AT).param("updated_since")
}

#[test]
fn a_record_that_arrives_late_is_taken_although_it_is_older_than_the_bound() {
    // The API filters by the time at which it got the record, or says that an old one changed.
    let answer = |run: usize, _: &WireRequest| match run {
        0 => (1..=15)
            .map(|day| event(&format!("e{day:02}"), day))
            .collect(),
        _ => vec![event("late", 3), event("e20", 20)],
    };
    let runs = Runs::new(events(since()), answer);
    runs.load();
    let report = runs.load();
    assert_eq!(runs.ids().len(), 17, "{report:?}");
    assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
    assert!(
        report.notes.iter().all(|note| !note.contains("left out")),
        "{report:?}"
    );
    // The cursor does not go back.
    assert!(report.cursor.unwrap().1.unwrap().starts_with("2024-01-20"));
    // Without a key the same record would be a second row.
    let runs = Runs::new(keyless(since()), answer);
    runs.load();
    let report = runs.load();
    assert_eq!(runs.ids().len(), 16, "{report:?}");
    let note = report.notes.join("\n");
    assert!(note.contains("left out 1 record"), "{note}");
    assert!(note.contains("without a key"), "{note}");
    assert!(!note.contains("already known"), "{note}");
}

#[test]
fn bounds_of_a_caller_are_exact() {
    let runs = Runs::new(events(since()), |_, _| {
        (1..=15)
            .map(|day| event(&format!("e{day:02}"), day))
            .collect()
    });
    let options = RunOptions::default()
        .since("2024-01-10")
        .until("2024-01-12");
    let report = runs.with(&options);
    assert_eq!(runs.ids(), ["e10", "e11"], "{report:?}");
    let note = report.notes.join("\n");
    assert!(
        note.contains("left out 13 records") && note.contains("--since"),
        "{note}"
    );
}

/// Returns the value of a parameter, and whether the API excludes rows at it.
fn above(request: &WireRequest, name: &str, value: &str, strict: bool) -> bool {
    let from = asked(request, name);
    from.is_empty() || value > from.as_str() || value == from && !strict
}

#[test]
fn a_record_at_the_bound_comes_although_the_api_excludes_the_bound() {
    for name in ["updated_since", "updated_after", "since"] {
        for strict in [false, true] {
            let cursor = Cursor::updated(Event::AT).param(name);
            let runs = Runs::new(events(cursor), move |run, request| {
                let mut rows: Vec<_> = (1..=5).map(|day| event(&format!("e{day}"), day)).collect();
                rows.extend((run > 0).then(|| event("tie", 5)));
                rows.retain(|row| above(request, name, row["at"].as_str().unwrap(), strict));
                rows
            });
            runs.load();
            let report = runs.load();
            assert_eq!(runs.ids().len(), 6, "{name} {strict} {report:?}");
            assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
        }
    }
}

#[test]
fn a_list_whose_newest_record_was_deleted_is_read_in_full_once() {
    let asked_for = Arc::new(AtomicUsize::new(0));
    let count = asked_for.clone();
    let list =
        events(since().oldest_first()).paginate(Paginator::offset("offset").page_size("limit", 2));
    let runs = Runs::new(list, move |run, request| {
        assert!(count.fetch_add(1, Relaxed) < 100, "the run does not end");
        let last = if run == 0 { 5 } else { 2 };
        let mut rows: Vec<_> = (1..=last)
            .map(|day| event(&format!("e{day}"), day))
            .collect();
        rows.retain(|row| {
            let at = row["at"].as_str().unwrap();
            above(request, "updated_since", at, false)
        });
        let offset = asked(request, "offset").parse().unwrap_or(0);
        rows.into_iter().skip(offset).take(2).collect()
    });
    runs.load();
    for (run, most) in [(1, 12), (2, 4)] {
        asked_for.store(0, Relaxed);
        let report = runs.load();
        assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
        let sent = asked_for.load(Relaxed);
        assert!(sent <= most, "run {run}: {sent} requests, {report:?}");
        let told = report.notes.iter().any(|note| note.contains("in full"));
        assert_eq!(told, run == 1, "{report:?}");
    }
}

#[test]
fn a_record_without_a_key_is_not_proved_by_a_pass_that_asks_for_what_is_new() {
    let list = events(since()).deletes(Deletes::Hard);
    let runs = Runs::new(list, |run, request| {
        let mut rows = vec![event("e1", 1), event("e2", 2)];
        rows.push(match run {
            0 => json!({"at": "2024-01-03T10:00:00Z", "text": "old"}),
            _ => json!({"at": "2024-01-04T10:00:00Z", "text": "new"}),
        });
        rows.retain(|row| {
            let at = row["at"].as_str().unwrap();
            above(request, "updated_since", at, false)
        });
        rows
    });
    for _ in 0..2 {
        let report = runs.load();
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
    }
}

#[test]
fn numbers_and_seconds_at_the_bound_come_as_well() {
    let values = |run: usize, request: &WireRequest, field: &str| -> Vec<Value> {
        let from: i64 = asked(request, "after").parse().unwrap_or(0);
        let mut rows: Vec<Value> = (1..=5)
            .map(|n| json!({"id": format!("e{n}"), field: 1_700_000_000 + n}))
            .collect();
        rows.extend((run > 0).then(|| json!({"id": "tie", field: 1_700_000_005})));
        rows.retain(|row| row[field].as_i64().unwrap() > from);
        rows
    };
    let numbers = events(Cursor::updated(Event::NUMBER).param("after"));
    let runs = Runs::new(numbers, move |run, request| values(run, request, "number"));
    runs.load();
    runs.load();
    assert_eq!(runs.ids().len(), 6);
    let seconds = events(Cursor::updated(Event::SECOND).param("after"));
    let runs = Runs::new(seconds, move |run, request| values(run, request, "second"));
    runs.load();
    runs.load();
    assert_eq!(runs.ids().len(), 6);
    // Text that is a time, as documents declare it without a format.
    let texts = events(Cursor::updated(Event::TEXT).param("after"));
    let runs = Runs::new(texts, |run, request| {
        let row =
            |id: String, day: u8| json!({"id": id, "text": format!("2024-01-{day:02}T10:00:00Z")});
        let mut rows: Vec<_> = (1..=5).map(|day| row(format!("e{day}"), day)).collect();
        rows.extend((run > 0).then(|| row("tie".to_owned(), 5)));
        rows.retain(|row| above(request, "after", row["text"].as_str().unwrap(), true));
        rows
    });
    runs.load();
    runs.load();
    assert_eq!(runs.ids().len(), 6);
}

#[test]
fn a_filter_by_days_of_another_zone_loses_no_record() {
    let cursor = since().format(TimeFormat::Date);
    let runs = Runs::new(events(cursor), |run, request| {
        // The days of the API begin ten hours after those of UTC.
        let from = asked(request, "updated_since");
        let from = format!("{from}T10:00:00Z");
        let mut rows: Vec<_> = (1..=15)
            .map(|day| json!({"id": format!("e{day:02}"), "at": format!("2024-01-{day:02}T03:00:00Z")}))
            .collect();
        rows.extend((run > 0).then(|| json!({"id": "new", "at": "2024-01-15T07:00:00Z"})));
        rows.retain(|row| run == 0 || row["at"].as_str().unwrap() >= from.as_str());
        rows
    });
    runs.load();
    let report = runs.load();
    assert!(runs.ids().contains(&"new".to_owned()), "{report:?}");
}

#[test]
fn a_record_at_the_edge_of_two_windows_comes_whatever_the_bounds_exclude() {
    for (from_strict, until_strict) in [(false, false), (false, true), (true, false), (true, true)]
    {
        let cursor = Cursor::updated(Event::AT)
            .param("updated_from")
            .until("updated_to");
        let cursor = cursor.windows("2024-01-01", days(10));
        let runs = Runs::new(events(cursor), move |_, request| {
            let days = [
                "2023-05-01",
                "2024-01-01",
                "2024-01-05",
                "2024-01-11",
                "2024-01-21",
                "2024-02-15",
            ];
            let until = asked(request, "updated_to");
            let rows = days
                .iter()
                .map(|day| json!({"id": day, "at": format!("{day}T00:00:00Z")}));
            rows.filter(|row| {
                let at = row["at"].as_str().unwrap();
                let below = until.is_empty() || at < until.as_str() || at == until && !until_strict;
                above(request, "updated_from", at, from_strict) && below
            })
            .collect()
        });
        let report = runs.load();
        assert_eq!(
            runs.ids().len(),
            6,
            "{from_strict} {until_strict} {report:?}"
        );
        assert!(matches!(report.outcome, Outcome::Complete), "{report:?}");
    }
}

#[test]
fn a_list_that_is_cut_off_goes_on_from_its_last_value_although_the_api_excludes_it() {
    let cursor = since().oldest_first().most_rows(20);
    let list = events(cursor).paginate(Paginator::page_number("page").page_size("size", 10));
    let runs = Runs::new(list, |_, request| {
        let number: usize = asked(request, "page").parse().unwrap_or(1);
        // Three rows of each hour, so that a list ends between two of one.
        let at = |n: u8| format!("2024-01-{:02}T{:02}:00:00Z", 1 + n / 24, n / 3 % 8);
        let rows = (0..53).map(|n| json!({"id": format!("e{n:02}"), "at": at(n)}));
        let rows =
            rows.filter(|row| above(request, "updated_since", row["at"].as_str().unwrap(), true));
        let rows: Vec<_> = rows.take(20).collect();
        rows.into_iter().skip((number - 1) * 10).take(10).collect()
    });
    let report = runs.load();
    assert_eq!(runs.ids().len(), 53, "{report:?}");
}

#[test]
fn after_a_record_without_a_cursor_a_filtered_pass_is_not_proved() {
    for odd in [
        json!({"id": "z0", "at": null}),
        json!({"id": "z0"}),
        json!({"id": "z0", "at": "soon"}),
    ] {
        let newest = Cursor::updated(Event::AT).newest_first();
        for cursor in [since(), newest] {
            let odd = odd.clone();
            let runs = Runs::new(events(cursor), move |run, request| {
                let mut rows: Vec<_> = (1..=5)
                    .rev()
                    .map(|day| event(&format!("e{day}"), day))
                    .collect();
                if asked(request, "updated_since").is_empty() {
                    rows.push(odd.clone());
                }
                if run > 0 {
                    rows.insert(0, event("e9", 9));
                }
                rows
            });
            let report = runs.load();
            assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
            for _ in 0..2 {
                let report = runs.load();
                let Proof::Consistent(why) = &report.proof else {
                    panic!("{report:?}")
                };
                assert!(why.contains("`at`"), "{why}");
            }
            let report = runs.with(&RunOptions::default().full_refresh(true));
            assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
        }
    }
}

#[test]
fn times_in_nanoseconds_are_times_of_the_cursor() {
    let list = Event::list("events", "/events")
        .records("data")
        .primary_key([Event::ID])
        .incremental(
            Cursor::updated(Event::AT)
                .param("since")
                .lookback(std::time::Duration::ZERO),
        )
        .paginate(Paginator::token("after", "next"));
    let asked_since = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = asked_since.clone();
    let runs = Runs::new(list, move |_, request| {
        log.lock().unwrap().push(asked(request, "since"));
        let times = [
            "2026-01-01T00:00:00.000000001Z",
            "2026-01-01T00:00:00.123456789Z",
        ];
        let rows = times.iter().enumerate();
        rows.map(|(id, at)| json!({"id": id.to_string(), "at": at}))
            .collect()
    });
    runs.load();
    let report = runs.load();
    let since = asked_since.lock().unwrap().clone();
    assert_eq!(since[0], "");
    // A step below the last one.
    assert_eq!(since[1], "2025-12-31T23:59:59.123456Z");
    // No digit is lost in the table.
    assert_eq!(report.different, 2);
    let rows = runs.into.table("events");
    let column = |row: &std::collections::BTreeMap<String, String>| row["at__v_text"].clone();
    assert!(
        rows.values()
            .map(column)
            .any(|at| at.ends_with(".123456789Z")),
        "{rows:?}"
    );
}
