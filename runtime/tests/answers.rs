//! Tests of what single responses say about their list: errors and omissions in a success status,
//! tokens, links and totals in unusual forms, and empty responses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::account::{Came, Query, Thing, into, list, load, ok, paginator, rows, single};
use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::RunOptions;
use etlgen_runtime::world::WireResponse;
use serde_json::{Value, json};

pub(crate) fn token() -> Resource<Thing> {
    list(Paginator::token("token", "next").page_size("limit", 10))
}

/// Merges two objects.
pub(crate) fn with(mut body: Value, more: &Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// Loads a list of 20 rows by tokens, and a third page that is also the last one.
fn third(answer: impl Fn() -> WireResponse + Send + Sync + 'static) -> Came {
    load(token(), move |query| {
        match query.get("token").map(String::as_str) {
            None => ok(json!({"data": rows(0..10), "next": "kq"})),
            Some("kq") => ok(json!({"data": rows(10..20), "next": "zz"})),
            _ => answer(),
        }
    })
}

#[test]
fn an_error_in_a_success_status_is_never_the_end_of_a_list() {
    for says in [
        json!({"success": false, "total": 0}),
        json!({"ok": false, "has_more": false, "message": "index unavailable"}),
        json!({"success": "false"}),
        json!({"ok": 0, "count": 0}),
        json!({"Status": "ERROR", "pageInfo": {"total": 20}}),
        json!({"status": 500, "error": 0}),
        json!({"code": 500, "msg": "internal error"}),
        json!({"isError": true}),
        json!({"errors": 3}),
        json!({"errorMessage": "db down", "total": 0}),
        json!({"exception": "TimeoutException"}),
        json!({"fault": {"faultstring": "timeout"}}),
        json!({"result": "error"}),
        json!({"meta": {"success": false}}),
    ] {
        let body = with(json!({"data": [], "next": null}), &says);
        let came = third(move || ok(body.clone()));
        let grade = (came.grade(), came.ids.len());
        assert_eq!(grade, ("failed", 20), "{says}: {}", came.said());
        // On the first page, too.
        let body = with(json!({"data": [], "next": null}), &says);
        let came = load(token(), move |_| ok(body.clone()));
        assert_eq!(came.grade(), "failed", "{says}: {}", came.said());
        // Rows that came beside it are kept.
        let body = with(json!({"data": rows(20..23), "next": null}), &says);
        let came = third(move || ok(body.clone()));
        let grade = (came.grade(), came.ids.len());
        let counted = says.get("pageInfo").or(says.get("total")).is_some();
        let expected = if counted { "failed" } else { "unproved" };
        let counted = counted || says.get("count").is_some();
        assert!(
            grade == (expected, 23) || counted && grade.1 == 23 && grade.0 != "proved",
            "{says}: {}",
            came.said()
        );
    }
}

#[test]
fn what_says_that_a_response_is_incomplete_is_no_proof() {
    for says in [
        json!({"partial": 1}),
        json!({"is_partial": "yes"}),
        json!({"jobComplete": false}),
        json!({"state": "PENDING"}),
        json!({"status": "RUNNING"}),
        json!({"_shards": {"total": 5, "successful": 4, "failed": 1}}),
        json!({"warnings": ["6 rows could not be read"]}),
        json!({"message": "Result limited to 3 rows"}),
        json!({"errors": [{"message": "field could not be resolved ".repeat(400)}]}),
        json!({"errors": vec![json!({"message": "no", "path": ["things", 3]}); 500]}),
        json!({"cursor": "t30"}),
        json!({"remaining": 23}),
        json!({"has_more": "perhaps"}),
        json!({"total": "53 results"}),
    ] {
        let body = with(json!({"data": rows(20..23), "next": null}), &says);
        let came = third(move || ok(body.clone()));
        let grade = (came.grade(), came.ids.len());
        assert_eq!(grade, ("unproved", 23), "{says}: {}", came.said());
    }
    let page = || json!({"data": rows(20..23), "next": null}).to_string();
    for answer in [
        || WireResponse::new(206),
        || WireResponse::new(206).header("content-range", "items 20-22/*"),
        || WireResponse::new(202),
        || WireResponse::new(200).header("warning", "199 - \"partial results\""),
    ] {
        let came = third(move || answer().body(page()));
        let grade = (came.grade(), came.ids.len());
        assert_eq!(grade, ("unproved", 23), "{}", came.said());
    }
    // A total counts the rows.
    let came = third(move || {
        WireResponse::new(206)
            .header("content-range", "items 20-22/23")
            .body(page())
    });
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

#[test]
fn statements_that_all_is_well_change_nothing() {
    for says in [
        json!({"status": "ok", "errors": [], "error": null, "success": true, "message": "OK"}),
        json!({"code": 0, "failed": 0, "warnings": [], "partial": false, "has_more": false}),
        json!({"code": 200, "status": 200, "error": {"code": 0, "message": ""}, "state": "DONE"}),
        json!({"_shards": {"total": 5, "successful": 5, "failed": 0}, "total": 23}),
        json!({"cursor": "zz", "offset": 20, "remaining": 0}),
        json!({"cursor": "last", "has_more": false}),
        json!({"cursor": "last", "total": 23}),
        json!({"query": {"status": "failed", "cursor": "x"}, "page": "3 of 3"}),
        json!({"total": {"value": 23, "relation": "eq"}}),
    ] {
        let body = with(json!({"data": rows(20..23), "next": null}), &says);
        let came = third(move || ok(body.clone()));
        let grade = (came.grade(), came.ids.len());
        assert_eq!(grade, ("proved", 23), "{says}: {}", came.said());
        let mut answer = json!({"data": rows(0..7)});
        if says.get("total").is_none() && says.get("cursor").is_none() {
            answer = with(answer, &says);
        }
        let came = single(move || ok(answer.clone()));
        assert!(
            ["proved", "assumed"].contains(&came.grade()),
            "{says}: {}",
            came.said()
        );
    }
}

#[test]
fn one_response_beside_which_something_else_counts_more_is_no_proof() {
    for says in [
        json!({"has_more": "yes"}),
        json!({"last": 0}),
        json!({"total": "1,053"}),
        json!({"total": "1000+"}),
        json!({"total": "53 results"}),
        json!({"total": {"value": 53}}),
        json!({"hydra:totalItems": 53}),
        json!({"opensearch:totalResults": 53}),
        json!({"nb_results": 53}),
        json!({"remaining": 40}),
        json!({"links": [{"rel": "next", "href": "/things?page=2"}]}),
        json!({"link": [{"relation": "next", "url": "/things?page=2"}]}),
        json!({"cursor": "b3Bh"}),
        json!({"bookmark": "b3Bh"}),
        json!({"_scroll_id": "DXF1"}),
        json!({"offset": "itr1/rec2"}),
        json!({"LastEvaluatedKey": {"id": "i12"}}),
        json!({"nextPageStart": 13}),
        json!({"total_things": 53}),
        json!({"summary": {"total_count": 53}}),
        json!({"query": {"total": 53}}),
        json!({"from": 1, "to": 7, "of": 53}),
        json!({"page": "1 of 5"}),
        json!({"limit_reached": true}),
    ] {
        let body = with(json!({"data": rows(0..7)}), &says);
        let came = single(move || ok(body.clone()));
        let grade = came.grade();
        assert!(
            ["failed", "unproved"].contains(&grade),
            "{says}: {grade}: {}",
            came.said()
        );
    }
    for (name, value) in [
        ("total", "53"),
        ("item-count", "53"),
        ("next-page", "2"),
        ("x-next", "abc"),
        ("x-ms-continuation", "abc"),
        ("x-total-count", "1,053"),
        ("link", "</things?page=5>; rel=\"last\""),
        ("link", "</things?page=2>; rel='next'"),
        ("x-partial-results", "true"),
    ] {
        let came = single(move || ok(json!({"data": rows(0..7)})).header(name, value));
        let grade = came.grade();
        assert!(
            ["failed", "unproved"].contains(&grade),
            "{name}: {grade}: {}",
            came.said()
        );
    }
    // The owner settles a wrong total.
    for total in [
        json!("53 results"),
        json!({"amount": 7}),
        json!({"value": 3, "relation": "gte"}),
    ] {
        let pages = Paginator::token("token", "next").without_total();
        let came = load(list(pages), move |_| {
            ok(json!({"data": rows(0..7), "next": null, "total": total}))
        });
        assert_eq!(came.grade(), "proved", "{}", came.said());
    }
}

#[test]
fn a_total_that_is_a_lower_bound_does_not_end_a_list() {
    for all in [40, 53] {
        for bound in [
            json!({"total": {"value": 40, "relation": "gte"}}),
            json!({"total": 40, "total_is_capped": true}),
            json!({"total": "40+"}),
        ] {
            for declared in ["total", "total.value", "other"] {
                let pages = Paginator::offset("offset").total_items(declared);
                let body = bound.clone();
                let came = load(list(pages), move |query| {
                    let at = query
                        .get("offset")
                        .map_or(0, |at| at.parse().unwrap())
                        .min(all);
                    ok(with(json!({"data": rows(at..(at + 10).min(all))}), &body))
                });
                let expected = if all == 40 { "unproved" } else { "proved" };
                let grade = (came.grade(), came.ids.len());
                assert_eq!(
                    grade,
                    (expected, all),
                    "{bound}, {declared}: {}",
                    came.said()
                );
            }
        }
    }
}

#[test]
fn an_empty_answer_is_no_proof_of_an_empty_list() {
    let answers: [fn() -> WireResponse; 3] = [
        || WireResponse::new(204),
        || ok(json!(null)),
        || ok(json!({"data": null, "next": null})),
    ];
    for answer in answers {
        for kind in ["token", "next URL", "Link"] {
            let came = load(list(paginator(kind)), move |_| answer());
            assert_eq!(
                (came.grade(), came.ids.len()),
                ("assumed", 0),
                "{kind}: {}",
                came.said()
            );
        }
        // A token led to it.
        let came = third(answer);
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("unproved", 20),
            "{}",
            came.said()
        );
    }
    let came = load(token(), |_| {
        ok(json!({"data": null, "next": null, "total": 0}))
    });
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

/// Loads a list without a key that has seven rows in the first run, and this answer in the second.
fn replaced(answer: fn() -> WireResponse, full: bool) -> Came {
    let later = Arc::new(AtomicBool::new(false));
    let memory = InMemory::new(1000);
    let things = || Thing::list("things", "/things").records("data");
    let run = |options: &RunOptions| {
        let later = later.clone();
        let api = move |_: &Query| match later.load(Ordering::Relaxed) {
            false => ok(json!({"data": rows(0..7)})),
            true => answer(),
        };
        into(
            &memory,
            things().paginate(Paginator::single()),
            api,
            options,
        )
    };
    run(&RunOptions::default());
    later.store(true, Ordering::Relaxed);
    let mut options = RunOptions::default();
    options.full_refresh = full;
    run(&options)
}

#[test]
fn a_pass_that_shows_nothing_replaces_nothing() {
    type Case = (fn() -> WireResponse, &'static str, usize);
    let answers: [Case; 8] = [
        (|| WireResponse::new(204), "assumed", 7),
        (|| ok(json!({"data": null})), "assumed", 7),
        (|| ok(json!({"data": []})), "assumed", 7),
        (
            || ok(json!({"data": [], "message": "index unavailable"})),
            "unproved",
            7,
        ),
        (|| ok(json!({"data": [], "success": false})), "failed", 7),
        (
            || ok(json!({"data": rows(0..3), "_shards": {"failed": 1}})),
            "failed",
            7,
        ),
        (
            || WireResponse::new(206).body(json!({"data": rows(0..3)}).to_string()),
            "failed",
            7,
        ),
        (|| ok(json!({"data": [], "total": 0})), "proved", 0),
    ];
    for (answer, grade, left) in answers {
        let came = replaced(answer, false);
        assert_eq!(
            (came.grade(), came.ids.len()),
            (grade, left),
            "{}",
            came.said()
        );
        let notes = came.report.notes.join(" ");
        let kept = came.grade() != "failed" && left > 0;
        assert_eq!(
            notes.contains("the rows of its table are kept"),
            kept,
            "{notes}"
        );
    }
    // The owner asks for it.
    let came = replaced(|| ok(json!({"data": []})), true);
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("assumed", 0),
        "{}",
        came.said()
    );
}

#[test]
fn a_number_token_is_sent_as_it_was_written() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let came = load(list(Paginator::token("token", "next")), move |query| {
        seen.lock().unwrap().extend(query.get("token").cloned());
        let body = match query.get("token") {
            None => r#"{"data": [{"id": 1}], "next": 18446744073709652616}"#,
            _ => r#"{"data": [{"id": 2}], "next": null}"#,
        };
        WireResponse::new(200).body(body)
    });
    assert_eq!(*asked.lock().unwrap(), ["18446744073709652616"]);
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("proved", 2),
        "{}",
        came.said()
    );
    // The text `0` ends an iteration, as the number does.
    for (last, expected) in [(7, "proved"), (10, "unproved")] {
        let came = load(token(), move |_| {
            ok(json!({"data": rows(0..last), "next": "0"}))
        });
        assert_eq!(came.grade(), expected, "{}", came.said());
    }
    let came = third(|| ok(json!({"data": rows(20..23), "next": "0"})));
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("proved", 23),
        "{}",
        came.said()
    );
}

