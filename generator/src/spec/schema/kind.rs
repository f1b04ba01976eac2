//! Decides the kind of a schema from its constituents.

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use super::SchemaBuilder;
use super::facets::{Facets, Root, Union};
use super::types::{self, Type};
use crate::spec::api::{SchemaId, SchemaKind};
use crate::spec::node::{Node, as_text, push_token};
use crate::spec::report::Report;

/// The schema `true` of JSON Schema: free form.
static ANYTHING: Value = Value::Bool(true);

impl<'a> SchemaBuilder<'a> {
    pub(super) fn kind(
        &mut self,
        facets: &Facets<'a>,
        site: &str,
        id: SchemaId,
        report: &mut Report,
    ) -> SchemaKind {
        if let Some(union) = &facets.union {
            return self.union(facets, union, id, report);
        }
        let stated = type_of(facets, report);
        match stated[..] {
            [] => SchemaKind::Any,
            [Type::Object] => self.object(facets, site, report),
            [Type::Array] => self.array(facets, report),
            [scalar] => scalar_kind(scalar, facets),
            _ => self.choice_of_types(&stated, facets, site, report),
        }
    }

    fn object(&mut self, facets: &Facets<'a>, site: &str, report: &mut Report) -> SchemaKind {
        let mut declared: IndexMap<&'a str, Vec<Node<'a>>> = IndexMap::new();
        let mut required: IndexSet<String> = IndexSet::new();
        let mut additional: Vec<Root<'a>> = Vec::new();
        for facet in &facets.inside_out {
            if let Some(properties) = facet.node.child("properties") {
                if !properties.value.is_object() {
                    report.warn(
                        &properties,
                        "properties is not a mapping, it is left out",
                        "",
                    );
                }
                for (name, property) in properties.entries() {
                    declared.entry(name).or_default().push(property);
                }
            }
            if let Some(Value::Array(names)) = facet.node.value.get("required") {
                required.extend(names.iter().filter_map(as_text));
            }
            additional.extend(other_keys(&facet.node).map(Root::new));
        }
        let mut properties = IndexMap::with_capacity(declared.len());
        for (name, mut nodes) in declared {
            // For the property, the statement nearest to the schema itself comes first.
            nodes.reverse();
            let site = match nodes.first() {
                Some(node) => self.documents.full_pointer(node),
                None => continue,
            };
            let roots = nodes.into_iter().map(Root::new).collect();
            properties.insert(name.to_owned(), self.of_roots(roots, site, report));
        }
        let additional = (!additional.is_empty()).then(|| {
            let mut site = site.to_owned();
            push_token(&mut site, "additionalProperties");
            self.of_roots(additional, site, report)
        });
        SchemaKind::Object {
            properties,
            required: required.into_iter().collect(),
            additional,
        }
    }

    fn array(&mut self, facets: &Facets<'a>, report: &mut Report) -> SchemaKind {
        let items = facets.first(|node| {
            let items = node.child("items").filter(|items| items.value.is_object());
            items.or_else(|| {
                // A tuple of one kind is an array of it; other tuples are free form.
                let tuple = node.child("prefixItems").or_else(|| node.child("items"))?;
                let mut items = tuple.items();
                let first = items.next()?;
                items.next().is_none().then_some(first)
            })
        });
        // Without `items`, the items are free form, at the place where `items` would be.
        let items = items.or_else(|| {
            let array = facets.outside_in().next()?;
            let mut pointer = array.pointer.clone();
            push_token(&mut pointer, "items");
            Some(Node {
                file: array.file,
                pointer,
                value: &ANYTHING,
            })
        });
        match items {
            Some(items) => SchemaKind::Array(self.schema(items, report)),
            None => SchemaKind::Any,
        }
    }

    /// Makes a union of several types: `type: [string, integer]` has one arm per type.
    fn choice_of_types(
        &mut self,
        stated: &[Type],
        facets: &Facets<'a>,
        site: &str,
        report: &mut Report,
    ) -> SchemaKind {
        let arms = stated
            .iter()
            .map(|arm| {
                let roots = facets.inside_out.iter().map(|facet| Root {
                    node: facet.node.clone(),
                    plain: true,
                    only: Some(*arm),
                });
                let mut site = site.to_owned();
                push_token(&mut site, "type");
                push_token(&mut site, arm.name());
                self.of_roots(roots.collect(), site, report)
            })
            .collect();
        SchemaKind::Union { arms }
    }

    fn union(
        &mut self,
        facets: &Facets<'a>,
        union: &Union<'a>,
        id: SchemaId,
        report: &mut Report,
    ) -> SchemaKind {
        if let Some(kind) = self.one_scalar(union, report) {
            return kind;
        }
        let base = facets.base();
        let mut arms: IndexMap<SchemaId, Option<Node<'a>>> = IndexMap::new();
        for arm in &union.arms {
            let site = self.documents.full_pointer(arm);
            let mut roots = base.clone();
            roots.push(Root::new(arm.clone()));
            let arm_id = self.of_roots(roots, site, report);
            // A union that is its own arm adds nothing.
            if arm_id != id {
                let target = self.documents.resolve(arm.clone()).ok();
                arms.entry(arm_id).or_insert(target);
            }
        }
        if arms.is_empty() {
            return SchemaKind::Any;
        }
        SchemaKind::Union {
            arms: arms.into_keys().collect(),
        }
    }

