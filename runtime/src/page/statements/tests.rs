//! Tests of the statements found in bodies and headers.

use reqwest::header::HeaderMap;

use super::*;
use crate::record::beside::listen;

fn said(body: &str, headers: &[(&str, &str)]) -> Vec<(String, Says)> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    let statements = Statements::of(&listen(body, hears), &response(map), "things");
    let said = statements.0.into_iter();
    said.map(|said| (said.place, said.says)).collect()
}

fn response(headers: HeaderMap) -> Response {
    Response {
        landed: None,
        status: 200,
        headers,
        body: Vec::new(),
        open_ended: false,
        repeated: false,
        request: String::new(),
        sent: Sent::default(),
    }
}

fn one(body: &str) -> Option<Says> {
    let mut said = said(body, &[]);
    said.retain(|(_, says)| !matches!(says, Says::OfPage(_)));
    assert!(said.len() < 2, "{said:?}");
    said.pop().map(|(_, says)| says)
}

#[test]
fn totals_are_heard_under_their_usual_names_and_only_where_they_are_counts() {
    for body in [
        r#"{"total": 53}"#,
        r#"{"totalCount": "53"}"#,
        r#"{"total_count": 53.0}"#,
        r#"{"@odata.count": 53}"#,
        r#"{"meta": {"total": 53}}"#,
        r#"{"paging": {"total": 53}}"#,
        r#"{"page": {"totalElements": 53, "size": 10, "number": 0}}"#,
        r#"{"meta": {"pagination": {"total": 53}}}"#,
        r#"{"rows_total": 53}"#,
        r#"{"totalNumberOfEntries": 53}"#,
        r#"{"numFound": 53}"#,
        r#"{"hydra:totalItems": 53}"#,
        r#"{"opensearch:totalResults": "53"}"#,
        r#"{"total": {"value": 53}}"#,
        r#"{"hits": {"total": {"value": 53, "relation": "eq"}}}"#,
        r#"{"TOTAL-COUNT": "53"}"#,
        r#"{"nombre_total": 53}"#,
        r#"{"totalRegistros": 53}"#,
        r#"{"total": "53.000"}"#,
    ] {
        assert_eq!(one(body), Some(Says::Total(53)), "{body}");
    }
    for text in ["1,053", "1 053", "1'053", "1.053", "1053"] {
        let body = format!("{{\"total\": \"{text}\"}}");
        assert_eq!(one(&body), Some(Says::Total(1053)), "{body}");
    }
    for body in [
        r#"{"total": 12.5}"#,
        r#"{"total": "many"}"#,
        r#"{"total": "53 results"}"#,
        r#"{"total": true}"#,
        r#"{"total": {"amount": 7}}"#,
        r#"{"count": "12,34"}"#,
        r#"{"total": "1,05,3"}"#,
    ] {
        assert!(matches!(one(body), Some(Says::NoCount(_))), "{body}");
    }
    for body in [
        r#"{"total": "40+"}"#,
        r#"{"total": ">= 40"}"#,
        r#"{"total": {"value": 40, "relation": "gte"}}"#,
        r#"{"hits": {"total": {"value": 40, "relation": "gte"}}}"#,
    ] {
        assert_eq!(one(body), Some(Says::AtLeast(40)), "{body}");
    }
    for body in [
        r#"{"total": -1}"#,
        r#"{"total": null}"#,
        r#"{"total": ""}"#,
        r#"{"total": {}}"#,
        r#"{"facets": {"total": 53}}"#,
        r#"{"subtotal": 53}"#,
        r#"{"total_amount": 53}"#,
        r#"{"a": {"b": {"c": {"total": 53}}}}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
}

#[test]
fn counts_and_numbers_of_the_records_are_heard() {
    for body in [
        r#"{"count": 53}"#,
        r#"{"num_items": 53}"#,
        r#"{"nb_results": 53}"#,
        r#"{"hits": 53}"#,
        r#"{"of": 53}"#,
    ] {
        assert_eq!(one(body), Some(Says::Count(53)), "{body}");
    }
    // Names of the records, and totals of what repeats the request or sums it up.
    for body in [
        r#"{"total_things": 53}"#,
        r#"{"thingsCount": 53}"#,
        r#"{"summary": {"total_count": 53}}"#,
        r#"{"query": {"total": 53}}"#,
    ] {
        assert_eq!(one(body), Some(Says::Named(53)), "{body}");
    }
    for body in [
        r#"{"comment_count": 53}"#,
        r#"{"discount": 53}"#,
        r#"{"query": {"status": "failed", "cursor": "x", "limit": 10}}"#,
        r#"{"_shards": {"total": 5, "successful": 5, "failed": 0}}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
}

#[test]
fn pages_and_flags_are_heard() {
    for body in [
        r#"{"meta": {"last_page": 6}}"#,
        r#"{"totalPages": 6}"#,
        r#"{"info": {"pages": 6}}"#,
    ] {
        assert_eq!(one(body), Some(Says::Pages(6)), "{body}");
    }
    for (body, more) in [
        (r#"{"has_more": true}"#, true),
        (r#"{"hasMore": "false"}"#, false),
        (r#"{"pageInfo": {"hasNextPage": true}}"#, true),
        (r#"{"last": true}"#, false),
        (r#"{"isLast": false}"#, true),
        (r#"{"last_page": true}"#, false),
        (r#"{"has_more": "yes"}"#, true),
        (r#"{"has_more": "N"}"#, false),
        (r#"{"has_more": "1"}"#, true),
        (r#"{"is_last_page": "no"}"#, true),
        (r#"{"isLast": 1}"#, false),
        (r#"{"truncated": "1"}"#, true),
        (r#"{"exceededTransferLimit": true}"#, true),
    ] {
        assert_eq!(one(body), Some(Says::More(more)), "{body}");
    }
    // What is not understood counts on the last page.
    for body in [
        r#"{"has_more": "maybe"}"#,
        r#"{"has_more": {"pages": 3}}"#,
        r#"{"is_last": "perhaps"}"#,
        r#"{"last": 0}"#,
        r#"{"page": "1 of 5"}"#,
        r#"{"complete": false}"#,
        r#"{"jobComplete": "false"}"#,
        r#"{"done": 0}"#,
        r#"{"limit_reached": true}"#,
    ] {
        assert!(matches!(one(body), Some(Says::Unfinished(_))), "{body}");
    }
    for body in [
        r#"{"has_more": null}"#,
        r#"{"has_more": ""}"#,
        r#"{"last": "/x?page=5"}"#,
        r#"{"last": 5}"#,
        r#"{"page": "5 of 5"}"#,
        r#"{"page": 2}"#,
        r#"{"complete": true}"#,
        r#"{"limit_reached": false}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
}

#[test]
fn tokens_and_links_lead_on_or_say_that_nothing_does() {
    for (body, leads) in [
        (r#"{"next": "/x?page=2"}"#, true),
        (r#"{"nextPageToken": "t"}"#, true),
        (r#"{"next_cursor": 7}"#, true),
        (r#"{"next": {"href": "/x"}}"#, true),
        (r#"{"_links": {"next": {"href": "/x"}}}"#, true),
        (r#"{"links": {"next": null}}"#, false),
        (r#"{"next": ""}"#, false),
        (r#"{"next_cursor": 0}"#, false),
        (r#"{"list_metadata": {"before": null, "after": "x"}}"#, true),
        (r#"{"next": ["t"]}"#, true),
        (r#"{"@odata.nextLink": "/x"}"#, true),
        (r#"{"hydra:view": {"hydra:next": "/x"}}"#, true),
        (
            r#"{"links": [{"rel": "self", "href": "/a"}, {"rel": "next", "href": "/x"}]}"#,
            true,
        ),
        (r#"{"link": [{"relation": "next", "url": "/x"}]}"#, true),
        (r#"{"next_cursor": "0"}"#, false),
        (r#"{"next": true}"#, true),
    ] {
        let says = if leads { Says::Next } else { Says::NoNext };
        assert_eq!(one(body), Some(says), "{body}");
    }
    for body in [
        r#"{"cursor": "b3Bh"}"#,
        r#"{"bookmark": "b3Bh"}"#,
        r#"{"_scroll_id": "DXF1"}"#,
        r#"{"offset": "itr1/rec2"}"#,
        r#"{"LastEvaluatedKey": {"id": "i12"}}"#,
        r#"{"pageToken": "abc"}"#,
        r#"{"resumptionToken": "abc"}"#,
        r#"{"nextPageStart": 13}"#,
        r#"{"next_stream_position": "abc"}"#,
        r#"{"remaining": 40}"#,
    ] {
        assert!(matches!(one(body), Some(Says::MayLead(_))), "{body}");
    }
    for body in [
        r#"{"cursor": null}"#,
        r#"{"offset": 20}"#,
        r#"{"offset": "20"}"#,
        r#"{"remaining": 0}"#,
        r#"{"nextSyncToken": "x"}"#,
        r#"{"links": [{"rel": "prev", "href": "/x"}]}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
    // These are positions of the page's own records.
    assert_eq!(one(r#"{"paging": {"cursors": {"after": "x"}}}"#), None);
}

#[test]
fn headers_are_heard() {
    let heard = |name: &str, value: &str| said("{}", &[(name, value)]);
    for (name, value) in [
        ("X-Total-Count", "53"),
        ("X-Total", "53"),
        ("X-WP-Total", "53"),
        ("Total-Count", "53"),
        ("X-Pagination-Total-Count", "53"),
        ("Content-Range", "items 0-9/53"),
        ("X-Pagination", r#"{"TotalCount":53}"#),
        ("Total", "53"),
        ("X-Paging-Total", "53"),
        ("X-Total-Results", "53"),
        ("X-Total-Count", "53, 53"),
    ] {
        let [(place, Says::Total(53))] = &heard(name, value)[..] else {
            panic!("{name}: {:?}", heard(name, value))
        };
        assert!(place.contains("header"), "{place}");
    }
    let says = |name: &str, value: &str| heard(name, value).pop().map(|(_, says)| says);
    assert_eq!(says("X-Total-Pages", "6"), Some(Says::Pages(6)));
    assert_eq!(says("X-WP-TotalPages", "6"), Some(Says::Pages(6)));
    assert_eq!(says("X-Next-Page", "2"), Some(Says::Next));
    assert_eq!(says("X-Next-Page", ""), Some(Says::NoNext));
    assert_eq!(says("Link", "</x?page=2>; rel=\"next\""), Some(Says::Next));
    assert_eq!(says("Link", "</x?page=1>; rel=\"prev\""), None);
    assert_eq!(
        says("Link", "</x?page=5>; rel=\"last\""),
        Some(Says::LastLink(5))
    );
    assert_eq!(says("X-Total-Count", "1,053"), Some(Says::Total(1053)));
    assert_eq!(says("Item-Count", "53"), Some(Says::Count(53)));
    for name in ["Next-Page", "X-Next", "x-ms-continuation"] {
        assert_eq!(says(name, "abc"), Some(Says::Next), "{name}");
    }
    let partial = says("X-Partial-Results", "true");
    assert_eq!(partial, Some(Says::Incomplete("true".into())));
    assert!(matches!(
        says("Warning", "199 - \"partial\""),
        Some(Says::Unclear(_))
    ));
    assert_eq!(says("Warning", "299 - \"Deprecated API\""), None);
    for (name, value) in [
        ("X-RateLimit-Remaining", "53"),
        ("Content-Length", "53"),
        ("X-Request-Status", "failed"),
        ("X-Error", "no"),
        ("ETag", "abc"),
    ] {
        assert_eq!(says(name, value), None, "{name}");
    }
    assert_eq!(says("Content-Range", "bytes 0-9/53"), None);
    assert_eq!(says("X-RateLimit-Limit", "53"), None);
}

#[test]
fn errors_beside_the_records_are_heard_in_their_words() {
    for (body, words) in [
        (r#"{"errors": [{"message": "quota"}]}"#, "quota"),
        (r#"{"error": "quota"}"#, "quota"),
        (r#"{"error": {"detail": "quota"}}"#, "quota"),
        (r#"{"errorMessage": "db down"}"#, "db down"),
        (r#"{"exception": "TimeoutException"}"#, "TimeoutException"),
        (r#"{"fault": {"message": "timeout"}}"#, "timeout"),
        (r#"{"meta": {"error": "x"}}"#, "x"),
        (r#"{"errors": 3}"#, "3"),
        (r#"{"hasErrors": true}"#, "true"),
        (r#"{"is_error": "yes"}"#, "yes"),
        (r#"{"error_code": 17}"#, "17"),
        (r#"{"errno": "E17"}"#, "E17"),
        (r#"{"success": false}"#, "false"),
        (r#"{"success": 0}"#, "0"),
        (r#"{"IsSuccess": "False"}"#, "False"),
        (r#"{"ok": "no"}"#, "no"),
        (r#"{"status": "error"}"#, "error"),
        (r#"{"Status": "FAILURE"}"#, "FAILURE"),
        (r#"{"status": "partial_failure"}"#, "partial_failure"),
        (r#"{"status": 500}"#, "500"),
        (r#"{"status": "503 Unavailable"}"#, "503 Unavailable"),
        (r#"{"status": {"code": 500}}"#, "500"),
        (r#"{"meta": {"code": "404"}}"#, "404"),
        (r#"{"result": "error"}"#, "error"),
        (r#"{"code": "INTERNAL_ERROR"}"#, "INTERNAL_ERROR"),
    ] {
        assert_eq!(one(body), Some(Says::Error(words.into())), "{body}");
    }
    for body in [
        r#"{"errors": []}"#,
        r#"{"error": null}"#,
        r#"{"error": false}"#,
        r#"{"error": {"code": 0, "message": ""}}"#,
        r#"{"errors": 0}"#,
        r#"{"error": "none"}"#,
        r#"{"errorCode": "00000"}"#,
        r#"{"error_code": 200}"#,
        r#"{"errors_url": "/errors"}"#,
        r#"{"ok": true}"#,
        r#"{"success": 1}"#,
        r#"{"success": "OK"}"#,
        r#"{"success": 53}"#,
        r#"{"status": "ok"}"#,
        r#"{"status": "open"}"#,
        r#"{"status": 200}"#,
        r#"{"status": "no_error"}"#,
        r#"{"state": "active"}"#,
        r#"{"result": {"failed": 3}}"#,
        r#"{"code": 0}"#,
        r#"{"code": 200}"#,
        r#"{"code": "SUCCESS"}"#,
        r#"{"message": "OK"}"#,
        r#"{"message": "No files"}"#,
        r#"{"message": "Fetched without errors"}"#,
        r#"{"failed": 0}"#,
        r#"{"failures": []}"#,
        r#"{"warnings": []}"#,
        r#"{"warnings": ["This endpoint is deprecated"]}"#,
        r#"{"partial": 0}"#,
        r#"{"partial": "no"}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
}

#[test]
fn what_says_that_a_response_is_incomplete_is_heard() {
    for body in [
        r#"{"partial": true}"#,
        r#"{"partial": 1}"#,
        r#"{"is_partial": "yes"}"#,
        r#"{"partial": "the last shard"}"#,
        r#"{"timed_out": true}"#,
        r#"{"_shards": {"total": 5, "failed": 1}}"#,
        r#"{"failed": 3}"#,
        r#"{"failures": [{"shard": 3}]}"#,
        r#"{"status": "RUNNING"}"#,
        r#"{"state": "pending"}"#,
        r#"{"status": "partial"}"#,
        r#"{"code": 206}"#,
    ] {
        assert!(matches!(one(body), Some(Says::Incomplete(_))), "{body}");
    }
    for body in [
        r#"{"warnings": ["shard 3 failed"]}"#,
        r#"{"warnings": [{"code": "partial"}]}"#,
        r#"{"message": "Result limited to 13 rows"}"#,
        r#"{"message": "index unavailable"}"#,
        r#"{"success": "maybe"}"#,
    ] {
        assert!(matches!(one(body), Some(Says::Unclear(_))), "{body}");
    }
    assert_eq!(
        one(r#"{"code": 10001}"#),
        Some(Says::Suspect("10001".into()))
    );
}

#[test]
fn a_flag_beside_a_total_makes_it_a_lower_bound() {
    for (beside, least) in [
        (r#""total_is_capped": true"#, true),
        (r#""total_relation": "gte""#, true),
        (
            r#""relation": "GREATER_THAN_OR_EQUAL_TO", "approximate": true"#,
            true,
        ),
        (r#""total_relation": "eq""#, false),
        (r#""total_is_capped": false"#, false),
    ] {
        let body = format!("{{\"meta\": {{\"total\": 40, {beside}}}, \"count\": 7}}");
        let none = response(HeaderMap::new());
        let mut statements = Statements::of(&listen(&body, hears), &none, "things");
        statements.bound();
        let total = if least {
            Says::AtLeast(40)
        } else {
            Says::Total(40)
        };
        assert!(statements.has(&total), "{body}: {statements:?}");
    }
}

#[test]
fn a_long_value_is_heard_by_its_beginning() {
    let errors = vec![
        serde_json::json!({"message": "field could not be resolved", "path": ["things"]});
        500
    ];
    for errors in [serde_json::json!(errors), "x".repeat(9000).into()] {
        let said = one(&serde_json::json!({"errors": errors}).to_string());
        assert!(
            matches!(&said, Some(Says::Error(words)) if words.len() > 100),
            "{said:?}"
        );
    }
    // So is a long total, which is none.
    let total = serde_json::json!({"total": vec![1; 9000]}).to_string();
    assert!(matches!(one(&total), Some(Says::NoCount(_))));
}

#[test]
fn values_of_any_kind_say_nothing_or_something_and_never_panic() {
    let values = [
        "null",
        "true",
        "0",
        "-1",
        "1e400",
        "\"\"",
        "[]",
        "{}",
        "[[{}]]",
        "{\"a\":{}}",
    ];
    for key in [
        "total",
        "count",
        "pages",
        "last_page",
        "has_more",
        "last",
        "next",
        "errors",
        "status",
        "success",
        "code",
        "message",
        "warnings",
        "failed",
        "cursor",
        "offset",
        "page",
        "links",
        "relation",
        "partial",
        "done",
    ] {
        for value in values {
            said(&format!("{{\"{key}\": {value}}}"), &[]);
            said(&format!("{{\"meta\": {{\"{key}\": {value}}}}}"), &[]);
        }
    }
}
