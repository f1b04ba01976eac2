//! The types of parameters, and of the fields of a request's body.

use serde_json::Value;

use super::BodyType;
use crate::spec::api::{Api, Location, Operation, SchemaId, SchemaKind};

/// Returns the schema of a parameter, or of a field of the body.
pub fn schema(
    api: &Api,
    operation: &Operation,
    (name, location): (&str, Location),
) -> Option<SchemaId> {
    if location == Location::Body {
        let SchemaKind::Object { properties, .. } = &api.schemas[operation.request_body?].kind
        else {
            return None;
        };
        return properties.get(name).copied();
    }
    let mut declared = operation.parameters.iter();
    let declared = declared.find(|it| it.name == name && it.location == location);
    Some(declared?.schema)
}

impl BodyType {
    pub fn of(value: &Value) -> Self {
        match value {
            Value::String(_) => BodyType::Text,
            Value::Number(_) => BodyType::Number,
            Value::Bool(_) => BodyType::Bool,
            _ => BodyType::Json,
        }
    }

    /// Returns the type in which a setting is sent. A text fits where several types do.
    pub fn of_schema(api: &Api, schema: Option<SchemaId>) -> Self {
        match schema.map(|schema| &api.schemas[schema].kind) {
            Some(SchemaKind::Integer { .. } | SchemaKind::Number { .. }) => BodyType::Number,
            Some(SchemaKind::Boolean) => BodyType::Bool,
            _ => BodyType::Text,
        }
    }
}
