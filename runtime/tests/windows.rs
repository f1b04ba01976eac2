//! Tests of parts of a list: parallel windows, lists that the API cuts off, sorted lists, bounds of
//! all kinds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions, sync};

#[derive(Record)]
struct Event {
    id: Option<i64>,
    at: Option<UnixTime>,
}

const START: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

/// An id and a time.
type Pair = (i64, Option<i64>);

/// A list of events; its fields determine the responses.
#[derive(Clone, Default)]
struct Api {
    /// Ids and times, in the order of the list.
    rows: Arc<Mutex<Vec<Pair>>>,
    page: usize,
    /// The maximum number of rows of a list that the API returns; beyond them, it answers 422, or
    /// ends the list.
    most: usize,
    refuses: bool,
    /// Whether responses have the total.
    counts: bool,
    /// Whether the parameter of the lower bound excludes the bound itself.
    exclusive: bool,
    /// Whether the parameters filter; if not, they have no effect.
    filters: bool,
    slow: Duration,
    under_way: Arc<AtomicUsize>,
    at_once: Arc<AtomicUsize>,
}

impl Api {
    fn new(rows: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let rows = rows.into_iter().map(|(id, at)| (id, Some(START + at)));
        Api {
            rows: Arc::new(Mutex::new(rows.collect())),
            page: 5,
            most: usize::MAX,
            filters: true,
            ..Api::default()
        }
    }

