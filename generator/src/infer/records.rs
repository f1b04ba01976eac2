//! Finds the records in a response, and decides whether it is a list at all.

use crate::spec::api::{Api, Format, Location, Operation, Parameter};

use super::list_or_single::list_or_single;
use super::node::Node;
use super::prose::is_required;
use super::roles::Roles;
use super::rules::{among, rule};
use super::words::{flat, is_plural, is_variable, noun, same_noun, segments, words};

/// The records of a response.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    pub list: bool,
    /// Keys to the array; empty: the body.
    pub path: Vec<String>,
    /// One record; for a single object, the object.
    pub record: Node<'a>,
    pub confidence: f32,
    pub reasons: Vec<String>,
}

/// Names that only mean "here are the records".
pub(super) const CONTAINERS: [&str; 18] = [
    "data",
    "items",
    "results",
    "records",
    "entries",
    "values",
    "value",
    "list",
    "rows",
    "resources",
    "content",
    "elements",
    "objects",
    "nodes",
    "hits",
    "result",
    "docs",
    "collection",
];
/// Objects that only wrap the records.
const WRAPPERS: [&str; 11] = [
    "data",
    "result",
    "results",
    "response",
    "embedded",
    "payload",
    "body",
    "list",
    "collection",
    "hits",
    "content",
];
/// Arrays that occur next to the records.
const BESIDES: [&str; 24] = [
    "errors",
    "error",
    "warnings",
    "messages",
    "links",
    "included",
    "facets",
    "order",
    "sort",
    "sorts",
    "fields",
    "includes",
    "meta",
    "filters",
    "expand",
    "aggregations",
    "warningmessages",
    "errormessages",
    "schema",
    "columns",
    "notices",
    "debug",
    "groupby",
    "orderby",
];
/// Objects that describe the page, not the records.
const ABOUT: [&str; 14] = [
    "meta",
    "metadata",
    "links",
    "paging",
    "pagination",
    "page",
    "pageinfo",
    "error",
    "errors",
    "included",
    "facets",
    "responsemetadata",
    "cursors",
    "pages",
];
/// Fields that only an envelope has.
const SIGNS: [&str; 30] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "totalcount",
    "total",
    "count",
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "nextpage",
    "next",
    "links",
    "paging",
    "pagination",
    "meta",
    "totalresults",
    "totalpages",
    "offset",
    "limit",
    "pageinfo",
    "islast",
    "nextmarker",
    "nextlink",
    "odatanextlink",
    "responsemetadata",
    "totalitems",
    "page",
    "nextpageurl",
    "nexturl",
    "perpage",
];
/// An array with this score, including the operation's other signs, is the collection.
const ENOUGH: i32 = 5;

/// An array somewhere in a body.
struct Candidate<'a> {
    path: Vec<String>,
    element: Node<'a>,
    score: i32,
    /// Whether its name is that of a collection.
    named: bool,
    /// Whether its name is that of an array next to the collection.
    beside: bool,
}

