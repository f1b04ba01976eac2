//! Infers how a list is paged.

use std::num::NonZeroU64;

use etlgen_model::{Common, PageSize, Paginator, ResponsePath, Total};

use crate::spec::api::{Api, Operation};

use super::envelope::{Envelope, is_link_onward};
use super::facts::PagingSigns;
use super::limits::{first, max_page_size};
use super::node::Node;
use super::paging::line;
use super::prose::first_token;
use super::roles::{Param, Place, Roles, parameters};
use super::rules::{among, rule, tells};
use super::words::{flat, says};

/// The evidence for the decision.
pub(super) struct Evidence<'a> {
    pub api: &'a Api,
    pub operation: &'a Operation,
    pub roles: &'a Roles,
    pub envelope: &'a Envelope,
    /// The paging of the other lists of the API.
    pub habits: &'a Habits,
    /// The keys to the records.
    pub records: &'a [String],
    /// The key of a record.
    pub key: &'a [String],
}

impl Evidence<'_> {
    /// Returns whether the description states that the previous page returns the token.
    pub fn is_returned(&self, param: &Param) -> bool {
        ["token", "returned", "previous", "response"]
            .iter()
            .any(|sign| param.description.contains(sign))
    }

    pub fn records_have_ids(&self) -> bool {
        matches!(self.key, [only] if only == "id")
    }
}

/// The paging of most lists of an API, and what its prose states for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    /// Token parameter -> next token, as stated somewhere in the document.
    pub next_tokens: Vec<(String, String)>,
    /// Whether the prose mentions a `Link` header for all lists.
    pub link_header: bool,
    /// Whether most of the lists have paging parameters.
    pub mostly_paged: bool,
}

/// Returns the line that pages a list by offset instead of its cursor, if it has both.
pub(super) fn other_way(evidence: &Evidence<'_>) -> Option<String> {
    let offset = evidence.roles.offset.as_ref()?;
    let line = line(&by_offset(evidence, offset).paginator)?;
    Some(format!(
        "`{}` counts rows as well; if the token never comes: {line}",
        offset.name
    ))
}

/// The largest page that is requested, even if the document allows more.
const LARGEST: u64 = 1000;

/// A paginator, and what else the document shows of paging.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Paged {
    pub paginator: Paginator,
    pub signs: PagingSigns,
}

pub(super) fn single(evidence: &Evidence<'_>) -> Paged {
    Paged {
        paginator: Paginator::single(),
        signs: signs(evidence, None),
    }
}

/// Returns no decision. `next` is the field that speaks of more pages.
pub(super) fn undecided(
    evidence: &Evidence<'_>,
    param: Option<&Param>,
    next: Option<&String>,
) -> Paged {
    Paged {
        paginator: Paginator::undecided(),
        signs: PagingSigns {
            next: next.cloned(),
            ..signs(evidence, param)
        },
    }
}

pub(super) fn by_last_id(evidence: &Evidence<'_>, param: &Param, field: &str) -> Paged {
    let found = Paginator::last_id(&param.name).field(field);
    paged(evidence, Some(param), found)
}

/// Pages by token. `next` is the place of the next token: a dotted path or `header:NAME`.
pub(super) fn by_token(evidence: &Evidence<'_>, param: &Param, next: &str) -> Paged {
    let token = Paginator::token(&param.name, next);
    let token = match first_token(&param.description) {
        Some(first) => token.first(first),
        None => token,
    };
    paged(evidence, Some(param), token)
}

/// Pages by URL. `param` is a parameter that could ask for pages, too.
pub(super) fn by_next_url(evidence: &Evidence<'_>, param: Option<&Param>, next: &str) -> Paged {
    paged(evidence, param, Paginator::next_url(next))
}

