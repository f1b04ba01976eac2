//! Infers how a list is paged.

use crate::spec::api::{Api, Operation};

use super::envelope::{Envelope, is_link_onward};
use super::facts::{Decision, PaginatorFacts, PaginatorKind};
use super::limits::{first, max_page_size};
use super::node::Node;
use super::prose::{is_backup, is_capped};
use super::roles::{Param, Roles};
use super::rules::{among, rule, tells};
use super::words::flat;

/// The evidence for the decision.
pub(super) struct Evidence<'a> {
    pub api: &'a Api,
    pub operation: &'a Operation,
    pub roles: &'a Roles,
    pub envelope: &'a Envelope,
    /// What the other lists of the API do.
    pub habits: &'a Habits,
    /// The place of the records.
    pub records: &'a [String],
    /// The key of a record.
    pub key: &'a [String],
}

impl Evidence<'_> {
    /// Whether the description says that the previous page returns the token.
    fn is_returned(&self, param: &Param) -> bool {
        ["token", "returned", "previous", "response"]
            .iter()
            .any(|sign| param.description.contains(sign))
    }

    fn records_have_ids(&self) -> bool {
        matches!(self.key, [only] if only == "id")
    }
}

/// What most lists of an API do, and what its prose states for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    /// Token parameter -> next token, as stated somewhere in the document.
    pub next_tokens: Vec<(String, String)>,
    /// The prose mentions a `Link` header for all lists.
    pub link_header: bool,
    /// Most of the lists have paging parameters.
    pub mostly_paged: bool,
}

