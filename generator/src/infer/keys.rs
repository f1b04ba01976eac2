//! Infers the primary key of a record.

use super::facts::Decision;
use super::node::Node;
use super::rules::{self, among, rule};
use super::words::{flat, same_noun, singular_name, words};

/// Names that are keys anywhere, best first.
const IDS: [&str; 8] = ["id", "gid", "_id", "uuid", "guid", "uid", "ID", "Id"];
/// Last words of names that are the key of something.
const ENDS: [&str; 9] = [
    "id", "uuid", "gid", "guid", "uid", "key", "sha", "number", "name",
];
/// Names that are keys if nothing better exists.
const LAST: [&str; 8] = [
    "key",
    "sha",
    "hash",
    "fingerprint",
    "code",
    "slug",
    "url",
    "uri",
];
/// Names that are keys only if one record is requested by a name.
const NAMED: [&str; 6] = ["name", "slug", "username", "login", "email", "number"];
/// Last words of schemas that state the form of a record.
const FORMS: [&str; 16] = [
    "dto", "item", "items", "response", "summary", "info", "details", "detail", "model", "object",
    "entity", "view", "data", "resource", "record", "v2",
];
/// Last words of parameters that are also the names of their fields: `floating_ip`, `country_code`.
const TAKEN: [&str; 6] = ["ip", "code", "slug", "email", "login", "address"];

/// Finds the key of a record; `item_param` is the placeholder of the path to one such record.
pub(super) fn key(
    record: &Node<'_>,
    noun: &str,
    item_param: Option<&str>,
) -> Decision<Vec<String>> {
    let properties = record.properties();
    if properties.is_empty() {
        // The fields are unknown; most records have an `id`.
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
    if let Some(id) = IDS
        .into_iter()
        .find(|name| properties.contains_key(*name) && among("id", &IDS, name))
    {
        return decide(Some(id), 0.95, "the record has it");
    }
    // Kubernetes has the id in the metadata, others in a node.
    let wrapped = properties.keys().find(|name| {
        rule(
            "a node around",
            same_noun(name, noun) && properties.len() <= 3,
        )
    });
    let wrappers = ["metadata", "sys", "meta", "node"].into_iter();
    for inner in wrappers.chain(wrapped.map(String::as_str)) {
        let ids = properties
            .get(inner)
            .map(Node::properties)
            .unwrap_or_default();
        if let Some(id) = ["uid", "id", "uuid"]
            .into_iter()
            .find(|id| rule("an id within", ids.contains_key(*id)))
        {
            return decide(Some(&format!("{inner}.{id}")), 0.8, "the record has it");
        }
        // For example `dataset.dataset_id` of datasets.
        let own = ids.iter().find(|(name, node)| {
            let mut words = words(name);
            let last = words.pop().unwrap_or_default();
            let is_id = ENDS.iter().take(5).any(|end| *end == last);
            rule(
                "an id within, named after the record",
                is_id && node.is_scalar() && names_it(&words, noun),
            )
        });
        if let Some((id, _)) = own {
            return decide(
                Some(&format!("{inner}.{id}")),
                0.8,
                "it is named after the record",
            );
        }
    }
    // The parameter by which one record is requested names the key.
    if let Some(param) = item_param
        && let Some(name) = field_for(record, param, noun)
        && rule("what an item is asked by", usable(&name))
    {
        return decide(
            Some(&name),
            0.85,
            &format!("one record is requested by `{param}`"),
        );
    }
    // For example `event_id` of events.
    let own = properties.keys().find(|name| {
        let mut words = words(name);
        let last = words.pop().unwrap_or_default();
        let is_id = ENDS.iter().take(5).any(|end| *end == last);
        rule(
            "an id named after the path",
            is_id && usable(name) && names_it(&words, noun),
        ) || rule(
            "an id named after the schema",
            is_id && usable(name) && names_schema(&words, record),
        )
    });
    if let Some(name) = own {
        return decide(Some(name), 0.85, "it is named after the record");
    }
    // A description may state the key.
    let said = properties.iter().find(|(name, node)| {
        let text = node.description();
        let unique = [
            "unique identifier",
            "uniquely identif",
            "the unique ",
            "unique id",
            "primary key",
            "resource name of",
        ];
        let begins = unique.iter().filter_map(|phrase| text.find(phrase)).min();
        let own = begins.is_some_and(|at| {
            let text = text.get(at..).unwrap_or_default();
            !is_foreign(name, noun)
                || identifies(text, name, noun, properties.keys().next() == Some(name))
        });
        usable(name) && own && rules::tells("unique", &text, &unique)
    });
    if let Some((name, _)) = said {
        return decide(Some(name), 0.75, "its description says that it is unique");
    }
    let uuid = properties.iter().find(|(name, node)| {
        rule(
            "a UUID",
            node.format() == Some("uuid") && !is_foreign(name, noun),
        )
    });
    if let Some((name, _)) = uuid {
        return decide(Some(name), 0.65, "it is a UUID");
    }
    // The only id of a record is its key.
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
        && rule("the only id", !is_foreign(first, noun))
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
        rule(
            "a URL or a number named after the record",
            usable(name)
                && matches!(last.as_str(), "url" | "uri" | "key" | "code" | "number")
                && (names_it(&words, noun) || names_schema(&words, record)),
        )
    });
    if let Some(name) = own_url {
        return decide(Some(name), 0.6, "it is named after the record");
    }
    let named = |wanted: &str| {
        properties
            .keys()
            .find(|name| flat(name) == wanted && usable(name))
    };
    let by_noun = item_param.is_some_and(|param| {
        same_noun(param, noun) || names_it(&words(param), noun) || flat(param).ends_with("name")
    });
    if by_noun
        && let Some(name) = NAMED.into_iter().find_map(named)
        && among("name as key", &NAMED, &flat(name))
    {
        return decide(Some(name), 0.65, "one record is requested by name");
    }
    // `/versions/{version}` requests a version by its `version`.
    let own_name = properties.keys().find(|name| {
        rule(
            "a field of the record's own name",
            by_noun && same_noun(name, noun) && usable(name),
        )
    });
    if let Some(name) = own_name {
        return decide(Some(name), 0.65, "one record is requested by it");
    }
    if let Some(name) = LAST.into_iter().find_map(named)
        && among("like a key", &LAST, &flat(name))
    {
        let sure = if flat(name).starts_with("ur") {
            0.55
        } else {
            0.65
        };
        return decide(Some(name), sure, "no id; this is the field most like one");
    }
    // A wrong key loses rows, a missing key does not. So names and other URLs are not enough.
    decide(None, 0.6, "no field looks like a key")
}

