//! What the owner of a list has settled about what its answers say.

use super::paginator::Paginator;

/// What the owner of a list has settled about what its answers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Totals and numbers of pages mean nothing.
    pub ignores_total: bool,
    /// Empty pages under ever new tokens that are followed, one after the other.
    pub empty_pages: u32,
}

impl Default for Settled {
    fn default() -> Self {
        Settled {
            ignores_total: false,
            empty_pages: 1_000,
        }
    }
}

impl Paginator {
    /// Totals and numbers of pages mean nothing, wherever they stand: for an API whose totals are wrong (`total = false` in
    /// `etlgen.toml`).
    ///
    /// ```
    /// use etlgen_runtime::prelude::*;
    ///
    /// let pages = Paginator::offset("offset").page_size("limit", 100).without_total();
    /// # let _ = pages;
    /// ```
    pub fn without_total(mut self) -> Self {
        self.settled.ignores_total = true;
        self
    }

    /// Follows so many empty pages one after the other, as long as each leads on by a new token; 1,000 unless it is said.
    pub fn empty_pages(mut self, most: u32) -> Self {
        self.settled.empty_pages = most;
        self
    }
}
