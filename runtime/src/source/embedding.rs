//! The declarations of lists within records, which fall back to those of the resource.

use super::embedded::{Embedded, Place};
use super::resource::ResourceSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::page::{Pager, Paginator, ResponsePath, Token, Total};

impl ResourceSpec {
    /// Returns the keys of the list's items: its own, or else those of the resource.
    pub fn records_of<'a>(&'a self, list: &'a Embedded) -> &'a [String] {
        list.records.as_ref().unwrap_or(&self.records)
    }

    /// Returns how the list is paged: as declared, or else like the resource.
    pub fn paginator_of<'a>(&'a self, list: &'a Embedded) -> &'a Pager {
        list.paginator.as_ref().unwrap_or(&self.paginator)
    }

    /// Checks the declaration of a list within records.
    pub fn validate_embedded(&self, list: &Embedded) -> Result<()> {
        let paginator = self.paginator_of(list);
        let wrong = match (&**paginator, &list.place) {
            _ if list.keys.is_empty() => "has no name",
            (Paginator::Single | Paginator::Undecided, _) => "needs a paginator: `.paginate(…)`",
            (
                Paginator::LinkHeader(_)
                | Paginator::Token(Token {
                    next: ResponsePath::Header(_),
                    ..
                }),
                _,
            ) if paginator.more().is_none() && paginator.total().and_then(Total::at).is_none() => {
                "needs a paginator that a record can speak for: `.more(…)` or a total, since it has no headers"
            }
            _ if paginator.in_body() => "is read with GET, which has no body for page parameters",
            (Paginator::NextUrl(_), _) | (_, Place::Url(_) | Place::Path(_)) => return Ok(()),
            _ => "needs a place for its other pages: `.url(…)` or `.path(…)`",
        };
        let message = format!("its embedded list `{}` {wrong}", list.name());
        Err(Error::new(ErrorKind::Usage, message).at(format!("resource {}", self.name)))
    }
}
