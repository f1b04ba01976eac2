//! Tests of lists whose pages do not fit together: rows that change while they are read, values that
//! several rows have, links and redirects that lead elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::support::{InMemory, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, ResourceReport, RunOptions};
use etlgen_runtime::world::{WireError, WireRequest, WireResponse};
use serde_json::{Value, json};

#[derive(Record)]
struct Row {
    id: Option<String>,
    name: Option<String>,
    at: Option<Timestamp>,
}

fn list(paginator: impl Into<Paginator>) -> Resource<Row> {
    Row::list("rows", "/rows")
        .records("data")
        .primary_key([Row::ID])
        .paginate(paginator)
}

fn token() -> Paginator {
    Paginator::token("page", "next").into()
}

/// Loads a list; `answer(n, request)` is the response to the request number n, from 1.
fn load(
    list: Resource<Row>,
    answer: impl Fn(usize, &WireRequest) -> Result<WireResponse, WireError> + Send + Sync + 'static,
) -> (Vec<String>, ResourceReport) {
    let count = AtomicUsize::new(0);
    let (world, clock) = simulated(1_800_000_000, move |request: &WireRequest| {
        answer(count.fetch_add(1, Relaxed) + 1, request)
    });
    let source = Source::new("s", "https://api.example")
        .concurrency(1)
        .world(world)
        .resource(list);
    let into = InMemory::new(10_000);
    let report = run_by(&clock, &source, &into, &RunOptions::default());
    let table = into.table("rows");
    let id =
        |row: &std::collections::BTreeMap<String, String>| row["id"].trim_matches('"').to_owned();
    let mut ids: Vec<String> = table.values().map(id).collect();
    ids.sort_unstable();
    (ids, report.unwrap().resources.pop().unwrap())
}

fn grade(report: &ResourceReport) -> &'static str {
    match report.outcome {
        Outcome::Complete => report.proof.grade(),
        _ => "failed",
    }
}

fn row(n: usize, at: usize) -> Value {
    json!({"id": format!("i{n:03}"), "name": format!("n{n}"), "updated_at": format!("2024-01-{:02}T{:02}:00:00Z", 1 + at / 24, at % 24)})
}

/// Returns a page of rows behind the one that the token names, which says nothing about its place.
fn behind(rows: &[Value], request: &WireRequest) -> Value {
    let token = |row: &Value| {
        let id = row["id"].as_str().unwrap();
        format!(
            "t{:016x}",
            id.bytes().fold(7_u64, |hash, byte| (hash ^ u64::from(byte))
                .wrapping_mul(0x100_0000_01b3))
        )
    };
    let after = asked(request, "page");
    let at = rows
        .iter()
        .position(|row| token(row) == after)
        .map_or(0, |at| at + 1);
    let page = &rows[at..rows.len().min(at + 10)];
    let more = at + 10 < rows.len();
    json!({"data": page, "next": more.then(|| token(&page[page.len() - 1]))})
}

#[test]
fn rows_that_move_to_the_front_of_a_list_that_is_sorted_by_changes_arrive() {
    // The row is read neither before its change nor after it, but for the front of the list.
    for changes in [1, 12] {
        let (ids, report) = load(list(token()), move |n, request| {
            let mut rows: Vec<Value> = (0..53).rev().map(|n| row(n, n)).collect();
            if n > 2 {
                for moved in 0..changes {
                    let at = rows
                        .iter()
                        .position(|row| row["id"] == format!("i{moved:03}"))
                        .unwrap();
                    rows.remove(at);
                    rows.insert(0, row(moved, 500 + moved));
                }
            }
            Ok(page(behind(&rows, request)))
        });
        match changes {
            1 => assert_eq!((ids.len(), grade(&report)), (53, "proved"), "{report:?}"),
            _ => assert_eq!(grade(&report), "consistent", "{report:?}"),
        }
    }
    // Nothing changed: one request more, and only for a list of several pages in this order.
    for (rows, falls, requests) in [(53, true, 7), (53, false, 6), (8, true, 1)] {
        let (ids, report) = load(list(token()), move |_, request| {
            let rows = (0..rows).map(|n| row(n, if falls { 100 - n } else { n }));
            Ok(page(behind(&rows.collect::<Vec<_>>(), request)))
        });
        assert_eq!((ids.len(), grade(&report)), (rows, "proved"), "{report:?}");
        assert_eq!(report.requests, requests, "{report:?}");
    }
}

