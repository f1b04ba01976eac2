//! A response that ends a list by what it leaves out: the token, the header `Link`, the records.

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use etlgen_model::{Paginator, Token, counted};
use serde_json::Value;

use super::{Account, At, is_usual};
use crate::http::links;
use crate::page::advance::{By, End};

/// How the lists of a resource end, of which none should lack what the others have.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    /// Whether the last page of a list has the key of the token or link, without a value.
    stated: AtomicBool,
    /// Whether one does not have the key.
    silent: AtomicBool,
}

impl Endings {
    /// Adds the end of a list; returns whether the lists end in both ways.
    fn are_mixed_with(&self, stated: bool) -> bool {
        let (same, other) = match stated {
            true => (&self.stated, &self.silent),
            false => (&self.silent, &self.stated),
        };
        same.store(true, SeqCst);
        other.load(SeqCst)
    }
}

impl Account {
    /// Returns the reason why a page without a next link proves nothing, if there is one.
    pub(super) fn silence(&self, end: &End, at: At<'_>) -> Option<String> {
        let page = at.page;
        let first = at.position.pages == 0 && end.by == By::NoNext;
        let full = self.is_full(at.paginator, page);
        // Many servers send fewer rows than are requested.
        let longest = self.terms.longest.load(Relaxed);
        if !first || !full && (!is_usual(page.rows) || longest > page.rows) {
            return None;
        }
        let what = match full {
            true => "the first page is full".to_owned(),
            false => format!(
                "the first page has {}, a usual length of pages",
                counted(page.rows, "row")
            ),
        };
        let header = match at.paginator.deref() {
            Paginator::LinkHeader(_) => Some("Link"),
            Paginator::Token(Token { next, .. }) => next.header(),
            _ => None,
        };
        let place = match header {
            Some("Link") => {
                let values = page.response.headers.get_all("link").iter();
                let mut values = values.filter_map(|value| value.to_str().ok());
                if values.any(|value| links(value).next().is_some()) {
                    return None;
                }
                "link in the header Link"
            }
            Some(header) if page.response.header(header).is_some() => return None,
            Some(header) => header,
            _ => match page.probes[2].and_then(word) {
                Some(word) => {
                    return full
                        .then(|| format!("{what}, and its token is `{word}`: more may follow"));
                }
                None => at.paginator.probes()[2].filter(|_| page.probes[2].is_none())?,
            },
        };
        // A wrong path looks like the end of the list.
        Some(format!(
            "{what}, and there is no `{place}` in it: more may follow"
        ))
    }

    /// Returns the reason why a last page without a next token or link proves nothing if the last
    /// pages of other lists of the resource state that there is none, or the other way round.
    pub(super) fn differs(&self, end: &End, at: At<'_>) -> Option<String> {
        let place =
            at.paginator.probes()[2].filter(|_| end.by == By::NoNext && at.page.rows > 0)?;
        let stated = at.page.probes[2].is_some();
        self.terms.endings.are_mixed_with(stated).then(|| {
            format!("some of its lists end with an empty `{place}`, and others do not have it: more may follow")
        })
    }

    /// Returns whether a list is empty, and nothing in its response states that: an API that fails
    /// may show no records. Among the lists of several parents, and those of a filter, some are
    /// empty.
    pub(super) fn is_mute(&self, end: &End, at: At<'_>) -> bool {
        let At { page, said, .. } = at;
        let first = at.position.pages == 0 && page.rows == 0;
        let several = self.terms.child || self.terms.narrowed || self.terms.embedded;
        if !first || several || matches!(end.by, By::Flag | By::Refusal) {
            return false;
        }
        let mut headers = page.response.headers.get_all("link").iter();
        let linked = headers.any(|value| {
            value
                .to_str()
                .is_ok_and(|value| links(value).next().is_some())
        });
        page.probes[2].is_none() && !linked && !said.ends_empty()
    }
}

/// Returns the word that the JSON of a token has in place of a token.
fn word(json: &str) -> Option<String> {
    match serde_json::from_str(json).ok()? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) if number.as_f64() == Some(-1.0) => Some(number.to_string()),
        _ => None,
    }
}
