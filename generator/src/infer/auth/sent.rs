//! How the credentials of security schemes are sent: as a token, as keys, or obtained from a token URL.

use super::rank;
use crate::infer::facts::{AuthFacts, KeyFacts};
use crate::infer::words::{flat, says};
use crate::spec::api::{Location, SecurityScheme};

/// Returns the credentials of one scheme; `None`: they cannot be sent.
pub fn of_scheme(scheme: &SecurityScheme) -> Option<AuthFacts> {
    (!matches!(scheme, SecurityScheme::Other)).then(|| combine(&[scheme]))
}

/// Combines schemes that are sent together.
pub(in crate::infer) fn combine(schemes: &[&SecurityScheme]) -> AuthFacts {
    if let [scheme] = schemes {
        match scheme {
            SecurityScheme::Bearer { .. } => return AuthFacts::Bearer,
            SecurityScheme::Basic { .. } => return AuthFacts::Basic,
            SecurityScheme::OAuth2 { flows, .. } => {
                let client = flows
                    .get("clientCredentials")
                    .map(|flow| ("clientCredentials", flow));
                let other = || {
                    let mut others = flows.iter();
                    let other = others.find(|(kind, flow)| {
                        kind.as_str() != "password" && flow.token_url.is_some()
                    });
                    other.map(|(_, flow)| ("refreshToken", flow))
                };
                // The password flow is used only if the document has no other usable flow.
                let password = || {
                    let flow = flows.get("password");
                    let flow = flow.filter(|flow| flow.token_url.is_some());
                    flow.map(|flow| ("password", flow))
                };
                return match client.or_else(other).or_else(password) {
                    Some((kind, flow)) => AuthFacts::OAuth2 {
                        flow: kind.to_owned(),
                        token_url: flow
                            .refresh_url
                            .clone()
                            .filter(|_| kind == "refreshToken")
                            .or_else(|| flow.token_url.clone())
                            .unwrap_or_default(),
                        scopes: flow.scopes.clone(),
                    },
                    // A person obtains the token.
                    None => AuthFacts::Bearer,
                };
            }
            SecurityScheme::ApiKey {
                location: Location::Header,
                name,
                description,
            } if flat(name) == "authorization" => {
                let prefix = prefix(description, name);
                if prefix == "Bearer " {
                    return AuthFacts::Bearer;
                }
            }
            _ => {}
        }
    }
    // Two schemes for one header count as one.
    let header = |scheme: &&&SecurityScheme| {
        matches!(
            scheme,
            SecurityScheme::Bearer { .. } | SecurityScheme::OAuth2 { .. }
        )
    };
    if schemes.len() > 1
        && schemes.iter().all(|scheme| header(&scheme))
        && let Some(first) = schemes.iter().min_by_key(|scheme| rank(scheme))
    {
        return combine(&[first]);
    }
    let alone = schemes.len() == 1;
    let mut keys: Vec<KeyFacts> = Vec::new();
    for key in schemes.iter().filter_map(|scheme| key(scheme, alone)) {
        // One header has one value.
        let is_same = |other: &KeyFacts| {
            other.location == key.location && other.name.eq_ignore_ascii_case(&key.name)
        };
        if !keys.iter().any(is_same) {
            keys.push(key);
        }
    }
    match keys.as_slice() {
        [] => AuthFacts::Bearer,
        [only] if !alone && flat(&only.name) == "authorization" && only.prefix == "Bearer " => {
            AuthFacts::Bearer
        }
        _ => AuthFacts::Keys(keys),
    }
}

fn key(scheme: &SecurityScheme, alone: bool) -> Option<KeyFacts> {
    let header = |prefix: &str| KeyFacts {
        location: Location::Header,
        name: "Authorization".to_owned(),
        prefix: prefix.to_owned(),
    };
    match scheme {
        SecurityScheme::ApiKey {
            location,
            name,
            description,
        } => {
            let authorization = *location == Location::Header && flat(name) == "authorization";
            let stated = prefix(description, name);
            // Next to another header, a bare `Authorization` is a bearer token.
            let prefix = if authorization && stated.is_empty() && !alone {
                "Bearer ".to_owned()
            } else {
                stated
            };
            Some(KeyFacts {
                location: *location,
                name: name.clone(),
                prefix,
            })
        }
        SecurityScheme::Bearer { .. } | SecurityScheme::OAuth2 { .. } => Some(header("Bearer ")),
        SecurityScheme::Basic { .. } => Some(header("Basic ")),
        SecurityScheme::Other => None,
    }
}

/// Returns the prefix of a key, such as `Token ` for "set the header to `Token YOUR_KEY`".
fn prefix(description: &str, name: &str) -> String {
    let lower = description.to_lowercase();
    if flat(name) != "authorization" {
        return String::new();
    }
    for known in ["bearer", "token", "basic", "apikey"] {
        let shown = [
            format!("{known} <"),
            format!("{known} {{"),
            format!("{known} your"),
            format!("{known} ["),
            format!("authorization: {known} "),
        ];
        if shown.iter().any(|sign| lower.contains(sign.as_str())) {
            let mut letters = known.chars();
            let first = letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string())
                .unwrap_or_default();
            return format!("{first}{} ", letters.as_str());
        }
    }
    // `Word placeholder` in quotes or code.
    for quote in ['`', '"', '\''] {
        for quoted in description.split(quote).skip(1).step_by(2) {
            let quoted = quoted.trim_start_matches("Authorization:").trim();
            if let [word, value] = quoted.split_whitespace().collect::<Vec<_>>().as_slice() {
                let value = value.to_lowercase();
                let stands_in = ["your", "key", "token", "<", "{", "["]
                    .iter()
                    .any(|sign| value.contains(sign));
                if stands_in && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                    return format!("{word} ");
                }
            }
        }
    }
    if says(&lower, "bearer") {
        "Bearer ".to_owned()
    } else {
        String::new()
    }
}