/// Returns a page behind a value that four rows have.
fn tied(request: &WireRequest, strict: bool, spelled: fn(&str) -> String) -> Value {
    let rows: Vec<Value> = (0..53).map(|n| row(n, n / 4)).collect();
    let after = asked(request, "page");
    let value = |row: &Value| row["updated_at"].as_str().unwrap().to_owned();
    let known = rows.iter().map(value).find(|at| spelled(at) == after);
    let rest = rows.into_iter().filter(|row| {
        known
            .as_ref()
            .is_none_or(|known| value(row) > *known || !strict && value(row) == *known)
    });
    let rest: Vec<Value> = rest.collect();
    let page = &rest[..rest.len().min(10)];
    let more = rest.len() > page.len();
    json!({"data": page, "next": more.then(|| spelled(&value(&page[page.len() - 1])))})
}

#[test]
fn a_token_that_is_a_value_of_several_rows_loses_none_unseen() {
    let epoch = |at: &str| {
        let number = |range: std::ops::Range<usize>| at[range].parse::<u64>().unwrap();
        (1_704_067_200 + (number(8..10) - 1) * 86_400 + number(11..13) * 3_600).to_string()
    };
    let hex = |at: &str| at.bytes().map(|byte| format!("{byte:02x}")).collect();
    for spelled in [str::to_owned as fn(&str) -> String, epoch, hex] {
        let (ids, report) = load(list(token()), move |_, request| {
            Ok(page(tied(request, true, spelled)))
        });
        assert!(ids.len() < 53);
        assert_eq!(grade(&report), "unproved", "{report:?}");
        assert!(
            report.proof.why().unwrap().contains("`updated_at`"),
            "{report:?}"
        );
        // Where the next page repeats them, none is missing.
        let (ids, report) = load(list(token()), move |_, request| {
            Ok(page(tied(request, false, spelled)))
        });
        assert_eq!((ids.len(), grade(&report)), (53, "proved"), "{report:?}");
    }
    // A value that no two rows share is as good as a key.
    let (ids, report) = load(list(token()), |_, request| {
        let rows: Vec<Value> = (0..53).map(|n| row(n, n)).collect();
        let after = asked(request, "page");
        let value = |row: &Value| row["updated_at"].as_str().unwrap().to_owned();
        let rest: Vec<Value> = rows.into_iter().filter(|row| value(row) > after).collect();
        let some = &rest[..rest.len().min(10)];
        let next = (rest.len() > 10).then(|| value(&some[9]));
        Ok(page(json!({"data": some, "next": next})))
    });
    assert_eq!((ids.len(), grade(&report)), (53, "proved"), "{report:?}");
}

/// Words that stand in each link, in its path and as filters, are no tokens.
#[test]
fn words_of_links_that_records_repeat_are_no_ties() {
    let (ids, report) = load(list(Paginator::next_url("next")), |_, request| {
        let at = asked(request, "cursor");
        let start = at.len();
        let rows: Vec<Value> = (0..53)
            .map(|n| {
                let mut row = row(n, n);
                row["type"] = json!("articles");
                row["state"] = json!("open");
                row
            })
            .collect();
        let end = (start + 10).min(53);
        let next = format!("/articles?state=open&cursor={}", "k".repeat(end));
        let next = (end < 53).then_some(next);
        Ok(page(json!({"data": &rows[start..end], "next": next})))
    });
    assert_eq!((ids.len(), grade(&report)), (53, "proved"), "{report:?}");
}

fn numbered() -> Paginator {
    Paginator::page_number("page").more("more").into()
}

/// Returns a page by number.
fn at_number(rows: &[Value], request: &WireRequest) -> WireResponse {
    let number: usize = asked(request, "page").parse().unwrap_or(1);
    let at = number.saturating_sub(1) * 10;
    let data = match number {
        0 => &[][..],
        _ => &rows[at.min(rows.len())..rows.len().min(at + 10)],
    };
    page(json!({"data": data, "more": at + 10 < rows.len()}))
}

#[test]
fn rows_that_only_a_repeated_first_page_shows_are_taken_and_prove_nothing() {
    let all = || -> Vec<Value> { (0..53).map(|n| row(n, 5)).collect() };
    // Two copies answer by turns, and one of them lacks a row.
    let (_, report) = load(list(numbered()), move |n, request| {
        let mut rows = all();
        if n % 2 == 0 {
            rows.remove(5);
        }
        Ok(at_number(&rows, request))
    });
    assert_ne!(grade(&report), "proved", "{report:?}");
    // One of them has two rows in another order, so that one row comes twice and one never.
    let (_, report) = load(list(numbered()), move |n, request| {
        let mut rows = all();
        if n % 2 == 0 {
            rows.swap(9, 10);
        }
        Ok(at_number(&rows, request))
    });
    assert_ne!(grade(&report), "proved", "{report:?}");
    assert_ne!(grade(&report), "consistent", "{report:?}");
    // A row that is new in front comes with the second reading.
    let (ids, report) = load(list(numbered()), move |n, request| {
        let mut rows = all();
        if n > 3 {
            rows.insert(0, row(900, 9));
            rows.remove(4);
        }
        Ok(at_number(&rows, request))
    });
    assert!(ids.contains(&"i900".to_owned()));
    assert!(
        ["proved", "consistent"].contains(&grade(&report)),
        "{report:?}"
    );
}

