//! What a page itself says about the next page; the account of the list decides whether that is
//! believed.

use std::ops::{Deref, Range};

use etlgen_model::{Offset, PageNumber, Paginator, ResponsePath, Token, Total as Stated, counted};
use serde_json::Value;

use super::paginator::{Next, Pager, Position, TotalOf};
use super::statements::{Counted, counted_by, is_no_token, remains};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Response, next_link};
use crate::record::Stands;
use crate::record::beside::Beside;

/// What a page says about the next page.
pub(crate) struct PageFacts<'a> {
    /// The number of rows on this page.
    pub rows: u64,
    /// The raw JSON at the paths that [`Pager::probes`] names: more, total, next.
    pub probes: [Option<&'a str>; 3],
    /// The other values of its body that matter to paging.
    pub beside: &'a [Beside],
    /// What the response has at the path of the records.
    pub stands: Stands,
    /// The id of its last record.
    pub last_id: Option<String>,
    /// A fingerprint of its records; `None` if it has none.
    pub fingerprint: Option<u64>,
    /// The identities of its rows, one number for each; empty if they are unknown.
    pub ids: &'a [u64],
    /// Fingerprints of the rows' contents, one for each; empty if a repeated row may have changed.
    pub contents: &'a [u64],
    /// Returns whether a row cannot have changed since the pass began: if it is repeated with other
    /// contents, its key is that of several records.
    pub settled: &'a dyn Fn(usize) -> bool,
    /// The text of its records, and where each of them is in it; empty if they are unknown.
    pub records: (&'a [u8], &'a [Range<usize>]),
    /// Replaces the secrets in a text of the API.
    pub redacted: &'a dyn Fn(&str) -> String,
    /// The response, for its headers.
    pub response: &'a Response,
}

impl<'a> PageFacts<'a> {
    /// Returns the JSON of a row, counted from 0; `None` if it is unknown.
    pub fn record(&self, row: usize) -> Option<&'a str> {
        let (text, spans) = self.records;
        std::str::from_utf8(text.get(spans.get(row)?.clone())?).ok()
    }
}

/// What comes after a page.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Another page.
    Next(Position),
    /// The list ends, with this proof.
    End(super::Proof),
}

/// What a page alone says about the next page.
#[derive(Debug, PartialEq)]
pub(super) enum Proposal {
    /// This page follows.
    Go(Next),
    /// Nothing follows.
    End(End),
}

/// An end that a page proposes.
#[derive(Debug, PartialEq)]
pub(super) struct End {
    /// The evidence.
    pub why: String,
    pub by: By,
    /// What could be requested nevertheless, if the list's responses do not lead from page to page.
    pub next: Option<Next>,
}

/// The kind of evidence for an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A flag.
    Flag,
    /// A total of items has been reached.
    Total,
    /// A number of pages has been reached.
    Pages,
    /// A page without rows.
    Empty,
    /// There is no further token or link.
    NoNext,
    /// The token or link leads to the page itself.
    Itself,
    /// The status of a response.
    Refusal,
}

/// A total where the paginator names it.
pub(super) type Total = Option<(u64, TotalOf)>;

impl Pager {
    /// Returns what follows a page according to the page itself. `known` is the number of rows at
    /// its beginning that have arrived before; `total` is the total that it states, if that is
    /// credible.
    pub(super) fn propose(
        &self,
        position: &Position,
        page: &PageFacts<'_>,
        known: usize,
        total: Total,
    ) -> Result<Proposal> {
        let same = page.fingerprint.is_some() && page.fingerprint == position.fingerprint;
        if page.rows > 0 && known == 0 && same {
            return Err(paging("the server sent the same page twice in a row")
                .hint("the paginator of this resource is probably not the one that the API uses; if the API always sends the whole list, `paginate = \"single\"` in etlgen.toml says so"));
        }
        if (400..500).contains(&page.response.status) {
            let why = format!("{} after page {}", page.response.status, position.pages);
            return Ok(end(why, By::Refusal, None));
        }
        let more = self.says(page);
        if more == Some(false) {
            let why = format!("`{}` is false", self.more().unwrap_or_default());
            return Ok(end(why, By::Flag, self.asks_on(position, page)));
        }
        match self.deref() {
            Paginator::LastId(_) => self.behind_last(position, page),
            Paginator::PageNumber(_) | Paginator::Offset(_) => {
                Ok(self.counted(position, page, known, total))
            }
            _ => self.follow(position, page),
        }
    }

    /// Returns what the paginator's own flag says about a page.
    pub(super) fn says(&self, page: &PageFacts<'_>) -> Option<bool> {
        remains(&serde_json::from_str(page.probes[0]?).ok()?)
    }

