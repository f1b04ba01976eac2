//! Which resources hang below others, and which fields of the parent fill their parameters.

use std::collections::HashMap;

use crate::spec::api::{Api, Location, Parameter};

use super::Draft;
use super::facts::{ParentFacts, ParentLink, ResourceKind};
use super::keys::field_for;
use super::names::is_own;
use super::words::{
    flat, is_variable, noun, path_shape, placeholder, same_noun, segments, singular_name, snake,
    words,
};

/// A parent, by its index among the drafts.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    pub index: usize,
    pub links: Vec<ParentLink>,
    pub inherited: Vec<(String, String)>,
    pub confidence: f32,
    pub reason: String,
}

/// The list that stands at the path before a placeholder: `/v1/invoices` of `/v1/invoices/{invoice}/lines`.
pub(super) fn above(drafts: &[Draft<'_>]) -> Vec<Option<(usize, String)>> {
    let mut lists: HashMap<String, usize> = HashMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        if draft.kind == ResourceKind::List && !draft.deprecated && draft.method == "get" {
            lists.entry(path_shape(draft.path)).or_insert(index);
        }
    }
    drafts
        .iter()
        .map(|draft| {
            let mut segments = segments(draft.path);
            while let Some(last) = segments.pop() {
                if is_variable(last)
                    && let Some(&index) = lists.get(&path_shape(&segments.join("/")))
                {
                    let param = placeholder(last).unwrap_or(last);
                    return Some((index, param.to_owned()));
                }
            }
            None
        })
        .collect()
}

/// Finds the parent of every draft.
pub(super) fn parents(
    api: &Api,
    drafts: &[Draft<'_>],
    above: &[Option<(usize, String)>],
) -> Vec<Option<Parent>> {
    let mut parents: Vec<Option<Parent>> = vec![None; drafts.len()];
    for ((draft, above), slot) in drafts.iter().zip(above).zip(parents.iter_mut()) {
        let Some((index, param)) = above else {
            continue;
        };
        let Some(parent) = drafts.get(*index) else {
            continue;
        };
        let (field, sure) = field(api, draft, parent, param, 1);
        *slot = Some(Parent {
            index: *index,
            links: vec![ParentLink {
                param: param.clone(),
                location: Location::Path,
                field,
            }],
            inherited: Vec::new(),
            confidence: if sure { 0.95 } else { 0.75 },
            reason: format!("its path goes on from `{}`", parent.path),
        });
    }
    for index in 0..drafts.len() {
        if parents.get(index).is_some_and(Option::is_none)
            && let Some(found) = by_noun(api, drafts, &parents, index)
            && let Some(slot) = parents.get_mut(index)
        {
            *slot = Some(found);
        }
    }
    for index in 0..drafts.len() {
        let inherited = inherited(drafts, &parents, index);
        if let Some(Some(parent)) = parents.get_mut(index) {
            parent.inherited = inherited;
        }
    }
    parents
}

/// Placeholders that follow one static segment: `repos`, [`owner`, `repo`].
fn groups(path: &str) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut before = String::new();
    let mut open = false;
    for segment in segments(path) {
        match placeholder(segment) {
            Some(param) => {
                if !open {
                    groups.push((before.clone(), Vec::new()));
                    open = true;
                }
                if let Some((_, params)) = groups.last_mut() {
                    params.push(param.to_owned());
                }
            }
            None => {
                before = segment.to_owned();
                open = false;
            }
        }
    }
    groups
}

