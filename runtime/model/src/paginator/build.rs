//! Constructors: one builder for each kind.

use std::num::NonZeroU64;

use super::{
    Common, LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, Paginator, Token, Total,
};
use crate::ResponsePath;

impl Paginator {
    /// Everything comes in one response.
    pub fn single() -> Paginator {
        Paginator::Single
    }

    /// Not known: one page is read, and the run says that the rest may be missing.
    pub fn undecided() -> Paginator {
        Paginator::Undecided
    }

    /// `param` carries the id of the last record received (`starting_after`).
    pub fn last_id(param: &str) -> LastId {
        LastId {
            param: param.to_owned(),
            field: None,
            common: Common::default(),
        }
    }

    /// `param` carries a token that the page before holds at `next`: a dotted path of the body, or `header:NAME`.
    pub fn token(param: &str, next: impl Into<ResponsePath>) -> Token {
        Token {
            param: param.to_owned(),
            next: next.into(),
            first: None,
            common: Common::default(),
        }
    }

    /// `param` carries the number of the page, from 1 (see [`PageNumber::starting_at`]).
    pub fn page_number(param: &str) -> PageNumber {
        PageNumber {
            param: param.to_owned(),
            first: 1,
            common: Common::default(),
        }
    }

    /// `param` carries the number of rows received so far.
    pub fn offset(param: &str) -> Offset {
        Offset {
            param: param.to_owned(),
            first: 0,
            common: Common::default(),
        }
    }

    /// The URL of the next page stands at the dotted path `next` of the body; it may be relative.
    pub fn next_url(next: &str) -> NextUrl {
        NextUrl {
            next: next.to_owned(),
            common: Common::default(),
        }
    }

    /// The `Link` header with `rel="next"` leads on.
    pub fn link_header() -> LinkHeader {
        LinkHeader {
            common: Common::default(),
        }
    }
}

impl LastId {
    /// The field that is sent, as a dotted path, where it is not the primary key.
    pub fn field(mut self, path: &str) -> Self {
        self.field = Some(path.to_owned());
        self
    }
}

impl Token {
    /// The token of the first page; it may be empty.
    pub fn first(mut self, token: &str) -> Self {
        self.first = Some(token.to_owned());
        self
    }
}

impl PageNumber {
    /// The number of the first page.
    pub fn starting_at(mut self, number: u64) -> Self {
        self.first = number;
        self
    }
}

impl Offset {
    /// The number of the first row, where it is not 0.
    pub fn starting_at(mut self, number: u64) -> Self {
        self.first = number;
        self
    }
}

macro_rules! builder {
    ($($kind:ident)*) => {$(
        impl $kind {
            /// The dotted path of a boolean that says whether more follows.
            pub fn more(mut self, path: &str) -> Self {
                self.common.more = Some(path.to_owned());
                self
            }

            /// Where the number of items in all pages stands: a dotted path, or `header:X-Total-Count`.
            pub fn total_items(mut self, at: impl Into<ResponsePath>) -> Self {
                self.common.total = Some(Total::Items(at.into()));
                self
            }

            /// Where the number of pages stands: a dotted path, or `header:X-Total-Pages`.
            pub fn total_pages(mut self, at: impl Into<ResponsePath>) -> Self {
                self.common.total = Some(Total::Pages(at.into()));
                self
            }

            /// The totals of this list are wrong: none is compared with what comes.
            pub fn without_total(mut self) -> Self {
                self.common.total = Some(Total::Ignored);
                self
            }

            /// Asks for pages of that many rows; the server may send fewer. With 0 rows nothing is asked for, and the
            /// server decides.
            pub fn page_size(mut self, param: &str, rows: u64) -> Self {
                self.common.page_size = NonZeroU64::new(rows).map(|rows| PageSize::new(param, rows));
                self
            }

            /// Page parameters are fields of the JSON body of a POST.
            pub fn in_body(mut self) -> Self {
                self.common.in_body = true;
                self
            }
        }

        impl From<$kind> for Paginator {
            fn from(kind: $kind) -> Self {
                Paginator::$kind(kind)
            }
        }
    )*};
}

builder!(LastId Token PageNumber Offset NextUrl LinkHeader);
