//! Decides whether a child's key identifies its records everywhere, or only below one parent.
//!
//! If a key is wrongly taken for unique everywhere, rows of different parents are merged. If it is
//! wrongly taken for unique below one parent only, it costs at most one row per parent. So the
//! parent belongs to the key in case of doubt.

use crate::spec::api::Api;

use super::Draft;
use super::facts::{Decision, ResourceKind};
use super::matching::Parent;
use super::rules::rule;
use super::words::{flat, is_variable, placeholder, same_noun, segments, singular_name, words};

/// Keys that number or name things below something else.
const WEAK: &[&str] = &[
    "name", "key", "slug", "code", "number", "position", "index", "type", "url", "date", "day",
    "month", "year", "line", "rank", "order", "version", "sequence",
];

/// The confidence of a key that is named after its records.
const NAMED_AFTER: f32 = 0.8;

/// Roles of people; one person may have a role below several parents.
const ROLES: &[&str] = &[
    "member",
    "follower",
    "subscriber",
    "watcher",
    "participant",
    "assignee",
];

/// Returns whether the parent's parameters and the key together identify a row.
pub(super) fn is_within(
    api: &Api,
    drafts: &[Draft<'_>],
    draft: &Draft<'_>,
    parent: &Parent,
) -> bool {
    let key = &draft.key.value;
    !key.is_empty()
        && (key.iter().any(|key| is_weak(key))
            || is_role(draft)
            || is_listed_elsewhere(drafts, draft)
            || !names_parent(drafts, draft, parent)
            || item_takes_parent(api, draft))
}

/// Removes keys that are the id of something else: the value of a placeholder of the list's own
/// path, or an id that is named after another list. Of the records of that thing, several may be in
/// the list.
pub(super) fn refuse_foreign(drafts: &mut [Draft<'_>]) {
    let nouns: Vec<String> = drafts
        .iter()
        .filter(|draft| draft.kind == ResourceKind::List)
        .filter_map(|draft| draft.noun.clone())
        .collect();
    for draft in drafts {
        if draft.kind != ResourceKind::List {
            continue;
        }
        let [key] = draft.key.value.as_slice() else {
            continue;
        };
        let placeholders = segments(draft.path).into_iter().filter_map(placeholder);
        let mut specific = placeholders.filter(|name| !is_generic(name));
        let of_path = specific.any(|name| flat(name) == flat(key));
        let noun = draft.noun.as_deref().unwrap_or_default();
        let mut stem = words(key);
        stem.pop();
        let stem = stem.join("_");
        let other = |other: &String| same_noun(other, &stem) && !same_noun(other, noun);
        let of_other = draft.key.confidence < NAMED_AFTER && nouns.iter().any(other);
        if rule("an id of something else", of_path || of_other) {
            draft.key.reasons = vec![format!("`{key}` is the id of something else")];
            draft.key.value.clear();
        }
    }
}

/// Returns the key of a list that a fixed value in the path requests for all parents: the parent's
/// parameters belong to it if a key is unique only below a parent. Without fields for them, there
/// is no key.
pub(super) fn of_all(
    draft: &Draft<'_>,
    parent: &Parent,
    is_fixed: impl Fn(&str) -> bool,
) -> Decision<Vec<String>> {
    let properties = draft.found.record.properties();
    let field = |param: &str| {
        let mut names = properties.keys();
        names.find(|name| flat(name) == flat(param)).cloned()
    };
    let links = parent.links.iter().map(|link| link.param.as_str());
    let inherited = parent.inherited.iter().map(|(name, _)| name.as_str());
    let fixed = links.chain(inherited).filter(|name| is_fixed(name));
    let above: Option<Vec<String>> = fixed.map(field).collect();
    let mut key = draft.key.clone();
    let reason = match above {
        Some(above) => {
            let new = above
                .into_iter()
                .filter(|name| !draft.key.value.contains(name));
            key.value = new.chain(draft.key.value.iter().cloned()).collect();
            "it is requested for all parents, so their ids belong to the key"
        }
        None => {
            key.value.clear();
            "it is requested for all parents, and the records do not name theirs"
        }
    };
    key.reasons.push(reason.to_owned());
    key
}

/// Returns whether a parameter may be the id of any record.
fn is_generic(param: &str) -> bool {
    matches!(param, "id" | "uuid" | "key" | "gid" | "name")
}

/// Returns whether a key numbers or names a thing: `number`, `revision_number`.
fn is_weak(key: &str) -> bool {
    let last = words(key).pop().unwrap_or_default();
    WEAK.contains(&last.as_str())
}

fn is_role(draft: &Draft<'_>) -> bool {
    let noun = draft.noun.as_deref().unwrap_or_default();
    let own = words(noun).pop().unwrap_or_default();
    ROLES.iter().any(|role| same_noun(role, &own))
        || segments(draft.path).contains(&"relationships")
}

/// Returns whether the records have a list elsewhere, too. They may be below several parents: tags
/// of campaigns, users who watch.
fn is_listed_elsewhere(drafts: &[Draft<'_>], draft: &Draft<'_>) -> bool {
    let Some(schema) = draft.found.record.component() else {
        return false;
    };
    drafts.iter().any(|other| {
        other.kind == ResourceKind::List
            && other.operation != draft.operation
            && other.found.record.component() == Some(schema)
    })
}

/// Returns whether a record names its parent: `dag_id` below `/dags/{dag_id}`, `invoice` below
/// `/invoices/{id}`.
fn names_parent(drafts: &[Draft<'_>], draft: &Draft<'_>, parent: &Parent) -> bool {
    let noun = drafts
        .get(parent.index)
        .and_then(|above| above.noun.as_deref());
    let mut names = Vec::new();
    if let Some(noun) = noun.map(singular_name) {
        names.extend(
            ["", "id", "key", "uuid", "gid", "name", "url", "uri", "href"]
                .map(|end| flat(&noun) + end),
        );
    }
    for link in &parent.links {
        // `{id}` alone may also be the record's own id.
        let own = words(&link.param);
        if own.len() > 1 || !is_generic(&link.param) {
            names.push(flat(&link.param));
        }
    }
    let properties = draft.found.record.properties();
    properties.keys().any(|name| names.contains(&flat(name)))
}

/// Returns whether one record is requested by its key and the parent's parameters:
/// `/dags/{dag_id}/tasks/{task_id}`.
fn item_takes_parent(api: &Api, draft: &Draft<'_>) -> bool {
    let list = segments(draft.path);
    api.operations.iter().any(|other| {
        let item = segments(&other.path);
        let Some((last, before)) = item.split_last() else {
            return false;
        };
        let alike = before.len() == list.len()
            && std::iter::zip(before, &list)
                .all(|(one, two)| one == two || is_variable(one) && is_variable(two));
        let names_key = |param: &str| {
            let keys = draft.key.value.iter().map(|key| flat(key));
            keys.into_iter()
                .any(|key| key == flat(param) || flat(param).ends_with(&key))
        };
        alike && placeholder(last).is_some_and(names_key)
    })
}
