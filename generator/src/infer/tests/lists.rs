//! Lists, records, keys, names, cursors, parameters.

use super::*;

#[test]
fn the_array_named_like_the_path_wins() {
    let schema = format!(
        "{{type: object, properties: {{errors: {{type: array, items: {ITEM}}}, widgets: {{type: array, items: {ITEM}}}}}}}"
    );
    let facts = facts(&get("/v1/widgets", "[]", &schema));
    let widgets = resource(&facts, "widgets");
    assert_eq!(widgets.kind, ResourceKind::List);
    assert_eq!(widgets.records_path.value, ["widgets"]);
    assert_eq!(widgets.primary_key.value, ["id"]);
    assert!(widgets.doubts.is_empty(), "{:?}", widgets.doubts);
}

#[test]
fn wrapped_twice() {
    let schema = format!(
        "{{type: object, properties: {{data: {{type: object, properties: {{items: {{type: array, items: {ITEM}}}}}}}}}}}"
    );
    let facts = facts(&get("/things", "[]", &schema));
    assert_eq!(
        resource(&facts, "things").records_path.value,
        ["data", "items"]
    );
}

#[test]
fn one_object_with_arrays_is_no_list() {
    let schema = format!(
        "{{type: object, properties: {{id: {{type: string}}, lines: {{type: array, items: {ITEM}}}}}}}"
    );
    let facts = facts(&get("/invoices/{invoice}", "[]", &schema));
    assert_eq!(resource(&facts, "invoice").kind, ResourceKind::Single);
}

#[test]
fn a_list_declared_as_one_of_its_objects() {
    let parameters = format!(
        "[{}, {}]",
        query("page", "integer"),
        query("per_page", "integer")
    );
    let facts = facts(&get("/broadcasts", &parameters, ITEM));
    let broadcasts = resource(&facts, "broadcasts");
    assert_eq!(broadcasts.kind, ResourceKind::List);
    assert!(broadcasts.records_path.value.is_empty());
}

#[test]
fn nothing_is_said_of_the_response() {
    let facts = facts(&get("/boards", "[]", "{}"));
    let boards = resource(&facts, "boards");
    assert_eq!(boards.kind, ResourceKind::List);
    assert!(
        boards
            .doubts
            .iter()
            .any(|doubt| doubt.settle == "records = \"$\""),
        "{:?}",
        boards.doubts
    );
}

#[test]
fn keys_that_are_not_id() {
    let record = |fields: &str| {
        format!("{{type: array, items: {{type: object, properties: {{{fields}}}}}}}")
    };
    let text = "{type: string}";
    let mut paths = get(
        "/users",
        "[]",
        &record(&format!("displayName: {text}, userId: {text}")),
    );
    paths += &get(
        "/domains",
        "[]",
        &record(&format!("name: {text}, ttl: {{type: integer}}")),
    );
    paths += &get(
        "/domains/{domain_name}",
        "[]",
        "{type: object, properties: {name: {type: string}}}",
    );
    paths += &get(
        "/visits",
        "[]",
        &record(&format!("customer_id: {text}, page: {text}")),
    );
    let facts = facts(&paths);
    assert_eq!(resource(&facts, "users").primary_key.value, ["userId"]);
    assert_eq!(resource(&facts, "domains").primary_key.value, ["name"]);
    // The id of another thing is not a key: merging by it would lose rows.
    assert!(resource(&facts, "visits").primary_key.value.is_empty());
}

#[test]
fn a_search_that_wants_words_is_no_resource() {
    let schema = format!("{{type: object, properties: {{items: {{type: array, items: {ITEM}}}}}}}");
    let facts = facts(&get(
        "/search/issues",
        "[{name: q, in: query, required: true, schema: {type: string}}]",
        &schema,
    ));
    assert!(facts.resources.is_empty());
    assert_eq!(facts.skipped.len(), 1);
}