/// Reads the response of an operation; `None` if it has none that can be read.
pub(super) fn find<'a>(api: &'a Api, operation: &'a Operation, roles: &Roles) -> Option<Found<'a>> {
    let response = operation.response.as_ref()?;
    let format = response.format()?;
    let empty =
        matches!(response.status.as_str(), "204" | "202" | "205") && response.schema.is_none();
    if empty {
        return None;
    }
    let body = Node::of_response(api, response);
    if format != Format::Json {
        let media_type = response.media_type.as_deref().unwrap_or_default();
        let record = body.element().unwrap_or_else(|| body.clone());
        // A schema of the whole text does not describe a line.
        let record = if record.is_scalar() {
            record.silent()
        } else {
            record
        };
        let reason = format!("each line of `{media_type}` is a record");
        return Some(list(Vec::new(), record, 0.9, &reason));
    }
    let noun = noun(super::harmless::subject(operation)).unwrap_or_default();
    let says = list_or_single(operation);
    let ends_with_variable = segments(&operation.path)
        .last()
        .is_some_and(|last| is_variable(last));
    let plural = is_plural(&noun) && !ends_with_variable;

    if let Some(element) = body.element() {
        return Some(list(Vec::new(), element, 0.95, "the body is an array"));
    }
    let one = asks_for_one(operation);
    if body.is_free() {
        let listed = (plural && says >= 0) || says > 0 || roles.advance();
        let listed = listed && !rule("one is asked for by id", one);
        return Some(if listed {
            list(
                Vec::new(),
                body,
                0.5,
                "the response has no schema; path and summary describe a list",
            )
        } else {
            single(body, 0.5, "the response has no schema")
        });
    }
    if rule("a map by key", body.is_map()) {
        return Some(single(body, 0.5, "a map whose keys are values"));
    }
    let mut candidates: Vec<Candidate<'a>> = Vec::new();
    gather(&body, &mut Vec::new(), &noun, &mut candidates);
    // Only where nothing else is an array, an object about the page may hold the records.
    if candidates.is_empty() {
        gather_about(&body, &noun, &mut candidates);
    }
    let properties = body.properties();
    let signs = properties
        .keys()
        .filter(|name| among("envelope", &SIGNS, &flat(name)))
        .count();
    let no_array = candidates.is_empty();
    let has_id = has_id(&body) || properties.get("metadata").is_some_and(has_id);
    let of_objects =
        |candidate: &&mut Candidate<'_>| candidate.element.is_object() && candidate.path.len() == 1;
    let mut objects = candidates.iter_mut().filter(of_objects);
    if let (Some(only), None) = (objects.next(), objects.next())
        && rule(
            "the only array of objects beside a page's facts",
            signs > 0 && !has_id && !only.named && !only.beside,
        )
    {
        only.score += 3;
    }
    // Of equals, the first wins: documents put the collection before what belongs to it.
    let mut best: Option<Candidate<'a>> = None;
    let mut tied = false;
    for candidate in candidates {
        let score = best.as_ref().map_or(i32::MIN, |best| best.score);
        tied = tied && candidate.score <= score || candidate.score == score;
        if candidate.score > score {
            best = Some(candidate);
        }
    }
    let others = properties
        .iter()
        .filter(|(name, node)| node.is_scalar() && !among("envelope", &SIGNS, &flat(name)))
        .count();
    // Objects next to an array are parts of one thing.
    let parts = properties
        .iter()
        .filter(|(name, node)| {
            let holds = best.as_ref().and_then(|best| best.path.first()) == Some(*name);
            node.is_object() && !holds && !among("about the page", &ABOUT, &flat(name))
        })
        .count();
    let asks_one = operation.parameters.iter().any(|parameter| {
        parameter.required
            && parameter.location == Location::Query
            && ["id", "uid", "uuid", "guid", "gid"].contains(&flat(&parameter.name).as_str())
    });
    let mut around = says * 2;
    around -= if rule("parts beside", parts > 1) {
        3
    } else {
        0
    };
    around -= if rule("an id is asked for", asks_one && !plural) {
        4
    } else {
        0
    };
    around += if roles.advance() { 3 } else { 0 };
    around += if signs > 0 { 2 } else { 0 };
    around += i32::from(plural);
    around -= if rule("an id beside", has_id) { 4 } else { 0 };
    // A single object is not paged.
    around -= if ends_with_variable && !roles.advance() {
        4
    } else {
        0
    };
    around -= if rule("a verb that asks for one", asks_about(&operation.path)) {
        6
    } else {
        0
    };
    around -= if rule("much beside", others > 5) {
        3
    } else {
        0
    };
    let named = best
        .as_ref()
        .and_then(|best| best.path.last())
        .is_some_and(|name| names_the_same(name, &noun));
    if let Some(best) = best.filter(|best| best.score + around >= ENOUGH && best.score > 0) {
        let path = best.path.join(".");
        let (sure, reason) = if tied && !named {
            let reason = format!("`{path}` is the first of several equally likely arrays");
            (0.5, reason)
        } else {
            let sure = best.score + around > ENOUGH + 2;
            let reason = format!("`{path}` is the array in the response that fits the path");
            (if sure { 0.9 } else { 0.7 }, reason)
        };
        return Some(list(best.path, best.element, sure, &reason));
    }
    // A paged single object is a list that the document declares as one of its objects.
    if rule(
        "one object in pages",
        plural && (roles.page.is_some() || roles.offset.is_some()) && says >= 0 && signs < 2,
    ) {
        let reason =
            "declared as one object, but its requests are paged: taken as an array of such objects";
        return Some(list(Vec::new(), body, 0.65, reason));
    }
    let asks_pages = (roles.page.is_some() || roles.offset.is_some()) && roles.size.is_some();
    if rule(
        "one object without arrays in pages",
        asks_pages && no_array && !ends_with_variable && signs < 2,
    ) {
        let reason = "declared as one object without lists, but both a size and a position of pages are asked for";
        return Some(list(Vec::new(), body, 0.6, reason));
    }
    if rule(
        "one object that is called a list",
        plural && says > 0 && !ends_with_variable && signs == 0 && has_id,
    ) {
        let reason = "declared as one object, but summary and path describe a list";
        return Some(list(Vec::new(), body, 0.6, reason));
    }
    Some(single(body, 0.8, "one object"))
}

fn list<'a>(path: Vec<String>, record: Node<'a>, confidence: f32, reason: &str) -> Found<'a> {
    Found {
        list: true,
        path,
        record,
        confidence,
        reasons: vec![reason.to_owned()],
    }
}

