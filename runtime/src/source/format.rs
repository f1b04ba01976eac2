//! The format of a response. Other formats are converted to a JSON list first, and then read as
//! JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Sent, told_error};
use crate::record::RecordSchema;
#[cfg(feature = "csv")]
use crate::record::json;
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
    /// unchanged.
    pub fn json<'a>(self, body: &'a [u8], schema: &RecordSchema) -> Result<Cow<'a, [u8]>> {
        let list = body.trim_ascii_start().first() == Some(&b'[');
        match self {
            Format::Lines if !list => lines(body, schema).map(Cow::Owned),
            #[cfg(feature = "csv")]
            Format::Csv if !list && body.trim_ascii_start().first() != Some(&b'{') => {
                csv(body, schema).map(Cow::Owned)
            }
            _ => {
                let _ = schema;
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

/// Converts rows to objects: the field determines the type of a value (`7` is a number for an
/// `i64`, text for a `String`); a value without a field of its name is text, and an empty value is
/// missing.
#[cfg(feature = "csv")]
fn csv(body: &[u8], schema: &RecordSchema) -> Result<Vec<u8>> {
    use crate::record::Shape;

    let failed = |error: csv::Error| {
        Error::new(ErrorKind::Api, format!("the response is not CSV: {error}"))
            .hint("a row with more or fewer values than the header has names cannot be assigned to columns")
    };
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let text = lossless(body);
    check_quotes(text.as_bytes(), delimiter(&text))?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(failed)?.clone();
    let shapes: Vec<Option<Shape>> = names
        .iter()
        .map(|name| {
            let mut fields = schema.fields.iter();
            fields
                .find(|field| field.key == name)
                .map(|field| field.shape())
        })
        .collect();
    let mut list = String::with_capacity(2 * body.len() + 2);
    list.push('[');
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(failed)?;
        list.push_str(if index > 0 { ",{" } else { "{" });
        let mut first = true;
        for ((name, value), shape) in names.iter().zip(&row).zip(&shapes) {
            if value.is_empty() {
                continue;
            }
            if !std::mem::take(&mut first) {
                list.push(',');
            }
            json::write_string(&mut list, name);
            list.push(':');
            let value = match shape {
                Some(Shape::Bool) => plain_bool(value),
                Some(Shape::Int | Shape::Float) => plain_number(value),
                // The column has JSON in its cells.
                Some(
                    Shape::Json
                    | Shape::Dynamic
                    | Shape::List(_)
                    | Shape::Record(_)
                    | Shape::Boxed(_),
                ) => json::is_value(value).then_some(Cow::Borrowed(value)),
                _ => None,
            }
            .map_or_else(|| Err(value), Ok);
            match value {
                Ok(plain) => list.push_str(&plain),
                Err(text) => json::write_string(&mut list, text),
            }
        }
        list.push('}');
    }
    list.push(']');
    Ok(list.into_bytes())
}

/// Refuses a text that ends within quotes, or in which a value of several lines is followed by
/// something else than a delimiter: rows behind an open quote would be part of one value.
#[cfg(feature = "csv")]
fn check_quotes(text: &[u8], delimiter: u8) -> Result<()> {
    let (mut at, mut line) = (0, 1);
    let ends = |byte: Option<&u8>| match byte {
        Some(byte) => *byte == delimiter || matches!(byte, b'\n' | b'\r'),
        None => true,
    };
    while at < text.len() {
        let (begins, mut lines) = (line, 0);
        let mut fault = None;
        if text[at] == b'"' {
            at += 1;
            loop {
                match (text.get(at), text.get(at + 1)) {
                    (None, _) => {
                        fault = Some("is not closed");
                        break;
                    }
                    (Some(b'"'), Some(b'"')) => at += 2,
                    (Some(b'"'), next) => {
                        at += 1;
                        if lines > 0 && !ends(next) {
                            fault = Some("is closed within a value");
                        }
                        break;
                    }
                    (Some(byte), _) => {
                        lines += u64::from(*byte == b'\n');
                        at += 1;
                    }
                }
            }
        }
        if let Some(fault) = fault {
            let message = format!("the response is not CSV: the quote in line {begins} {fault}");
            return Err(Error::new(ErrorKind::Api, message)
                .hint("the response was probably cut off: run again later"));
        }
        line += lines;
        while !ends(text.get(at)) {
            at += 1;
        }
        line += u64::from(text.get(at) == Some(&b'\n'));
        at += 1;
    }
    Ok(())
}

#[cfg(feature = "csv")]
fn plain_bool(value: &str) -> Option<Cow<'_, str>> {
    let lower = value.trim().to_ascii_lowercase();
    matches!(lower.as_str(), "true" | "false").then_some(Cow::Owned(lower))
}

#[cfg(feature = "csv")]
fn plain_number(value: &str) -> Option<Cow<'_, str>> {
    let value = value.trim();
    let number = value.starts_with(|char: char| char == '-' || char.is_ascii_digit());
    (number && json::is_value(value)).then_some(Cow::Borrowed(value))
}

/// Returns the delimiter of the header line.
#[cfg(feature = "csv")]
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    // If two are equally frequent, the later one in the list counts: the comma.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| count(*delimiter))
        .unwrap_or(b',')
}