/// Decides.
pub(super) fn paginator(evidence: &Evidence<'_>) -> Decision<PaginatorFacts> {
    let Evidence {
        roles,
        envelope,
        habits,
        ..
    } = evidence;
    let link = link_header(evidence);
    if let (Some(param), Some(token)) = (&roles.last_id, &envelope.next_token)
        && rule("an id's parameter and a token", true)
    {
        let reason = format!("`{token}` holds the next `{}`", param.name);
        return decide(cursor(evidence, param, token.clone()), 0.85, &reason);
    }
    if let Some(param) = &roles.last_id {
        let mut facts = facts(evidence, PaginatorKind::CursorLastId, Some(param));
        facts.next_path = Some("last_record.id".to_owned());
        let sure = if envelope.more.is_some() { 0.95 } else { 0.75 };
        return decide(
            facts,
            sure,
            &format!("`{}` takes the last record's id", param.name),
        );
    }
    let named = link && rule("a Link header", roles.any() || header_counts(evidence));
    if named || links_in_header(evidence) && roles.any() {
        let param = roles
            .page
            .as_ref()
            .or(roles.cursor.as_ref())
            .or(roles.offset.as_ref());
        let mut facts = facts(evidence, PaginatorKind::LinkHeader, param);
        facts.next_path = Some("header:Link".to_owned());
        return decide(facts, 0.9, "the response has a `Link` header");
    }
    let page = roles.page.as_ref().filter(|page| !page.deprecated);
    if let Some(param) = &roles.cursor
        && let Some(token) = envelope
            .next_token
            .clone()
            .filter(|_| rule("a token in the body", !is_backup(param, roles)))
    {
        return decide(
            cursor(evidence, param, token.clone()),
            0.95,
            &format!("`{token}` holds the next `{}`", param.name),
        );
    }
    // OData: the server decides how to continue, whatever the request asked.
    let odata = |path: &&String| rule("OData", flat(path).ends_with("odatanextlink"));
    if let Some(path) = envelope.next_url.as_ref().filter(odata) {
        let param = roles.offset.as_ref().or(roles.page.as_ref());
        let mut facts = facts(evidence, PaginatorKind::NextUrl, param);
        facts.next_path = Some(path.clone());
        return decide(facts, 0.95, &format!("`{path}` holds the next page's URL"));
    }
    // A value that the response returns as text is a token, not a number.
    let returned = |param: &&Param| {
        let token = envelope.next_token.as_deref().unwrap_or_default();
        let text = Node::of_schema(evidence.api, param.schema).is_text();
        text && flat(token.rsplit('.').next().unwrap_or_default()) == flat(&param.name)
    };
    if let Some(param) = roles.offset.as_ref().filter(returned)
        && let Some(token) = &envelope.next_token
        && rule("an offset that comes back as text", true)
    {
        let reason = format!("`{token}` holds the next `{}`", param.name);
        return decide(cursor(evidence, param, token.clone()), 0.85, &reason);
    }
    // Numbers are checked against a total; a link next to them adds nothing.
    if let (Some(param), Some(_)) = (&roles.offset, &envelope.total)
        && rule("rows are counted and totalled", true)
    {
        return decide(
            offset(evidence, param),
            0.9,
            &format!("`{}` counts rows, and a total is given", param.name),
        );
    }
    if let Some(path) = &envelope.next_url {
        let param = roles
            .cursor
            .as_ref()
            .or(page)
            .or(roles.page.as_ref())
            .or(roles.offset.as_ref());
        if rule(
            "a URL in the body",
            param.is_some() || roles.size.is_some() || habits.mostly_paged || !roles.any(),
        ) {
            let mut facts = facts(evidence, PaginatorKind::NextUrl, param);
            facts.next_path = Some(path.clone());
            let sure = if roles.any() { 0.9 } else { 0.7 };
            return decide(facts, sure, &format!("`{path}` holds the next page's URL"));
        }
    }
    if let Some(param) =
        page.filter(|page| rule("a page that is a token", is_token_page(evidence, page)))
    {
        let token = envelope
            .next_token
            .clone()
            .or_else(|| envelope.next_page.clone())
            .unwrap_or_default();
        return decide(
            cursor(evidence, param, token.clone()),
            0.8,
            &format!("`{token}` holds the next `{}`", param.name),
        );
    }
    if let Some(param) = page {
        return decide(
            page_number(evidence, param),
            if is_capped(param) { 0.5 } else { 0.85 },
            &format!("`{}` counts pages", param.name),
        );
    }
    if let Some(param) = &roles.offset {
        if let Some(token) = envelope.next_token.clone()
            && rule("the next offset", flat(&token).ends_with("nextoffset"))
        {
            return decide(
                cursor(evidence, param, token.clone()),
                0.85,
                &format!("`{token}` holds the next offset"),
            );
        }
        return decide(
            offset(evidence, param),
            0.8,
            &format!("`{}` counts rows", param.name),
        );
    }
    if let Some(param) = &roles.cursor {
        let stated = habits
            .next_tokens
            .iter()
            .find(|(name, _)| rule("stated elsewhere", *name == param.name));
        if let Some((_, token)) = stated {
            let reason = format!(
                "elsewhere in the document `{token}` holds the next `{}`",
                param.name
            );
            return decide(cursor(evidence, param, token.clone()), 0.7, &reason);
        }
        if let Some(header) =
            next_header(evidence).filter(|_| rule("a header holds the token", true))
        {
            let reason = format!("the header `{header}` holds the next `{}`", param.name);
            return decide(
                cursor(evidence, param, format!("header:{header}")),
                0.85,
                &reason,
            );
        }
        if rule(
            "more without a token",
            envelope.more.is_some() && !evidence.is_returned(param) && evidence.records_have_ids(),
        ) {
            let mut facts = facts(evidence, PaginatorKind::CursorLastId, Some(param));
            facts.next_path = Some("last_record.id".to_owned());
            let reason = format!(
                "there are more pages, no token is returned, and the records have ids: `{}` takes the last id",
                param.name
            );
            return decide(facts, 0.65, &reason);
        }
        let bare =
            evidence.records.is_empty() && matches!(flat(&param.name).as_str(), "after" | "before");
        if rule(
            "a bare array returns no token",
            bare && evidence.records_have_ids(),
        ) {
            let mut facts = facts(evidence, PaginatorKind::CursorLastId, Some(param));
            facts.next_path = Some("last_record.id".to_owned());
            let reason = format!(
                "the body is the array, so it cannot hold a token: `{}` takes the last record's id",
                param.name
            );
            return decide(facts, 0.65, &reason);
        }
        let reason = format!(
            "`{}` needs a token, but nothing says where it comes from",
            param.name
        );
        return decide(
            facts(evidence, PaginatorKind::Undecided, Some(param)),
            0.3,
            &reason,
        );
    }
    if let Some(param) = &roles.page {
        return decide(
            page_number(evidence, param),
            0.6,
            &format!("`{}` counts pages, though deprecated", param.name),
        );
    }
    none_or_open(evidence)
}

