//! Tests of lists within records of which the API sends only the first page.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, RunOptions, RunReport, sync};
use serde_json::{Value, json};

#[derive(Record)]
struct Bill {
    id: Option<i64>,
    lines: Option<Lines>,
}

#[derive(Record)]
struct Lines {
    data: Option<Vec<Line>>,
    more: Option<bool>,
    next: Option<String>,
    total: Option<i64>,
    url: Option<String>,
}

#[derive(Record)]
struct Line {
    id: Option<i64>,
    amount: Option<i64>,
    parts: Option<Parts>,
}

#[derive(Record)]
struct Parts {
    data: Option<Vec<Part>>,
    more: Option<bool>,
    url: Option<String>,
}

#[derive(Record)]
struct Part {
    id: Option<i64>,
}

const BILLS: i64 = 5;
/// The number of items of a list within a record.
const WITHIN: usize = 2;
const PAGE: usize = 3;

/// Returns the number of lines. Bill 3 has none; all lines of bill 4 are within it.
fn lines(bill: i64) -> i64 {
    [0, 11, 3, 0, 2, 7][bill as usize]
}

/// Returns at most `most` items after `after`, with every sign that more follows.
fn list(url: &str, after: i64, count: i64, most: usize, item: impl Fn(i64) -> Value) -> Value {
    let items: Vec<Value> = (after + 1..=count).take(most).map(item).collect();
    let end = after + items.len() as i64;
    let next = (end < count).then(|| format!("{url}?after={end}"));
    json!({"data": items, "more": end < count, "next": next, "total": count, "url": url})
}

fn line(bill: i64, line: i64, most: usize) -> Value {
    let url = format!("/bills/{bill}/lines/{line}/parts");
    let parts = list(
        &url,
        0,
        if line == 9 { 4 } else { 1 },
        most,
        |id| json!({"id": id}),
    );
    json!({"id": line, "amount": bill * 100 + line, "parts": parts})
}

fn number(query: &BTreeMap<String, String>, name: &str) -> i64 {
    query.get(name).map_or(0, |text| text.parse().unwrap())
}

fn api(path: &str, query: &BTreeMap<String, String>) -> Answer {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let after = number(query, "after").max(number(query, "offset"));
    let after = after.max((number(query, "page") - 1).max(0) * PAGE as i64);
    let body = match parts[..] {
        ["bills"] => list("/bills", after, BILLS, 2, |bill| {
            let url = format!("/bills/{bill}/lines");
            let lines = list(&url, 0, lines(bill), WITHIN, |n| line(bill, n, WITHIN));
            json!({"id": bill, "lines": lines})
        }),
        ["bills", bill, "lines"] => {
            let bill: i64 = bill.parse().unwrap();
            list(path, after, lines(bill), PAGE, |n| line(bill, n, WITHIN))
        }
        ["bills", _, "lines", line, "parts"] => {
            let count = if line == "9" { 4 } else { 1 };
            list(path, after, count, PAGE, |id| json!({"id": id}))
        }
        _ => return (404, Vec::new(), "{}".into()),
    };
    (200, Vec::new(), body.to_string())
}

fn bills() -> Resource<Bill> {
    Bill::list("bills", "/bills")
        .records("data")
        .primary_key([Bill::ID])
        .paginate(Paginator::last_id("after").more("more"))
}

fn run(base: &str, bills: Resource<Bill>, into: &InMemory) -> etlgen_runtime::Result<RunReport> {
    let source = Source::new("bills", base).resource(bills);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = Box::new(into.clone());
    runtime.block_on(sync(&source, into, &RunOptions::default(), Arc::new(())))
}

fn is_proved(report: &RunReport) -> bool {
    matches!(report.resources[0].proof, Proof::Proved(_))
}

