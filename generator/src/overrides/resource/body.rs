//! `body`: fields that every request of a POST sends in its JSON body.

use serde_json::{Map, Value as Json};

use super::query::use_of;
use crate::infer::body::OWNER;
use crate::infer::facts::FixedParameter;
use crate::near::{listed, nearest};
use crate::overrides::about::About;
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::places::{Found, walk};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;
use crate::spec::api::{Location, SchemaId};
use crate::spec::path::write;

/// The most fields in a hint.
const FIELDS: usize = 12;

/// The names and values of the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Body(Vec<(String, At<Json>)>);

impl Key for Body {
    const ABOUT: About = About {
        name: "body",
        takes: "a table of texts, numbers, `true` or `false`, lists and tables",
        does: "Sends these fields in the JSON body of every request of a POST.",
        examples: &[
            "body = { experiment_ids = [\"0\"], filter.state = \"open\" }",
            "body.\"sort-by\" = \"id\"",
        ],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let table = value.table("a table such as { state = \"open\" }", faults)?;
        let mut body = Vec::new();
        for entry in table.entries() {
            let place = entry.place;
            let value = entry.value.json(faults)?;
            body.push((entry.name.clone(), At { value, place }));
        }
        Some(Body(body))
    }
}

impl ResourceKey for Body {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        let operation = on.operation();
        if operation.method != "post" {
            let message = format!(
                "`body` is part of a POST, and `{}` is read by {}",
                on.name(),
                operation.method.to_uppercase()
            );
            let hint = "send parameters: query = { … }";
            on.faults.add(place, message).hint(hint.to_owned());
            return;
        }
        for (name, value) in &self.0 {
            if let Some((what, key)) = used(on, name, &value.value) {
                let message = format!("`body.{name}` is {what}");
                let hint = format!("leave it out: `{key}` decides what it holds");
                on.faults.add(value.place, message).hint(hint);
                continue;
            }
            if let Some(schema) = operation.request_body {
                refuse_unknown(on, schema, (name, value));
            }
            let resource = on.resource_mut();
            resource
                .fixed
                .retain(|known| known.location != Location::Body || known.name != *name);
            resource.fixed.push(FixedParameter {
                name: name.clone(),
                location: Location::Body,
                value: value.value.clone(),
                reason: OWNER.to_owned(),
            });
        }
    }
}

/// Returns what a field is used for, and the key that decides it.
fn used(on: &Target<'_>, name: &str, value: &Json) -> Option<(&'static str, &'static str)> {
    let paginator = &on.resource().paginator.value;
    let mut pages = super::paginate::parameters(paginator);
    // A paginator may send `options.skip`, and the owner the rest of `options`.
    let is_page = paginator.in_body() && pages.any(|param| holds(name, value, param));
    match is_page {
        true => Some(("a field that asks for pages", "paginate")),
        false => use_of(on, name).filter(|(_, key)| *key == "incremental"),
    }
}

/// Returns whether a field has a value where a dotted parameter has its own.
fn holds(name: &str, value: &Json, param: &str) -> bool {
    let mut keys = param.split('.');
    if keys.next() != Some(name) {
        return false;
    }
    let mut at = value;
    for key in keys {
        match at.as_object().map(|fields| fields.get(key)) {
            Some(Some(inner)) => at = inner,
            Some(None) => return false,
            None => return true,
        }
    }
    true
}

/// Adds a mistake if the document describes the body, and it has no such field, or a field of it
/// has none.
fn refuse_unknown(on: &mut Target<'_>, schema: SchemaId, (name, value): (&str, &At<Json>)) {
    let mut paths = Vec::new();
    gather(&mut vec![name.to_owned()], &value.value, &mut paths);
    for path in paths {
        let Found::No(known) = walk(on.api, schema, &path, false) else {
            continue;
        };
        let message = format!(
            "`body` names `{path}`, and the body of `{}` has no such field",
            on.operation().path
        );
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = nearest(&path, &known).map(|near| format!("did you mean `{near}`? "));
        let hint = format!(
            "{}it has {}; an overlay can add what the document leaves out",
            near.unwrap_or_default(),
            listed(&known, FIELDS)
        );
        on.faults.add(value.place, message).hint(hint);
        return;
    }
}

/// Adds the path of a value, and those of the values in its tables.
fn gather(keys: &mut Vec<String>, value: &Json, paths: &mut Vec<String>) {
    paths.push(write(keys));
    for (key, inner) in value.as_object().into_iter().flat_map(Map::iter) {
        keys.push(key.clone());
        gather(keys, inner, paths);
        keys.pop();
    }
}
