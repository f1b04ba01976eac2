//! Responses without a schema, but with examples: the examples are the schema.

use indexmap::IndexMap;
use serde_json::Value;

use super::api::{Operation, SchemaId, SchemaKind, Schemas};
use super::node::push_token;
use super::schema::free_form;
use crate::shape::Shape;

/// Lists within lists are followed so far; one may hold itself.
const DEPTH: usize = 4;

/// Gives a schema to each response that has examples only. What is free form within a described body stays so, but for the items of
/// lists: an object of the owner's choice (`metadata`) is no record.
pub(super) fn fill(operations: &mut [Operation], schemas: &mut Schemas) {
    let mut samples: IndexMap<SchemaId, Shape> = IndexMap::new();
    for operation in operations.iter_mut() {
        let Some(response) = &mut operation.response else {
            continue;
        };
        let id = match response.schema {
            Some(id) => id,
            None if response.examples.iter().any(is_tree) => {
                let pointer = format!("{}/responses/{}", operation.pointer, response.status);
                let id = push(schemas, pointer);
                response.schema = Some(id);
                id
            }
            None => continue,
        };
        let examples: Vec<&Value> = response.examples.iter().collect();
        gather(schemas, id, &examples, 0, &mut samples);
    }
    for (id, shape) in samples {
        let schema = shape.schema();
        let pointer = schemas[id].pointer.clone();
        let kind = kind(schemas, &schema, &pointer);
        if let Some(free) = schemas.0.get_mut(id.0) {
            free.kind = kind;
        }
    }
}

fn is_tree(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// Finds what is free form: the body, the items of the body, and those of a list in the body.
fn gather(
    schemas: &Schemas,
    id: SchemaId,
    examples: &[&Value],
    depth: usize,
    samples: &mut IndexMap<SchemaId, Shape>,
) {
    let Some(schema) = schemas.0.get(id.0).filter(|_| depth <= DEPTH) else {
        return;
    };
    let examples: Vec<&Value> = examples.iter().copied().chain(&schema.examples).collect();
    let is_free_object = match &schema.kind {
        SchemaKind::Array(item) => {
            let items = examples.iter().filter_map(|value| value.as_array());
            let items: Vec<&Value> = items.flatten().collect();
            return gather(schemas, *item, &items, depth + 1, samples);
        }
        SchemaKind::Object {
            properties,
            additional: None,
            ..
        } if properties.is_empty() => true,
        SchemaKind::Object { properties, .. } if depth == 0 => {
            for (key, property) in properties {
                if let Some(SchemaKind::Array(_)) = schemas.0.get(property.0).map(|s| &s.kind) {
                    let values: Vec<&Value> =
                        examples.iter().filter_map(|value| value.get(key)).collect();
                    gather(schemas, *property, &values, depth + 1, samples);
                }
            }
            return;
        }
        SchemaKind::Any => false,
        _ => return,
    };
    let of_use = |value: &&&Value| match is_free_object {
        // A body is believed to be the list that its example shows.
        true if depth > 0 => value.as_object().is_some_and(|map| !map.is_empty()),
        _ => is_tree(value),
    };
    for example in examples.iter().filter(of_use) {
        samples.entry(id).or_default().add(example);
    }
}

/// A schema that says nothing yet.
fn push(schemas: &mut Schemas, pointer: String) -> SchemaId {
    let id = SchemaId(schemas.0.len());
    schemas.0.push(free_form(pointer));
    id
}

/// A schema as [`Shape`] writes it.
fn child(schemas: &mut Schemas, schema: &Value, above: &str, steps: &[&str]) -> SchemaId {
    let mut pointer = above.to_owned();
    steps.iter().for_each(|step| push_token(&mut pointer, step));
    let id = push(schemas, pointer.clone());
    let kind = kind(schemas, schema, &pointer);
    if let Some(made) = schemas.0.get_mut(id.0) {
        made.nullable = schema.get("nullable").is_some();
        made.kind = kind;
    }
    id
}

fn kind(schemas: &mut Schemas, schema: &Value, pointer: &str) -> SchemaKind {
    if let Some(arms) = schema.get("oneOf").and_then(Value::as_array) {
        let arms = arms.iter().enumerate();
        let arms = arms.map(|(at, arm)| child(schemas, arm, pointer, &["oneOf", &at.to_string()]));
        return SchemaKind::Union {
            arms: arms.collect(),
        };
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let format = text("format").map(str::to_owned);
    match text("type") {
        Some("boolean") => SchemaKind::Boolean,
        Some("integer") => SchemaKind::Integer {
            format,
            minimum: None,
            maximum: None,
            values: Vec::new(),
        },
        Some("number") => SchemaKind::Number { format },
        Some("string") => SchemaKind::String {
            format,
            pattern: None,
            values: Vec::new(),
        },
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            SchemaKind::Array(child(schemas, items, pointer, &["items"]))
        }
        Some("object") => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let properties = properties.into_iter().flatten().map(|(key, property)| {
                let steps = ["properties", key.as_str()];
                (key.clone(), child(schemas, property, pointer, &steps))
            });
            SchemaKind::Object {
                properties: properties.collect(),
                required: Vec::new(),
                additional: schema
                    .get("additionalProperties")
                    .map(|schema| child(schemas, schema, pointer, &["additionalProperties"])),
            }
        }
        _ => SchemaKind::Any,
    }
}
