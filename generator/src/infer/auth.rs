//! Infers the credentials of the API: the schemes that most operations accept.

mod sent;

use std::collections::BTreeMap;

use crate::spec::api::{Api, Location, SecurityScheme};

use super::facts::{AuthFacts, Decision, decide};
use super::undeclared;
use super::words::says;
use crate::diagnostics::counted;

pub(super) use self::sent::combine;
pub use self::sent::of_scheme;

/// The number of operations that accept each set of schemes.
type Counts = BTreeMap<Vec<String>, usize>;

/// Decides on the credentials. Also returns the names of the schemes, if operations name any.
pub(super) fn auth(api: &Api) -> (Decision<AuthFacts>, Vec<String>) {
    let (counts, open) = counts(api);
    chosen(api, &counts, open)
}

/// Returns the alternatives that most operations accept, each a set of schemes.
pub(super) fn common(api: &Api) -> Vec<Vec<String>> {
    let (counts, _) = counts(api);
    let most = counts.values().copied().max().unwrap_or(0);
    let common = counts
        .into_iter()
        .filter(|(_, count)| *count * 5 >= most * 4);
    common.map(|(set, _)| set).collect()
}

/// Counts the operations that accept each set of schemes, and those that need none.
fn counts(api: &Api) -> (Counts, usize) {
    let usable = |name: &String| api.security_schemes.contains_key(name);
    let mut counts = Counts::new();
    let mut open = 0;
    for operation in api
        .operations
        .iter()
        .filter(|operation| operation.method == "get")
    {
        let alternatives = operation.security.as_ref().unwrap_or(&api.security);
        if alternatives.is_empty() {
            open += 1;
        }
        for alternative in alternatives
            .iter()
            .filter(|set| !set.is_empty() && set.iter().all(usable))
        {
            *counts.entry(alternative.clone()).or_default() += 1;
        }
    }
    (counts, open)
}

/// Decides on the credentials that are sent, however they are obtained.
fn chosen(api: &Api, counts: &Counts, open: usize) -> (Decision<AuthFacts>, Vec<String>) {
    let most = counts.values().copied().max().unwrap_or(0);
    // The schemes that most operations accept, and of these the simplest.
    let best = counts
        .iter()
        .filter(|(_, count)| **count * 5 >= most * 4)
        .min_by_key(|(set, count)| {
            let rank = set
                .iter()
                .map(|name| api.security_schemes.get(name).map_or(9, rank))
                .max()
                .unwrap_or(9);
            (rank, set.len(), usize::MAX - **count)
        });
    let alone: Vec<&SecurityScheme> = counts
        .keys()
        .filter_map(|set| match set.as_slice() {
            [only] => api.security_schemes.get(only),
            _ => None,
        })
        .collect();
    if alone.len() == counts.len() && are_halves(&alone) {
        let reason = "keys that belong together, though given as alternatives";
        let both = counts.keys().flatten().cloned().collect();
        return (decide(combine(&alone), 0.75, reason.to_owned()), both);
    }
    if let Some((set, count)) = best {
        let schemes: Vec<&SecurityScheme> = set
            .iter()
            .filter_map(|name| api.security_schemes.get(name))
            .collect();
        if set
            .iter()
            .zip(&schemes)
            .any(|(name, scheme)| is_signed(name, scheme))
        {
            let reason = "every request needs its own signature, which a fixed key cannot provide";
            let decision = decide(combine(&schemes), 0.3, reason.to_owned());
            return (decision, set.clone());
        }
        let sure = if *count * 2 >= open { 0.9 } else { 0.7 };
        let verb = if *count == 1 { "names" } else { "name" };
        let operations = counted(*count, "operation");
        let reason = format!("{operations} {verb} {}", set.join(" and "));
        let mut decision = decide(combine(&schemes), sure, reason);
        decision.reasons.extend(refused(api, set));
        return (decision, set.clone());
    }
    (unnamed(api), Vec::new())
}

