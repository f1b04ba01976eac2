//! Lists within a record of which their own object says that they continue: by a flag, a token or a
//! link, or a total that is larger than the list.

use serde_json::Value;

use super::layout::{RecordRef, ValueRef};
use super::schema::{RecordSchema, Shape, nested};

/// What a key beside a list says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// More follows, if it is true or more than 0.
    More,
    /// More follows, if it is a text.
    Next,
    /// The number of all items.
    Total,
    /// It is an object with statements about the list.
    Holder,
    /// Nothing, but such keys stand beside lists.
    Idle,
}

/// Returns what a key says about the list beside it; `None`: the key is one of a record.
pub(crate) type Saying = fn(&str) -> Option<Said>;

/// A value as far as it matters to a list.
enum Fact {
    Array(u64),
    Number(u64),
    Yes,
    Text,
    Object,
    Other,
}

/// A key of an object, its value, and the values below it if it is an object with statements.
struct Part<'a> {
    key: &'a str,
    said: Option<Said>,
    fact: Fact,
    below: Vec<(Option<Said>, Fact)>,
}

/// Returns the keys of the lists of an object that continue; `""` stands for the only one of it.
/// `is_record`: the object is a record, whose `total` and `next` are its own.
fn open<'a>(parts: &[Part<'a>], is_record: bool) -> Vec<&'a str> {
    let lists = || {
        parts.iter().filter_map(|part| match part.fact {
            Fact::Array(length) => Some((part.key, length)),
            _ => None,
        })
    };
    let mut found: Vec<&str> = lists()
        .filter(|(list, length)| {
            parts.iter().any(|part| {
                matches!(part.fact, Fact::Number(count) if count > *length)
                    && counts(part.key, list)
            })
        })
        .map(|(list, _)| list)
        .collect();
    let Some(longest) = lists()
        .map(|(_, length)| length)
        .max()
        .filter(|_| !is_record)
    else {
        return found;
    };
    let others = || {
        parts
            .iter()
            .filter(|part| !matches!(part.fact, Fact::Array(_)))
    };
    let is_page = others().all(|part| part.said.is_some());
    let says = |said: Option<Said>, fact: &Fact| match (said, fact) {
        (Some(Said::More), Fact::Yes) => true,
        (Some(Said::More), Fact::Number(rest)) => *rest > 0,
        (Some(Said::Next), Fact::Text | Fact::Object) => true,
        (Some(Said::Next), Fact::Number(page)) => *page > 0,
        (Some(Said::Total), Fact::Number(total)) => *total > longest,
        _ => false,
    };
    let goes_on = others().any(|part| {
        is_page && says(part.said, &part.fact)
            || part.below.iter().any(|(said, fact)| says(*said, fact))
    });
    if goes_on {
        found.push("");
    }
    found
}

/// Returns whether a key names the number of items of a list: `tags_count`, `tagCount`, `totalTags`,
/// `num_tags` beside `tags`.
fn counts(key: &str, list: &str) -> bool {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let (key, list) = (plain(key), plain(list));
    let one = list.strip_suffix('s').unwrap_or(&list);
    let is_list = |rest: &str| !rest.is_empty() && (rest == list || rest == one);
    let after = ["total", "num", "numberof", "countof"];
    key.strip_suffix("count").is_some_and(is_list)
        || (after.iter()).any(|word| key.strip_prefix(word).is_some_and(|rest| rest == list))
}

/// Returns whether a key may name the number of items of some list.
pub(super) fn may_count(key: &str) -> bool {
    ["ount", "otal", "num"]
        .iter()
        .any(|part| key.contains(part))
}

/// Finds the lists of a JSON value that continue; `found` receives the keys of each.
pub(super) fn search(
    value: &Value,
    saying: Saying,
    is_record: bool,
    keys: &mut Vec<String>,
    found: &mut dyn FnMut(&[String]),
) {
    match value {
        Value::Array(items) => {
            (items.iter()).for_each(|item| search(item, saying, true, keys, found));
        }
        Value::Object(object) => {
            if object.values().any(Value::is_array) {
                let parts: Vec<Part<'_>> = object
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| part(key, saying, fact(value), || below(value, saying)))
                    .collect();
                tell(&open(&parts, is_record), keys, found);
            }
            for (key, value) in object {
                keys.push(key.clone());
                search(value, saying, false, keys, found);
                keys.pop();
            }
        }
        _ => {}
    }
}