    fn answer(&self, query: &BTreeMap<String, String>) -> Answer {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.at_once.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(self.slow);
        let number = |name: &str| query.get(name).map(|text| text.parse::<i64>().unwrap());
        let (from, until) = (number("from"), number("until"));
        let wanted = |at: Option<i64>| {
            let Some(at) = at.filter(|_| self.filters) else {
                return true;
            };
            let above = |from| at > from || at == from && !self.exclusive;
            from.is_none_or(above) && until.is_none_or(|until| at <= until)
        };
        let rows = self.rows.lock().unwrap().clone();
        let rows: Vec<_> = rows.into_iter().filter(|(_, at)| wanted(*at)).collect();
        let start = match number("after") {
            Some(id) => rows.iter().position(|row| row.0 == id).unwrap() + 1,
            None => number("page").map_or(0, |page| (page as usize).saturating_sub(1) * self.page),
        };
        let shown = rows.len().min(self.most);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if self.refuses && start >= shown && start > 0 && shown < rows.len() {
            return (422, Vec::new(), r#"{"message":"too deep"}"#.into());
        }
        let end = (start + self.page).min(shown);
        let page: Vec<_> = rows[start.min(end)..end]
            .iter()
            .map(|(id, at)| serde_json::json!({"id": id, "at": at}))
            .collect();
        let more = end < shown || self.refuses && shown < rows.len();
        let mut body = serde_json::json!({"data": page, "more": more});
        if self.counts {
            body["total"] = rows.len().into();
        }
        (200, Vec::new(), body.to_string())
    }

    fn serve(&self) -> (String, Arc<Mutex<Vec<String>>>) {
        let api = self.clone();
        serve(move |_, query| api.answer(query))
    }

    fn len(&self) -> usize {
        self.rows.lock().unwrap().len()
    }
}

fn bounded() -> Cursor<Event> {
    Cursor::updated(Event::AT).param("from").until("until")
}

fn events(cursor: Cursor<Event>) -> Resource<Event> {
    Event::list("events", "/events")
        .records("data")
        .primary_key([Event::ID])
        .paginate(Paginator::last_id("after").more("more"))
        .incremental(cursor)
}

/// Returns a list with pages without stable positions.
fn numbered(cursor: Cursor<Event>) -> Resource<Event> {
    events(cursor).paginate(Paginator::page_number("page").more("more"))
}

fn run(base: &str, resource: Resource<Event>, into: &InMemory, options: RunOptions) -> Run {
    let source = Source::new("feed", base).resource(resource);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(sync(
        &source,
        Box::new(into.clone()),
        &options,
        Arc::new(()),
    ));
    report.map(|mut report| report.resources.remove(0))
}

type Run = etlgen_runtime::Result<ResourceReport>;

/// Returns the report of a list that was read to a proved end.
fn whole(run: Run) -> ResourceReport {
    let report = numbered_whole(run);
    assert!(matches!(report.proof, Proof::Proved(_)), "{report:#?}");
    report
}

/// Does the same for a list that may be requested by page numbers, which is not called proved.
fn numbered_whole(run: Run) -> ResourceReport {
    let report = run.unwrap();
    assert!(matches!(report.outcome, Outcome::Complete), "{report:#?}");
    let read = matches!(report.proof, Proof::Proved(_) | Proof::Consistent(_));
    assert!(read, "{report:#?}");
    report
}

fn usual() -> RunOptions {
    RunOptions::default()
}

fn backfill(since: &str, until: Option<&str>, length: Duration) -> RunOptions {
    let mut options = usual().since(since).window(length);
    options.until = until.map(str::to_owned);
    options
}

/// Returns 100 rows, one every 6 hours from 2024-01-01 on, the newest first.
fn quarter_days() -> Api {
    Api::new((0..100).rev().map(|n| (n, n * DAY / 4)))
}

#[test]
fn a_backfill_is_read_in_windows_side_by_side_and_leaves_the_state_alone() {
    let api = Api {
        slow: Duration::from_millis(20),
        ..quarter_days()
    };
    let (base, log) = api.serve();
    let into = InMemory::new(1000);
    let before = into.state();
    let options = backfill("2024-01-03", Some("2024-01-13"), days(2));
    let report = whole(run(&base, events(bounded()), &into, options));
    assert_eq!(into.table("events").len(), 40);
    // The API includes upper bounds: a row at a bound is in two windows, and is loaded in one.
    assert_eq!(report.records, 45);
    assert!(api.at_once.load(Ordering::SeqCst) > 1, "one at a time");
    let log = log.lock().unwrap();
    let windows = log.iter().filter(|url| !url.contains("after="));
    assert_eq!(windows.count(), 5, "{log:?}");
    let left: Vec<_> = into
        .state()
        .into_iter()
        .filter(|row| !row.0.1.starts_with('~') && row.0.1 != "declared")
        .collect();
    assert_eq!(before.into_iter().collect::<Vec<_>>(), left);
}

#[test]
fn a_killed_backfill_goes_on_and_asks_for_no_closed_window_again() {
    for (resource, resumes) in [(events as fn(_) -> _, true), (numbered, false)] {
        for disposition in [
            Disposition::Merge,
            Disposition::Append,
            Disposition::Replace,
        ] {
            let api = Api {
                page: 2,
                ..quarter_days()
            };
            let (base, log) = api.serve();
            let undisturbed = InMemory::new(1000);
            let options = || backfill("2024-01-03", Some("2024-01-08"), days(1));
            let declared = || resource(bounded()).write(disposition);
            numbered_whole(run(&base, declared(), &undisturbed, options()));
            let requests = log.lock().unwrap().len();
            let mut commit = 0;
            loop {
                let into = InMemory::new(1);
                let first = run(&base, declared(), &into.failing_at(commit), options());
                log.lock().unwrap().clear();
                numbered_whole(run(&base, declared(), &into, options()));
                assert_eq!(
                    into.tables(),
                    undisturbed.tables(),
                    "{disposition:?}, commit {commit}"
                );
                if first.is_ok() {
                    break;
                }
                let again = log.lock().unwrap().len();
                assert!(
                    commit < 4 || !resumes || again < requests,
                    "commit {commit}: {again} requests"
                );
                commit += 1;
            }
            assert!(commit > 8, "{commit} commits");
        }
    }
}

#[test]
fn a_backfill_that_has_ended_reads_again_when_it_is_asked_for_again() {
    let api = quarter_days();
    let (base, log) = api.serve();
    let into = InMemory::new(1000);
    let options = || backfill("2024-01-03", None, days(7));
    whole(run(&base, events(bounded()), &into, options()));
    let requests = log.lock().unwrap().len();
    whole(run(&base, events(bounded()), &into, options()));
    assert_eq!(log.lock().unwrap().len(), 2 * requests);
    whole(run(&base, events(bounded()), &into, usual()));
    assert_eq!(into.table("events").len(), api.len());
    assert!(
        into.state()
            .keys()
            .all(|(_, slice)| !slice.starts_with('~'))
    );
}

#[test]
fn declared_windows_cover_everything_also_what_is_older() {
    for disposition in [
        Disposition::Merge,
        Disposition::Append,
        Disposition::Replace,
    ] {
        let api = quarter_days();
        let (base, log) = api.serve();
        let into = InMemory::new(7);
        let declared = || events(bounded().windows("2024-01-05", days(3000))).write(disposition);
        let report = whole(run(&base, declared(), &into, usual()));
        assert_eq!(into.table("events").len(), api.len(), "{disposition:?}");
        assert!(
            report.notes.iter().any(|note| note.contains("windows")),
            "{report:#?}"
        );
        // Only one window is left after the first run, so no windows are used.
        log.lock().unwrap().clear();
        whole(run(&base, declared(), &into, usual()));
        let in_full = disposition == Disposition::Replace;
        assert_eq!(log.lock().unwrap().len() > 1, in_full, "{disposition:?}");
        assert_eq!(into.table("events").len(), api.len(), "{disposition:?}");
    }
}

/// Returns rows, one per hour.
fn hours_of(rows: i64) -> impl DoubleEndedIterator<Item = (i64, i64)> {
    (0..rows).map(|n| (n, n * 3600))
}

#[test]
fn a_list_that_the_api_cuts_off_is_read_in_narrower_windows() {
    for (refuses, counts, declared) in [
        (true, false, false),
        (true, false, true),
        (false, true, true),
        (false, false, true),
    ] {
        let api = Api {
            most: 20,
            refuses,
            counts,
            ..Api::new(hours_of(230).rev())
        };
        let (base, _) = api.serve();
        let into = InMemory::new(1000);
        let cursor = || match declared {
            true => bounded().most_rows(20),
            false => bounded(),
        };
        let paginator = Paginator::page_number("page").more("more");
        let paginator = match counts {
            true => paginator.total_items("total"),
            false => paginator,
        };
        let resource = || events(cursor()).paginate(paginator.clone());
        let options = backfill("2024-01-01", None, days(9000));
        let report = numbered_whole(run(&base, resource(), &into, options));
        assert_eq!(into.table("events").len(), api.len(), "{report:#?}");
        assert!(
            report.notes.iter().any(|note| note.contains("narrower")),
            "{report:#?}"
        );
        // The list without a lower bound is read likewise.
        let into = InMemory::new(1000);
        numbered_whole(run(&base, resource(), &into, usual()));
        assert_eq!(into.table("events").len(), api.len());
    }
}

#[test]
fn a_list_that_cannot_be_narrowed_is_an_error_that_says_what_to_do() {
    // All rows are in one second.
    let api = Api {
        most: 20,
        refuses: true,
        ..Api::new((0..50).map(|n| (n, 0)))
    };
    let (base, _) = api.serve();
    let options = backfill("2024-01-01", Some("2024-01-02"), days(1));
    let report = run(&base, numbered(bounded()), &InMemory::new(1000), options).unwrap();
    let Outcome::Failed(_, message) = &report.outcome else {
        panic!("{report:#?}")
    };
    assert!(message.contains("422 after 20 rows"), "{message}");
}

#[test]
fn a_list_sorted_the_oldest_first_goes_on_from_its_last_value_when_it_is_cut_off() {
    for key in [true, false] {
        let api = Api {
            most: 20,
            ..Api::new((0..230).map(|n| (n, n / 3 * 60)))
        };
        let (base, _) = api.serve();
        let into = InMemory::new(1000);
        let cursor = Cursor::updated(Event::AT)
            .param("from")
            .oldest_first()
            .most_rows(20);
        let resource = numbered(cursor);
        let resource = match key {
            true => resource,
            false => resource.primary_key(Vec::<&str>::new()),
        };
        let report = numbered_whole(run(&base, resource, &into, usual()));
        assert_eq!(into.table("events").len(), api.len(), "{report:#?}");
    }
}

#[test]
fn a_killed_run_goes_on_from_the_last_value_of_a_list_sorted_the_oldest_first() {
    let api = Api::new(hours_of(60));
    let (base, log) = api.serve();
    let cursor = || Cursor::updated(Event::AT).param("from").oldest_first();
    let into = InMemory::new(1);
    run(&base, numbered(cursor()), &into.failing_at(9), usual()).unwrap_err();
    log.lock().unwrap().clear();
    numbered_whole(run(&base, numbered(cursor()), &into, usual()));
    assert_eq!(into.table("events").len(), 60);
    let requests = log.lock().unwrap().len();
    assert!(
        requests < 8,
        "{requests} requests for what was left of 12 pages"
    );
}

#[test]
fn a_list_sorted_the_newest_first_ends_where_it_is_known() {
    let api = Api {
        filters: false,
        ..Api::new(hours_of(100).rev())
    };
    let (base, log) = api.serve();
    let into = InMemory::new(1000);
    let cursor = || Cursor::updated(Event::AT).newest_first();
    whole(run(&base, events(cursor()), &into, usual()));
    assert_eq!(log.lock().unwrap().len(), 20);
    log.lock().unwrap().clear();
    for new in [100, 101] {
        api.rows
            .lock()
            .unwrap()
            .insert(0, (new, Some(START + new * 3600)));
    }
    let report = whole(run(&base, events(cursor()), &into, usual()));
    assert_eq!(into.table("events").len(), 102);
    // The requests are for the page with the new rows, and one with only older rows.
    assert_eq!(log.lock().unwrap().len(), 2, "{report:#?}");
    assert!(
        format!("{:?}", report.proof).contains("newest first"),
        "{report:#?}"
    );
}

#[test]
fn a_list_that_is_not_sorted_as_declared_is_read_to_its_end() {
    let api = Api {
        filters: false,
        ..Api::new(hours_of(100).rev())
    };
    let (base, log) = api.serve();
    let into = InMemory::new(1000);
    let cursor = || Cursor::updated(Event::AT).newest_first();
    whole(run(&base, events(cursor()), &into, usual()));
    log.lock().unwrap().clear();
    // One row is pinned to the top, and a new one is at the very end.
    api.rows.lock().unwrap().insert(0, (100, Some(START)));
    api.rows
        .lock()
        .unwrap()
        .push((101, Some(START + 101 * 3600)));
    let report = whole(run(&base, events(cursor()), &into, usual()));
    assert_eq!(log.lock().unwrap().len(), 21);
    assert!(
        into.table("events")
            .values()
            .any(|row| row["id"].contains("101"))
    );
    assert!(
        report.notes.iter().any(|note| note.contains("not sorted")),
        "{report:#?}"
    );
}

#[test]
fn without_a_parameter_older_rows_are_left_out_here_and_counted() {
    let api = Api {
        filters: false,
        ..Api::new(hours_of(12))
    };
    let (base, _) = api.serve();
    let into = InMemory::new(1000);
    whole(run(
        &base,
        events(Cursor::updated(Event::AT)),
        &into,
        usual(),
    ));
    api.rows
        .lock()
        .unwrap()
        .insert(3, (12, Some(START + 12 * 3600)));
    let report = whole(run(
        &base,
        events(Cursor::updated(Event::AT)),
        &into,
        usual(),
    ));
    assert_eq!(report.tables, [("events".to_owned(), 2)], "{report:#?}");
    assert_eq!(into.table("events").len(), 13);
    let note = report.notes.iter().find(|note| note.contains("11 records"));
    assert!(
        note.is_some_and(|note| note.contains("older")),
        "{report:#?}"
    );
}

#[test]
fn a_key_that_comes_again_in_another_window_is_not_replaced_in_silence() {
    // One key for two records, 15 hours apart.
    let twice = || Api::new((0..20).map(|n| (n % 15, n * 3600)));
    let wrong = |run: Run| {
        let report = run.unwrap();
        let Outcome::Failed(_, error) = &report.outcome else {
            panic!("{report:#?}");
        };
        assert!(error.contains("the key is not unique"), "{error}");
        assert!(error.contains("with another `at`"), "{error}");
        assert!(error.contains("`primary_key = […]`"), "{error}");
    };
    let into = InMemory::new(3);
    let (base, _) = twice().serve();
    let six_hours = Duration::from_secs(6 * 3600);
    let options = backfill("2024-01-01", Some("2024-01-02"), six_hours);
    wrong(run(&base, numbered(bounded()), &into, options));
    // The same holds where a list is requested again from its last value.
    let cut = Api {
        most: 10,
        ..twice()
    };
    let (base, _) = cut.serve();
    let into = InMemory::new(3);
    let rising = Cursor::updated(Event::AT).param("from").oldest_first();
    wrong(run(&base, numbered(rising.most_rows(10)), &into, usual()));
    // The response with the second record is not loaded.
    assert_eq!(into.table("events").len(), 14);
}

#[test]
fn rows_without_a_value_of_the_cursor_are_kept_and_counted() {
    let api = Api::new(hours_of(12));
    api.rows.lock().unwrap().extend([(12, None), (13, None)]);
    let (base, _) = api.serve();
    let into = InMemory::new(1000);
    for first in [true, false] {
        let report = numbered_whole(run(&base, events(bounded()), &into, usual()));
        // A filter may not show new ones of them.
        assert_eq!(
            matches!(report.proof, Proof::Proved(_)),
            first,
            "{report:#?}"
        );
        assert_eq!(into.table("events").len(), 14);
        let note = report.notes.iter().find(|note| note.contains("2 records"));
        assert!(note.is_some_and(|note| note.contains("at")), "{report:#?}");
    }
}

#[test]
fn rows_on_the_bound_come_once_with_and_without_a_key_whatever_the_bound_means() {
    for (exclusive, key) in [(false, false), (false, true), (true, false), (true, true)] {
        let api = Api {
            exclusive,
            ..Api::new((0..12).map(|n| (n, n / 4)))
        };
        let (base, _) = api.serve();
        let into = InMemory::new(1000);
        let declared = || {
            let cursor = match exclusive {
                true => bounded().exclusive(),
                false => bounded(),
            };
            let resource = events(cursor).write(Disposition::Append);
            match key {
                true => resource,
                false => resource
                    .primary_key(Vec::<&str>::new())
                    .paginate(Paginator::page_number("page").more("more")),
            }
        };
        for more in 0..3 {
            numbered_whole(run(&base, declared(), &into, usual()));
            assert_eq!(
                into.table("events").len(),
                api.len(),
                "exclusive: {exclusive}, key: {key}"
            );
            // One row is in the last second (two equal ones without a key), and one in the next.
            let mut rows = api.rows.lock().unwrap();
            let last = START + 2 + more;
            let same = if key { 200 + more } else { 100 + more };
            rows.extend([
                (100 + more, Some(last)),
                (same, Some(last)),
                (300 + more, Some(last + 1)),
            ]);
        }
    }
}

#[test]
fn late_and_future_rows_are_not_lost() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = now.as_secs() as i64 - START;
    let api = Api::new([(1, now - 100), (2, now + 9 * DAY)]);
    let (base, _) = api.serve();
    let into = InMemory::new(1000);
    let declared = || events(bounded().lookback(days(1)));
    whole(run(&base, declared(), &into, usual()));
    // One row arrives late, and one is before the date in the future.
    let late = [(3, Some(START + now - 3600)), (4, Some(START + now + 3600))];
    api.rows.lock().unwrap().extend(late);
    whole(run(&base, declared(), &into, usual()));
    assert_eq!(into.table("events").len(), 4);
}

