//! Finds the field of a parent's record that fills a parameter of its child.

use crate::spec::api::Parameter;

use super::Draft;
use super::node::Node;
use super::words::{flat, same_noun, says, singular_name, snake, words};

/// Last words of names that are the key of something.
pub(super) const ENDS: [&str; 9] = [
    "id", "uuid", "gid", "guid", "uid", "key", "sha", "number", "name",
];

/// Last words of parameters that are also the names of their fields: `floating_ip`, `country_code`.
const TAKEN: [&str; 6] = ["ip", "code", "slug", "email", "login", "address"];

/// Returns whether a parameter takes a value that a person knows, such as the name of a user or an
/// organisation.
pub(super) fn is_known(draft: &Draft<'_>, param: &str) -> bool {
    let id = words(param)
        .iter()
        .any(|word| matches!(word.as_str(), "id" | "gid" | "uuid" | "key" | "number"));
    let text = parameter(draft, param)
        .map(|parameter| parameter.description.to_lowercase())
        .unwrap_or_default();
    let named = ["name", "username", "slug", "handle", "login"]
        .iter()
        .any(|sign| says(&text, sign) || flat(param).ends_with(sign));
    (named || !id) && formatted(draft, param).is_none()
}

fn parameter<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Parameter> {
    draft
        .parameters
        .iter()
        .find(|parameter| parameter.name == name)
}

/// Returns the parent's field for a parameter, and whether it is certain.
pub(super) fn field(
    draft: &Draft<'_>,
    parent: &Draft<'_>,
    param: &str,
    beside: usize,
) -> (String, bool) {
    let record = &parent.found.record;
    let key = parent
        .key
        .value
        .first()
        .cloned()
        .unwrap_or_else(|| "id".to_owned());
    let text = parameter(draft, param)
        .map(|parameter| parameter.description.to_lowercase())
        .unwrap_or_default();
    let own_noun = parent.noun.clone().unwrap_or_default();
    let nouns = [
        own_noun.clone(),
        parent.found.path.last().cloned().unwrap_or_default(),
    ];
    let properties = record.properties();
    let is_noun = nouns
        .iter()
        .any(|noun| same_noun(noun, param) || flat(&singular_name(noun)) == flat(param));
    if formatted(draft, param).is_some() && properties.contains_key("name") {
        return ("name".to_owned(), true);
    }
    // `repo` is its name or its id, depending on the description.
    if is_noun || own_noun.is_empty() && words(param).len() == 1 {
        for name in ["slug", "name", "login", "username", "code", "key", "number"] {
            let says = ["name", "slug", "username", "login", "key", "code", "number"]
                .contains(&name)
                && says(&text, name)
                && !says(&text, "id");
            if says && properties.contains_key(name) {
                return (name.to_owned(), true);
            }
        }
        if says(&text, "name")
            && let Some((inner, _)) = key.rsplit_once('.')
            && properties
                .get(inner)
                .is_some_and(|node| node.properties().contains_key("name"))
        {
            return (format!("{inner}.name"), true);
        }
        if beside > 1 && properties.contains_key("name") {
            return ("name".to_owned(), true);
        }
        if beside > 1
            && let Some(name) = properties
                .keys()
                .find(|name| flat(name).ends_with("name") && flat(name) != "username")
        {
            return (name.clone(), false);
        }
        return (key.clone(), !parent.key.value.is_empty());
    }
    for noun in &nouns {
        if let Some(field) = field_for(record, param, noun) {
            return (field, true);
        }
    }
    // If `owner` is an object, the field is its login, its name or its id.
    if let Some(object) = properties
        .get(param)
        .or_else(|| properties.get(&snake(param)))
        .filter(|node| node.is_object())
    {
        let inner = object.properties();
        let wanted = ["login", "username", "slug", "name", "key", "id"];
        if let Some(name) = wanted.into_iter().find(|name| inner.contains_key(*name)) {
            return (format!("{param}.{name}"), true);
        }
    }
    let id = words(param)
        .iter()
        .any(|word| matches!(word.as_str(), "id" | "gid" | "uuid" | "key"));
    (key, id || properties.is_empty() && beside == 1)
}

/// Returns the last collection in the format of a whole resource name: `accounts` for "Format:
/// accounts/{account}".
pub(super) fn formatted(draft: &Draft<'_>, param: &str) -> Option<String> {
    let text = parameter(draft, param)?.description.as_str();
    let (_, format) = text.split_once("Format: ")?;
    let format = format.split_whitespace().next()?;
    let (before, _) = format.rsplit_once("/{")?;
    before.rsplit('/').next().map(str::to_owned)
}

/// Returns whether records have a field at a dotted path, as far as the document describes their
/// fields.
pub(super) fn has_field(record: &Node<'_>, path: &str) -> bool {
    let properties = record.properties();
    let (head, rest) = path.split_once('.').unwrap_or((path, ""));
    match properties.get(head) {
        None => properties.is_empty(),
        Some(_) if rest.is_empty() => true,
        Some(node) => has_field(node, rest),
    }
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
