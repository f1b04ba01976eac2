//! The kinds of paginators, as a resource declares them, and the position within a list.

use serde::{Deserialize, Serialize};

use super::places::Places;
use super::settled::Settled;
use crate::Result;
use crate::http::{Client, Request};

/// How a list is paged.
#[derive(Clone, Debug, PartialEq)]
pub struct Paginator {
    pub(crate) kind: Kind,
    /// Dotted path of a boolean that says that more follows.
    pub(crate) more: Option<String>,
    /// Dotted path of a total, and what it counts.
    pub(crate) total: Option<(String, TotalOf)>,
    /// Parameter and value of the page size.
    pub(crate) size: Option<(String, u64)>,
    /// Page parameters go into the JSON body of a POST.
    pub(crate) in_body: bool,
    pub(crate) settled: Settled,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Single,
    Undecided,
    LastId {
        param: String,
        field: Option<String>,
    },
    PageNumber {
        param: String,
        first: u64,
    },
    Offset {
        param: String,
        first: u64,
    },
    Cursor {
        param: String,
        next: String,
    },
    HeaderCursor {
        param: String,
        header: String,
    },
    LinkHeader,
    NextUrl {
        path: String,
    },
}

/// What a total counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TotalOf {
    Items,
    Pages,
}

impl Paginator {
    fn new(kind: Kind) -> Self {
        Paginator {
            kind,
            more: None,
            total: None,
            size: None,
            in_body: false,
            settled: Settled::default(),
        }
    }

    /// Everything comes in one response.
    pub fn single() -> Self {
        Paginator::new(Kind::Single)
    }

    /// Not known: one page is read, and the run says that the rest may be missing.
    pub fn undecided() -> Self {
        Paginator::new(Kind::Undecided)
    }

    /// `param` carries the id of the last record received (`starting_after`).
    pub fn last_id(param: &str) -> Self {
        Paginator::new(Kind::LastId {
            param: param.to_owned(),
            field: None,
        })
    }

    /// `param` carries the number of the page, from 1 (see [`Paginator::starting_at`]).
    pub fn page_number(param: &str) -> Self {
        Paginator::new(Kind::PageNumber {
            param: param.to_owned(),
            first: 1,
        })
    }

    /// `param` carries the number of rows received so far (see [`Paginator::starting_at`]).
    pub fn offset(param: &str) -> Self {
        Paginator::new(Kind::Offset {
            param: param.to_owned(),
            first: 0,
        })
    }

    /// `param` carries a token that the page before holds at [`Paginator::next`].
    pub fn cursor(param: &str) -> Self {
        Paginator::new(Kind::Cursor {
            param: param.to_owned(),
            next: param.to_owned(),
        })
    }

    /// `param` carries a token that the page before holds in the header `header`.
    pub fn header_cursor(param: &str, header: &str) -> Self {
        Paginator::new(Kind::HeaderCursor {
            param: param.to_owned(),
            header: header.to_owned(),
        })
    }

    /// The `Link` header with `rel="next"` leads on.
    pub fn link_header() -> Self {
        Paginator::new(Kind::LinkHeader)
    }

    /// The URL of the next page stands at the dotted `path` of the body; it may be relative.
    pub fn next_url(path: &str) -> Self {
        Paginator::new(Kind::NextUrl {
            path: path.to_owned(),
        })
    }

    /// Where the token of [`Paginator::cursor`] stands in the body, as a dotted path.
    pub fn next(mut self, path: &str) -> Self {
        if let Kind::Cursor { next, .. } = &mut self.kind {
            *next = path.to_owned();
        }
        self
    }

    /// The field that [`Paginator::last_id`] sends, where it is not the primary key.
    pub fn field(mut self, path: &str) -> Self {
        if let Kind::LastId { field, .. } = &mut self.kind {
            *field = Some(path.to_owned());
        }
        self
    }

