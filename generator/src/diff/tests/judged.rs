//! Tests of the levels, with one kind of change each.

use super::super::{Change, Group, Kind, Level};
use super::{API, compared, of, one, wished, with};

#[track_caller]
fn judged(change: &Change, kind: Kind, rust: Level, tables: Level) {
    assert_eq!(
        (change.kind, change.rust, change.tables),
        (kind, rust, tables),
        "{change:#?}"
    );
}

fn advice(change: &Change) -> &str {
    change.migration.as_deref().unwrap_or_default()
}

const TOTAL: &str = "        total: {type: integer}\n";

#[test]
fn a_field_added() {
    let tax = format!("{TOTAL}        tax: {{type: number}}\n");
    let change = one(&[(TOTAL, &tax)]);
    judged(&change, Kind::FieldAdded, Level::Minor, Level::Minor);
    assert_eq!(change.subject, "Order.tax");
    assert_eq!(change.group, Group::Resource("orders".into()));
    assert_eq!(change.place.as_deref(), Some("orders.tax"));
    assert_eq!(change.migration, None);
}

#[test]
fn a_field_added_whose_values_drift_had_as_another_type() {
    let paid = format!("{TOTAL}        paid_on: {{type: string, format: date}}\n");
    let change = one(&[(TOTAL, &paid)]);
    judged(&change, Kind::FieldAdded, Level::Minor, Level::Minor);
    let wanted = "if the API sent it before, orders.paid_on is text, and new values are in orders.paid_on__v_date";
    assert_eq!(advice(&change), wanted);
}

#[test]
fn a_field_removed() {
    let change = one(&[(TOTAL, "")]);
    judged(
        &change,
        Kind::FieldRemoved,
        Level::Breaking,
        Level::Breaking,
    );
    assert!(
        advice(&change)
            .starts_with("orders.total stays: if the API still sends the values, they go there")
    );
    let change = one(&[("        due: {type: string, format: date}\n", "")]);
    assert!(
        advice(&change).contains("orders.due__v_text"),
        "{change:#?}"
    );
}

#[test]
fn a_list_removed() {
    let change = one(&[("        tags: {type: array, items: {type: string}}\n", "")]);
    judged(
        &change,
        Kind::FieldRemoved,
        Level::Breaking,
        Level::Breaking,
    );
    assert_eq!(change.place.as_deref(), Some("table orders__tags"));
}

#[test]
fn a_field_renamed() {
    let change = one(&[("        total: ", "        total_cents: ")]);
    judged(
        &change,
        Kind::FieldRenamed,
        Level::Breaking,
        Level::Breaking,
    );
    assert_eq!(
        advice(&change),
        "new values are in orders.total_cents, old ones in orders.total: coalesce them"
    );
}

#[test]
fn a_field_retyped() {
    let change = one(&[(TOTAL, "        total: {type: string}\n")]);
    judged(
        &change,
        Kind::FieldRetyped,
        Level::Breaking,
        Level::Breaking,
    );
    assert_eq!(
        (change.before.as_deref(), change.after.as_deref()),
        (Some("i64"), Some("String"))
    );
    assert!(advice(&change).starts_with("the next run changes orders.total to text"));
}

#[test]
fn a_field_retyped_in_rust_alone() {
    let old = with(&[(
        "updated_at: {type: string, format: date-time}",
        "updated_at: {type: integer, format: unix-time}",
    )]);
    let found = compared((&old, ""), (API, ""));
    let change = of(&found, Kind::FieldRetyped);
    judged(change, Kind::FieldRetyped, Level::Breaking, Level::Patch);
}

#[test]
fn the_items_of_a_list_retyped() {
    let change = one(&[(
        "tags: {type: array, items: {type: string}}",
        "tags: {type: array, items: {type: integer}}",
    )]);
    judged(
        &change,
        Kind::FieldRetyped,
        Level::Breaking,
        Level::Breaking,
    );
    assert!(
        advice(&change).contains("orders__tags.value__v_bigint"),
        "{change:#?}"
    );
}

#[test]
fn a_scalar_that_is_an_object_now() {
    let change = one(&[(
        TOTAL,
        "        total: {$ref: '#/components/schemas/Note'}\n",
    )]);
    judged(
        &change,
        Kind::FieldRetyped,
        Level::Breaking,
        Level::Breaking,
    );
    assert_eq!(
        advice(&change),
        "new values are in columns orders.total__…, old ones in orders.total: models must read both"
    );
}