#[test]
fn a_deep_object_filters_by_creation() {
    let created = "{name: created, in: query, style: deepObject, schema: {anyOf: [{type: object, properties: {gte: {type: integer}, lte: {type: integer}}}, {type: integer}]}}";
    let schema = "{type: array, items: {type: object, properties: {id: {type: string}, created: {type: integer, format: unix-time}}}}";
    let facts = facts(&get("/charges", &format!("[{created}]"), schema));
    let cursor = resource(&facts, "charges").cursor.value.clone().unwrap();
    assert_eq!(cursor.param.as_deref(), Some("created[gte]"));
    assert_eq!(cursor.until.as_deref(), Some("created[lte]"));
    assert_eq!(cursor.field, "created");
    assert_eq!(cursor.meaning, Meaning::Created);
    assert_eq!(cursor.format, TimeFormat::UnixSeconds);
}

#[test]
fn since_means_what_its_text_says() {
    let since = "{name: since, in: query, description: Only rows updated after this time, schema: {type: string, format: date-time}}";
    let time = "{type: string, format: date-time}";
    let schema = format!(
        "{{type: array, items: {{type: object, properties: {{id: {{type: string}}, created_at: {time}, updated_at: {time}}}}}}}"
    );
    let facts = facts(&get("/notes", &format!("[{since}]"), &schema));
    let cursor = resource(&facts, "notes").cursor.value.clone().unwrap();
    assert_eq!(
        (cursor.param.as_deref(), cursor.field.as_str()),
        (Some("since"), "updated_at")
    );
    assert_eq!(
        (cursor.meaning, cursor.format),
        (Meaning::Updated, TimeFormat::Rfc3339)
    );
}

#[test]
fn a_filter_on_another_time_is_no_cursor() {
    let schema = "{type: array, items: {type: object, properties: {id: {type: string}, due_on: {type: string, format: date}}}}";
    let facts = facts(&get(
        "/todos",
        "[{name: completed_since, in: query, schema: {type: string, format: date-time}}]",
        schema,
    ));
    assert_eq!(resource(&facts, "todos").cursor.value, None);
}

/// Returns the field of the cursor of a list whose only time parameter is `filter`, if the cursor
/// sends it and its field is known.
fn cursor_of(filter: &str, item: &str) -> Option<String> {
    let schema = format!("{{type: array, items: {{type: object, properties: {item}}}}}");
    let filter =
        format!("[{{name: {filter}, in: query, schema: {{type: string, format: date-time}}}}]");
    let facts = facts(&get("/things", &filter, &schema));
    let cursor = resource(&facts, "things").cursor.value.clone()?;
    let known = cursor.param.is_some() && !cursor.field.is_empty();
    known.then_some(cursor.field)
}

#[test]
fn the_time_of_a_nested_object_is_not_that_of_the_record() {
    let time = "{type: string, format: date-time}";
    let nested = |object: &str, field: &str| {
        format!(
            "{{id: {{type: string}}, {object}: {{type: object, properties: {{{field}: {time}}}}}}}"
        )
    };
    for field in ["created_at", "updated_at"] {
        let item = nested("version", field);
        for filter in ["updated_at_gte", "updated_since", "since"] {
            assert_eq!(cursor_of(filter, &item), None, "{filter}, {field}");
        }
        // The attributes of a record are the record.
        let item = nested("attributes", "updated_at");
        let own = cursor_of("updated_at_gte", &item);
        assert_eq!(own.as_deref(), Some("attributes.updated_at"));
    }
    // A plain date is all that a record without times can be ordered by, for a plain filter.
    let item = nested("commit", "date");
    assert_eq!(cursor_of("since", &item).as_deref(), Some("commit.date"));
    assert_eq!(cursor_of("updated_since", &item), None);
}

#[test]
fn a_filter_by_change_is_not_paired_with_a_plain_date() {
    let item = "{id: {type: string}, date: {type: string, format: date-time}}";
    assert_eq!(cursor_of("updated_since", item), None);
    assert_eq!(cursor_of("created_since", item).as_deref(), Some("date"));
}

#[test]
fn a_plain_bound_is_not_paired_with_the_time_of_changes() {
    let time = "{type: string, format: date-time}";
    for bound in [
        "start_date",
        "start_time",
        "from",
        "start",
        "begin",
        "after",
        "date_from",
        "min_date",
    ] {
        for own in ["start_date", "price"] {
            let item = format!("{{id: {{type: string}}, {own}: {time}, updated_at: {time}}}");
            let cursor = cursor_of(bound, &item);
            assert_ne!(cursor.as_deref(), Some("updated_at"), "{bound}, {own}");
        }
    }
}