#[test]
fn windows_that_cannot_be_asked_for_are_refused() {
    let none = InMemory::new(1000);
    let refused = |cursor: Cursor<Event>| {
        let error = run("http://127.0.0.1:1", events(cursor), &none, usual()).unwrap_err();
        error.report()
    };
    let unbounded = Cursor::updated(Event::AT).param("from");
    let error = refused(unbounded.windows("2024-01-01", days(1)));
    assert!(error.contains("need both"), "{error}");
    let error = refused(bounded().windows("the beginning", days(1)));
    assert!(error.contains("cannot start at `the beginning`"), "{error}");
}

#[test]
fn bounds_that_contradict_each_other_are_refused() {
    let refused = |options: RunOptions| {
        let into = InMemory::new(1000);
        let error = run("http://127.0.0.1:1", events(bounded()), &into, options).unwrap_err();
        assert_eq!(error.kind(), etlgen_runtime::ErrorKind::Usage, "{error}");
        error.report()
    };
    for until in ["2024-02-01", "2024-01-01"] {
        let error = refused(usual().since("2024-02-01").until(until));
        let said = format!("`--since 2024-02-01` is not before `--until {until}`");
        assert!(error.contains(&said), "{error}");
    }
    let error = refused(usual().since("2024-02-01").full_refresh(true));
    assert!(error.contains("cannot have `--since`"), "{error}");
}

