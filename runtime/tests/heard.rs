//! Tests of values beside the records that repeat the request, that stand in objects of unknown names,
//! or that end a list where it may go on: they prove nothing, and fail no honest list.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::account::{Query, Thing, into, list, load, ok, rows};
use crate::answers::{token, with};
use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::RunOptions;
use serde_json::{Value, json};

#[test]
fn a_word_that_repeats_a_parameter_of_the_request_is_no_error() {
    let answered = |resource: Resource<Thing>, body: &Value| {
        let body = body.clone();
        load(resource, move |_| ok(body.clone()))
    };
    let filtered = |name: &str, value: &str| token().query(name, value);
    for (count, says) in [
        (3, json!({"status": "failed"})),
        (3, json!({"Status": "FAILED"})),
        (3, json!({"filter": {"status": "failed"}})),
        (3, json!({"meta": {"status": "failed"}})),
        (3, json!({"query": {"status": "failed"}})),
        (0, json!({"status": "failed"})),
        (0, json!({"query": {"status": "failed"}})),
    ] {
        let body = with(
            json!({"data": rows(0..count), "total": count, "next": null}),
            &says,
        );
        for name in ["status", "filter[status]", "job_status"] {
            let came = answered(filtered(name, "failed"), &body);
            assert_eq!(
                (came.grade(), came.ids.len()),
                ("proved", count),
                "{body}: {}",
                came.said()
            );
        }
    }
    let pending = json!({"data": rows(0..3), "total": 3, "next": null, "state": "pending"});
    let came = answered(filtered("state", "pending"), &pending);
    assert_eq!(came.grade(), "proved", "{}", came.said());
    // In the body of a request, too.
    let by_body = token().post().body(json!({"where": {"status": "failed"}}));
    let body = json!({"data": rows(0..3), "total": 3, "next": null, "status": "failed"});
    let came = answered(by_body, &body);
    assert_eq!(came.grade(), "proved", "{}", came.said());
    // Another value, another name, and a flag are no repetition.
    let failed = json!({"data": [], "next": null, "status": "failed"});
    for resource in [
        token(),
        filtered("status", "open"),
        filtered("sort", "failed"),
    ] {
        let came = answered(resource, &failed);
        assert_eq!(came.grade(), "failed", "{}", came.said());
    }
    let unsuccessful = json!({"data": [], "next": null, "success": false});
    let came = answered(filtered("success", "false"), &unsuccessful);
    assert_eq!(came.grade(), "failed", "{}", came.said());
}

#[test]
fn a_statement_in_an_object_of_an_unknown_name_proves_nothing_and_makes_a_doubt() {
    let answered = |beside: &Value| {
        let body = with(json!({"data": rows(0..13), "next": null}), beside);
        load(token(), move |_| ok(body.clone()))
    };
    for says in [
        json!({"response": {"numFound": 53}}),
        json!({"additional_data": {"pagination": {"next_start": 13}}}),
        json!({"additional_data": {"pagination": {"has_more": true}}}),
        json!({"result": {"total": 53}}),
        json!({"QueryResponse": {"totalCount": "53"}}),
        json!({"d": {"__count": "53"}}),
        json!({"QueryResponse": {"count": 53}}),
        json!({"resultSetMetaData": {"numRows": 53}}),
        json!({"meta": {"results": {"total": 53}}}),
        json!({"manifest": {"truncated": true}}),
        json!({"range": {"next_page_token": "abc"}}),
    ] {
        let came = answered(&says);
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("unproved", 13),
            "{says}: {}",
            came.said()
        );
    }
    let many: serde_json::Map<String, Value> = (0..60)
        .map(|id| (format!("u{id}"), json!({"total": 900})))
        .collect();
    for says in [
        json!({"result": {"total": 13}}),
        json!({"result": {"count": 13}}),
        json!({"owner": {"count": 53}}),
        json!({"result": {"total": 53}, "total": 13}),
        json!({"user": {"name": "a", "count": 53, "next_step": "b", "after": "c"}}),
        json!({"range": {"next_page_token": null, "has_more": false}}),
        json!({"owner": {"links": {"self": "/x"}}}),
        // Others count something else.
        json!({"facets": {"total": 53}, "rateLimit": {"total": 5000}}),
        json!({"aggregations": {"price": {"total": 53}}}),
        // Some objects hold records by their ids.
        json!({"members": with(json!({"a": 1}), &Value::Object((0..45).map(|id| (format!("k{id}"), json!(1))).chain([("total".to_owned(), json!(900))]).collect()))}),
        json!({"members": {"a": {"b": {"c": {"total": 900}}}}}),
    ] {
        let came = answered(&says);
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("proved", 13),
            "{says}: {}",
            came.said()
        );
    }
    // It leaves room for what stands after it.
    let facets: serde_json::Map<String, Value> = (0..10)
        .map(|n| {
            (
                format!("f{n}"),
                Value::Object(
                    (0..9)
                        .map(|m| (format!("total{m}"), json!({"count": 1})))
                        .collect(),
                ),
            )
        })
        .collect();
    let body = json!({"aaa": facets, "data": rows(0..13), "next": null, "has_more": true});
    let came = load(token(), move |_| ok(body.clone()));
    assert_ne!(came.grade(), "proved", "{}", came.said());
    // It does not fail a list that nothing else contradicts.
    let came = answered(&json!({"members": many}));
    assert_eq!(came.grade(), "unproved", "{}", came.said());
}