pub(super) fn by_link_header(evidence: &Evidence<'_>, param: Option<&Param>) -> Paged {
    let links = Paginator::link_header();
    // Some servers page a list only if a page is asked for.
    let page = evidence.roles.page.as_ref();
    let page = page.filter(|page| param.is_some_and(|param| param.name == page.name));
    let first = page.and_then(|page| {
        let counted = rule("json-server", page.name == "_page").then_some(1);
        Some((page, first(evidence.api, page).or(counted)?))
    });
    let links = match first {
        Some((page, first)) => links.first_page(&page.name, first),
        None => links,
    };
    paged(evidence, param, links)
}

pub(super) fn by_offset(evidence: &Evidence<'_>, param: &Param) -> Paged {
    let first = u64::from(first(evidence.api, param).unwrap_or(0) == 1);
    let found = Paginator::offset(&param.name).starting_at(first);
    paged(evidence, Some(param), found)
}

pub(super) fn by_page_number(evidence: &Evidence<'_>, param: &Param) -> Paged {
    // Spring counts from 0, and is recognised by the name of its total.
    let total = total(evidence).and_then(|total| total.at().map(ToString::to_string));
    let total = total.as_deref().map(flat).unwrap_or_default();
    let spring = rule("Spring", total.ends_with("totalelements"));
    let from_zero = spring || rule("Flask-AppBuilder", is_flask(evidence, param));
    let first = first(evidence.api, param).unwrap_or(u64::from(!from_zero));
    let found = Paginator::page_number(&param.name).starting_at(first);
    paged(evidence, Some(param), found)
}

/// Returns whether a page is that of Flask-AppBuilder, which counts from 0: it is recognised by the
/// order beside the page in a JSON parameter.
fn is_flask(evidence: &Evidence<'_>, page: &Param) -> bool {
    let beside = parameters(evidence.api, evidence.operation);
    let mut beside = beside.iter().filter(|param| param.place == page.place);
    matches!(page.place, Place::Json(_)) && beside.any(|param| param.name == "order_column")
}

/// Returns the paginator with the parts that all paginators share.
fn paged(evidence: &Evidence<'_>, param: Option<&Param>, found: impl Into<Paginator>) -> Paged {
    let signs = signs(evidence, param);
    let mut paginator = found.into();
    if let Some(common) = paginator.common_mut() {
        *common = self::common(&signs);
    }
    Paged { paginator, signs }
}

fn common(signs: &PagingSigns) -> Common {
    let mut common = Common::default();
    common.more.clone_from(&signs.more);
    common.total.clone_from(&signs.total);
    common.in_body = signs.in_body;
    common.in_json.clone_from(&signs.in_json);
    common.in_pairs.clone_from(&signs.in_pairs);
    // OData's `$top` limits the whole list, not a page: with it, the rest would be missing.
    let size = signs.size_param.as_ref().filter(|param| *param != "$top");
    common.page_size = size.map(|param| {
        let rows = signs.max_page_size.map(|most| most.min(LARGEST));
        let rows = rows.and_then(NonZeroU64::new).unwrap_or(PageSize::USUAL);
        PageSize::new(param, rows)
    });
    common
}

fn signs(evidence: &Evidence<'_>, param: Option<&Param>) -> PagingSigns {
    let Evidence {
        api,
        roles,
        envelope,
        ..
    } = evidence;
    let place = param.or(roles.size.as_ref()).map(|param| &param.place);
    // Without a parameter for the page, or beside one, a size has the same place.
    let size = roles.size.as_ref();
    let size = size.filter(|size| place == Some(&size.place) || !is_within(place, &size.place));
    PagingSigns {
        page_param: param.map(|param| param.name.clone()),
        size_param: size.map(|size| size.name.clone()),
        max_page_size: size.and_then(|size| max_page_size(api, size)),
        next: None,
        more: envelope.more.clone(),
        total: total(evidence),
        in_body: place == Some(&Place::Body),
        in_json: match place {
            Some(Place::Json(holder)) => Some(holder.clone()),
            _ => None,
        },
        in_pairs: match place {
            Some(Place::Pairs(holder)) => Some(holder.clone()),
            _ => None,
        },
    }
}

/// Returns whether one of two parameters is part of the value of another parameter.
fn is_within(one: Option<&Place>, other: &Place) -> bool {
    let within = |place: &Place| matches!(place, Place::Json(_) | Place::Pairs(_));
    one.is_some_and(within) || within(other)
}

