//! What supplies the fields that the body of a POST requires.

use serde_json::{Value, json};

use super::*;
use crate::spec::api::Location;

/// Infers a search from its path, its parameters and the schema of its body.
fn search(path: &str, parameters: &str, body: &str) -> ResourceFacts {
    let list = "{type: object, properties: {next_page_token: {type: string}, runs: {type: array, items: {type: object, properties: {id: {type: string}}}}}}";
    let facts = facts(&format!(
        "  {path}:\n    post:\n      parameters: {parameters}\n      requestBody: {{content: {{application/json: {{schema: {body}}}}}}}\n      \
         responses: {{'200': {{description: ok, content: {{application/json: {{schema: {list}}}}}}}}}\n"
    ));
    facts.resources.into_iter().next().unwrap()
}

/// Infers a search whose body requires the field `x` of a schema.
fn requires(schema: &str) -> ResourceFacts {
    let body = format!("{{type: object, required: [x], properties: {{x: {schema}}}}}");
    search("/runs/search", "[]", &body)
}

fn lines(found: &ResourceFacts) -> Vec<&str> {
    let doubts = found.doubts.iter();
    let lines = doubts.map(|doubt| doubt.settle.as_str());
    lines.filter(|line| line.starts_with("body")).collect()
}

#[test]
fn a_scalar_is_a_setting() {
    for schema in [
        "{type: string, description: The region.}",
        "{type: integer}",
        "{type: number}",
        "{type: boolean}",
        "{type: string, enum: [a, b]}",
        "{oneOf: [{type: string}, {type: integer}]}",
    ] {
        let found = requires(schema);
        let [setting] = found.settings.as_slice() else {
            panic!("{schema}: {:?}", found.settings);
        };
        assert_eq!(setting.parameter, "x");
        assert_eq!(setting.location, Location::Body);
        assert!(found.needs.is_empty() && lines(&found).is_empty());
    }
}

#[test]
fn a_default_or_the_only_value_is_sent() {
    for (schema, value) in [
        ("{type: string, default: all}", json!("all")),
        ("{type: integer, default: 5}", json!(5)),
        ("{type: boolean, default: false}", json!(false)),
        (
            "{type: array, items: {type: string}, default: [a]}",
            json!(["a"]),
        ),
        ("{type: object, default: {by: id}}", json!({"by": "id"})),
        ("{type: string, enum: [run]}", json!("run")),
        ("{type: integer, enum: [2]}", json!(2)),
    ] {
        let found = requires(schema);
        let fixed: Vec<(&str, Location, &Value)> = found
            .fixed
            .iter()
            .map(|it| (it.name.as_str(), it.location, &it.value))
            .collect();
        assert_eq!(fixed, [("x", Location::Body, &value)], "{schema}");
        assert!(found.settings.is_empty() && found.needs.is_empty());
    }
}

#[test]
fn a_list_or_an_object_is_an_open_question() {
    for schema in [
        "{type: array, items: {type: string}}",
        "{type: object, properties: {a: {type: string}}}",
        "{}",
    ] {
        let found = requires(schema);
        assert_eq!(found.needs, ["x"], "{schema}");
        assert_eq!(lines(&found), ["body = { x = … }"], "{schema}");
        assert!(found.settings.is_empty());
    }
    let body = "{type: object, required: [a, 'b c', left_out], properties: {a: {type: array, items: {}}, 'b c': {type: object}}}";
    let found = search("/runs/search", "[]", body);
    assert_eq!(
        lines(&found),
        ["body = { a = …, \"b c\" = …, left_out = … }"]
    );
}

#[test]
fn paging_supplies_its_own_fields() {
    let body = "{type: object, required: [page_token, max_results, x], properties: {page_token: {type: string}, max_results: {type: integer, maximum: 100}, x: {type: string}}}";
    let found = search("/runs/search", "[]", body);
    let settings: Vec<&str> = found
        .settings
        .iter()
        .map(|it| it.parameter.as_str())
        .collect();
    assert_eq!(settings, ["x"]);
    assert!(found.fixed.is_empty() && found.needs.is_empty());
}

#[test]
fn a_field_may_have_the_name_of_a_path_parameter() {
    let body = "{type: object, required: [project_id], properties: {project_id: {type: string}}}";
    let parameters = "[{name: project_id, in: path, required: true, schema: {type: string}}]";
    let found = search("/projects/{project_id}/runs/search", parameters, body);
    let places: Vec<Location> = found.settings.iter().map(|it| it.location).collect();
    assert_eq!(places, [Location::Path, Location::Body]);
}

