//! Infers the meaning of an API: turns an [`Api`] into [`facts::Facts`], with one file per
//! question.

mod auth;
pub mod body;
mod bounds;
mod candidates;
mod compare;
mod cursor;
mod described;
mod envelope;
pub mod facts;
mod filters;
mod harmless;
mod hiding;
mod hints;
mod house;
mod identity;
mod keys;
mod limits;
mod links;
mod list_or_single;
pub mod login;
mod matching;
mod names;
mod node;
pub mod open_questions;
mod own_auth;
mod pages;
mod paging;
mod params;
mod parents;
mod prose;
mod rate_limits;
mod records;
mod renewed;
mod resources;
mod roles;
mod rules;
mod server;
mod siblings;
#[cfg(test)]
mod tests;
mod times;
mod twins;
mod undeclared;
mod ways;
mod words;

pub use auth::of_scheme;
use etlgen_model::Paginator;
#[cfg(test)]
pub use rules::switches;

use crate::spec::api::{Api, Location, Operation, Parameter};

use candidates::Candidate;
use envelope::Envelope;
use facts::{Decision, Facts, PagingSigns, ResourceFacts, ResourceKind, Skipped};
use hints::Hint;
use keys::Key;
use matching::Parent;
use pages::{Evidence, Habits, Paged};
use records::Found;
use resources::Verdict;
use roles::Roles;
use rules::rule;

/// A resource that is being inferred.
struct Draft<'a> {
    operation: usize,
    method: &'a str,
    /// The path of what it lists, without a verb behind it.
    path: &'a str,
    /// Whether it may be read for its children.
    serves: bool,
    parameters: &'a [Parameter],
    deprecated: bool,
    /// The noun of its path.
    noun: Option<String>,
    kind: ResourceKind,
    found: Found<'a>,
    roles: Roles,
    envelope: Envelope,
    hint: Hint,
    /// The fields that may be its key.
    keys: Vec<Candidate<Key>>,
    key: Decision<Key>,
    name: String,
}

/// Infers all facts.
pub fn infer(api: &Api) -> Facts {
    let (mut auth, mut schemes) = auth::auth(api);
    renewed::add(api, &auth::common(api), &mut auth, &mut schemes);
    let (mut drafts, skipped) = drafts(api);
    house::pages(api, &mut drafts);
    house::keys(api, &mut drafts);
    identity::refuse_foreign(&mut drafts);
    let above = parents::above(&drafts);
    names::give(&mut drafts, &above);
    let parents = parents::parents(api, &drafts, &above);
    let habits = habits(api, &drafts);
    let mut resources: Vec<ResourceFacts> = drafts
        .iter()
        .zip(&parents)
        .filter_map(|(draft, parent)| {
            let operation = api.operations.get(draft.operation)?;
            Some(resource(
                api,
                operation,
                &drafts,
                draft,
                parent.as_ref(),
                &habits,
                (&auth.value, &schemes),
            ))
        })
        .collect();
    siblings::ask(api, &mut resources);
    Facts {
        auth,
        base_url: server::base_url(api),
        rates: rate_limits::rate_limits(api),
        resources,
        skipped,
    }
}

/// Returns every operation that is a resource, and the reasons why others are not.
fn drafts(api: &Api) -> (Vec<Draft<'_>>, Vec<Skipped>) {
    let mut drafts = Vec::new();
    let mut skipped = Vec::new();
    for (index, operation) in api.operations.iter().enumerate() {
        let (mut kind, mut found, mut roles) = match resources::classify(api, operation) {
            None => continue,
            Some(verdict @ (Verdict::Skip(reason) | Verdict::Miss(reason))) => {
                skipped.push(Skipped {
                    method: operation.method.clone(),
                    path: operation.path.clone(),
                    reason: reason.to_owned(),
                    is_missed: matches!(verdict, Verdict::Miss(_)),
                });
                continue;
            }
            Some(Verdict::Resource { kind, found, roles }) => (kind, *found, *roles),
        };
        let hint = hints::hint(api, operation);
        hint.settle(api, operation, &mut kind, &mut found, &mut roles);
        let mut envelope = match operation
            .response
            .as_ref()
            .filter(|_| kind == ResourceKind::List)
        {
            Some(response) => {
                let token =
                    |offset: &&roles::Param| node::Node::of_schema(api, offset.schema).is_text();
                let cursor = roles.cursor.as_ref().or(roles.last_id.as_ref());
                let cursor = cursor.or(roles.offset.as_ref().filter(token));
                let body = node::Node::of_response(api, response);
                let params = roles::parameters(api, operation);
                let envelope = envelope::envelope(&body, &found.path, cursor, &params);
                roles.follow(api, operation, envelope.next_token.as_deref());
                envelope
            }
            None => Envelope::default(),
        };
        hint.complete(&mut envelope);
        let path = harmless::subject(operation);
        let noun = words::noun(path);
        let record = found.record.clone();
        drafts.push(Draft {
            operation: index,
            method: &operation.method,
            path,
            serves: harmless::may_serve(api, operation)
                && is_free(api, operation, &roles)
                && !is_lookup(operation),
            parameters: &operation.parameters,
            deprecated: operation.deprecated,
            noun,
            kind,
            found,
            roles,
            envelope,
            hint,
            keys: Vec::new(),
            key: keys::decide(&record, &[]),
            name: String::new(),
        });
    }
    twins::leave_out(api, &mut drafts, &mut skipped);
    (drafts, skipped)
}