/// The same in a record that was read, without its drift.
pub(super) fn search_record(
    record: RecordRef<'_>,
    saying: Saying,
    is_record: bool,
    keys: &mut Vec<String>,
    found: &mut dyn FnMut(&[String]),
) {
    let fields = record.schema().fields;
    let each = || {
        fields
            .iter()
            .enumerate()
            .map(|(at, field)| (field.key, record.get(at)))
    };
    if each().any(|(_, value)| matches!(value, ValueRef::List(_))) {
        let parts: Vec<Part<'_>> = each()
            .filter(|(_, value)| !matches!(value, ValueRef::Null))
            .map(|(key, value)| {
                part(key, saying, fact_of(value), || match value {
                    ValueRef::Record(record) => {
                        let fields = record.schema().fields.iter().enumerate();
                        let value = |(at, field): (usize, &super::schema::FieldSchema)| {
                            (saying(field.key), fact_of(record.get(at)))
                        };
                        fields.map(value).collect()
                    }
                    _ => Vec::new(),
                })
            })
            .collect();
        tell(&open(&parts, is_record), keys, found);
    }
    for (key, value) in each() {
        keys.push(key.to_owned());
        search_value(value, saying, false, keys, found);
        keys.pop();
    }
}

fn search_value(
    value: ValueRef<'_>,
    saying: Saying,
    is_record: bool,
    keys: &mut Vec<String>,
    found: &mut dyn FnMut(&[String]),
) {
    match value {
        ValueRef::Record(record) => search_record(record, saying, is_record, keys, found),
        ValueRef::List(list) => {
            (0..list.len()).for_each(|at| search_value(list.get(at), saying, true, keys, found))
        }
        _ => {}
    }
}

/// Returns whether records of a schema may have a list beside which something is said about it.
pub(super) fn may_say(schema: &'static RecordSchema, saying: Saying, depth: usize) -> bool {
    let is_list = |shape: Shape| matches!(shape, Shape::List(_));
    let lists = || schema.fields.iter().filter(|field| is_list(field.shape()));
    let mut names = schema.fields.iter().map(|field| field.key);
    let says = |key: &str| {
        let said = saying(key).is_some_and(|said| said != Said::Idle);
        said || lists().any(|list| counts(key, list.key))
    };
    lists().next().is_some() && names.any(says)
        || depth > 0
            && (schema
                .fields
                .iter()
                .filter_map(|field| nested(field.shape())))
            .any(|below| may_say(below, saying, depth - 1))
}

fn tell(open: &[&str], keys: &mut Vec<String>, found: &mut dyn FnMut(&[String])) {
    for list in open {
        match list.is_empty() {
            true => found(keys),
            false => {
                keys.push((*list).to_owned());
                found(keys);
                keys.pop();
            }
        }
    }
}

fn part<'a>(
    key: &'a str,
    saying: Saying,
    fact: Fact,
    below: impl FnOnce() -> Vec<(Option<Said>, Fact)>,
) -> Part<'a> {
    let said = saying(key);
    let holds = said == Some(Said::Holder) || matches!(fact, Fact::Object) && said.is_some();
    Part {
        key,
        said,
        fact,
        below: if holds { below() } else { Vec::new() },
    }
}

fn below(value: &Value, saying: Saying) -> Vec<(Option<Said>, Fact)> {
    let object = value.as_object().into_iter().flatten();
    object
        .map(|(key, value)| (saying(key), fact(value)))
        .collect()
}

fn fact(value: &Value) -> Fact {
    match value {
        Value::Array(items) => Fact::Array(items.len() as u64),
        Value::Bool(true) => Fact::Yes,
        Value::Number(number) => number.as_u64().map_or(Fact::Other, Fact::Number),
        Value::String(text) => fact_of_text(text),
        Value::Object(_) => Fact::Object,
        _ => Fact::Other,
    }
}

fn fact_of(value: ValueRef<'_>) -> Fact {
    match value {
        ValueRef::List(list) => Fact::Array(list.len() as u64),
        ValueRef::Bool(true) => Fact::Yes,
        ValueRef::Int(number) => u64::try_from(*number).map_or(Fact::Other, Fact::Number),
        ValueRef::String(text) => fact_of_text(text),
        ValueRef::Record(_) => Fact::Object,
        _ => Fact::Other,
    }
}

fn fact_of_text(text: &str) -> Fact {
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match text.parse::<u64>() {
        Ok(number) => Fact::Number(number),
        Err(_) if is("true") || is("yes") => Fact::Yes,
        Err(_) if text.is_empty() || is("false") || is("no") || is("null") => Fact::Other,
        Err(_) => Fact::Text,
    }
}
