//! `records`: where a response holds the records.

use crate::infer::facts::{Doubt, ResourceKind};
use crate::near::{listed, nearest};
use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::places::{Found, lists, record, walk};
use crate::overrides::subject::{Target, sure};
use crate::overrides::value::Value;
use crate::spec::api::{Api, SchemaId, SchemaKind};

/// A dotted path; `$` is the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Records(String);

impl Key for Records {
    const ABOUT: About = About {
        name: "records",
        takes: "a dotted path, or `\"$\"`",
        does: "The path of the records in a response. `$` is the body itself; `['a.b']` is a key with a dot.",
        examples: &["records = \"data.items\"", "records = \"$\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.text(faults).map(Records)
    }
}

impl ResourceKey for Records {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        let path = self.0.trim_start_matches('$').trim_start_matches('.');
        let response = on.operation().response.as_ref();
        let Some(body) = response.and_then(|response| response.schema) else {
            // The document does not describe the responses.
            let keys = crate::spec::path::parse(path);
            on.resource_mut().records_path = sure(keys);
            return;
        };
        let found = match path {
            "" => Found::To(Vec::new(), body),
            path => walk(on.api, body, path, false),
        };
        match found {
            Found::To(keys, at) => self.to(place, on, keys, at),
            Found::Open(keys) => {
                if on.resource().records_path.value != keys {
                    on.resource_mut().record = None;
                }
                on.resource_mut().records_path = sure(keys);
            }
            Found::No(known) => {
                let message = "and no response of `NAME` has it";
                self.refuse(place, on, message, known);
            }
        }
    }
}

impl Records {
    /// Takes the records from a value that the document describes.
    fn to(&self, place: Place, on: &mut Target<'_>, keys: Vec<String>, at: SchemaId) {
        let api = on.api;
        let is_list = on.resource().kind == ResourceKind::List;
        let items = item(api, at);
        let described = !matches!(api.schemas[at].kind, SchemaKind::Any);
        if on.resource().records_path.value != keys || on.resource().record.is_none() {
            if is_list && items.is_none() && described {
                let message = "and there is no list in the responses of `NAME`";
                let response = on.operation().response.as_ref();
                let body = response.and_then(|response| response.schema);
                let known = body.map_or(Vec::new(), |body| lists(api, body));
                let known = known.into_iter().map(|(path, _)| path).collect();
                return self.refuse(place, on, message, known);
            }
            let taken = if is_list { items } else { Some(at) };
            on.resource_mut().record = taken.and_then(|taken| record(api, taken));
            settle_key(on);
        }
        on.resource_mut().records_path = sure(keys);
    }

    /// Adds a mistake that lists what the responses have instead.
    fn refuse(&self, place: Place, on: &mut Target<'_>, why: &str, known: Vec<String>) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let there = match known.as_slice() {
            [] => "an overlay can add what the document leaves out".to_owned(),
            known => format!("there are {}", listed(known, 12)),
        };
        let hint = match nearest(&self.0, &known) {
            Some(near) => format!("did you mean `{near}`? {there}"),
            None => there,
        };
        let why = why.replace("NAME", &on.name());
        let message = format!("`records` is `{}`, {why}", self.0);
        on.faults.add(place, message).hint(hint);
    }
}

/// Returns the items of a list.
fn item(api: &Api, at: SchemaId) -> Option<SchemaId> {
    match &api.schemas[at].kind {
        SchemaKind::Array(item) => Some(*item),
        SchemaKind::Union { arms, .. } => {
            arms.iter().find_map(|arm| match &api.schemas[*arm].kind {
                SchemaKind::Array(item) => Some(*item),
                _ => None,
            })
        }
        _ => None,
    }
}

/// Returns the value at these keys; `None`: the document does not describe it.
pub fn at(api: &Api, body: SchemaId, keys: &[String]) -> Option<SchemaId> {
    match walk(api, body, &crate::spec::path::write(keys), false) {
        Found::To(_, at) => Some(at),
        _ if keys.is_empty() => Some(body),
        _ => None,
    }
}

/// Adapts key, cursor and doubts to records other than those that they were inferred from.
pub fn settle_key(on: &mut Target<'_>) {
    let Some(record) = on.resource().record else {
        return;
    };
    let api = on.api;
    let has = |path: &str| !matches!(walk(api, record, path, false), Found::No(_));
    let resource = on.resource_mut();
    if !resource.primary_key.value.iter().all(|field| has(field)) {
        let id = has("id").then(|| "id".to_owned());
        let settle = format!("primary_key = [{}]", id.as_ref().map_or("", |_| "\"id\""));
        resource.primary_key.value = id.into_iter().collect();
        resource.primary_key.confidence = 0.5;
        resource.primary_key.reasons = vec!["etlgen.toml says what the records are".to_owned()];
        resource
            .doubts
            .retain(|doubt| !doubt.settle.starts_with("primary_key"));
        resource.doubts.push(Doubt {
            question: "what is the key of these records?".to_owned(),
            settle,
        });
    }
    if let Some(cursor) = &resource.cursor.value
        && !has(&cursor.field)
    {
        resource.cursor = sure(None);
        resource
            .doubts
            .retain(|doubt| !doubt.settle.starts_with("incremental"));
    }
}
