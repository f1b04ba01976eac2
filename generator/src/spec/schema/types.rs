//! Reads `type` and its substitutes.

use serde_json::Value;

use super::super::node::Node;

/// A JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Type {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Type {
    pub fn is_scalar(self) -> bool {
        !matches!(self, Type::Object | Type::Array)
    }

    pub fn name(self) -> &'static str {
        match self {
            Type::Object => "object",
            Type::Array => "array",
            Type::String => "string",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Boolean => "boolean",
        }
    }
}

/// The types that a node states.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Stated {
    /// The types; a value may have any of them.
    pub types: Vec<Type>,
    /// Whether `null` is one of them.
    pub null: bool,
    /// A format that the type's name implies (`date`).
    pub format: Option<&'static str>,
    /// Unknown names.
    pub unknown: Vec<String>,
}

/// Reads `type`, a name or a list of names.
pub(super) fn stated(node: &Node<'_>) -> Stated {
    let mut stated = Stated::default();
    match node.value.get("type") {
        Some(Value::String(name)) => stated.add(name),
        Some(Value::Array(names)) => {
            for name in names {
                match name {
                    Value::String(name) => stated.add(name),
                    Value::Null => stated.null = true,
                    other => stated.unknown.push(other.to_string()),
                }
            }
        }
        // `type:` without a value, or an unquoted null.
        Some(Value::Null) | None => {}
        Some(other) => stated.unknown.push(other.to_string()),
    }
    // Every integer is also a number.
    if stated.types.contains(&Type::Number) {
        stated.types.retain(|t| *t != Type::Integer);
    }
    stated
}

impl Stated {
    fn add(&mut self, name: &str) {
        let lower = name.trim().to_ascii_lowercase();
        let (found, format) = match lower.as_str() {
            "object" | "map" | "dict" | "dictionary" | "hash" => (Type::Object, None),
            "array" | "list" => (Type::Array, None),
            "string" | "str" | "text" | "enum" => (Type::String, None),
            "uuid" => (Type::String, Some("uuid")),
            "date" => (Type::String, Some("date")),
            "datetime" | "date-time" | "timestamp" => (Type::String, Some("date-time")),
            "integer" | "int" | "int32" => (Type::Integer, None),
            "int64" | "long" | "bigint" => (Type::Integer, Some("int64")),
            "number" | "decimal" => (Type::Number, None),
            "float" | "double" => (Type::Number, Some("double")),
            "boolean" | "bool" => (Type::Boolean, None),
            "null" | "nil" => {
                self.null = true;
                return;
            }
            // Deliberately free form.
            "" | "any" | "mixed" | "json" | "file" | "binary" => return,
            _ => {
                self.unknown.push(name.to_owned());
                return;
            }
        };
        if !self.types.contains(&found) {
            self.types.push(found);
        }
        self.format = self.format.or(format);
    }
}

/// Returns the type of a node that states none.
pub(super) fn implied(node: &Node<'_>) -> Option<Type> {
    let has = |key: &str| node.value.get(key).is_some_and(|value| !value.is_null());
    if has("properties") || has("patternProperties") || is_schema(node, "additionalProperties") {
        return Some(Type::Object);
    }
    if has("items") || has("prefixItems") {
        return Some(Type::Array);
    }
    if let Some(values) = enumerated(node) {
        return of_values(&values);
    }
    match node.text("format")?.as_str() {
        "date" | "date-time" | "uuid" | "uri" | "url" | "email" | "byte" | "binary"
        | "hostname" | "ipv4" | "ipv6" | "password" => Some(Type::String),
        "int32" | "int64" => Some(Type::Integer),
        "float" | "double" | "decimal" => Some(Type::Number),
        _ => None,
    }
}

fn is_schema(node: &Node<'_>, key: &str) -> bool {
    node.value.get(key).is_some_and(Value::is_object)
}

/// Returns the values of `enum` or `const`.
pub(super) fn enumerated<'a>(node: &Node<'a>) -> Option<Vec<&'a Value>> {
    if let Some(Value::Array(values)) = node.value.get("enum") {
        return Some(values.iter().collect());
    }
    node.value.get("const").map(|value| vec![value])
}

/// Returns the common type of all values that are not null.
fn of_values(values: &[&Value]) -> Option<Type> {
    let mut found = None;
    for value in values {
        let this = match value {
            Value::Null => continue,
            Value::String(_) => Type::String,
            Value::Bool(_) => Type::Boolean,
            Value::Number(number) if number.is_i64() => Type::Integer,
            Value::Number(_) => Type::Number,
            Value::Array(_) => Type::Array,
            Value::Object(_) => Type::Object,
        };
        found = match found {
            None => Some(this),
            Some(same) if same == this => Some(this),
            Some(Type::Integer | Type::Number) if matches!(this, Type::Integer | Type::Number) => {
                Some(Type::Number)
            }
            // Mixed words and numbers fit into text.
            Some(other) if other.is_scalar() && this.is_scalar() => Some(Type::String),
            Some(_) => return None,
        };
    }
    found
}

/// Returns whether a node means only "null", in any dialect.
pub(super) fn is_null(node: &Node<'_>) -> bool {
    let Some(map) = node.value.as_object() else {
        return false;
    };
    if let Some(values) = enumerated(node) {
        return !values.is_empty() && values.iter().all(|value| value.is_null());
    }
    let stated = stated(node);
    if stated.null && stated.types.is_empty() {
        return true;
    }
    let only_words = |key: &String| {
        matches!(
            key.as_str(),
            "nullable" | "x-nullable" | "description" | "title"
        )
    };
    node.flag("nullable") == Some(true) && map.keys().all(only_words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(value: &Value) -> Node<'_> {
        Node {
            file: 0,
            pointer: String::new(),
            value,
        }
    }

    #[test]
    fn types_in_all_spellings() {
        let types = |value: Value| {
            let stated = stated(&node(&value));
            (stated.types, stated.null)
        };
        assert_eq!(
            types(json!({"type": "String"})),
            (vec![Type::String], false)
        );
        assert_eq!(
            types(json!({"type": ["string", "null"]})),
            (vec![Type::String], true)
        );
        assert_eq!(
            types(json!({"type": ["integer", "number"]})),
            (vec![Type::Number], false)
        );
        assert_eq!(types(json!({"type": "bogus"})), (vec![], false));
    }

    #[test]
    fn types_are_implied() {
        let implied = |value: Value| implied(&node(&value));
        assert_eq!(implied(json!({"properties": {}})), Some(Type::Object));
        assert_eq!(implied(json!({"enum": ["a", null]})), Some(Type::String));
        assert_eq!(implied(json!({"enum": ["a", 1]})), Some(Type::String));
        assert_eq!(implied(json!({"const": 3})), Some(Type::Integer));
        assert_eq!(implied(json!({"format": "date-time"})), Some(Type::String));
        assert_eq!(implied(json!({"description": "x"})), None);
    }

    #[test]
    fn null_in_all_dialects() {
        for value in [
            json!({"type": "null"}),
            json!({"enum": [null]}),
            json!({"const": null}),
            json!({"nullable": true}),
            json!({"type": "object", "nullable": true, "enum": [null]}),
        ] {
            assert!(is_null(&node(&value)), "{value}");
        }
        for value in [json!({}), json!({"type": "string", "nullable": true})] {
            assert!(!is_null(&node(&value)), "{value}");
        }
    }
}
