//! Paginators.

use etlgen_model::Paginator;

use super::*;

/// Infers the paging of `/things` with these parameters and these fields beside `data`.
fn paginator(parameters: &[String], beside: &str) -> super::super::paging::Paging {
    let schema =
        format!("{{type: object, properties: {{data: {{type: array, items: {ITEM}}}, {beside}}}}}");
    let facts = facts(&get(
        "/things",
        &format!("[{}]", parameters.join(", ")),
        &schema,
    ));
    resource(&facts, "things").paging()
}

#[test]
fn the_last_record_is_the_cursor() {
    let page = paginator(
        &[query("starting_after", "string"), query("limit", "integer")],
        "has_more: {type: boolean}",
    );
    assert_eq!(page.kind, "last_id");
    assert_eq!(page.page_param.as_deref(), Some("starting_after"));
    assert_eq!(page.next_path.as_deref(), Some("last_record.id"));
    assert_eq!(page.more_path.as_deref(), Some("has_more"));
}

#[test]
fn a_token_in_the_body() {
    let page = paginator(
        &[query("pageToken", "string")],
        "nextPageToken: {type: string}",
    );
    assert_eq!(page.kind, "token");
    assert_eq!(page.next_path.as_deref(), Some("nextPageToken"));
}

#[test]
fn a_first_token_that_the_description_states_is_sent() {
    for (text, first) in [
        (
            "Pass an empty string for the first page, then use `next_cursor`.",
            Some(""),
        ),
        ("Use `*` for the first request.", Some("*")),
        (
            "The token of the page; leave it out for the first page.",
            None,
        ),
        ("An empty string is refused.", None),
    ] {
        let cursor =
            format!("{{name: cursor, in: query, description: '{text}', schema: {{type: string}}}}");
        let schema = format!(
            "{{type: object, properties: {{data: {{type: array, items: {ITEM}}}, next_cursor: {{type: string}}}}}}"
        );
        let facts = facts(&get("/things", &format!("[{cursor}]"), &schema));
        let etlgen_model::Paginator::Token(token) = &resource(&facts, "things").paginator.value
        else {
            panic!("{text}")
        };
        assert_eq!(token.first.as_deref(), first, "{text}");
    }
}

#[test]
fn an_offset_that_is_a_token() {
    let offset = "{name: offset, in: query, description: 'Offset token, as returned by the previous page', schema: {type: string}}";
    let page = paginator(
        &[offset.to_owned()],
        "next_page: {type: object, properties: {offset: {type: string}}}",
    );
    assert_eq!(page.kind, "token");
    assert_eq!(page.next_path.as_deref(), Some("next_page.offset"));
}

#[test]
fn numbers_count_rows() {
    let limit = "{name: limit, in: query, description: At most 1000, schema: {type: integer}}";
    let page = paginator(
        &[query("offset", "integer"), limit.to_owned()],
        "total_count: {type: integer}",
    );
    assert_eq!(page.kind, "offset");
    assert_eq!(page.total_path.as_deref(), Some("total_count"));
    assert_eq!(page.max_page_size, Some(1000));
}

#[test]
fn pages_from_zero_and_their_number() {
    let number =
        "{name: page, in: query, description: Zero-based page number, schema: {type: integer}}";
    let page = paginator(
        &[number.to_owned(), query("size", "integer")],
        "total_pages: {type: integer}",
    );
    assert_eq!(page.kind, "page_number");
    assert_eq!(page.first_page, 0);
    assert!(page.total_is_pages);
}

#[test]
fn a_link_in_the_body() {
    let links = "links: {type: object, properties: {next: {type: string, format: uri}}}";
    let page = paginator(&[query("page", "integer")], links);
    assert_eq!(page.kind, "next_url");
    assert_eq!(page.next_path.as_deref(), Some("links.next"));
}

