//! Evidence for and against the ways in which a list may be paged.

use super::*;

/// Writes a query parameter of type text with a description.
fn told(name: &str, text: &str) -> String {
    format!("{{name: '{name}', in: query, description: \"{text}\", schema: {{type: string}}}}")
}

/// Writes an object with the records in `rows` and fields beside them.
fn rows(beside: &str) -> String {
    format!("{{type: object, properties: {{rows: {{type: array, items: {ITEM}}}, {beside}}}}}")
}

fn kind(facts: &Facts, name: &str) -> String {
    resource(facts, name).paging().kind.to_owned()
}

#[test]
fn a_parameter_that_the_server_sets_leaves_the_paging_to_the_link_header() {
    let token = "Token that the server puts into the next link. Not to be set by clients.";
    let next = "{Link: {description: 'The next and the previous page', schema: {type: string}}}";
    let array = format!("{{type: array, items: {ITEM}}}");
    let parameters = format!(
        "[{}, {}]",
        told("startingAfter", token),
        query("limit", "integer")
    );
    let facts = facts(&get_with("/vans", &parameters, &array, next));
    assert_eq!(kind(&facts, "vans"), "link_header");
}

#[test]
fn a_parameter_that_clients_set_takes_the_last_id() {
    let token = "The id of the last van of the previous page";
    let parameters = format!(
        "[{}, {}]",
        told("startingAfter", token),
        query("limit", "integer")
    );
    let facts = facts(&get(
        "/vans",
        &parameters,
        &rows("has_more: {type: boolean}"),
    ));
    assert_eq!(kind(&facts, "vans"), "last_id");
}

#[test]
fn a_link_header_about_something_else_does_not_page() {
    let help = "{Link: {description: 'The documentation (rel=help)', schema: {type: string}}}";
    let parameters = format!("[{}]", query("page", "integer"));
    let facts = facts(&get_with(
        "/vans",
        &parameters,
        &rows("total: {type: integer}"),
        help,
    ));
    assert_eq!(kind(&facts, "vans"), "page_number");
}

