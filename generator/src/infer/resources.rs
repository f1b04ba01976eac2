//! Decides which operations are resources: lists of records, single objects, or neither.

use crate::spec::api::{Api, Location, Operation, SchemaKind};

use super::facts::ResourceKind;
use super::list_or_single::list_or_single;
use super::node::Node;
use super::records::{self, Found};
use super::roles::{Roles, roles};
use super::rules::{among, rule};
use super::words::{flat, is_variable, segments, words};
use super::{harmless, hints};

/// The decision about an operation.
pub(super) enum Verdict<'a> {
    Resource {
        kind: ResourceKind,
        found: Box<Found<'a>>,
        roles: Box<Roles>,
    },
    /// It is no resource.
    Skip(&'static str),
    /// It returns rows, but a run cannot ask for all of them.
    Miss(&'static str),
}

/// Classifies one operation; `None` for methods that only write.
pub(super) fn classify<'a>(api: &'a Api, operation: &'a Operation) -> Option<Verdict<'a>> {
    let posts = match operation.method.as_str() {
        "get" => false,
        "post" => true,
        _ => return None,
    };
    let path_words: Vec<String> = segments(&operation.path)
        .into_iter()
        .filter(|segment| !is_variable(segment))
        .flat_map(words)
        .collect();
    let roles = roles(api, operation);
    let asks = posts && roles.advance() && roles.size.is_some();
    let paged = pages_through(api, operation)
        || hints::is_paged(operation)
        || rule("a POST that asks for pages", asks);
    if posts && !harmless::reads(operation) && !paged {
        return Some(Verdict::Skip("it writes"));
    }
    let Some(found) = records::find(api, operation, &roles) else {
        return Some(Verdict::Skip("its response is not JSON"));
    };
    if posts && !found.list && !hints::is_paged(operation) {
        return Some(Verdict::Skip("it is not a list"));
    }
    let last = path_words.last().map(String::as_str).unwrap_or_default();
    let completions = [
        "typeahead",
        "autocomplete",
        "picker",
        "suggest",
        "suggestions",
        "suggester",
    ];
    if among("completion", &completions, last) {
        return Some(Verdict::Skip("it completes what a user types"));
    }
    if found.list
        && rule(
            "words to search for",
            wants_words(api, operation, &path_words),
        )
    {
        return Some(Verdict::Miss("a search that requires search words"));
    }
    if found.list && rule("a report", is_report(operation, &path_words)) {
        return Some(Verdict::Miss("a report over a required time span"));
    }
    let plain = found.record.is_scalar() && !found.record.is_object();
    let flags = plain && found.record.is_boolean();
    if rule("flags of a lookup", found.list && flags) {
        return Some(Verdict::Skip("its array holds flags, not records"));
    }
    let one = is_one_in_an_array(operation, &found, &roles);
    if rule("one record in an array", one) {
        return Some(Verdict::Skip("it returns one record, in an array"));
    }
    let kind = if found.list {
        ResourceKind::List
    } else {
        ResourceKind::Single
    };
    Some(Verdict::Resource {
        kind,
        found: Box::new(found),
        roles: Box::new(roles),
    })
}

/// Returns whether a path to one record, of which the operation's words say that it is one, returns
/// it in an array.
fn is_one_in_an_array(operation: &Operation, found: &Found<'_>, roles: &Roles) -> bool {
    let last = segments(&operation.path).pop().unwrap_or_default();
    let array = found.list && found.path.is_empty() && !roles.any();
    array && is_variable(last) && list_or_single(operation) < 0
}

/// Returns whether the response of a POST is paged: it returns more than was written.
fn pages_through(api: &Api, operation: &Operation) -> bool {
    let body = operation.response.as_ref();
    let properties = body
        .map(|body| Node::of_response(api, body).properties())
        .unwrap_or_default();
    let said = properties.iter().any(|(name, node)| {
        let words = words(name);
        let next = words.first().is_some_and(|first| first == "next") && words.len() > 1;
        next || node.is_boolean() && words.iter().any(|word| word == "more")
    });
    rule("a POST that comes in pages", said)
}

/// Returns whether an operation is a search that requires search words.
fn wants_words(api: &Api, operation: &Operation, path_words: &[String]) -> bool {
    let searches = path_words.iter().any(|word| word == "search");
    let query = operation.parameters.iter().any(|parameter| {
        let name = flat(&parameter.name);
        parameter.location == Location::Query
            && [
                "q",
                "query",
                "search",
                "term",
                "keyword",
                "keywords",
                "searchterm",
                "text",
                "s",
            ]
            .contains(&name.as_str())
            && Node::of_schema(api, parameter.schema).is_scalar()
            && (parameter.required || (searches && is_bare_search(operation)))
    });
    // A search by POST has its words in the body.
    let body = operation
        .request_body
        .and_then(|body| api.schemas.0.get(body.0));
    let asked = match body.map(|body| &body.kind) {
        Some(SchemaKind::Object { required, .. }) => required.iter().any(|name| {
            ["q", "query", "searchterm", "keyword", "text"].contains(&flat(name).as_str())
        }),
        _ => false,
    };
    (query || asked) && (searches || operation.summary.to_lowercase().contains("search"))
}

/// Returns whether the path is `/search`: a search over all kinds of records.
fn is_bare_search(operation: &Operation) -> bool {
    let segments = segments(&operation.path);
    let own: Vec<&&str> = segments
        .iter()
        .filter(|segment| !super::words::is_version(segment))
        .collect();
    matches!(own.as_slice(), [only] if only.eq_ignore_ascii_case("search"))
}

/// Returns whether an operation aggregates over a time span instead of listing rows.
fn is_report(operation: &Operation, path_words: &[String]) -> bool {
    let about = [
        "report",
        "reports",
        "metrics",
        "statistics",
        "stats",
        "analytics",
        "timeseries",
        "insights",
        "usage",
    ];
    let bounds = [
        "from",
        "to",
        "start",
        "end",
        "startdate",
        "enddate",
        "starttime",
        "endtime",
        "since",
        "until",
        "begin",
    ];
    let required = operation.parameters.iter().filter(|parameter| {
        parameter.required
            && parameter.location == Location::Query
            && bounds.contains(&flat(&parameter.name).as_str())
    });
    path_words.iter().any(|word| about.contains(&word.as_str())) && required.count() >= 2
}
