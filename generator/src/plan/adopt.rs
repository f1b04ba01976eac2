//! A parent that the owner names, where another one or none was inferred.

use super::select::unknown;
use crate::diagnostics::{Diagnostic, Kind};
use crate::infer::facts::{Facts, ParentFacts, ParentLink, SettingFacts};
use crate::spec::api::{Api, Location};

/// The names in a path: `owner` and `repo` of `/repos/{owner}/{repo}`.
pub fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    let after = path.split('{').skip(1);
    after.filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// Hangs a resource below another one: what the paths share is inherited, and the one parameter that is left open is
/// the parent's key.
pub fn adopt(api: &Api, facts: &mut Facts, child: usize, name: &str) -> Result<(), Diagnostic> {
    let inferred = &mut facts.resources[child].parent;
    if inferred
        .value
        .as_ref()
        .is_some_and(|parent| parent.resource == name)
    {
        inferred.confidence = 1.0;
        return Ok(());
    }
    let Some(parent) = facts
        .resources
        .iter()
        .find(|resource| resource.name == name)
    else {
        return Err(unknown(facts, name));
    };
    let (above, below) = (
        &api.operations[parent.operation].path,
        &api.operations[facts.resources[child].operation].path,
    );
    let resource = &facts.resources[child];
    let shared: Vec<&str> = placeholders(above)
        .filter(|name| placeholders(below).any(|other| other == *name))
        .collect();
    let in_path = placeholders(below).map(|name| (name.to_owned(), Location::Path));
    let in_query = resource
        .settings
        .iter()
        .map(|setting| (setting.parameter.clone(), setting.location));
    let linked = resource
        .parent
        .value
        .iter()
        .flat_map(|parent| &parent.links);
    let linked = linked.map(|link| (link.param.clone(), link.location));
    let mut open: Vec<(String, Location)> = Vec::new();
    for (name, location) in in_path.chain(in_query).chain(linked) {
        if !shared.contains(&name.as_str()) && open.iter().all(|(known, _)| *known != name) {
            open.push((name, location));
        }
    }
    let ([(param, location)], [key]) = (open.as_slice(), parent.primary_key.value.as_slice())
    else {
        return Err(cannot(&resource.name, name, &open));
    };
    let links = vec![ParentLink {
        param: param.clone(),
        location: *location,
        field: key.clone(),
    }];
    // A setting of the parent is a setting of the child too.
    let is_setting = |name: &&str| {
        parent
            .settings
            .iter()
            .any(|setting| setting.parameter == **name)
    };
    let inherited = shared.iter().filter(|name| !is_setting(name));
    let found = ParentFacts {
        path: above.clone(),
        resource: name.to_owned(),
        inherited: inherited
            .map(|name| ((*name).to_owned(), (*name).to_owned()))
            .collect(),
        links,
    };
    let param = param.clone();
    let resource = &mut facts.resources[child];
    resource
        .settings
        .retain(|setting| setting.parameter != param);
    resource.parent = super::adjust::sure(Some(found));
    Ok(())
}

/// Takes a resource from its parent: what that supplied becomes settings.
pub fn orphan(facts: &mut Facts, child: usize) {
    let resource = &mut facts.resources[child];
    for link in resource
        .parent
        .value
        .take()
        .into_iter()
        .flat_map(|parent| parent.links)
    {
        if resource
            .settings
            .iter()
            .all(|setting| setting.parameter != link.param)
        {
            resource.settings.push(SettingFacts {
                parameter: link.param,
                location: link.location,
                description: String::new(),
                default: None,
            });
        }
    }
    resource.parent = super::adjust::sure(None);
}

fn cannot(child: &str, parent: &str, open: &[(String, Location)]) -> Diagnostic {
    let names: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
    let message = match names.as_slice() {
        [] => format!("`{child}` has no parameter that `{parent}` could supply"),
        [_] => format!("`{child}` cannot hang below `{parent}`, which has no single key"),
        names => format!(
            "`{child}` cannot hang below `{parent}` alone: it wants {}",
            names.join(", ")
        ),
    };
    Diagnostic::error(Kind::Overrides, message)
        .with_hint("write the link by hand with `.child_of(…)` in the resource's file")
}
