//! Lists within records of which the API sends only the beginning.

use crate::page::{Pager, Paginator};
use crate::record::parse_path;

/// A list within each record, with what leads on from its beginning: `{"data": […], "has_more": true, "url": …}`.
///
/// Where a record's list is not at its end, its other pages are asked for and put into the record before anything else
/// looks at it. Unless said, it has its records where the resource has them in a body, and is paged like it.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Invoice {
///     id: Option<String>,
///     lines: Option<Json>,
/// }
///
/// // `{"id": "in_1", "lines": {"data": […], "has_more": true, "url": "/v1/invoices/in_1/lines"}}`
/// let invoices = Invoice::list("invoices", "/v1/invoices")
///     .records("data")
///     .embedded(Embedded::list("lines").url("url"));
/// # let _ = invoices;
/// ```
#[derive(Clone, Debug)]
pub struct Embedded {
    pub(crate) keys: Vec<String>,
    pub(super) records: Option<Vec<String>>,
    pub(super) paginator: Option<Pager>,
    pub(crate) place: Place,
}

/// Where the other pages of a list are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Its paginator knows.
    Next,
    /// At the URL that stands there in the list.
    Url(Vec<String>),
    /// At a path with fields of the record.
    Path(String),
}

impl Embedded {
    /// The list at that dotted path of a record; if another list stands on the way, each of its items has one.
    pub fn list(path: &str) -> Self {
        Embedded {
            keys: parse_path(path),
            records: None,
            paginator: None,
            place: Place::Next,
        }
    }

    /// Where in the list its own URL stands, as a dotted path; the URL may be relative.
    pub fn url(mut self, path: &str) -> Self {
        self.place = Place::Url(parse_path(path));
        self
    }

    /// The path of the list: each `{name}` is a field of the record, as a dotted path, or a parameter of the resource's
    /// own request.
    pub fn path(mut self, template: &str) -> Self {
        self.place = Place::Path(template.to_owned());
        self
    }

    /// Where its items stand, in the record as in its other pages, as a dotted path.
    pub fn records(mut self, path: &str) -> Self {
        self.records = Some(parse_path(path));
        self
    }

    /// How it is paged.
    pub fn paginate(mut self, paginator: impl Into<Paginator>) -> Self {
        self.paginator = Some(Pager::from(paginator));
        self
    }

    /// As a person names it.
    pub(crate) fn name(&self) -> String {
        self.keys.join(".")
    }
}
