//! The requests for a list's pages, and the position within a list.

use std::num::NonZeroU32;
use std::ops::Deref;

use etlgen_model::{Paginator, Token, Total};
use serde::{Deserialize, Serialize};

use super::places::Places;
use super::statements::is_end_word;
use crate::Result;
use crate::http::{Client, Method, Request};

/// Moves from page to page as the paginator of a list describes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pager(Paginator);

/// What a total counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TotalOf {
    Items,
    Pages,
}

impl<P: Into<Paginator>> From<P> for Pager {
    fn from(paginator: P) -> Self {
        Pager(paginator.into())
    }
}

impl Deref for Pager {
    type Target = Paginator;

    fn deref(&self) -> &Paginator {
        &self.0
    }
}

impl Pager {
    /// Returns the paths in the body that decide what comes next, in the order of
    /// [`super::PageFacts`]: more, total, next.
    pub(crate) fn probes(&self) -> [Option<&str>; 3] {
        let total = self.total().and_then(Total::at);
        let total = total.and_then(|at| at.body());
        [self.more(), total, self.next_in_body()]
    }

    /// Returns the request for a position; `first` is the request for the first page.
    pub(crate) fn request(
        &self,
        first: &Request,
        position: &Position,
        client: &Client,
    ) -> Result<Request> {
        let mut request = first.clone();
        if let Next::Url(url) = &position.next {
            let url = first.url.join(url).map_err(|_| {
                crate::Error::new(
                    crate::ErrorKind::Paging,
                    format!("`{url}` is not the URL of a next page"),
                )
            })?;
            client.check_link(&url)?;
            // A link of a POST list to another path carries its own token, and is followed by GET.
            if url.path() != first.url.path() {
                request.method = Method::Get;
                request.body = None;
            }
            request.url = url;
            return Ok(request);
        }
        if let Some(size) = self.page_size() {
            let rows = position.size_or(size.rows.get());
            self.set(&mut request, &size.param, rows.to_string(), Some(rows));
        }
        let value = match (&self.0, &position.next) {
            (Paginator::PageNumber(pages), Next::First) => pages.first.to_string(),
            (Paginator::LinkHeader(links), Next::First) => links.first.to_string(),
            (
                Paginator::Token(Token {
                    first: Some(token), ..
                }),
                Next::First,
            ) => token.clone(),
            (_, Next::Value(value)) => value.clone(),
            _ => return Ok(request),
        };
        if let Some(param) = self.param() {
            let counts = self.is_numbered() || matches!(self.0, Paginator::LinkHeader(_));
            let number = counts.then(|| value.parse().ok()).flatten();
            self.set(&mut request, param, value, number);
        }
        Ok(request)
    }

    fn set(&self, request: &mut Request, param: &str, value: String, number: Option<u64>) {
        if let Some(holder) = self.in_pairs() {
            request.set_pair(holder, param, &value);
            return;
        }
        let in_json = self.in_json();
        if !self.in_body() && in_json.is_none() {
            request.set_query(param, &value);
            return;
        }
        let value = number.map_or_else(|| value.into(), serde_json::Value::from);
        match in_json {
            Some(holder) => request.set_json(holder, param, value),
            None => request.set_body(param, value),
        }
    }
}

/// The position of the next request of a list, which a checkpoint stores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What to request.
    pub next: Next,
    /// The number of rows received before.
    pub rows: u64,
    /// The number of pages received before.
    pub pages: u64,
    /// A fingerprint of the records of the previous page, to detect a server that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<u64>,
    /// The total that the first page stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The largest number of rows that a response has counted, declared or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_rows: Option<u64>,
    /// The largest number of pages that a response has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_pages: Option<u64>,
    /// The flag of the previous page that announced more pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<String>,
    /// Whether its link or token, or an earlier one, has been seen to count rows or pages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// Whether the records have been in a list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listed: bool,
    /// The number of rows that are requested, if the server has cut the first page to it.
    #[serde(skip)]
    pub(crate) size: Option<NonZeroU32>,
    /// What is known about a list whose pages are requested by position.
    #[serde(skip)]
    pub(crate) places: Places,
}

impl Position {
    /// Returns the number of rows that are requested here, in a list with pages of `usual` rows.
    pub(super) fn size_or(&self, usual: u64) -> u64 {
        self.size.map_or(usual, |size| size.get().into())
    }

    /// Returns whether the page before led here by a token that may be a word for the end.
    pub(crate) fn leads_by_end_word(&self) -> bool {
        matches!(&self.next, Next::Value(token) if is_end_word(token))
    }

    /// Returns whether this value is requested here, as a parameter or within a link.
    pub(super) fn requests(&self, value: &str) -> bool {
        match &self.next {
            Next::First => false,
            Next::Value(requested) => requested == value,
            Next::Url(url) => !value.is_empty() && url.contains(value),
        }
    }
}

/// What to request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// The first page.
    #[default]
    First,
    /// The page parameter's value.
    Value(String),
    /// A URL, which may be relative.
    Url(String),
}
