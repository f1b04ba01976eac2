//! How a list is paged.

mod build;
mod kinds;
mod read;
mod write;

use std::num::NonZeroU64;

pub use kinds::{Key, Kind};

use crate::ResponsePath;

/// How a list is paged. Each kind holds what it needs; what it does not use cannot be said of it.
///
/// The constructors are `Paginator::token` and its siblings; each gives the builder of its kind, which becomes a paginator
/// with `.into()`. `etlgen.toml` and the lock write the same as a table, or as a word where a kind needs nothing besides.
///
/// ```
/// use etlgen_model::Paginator;
///
/// let pages: Paginator = toml::from_str("kind = 'page_number'\nparam = 'page'\nfirst = 0")?;
/// assert_eq!(pages, Paginator::page_number("page").starting_at(0).into());
/// assert_eq!(serde_json::to_string(&pages).unwrap(), r#"{"kind":"page_number","param":"page","first":0}"#);
///
/// let word: Paginator = serde_json::from_str(r#""link_header""#).unwrap();
/// assert_eq!(word, Paginator::link_header().into());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paginator {
    /// Everything comes in one response.
    Single,
    /// Not known: one page is read, and the run says that the rest may be missing.
    Undecided,
    /// A parameter carries the id of the last record received.
    LastId(LastId),
    /// A parameter carries a token that comes with the page before.
    Token(Token),
    /// A parameter carries the number of the page.
    PageNumber(PageNumber),
    /// A parameter carries the number of rows received so far.
    Offset(Offset),
    /// The URL of the next page stands in the body.
    NextUrl(NextUrl),
    /// The `Link` header with `rel="next"` leads on.
    LinkHeader(LinkHeader),
}

/// A parameter carries the id of the last record received (`starting_after`).
///
/// ```
/// use etlgen_model::Paginator;
///
/// let pages = Paginator::last_id("starting_after").more("has_more").page_size("limit", 100);
/// assert_eq!(pages.param, "starting_after");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LastId {
    /// The parameter.
    pub param: String,
    /// The field that it carries, as a dotted path; `None`: the primary key.
    pub field: Option<String>,
    /// What every paginator of several pages may have.
    pub common: Common,
}

/// A parameter carries a token that comes with the page before.
///
/// ```
/// use etlgen_model::Paginator;
///
/// // The first page is asked for with an empty token.
/// let pages = Paginator::token("cursor", "header:X-Next-Cursor").first("");
/// assert_eq!(pages.next.to_string(), "header:X-Next-Cursor");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// The parameter.
    pub param: String,
    /// Where the next token stands.
    pub next: ResponsePath,
    /// The token of the first page; `None`: the first page is asked for without one.
    pub first: Option<String>,
    /// What every paginator of several pages may have.
    pub common: Common,
}

/// A parameter carries the number of the page.
///
/// ```
/// use etlgen_model::Paginator;
///
/// let pages = Paginator::page_number("page").total_pages("meta.pages");
/// assert_eq!(pages.first, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageNumber {
    /// The parameter.
    pub param: String,
    /// The number of the first page.
    pub first: u64,
    /// What every paginator of several pages may have.
    pub common: Common,
}

/// A parameter carries the number of rows received so far.
///
/// ```
/// use etlgen_model::Paginator;
///
/// let pages = Paginator::offset("offset").total_items("total");
/// assert_eq!(pages.first, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offset {
    /// The parameter.
    pub param: String,
    /// The number of the first row.
    pub first: u64,
    /// What every paginator of several pages may have.
    pub common: Common,
}

/// The URL of the next page stands in the body; it may be relative.
///
/// ```
/// use etlgen_model::Paginator;
///
/// let pages = Paginator::next_url("links.next");
/// assert_eq!(pages.next, "links.next");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NextUrl {
    /// Where the URL stands in the body, as a dotted path.
    pub next: String,
    /// What every paginator of several pages may have.
    pub common: Common,
}

/// The `Link` header with `rel="next"` leads on.
///
/// ```
/// use etlgen_model::Paginator;
///
/// let pages = Paginator::link_header().total_items("header:X-Total-Count");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkHeader {
    /// What every paginator of several pages may have.
    pub common: Common,
}

/// What every paginator of several pages may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Common {
    /// Dotted path of a boolean that says whether more follows.
    pub more: Option<String>,
    /// Where a total stands.
    pub total: Option<Total>,
    /// The number of rows that is asked for.
    pub page_size: Option<PageSize>,
    /// Page parameters are fields of the JSON body of a POST.
    pub in_body: bool,
}