    /// Returns what could be requested after a page, if the list's responses do not lead from page
    /// to page.
    fn asks_on(&self, position: &Position, page: &PageFacts<'_>) -> Option<Next> {
        if page.rows == 0 {
            return None;
        }
        match self.deref() {
            Paginator::LastId(_) => page.last_id.clone().map(Next::Value),
            Paginator::PageNumber(PageNumber { first, .. }) => {
                let number = first.checked_add(position.pages)?.checked_add(1)?;
                Some(Next::Value(number.to_string()))
            }
            Paginator::Offset(Offset { first, .. }) => {
                let at = self.offset_at(position).unwrap_or(*first);
                Some(Next::Value(at.checked_add(page.rows)?.to_string()))
            }
            _ => None,
        }
    }

    /// Proposes what follows in a list that is requested by the id of the last record.
    fn behind_last(&self, position: &Position, page: &PageFacts<'_>) -> Result<Proposal> {
        match &page.last_id {
            Some(id) if position.next == Next::Value(id.clone()) => Err(paging(format!(
                "the last record is `{id}` again: the page parameter has no effect"
            ))),
            Some(id) => Ok(Proposal::Go(Next::Value(id.clone()))),
            None if page.rows > 0 => Err(paging(
                "the last record of the page has no id to continue from",
            )),
            None => Ok(end("an empty page", By::Empty, None)),
        }
    }

    /// Proposes what follows in a list that is requested by number: it ends at the total, or at an
    /// empty page.
    fn counted(
        &self,
        position: &Position,
        page: &PageFacts<'_>,
        known: usize,
        total: Total,
    ) -> Proposal {
        let next = self.asks_on(position, page);
        let (rows, pages) = (self.passed(position, page, known), position.pages + 1);
        let reached = total.is_some_and(|(count, of)| of == TotalOf::Items && rows >= count);
        if page.rows == known as u64 {
            // New rows at the front of the list have shifted known rows onto this page.
            if known > 1
                && !reached
                && let Some(next) = next
            {
                return Proposal::Go(next);
            }
            let why = match known {
                0 => "an empty page",
                _ => "nothing after the last row",
            };
            let by = if reached { By::Total } else { By::Empty };
            return end(why, by, None);
        }
        match (total, next) {
            (Some((count, TotalOf::Items)), next) if reached => end(
                format!("{} of {count}", counted(rows, "row")),
                By::Total,
                next,
            ),
            (Some((count, TotalOf::Pages)), next) if pages >= count => {
                end(format!("page {pages} of {count}"), By::Pages, next)
            }
            (_, Some(next)) => Proposal::Go(next),
            (_, None) => end("the largest possible number", By::NoNext, None),
        }
    }

    /// Returns the number of rows up to the end of a page. For a list by offset this is the
    /// position: rows that were created or deleted meanwhile have not all been received, but have
    /// shifted the others.
    fn passed(&self, position: &Position, page: &PageFacts<'_>, known: usize) -> u64 {
        match (self.deref(), self.offset_at(position)) {
            (Paginator::Offset(Offset { first, .. }), Some(at)) => {
                at.saturating_add(page.rows).saturating_sub(*first)
            }
            _ => position.rows + page.rows.saturating_sub(known as u64),
        }
    }

    /// Proposes what follows in a list whose responses lead from page to page: it ends if one does
    /// not.
    fn follow(&self, position: &Position, page: &PageFacts<'_>) -> Result<Proposal> {
        let (next, none) = match self.deref() {
            Paginator::Token(Token {
                next: ResponsePath::Header(name),
                ..
            }) => {
                let token = page.response.header(name).map(str::to_owned);
                let token = token.filter(|token| !token.is_empty());
                (token.map(Next::Value), "no next token")
            }
            Paginator::LinkHeader(_) => (linked(page.response).map(Next::Url), "no next link"),
            Paginator::NextUrl(at) => (self.token(page, &at.next)?.map(Next::Url), "no next link"),
            _ => {
                let place = self.probes()[2].unwrap_or_default();
                (self.token(page, place)?.map(Next::Value), "no next token")
            }
        };
        match next {
            Some(next) if next == position.next && page.rows == 0 => Ok(end(
                "an empty page whose next page is itself",
                By::Empty,
                None,
            )),
            Some(next) if next == position.next => Ok(end(
                "the page after the last one is itself",
                By::Itself,
                None,
            )),
            Some(next) => Ok(Proposal::Go(next)),
            None => Ok(end(none, By::NoNext, None)),
        }
    }