#[test]
fn a_default_that_hides_rows_is_overruled() {
    let state = "{name: state, in: query, schema: {type: string, enum: [open, closed, all], default: open}}";
    let facts = facts(&get(
        "/issues",
        &format!("[{state}]"),
        &format!("{{type: array, items: {ITEM}}}"),
    ));
    let fixed = &resource(&facts, "issues").fixed;
    assert_eq!(fixed.len(), 1);
    assert_eq!(
        (fixed[0].name.as_str(), fixed[0].value.as_str()),
        ("state", Some("all"))
    );
}

#[test]
fn required_parameters_become_settings() {
    let header =
        "{name: X-Version, in: header, required: true, schema: {type: string, default: '2024'}}";
    let facts = facts(&get(
        "/orgs/{org}/things",
        &format!("[{header}]"),
        &format!("{{type: array, items: {ITEM}}}"),
    ));
    let settings = &resource(&facts, "things").settings;
    let names: Vec<&str> = settings
        .iter()
        .map(|setting| setting.parameter.as_str())
        .collect();
    assert_eq!(names, ["X-Version", "org"]);
    assert_eq!(settings[0].default.as_deref(), Some("2024"));
}

#[test]
fn names_are_short_for_the_central_list() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let mut paths = get("/user/repos", "[]", &list);
    paths += &get("/orgs/{org}/repos", "[]", &list);
    paths += &get("/pulls/{pull}/commits", "[]", &list);
    paths += &get("/repos/{owner}/{repo}/commits", "[]", &list);
    paths += &get("/repos/{owner}/{repo}/commits/{ref}", "[]", ITEM);
    let facts = facts(&paths);
    let named: Vec<&str> = facts
        .resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    assert_eq!(
        named,
        ["user_repos", "repos", "pull_commits", "commits", "commit"]
    );
}

#[test]
fn a_schema_that_holds_itself_and_odd_names_are_survived() {
    let mut paths = get(
        "/nodes",
        "[{name: '', in: query}, {name: 'ä[', in: query}]",
        "{$ref: '#/components/schemas/N'}",
    );
    paths += &get(
        "/{a}{b}/ü.{c}",
        "[]",
        "{type: array, items: {$ref: '#/components/schemas/N'}}",
    );
    paths += &get(
        "/",
        "[]",
        "{anyOf: [{$ref: '#/components/schemas/N'}, {type: array, items: {}}]}",
    );
    paths += "components: {schemas: {N: {type: object, properties: {'': {}, children: {type: array, items: {$ref: '#/components/schemas/N'}}, parent: {$ref: '#/components/schemas/N'}}}}}\n";
    let facts = facts(&paths);
    let mut names: Vec<&str> = facts
        .resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), facts.resources.len());
    assert!(names.iter().all(|name| !name.is_empty()));
}

#[test]
fn parts_of_one_object_with_an_id_are_no_list() {
    let schema = format!(
        "{{type: object, properties: {{series: {{type: object, properties: {{uid: {{type: string}}, series: {{type: array, items: {ITEM}}}}}}}}}}}"
    );
    let facts = facts(&get(
        "/series",
        &format!("[{}]", query("uid", "string")),
        &schema,
    ));
    assert_eq!(resource(&facts, "series").kind, ResourceKind::Single);
}

#[test]
fn a_path_that_ends_with_a_placeholder_may_list() {
    let schema = format!(
        "{{type: object, properties: {{transactions: {{type: array, items: {ITEM}}}, continuation: {{type: string}}}}}}"
    );
    let parameters = format!("[{}]", query("continuation", "string"));
    let facts = facts(&get(
        "/transactions/accounts/{account}",
        &parameters,
        &schema,
    ));
    let transactions = resource(&facts, "transactions");
    assert_eq!(transactions.kind, ResourceKind::List);
    assert_eq!(transactions.records_path.value, ["transactions"]);
}

#[test]
fn a_call_that_asks_about_one_thing_is_no_list() {
    let schema = format!(
        "{{type: object, properties: {{file: {ITEM}, comments: {{type: array, items: {ITEM}}}}}}}"
    );
    let parameters = format!("[{}]", query("page", "integer"));
    let facts = facts(&get("/files.info", &parameters, &schema));
    assert_eq!(resource(&facts, "files_info").kind, ResourceKind::Single);
}