    /// Returns the type of a union whose arms are all scalars of one type: `anyOf: [{type: string,
    /// enum: […]}, {type: string}]`.
    fn one_scalar(&mut self, union: &Union<'a>, report: &mut Report) -> Option<SchemaKind> {
        let mut kinds = Vec::with_capacity(union.arms.len());
        for arm in &union.arms {
            let facets = Facets::gather(self.documents, &[Root::new(arm.clone())], report);
            if facets.union.is_some() {
                return None;
            }
            match type_of(&facets, report)[..] {
                [scalar] if scalar.is_scalar() => kinds.push(scalar_kind(scalar, &facets)),
                _ => return None,
            }
        }
        kinds.into_iter().try_fold(None, join).flatten()
    }
}

/// Returns the types that satisfy all constituents.
fn type_of(facets: &Facets<'_>, report: &mut Report) -> Vec<Type> {
    if let Some(only) = facets.inside_out.iter().find_map(|facet| facet.only) {
        return vec![only];
    }
    let mut unknown = None;
    for node in facets.outside_in() {
        let stated = types::stated(node);
        if !stated.types.is_empty() {
            return stated.types;
        }
        if let Some(name) = stated.unknown.into_iter().next() {
            unknown = unknown.or(Some((node, name)));
        }
    }
    let implied = facets.first(types::implied);
    if let Some((node, name)) = unknown {
        let instead = implied.map_or("free form", Type::name);
        let detail = format!("{name}, read as {instead}");
        report.warn(node, "an unknown type", &detail);
    }
    implied.into_iter().collect()
}

/// Returns the schemas of a map's other keys, if they are stated.
fn other_keys<'a>(node: &Node<'a>) -> impl Iterator<Item = Node<'a>> {
    let is_plain_map = node.value.get("properties").is_none();
    let additional = ["additionalProperties", "unevaluatedProperties"]
        .into_iter()
        .find_map(|key| node.child(key))
        // `true` adds nothing, unless nothing else is stated.
        .filter(|additional| {
            additional.value.is_object() || (is_plain_map && *additional.value == Value::Bool(true))
        });
    let by_pattern = node.child("patternProperties");
    let patterns = by_pattern
        .iter()
        .flat_map(Node::entries)
        .map(|(_, node)| node);
    let patterns: Vec<Node<'a>> = patterns.take(1).collect();
    additional.into_iter().chain(patterns)
}

fn scalar_kind(scalar: Type, facets: &Facets<'_>) -> SchemaKind {
    let values = facets.first(types::enumerated).unwrap_or_default();
    let format = facets.first(|node| node.text("format")).or_else(|| {
        facets
            .first(|node| types::stated(node).format)
            .map(str::to_owned)
    });
    let bound = |inclusive: &str, exclusive: &str| {
        facets.first(|node| {
            let number = |key: &str| match node.value.get(key)? {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            number(inclusive).or_else(|| number(exclusive))
        })
    };
    match scalar {
        Type::Integer => SchemaKind::Integer {
            format,
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            values: values.iter().filter_map(|value| integer(value)).collect(),
        },
        Type::Number => SchemaKind::Number { format },
        Type::Boolean => SchemaKind::Boolean,
        Type::String | Type::Object | Type::Array => SchemaKind::String {
            format,
            pattern: facets.first(|node| node.text("pattern")),
            values: values.iter().filter_map(|value| as_text(value)).collect(),
        },
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Returns one kind for two scalars; `None` if there is none.
fn join(joined: Option<SchemaKind>, kind: SchemaKind) -> Option<Option<SchemaKind>> {
    use SchemaKind::{Boolean, Integer, Number, String};
    let Some(joined) = joined else {
        return Some(Some(kind));
    };
    let same = |a: Option<std::string::String>, b| if a == b { a } else { None };
    // The values are known only if every arm lists its own.
    Some(Some(match (joined, kind) {
        (
            String {
                format: f,
                pattern: p,
                values: v,
            },
            String {
                format: g,
                pattern: q,
                values: w,
            },
        ) => String {
            format: same(f, g),
            pattern: same(p, q),
            values: both(v, w),
        },
        (
            Integer {
                format: f,
                values: v,
                ..
            },
            Integer {
                format: g,
                values: w,
                ..
            },
        ) => Integer {
            format: same(f, g),
            minimum: None,
            maximum: None,
            values: both(v, w),
        },
        (
            Number { format } | Integer { format, .. },
            Number { format: other } | Integer { format: other, .. },
        ) => Number {
            format: same(format, other),
        },
        (Boolean, Boolean) => Boolean,
        _ => return None,
    }))
}

fn both<T: Eq + std::hash::Hash>(mut values: Vec<T>, more: Vec<T>) -> Vec<T> {
    if values.is_empty() || more.is_empty() {
        return Vec::new();
    }
    values.extend(more);
    let unique: IndexSet<T> = values.into_iter().collect();
    unique.into_iter().collect()
}
