//! Infers credentials that no scheme declares, from parameters and prose.

use std::collections::BTreeMap;

use crate::spec::api::{Api, Location};

use super::facts::{AuthFacts, Decision, KeyFacts, decide};
use super::words::{flat, says};

/// Decides from parameters and prose, because no scheme is declared.
pub(super) fn undeclared(api: &Api) -> Decision<AuthFacts> {
    let gets: Vec<_> = api
        .operations
        .iter()
        .filter(|operation| operation.method == "get")
        .collect();
    let mut seen: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let mut bearer = false;
    for parameter in gets.iter().flat_map(|operation| &operation.parameters) {
        let name = flat(&parameter.name);
        let header = parameter.location == Location::Header;
        let is_key = match parameter.location {
            Location::Header => [
                "authorization",
                "xapikey",
                "apikey",
                "xauthtoken",
                "xaccesstoken",
                "token",
                "xapitoken",
                "authtoken",
            ]
            .contains(&name.as_str()),
            Location::Query => {
                [
                    "apikey",
                    "accesstoken",
                    "authtoken",
                    "apitoken",
                    "appid",
                    "token",
                    "key",
                ]
                .contains(&name.as_str())
                    && (parameter.required || name.contains("api") || name.contains("token"))
            }
            _ => false,
        };
        if is_key {
            bearer |=
                name == "authorization" && parameter.description.to_lowercase().contains("bearer");
            *seen.entry((header, parameter.name.clone())).or_default() += 1;
        }
    }
    let most = seen
        .iter()
        .max_by_key(|(_, count)| **count)
        .filter(|(_, count)| **count * 2 >= gets.len());
    if let Some(((header, name), _)) = most {
        let authorization = flat(name) == "authorization";
        if authorization && bearer {
            return decide(
                AuthFacts::Bearer,
                0.8,
                "a parameter `Authorization` describes a bearer token".to_owned(),
            );
        }
        let location = if *header {
            Location::Header
        } else {
            Location::Query
        };
        let key = KeyFacts {
            location,
            name: name.clone(),
            prefix: String::new(),
        };
        return decide(
            AuthFacts::Keys(vec![key]),
            0.7,
            format!("most operations have a parameter `{name}`"),
        );
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
