//! Finds the times of a record: when it was created, and when it last changed.

use etlgen_model::Meaning;

use indexmap::IndexMap;
use serde_json::Value;

use super::node::Node;
use super::rules::{among, rule, tells};
use super::words::words;

/// A field that holds a time.
#[derive(Clone, Debug)]
pub(super) struct Time<'a> {
    /// The dotted path of the field.
    pub path: String,
    pub node: Node<'a>,
    /// The meaning; `None` if the name does not state it (`date`, `timestamp`).
    pub meaning: Option<Meaning>,
    /// The lower, the better.
    rank: usize,
    /// Whether it is that of an event with another verb: `sold_at`, `landedAt`.
    pub is_event: bool,
}

impl Time<'_> {
    /// Returns the words of its name that are not about time in general: `sold` of `sold_at`.
    pub fn verb(&self) -> Vec<String> {
        let name = self.path.rsplit('.').next().unwrap_or_default();
        essence(&words(name))
    }

    /// Returns whether its name tells that something happened: `sold_at`, `uploadedDate`, but not
    /// `shift_date`.
    pub fn has_happened(&self) -> bool {
        let name = self.path.rsplit('.').next().unwrap_or_default();
        let words = words(name);
        let preposition = words
            .last()
            .is_some_and(|last| last == "at" || last == "on");
        let past = self.verb().last().is_some_and(|verb| verb.ends_with("ed"));
        !self.is_event || preposition || past
    }
}

/// Returns whether a word is about changes: `updated`, `change`.
pub(super) fn is_change(word: &str) -> bool {
    UPDATED.contains(&word)
}

/// Returns the words of a name without those that any time may have.
pub(super) fn essence(words: &[String]) -> Vec<String> {
    let words = words.iter().filter(|word| !PLAIN.contains(&word.as_str()));
    words.cloned().collect()
}

const UPDATED: [&str; 10] = [
    "updated",
    "modified",
    "edited",
    "changed",
    "update",
    "modification",
    "activity",
    "change",
    "lastmodified",
    "edit",
];
const CREATED: [&str; 7] = [
    "created",
    "creation",
    "inserted",
    "create",
    "added",
    "registered",
    "ctime",
];
/// Further words that the name of a time may contain.
const PLAIN: [&str; 18] = [
    "at",
    "on",
    "date",
    "time",
    "last",
    "ts",
    "utc",
    "timestamp",
    "datetime",
    "gmt",
    "dt",
    "unix",
    "when",
    "ms",
    "epoch",
    "iso",
    "system",
    "sys",
];
/// Objects whose fields belong to the record itself.
const INNER: [&str; 9] = [
    "attributes",
    "fields",
    "metadata",
    "meta",
    "properties",
    "timestamps",
    "audit",
    "dates",
    "sys",
];

/// Returns the meaning that a name gives to a time: updated, created, or unknown; `None` if the
/// time is that of something else.
pub(super) fn meaning_of(words: &[String]) -> Option<Option<Meaning>> {
    let rest: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !PLAIN.contains(word))
        .collect();
    let has_last = words.iter().any(|word| word == "last");
    match rest.as_slice() {
        [] => Some(None),
        ["activity" | "change" | "edit" | "update"]
            if rule("a change's date", !has_last && words.len() > 1) =>
        {
            Some(Some(Meaning::Updated))
        }
        ["activity"] if !has_last => None,
        [word] if among("updated", &UPDATED, word) => Some(Some(Meaning::Updated)),
        [word] if among("created", &CREATED, word) => Some(Some(Meaning::Created)),
        _ => None,
    }
}

/// Words of times that lie ahead or do not belong to the life of a record.
const PLANNED: [&str; 18] = [
    "expires",
    "expire",
    "expiry",
    "expiration",
    "due",
    "until",
    "end",
    "ends",
    "next",
    "valid",
    "scheduled",
    "planned",
    "departure",
    "arrival",
    "birth",
    "birthday",
    "opens",
    "closes",
];

/// Returns the times of a record that tell when it was created or changed, the best of each meaning
/// first, and plain ones (`date`).
pub(super) fn times<'a>(record: &Node<'a>) -> Vec<Time<'a>> {
    let mut found = all(record);
    found.retain(|time| !time.is_event);
    found
}

/// Returns the times of a record at which something happened to it, by whatever verb.
pub(super) fn events<'a>(record: &Node<'a>) -> Vec<Time<'a>> {
    let mut found = all(record);
    let planned = |time: &Time<'_>| {
        time.verb()
            .iter()
            .any(|word| PLANNED.contains(&word.as_str()))
    };
    found.retain(|time| !time.is_event || !planned(time));
    found
}

fn all<'a>(record: &Node<'a>) -> Vec<Time<'a>> {
    let mut found = Vec::new();
    gather(record, &mut Vec::new(), &mut found);
    found.sort_by_key(|time| time.rank);
    found
}