#[test]
fn a_field_that_repeats_the_request_is_no_token() {
    let text = "Where to begin, counted from 0";
    let parameters = format!(
        "[{}, {}]",
        told("startIndex", text),
        query("count", "integer")
    );
    let echo = "startIndex: {type: string}, endIndex: {type: string}";
    let facts = facts(&get("/vans", &parameters, &rows(echo)));
    assert_eq!(kind(&facts, "vans"), "offset");
    let lost = &resource(&facts, "vans").paginator.others;
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn a_text_offset_that_comes_back_is_a_token() {
    let text = "The `offset` that the response before held";
    let parameters = format!("[{}]", told("offset", text));
    let facts = facts(&get("/vans", &parameters, &rows("offset: {type: string}")));
    assert_eq!(kind(&facts, "vans"), "token");
}

#[test]
fn what_is_reserved_for_the_vendor_is_not_used() {
    let parameters = format!(
        "[{}, {}]",
        told("page_token", "Reserved for internal use."),
        query("offset", "integer")
    );
    let reserved = "pageToken: {type: string, description: Reserved.}";
    let facts = facts(&get("/vans", &parameters, &rows(reserved)));
    assert_eq!(kind(&facts, "vans"), "offset");
}

#[test]
fn a_token_with_its_own_parameter_wins_over_an_id_that_bounds() {
    let parameters = format!(
        "[{}, {}]",
        told("since_id", "The smallest id in the response"),
        told("cursor", "The next page")
    );
    let facts = facts(&get(
        "/vans",
        &parameters,
        &rows("next_cursor: {type: string}"),
    ));
    let vans = resource(&facts, "vans");
    assert_eq!(vans.paging().page_param.as_deref(), Some("cursor"));
    // The loser is known, with its reason.
    let lost = &vans.paginator.others;
    assert!(
        lost.iter().any(|line| line.contains("`since_id`")),
        "{lost:?}"
    );
}

#[test]
fn names_are_read_word_by_word() {
    let parameters = |name: &str| {
        format!(
            "[{}, {}]",
            query(name, "integer"),
            query("limit", "integer")
        )
    };
    for name in ["startRecord", "first_row", "row_offset"] {
        let facts = facts(&get(
            "/vans",
            &parameters(name),
            &rows("total_row_count: {type: integer}"),
        ));
        let vans = resource(&facts, "vans").paging();
        assert_eq!(
            (vans.kind, vans.page_param.as_deref()),
            ("offset", Some(name))
        );
        assert_eq!(vans.total_path.as_deref(), Some("total_row_count"));
    }
    let url = facts(&get(
        "/vans",
        "[]",
        &rows("next_results_uri: {type: string}"),
    ));
    assert_eq!(kind(&url, "vans"), "next_url");
    let price = facts(&get("/vans", "[]", &rows("total_price: {type: integer}")));
    assert_eq!(resource(&price, "vans").paging().total_path, None);
}

#[test]
fn forward_comes_before_backward() {
    let parameters = format!(
        "[{}, {}]",
        query("before", "string"),
        query("after", "string")
    );
    let tokens =
        "meta: {type: object, properties: {before: {type: string}, after: {type: string}}}";
    let facts = facts(&get("/vans", &parameters, &rows(tokens)));
    let vans = resource(&facts, "vans").paging();
    assert_eq!(vans.page_param.as_deref(), Some("after"));
    assert_eq!(vans.next_path.as_deref(), Some("meta.after"));
}

#[test]
fn a_total_comes_before_the_count_of_a_page() {
    let parameters = format!("[{}]", query("offset", "integer"));
    for counts in [
        "count: {type: integer}, total_count: {type: integer}",
        "total_count: {type: integer}, count: {type: integer}",
    ] {
        let facts = facts(&get("/vans", &parameters, &rows(counts)));
        let total = resource(&facts, "vans").paging().total_path;
        assert_eq!(total.as_deref(), Some("total_count"));
    }
}

#[test]
fn records_may_lie_below_meta() {
    let meta = format!(
        "{{type: object, properties: {{vans: {{type: array, items: {ITEM}}}, cursor: {{type: string}}}}}}"
    );
    let body = format!("{{type: object, properties: {{meta: {meta}}}}}");
    let facts = facts(&get(
        "/vans",
        &format!("[{}]", query("cursor", "string")),
        &body,
    ));
    let vans = resource(&facts, "vans");
    assert_eq!(vans.records_path.value, ["meta", "vans"]);
    assert_eq!(vans.paging().next_path.as_deref(), Some("meta.cursor"));
}

#[test]
fn the_keys_of_a_map_are_no_fields() {
    let map = "{type: object, additionalProperties: {type: array, items: {type: object}}, example: {van-1.0: [{id: 1}]}}";
    let facts = facts(&get("/vans", "[]", map));
    assert!(
        facts
            .resources
            .iter()
            .all(|it| it.records_path.value.is_empty())
    );
}

#[test]
fn flags_are_no_rows() {
    let facts = facts(&get(
        "/vans/contains",
        "[]",
        "{type: array, items: {type: boolean}}",
    ));
    assert!(facts.resources.is_empty());
}

#[test]
fn an_id_that_goes_forward_takes_the_token_after_the_page() {
    let parameters = format!(
        "[{}, {}]",
        told("before", "A place in the list"),
        told("after", "An object id that defines your place in the list")
    );
    let tokens =
        "meta: {type: object, properties: {before: {type: string}, after: {type: string}}}";
    let facts = facts(&get("/vans", &parameters, &rows(tokens)));
    let vans = resource(&facts, "vans").paging();
    assert_eq!(vans.page_param.as_deref(), Some("after"));
    assert_eq!(vans.next_path.as_deref(), Some("meta.after"));
}
