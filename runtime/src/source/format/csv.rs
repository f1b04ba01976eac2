//! CSV: rows of values below a header line become JSON objects.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::StringRecord;

use super::BYTE_ORDER_MARK;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{RecordSchema, Shape, json};
use crate::text::{listed, lossless};

/// Converts rows to objects: the field determines the type of a value (`7` is a number for an
/// `i64`, text for a `String`); a value without a field of its name is text, and an empty value is
/// missing. A line that repeats the header is no record.
pub(super) fn json(
    body: &[u8],
    is_html: bool,
    schema: &RecordSchema,
    tell: &mut dyn FnMut(String),
) -> Result<Vec<u8>> {
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
    let header = reader.headers().map_err(failed)?.clone();
    let columns = columns(&header, schema);
    refuse_page(&text, is_html, &columns)?;
    refuse_twins(&columns)?;
    tell_of_missing(&columns, schema, tell);
    let mut list = String::with_capacity(2 * body.len() + 2);
    list.push('[');
    let (mut any, mut repeats) = (false, false);
    for row in reader.records() {
        let row = row.map_err(failed)?;
        if row == header {
            repeats = true;
            continue;
        }
        list.push_str(if std::mem::replace(&mut any, true) {
            ",{"
        } else {
            "{"
        });
        write_values(&mut list, &columns, &row)?;
        list.push('}');
    }
    list.push(']');
    if repeats {
        tell("a line of the CSV that repeats the header is no record, and is left out".to_owned());
    }
    Ok(list.into_bytes())
}

/// A name of the header, and the shape of its field.
type Column<'a> = (&'a str, Option<Shape>);

/// Returns the columns of a header. Blanks around a name belong to it only if the field has them.
fn columns<'a>(header: &'a StringRecord, schema: &RecordSchema) -> Vec<Column<'a>> {
    let shape = |name: &str| {
        let mut fields = schema.fields.iter();
        let field = fields.find(|field| field.key == name);
        field.map(|field| field.shape())
    };
    let column = |name: &'a str| match shape(name) {
        Some(shape) => (name, Some(shape)),
        None => (name.trim(), shape(name.trim())),
    };
    header.iter().map(column).collect()
}

/// Refuses a page for people in place of CSV: HTML, or what a server calls HTML and has no declared
/// column (some call everything so that a script prints).
fn refuse_page(text: &str, is_html: bool, columns: &[Column<'_>]) -> Result<()> {
    let is_page = text.trim_start().starts_with('<')
        || is_html && columns.iter().all(|(_, shape)| shape.is_none());
    match is_page {
        false => Ok(()),
        true => Err(Error::new(
            ErrorKind::Api,
            "the response is not CSV: it is a page of HTML",
        )
        .hint("the server may want other credentials, or another path")),
    }
}

/// Refuses a header with two columns of one name: a record has one value under a name.
fn refuse_twins(columns: &[Column<'_>]) -> Result<()> {
    let mut seen = HashSet::new();
    let mut names = columns.iter().map(|(name, _)| *name);
    match names.find(|name| !name.is_empty() && !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            ErrorKind::Api,
            format!("the header of the CSV has the column `{name}` twice"),
        )
        .hint("the API must give each column its own name: which value is meant is unknown")),
    }
}

/// Tells which declared columns a header lacks: they stay empty.
fn tell_of_missing(columns: &[Column<'_>], schema: &RecordSchema, tell: &mut dyn FnMut(String)) {
    let has = |key: &str| columns.iter().any(|(name, _)| *name == key);
    let fields = schema.fields.iter().map(|field| field.key);
    let missing: Vec<&str> = fields.filter(|key| !has(key)).collect();
    // An empty response has no header.
    if !missing.is_empty() && !columns.is_empty() {
        tell(format!(
            "the header of the CSV has no {}, which the struct declares",
            listed(&missing)
        ));
    }
}

/// Writes the values of a row that are not empty, each with its name.
fn write_values(list: &mut String, columns: &[Column<'_>], row: &StringRecord) -> Result<()> {
    let mut first = true;
    let mut nameless = 0;
    for (value, (name, shape)) in row.iter().zip(columns) {
        if value.is_empty() {
            continue;
        }
        nameless += usize::from(name.is_empty());
        if nameless > 1 {
            let message = "the header of the CSV has several columns without a name, and a row has values in them";
            return Err(Error::new(ErrorKind::Api, message)
                .hint("the API must give each column its own name"));
        }
        if !std::mem::take(&mut first) {
            list.push(',');
        }
        json::write_string(list, name);
        list.push(':');
        match plain(value, shape.as_ref()) {
            Some(plain) => list.push_str(&plain),
            None => json::write_string(list, value),
        }
    }
    Ok(())
}

/// Returns a value as JSON that is no string, if its field takes such; `None` if it is text.
fn plain<'a>(value: &'a str, shape: Option<&Shape>) -> Option<Cow<'a, str>> {
    match shape? {
        Shape::Bool => plain_bool(value),
        Shape::Int | Shape::Float => plain_number(value),
        // The column has JSON in its cells.
        Shape::Json | Shape::Dynamic | Shape::List(_) | Shape::Record(_) | Shape::Boxed(_) => {
            json::is_value(value).then_some(Cow::Borrowed(value))
        }
        _ => None,
    }
}

/// Refuses a text that ends within quotes, or in which a value of several lines is followed by
/// something else than a delimiter: rows behind an open quote would be part of one value.
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

fn plain_bool(value: &str) -> Option<Cow<'_, str>> {
    let lower = value.trim().to_ascii_lowercase();
    matches!(lower.as_str(), "true" | "false").then_some(Cow::Owned(lower))
}

fn plain_number(value: &str) -> Option<Cow<'_, str>> {
    let value = value.trim();
    let number = value.starts_with(|char: char| char == '-' || char.is_ascii_digit());
    (number && json::is_value(value)).then_some(Cow::Borrowed(value))
}

/// Returns the delimiter of the header line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    // If two are equally frequent, the later one in the list counts: the comma.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| count(*delimiter))
        .unwrap_or(b',')
}
