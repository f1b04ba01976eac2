//! Drift: data that the API sent and the struct does not declare.

use std::borrow::Cow;
use std::fmt;

use super::layout::{RecordMut, Slot};
use super::{Json, JsonRef, json};

/// Data that the API sent and the struct does not declare: unknown keys, and values that do not fit
/// their field, each with its raw JSON. It mirrors the record, and is empty if everything fits.
///
/// All of it is loaded, unless a closure of the connector removes it. The drift of a nested record
/// or of an item of a list belongs to that value: if the closure sets the field to `None`, or
/// changes the length of the list, its drift is not loaded.
#[derive(Clone, Default, PartialEq)]
pub struct Drift(pub(crate) Option<Box<Content>>);

/// The drift at one path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// The raw JSON of a value that does not fit.
    Raw(Box<str>),
    /// Another value for a key that already has one.
    Again(Box<str>),
    /// The drift at some keys of the record.
    Record(Vec<Entry>),
    /// The drift of some items of the list, by their index; the number is the length of the list.
    List(usize, Vec<(usize, Content)>),
}

/// The drift at one key of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub key: Cow<'static, str>,
    /// The index of the field, if the struct has the key.
    pub field: Option<u32>,
    pub content: Content,
}

impl Drift {
    pub(crate) fn new(content: Option<Content>) -> Self {
        Drift(content.map(Box::new))
    }

    /// Returns whether the record has no drift.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the JSON at these keys, joined with dots (an item of a list by its index, from 0),
    /// if it is drift. For a parameter use [`Drift::text`].
    pub fn get(&self, path: &str) -> Option<JsonRef<'_>> {
        let keys: Vec<&str> = path.split('.').collect();
        find(self.0.as_deref()?, &keys).map(JsonRef::from_raw)
    }

    /// Returns the text at these keys: a string without its quotes, a number or a boolean
    /// unchanged.
    pub fn text(&self, path: &str) -> Option<String> {
        self.get(path)?.text()
    }

    /// Removes the drift at that key of the record itself, so that it is not loaded, and returns its JSON.
    pub fn take(&mut self, key: &str) -> Option<Json> {
        let Some(Content::Record(entries)) = self.0.as_deref_mut() else {
            return None;
        };
        let at = entries.iter().position(|entry| {
            entry.key == key && matches!(entry.content, Content::Raw(_) | Content::Again(_))
        })?;
        let entry = entries.remove(at);
        if entries.is_empty() {
            self.0 = None;
        }
        match entry.content {
            Content::Raw(raw) | Content::Again(raw) => Some(Json::from_raw(raw)),
            _ => None,
        }
    }

    /// Removes all drift, so that none is loaded.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Puts scalars that do not fit their field into fields that can hold their text unchanged: a
    /// number into a text field, `"7"` into a field of numbers.
    pub(crate) fn lend(&self, record: RecordMut<'_>) {
        if let Some(content) = self.0.as_deref() {
            lend(content, record);
        }
    }

    /// Iterates over all drift, as (keys joined with dots, raw JSON), in the order in which it
    /// arrived.
    pub fn iter(&self) -> impl Iterator<Item = (String, &str)> {
        let mut out = Vec::new();
        if let Some(content) = self.0.as_deref() {
            collect(content, "", &mut out);
        }
        out.into_iter()
    }
}

impl fmt::Debug for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

pub(crate) fn find<'a>(content: &'a Content, keys: &[&str]) -> Option<&'a str> {
    match content {
        Content::Raw(raw) | Content::Again(raw) => json::find(raw, keys.iter().copied()),
        Content::Record(entries) => {
            let (first, rest) = keys.split_first()?;
            entries
                .iter()
                .filter(|entry| entry.key == *first)
                .find_map(|entry| find(&entry.content, rest))
        }
        Content::List(_, items) => {
            let (first, rest) = keys.split_first()?;
            let at = items
                .binary_search_by_key(&first.parse().ok()?, |item| item.0)
                .ok()?;
            find(&items[at].1, rest)
        }
    }
}

fn lend(content: &Content, mut record: RecordMut<'_>) {
    let Content::Record(entries) = content else {
        return;
    };
    for Entry { field, content, .. } in entries {
        let Some(field) = field else { continue };
        match (record.slot(*field as usize), content) {
            (Slot::Record(slot), Content::Record(_)) => {
                if let Some(below) = slot.there() {
                    lend(content, below);
                }
            }
            (slot, Content::Raw(raw)) => {
                if let Some(text) = json::scalar_text(raw) {
                    lend_text(slot, text);
                }
            }
            _ => {}
        }
    }
}

/// Fills a field without a value, if its value is written like the text.
fn lend_text(slot: Slot<'_>, text: String) {
    match slot {
        Slot::String(slot @ None) => *slot = Some(text),
        Slot::Int(slot @ None) => {
            let number = text.parse::<i64>().ok();
            *slot = number.filter(|number| number.to_string() == text);
        }
        Slot::Bool(slot @ None) => *slot = text.parse().ok(),
        _ => {}
    }
}

fn collect<'a>(content: &'a Content, path: &str, out: &mut Vec<(String, &'a str)>) {
    let below = |key: &dyn fmt::Display| {
        if path.is_empty() {
            key.to_string()
        } else {
            format!("{path}.{key}")
        }
    };
    match content {
        Content::Raw(raw) | Content::Again(raw) => out.push((path.to_owned(), raw)),
        Content::Record(entries) => {
            for entry in entries {
                collect(&entry.content, &below(&entry.key), out);
            }
        }
        Content::List(_, items) => {
            for (index, content) in items {
                collect(content, &below(index), out);
            }
        }
    }
}
