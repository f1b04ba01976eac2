//! Tests of misbehaving servers: each ends with all rows or with an error that names the problem,
//! never with fewer rows and success.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, RunReport, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

type Query = BTreeMap<String, String>;

fn items(ids: std::ops::Range<u64>) -> Vec<serde_json::Value> {
    ids.map(|id| serde_json::json!({"id": id})).collect()
}

fn json(body: serde_json::Value) -> Answer {
    (200, Vec::new(), body.to_string())
}

fn number(query: &Query, name: &str, default: u64) -> u64 {
    query
        .get(name)
        .map_or(default, |value| value.parse().unwrap())
}

fn list(paginator: impl Into<Paginator>) -> Resource<Item> {
    Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(paginator)
}

/// Reads the list; returns the number of rows that arrived, or the error.
fn load(
    paginator: impl Into<Paginator>,
    api: impl Fn(&str, &Query) -> Answer + Send + Sync + 'static,
) -> Result<usize, String> {
    let (base, _) = serve(api);
    let source = Source::new("hostile", &base)
        .auth(Auth::bearer("sk_secret_123"))
        .resource(list(paginator));
    let into = InMemory::new(10_000);
    let report = run(&source, into.clone());
    let text = format!("{report:?}");
    assert!(!text.contains("sk_secret_123"), "a secret in {text}");
    match &report.resources[0].outcome {
        Outcome::Complete => Ok(into.table("items").len()),
        Outcome::Failed(_, message) => Err(message.clone()),
        other => Err(format!("{other:?}")),
    }
}

fn run(source: &Source, into: InMemory) -> RunReport {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(sync(
            source,
            Box::new(into),
            &RunOptions::default(),
            Arc::new(()),
        ))
        .unwrap()
}

/// Serves 1,150 rows, at most 100 per page whatever the request asks for.
fn capped(query: &Query, start: u64, total: bool) -> Answer {
    let end = (start + number(query, "limit", 10).min(100)).min(1150);
    let mut body = serde_json::json!({"data": items(start.min(end)..end)});
    if total {
        body["total"] = 1150.into();
    }
    json(body)
}

#[test]
fn a_server_that_caps_pages_without_saying_so() {
    for total in [true, false] {
        let pages = Paginator::page_number("page").page_size("limit", 500);
        let pages = match total {
            true => pages.total_items("total"),
            false => pages,
        };
        assert_eq!(
            load(pages, move |_, q| capped(
                q,
                number(q, "page", 1).saturating_sub(1) * 100,
                total
            )),
            Ok(1150)
        );
        let offsets = Paginator::offset("offset").page_size("limit", 500);
        let offsets = match total {
            true => offsets.total_items("total"),
            false => offsets,
        };
        assert_eq!(
            load(offsets, move |_, q| capped(
                q,
                number(q, "offset", 0),
                total
            )),
            Ok(1150)
        );
    }
}

#[test]
fn the_last_page_for_ever() {
    let error = load(Paginator::page_number("page"), |_, q| {
        let page = number(q, "page", 1).min(3);
        json(serde_json::json!({"data": items(page * 10..page * 10 + 10)}))
    });
    assert!(
        error
            .as_ref()
            .is_err_and(|message| message.contains("same page twice")),
        "{error:?}"
    );
}

#[test]
fn a_total_that_says_more_than_comes() {
    let error = load(Paginator::offset("offset").total_items("total"), |_, q| {
        let at = number(q, "offset", 0);
        json(serde_json::json!({"data": items(at.min(90)..(at + 50).min(90)), "total": 115}))
    });
    assert!(
        error
            .as_ref()
            .is_err_and(|message| message.contains("counts 115")),
        "{error:?}"
    );
}

