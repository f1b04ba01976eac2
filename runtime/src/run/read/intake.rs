//! The intake of one resource, through which all its pages pass.

use std::sync::Arc;

use crate::error::Result;
use crate::record::{CursorValue, Lookup};
use crate::run::read::feed::{Feed, Pending};
use crate::run::read::order::Sorting;
use crate::run::read::output::Output;
use crate::run::read::rows::{Admission, Origin, PageRows, Resting, Seen};
use crate::run::read::window::Window;
use crate::run::report::stats::Stats;
use crate::schema::Deletes;
use crate::source::{AnyResource, LinkFn, ReadPage, SliceRequest};

/// Takes all pages of one resource; its slices share it.
pub(crate) struct Intake {
    pub output: Box<dyn Output>,
    /// Collects the changes that the records make to other resources.
    pub feed: Option<Feed>,
    /// The changes from a feed to this resource's records.
    pub pending: Option<Pending>,
    /// The links of its children.
    links: Vec<Arc<LinkFn>>,
    /// The field that marks a record as deleted.
    tombstone: Option<Lookup>,
    /// The first part of the key.
    key: Option<Lookup>,
    stats: Arc<Stats>,
}

/// The context of a page.
pub(crate) struct PagePlace<'a> {
    pub origin: Origin<'a>,
    /// The request of its slice.
    pub request: &'a SliceRequest,
    /// Rows received from its list before this page.
    pub rows_before: u64,
    pub window: &'a Window,
    /// The most rows of the page that are taken.
    pub limit: u64,
    /// What is known of a list that does not begin at its start, and that has a cursor.
    pub resting: Option<Resting>,
    /// The highest cursor value of earlier passes, if the page is to show one that is not higher.
    pub edge: Option<CursorValue>,
}

/// What the rows of a page show about the cursor.
pub(super) struct Shown {
    /// The highest value.
    pub high: Option<CursorValue>,
    /// The indexes on the page of the first rows that have it.
    pub tops: Vec<usize>,
    /// Whether a row has no value.
    pub lacks_cursor: bool,
    /// Whether a row is not newer than those that earlier passes have shown.
    pub joined: bool,
}

impl Intake {
    /// Creates the intake. `children`: the resources whose slices the records make; their indexes
    /// are those of [`Output::child`].
    pub fn new(
        resource: &dyn AnyResource,
        loads: bool,
        children: &[Arc<dyn AnyResource>],
        stats: Arc<Stats>,
        output: Box<dyn Output>,
    ) -> Self {
        let spec = resource.spec();
        let marks = loads && spec.deletes != Deletes::Keep;
        let key = spec.primary_key.first();
        let links = children.iter();
        let links = links.filter_map(|child| child.spec().parent.as_ref());
        Intake {
            output,
            feed: None,
            pending: None,
            links: links.map(|parent| parent.link.clone()).collect(),
            tombstone: spec.tombstone.clone().filter(|_| marks),
            key: key.map(|keys| Lookup::new(resource.schema(), keys.clone())),
            stats,
        }
    }

    /// Takes a page. `sorting` sees all its rows.
    pub(super) fn page(
        &mut self,
        page: ReadPage,
        place: PagePlace<'_>,
        sorting: &mut Sorting,
    ) -> Result<Shown> {
        let mut seen = Seen::default();
        let PagePlace {
            origin,
            request,
            rows_before,
            window,
            limit,
            resting,
            edge,
        } = place;
        let admission = Admission {
            feed: self.feed.as_mut(),
            pending: self.pending.as_mut().zip(self.key.as_ref()),
            links: &self.links,
            tombstone: self.tombstone.as_ref(),
            stats: &self.stats,
            sorting,
            window,
            request,
            next: rows_before,
            row: 0,
            edge,
            end: rows_before.saturating_add(limit),
            cursor: None,
            resting,
            is_first: true,
            is_gone: false,
            seen: &mut seen,
        };
        self.output.page(PageRows {
            rows: page.rows,
            admission,
            origin,
        })?;
        self.stats.leave_outside(seen.outside, window.excuse());
        for (child, slice) in seen.found {
            self.output.child(child, slice);
        }
        Ok(Shown {
            high: seen.high,
            tops: seen.tops,
            lacks_cursor: seen.lacks_cursor,
            joined: seen.joined,
        })
    }
}
