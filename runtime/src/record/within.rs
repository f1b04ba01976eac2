//! Lists within a record of which their own object says that they continue: by a flag, a token or a
//! link, or a total that is larger than the list.

mod named;
mod sayers;

use serde_json::Value;

pub(super) use self::named::may_name;
use self::named::{about, holds_counts, is_cut, is_embedded};
pub(super) use self::sayers::Sayers;

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
    below: Vec<Below<'a>>,
}

/// A value of an object with statements.
struct Below<'a> {
    key: &'a str,
    said: Option<Said>,
    fact: Fact,
}

/// The keys that lead from an object to a list of it: that of an object between them, if there is one,
/// and that of the list. `None`: the only list of the object.
type Found<'a> = Option<(Option<&'a str>, &'a str)>;

/// Returns the lists of an object that continue. `is_record`: the object is a record, whose `total` and
/// `next` are its own.
fn open<'a>(parts: &[Part<'a>], is_record: bool) -> Vec<Found<'a>> {
    let own = parts.iter().filter_map(|part| match part.fact {
        Fact::Array(length) => Some((None, part.key, length)),
        _ => None,
    });
    let embedded = parts.iter().filter(|part| is_embedded(part.key));
    let embedded = embedded.flat_map(|part| {
        part.below.iter().filter_map(|below| match below.fact {
            Fact::Array(length) => Some((Some(part.key), below.key, length)),
            _ => None,
        })
    });
    let lists: Vec<_> = own.chain(embedded).collect();
    let is_only = lists.len() == 1;
    let mut found: Vec<Found<'a>> = lists
        .iter()
        .filter(|(_, list, length)| {
            parts.iter().any(|part| {
                about(part.key, list).is_some_and(|said| goes_on(said, &part.fact, *length))
                    || is_record
                        && is_only
                        && is_cut(part.key)
                        && goes_on(Said::More, &part.fact, *length)
                    || holds_counts(part.key)
                        && part.below.iter().any(|below| {
                            named::counts_below(below.key, list)
                                && goes_on(Said::Total, &below.fact, *length)
                        })
            })
        })
        .map(|(holder, list, _)| Some((*holder, *list)))
        .collect();
    let longest = lists.iter().filter(|(holder, ..)| holder.is_none());
    let Some(longest) = longest
        .map(|(.., length)| *length)
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
        (Some(Said::Next), Fact::Object) => true,
        (Some(said), fact) => goes_on(said, fact, longest),
        (None, _) => false,
    };
    let is_said = others().any(|part| {
        is_page && says(part.said, &part.fact)
            || part.said.is_some() && part.below.iter().any(|below| says(below.said, &below.fact))
    });
    if is_said {
        found.push(None);
    }
    found
}

/// Returns whether a value says that a list of this length continues.
fn goes_on(said: Said, fact: &Fact, length: u64) -> bool {
    match (said, fact) {
        (Said::More, Fact::Yes) | (Said::Next, Fact::Text) => true,
        (Said::More | Said::Next, Fact::Number(number)) => *number > 0,
        (Said::Total, Fact::Number(total)) => *total > length,
        _ => false,
    }
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
            let has_list = |(key, value): (&String, &Value)| {
                value.is_array() || value.is_object() && is_embedded(key)
            };
            if object.iter().any(has_list) {
                let parts: Vec<Part<'_>> = object
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(key, value)| match is_record {
                        true => part(key, None, fact(value), || below(value, saying)),
                        false => part(key, saying(key), fact(value), || below(value, saying)),
                    })
                    .collect();
                tell(&open(&parts, is_record), keys, found);
            }
            for (key, value) in object {
                if value.is_object() || value.is_array() {
                    keys.push(key.clone());
                    search(value, saying, false, keys, found);
                    keys.pop();
                }
            }
        }
        _ => {}
    }
}

fn tell(open: &[Found<'_>], keys: &mut Vec<String>, found: &mut dyn FnMut(&[String])) {
    for list in open {
        let length = keys.len();
        if let Some((holder, list)) = list {
            keys.extend(holder.map(str::to_owned));
            keys.push((*list).to_owned());
        }
        found(keys);
        keys.truncate(length);
    }
}

fn part<'a>(
    key: &'a str,
    said: Option<Said>,
    fact: Fact,
    below: impl FnOnce() -> Vec<Below<'a>>,
) -> Part<'a> {
    let is_object = matches!(fact, Fact::Object);
    let named = || holds_counts(key) || is_embedded(key);
    let holds = said == Some(Said::Holder) || is_object && (said.is_some() || named());
    Part {
        key,
        said,
        fact,
        below: if holds { below() } else { Vec::new() },
    }
}

fn below(value: &Value, saying: Saying) -> Vec<Below<'_>> {
    let object = value.as_object().into_iter().flatten();
    object
        .map(|(key, value)| Below {
            key,
            said: saying(key),
            fact: fact(value),
        })
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
