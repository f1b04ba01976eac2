//! The paging, keys and times of common API styles, as small documents.

use super::*;

/// Infers one list. Parameters are `name:type`, separated by spaces; `@` before a name puts it in
/// the body of a POST.
fn list(path: &str, parameters: &str, response: &str) -> ResourceFacts {
    let mut queries = Vec::new();
    let mut body = Vec::new();
    for parameter in parameters.split_whitespace() {
        let (name, kind): (&str, &str) = parameter.rsplit_once(':').unwrap();
        match name.strip_prefix('@') {
            Some(name) => body.push(format!("'{name}': {{type: {kind}}}")),
            None => queries.push(query(name, kind)),
        }
    }
    let method = if body.is_empty() { "get" } else { "post" };
    let body = match body.is_empty() {
        true => String::new(),
        false => format!(
            "      requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{{}}}}}}}}}}}\n",
            body.join(", ")
        ),
    };
    let facts = facts(&format!(
        "  {path}:\n    {method}:\n      parameters: [{}]\n{body}      responses:\n        '200':\n          description: ok\n          content: {{application/json: {{schema: {response}}}}}\n",
        queries.join(", ")
    ));
    let mut lists = facts
        .resources
        .into_iter()
        .filter(|resource| resource.kind == ResourceKind::List);
    lists
        .next()
        .unwrap_or_else(|| panic!("no list at {path}: {:?}", facts.skipped))
}

/// Writes an object with an array of things and fields next to it.
fn with(array: &str, beside: &str) -> String {
    let comma = if beside.is_empty() { "" } else { ", " };
    format!(
        "{{type: object, properties: {{'{array}': {{type: array, items: {ITEM}}}{comma}{beside}}}}}"
    )
}

/// Path, parameters, response -> records, paginator, its parameter, its size, the place of the next token.
type Style<'a> = (
    (&'a str, &'a str, String),
    (&'a str, &'a str, &'a str, &'a str, &'a str),
);

