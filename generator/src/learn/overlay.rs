//! Turns samples into an OpenAPI overlay that gives a response its schema.

use serde_json::{Map, Value, json};

use crate::diagnostics::{Diagnostic, Kind, Position, json_reason};
use crate::shape::Shape;
use crate::spec::api::Operation;

/// Reads samples: one JSON value, or several in a row (NDJSON). An error names the place.
pub fn samples(file: &str, text: &str) -> Result<Vec<Value>, Diagnostic> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        found.push(value.map_err(|error| {
            let place = Position {
                line: error.line().max(1),
                column: error.column().max(1),
            };
            Diagnostic::error(
                Kind::Samples,
                format!("the sample is not JSON: {}", json_reason(&error)),
            )
            .in_file(file)
            .at(place)
            .with_hint(SAMPLES)
            .caused_by(error)
        })?);
    }
    if found.is_empty() {
        return Err(Diagnostic::error(Kind::Samples, "the input has no sample").with_hint(SAMPLES));
    }
    Ok(found)
}

pub const SAMPLES: &str =
    "pipe in a response of the API: a JSON array, an object, or one object per line";

/// Returns the bodies that these samples may come from, the most likely first: complete bodies, or
/// records at `records`. With `single`, the resource is one object. `records` is the place of the
/// records that the owner states.
pub fn bodies(
    samples: &[Value],
    single: bool,
    records: Option<&[String]>,
) -> Result<Vec<Shape>, Diagnostic> {
    let mut all = Shape::default();
    samples.iter().for_each(|sample| all.add(sample));
    let wrapped = |record: &Shape| {
        let keys = records.unwrap_or_default().iter().rev();
        keys.fold(record.clone().listed(), |inner, key| inner.below(key))
    };
    if let Some(record) = all.items().filter(|record| record.is_object()) {
        return Ok(vec![wrapped(record)]);
    }
    if !all.is_object() {
        let message = "the samples are neither objects nor lists of objects";
        return Err(Diagnostic::error(Kind::Samples, message).with_hint(SAMPLES));
    }
    let is_body = records.is_some_and(|keys| {
        let mut at = Some(&all);
        for key in keys {
            at = at.and_then(|shape| shape.field(key));
        }
        !keys.is_empty() && at.is_some_and(|shape| shape.items().is_some())
    });
    Ok(match (single || is_body, records) {
        (true, _) => vec![all],
        (false, Some(_)) => vec![wrapped(&all)],
        (false, None) => vec![all.clone(), wrapped(&all)],
    })
}

/// Returns the overlay that gives an operation's response this body. `document` has all earlier
/// overlays applied.
pub fn overlay(
    document: &Value,
    operation: &Operation,
    resource: &str,
    body: &Shape,
) -> Result<String, Diagnostic> {
    let Some(node) = document
        .pointer(&operation.pointer)
        .filter(|_| operation.pointer.starts_with('/'))
    else {
        let message = format!("another file of the document describes `{resource}`");
        return Err(Diagnostic::error(Kind::Document, message).with_hint(
            "give its response a schema there; `etlgen learn` changes only the first file of the document",
        ));
    };
    let response = operation.response.as_ref();
    let status = response.map_or("200", |response| response.status.as_str());
    let media = response.and_then(|response| response.media_type.as_deref());
    let target = path(&operation.pointer);
    let here = format!("{target}['responses']{}", step(status));

    let mut actions = Vec::new();
    let stated = node.get("responses").and_then(|all| all.get(status));
    let mut answer = Value::Object(Map::new());
    match stated {
        // Siblings of a `$ref` are ignored, so the response replaces it.
        Some(stated) if stated.get("$ref").is_some() => {
            actions.push(json!({"target": here, "remove": true}));
            let shared = stated["$ref"].as_str().and_then(|at| at.strip_prefix('#'));
            if let Some(Value::Object(shared)) = shared.and_then(|at| document.pointer(at)) {
                answer = Value::Object(shared.clone());
            }
        }
        Some(_) => {}
        None => answer = json!({"description": "Learnt from samples."}),
    }
    let is_old = document.get("swagger").is_some();
    let name = media.unwrap_or("application/json");
    let known = |holder: &Value| {
        let content = holder.get("content").and_then(Value::as_object);
        let mut names = content.into_iter().flat_map(Map::keys);
        let essence = |other: &str| {
            let essence = other.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(name)
        };
        names.find(|other| essence(other)).cloned()
    };
    let name = stated
        .and_then(&known)
        .or_else(|| known(&answer))
        .unwrap_or_else(|| name.to_owned());
    let keys: Vec<&str> = match is_old {
        true => vec!["schema"],
        false => vec!["content", &name, "schema"],
    };
    let mut at = stated;
    keys.iter()
        .for_each(|key| at = at.and_then(|value| value.get(key)));
    if at.is_some() {
        let steps: String = keys.iter().map(|key| step(key)).collect();
        actions.push(json!({"target": format!("{here}{steps}"), "remove": true}));
    }
    put(&mut answer, &keys, body.schema());
    let responses = Map::from_iter([(status.to_owned(), answer)]);
    actions.push(json!({"target": target, "update": {"responses": responses}}));

    let overlay = json!({
        "overlay": "1.0.0",
        "info": {"title": format!("`{resource}` as learnt from samples"), "version": "1"},
        "actions": actions,
    });
    let mut text = serde_json::to_string_pretty(&overlay).unwrap_or_default();
    text.push('\n');
    Ok(text)
}

