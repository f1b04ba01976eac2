//! `parent`: the parent of a resource.

use crate::infer::facts::{Facts, ParentFacts, ParentLink, ResourceFacts, SettingFacts};
use crate::near::hint;
use crate::overrides::about::{About, Part};
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::{Target, index, sure};
use crate::overrides::value::Value;
use crate::spec::api::{Location, Operation};
use crate::spec::placeholders;

/// No parent, or a resource with the parameters that it supplies.
#[derive(Clone, Debug, PartialEq)]
pub enum Parent {
    None,
    Below {
        resource: At<String>,
        /// Parameters of the child, and the field of the parent's record that each takes. They are
        /// inferred if empty.
        params: Vec<(At<String>, At<String>)>,
    },
}

const TAKES: &str = "a resource, `false`, or a table with `resource`";

impl Key for Parent {
    const ABOUT: About = About {
        name: "parent",
        takes: TAKES,
        does: "Names the resource that this one is a child of: it is read once for each of the parent's records. `false`: it \
               has no parent, and its parameters are settings.",
        examples: &[
            "parent = \"teams\"",
            "parent = { resource = \"teams\", params = { team_id = \"id\" } }",
            "parent = false",
        ],
        parts: &[
            Part {
                name: "resource",
                takes: "a resource",
                does: "The parent.",
            },
            Part {
                name: "params",
                takes: "a table of dotted paths",
                does: "Parameters of the path or the query, and the field of the parent's record that each takes. By \
                       default the one open parameter takes the parent's key.",
            },
        ],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        if value.as_bool() == Some(false) {
            return Some(Parent::None);
        }
        if value.as_text().is_some() {
            let resource = value.text_at(faults)?;
            let params = Vec::new();
            return Some(Parent::Below { resource, params });
        }
        let table = value.table(TAKES, faults)?;
        table.refuse_other_parts(&Self::ABOUT, faults);
        let Some(resource) = table.get("resource") else {
            let message = "`parent` needs `resource`: the resource that it is a child of";
            let hint =
                "for example: parent = { resource = \"teams\", params = { team_id = \"id\" } }";
            faults.add(value.place, message).hint(hint.to_owned());
            return None;
        };
        let resource = resource.text_at(faults)?;
        let mut params = Vec::new();
        if let Some(given) = table.get("params") {
            let given = given.table("a table such as { team_id = \"id\" }", faults)?;
            for entry in given.entries() {
                let field = entry.value.text_at(faults)?;
                let (value, place) = (entry.name.clone(), entry.place);
                params.push((At { value, place }, field));
            }
        }
        Some(Parent::Below { resource, params })
    }
}

impl ResourceKey for Parent {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        match self {
            Parent::None => orphan(on.resource_mut()),
            Parent::Below { resource, params } => {
                let Some(parent) = on.other(resource.place, &resource.value) else {
                    return;
                };
                if parent == on.at || is_below(on.facts, parent, on.at) {
                    let message = match parent == on.at {
                        true => {
                            format!("`parent` is `{}`, which is the resource itself", on.name())
                        }
                        false => format!(
                            "`parent` is `{}`, which is itself a child of `{}`",
                            resource.value,
                            on.name()
                        ),
                    };
                    on.faults.add(resource.place, message);
                    return;
                }
                adopt(on, parent, resource, params);
            }
        }
    }
}

/// Returns whether a resource is below another one, directly or through others.
fn is_below(facts: &Facts, mut at: usize, above: usize) -> bool {
    for _ in 0..facts.resources.len() {
        let parent = facts.resources[at].parent.value.as_ref();
        match parent.and_then(|parent| index(facts, &parent.resource)) {
            Some(parent) if parent == above => return true,
            Some(parent) => at = parent,
            None => return false,
        }
    }
    false
}

/// Removes the parent of a resource: the parameters that it supplied become settings.
fn orphan(resource: &mut ResourceFacts) {
    let Some(parent) = std::mem::replace(&mut resource.parent, sure(None)).value else {
        return;
    };
    let linked = parent
        .links
        .into_iter()
        .map(|link| (link.param, link.location));
    let inherited = parent.inherited.into_iter();
    let inherited = inherited.map(|(name, _)| (name, Location::Path));
    for (parameter, location) in linked.chain(inherited) {
        let mut known = resource.settings.iter();
        if known.all(|setting| setting.parameter != parameter) {
            resource.settings.push(SettingFacts {
                parameter,
                location,
                description: String::new(),
                default: None,
            });
        }
    }
}

