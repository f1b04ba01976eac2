//! Tests of statements under names that are not in a list: what the words of a name say, and what
//! they do not say.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::account::{Came, Thing, list, load, ok, rows};
use crate::support::{InMemory, an_hour_later, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions};
use etlgen_runtime::world::WireResponse;
use serde_json::{Value, json};

fn token() -> Resource<Thing> {
    list(Paginator::token("token", "next").page_size("limit", 100))
}

/// Merges two objects.
fn with(mut body: Value, more: &Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// Loads 13 rows in one page that has no next token, but these values beside them.
fn beside(says: &Value) -> Came {
    let body = with(json!({"data": rows(0..13), "next": null}), says);
    load(token(), move |_| ok(body.clone()))
}

/// Loads 13 rows, and then an empty page to which a token led, with these values.
fn behind(says: &Value) -> Came {
    let body = with(json!({"data": [], "next": null}), says);
    load(token(), move |query| match query.get("token") {
        None => ok(json!({"data": rows(0..13), "next": "kq"})),
        Some(_) => ok(body.clone()),
    })
}

fn doubted(came: &Came, says: &Value) -> bool {
    let doubted = ["failed", "unproved"].contains(&came.grade());
    if !doubted {
        eprintln!("{says}: {}: {}", came.grade(), came.said());
    }
    doubted
}

fn proved(came: &Came, says: &Value) -> bool {
    let proved = came.grade() == "proved";
    if !proved {
        eprintln!("{says}: {}: {}", came.grade(), came.said());
    }
    proved
}

/// Returns each of these names with this value.
fn each(names: &[&str], value: &Value) -> Vec<Value> {
    let named = |name: &&str| json!({(*name).to_owned(): value});
    names.iter().map(named).collect()
}

#[test]
fn totals_flags_and_ends_are_heard_by_the_words_of_their_names() {
    let totals = [
        "numberMatched",
        "match_count",
        "x_total",
        "found_posts",
        "totalNum",
        "total_cnt",
        "totalCnt",
        "allCount",
        "list_total_count",
        "overall-count",
        "hit_count",
        "nodesTotal",
        "total_things",
        "things-count",
        "TotalHits",
        "matched_rows",
        "NumMatches",
        "itemsTotalCnt",
        "totalcnt",
    ];
    let flags = [
        "moreResult",
        "more_items_in_collection",
        "moreComing",
        "hasAdditionalPages",
        "hasNextResultSet",
        "has_further_rows",
        "morerecordsexist",
        "max_hits_reached",
        "over_limit",
        "limited",
        "isLimited",
        "cut",
        "cutOff",
        "tooManyResults",
        "isSampled",
        "resultsClipped",
        "limit_was_exceeded",
        "stale",
        "degraded",
        "indexing",
        "timeout",
        "throttled",
        "is_rate_limited",
        "redacted",
        "permission_filtered",
        "results_suppressed",
    ];
    let ends = [
        "end_of_stream",
        "eof",
        "end",
        "fully_loaded",
        "fullyLoaded",
        "batchcomplete",
        "all-loaded",
        "available",
        "ready",
        "is_ready",
    ];
    let numbers = [
        "additional_pages",
        "totalPaginas",
        "remaining_pages",
        "rowsLeft",
        "skipped",
        "dropped",
        "omitted_count",
        "inaccessible_count",
        "filtered_out",
        "numSkipped",
        "retry_after",
        "next_chunk_index",
        "proximaPagina",
    ];
    let lists = ["unreachable", "unavailable_regions", "missing", "omitted"];
    let tokens = [
        "last_key",
        "$skipToken",
        "after",
        "@Vendor.Api.fetchxmlpagingcookie",
        "page_suivante",
        "resume_marker",
        "next-range",
    ];
    let mut all = each(&totals, &json!(53));
    all.extend(each(&flags, &json!(true)));
    all.extend(each(&ends, &json!(false)));
    all.extend(each(&numbers, &json!(40)));
    all.extend(each(&lists, &json!(["locations/eu"])));
    all.extend(each(&tokens, &json!("t3kq")));
    all.extend([
        json!({"size": 53, "pagelen": 13}),
        json!({"meta": {"found": ">1000"}}),
        json!({"LastEvaluatedKey": {"id": {"S": "i012"}}}),
        json!({"sources": [{"name": "a", "ok": true}, {"name": "b", "ok": false}]}),
    ]);
    let unheard = all.iter().filter(|says| !doubted(&beside(says), says));
    assert_eq!(unheard.count(), 0);
}

#[test]
fn texts_beside_the_records_are_heard_if_they_speak_of_a_limit() {
    for says in [
        json!({"message": "Only the first 13 results are shown"}),
        json!({"Note": "Our standard API call frequency is 5 calls per minute"}),
        json!({"Information": "Your rate limit is 25 requests per day"}),
        json!({"notices": ["upstream timeout"]}),
        json!({"remark": "This list is limited to 13 rows"}),
        json!({"banner": "Showing only the top 13 entries"}),
        json!({"meta": {"comment_for_clients": "More than 13 rows exceed your plan"}}),
        json!({"detail": "Request was throttled."}),
        json!({"title": "Service Unavailable"}),
        json!({"reason": "internal"}),
        json!({"exceptionMessage": "x"}),
    ] {
        assert!(doubted(&beside(&says), &says));
    }
    // Without records a reason is one for that.
    for says in [
        json!({"detail": "Expected available in 5 seconds."}),
        json!({"msg": "too many requests"}),
        json!({"info": "quota exhausted"}),
        json!({"reason": "internal"}),
        json!({"status_message": "temporarily unavailable"}),
        json!({"retry_after": 30}),
        json!({"available": false}),
        json!({"unreachable": ["eu"]}),
        json!({"Data": rows(0..13)}),
        json!({"results": rows(0..13)}),
    ] {
        assert!(doubted(&behind(&says), &says));
    }
}

#[test]
fn what_says_nothing_about_the_list_changes_nothing() {
    let all_is_well = [
        json!({"numberMatched": 13, "numberReturned": 13}),
        json!({"match_count": 13, "return_count": 13, "total_cnt": 13}),
        json!({"count": 13, "size": 13, "pagelen": 13, "things_count": 13}),
        json!({"total": 13, "total_things": 53}),
        json!({"size": 100, "page_size": 100}),
        json!({"moreComing": false, "hasAdditionalPages": false, "additional_pages": 0}),
        json!({"eof": true, "end": true, "fully_loaded": true, "batchcomplete": ""}),
        json!({"truncated": false, "limited": false, "cut": false, "isSampled": 0}),
        json!({"max_hits_reached": false, "tooManyResults": false}),
        json!({"unreachable": [], "skipped": 0, "omitted_count": 0, "missing": null}),
        json!({"stale": false, "degraded": false, "available": true, "ready": true}),
        json!({"retry_after": 0, "throttled": false, "last_key": null, "after": null}),
        json!({"sources": [{"name": "a", "ok": true}], "regions": ["eu"]}),
        // Echoes of the request, and settings.
        json!({"limit": 100, "offset": 0, "page": 1, "max_count": 1000, "timeout": 30}),
        json!({"include_missing": true, "show_more": true, "skip_hidden": true}),
        json!({"after": "2024-01-01", "since": "2024-01-01T00:00:00Z"}),
        json!({"query": {"limited": true, "missing": ["a"], "note": "limited to 3 rows"}}),
        json!({"max_total": 500, "default_count": 50, "min_matches": 20}),
        // Usage.
        json!({"rate_limit": 5000, "rate_limit_remaining": 4999, "quota": 10000, "used": 53}),
        json!({"quota_total": 9000, "credits_left": 40, "remaining_requests": 40}),
        json!({"api_calls_count": 700, "usage_total_count": 800}),
        json!({"rateLimitRows": 60}),
        // Other nouns, and other tokens.
        json!({"access_token": "t", "csrfToken": "t", "session_key": "k", "sort_key": "id"}),
        json!({"primary_key": "id", "cache_key": "kq", "sync_token": "s", "cookie": "c"}),
        json!({"previousCursor": "t", "start_cursor": "t", "next_sync_token": "t"}),
        json!({"next_run_at": "soon", "next_release": "v2"}),
        json!({"hidden_columns": ["id"], "missing_fields": ["x"], "excluded_fields": ["y"]}),
        json!({"more_info": "see the docs", "learn_more": "/docs"}),
        json!({"total_chunks": 5, "total_query": 35, "totals": {"amount": 7}, "object_size": 5000}),
        json!({"took": 53, "elapsed_count": 90, "request_id": "r-1000"}),
        json!({"profile_end": false, "setup_complete": false}),
        json!({"unlimited": true, "overall": "fine", "weekend": false}),
        // Texts that do not speak of the list.
        json!({"title": "Things", "description": "A list of the first-class things"}),
        json!({"message": "OK", "detail": "13 things", "note": "All things are listed"}),
        json!({"license": "Use is limited to the first party", "terms": "only first rows"}),
        json!({"copyright": "(c) 2024, no more than 3 rows exceed it"}),
        json!({"hint": "There is no limit", "banner": "unlimited rows, not truncated"}),
        json!({"generated": "first", "only": "first", "mode": "limit"}),
    ];
    let wrong = all_is_well
        .iter()
        .filter(|says| !proved(&beside(says), says));
    assert_eq!(wrong.count(), 0);
    // The rows before a page are skipped, not left out.
    let came = load(token(), |query| match query.get("token") {
        None => ok(json!({"data": rows(0..10), "next": "kq", "skipped": 0})),
        Some(_) => ok(json!({"data": rows(10..13), "next": null, "skipped": 10})),
    });
    assert_eq!(came.grade(), "proved", "{}", came.said());
    // A list of another kind beside no records is none of them.
    for says in [
        json!({"columns": [{"name": "id"}], "facets": [{"name": "a", "missing": 3}]}),
        json!({"message": "No things", "detail": "No results found", "title": "Things"}),
    ] {
        assert!(proved(&behind(&says), &says));
    }
    // Values of a record are no statements.
    let came = load(token(), |_| {
        let row = json!({"id": 1, "truncated": true, "numberMatched": 53, "note": "limited to 3"});
        ok(json!({"data": [row], "next": null}))
    });
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

#[test]
fn headers_are_heard_by_the_words_of_their_names() {
    let one = |name: &'static str, value: &'static str| {
        load(list(Paginator::single()), move |_| {
            ok(json!({"data": rows(0..13)})).header(name, value)
        })
    };
    for (name, value) in [
        ("content-range", "items 0-12/*"),
        ("x-cursor", "abc"),
        ("x-last-page", "5"),
        ("continuation-token", "abc"),
        ("cb-after", "1071064024"),
        ("x-after", "abc"),
        ("next-range", "id ]i012..; max=13"),
        ("range", "items=0-12/53"),
        ("x-container-object-count", "53"),
        ("x-number-matched", "53"),
        ("x-results-truncated", "true"),
    ] {
        let came = one(name, value);
        assert!(doubted(&came, &json!({name: value})));
    }
    for (name, value) in [
        ("x-csrf-token", "abc"),
        ("x-request-id", "abc"),
        ("x-ratelimit-remaining", "40"),
        ("x-quota-total", "5300"),
        ("retry-after", "0"),
        ("x-ratelimit-reset-after", "1.5"),
        ("x-matched-path", "/api/v2/things"),
        ("content-range", "items 0-12/13"),
        ("x-last-page", "1"),
        ("x-content-type-options", "nosniff"),
        ("cb-before", "1071064024"),
        ("x-total-count", "13"),
        ("sunset", "Sat, 31 Dec 2033 23:59:59 GMT"),
        ("accept-ranges", "bytes"),
    ] {
        let came = one(name, value);
        let fine = ["proved", "assumed"].contains(&came.grade());
        assert!(fine, "{name}: {}: {}", came.grade(), came.said());
    }
}

fn linked(header: &'static str, rows_of_it: usize) -> Came {
    let pages = Paginator::link_header().page_size("limit", 100);
    load(list(pages), move |_| {
        let answer = ok(json!({"data": rows(0..rows_of_it)}));
        match header {
            "" => answer,
            header => answer.header("link", header),
        }
    })
}

#[test]
fn a_link_to_a_later_page_contradicts_the_end() {
    let came = linked("</things?page=6>; rel=\"last\"", 7);
    assert_eq!(came.grade(), "failed", "{}", came.said());
    for relation in ["next-page", "next-archive", "nextpage"] {
        let header = format!("</things?page=2>; rel=\"{relation}\"");
        let came = linked(header.leak(), 7);
        assert_eq!(came.grade(), "unproved", "{relation}: {}", came.said());
    }
    for header in [
        "</things?page=1>; rel=\"last\"",
        "</things?page=0>; rel=\"last\"",
        "</things?page=1>; rel=\"first\"",
        "</archive>; rel=\"prev-archive\"",
        "",
    ] {
        let came = linked(header, 7);
        assert_eq!(came.grade(), "proved", "{header}: {}", came.said());
    }
}

#[test]
fn a_first_page_of_a_usual_length_that_does_not_mention_a_next_page_is_no_proof() {
    for length in [10, 15, 20, 25, 30, 50, 100] {
        let came = linked("", length);
        assert_eq!(came.grade(), "unproved", "{length}: {}", came.said());
        let came = load(token(), move |_| ok(json!({"data": rows(0..length)})));
        assert_eq!(came.grade(), "unproved", "{length}: {}", came.said());
    }
    for length in [1, 7, 13, 53] {
        let came = load(token(), move |_| ok(json!({"data": rows(0..length)})));
        assert_eq!(came.grade(), "proved", "{length}: {}", came.said());
    }
    // A null says that nothing follows.
    let came = load(token(), |_| ok(json!({"data": rows(0..10), "next": null})));
    assert_eq!(came.grade(), "proved", "{}", came.said());
}

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

/// Loads the parts of three items; the last page of the lists of `silent` does not mention the token
/// at all.
fn parts(silent: &'static [&'static str]) -> ResourceReport {
    let (world, clock) = simulated(1_700_000_000, move |request| {
        let path = request.url().path().to_owned();
        Ok(match path.split('/').nth(2) {
            None => page(json!([{"id": 1}, {"id": 2}, {"id": 3}])),
            Some(item) => {
                let id = item.parse::<i64>().unwrap() * 10;
                page(match silent.contains(&item) {
                    true => json!({"data": [{"id": id}]}),
                    false => json!({"data": [{"id": id}], "next": null}),
                })
            }
        })
    });
    let parts = Item::list("parts", "/items/{item}/parts")
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::token("token", "next").page_size("limit", 100))
        .child_of("items", |item: &Item, request| {
            request.path("item", item.id)
        });
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(Item::list("items", "/items").primary_key([Item::ID]))
        .resource(parts);
    let into = InMemory::new(1);
    let mut report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    report.resources.pop().unwrap()
}