fn single<'a>(record: Node<'a>, confidence: f32, reason: &str) -> Found<'a> {
    Found {
        list: false,
        path: Vec::new(),
        record,
        confidence,
        reasons: vec![reason.to_owned()],
    }
}

/// Collects every array within three levels.
fn gather<'a>(node: &Node<'a>, path: &mut Vec<String>, noun: &str, found: &mut Vec<Candidate<'a>>) {
    for (name, child) in node.properties() {
        let key = flat(&name);
        path.push(name);
        if let Some(element) = child.element() {
            let (score, named, beside) = score(path, &element, noun);
            found.push(Candidate {
                path: path.clone(),
                element,
                score,
                named,
                beside,
            });
        } else if path.len() < 3 && !among("about the page", &ABOUT, &key) {
            let from = found.len();
            gather(&child, path, noun, found);
            // Arrays within an object that has an id are parts of that object.
            if rule("parts of one object", has_id(&child)) {
                for candidate in found.iter_mut().skip(from) {
                    candidate.score -= 5;
                }
            }
        }
        path.pop();
    }
}

/// Collects the arrays in objects about the page, such as `meta`.
fn gather_about<'a>(body: &Node<'a>, noun: &str, found: &mut Vec<Candidate<'a>>) {
    let about = body.properties().into_iter();
    let about = about.filter(|(name, _)| ["meta", "metadata"].contains(&flat(name).as_str()));
    for (name, child) in about.filter(|_| rule("records below meta", true)) {
        gather(&child, &mut vec![name], noun, found);
    }
    found.retain(|candidate| candidate.element.is_object() && !candidate.beside);
}

/// Returns the score of an array as the collection, and whether its name is that of a collection or
/// of an array next to one.
fn score(path: &[String], element: &Node<'_>, noun: &str) -> (i32, bool, bool) {
    let Some((name, above)) = path.split_last() else {
        return (0, false, false);
    };
    let key = flat(name);
    let mut score = 0;
    if element.is_object() || element.is_map() {
        score += 2;
        score += i32::from(element.properties().len() >= 3);
    } else if element.is_scalar() {
        score -= 3;
    } else {
        score += 1;
    }
    let after_path = rule("an array named after the path", names_the_same(name, noun));
    let named = after_path
        || among("container", &CONTAINERS, &key)
        || rule(
            "embedded",
            above.last().is_some_and(|above| flat(above) == "embedded"),
        );
    score += match (after_path, named) {
        (true, _) => 4,
        (_, true) => 3,
        _ => 0,
    };
    // `messages` are chat messages or errors; chat messages have more fields.
    let chat = rule(
        "messages that are rows",
        key == "messages" && (element.properties().len() > 3 || element.is_free()),
    );
    let beside = !chat && !names_the_same(name, noun) && among("beside", &BESIDES, &key);
    score -= if beside { 5 } else { 0 };
    for above in above {
        let wraps = among("wrapper", &WRAPPERS, &flat(above)) || names_the_same(above, noun);
        score -= if wraps { 0 } else { 3 };
    }
    (score, named, beside)
}

fn has_id(node: &Node<'_>) -> bool {
    let properties = node.properties();
    ["id", "_id", "uid", "uuid", "gid"]
        .iter()
        .any(|name| properties.contains_key(*name))
}

/// Returns whether a required parameter, by schema or text, is the id of one thing of the kind that
/// the path names before its last segment: `auction_id` of `/auctions/details`.
fn asks_for_one(operation: &Operation) -> bool {
    let path = segments(&operation.path);
    let before = path.split_last().map(|(_, before)| before);
    let ids = ["id", "uuid", "key", "ref", "slug"];
    let asks = |parameter: &Parameter| {
        let mut words = words(&parameter.name);
        let last = words.pop().unwrap_or_default();
        let thing = words.join("_");
        let mut before = before.into_iter().flatten();
        parameter.location == Location::Query
            && is_required(parameter)
            && ids.contains(&last.as_str())
            && before.any(|segment| same_noun(segment, &thing))
    };
    operation.parameters.iter().any(asks)
}

/// Returns whether an RPC returns one thing: `/files.info`, `/reactions.get`.
fn asks_about(path: &str) -> bool {
    let last = segments(path).pop().unwrap_or_default();
    last.rsplit_once('.')
        .is_some_and(|(_, verb)| ["info", "get", "show", "retrieve"].contains(&verb))
}

/// Returns whether two names mean the same: `domain_records` and `records`, `workflowRuns` and
/// `runs`.
fn names_the_same(name: &str, noun: &str) -> bool {
    if noun.is_empty() {
        return false;
    }
    if same_noun(name, noun) {
        return true;
    }
    let (name, noun) = (words(name), words(noun));
    let last = |words: &[String]| words.last().cloned().unwrap_or_default();
    same_noun(&last(&name), &last(&noun))
}
