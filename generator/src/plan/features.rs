//! Cargo features of a large crate: one per tag of the document, so that a user of three resources
//! does not compile hundreds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Feature, Resource, names};
use crate::infer::facts::ResourceFacts;
use crate::spec::api::{Api, Operation};

/// A crate with more resources has features.
const LARGE: usize = 150;
/// The most features of a crate.
const MOST: usize = 100;
/// The feature of all other resources.
const OTHER: &str = "other";

/// Returns the feature of each resource; all are `None` if the crate is not large or cannot be
/// divided.
pub fn of(api: &Api, resources: &[&ResourceFacts]) -> Vec<Option<String>> {
    let none = vec![None; resources.len()];
    if resources.len() <= LARGE {
        return none;
    }
    let named = |name: fn(&Operation) -> Option<&str>| -> Vec<String> {
        let operations = resources
            .iter()
            .map(|resource| &api.operations[resource.operation]);
        let names = operations.map(|operation| name(operation).or_else(|| segment(operation)));
        names
            .map(|name| feature(name.unwrap_or_default()))
            .collect()
    };
    let fits = |names: &[String]| {
        let count = names.iter().collect::<BTreeSet<_>>().len();
        count > 1 && count <= MOST
    };
    let by_tag = named(|operation| operation.tags.first().map(String::as_str));
    let mut names = match fits(&by_tag) {
        true => by_tag,
        false => named(|_| None),
    };
    if !fits(&names) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for name in &names {
            *counts.entry(name.clone()).or_default() += 1;
        }
        let mut common: Vec<(&String, &usize)> = counts.iter().collect();
        common.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        let kept: BTreeSet<&String> = common
            .iter()
            .take(MOST - 1)
            .map(|(name, _)| *name)
            .collect();
        for name in &mut names {
            if !kept.contains(name) {
                *name = OTHER.to_owned();
            }
        }
    }
    match names.iter().all(|name| *name == names[0]) {
        true => none,
        false => names.into_iter().map(Some).collect(),
    }
}

/// Returns the first segment of a path that is not empty, a version, a parameter or generic.
fn segment(operation: &Operation) -> Option<&str> {
    let says = |segment: &&str| {
        let version = segment.strip_prefix(['v', 'V']).unwrap_or(segment);
        let is_version = version.starts_with(|c: char| c.is_ascii_digit());
        let is_variable = segment.contains('{');
        !segment.is_empty() && !is_version && !is_variable && !["api", "rest"].contains(segment)
    };
    operation.path.split('/').find(says)
}

/// Returns a feature name that Cargo accepts.
fn feature(name: &str) -> String {
    let name = names::cut(names::snake(name, OTHER));
    let name = name.trim_start_matches('_').replace('_', "-");
    match name.as_str() {
        // Cargo and the crate's dependencies already use these names.
        "default" | "tokio" | "etlgen-runtime" => format!("{name}-resources"),
        _ => name,
    }
}

/// Returns every feature with those that it needs: a child needs its parent.
pub fn all(resources: &[Resource]) -> Vec<Feature> {
    let home: BTreeMap<&str, &str> = resources
        .iter()
        .filter_map(|resource| Some((resource.name.as_str(), resource.feature.as_deref()?)))
        .collect();
    let mut needs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for resource in resources {
        let Some(own) = home.get(resource.name.as_str()) else {
            continue;
        };
        let needed = needs.entry(own).or_default();
        let parent = resource.parent.as_ref();
        let above = parent.and_then(|parent| home.get(parent.resource.as_str()));
        needed.extend(
            above
                .filter(|above| *above != own)
                .map(|above| (*above).to_owned()),
        );
    }
    let features = needs.into_iter().map(|(name, needs)| Feature {
        name: name.to_owned(),
        needs: needs.into_iter().collect(),
    });
    features.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_cargo_takes() {
        for (tag, name) in [
            ("Code Scanning", "code-scanning"),
            ("3D/Models", "3-d-models"),
            ("default", "default-resources"),
            ("漢字", "other"),
            ("", "other"),
            ("tokio", "tokio-resources"),
        ] {
            assert_eq!(feature(tag), name, "{tag}");
        }
        assert!(feature(&"x".repeat(300)).len() <= 80);
    }
}
