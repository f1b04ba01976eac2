//! Lists within records of which the API sends only the first page.

use crate::page::{Pager, Paginator};
use crate::record::parse_path;

/// A list within each record, with a pointer to its other pages: `{"data": […], "has_more": true,
/// "url": …}`.
///
/// If a record's list has not ended, its other pages are requested and added to the record before
/// anything else reads it. By default, its records are at the same place as the resource's, and it
/// is paged in the same way.
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

/// The place of the other pages of a list.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Its paginator finds them.
    Next,
    /// They are at a URL within the list.
    Url(Vec<String>),
    /// They are at a path with fields of the record.
    Path(String),
}

impl Embedded {
    /// Declares the list at this dotted path of a record; if the path leads through another list,
    /// each item of that list has one.
    pub fn list(path: &str) -> Self {
        Embedded {
            keys: parse_path(path),
            records: None,
            paginator: None,
            place: Place::Next,
        }
    }

    /// Sets the dotted path of the list's own URL, within the list; the URL may be relative.
    pub fn url(mut self, path: &str) -> Self {
        self.place = Place::Url(parse_path(path));
        self
    }

    /// Sets the path of the list: each `{name}` is a field of the record, as a dotted path, or a
    /// parameter of the resource's own request.
    pub fn path(mut self, template: &str) -> Self {
        self.place = Place::Path(template.to_owned());
        self
    }

    /// Sets the dotted path of its items, in the record and in its other pages.
    pub fn records(mut self, path: &str) -> Self {
        self.records = Some(parse_path(path));
        self
    }

    /// Sets how it is paged.
    pub fn paginate(mut self, paginator: impl Into<Paginator>) -> Self {
        self.paginator = Some(Pager::from(paginator));
        self
    }

    /// Returns its name in messages.
    pub(crate) fn name(&self) -> String {
        self.keys.join(".")
    }
}