/// Returns the field of a record that the parameter `param` takes; `noun` names the record.
pub(super) fn field_for(record: &Node<'_>, param: &str, noun: &str) -> Option<String> {
    let properties = record.properties();
    let scalar = |name: &&String| {
        properties
            .get(*name)
            .is_some_and(|node| node.is_scalar() || node.is_free())
    };
    // `id` before `_id`.
    let same = |wanted: &str| {
        let mut names = properties.keys();
        let exact = names.find(|name| *name == wanted && scalar(name));
        let alike = || {
            let mut names = properties.keys();
            names.find(|name| flat(name) == wanted && scalar(name))
        };
        exact.or_else(alike).cloned()
    };
    let full = flat(param);
    // `repository_tag` of tags is the field `tag`, not `repository`.
    let mut before = words(param);
    let last = before.pop().unwrap_or_default();
    let of_id = before
        .iter()
        .any(|word| ENDS.iter().take(5).any(|end| end == word));
    if !before.is_empty()
        && !of_id
        && same_noun(&last, &singular_name(noun))
        && let Some(name) = same(&last)
    {
        return Some(name);
    }
    // `domain_name` of a domain is its `name`; `idBoard` of a board is its `id`.
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
    // For `issue_id_or_key`, either works.
    let either = words(param).iter().any(|word| word == "or");
    if either && let Some(name) = same("id") {
        return Some(name);
    }
    // The last word alone may be the field: `order_number` -> `number`, `run_id` -> `id`.
    let last = words(param).pop().unwrap_or_default();
    let named = ENDS.contains(&last.as_str()) || TAKEN.contains(&last.as_str());
    named.then(|| same(&last)).flatten()
}

fn is_id(name: &str) -> bool {
    name == "id"
}

/// Returns whether words name the record, at least by its last word.
fn names_it(words: &[String], noun: &str) -> bool {
    let own = self::words(noun);
    match (words.last(), own.last()) {
        (Some(word), Some(noun)) => same_noun(word, noun),
        _ => false,
    }
}

/// Returns whether the words before the last one in a name name the record's schema: `build` of
/// `build_url` for `Build` and `BuildSummary`.
fn names_schema(words: &[String], record: &Node<'_>) -> bool {
    let mut schema = record.component().map(self::words).unwrap_or_default();
    // `webhook_id` of a `WebhookRequest` is the id of the webhook: the last word names the record,
    // unless it is one of `FORMS`.
    while schema.len() > 1
        && schema
            .last()
            .is_some_and(|last| FORMS.contains(&last.as_str()))
    {
        schema.pop();
    }
    let head = |word: &String| schema.last().is_some_and(|head| same_noun(word, head));
    words.last().is_some_and(head)
        && words
            .iter()
            .all(|word| schema.iter().any(|other| same_noun(word, other)))
}

/// Returns whether a text about something unique refers to the record and not to the subject of a
/// foreign `name`: "the unique identifier of the shop of the order" is that of the shop.
fn identifies(text: &str, name: &str, noun: &str, first: bool) -> bool {
    let mut own = words(name);
    own.pop();
    let foreign = own.iter().filter_map(|word| text.find(word.as_str())).min();
    let record = text.find(&singular_name(noun).replace('_', " "));
    match (record, foreign) {
        (Some(record), Some(foreign)) => record < foreign,
        (Some(_), None) => true,
        (None, foreign) => first && foreign.is_none(),
    }
}

/// Returns whether an id belongs to something else: it shares no word with the record's name.
fn is_foreign(name: &str, noun: &str) -> bool {
    let mut own = words(name);
    own.pop();
    let nouns = words(noun);
    !own.is_empty()
        && !own
            .iter()
            .any(|word| nouns.iter().any(|noun| same_noun(word, noun)))
}

fn decide(name: Option<&str>, confidence: f32, reason: &str) -> Decision<Vec<String>> {
    Decision {
        value: name.map(str::to_owned).into_iter().collect(),
        confidence,
        reasons: vec![reason.to_owned()],
        others: Vec::new(),
    }
}
