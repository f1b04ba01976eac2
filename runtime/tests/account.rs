//! Tests of the account of a list: whatever an API states about its end, a list that is called
//! proved is complete, and a contradiction fails with both statements in its message.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::support::InMemory;
use etlgen_model::{PageSize, Total};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, ResourceReport, RunOptions, sync};
use etlgen_runtime::world::{
    BoxFuture, Transport, VirtualClock, WireError, WireRequest, WireResponse, World,
};
use serde_json::{Value, json};

#[derive(Record)]
pub(crate) struct Thing {
    id: Option<i64>,
}

pub(crate) type Query = BTreeMap<String, String>;

/// An API that answers with a function and records the requests.
struct Api<F> {
    answer: F,
    asked: Arc<Mutex<Vec<String>>>,
}

impl<F: Fn(&Query) -> WireResponse + Send + Sync> Transport for Api<F> {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        let query = request.url().query_pairs().into_owned().collect();
        let asked = request.url().query().unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(asked);
        let answer = (self.answer)(&query);
        Box::pin(async { Ok(answer) })
    }
}

/// The result of reading a list.
pub(crate) struct Came {
    pub ids: Vec<i64>,
    pub report: ResourceReport,
    pub asked: Vec<String>,
}

impl Came {
    /// Returns the grade, or `failed`.
    pub fn grade(&self) -> &'static str {
        match self.report.outcome {
            Outcome::Complete => self.report.proof.grade(),
            Outcome::Stopped => "stopped",
            _ => "failed",
        }
    }

    /// Returns the error, or the sentence of the proof.
    pub fn said(&self) -> String {
        match (&self.report.outcome, self.report.proof.why()) {
            (Outcome::Failed(_, error), _) => error.clone(),
            (_, why) => why.unwrap_or_default().to_owned(),
        }
    }
}

pub(crate) fn list(paginator: impl Into<Paginator>) -> Resource<Thing> {
    Thing::list("things", "/things")
        .records("data")
        .primary_key([Thing::ID])
        .paginate(paginator)
}

pub(crate) fn into(
    memory: &InMemory,
    list: Resource<Thing>,
    answer: impl Fn(&Query) -> WireResponse + Send + Sync + 'static,
    options: &RunOptions,
) -> Came {
    let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
    let asked = Arc::default();
    let api = Api {
        answer,
        asked: Arc::clone(&asked),
    };
    // With one request at a time, rows move between known pages.
    let source = Source::new("club", "https://api.example")
        .world(World::simulated(api, clock.clone(), 1))
        .concurrency(1)
        .resource(list);
    let run = sync(&source, Box::new(memory.clone()), options, Arc::new(()));
    let report = clock.runtime().unwrap().block_on(run).unwrap();
    let id = |row: &BTreeMap<String, String>| {
        let digits: String = row["id"].chars().filter(char::is_ascii_digit).collect();
        digits[2..].parse().unwrap()
    };
    let mut ids: Vec<i64> = memory.table("things").values().map(id).collect();
    ids.sort_unstable();
    let asked = asked.lock().unwrap().clone();
    let report = report.resources.into_iter().next().unwrap();
    Came { ids, report, asked }
}

pub(crate) fn load(
    list: Resource<Thing>,
    answer: impl Fn(&Query) -> WireResponse + Send + Sync + 'static,
) -> Came {
    into(&InMemory::new(1000), list, answer, &RunOptions::default())
}

pub(crate) fn ok(body: Value) -> WireResponse {
    WireResponse::new(200).body(body.to_string())
}

pub(crate) fn rows(ids: std::ops::Range<usize>) -> Vec<Value> {
    ids.map(|id| json!({ "id": id })).collect()
}

pub(crate) fn number(query: &Query, name: &str) -> Option<usize> {
    query.get(name).map(|value| value.parse().unwrap())
}

const KINDS: [&str; 7] = [
    "offset",
    "page number",
    "token",
    "last id",
    "next URL",
    "Link",
    "none",
];

pub(crate) fn paginator(kind: &str) -> Paginator {
    match kind {
        "offset" => Paginator::offset("offset").into(),
        "page number" => Paginator::page_number("page").into(),
        "token" => Paginator::token("token", "next").into(),
        "last id" => Paginator::last_id("after").into(),
        "next URL" => Paginator::next_url("next").into(),
        "Link" => Paginator::link_header().into(),
        _ => Paginator::single(),
    }
}

