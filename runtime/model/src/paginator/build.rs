//! Constructors: one builder for each kind.

use std::num::NonZeroU64;

use super::{
    Common, LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, Paginator, Token, Total,
};
use crate::ResponsePath;

impl Paginator {
    /// Reads everything from one response.
    pub fn single() -> Paginator {
        Paginator::Single
    }

    /// Reads one page, because etlgen could not tell how the list is paged; the run says that the
    /// rest may be missing.
    pub fn undecided() -> Paginator {
        Paginator::Undecided
    }

    /// Sends the id of the last record received in `param` (`starting_after`).
    pub fn last_id(param: &str) -> LastId {
        LastId {
            param: param.to_owned(),
            field: None,
            common: Common::default(),
        }
    }

    /// Sends in `param` the token that the previous page holds at `next`: a dotted path of the
    /// body, or `header:NAME`.
    pub fn token(param: &str, next: impl Into<ResponsePath>) -> Token {
        Token {
            param: param.to_owned(),
            next: next.into(),
            first: None,
            common: Common::default(),
        }
    }

    /// Sends the number of the page in `param`, from 1 (see [`PageNumber::starting_at`]).
    pub fn page_number(param: &str) -> PageNumber {
        PageNumber {
            param: param.to_owned(),
            first: 1,
            common: Common::default(),
        }
    }

    /// Sends the number of rows received so far in `param`.
    pub fn offset(param: &str) -> Offset {
        Offset {
            param: param.to_owned(),
            first: 0,
            common: Common::default(),
        }
    }

    /// Follows the URL at the dotted path `next` of the body; it may be relative.
    pub fn next_url(next: &str) -> NextUrl {
        NextUrl {
            next: next.to_owned(),
            common: Common::default(),
        }
    }

    /// Follows the `Link` header with `rel="next"`.
    pub fn link_header() -> LinkHeader {
        LinkHeader {
            param: None,
            first: 1,
            common: Common::default(),
        }
    }
}

impl LastId {
    /// Sends this field, a dotted path, instead of the primary key.
    pub fn field(mut self, path: &str) -> Self {
        self.field = Some(path.to_owned());
        self
    }
}

impl Token {
    /// Sets the token of the first page; it may be empty.
    pub fn first(mut self, token: &str) -> Self {
        self.first = Some(token.to_owned());
        self
    }
}

impl PageNumber {
    /// Sets the number of the first page.
    pub fn starting_at(mut self, number: u64) -> Self {
        self.first = number;
        self
    }
}

impl Offset {
    /// Sets the number of the first row; the default is 0.
    pub fn starting_at(mut self, number: u64) -> Self {
        self.first = number;
        self
    }
}

impl LinkHeader {
    /// Requests the first page by its number in `param`, for APIs that page no list without it.
    pub fn first_page(mut self, param: &str, number: u64) -> Self {
        self.param = Some(param.to_owned());
        self.first = number;
        self
    }
}

macro_rules! builder {
    ($($kind:ident)*) => {$(
        impl $kind {
            /// Sets the dotted path of a boolean that says whether more follows.
            pub fn more(mut self, path: &str) -> Self {
                self.common.more = Some(path.to_owned());
                self
            }

            /// Sets the place of the number of items in all pages: a dotted path, or
            /// `header:X-Total-Count`.
            pub fn total_items(mut self, at: impl Into<ResponsePath>) -> Self {
                self.common.total = Some(Total::Items(at.into()));
                self
            }

            /// Sets the place of the number of pages: a dotted path, or `header:X-Total-Pages`.
            pub fn total_pages(mut self, at: impl Into<ResponsePath>) -> Self {
                self.common.total = Some(Total::Pages(at.into()));
                self
            }

            /// Ignores the totals of this list, which are wrong.
            pub fn without_total(mut self) -> Self {
                self.common.total = Some(Total::Ignored);
                self
            }

            /// Requests pages of that many rows; the server may send fewer. With 0 rows, no size is
            /// requested, and the server decides.
            pub fn page_size(mut self, param: &str, rows: u64) -> Self {
                self.common.page_size = NonZeroU64::new(rows).map(|rows| PageSize::new(param, rows));
                self
            }

            /// Follows at most this many consecutive empty pages, as long as each returns a new
            /// token; the default is 1,000.
            pub fn empty_pages(mut self, most: u32) -> Self {
                self.common.empty_pages = Some(most);
                self
            }

            /// Sends page parameters as fields of the JSON body of a POST.
            pub fn in_body(mut self) -> Self {
                self.common.in_body = true;
                self
            }

            /// Sends page parameters as fields of a JSON object in the query parameter `param`.
            pub fn in_json(mut self, param: &str) -> Self {
                self.common.in_json = Some(param.to_owned());
                self
            }

            /// Sends page parameters in the query parameter `param`, whose value joins their names and
            /// values by commas: `page=limit,20,offset,40`.
            pub fn in_pairs(mut self, param: &str) -> Self {
                self.common.in_pairs = Some(param.to_owned());
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
