//! What the values of statements mean: counts, flags and leads.

use serde_json::Value;

/// The meaning of a value under the name of a total.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Counted {
    Exactly(u64),
    /// The API stops counting here.
    AtLeast(u64),
    /// It is no count; the text shows it.
    Unclear(String),
}

/// Keys of the number in an object that is a total.
const NUMBERS: [&str; 9] = [
    "value", "count", "total", "items", "records", "rows", "results", "elements", "number",
];

/// Parses a count, which is a non-negative integer: `53`, `53.0`, `1,053`.
pub(crate) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(count) = text.parse::<u64>() {
        return Some(count);
    }
    match text.parse::<f64>() {
        Ok(number) if number >= 0.0 && number.fract() == 0.0 && number < 1e18 => {
            Some(number as u64)
        }
        _ => grouped(text),
    }
}

/// Parses a number whose digits are grouped by threes: `1,053`, `1 053`, `1'053`.
fn grouped(text: &str) -> Option<u64> {
    let mark = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(
        mark,
        ',' | '.' | '\'' | '_' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2019}'
    ) {
        return None;
    }
    let mut groups = text.split(mark);
    let first = groups
        .next()
        .filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.push_str(group);
    }
    digits.parse().ok()
}

/// Returns what a value counts; `None` if it says nothing: null, `""`, or -1, by which APIs say that
/// they have not counted.
pub(crate) fn counted_by(value: &Value) -> Option<Counted> {
    let unclear = || Some(Counted::Unclear(shown(value)));
    match value {
        Value::Null => None,
        Value::Number(number) if number.as_f64().is_some_and(|number| number < 0.0) => None,
        Value::Number(number) => match count(&number.to_string()) {
            Some(count) => Some(Counted::Exactly(count)),
            None => unclear(),
        },
        Value::String(text) => {
            let text = text.trim();
            if text.is_empty() || text.parse::<f64>().is_ok_and(|number| number < 0.0) {
                return None;
            }
            let bound = text.strip_suffix('+').or_else(|| text.strip_prefix(">="));
            let bound = bound.or_else(|| text.strip_prefix('>'));
            match (count(text), bound.and_then(count)) {
                (Some(count), _) => Some(Counted::Exactly(count)),
                (None, Some(least)) => Some(Counted::AtLeast(least)),
                (None, None) => unclear(),
            }
        }
        Value::Object(object) if object.is_empty() => None,
        Value::Object(object) => {
            let number = NUMBERS.iter().find_map(|key| object.get(*key));
            let number = number.filter(|number| !number.is_object());
            let relation = object.get("relation").or_else(|| object.get("rel"));
            match (number.and_then(counted_by), relation) {
                (Some(Counted::Exactly(least)), Some(relation)) if bounds(relation) => {
                    Some(Counted::AtLeast(least))
                }
                (Some(counted), _) => Some(counted),
                (None, _) => unclear(),
            }
        }
        Value::Array(items) if items.is_empty() => None,
        Value::Array(_) | Value::Bool(_) => unclear(),
    }
}

/// Returns whether the value beside a total says that the total is only a lower bound.
pub(super) fn bounds(value: &Value) -> bool {
    match value {
        Value::String(text) => match flag(value) {
            Some(flag) => flag,
            None => {
                let text = text.to_ascii_lowercase();
                ["gt", ">", "least", "lower", "approx", "estimat", "capped"]
                    .iter()
                    .any(|word| text.contains(word))
            }
        },
        value => flag(value) == Some(true),
    }
}

/// Returns the value of a flag: `true`, 1, `"yes"`.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "t" | "1" | "on" => Some(true),
            "false" | "no" | "n" | "f" | "0" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Returns whether something remains: a flag, or the number of what remains.
pub(crate) fn remains(value: &Value) -> Option<bool> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => count(text).map(|count| count as f64),
        _ => None,
    };
    number.map(|number| number != 0.0).or_else(|| flag(value))
}

/// Returns whether the value of a token or a link leads to a next page; `None` if that is unknown.
pub(super) fn leads(value: &Value) -> Option<bool> {
    Some(match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::String(text) => !is_no_token(text),
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => {
            let mut values = object.values();
            values.any(|value| match value {
                Value::String(text) => !text.is_empty(),
                Value::Number(_) => true,
                // A position of several columns.
                Value::Object(_) => leads(value) == Some(true),
                _ => false,
            })
        }
    })
}

/// Returns whether a text in the place of a token says that there is none: `""`, `"0"`, by which
/// databases end an iteration, or how languages write that there is no value.
pub(crate) fn is_no_token(text: &str) -> bool {
    const NIL: &str = "00000000-0000-0000-0000-000000000000";
    let text = text.trim();
    let words = ["null", "none", "undefined", "nil", "false"];
    matches!(text, "" | "0" | "-1" | NIL)
        || words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether a token may be a word for the end, which an API does not know if it is requested:
/// `end`, or the base64 of `{}`.
pub(crate) fn is_end_word(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "end",
        "eof",
        "eol",
        "done",
        "last",
        "stop",
        "finished",
        "complete",
        "completed",
        "empty",
    ];
    matches!(text, "-" | "e30=" | "e30") || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether a list of links has one to a next page: `[{"rel": "next", "href": "/x"}]`.
pub(super) fn links_on(value: &Value) -> bool {
    let is_next = |rel: &Value| match rel {
        Value::String(rel) => rel
            .rsplit(['/', '#', ':'])
            .next()
            .is_some_and(|rel| rel.eq_ignore_ascii_case("next")),
        _ => false,
    };
    let leads_on = |link: &Value| {
        let rel = ["rel", "relation"].iter().find_map(|key| link.get(*key));
        let next = match rel {
            Some(Value::Array(rels)) => rels.iter().any(is_next),
            rel => rel.is_some_and(is_next),
        };
        let target = ["href", "url", "uri", "link"];
        let target = target.iter().find_map(|key| link.get(*key)?.as_str());
        next && target.is_some_and(|target| !target.is_empty())
    };
    value
        .as_array()
        .is_some_and(|links| links.iter().any(leads_on))
}

/// Returns the numbers of `1 of 5`, if the text has this form.
pub(super) fn part(value: &Value) -> Option<(u64, u64)> {
    let text = value.as_str()?.to_ascii_lowercase();
    let text = text.trim().trim_start_matches("page").trim();
    let (at, of) = text.split_once("of").or_else(|| text.split_once('/'))?;
    Some((count(at)?, count(of)?))
}

/// Returns whether a value is empty: null, `false`, 0, `""`, or a list or an object of such values.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(object) => object.values().all(is_nothing),
    }
}

/// Returns a value as messages show it.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    clean(&text)
}

/// Returns the beginning of a text of the API on one line.
pub(super) fn clean(text: &str) -> String {
    let words = text.chars().filter(|c| !c.is_control());
    words.take(200).collect()
}