#[test]
fn a_link_in_a_header() {
    let parameters = format!(
        "[{}, {}]",
        query("page", "integer"),
        query("per_page", "integer")
    );
    let schema = format!("{{type: array, items: {ITEM}}}");
    let facts = facts(&get_with(
        "/things",
        &parameters,
        &schema,
        "{Link: {schema: {type: string}}}",
    ));
    let page = resource(&facts, "things").paging();
    assert_eq!(page.kind, "link_header");
    assert_eq!(page.next_path.as_deref(), Some("header:Link"));
}

#[test]
fn a_header_counts_as_links_by_its_example() {
    let schema = format!("{{type: array, items: {ITEM}}}");
    let kind = |name: &str, example: &str| {
        let facts = facts(&get_with(
            "/things",
            &format!("[{}]", query("per_page", "integer")),
            &schema,
            &format!("{{{name}: {{example: '{example}', schema: {{type: string}}}}}}"),
        ));
        resource(&facts, "things").paging().kind
    };
    let onward = "<https://api.test/things?page=2>; rel=\"next\"";
    assert_eq!(kind("link", onward), "link_header");
    assert_eq!(kind("x-note", onward), "undecided");
}

#[test]
fn what_is_next_goes_into_the_parameter_of_that_name() {
    let page = paginator(
        &[query("sequence_point", "string"), query("limit", "integer")],
        "next_sequence_point: {type: string}",
    );
    assert_eq!(page.kind, "token");
    assert_eq!(page.page_param.as_deref(), Some("sequence_point"));
    assert_eq!(page.next_path.as_deref(), Some("next_sequence_point"));
}

#[test]
fn a_token_in_the_body_of_a_post() {
    let paths = format!(
        "  /things/search:
    post:
      requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{cursor: {{type: string}}, limit: {{type: integer}}}}}}}}}}}}
      responses:
        '200':
          description: ok
          content: {{application/json: {{schema: {{type: object, properties: {{data: {{type: array, items: {ITEM}}}, next_cursor: {{type: string}}}}}}}}}}
"
    );
    let facts = facts(&paths);
    let page = resource(&facts, "things").paging();
    assert_eq!((page.kind, page.in_body), ("token", true));
    assert_eq!(page.page_param.as_deref(), Some("cursor"));
}

#[test]
fn no_page_is_asked_for() {
    assert_eq!(paginator(&[], "note: {type: string}").kind, "single");
}

#[test]
fn what_is_not_known_is_undecided_and_asked() {
    let schema = format!(
        "{{type: object, properties: {{data: {{type: array, items: {ITEM}}}, next_cursor: {{type: string}}}}}}"
    );
    let facts = facts(&get("/things", "[]", &schema));
    let things = resource(&facts, "things");
    assert_eq!(things.paging().kind, "undecided");
    assert!(
        things
            .doubts
            .iter()
            .any(|doubt| doubt.settle.contains("next_cursor")),
        "{:?}",
        things.doubts
    );
}

#[test]
fn a_page_number_with_a_minimum_of_0_begins_at_0() {
    let first = |schema: &str| {
        let page = format!("[{{name: page, in: query, schema: {{type: integer, {schema}}}}}]");
        let body = format!(
            "{{type: object, properties: {{items: {{type: array, items: {ITEM}}}, nbPages: {{type: integer}}}}}}"
        );
        let facts = facts(&get("/boxes", &page, &body));
        facts.resources[0].paging().first_page
    };
    assert_eq!(first("minimum: 0"), 0);
    assert_eq!(first("minimum: 0, default: 1"), 1);
    assert_eq!(first("maximum: 9"), 1);
}

/// Infers from a list with `count` and one parameter that carries JSON.
fn with_json(name: &str, schema: &str) -> Facts {
    let list = "{type: object, properties: {count: {type: integer}, result: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}";
    let parameter = format!(
        "[{{name: {name}, in: query, content: {{application/json: {{schema: {schema}}}}}}}]"
    );
    facts(&get("/charts", &parameter, list))
}