fn gather<'a>(node: &Node<'a>, path: &mut Vec<String>, found: &mut Vec<Time<'a>>) {
    let properties = node.properties();
    for (name, child) in properties.clone() {
        let words = words(&name);
        path.push(name.clone());
        if is_time(&child, &words) {
            let by_name = meaning_of(&words);
            let meaning = by_name.or_else(|| told(&child, &words, &properties).map(Some));
            // Every change moves `updated_at`; an edit is one kind of change, and a text may be about
            // a part of the record.
            let partial = 3 * usize::from(by_name.is_none())
                + 2 * usize::from(words.iter().any(|word| word == "edited" || word == "edit"));
            let plain = usize::from(meaning.flatten().is_none());
            // The record's own fields before nested ones, known meanings before plain dates.
            let rank = path.len() * 10 + plain * 5 + words.len() + partial;
            found.push(Time {
                path: path.join("."),
                node: child,
                meaning: meaning.flatten(),
                rank,
                is_event: meaning.is_none(),
            });
        } else if path.len() == 1
            && (among("inner object", &INNER, &name.to_lowercase()) || is_body(&properties, &child))
        {
            gather(&child, path, found);
        }
        path.pop();
    }
}

/// Returns the meaning according to a time's description or its neighbour, if its name has an
/// unknown verb: `last_edited_time` beside `last_edited_by`.
fn told(node: &Node<'_>, words: &[String], beside: &IndexMap<String, Node<'_>>) -> Option<Meaning> {
    let rest: Vec<&String> = words
        .iter()
        .filter(|word| !PLAIN.contains(&word.as_str()))
        .collect();
    let verb = rest.last()?;
    let text = node.description();
    let updated = [
        "last updated",
        "last modified",
        "last edited",
        "last changed",
        "was updated",
        "was modified",
        "last update",
        "last modification",
    ];
    let created = [
        "was created",
        "time of creation",
        "creation time",
        "creation date",
    ];
    // Of several words, one is the part of the record that changed.
    if tells("text of a change", &text, &updated)
        && (rest.len() == 1 || rest.len() == 2 && is_change(verb))
    {
        return Some(Meaning::Updated);
    }
    if rest.len() > 1 {
        return None;
    }
    if tells("text of a creation", &text, &created) {
        return Some(Meaning::Created);
    }
    let by = format!("last{verb}by");
    let changed = words.first().is_some_and(|first| first == "last")
        && beside.keys().any(|name| super::words::flat(name) == by);
    rule("the last one by whom", changed).then_some(Meaning::Updated)
}

/// Returns whether an object holds the record's fields because the record itself has little more
/// than an id.
fn is_body(record: &IndexMap<String, Node<'_>>, child: &Node<'_>) -> bool {
    let scalars = |properties: &IndexMap<String, Node<'_>>| {
        let scalars = properties.values().filter(|node| node.is_scalar());
        scalars.count()
    };
    let own = scalars(record);
    let bodies = record.values().filter(|node| node.is_object());
    let bodies = bodies
        .filter(|node| scalars(&node.properties()) > 1)
        .count();
    rule(
        "a record's body",
        (1..=2).contains(&own) && bodies == 1 && scalars(&child.properties()) > own + 1,
    )
}

/// Returns plain dates in nested objects, for a record that has no time itself. A nested time of
/// creation or change is that of the nested object.
pub(super) fn deep_dates<'a>(record: &Node<'a>) -> Vec<(String, Node<'a>)> {
    let mut found = Vec::new();
    deep(record, &mut Vec::new(), &mut found);
    found
}

fn deep<'a>(node: &Node<'a>, path: &mut Vec<String>, found: &mut Vec<(String, Node<'a>)>) {
    for (name, child) in node.properties() {
        let words = words(&name);
        path.push(name);
        if is_time(&child, &words) && meaning_of(&words) == Some(None) {
            found.push((path.join("."), child));
        } else if path.len() < 3 && !child.is_array() {
            deep(&child, path, found);
        }
        path.pop();
    }
}

fn is_time(node: &Node<'_>, words: &[String]) -> bool {
    if node.is_boolean() || node.is_array() || node.is_object() {
        return false;
    }
    if matches!(
        node.format(),
        Some("date-time" | "date" | "datetime" | "timestamp" | "unix-time" | "unixtime" | "time")
    ) {
        return true;
    }
    if !node.examples.is_empty() && node.is_text() && node.format().is_none() {
        return node
            .examples
            .iter()
            .any(|value| value.as_str().is_some_and(looks_dated));
    }
    let told = node.is_text() || node.is_integer() || node.is_free();
    let stamp = ["timestamp", "unix time", "epoch"];
    if node.is_integer() && tells("a timestamp told", &node.description(), &stamp) {
        return true;
    }
    let last = words.last().map(String::as_str).unwrap_or_default();
    let first = words.first().map(String::as_str).unwrap_or_default();
    let named = [
        "at",
        "on",
        "date",
        "time",
        "timestamp",
        "datetime",
        "ts",
        "updated",
        "created",
        "modified",
        "edited",
        "utc",
    ]
    .contains(&last)
        || first == "date";
    told && named
}

fn looks_dated(text: &str) -> bool {
    let digits = text.chars().take(4).filter(char::is_ascii_digit).count();
    (digits == 4 && text.get(4..5) == Some("-")) || is_epoch(text)
}

/// Returns whether a text is a number of seconds, with or without a fraction: `1403051575.000407`.
pub(super) fn is_epoch(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    whole.len() >= 10 && digits(whole) && digits(fraction)
}

/// Returns whether a value is a time in milliseconds.
pub(super) fn is_millis(value: &Value) -> bool {
    value.as_i64().is_some_and(|value| value > 100_000_000_000)
}