#[test]
fn an_announced_page_that_is_empty_is_no_proof_though_it_says_that_nothing_follows() {
    let pages = |total: Option<u64>| {
        let paginator = Paginator::last_id("after").more("more");
        load(list(paginator), move |query| {
            let first = !query.contains_key("after");
            let rows = if first { rows(0..10) } else { Vec::new() };
            ok(json!({"data": rows, "more": first, "total": total}))
        })
    };
    assert_eq!(pages(None).grade(), "unproved", "{}", pages(None).said());
    assert_eq!(
        pages(Some(10)).grade(),
        "proved",
        "{}",
        pages(Some(10)).said()
    );
}

#[test]
fn a_list_that_ends_after_a_thousand_rows_may_be_limited_however_it_ends() {
    for (all, total, grade) in [
        (2_000, None, "unproved"),
        (1_990, None, "proved"),
        (2_000, Some(2_000), "proved"),
    ] {
        for flag in [true, false] {
            let paginator: Paginator = match flag {
                true => Paginator::last_id("after").more("more").into(),
                false => Paginator::token("after", "next").into(),
            };
            let came = load(list(paginator), move |query| {
                let at: usize = query.get("after").map_or(0, |text| match flag {
                    true => text.parse::<usize>().unwrap() + 1,
                    false => text.len(),
                });
                let end = (at + 500).min(all);
                let next = (!flag && end < all).then(|| "k".repeat(end));
                ok(json!({"data": rows(at..end), "more": end < all, "next": next, "total": total}))
            });
            assert_eq!(
                (came.grade(), came.ids.len()),
                (grade, all),
                "{all} {flag} {}",
                came.said()
            );
        }
    }
}

#[test]
fn a_stored_token_that_leads_to_nothing_may_have_expired() {
    for (then, grade) in [
        (json!({"data": [], "next": null}), "unproved"),
        (json!({"data": rows(20..23), "next": null}), "proved"),
    ] {
        let memory = InMemory::new(10);
        let mut some = RunOptions::default();
        some.limit = Some(15);
        let later = Arc::new(AtomicBool::new(false));
        let answer = |later: Arc<AtomicBool>| {
            let then = then.clone();
            move |query: &Query| match query.get("token") {
                None => ok(json!({"data": rows(0..10), "next": "kq"})),
                Some(_) if later.load(Ordering::Relaxed) => ok(then.clone()),
                Some(_) => ok(json!({"data": rows(10..20), "next": null})),
            }
        };
        into(&memory, token(), answer(later.clone()), &some);
        later.store(true, Ordering::Relaxed);
        let came = into(&memory, token(), answer(later), &RunOptions::default());
        assert_eq!(came.grade(), grade, "{}", came.said());
    }
    // In one run, the end is the end.
    let came = load(token(), |query| match query.get("token") {
        None => ok(json!({"data": rows(0..10), "next": "kq"})),
        Some(_) => ok(json!({"data": [], "next": null})),
    });
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

#[test]
fn less_usual_names_are_heard_too() {
    for (says, grade) in [
        (json!({"numberMatched": 53, "numberReturned": 13}), "failed"),
        (json!({"list_total_count": "53"}), "failed"),
        (json!({"x_total": 13}), "proved"),
        (json!({"moreResult": true}), "failed"),
        (json!({"more_items_in_collection": false}), "proved"),
        (json!({"end_of_stream": false}), "unproved"),
        (json!({"eof": true}), "proved"),
        (json!({"fully_loaded": false}), "unproved"),
        (json!({"max_hits_reached": true}), "unproved"),
        (json!({"is_sampled": false}), "proved"),
        (json!({"last_key": "abc"}), "unproved"),
        (json!({"last_key": null}), "proved"),
        (json!({"$skipToken": "abc"}), "unproved"),
    ] {
        let body = with(json!({"data": rows(0..13), "next": null}), &says);
        let came = load(token(), move |_| ok(body.clone()));
        assert_eq!(came.grade(), grade, "{says}: {}", came.said());
    }
}