/// Decides if no operation names a scheme.
fn unnamed(api: &Api) -> Decision<AuthFacts> {
    if !api.security_schemes.is_empty() {
        let schemes: Vec<&SecurityScheme> = api.security_schemes.values().collect();
        // Keys of one kind belong together.
        let keys = |scheme: &&SecurityScheme| {
            matches!(
                scheme,
                SecurityScheme::ApiKey {
                    location: Location::Query | Location::Header,
                    ..
                }
            )
        };
        if schemes.len() > 1 && schemes.iter().all(keys) && are_halves(&schemes) {
            return decide(
                combine(&schemes),
                0.7,
                "no operation names a scheme; these keys belong together".to_owned(),
            );
        }
        let plainest = api
            .security_schemes
            .iter()
            .min_by_key(|(_, scheme)| rank(scheme));
        if let Some((name, scheme)) = plainest {
            let (sure, reason) = if is_signed(name, scheme) {
                (
                    0.3,
                    "every request needs its own signature, which a fixed key cannot provide",
                )
            } else {
                (
                    0.75,
                    "no operation names a scheme; this is the simplest one",
                )
            };
            return decide(combine(&[scheme]), sure, reason.to_owned());
        }
    }
    undeclared::undeclared(api)
}

/// Names the operations that do not accept these credentials, if any.
fn refused(api: &Api, set: &[String]) -> Option<String> {
    let mut paths = api.operations.iter().filter_map(|operation| {
        let alternatives = operation.security.as_ref().unwrap_or(&api.security);
        let takes = alternatives
            .iter()
            .any(|other| other.iter().all(|name| set.contains(name)));
        let wants = operation.method == "get" && !alternatives.is_empty() && !takes;
        wants.then_some(operation.path.as_str())
    });
    let first = paths.next()?;
    Some(match paths.count() {
        0 => format!("`{first}` needs other credentials"),
        more => format!(
            "`{first}` and {} need other credentials",
            counted(more, "other")
        ),
    })
}

/// Returns whether a key is computed for every request (AWS and similar).
pub(super) fn is_signed(name: &str, scheme: &SecurityScheme) -> bool {
    let SecurityScheme::ApiKey { description, .. } = scheme else {
        return false;
    };
    let text = description.to_lowercase();
    let name = name.to_lowercase();
    ["hmac", "sigv4", "signature"]
        .iter()
        .any(|sign| name.contains(sign) || says(&text, sign))
}

/// Ranks a scheme: the lower, the simpler for a program that runs unattended.
pub(super) fn rank(scheme: &SecurityScheme) -> u8 {
    match scheme {
        SecurityScheme::Bearer { .. } => 0,
        SecurityScheme::ApiKey {
            location: Location::Cookie,
            ..
        } => 6,
        SecurityScheme::ApiKey { .. } => 1,
        SecurityScheme::OAuth2 { flows, .. } if flows.contains_key("clientCredentials") => 3,
        SecurityScheme::Basic { .. } => 2,
        // An unattended program can renew a token, but cannot ask a person for one.
        SecurityScheme::OAuth2 { flows, .. } => {
            5 - u8::from(flows.values().any(|flow| flow.token_url.is_some()))
        }
        SecurityScheme::Other => 9,
    }
}

/// Returns whether two keys in one place are halves of one credential, such as `key` and `token`,
/// even if the document gives them as alternatives.
fn are_halves(schemes: &[&SecurityScheme]) -> bool {
    let keys: Vec<(Location, String)> = schemes
        .iter()
        .filter_map(|scheme| match scheme {
            SecurityScheme::ApiKey { location, name, .. } => Some((*location, name.to_lowercase())),
            _ => None,
        })
        .collect();
    let [(place, one), (other_place, other)] = keys.as_slice() else {
        return false;
    };
    let secret = |name: &str| {
        ["token", "secret", "sign", "password"]
            .iter()
            .any(|word| name.contains(word))
    };
    place == other_place && schemes.len() == 2 && secret(one) != secret(other)
}
