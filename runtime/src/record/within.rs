//! Lists within a record of which their own object says that they continue: by a flag, a token or a
//! link, or a total that is larger than the list.

mod sayers;

use serde_json::Value;

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
                    && may_count(part.key)
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
                    .map(|(key, value)| match is_record {
                        true => Part::of_a_record(key, fact(value)),
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
    said: Option<Said>,
    fact: Fact,
    below: impl FnOnce() -> Vec<(Option<Said>, Fact)>,
) -> Part<'a> {
    let holds = said == Some(Said::Holder) || matches!(fact, Fact::Object) && said.is_some();
    Part {
        key,
        said,
        fact,
        below: if holds { below() } else { Vec::new() },
    }
}

impl<'a> Part<'a> {
    /// Returns a key of a record: no key of it is about a list but one that counts it.
    fn of_a_record(key: &'a str, fact: Fact) -> Self {
        Part {
            key,
            said: None,
            fact,
            below: Vec::new(),
        }
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
