//! Makes the dotted paths in facts unambiguous.

use etlgen_model::{
    LastId, LinkHeader, NextUrl, Offset, PageNumber, Paginator, ResponsePath, Token, Total,
};

use crate::infer::facts::Facts;
use crate::spec::api::{Api, SchemaId, SchemaKind};
pub use crate::spec::path::{parse, write};

/// Rewrites every path in the facts so that it is unambiguous.
pub fn settle(api: &Api, facts: &mut Facts) {
    let records: Vec<(String, Option<SchemaId>)> = facts
        .resources
        .iter()
        .map(|resource| (resource.name.clone(), resource.record))
        .collect();
    for resource in &mut facts.resources {
        let operation = &api.operations[resource.operation];
        let body = operation
            .response
            .as_ref()
            .and_then(|response| response.schema);
        let record = resource.record;
        for path in places(&mut resource.paginator.value) {
            *path = settled(api, body, path);
        }
        if let Paginator::LastId(LastId {
            field: Some(field), ..
        }) = &mut resource.paginator.value
        {
            *field = settled(api, record, field);
        }
        for field in &mut resource.primary_key.value {
            *field = settled(api, record, field);
        }
        if let Some(cursor) = &mut resource.cursor.value {
            cursor.field = settled(api, record, &cursor.field);
        }
        if let Some(parent) = &mut resource.parent.value {
            let above = records.iter().find(|(name, _)| *name == parent.resource);
            let above = above.and_then(|(_, record)| *record);
            for link in &mut parent.links {
                link.field = settled(api, above, &link.field);
            }
        }
    }
}

/// Returns the paths in the body that a paginator names.
fn places(paginator: &mut Paginator) -> Vec<&mut String> {
    let (next, common) = match paginator {
        Paginator::Single | Paginator::Undecided => return Vec::new(),
        Paginator::Token(Token { next, common, .. }) => (body(next), common),
        Paginator::NextUrl(NextUrl { next, common, .. }) => (Some(next), common),
        Paginator::LastId(LastId { common, .. })
        | Paginator::PageNumber(PageNumber { common, .. })
        | Paginator::Offset(Offset { common, .. })
        | Paginator::LinkHeader(LinkHeader { common, .. }) => (None, common),
    };
    let total = match &mut common.total {
        Some(Total::Items(at) | Total::Pages(at)) => body(at),
        Some(Total::Ignored) | None => None,
    };
    let places = [next, total, common.more.as_mut()];
    places.into_iter().flatten().collect()
}

fn body(place: &mut ResponsePath) -> Option<&mut String> {
    match place {
        ResponsePath::Body(path) => Some(path),
        ResponsePath::Header(_) => None,
    }
}

fn settled(api: &Api, schema: Option<SchemaId>, path: &str) -> String {
    write(&resolve(api, schema, path))
}

/// Returns the keys of a dotted path. Keys may hold dots: the split whose keys the schema has is
/// taken.
fn resolve(api: &Api, schema: Option<SchemaId>, path: &str) -> Vec<String> {
    if path.contains("['") {
        return parse(path);
    }
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    let found = schema.and_then(|schema| descend(api, schema, &parts, 0));
    found.unwrap_or_else(|| parts.into_iter().map(str::to_owned).collect())
}

/// Tries the longest key first: `@odata.nextLink` before `@odata`.
fn descend(api: &Api, schema: SchemaId, parts: &[&str], depth: usize) -> Option<Vec<String>> {
    if parts.is_empty() {
        return Some(Vec::new());
    }
    if depth > 32 {
        return None;
    }
    match &api.schemas[schema].kind {
        SchemaKind::Object { properties, .. } => (1..=parts.len()).rev().find_map(|count| {
            let key = parts[..count].join(".");
            let inner = properties.get(&key)?;
            let mut keys = vec![key];
            keys.extend(descend(api, *inner, &parts[count..], depth + 1)?);
            Some(keys)
        }),
        SchemaKind::Union { arms, .. } => {
            let mut arms = arms.iter();
            arms.find_map(|arm| descend(api, *arm, parts, depth + 1))
        }
        // The document does not describe what is below: each part is taken as a key.
        SchemaKind::Any => Some(parts.iter().map(|part| (*part).to_owned()).collect()),
        _ => None,
    }
}