#[test]
fn a_field_within_a_list_stands_in_its_table() {
    let change = one(&[("        amount: {type: integer}\n", "")]);
    assert_eq!(change.place.as_deref(), Some("orders__lines.amount"));
    assert_eq!(change.subject, "Line.amount");
}

#[test]
fn a_struct_of_several_resources_is_told_once() {
    let change = one(&[("        zip: {type: string}\n", "")]);
    assert_eq!(change.group, Group::Struct("Address".into()));
    // `shipTo` becomes `ship_to`.
    assert_eq!(change.place.as_deref(), Some("orders.ship_to__zip"));
    assert_eq!(change.elsewhere, 1);
}

#[test]
fn a_struct_renamed() {
    let text = API
        .replace("schemas/Line", "schemas/Item")
        .replace("    Line:\n", "    Item:\n");
    let found = compared((API, ""), (&text, ""));
    assert_eq!(found.changes.len(), 1, "{:#?}", found.changes);
    judged(
        &found.changes[0],
        Kind::StructRenamed,
        Level::Breaking,
        Level::Patch,
    );
}

#[test]
fn a_struct_moved() {
    let shared = "        code: {$ref: '#/components/schemas/Line'}\n";
    let new = with(&[("        code: {type: string}\n", shared)]);
    let found = compared((API, ""), (&new, ""));
    judged(
        of(&found, Kind::StructMoved),
        Kind::StructMoved,
        Level::Breaking,
        Level::Patch,
    );
}

#[test]
fn a_resource_added_and_removed() {
    let list = "  /users:\n";
    let more = "  /carts:\n    get:\n      parameters: [{name: page, in: query, schema: {type: integer}}]\n      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}\n";
    let change = one(&[(list, &format!("{more}{list}"))]);
    judged(&change, Kind::ResourceAdded, Level::Minor, Level::Minor);
    assert_eq!(change.after.as_deref(), Some("GET /carts"));
    let found = compared((&with(&[(list, &format!("{more}{list}"))]), ""), (API, ""));
    judged(
        &found.changes[0],
        Kind::ResourceRemoved,
        Level::Breaking,
        Level::Breaking,
    );
}

#[test]
fn a_resource_renamed() {
    let change = wished("[resources.users]\nname = \"people\"\n");
    judged(
        &change,
        Kind::ResourceRenamed,
        Level::Breaking,
        Level::Breaking,
    );
    assert!(advice(&change).contains("`name = \"users\"`"));
}

#[test]
fn a_resource_that_comes_before_another_does_not_take_its_name() {
    let more = "  /admin/users:\n    get:\n      parameters: [{name: page, in: query, schema: {type: integer}}]\n      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}\n";
    let found = compared(
        (API, ""),
        (
            &with(&[("  /orders:\n", &format!("{more}  /orders:\n"))]),
            "",
        ),
    );
    assert_eq!(found.changes.len(), 1, "{:#?}", found.changes);
    judged(
        &found.changes[0],
        Kind::ResourceAdded,
        Level::Minor,
        Level::Minor,
    );
}

#[test]
fn an_endpoint_moved() {
    let change = one(&[("  /users:\n", "  /v2/users:\n")]);
    judged(&change, Kind::EndpointChanged, Level::Patch, Level::Minor);
}

#[test]
fn a_key_changed() {
    let change = wished("[resources.users]\nprimary_key = [\"code\"]\n");
    judged(&change, Kind::KeyChanged, Level::Patch, Level::Breaking);
    assert!(advice(&change).contains("new ids"));
    let change = wished("[resources.users]\nprimary_key = []\n");
    judged(&change, Kind::KeyChanged, Level::Patch, Level::Breaking);
    assert!(advice(&change).starts_with("records cannot be merged without a key"));
}

#[test]
fn a_paginator_changed() {
    let change = wished("[resources.users]\npaginate = \"link_header\"\n");
    judged(&change, Kind::PaginatorChanged, Level::Patch, Level::Minor);
    let change = one(&[("maximum: 50", "maximum: 100")]);
    judged(&change, Kind::PaginatorChanged, Level::Patch, Level::Patch);
}

#[test]
fn a_cursor_changed() {
    let change = wished("[resources.orders]\nincremental = false\n");
    judged(&change, Kind::CursorChanged, Level::Patch, Level::Minor);
    let found = compared(
        (API, "[resources.orders]\nincremental = false\n"),
        (API, ""),
    );
    judged(
        &found.changes[0],
        Kind::CursorChanged,
        Level::Patch,
        Level::Minor,
    );
    let change = wished(
        "[resources.orders]\nincremental = { field = \"updated_at\", param = \"updated_since\", updated = false }\n",
    );
    judged(&change, Kind::CursorChanged, Level::Patch, Level::Minor);
}

