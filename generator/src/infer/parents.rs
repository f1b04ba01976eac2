//! Infers which resources are children of others, and which fields of the parent fill their parameters.

use std::collections::{HashMap, HashSet};

use crate::spec::api::{Api, Location};

use super::facts::{ParentFacts, ParentLink, ResourceKind};
use super::links::{field, formatted, has_field, is_known};
use super::matching::{self, Parent, descends};
use super::names::is_own;
use super::node::Node;
use super::rules::rule;
use super::words::{
    common, flat, is_plural, is_variable, path_shape, placeholder, same_noun, segments,
    singular_name, words,
};
use super::{Draft, items_follow};

/// The confidence in a parent whose records lack the field that the child needs.
const LACKING: f32 = 0.5;

/// Returns the list at the path before a placeholder: `/v1/invoices` of
/// `/v1/invoices/{invoice}/lines`.
pub(super) fn above(drafts: &[Draft<'_>]) -> Vec<Option<(usize, String)>> {
    let mut lists: HashMap<String, usize> = HashMap::new();
    for method in ["get", "post"] {
        for (index, draft) in drafts.iter().enumerate() {
            if draft.kind == ResourceKind::List
                && !draft.deprecated
                && draft.method == method
                && draft.serves
                && items_follow(draft.path, &draft.found.path)
            {
                lists.entry(path_shape(draft.path)).or_insert(index);
            }
        }
    }
    drafts
        .iter()
        .map(|draft| {
            let mut segments = segments(draft.path);
            while let Some(last) = segments.pop() {
                if !rule("a path goes on", is_variable(last)) {
                    continue;
                }
                let param = placeholder(last).unwrap_or(last);
                if let Some(&index) = lists.get(&path_shape(&segments.join("/"))) {
                    // One record of the list may be named after what it is: a contributor is a user.
                    let lists = draft.kind == ResourceKind::List && draft.path.ends_with(last);
                    let other = lists.then(|| of_another(drafts, index, param)).flatten();
                    return Some((other.unwrap_or(index), param.to_owned()));
                }
                // `/block_types/slug/{slug}` names a record by its `slug`.
                let list = draft.kind == ResourceKind::List;
                let by_field = segments
                    .split_last()
                    .filter(|_| list)
                    .and_then(|(field, list)| {
                        let named = flat(field) == flat(param)
                            || flat(field) == flat(&format!("by{param}"));
                        let index = *lists.get(&path_shape(&list.join("/")))?;
                        let record = &drafts.get(index)?.found.record;
                        let has = record.properties().contains_key(param);
                        (named && rule("a field in the path", has)).then_some(index)
                    });
                if let Some(index) = by_field {
                    return Some((index, param.to_owned()));
                }
            }
            None
        })
        .collect()
}

/// Returns the list that a placeholder is named after, if that is not the one whose path it
/// continues: `/depots` for `depot` of `/parcels/{depot}`.
fn of_another(drafts: &[Draft<'_>], index: usize, param: &str) -> Option<usize> {
    let name = flat(param);
    let generic = [
        "id", "ids", "uuid", "key", "gid", "name", "number", "code", "ref",
    ];
    if generic.contains(&name.as_str()) {
        return None;
    }
    let stems: Vec<&str> = ["id", "uuid", "key", "code", "ref", "number", ""]
        .iter()
        .filter_map(|end| name.strip_suffix(end))
        .filter(|stem| stem.len() > 1)
        .collect();
    let names = |draft: &Draft<'_>| {
        let noun = draft.noun.as_deref().map(|noun| flat(&singular_name(noun)));
        let by_noun = noun.is_some_and(|noun| stems.contains(&noun.as_str()));
        let by_key = matches!(draft.key.value.as_slice(), [key] if flat(key) == name);
        by_noun || by_key
    };
    let own = drafts.get(index)?;
    let noun = own.noun.as_deref().unwrap_or_default();
    let own_words = words(noun);
    let own_word = |word: &String| own_words.iter().any(|own| same_noun(own, word));
    if names(own) || words(param).iter().any(own_word) {
        return None;
    }
    let others = drafts.iter().enumerate().filter(|(_, other)| {
        let free = other.serves && !other.deprecated && !other.path.contains('{');
        other.kind == ResourceKind::List && free && names(other)
    });
    let near = |other: &Draft<'_>| {
        let depth = segments(other.path).len();
        (std::cmp::Reverse(common(own.path, other.path)), depth)
    };
    let best = others.min_by_key(|(index, other)| (near(other), *index));
    best.map(|(index, _)| index)
        .filter(|_| rule("a placeholder named after another list", true))
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
        let (field, sure) = field(draft, parent, param, 1);
        let exists = has_field(&parent.found.record, &field);
        let mut reason = format!("its path continues that of `{}`", parent.path);
        if !exists {
            reason.push_str(&format!(", whose records have no `{field}`"));
        }
        *slot = Some(Parent {
            index: *index,
            links: vec![ParentLink {
                param: param.clone(),
                location: Location::Path,
                field,
            }],
            inherited: Vec::new(),
            confidence: match (exists, sure) {
                (false, _) => LACKING,
                (true, true) => 0.95,
                (true, false) => 0.75,
            },
            reason,
        });
    }
    for index in 0..drafts.len() {
        if parents.get(index).is_some_and(Option::is_none)
            && let Some(found) = matching::told(api, drafts, &parents, index)
                .or_else(|| by_noun(drafts, &parents, index))
                .or_else(|| matching::by_record(api, drafts, &parents, index))
                .or_else(|| by_parameter(api, drafts, &parents, index))
                .or_else(|| matching::by_value(api, drafts, index))
            && let Some(slot) = parents.get_mut(index)
        {
            *slot = Some(found);
        }
    }
    for index in 0..drafts.len() {
        if let Some(found) = supplier(drafts, &parents, index)
            && let Some(slot) = parents.get_mut(index)
        {
            *slot = Some(found);
        }
    }
    for index in 0..drafts.len() {
        let inherited = inherited(drafts, &parents, index);
        if let Some(Some(parent)) = parents.get_mut(index) {
            parent.inherited = inherited;
            parent.links.extend(same_names(drafts, parent, index));
        }
    }
    parents
}