/// Returns the total in the body, or else in a header.
fn total(evidence: &Evidence<'_>) -> Option<Total> {
    let envelope = evidence.envelope;
    let (at, is_pages) = match &envelope.total {
        Some(path) => (path.clone(), envelope.total_is_pages),
        None => {
            let name = header_total(evidence)?;
            let is_pages = flat(&name).contains("pages");
            (name, is_pages)
        }
    };
    let at = ResponsePath::from(at);
    Some(match is_pages {
        true => Total::Pages(at),
        false => Total::Items(at),
    })
}

/// Returns whether the document declares a `Link` header, or the prose gives one to all lists.
pub(super) fn has_link_header(evidence: &Evidence<'_>) -> bool {
    let headers = evidence
        .operation
        .response
        .iter()
        .flat_map(|response| &response.headers);
    let mut links = headers.filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    rule(
        "a Link header is declared",
        links.any(|(_, said)| is_about_pages(said)),
    ) || rule(
        "a Link header is told",
        evidence.habits.link_header && evidence.roles.page.is_some(),
    )
}

/// Returns whether the description of a `Link` header is about pages: it names no relation, or one
/// of those between pages.
fn is_about_pages(said: &str) -> bool {
    let said = said.to_lowercase();
    let relation = says(&said, "rel") || says(&said, "relation") || says(&said, "relations");
    let pages = [
        "next",
        "prev",
        "previous",
        "page",
        "pages",
        "pagination",
        "first",
        "last",
    ];
    !relation || pages.iter().any(|word| says(&said, word))
}

/// Returns whether a header's description or example links to the next page.
pub(super) fn links_in_header(evidence: &Evidence<'_>) -> bool {
    let mut headers = evidence
        .operation
        .response
        .iter()
        .flat_map(|response| &response.headers);
    headers.any(|(name, said)| {
        let quoted = said.to_lowercase().replace(['"', '\'', '`'], "");
        let relation = if quoted.contains("rel=next") {
            "next"
        } else {
            ""
        };
        name.eq_ignore_ascii_case("link") && is_link_onward(name, relation)
    })
}

pub(super) fn header_counts(evidence: &Evidence<'_>) -> bool {
    header_total(evidence).is_some()
}

fn header_total(evidence: &Evidence<'_>) -> Option<String> {
    let headers = evidence
        .operation
        .response
        .iter()
        .flat_map(|response| response.headers.keys());
    let wanted = [
        "xtotal",
        "xtotalcount",
        "totalcount",
        "xtotalpages",
        "xpaginationtotal",
        "xpaginationtotalcount",
        "xcount",
    ];
    let name = headers
        .into_iter()
        .find(|name| among("total in a header", &wanted, &flat(name)))?;
    Some(format!("header:{name}"))
}

/// Returns a header with the next token, such as `X-Next-Cursor`.
pub(super) fn next_header(evidence: &Evidence<'_>) -> Option<String> {
    let mut headers = evidence
        .operation
        .response
        .iter()
        .flat_map(|response| response.headers.keys());
    headers
        .find(|name| {
            let name = flat(name);
            let about = ["cursor", "token", "marker", "continuation", "page"]
                .iter()
                .any(|word| name.contains(word));
            about
                && (name.contains("next")
                    || name.contains("continuation")
                    || name.contains("cursor"))
        })
        .cloned()
}

/// Returns whether a `page` is a token: it is text, and the body holds the next one.
pub(super) fn is_token_page(evidence: &Evidence<'_>, page: &Param) -> bool {
    let node = Node::of_schema(evidence.api, page.schema);
    let signs = ["token", "cursor", "previous response", "next_page"];
    let tokens = tells("told token", &page.description, &signs);
    let next = evidence.envelope.next_token.is_some() || evidence.envelope.next_page.is_some();
    let text = node.is_text() && !node.is_integer();
    next && (tokens || (text && evidence.envelope.next_token.is_some()))
}
