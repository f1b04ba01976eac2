//! How a list is paged.

mod build;
mod kinds;
mod read;
mod write;

use std::num::NonZeroU64;

pub use kinds::{Key, Kind};

use crate::ResponsePath;

/// How a list is paged. Each kind holds only the keys that it uses.
///
/// The constructors are `Paginator::token` and its siblings; each gives the builder of its kind,
/// which becomes a paginator with `.into()`. `etlgen.toml` and the lock write a paginator as a
/// table, or as a word if its kind needs no keys.
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
    /// etlgen could not tell how the list is paged: one page is read, and the run says that the
    /// rest may be missing.
    Undecided,
    /// A parameter carries the id of the last record received.
    LastId(LastId),
    /// A parameter carries a token that the previous page returned.
    Token(Token),
    /// A parameter carries the number of the page.
    PageNumber(PageNumber),
    /// A parameter carries the number of rows received so far.
    Offset(Offset),
    /// The body holds the URL of the next page.
    NextUrl(NextUrl),
    /// The `Link` header with `rel="next"` holds the URL of the next page.
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
    /// The settings that every paginator of several pages may have.
    pub common: Common,
}

/// A parameter carries a token that the previous page returned.
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
    /// The place of the next token.
    pub next: ResponsePath,
    /// The token of the first page; `None`: the first page is requested without one.
    pub first: Option<String>,
    /// The settings that every paginator of several pages may have.
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
    /// The settings that every paginator of several pages may have.
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
    /// The settings that every paginator of several pages may have.
    pub common: Common,
}

/// The body holds the URL of the next page; it may be relative.
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
    /// The dotted path of the URL in the body.
    pub next: String,
    /// The settings that every paginator of several pages may have.
    pub common: Common,
}

/// The `Link` header with `rel="next"` holds the URL of the next page.
///
/// ```
/// use etlgen_model::Paginator;
///
/// // Some APIs page a list only if its first page is asked for.
/// let pages = Paginator::link_header().first_page("_page", 1);
/// assert_eq!(pages.param.as_deref(), Some("_page"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkHeader {
    /// The parameter that asks for the first page; `None`: the first page is requested without one.
    pub param: Option<String>,
    /// The number of the first page.
    pub first: u64,
    /// The settings that every paginator of several pages may have.
    pub common: Common,
}

/// The settings that every paginator of several pages may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Common {
    /// Dotted path of a boolean that says whether more follows.
    pub more: Option<String>,
    /// The total that the API states.
    pub total: Option<Total>,
    /// The number of rows to request per page.
    pub page_size: Option<PageSize>,
    /// Page parameters are fields of the JSON body of a POST.
    pub in_body: bool,
    /// Page parameters are fields of a JSON object, which this query parameter carries.
    pub in_json: Option<String>,
    /// Page parameters are parts of the value of this query parameter: `limit,20,offset,40`.
    pub in_pairs: Option<String>,
    /// The number of consecutive empty pages that are followed; `None`:
    /// [`Common::USUAL_EMPTY_PAGES`].
    pub empty_pages: Option<u32>,
}

impl Common {
    /// The default number of consecutive empty pages that are followed.
    pub const USUAL_EMPTY_PAGES: u32 = 1_000;
}

/// The length of a list, as the API states it.
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
    /// The place of the number of items in all pages.
    Items(ResponsePath),
    /// The place of the number of pages.
    Pages(ResponsePath),
    /// The totals of this list are wrong, and are not compared with the received rows.
    Ignored,
}

/// The number of rows to request per page; the server may send fewer.
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
    /// The number of rows to request if no limit is known.
    pub const USUAL: NonZeroU64 = NonZeroU64::new(100).unwrap();

    /// Requests that many rows.
    pub fn new(param: impl Into<String>, rows: NonZeroU64) -> Self {
        PageSize {
            param: param.into(),
            rows,
        }
    }
}

impl Paginator {
    /// Returns the settings of a paginator of several pages; `None` if there is one page.
    pub fn common(&self) -> Option<&Common> {
        match self {
            Paginator::Single | Paginator::Undecided => None,
            Paginator::LastId(LastId { common, .. })
            | Paginator::Token(Token { common, .. })
            | Paginator::PageNumber(PageNumber { common, .. })
            | Paginator::Offset(Offset { common, .. })
            | Paginator::NextUrl(NextUrl { common, .. })
            | Paginator::LinkHeader(LinkHeader { common, .. }) => Some(common),
        }
    }

    /// Returns the same as [`Paginator::common`], to change it.
    pub fn common_mut(&mut self) -> Option<&mut Common> {
        match self {
            Paginator::Single | Paginator::Undecided => None,
            Paginator::LastId(LastId { common, .. })
            | Paginator::Token(Token { common, .. })
            | Paginator::PageNumber(PageNumber { common, .. })
            | Paginator::Offset(Offset { common, .. })
            | Paginator::NextUrl(NextUrl { common, .. })
            | Paginator::LinkHeader(LinkHeader { common, .. }) => Some(common),
        }
    }

    /// Returns the parameter that asks for a page.
    pub fn param(&self) -> Option<&str> {
        match self {
            Paginator::LastId(LastId { param, .. })
            | Paginator::Token(Token { param, .. })
            | Paginator::PageNumber(PageNumber { param, .. })
            | Paginator::Offset(Offset { param, .. }) => Some(param),
            Paginator::LinkHeader(LinkHeader { param, .. }) => param.as_deref(),
            _ => None,
        }
    }

    /// Returns the dotted path of the next token or URL in the body.
    pub fn next_in_body(&self) -> Option<&str> {
        match self {
            Paginator::Token(Token { next, .. }) => next.body(),
            Paginator::NextUrl(NextUrl { next, .. }) => Some(next),
            _ => None,
        }
    }

    /// Returns the dotted path of a boolean that says whether more follows.
    pub fn more(&self) -> Option<&str> {
        self.common()?.more.as_deref()
    }

    /// Returns the length of the list, as the API states it.
    pub fn total(&self) -> Option<&Total> {
        self.common()?.total.as_ref()
    }

    /// Returns the number of rows to request per page.
    pub fn page_size(&self) -> Option<&PageSize> {
        self.common()?.page_size.as_ref()
    }

    /// Returns whether page parameters are fields of the JSON body of a POST.
    pub fn in_body(&self) -> bool {
        self.common().is_some_and(|common| common.in_body)
    }

    /// Returns the query parameter that carries the page parameters as a JSON object.
    pub fn in_json(&self) -> Option<&str> {
        self.common()?.in_json.as_deref()
    }

    /// Returns the query parameter whose value joins the names and values of the page parameters.
    pub fn in_pairs(&self) -> Option<&str> {
        self.common()?.in_pairs.as_deref()
    }

    /// Returns the number of consecutive empty pages that are followed, as long as each returns a
    /// new token.
    pub fn empty_pages(&self) -> u32 {
        let said = self.common().and_then(|common| common.empty_pages);
        said.unwrap_or(Common::USUAL_EMPTY_PAGES)
    }

    /// Returns whether a page is requested by a number that counts pages or rows.
    pub fn is_numbered(&self) -> bool {
        matches!(self, Paginator::PageNumber(_) | Paginator::Offset(_))
    }

    /// Returns whether there may be several pages.
    pub fn is_paged(&self) -> bool {
        self.common().is_some()
    }
}

impl Total {
    /// Returns the place of the total.
    pub fn at(&self) -> Option<&ResponsePath> {
        match self {
            Total::Items(at) | Total::Pages(at) => Some(at),
            Total::Ignored => None,
        }
    }
}
