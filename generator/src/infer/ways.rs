//! The ways in which a list may be paged, as candidates with evidence.

use etlgen_model::Paginator;

use super::candidates::{Answers, Candidate, elect};
use super::envelope::Envelope;
use super::facts::Decision;
use super::node::Node;
use super::pages::{
    Evidence, Paged, by_last_id, by_link_header, by_next_url, by_offset, by_page_number, by_token,
    has_link_header, header_counts, is_token_page, links_in_header, next_header, other_way, single,
    undecided,
};
use super::prose::{is_backup, is_capped};
use super::roles::{Param, Place};
use super::rules::rule;
use super::words::flat;

/// The weights of the evidence. A way that the response confirms weighs more than one that only a
/// parameter suggests; among the confirmed ones, those that cannot skip rows come first.
mod weights {
    /// The body holds the next value of a token's parameter.
    pub const TOKEN_CONFIRMED: i32 = 80;
    /// The body holds a token, and the parameter takes an id.
    pub const TOKEN_FOR_AN_ID: i32 = 70;
    /// A part of another parameter's value asks for the page.
    pub const JOINED: i32 = 68;
    /// A parameter takes the last record's id.
    pub const LAST_ID: i32 = 65;
    /// The response has a `Link` header about pages.
    pub const LINK_HEADER: i32 = 60;
    /// OData's link to the next page.
    pub const ODATA: i32 = 58;
    /// A parameter called an offset comes back as text.
    pub const OFFSET_RETURNED: i32 = 55;
    /// Rows are counted, and there is a total to check them.
    pub const OFFSET_WITH_TOTAL: i32 = 50;
    /// The body holds the URL of the next page.
    pub const NEXT_URL: i32 = 45;
    /// A page's number is a token.
    pub const PAGE_TOKEN: i32 = 42;
    /// A parameter counts pages.
    pub const PAGE: i32 = 40;
    /// The body holds the next offset.
    pub const NEXT_OFFSET: i32 = 37;
    /// A parameter counts rows.
    pub const OFFSET: i32 = 35;
    /// Another operation says where the next token is.
    pub const TOKEN_ELSEWHERE: i32 = 30;
    /// A header holds the next token.
    pub const TOKEN_IN_HEADER: i32 = 28;
    /// There is more, no token comes back, and the records have ids.
    pub const MORE_WITHOUT_TOKEN: i32 = 26;
    /// The body is the array, so that it can hold no token.
    pub const BARE_ARRAY: i32 = 24;
    /// A token is asked for, and nothing says where it comes from.
    pub const TOKEN_UNKNOWN: i32 = 20;
    /// A deprecated parameter counts pages.
    pub const OLD_PAGE: i32 = 10;
    /// The parameter is a second way that needs a switch.
    pub const NEEDS_A_SWITCH: i32 = -100;
}

/// Decides on the paginator: the best of the ways in which the list may be paged.
pub(super) fn paginator(evidence: &Evidence<'_>) -> Decision<Paged> {
    elect(ways(evidence), Answers::Several).unwrap_or_else(|| none_or_open(evidence))
}

/// Decides if no parameter asks for a page.
fn none_or_open(evidence: &Evidence<'_>) -> Decision<Paged> {
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
        let reason =
            format!("`{path}` holds a URL of the next page, as no parameter accepts the value");
        return decide(by_next_url(evidence, None, path), 0.6, &reason);
    }
    if let Some(token) = envelope.next_token.as_ref().or(envelope.next_page.as_ref()) {
        let reason = format!("`{token}` indicates more pages, but no parameter requests them");
        return decide(undecided(evidence, None, Some(token)), 0.3, &reason);
    }
    if let Some(more) = &envelope.more {
        let reason = format!("`{more}` indicates more pages, but no parameter requests them");
        return decide(undecided(evidence, None, None), 0.3, &reason);
    }
    if let Some(size) = &roles.size {
        let reason = format!(
            "`{}` bounds the page, but no parameter requests the next one",
            size.name
        );
        return decide(undecided(evidence, None, None), 0.4, &reason);
    }
    decide(
        single(evidence),
        0.75,
        "no parameter requests pages and nothing indicates more",
    )
}

/// Returns all ways for which something speaks.
pub(super) fn ways(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let mut ways = Vec::new();
    ways.extend(by_id(evidence));
    ways.extend(by_joined(evidence));
    ways.extend(by_header(evidence));
    ways.extend(by_confirmed_token(evidence));
    ways.extend(by_url(evidence));
    ways.extend(by_rows(evidence));
    ways.extend(by_page(evidence));
    ways.extend(by_unconfirmed_token(evidence));
    ways
}

fn way(paged: Paged, sure: f32, weight: i32, reason: String) -> Candidate<Paged> {
    let kind = paged.paginator.kind();
    let shown = match &paged.signs.page_param {
        Some(param) if paged.paginator != Paginator::Undecided => format!("{kind} by `{param}`"),
        _ => kind.to_owned(),
    };
    Candidate::new(paged, shown, sure).with(weight, reason)
}

