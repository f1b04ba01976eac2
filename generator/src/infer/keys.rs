//! What tells one record from another.

use super::facts::Decision;
use super::node::Node;
use super::words::{flat, same_noun, singular_name, words};

/// Names that are keys wherever they stand, best first.
const IDS: [&str; 8] = ["id", "gid", "_id", "uuid", "guid", "uid", "ID", "Id"];
/// Last words of names that are keys of something.
const ENDS: [&str; 9] = [
    "id", "uuid", "gid", "guid", "uid", "key", "sha", "number", "name",
];
/// Names that are keys where nothing better is.
const LAST: [&str; 14] = [
    "key",
    "sha",
    "hash",
    "fingerprint",
    "code",
    "slug",
    "symbol",
    "token",
    "name",
    "username",
    "login",
    "email",
    "url",
    "uri",
];

/// Finds the key of a record; `item_param` is what the path of one such record is asked by.
pub(super) fn key(
    record: &Node<'_>,
    noun: &str,
    item_param: Option<&str>,
) -> Decision<Vec<String>> {
    let properties = record.properties();
    if properties.is_empty() {
        // Nothing is known of the fields; most records have an `id`.
        return decide(
            Some("id"),
            0.4,
            "no field is known; most records have an `id`",
        );
    }
    let usable = |name: &str| {
        properties
            .get(name)
            .is_some_and(|node| node.is_scalar() && !node.is_boolean())
    };
    if let Some(id) = IDS.into_iter().find(|name| properties.contains_key(*name)) {
        return decide(Some(id), 0.95, "the record has it");
    }
    // What its own item is asked by.
    if let Some(param) = item_param
        && let Some(name) = field_for(record, param, noun)
        && usable(&name)
    {
        return decide(
            Some(&name),
            0.85,
            &format!("one record is asked for by `{param}`"),
        );
    }
    // `event_id` of events.
    let own = properties.keys().find(|name| {
        let mut words = words(name);
        let last = words.pop().unwrap_or_default();
        let is_id = ENDS.iter().take(5).any(|end| *end == last);
        is_id && usable(name) && names_it(&words, noun)
    });
    if let Some(name) = own {
        return decide(Some(name), 0.85, "it is named after the record");
    }
    // Text that says so.
    let said = properties.iter().find(|(name, node)| {
        let text = node.description();
        let unique = [
            "unique identifier",
            "uniquely identif",
            "the unique ",
            "unique id",
            "primary key",
        ];
        usable(name) && unique.iter().any(|sign| text.contains(sign)) && !is_foreign(name, noun)
    });
    if let Some((name, _)) = said {
        return decide(Some(name), 0.75, "its description says that it is unique");
    }
    let uuid = properties
        .iter()
        .find(|(name, node)| node.format() == Some("uuid") && !is_foreign(name, noun));
    if let Some((name, _)) = uuid {
        return decide(Some(name), 0.65, "it is a UUID");
    }
    // The only id of a record that has one.
    let ids: Vec<&String> = properties
        .keys()
        .filter(|name| {
            usable(name)
                && words(name)
                    .last()
                    .is_some_and(|last| ENDS.iter().take(5).any(|end| end == last))
        })
        .collect();
    if let (Some(first), 1) = (ids.first(), ids.len())
        && properties.keys().next() == Some(first)
    {
        return decide(
            Some(first),
            0.6,
            "it is the first field and the record's only id",
        );
    }
    let own_url = properties.keys().find(|name| {
        let mut words = words(name);
        let last = words.pop().unwrap_or_default();
        usable(name)
            && matches!(
                last.as_str(),
                "url" | "uri" | "name" | "key" | "code" | "number"
            )
            && names_it(&words, noun)
    });
    if let Some(name) = own_url {
        return decide(Some(name), 0.6, "it is named after the record");
    }
    for last in LAST {
        let found = properties
            .keys()
            .find(|name| flat(name) == last && usable(name));
        if let Some(name) = found {
            let sure = if matches!(last, "name" | "email" | "url" | "uri" | "username") {
                0.55
            } else {
                0.65
            };
            return decide(Some(name), sure, "no id; this is the field most like one");
        }
    }
    if let Some(name) = properties
        .keys()
        .find(|name| flat(name).ends_with("url") && usable(name))
    {
        return decide(Some(name), 0.5, "no id; a URL is usually unique");
    }
    decide(None, 0.6, "no field looks like a key")
}

/// The field of a record that a parameter named `param` takes; `noun` is what the record is.
pub(super) fn field_for(record: &Node<'_>, param: &str, noun: &str) -> Option<String> {
    let properties = record.properties();
    let scalar = |name: &&String| {
        properties
            .get(*name)
            .is_some_and(|node| node.is_scalar() || node.is_free())
    };
    let same = |wanted: &str| {
        properties
            .keys()
            .filter(scalar)
            .find(|name| flat(name) == wanted)
            .cloned()
    };
    let full = flat(param);
    // `domain_name` of a domain is its `name`; `idBoard` of a board its `id`.
    let mut rest: Vec<String> = words(param);
    if rest.len() > 1 {
        let noun_words = words(&singular_name(noun));
        rest.retain(|word| !noun_words.iter().any(|noun| same_noun(noun, word)));
    }
    let stripped = if rest.is_empty() {
        None
    } else {
        same(&rest.concat())
    };
    if !is_id(&full)
        && let Some(name) = same(&full)
    {
        return Some(name);
    }
    if let Some(name) = stripped {
        return Some(name);
    }
    if let Some(name) = same(&full) {
        return Some(name);
    }
    // `issue_id_or_key`: either will do.
    let either = words(param).iter().any(|word| word == "or");
    if either && let Some(name) = same("id") {
        return Some(name);
    }
    // `order_number` -> `number`, `run_id` -> `id`: the last word alone.
    let last = words(param).pop().unwrap_or_default();
    ENDS.contains(&last.as_str()).then(|| same(&last)).flatten()
}

fn is_id(name: &str) -> bool {
    name == "id"
}

/// Words that name the record, at least by its last word.
fn names_it(words: &[String], noun: &str) -> bool {
    let own = self::words(noun);
    match (words.last(), own.last()) {
        (Some(word), Some(noun)) => same_noun(word, noun),
        _ => false,
    }
}

/// An id of something else.
fn is_foreign(name: &str, noun: &str) -> bool {
    let mut words = words(name);
    words.pop();
    !words.is_empty() && !names_it(&words, noun)
}

fn decide(name: Option<&str>, confidence: f32, reason: &str) -> Decision<Vec<String>> {
    Decision {
        value: name.map(str::to_owned).into_iter().collect(),
        confidence,
        reasons: vec![reason.to_owned()],
    }
}