/// Returns the amounts of all lines, in the order of each bill.
fn amounts(into: &InMemory) -> Vec<i64> {
    let number = |text: &str| -> i64 {
        let value = text.split_once('[').unwrap().1;
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    let rows = into.table("bills__lines__data").into_values();
    let mut rows: Vec<(i64, i64)> = rows
        .map(|row| (number(&row["amount"]), number(&row["_etl_list_idx"])))
        .collect();
    rows.sort();
    let amounts: Vec<i64> = rows.iter().map(|(amount, _)| *amount).collect();
    for (amount, place) in rows {
        assert_eq!(amount % 100, place + 1, "their order is that of the list");
    }
    amounts
}

fn all() -> Vec<i64> {
    (1..=BILLS)
        .flat_map(|bill| (1..=lines(bill)).map(move |line| bill * 100 + line))
        .collect()
}

#[test]
fn the_rest_of_a_list_is_read_however_it_is_paged() {
    let lines = || Embedded::list("lines");
    let cases: [(&str, Embedded, usize); 7] = [
        ("like the resource", lines().url("url"), 3 + 1 + 2),
        ("at a path", lines().path("/bills/{id}/lines"), 3 + 1 + 2),
        (
            "by offset",
            lines()
                .url("url")
                .paginate(Paginator::offset("offset").total_items("total")),
            3 + 1 + 2,
        ),
        (
            "by a next URL",
            lines().paginate(Paginator::next_url("next")),
            3 + 1 + 2,
        ),
        // The pages are shorter than the part within the record: all of them are requested.
        (
            "by page number",
            lines()
                .url("url")
                .paginate(Paginator::page_number("page").more("more")),
            4 + 1 + 3,
        ),
        // Nothing in the record shows that its list is complete.
        (
            "without evidence",
            lines().url("url").paginate(Paginator::last_id("after")),
            (4 + 2 + 1) + 3,
        ),
        (
            "by its items' place",
            lines()
                .url("url")
                .records("data")
                .paginate(Paginator::last_id("after").more("more")),
            3 + 1 + 2,
        ),
    ];
    for (case, list, requests) in cases {
        let (base, log) = serve(api);
        let into = InMemory::new(1);
        let report = run(&base, bills().embedded(list), &into).unwrap();
        assert_eq!(amounts(&into), all(), "{case}");
        let asked = log.lock().unwrap();
        let of_lines = asked.iter().filter(|request| request.contains("lines"));
        assert_eq!(of_lines.count(), requests, "{case}: {asked:#?}");
        let rows = into.table("bills");
        let goes_on = rows.values().any(|row| row["lines__more"].contains("true"));
        assert!(case != "like the resource" || !goes_on, "{rows:#?}");
        // Line 9 has only half of its parts.
        assert!(!is_proved(&report), "{case}: {:#?}", report.resources[0]);
        let cut = |note: &String| {
            note.contains("`lines.data.parts` continues beyond") && note.contains("in 1 record")
        };
        assert!(
            report.resources[0].notes.iter().any(cut),
            "{:#?}",
            report.resources[0]
        );
    }
}

#[test]
fn lists_within_lists_are_completed_after_them() {
    let (base, _) = serve(api);
    let into = InMemory::new(1);
    let bills = bills()
        .embedded(Embedded::list("lines").url("url"))
        .embedded(Embedded::list("lines.data.parts").url("url"));
    let report = run(&base, bills, &into).unwrap();
    assert_eq!(amounts(&into), all());
    assert_eq!(
        into.table("bills__lines__data__parts__data").len(),
        all().len() + 3
    );
    assert!(is_proved(&report), "{:#?}", report.resources[0]);
    assert_eq!(report.resources[0].notes, [""; 0]);
}

#[test]
fn a_list_that_nobody_declared_is_told() {
    #[derive(Record)]
    struct Bare {
        id: Option<i64>,
    }
    let well_known = |path: &str, query: &BTreeMap<String, String>| {
        let (status, headers, body) = api(path, query);
        (status, headers, body.replace("\"more\"", "\"has_more\""))
    };
    let (base, _) = serve(api);
    let (other, _) = serve(well_known);
    let paged = || Paginator::last_id("after").more("more");
    let bare = Bare::list("bills", "/bills")
        .records("data")
        .paginate(paged());
    let json = Json::list("bills", "/bills")
        .records("data")
        .paginate(paged().field("id"));
    let next = bills().paginate(Paginator::next_url("next"));
    let elsewhere = Json::list("bills", "/bills")
        .records("data")
        .paginate(Paginator::next_url("next"));
    let sources = [
        Source::new("typed", &base).resource(bills()),
        Source::new("drift", &base).resource(bare),
        Source::new("json", &base).resource(json),
        Source::new("next", &base).resource(next),
        Source::new("elsewhere", &other).resource(elsewhere),
    ];
    for source in sources {
        let into = InMemory::new(1);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = RunOptions::default();
        let run = sync(&source, Box::new(into), &options, Arc::new(()));
        let report = &runtime.block_on(run).unwrap().resources[0];
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:#?}");
        let note =
            |note: &String| note.starts_with("`lines` continues beyond the record in 3 records");
        assert!(
            report.notes.iter().any(note),
            "{}: {report:#?}",
            source.name()
        );
    }
}

#[test]
fn a_list_that_cannot_be_completed_stays_and_is_told_or_fails() {
    let answer = |status: u16| {
        move |path: &str, query: &BTreeMap<String, String>| match path {
            "/bills/1/lines" => (status, Vec::new(), "{}".to_owned()),
            _ => api(path, query),
        }
    };
    let list = || Embedded::list("lines").url("url");
    let (base, _) = serve(answer(404));
    let into = InMemory::new(1);
    let report = run(&base, bills().embedded(list()), &into).unwrap();
    assert_eq!(amounts(&into).len(), all().len() - 9);
    assert!(matches!(report.resources[0].outcome, Outcome::Complete));
    assert!(!is_proved(&report));
    let gone = |note: &String| note.contains("whose record no longer exists");
    assert!(
        report.resources[0].notes.iter().any(gone),
        "{:#?}",
        report.resources[0]
    );

    for (list, status, message) in [
        (list(), 418, "the list `lines`"),
        (Embedded::list("lines").url("uri"), 200, "it has no `uri`"),
        (
            Embedded::list("lines").path("/bills/{nothing}/lines"),
            200,
            "`nothing`",
        ),
        (list(), 200, "there is no list at `data`"),
    ] {
        let (base, _) = serve(answer(status));
        let report = run(&base, bills().embedded(list), &InMemory::new(1)).unwrap();
        let outcome = &report.resources[0].outcome;
        let Outcome::Failed(_, error) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(error.contains(message), "{error}");
    }
    let (base, _) = serve(api);
    for (list, message) in [
        (Embedded::list("lines"), "`.url(…)` or `.path(…)`"),
        (list().paginate(Paginator::single()), "needs a paginator"),
        (list().paginate(Paginator::link_header()), "has no headers"),
        (
            list().paginate(Paginator::last_id("after").in_body()),
            "GET",
        ),
    ] {
        let error = run(&base, bills().embedded(list), &InMemory::new(1)).unwrap_err();
        assert!(error.report().contains(message), "{error}");
    }
}

#[test]
fn a_run_that_fails_at_any_commit_ends_with_all_items_once() {
    let (base, _) = serve(api);
    let list = || bills().embedded(Embedded::list("lines").url("url"));
    for commit in 0.. {
        let into = InMemory::new(1);
        let failed = run(&base, list(), &into.failing_at(commit)).is_err();
        run(&base, list(), &into).unwrap();
        assert_eq!(amounts(&into), all());
        if !failed {
            return;
        }
    }
}

#[derive(Record)]
struct Order {
    id: Option<i64>,
    lines: Option<Within>,
    tags: Option<Vec<String>>,
    tags_count: Option<i64>,
    total: Option<i64>,
}

/// An issue whose fields say something about its comments by their name.
#[derive(Record)]
struct Issue {
    id: Option<i64>,
    comments: Option<Vec<Part>>,
    #[record(key = "comments@odata.nextLink")]
    link: Option<String>,
    comments_next: Option<String>,
    has_more_comments: Option<bool>,
    comments_truncated: Option<bool>,
    truncated: Option<bool>,
    #[record(key = "nComments")]
    n_comments: Option<i64>,
    stats: Option<Counts>,
    counts: Option<Counts>,
    #[record(key = "_count")]
    count: Option<Counts>,
    thread: Option<Thread>,
    next_comment_at: Option<String>,
}

#[derive(Record)]
struct Counts {
    comments: Option<i64>,
    comments_count: Option<i64>,
    likes: Option<i64>,
}

#[derive(Record)]
struct Thread {
    comments: Option<Vec<Part>>,
    stats: Option<Counts>,
    title: Option<String>,
}

/// A record whose list is in `_embedded`.
#[derive(Record)]
struct Linked {
    id: Option<i64>,
    comments_total: Option<i64>,
    #[record(key = "_embedded")]
    embedded: Option<Held>,
}

#[derive(Record)]
struct Held {
    comments: Option<Vec<Part>>,
}

#[derive(Record)]
#[record(rename_all = "camelCase")]
struct Within {
    items: Option<Vec<Part>>,
    nodes: Option<Vec<Part>>,
    total: Option<i64>,
    count: Option<i64>,
    next: Option<String>,
    truncated: Option<bool>,
    page_info: Option<Info>,
}

#[derive(Record)]
#[record(rename_all = "camelCase")]
struct Info {
    has_next_page: Option<bool>,
    end_cursor: Option<String>,
}

/// Loads one record: typed, with all of it as drift, and as JSON. Returns the proofs.
fn proofs(record: &Value) -> Vec<Proof> {
    proofs_with(record, &[])
}

/// A record of which the struct declares nothing but the id.
#[derive(Record)]
struct Bare {
    id: Option<i64>,
}

/// Loads records of a type. Returns the proof.
fn proof_of<T: Record>(records: &[Value], whole: &[&str]) -> Proof {
    let body = json!({"data": records, "next": null}).to_string();
    let (base, _) = serve(move |_, _| (200, Vec::new(), body.clone()));
    let list = T::list("issues", "/issues")
        .records("data")
        .primary_key("id")
        .paginate(Paginator::token("cursor", "next"));
    let list = (whole.iter()).fold(list, |list, path| list.whole_list(path));
    let source = Source::new("s", &base).resource(list);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = RunOptions::default();
    let run = sync(&source, Box::new(InMemory::new(1)), &options, Arc::new(()));
    runtime.block_on(run).unwrap().resources.remove(0).proof
}

#[test]
fn a_record_says_by_the_name_of_a_list_that_it_is_cut() {
    let comments: Vec<Value> = (0..8).map(|id| json!({"id": id})).collect();
    let with = |mut record: Value, beside: &Value| {
        record["id"] = 1.into();
        for (key, value) in beside.as_object().unwrap() {
            record[key] = value.clone();
        }
        record
    };
    for (says, cut) in [
        (
            json!({"comments@odata.nextLink": "https://api.example/x"}),
            true,
        ),
        (json!({"comments_next": "https://api.example/x"}), true),
        (json!({"has_more_comments": true}), true),
        (json!({"comments_truncated": true}), true),
        (json!({"truncated": true}), true),
        (json!({"nComments": 53}), true),
        (json!({"stats": {"comments_count": 53}}), true),
        (json!({"counts": {"comments": 53}}), true),
        (json!({"_count": {"comments": 53, "likes": 2}}), true),
        (
            json!({"comments@odata.nextLink": null, "comments_next": ""}),
            false,
        ),
        (
            json!({"has_more_comments": false, "comments_truncated": false, "truncated": false}),
            false,
        ),
        (
            json!({"nComments": 8, "stats": {"comments_count": 8, "likes": 53}}),
            false,
        ),
        (
            json!({"_count": {"comments": 8, "likes": 53}, "next_comment_at": "2024-01-01"}),
            false,
        ),
    ] {
        let record = with(json!({"comments": comments}), &says);
        for proof in [
            proof_of::<Issue>(std::slice::from_ref(&record), &[]),
            proof_of::<Bare>(std::slice::from_ref(&record), &[]),
            proof_of::<Json>(std::slice::from_ref(&record), &[]),
        ] {
            assert_eq!(matches!(proof, Proof::Unproved(_)), cut, "{says} {proof:?}");
        }
        let settled = proof_of::<Issue>(&[record], &["comments"]);
        assert!(matches!(settled, Proof::Proved(_)), "{says} {settled:?}");
    }
    for (record, cut) in [
        (
            json!({"_embedded": {"comments": comments}, "comments_total": 53}),
            true,
        ),
        (
            json!({"_embedded": {"comments": comments}, "comments_total": 8}),
            false,
        ),
    ] {
        let record = with(record, &json!({}));
        for proof in [
            proof_of::<Linked>(std::slice::from_ref(&record), &[]),
            proof_of::<Bare>(std::slice::from_ref(&record), &[]),
            proof_of::<Json>(std::slice::from_ref(&record), &[]),
        ] {
            assert_eq!(
                matches!(proof, Proof::Unproved(_)),
                cut,
                "{record} {proof:?}"
            );
        }
        let settled = proof_of::<Linked>(&[record], &["_embedded.comments"]);
        assert!(matches!(settled, Proof::Proved(_)), "{settled:?}");
    }
    for (count, cut) in [(53, true), (8, false)] {
        let thread = json!({"comments": comments, "title": "a", "stats": {"comments": count}});
        let record = json!({"id": 1, "thread": thread});
        for proof in [
            proof_of::<Issue>(std::slice::from_ref(&record), &[]),
            proof_of::<Bare>(std::slice::from_ref(&record), &[]),
        ] {
            assert_eq!(
                matches!(proof, Proof::Unproved(_)),
                cut,
                "{record} {proof:?}"
            );
        }
    }
}

#[test]
fn lists_within_records_of_which_several_have_a_usual_length_and_none_is_longer_may_be_cut() {
    let records = |lengths: &[usize]| -> Vec<Value> {
        let record = |(id, length): (usize, &usize)| {
            let comments: Vec<Value> = (0..*length).map(|id| json!({"id": id})).collect();
            json!({"id": id, "comments": comments})
        };
        lengths.iter().enumerate().map(record).collect()
    };
    for (lengths, cut) in [
        (&[3, 20, 7, 20, 20][..], true),
        (&[10, 0, 10, 10], true),
        (&[100, 100, 1, 100], true),
        (&[3, 20, 7, 20], false),
        (&[20, 20, 20, 21], false),
        (&[8, 8, 8, 8], false),
        (&[], false),
    ] {
        let records = records(lengths);
        for proof in [
            proof_of::<Issue>(&records, &[]),
            proof_of::<Bare>(&records, &[]),
            proof_of::<Json>(&records, &[]),
        ] {
            assert_eq!(
                matches!(proof, Proof::Unproved(_)),
                cut,
                "{lengths:?} {proof:?}"
            );
        }
        let settled = proof_of::<Issue>(&records, &["comments"]);
        assert!(!matches!(settled, Proof::Unproved(_)), "{settled:?}");
    }
}

/// The same, where the owner says that these lists are whole.
fn proofs_with(record: &Value, whole: &[&str]) -> Vec<Proof> {
    fn with<T: Record>(list: Resource<T>, whole: &[&str]) -> Resource<T> {
        whole.iter().fold(list, |list, path| list.whole_list(path))
    }
    let body = json!({"data": [record], "next": null}).to_string();
    let (base, _) = serve(move |_, _| (200, Vec::new(), body.clone()));
    let paged = || Paginator::token("cursor", "next");
    let sources = [
        Source::new("typed", &base).resource(with(
            Order::list("orders", "/orders")
                .records("data")
                .primary_key("id")
                .paginate(paged()),
            whole,
        )),
        Source::new("drift", &base).resource(with(
            Bare::list("orders", "/orders")
                .records("data")
                .primary_key("id")
                .paginate(paged()),
            whole,
        )),
        Source::new("json", &base).resource(with(
            Json::list("orders", "/orders")
                .records("data")
                .primary_key("id")
                .paginate(paged()),
            whole,
        )),
    ];
    let load = |source: Source| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = RunOptions::default();
        let run = sync(&source, Box::new(InMemory::new(1)), &options, Arc::new(()));
        runtime.block_on(run).unwrap().resources.remove(0).proof
    };
    sources.into_iter().map(load).collect()
}

