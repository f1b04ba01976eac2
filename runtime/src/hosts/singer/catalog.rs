//! The catalog: the streams that a tap has, and those that a run selects.

use serde_json::{Map, Value, json};

use super::DIALECT;
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::streams::{Stream, Streams};
use crate::record::SelectRule;
use crate::text::alternatives;

/// Returns the catalog of all streams.
pub(super) fn discovered(streams: &Streams) -> Value {
    json!({"streams": streams.all.iter().map(entry).collect::<Vec<_>>()})
}

fn entry(stream: &Stream) -> Value {
    let schema = stream.schema(&DIALECT);
    let method = match stream.cursor {
        Some(_) => "INCREMENTAL",
        None => "FULL_TABLE",
    };
    let key = key(stream);
    let cursor = cursor(stream);
    let mut root = json!({
        "inclusion": "available",
        "selected": stream.off.is_none(),
        "selected-by-default": stream.off.is_none(),
        "table-key-properties": key,
        "forced-replication-method": method,
    });
    if let Some(cursor) = &cursor {
        root["valid-replication-keys"] = json!([cursor]);
    }
    let mut metadata = vec![json!({"breadcrumb": [], "metadata": root})];
    fields(&schema, (stream, &[], &[]), &mut metadata);
    json!({
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "schema": schema,
        "key_properties": key,
        "replication_key": cursor,
        "replication_method": method,
        "is_view": false,
        "metadata": metadata,
    })
}

/// Returns the properties that identify a record.
pub(super) fn key(stream: &Stream) -> Vec<&str> {
    let parts = stream.key.iter();
    parts
        .filter_map(|part| part.first())
        .map(String::as_str)
        .collect()
}

/// Returns the property whose highest value is remembered; a nested one cannot be named.
pub(super) fn cursor(stream: &Stream) -> Option<&str> {
    match stream.cursor.as_deref() {
        Some([key]) => Some(key),
        _ => None,
    }
}

/// Adds the metadata of the fields of an object, and of those within them.
fn fields(
    schema: &Value,
    (stream, crumbs, path): (&Stream, &[String], &[String]),
    out: &mut Vec<Value>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, below) in properties.into_iter().flatten() {
        let crumbs = [crumbs, &["properties".to_owned(), key.clone()]].concat();
        let path = [path, std::slice::from_ref(key)].concat();
        let inclusion = match stream.needs(&path) {
            true => "automatic",
            false => "available",
        };
        out.push(json!({"breadcrumb": crumbs, "metadata": {"inclusion": inclusion}}));
        fields(below, (stream, &crumbs, &path), out);
    }
}

/// The streams of a run, and the fields that they leave out.
pub(super) struct Selected {
    pub streams: Vec<(Stream, Vec<Vec<String>>)>,
}

impl Selected {
    /// Selects all that are not off.
    pub fn all(streams: &Streams) -> Self {
        let on = streams.all.iter().filter(|stream| stream.off.is_none());
        Selected {
            streams: on.map(|stream| (stream.clone(), Vec::new())).collect(),
        }
    }

    /// Selects what a catalog says.
    pub fn of(catalog: &Value, streams: &Streams) -> Result<Self> {
        let entries = catalog.get("streams").and_then(Value::as_array);
        let entries = entries.ok_or_else(|| {
            let message = "the catalog has no `streams`";
            Error::new(ErrorKind::Usage, message)
        })?;
        let mut selected = Vec::new();
        for entry in entries {
            let metadata = metadata(entry);
            let legacy = entry.pointer("/schema/selected").and_then(Value::as_bool);
            let root = metadata.iter().find(|(path, _)| path.is_empty());
            if !root.is_none_or(|(_, metadata)| is_selected(metadata, legacy.unwrap_or(false))) {
                continue;
            }
            let name = entry.get("tap_stream_id").and_then(Value::as_str);
            let name = name.unwrap_or_default();
            let stream = streams.find(name).ok_or_else(|| unknown(name, streams))?;
            let without = metadata.iter().filter(|(path, metadata)| {
                !path.is_empty() && !is_selected(metadata, true) && !stream.needs(path)
            });
            let without = without.map(|(path, _)| path.clone()).collect();
            selected.push((stream.clone(), without));
        }
        Ok(Selected { streams: selected })
    }

    /// Returns the names of the streams.
    pub fn names(&self) -> Vec<String> {
        let streams = self.streams.iter();
        streams.map(|(stream, _)| stream.name.clone()).collect()
    }

    /// Returns the rules that leave fields out.
    pub fn rules(&self) -> Vec<SelectRule> {
        let streams = self.streams.iter();
        let rules = streams.flat_map(|(stream, without)| {
            let without = without.iter();
            without.map(|path| SelectRule::without(&stream.name, path.clone()))
        });
        rules.collect()
    }
}

fn unknown(name: &str, streams: &Streams) -> Error {
    let unfit = streams.unfit.iter().find(|(unfit, _)| unfit == name);
    match unfit {
        Some((_, reason)) => Error::new(ErrorKind::Usage, format!("`{name}`: {reason}")),
        None => {
            let names: Vec<&str> = streams.all.iter().map(|it| it.name.as_str()).collect();
            Error::new(
                ErrorKind::Usage,
                format!("the catalog selects `{name}`, which is no stream"),
            )
            .hint(alternatives(name, &names))
        }
    }
}

/// Returns the metadata of an entry, each with the path of its field; empty for the stream.
fn metadata(entry: &Value) -> Vec<(Vec<String>, &Map<String, Value>)> {
    let all = entry.get("metadata").and_then(Value::as_array);
    let each = all.into_iter().flatten().filter_map(|it| {
        let crumbs = it.get("breadcrumb")?.as_array()?.iter();
        let crumbs: Option<Vec<&str>> = crumbs.map(Value::as_str).collect();
        Some((path(&crumbs?), it.get("metadata")?.as_object()?))
    });
    each.collect()
}

/// Returns the keys in a breadcrumb: `["properties", "a", "items", "properties", "b"]` is `a.b`.
fn path(crumbs: &[&str]) -> Vec<String> {
    match crumbs {
        ["properties", key, rest @ ..] => {
            let mut keys = vec![(*key).to_owned()];
            keys.extend(path(rest));
            keys
        }
        [_, rest @ ..] => path(rest),
        [] => Vec::new(),
    }
}

fn is_selected(metadata: &Map<String, Value>, default: bool) -> bool {
    let flag = |key: &str| metadata.get(key).and_then(Value::as_bool);
    let inclusion = metadata.get("inclusion").and_then(Value::as_str);
    match inclusion {
        Some("automatic") => true,
        Some("unsupported") => false,
        _ => flag("selected")
            .or_else(|| flag("selected-by-default"))
            .unwrap_or(default),
    }
}
