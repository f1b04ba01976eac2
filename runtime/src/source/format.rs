//! The format of a response. Other formats are converted to a JSON list first, and then read as
//! JSON.

#[cfg(feature = "csv")]
mod csv;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Sent, told_error};
use crate::record::RecordSchema;
use crate::text::lossless;

/// The format of a resource's pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Json,
    /// One JSON value per line (NDJSON, JSON Lines), or each after a record separator (RFC 7464).
    Lines,
    /// Comma-separated values with a header line.
    #[cfg(feature = "csv")]
    Csv,
}

/// The character that starts a value in a JSON text sequence.
const RECORD_SEPARATOR: char = '\u{1e}';
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// The longest last line that is no record.
const LONGEST_MARK: usize = 300;

impl Format {
    /// Returns the `Accept` header, for servers with several formats.
    pub fn accept(self) -> Option<&'static str> {
        match self {
            Format::Json => None,
            Format::Lines => {
                Some("application/x-ndjson, application/jsonl, application/json;q=0.5")
            }
            #[cfg(feature = "csv")]
            Format::Csv => Some("text/csv, application/json;q=0.5"),
        }
    }

    /// Returns whether a body is one JSON value.
    pub fn is_json(self) -> bool {
        self == Format::Json
    }

    /// Returns the body as JSON. A body that is already JSON (an error, or a changed server) stays
    /// unchanged. `is_html`: the response says that it is a page for people; `tell` gets notes for
    /// the report.
    pub fn json<'a>(
        self,
        body: &'a [u8],
        is_html: bool,
        schema: &RecordSchema,
        tell: &mut dyn FnMut(String),
    ) -> Result<Cow<'a, [u8]>> {
        let list = body.trim_ascii_start().first() == Some(&b'[');
        match self {
            Format::Lines if !list => lines(body, schema).map(Cow::Owned),
            #[cfg(feature = "csv")]
            Format::Csv if !list && body.trim_ascii_start().first() != Some(&b'{') => {
                csv::json(body, is_html, schema, tell).map(Cow::Owned)
            }
            _ => {
                let _ = (schema, is_html, tell);
                Ok(Cow::Borrowed(body))
            }
        }
    }
}

/// Converts `{…}\n{…}` to `[{…},{…}]`.
fn lines(body: &[u8], schema: &RecordSchema) -> Result<Vec<u8>> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut last: &[u8] = b"";
    let mut list = Vec::with_capacity(body.len() + 2);
    list.push(b'[');
    let values = body
        .split(|byte| *byte == b'\n' || *byte == RECORD_SEPARATOR as u8)
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    for (index, value) in values.enumerate() {
        if index > 0 {
            list.push(b',');
        }
        list.extend_from_slice(value);
        let is_error =
            value.starts_with(b"{\"err") && told_error(value, &Sent::default()).is_some();
        if is_error && !is_record(value, schema) {
            return Err(ended(value, "a line is an error"));
        }
        last = value;
    }
    if (told_error(last, &Sent::default()).is_some() || is_unfinished(last))
        && !is_record(last, schema)
    {
        return Err(ended(
            last,
            "the last line says that the response is not complete",
        ));
    }
    list.push(b']');
    Ok(list)
}

/// Returns whether all keys of a line are those of a record.
fn is_record(line: &[u8], schema: &RecordSchema) -> bool {
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_slice(line).unwrap_or_default();
    let mut keys = keys.keys();
    keys.all(|key| schema.fields.iter().any(|field| field.key == key))
}

/// Returns whether a line is no record, but a flag such as `{"done": false}`.
fn is_unfinished(line: &[u8]) -> bool {
    if line.len() > LONGEST_MARK {
        return false;
    }
    let flags: BTreeMap<String, bool> = serde_json::from_slice(line).unwrap_or_default();
    let mut flags = flags.iter();
    flags.any(|(name, flag)| {
        let name = name.to_ascii_lowercase();
        !flag
            && ["done", "complete", "finish", "success"]
                .iter()
                .any(|word| name.contains(word))
    })
}

/// Returns the error of a response that a line ends early.
fn ended(line: &[u8], what: &str) -> Error {
    let line: String = lossless(line).chars().take(LONGEST_MARK).collect();
    Error::new(ErrorKind::Api, format!("{what}: {line}"))
        .hint("the API stopped while it sent the records: run again later")
}
