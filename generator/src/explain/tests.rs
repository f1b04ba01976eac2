//! Tests of the evidence for one small document.

use super::explain;
use crate::draft::Draft;
use crate::overrides::Overrides;
use crate::plan::Options;
use crate::spec::Input;

const DOCUMENT: &str = r##"
openapi: 3.0.0
info: {title: T, version: '1'}
paths:
  /orders:
    get:
      summary: "Orders \u001b[2J"
      parameters:
        - {name: status, in: query, schema: {type: string, enum: [open, done, all], default: open}}
        - {name: updated_after, in: query, schema: {type: string, format: date-time}}
        - {name: shop, in: query, required: true, schema: {type: string}}
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Order'}}}}
  /orders/{order}/lines:
    get:
      parameters: [{name: order, in: path, required: true, schema: {type: string}}]
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}
  /runs/search:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [ids, depth, sort], properties: {ids: {type: array, items: {type: string}}, depth: {type: integer}, sort: {type: object, default: {by: [id]}}, page_token: {type: string}}}}}}
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: object, properties: {next_page_token: {type: string}, runs: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}
components:
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: {type: string}
        updated_at: {type: string, format: date-time, description: When it last changed}
        address: {type: object, properties: {city: {type: string, nullable: true}}}
"##;

fn said(what: &str) -> String {
    let input = Input {
        name: "test.yaml".to_owned(),
        bytes: DOCUMENT.as_bytes().to_vec(),
        ..Input::default()
    };
    let options = Options {
        everything: true,
        ..Options::default()
    };
    let draft = Draft::new(input, &Overrides::default(), &options)
        .unwrap_or_else(|error| panic!("{error}"));
    explain(&draft, what).unwrap_or_else(|error| error.to_string())
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn every_decision_has_its_line() {
    let text = said("orders");
    let parts = [
        "orders  list  GET /orders",
        "location: /paths/~1orders/get",
        "below [resources.orders]: primary_key = [\"id\"]",
        "cursor: updated_at (updated, rfc3339), filtered by `updated_after`",
        "setting: shop (query)",
        "query.shop = \"VALUE\"",
        "fixed: status = all (query)",
        "query.status = \"all\"",
    ];
    holds(&text, &parts);
}

#[test]
fn a_list_that_is_off_says_why_and_what_switches_it_on() {
    let parts = [
        "off: its request needs `ids` in the body",
        "below [resources.runs]: body = { ids = … }",
        "setting: depth (body)",
        "below [resources.runs]: body.depth = …",
        "fixed: sort = {\"by\":[\"id\"]} (body)",
        "below [resources.runs]: body.sort = { by = [\"id\"] }",
    ];
    holds(&said("runs"), &parts);
    assert!(!said("orders").contains("off:"));
}

#[test]
fn no_control_character_of_the_document_reaches_the_terminal() {
    assert!(!said("orders").contains('\u{1b}'));
}

#[test]
fn a_field_says_what_it_is_for() {
    let parts = [
        "type: string, required",
        "/components/schemas/Order/properties/id",
        "key: yes",
        "cursor: no, `updated_at` is",
        "parent link: yes, it fills `order` of order_lines",
    ];
    holds(&said("orders.id"), &parts);
    let parts = ["When it last changed", "cursor: yes", "key: no, `id` is"];
    holds(&said("orders.updated_at"), &parts);
    holds(&said("orders.address.city"), &["may be null"]);
}

#[test]
fn unknown_names_are_told_the_near_ones() {
    holds(
        &said("order"),
        &["error: no resource is called `order`", "`orders`"],
    );
    let parts = ["`orders` has no field `address.cty`", "`address.city`"];
    holds(&said("orders.address.cty"), &parts);
}

#[test]
fn auth_is_explained_too() {
    holds(&said("auth"), &["auth: ", "base URL: none"]);
}