/// Sets the value at these keys.
fn put(value: &mut Value, keys: &[&str], inner: Value) {
    let Some((first, rest)) = keys.split_first() else {
        *value = inner;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(map) = value {
        let next = map.entry((*first).to_owned()).or_insert(Value::Null);
        put(next, rest, inner);
    }
}

/// Returns a JSON pointer as a JSONPath.
fn path(pointer: &str) -> String {
    let tokens = pointer.split('/').skip(1);
    let steps = tokens.map(|token| step(&token.replace("~1", "/").replace("~0", "~")));
    format!("${}", steps.collect::<String>())
}

/// Returns a key as a step of a JSONPath.
fn step(key: &str) -> String {
    // JSON writes control characters and backslashes as RFC 9535 requires.
    let quoted = Value::from(key).to_string();
    let inner = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default()
        .replace("\\\"", "\"")
        .replace('\'', "\\'");
    format!("['{inner}']")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::{facts::ResourceFacts, infer};
    use crate::spec::api::Api;
    use crate::spec::{Input, overlaid, read};

    fn input(document: &str) -> Input {
        Input {
            name: "api.yaml".to_owned(),
            bytes: document.as_bytes().to_vec(),
            ..Input::default()
        }
    }

    /// Returns the API and its only resource, after a body was learned.
    fn learnt(document: &str, body: &Value) -> (Api, ResourceFacts) {
        let mut input = input(document);
        let api = read(&input).0.unwrap();
        let text = overlay(
            &overlaid(&input).unwrap(),
            &api.operations[0],
            "things",
            &Shape::of(body),
        )
        .unwrap();
        input.overlays.push(Input {
            name: "learned.json".to_owned(),
            bytes: text.into_bytes(),
            ..Input::default()
        });
        let (api, diagnostics) = read(&input);
        assert!(
            diagnostics
                .iter()
                .all(|diagnostic| !diagnostic.file().contains("learned")),
            "{diagnostics:?}"
        );
        let api = api.unwrap();
        let facts = infer(&api);
        let resource = facts.resources[0].clone();
        (api, resource)
    }

    #[test]
    fn a_schema_is_given_wherever_there_is_none() {
        let body = json!({"rows": [{"id": 1}], "has_more": true});
        for document in [
            "openapi: 3.0.0\npaths: {/things: {get: {}}}\n",
            "openapi: 3.0.0\npaths: {/things: {get: {responses: {200: {description: OK}}}}}\n",
            "openapi: 3.1.0\npaths: {/things: {get: {responses: {2XX: {description: OK, content: {'application/json; v=1': {schema: {anyOf: [{type: object}]}}}}}}}}\n",
            "openapi: 3.0.0\npaths: {/things: {get: {responses: {200: {$ref: '#/components/responses/R'}}}}}\ncomponents: {responses: {R: {headers: {Link: {}}, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}}, schemas: {S: {type: object}}}\n",
            "swagger: '2.0'\npaths: {/things: {get: {responses: {200: {description: OK, schema: {type: object}}}}}}\n",
            "openapi: 3.0.0\npaths: {'/th''i\"n\\gs/{x}~/things': {get: {responses: {200: {description: OK}}}}}\n",
        ] {
            let (api, resource) = learnt(document, &body);
            assert_eq!(resource.records_path.value, ["rows"], "{document}");
            assert!(resource.record.is_some(), "{document}");
            let response = api.operations[0].response.as_ref().unwrap();
            let links = document.contains("Link");
            assert_eq!(response.headers.contains_key("Link"), links);
        }
    }

    #[test]
    fn records_are_told_from_bodies() {
        let record = json!({"id": 1});
        let body = |sample: &Value, single, records: Option<&[String]>| {
            let samples = std::slice::from_ref(sample);
            let bodies = bodies(samples, single, records).unwrap();
            let schemas: Vec<Value> = bodies.iter().map(Shape::schema).collect();
            schemas
        };
        let object = Shape::of(&record).schema();
        let list = Shape::of(&json!([record])).schema();
        assert_eq!(
            body(&json!([record]), false, None),
            std::slice::from_ref(&list)
        );
        assert_eq!(body(&record, false, None), [object.clone(), list.clone()]);
        assert_eq!(body(&record, true, None), [object]);
        // The owner states the place of the records.
        let wrapped = json!({"a": {"b": [record]}});
        let at = ["a".to_owned(), "b".to_owned()];
        let schema = Shape::of(&wrapped).schema();
        for sample in [record.clone(), json!([record]), wrapped] {
            assert_eq!(
                body(&sample, false, Some(&at)),
                std::slice::from_ref(&schema)
            );
        }
        assert!(bodies(&[json!(1)], false, None).is_err());
        assert!(bodies(&[json!([1])], false, None).is_err());
        assert!(bodies(&[json!([]), json!({})], false, None).is_err());
    }

    #[test]
    fn samples_are_one_value_or_many() {
        assert_eq!(samples("-", "[1]").unwrap(), [json!([1])]);
        let lines = samples("-", "{\"a\": 1}\n\n{\"a\": 2}\n").unwrap();
        assert_eq!(lines.len(), 2);
        assert!(samples("-", " \n").is_err());
        let error = samples("<stdin>", "{\"a\": 1}\n{\"a\" 2}\n").unwrap_err();
        assert!(
            error.to_string().starts_with("error: <stdin>:2:"),
            "{error}"
        );
    }
}
