//! Explains one field of a resource.

use std::fmt::Write as _;

use crate::diagnostics::Diagnostic;
use crate::infer::facts::{Facts, ResourceFacts};
use crate::spec::api::{Api, Schema, SchemaId, SchemaKind};

use super::one_line;
use crate::near::unknown;

/// The depth to which nested unions and arrays are followed.
const MAX_DEPTH: usize = 8;
/// The most known values that are listed.
const MAX_VALUES: usize = 12;

/// Explains the field at a dotted path.
pub(super) fn field(
    api: &Api,
    facts: &Facts,
    resource: &ResourceFacts,
    path: &str,
) -> Result<String, Diagnostic> {
    let name = &resource.name;
    let Some(record) = resource.record else {
        let message = format!("the document does not describe the fields of `{name}`");
        return Err(unknown(&message, path, std::iter::empty()));
    };
    let mut at = record;
    let mut required = false;
    // Dotted keys exist (`@odata.type`), so the rest may be one key.
    let mut rest = path;
    while !rest.is_empty() {
        let fields = fields(api, at);
        let whole = fields.iter().find(|field| field.name == rest);
        let (head, tail) = rest.split_once('.').unwrap_or((rest, ""));
        let head_field = fields.iter().find(|field| field.name == head);
        let (found, left) = match (whole, head_field) {
            (Some(field), _) => (field, ""),
            (None, Some(field)) => (field, tail),
            (None, None) => {
                let before = path.strip_suffix(rest).unwrap_or_default();
                let names: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{before}{}", field.name))
                    .collect();
                let message = format!("`{name}` has no field `{path}` in the document");
                return Err(unknown(&message, path, names.iter().map(String::as_str)));
            }
        };
        at = found.schema;
        required = found.required;
        rest = left;
    }
    Ok(describe(api, facts, resource, path, at, required))
}

fn describe(
    api: &Api,
    facts: &Facts,
    resource: &ResourceFacts,
    path: &str,
    id: SchemaId,
    required: bool,
) -> String {
    let mut text = String::new();
    let name = &resource.name;
    let _ = writeln!(text, "{}", one_line(&format!("{name}.{path}")));
    let Some(schema) = api.schemas.0.get(id.0) else {
        return text;
    };
    let mut kind = kind(api, id, 0);
    kind.push_str(if required {
        ", required"
    } else {
        ", may be absent"
    });
    if schema.nullable {
        kind.push_str(", may be null");
    }
    if schema.deprecated {
        kind.push_str(", deprecated");
    }
    let _ = writeln!(text, "  type: {}", one_line(&kind));
    let _ = writeln!(text, "  location: {}", one_line(&schema.pointer));
    let known = values(schema);
    if !known.is_empty() {
        let mut shown = known.iter().take(MAX_VALUES).cloned().collect::<Vec<_>>();
        if known.len() > MAX_VALUES {
            shown.push(format!("and {} more", known.len() - MAX_VALUES));
        }
        let _ = writeln!(text, "  known values: {}", one_line(&shown.join(", ")));
    }
    if !schema.description.is_empty() {
        let _ = writeln!(text, "  {}", one_line(&schema.description));
    }
    let _ = writeln!(text, "\nkey: {}", one_line(&key(resource, path)));
    let _ = writeln!(text, "cursor: {}", one_line(&cursor(resource, path)));
    let _ = writeln!(
        text,
        "parent link: {}",
        one_line(&link(facts, resource, path))
    );
    text
}

fn key(resource: &ResourceFacts, path: &str) -> String {
    let key = &resource.primary_key;
    let why = key.reasons.join("; ");
    match key.value.as_slice() {
        [] => format!("no, the resource has none: {why}"),
        [only] if only == path => format!("yes: {why}"),
        several if several.iter().any(|part| part == path) => format!("part of it: {why}"),
        others => {
            let own = format!("not `{path}`:");
            let lost = key.others.iter().find(|line| line.starts_with(&own));
            let lost = lost.map(|line| format!("; {line}")).unwrap_or_default();
            format!("no, `{}` is: {why}{lost}", others.join("`, `"))
        }
    }
}

