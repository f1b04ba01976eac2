//! Operations that return what another one lists: they are no lists of their own.

use std::collections::HashSet;

use crate::spec::api::{Api, Location};

use super::Draft;
use super::facts::{ResourceKind, Skipped};
use super::rules::rule;
use super::words::flat;

/// Removes them from the drafts.
pub(super) fn leave_out(api: &Api, drafts: &mut Vec<Draft<'_>>, skipped: &mut Vec<Skipped>) {
    let path = |draft: &Draft<'_>| api.operations[draft.operation].path.as_str();
    let gets: HashSet<&str> = drafts
        .iter()
        .filter(|draft| draft.method == "get" && draft.kind == ResourceKind::List)
        .map(path)
        .collect();
    let reasons: Vec<Option<String>> = drafts
        .iter()
        .map(|draft| {
            if draft.method == "post" && gets.contains(path(draft)) {
                return Some("the same list as its GET".to_owned());
            }
            if let Some(list) = searched(drafts, draft) {
                return Some(format!("a search whose rows all come from GET {list}"));
            }
            let list = next_of(api, drafts, draft)?;
            Some(format!(
                "it has the next pages of {list}, whose links lead there"
            ))
        })
        .collect();
    let mut reasons = reasons.into_iter();
    drafts.retain(|draft| {
        let reason = reasons.next().flatten();
        let stays = reason.is_none();
        skipped.extend(reason.map(|reason| Skipped {
            method: draft.method.to_owned(),
            path: path(draft).to_owned(),
            reason,
            is_missed: false,
        }));
        stays
    });
}

/// Returns the list whose records a search by words returns: `/spices` for `/spices/search`.
fn searched<'a>(drafts: &[Draft<'a>], draft: &Draft<'a>) -> Option<&'a str> {
    let list = draft.path.trim_end_matches('/').strip_suffix("/search")?;
    let words = [
        "q", "query", "search", "term", "keyword", "keywords", "text",
    ];
    let by_words = draft
        .parameters
        .iter()
        .any(|it| it.location == Location::Query && words.contains(&flat(&it.name).as_str()));
    let whole = drafts.iter().find(|other| {
        let (own, theirs) = (
            draft.found.record.component(),
            other.found.record.component(),
        );
        other.kind == ResourceKind::List
            && other.method == "get"
            && draft.method == "get"
            && !other.deprecated
            && other.path == list
            && own.is_some()
            && own == theirs
            && (other.roles.advance() || !draft.roles.advance())
    })?;
    rule("a search in a list", by_words).then_some(whole.path)
}

/// Returns the list whose next pages an operation serves: it requires a token, and has the response
/// of a list whose path it continues.
fn next_of(api: &Api, drafts: &[Draft<'_>], draft: &Draft<'_>) -> Option<String> {
    let own = api.operations.get(draft.operation)?;
    let cursor = draft.roles.cursor.as_ref()?;
    let required = own
        .parameters
        .iter()
        .any(|it| it.required && it.location == Location::Query && it.name == cursor.name);
    let response = own.response.as_ref()?.schema?;
    let list = drafts.iter().find(|other| {
        let list = &api.operations[other.operation];
        let schema = list.response.as_ref().and_then(|it| it.schema);
        let rest = own.path.strip_prefix(list.path.trim_end_matches('/'));
        let continues = rest.is_some_and(|rest| rest.starts_with('/') && !rest.contains('{'));
        continues && schema == Some(response) && other.envelope.next_url.is_some()
    })?;
    let (method, path) = (
        list.method.to_uppercase(),
        &api.operations[list.operation].path,
    );
    rule("the next pages of a list", required && own.method == "get")
        .then(|| format!("{method} {path}"))
}
