//! The fields of `Config`: the base URL, and which parameters are required.

use super::{ParameterValue, Plan, Resource, Setting, text};

pub fn base_url(base_url: &str) -> Setting {
    let usable = base_url.starts_with("http") && !base_url.contains('{');
    let doc = match (usable, base_url) {
        (true, _) | (false, "") => "The URL of the API.".to_owned(),
        (false, pattern) => format!("The URL of the API: `{}`.", text::plain(pattern)),
    };
    Setting {
        ident: "base_url".to_owned(),
        doc,
        secret: false,
        optional: false,
        default: usable.then(|| base_url.to_owned()),
    }
}

/// Makes settings required that every resource needs, itself or through its parents.
pub fn mark_required(plan: &mut Plan) {
    let needs = |resource: &Resource, ident: &str| {
        let wants = |parameter: &super::Parameter| {
            parameter.value == ParameterValue::Setting(ident.to_owned())
        };
        let mut at = Some(resource);
        for _ in 0..=plan.resources.len() {
            let Some(resource) = at else { return false };
            if resource.parameters.iter().any(wants) {
                return true;
            }
            let parent = resource.parent.as_ref().map(|parent| &parent.resource);
            at = parent.and_then(|name| plan.resources.iter().find(|r| r.name == *name));
        }
        false
    };
    let required: Vec<bool> = plan
        .settings
        .iter()
        .map(|setting| {
            plan.resources
                .iter()
                .all(|resource| needs(resource, &setting.ident))
        })
        .collect();
    for (setting, required) in plan.settings.iter_mut().zip(required) {
        if required || setting.default.is_some() {
            setting.optional = false;
        }
    }
}