fn cursor(resource: &ResourceFacts, path: &str) -> String {
    let why = resource.cursor.reasons.join("; ");
    match &resource.cursor.value {
        None => format!("no, the resource has none: {why}"),
        Some(cursor) if cursor.field == path => format!("yes: {why}"),
        Some(cursor) => format!("no, `{}` is: {why}", cursor.field),
    }
}

/// Describes which parameters of other resources the field fills.
fn link(facts: &Facts, resource: &ResourceFacts, path: &str) -> String {
    let mut filled = Vec::new();
    let mut below = 0;
    for other in &facts.resources {
        let Some(parent) = &other.parent.value else {
            continue;
        };
        if parent.resource != resource.name {
            continue;
        }
        below += 1;
        for link in parent.links.iter().filter(|link| link.field == path) {
            filled.push(format!("`{}` of {}", link.param, other.name));
        }
    }
    match (filled.is_empty(), below) {
        (false, _) => format!("yes, it fills {}", filled.join(", ")),
        (true, 0) => "no, the resource has no children".to_owned(),
        (true, below) => format!("no, its {below} children take other fields"),
    }
}

struct Field {
    name: String,
    schema: SchemaId,
    required: bool,
}

/// Returns the fields of a schema, including those within arrays and the arms of a union.
fn fields(api: &Api, id: SchemaId) -> Vec<Field> {
    let mut fields = Vec::new();
    gather(api, id, 0, &mut fields);
    fields
}

fn gather(api: &Api, id: SchemaId, depth: usize, fields: &mut Vec<Field>) {
    let Some(schema) = api.schemas.0.get(id.0).filter(|_| depth < MAX_DEPTH) else {
        return;
    };
    match &schema.kind {
        SchemaKind::Object {
            properties,
            required,
            ..
        } => {
            for (name, schema) in properties {
                if !fields.iter().any(|field| field.name == *name) {
                    fields.push(Field {
                        name: name.clone(),
                        schema: *schema,
                        required: required.contains(name),
                    });
                }
            }
        }
        SchemaKind::Array(element) => gather(api, *element, depth + 1, fields),
        SchemaKind::Union { arms, .. } => {
            for arm in arms {
                gather(api, *arm, depth + 1, fields);
            }
        }
        _ => {}
    }
}

/// Describes a schema's type in a few words.
fn kind(api: &Api, id: SchemaId, depth: usize) -> String {
    let Some(schema) = api.schemas.0.get(id.0).filter(|_| depth < 4) else {
        return "…".to_owned();
    };
    let with = |name: &str, format: &Option<String>| match format {
        Some(format) => format!("{name} ({format})"),
        None => name.to_owned(),
    };
    match &schema.kind {
        SchemaKind::Object {
            properties,
            additional,
            ..
        } => match (&schema.component, additional) {
            (_, Some(value)) if properties.is_empty() => {
                format!("map of {}", kind(api, *value, depth + 1))
            }
            (Some(component), _) => format!("object {component}"),
            (None, _) => "object".to_owned(),
        },
        SchemaKind::Array(element) => format!("array of {}", kind(api, *element, depth + 1)),
        SchemaKind::String { format, .. } => with("string", format),
        SchemaKind::Integer { format, .. } => with("integer", format),
        SchemaKind::Number { format } => with("number", format),
        SchemaKind::Boolean => "boolean".to_owned(),
        SchemaKind::Union { arms, .. } => {
            let arms: Vec<String> = arms.iter().map(|arm| kind(api, *arm, depth + 1)).collect();
            arms.join(" or ")
        }
        SchemaKind::Any => "anything: the document states no type".to_owned(),
    }
}

fn values(schema: &Schema) -> Vec<String> {
    match &schema.kind {
        SchemaKind::String { values, .. } => values.clone(),
        SchemaKind::Integer { values, .. } => values.iter().map(i64::to_string).collect(),
        _ => Vec::new(),
    }
}
