//! Hints in extensions.

use super::*;

/// Infers a list at `/things` with parameters, an extension, and fields next to the records.
fn said(parameters: &[String], extension: &str, body: &str) -> ResourceFacts {
    let facts = facts(&format!(
        "  /things:
    get:
      {extension}
      parameters: [{}]
      responses: {{'200': {{content: {{application/json: {{schema: {body}}}}}}}}}\n",
        parameters.join(", ")
    ));
    resource(&facts, "things").clone()
}

fn envelope(fields: &str) -> String {
    format!("{{type: object, properties: {{{fields}}}}}")
}

#[track_caller]
fn reason(things: &ResourceFacts, name: &str) {
    let reasons = &things.paginator.reasons;
    assert!(reasons[0].contains(name), "{reasons:?}");
    assert!(things.paginator.confidence > 0.9);
}

#[test]
fn speakeasy_names_the_page_and_the_results() {
    let body = envelope(&format!(
        "rows: {{type: array, items: {ITEM}}}, data: {{type: array, items: {ITEM}}}, sheets: {{type: integer}}"
    ));
    let things = said(
        &[query("which", "integer"), query("many", "integer")],
        "x-speakeasy-pagination: {type: offsetLimit, inputs: [{name: which, in: parameters, type: page}, {name: many, in: parameters, type: limit}], outputs: {results: $.rows, numPages: $.sheets}}",
        &body,
    );
    assert_eq!(things.records_path.value, ["rows"]);
    let page = things.paging();
    assert_eq!(page.kind, "page_number");
    assert_eq!(page.page_param.as_deref(), Some("which"));
    assert_eq!(page.size_param.as_deref(), Some("many"));
    assert_eq!(page.total_path.as_deref(), Some("sheets"));
    assert!(page.total_is_pages);
    reason(&things, "x-speakeasy-pagination");
}

#[test]
fn speakeasy_names_a_cursor_a_last_record_or_a_url() {
    let body = envelope(&format!(
        "data: {{type: array, items: {ITEM}}}, on: {{type: object, properties: {{at: {{type: string}}}}}}"
    ));
    let hint = |kind: &str, outputs: &str| {
        said(
            &[query("mark", "string")],
            &format!(
                "x-speakeasy-pagination: {{type: {kind}, inputs: [{{name: mark, in: parameters, type: cursor}}], outputs: {{results: $.data, {outputs}}}}}"
            ),
            &body,
        )
    };
    let things = hint("cursor", "nextCursor: $.on.at");
    let page = things.paging();
    assert_eq!(page.kind, "token");
    assert_eq!(page.page_param.as_deref(), Some("mark"));
    assert_eq!(page.next_path.as_deref(), Some("on.at"));
    let page = hint("cursor", "nextCursor: '$.data[-1].name'").paging();
    assert_eq!(page.kind, "last_id");
    assert_eq!(page.next_path.as_deref(), Some("last_record.name"));
    let page = hint("url", "nextUrl: $.on.at").paging();
    assert_eq!(page.kind, "next_url");
    assert_eq!(page.next_path.as_deref(), Some("on.at"));
}

#[test]
fn fern_names_request_and_response() {
    let body = envelope(&format!(
        "data: {{type: object, properties: {{rows: {{type: array, items: {ITEM}}}}}}}, on: {{type: string}}, go: {{type: boolean}}"
    ));
    let params = [query("mark", "string"), query("many", "integer")];
    let things = said(
        &params,
        "x-fern-pagination: {cursor: $request.mark, next_cursor: $response.on, results: $response.data.rows}",
        &body,
    );
    assert_eq!(things.records_path.value, ["data", "rows"]);
    assert_eq!(things.paging().kind, "token");
    assert_eq!(things.paging().next_path.as_deref(), Some("on"));
    reason(&things, "x-fern-pagination");
    let things = said(
        &params,
        "x-fern-pagination: {offset: $request.mark, step: $request.many, results: $response.data.rows, has-next-page: $response.go}",
        &body,
    );
    let page = things.paging();
    assert_eq!(page.kind, "offset");
    assert_eq!(page.size_param.as_deref(), Some("many"));
    assert_eq!(page.more_path.as_deref(), Some("go"));
    let things = said(
        &params,
        "x-fern-pagination: {offset: $request.mark, results: $response.data.rows}",
        &body,
    );
    assert_eq!(things.paging().kind, "page_number");
}

#[test]
fn fern_says_it_once_for_all() {
    let facts = read_text(&format!(
        "openapi: 3.0.0
info: {{title: T, version: '1'}}
x-fern-pagination: {{next_uri: $response.on, results: $response.rows}}
paths:
  /things:
    get:
      x-fern-pagination: true
      responses: {{'200': {{content: {{application/json: {{schema: {}}}}}}}}}
",
        envelope(&format!(
            "rows: {{type: array, items: {ITEM}}}, on: {{type: string}}"
        ))
    ));
    let page = resource(&facts, "things").paging();
    assert_eq!(page.kind, "next_url");
    assert_eq!(page.next_path.as_deref(), Some("on"));
}

