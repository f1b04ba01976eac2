//! Tests of the statements found in bodies and headers.

use reqwest::header::HeaderMap;

use super::*;

fn said(body: &str, headers: &[(&str, &str)]) -> Vec<(String, Says)> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        map.append(name, value.parse().unwrap());
    }
    let statements = Statements::of(&listen(body, hears), &map);
    let said = statements.0.into_iter();
    said.map(|said| (said.place, said.says)).collect()
}

fn one(body: &str) -> Option<Says> {
    let mut said = said(body, &[]);
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
    ] {
        assert_eq!(one(body), Some(Says::Total(53)), "{body}");
    }
    for body in [
        r#"{"total": -1}"#,
        r#"{"total": 12.5}"#,
        r#"{"total": null}"#,
        r#"{"total": {"value": 53}}"#,
        r#"{"total": "many"}"#,
        r#"{"facets": {"total": 53}}"#,
        r#"{"subtotal": 53}"#,
        r#"{"total_amount": 53}"#,
        r#"{"a": {"b": {"c": {"total": 53}}}}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
    assert_eq!(one(r#"{"count": 53}"#), Some(Says::Count(53)));
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
    ] {
        assert_eq!(one(body), Some(Says::More(more)), "{body}");
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
        (r#"{"next": true}"#, true),
    ] {
        let says = if leads { Says::Next } else { Says::NoNext };
        assert_eq!(one(body), Some(says), "{body}");
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
    assert_eq!(says("Content-Range", "bytes 0-9/53"), None);
    assert_eq!(says("X-RateLimit-Limit", "53"), None);
}

#[test]
fn errors_beside_the_records_are_heard_in_their_words() {
    for body in [
        r#"{"errors": [{"message": "quota"}]}"#,
        r#"{"error": "quota"}"#,
        r#"{"error": {"detail": "quota"}}"#,
    ] {
        assert_eq!(one(body), Some(Says::Error("quota".into())), "{body}");
    }
    for body in [
        r#"{"errors": []}"#,
        r#"{"error": null}"#,
        r#"{"error": false}"#,
    ] {
        assert_eq!(one(body), None, "{body}");
    }
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
    ] {
        for value in values {
            said(&format!("{{\"{key}\": {value}}}"), &[]);
            said(&format!("{{\"meta\": {{\"{key}\": {value}}}}}"), &[]);
        }
    }
}