#[test]
fn an_empty_page_in_the_middle() {
    // A token continues after an empty page.
    let rows = load(Paginator::token("cursor", "next"), |_, q| {
        let at = number(q, "cursor", 0);
        let next = if at < 4 {
            (at + 1).to_string().into()
        } else {
            serde_json::Value::Null
        };
        let rows = if at == 2 {
            items(0..0)
        } else {
            items(at * 5..at * 5 + 5)
        };
        json(serde_json::json!({"data": rows, "next": next}))
    });
    assert_eq!(rows, Ok(20));
    // The id of a last record cannot.
    let error = load(Paginator::last_id("after").more("more"), |_, q| {
        let rows = if q.contains_key("after") {
            items(0..0)
        } else {
            items(0..5)
        };
        json(serde_json::json!({"data": rows, "more": true}))
    });
    assert!(
        error
            .as_ref()
            .is_err_and(|message| message.contains("more follows")),
        "{error:?}"
    );
}

/// Loads three pages of five rows; `next` returns the link of each to the following one.
fn led_on(next: fn(u64) -> String) -> Result<usize, String> {
    load(Paginator::next_url("next"), move |_, q| {
        let page = number(q, "page", 0);
        let next = if page < 2 {
            next(page + 1)
        } else {
            String::new()
        };
        json(serde_json::json!({"data": items(page * 5..page * 5 + 5), "next": next}))
    })
}

#[test]
fn an_empty_next_is_the_end() {
    assert_eq!(led_on(|page| format!("/items?page={page}")), Ok(15));
}

#[test]
fn relative_links_lead_on() {
    assert_eq!(led_on(|page| format!("?page={page}")), Ok(15));
    assert_eq!(led_on(|page| format!("../items?page={page}")), Ok(15));
    let rows = load(Paginator::link_header(), |_, q| {
        let page = number(q, "page", 0);
        let link = format!("<items?page={}>; rel=\"next\"", page + 1);
        let links = (page < 2).then(|| ("link".to_owned(), link));
        let data = serde_json::json!({"data": items(page * 5..page * 5 + 5)});
        (200, links.into_iter().collect(), data.to_string())
    });
    assert_eq!(rows, Ok(15));
}