#[test]
fn a_list_without_the_token_that_the_other_lists_have_is_no_proof() {
    for silent in [&["1"][..], &["2"], &["3"], &["1", "3"]] {
        let report = parts(silent);
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
    }
    for silent in [&[][..], &["1", "2", "3"]] {
        let report = parts(silent);
        assert!(!matches!(report.proof, Proof::Unproved(_)), "{report:?}");
    }
}

/// Loads three rows, and then an empty first page, into one destination; returns the second report
/// and the number of rows.
fn emptied(
    paginator: Paginator,
    keyed: bool,
    answer: impl Fn() -> WireResponse + Send + Sync + 'static,
) -> (ResourceReport, usize) {
    let run = Arc::new(AtomicUsize::new(0));
    let count = run.clone();
    let (world, clock) = simulated(1_700_000_000, move |request| {
        let first = ["page", "token"]
            .iter()
            .all(|name| ["", "1"].contains(&asked(request, name).as_str()));
        Ok(match (count.load(Relaxed), first) {
            (0, true) => page(json!({"data": [{"id": 1}, {"id": 2}, {"id": 3}], "next": null})),
            (0, false) => page(json!({"data": [], "next": null})),
            _ => answer(),
        })
    });
    let items = Item::list("items", "/items").records("data");
    let items = match keyed {
        true => items.primary_key([Item::ID]).deletes(Deletes::Hard),
        false => items,
    };
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(items.paginate(paginator));
    let into = InMemory::new(1);
    let load = || {
        an_hour_later(&clock);
        let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        run.fetch_add(1, Relaxed);
        report.resources.into_iter().next().unwrap()
    };
    let first = load();
    assert!(matches!(first.outcome, Outcome::Complete), "{first:?}");
    assert_eq!(into.table("items").len(), 3);
    (load(), into.table("items").len())
}