#[test]
fn pages_within_a_json_parameter_are_found() {
    let found = with_json(
        "q",
        "{type: object, properties: {filters: {type: array, items: {}}, order_column: {type: string}, page: {type: integer}, page_size: {type: integer}}}",
    );
    // Flask-AppBuilder counts from 0.
    let pages = Paginator::page_number("page")
        .starting_at(0)
        .total_items("count")
        .page_size("page_size", 100)
        .in_json("q");
    let charts = resource(&found, "charts");
    assert_eq!(charts.paginator.value, pages.into());
    assert!(charts.cursor.value.is_none());

    // LoopBack has all of it in `filter`.
    let found = with_json(
        "filter",
        "{type: object, properties: {offset: {type: integer, minimum: 0}, limit: {type: integer, minimum: 1, maximum: 50}, skip: {type: integer}, where: {type: object}}}",
    );
    let pages = Paginator::offset("offset")
        .total_items("count")
        .page_size("limit", 50)
        .in_json("filter");
    assert_eq!(resource(&found, "charts").paginator.value, pages.into());
}

#[test]
fn a_page_outside_comes_before_one_within_a_json_parameter() {
    let list = "{type: array, items: {type: object, properties: {id: {type: integer}}}}";
    let inner = "{type: object, properties: {page: {type: integer}, page_size: {type: integer}}}";
    let parameters = format!(
        "[{{name: q, in: query, content: {{application/json: {{schema: {inner}}}}}}}, {}]",
        query("page", "integer")
    );
    let found = facts(&get("/charts", &parameters, list));
    // Only parameters of one place are sent.
    let charts = resource(&found, "charts");
    assert_eq!(
        charts.paginator.value,
        Paginator::page_number("page").into()
    );
}

#[test]
fn a_required_json_parameter_with_pages_is_no_setting() {
    let list = "{type: array, items: {type: object, properties: {id: {type: integer}}}}";
    let inner = "{type: object, properties: {page: {type: integer}, page_size: {type: integer}}}";
    let parameters = format!(
        "[{{name: q, in: query, required: true, content: {{application/json: {{schema: {inner}}}}}}}]"
    );
    let found = facts(&get("/charts", &parameters, list));
    assert!(resource(&found, "charts").settings.is_empty());
}

#[test]
fn a_list_without_paging_beside_paged_ones_is_an_open_question() {
    let list = format!("{{type: object, properties: {{data: {{type: array, items: {ITEM}}}}}}}");
    let bare = format!("{{type: array, items: {ITEM}}}");
    let paged = format!(
        "[{}, {}]",
        query("limit", "integer"),
        query("offset", "integer")
    );
    let lists = |paged: &[String]| {
        let paths = paged.concat() + &get("/flows", "[]", &list) + &get("/tags", "[]", &bare);
        facts(&paths)
    };
    let of = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| get(name, &paged, &list)).collect()
    };
    let found = lists(&of(&["/files", "/folders", "/users"]));
    let flows = resource(&found, "flows");
    assert_eq!(flows.paginator.value, Paginator::Single);
    let [doubt] = flows.doubts.as_slice() else {
        panic!("{:?}", flows.doubts);
    };
    assert_eq!(
        doubt.settle,
        r#"paginate = { kind = "offset", param = "offset", size = "limit", page_size = 100 }"#
    );
    assert!(
        doubt.question.contains("3 of the 4 lists"),
        "{}",
        doubt.question
    );
    // Lists that are read by POST have pages in their bodies, which a GET has not.
    let posted = |name: &str| {
        let body = "{type: object, properties: {limit: {type: integer}, offset: {type: integer}}}";
        let get = get(name, "[]", &list);
        let body = format!(
            "    post:\n      requestBody: {{content: {{application/json: {{schema: {body}}}}}}}"
        );
        get.replacen("    get:", &body, 1)
    };
    let found = lists(&["/files/list", "/folders/list", "/users/list"].map(posted));
    assert!(resource(&found, "flows").doubts.is_empty());
    // A list with another envelope, and two siblings, say nothing.
    assert!(resource(&found, "tags").doubts.is_empty());
    let found = lists(&of(&["/files", "/folders"]));
    assert!(resource(&found, "flows").doubts.is_empty());
}