fn pages(styles: &[Style<'_>]) {
    let mut wrong = Vec::new();
    for ((path, parameters, response), wanted) in styles {
        let resource = list(path, parameters, response);
        let page = resource.paging();
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let records = resource.records_path.value.join(".");
        let (param, size) = (said(&page.page_param), said(&page.size_param));
        let next = said(&page.next_path);
        let found = (
            records.as_str(),
            match (page.kind, page.in_body) {
                ("token", true) => "token in the body",
                (kind, _) => kind,
            },
            param.as_str(),
            size.as_str(),
            next.as_str(),
        );
        if found != *wanted {
            wrong.push(format!(
                "{path}: {found:?}, not {wanted:?}: {:?}",
                resource.paginator.reasons
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cursors_in_the_body() {
    let text = "{type: string, nullable: true}";
    pages(&[
        (
            (
                "/tickets",
                "page[size]:integer page[after]:string page[before]:string",
                with(
                    "tickets",
                    "meta: {type: object, properties: {has_more: {type: boolean}, after_cursor: {type: string}, before_cursor: {type: string}}}",
                ),
            ),
            (
                "tickets",
                "token",
                "page[after]",
                "page[size]",
                "meta.after_cursor",
            ),
        ),
        (
            (
                "/meetings",
                "page_size:integer next_page_token:string",
                with(
                    "meetings",
                    "next_page_token: {type: string}, page_size: {type: integer}, total_records: {type: integer}",
                ),
            ),
            (
                "meetings",
                "token",
                "next_page_token",
                "page_size",
                "next_page_token",
            ),
        ),
        (
            (
                "/crm/v3/objects/contacts",
                "limit:integer after:string archived:boolean",
                with(
                    "results",
                    "paging: {type: object, properties: {next: {type: object, properties: {after: {type: string}, link: {type: string}}}}}",
                ),
            ),
            ("results", "token", "after", "limit", "paging.next.after"),
        ),
        (
            (
                "/conversations.list",
                "cursor:string limit:integer",
                with(
                    "channels",
                    "ok: {type: boolean}, response_metadata: {type: object, properties: {next_cursor: {type: string}}}",
                ),
            ),
            (
                "channels",
                "token",
                "cursor",
                "limit",
                "response_metadata.next_cursor",
            ),
        ),
        (
            (
                "/contacts",
                "per_page:integer starting_after:string",
                with(
                    "data",
                    "type: {type: string}, pages: {type: object, properties: {page: {type: integer}, per_page: {type: integer}, total_pages: {type: integer}, next: {type: object, properties: {page: {type: integer}, starting_after: {type: string}}}}}, total_count: {type: integer}",
                ),
            ),
            (
                "data",
                "token",
                "starting_after",
                "per_page",
                "pages.next.starting_after",
            ),
        ),
        (
            (
                "/drive/files",
                "pageSize:integer pageToken:string",
                with(
                    "files",
                    "kind: {type: string}, nextPageToken: {type: string}, incompleteSearch: {type: boolean}",
                ),
            ),
            ("files", "token", "pageToken", "pageSize", "nextPageToken"),
        ),
        (
            (
                "/clusters",
                "NextToken:string MaxResults:integer",
                with("Clusters", "NextToken: {type: string}"),
            ),
            ("Clusters", "token", "NextToken", "MaxResults", "NextToken"),
        ),
        (
            (
                "/v0/{baseId}/{tableId}",
                "offset:string pageSize:integer",
                with("records", "offset: {type: string}"),
            ),
            ("records", "token", "offset", "pageSize", "offset"),
        ),
        (
            (
                "/v1/customers/search",
                "query:string limit:integer page:string",
                with(
                    "data",
                    "has_more: {type: boolean}, next_page: {type: string, nullable: true}, total_count: {type: integer}",
                ),
            ),
            ("data", "token", "page", "limit", "next_page"),
        ),
        (
            (
                "/v2/customers",
                "cursor:string limit:integer",
                with("customers", "cursor: {type: string}"),
            ),
            ("customers", "token", "cursor", "limit", "cursor"),
        ),
        (
            (
                "/api/v1/pods",
                "limit:integer continue:string",
                with(
                    "items",
                    "kind: {type: string}, metadata: {type: object, properties: {continue: {type: string}, remainingItemCount: {type: integer}}}",
                ),
            ),
            ("items", "token", "continue", "limit", "metadata.continue"),
        ),
        (
            (
                "/v2/users/{id}/tweets",
                "max_results:integer pagination_token:string",
                with(
                    "data",
                    "meta: {type: object, properties: {result_count: {type: integer}, next_token: {type: string}, previous_token: {type: string}}}",
                ),
            ),
            (
                "data",
                "token",
                "pagination_token",
                "max_results",
                "meta.next_token",
            ),
        ),
        (
            (
                "/v1/pages",
                "start_cursor:string page_size:integer",
                with(
                    "results",
                    &format!(
                        "object: {{type: string}}, next_cursor: {text}, has_more: {{type: boolean}}"
                    ),
                ),
            ),
            (
                "results",
                "token",
                "start_cursor",
                "page_size",
                "next_cursor",
            ),
        ),
    ]);
}

#[test]
fn cursors_in_a_posted_body() {
    pages(&[
        (
            (
                "/GetRecords/list",
                "@ShardIterator:string @Limit:integer",
                with(
                    "Records",
                    "NextShardIterator: {type: string}, MillisBehindLatest: {type: integer}",
                ),
            ),
            (
                "Records",
                "token in the body",
                "ShardIterator",
                "Limit",
                "NextShardIterator",
            ),
        ),
        (
            (
                "/v2/orders/search",
                "@location_ids:array @cursor:string @limit:integer",
                with(
                    "orders",
                    "cursor: {type: string}, errors: {type: array, items: {type: object, properties: {code: {type: string}, detail: {type: string}, field: {type: string}}}}",
                ),
            ),
            ("orders", "token in the body", "cursor", "limit", "cursor"),
        ),
        (
            (
                "/v1/search",
                "@query:string @start_cursor:string @page_size:integer",
                with(
                    "results",
                    "next_cursor: {type: string, nullable: true}, has_more: {type: boolean}",
                ),
            ),
            (
                "results",
                "token in the body",
                "start_cursor",
                "page_size",
                "next_cursor",
            ),
        ),
    ]);
}

#[test]
fn urls_of_the_next_page() {
    let uri = "{type: string, format: uri}";
    pages(&[
        (
            (
                "/distributions",
                "surveyId:string",
                "{type: object, properties: {meta: {type: object, properties: {requestId: {type: string}}}, result: {type: object, properties: {elements: {type: array, items: {type: object, properties: {id: {type: string}, name: {type: string}, kind: {type: string}}}}, nextPage: {type: string, nullable: true}}}}}".to_owned(),
            ),
            ("result.elements", "next_url", "-", "-", "result.nextPage"),
        ),
        (
            (
                "/2010-04-01/Accounts/{AccountSid}/Calls.json",
                "PageSize:integer Page:integer PageToken:string",
                with(
                    "calls",
                    &format!(
                        "end: {{type: integer}}, first_page_uri: {uri}, next_page_uri: {uri}, page: {{type: integer}}, page_size: {{type: integer}}, previous_page_uri: {uri}, start: {{type: integer}}, uri: {uri}"
                    ),
                ),
            ),
            ("calls", "next_url", "PageToken", "PageSize", "next_page_uri"),
        ),
        (
            (
                "/services/data/v58.0/query",
                "q:string",
                with(
                    "records",
                    "totalSize: {type: integer}, done: {type: boolean}, nextRecordsUrl: {type: string}",
                ),
            ),
            ("records", "next_url", "-", "-", "nextRecordsUrl"),
        ),
        (
            (
                "/users",
                "$top:integer $skip:integer $filter:string",
                with(
                    "value",
                    "'@odata.nextLink': {type: string}, '@odata.count': {type: integer}",
                ),
            ),
            ("value", "next_url", "$skip", "$top", "@odata.nextLink"),
        ),
        (
            (
                "/merchants",
                "pageNumber:integer pageSize:integer",
                with(
                    "data",
                    "itemsTotal: {type: integer}, pagesTotal: {type: integer}, _links: {type: object, properties: {next: {type: object, properties: {href: {type: string}}}, self: {type: object, properties: {href: {type: string}}}}}",
                ),
            ),
            (
                "data",
                "next_url",
                "pageNumber",
                "pageSize",
                "_links.next.href",
            ),
        ),
        (
            (
                "/books",
                "page:integer page_size:integer",
                with(
                    "results",
                    &format!("count: {{type: integer}}, next: {uri}, previous: {uri}"),
                ),
            ),
            ("results", "next_url", "page", "page_size", "next"),
        ),
        (
            (
                "/v1/me/playlists",
                "limit:integer offset:integer",
                with(
                    "items",
                    &format!(
                        "href: {uri}, limit: {{type: integer}}, next: {uri}, offset: {{type: integer}}, previous: {uri}, total: {{type: integer}}"
                    ),
                ),
            ),
            ("items", "offset", "offset", "limit", "-"),
        ),
    ]);
}

#[test]
fn numbers_of_pages_and_rows() {
    pages(&[
        (
            (
                "/rest/api/2/board",
                "startAt:integer maxResults:integer",
                with(
                    "values",
                    "maxResults: {type: integer}, startAt: {type: integer}, total: {type: integer}, isLast: {type: boolean}",
                ),
            ),
            ("values", "offset", "startAt", "maxResults", "-"),
        ),
        (
            (
                "/Invoices",
                "page:integer order:string",
                with("Invoices", ""),
            ),
            ("Invoices", "page_number", "page", "-", "-"),
        ),
        (
            (
                "/lists",
                "count:integer offset:integer",
                with("lists", "total_items: {type: integer}"),
            ),
            ("lists", "offset", "offset", "count", "-"),
        ),
        (
            (
                "/v2/invoicing/invoices",
                "page:integer page_size:integer total_required:boolean",
                with(
                    "items",
                    "total_items: {type: integer}, total_pages: {type: integer}",
                ),
            ),
            ("items", "page_number", "page", "page_size", "-"),
        ),
        (
            (
                "/api/v2/security_monitoring/rules",
                "page[size]:integer page[number]:integer",
                with(
                    "data",
                    "meta: {type: object, properties: {page: {type: object, properties: {total_count: {type: integer}}}}}",
                ),
            ),
            ("data", "page_number", "page[number]", "page[size]", "-"),
        ),
        (
            (
                "/api/v2/incidents",
                "page[size]:integer page[offset]:integer",
                with(
                    "data",
                    "meta: {type: object, properties: {pagination: {type: object, properties: {next_offset: {type: integer}, offset: {type: integer}, size: {type: integer}}}}}",
                ),
            ),
            (
                "data",
                "token",
                "page[offset]",
                "page[size]",
                "meta.pagination.next_offset",
            ),
        ),
        (
            (
                "/incidents",
                "limit:integer offset:integer total:boolean",
                with(
                    "incidents",
                    "limit: {type: integer}, offset: {type: integer}, more: {type: boolean}, total: {type: integer, nullable: true}",
                ),
            ),
            ("incidents", "offset", "offset", "limit", "-"),
        ),
        (
            (
                "/docs",
                "from:integer size:integer",
                with("hits", "total: {type: integer}, took: {type: integer}"),
            ),
            ("hits", "offset", "from", "size", "-"),
        ),
    ]);
}

#[test]
fn ids_where_the_last_page_ended() {
    let bare = format!("{{type: array, items: {ITEM}}}");
    pages(&[
        (
            (
                "/v1/files",
                "after:string limit:integer order:string",
                with(
                    "data",
                    "object: {type: string}, first_id: {type: string}, last_id: {type: string}, has_more: {type: boolean}",
                ),
            ),
            ("data", "last_id", "after", "limit", "last_record.id"),
        ),
        (
            (
                "/channels/{channel_id}/messages",
                "before:string after:string limit:integer",
                bare,
            ),
            ("", "last_id", "after", "limit", "last_record.id"),
        ),
        (
            (
                "/admin/products.json",
                "since_id:integer limit:integer",
                with("products", ""),
            ),
            ("products", "last_id", "since_id", "limit", "last_record.id"),
        ),
    ]);
}

#[test]
fn a_link_header_with_a_token() {
    let facts = facts(&get_with(
        "/api/v1/users",
        &format!(
            "[{}, {}]",
            query("after", "string"),
            query("limit", "integer")
        ),
        &format!("{{type: array, items: {ITEM}}}"),
        "{Link: {schema: {type: string}}}",
    ));
    let page = resource(&facts, "users").paging();
    assert_eq!(
        (page.kind, page.page_param.as_deref()),
        ("link_header", Some("after"))
    );
}