    /// Returns the token or the link of a page: null, `""`, `false`, 0, -1 and words such as `"null"` mean that there is none. A
    /// number is sent as it was written: it may have more digits than a float.
    fn token(&self, page: &PageFacts<'_>, place: &str) -> Result<Option<String>> {
        let Some(json) = page.probes[2] else {
            return Ok(None);
        };
        let kind = match serde_json::from_str(json).unwrap_or_default() {
            Value::Null | Value::Bool(false) => return Ok(None),
            Value::String(text) => return Ok(Some(text).filter(|text| !is_no_token(text))),
            Value::Number(number) if matches!(number.as_f64(), Some(0.0 | -1.0)) => {
                return Ok(None);
            }
            Value::Number(_) => return Ok(Some(json.trim().to_owned())),
            Value::Bool(true) => "`true`",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let (wanted, call) = match self.deref() {
            Paginator::NextUrl(_) => ("a link", "Paginator::next_url"),
            _ => ("a token", ".next"),
        };
        Err(paging(format!(
            "`{place}` is {kind}, not {wanted} to the next page"
        ))
        .hint(format!(
            "name the path of {wanted}: `next` of `paginate` in etlgen.toml, `{call}(…)` in code"
        )))
    }

    /// Returns the total that a page states where the paginator names it.
    pub(super) fn total_of(&self, page: &PageFacts<'_>) -> Total {
        let (at, of) = match self.total()? {
            Stated::Items(at) => (at, TotalOf::Items),
            Stated::Pages(at) => (at, TotalOf::Pages),
            Stated::Ignored => return None,
        };
        match counted_by(&self.stated_at(page, at)?)? {
            Counted::Exactly(count) => Some((count, of)),
            Counted::AtLeast(_) | Counted::Unclear(_) => None,
        }
    }

    /// Returns the value where the paginator names a total.
    pub(super) fn stated_at(&self, page: &PageFacts<'_>, at: &ResponsePath) -> Option<Value> {
        Some(match at {
            ResponsePath::Header(name) => page.response.header(name)?.into(),
            ResponsePath::Body(_) => serde_json::from_str(page.probes[1]?).ok()?,
        })
    }

    /// Returns the pages from `next` on that certainly exist, at most `most`. In a numbered list
    /// with a stated total these are the rest, since every page but the last holds as many rows as
    /// this one. `rows` is the number of rows of this page as the API sent it.
    pub(crate) fn foreseen(
        &self,
        next: &Position,
        rows: u64,
        total: Option<u64>,
        most: u64,
    ) -> Vec<Position> {
        let mut pages = vec![next.clone()];
        let (Some(total), Next::Value(at), false) = (total, &next.next, rows == 0) else {
            return pages;
        };
        let (Ok(at), Some(of)) = (at.parse::<u64>(), self.total()) else {
            return pages;
        };
        let new = rows.saturating_sub(u64::from(next.places.overlaps()));
        if new == 0 {
            return pages;
        }
        let left = match of {
            Stated::Items(_) => total.saturating_sub(next.rows).div_ceil(new),
            Stated::Pages(_) => total.saturating_sub(next.pages),
            Stated::Ignored => return pages,
        };
        let width = match self.deref() {
            Paginator::PageNumber(_) => 1,
            Paginator::Offset(_) => new,
            _ => return pages,
        };
        let more = (1..left.min(most)).map_while(|page| at.checked_add(page.checked_mul(width)?));
        pages.extend(more.map(|at| Position {
            next: Next::Value(at.to_string()),
            size: next.size,
            ..Position::default()
        }));
        pages
    }

    /// Returns the total that a page states, whatever it counts.
    pub(crate) fn stated(&self, page: &PageFacts<'_>) -> Option<u64> {
        self.total_of(page).map(|(count, _)| count)
    }

    /// Returns the total of items that a page states, for progress.
    pub(crate) fn stated_total(&self, page: &PageFacts<'_>) -> Option<u64> {
        self.total_of(page)
            .and_then(|(count, of)| (of == TotalOf::Items).then_some(count))
    }
}

fn end(why: impl Into<String>, by: By, next: Option<Next>) -> Proposal {
    Proposal::End(End {
        why: why.into(),
        by,
        next,
    })
}

/// Returns the target of the `Link` header with the relation `next`.
fn linked(response: &Response) -> Option<String> {
    let links = response.headers.get_all("link").iter();
    let mut links = links.filter_map(|value| value.to_str().ok());
    links.find_map(next_link).map(str::to_owned)
}

pub(super) fn paging(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Paging, message)
}
