//! The catalog: the streams that a source has, and those that a connection configures.

use serde_json::{Value, json};

use super::DIALECT;
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::streams::{Stream, Streams};
use crate::text::alternatives;

/// Returns the catalog of all streams that are not off.
pub(super) fn discovered(streams: &Streams) -> Value {
    let on = streams.all.iter().filter(|stream| stream.off.is_none());
    json!({"streams": on.map(entry).collect::<Vec<_>>()})
}

fn entry(stream: &Stream) -> Value {
    let mut schema = stream.schema(&DIALECT);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["additionalProperties"] = true.into();
    let modes: &[&str] = match stream.is_incremental {
        true => &["full_refresh", "incremental"],
        false => &["full_refresh"],
    };
    let mut entry = json!({
        "name": stream.name,
        "json_schema": schema,
        "supported_sync_modes": modes,
        "source_defined_primary_key": stream.key,
        "is_resumable": stream.is_incremental,
        "is_file_based": false,
    });
    if stream.is_incremental {
        entry["source_defined_cursor"] = true.into();
        entry["default_cursor_field"] = json!(stream.cursor.clone().unwrap_or_default());
    }
    entry
}

/// A stream of a connection.
pub(super) struct Wanted {
    pub stream: Stream,
    /// Whether only new and changed records are wanted.
    pub is_incremental: bool,
}

impl Wanted {
    /// Returns whether its state may be kept from run to run: that of a stream that could be read
    /// incrementally would leave records out of a full refresh.
    pub fn keeps_state(&self) -> bool {
        self.is_incremental || !self.stream.is_incremental
    }
}

/// The streams of a connection.
pub(super) struct Configured(pub Vec<Wanted>);

impl Configured {
    /// Reads a configured catalog.
    pub fn of(catalog: &Value, streams: &Streams) -> Result<Self> {
        let wrong = |what: String| Error::new(ErrorKind::Usage, what);
        let entries = catalog.get("streams").and_then(Value::as_array);
        let entries = entries.ok_or_else(|| wrong("the catalog has no `streams`".to_owned()))?;
        let wanted = entries.iter().map(|entry| {
            let name = entry.pointer("/stream/name").and_then(Value::as_str);
            let name = name.ok_or_else(|| wrong("a stream of the catalog has no name".into()))?;
            let stream = streams.find(name).ok_or_else(|| {
                let unfit = streams.unfit.iter().find(|(unfit, _)| unfit == name);
                let names: Vec<&str> = streams.all.iter().map(|it| it.name.as_str()).collect();
                match unfit {
                    Some((_, reason)) => wrong(format!("`{name}`: {reason}")),
                    None => wrong(format!("the catalog names `{name}`, which is no stream"))
                        .hint(alternatives(name, &names)),
                }
            })?;
            // PyAirbyte asks all streams for the mode; one that has only the other is read in full.
            let mode = entry.get("sync_mode").and_then(Value::as_str);
            let is_incremental = mode == Some("incremental") && stream.is_incremental;
            Ok(Wanted {
                stream: stream.clone(),
                is_incremental,
            })
        });
        wanted.collect::<Result<_>>().map(Configured)
    }
}
