//! Tests of inference, each with one small document.

use etlgen_model::{Meaning, TimeFormat};

use super::facts::{AuthFacts, Facts, ResourceFacts, ResourceKind, SURE};
use super::infer;
use crate::spec::{Input, read};

mod auth;
mod bodies;
mod bounds;
mod conventions;
mod harmless;
mod hiding;
mod hints;
mod keys;
mod lists;
mod matching;
mod pages;
mod parents;
mod rate_limits;
mod ways;

/// Infers from a document's `paths` and the keys that follow them.
fn facts(paths: &str) -> Facts {
    read_text(&format!(
        "openapi: 3.0.0\ninfo: {{title: T, version: '1'}}\npaths:\n{paths}"
    ))
}

/// Infers from a whole document.
fn read_text(text: &str) -> Facts {
    let input = Input {
        name: "test.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
        ..Input::default()
    };
    let (api, diagnostics) = read(&input);
    infer(&api.unwrap_or_else(|| panic!("{diagnostics:?}")))
}

fn resource<'a>(facts: &'a Facts, name: &str) -> &'a ResourceFacts {
    let names: Vec<&str> = facts
        .resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    facts
        .resources
        .iter()
        .find(|resource| resource.name == name)
        .unwrap_or_else(|| panic!("no {name} among {names:?}"))
}

/// Writes a GET of a path with parameters (YAML flow) and a response schema (YAML flow).
fn get(path: &str, parameters: &str, schema: &str) -> String {
    get_with(path, parameters, schema, "{}")
}

fn get_with(path: &str, parameters: &str, schema: &str, headers: &str) -> String {
    format!(
        "  {path}:
    get:
      parameters: {parameters}
      responses:
        '200':
          description: ok
          headers: {headers}
          content: {{application/json: {{schema: {schema}}}}}
"
    )
}

/// Writes a query parameter of a type.
fn query(name: &str, kind: &str) -> String {
    format!("{{name: '{name}', in: query, schema: {{type: {kind}}}}}")
}

const ITEM: &str = "{type: object, properties: {id: {type: string}, name: {type: string}}}";
