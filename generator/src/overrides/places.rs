//! Resolves the dotted paths that the owner names in records and responses.

use std::collections::HashSet;

use crate::spec::api::{Api, SchemaId, SchemaKind};
use crate::spec::path::parse;

/// The most parts of a path; a longer one is not found.
const LONGEST: usize = 64;

/// The result of following a dotted path.
pub enum Found {
    /// The value, and the keys that lead to it.
    To(Vec<String>, SchemaId),
    /// The document does not describe where the path leads.
    Open(Vec<String>),
    /// There is no such value; these paths exist where it ends.
    No(Vec<String>),
}

/// Follows a dotted path. A key may hold dots itself: the split whose keys exist is taken. With
/// `lists`, a list on the path stands for its items.
pub fn walk(api: &Api, from: SchemaId, path: &str, lists: bool) -> Found {
    let parts: Vec<String> = match path.contains("['") {
        true => parse(path),
        false => path.split('.').map(str::to_owned).collect(),
    };
    let walk = Walk {
        api,
        lists,
        whole: path.contains("['"),
    };
    if parts.len() > LONGEST {
        return Found::No(objects(api, from, lists).names(api, &[]));
    }
    walk.from(from, &parts, &mut Vec::new())
}

struct Walk<'a> {
    api: &'a Api,
    lists: bool,
    /// Each part is a whole key.
    whole: bool,
}

impl Walk<'_> {
    fn from(&self, from: SchemaId, parts: &[String], above: &mut Vec<String>) -> Found {
        if parts.is_empty() {
            return Found::To(above.clone(), from);
        }
        let objects = objects(self.api, from, self.lists);
        let mut known: Vec<String> = Vec::new();
        let longest = if self.whole { 1 } else { parts.len() };
        for count in (1..=longest).rev() {
            let key = parts[..count].join(".");
            let inner = objects.properties(self.api, &key);
            for inner in inner {
                above.push(key.clone());
                let found = self.from(inner, &parts[count..], above);
                above.pop();
                match found {
                    Found::No(deeper) => known = deeper,
                    found => return found,
                }
            }
        }
        if objects.open {
            let mut keys = above.clone();
            keys.extend(parts.iter().cloned());
            return Found::Open(keys);
        }
        match known.is_empty() {
            true => Found::No(objects.names(self.api, above)),
            false => Found::No(known),
        }
    }
}

/// The objects that a value may be.
struct Objects {
    ids: Vec<SchemaId>,
    /// Whether it may be something that the document does not describe.
    open: bool,
}

fn objects(api: &Api, from: SchemaId, lists: bool) -> Objects {
    let mut found = Objects {
        ids: Vec::new(),
        open: false,
    };
    let mut seen = HashSet::new();
    let mut todo = vec![from];
    while let Some(at) = todo.pop() {
        if !seen.insert(at) {
            continue;
        }
        match &api.schemas[at].kind {
            SchemaKind::Object {
                properties,
                additional,
                ..
            } => {
                found.open |= additional.is_some() || properties.is_empty();
                found.ids.push(at);
            }
            SchemaKind::Union { arms, .. } => todo.extend(arms),
            SchemaKind::Array(item) if lists => todo.push(*item),
            SchemaKind::Any => found.open = true,
            _ => {}
        }
    }
    found
}

impl Objects {
    fn properties(&self, api: &Api, key: &str) -> Vec<SchemaId> {
        let of = |id: &SchemaId| match &api.schemas[*id].kind {
            SchemaKind::Object { properties, .. } => properties.get(key).copied(),
            _ => None,
        };
        self.ids.iter().filter_map(of).collect()
    }

    fn names(&self, api: &Api, above: &[String]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for id in &self.ids {
            if let SchemaKind::Object { properties, .. } = &api.schemas[*id].kind {
                let keys = properties.keys();
                names.extend(keys.map(|key| [above, std::slice::from_ref(key)].concat().join(".")));
            }
        }
        names.dedup();
        names
    }
}

/// Returns the lists in a value with their dotted paths; `$` is the value itself. Lists of objects
/// come first.
pub fn lists(api: &Api, from: SchemaId) -> Vec<(String, SchemaId)> {
    let mut found: Vec<(String, SchemaId)> = Vec::new();
    let mut seen = HashSet::new();
    let mut todo = vec![(Vec::<String>::new(), from)];
    while let Some((keys, at)) = todo.pop() {
        if keys.len() > 4 || !seen.insert(at) {
            continue;
        }
        match &api.schemas[at].kind {
            SchemaKind::Array(item) => {
                let path = match keys.as_slice() {
                    [] => "$".to_owned(),
                    keys => crate::spec::path::write(keys),
                };
                found.push((path, *item));
            }
            SchemaKind::Object { properties, .. } => {
                let inner = properties.iter().rev();
                todo.extend(inner.map(|(key, id)| {
                    let mut keys = keys.clone();
                    keys.push(key.clone());
                    (keys, *id)
                }));
            }
            SchemaKind::Union { arms, .. } => {
                todo.extend(arms.iter().rev().map(|arm| (keys.clone(), *arm)));
            }
            _ => {}
        }
    }
    found.sort_by_key(|(_, item)| record(api, *item).is_none());
    found
}

/// Returns the schema of a record; `None`: the document does not describe it.
pub fn record(api: &Api, id: SchemaId) -> Option<SchemaId> {
    match &api.schemas[id].kind {
        SchemaKind::Any => None,
        SchemaKind::Object { properties, .. } if properties.is_empty() => None,
        _ => Some(id),
    }
}