#[test]
fn microsoft_names_the_link_and_the_items() {
    let body = envelope(&format!(
        "value: {{type: array, items: {ITEM}}}, rows: {{type: array, items: {ITEM}}}, on: {{type: string}}"
    ));
    let things = said(
        &[],
        "x-ms-pageable: {nextLinkName: on, itemName: rows}",
        &body,
    );
    assert_eq!(things.records_path.value, ["rows"]);
    assert_eq!(things.paging().kind, "next_url");
    assert_eq!(things.paging().next_path.as_deref(), Some("on"));
    reason(&things, "x-ms-pageable");
    let things = said(&[], "x-ms-pageable: {nextLinkName: null}", &body);
    assert_eq!(things.records_path.value, ["value"]);
    assert_eq!(things.paging().kind, "single");
}

#[test]
fn stainless_marks_parameters_and_fields() {
    let mark = |purpose: &str| format!("x-stainless-pagination-property: {{purpose: {purpose}}}");
    let param = format!(
        "{{name: mark, in: query, schema: {{type: string, {}}}}}",
        mark("next_cursor_param")
    );
    let body = envelope(&format!(
        "rows: {{type: array, items: {ITEM}, {}}}, data: {{type: array, items: {ITEM}}}, info: {{type: object, properties: {{on: {{type: string, {}}}}}}}",
        mark("items"),
        mark("next_cursor_field")
    ));
    let things = said(&[param], "summary: List things", &body);
    assert_eq!(things.records_path.value, ["rows"]);
    let page = things.paging();
    assert_eq!(page.kind, "token");
    assert_eq!(page.page_param.as_deref(), Some("mark"));
    assert_eq!(page.next_path.as_deref(), Some("info.on"));
    reason(&things, "x-stainless-pagination-property");

    // The marks are on the parameter itself and on a field of the record.
    let param = format!(
        "{{name: mark, in: query, {}, schema: {{type: string}}}}",
        mark("next_cursor_id_param")
    );
    let item = format!(
        "{{type: object, properties: {{id: {{type: string}}, name: {{type: string, {}}}}}}}",
        mark("cursor_item_id")
    );
    let body = envelope(&format!(
        "rows: {{type: array, items: {item}, {}}}",
        mark("items")
    ));
    let page = said(&[param], "summary: List things", &body).paging();
    assert_eq!(page.kind, "last_id");
    assert_eq!(page.next_path.as_deref(), Some("last_record.name"));
}

#[test]
fn airbyte_names_the_records_and_what_stands_beside_them() {
    let body = envelope(&format!(
        "rows: {{type: array, items: {ITEM}}}, data: {{type: array, items: {ITEM}}}, info: {{type: object, properties: {{on: {{type: string}}, left: {{type: boolean}}}}}}"
    ));
    let things = said(
        &[query("cursor", "string")],
        "x-airbyte-record-extractor: $.rows\n      x-airbyte-meta-extractor: {next_cursor: $.info.on, has_more: $.info.left}",
        &body,
    );
    assert_eq!(things.records_path.value, ["rows"]);
    let page = things.paging();
    assert_eq!(page.kind, "token");
    assert_eq!(page.next_path.as_deref(), Some("info.on"));
    assert_eq!(page.more_path.as_deref(), Some("info.left"));
}

#[test]
fn a_hint_that_names_what_is_not_there_is_none() {
    let body = envelope(&format!("data: {{type: array, items: {ITEM}}}"));
    let things = said(
        &[query("page", "integer")],
        "x-speakeasy-pagination: {type: cursor, inputs: [{name: gone, in: parameters, type: cursor}], outputs: {results: $.gone, nextCursor: $.x}}",
        &body,
    );
    assert_eq!(things.records_path.value, ["data"]);
    assert_eq!(things.paging().kind, "page_number");
    assert!(!things.paginator.reasons[0].contains("speakeasy"));
    // Extensions of any form are read without a panic.
    for odd in ["5", "[]", "{type: 1}", "{inputs: 5, outputs: []}", "null"] {
        for name in [
            "x-speakeasy-pagination",
            "x-fern-pagination",
            "x-ms-pageable",
            "x-airbyte-record-extractor",
            "x-airbyte-meta-extractor",
        ] {
            said(&[], &format!("{name}: {odd}"), &body);
        }
    }
}

#[test]
fn a_post_that_is_paged_reads() {
    let facts = facts(&format!(
        "  /things:
    post:
      x-speakeasy-pagination: {{type: cursor, inputs: [{{name: mark, in: requestBody, type: cursor}}], outputs: {{results: $.data, nextCursor: $.on}}}}
      requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{mark: {{type: string}}}}}}}}}}}}
      responses: {{'200': {{content: {{application/json: {{schema: {}}}}}}}}}\n",
        envelope(&format!("data: {{type: array, items: {ITEM}}}, on: {{type: string}}"))
    ));
    let page = resource(&facts, "things").paging();
    assert_eq!((page.kind, page.in_body), ("token", true));
    assert_eq!(page.next_path.as_deref(), Some("on"));
}
