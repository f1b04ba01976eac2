//! Finds the credentials from which the connector fetches and renews its tokens by itself, beside
//! a token that somebody must bring.

use crate::spec::api::{Api, Location, SecurityScheme};

use super::auth::combine;
use super::facts::{AuthFacts, Decision, SURE};
use super::login;
use super::words::flat;

/// Adds the other way to a token. Both are kept: whoever runs the connector sets one of the two.
/// `sets` are the alternatives that most operations accept.
pub(super) fn add(
    api: &Api,
    sets: &[Vec<String>],
    decision: &mut Decision<AuthFacts>,
    schemes: &mut Vec<String>,
) {
    if decision.confidence < SURE {
        return;
    }
    let Some(header) = header_of_token(&decision.value) else {
        return;
    };
    let mut found = sets.iter().filter_map(|set| match set.as_slice() {
        [only] => Some((only, by_flow(api.security_schemes.get(only)?)?)),
        _ => None,
    });
    // A client's own credentials come first, a token that a person must obtain comes last.
    let order = |value: &AuthFacts| match value {
        AuthFacts::OAuth2 { flow, .. } if flow == "clientCredentials" => 0,
        AuthFacts::OAuth2 { flow, .. } if flow == "password" => 1,
        _ => 2,
    };
    let best = found.by_ref().min_by_key(|(_, value)| order(value));
    let (renewed, reason) = match best {
        Some((name, value)) if header.is_bearer() => {
            let reason = format!("they also accept {name}, whose tokens can be fetched");
            schemes.push(name.clone());
            (value, reason)
        }
        _ => {
            let Some(mut login) = login::only(api).filter(|_| header.may_be_of_login()) else {
                return;
            };
            let reason = format!("`POST {}` returns a token", login.path);
            login.header = header.key;
            (AuthFacts::Login(login), reason)
        }
    };
    let token = std::mem::replace(&mut decision.value, AuthFacts::None);
    decision.value = AuthFacts::Either {
        renewed: Box::new(renewed),
        token: Box::new(token),
    };
    decision.reasons.push(reason);
}

/// The header in which a token is sent.
struct Header {
    /// Its name and its prefix; `None`: a bearer token.
    key: Option<(String, String)>,
}

impl Header {
    fn is_bearer(&self) -> bool {
        self.key.is_none()
    }

    /// Returns whether a login may return what the header takes; a key of an API is another thing.
    fn may_be_of_login(&self) -> bool {
        let Some((name, _)) = &self.key else {
            return true;
        };
        let name = flat(name);
        let words = ["authorization", "token", "session", "jwt"];
        words.iter().any(|word| name.contains(word))
    }
}

/// Returns the header of credentials that are one token.
fn header_of_token(value: &AuthFacts) -> Option<Header> {
    match value {
        AuthFacts::Bearer => Some(Header { key: None }),
        AuthFacts::Keys(keys) => match keys.as_slice() {
            [only] if only.location == Location::Header && only.prefix == "Bearer " => {
                let bearer = only.name.eq_ignore_ascii_case("authorization");
                let key = (!bearer).then(|| (only.name.clone(), only.prefix.clone()));
                Some(Header { key })
            }
            [only] if only.location == Location::Header => Some(Header {
                key: Some((only.name.clone(), only.prefix.clone())),
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the credentials of a scheme whose tokens the connector can fetch.
fn by_flow(scheme: &SecurityScheme) -> Option<AuthFacts> {
    let SecurityScheme::OAuth2 { .. } = scheme else {
        return None;
    };
    let value = combine(&[scheme]);
    match &value {
        AuthFacts::OAuth2 { token_url, .. } if is_usable(token_url) => Some(value),
        _ => None,
    }
}

/// Returns whether a token can be fetched from a URL, which may be relative to the API's.
fn is_usable(url: &str) -> bool {
    !url.is_empty()
        && url
            .chars()
            .all(|c| c.is_ascii_graphic() && !"{}<>".contains(c))
}