#[test]
fn the_first_page_of_linked_pages_is_asked_for_by_its_number() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let first = |page: &str| {
        let parameters = format!("[{page}, {}]", query("_limit", "integer"));
        let found = facts(&get_with(
            "/things",
            &parameters,
            &list,
            "{Link: {schema: {type: string}}}",
        ));
        match &resource(&found, "things").paginator.value {
            Paginator::LinkHeader(links) => links.param.clone().map(|param| (param, links.first)),
            other => panic!("{other:?}"),
        }
    };
    let page = |schema: &str| format!("{{name: page, in: query, schema: {schema}}}");
    assert_eq!(
        first(&query("_page", "integer")),
        Some(("_page".to_owned(), 1))
    );
    assert_eq!(
        first(&page("{type: integer, default: 1}")),
        Some(("page".to_owned(), 1))
    );
    assert_eq!(
        first(&page("{type: integer, minimum: 0}")),
        Some(("page".to_owned(), 0))
    );
    // The number of the first page is not known: 1 may be the second one.
    assert_eq!(first(&page("{type: integer}")), None);
}

#[test]
fn a_list_with_a_token_and_an_offset_names_the_line_for_offsets() {
    let list = format!(
        "{{type: object, properties: {{next_cursor: {{type: string}}, total: {{type: integer}}, data: {{type: array, items: {ITEM}}}}}}}"
    );
    let parameters = format!(
        "[{}, {}, {}]",
        query("cursor", "string"),
        query("offset", "integer"),
        query("limit", "integer")
    );
    let found = facts(&get("/things", &parameters, &list));
    let paginator = &resource(&found, "things").paginator;
    assert_eq!(paginator.value.kind(), "token");
    let line = r#"paginate = { kind = "offset", param = "offset", total = "total", size = "limit", page_size = 100 }"#;
    assert!(
        paginator.reasons[1].contains(line),
        "{:?}",
        paginator.reasons
    );
}

/// Infers a list whose pages are fields of a parameter that is an object.
fn in_object(parameter: &str) -> ResourceFacts {
    let list = format!(
        "{{type: object, properties: {{total: {{type: integer}}, data: {{type: array, items: {ITEM}}}}}}}"
    );
    let facts = facts(&get("/things", &format!("[{parameter}]"), &list));
    facts.resources.into_iter().next().unwrap()
}

const SIZED: &str = "schema: {type: object, properties: {number: {type: integer}, size: {type: integer, maximum: 50}}}";
const NAMED: &str = "schema: {type: object, properties: {page: {type: integer}, size: {type: integer, maximum: 50}, sort: {type: string}}}";

#[test]
fn pages_may_be_fields_of_an_object() {
    for (parameter, page, size) in [
        // JSON:API, and others with brackets.
        (
            format!("{{name: page, in: query, style: deepObject, {SIZED}}}"),
            "page[number]",
            "page[size]",
        ),
        (
            format!(
                "{{name: page, in: query, required: true, style: deepObject, explode: true, {SIZED}}}"
            ),
            "page[number]",
            "page[size]",
        ),
        (
            format!("{{name: options, in: query, style: deepObject, {NAMED}}}"),
            "options[page]",
            "options[size]",
        ),
        // Spring's `Pageable`: each field is a parameter of its own.
        (
            format!("{{name: pageable, in: query, required: true, {NAMED}}}"),
            "page",
            "size",
        ),
        (
            format!("{{name: pageable, in: query, style: form, explode: true, {NAMED}}}"),
            "page",
            "size",
        ),
    ] {
        let found = in_object(&parameter);
        let paging = found.paging();
        assert_eq!(paging.kind, "page_number", "{parameter}");
        assert_eq!(paging.page_param.as_deref(), Some(page), "{parameter}");
        assert_eq!(paging.size_param.as_deref(), Some(size), "{parameter}");
        assert_eq!(paging.max_page_size, Some(50), "{parameter}");
        assert_eq!(paging.in_json, None);
        assert!(
            found.settings.is_empty(),
            "{parameter}: {:?}",
            found.settings
        );
    }
}