#[test]
fn several_likely_arrays_are_a_question() {
    let array = format!("{{type: array, items: {ITEM}}}");
    let schema = format!(
        "{{type: object, properties: {{data: {{type: object, properties: {{currencies: {array}, beds: {array}}}}}}}}}"
    );
    let facts = facts(&get("/all/constants", "[{name: page, in: query}]", &schema));
    let constants = resource(&facts, "constants");
    assert_eq!(constants.kind, ResourceKind::List);
    assert!(constants.records_path.confidence < SURE);
}

#[test]
fn a_key_in_a_wrapped_record() {
    let schema = "{type: array, items: {type: object, properties: {links: {type: array, items: {}}, dataset: {type: object, properties: {dataset_id: {type: string}}}}}}";
    let facts = facts(&get("/datasets", "[]", schema));
    assert_eq!(
        resource(&facts, "datasets").primary_key.value,
        ["dataset.dataset_id"]
    );
}

#[test]
fn a_search_whose_words_stand_in_its_body_is_left_out() {
    let paths = format!(
        "  /search:
    post:
      summary: Search
      requestBody: {{content: {{application/json: {{schema: {{type: object, required: [query], properties: {{query: {{type: string}}}}}}}}}}}}
      responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: array, items: {ITEM}}}}}}}}}}}
"
    );
    assert!(facts(&paths).resources.is_empty());
}

#[test]
fn epochs_in_text_are_times() {
    let schema = "{type: array, items: {type: object, properties: {ts: {type: string, example: '1403051575.000407'}}}}";
    let parameters = "[{name: oldest, in: query, description: Start of time range of messages, schema: {type: string}}]";
    let facts = facts(&get("/messages", parameters, schema));
    let cursor = resource(&facts, "messages").cursor.value.clone().unwrap();
    assert_eq!(cursor.field, "ts");
    assert_eq!(cursor.param.as_deref(), Some("oldest"));
    assert_eq!(cursor.format, TimeFormat::AsIs);
}

#[test]
fn a_field_named_like_the_list_is_its_key_where_one_is_asked_for_by_it() {
    let record = "{type: object, properties: {version: {type: string}, notes: {type: string}}}";
    let array = format!("{{type: array, items: {record}}}");
    let mut paths = get("/sets/versions", "[]", &array);
    paths += &get("/sets/versions/{setVersion}", "[]", record);
    let facts = facts(&paths);
    assert_eq!(resource(&facts, "versions").primary_key.value, ["version"]);
}

#[test]
fn a_filter_holds_an_expression() {
    let record = "{type: object, properties: {id: {type: string}, updated_at: {type: string, format: date-time}, created: {type: string, format: date-time}}}";
    let cases = [
        (
            "filter",
            "Such as `updated_at>=2024-01-01T00:00:00Z`",
            "updated_at>={}",
            false,
        ),
        (
            "query",
            "e.g. updated_at:>'2024-01-01'",
            "updated_at:>'{}'",
            true,
        ),
        (
            "created",
            "Prefix with an operator: ge2024-01-01",
            "ge{}",
            false,
        ),
        ("updated_at", "a range or gte:2024-01-01", "gte:{}", false),
        (
            "filter",
            "fields: <br>`updated_at`: `greater-than`, `less-than`",
            "greater-than(updated_at,{})",
            true,
        ),
        (
            "filter",
            "fields: <br>`updated_at`: `goe`, `gt`",
            "goe(updated_at,{})",
            false,
        ),
    ];
    for (param, text, template, strict) in cases {
        let param = format!(
            "{{name: '{param}', in: query, description: \"{text}\", schema: {{type: string}}}}"
        );
        let facts = facts(&get(
            "/things",
            &format!("[{param}]"),
            &format!("{{type: array, items: {record}}}"),
        ));
        let cursor = resource(&facts, "things").cursor.value.clone().unwrap();
        assert_eq!(cursor.template.as_deref(), Some(template), "{text}");
        assert_eq!(cursor.is_strict(), strict, "{text}");
    }
}

