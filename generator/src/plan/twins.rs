//! Resources whose rows another resource brings as well. They are off, so that a run does not read
//! them twice.

use etlgen_model::{Embedded, EmbeddedPlace};

use super::{Plan, Resource, path};
use crate::infer::facts::ResourceFacts;
use crate::overrides::Choices;
use crate::spec::api::{Api, Operation, SchemaId, SchemaKind};

/// Switches off the resources of the plan whose rows come with another one, unless the owner has
/// decided about them. `facts` are those of the resources, in order.
pub fn switch_off(api: &Api, facts: &[(&ResourceFacts, &Choices)], plan: &mut Plan) {
    let reasons: Vec<Option<String>> = plan
        .resources
        .iter()
        .zip(facts)
        .map(|(resource, (_, wish))| {
            let serves = |other: &Resource| {
                let parent = other.parent.as_ref();
                parent.is_some_and(|parent| parent.resource == resource.name)
            };
            let is_open = wish.off.is_none() && resource.off.is_none() && !resource.single;
            let free = is_open && !plan.resources.iter().any(serves);
            let all = Twins { api, facts, plan };
            let twin = || all.newer(resource).or_else(|| all.alias(resource));
            free.then(|| twin().or_else(|| all.holder(resource)))
                .flatten()
        })
        .collect();
    for (resource, reason) in plan.resources.iter_mut().zip(reasons) {
        resource.off = resource.off.take().or(reason);
    }
}

struct Twins<'a> {
    api: &'a Api,
    facts: &'a [(&'a ResourceFacts, &'a Choices)],
    plan: &'a Plan,
}

impl Twins<'_> {
    /// Returns that a resource is deprecated, and another one lists the same records of the same
    /// parent.
    fn newer(&self, resource: &Resource) -> Option<String> {
        let parent = |resource: &Resource| Some(resource.parent.as_ref()?.resource.clone());
        let record = resource.record.as_ref()?;
        let mut others = self.plan.resources.iter();
        let newer = others.find(|other| {
            let same = other.record.as_ref() == Some(record) && parent(other) == parent(resource);
            let stands = other.off.is_none() && !other.single && !self.is_deprecated(other);
            same && stands && self.lacks_nothing(other)
        })?;
        self.is_deprecated(resource)
            .then(|| format!("it is deprecated, and `{}` has the same rows", newer.name))
    }

    /// Returns that another path lists the same: its parent, its records, its parameters and its text
    /// are the same. Of two such lists the one whose path is named after the records stays, or else
    /// the first.
    fn alias(&self, resource: &Resource) -> Option<String> {
        let own = self.operation(resource)?;
        let same = |other: &&Resource| {
            let (Some(theirs), Some((above, _))) =
                (self.operation(other), own.path.rsplit_once('/'))
            else {
                return false;
            };
            let parameters = |operation: &Operation| {
                let all = operation.parameters.iter();
                all.map(|it| (it.name.clone(), it.location))
                    .collect::<Vec<_>>()
            };
            let beside = theirs.path.rsplit_once('/').map(|(above, _)| above) == Some(above);
            let alike = other.record == resource.record
                && theirs.method == own.method
                && theirs.description == own.description
                && parameters(theirs) == parameters(own);
            other.name != resource.name && other.off.is_none() && beside && alike
        };
        let is_known = resource.record.is_some() && !own.description.is_empty();
        let other = self.plan.resources.iter().filter(|_| is_known).find(same)?;
        let rank = |resource: &Resource| {
            let last = resource.path.rsplit('/').next().unwrap_or_default();
            let record = self.fact(resource).and_then(|found| found.record);
            let component = record.and_then(|id| self.api.schemas[id].component.as_deref());
            let named = component.is_some_and(|component| last.starts_with(component));
            let at = self
                .plan
                .resources
                .iter()
                .position(|it| it.name == resource.name);
            (!named, at)
        };
        (rank(other) < rank(resource)).then(|| format!("`{}` is the same list", other.name))
    }

    /// Returns that each record of the parent holds the list: `lines` of an invoice, of which the
    /// run requests the pages that the invoice does not hold.
    fn holder(&self, resource: &Resource) -> Option<String> {
        let link = resource.parent.as_ref()?;
        let mut all = self.plan.resources.iter();
        let parent = all.find(|other| other.name == link.resource && other.off.is_none())?;
        let holds = |embedded: &&Embedded| {
            let keys = path::parse(&embedded.list);
            let last = keys.last().map(String::as_str).unwrap_or_default();
            let whole = matches!(embedded.place, EmbeddedPlace::Url(_));
            let here = resource
                .path
                .trim_end_matches('/')
                .ends_with(&format!("}}/{last}"));
            whole && here && self.is_held(parent, &keys, resource)
        };
        let list = parent.embedded.iter().find(holds)?;
        Some(format!(
            "its rows come with `{}`, whose `{}` holds them",
            parent.name, list.list
        ))
    }

    /// Returns whether the records of a parent always have a list at these keys with the records of
    /// a child.
    fn is_held(&self, parent: &Resource, keys: &[String], child: &Resource) -> bool {
        let (Some(parent), Some(child)) = (self.fact(parent), self.fact(child)) else {
            return false;
        };
        let schemas = &self.api.schemas;
        let mut at = parent.record;
        for key in keys {
            at = at.and_then(|id| self.required(id, key));
        }
        let records = child.records_path.value.iter();
        for key in records {
            at = at.and_then(|id| self.property(id, key));
        }
        let item = at.and_then(|id| match &schemas[id].kind {
            SchemaKind::Array(item) => Some(*item),
            _ => None,
        });
        match (item, child.record) {
            (Some(a), Some(b)) => {
                let named = &schemas[a].component;
                a == b || named.is_some() && *named == schemas[b].component
            }
            _ => false,
        }
    }

    fn property(&self, id: SchemaId, key: &str) -> Option<SchemaId> {
        match &self.api.schemas[id].kind {
            SchemaKind::Object { properties, .. } => properties.get(key).copied(),
            _ => None,
        }
    }

    /// Returns a property that every object has.
    fn required(&self, id: SchemaId, key: &str) -> Option<SchemaId> {
        match &self.api.schemas[id].kind {
            SchemaKind::Object { required, .. } if required.iter().any(|name| name == key) => {
                self.property(id, key)
            }
            _ => None,
        }
    }

    fn fact(&self, resource: &Resource) -> Option<&ResourceFacts> {
        let at = self
            .plan
            .resources
            .iter()
            .position(|other| other.name == resource.name)?;
        self.facts.get(at).map(|(found, _)| *found)
    }

    fn operation(&self, resource: &Resource) -> Option<&Operation> {
        let operation = |found: &ResourceFacts| self.api.operations.get(found.operation);
        self.fact(resource).and_then(operation)
    }

    fn is_deprecated(&self, resource: &Resource) -> bool {
        let operation = self.operation(resource);
        operation.is_some_and(|operation| operation.deprecated)
    }

    /// Returns whether the requests of a resource need no setting of its own.
    fn lacks_nothing(&self, resource: &Resource) -> bool {
        let settings = resource
            .parameters
            .iter()
            .filter_map(|it| it.value.setting());
        let optional = |name: &str| {
            let mut settings = self.plan.settings.iter();
            settings.any(|it| it.ident == name && it.optional && it.default.is_none())
        };
        !settings.into_iter().any(optional)
    }
}