/// No parameter asks for a page.
fn none_or_open(evidence: &Evidence<'_>) -> Decision<PaginatorFacts> {
    let Evidence {
        roles, envelope, ..
    } = evidence;
    // No parameter accepts the value, and a token's name would not contain `page`.
    let page = |path: &&String| {
        let name = flat(path.rsplit('.').next().unwrap_or_default());
        matches!(name.as_str(), "next" | "nextpage")
    };
    if let Some(path) = envelope.next_token.as_ref().filter(page)
        && rule("a next that only a URL can be", roles.size.is_none())
    {
        let mut facts = facts(evidence, PaginatorKind::NextUrl, None);
        facts.next_path = Some(path.clone());
        let reason =
            format!("`{path}` holds the next page and no parameter takes it, so it is a URL");
        return decide(facts, 0.6, &reason);
    }
    if let Some(token) = envelope.next_token.as_ref().or(envelope.next_page.as_ref()) {
        let mut facts = facts(evidence, PaginatorKind::Undecided, None);
        facts.next_path = Some(token.clone());
        let reason = format!("`{token}` indicates more pages, but no parameter asks for them");
        return decide(facts, 0.3, &reason);
    }
    if let Some(more) = &envelope.more {
        let reason = format!("`{more}` indicates more pages, but no parameter asks for them");
        return decide(
            facts(evidence, PaginatorKind::Undecided, None),
            0.3,
            &reason,
        );
    }
    if let Some(size) = &roles.size {
        let reason = format!(
            "`{}` bounds the page, but nothing asks for the next one",
            size.name
        );
        return decide(
            facts(evidence, PaginatorKind::Undecided, None),
            0.4,
            &reason,
        );
    }
    decide(
        facts(evidence, PaginatorKind::None, None),
        0.75,
        "no parameter asks for pages and nothing indicates more",
    )
}

pub(super) fn facts(
    evidence: &Evidence<'_>,
    kind: PaginatorKind,
    param: Option<&Param>,
) -> PaginatorFacts {
    let Evidence {
        api,
        roles,
        envelope,
        ..
    } = evidence;
    PaginatorFacts {
        kind,
        page_param: param.map(|param| param.name.clone()),
        size_param: roles.size.as_ref().map(|size| size.name.clone()),
        max_page_size: roles
            .size
            .as_ref()
            .and_then(|size| max_page_size(api, size)),
        next_path: None,
        more_path: envelope.more.clone(),
        total_path: envelope.total.clone().or_else(|| header_total(evidence)),
        total_is_pages: match &envelope.total {
            Some(_) => envelope.total_is_pages,
            None => header_total(evidence).is_some_and(|name| flat(&name).contains("pages")),
        },
        first_page: 1,
        in_body: param
            .or(roles.size.as_ref())
            .is_some_and(|param| param.in_body),
    }
}

pub(super) fn cursor(evidence: &Evidence<'_>, param: &Param, token: String) -> PaginatorFacts {
    let kind = if param.in_body {
        PaginatorKind::TokenInBodyPost
    } else {
        PaginatorKind::CursorParam
    };
    let mut facts = facts(evidence, kind, Some(param));
    facts.next_path = Some(token);
    facts
}

pub(super) fn offset(evidence: &Evidence<'_>, param: &Param) -> PaginatorFacts {
    let mut facts = facts(evidence, PaginatorKind::Offset, Some(param));
    facts.first_page = u64::from(first(evidence.api, param).unwrap_or(0) == 1);
    facts
}

pub(super) fn page_number(evidence: &Evidence<'_>, param: &Param) -> PaginatorFacts {
    let mut facts = facts(evidence, PaginatorKind::PageNumber, Some(param));
    // Spring counts from 0; its totals identify it.
    let total = facts.total_path.as_deref().map(flat).unwrap_or_default();
    let spring = rule("Spring", total.ends_with("totalelements"));
    facts.first_page = first(evidence.api, param).unwrap_or(u64::from(!spring));
    facts
}

/// A documented `Link` header, or one that the prose states for all lists.
fn link_header(evidence: &Evidence<'_>) -> bool {
    let headers = evidence
        .operation
        .response
        .iter()
        .flat_map(|response| response.headers.keys());
    let mut headers = headers.map(|name| name.to_ascii_lowercase());
    rule(
        "a Link header is declared",
        headers.any(|name| name == "link"),
    ) || rule(
        "a Link header is told",
        evidence.habits.link_header && evidence.roles.page.is_some(),
    )
}

/// A header whose description or example links to the next page.
fn links_in_header(evidence: &Evidence<'_>) -> bool {
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

fn header_counts(evidence: &Evidence<'_>) -> bool {
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

/// `X-Next-Cursor`.
fn next_header(evidence: &Evidence<'_>) -> Option<String> {
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

/// A `page` that is a token: it is text, and the body holds the next one.
fn is_token_page(evidence: &Evidence<'_>, page: &Param) -> bool {
    let node = Node::of_schema(evidence.api, page.schema);
    let signs = ["token", "cursor", "previous response", "next_page"];
    let tokens = tells("told token", &page.description, &signs);
    let next = evidence.envelope.next_token.is_some() || evidence.envelope.next_page.is_some();
    let text = node.is_text() && !node.is_integer();
    next && (tokens || (text && evidence.envelope.next_token.is_some()))
}

fn decide(value: PaginatorFacts, confidence: f32, reason: &str) -> Decision<PaginatorFacts> {
    Decision {
        value,
        confidence,
        reasons: vec![reason.to_owned()],
    }
}
