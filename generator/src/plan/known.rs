//! Fields that the owner names and the document does not know: warned of, for documents leave fields out.

use std::collections::HashSet;

use super::overrides::{Incremental, Overrides};
use crate::diagnostics::{Diagnostic, Kind};
use crate::infer::facts::{Facts, ResourceFacts};
use crate::spec::api::{Api, SchemaId, SchemaKind};

/// A warning for each field of a key or a cursor that the records do not have, as far as the document tells.
pub fn unknown_fields(api: &Api, facts: &Facts, overrides: &Overrides) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for resource in &facts.resources {
        let Some(wish) = overrides.resources.get(&resource.name) else {
            continue;
        };
        let mut named: Vec<(&str, &str)> = Vec::new();
        for field in wish.primary_key.iter().flatten() {
            named.push(("primary_key", field));
        }
        if let Some(Incremental::Table(table)) = &wish.incremental {
            named.push(("incremental", &table.field));
        }
        let unknown = named
            .into_iter()
            .filter_map(|(key, field)| unknown(api, resource, key, field));
        warnings.extend(unknown);
    }
    warnings
}

fn unknown(api: &Api, resource: &ResourceFacts, key: &str, field: &str) -> Option<Diagnostic> {
    let mut at = resource.record?;
    for part in field.split('.') {
        match step(api, at, part) {
            Step::To(inner) => at = inner,
            Step::Open => return None,
            Step::No(known) => {
                let shown: Vec<String> = known
                    .iter()
                    .take(12)
                    .map(|name| format!("`{name}`"))
                    .collect();
                let more = if known.len() > shown.len() {
                    ", …"
                } else {
                    ""
                };
                let message = format!(
                    "`{key}` of the resource `{}` names `{field}`, which the document does not know",
                    resource.name
                );
                let hint = format!(
                    "leave it if the API sends it all the same; the document knows {}{more}",
                    shown.join(", ")
                );
                return Some(Diagnostic::warning(Kind::Overrides, message).with_hint(hint));
            }
        }
    }
    None
}

/// Where a key leads.
enum Step {
    To(SchemaId),
    /// The document does not tell.
    Open,
    /// Nowhere; these keys are known.
    No(Vec<String>),
}

fn step(api: &Api, schema: SchemaId, key: &str) -> Step {
    let mut known = Vec::new();
    let mut open = vec![schema];
    let mut seen = HashSet::new();
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        match &api.schemas[at].kind {
            SchemaKind::Object {
                properties,
                additional,
                ..
            } => {
                if let Some(inner) = properties.get(key) {
                    return Step::To(*inner);
                }
                if additional.is_some() || properties.is_empty() {
                    return Step::Open;
                }
                known.extend(properties.keys().cloned());
            }
            SchemaKind::Union { arms, .. } => open.extend(arms),
            SchemaKind::Any => return Step::Open,
            _ => {}
        }
    }
    Step::No(known)
}