#[test]
fn a_bound_that_excludes_is_strict() {
    let record = "{type: object, properties: {id: {type: string}, updated_at: {type: string, format: date-time}}}";
    let cases = [
        ("updated_at__gt", "", true),
        ("updated_at.gt", "", true),
        ("updated_at_gt", "", true),
        ("updated_at:gt", "", true),
        ("updated_at__gte", "", false),
        ("updated_at_ge", "", false),
        (
            "updated_after",
            "Only things updated after this time (exclusive)",
            true,
        ),
        (
            "updated_after",
            "Only things that were updated strictly later",
            true,
        ),
        (
            "updated_after",
            "Only things updated after this time, inclusive",
            false,
        ),
    ];
    for (param, text, strict) in cases {
        let param = format!(
            "{{name: '{param}', in: query, description: '{text}', schema: {{type: string, format: date-time}}}}"
        );
        let facts = facts(&get(
            "/things",
            &format!("[{param}]"),
            &format!("{{type: array, items: {record}}}"),
        ));
        let cursor = resource(&facts, "things").cursor.value.clone();
        let cursor = cursor.unwrap_or_else(|| panic!("{param}"));
        assert!(cursor.param.is_some(), "{param}");
        assert_eq!(cursor.is_strict(), strict, "{param}");
    }
}

#[test]
fn defaults_that_hide_rows_are_set() {
    let status = "{name: status, in: query, schema: {type: string, enum: [open, closed, all], default: open}}";
    let kind = "{name: type, in: query, schema: {type: string, enum: [a, b, all], default: a}}";
    let parameters = [status, &query("include_archived", "boolean"), kind].join(", ");
    let facts = facts(&get(
        "/things",
        &format!("[{parameters}]"),
        &format!("{{type: array, items: {ITEM}}}"),
    ));
    let fixed: Vec<(&str, &str)> = resource(&facts, "things")
        .fixed
        .iter()
        .map(|fixed| (fixed.name.as_str(), fixed.value.as_str().unwrap()))
        .collect();
    assert_eq!(fixed, [("status", "all"), ("include_archived", "true")]);
}

#[test]
fn the_fields_that_a_text_lists_tell_of_times() {
    let fields = "{name: fields, in: query, description: 'all or a comma-separated list of: name, lastChanged or url', schema: {type: string}}";
    let paths = format!(
        "  /things:
    get:
      operationId: listThings
      parameters: [{fields}, {{name: limit, in: query, schema: {{type: integer}}}}]
      responses: {{'200': {{description: A list of things}}}}
"
    );
    let facts = facts(&paths);
    let cursor = resource(&facts, "things").cursor.value.clone().unwrap();
    assert_eq!((cursor.param, cursor.field.as_str()), (None, "lastChanged"));
}

#[test]
fn an_identifier_of_another_noun_is_not_the_key() {
    let key = |path: &str, fields: &str| {
        let record = format!("{{type: object, properties: {{{fields}}}}}");
        let body = format!("{{type: array, items: {record}}}");
        let facts = facts(&get(path, "[]", &body));
        facts.resources[0].primary_key.value.clone()
    };
    let text = |name: &str, description: &str| {
        format!("{name}: {{type: string, description: '{description}'}}")
    };
    let shop = text(
        "shopId",
        "The unique identifier for the shop where the order was placed.",
    );
    assert_eq!(key("/orders", &shop), [""; 0]);
    let organization = text(
        "organization_id",
        "Unique identifier assigned to the organization attached to usage",
    );
    assert_eq!(key("/usages", &organization), [""; 0]);
    // A prefix that the text does not mention is the vendor's.
    let fields = [
        text(
            "acme_id",
            "Unique identifier assigned within the application.",
        ),
        text(
            "billing_entity_code",
            "The unique code of the billing entity of the invoice",
        ),
    ];
    assert_eq!(key("/invoices", &fields.join(", ")), ["acme_id"]);
    let login = text(
        "loginName",
        "The login name, which uniquely identifies the user.",
    );
    assert_eq!(key("/users", &login), ["loginName"]);
}