/// Runs against an API whose second page is on another host, by a link or a redirect; no request
/// may arrive there.
fn elsewhere(auth: &dyn Fn(&str) -> Auth, redirects: bool) -> String {
    let (other, log) = serve(|_, _| json(serde_json::json!({"data": []})));
    let (base, _) = serve(move |path, query| {
        let target = format!("{other}/items");
        match (path, redirects) {
            ("/token", _) => json(serde_json::json!({"access_token": "sk_secret_123"})),
            (_, true) if query.contains_key("page") => {
                (307, vec![("location".into(), target)], String::new())
            }
            (_, true) => json(serde_json::json!({"data": items(0..5), "next": "/items?page=2"})),
            (_, false) => {
                let cookie = ("set-cookie".to_owned(), "session=sk_secret_123".to_owned());
                let body = serde_json::json!({"data": items(0..5), "next": target});
                (200, vec![cookie], body.to_string())
            }
        }
    });
    let source = Source::new("hostile", &base)
        .auth(auth(&base))
        .resource(list(Paginator::next_url("next")));
    let report = run(&source, InMemory::new(100));
    assert_eq!(*log.lock().unwrap(), [""; 0]);
    let text = format!("{report:?}");
    assert!(!text.contains("sk_secret_123"), "a secret in {text}");
    match &report.resources[0].outcome {
        Outcome::Failed(_, message) => message.clone(),
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn links_and_redirects_to_another_host_get_no_credentials_of_any_kind() {
    let auths: [&dyn Fn(&str) -> Auth; 5] = [
        &|_| Auth::bearer("sk_secret_123"),
        &|_| Auth::query("key", "sk_secret_123"),
        &|_| Auth::header("X-Key", "sk_secret_123"),
        &|_| Auth::cookie("session", "sk_secret_123"),
        &|base| {
            Auth::oauth2_client_credentials(&format!("{base}/token"), "id", "sk_secret_456", &[])
        },
    ];
    for auth in auths {
        let said = elsewhere(auth, false);
        assert!(said.contains("not the API's own host"), "{said}");
        let said = elsewhere(auth, true);
        assert!(said.contains("307"), "{said}");
    }
}

/// Returns the error for a body that is not the list.
fn misread(body: &'static str) -> String {
    let error = load(Paginator::single(), move |_, _| {
        (200, Vec::new(), body.to_owned())
    });
    let message = error.unwrap_err();
    assert!(message.contains("GET /items"), "{message}");
    message
}

#[test]
fn an_error_that_is_sent_as_a_success() {
    // The error contains the API's own words.
    assert!(misread(r#"{"error":{"message":"quota"}}"#).contains("200 OK: quota"));
    assert!(misread(r#"{"data":"none"}"#).contains("data"));
}

#[test]
fn html_in_place_of_json() {
    misread("<html>maintenance</html>");
}

#[test]
fn garbage_behind_the_list() {
    misread(r#"{"data":[{"id":1}]} trailing"#);
}

#[test]
fn json_that_ends_too_early_or_not_at_all() {
    for body in ["", r#"{"data":[{"id":1},{"id":"#, r#"{"data":{"oops":1}"#] {
        misread(body);
    }
}

#[test]
fn the_same_key_twice_is_one_row_in_the_end() {
    let rows = load(
        Paginator::page_number("page").total_pages("pages"),
        |_, q| {
            // Every page starts with the last row of the previous page. The fourth one is full, so
            // a fifth one is requested.
            let page = number(q, "page", 1);
            let end = if page > 4 { page * 9 - 9 } else { page * 9 + 1 };
            json(serde_json::json!({"data": items(page * 9 - 9..end), "pages": 4}))
        },
    );
    assert_eq!(rows, Ok(37));
}

#[test]
fn faults_that_pass_are_tried_again_and_those_that_stay_are_named() {
    let calls = AtomicUsize::new(0);
    let rows = load(Paginator::single(), move |_, _| {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => (500, Vec::new(), "boom".into()),
            1 => (429, vec![("retry-after".into(), "0".into())], "{}".into()),
            2 => (503, vec![("retry-after".into(), "1".into())], "{}".into()),
            _ => json(serde_json::json!({"data": items(0..3)})),
        }
    });
    assert_eq!(rows, Ok(3));
    let error = load(Paginator::single(), |_, _| {
        (
            401,
            Vec::new(),
            r#"{"error":{"message":"bad key sk_secret_123"}}"#.into(),
        )
    });
    assert!(
        error
            .as_ref()
            .is_err_and(|message| message.contains("401") && message.contains("***")),
        "{error:?}"
    );
}

#[test]
fn a_body_shorter_than_announced_is_not_the_end() {
    let calls = AtomicUsize::new(0);
    let rows = load(Paginator::single(), move |_, _| {
        let whole = serde_json::json!({"data": items(0..50)}).to_string();
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => (
                200,
                vec![("content-length".into(), (whole.len() * 2).to_string())],
                whole,
            ),
            _ => (200, Vec::new(), whole),
        }
    });
    assert_eq!(rows, Ok(50));
}

#[test]
fn rows_that_the_server_skips_are_missed_by_its_own_total() {
    // Page 3 of 5 lacks half of its rows.
    let error = load(
        Paginator::page_number("page").total_items("total"),
        |_, q| {
            let page = number(q, "page", 1);
            let end = if page == 3 { 25 } else { page.min(5) * 10 };
            let start = ((page - 1) * 10).min(end);
            json(serde_json::json!({"data": items(start..end), "total": 50}))
        },
    );
    assert!(
        error
            .as_ref()
            .is_err_and(|message| message.contains("45 rows") && message.contains("counts 50")),
        "{error:?}"
    );
}

#[test]
fn a_cursor_record_that_is_deleted_is_an_error() {
    let error = load(Paginator::last_id("after").more("more"), |_, q| {
        if q.contains_key("after") {
            let body = r#"{"error":{"message":"No such item: 4"}}"#;
            return (400, Vec::new(), body.into());
        }
        json(serde_json::json!({"data": items(0..5), "more": true}))
    });
    assert!(
        error
            .as_ref()
            .is_err_and(|message| message.contains("No such item: 4")),
        "{error:?}"
    );
}
