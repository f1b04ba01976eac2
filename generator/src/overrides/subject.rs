//! The values that keys are applied to.

use std::collections::BTreeMap;

use etlgen_model::{Contract, distance};

use super::ResourceKeys;
use super::decided::Choices;
use super::file::{Faults, Place};
use super::places::{Found, walk};
use crate::infer::facts::{Decision, Facts, ResourceFacts};
use crate::near::{hint, listed, nearest};
use crate::spec::api::{Api, Location, Operation, SchemaKind};

/// The whole API.
pub struct Whole<'a> {
    pub api: &'a Api,
    pub facts: &'a mut Facts,
    pub contract: &'a mut Option<Contract>,
    pub faults: &'a mut Faults,
}

/// A resource among the others.
pub struct Target<'a> {
    pub api: &'a Api,
    pub facts: &'a mut Facts,
    pub choices: &'a mut [Choices],
    /// The contract of the whole API.
    pub contract: Option<Contract>,
    /// The keys of all resources, by the names of the resources.
    pub all: &'a BTreeMap<String, ResourceKeys>,
    pub faults: &'a mut Faults,
    /// The index of the resource.
    pub at: usize,
}

/// Returns a decision of the owner, which is certain.
pub fn sure<T>(value: T) -> Decision<T> {
    Decision {
        value,
        confidence: 1.0,
        reasons: vec!["etlgen.toml says so".to_owned()],
        others: Vec::new(),
    }
}

impl<'a> Target<'a> {
    pub fn resource(&self) -> &ResourceFacts {
        &self.facts.resources[self.at]
    }

    pub fn resource_mut(&mut self) -> &mut ResourceFacts {
        &mut self.facts.resources[self.at]
    }

    pub fn choices(&mut self) -> &mut Choices {
        &mut self.choices[self.at]
    }

    pub fn name(&self) -> String {
        self.resource().name.clone()
    }

    pub fn operation(&self) -> &'a Operation {
        &self.api.operations[self.resource().operation]
    }

    /// Returns all keys of the resource.
    pub fn keys(&self) -> ResourceKeys {
        let keys = self.all.get(&self.resource().name);
        keys.cloned().unwrap_or_default()
    }

    /// Returns the index of the resource of that name, or adds a mistake if there is none.
    pub fn other(&mut self, place: Place, name: &str) -> Option<usize> {
        let found = index(self.facts, name);
        if found.is_none() {
            unknown(self.facts, self.all, self.faults, (place, name));
        }
        found
    }

    /// Adds a mistake if the operation does not declare a parameter, but one with nearly the same
    /// name. Documents leave parameters out, so that other names are accepted.
    pub fn refuse_misspelled(&mut self, place: Place, key: &str, param: &str) {
        let operation = self.operation();
        let query = operation.parameters.iter();
        let query = query.filter(|known| known.location == Location::Query);
        let query = query.map(|known| known.name.as_str());
        let body = operation
            .request_body
            .filter(|_| operation.method == "post");
        let body = body.map(|body| &self.api.schemas[body].kind);
        let body = body.and_then(|kind| match kind {
            SchemaKind::Object { properties, .. } => Some(properties.keys().map(String::as_str)),
            _ => None,
        });
        let known: Vec<&str> = query.chain(body.into_iter().flatten()).collect();
        let most = ((param.chars().count() + 1) / 4).clamp(1, 2);
        let near = known.iter().find(|name| distance(param, name) <= most);
        if let Some(near) = near.filter(|_| !known.contains(&param)) {
            let message = format!(
                "`{key}` names `{param}`, which is not a parameter of `{}`",
                operation.path
            );
            let hint = format!(
                "did you mean `{near}`? An overlay can add a parameter that the document leaves out"
            );
            self.faults.add(place, message).hint(hint);
        }
    }

    /// Returns whether the records have the field at a dotted path. If not, adds a mistake that
    /// names `key`.
    pub fn has_field(&mut self, place: Place, key: &str, path: &str) -> bool {
        self.record_has_field(self.at, place, key, path)
    }

    /// Returns whether the document declares a field of the records of a resource.
    pub fn knows_field(&self, of: usize, path: &str) -> bool {
        let record = self.facts.resources[of].record;
        record.is_some_and(|record| matches!(walk(self.api, record, path, false), Found::To(..)))
    }

    /// Does the same for the records of any resource.
    pub fn record_has_field(&mut self, of: usize, place: Place, key: &str, path: &str) -> bool {
        let resource = &self.facts.resources[of];
        let Some(record) = resource.record else {
            return true;
        };
        let Found::No(known) = walk(self.api, record, path, false) else {
            return true;
        };
        let message = format!(
            "`{key}` names `{path}`, and the records of `{}` have no such field",
            resource.name
        );
        self.faults.add(place, message).hint(fields(path, &known));
        false
    }
}

/// Returns the hint for a field that does not exist: the nearest one, and the others.
pub fn fields(path: &str, known: &[String]) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let there = match known.as_slice() {
        [] => return None,
        known => format!("they have {}", listed(known, 12)),
    };
    let overlay = "an overlay can add what the document leaves out";
    Some(match nearest(path, &known) {
        Some(near) => format!("did you mean `{near}`? {there}; {overlay}"),
        None => format!("{there}; {overlay}"),
    })
}

/// Returns the index of the resource of that name.
pub fn index(facts: &Facts, name: &str) -> Option<usize> {
    let mut resources = facts.resources.iter();
    resources.position(|resource| resource.name == name)
}

/// Adds the mistake that there is no resource of that name.
pub fn unknown(
    facts: &Facts,
    all: &BTreeMap<String, ResourceKeys>,
    faults: &mut Faults,
    (place, name): (Place, &str),
) {
    let renamed = all.iter().find(|(_, keys)| {
        let new = keys.name.as_ref();
        new.is_some_and(|new| new.value.0 == name)
    });
    let hint = match renamed {
        Some((old, _)) => Some(format!("`{name}` is its new name: write `{old}`")),
        None => near(facts, name),
    };
    let message = format!("the document has no resource `{name}`");
    faults.add(place, message).hint(hint);
}

/// Returns a hint with the resources whose names are near one that does not exist.
pub fn near(facts: &Facts, name: &str) -> Option<String> {
    let names = facts.resources.iter();
    let names: Vec<&str> = names.map(|resource| resource.name.as_str()).collect();
    let near = hint(name, &names)?;
    Some(format!("{near}; `etlgen inspect` lists all"))
}
