//! Decides which parameters become settings (required, and nothing supplies them) and which get a
//! fixed value (required with one value only, or their default hides rows).

use serde_json::Value;

use crate::spec::api::{Api, Location, Operation, Parameter};

use super::facts::{AuthFacts, FixedParameter, SettingFacts};
use super::hiding;
use super::node::Node;
use super::words::flat;

/// Returns the required parameters that are not in `supplied`.
pub(super) fn settings(
    api: &Api,
    operation: &Operation,
    supplied: &[&str],
    auth: &AuthFacts,
) -> Vec<SettingFacts> {
    let wanted = operation.parameters.iter().filter(|parameter| {
        parameter.required
            && parameter.location != Location::Cookie
            && !supplied.contains(&parameter.name.as_str())
            && !is_technical(parameter)
            && !is_auth(parameter, auth)
            && only_value(api, parameter).is_none()
    });
    wanted
        .map(|parameter| SettingFacts {
            parameter: parameter.name.clone(),
            location: parameter.location,
            description: parameter.description.clone(),
            default: default(api, parameter),
        })
        .collect()
}

/// Returns whether the client sets a header itself.
fn is_technical(parameter: &Parameter) -> bool {
    let names = [
        "accept",
        "contenttype",
        "useragent",
        "authorization",
        "acceptencoding",
        "acceptlanguage",
        "ifnonematch",
        "ifmodifiedsince",
    ];
    parameter.location == Location::Header && names.contains(&flat(&parameter.name).as_str())
}

fn is_auth(parameter: &Parameter, auth: &AuthFacts) -> bool {
    match auth {
        AuthFacts::Keys(keys) => keys.iter().any(|key| {
            key.location == parameter.location && key.name.eq_ignore_ascii_case(&parameter.name)
        }),
        AuthFacts::None => false,
        AuthFacts::Either { renewed, token } => {
            is_auth(parameter, renewed) || is_auth(parameter, token)
        }
        AuthFacts::Login(login) => login.header.as_ref().is_some_and(|(name, _)| {
            parameter.location == Location::Header && name.eq_ignore_ascii_case(&parameter.name)
        }),
        // The header already holds the token.
        AuthFacts::Bearer | AuthFacts::Basic | AuthFacts::OAuth2 { .. } => {
            let name = flat(&parameter.name);
            let text = parameter.description.to_lowercase();
            parameter.location != Location::Path
                && ["accesstoken", "authtoken", "oauthtoken"].contains(&name.as_str())
                || (name == "token"
                    && (text.contains("authentic") || text.contains("access token")))
        }
    }
}

fn default(api: &Api, parameter: &Parameter) -> Option<String> {
    let default = Node::of_schema(api, parameter.schema).default().cloned();
    default.as_ref().and_then(text)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns the value of a parameter that accepts only one.
fn only_value(api: &Api, parameter: &Parameter) -> Option<String> {
    let values = Node::of_schema(api, parameter.schema).values();
    match values.as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    }
}

/// Returns parameters with a fixed value that makes the API return all rows.
pub(super) fn fixed(api: &Api, operation: &Operation, is_list: bool) -> Vec<FixedParameter> {
    let mut fixed = Vec::new();
    for parameter in &operation.parameters {
        if parameter.required
            && !is_technical(parameter)
            && let Some(value) = only_value(api, parameter)
        {
            fixed.push(FixedParameter::new(
                parameter,
                &value,
                "it is required and has one value only".to_owned(),
            ));
            continue;
        }
        if !is_list || parameter.location != Location::Query || parameter.deprecated {
            continue;
        }
        fixed.extend(hiding::shown(api, parameter));
    }
    fixed
}