/// Returns another list of the same things for a child whose path continues that of a list without
/// the field it needs: `/projects/{id}/tasks` for `/tasks/{id}/annotations`, if the records of
/// `/tasks` have no `id`. It is a guess, like the list that it replaces.
fn supplier(drafts: &[Draft<'_>], parents: &[Option<Parent>], child: usize) -> Option<Parent> {
    let parent = parents.get(child)?.as_ref();
    let parent = parent.filter(|parent| parent.confidence == LACKING)?;
    let ([link], draft) = (parent.links.as_slice(), drafts.get(child)?) else {
        return None;
    };
    let lacking = drafts.get(parent.index)?;
    let noun = lacking.noun.as_deref()?;
    let has = |other: &Draft<'_>| {
        let (field, _) = field(draft, other, &link.param, 1);
        let node = other.found.record.properties().get(&field)?.is_scalar();
        node.then_some(field)
    };
    let others = drafts.iter().enumerate().filter(|(index, other)| {
        let is_list = other.kind == ResourceKind::List && other.serves && !other.deprecated;
        is_list && is_list_of(other, noun) && !descends(parents, *index, child)
    });
    let with_field = others.filter_map(|(index, other)| Some((index, other, has(other)?)));
    let nearest = with_field.min_by_key(|(index, other, _)| (segments(other.path).len(), *index));
    let (index, other, field) = nearest.filter(|_| rule("another list of such things", true))?;
    Some(Parent {
        index,
        reason: format!(
            "its path continues that of `{}`, whose records have no `{}`; `{}` lists such things with `{field}`",
            lacking.path, link.field, other.path
        ),
        links: vec![ParentLink {
            field,
            ..link.clone()
        }],
        ..parent.clone()
    })
}

