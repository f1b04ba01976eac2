//! A part of a response, described by its schema and its examples together.

use indexmap::IndexMap;
use serde_json::Value;

use crate::spec::api::{Api, Response, Schema, SchemaId, SchemaKind, Schemas};

/// The depth to which nested unions are followed.
const MAX_ARMS: usize = 4;
/// The most examples that are read.
const MAX_EXAMPLES: usize = 5;

/// A part of a response.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    schemas: &'a Schemas,
    /// The schema of this part, if there is one.
    pub schema: Option<SchemaId>,
    /// The values of this part in the examples.
    pub examples: Vec<&'a Value>,
}

impl<'a> Node<'a> {
    pub fn of_response(api: &'a Api, response: &'a Response) -> Node<'a> {
        let examples = response.examples.iter().collect();
        Node::new(&api.schemas, response.schema, examples)
    }

    pub fn of_schema(api: &'a Api, schema: SchemaId) -> Node<'a> {
        Node::new(&api.schemas, Some(schema), Vec::new())
    }

    fn new(
        schemas: &'a Schemas,
        schema: Option<SchemaId>,
        mut examples: Vec<&'a Value>,
    ) -> Node<'a> {
        if let Some(schema) = schema.and_then(|id| schemas.0.get(id.0)) {
            examples.extend(&schema.examples);
        }
        examples.truncate(MAX_EXAMPLES);
        Node {
            schemas,
            schema,
            examples,
        }
    }

    /// Returns a node without schema or examples.
    pub fn silent(&self) -> Node<'a> {
        Node::new(self.schemas, None, Vec::new())
    }

    fn schema(&self) -> Option<&'a Schema> {
        self.schemas.0.get(self.schema?.0)
    }

    /// Returns the schema itself, or the arms of a union.
    fn arms(&self) -> Vec<(SchemaId, &'a Schema)> {
        let mut arms = Vec::new();
        if let Some(id) = self.schema {
            collect_arms(self.schemas, id, MAX_ARMS, &mut arms);
        }
        arms
    }

    /// Returns whether neither a schema nor an example describes it.
    pub fn is_free(&self) -> bool {
        let silent = self.arms().iter().all(|(_, schema)| match &schema.kind {
            SchemaKind::Any => true,
            SchemaKind::Object {
                properties,
                additional,
                ..
            } => properties.is_empty() && additional.is_none(),
            _ => false,
        });
        silent && self.examples.iter().all(|value| value.is_null())
    }

    pub fn is_array(&self) -> bool {
        self.element().is_some()
    }

    /// Returns whether it has named properties.
    pub fn is_object(&self) -> bool {
        !self.properties().is_empty()
    }

    /// Returns whether it is a map from free keys to values.
    pub fn is_map(&self) -> bool {
        self.arms().iter().any(|(_, schema)| {
            matches!(&schema.kind, SchemaKind::Object { properties, additional: Some(_), .. } if properties.is_empty())
        })
    }

    /// Returns the items of an array.
    pub fn element(&self) -> Option<Node<'a>> {
        let arms = self.arms();
        let element = arms.iter().find_map(|(_, schema)| match &schema.kind {
            SchemaKind::Array(element) => Some(*element),
            _ => None,
        });
        // Examples are used if there is no schema.
        if element.is_none() && !self.is_open() {
            return None;
        }
        let arrays: Vec<&'a Vec<Value>> = self
            .examples
            .iter()
            .filter_map(|value| value.as_array())
            .collect();
        if element.is_none() && (arrays.is_empty() || arrays.len() < self.examples.len()) {
            return None;
        }
        let examples = arrays.into_iter().flatten().collect();
        Some(Node::new(self.schemas, element, examples))
    }

    /// Returns whether the schema permits what examples show.
    fn is_open(&self) -> bool {
        self.arms().iter().all(|(_, schema)| match &schema.kind {
            SchemaKind::Any => true,
            SchemaKind::Object { properties, .. } => properties.is_empty(),
            _ => false,
        })
    }

    /// Returns the properties of an object, or of all arms of a union of objects. Those known only
    /// from examples come last.
    pub fn properties(&self) -> IndexMap<String, Node<'a>> {
        let mut found: IndexMap<String, Node<'a>> = IndexMap::new();
        for (_, schema) in self.arms() {
            if let SchemaKind::Object { properties, .. } = &schema.kind {
                for (name, id) in properties {
                    if !found.contains_key(name) {
                        let node = Node::new(self.schemas, Some(*id), self.values_at(name));
                        found.insert(name.clone(), node);
                    }
                }
            }
        }
        let closed = self.schema.is_some() && found.is_empty() && !self.is_open();
        if !closed {
            for name in self
                .examples
                .iter()
                .filter_map(|value| value.as_object())
                .flat_map(|map| map.keys())
            {
                if !found.contains_key(name) {
                    let node = Node::new(self.schemas, None, self.values_at(name));
                    found.insert(name.clone(), node);
                }
            }
        }
        found
    }

    fn values_at(&self, name: &str) -> Vec<&'a Value> {
        self.examples
            .iter()
            .filter_map(|value| value.get(name))
            .collect()
    }

    pub fn component(&self) -> Option<&'a str> {
        self.schema().and_then(|schema| schema.component.as_deref())
    }

    /// Returns the description in lower case.
    pub fn description(&self) -> String {
        let own = self
            .schema()
            .map(|schema| schema.description.as_str())
            .unwrap_or_default();
        own.to_lowercase()
    }

    pub fn default(&self) -> Option<&'a Value> {
        self.schema().and_then(|schema| schema.default.as_ref())
    }

    /// Returns the examples of the schema itself.
    pub fn own_examples(&self) -> &'a [Value] {
        self.schema()
            .map_or(&[], |schema| schema.examples.as_slice())
    }

    /// Returns the properties that an object requires, or any arm of a union of objects.
    pub fn required(&self) -> Vec<&'a str> {
        let mut names = Vec::new();
        for (_, schema) in self.arms() {
            if let SchemaKind::Object { required, .. } = &schema.kind {
                names.extend(required.iter().map(String::as_str));
            }
        }
        names
    }

    pub fn deprecated(&self) -> bool {
        self.schema().is_some_and(|schema| schema.deprecated)
    }

    pub fn is_text(&self) -> bool {
        self.has(
            |schema| matches!(schema.kind, SchemaKind::String { .. }),
            Value::is_string,
        )
    }

    pub fn is_integer(&self) -> bool {
        self.has(
            |schema| {
                matches!(
                    schema.kind,
                    SchemaKind::Integer { .. } | SchemaKind::Number { .. }
                )
            },
            Value::is_number,
        )
    }

    pub fn is_boolean(&self) -> bool {
        self.has(
            |schema| matches!(schema.kind, SchemaKind::Boolean),
            Value::is_boolean,
        )
    }

    /// Returns whether it is text, a number or a boolean.
    pub fn is_scalar(&self) -> bool {
        self.is_text() || self.is_integer() || self.is_boolean()
    }

    fn has(&self, schema: impl Fn(&Schema) -> bool, value: impl Fn(&Value) -> bool) -> bool {
        if self.is_open() {
            return self.examples.iter().any(|example| value(example));
        }
        self.arms().iter().any(|(_, arm)| schema(arm))
    }

    /// Returns the format, such as `date-time`, `uuid` or `uri`.
    pub fn format(&self) -> Option<&'a str> {
        self.arms()
            .iter()
            .find_map(|(_, schema)| match &schema.kind {
                SchemaKind::String { format, .. }
                | SchemaKind::Integer { format, .. }
                | SchemaKind::Number { format } => format.as_deref(),
                _ => None,
            })
    }

    pub fn maximum(&self) -> Option<f64> {
        self.arms()
            .iter()
            .find_map(|(_, schema)| match &schema.kind {
                SchemaKind::Integer { maximum, .. } => *maximum,
                _ => None,
            })
    }

    pub fn minimum(&self) -> Option<f64> {
        self.arms()
            .iter()
            .find_map(|(_, schema)| match &schema.kind {
                SchemaKind::Integer { minimum, .. } => *minimum,
                _ => None,
            })
    }

    /// Returns the known values of a text.
    pub fn values(&self) -> Vec<&'a str> {
        let mut values = Vec::new();
        for (_, schema) in self.arms() {
            if let SchemaKind::String { values: known, .. } = &schema.kind {
                values.extend(known.iter().map(String::as_str));
            }
        }
        values
    }
}

fn collect_arms<'a>(
    schemas: &'a Schemas,
    id: SchemaId,
    depth: usize,
    arms: &mut Vec<(SchemaId, &'a Schema)>,
) {
    let Some(schema) = schemas.0.get(id.0) else {
        return;
    };
    match &schema.kind {
        SchemaKind::Union { arms: inner, .. } if depth > 0 => {
            for arm in inner {
                collect_arms(schemas, *arm, depth - 1, arms);
            }
        }
        _ => arms.push((id, schema)),
    }
}