#[test]
fn offsets_and_cursors_may_be_fields_of_an_object() {
    let of = |style: &str, fields: &str| {
        let parameter = format!(
            "{{name: page, in: query, style: {style}, schema: {{type: object, properties: {{{fields}}}}}}}"
        );
        in_object(&parameter).paging()
    };
    let rows = "offset: {type: integer}, limit: {type: integer}";
    let paging = of("deepObject", rows);
    assert_eq!(
        (paging.kind, paging.page_param.as_deref()),
        ("offset", Some("page[offset]"))
    );
    assert_eq!(paging.size_param.as_deref(), Some("page[limit]"));
    let paging = of("form", rows);
    assert_eq!(
        (paging.kind, paging.page_param.as_deref()),
        ("offset", Some("offset"))
    );
}

#[test]
fn pages_may_be_in_an_object_within_json() {
    let content = "{name: query, in: query, content: {application/json: {schema: {type: object, properties: {sort: {type: string}, page: {type: object, properties: {number: {type: integer}, size: {type: integer}}}}}}}}";
    let paging = in_object(content).paging();
    assert_eq!(
        (paging.kind, paging.page_param.as_deref()),
        ("page_number", Some("page.number"))
    );
    assert_eq!(paging.size_param.as_deref(), Some("page.size"));
    assert_eq!(paging.in_json.as_deref(), Some("query"));
}

#[test]
fn pages_may_be_pairs_in_the_value_of_a_parameter() {
    let paging = in_object(&format!(
        "{{name: pages, in: query, explode: false, {NAMED}}}"
    ))
    .paging();
    assert_eq!(
        (paging.kind, paging.page_param.as_deref()),
        ("page_number", Some("page"))
    );
    assert_eq!(paging.size_param.as_deref(), Some("size"));
    assert_eq!(paging.in_pairs.as_deref(), Some("pages"));
    let rows = "schema: {type: object, properties: {offset: {type: integer}, limit: {type: integer, maximum: 40}}}";
    let found = in_object(&format!(
        "{{name: page, in: query, style: form, explode: false, {rows}}}"
    ));
    let expected = etlgen_model::Paginator::offset("offset").page_size("limit", 40);
    let mut value = found.paginator.value.clone();
    value.common_mut().unwrap().total = None;
    assert_eq!(value, expected.in_pairs("page").into());
    assert!(found.paginator.confidence >= crate::infer::facts::SURE);
    // Fields that bound a time, or the order of rows, are no pages.
    let filter = "{name: filter, in: query, explode: false, schema: {type: object, properties: {from: {type: integer}, to: {type: integer}}}}";
    assert_eq!(in_object(filter).paging().kind, "single");
}

#[test]
fn pages_that_are_joined_into_one_value_are_a_question() {
    let found = in_object(&format!(
        "{{name: filter, in: query, style: pipeDelimited, {NAMED}}}"
    ));
    assert_eq!(found.paginator.value, etlgen_model::Paginator::Undecided);
    let doubt = found
        .doubts
        .iter()
        .find(|doubt| doubt.settle.starts_with("paginate"));
    assert!(
        doubt.is_some_and(|doubt| doubt.question.contains("`filter`")),
        "{:?}",
        found.doubts
    );
}

#[test]
fn an_object_that_bounds_a_time_asks_for_no_pages() {
    for parameter in [
        "{name: created, in: query, style: deepObject, schema: {type: object, properties: {after: {type: string}, before: {type: string}}}}",
        "{name: filter, in: query, style: deepObject, schema: {type: object, properties: {from: {type: integer}, to: {type: integer}}}}",
        "{name: filter, in: query, schema: {type: object, properties: {start: {type: integer, description: The first row.}}}}",
    ] {
        let paging = in_object(parameter).paging();
        assert_eq!(paging.kind, "single", "{parameter}");
        assert_eq!(paging.page_param, None, "{parameter}");
    }
}
