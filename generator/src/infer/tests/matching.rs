//! Parents by text, by record and by value, and what is no list.

use super::*;

/// Writes a list below `path` whose records have the schema `name`.
fn list_of(path: &str, name: &str, parameters: &str) -> String {
    let schema = format!("{{type: array, items: {{$ref: '#/components/schemas/{name}'}}}}");
    get(path, parameters, &schema)
}

/// Writes a path to one object of the schema `name`.
fn one_of(path: &str, name: &str) -> String {
    get(
        path,
        "[]",
        &format!("{{$ref: '#/components/schemas/{name}'}}"),
    )
}

/// Infers a document whose schemas all have an id.
fn with(paths: &str, schemas: &[&str]) -> Facts {
    let schemas: String = schemas
        .iter()
        .map(|name| format!("    {name}: {ITEM}\n"))
        .collect();
    facts(&format!("{paths}components:\n  schemas:\n{schemas}"))
}

/// Returns the path of the parent of the resource with this name, or with its parent's before it.
fn parent(facts: &Facts, name: &str) -> Option<String> {
    let below = format!("_{name}");
    let mut resources = facts.resources.iter();
    let found = resources.find(|it| it.name == name || it.name.ends_with(&below));
    let parent = found.unwrap().parent.value.clone();
    parent.map(|parent| parent.path)
}

fn path_param(name: &str, text: &str) -> String {
    format!(
        "[{{name: {name}, in: path, required: true, description: '{text}', schema: {{type: string}}}}]"
    )
}

#[test]
fn a_text_names_the_list_that_supplies_a_placeholder() {
    let cars = list_of("/me/garage", "Car", "[]")
        .replace("get:\n", "get:\n      operationId: garage.list\n");
    for text in [
        "Call garage.list for the ids.",
        "An id of `GET /me/garage`.",
    ] {
        let keys = list_of(
            "/vehicles/{vehicle}/keys",
            "Key",
            &path_param("vehicle", text),
        );
        let facts = with(&format!("{cars}{keys}"), &["Car", "Key"]);
        assert_eq!(
            parent(&facts, "keys").as_deref(),
            Some("/me/garage"),
            "{text}"
        );
    }
    let other = list_of(
        "/rooms/{room}/keys",
        "Key",
        &path_param("room", "The room."),
    );
    let facts = with(&format!("{cars}{other}"), &["Car", "Key"]);
    assert_eq!(parent(&facts, "keys"), None);
}

#[test]
fn what_an_item_returns_is_listed_under_another_name() {
    let text = list_of("/owners", "Owner", "[]")
        + &list_of("/owners/{id}/driven", "Car", "[]")
        + &one_of("/cars/{id}", "Car")
        + &list_of("/cars/{id}/keys", "Key", "[]")
        + &list_of("/boats/{id}/sails", "Sail", "[]");
    let facts = with(&text, &["Owner", "Car", "Key", "Sail"]);
    assert_eq!(
        parent(&facts, "keys").as_deref(),
        Some("/owners/{id}/driven")
    );
    assert_eq!(parent(&facts, "sails"), None);
}

#[test]
fn a_placeholder_named_after_another_list_takes_its_records() {
    let text = list_of("/depots", "Depot", "[]")
        + &list_of("/cars", "Car", "[]")
        + &list_of("/cars/{depotid}", "Car", "[]")
        + &list_of("/keys/{key}/copies", "Copy", "[]")
        + &list_of("/keys", "Key", "[]");
    let facts = with(&text, &["Depot", "Car", "Copy", "Key"]);
    let below = facts
        .resources
        .iter()
        .find(|it| it.name != "cars" && it.name.contains("car"));
    let below = below.map(|it| it.parent.value.clone().map(|parent| parent.path));
    assert_eq!(below, Some(Some("/depots".to_owned())));
    assert_eq!(parent(&facts, "copies").as_deref(), Some("/keys"));
}

#[test]
fn a_lookup_by_ids_is_no_parent() {
    let ids =
        "[{name: ids, in: query, required: true, schema: {type: array, items: {type: string}}}]";
    let text = list_of("/cars", "Car", ids) + &list_of("/cars/{id}/keys", "Key", "[]");
    assert_eq!(parent(&with(&text, &["Car", "Key"]), "keys"), None);
    let optional = ids.replace("true", "false");
    let text = list_of("/cars", "Car", &optional) + &list_of("/cars/{id}/keys", "Key", "[]");
    assert_eq!(
        parent(&with(&text, &["Car", "Key"]), "keys").as_deref(),
        Some("/cars")
    );
}

#[test]
fn a_value_that_is_a_path_is_a_question() {
    let kind =
        "[{name: kind, in: path, required: true, schema: {type: string, enum: [cars, boats]}}]";
    let text = list_of("/cars", "Car", "[]") + &list_of("/{kind}/{owner}/keys", "Key", kind);
    let facts = with(&text, &["Car", "Key"]);
    assert_eq!(parent(&facts, "keys").as_deref(), Some("/cars"));
    let keys = resource(&facts, "keys");
    assert!(keys.parent.confidence < SURE && !keys.doubts.is_empty());
}

#[test]
fn the_own_list_comes_before_one_per_thing() {
    let text = list_of("/barns", "Barn", "[]")
        + &list_of("/barns/{barn_id}/cars", "Car", "[]")
        + &list_of("/me/cars", "Car", "[]")
        + &list_of("/cars/{car_id}/keys", "Key", "[]");
    let facts = with(&text, &["Barn", "Car", "Key"]);
    assert_eq!(parent(&facts, "keys").as_deref(), Some("/me/cars"));
}