/// Ways that go on from the id of a record.
fn by_id(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let Evidence {
        roles, envelope, ..
    } = evidence;
    let Some(param) = &roles.last_id else {
        return Vec::new();
    };
    let mut ways = Vec::new();
    // With a parameter of its own, the token is not for the id's.
    if let Some(token) = &envelope.next_token
        && roles.cursor.is_none()
        && rule("an id's parameter and a token", true)
    {
        let reason = format!("`{token}` holds the next `{}`", param.name);
        let paged = by_token(evidence, param, token);
        ways.push(way(paged, 0.85, weights::TOKEN_FOR_AN_ID, reason));
    }
    let field = param.field.as_deref().unwrap_or("id");
    let sure = if envelope.more.is_some() { 0.95 } else { 0.75 };
    let reason = format!("`{}` takes the last record's {field}", param.name);
    let paged = by_last_id(evidence, param, field);
    ways.push(way(paged, sure, weights::LAST_ID, reason));
    ways
}

/// A parameter that is a part of another one's value, which no paginator can send.
fn by_joined(evidence: &Evidence<'_>) -> Option<Candidate<Paged>> {
    let roles = evidence.roles;
    let positions = [&roles.last_id, &roles.cursor, &roles.page, &roles.offset];
    let mut positions = positions.into_iter().flatten();
    let param = positions.find(|it| matches!(it.place, Place::Joined(_)))?;
    let Place::Joined(holder) = &param.place else {
        return None;
    };
    let reason = format!(
        "`{0}` is a part of the value of `{holder}` (`{0},1`), which a paginator cannot send",
        param.name
    );
    let paged = undecided(evidence, None, None);
    Some(way(paged, 0.3, weights::JOINED, reason))
}

fn by_header(evidence: &Evidence<'_>) -> Option<Candidate<Paged>> {
    let roles = evidence.roles;
    let link = has_link_header(evidence);
    let asks = roles.any() || header_counts(evidence);
    let named = link && rule("a Link header", asks);
    let linked = links_in_header(evidence) && roles.any();
    if !(named || linked) {
        return None;
    }
    let param = roles.page.as_ref().or(roles.cursor.as_ref());
    let param = param.or(roles.offset.as_ref());
    let reason = "the response has a `Link` header".to_owned();
    let paged = by_link_header(evidence, param);
    Some(way(paged, 0.9, weights::LINK_HEADER, reason))
}

fn by_confirmed_token(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let Evidence {
        roles, envelope, ..
    } = evidence;
    let Some(token) = &envelope.next_token else {
        return Vec::new();
    };
    let mut ways = Vec::new();
    if let Some(param) = &roles.cursor
        && rule("a token in the body", true)
    {
        let reason = format!("`{token}` holds the next `{}`", param.name);
        let paged = by_token(evidence, param, token);
        let sure = if param.borrowed.is_some() { 0.65 } else { 0.95 };
        let mut found = way(paged, sure, weights::TOKEN_CONFIRMED, reason);
        if let Some(path) = &param.borrowed {
            found = found.with(0, format!("only `{path}` declares `{}`", param.name));
        }
        if is_backup(param, roles) {
            let reason = format!("`{}` works only behind a switch", param.name);
            found = found.with(weights::NEEDS_A_SWITCH, reason);
        } else if let Some(other) = other_way(evidence) {
            found = found.with(0, other);
        }
        ways.push(found);
    }
    // A value that the response returns as text is a token, not a number.
    let returned = |param: &&Param| {
        let text = Node::of_schema(evidence.api, param.schema).is_text();
        text && flat(token.rsplit('.').next().unwrap_or_default()) == flat(&param.name)
    };
    if let Some(param) = roles.offset.as_ref().filter(returned)
        && rule("an offset that comes back as text", true)
    {
        let reason = format!("`{token}` holds the next `{}`", param.name);
        let paged = by_token(evidence, param, token);
        ways.push(way(paged, 0.85, weights::OFFSET_RETURNED, reason));
    }
    ways
}

fn by_url(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let Evidence {
        roles,
        envelope,
        habits,
        ..
    } = evidence;
    let Some(path) = &envelope.next_url else {
        return Vec::new();
    };
    let reason = format!("`{path}` holds the next page's URL");
    let mut ways = Vec::new();
    // In OData, the server decides how to continue, even if the request asked for an offset.
    if rule("OData", flat(path).ends_with("odatanextlink")) {
        let param = roles.offset.as_ref().or(roles.page.as_ref());
        let paged = by_next_url(evidence, param, path);
        ways.push(way(paged, 0.95, weights::ODATA, reason.clone()));
    }
    let page = roles.page.as_ref();
    let current = page.filter(|page| !page.deprecated);
    let param = roles.cursor.as_ref().or(current).or(page);
    let param = param.or(roles.offset.as_ref());
    let asked = param.is_some() || roles.size.is_some() || habits.mostly_paged || !roles.any();
    if rule("a URL in the body", asked) {
        let paged = by_next_url(evidence, param, path);
        let sure = if roles.any() { 0.9 } else { 0.7 };
        ways.push(way(paged, sure, weights::NEXT_URL, reason));
    }
    ways
}