/// Returns the paginator with pages of ten rows, and with the path of a total.
fn declare(mut paginator: Paginator, size: bool, total: Option<Total>) -> Paginator {
    if let Some(common) = paginator.common_mut() {
        let ten = NonZeroU64::new(10).filter(|_| size);
        common.page_size = ten.map(|rows| PageSize::new("limit", rows));
        common.total = total;
    }
    paginator
}

/// Returns the index at which the requested page begins; pages have ten rows.
fn place(kind: &str, query: &Query) -> usize {
    match kind {
        "offset" => number(query, "offset").unwrap_or(0),
        "page number" => number(query, "page").unwrap_or(1).saturating_sub(1) * 10,
        "last id" => number(query, "after").map_or(0, |id| id + 1),
        "none" => 0,
        _ => token(query),
    }
}

/// Returns the token for an index: `cab` for 20. A token that shows the number would be a position.
fn token_of(index: usize) -> String {
    let letter = |digit: char| char::from(b'a' + digit as u8 - b'0');
    index.to_string().chars().map(letter).collect::<String>() + "x"
}

/// Returns the index in a token.
fn token(query: &Query) -> usize {
    let token = query.get("token").map(|token| token.trim_end_matches('x'));
    let digit = |letter: char| char::from(b'0' + letter as u8 - b'a');
    let digits = token.map(|token| token.chars().map(digit).collect::<String>());
    digits.map_or(0, |digits| digits.parse().unwrap())
}

/// Returns a page of a list of `all` rows, with its link or token to the next: up to the end of the
/// list, or to an empty page after it.
fn page(kind: &str, query: &Query, all: usize, ends_empty: bool) -> (usize, Value, WireResponse) {
    let at = place(kind, query).min(all);
    let end = (at + 10).min(all);
    let more = end < all || ends_empty && at < all;
    let mut body = json!({ "data": rows(at..end) });
    let mut answer = WireResponse::new(200);
    match kind {
        "token" => body["next"] = more.then(|| token_of(end)).into(),
        "next URL" => {
            let link = format!("/things?token={}", token_of(end));
            body["next"] = more.then_some(link).into();
        }
        "Link" if more => {
            answer = answer.header(
                "link",
                &format!("</things?token={}>; rel=\"next\"", token_of(end)),
            );
        }
        "Link" => answer = answer.header("link", "</things>; rel=\"first\""),
        _ => {}
    }
    (end - at, body, answer)
}

/// Returns what an API that counts in this way states on a page of `rows` rows that begins at `at`.
fn total(way: &str, at: usize, rows: usize, all: usize) -> Value {
    match way {
        "right" => all.into(),
        "too low" => (all / 2).into(),
        "of the page" => rows.into(),
        "negative" => (-1).into(),
        // The totals are 33, 13, 13, …
        "falling" if at < 9 => all.into(),
        "falling" => (all - all.min(20)).into(),
        // The total is always 10 more than the rows so far.
        "rising" => (at + rows + 10).into(),
        _ => Value::Null,
    }
}

/// The grades, by their first letters, of a list that ends with a full page, a short one, and an
/// empty one; in the order of [`KINDS`].
const GRADES: [(&str, [&str; 3]); 7] = [
    ("right", ["pcppppu", "pcppppp", "pcppppp"]),
    ("too low", ["ffffffu", "ffffffu", "ffffffp"]),
    // A total that is the number of rows on each of several pages counts the rows of the page.
    ("of the page", ["pcppppu", "pcppppp", "pcppppp"]),
    ("negative", ["pcppppu", "pcppppa", "pcppppa"]),
    ("falling", ["cuccccu", "cuccccp", "cuccccp"]),
    ("rising", ["uuuuuuf", "uuuuuuf", "uuuuuuf"]),
    ("absent", ["pcppppu", "pcppppa", "pcppppa"]),
];