#[test]
fn a_search_in_a_list_is_no_list_of_its_own() {
    let words = format!("[{}]", query("q", "string"));
    let text = list_of("/cars", "Car", "[]") + &list_of("/cars/search", "Car", &words);
    assert_eq!(with(&text, &["Car"]).resources.len(), 1);
    let alone = list_of("/cars/search", "Car", &words);
    assert_eq!(with(&alone, &["Car"]).resources.len(), 1);
}

#[test]
fn one_record_in_an_array_is_no_list() {
    let one = list_of("/cars/{plate}", "Car", "[]")
        .replace("get:\n", "get:\n      summary: A single car\n");
    let facts = with(&(list_of("/cars", "Car", "[]") + &one), &["Car"]);
    assert_eq!(facts.resources.len(), 1);
    assert!(
        facts
            .skipped
            .iter()
            .any(|it| it.reason.contains("in an array"))
    );
}

#[test]
fn an_object_without_lists_that_is_asked_for_in_pages_is_a_list() {
    let pages = format!(
        "[{}, {}]",
        query("limit", "integer"),
        query("offset", "integer")
    );
    let facts = facts(&get("/cars/{plate}/mileage", &pages, ITEM));
    assert_eq!(resource(&facts, "mileage").kind, ResourceKind::List);
    assert_eq!(resource(&facts, "mileage").paging().kind, "offset");
}

#[test]
fn a_required_id_of_the_path_asks_for_one() {
    let id =
        "[{name: car_id, in: query, description: '(Required) Which car', schema: {type: string}}]";
    let text = format!(
        "  /cars/details:\n    get:\n      parameters: {id}\n      responses: {{'200': {{description: ok}}}}\n"
    );
    let facts = facts(&text);
    assert!(
        facts
            .resources
            .iter()
            .all(|it| it.kind == ResourceKind::Single)
    );
}

#[test]
fn plain_values_are_listed_and_not_read() {
    let facts = facts(&get("/tags", "[]", "{type: array, items: {type: string}}"));
    let tags = resource(&facts, "tags");
    assert_eq!(tags.kind, ResourceKind::List);
    assert!(
        tags.unsendable.is_some() && tags.record.is_none() && tags.primary_key.value.is_empty()
    );
}

#[test]
fn a_sample_in_the_description_shows_the_records() {
    let text = r#"  /cars/list:
    get:
      description: |-
        ## Response
        ```json
        {"cars": [{"car_id": (string) its id, "last_changed": (ISO 8601 string) when}, ...]}
        ```
      responses: {'200': {description: ok}}
"#;
    let facts = facts(text);
    let cars = resource(&facts, "cars");
    assert_eq!(cars.records_path.value, ["cars"]);
    assert_eq!(cars.primary_key.value, ["car_id"]);
}

#[test]
fn page_parameters_of_another_list_are_borrowed_if_the_response_fits() {
    let rows = |beside: &str| {
        format!("{{type: object, properties: {{rows: {{type: array, items: {ITEM}}}, {beside}}}}}")
    };
    let token = rows("next_cursor: {type: string}");
    let declared = format!(
        "[{}, {}]",
        query("start_cursor", "string"),
        query("page_size", "integer")
    );
    let text =
        get("/cars", &declared, &token) + &get("/vans", "[]", &token) + &get("/trams", "[]", ITEM);
    let facts = facts(&text);
    let vans = resource(&facts, "vans");
    assert_eq!(vans.paging().page_param.as_deref(), Some("start_cursor"));
    assert_eq!(vans.paging().size_param.as_deref(), Some("page_size"));
    let reasons = &vans.paginator.reasons;
    assert!(
        reasons.iter().any(|it| it.contains("only `/cars`")),
        "{reasons:?}"
    );
}

#[test]
fn a_post_goes_on_from_the_last_value_of_a_field() {
    let text = "  /entries/sync:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                after: {type: integer, description: 'The highest `number` that an earlier request returned'}
                take: {type: integer, description: How many rows to return}
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: object, properties: {entries: {type: array, items: {type: object, properties: {number: {type: integer}}}}}}}}
";
    let facts = facts(text);
    let entries = resource(&facts, "sync");
    assert_eq!(entries.paging().kind, "last_id");
    assert_eq!(
        entries.paging().next_path.as_deref(),
        Some("last_record.number")
    );
    // It may do something, so that it is off.
    assert!(entries.off.is_some());
}

#[test]
fn one_record_that_is_named_after_what_it_is_stays_in_its_list() {
    let text = list_of("/users", "User", "[]")
        + &list_of("/nodes/{node}/contributors", "Contributor", "[]")
        + &one_of("/nodes/{node}/contributors/{user_id}", "Contributor");
    let facts = with(&text, &["User", "Contributor"]);
    let one = facts
        .resources
        .iter()
        .find(|it| it.kind == ResourceKind::Single)
        .unwrap();
    let parent = one.parent.value.clone().map(|parent| parent.path);
    assert_eq!(parent.as_deref(), Some("/nodes/{node}/contributors"));
}

#[test]
fn an_id_is_not_named_after_a_list_of_ids() {
    let text = list_of("/jobs/Ids", "Job", "[]")
        + &list_of("/cars", "Car", "[]")
        + &list_of("/cars/{id}", "Car", "[]");
    let facts = with(&text, &["Job", "Car"]);
    let parents = facts
        .resources
        .iter()
        .filter_map(|it| it.parent.value.clone());
    assert!(parents.into_iter().all(|parent| parent.path == "/cars"));
}