fn by_rows(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let Evidence {
        roles, envelope, ..
    } = evidence;
    let Some(param) = &roles.offset else {
        return Vec::new();
    };
    let mut ways = Vec::new();
    // Numbers are checked against a total; a link next to them adds nothing.
    if rule("rows are counted and totalled", envelope.total.is_some()) {
        let reason = format!("`{}` counts rows, and a total is given", param.name);
        let paged = by_offset(evidence, param);
        ways.push(way(paged, 0.9, weights::OFFSET_WITH_TOTAL, reason));
    }
    if let Some(token) = &envelope.next_token
        && rule("the next offset", flat(token).ends_with("nextoffset"))
    {
        let reason = format!("`{token}` holds the next offset");
        let paged = by_token(evidence, param, token);
        ways.push(way(paged, 0.85, weights::NEXT_OFFSET, reason));
    }
    let reason = format!("`{}` counts rows", param.name);
    let paged = by_offset(evidence, param);
    ways.push(way(paged, 0.8, weights::OFFSET, reason));
    ways
}

fn by_page(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let Evidence {
        roles, envelope, ..
    } = evidence;
    let Some(param) = &roles.page else {
        return Vec::new();
    };
    let numbered = by_page_number(evidence, param);
    if param.deprecated {
        let reason = format!("`{}` counts pages, though deprecated", param.name);
        return vec![way(numbered, 0.6, weights::OLD_PAGE, reason)];
    }
    let mut ways = Vec::new();
    if rule("a page that is a token", is_token_page(evidence, param)) {
        let next = envelope.next_token.clone().or(envelope.next_page.clone());
        let token = next.unwrap_or_default();
        let reason = format!("`{token}` holds the next `{}`", param.name);
        let paged = by_token(evidence, param, &token);
        ways.push(way(paged, 0.8, weights::PAGE_TOKEN, reason));
    }
    let sure = if is_capped(param) { 0.5 } else { 0.85 };
    let reason = format!("`{}` counts pages", param.name);
    ways.push(way(numbered, sure, weights::PAGE, reason));
    ways
}

/// Ways by a token of which the body of this operation says nothing.
fn by_unconfirmed_token(evidence: &Evidence<'_>) -> Vec<Candidate<Paged>> {
    let Evidence {
        roles,
        envelope,
        habits,
        ..
    } = evidence;
    let Some(param) = &roles.cursor else {
        return Vec::new();
    };
    let Envelope { more, .. } = envelope;
    let name = &param.name;
    let mut ways = Vec::new();
    let mut stated = habits.next_tokens.iter();
    let stated = stated.find(|(of, _)| rule("stated elsewhere", of == name));
    if let Some((_, token)) = stated {
        let reason = format!("elsewhere in the document `{token}` holds the next `{name}`");
        let paged = by_token(evidence, param, token);
        ways.push(way(paged, 0.7, weights::TOKEN_ELSEWHERE, reason));
    }
    if let Some(header) = next_header(evidence).filter(|_| rule("a header holds the token", true)) {
        let reason = format!("the header `{header}` holds the next `{name}`");
        let paged = by_token(evidence, param, &format!("header:{header}"));
        ways.push(way(paged, 0.85, weights::TOKEN_IN_HEADER, reason));
    }
    let untold = more.is_some() && !evidence.is_returned(param) && evidence.records_have_ids();
    if rule("more without a token", untold) {
        let reason = format!(
            "there are more pages, no token is returned, and the records have ids: `{name}` takes the last id"
        );
        let paged = by_last_id(evidence, param, "id");
        ways.push(way(paged, 0.65, weights::MORE_WITHOUT_TOKEN, reason));
    }
    let bare = evidence.records.is_empty() && matches!(flat(name).as_str(), "after" | "before");
    if rule(
        "a bare array returns no token",
        bare && evidence.records_have_ids(),
    ) {
        let reason = format!(
            "the body is the array, so it cannot hold a token: `{name}` takes the last record's id"
        );
        let paged = by_last_id(evidence, param, "id");
        ways.push(way(paged, 0.65, weights::BARE_ARRAY, reason));
    }
    let reason = format!("`{name}` needs a token, but nothing says where it comes from");
    let paged = undecided(evidence, Some(param), None);
    ways.push(way(paged, 0.3, weights::TOKEN_UNKNOWN, reason));
    ways
}

fn decide(value: Paged, confidence: f32, reason: &str) -> Decision<Paged> {
    Decision {
        value,
        confidence,
        reasons: vec![reason.to_owned()],
        others: Vec::new(),
    }
}