/// Returns links for the placeholders right behind the one that the parent fills, if its records have
/// fields of their names: `map_index` of `/tasks/{task_id}/{map_index}/tries`.
fn same_names(drafts: &[Draft<'_>], parent: &Parent, child: usize) -> Vec<ParentLink> {
    let (Some(draft), Some(above)) = (drafts.get(child), drafts.get(parent.index)) else {
        return Vec::new();
    };
    let fields = above.found.record.properties();
    let linked = |name: &str| parent.links.iter().any(|link| link.param == name);
    let inherited = |name: &str| parent.inherited.iter().any(|(own, _)| own == name);
    let own = segments(draft.path).into_iter().map(placeholder);
    let behind = own.skip_while(|name| !name.is_some_and(linked));
    behind
        .map_while(|name| name)
        .filter(|name| !linked(name) && !inherited(name))
        .filter(|name| fields.get(*name).is_some_and(Node::is_scalar))
        .filter(|_| rule("a field of the parent by its name", true))
        .map(|name| ParentLink {
            param: name.to_owned(),
            location: Location::Path,
            field: name.to_owned(),
        })
        .collect()
}

/// Returns the placeholders that follow each static segment: `repos`, [`owner`, `repo`].
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

/// Finds another list that holds what the placeholders name.
fn by_noun(drafts: &[Draft<'_>], parents: &[Option<Parent>], child: usize) -> Option<Parent> {
    let draft = drafts.get(child)?;
    for (thing, params) in groups(draft.path).into_iter().rev() {
        let mut things = vec![thing];
        if let [only] = params.as_slice()
            && rule("a whole name", true)
        {
            things.extend(formatted(draft, only));
        }
        if let Some(found) = best(drafts, parents, child, &things, &params, Location::Path)
            .filter(|_| rule("a list elsewhere", true))
        {
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
        if rule("a required id in the query", id && words.len() > 1) {
            words.pop();
            let params = [parameter.name.clone()];
            if let Some(found) = best(
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

/// Finds a list whose records a required parameter of the query names: `project`, `work_pool_name`.
/// If it is not clear which list or which field that is, the parent is a guess.
fn by_parameter(
    api: &Api,
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    child: usize,
) -> Option<Parent> {
    let draft = drafts.get(child)?;
    if draft.kind != ResourceKind::List {
        return None;
    }
    let required = draft.parameters.iter().filter(|parameter| {
        let node = Node::of_schema(api, parameter.schema);
        let names = node.is_scalar() && !node.is_boolean() && node.values().is_empty();
        let plain =
            node.default().is_none() && node.format().is_none_or(|it| !it.starts_with("date"));
        parameter.required && parameter.location == Location::Query && names && plain
    });
    for parameter in required {
        let thing = named(&parameter.name);
        // A plural takes several values.
        if is_plural(&thing) {
            continue;
        }
        let lists: Vec<usize> = (0..drafts.len())
            .filter(|index| {
                let parent = &drafts[*index];
                let is_list =
                    parent.kind == ResourceKind::List && parent.serves && !parent.deprecated;
                is_list
                    && is_list_of(parent, &thing)
                    && !descends(parents, *index, child)
                    && settings(drafts, parents, *index).is_empty()
            })
            .collect();
        // A list of all such things comes before those of one thing.
        let whole = lists
            .iter()
            .filter(|index| !drafts[**index].path.contains('{'));
        let whole: Vec<usize> = whole.copied().collect();
        let lists = if whole.is_empty() { lists } else { whole };
        let shapes: HashSet<String> = lists
            .iter()
            .map(|index| path_shape(drafts[*index].path))
            .collect();
        let nearest = lists.into_iter().min_by_key(|index| {
            let path = drafts[*index].path;
            (segments(path).len(), *index)
        });
        let Some(index) = nearest.filter(|_| rule("a thing in the query", true)) else {
            continue;
        };
        let parent = &drafts[index];
        let (field, sure) = field(draft, parent, &parameter.name, 1);
        let asked = Node::of_schema(api, parameter.schema);
        let fits = parent
            .found
            .record
            .properties()
            .get(&field)
            .is_some_and(|node| {
                node.is_text() && asked.is_text() || node.is_integer() && asked.is_integer()
            });
        let clear = shapes.len() == 1 && sure && fits;
        return Some(Parent {
            index,
            links: vec![ParentLink {
                param: parameter.name.clone(),
                location: Location::Query,
                field,
            }],
            inherited: Vec::new(),
            confidence: if clear { 0.7 } else { 0.5 },
            reason: format!(
                "`{}` is required, and `{}` lists such things",
                parameter.name, parent.path
            ),
        });
    }
    None
}

/// Returns what a parameter names: `work_pool` for `work_pool_name`.
fn named(param: &str) -> String {
    let ends = ["id", "gid", "uuid", "guid", "name", "slug", "key"];
    let mut words = words(param);
    if words.len() > 1
        && words
            .last()
            .is_some_and(|last| ends.contains(&last.as_str()))
    {
        words.pop();
    }
    words.join("_")
}

/// An order of parents: the lowest is the best.
type Rank = (
    bool,
    bool,
    bool,
    usize,
    bool,
    bool,
    std::cmp::Reverse<usize>,
    usize,
    usize,
);

fn best(
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    child: usize,
    things: &[String],
    params: &[String],
    location: Location,
) -> Option<Parent> {
    let draft = drafts.get(child)?;
    // `/project/search` is the list of the items in `/project/{id}/version`.
    let stem = draft.path.split('{').next().unwrap_or_default().to_owned();
    let mut best: Option<(Rank, Parent)> = None;
    for (index, parent) in drafts.iter().enumerate() {
        if parent.kind != ResourceKind::List || !parent.serves || index == child {
            continue;
        }
        if !things.iter().any(|thing| is_list_of(parent, thing)) || descends(parents, index, child)
        {
            continue;
        }
        let settings = settings(drafts, parents, index);
        // An owner knows the name of an organisation, but not ids.
        let known = location == Location::Path && params.iter().all(|param| is_known(draft, param));
        let whole = params.len() > 1 || !parent.path.contains('{');
        let spares = settings.len() < params.len() && whole && !is_own(parent.path);
        if rule("known names stay settings", known && !spares) || settings.len() > params.len() {
            continue;
        }
        // One more level costs as much as a setting: it multiplies requests.
        let cost = trouble(drafts, &settings) + depth(parents, index);
        let rank = (
            parent.method != "get",
            parent.deprecated,
            // The list with the plain name is the complete one, and so is the owner's own list.
            parent
                .noun
                .as_ref()
                .is_some_and(|noun| *noun != parent.name)
                && !(is_own(parent.path) && cost == 0),
            cost,
            is_own(parent.path),
            !parent.path.starts_with(&stem),
            // `/vision/datasets/{id}/models` lists the ids of `/vision/models/{id}`; a list below `/language/…` does
            // not.
            std::cmp::Reverse(common(draft.path, parent.path)),
            segments(parent.path).len(),
            index,
        );
        if best.as_ref().is_some_and(|(other, _)| *other <= rank) {
            continue;
        }
        let mut links = Vec::new();
        let mut all_sure = true;
        for param in params {
            let (field, sure) = field(draft, parent, param, params.len());
            all_sure &= sure;
            links.push(ParentLink {
                param: param.clone(),
                location,
                field,
            });
        }
        // A link of several fields is refused if one of them is a guess.
        if !all_sure && params.len() > 2 {
            continue;
        }
        let found = Parent {
            index,
            links,
            inherited: Vec::new(),
            confidence: if all_sure { 0.8 } else { 0.6 },
            reason: format!("`{}` lists what the parameters name", parent.path),
        };
        best = Some((rank, found));
    }
    best.map(|(_, parent)| parent)
}

/// Returns whether a list holds such things, by its path or by the name of its records.
fn is_list_of(parent: &Draft<'_>, thing: &str) -> bool {
    let by_path = parent
        .noun
        .as_ref()
        .is_some_and(|noun| same_noun(noun, thing))
        && items_follow(parent.path, &parent.found.path);
    let by_records = parent.noun.is_none()
        && parent
            .found
            .path
            .last()
            .is_some_and(|key| same_noun(key, thing));
    by_path || by_records
}

/// Returns the number of ancestors.
fn depth(parents: &[Option<Parent>], index: usize) -> usize {
    let mut at = index;
    for depth in 0..parents.len() {
        match parents.get(at) {
            Some(Some(parent)) => at = parent.index,
            _ => return depth,
        }
    }
    parents.len()
}

/// Returns the placeholders of a list and of its ancestors that nothing fills, each with its list.
fn settings(
    drafts: &[Draft<'_>],
    parents: &[Option<Parent>],
    index: usize,
) -> Vec<(usize, String)> {
    let mut names: Vec<(usize, String)> = Vec::new();
    let mut at = Some(index);
    for _ in 0..drafts.len() {
        let Some((index, draft)) = at.and_then(|at| Some((at, drafts.get(at)?))) else {
            break;
        };
        let parent = parents.get(index).and_then(Option::as_ref);
        let linked = |name: &str| {
            parent.is_some_and(|parent| parent.links.iter().any(|link| link.param == name))
        };
        names.retain(|(_, name)| !linked(name));
        for name in segments(draft.path).into_iter().filter_map(placeholder) {
            if !linked(name) && !names.iter().any(|(_, other)| other == name) {
                names.push((index, name.to_owned()));
            }
        }
        at = parent.map(|parent| parent.index);
    }
    names
}

/// Returns the cost of the settings for their owner: names are known, ids must be looked up.
fn trouble(drafts: &[Draft<'_>], settings: &[(usize, String)]) -> usize {
    let weight = |(index, name): &(usize, String)| match drafts.get(*index) {
        Some(draft) if is_known(draft, name) => 1,
        _ => 3,
    };
    settings.iter().map(weight).sum()
}

/// Returns the placeholders that the child shares with its parent, if the parent gets them from its
/// own parent.
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
            // The placeholder at the same position of the same path may have another name.
            let place = theirs.get(position).filter(|_| prefix);
            let other = same.or(place)?;
            is_supplied(drafts, parents, parent.index, other)
                .then(|| (name.to_owned(), (*other).to_owned()))
        })
        .collect()
}

/// Returns whether a record of an ancestor supplies a placeholder of a list.
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

/// Returns the facts about a parent, with its name.
pub(super) fn facts(api: &Api, drafts: &[Draft<'_>], parent: &Parent) -> Option<ParentFacts> {
    let above = drafts.get(parent.index)?;
    Some(ParentFacts {
        path: api.operations.get(above.operation)?.path.clone(),
        resource: above.name.clone(),
        links: parent.links.clone(),
        inherited: parent.inherited.clone(),
    })
}
