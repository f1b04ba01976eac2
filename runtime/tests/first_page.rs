//! Tests of the page before the first one: an API that counts its pages from 0 and is asked from 1
//! has rows there, and nothing but a request for it tells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, ResourceReport, RunOptions, sync};
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

type Query = BTreeMap<String, String>;

fn list(paginator: impl Into<Paginator>) -> Resource<Item> {
    Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(paginator)
}

fn number(query: &Query, name: &str) -> i64 {
    query.get(name).map_or(0, |number| number.parse().unwrap())
}

fn page(ids: impl Iterator<Item = i64>) -> Answer {
    let data: Vec<_> = ids.map(|id| json!({ "id": id })).collect();
    (200, Vec::new(), json!({ "data": data }).to_string())
}

/// Returns a page of `all` rows by ten, from the place with this number on.
fn by_ten(place: i64, all: i64) -> Answer {
    page((place * 10).max(0).min(all)..(place * 10 + 10).clamp(0, all))
}

/// Reads the list; returns the number of rows that arrived and the report.
fn load(
    list: Resource<Item>,
    api: impl Fn(&Query) -> Answer + Send + Sync + 'static,
) -> (usize, ResourceReport) {
    let (base, _) = serve(move |_, query| api(query));
    let source = Source::new("numbers", &base).concurrency(1).resource(list);
    let into = InMemory::new(10_000);
    let options = RunOptions::default();
    let run = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let report = runtime.unwrap().block_on(run).unwrap();
    let report = report.resources.into_iter().next().unwrap();
    (into.table("items").len(), report)
}

fn by_page() -> Paginator {
    Paginator::page_number("page").into()
}

#[test]
fn a_list_that_counts_from_0_and_is_asked_from_1_fails_and_keeps_the_rows() {
    // The whole list is on page 0, or a part of it.
    for all in [1, 7, 10, 25, 40] {
        for deletes in [Deletes::Keep, Deletes::Soft] {
            let (rows, report) = load(list(by_page()).deletes(deletes), move |query| {
                by_ten(number(query, "page"), all)
            });
            assert_eq!(rows as i64, all, "{report:?}");
            let Outcome::Failed(_, error) = &report.outcome else {
                panic!("{all} {report:?}");
            };
            assert!(error.contains("first = 0"), "{error}");
        }
        let from_0 = Paginator::page_number("page").starting_at(0);
        let (rows, report) = load(list(from_0), move |query| {
            by_ten(number(query, "page"), all)
        });
        assert_eq!((rows as i64, report.proof.grade()), (all, "consistent"));
    }
}

#[test]
fn whatever_an_api_that_counts_from_1_sends_for_page_0_costs_one_request() {
    let answers: [fn() -> Answer; 7] = [
        || by_ten(0, 25),
        || by_ten(9, 25),
        || (404, Vec::new(), "{}".into()),
        || (500, Vec::new(), "negative offset".into()),
        || (400, Vec::new(), "<html>".into()),
        || (200, Vec::new(), r#"{"error": "invalid page"}"#.into()),
        || (200, Vec::new(), "no JSON".into()),
    ];
    for answer in answers {
        let (rows, report) = load(list(by_page()), move |query| match number(query, "page") {
            0 => answer(),
            page => by_ten(page - 1, 25),
        });
        assert_eq!(
            (rows, report.proof.grade()),
            (25, "consistent"),
            "{report:?}"
        );
        // Three pages, an empty one, the first one again, and page 0.
        assert_eq!((report.requests, report.retries), (6, 0), "{report:?}");
    }
}

#[test]
fn a_server_that_cannot_answer_leaves_the_question_open() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let (rows, report) = load(list(by_page()), move |query| {
        match number(query, "page") {
            // It is asked again.
            0 if count.fetch_add(1, Ordering::Relaxed) == 0 => {
                (503, vec![("retry-after".into(), "0".into())], "".into())
            }
            0 => by_ten(0, 25),
            page => by_ten(page - 1, 25),
        }
    });
    assert_eq!((rows, report.proof.grade()), (25, "consistent"));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let (_, report) = load(list(by_page()), move |query| match number(query, "page") {
        0 => (401, Vec::new(), "".into()),
        page => by_ten(page - 1, 25),
    });
    assert!(matches!(report.outcome, Outcome::Failed(..)), "{report:?}");
}

#[test]
fn a_total_or_a_number_of_pages_makes_the_question_needless() {
    for (name, count) in [("total", 25), ("total_pages", 3)] {
        let pages = Paginator::page_number("page");
        let pages = match name {
            "total" => pages.total_items(name),
            _ => pages.total_pages(name),
        };
        let (rows, report) = load(list(pages), move |query| {
            let page = number(query, "page");
            assert_ne!(page, 0);
            let data: Vec<_> = ((page - 1) * 10..(page * 10).min(25))
                .map(|id| json!({ "id": id }))
                .collect();
            (
                200,
                Vec::new(),
                json!({"data": data, name: count}).to_string(),
            )
        });
        assert_eq!((rows, report.proof.grade()), (25, "consistent"));
    }
}

#[test]
fn a_list_whose_length_is_a_usual_depth_is_not_proved_by_an_empty_page() {
    for (all, grade) in [(990, "proved"), (1000, "unproved"), (3000, "unproved")] {
        let kept = list(by_page()).deletes(Deletes::Soft);
        let (rows, report) = load(kept, move |query| match number(query, "page") {
            0 => (404, Vec::new(), "{}".into()),
            at => page(((at - 1) * 90).min(all)..(at * 90).min(all)),
        });
        assert_eq!(
            (rows as i64, report.proof.grade()),
            (all, grade),
            "{report:?}"
        );
    }
}