#[test]
fn a_list_whose_object_says_that_it_goes_on_is_cut_under_any_usual_name() {
    let items: Vec<Value> = (0..10).map(|id| json!({"id": id})).collect();
    for cut in [
        json!({"lines": {"items": items, "total": 30}}),
        json!({"lines": {"nodes": items, "totalCount": 30}}),
        json!({"lines": {"nodes": items, "pageInfo": {"hasNextPage": true, "endCursor": "x"}}}),
        json!({"lines": {"items": items, "startAt": 0, "maxResults": 10, "total": 30}}),
        json!({"lines": {"items": items, "next": "https://api.example/lines?page=2"}}),
        json!({"lines": {"items": items, "next": 2}}),
        json!({"lines": {"items": items, "next_page_token": "abc"}}),
        json!({"lines": {"items": items, "truncated": true}}),
        json!({"lines": {"items": items, "has_more": "true"}}),
        json!({"lines": {"items": items, "meta": {"total": "30"}}}),
        json!({"tags": ["a", "b"], "tags_count": 30}),
        json!({"tags": ["a", "b"], "tagCount": 3}),
        json!({"tags": [], "total_tags": 1}),
    ] {
        let mut record = cut.clone();
        record["id"] = 1.into();
        for proof in proofs(&record) {
            assert!(matches!(proof, Proof::Unproved(_)), "{cut} {proof:?}");
        }
    }
}