#[test]
fn totals_of_all_kinds_with_all_paginators() {
    for (way, expected) in GRADES {
        for (end, expected) in ["full", "short", "empty"].into_iter().zip(expected) {
            for (kind, expected) in KINDS.into_iter().zip(expected.chars()) {
                let all = match (kind, end) {
                    ("none", "full") => 10,
                    ("none", "short") => 7,
                    ("none", _) => 0,
                    (_, "short") => 33,
                    _ => 30,
                };
                for declared in [true, false] {
                    let total_at = declared.then(|| Total::Items("total".into()));
                    let pages = declare(paginator(kind), true, total_at);
                    let came = load(list(pages), move |query| {
                        let (rows, mut body, answer) = page(kind, query, all, end == "empty");
                        body["total"] = total(way, place(kind, query).min(all), rows, all);
                        answer.body(body.to_string())
                    });
                    let (grade, said) = (came.grade(), came.said());
                    let cell =
                        format!("{way}, {end}, {kind}, declared: {declared}: {grade}, {said}");
                    assert!(
                        !declared || grade.starts_with(expected),
                        "{cell}, not {expected}"
                    );
                    assert_eq!(came.ids.len(), all, "{cell}");
                    // A failure names both statements, and the line that settles it.
                    if grade == "failed" && kind != "none" {
                        assert!(said.contains("`total` counts"), "{cell}");
                        assert!(said.contains("`total = false`"), "{cell}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_total_that_the_first_page_exceeds_does_not_end_the_list() {
    // Ten rows are requested, the server sends four at most, and its total is too low.
    for kind in ["offset", "page number"] {
        let pages = declare(paginator(kind), true, Some(Total::Items("total".into())));
        let came = load(list(pages), move |query| {
            let at = match kind {
                "offset" => number(query, "offset").unwrap_or(0),
                _ => number(query, "page").unwrap_or(1).saturating_sub(1) * 4,
            };
            ok(json!({"data": rows(at.min(9)..(at + 4).min(9)), "total": 3}))
        });
        let (grade, said) = (came.grade(), came.said());
        assert_eq!((grade, came.ids.len()), ("failed", 9), "{kind}: {said}");
        assert!(said.contains("`total` counts 3 rows"), "{kind}: {said}");
    }
}

#[test]
fn a_total_that_has_counted_more_rows_than_arrived_is_consistent_at_most() {
    // Five rows arrive. A sixth was counted on some page: it was deleted, or it is missing.
    for name in ["total", "count"] {
        for (counts, grade) in [
            ([5, 5, 5], "proved"),
            ([6, 6, 5], "consistent"),
            ([5, 6, 5], "consistent"),
        ] {
            let came = load(list(paginator("token")), move |query| {
                let at = token(query);
                let end = (at + 2).min(5);
                let next = (end < 5).then(|| token_of(end));
                ok(json!({"data": rows(at..end), name: counts[at / 2], "next": next}))
            });
            let cell = format!("{name} {counts:?}: {}", came.said());
            assert_eq!((came.grade(), came.ids.len()), (grade, 5), "{cell}");
        }
    }
}

#[test]
fn a_number_of_pages_counts_pages_with_rows() {
    // Pages are numbered from 0 but requested from 1: the last of them is empty.
    let pages = || Paginator::page_number("page").total_pages("nbPages");
    let from_0 = |query: &Query| {
        let at = number(query, "page").unwrap_or(0) * 100;
        ok(json!({"data": rows(at.min(130)..(at + 100).min(130)), "nbPages": 2}))
    };
    let came = load(list(pages()), from_0);
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("failed", 30),
        "{}",
        came.said()
    );
    assert!(came.said().contains("`nbPages`"), "{}", came.said());
    let came = load(list(pages().starting_at(0)), from_0);
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("consistent", 130),
        "{}",
        came.said()
    );
    // Some APIs count one page if there are no rows.
    let came = load(list(pages()), |_| ok(json!({"data": [], "nbPages": 1})));
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

/// Loads a list whose first page leads to a next one, in place of which the API answers `instead`.
fn promised(flag: bool, instead: fn() -> WireResponse) -> Came {
    let pages = match flag {
        true => Paginator::last_id("after").more("more").into(),
        false => Paginator::from(Paginator::token("token", "next")),
    };
    load(list(pages), move |query| match query.is_empty() {
        true if flag => ok(json!({"data": rows(0..10), "more": true})),
        true => ok(json!({"data": rows(0..10), "next": "t"})),
        false => instead(),
    })
}

#[test]
fn more_was_promised_and_nothing_came() {
    type Case = (
        &'static str,
        fn() -> WireResponse,
        &'static str,
        &'static str,
    );
    let cases: [Case; 6] = [
        ("204", || WireResponse::new(204), "failed", "unproved"),
        (
            "202",
            || WireResponse::new(202).body("{}"),
            "failed",
            "failed",
        ),
        (
            "an empty list",
            || ok(json!({"data": []})),
            "failed",
            "proved",
        ),
        ("null", || ok(json!({"data": null})), "failed", "unproved"),
        (
            "errors beside it",
            || ok(json!({"data": [], "errors": [{"message": "out of quota"}]})),
            "failed",
            "failed",
        ),
        (
            "more and nothing",
            || ok(json!({"data": [], "more": true, "next": null})),
            "failed",
            "failed",
        ),
    ];
    for (case, instead, of_flag, of_token) in cases {
        for (flag, grade) in [(true, of_flag), (false, of_token)] {
            let came = promised(flag, instead);
            let said = came.said();
            assert_eq!(came.grade(), grade, "{case}, {flag}: {said}");
            // The rows that arrived are kept.
            assert_eq!(came.ids.len(), 10, "{case}, {flag}: {said}");
            assert!(
                !case.contains("errors") || said.contains("out of quota"),
                "{said}"
            );
        }
    }
}

/// Loads ten rows a page by page number; after the last page the API answers with a status.
fn behind(status: u16, all: usize, total: Option<usize>) -> Came {
    load(
        list(Paginator::page_number("page").total_items("total")),
        move |query| {
            let at = place("page number", query);
            match at < all {
                true => ok(json!({"data": rows(at..(at + 10).min(all)), "total": total})),
                false => WireResponse::new(status).body(r#"{"detail": "Invalid page."}"#),
            }
        },
    )
}

#[test]
fn statuses_behind_the_last_page_end_a_list_or_are_its_depth() {
    for status in [404, 400, 416, 422] {
        // The last page was short.
        let came = behind(status, 25, None);
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("consistent", 25),
            "{}",
            came.said()
        );
        // The last page was full: a server that returns only so many rows refuses in the same way.
        let came = behind(status, 30, None);
        let grade = if status == 404 {
            "consistent"
        } else {
            "unproved"
        };
        assert_eq!(
            (came.grade(), came.ids.len()),
            (grade, 30),
            "{}",
            came.said()
        );
        // All rows that the total counts have arrived.
        let came = behind(status, 30, Some(30));
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("consistent", 30),
            "{}",
            came.said()
        );
        // Some of them have not arrived.
        let came = behind(status, 30, Some(53));
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("failed", 30),
            "{}",
            came.said()
        );
        let said = came.said();
        for part in [
            &status.to_string(),
            "30 different rows",
            "`total` counts 53",
        ] {
            assert!(said.contains(part), "{said}");
        }
        let last = came.asked.iter().filter(|asked| asked.contains("page=4"));
        assert_eq!(last.count(), 1, "it is not asked for again unchanged");
        // On the first page the status is an error.
        let came = behind(status, 0, None);
        assert_eq!(came.grade(), "failed");
    }
    // An unknown token is not an end.
    let came = promised(false, || WireResponse::new(404).body("{}"));
    assert_eq!(came.grade(), "failed");
    // A page that a flag announced is not an end either.
    let pages = Paginator::page_number("page").more("more");
    let came = load(list(pages), |query| match place("page number", query) {
        0 => ok(json!({"data": rows(0..10), "more": true})),
        _ => WireResponse::new(404),
    });
    assert_eq!(came.grade(), "failed", "{}", came.said());
}

pub(crate) fn single(answer: impl Fn() -> WireResponse + Send + Sync + 'static) -> Came {
    load(list(Paginator::single()), move |_| answer())
}

#[test]
fn one_answer_is_assumed_to_be_all_unless_something_says_otherwise() {
    let came = single(|| ok(json!({"data": rows(0..7)})));
    assert_eq!(came.grade(), "assumed", "{}", came.said());
    let came = single(|| ok(json!({"data": []})));
    assert_eq!(came.grade(), "assumed", "{}", came.said());
    let sizes = [10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 150, 200, 250, 300];
    for usual in sizes
        .into_iter()
        .chain([400, 500, 800, 1000, 2000, 5000, 10_000])
    {
        let came = single(move || ok(json!({"data": rows(0..usual)})));
        assert_eq!(came.grade(), "unproved", "{}", came.said());
    }
    for other in [9, 11, 24, 99, 101, 120, 999, 1050, 1234] {
        let came = single(move || ok(json!({"data": rows(0..other)})));
        assert_eq!(came.grade(), "assumed", "{}", came.said());
    }
    // Something states that this is all.
    for more in [
        json!({"total": 7}),
        json!({"next": null}),
        json!({"has_more": false}),
        json!({"meta": {"total_pages": 1}}),
    ] {
        let came = single(move || {
            let mut body = more.clone();
            body["data"] = rows(0..7).into();
            ok(body)
        });
        assert_eq!(came.grade(), "proved", "{}", came.said());
    }
}

#[test]
fn one_answer_that_says_more_fails_with_the_line_that_settles_it() {
    let says = [
        ("total", json!({"total": 53})),
        ("count", json!({"count": 53})),
        ("next", json!({"next": "http://x/things?page=2"})),
        ("has_more", json!({"has_more": true})),
        (
            "meta.last_page",
            json!({"meta": {"current_page": 1, "last_page": 6}}),
        ),
        ("page.totalElements", json!({"page": {"totalElements": 53}})),
        (
            "paging.next.after",
            json!({"paging": {"next": {"after": "x"}}}),
        ),
        ("isLast", json!({"isLast": false})),
    ];
    let mut answers: Vec<(String, WireResponse)> = Vec::new();
    for (place, more) in says {
        let mut body = more;
        body["data"] = rows(0..7).into();
        answers.push((place.to_owned(), ok(body)));
    }
    for (name, value) in [
        ("link", "</things?page=2>; rel=\"next\""),
        ("x-total-count", "53"),
        ("x-total-pages", "6"),
        ("content-range", "items 0-6/53"),
    ] {
        let answer = ok(json!({"data": rows(0..7)})).header(name, value);
        answers.push(("header".to_owned(), answer));
    }
    for (place, answer) in answers {
        let answer = Mutex::new(Some(answer));
        let came = single(move || answer.lock().unwrap().take().unwrap());
        let said = came.said();
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("failed", 7),
            "{place}: {said}"
        );
        assert!(
            said.contains(&place) && said.contains("`paginate = "),
            "{said}"
        );
        assert!(said.contains("things"), "{said}");
    }
}

#[test]
fn an_undecided_list_fails_unless_its_answer_proves_the_end() {
    let undecided = |body: Value| load(list(Paginator::undecided()), move |_| ok(body.clone()));
    let came = undecided(json!({"data": rows(0..7)}));
    assert_eq!(came.grade(), "failed", "{}", came.said());
    let came = undecided(json!({"data": rows(0..7), "total": 53}));
    assert!(
        came.said().contains("`total` counts 53 rows"),
        "{}",
        came.said()
    );
    let came = undecided(json!({"data": rows(0..7), "has_more": false}));
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

#[test]
fn one_object_is_whole() {
    let settings = Thing::single("things", "/things").primary_key([Thing::ID]);
    let came = load(settings, |_| ok(json!({"id": 1})));
    assert_eq!((came.grade(), came.ids), ("proved", vec![1]));
}

#[test]
fn an_object_without_records_stands_for_an_empty_list() {
    let token = || list(Paginator::token("token", "next_page_token"));
    for body in [
        json!({}),
        json!({"next_page_token": ""}),
        json!({"total_size": 0}),
    ] {
        let text = body.to_string();
        let came = load(token(), move |_| ok(body.clone()));
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("assumed", 0),
            "{text}: {}",
            came.said()
        );
    }
    // The empty object comes after pages with rows.
    let came = load(token(), |query| match query.is_empty() {
        true => ok(json!({"data": rows(0..10), "next_page_token": "t"})),
        false => ok(json!({})),
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("consistent", 10),
        "{}",
        came.said()
    );
    // Unknown keys mean something else.
    for body in [
        json!({"ok": true}),
        json!({"error": "no"}),
        json!({"things": []}),
    ] {
        let text = body.to_string();
        let came = load(token(), move |_| ok(body.clone()));
        assert_eq!(came.grade(), "failed", "{text}");
    }
}

#[test]
fn records_that_turn_from_a_list_into_an_object_are_an_error() {
    let came = load(list(Paginator::page_number("page")), |query| {
        match place("page number", query) {
            0 => ok(json!({"data": rows(0..10)})),
            _ => ok(json!({"data": {"id": 77}})),
        }
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("failed", 10),
        "{}",
        came.said()
    );
    assert!(came.said().contains("one object"), "{}", came.said());
}

/// Loads empty pages, each with a new token.
fn empty_pages(paginator: impl Into<Paginator>) -> Came {
    let asked = AtomicUsize::new(0);
    load(list(paginator), move |_| {
        let token = asked.fetch_add(1, Ordering::Relaxed);
        ok(json!({"data": [], "next": token + 1}))
    })
}

#[test]
fn empty_pages_are_followed_so_far() {
    let came = empty_pages(Paginator::token("token", "next"));
    assert_eq!(
        (came.grade(), came.asked.len()),
        ("failed", 501),
        "{}",
        came.said()
    );
    // A list that has shown a record may have more of them after a thousand empty pages.
    let came = load(list(Paginator::token("token", "next")), |query| {
        let at = number(query, "token").unwrap_or(0);
        let first = if at == 0 { rows(0..1) } else { rows(0..0) };
        ok(json!({"data": first, "next": at + 1}))
    });
    assert_eq!((came.grade(), came.asked.len()), ("failed", 1002));
    let came = empty_pages(Paginator::token("token", "next").empty_pages(3));
    assert_eq!(
        (came.grade(), came.asked.len()),
        ("failed", 4),
        "{}",
        came.said()
    );
    assert!(came.said().contains(".empty_pages("), "{}", came.said());
}

#[test]
fn a_token_on_every_page_for_ever_ends_at_an_empty_page_that_leads_to_itself() {
    let came = load(list(Paginator::token("token", "next")), |query| {
        let at = token(query).min(25);
        let end = (at + 10).min(25);
        ok(json!({"data": rows(at..end), "next": token_of(end)}))
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("proved", 25),
        "{}",
        came.said()
    );
}

#[test]
fn what_stands_beside_the_declared_place_is_heard() {
    // The token is null, but the header has a next link.
    let came = load(list(Paginator::token("token", "next")), |_| {
        let link = "</things?token=10>; rel=\"next\"";
        ok(json!({"data": rows(0..10), "next": null})).header("link", link)
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("failed", 10),
        "{}",
        came.said()
    );
    assert!(came.said().contains("Link"), "{}", came.said());
    // The token of the other direction leads to another page.
    let before = Paginator::token("before", "list_metadata.before");
    let came = load(list(before), |_| {
        let both = json!({"before": null, "after": "x"});
        ok(json!({"data": rows(0..7), "list_metadata": both}))
    });
    assert!(
        came.said().contains("list_metadata.after"),
        "{}",
        came.said()
    );
    // Some APIs send links only if a page is requested, but always send totals.
    let came = load(
        list(Paginator::link_header().page_size("_limit", 10)),
        |_| ok(json!({"data": rows(0..10)})).header("x-total-count", "53"),
    );
    assert_eq!(came.grade(), "failed", "{}", came.said());
    assert!(came.said().contains("x-total-count"), "{}", came.said());
    let came = load(
        list(Paginator::link_header().page_size("_limit", 10)),
        |_| ok(json!({"data": rows(0..10)})),
    );
    assert_eq!(came.grade(), "unproved", "{}", came.said());
    // Of two counts, the larger one is the total.
    let counted = Paginator::offset("offset")
        .page_size("limit", 10)
        .total_items("count");
    let came = load(list(counted), |query| {
        let (rows, mut body, answer) = page("offset", query, 25, false);
        body["count"] = rows.into();
        body["total_count"] = 25.into();
        answer.body(body.to_string())
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("proved", 25),
        "{}",
        came.said()
    );
    // Errors stand beside rows.
    let came = load(list(Paginator::token("token", "next")), |_| {
        ok(json!({"data": rows(0..7), "next": null, "errors": [{"message": "timeout"}]}))
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("unproved", 7),
        "{}",
        came.said()
    );
}

#[test]
fn a_total_that_lies_is_settled_by_its_owner() {
    for all in [30, 33] {
        for kind in ["offset", "page number"] {
            let came = load(
                list(declare(paginator(kind), false, Some(Total::Ignored))),
                move |query| {
                    let (_, mut body, answer) = page(kind, query, all, false);
                    body["total"] = 11.into();
                    body["total_pages"] = 99.into();
                    answer.body(body.to_string())
                },
            );
            let grade = if kind == "offset" {
                "proved"
            } else {
                "consistent"
            };
            assert_eq!(
                (came.grade(), came.ids.len()),
                (grade, all),
                "{}",
                came.said()
            );
        }
    }
}

#[test]
fn servers_that_show_another_page_behind_the_last_one_are_read_to_their_end() {
    for keyed in [true, false] {
        for (kind, shown) in [
            ("page number", 20),
            ("page number", 0),
            ("offset", 20),
            ("offset", 0),
        ] {
            let pages = declare(paginator(kind), true, Some(Total::Items("total".into())));
            let pages = match keyed {
                true => list(pages),
                false => Thing::list("things", "/things")
                    .records("data")
                    .paginate(pages),
            };
            let came = load(pages, move |query| {
                let at = place(kind, query);
                let at = if at < 30 { at } else { shown };
                ok(json!({"data": rows(at..(at + 10).min(30)), "total": 30}))
            });
            let cell = format!("{kind}, {shown}, {keyed}: {}", came.said());
            assert_eq!(came.ids.len(), 30, "{cell}");
            assert!(["proved", "consistent"].contains(&came.grade()), "{cell}");
        }
    }
}

/// A list of 57 rows, some of which change places with each request; none is created or deleted.
struct Moving(Mutex<(Vec<i64>, u64)>);

impl Moving {
    fn new(seed: u64) -> Self {
        Moving(Mutex::new(((0..57).collect(), seed)))
    }

    fn answer(&self, query: &Query, still: bool, total: bool) -> WireResponse {
        let mut list = self.0.lock().unwrap();
        let (rows, seed) = &mut *list;
        let mut draw = |below: u64| {
            *seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (*seed >> 33) % below
        };
        for _ in 0..(if still { 0 } else { 1 + draw(3) }) {
            let row = rows.remove(draw(57) as usize);
            let to = if draw(2) == 0 { 0 } else { draw(57) };
            rows.insert(to as usize, row);
        }
        let at = match query.get("page") {
            Some(_) => place("page number", query),
            None => place("offset", query),
        };
        let page = &rows[at.min(57)..(at + 10).min(57)];
        let data: Vec<Value> = page.iter().map(|id| json!({ "id": id })).collect();
        let mut body = json!({ "data": data });
        if total {
            body["total"] = 57.into();
        }
        ok(body)
    }
}

#[test]
fn rows_that_change_places_are_no_proof_and_never_deleted() {
    let all: Vec<i64> = (0..57).collect();
    for seed in 0..40 {
        for (number, total) in [(true, true), (true, false), (false, true), (false, false)] {
            let pages = || {
                let kind = if number { "page number" } else { "offset" };
                let total_at = total.then(|| Total::Items("total".into()));
                declare(paginator(kind), !number, total_at)
            };
            let memory = InMemory::new(1000);
            let kept = || list(pages()).deletes(Deletes::Hard);
            let moving = Moving::new(seed);
            let api = move |query: &Query| moving.answer(query, true, total);
            let came = into(&memory, kept(), api, &RunOptions::default());
            assert_eq!(
                (came.grade(), &came.ids),
                ("proved", &all),
                "{}",
                came.said()
            );
            let moving = Moving::new(seed);
            let api = move |query: &Query| moving.answer(query, false, total);
            let came = into(&memory, kept(), api, &RunOptions::default());
            assert_eq!(came.ids, all, "{seed}: {}: {}", came.grade(), came.said());
            // The first load finds an empty destination.
            let moving = Moving::new(seed);
            let came = load(list(pages()), move |query| {
                moving.answer(query, false, total)
            });
            let (grade, whole) = (came.grade(), came.ids == all);
            assert!(whole || grade != "proved", "{seed}: {}", came.said());
            assert!(
                whole || !total || grade != "consistent",
                "{seed}: {}",
                came.said()
            );
        }
    }
}

#[test]
fn equal_records_without_a_key_are_consistent_at_most() {
    let list = Thing::list("things", "/things")
        .records("data")
        .paginate(Paginator::token("token", "next"));
    let came = load(list, |_| {
        ok(json!({"data": [{"id": 1}, {"id": 1}, {"id": 2}], "next": null}))
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("consistent", 3),
        "{}",
        came.said()
    );
}

#[test]
fn places_that_the_links_number_are_not_gone_on_from() {
    for link in [true, false] {
        let gone = Arc::new(AtomicUsize::new(0));
        let api = |gone: Arc<AtomicUsize>| {
            move |query: &Query| {
                let gone = gone.load(Ordering::Relaxed);
                let at = (place("page number", query) + gone).min(53);
                let end = (at + 10).min(53);
                let next = (end < 53).then(|| format!("/things?page={}", (end - gone) / 10 + 1));
                let answer = WireResponse::new(200);
                let answer = match (&next, link) {
                    (Some(next), true) => answer.header("link", &format!("<{next}>; rel=\"next\"")),
                    _ => answer,
                };
                let next = next.filter(|_| !link);
                answer.body(json!({"data": rows(at..end), "next": next}).to_string())
            }
        };
        let pages = || match link {
            true => Paginator::from(Paginator::link_header()),
            false => Paginator::next_url("next").into(),
        };
        let memory = InMemory::new(10);
        let mut some = RunOptions::default();
        some.limit = Some(20);
        into(&memory, list(pages()), api(gone.clone()), &some);
        gone.store(25, Ordering::Relaxed);
        let came = into(&memory, list(pages()), api(gone), &RunOptions::default());
        let missing = (25..53).filter(|id| !came.ids.contains(id));
        assert_eq!(missing.count(), 0, "{}: {}", came.grade(), came.said());
    }
}

#[test]
fn a_token_that_never_comes_names_the_line_for_offsets() {
    let pages = Paginator::token("cursor", "next").page_size("limit", 2);
    let came = load(list(pages), |_| ok(json!({"data": rows(0..2), "total": 5})));
    assert_eq!((came.grade(), came.ids.len()), ("failed", 2));
    let line = r#"`things` in etlgen.toml: paginate = { kind = "offset", param = "offset", size = "limit" }"#;
    assert!(came.said().contains(line), "{}", came.said());
}

#[test]
fn only_pages_of_the_same_rows_say_that_the_page_parameter_has_no_effect() {
    // Rows that come while the list is read move known rows onward.
    let grows = |query: &Query| match number(query, "token").unwrap_or(0) {
        0 => rows(0..10),
        1 => rows(10..20),
        later => rows(10 - later..20 - later),
    };
    let stands = |_: &Query| rows(0..10);
    type Rows = fn(&Query) -> Vec<Value>;
    for (page, hint) in [
        (grows as Rows, "the list may grow while it is read"),
        (stands as Rows, "no effect"),
    ] {
        let pages = Paginator::token("token", "next");
        let came = load(list(pages), move |query| {
            let at = number(query, "token").unwrap_or(0);
            // The pages differ, though maybe not in their rows.
            let mut rows = page(query);
            rows.rotate_left(at % 10);
            ok(json!({"data": rows, "next": (at + 1).to_string()}))
        });
        let said = came.said();
        assert!(said.contains("3 pages in a row had no new row"), "{said}");
        assert_eq!(said.contains("no effect"), hint == "no effect", "{said}");
        assert!(said.contains(hint), "{said}");
        // Nothing filters this list.
        assert!(!said.contains("--since"), "{said}");
    }
}

#[test]
fn a_header_is_named_without_its_article_in_backticks() {
    let came = load(list(Paginator::single()), |_| {
        ok(json!({"data": rows(0..7)})).header("x-total-count", "9")
    });
    let said = came.said();
    assert!(
        said.contains("the header `x-total-count` counts 9 rows"),
        "{said}"
    );
    let came = load(
        list(Paginator::page_number("page").total_items("total")),
        |_| ok(json!({"data": rows(0..1), "total": 1})),
    );
    assert!(came.said().contains("1 row of 1"), "{}", came.said());
}