#[test]
fn a_base_path_that_every_path_repeats_is_used_once() {
    let read = |servers: &str, paths: &[&str]| {
        let body = format!("{{type: array, items: {ITEM}}}");
        let paths: String = paths.iter().map(|path| get(path, "[]", &body)).collect();
        let text = format!(
            "openapi: 3.0.0\ninfo: {{title: T, version: '1'}}\nservers: {servers}\npaths:\n{paths}"
        );
        let input = Input {
            name: "t.yaml".to_owned(),
            bytes: text.into_bytes(),
            ..Input::default()
        };
        let (api, notes) = read(&input);
        let noted = notes
            .iter()
            .any(|note| note.to_string().contains("used once"));
        (api.unwrap().operations[0].path.clone(), noted)
    };
    let two = "[{url: 'https://a.example/v1/ledger'}, {url: 'https://b.example/v1/ledger/'}]";
    let found = read(two, &["/v1/ledger/entries", "/v1/ledger/accounts"]);
    assert_eq!(found, ("/entries".to_owned(), true));
    // Another path does not repeat it, so it is not used once.
    let one = "[{url: 'https://a.example/v1'}]";
    let found = read(one, &["/v1/entries", "/health"]);
    assert_eq!(found, ("/v1/entries".to_owned(), false));
    let found = read(one, &["/v1x/entries"]);
    assert_eq!(found, ("/v1x/entries".to_owned(), false));
}

#[test]
fn what_serves_the_next_pages_of_a_list_is_no_list_of_its_own() {
    let page = "{type: object, properties: {events: {type: array, items: {type: object, properties: {id: {type: string}}}}, next_page: {type: string, format: uri}}}";
    let answers = "responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Page'}}}}}";
    let document = |required: bool| {
        read_text(&format!(
            "openapi: 3.0.0\ninfo: {{title: T, version: '1'}}\npaths:\n  /events/filter:\n    post:\n      requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{limit: {{type: integer}}}}}}}}}}}}\n      {answers}\n  \
             /events/filter/next:\n    get:\n      parameters: [{{name: page-token, in: query, required: {required}, schema: {{type: string}}}}]\n      {answers}\ncomponents: {{schemas: {{Page: {page}}}}}\n"
        ))
    };
    let found = document(true);
    let names: Vec<&str> = found.resources.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["events"]);
    let skipped = &found.skipped[0];
    assert_eq!(skipped.path, "/events/filter/next");
    assert!(
        skipped.reason.contains("POST /events/filter"),
        "{}",
        skipped.reason
    );
    // Without a token, it begins with the first page.
    assert_eq!(document(false).resources.len(), 2);
}

#[test]
fn operations_and_contents_that_a_reference_names_are_read() {
    let facts = read_text(
        r##"
openapi: 3.0.0
info: {title: T, version: '1'}
paths:
  /things: {get: {$ref: '#/x-operations/list'}}
  /parts: {get: {responses: {'200': {description: ok, content: {$ref: '#/x-contents/parts'}}}}}
  /bolts: {get: {responses: {'200': {description: ok, content: {application/json: {$ref: '#/x-media/bolts'}}}}}}
x-operations:
  list: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}}}}
x-contents:
  parts: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}}
x-media:
  bolts: {schema: {type: array, items: {$ref: '#/components/schemas/Thing'}}}
components: {schemas: {Thing: {type: object, properties: {id: {type: string}, size: {type: integer}}}}}
"##,
    );
    let lists = facts.resources.iter();
    let lists: Vec<_> = lists.map(|list| (list.name.as_str(), list.kind)).collect();
    let list = ResourceKind::List;
    assert_eq!(lists, [("things", list), ("parts", list), ("bolts", list)]);
}

#[test]
fn keys_of_an_example_that_are_no_names_are_no_place_of_records() {
    let of = |first: &str, second: &str| {
        let document = format!(
            r#"
openapi: 3.0.0
info: {{title: T, version: '1'}}
paths:
  /states:
    get: {{responses: {{'200': {{description: ok, content: {{application/json: {{example: {{{first}: [{{id: 1, ok: true}}], {second}: []}}}}}}}}}}}}
"#
        );
        let facts = read_text(&document);
        let list = facts.resources.into_iter().next();
        list.map(|list| (list.kind, list.records_path.value))
    };
    for (first, second) in [
        ("the-yoghurt-v1.0.0", "the-yoghurt-v1.0.1"),
        ("ann@example.org", "bob@example.org"),
        ("'17'", "'18'"),
    ] {
        let found = of(first, second);
        let keys = found.map(|(_, keys)| keys).unwrap_or_default();
        assert!(keys.is_empty(), "{first}: {keys:?}");
    }
    let named = of("states", "'@odata.errors'");
    assert_eq!(named, Some((ResourceKind::List, vec!["states".to_owned()])));
}