/// Returns whether the body of an operation requires nothing but what asks for pages.
fn is_free(api: &Api, operation: &Operation, roles: &Roles) -> bool {
    let pages = roles.names();
    let mut required = body::required(api, operation).into_iter();
    required.all(|(name, _)| pages.contains(&name))
}

/// Returns whether an operation returns the records of ids that the caller knows: it requires a list
/// of them.
fn is_lookup(operation: &Operation) -> bool {
    let ids = [
        "ids",
        "uuids",
        "keys",
        "names",
        "usernames",
        "logins",
        "slugs",
    ];
    let asks = |parameter: &Parameter| {
        let last = words::words(&parameter.name).pop().unwrap_or_default();
        let query = parameter.location == Location::Query;
        query && prose::is_required(parameter) && ids.contains(&last.as_str())
    };
    rule("a lookup by ids", operation.parameters.iter().any(asks))
}

/// Returns whether a placeholder after a list's path names one of its records. In
/// `/transactions/nfts/{contract}` it does not: it names the contract.
fn items_follow(path: &str, records: &[String]) -> bool {
    let ends_with_variable = words::segments(path)
        .last()
        .is_some_and(|last| words::is_variable(last));
    match (words::noun(path), records.last()) {
        (Some(noun), Some(key)) => {
            let neutral = records::CONTAINERS.contains(&words::flat(key).as_str());
            !rule(
                "records of another name",
                ends_with_variable && !neutral && !words::same_noun(&noun, key),
            )
        }
        _ => true,
    }
}