#[test]
fn a_link_of_the_api_to_a_page_that_does_not_exist_is_no_end() {
    for status in [404, 400] {
        let (ids, report) = load(list(Paginator::next_url("next")), move |_, request| {
            if request.url().path() != "/rows" {
                return Ok(WireResponse::new(status).body("{}"));
            }
            let rows: Vec<Value> = (0..10).map(|n| row(n, 5)).collect();
            Ok(page(
                json!({"data": rows, "next": "/elsewhere/rows?page=2"}),
            ))
        });
        assert_eq!((ids.len(), grade(&report)), (10, "failed"), "{report:?}");
    }
    // The owner may know better.
    let lenient = list(Paginator::next_url("next")).on_status(404, StatusRule::Empty);
    let (_, report) = load(lenient, |_, request| {
        if asked(request, "page") == "2" {
            return Ok(WireResponse::new(404).body("{}"));
        }
        let rows: Vec<Value> = (0..10).map(|n| row(n, 5)).collect();
        Ok(page(json!({"data": rows, "next": "/rows?page=2"})))
    });
    assert_ne!(grade(&report), "failed", "{report:?}");
}

#[test]
fn an_empty_page_to_which_a_redirect_leads_is_no_end() {
    let moved = |to: &str| WireResponse::new(302).header("location", to);
    let (_, report) = load(list(token()), move |_, request| {
        let rows: Vec<Value> = (0..53).map(|n| row(n, n)).collect();
        Ok(
            match (request.url().path(), asked(request, "page").as_str()) {
                ("/rows", "") => page(behind(&rows, request)),
                ("/rows", _) => moved("/login"),
                _ => page(json!({"data": [], "next": null})),
            },
        )
    });
    assert_eq!(grade(&report), "unproved", "{report:?}");
    assert!(report.proof.why().unwrap().contains("/login"), "{report:?}");
    // An API that has moved is followed.
    let (ids, report) = load(list(token()), move |_, request| {
        let rows: Vec<Value> = (0..20).map(|n| row(n, n)).collect();
        let mut first = behind(&rows[..10], request);
        first["next"] = json!("more");
        let query = request.url().query().unwrap_or_default();
        Ok(
            match (request.url().path(), asked(request, "page").as_str()) {
                ("/rows", _) => moved(&format!("/v2/rows?{query}")),
                (_, "") => page(first),
                _ => page(json!({"data": [], "next": null})),
            },
        )
    });
    assert_eq!((ids.len(), grade(&report)), (10, "proved"), "{report:?}");
}

#[test]
fn the_same_list_below_every_parent_is_not_proved() {
    for (same, expected) in [(true, "unproved"), (false, "proved")] {
        let (world, clock) = simulated(1_800_000_000, move |request: &WireRequest| {
            let rows: Vec<Value> = match request.url().path() {
                "/teams" => (0..3).map(|n| row(n, 5)).collect(),
                path => {
                    let team = if same { "" } else { &path[6..] };
                    let name =
                        |n: usize| json!({"id": n.to_string(), "name": format!("m{n}{team}")});
                    (0..13).map(name).collect()
                }
            };
            Ok(page(json!({"data": rows, "next": null})))
        });
        let teams = Row::list("teams", "/teams")
            .records("data")
            .primary_key([Row::ID])
            .paginate(token());
        let members = Row::list("members", "/teams/{team}/members")
            .records("data")
            .primary_key([Row::ID])
            .within_parent()
            .paginate(token())
            .child_of("teams", |team: &Row, request| {
                request.path("team", team.id.clone())
            });
        let source = Source::new("s", "https://api.example").world(world);
        let source = source.resource(teams).resource(members);
        let into = InMemory::new(10_000);
        let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        let report = report.resources.last().unwrap();
        assert_eq!(into.table("members").len(), 39);
        assert_eq!(report.proof.grade(), expected, "{report:?}");
    }
}
