//! Infers credentials that no scheme declares, from parameters and prose.

use std::collections::BTreeMap;

use crate::spec::api::{Api, Location, Operation, Parameter};

use super::facts::{AuthFacts, Decision, KeyFacts, decide};
use super::words::{flat, says, words};

/// Decides from parameters and prose, because no scheme is declared.
pub(super) fn undeclared(api: &Api) -> Decision<AuthFacts> {
    let gets: Vec<_> = api
        .operations
        .iter()
        .filter(|operation| operation.method == "get")
        .collect();
    if let Some(decision) = by_parameters(&gets) {
        return decision;
    }
    if let Some(key) = told_key(&api.description) {
        let reason = format!("the description mentions `{}`", key.name);
        return decide(AuthFacts::Keys(vec![key]), 0.65, reason);
    }
    let prose = api.description.to_lowercase();
    let bearers = [
        "bearer",
        "access token",
        "api token",
        "personal access token",
        "oauth",
    ];
    let told = |text: &str| {
        bearers
            .iter()
            .any(|word| says(text, word) || text.contains(&format!("{word}s")))
    };
    if told(&prose) {
        return decide(
            AuthFacts::Bearer,
            0.65,
            "the description mentions tokens".to_owned(),
        );
    }
    if says(&prose, "basic auth") || says(&prose, "basic authentication") {
        return decide(
            AuthFacts::Basic,
            0.65,
            "the description mentions basic authentication".to_owned(),
        );
    }
    let speaking = gets
        .iter()
        .filter(|operation| told(&operation.description.to_lowercase()))
        .count();
    if speaking * 20 >= gets.len().max(1) {
        return decide(
            AuthFacts::Bearer,
            0.6,
            format!("descriptions of operations mention tokens: {speaking}"),
        );
    }
    decide(
        AuthFacts::None,
        0.5,
        "nothing mentions keys or tokens".to_owned(),
    )
}

/// Decides by the parameters that most operations have.
fn by_parameters(gets: &[&Operation]) -> Option<Decision<AuthFacts>> {
    // In how many operations each parameter is, and whether all of them require it.
    let mut seen: BTreeMap<(bool, String), (usize, bool)> = BTreeMap::new();
    let mut bearer = false;
    for parameter in gets.iter().flat_map(|operation| &operation.parameters) {
        if holds_credentials(parameter) {
            bearer |= flat(&parameter.name) == "authorization"
                && parameter.description.to_lowercase().contains("bearer");
            let header = parameter.location == Location::Header;
            let key = (header, parameter.name.clone());
            let (count, required) = seen.entry(key).or_insert((0, true));
            (*count, *required) = (*count + 1, *required && parameter.required);
        }
    }
    let ((header, name), most) = seen.iter().max_by_key(|(_, most)| **most)?;
    if most.0 * 2 < gets.len() {
        return None;
    }
    // An application and its user may send a header each; of other parameters one is enough.
    let together = |(other, found): &(&(bool, String), &(usize, bool))| {
        *header && other.0 && most.1 && *found == most
    };
    let mut names: Vec<&String> = seen
        .iter()
        .filter(together)
        .map(|((_, it), _)| it)
        .collect();
    if names.is_empty() {
        names.push(name);
    }
    let is_bearer = |name: &str| bearer && flat(name) == "authorization";
    if matches!(names.as_slice(), [only] if is_bearer(only)) {
        let reason = "a parameter `Authorization` describes a bearer token";
        return Some(decide(AuthFacts::Bearer, 0.8, reason.to_owned()));
    }
    let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let reason = match shown.as_slice() {
        [name] => format!("most operations have a parameter {name}"),
        names => format!("most operations have the parameters {}", names.join(", ")),
    };
    let key = |name: &&String| KeyFacts {
        location: match header {
            true => Location::Header,
            false => Location::Query,
        },
        name: (*name).clone(),
        prefix: if is_bearer(name) { "Bearer " } else { "" }.to_owned(),
    };
    let keys = names.iter().map(key).collect();
    Some(decide(AuthFacts::Keys(keys), 0.7, reason))
}

/// Returns whether a parameter holds a key or a token, by its name and its text.
fn holds_credentials(parameter: &Parameter) -> bool {
    let name = flat(&parameter.name);
    match parameter.location {
        Location::Header => is_credential_header(parameter, &name),
        Location::Query => {
            let names = [
                "apikey",
                "accesstoken",
                "authtoken",
                "apitoken",
                "appid",
                "token",
                "key",
            ];
            let certain = parameter.required || name.contains("api") || name.contains("token");
            names.contains(&name.as_str()) && certain
        }
        _ => false,
    }
}

/// Returns whether a header holds a key or a token: `X-Api-Key`, and `X-Acme-Site-Token` if it is
/// required or its text speaks of credentials; but `Idempotency-Key` and `X-Page-Token` hold none.
fn is_credential_header(parameter: &Parameter, name: &str) -> bool {
    let certain = ["apikey", "apitoken", "authtoken", "accesstoken"];
    if ["authorization", "token"].contains(&name) || certain.iter().any(|end| name.ends_with(end)) {
        return true;
    }
    let others = [
        "idempotency",
        "request",
        "page",
        "next",
        "sync",
        "csrf",
        "xsrf",
        "continuation",
        "cursor",
        "trace",
        "correlation",
        "encryption",
        "partition",
        "routing",
        "public",
        "sort",
    ];
    let words = words(&parameter.name);
    let last = words.last().map(String::as_str).unwrap_or_default();
    let holds = ["key", "token", "secret"].contains(&last)
        && !words.iter().any(|word| others.contains(&word.as_str()));
    let text = parameter.description.to_lowercase();
    let told = [
        "authenticat",
        "credential",
        "api key",
        "api token",
        "access token",
    ];
    holds && (parameter.required || told.iter().any(|sign| text.contains(sign)))
}

/// Finds a header or query parameter that holds a key in prose: `X-Api-Key: …`, `?api_key=…`.
fn told_key(prose: &str) -> Option<KeyFacts> {
    let headers = [
        "xapikey",
        "xauthtoken",
        "xaccesstoken",
        "xapitoken",
        "xauthkey",
    ];
    let parameters = ["apikey", "apitoken", "accesstoken"];
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let key = |location, name: &str| KeyFacts {
        location,
        name: name.to_owned(),
        prefix: String::new(),
    };
    let header = prose
        .split(part)
        .find(|word| word.contains('-') && headers.contains(&flat(word).as_str()));
    if let Some(name) = header {
        return Some(key(Location::Header, name));
    }
    prose.split(['?', '&']).skip(1).find_map(|rest| {
        let (name, _) = rest.split_once('=')?;
        parameters
            .contains(&flat(name).as_str())
            .then(|| key(Location::Query, name))
    })
}