/// Gives a resource a parent. The parameters that both paths share are inherited; the others are
/// supplied by the parent's records.
fn adopt(
    on: &mut Target<'_>,
    parent: usize,
    name: &At<String>,
    params: &[(At<String>, At<String>)],
) {
    let mut inferred = on.resource().parent.value.iter();
    let same = inferred.find(|known| known.resource == name.value);
    if let Some(same) = same.filter(|_| params.is_empty()) {
        let fields: Vec<String> = same.links.iter().map(|link| link.field.clone()).collect();
        let has = |field: &String| on.record_has_field(parent, name.place, "parent", field);
        if fields.iter().all(has) {
            on.resource_mut().parent.confidence = 1.0;
        }
        return;
    }
    let (child, above) = (on.operation(), on.facts.resources[parent].operation);
    let above = on.api.operations[above].path.as_str();
    let given = |param: &str| params.iter().any(|(known, _)| known.value == param);
    let shared: Vec<&str> = placeholders(above)
        .filter(|name| placeholders(&child.path).any(|other| other == *name) && !given(name))
        .collect();
    let links = match params {
        [] => key_link(on, parent, name, &shared),
        params => given_links(on, parent, params),
    };
    let Some(links) = links else { return };
    // A setting of the parent is a setting of the child too.
    let settings = &on.facts.resources[parent].settings;
    let is_setting = |name: &str| settings.iter().any(|known| known.parameter == name);
    let inherited: Vec<(String, String)> = shared
        .iter()
        .filter(|name| !is_setting(name))
        .map(|name| ((*name).to_owned(), (*name).to_owned()))
        .collect();
    let resource = on.resource_mut();
    orphan(resource);
    resource.settings.retain(|setting| {
        let linked = links.iter().any(|link| link.param == setting.parameter);
        let inherited = inherited.iter().any(|(name, _)| *name == setting.parameter);
        !linked && !inherited
    });
    // Nothing says that the key is unique below several parents.
    resource.key_within_parent = true;
    resource.parent = sure(Some(ParentFacts {
        path: above.to_owned(),
        resource: name.value.clone(),
        links,
        inherited,
    }));
}

/// Links the one open parameter to the parent's key.
fn key_link(
    on: &mut Target<'_>,
    parent: usize,
    name: &At<String>,
    shared: &[&str],
) -> Option<Vec<ParentLink>> {
    let resource = on.resource();
    let in_path = placeholders(&on.operation().path).map(|name| (name, Location::Path));
    let settings = resource.settings.iter();
    let settings = settings.map(|setting| (setting.parameter.as_str(), setting.location));
    let links = resource
        .parent
        .value
        .iter()
        .flat_map(|parent| &parent.links);
    let links = links.map(|link| (link.param.as_str(), link.location));
    let mut open: Vec<(&str, Location)> = Vec::new();
    for (name, location) in in_path.chain(settings).chain(links) {
        if !shared.contains(&name) && open.iter().all(|(known, _)| *known != name) {
            open.push((name, location));
        }
    }
    let key = on.facts.resources[parent].primary_key.value.as_slice();
    if let ([(param, location)], [key]) = (open.as_slice(), key) {
        let link = ParentLink {
            param: (*param).to_owned(),
            location: *location,
            field: field_of(on, parent, param).unwrap_or_else(|| key.clone()),
        };
        let has = on.record_has_field(parent, name.place, "parent", &link.field);
        return has.then(|| vec![link]);
    }
    let child = &resource.name;
    let name_of_parent = &name.value;
    let names: Vec<&str> = open.iter().map(|(name, _)| *name).collect();
    let message = match names.as_slice() {
        [] => format!("`{child}` has no parameter that `{name_of_parent}` could supply"),
        [_] => {
            format!("`{child}` cannot be a child of `{name_of_parent}`, which has no single key")
        }
        names => format!(
            "`{child}` cannot be a child of `{name_of_parent}` alone: it needs {}",
            names.join(", ")
        ),
    };
    let param = names.first().copied().unwrap_or("PARAMETER");
    let hint = format!(
        "say what each takes: parent = {{ resource = \"{name_of_parent}\", params = {{ {param} = \"FIELD\" }} }}"
    );
    on.faults.add(name.place, message).hint(hint);
    None
}

/// Returns the field of the parent's records that a parameter names itself: `work_pool_name` is
/// `work_pool_name` or `name`, although the key is `id`.
fn field_of(on: &Target<'_>, parent: usize, param: &str) -> Option<String> {
    let plain = param.to_lowercase();
    let names = ["name", "slug", "code", "key", "uuid", "number"];
    let last = names.into_iter().find(|name| plain.ends_with(name))?;
    let mut fields = [param, last].into_iter();
    let field = fields.find(|name| on.knows_field(parent, name))?;
    Some(field.to_owned())
}

/// Returns links for the parameters that the owner names.
fn given_links(
    on: &mut Target<'_>,
    parent: usize,
    params: &[(At<String>, At<String>)],
) -> Option<Vec<ParentLink>> {
    let mut links = Vec::new();
    let mut known = true;
    for (param, field) in params {
        let names = supplied(on.operation());
        let found = names.iter().find(|(name, _)| *name == param.value);
        match found {
            Some((_, location)) => links.push(ParentLink {
                param: param.value.clone(),
                location: *location,
                field: field.value.clone(),
            }),
            None => {
                let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                let message = format!(
                    "`parent.params` names `{}`, which is not a parameter of `{}`",
                    param.value,
                    on.operation().path
                );
                on.faults
                    .add(param.place, message)
                    .hint(hint(&param.value, &names));
                known = false;
            }
        }
        known &= on.record_has_field(parent, field.place, "parent.params", &field.value);
    }
    known.then_some(links)
}

/// Returns the parameters of an operation that a parent can supply.
fn supplied(operation: &Operation) -> Vec<(&str, Location)> {
    let path = placeholders(&operation.path).map(|name| (name, Location::Path));
    let query = operation.parameters.iter();
    let query = query.filter(|known| known.location == Location::Query);
    path.chain(query.map(|known| (known.name.as_str(), Location::Query)))
        .collect()
}