#[test]
fn an_empty_first_page_that_states_nothing_removes_no_rows() {
    let paginators: [fn() -> Paginator; 3] = [
        || Paginator::token("token", "next").into(),
        || Paginator::link_header().into(),
        || Paginator::page_number("page").into(),
    ];
    for paginator in paginators {
        for keyed in [true, false] {
            let bodies: [fn() -> Value; 2] = [|| json!({"data": []}), || json!([])];
            for body in bodies {
                let (report, rows) = emptied(paginator(), keyed, move || page(body()));
                assert_eq!(rows, 3, "{keyed}: {}: {report:?}", body());
                let assumed = matches!(report.proof, Proof::Assumed(_) | Proof::Unproved(_));
                assert!(assumed, "{report:?}");
            }
            // A statement that nothing follows is believed.
            let bodies: [fn() -> Value; 4] = [
                || json!({"data": [], "next": null}),
                || json!({"data": [], "has_more": false}),
                || json!({"data": [], "total": 0}),
                || json!({"data": [], "meta": {"page_count": 0}}),
            ];
            for body in bodies {
                let (report, rows) = emptied(paginator(), keyed, move || page(body()));
                assert_eq!(rows, 0, "{keyed}: {}: {report:?}", body());
            }
        }
    }
}

#[test]
fn an_empty_list_in_place_of_the_envelope_is_no_list() {
    let came = load(token(), |_| ok(json!([])));
    assert_eq!(came.grade(), "assumed", "{}", came.said());
    let came = load(token(), |query| match query.get("token") {
        None => ok(json!({"data": rows(0..13), "next": "kq"})),
        Some(_) => ok(json!([])),
    });
    assert_eq!(came.grade(), "unproved", "{}", came.said());
}