#[test]
fn a_list_whose_object_says_that_it_is_whole_or_says_nothing_about_it_is_no_doubt() {
    let items: Vec<Value> = (0..10).map(|id| json!({"id": id})).collect();
    for whole in [
        json!({"lines": {"items": items, "total": 10, "next": null, "count": 10}}),
        json!({"lines": {"nodes": items, "pageInfo": {"hasNextPage": false, "endCursor": "x"}}}),
        json!({"lines": {"items": items, "next": "", "truncated": false, "has_more": "false"}}),
        // A record's own numbers: a price, a step.
        json!({"tags": ["a"], "total": 5900, "next": "step-7", "count": 7}),
        json!({"lines": {"items": items, "total": 5900, "currency": "EUR"}}),
        json!({"lines": {"items": [{"id": 1, "total": 99, "parts": [1]}], "total": 1}}),
        json!({"tags": ["a", "b"], "tags_count": 2, "likes_count": 30}),
    ] {
        let mut record = whole.clone();
        record["id"] = 1.into();
        for proof in proofs(&record) {
            assert!(matches!(proof, Proof::Proved(_)), "{whole} {proof:?}");
        }
    }
}

#[test]
fn the_owner_says_that_a_list_is_whole_whatever_its_object_says() {
    let lines = json!({"items": [{"id": 1}], "total": 30});
    let record = json!({"id": 1, "lines": lines, "tags": ["a"], "tags_count": 7});
    for (whole, cut) in [
        (&[][..], &["lines", "tags"][..]),
        (&["lines"], &["tags"]),
        (&["tags", "lines"], &[]),
        // The line names the path of the list, and no other.
        (&["line", "lines.items", "lines.tags"], &["lines", "tags"]),
    ] {
        for proof in proofs_with(&record, whole) {
            match (proof, cut) {
                (Proof::Proved(_), []) => {}
                (Proof::Unproved(why), [first, ..]) => {
                    assert!(
                        why.contains(&format!("`whole_lists = [\"{first}\"]`")),
                        "{why}"
                    );
                }
                (proof, _) => panic!("{whole:?} {proof:?}"),
            }
        }
    }
}