    /// The number of the first page of [`Paginator::page_number`], or of the first row of [`Paginator::offset`]
    /// where it is not 0.
    pub fn starting_at(mut self, number: u64) -> Self {
        if let Kind::PageNumber { first, .. } | Kind::Offset { first, .. } = &mut self.kind {
            *first = number;
        }
        self
    }

    /// The dotted path of a boolean that says whether more follows.
    pub fn more(mut self, path: &str) -> Self {
        self.more = Some(path.to_owned());
        self
    }

    /// The dotted path of the number of items in all pages (`header:X-Total-Count` for a header).
    pub fn total_items(mut self, path: &str) -> Self {
        self.total = Some((path.to_owned(), TotalOf::Items));
        self
    }

    /// The dotted path of the number of pages (`header:X-Total-Pages` for a header).
    pub fn total_pages(mut self, path: &str) -> Self {
        self.total = Some((path.to_owned(), TotalOf::Pages));
        self
    }

    /// Asks for pages of that many rows; the server may send fewer.
    pub fn page_size(mut self, param: &str, rows: u64) -> Self {
        self.size = Some((param.to_owned(), rows));
        self
    }

    /// Page parameters go into the JSON body of a POST.
    pub fn in_body(mut self) -> Self {
        self.in_body = true;
        self
    }

    /// The places of the body that decide what comes next, in the order in which [`super::PageFacts`] has them:
    /// more, total, next.
    pub(crate) fn probes(&self) -> [Option<&str>; 3] {
        let next = match &self.kind {
            Kind::Cursor { next, .. } => Some(next.as_str()),
            Kind::NextUrl { path } => Some(path.as_str()),
            _ => None,
        };
        let total = self
            .total
            .as_ref()
            .map(|(path, _)| path.as_str())
            .filter(|path| !path.starts_with("header:"));
        [self.more.as_deref(), total, next]
    }

    /// Whether a killed pass can go on where it stopped: a position that names a record or a token still means the
    /// same place when the list has grown, a page number or an offset does not.
    pub(crate) fn can_resume(&self) -> bool {
        !matches!(self.kind, Kind::PageNumber { .. } | Kind::Offset { .. })
    }

    /// The request of that position: `first` is the request of the first page.
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
            request.url = url;
            return Ok(request);
        }
        if let Some((param, rows)) = &self.size {
            self.set(&mut request, param, rows.to_string(), Some(*rows));
        }
        let (param, value) = match (&self.kind, &position.next) {
            (Kind::PageNumber { param, first }, Next::First) => (param, first.to_string()),
            (
                Kind::LastId { param, .. }
                | Kind::PageNumber { param, .. }
                | Kind::Offset { param, .. }
                | Kind::Cursor { param, .. }
                | Kind::HeaderCursor { param, .. },
                Next::Value(value),
            ) => (param, value.clone()),
            _ => return Ok(request),
        };
        let number = match self.kind {
            Kind::PageNumber { .. } | Kind::Offset { .. } => value.parse().ok(),
            _ => None,
        };
        self.set(&mut request, param, value, number);
        Ok(request)
    }

    fn set(&self, request: &mut Request, param: &str, value: String, number: Option<u64>) {
        if self.in_body {
            request.set_body(
                param,
                number.map_or_else(|| value.into(), serde_json::Value::from),
            );
        } else {
            request.set_query(param, &value);
        }
    }
}

/// Where the next request of a list stands; what a checkpoint keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What to ask for.
    pub next: Next,
    /// Rows received before.
    pub rows: u64,
    /// Pages received before.
    pub pages: u64,
    /// A fingerprint of the records of the page before, to notice a server that sends it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<u64>,
    /// The total that the first page stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Of a list whose pages are asked for by their place.
    #[serde(skip)]
    pub(crate) places: Places,
}

/// What to ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// The first page.
    #[default]
    First,
    /// The page parameter's value.
    Value(String),
    /// A URL, maybe relative.
    Url(String),
}