#[test]
fn a_body_without_required_fields_needs_nothing() {
    for body in [
        "{type: object, properties: {x: {type: array, items: {}}}}",
        "{type: object}",
        "{}",
    ] {
        let found = search("/runs/search", "[]", body);
        assert!(found.settings.is_empty() && found.fixed.is_empty() && found.needs.is_empty());
    }
}

#[test]
fn of_several_variants_only_what_all_require_is_required() {
    let variant = |required: &str| {
        format!(
            "{{type: object, required: [{required}], properties: {{a: {{type: string}}, b: {{type: string}}, c: {{type: string}}}}}}"
        )
    };
    let of = |one: &str, other: &str| {
        let body = format!("{{oneOf: [{}, {}]}}", variant(one), variant(other));
        let found = search("/runs/search", "[]", &body);
        let settings: Vec<String> = found
            .settings
            .iter()
            .map(|it| it.parameter.clone())
            .collect();
        (settings, found.needs)
    };
    let names =
        |names: &[&str]| -> Vec<String> { names.iter().map(|it| (*it).to_owned()).collect() };
    assert_eq!(of("a, b", "a"), (names(&["a"]), names(&[])));
    assert_eq!(of("a, b", "a, c"), (names(&["a"]), names(&["b"])));
    assert_eq!(of("a", ""), (names(&[]), names(&[])));
}

/// Infers a search whose request has a body of some media types.
fn with_content(request_body: &str) -> ResourceFacts {
    let list = "{type: object, properties: {runs: {type: array, items: {type: object, properties: {id: {type: string}}}}}}";
    let facts = facts(&format!(
        "  /runs/search:\n    post:\n      requestBody: {request_body}\n      \
         responses: {{'200': {{description: ok, content: {{application/json: {{schema: {list}}}}}}}}}\n"
    ));
    facts.resources.into_iter().next().unwrap()
}

#[test]
fn a_body_that_is_not_json_cannot_be_sent() {
    let object = "{schema: {type: object, properties: {id: {type: string}}}}";
    let needs = "{schema: {type: object, required: [id], properties: {id: {type: string}}}}";
    for (request_body, media_type) in [
        (
            format!("{{required: true, content: {{application/x-www-form-urlencoded: {object}}}}}"),
            Some("application/x-www-form-urlencoded"),
        ),
        (
            format!("{{content: {{multipart/form-data: {needs}}}}}"),
            Some("multipart/form-data"),
        ),
        (
            "{required: true, content: {text/xml: {}}}".to_owned(),
            Some("text/xml"),
        ),
        (
            format!(
                "{{required: true, content: {{text/xml: {object}, application/json: {object}}}}}"
            ),
            None,
        ),
        (
            format!("{{content: {{application/x-www-form-urlencoded: {object}}}}}"),
            None,
        ),
    ] {
        let found = with_content(&request_body);
        match media_type {
            Some(name) => {
                let reason = found.unsendable.unwrap_or_default();
                assert!(
                    reason.contains(&format!("`{name}`")),
                    "{request_body}: {reason}"
                );
            }
            None => assert_eq!(found.unsendable, None, "{request_body}"),
        }
    }
}

#[test]
fn a_form_of_the_old_dialect_cannot_be_sent() {
    let read = |consumes: &str, parameter: &str| {
        let facts = read_text(&format!(
            "swagger: '2.0'\ninfo: {{title: T, version: '1'}}\npaths:\n  /runs/search:\n    post:\n      consumes: {consumes}\n      parameters: [{parameter}]\n      \
             responses: {{'200': {{description: ok, schema: {{type: array, items: {{type: object, properties: {{id: {{type: string}}}}}}}}}}}}\n"
        ));
        facts.resources.into_iter().next().unwrap().unsendable
    };
    let form = "{name: id, in: formData, type: string, required: true}";
    let body = "{name: body, in: body, required: true, schema: {type: object}}";
    assert!(
        read("[multipart/form-data]", form)
            .is_some_and(|reason| reason.contains("`multipart/form-data`"))
    );
    assert!(read("[]", form).is_some());
    assert!(read("[application/xml]", body).is_some());
    assert_eq!(read("[application/json]", body), None);
    assert_eq!(read("[]", body), None);
}
