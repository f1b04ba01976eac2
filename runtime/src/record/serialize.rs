//! Writes records as JSON, if they are nested too deeply for columns, and to hash their content.

use super::drift::Content;
use super::json::write_string;
use super::layout::{ListRef, RecordRef, ValueRef};

/// Writes a value and its drift as JSON. The same value gives the same text.
pub(crate) fn write(out: &mut String, value: ValueRef<'_>, drift: Option<&Content>) {
    match (value, drift) {
        (ValueRef::Record(record), drift) => write_record(out, record, drift),
        (ValueRef::List(list), drift) => write_list(out, list, drift),
        (value, _) => write_scalar(out, value),
    }
}

fn write_scalar(out: &mut String, value: ValueRef<'_>) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match value {
        ValueRef::Null | ValueRef::Record(_) | ValueRef::List(_) => write!(out, "null"),
        ValueRef::Int(value) => write!(out, "{value}"),
        // This is the shortest text that parses to the same double.
        ValueRef::Float(value) if value.is_finite() => write!(out, "{value:?}"),
        ValueRef::Float(_) => write!(out, "null"),
        ValueRef::Bool(value) => write!(out, "{value}"),
        ValueRef::Decimal(value) => write!(out, "{value}"),
        ValueRef::Timestamp(value) => write!(out, "\"{value}\""),
        ValueRef::UnixTime(value) => write!(out, "\"{value}\""),
        ValueRef::UnixMillis(value) => write!(out, "\"{value}\""),
        ValueRef::Date(value) => write!(out, "\"{value}\""),
        ValueRef::Uuid(value) => write!(out, "\"{value}\""),
        ValueRef::Bytes(value) => write!(out, "\"{value}\""),
        ValueRef::Json(value) => write!(out, "{value}"),
        ValueRef::Dynamic(value) => write!(out, "{value}"),
        ValueRef::String(value) => {
            write_string(out, value);
            Ok(())
        }
    };
}

pub(crate) fn write_record(out: &mut String, record: RecordRef<'_>, drift: Option<&Content>) {
    if let Some(json) = record.whole() {
        out.push_str(json.as_str());
        return;
    }
    let entries = match drift {
        Some(Content::Record(entries)) => entries.as_slice(),
        // The record was not an object: all of it is drift.
        Some(Content::Raw(raw)) => return out.push_str(raw),
        _ => &[],
    };
    out.push('{');
    let mut separator = "";
    for (index, field) in record.schema().fields.iter().enumerate() {
        let value = record.get(index);
        if !matches!(value, ValueRef::Null) {
            out.push_str(separator);
            separator = ",";
            write_string(out, field.key);
            out.push(':');
            let drift = entries.iter().find(|entry| {
                entry.field == Some(index as u32)
                    && matches!(entry.content, Content::Record(_) | Content::List(..))
            });
            write(out, value, drift.map(|entry| &entry.content));
        }
    }
    for entry in entries {
        if let Content::Raw(raw) | Content::Again(raw) = &entry.content {
            out.push_str(separator);
            separator = ",";
            write_string(out, &entry.key);
            out.push(':');
            out.push_str(raw);
        }
    }
    out.push('}');
}

fn write_list(out: &mut String, list: ListRef<'_>, drift: Option<&Content>) {
    out.push('[');
    for (index, (value, drift)) in items(list, drift).enumerate() {
        if index > 0 {
            out.push(',');
        }
        match drift {
            Some(Content::Raw(raw)) => out.push_str(raw),
            drift => write(out, value, drift),
        }
    }
    out.push(']');
}

/// Returns the items of a list in their original order: each is a value with its drift, or (`Null`,
/// its raw JSON). If the length of the list has changed, its items have lost their positions, and
/// their drift is left out.
pub(crate) fn items<'a>(
    list: ListRef<'a>,
    drift: Option<&'a Content>,
) -> impl Iterator<Item = (ValueRef<'a>, Option<&'a Content>)> {
    let (len, drift) = match drift {
        Some(Content::List(len, items)) => (*len, items.as_slice()),
        _ => (list.len(), &[][..]),
    };
    let is_raw = |content: &Content| matches!(content, Content::Raw(_) | Content::Again(_));
    let raw = drift.iter().filter(|(_, content)| is_raw(content)).count();
    let same = list.len() + raw == len;
    let mut drift = drift
        .iter()
        .filter(move |(_, content)| same || is_raw(content))
        .peekable();
    let mut next = 0;
    let total = list.len() + raw;
    (0..total).map(move |place| {
        // Beyond the end of a list that became shorter, the position no longer matters.
        let due = |at: usize| at == place || next >= list.len();
        match drift.next_if(|(at, _)| due(*at)) {
            Some((_, content)) if is_raw(content) => (ValueRef::Null, Some(content)),
            found => {
                let value = list.get(next);
                next += 1;
                (value, found.map(|(_, content)| content))
            }
        }
    })
}
