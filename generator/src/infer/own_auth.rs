//! Finds resources that need other credentials than the rest.

use crate::spec::api::{Api, Operation, SecurityScheme};

use super::auth::{combine, is_signed, rank};
use super::facts::{AuthFacts, OwnAuth};

/// Returns the credentials of an operation that does not accept those of the API (the schemes
/// `main`); `None`: it accepts them, or the document names none that can be sent.
pub(super) fn own(
    api: &Api,
    operation: &Operation,
    main: &[String],
    value: &AuthFacts,
) -> Option<OwnAuth> {
    let alternatives = operation.security.as_ref()?;
    let takes = |set: &Vec<String>| set.iter().all(|name| main.contains(name));
    if main.is_empty() || alternatives.iter().any(takes) {
        return None;
    }
    let scheme = |name: &String| api.security_schemes.get(name);
    let usable = |set: &&Vec<String>| {
        set.iter().all(|name| {
            scheme(name).is_some_and(|scheme| {
                !matches!(scheme, SecurityScheme::Other) && !is_signed(name, scheme)
            })
        })
    };
    let plainest = alternatives.iter().filter(usable).min_by_key(|set| {
        let ranks = set.iter().filter_map(scheme).map(rank);
        (ranks.max(), set.len())
    })?;
    let schemes: Vec<&SecurityScheme> = plainest.iter().filter_map(scheme).collect();
    let own = combine(&schemes);
    (!is_same(&own, value)).then(|| OwnAuth {
        schemes: plainest.clone(),
        value: own,
    })
}

/// Returns whether one credential serves both. Two bearer tokens may differ; equal keys and tokens
/// of one token endpoint do not.
fn is_same(own: &AuthFacts, main: &AuthFacts) -> bool {
    match (own, main) {
        (_, AuthFacts::Either { renewed, token }) => is_same(own, renewed) || is_same(own, token),
        (AuthFacts::Keys(own), AuthFacts::Keys(main)) => own == main,
        (
            AuthFacts::OAuth2 {
                token_url: own,
                flow,
                ..
            },
            AuthFacts::OAuth2 {
                token_url: main,
                flow: main_flow,
                ..
            },
        ) => own == main && flow == main_flow,
        _ => false,
    }
}
