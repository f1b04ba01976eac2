//! Reads the responses of operations.

use indexmap::IndexMap;
use serde_json::Value;

use super::api::{Response, is_lines};
use super::document::Documents;
use super::node::Node;
use super::report::Report;
use super::schema::SchemaBuilder;

/// Reads the response of success: 200, else the first 2xx, else `default`; one with a body is
/// preferred.
pub(super) fn response<'a>(
    documents: &'a Documents<'a>,
    schemas: &mut SchemaBuilder<'a>,
    operation: &Node<'a>,
    produces: &[String],
    report: &mut Report,
) -> Option<Response> {
    let responses = documents.child(operation, "responses")?;
    let mut candidates: Vec<(u8, bool, &'a str, Node<'a>)> = Vec::new();
    for (status, node) in responses.entries() {
        let Some(rank) = rank(status) else {
            continue;
        };
        match documents.resolve(node.clone()) {
            Ok(node) if node.value.is_object() => {
                let empty = node.child("schema").is_none() && content(documents, &node).is_empty();
                candidates.push((rank, empty, status, node));
            }
            Ok(_) => report.warn(
                &node,
                "a response that is not a mapping is left out",
                status,
            ),
            Err(reason) => {
                let reference = node.reference().unwrap_or_default();
                let detail = format!("{reference} ({reason})");
                report.warn(&node, "a response's $ref cannot be followed", &detail);
            }
        }
    }
    // `default` mostly describes errors: it never takes precedence over a success without a body.
    candidates.sort_by_key(|(rank, empty, ..)| (*rank == LAST, *empty, *rank));
    let (_, _, status, node) = candidates.into_iter().next()?;
    let media = content(documents, &node);
    let best = media.into_iter().min_by_key(|(name, _)| preference(name));
    let (media_type, schema) = match &best {
        Some((name, media)) => (Some(name.clone()), media.child("schema")),
        None => {
            let schema = node.child("schema");
            let mut produced: Vec<String> = produces.iter().map(|name| essence(name)).collect();
            produced.sort_by_key(|name| preference(name));
            let produced = produced.into_iter().next();
            let json = || "application/json".to_owned();
            (
                schema.as_ref().map(|_| produced.unwrap_or_else(json)),
                schema,
            )
        }
    };
    Some(Response {
        status: status.to_owned(),
        examples: match &best {
            Some((_, media)) => examples(documents, media),
            None => old_examples(&node),
        },
        media_type,
        schema: schema.map(|schema| schemas.schema(schema, report)),
        headers: headers(documents, &node),
    })
}

const LAST: u8 = 200;

/// Ranks a status: the lower, the better; `None` if it is not a success.
fn rank(status: &str) -> Option<u8> {
    let status = status.trim();
    if status.eq_ignore_ascii_case("default") {
        return Some(LAST);
    }
    let code = status.get(..3)?.to_ascii_uppercase();
    if code == "2XX" {
        return Some(100);
    }
    match code.parse::<u16>() {
        Ok(code @ 200..=299) => u8::try_from(code - 200).ok(),
        _ => None,
    }
}

/// Returns the media types without their parameters, and their content.
fn content<'a>(documents: &'a Documents<'a>, response: &Node<'a>) -> Vec<(String, Node<'a>)> {
    let content = documents.child(response, "content");
    let entries = content.iter().flat_map(Node::entries);
    entries
        .filter_map(|(name, media)| Some((essence(name), documents.resolve(media).ok()?)))
        .collect()
}

/// Returns a media type such as `application/json; charset=utf-8` without its parameters.
fn essence(media_type: &str) -> String {
    let name = media_type.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}

/// Returns whether a media type is JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    let name = essence(media_type);
    let json = name == "application/json" || name == "text/json" || name.ends_with("+json");
    json && !is_lines(&name) || name == "*/*"
}

fn preference(name: &str) -> u8 {
    match name {
        "application/json" => 0,
        _ if is_lines(name) => 4,
        _ if name.ends_with("+json") => 1,
        "text/json" => 2,
        "*/*" | "application/*" => 3,
        "text/csv" | "application/csv" => 5,
        _ => 6,
    }
}

/// Returns `example`, and the values of `examples`.
fn examples(documents: &Documents<'_>, media: &Node<'_>) -> Vec<Value> {
    let single = media.child("example").map(|example| example.value.clone());
    let many = media.child("examples");
    let many = many
        .iter()
        .flat_map(Node::entries)
        .filter_map(|(_, example)| {
            let example = documents.resolve(example).ok()?;
            let value = example.child("value").map(|value| value.value.clone());
            // Some documents write the value directly.
            let is_wrapper = ["value", "externalValue", "summary"]
                .iter()
                .any(|key| example.value.get(*key).is_some());
            value.or_else(|| (!is_wrapper).then(|| example.value.clone()))
        });
    single.into_iter().chain(many).map(read).collect()
}

/// Returns the examples of Swagger 2.0, which are listed by media type.
fn old_examples(response: &Node<'_>) -> Vec<Value> {
    let examples = response.child("examples");
    let entries = examples.iter().flat_map(Node::entries);
    entries
        .filter(|(name, _)| is_json(name))
        .map(|(_, example)| read(example.value.clone()))
        .collect()
}

/// Parses examples that documents write as text.
fn read(example: Value) -> Value {
    let text = example.as_str().map(str::trim_start);
    let tree = text.filter(|text| text.starts_with(['{', '[']));
    match tree.and_then(|text| serde_json::from_str(text).ok()) {
        Some(tree) => tree,
        None => example,
    }
}

fn headers(documents: &Documents<'_>, response: &Node<'_>) -> IndexMap<String, String> {
    let headers = response.child("headers");
    let entries = headers.iter().flat_map(Node::entries);
    entries
        .map(|(name, header)| {
            let header = documents.resolve(header).ok();
            let said = ["description", "example"].into_iter();
            let said: Vec<String> = said.filter_map(|key| header.as_ref()?.text(key)).collect();
            (name.to_owned(), said.join("\n"))
        })
        .collect()
}