#[test]
fn a_link_header_that_cannot_be_read_is_no_end() {
    for (link, expected) in [
        ("</things?token=kq>; rel='next'", "proved"),
        (
            "</things?token=kq>; rel=\"https://api.example/rels/next\"",
            "proved",
        ),
        ("/things?token=kq; rel=\"next\"", "proved"),
        ("</things?token=kq>", "unproved"),
        ("</things>; rel=\"first\"", "proved"),
    ] {
        let came = load(
            list(Paginator::link_header().page_size("limit", 10)),
            move |query| match query.get("token") {
                None => ok(json!({"data": rows(0..10)})).header("link", link),
                _ => ok(json!({"data": rows(10..13)})),
            },
        );
        assert_eq!(came.grade(), expected, "{link}: {}", came.said());
        let followed = came.ids.len() == 13;
        assert_eq!(followed, link.contains("next"), "{link}");
    }
    // Some APIs link to an empty page, and say so.
    let came = load(list(Paginator::link_header()), |query| {
        let token = query.get("token");
        let at = token.map_or(0, |at| at[1..].parse::<usize>().unwrap() - 7_000);
        let link = format!(
            "</things?token=t{}>; rel=\"next\"; results=\"{}\"",
            at + 7_010,
            at == 0
        );
        ok(json!({"data": rows(at..(at + 10).min(13))})).header("link", &link)
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("proved", 13),
        "{}",
        came.said()
    );
}

/// Loads 230 rows by page numbers with a requested size of 100, from a server that cuts its pages.
fn cut(page: fn(usize, usize) -> std::ops::Range<usize>) -> Came {
    let pages = Paginator::page_number("page").page_size("limit", 100);
    load(list(pages), move |query| {
        let number = |name: &str| query[name].parse::<usize>().unwrap();
        let range = match number("page") {
            0 => 0..0,
            at => page(at - 1, number("limit")),
        };
        ok(json!({"data": rows(range.start.min(230)..range.end.min(230))}))
    })
}

#[test]
fn pages_that_are_cut_hide_no_rows() {
    // The server counts its pages by the requested size, or by its own.
    for came in [
        cut(|at, size| at * size..at * size + size.min(40)),
        cut(|at, size| at * size..at * size + size.min(50)),
        cut(|at, size| at * size.min(50)..(at + 1) * size.min(50)),
        cut(|at, _| at * 24..(at + 1) * 24),
        cut(|at, size| at * size..(at + 1) * size),
    ] {
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("consistent", 230),
            "{}",
            came.said()
        );
    }
    // A page in the middle is short.
    let came = cut(|at, size| match at {
        1 => size..size + 60,
        _ => at * size..(at + 1) * size,
    });
    assert_eq!(
        (came.grade(), came.ids.len()),
        ("unproved", 190),
        "{}",
        came.said()
    );
}