#[test]
fn a_parent_lost() {
    let found = compared(
        (API, ""),
        (API, "[resources.order_notes]\nparent = false\n"),
    );
    judged(
        of(&found, Kind::ParentChanged),
        Kind::ParentChanged,
        Level::Patch,
        Level::Breaking,
    );
    judged(
        of(&found, Kind::SettingAdded),
        Kind::SettingAdded,
        Level::Breaking,
        Level::Patch,
    );
    judged(
        of(&found, Kind::FunctionChanged),
        Kind::FunctionChanged,
        Level::Breaking,
        Level::Patch,
    );
}

#[test]
fn a_parent_renamed_is_the_same_parent() {
    let found = compared((API, ""), (API, "[resources.orders]\nname = \"sales\"\n"));
    assert!(
        found
            .changes
            .iter()
            .all(|it| it.kind != Kind::ParentChanged),
        "{found:#?}"
    );
}

#[test]
fn a_parameter_sent() {
    let change = wished("[resources.users]\nquery = { expand = \"home\" }\n");
    judged(&change, Kind::ParameterAdded, Level::Patch, Level::Minor);
    let old = "[resources.users]\nquery = { expand = \"home\" }\n";
    let found = compared((API, old), (API, &old.replace("home", "code")));
    judged(
        &found.changes[0],
        Kind::ParameterChanged,
        Level::Patch,
        Level::Minor,
    );
    let found = compared((API, old), (API, ""));
    judged(
        &found.changes[0],
        Kind::ParameterRemoved,
        Level::Patch,
        Level::Minor,
    );
}

#[test]
fn other_credentials() {
    let found = compared(
        (API, ""),
        (&with(&[("scheme: bearer", "scheme: basic")]), ""),
    );
    judged(
        of(&found, Kind::AuthChanged),
        Kind::AuthChanged,
        Level::Patch,
        Level::Breaking,
    );
    judged(
        of(&found, Kind::SettingRemoved),
        Kind::SettingRemoved,
        Level::Breaking,
        Level::Patch,
    );
    let added = of(&found, Kind::SettingAdded);
    judged(added, Kind::SettingAdded, Level::Breaking, Level::Breaking);
    assert!(advice(added).starts_with("a run fails until SHOP_"));
}

#[test]
fn another_base_url() {
    let change = one(&[("https://shop.example", "https://api.shop.example")]);
    judged(&change, Kind::BaseUrlChanged, Level::Patch, Level::Minor);
    let change = one(&[("https://shop.example", "'https://{tenant}.shop.example'")]);
    judged(&change, Kind::BaseUrlChanged, Level::Patch, Level::Breaking);
}

#[test]
fn contracts_and_deletes() {
    let change = wished("contract = \"freeze\"\n");
    judged(
        &change,
        Kind::ContractChanged,
        Level::Patch,
        Level::Breaking,
    );
    let change = wished("[resources.users]\ncontract = \"freeze\"\n");
    judged(
        &change,
        Kind::ContractChanged,
        Level::Patch,
        Level::Breaking,
    );
    let change = wished("[resources.users]\ndeletes = \"soft\"\n");
    judged(&change, Kind::DeletesChanged, Level::Patch, Level::Breaking);
}

#[test]
fn a_resource_that_is_off_now() {
    let change = wished("[resources.users]\noff = \"too slow\"\n");
    judged(&change, Kind::OffChanged, Level::Patch, Level::Breaking);
}

#[test]
fn descriptions_change_nothing() {
    let found = compared(
        (API, ""),
        (
            &with(&[(
                "total: {type: integer}",
                "total: {type: integer, description: Cents.}",
            )]),
            "",
        ),
    );
    assert!(found.changes.is_empty(), "{found:#?}");
}

#[test]
fn a_list_in_records_that_is_read_to_its_end() {
    let wish =
        "[resources.orders]\nembedded = [{ list = \"lines\", path = \"/orders/{id}/lines\" }]\n";
    let change = wished(wish);
    judged(&change, Kind::EmbeddedChanged, Level::Patch, Level::Minor);
    let found = compared((API, wish), (API, ""));
    judged(
        &found.changes[0],
        Kind::EmbeddedChanged,
        Level::Patch,
        Level::Breaking,
    );
}