/// What an API states about the length of a list.
///
/// ```
/// use etlgen_model::{Paginator, Total};
///
/// let pages: Paginator = toml::from_str("kind = 'link_header'\ntotal = false")?;
/// assert_eq!(pages.total(), Some(&Total::Ignored));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Total {
    /// The number of items in all pages stands there.
    Items(ResponsePath),
    /// The number of pages stands there.
    Pages(ResponsePath),
    /// The totals of this list are wrong: none is compared with what comes.
    Ignored,
}

/// The number of rows of a page that is asked for; the server may send fewer.
///
/// ```
/// use etlgen_model::Paginator;
///
/// let wrong = toml::from_str::<Paginator>("kind = 'link_header'\nsize = 'limit'\npage_size = 0");
/// assert!(wrong.unwrap_err().message().contains("`page_size` is 0"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageSize {
    /// The parameter.
    pub param: String,
    /// Its value.
    pub rows: NonZeroU64,
}

impl PageSize {
    /// Asked for where nothing says how many rows a page may have.
    pub const USUAL: NonZeroU64 = NonZeroU64::new(100).unwrap();

    /// Asks for that many rows.
    pub fn new(param: impl Into<String>, rows: NonZeroU64) -> Self {
        PageSize {
            param: param.into(),
            rows,
        }
    }
}

impl Paginator {
    /// What several pages have in common; `None`: there is one page.
    pub fn common(&self) -> Option<&Common> {
        match self {
            Paginator::Single | Paginator::Undecided => None,
            Paginator::LastId(LastId { common, .. })
            | Paginator::Token(Token { common, .. })
            | Paginator::PageNumber(PageNumber { common, .. })
            | Paginator::Offset(Offset { common, .. })
            | Paginator::NextUrl(NextUrl { common, .. })
            | Paginator::LinkHeader(LinkHeader { common }) => Some(common),
        }
    }

    /// As [`Paginator::common`], to change it.
    pub fn common_mut(&mut self) -> Option<&mut Common> {
        match self {
            Paginator::Single | Paginator::Undecided => None,
            Paginator::LastId(LastId { common, .. })
            | Paginator::Token(Token { common, .. })
            | Paginator::PageNumber(PageNumber { common, .. })
            | Paginator::Offset(Offset { common, .. })
            | Paginator::NextUrl(NextUrl { common, .. })
            | Paginator::LinkHeader(LinkHeader { common }) => Some(common),
        }
    }

    /// The parameter that asks for a page.
    pub fn param(&self) -> Option<&str> {
        match self {
            Paginator::LastId(LastId { param, .. })
            | Paginator::Token(Token { param, .. })
            | Paginator::PageNumber(PageNumber { param, .. })
            | Paginator::Offset(Offset { param, .. }) => Some(param),
            _ => None,
        }
    }

    /// Where in the body the next token or the next URL stands.
    pub fn next_in_body(&self) -> Option<&str> {
        match self {
            Paginator::Token(Token { next, .. }) => next.body(),
            Paginator::NextUrl(NextUrl { next, .. }) => Some(next),
            _ => None,
        }
    }

    /// The dotted path of a boolean that says whether more follows.
    pub fn more(&self) -> Option<&str> {
        self.common()?.more.as_deref()
    }

    /// What the API states about the length of the list.
    pub fn total(&self) -> Option<&Total> {
        self.common()?.total.as_ref()
    }

    /// The number of rows that is asked for.
    pub fn page_size(&self) -> Option<&PageSize> {
        self.common()?.page_size.as_ref()
    }

    /// Whether page parameters are fields of the JSON body of a POST.
    pub fn in_body(&self) -> bool {
        self.common().is_some_and(|common| common.in_body)
    }

    /// Whether a page is asked for by a number that counts pages or rows.
    pub fn is_numbered(&self) -> bool {
        matches!(self, Paginator::PageNumber(_) | Paginator::Offset(_))
    }

    /// Whether it leads from page to page.
    pub fn is_paged(&self) -> bool {
        self.common().is_some()
    }
}

impl Total {
    /// Where the total stands.
    pub fn at(&self) -> Option<&ResponsePath> {
        match self {
            Total::Items(at) | Total::Pages(at) => Some(at),
            Total::Ignored => None,
        }
    }
}