/// A list elsewhere that holds what the placeholders name.
fn by_noun(
    api: &Api,
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    child: usize,
) -> Option<Parent> {
    let draft = drafts.get(child)?;
    for (thing, params) in groups(draft.path).into_iter().rev() {
        if let Some(found) = best(
            api,
            drafts,
            parents,
            child,
            &[thing],
            &params,
            Location::Path,
        ) {
            return Some(found);
        }
    }
    let required = draft
        .parameters
        .iter()
        .filter(|parameter| parameter.required && parameter.location == Location::Query);
    for parameter in required {
        let mut words = words(&parameter.name);
        let id = words
            .last()
            .is_some_and(|last| matches!(last.as_str(), "id" | "gid" | "uuid" | "guid"));
        if id && words.len() > 1 {
            words.pop();
            let params = [parameter.name.clone()];
            if let Some(found) = best(
                api,
                drafts,
                parents,
                child,
                &[words.join("_")],
                &params,
                Location::Query,
            ) {
                return Some(found);
            }
        }
    }
    None
}

fn best(
    api: &Api,
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    child: usize,
    things: &[String],
    params: &[String],
    location: Location,
) -> Option<Parent> {
    let draft = drafts.get(child)?;
    let mut best: Option<((bool, bool, usize, usize, usize), Parent)> = None;
    for (index, parent) in drafts.iter().enumerate() {
        if parent.kind != ResourceKind::List || parent.method != "get" || index == child {
            continue;
        }
        if !things.iter().any(|thing| is_list_of(parent, thing)) || descends(parents, index, child)
        {
            continue;
        }
        let settings = settings(drafts, parents, index);
        // An owner knows his organization's name; he does not know ids.
        let known = location == Location::Path && params.iter().all(|param| is_known(draft, param));
        let spares = settings < params.len() && !is_own(parent.path);
        if known && !spares || settings > params.len() {
            continue;
        }
        let mut links = Vec::new();
        let mut all_sure = true;
        for param in params {
            let (field, sure) = field(api, draft, parent, param, params.len());
            all_sure &= sure;
            links.push(ParentLink {
                param: param.clone(),
                location,
                field,
            });
        }
        // Several fields of which one is a guess are no link.
        if !all_sure && params.len() > 2 {
            continue;
        }
        let rank = (
            parent.deprecated,
            is_own(parent.path),
            settings,
            segments(parent.path).len(),
            index,
        );
        let found = Parent {
            index,
            links,
            inherited: Vec::new(),
            confidence: if all_sure { 0.8 } else { 0.6 },
            reason: format!("`{}` lists what the parameters name", parent.path),
        };
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, found));
        }
    }
    best.map(|(_, parent)| parent)
}

/// Whether a list holds such things, by its path or by its records' name.
fn is_list_of(parent: &Draft<'_>, thing: &str) -> bool {
    let by_path = noun(parent.path).is_some_and(|noun| same_noun(&noun, thing));
    let by_records = noun(parent.path).is_none()
        && parent
            .found
            .path
            .last()
            .is_some_and(|key| same_noun(key, thing));
    by_path || by_records
}

/// Whether a parameter takes what a person knows: a user's, an organization's name.
fn is_known(draft: &Draft<'_>, param: &str) -> bool {
    let id = words(param)
        .iter()
        .any(|word| matches!(word.as_str(), "id" | "gid" | "uuid" | "key" | "number"));
    let text = parameter(draft, param)
        .map(|parameter| parameter.description.to_lowercase())
        .unwrap_or_default();
    let named = ["name", "username", "slug", "handle", "login"]
        .iter()
        .any(|sign| super::words::says(&text, sign) || flat(param).ends_with(sign));
    named || !id
}

fn parameter<'a>(draft: &Draft<'a>, name: &str) -> Option<&'a Parameter> {
    draft
        .parameters
        .iter()
        .find(|parameter| parameter.name == name)
}

/// Whether `index` hangs below `ancestor`.
fn descends(parents: &[Option<Parent>], index: usize, ancestor: usize) -> bool {
    let mut at = index;
    for _ in 0..parents.len() {
        if at == ancestor {
            return true;
        }
        match parents.get(at) {
            Some(Some(parent)) => at = parent.index,
            _ => return false,
        }
    }
    true
}