#[test]
fn a_length_of_windows_without_effect_is_told() {
    let notes = |resource: Resource<Event>, options: RunOptions| {
        let source = Source::new("log", "http://127.0.0.1:1").resource(resource);
        let (memory, now) = (Default::default(), std::time::SystemTime::now());
        let plan = etlgen_runtime::run::plan(&source, &memory, &options, now).unwrap();
        plan.resources[0].notes.join("; ")
    };
    let window = || usual().window(days(30));
    let said = notes(events(bounded()), window());
    assert!(said.contains("has no start (`--since`)"), "{said}");
    let said = notes(events(Cursor::updated(Event::AT)), window());
    assert!(said.contains("cannot bound its list"), "{said}");
    assert_eq!(notes(events(bounded()), window().since("2020-01-01")), "");
}

#[test]
fn a_format_of_times_needs_a_field_of_times() {
    let none = InMemory::new(1000);
    let cursor = Cursor::updated(Event::ID).param("from");
    let cursor = cursor.format(etlgen_runtime::cursor::TimeFormat::Date);
    let error = run("http://127.0.0.1:1", events(cursor), &none, usual()).unwrap_err();
    assert!(
        error.report().contains("`id` holds plain numbers"),
        "{error:?}"
    );
}

#[test]
fn a_window_that_is_answered_404_names_the_rule() {
    let unbounded = Cursor::updated(Event::AT).param("from");
    for (cursor, names_it) in [(bounded(), true), (unbounded, false)] {
        let (base, _) = serve(|_, _| (404, Vec::new(), "{}".to_owned()));
        let into = InMemory::new(1000);
        let report = run(&base, events(cursor), &into, usual()).unwrap();
        let failed = format!("{report:?}");
        assert!(failed.contains("404 Not Found"), "{failed}");
        assert_eq!(failed.contains("on_status = { 404"), names_it, "{failed}");
    }
}