/// Collects what the lists of an API have in common.
fn habits(api: &Api, drafts: &[Draft<'_>]) -> Habits {
    let prose = api.description.to_lowercase();
    let mut next_tokens: Vec<(String, String)> = Vec::new();
    let mut cursors: Vec<&str> = Vec::new();
    for draft in drafts {
        let Some(cursor) = &draft.roles.cursor else {
            continue;
        };
        if !cursors.contains(&cursor.name.as_str()) {
            cursors.push(&cursor.name);
        }
        if let Some(token) = &draft.envelope.next_token
            && !next_tokens.iter().any(|(name, _)| *name == cursor.name)
        {
            next_tokens.push((cursor.name.clone(), token.clone()));
        }
    }
    for cursor in cursors {
        if next_tokens.iter().any(|(name, _)| name == cursor) {
            continue;
        }
        let texts = api.operations.iter().flat_map(|operation| {
            let parameters = operation
                .parameters
                .iter()
                .map(|parameter| parameter.description.as_str());
            parameters.chain([operation.description.as_str()])
        });
        let token = texts
            .chain([api.description.as_str()])
            .find_map(|text| prose::stated_token(text, cursor));
        next_tokens.extend(token.map(|token| (cursor.to_owned(), token)));
    }
    let lists = drafts
        .iter()
        .filter(|draft| draft.kind == ResourceKind::List);
    let paged = lists.clone().filter(|draft| draft.roles.advance()).count();
    Habits {
        link_header: prose::speaks_of_link_header(&prose),
        mostly_paged: paged * 2 > lists.count(),
        next_tokens,
    }
}

fn resource(
    api: &Api,
    operation: &Operation,
    drafts: &[Draft<'_>],
    draft: &Draft<'_>,
    parent: Option<&Parent>,
    habits: &Habits,
    (auth, schemes): (&facts::AuthFacts, &[String]),
) -> ResourceFacts {
    let Draft {
        found,
        roles,
        envelope,
        ..
    } = draft;
    let is_list = draft.kind == ResourceKind::List;
    let paged = if is_list {
        let evidence = Evidence {
            api,
            operation,
            roles,
            envelope,
            habits,
            records: &found.path,
            key: &draft.key.value,
        };
        let said = draft.hint.paginator(&evidence);
        said.unwrap_or_else(|| ways::paginator(&evidence))
    } else {
        unpaged()
    };
    let cursor = if is_list {
        cursor::cursor(api, operation, &found.record, roles)
    } else {
        Decision {
            value: None,
            confidence: 1.0,
            reasons: vec!["one object".to_owned()],
            others: Vec::new(),
        }
    };
    let fixed = params::fixed(api, operation, is_list);
    // `/dags/~/runs` requests the runs of all: a resource with a fixed value in the path has no
    // parent.
    let is_fixed = |param: &str| {
        let mut fixed = fixed.iter();
        fixed.any(|it| it.location == Location::Path && it.name == param)
    };
    let asks_for_all = |parent: &&Parent| {
        let mut links = parent.links.iter().map(|link| link.param.as_str());
        let mut inherited = parent.inherited.iter().map(|(name, _)| name.as_str());
        links.any(is_fixed) || inherited.any(is_fixed)
    };
    let within = |parent: &&Parent| is_list && identity::is_within(api, drafts, draft, parent);
    let primary_key = match parent.filter(asks_for_all).filter(within) {
        Some(parent) => identity::of_all(draft, parent, is_fixed),
        None => draft.key.clone(),
    };
    let above = parent.filter(|parent| !asks_for_all(parent));
    let parent = match above {
        Some(parent) => Decision {
            value: parents::facts(api, drafts, parent),
            confidence: parent.confidence,
            reasons: vec![parent.reason.clone()],
            others: Vec::new(),
        },
        None => Decision {
            value: None,
            confidence: 0.8,
            reasons: vec!["no list supplies its parameters".to_owned()],
            others: Vec::new(),
        },
    };
    let mut supplied: Vec<&str> = roles.names();
    if let Some(facts) = &parent.value {
        supplied.extend(facts.links.iter().map(|link| link.param.as_str()));
        supplied.extend(facts.inherited.iter().map(|(name, _)| name.as_str()));
    }
    if let Some(cursor) = &cursor.value {
        supplied.extend(cursor.param.as_deref());
    }
    let key_within_parent = parent.value.is_some() && above.as_ref().is_some_and(within);
    let own = own_auth::own(api, operation, schemes, auth);
    let proof = own.as_ref().map_or(auth, |own| &own.value);
    let settings = params::settings(api, operation, &supplied, proof);
    let mut facts = ResourceFacts {
        name: draft.name.clone(),
        kind: draft.kind,
        operation: draft.operation,
        records_path: Decision {
            value: found.path.clone(),
            confidence: found.confidence,
            reasons: found.reasons.clone(),
            others: Vec::new(),
        },
        record: found
            .record
            .schema
            .filter(|_| !found.record.is_free() && plain_values(draft).is_none()),
        primary_key,
        key_within_parent,
        paginator: Decision {
            value: paged.value.paginator,
            confidence: paged.confidence,
            reasons: paged.reasons,
            others: paged.others,
        },
        signs: paged.value.signs,
        cursor,
        parent,
        auth: own,
        settings,
        fixed,
        off: None,
        unsendable: body::unsendable(operation).or_else(|| plain_values(draft)),
        needs: Vec::new(),
        doubts: Vec::new(),
    };
    facts.off = harmless::off(api, operation, &facts);
    facts.doubts = open_questions::open_questions(&facts);
    if is_list {
        facts
            .doubts
            .extend(hiding::questions(api, operation, &facts.fixed));
    }
    body::settle(api, &mut facts);
    facts
}

/// Returns why a list of plain values cannot be read yet: a row has columns.
fn plain_values(draft: &Draft<'_>) -> Option<String> {
    let record = &draft.found.record;
    let plain = draft.kind == ResourceKind::List && record.is_scalar() && !record.is_object();
    plain.then(|| "its array holds plain values, and rows are read from objects only".to_owned())
}

/// Returns the decision for a single object, which is one page.
fn unpaged() -> Decision<Paged> {
    Decision {
        value: Paged {
            paginator: Paginator::single(),
            signs: PagingSigns::default(),
        },
        confidence: 1.0,
        reasons: vec!["one object".to_owned()],
        others: Vec::new(),
    }
}