/// How many placeholders of a list, and of what it hangs below, nothing fills.
fn settings(drafts: &[Draft<'_>], parents: &[Option<Parent>], index: usize) -> usize {
    let mut names: Vec<String> = Vec::new();
    let mut at = Some(index);
    for _ in 0..drafts.len() {
        let Some(draft) = at.and_then(|at| drafts.get(at)) else {
            break;
        };
        let parent = at.and_then(|at| parents.get(at)).and_then(Option::as_ref);
        let linked = |name: &str| {
            parent.is_some_and(|parent| parent.links.iter().any(|link| link.param == name))
        };
        names.retain(|name| !linked(name));
        for name in segments(draft.path).into_iter().filter_map(placeholder) {
            if !linked(name) && !names.iter().any(|other| other == name) {
                names.push(name.to_owned());
            }
        }
        at = parent.map(|parent| parent.index);
    }
    names.len()
}

/// The parent's field for a parameter, and whether it is more than a guess.
fn field(
    _api: &Api,
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
    let own_noun = noun(parent.path).unwrap_or_default();
    let nouns = [
        own_noun.clone(),
        parent.found.path.last().cloned().unwrap_or_default(),
    ];
    let properties = record.properties();
    let is_noun = nouns
        .iter()
        .any(|noun| same_noun(noun, param) || flat(&singular_name(noun)) == flat(param));
    // `repo`: its name, or its id, as the text says.
    if is_noun || own_noun.is_empty() && words(param).len() == 1 {
        for name in ["slug", "name", "login", "username", "code", "key", "number"] {
            let says = ["name", "slug", "username", "login", "key", "code", "number"]
                .contains(&name)
                && super::words::says(&text, name)
                && !super::words::says(&text, "id");
            if says && properties.contains_key(name) {
                return (name.to_owned(), true);
            }
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
    // `owner` is an object: its login, its name, its id.
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

/// Placeholders of the child that its parent has too, where the parent gets them from its own parent.
fn inherited(
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    index: usize,
) -> Vec<(String, String)> {
    let Some(Some(parent)) = parents.get(index) else {
        return Vec::new();
    };
    let (Some(child), Some(above)) = (drafts.get(index), drafts.get(parent.index)) else {
        return Vec::new();
    };
    let own = segments(child.path).into_iter().filter_map(placeholder);
    let free: Vec<&str> = own
        .filter(|name| !parent.links.iter().any(|link| link.param == *name))
        .collect();
    let theirs: Vec<&str> = segments(above.path)
        .into_iter()
        .filter_map(placeholder)
        .collect();
    let prefix = path_shape(child.path).starts_with(&path_shape(above.path));
    free.into_iter()
        .enumerate()
        .filter_map(|(position, name)| {
            let same = theirs.iter().find(|other| **other == name);
            // The same place of the same path under another name.
            let place = theirs.get(position).filter(|_| prefix);
            let other = same.or(place)?;
            is_supplied(drafts, parents, parent.index, other)
                .then(|| (name.to_owned(), (*other).to_owned()))
        })
        .collect()
}

/// Whether a placeholder of a list comes from a record somewhere above it.
fn is_supplied(drafts: &[Draft<'_>], parents: &[Option<Parent>], index: usize, name: &str) -> bool {
    let mut at = index;
    for _ in 0..drafts.len() {
        let Some(Some(parent)) = parents.get(at) else {
            return false;
        };
        if parent.links.iter().any(|link| link.param == name) {
            return true;
        }
        at = parent.index;
    }
    false
}

/// As facts, with the parent's name.
pub(super) fn facts(drafts: &[Draft<'_>], parent: &Parent) -> Option<ParentFacts> {
    let above = drafts.get(parent.index)?;
    Some(ParentFacts {
        path: above.path.to_owned(),
        resource: above.name.clone(),
        links: parent.links.clone(),
        inherited: parent.inherited.clone(),
    })
}
