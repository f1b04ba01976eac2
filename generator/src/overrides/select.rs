//! Selects the resources that the owner wants.

use std::collections::BTreeMap;

use super::file::{At, Faults};
use super::subject::{index, near};
use super::top::selection::Singles;
use super::{ResourceKeys, TopKeys};
use crate::diagnostics::{Diagnostic, Kind, counted};
use crate::infer::facts::{Facts, ResourceFacts, ResourceKind, SURE};

/// Returns the indexes of the selected resources: all lists or the named ones, without the excluded
/// ones, with the parents that they need. A name that fits no resource is a mistake.
pub fn select(facts: &Facts, keys: &TopKeys, faults: &mut Faults) -> Vec<usize> {
    let mut wanted: Vec<bool> = match &keys.include {
        None => facts.resources.iter().map(is_list).collect(),
        Some(include) if include.0.is_empty() => facts.resources.iter().map(is_list).collect(),
        Some(_) => vec![false; facts.resources.len()],
    };
    for pattern in keys.include.iter().flat_map(|include| &include.0) {
        // A pattern fits lists only; a single object needs its full name.
        let all = pattern.contains('*');
        each(facts, "include", pattern, faults, |at, resource| {
            wanted[at] |= !all || is_list(resource);
        });
    }
    // A document that has no list offers its single objects.
    let named = keys.include.is_some() || facts.resources.iter().any(is_list);
    let usual = if named { Singles::None } else { Singles::Some };
    let singles = keys.singles.as_deref().unwrap_or(&usual);
    match singles {
        Singles::All | Singles::Some => {
            for (at, resource) in facts.resources.iter().enumerate() {
                let fits = *singles == Singles::All || is_ready(resource);
                wanted[at] |= !is_list(resource) && fits;
            }
        }
        Singles::These(patterns) => {
            for pattern in patterns {
                each(facts, "singles", pattern, faults, |at, _| wanted[at] = true);
            }
        }
        Singles::None => {}
    }
    for pattern in keys.exclude.iter().flat_map(|exclude| &exclude.0) {
        each(facts, "exclude", pattern, faults, |at, _| {
            wanted[at] = false
        });
    }
    with_parents(facts, wanted)
}

/// Returns whether the requests of a resource need nothing that nobody supplies, and only read.
fn is_ready(resource: &ResourceFacts) -> bool {
    let supplied = resource.settings.is_empty() && resource.needs.is_empty();
    let sure = resource.parent.value.is_none() || resource.parent.confidence >= SURE;
    supplied && sure && resource.off.is_none() && resource.unsendable.is_none()
}

fn is_list(resource: &ResourceFacts) -> bool {
    resource.kind == ResourceKind::List
}

/// Calls `with` for each resource that fits a pattern; adds a mistake if none fits.
fn each(
    facts: &Facts,
    key: &str,
    pattern: &At<String>,
    faults: &mut Faults,
    mut with: impl FnMut(usize, &ResourceFacts),
) {
    let fits = |resource: &ResourceFacts| {
        let is_meant = key != "singles" || !is_list(resource);
        is_meant && matches(pattern, &resource.name)
    };
    let mut found = false;
    for (at, resource) in facts.resources.iter().enumerate() {
        if fits(resource) {
            with(at, resource);
            found = true;
        }
    }
    if found {
        return;
    }
    let (message, hint) = match pattern.contains('*') {
        true => (
            format!(
                "`{key}` has the pattern `{}`, which fits no resource",
                pattern.value
            ),
            Some("`etlgen inspect` lists all resources".to_owned()),
        ),
        false if index(facts, pattern).is_some() => (
            format!("`{key}` names `{}`, which is a list", pattern.value),
            Some("lists are included by default; `include` selects some of them".to_owned()),
        ),
        false => (
            format!("the document has no resource `{}`", pattern.value),
            near(facts, pattern),
        ),
    };
    faults.add(pattern.place, message).hint(hint);
}

/// Returns the indexes of the wanted resources and of all their parents.
fn with_parents(facts: &Facts, mut wanted: Vec<bool>) -> Vec<usize> {
    let mut at = 0;
    let mut queue: Vec<usize> = (0..wanted.len()).filter(|at| wanted[*at]).collect();
    while let Some(child) = queue.get(at).copied() {
        at += 1;
        let parent = parent_of(&facts.resources[child]);
        let parent = parent.and_then(|parent| index(facts, parent));
        if let Some(parent) = parent
            && !wanted[parent]
        {
            wanted[parent] = true;
            queue.push(parent);
        }
    }
    (0..wanted.len()).filter(|at| wanted[*at]).collect()
}

fn parent_of(resource: &ResourceFacts) -> Option<&str> {
    let parent = resource.parent.value.as_ref()?;
    (resource.parent.confidence >= SURE).then_some(&parent.resource)
}

/// Adds a mistake for each new name that another wanted resource has.
pub fn refuse_taken_names(
    facts: &Facts,
    keys: &BTreeMap<String, ResourceKeys>,
    chosen: &[usize],
    faults: &mut Faults,
) {
    let name = |at: &usize| {
        let own = facts.resources[*at].name.as_str();
        let new = keys.get(own).and_then(|keys| keys.name.as_ref());
        (own, new)
    };
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for at in chosen {
        if let (own, None) = name(at) {
            taken.insert(own, own);
        }
    }
    for at in chosen {
        let (own, Some(new)) = name(at) else { continue };
        if let Some(other) = taken.insert(&new.value.0, own) {
            let message = format!(
                "the name `{}` is taken by the resource `{other}`",
                new.value.0
            );
            let hint = format!("choose another one, or rename `{other}` too");
            faults.add(new.place, message).hint(hint);
        }
    }
}

/// Returns the error for an empty selection, with what the document has instead.
pub fn nothing(facts: &Facts, keys: &TopKeys) -> Diagnostic {
    let singles = facts.resources.iter().filter(|resource| !is_list(resource));
    let singles: Vec<&str> = singles.map(|resource| resource.name.as_str()).collect();
    let selects = keys.exclude.is_some() || keys.include.is_some();
    if selects {
        // The selection is the cause, not the document.
        return Diagnostic::error(Kind::Usage, "the selection leaves no resource")
            .with_hint("`etlgen inspect --spec …` lists what the document offers");
    }
    let (message, hint) = match singles.as_slice() {
        [] => (
            "the document describes no resource: no response of a GET contains records".to_owned(),
            "`etlgen inspect --spec … --format json` gives the reason for each operation that is left out"
                .to_owned(),
        ),
        singles => (
            format!(
                "the document describes no lists, only {}",
                counted(singles.len(), "single object")
            ),
            format!(
                "name those that you want: `--resources {}`",
                singles[..singles.len().min(3)].join(",")
            ),
        ),
    };
    Diagnostic::error(Kind::Document, message)
        .at_pointer("/paths")
        .with_hint(hint)
}

/// Returns whether a name fits a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    if !pattern.contains('*') {
        return rest.is_empty();
    }
    let mut rest = rest;
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return false;
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a_b_c", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("a*c", "ab", false),
        ] {
            assert_eq!(super::matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
