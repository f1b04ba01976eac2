//! What a resource and the lists within its records have in common.

use super::embedded::{Embedded, Place};
use super::resource::ResourceSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::page::{Kind, Paginator};

impl ResourceSpec {
    /// The keys of the list's items: its own, or else those of the resource.
    pub fn records_of<'a>(&'a self, list: &'a Embedded) -> &'a [String] {
        list.records.as_ref().unwrap_or(&self.records)
    }

    /// The paginator of the list: its own, or else that of the resource.
    pub fn paginator_of<'a>(&'a self, list: &'a Embedded) -> &'a Paginator {
        list.paginator.as_ref().unwrap_or(&self.paginator)
    }

    /// Checks the declaration of a list within records.
    pub fn validate_embedded(&self, list: &Embedded) -> Result<()> {
        let paginator = self.paginator_of(list);
        let wrong = match (&paginator.kind, &list.place) {
            _ if list.keys.is_empty() => "has no name",
            (Kind::Single | Kind::Undecided, _) => "needs a paginator: `.paginate(…)`",
            (Kind::LinkHeader | Kind::HeaderCursor { .. }, _)
                if paginator.more.is_none() && paginator.total.is_none() =>
            {
                "needs a paginator whose end is in the record: `.more(…)` or a total, since it has no headers"
            }
            _ if paginator.in_body => "is read with GET, which has no body for page parameters",
            (Kind::NextUrl { .. }, _) | (_, Place::Url(_) | Place::Path(_)) => return Ok(()),
            _ => "needs a place for its other pages: `.url(…)` or `.path(…)`",
        };
        let message = format!("its embedded list `{}` {wrong}", list.name());
        Err(Error::new(ErrorKind::Usage, message).at(format!("resource {}", self.name)))
    }
}
