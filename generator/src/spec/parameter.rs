//! Reads parameters, and makes them consistent with the path.

use super::api::{Location, Parameter, Style};
use super::node::{Node, missing};
use super::report::Report;
use super::schema::SchemaBuilder;

/// Reads one parameter; `None` if it is part of the body, or unusable.
pub(super) fn parameter<'a>(
    schemas: &mut SchemaBuilder<'a>,
    node: &Node<'a>,
    path: &str,
    report: &mut Report,
) -> Option<Parameter> {
    let Some(name) = node.text("name").filter(|name| !name.is_empty()) else {
        report.warn(node, "a parameter without a name is left out", "");
        return None;
    };
    let stated = node
        .text("in")
        .map(|location| location.to_ascii_lowercase());
    let location = match stated.as_deref() {
        Some("path") => Location::Path,
        Some("query") => Location::Query,
        Some("header") => Location::Header,
        Some("cookie") => Location::Cookie,
        Some("body" | "formdata") => return None,
        _ => {
            let in_path = placeholders(path).any(|placeholder| placeholder == name);
            report.note(node, "a parameter has no location", &name);
            if in_path {
                Location::Path
            } else {
                Location::Query
            }
        }
    };
    let content = node
        .child("content")
        .filter(|content| content.value.is_object());
    let content = content.and_then(|content| content.entries().next());
    let json = content
        .as_ref()
        .is_some_and(|(name, _)| name.contains("json"));
    let content = content.map(|(_, media)| media);
    // Swagger 2.0 has the schema's keys in the parameter itself.
    let schema = node
        .child("schema")
        .or_else(|| content.as_ref()?.child("schema"))
        .or_else(|| node.value.get("type").map(|_| node.clone()))
        .unwrap_or_else(|| missing(node, "schema"));
    let style = match node.text("style").as_deref() {
        _ if json => Style::Json,
        Some("deepObject") => Style::Deep,
        // Other styles have another separator.
        Some("spaceDelimited" | "pipeDelimited") => Style::Joined,
        _ if node.flag("explode") == Some(false) => Style::Pairs,
        _ => Style::Exploded,
    };
    Some(Parameter {
        required: node.flag("required") == Some(true) || location == Location::Path,
        description: node.text("description").unwrap_or_default(),
        deprecated: node.flag("deprecated") == Some(true),
        schema: schemas.schema(schema, report),
        style,
        extensions: node.extensions(),
        name,
        location,
    })
}

/// Gives every `{placeholder}` its parameter, and every path parameter its placeholder.
pub(super) fn fit_to_path<'a>(
    schemas: &mut SchemaBuilder<'a>,
    parameters: &mut Vec<Parameter>,
    path: &str,
    operation: &Node<'a>,
    report: &mut Report,
) {
    let is_path = |parameter: &Parameter| parameter.location == Location::Path;
    let has = |parameters: &[Parameter], name: &str| {
        parameters
            .iter()
            .any(|parameter| is_path(parameter) && parameter.name == name)
    };
    for name in placeholders(path) {
        if has(parameters, name) {
            continue;
        }
        // The same name in another case is a typing error.
        let slip = parameters.iter_mut().find(|parameter| {
            is_path(parameter)
                && parameter.name.eq_ignore_ascii_case(name)
                && !placeholders(path).any(|other| other == parameter.name)
        });
        if let Some(parameter) = slip {
            parameter.name = name.to_owned();
            continue;
        }
        report.note(
            operation,
            "a path has a placeholder without a parameter",
            name,
        );
        let node = missing(&missing(operation, "parameters"), name);
        parameters.push(Parameter {
            name: name.to_owned(),
            location: Location::Path,
            required: true,
            description: String::new(),
            deprecated: false,
            schema: schemas.schema(node, report),
            style: Style::default(),
            extensions: std::collections::BTreeMap::new(),
        });
    }
    parameters.retain(|parameter| {
        let fits = !is_path(parameter) || placeholders(path).any(|name| name == parameter.name);
        if !fits {
            report.note(
                operation,
                "a path parameter that the path does not have is left out",
                &parameter.name,
            );
        }
        fits
    });
}

/// Returns the names in a path: `owner` and `repo` of `/repos/{owner}/{repo}`.
pub fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .filter(|name| !name.is_empty())
}
