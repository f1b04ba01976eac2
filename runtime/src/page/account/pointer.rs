//! Servers that keep the position of a list themselves: each request brings the next page, whatever
//! it asks for.

use std::ops::Deref;

use etlgen_model::Paginator;

use super::{Account, At};
use crate::error::Result;
use crate::page::advance::{Step, paging};
use crate::page::paginator::Next;
use crate::page::proof::Proof;

impl Account {
    /// Returns whether a page that leads to itself by its token may be one of a scroll, whose pages
    /// have the same token: it is full, and has new rows.
    pub(super) fn may_scroll(&self, at: At<'_>) -> bool {
        let page = at.page;
        let begins = self.new > 0 && page.rows >= self.longest;
        let by_token = matches!(at.paginator.deref(), Paginator::Token(_));
        by_token && page.rows > 0 && (self.scrolls || begins)
    }

    /// Requests the token of a scroll again.
    pub(super) fn scroll(&mut self, at: At<'_>) -> Result<Step> {
        let position = at.position;
        // The run before may have lost a page that it had requested.
        if self.pages[0] == 1 && position.pages > 0 {
            return Err(paging(
                "all pages have the same token, so the position at which an earlier run stopped is unknown",
            )
            .hint("run again: the next run reads the list from its start"));
        }
        self.scrolls = true;
        let why =
            "all pages have the same token: a page that was lost on the way cannot be detected";
        self.caps(Proof::Consistent(why.to_owned()));
        self.go_on(at, position.next.clone())
    }

    /// Limits the proof if a page that a token led to was requested again, although the API may have
    /// answered before: one whose tokens are the same, or count requests, may have skipped a page.
    pub(super) fn doubt_repeated(&mut self, at: At<'_>) {
        let by_token = matches!(at.paginator.deref(), Paginator::Token(_));
        let led = matches!(at.position.next, Next::Value(_));
        if at.page.response.repeated && by_token && led && self.totals.least().is_none() {
            let why = "a page was requested again after a failure, and nothing counts the rows: an API that moves on with each request may have skipped a page";
            self.caps(Proof::Consistent(why.to_owned()));
        }
    }
}