#[test]
fn an_offset_behind_the_end_may_show_the_last_page_again() {
    for all in [53, 43, 40, 11] {
        let came = load(
            list(Paginator::offset("offset").page_size("limit", 10)),
            move |query| {
                let at = query.get("offset").map_or(0, |at| at.parse().unwrap());
                let at = at.min(all - 10);
                ok(json!({"data": rows(at..at + 10)}))
            },
        );
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("unproved", all),
            "{}",
            came.said()
        );
    }
}

#[test]
fn a_short_last_page_may_lead_to_itself() {
    for (all, grade) in [(23, "consistent"), (20, "failed")] {
        let came = load(list(Paginator::next_url("next")), move |query| {
            let at: usize = query.get("token").map_or(0, |at| at[1..].parse().unwrap());
            let next = if at + 10 < all { at + 10 } else { at };
            ok(
                json!({"data": rows(at..(at + 10).min(all)), "next": format!("/things?token=t{next}")}),
            )
        });
        assert_eq!(
            (came.grade(), came.ids.len()),
            (grade, all),
            "{}",
            came.said()
        );
    }
}

#[test]
fn a_total_of_the_last_page_alone_does_not_move_the_total() {
    let pages = || Paginator::page_number("page").total_items("total");
    let last = |gone: bool| {
        move |query: &Query| {
            let at = query
                .get("page")
                .map_or(0, |at| at.parse::<usize>().unwrap() - 1)
                * 10;
            let page = rows(at.min(53)..(at + 10).min(53 - usize::from(gone)));
            let total = if at < 50 { 53 } else { page.len() };
            ok(json!({"data": page, "total": total}))
        }
    };
    let came = load(list(pages()), last(false));
    assert!(
        ["proved", "consistent"].contains(&came.grade()),
        "{}",
        came.said()
    );
    assert_eq!(came.ids.len(), 53);
    let came = load(list(pages()), last(true));
    assert!(
        ["unproved", "failed"].contains(&came.grade()),
        "{}",
        came.said()
    );
}
