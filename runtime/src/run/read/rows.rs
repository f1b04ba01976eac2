//! The rows of a page: which of them are taken, and what they change in other resources.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::error::Result;
use crate::record::{CursorValue, Lookup, RowRef};
use crate::run::read::feed::{Feed, Pending};
use crate::run::read::order::Sorting;
use crate::run::read::window::Window;
use crate::run::report::stats::Stats;
use crate::source::{LinkFn, RowSink, Rows, SliceRequest};

/// The most records with the highest cursor value that are remembered.
pub(super) const TOPS: usize = 8;

/// The origin of the rows of a page.
pub(crate) struct Origin<'a> {
    /// The id of their slice.
    pub slice: &'a str,
    /// Columns that each row gets.
    pub columns: &'a BTreeMap<String, Option<String>>,
    /// The number of their list among all lists that this run reads.
    pub list: u64,
    /// Whether their list does not begin at its start, but where an earlier run stopped.
    pub resumed: bool,
}

/// The rows of a page.
pub(crate) struct PageRows<'a> {
    pub(super) rows: Box<dyn Rows>,
    pub(super) admission: Admission<'a>,
    pub origin: Origin<'a>,
}

/// What is known of a list that does not begin at its start, and that has a cursor.
pub(crate) struct Resting {
    /// When the pass began, in microseconds since 1970: rows whose cursor is before that have not
    /// changed since.
    pub began: i64,
    /// The value from which the list is requested: rows that have it, or a lower one, may come
    /// again.
    pub from: Option<CursorValue>,
}

impl Resting {
    /// Returns whether a row with this cursor value comes for the first time in the pass, unless
    /// another record has its key.
    fn is_first(&self, cursor: Option<&CursorValue>) -> bool {
        let changed = cursor.and_then(CursorValue::micros);
        changed.is_some_and(|changed| changed < self.began) && cursor > self.from.as_ref()
    }
}

/// What is known about a row besides its values.
pub(crate) struct RowPlace {
    /// Its index among the rows of its list, from 0.
    pub ordinal: u64,
    /// Set if the record says that it is deleted, with the time in microseconds since 1970 if it
    /// says that.
    pub gone: Option<Option<i64>>,
    /// For a list that does not begin at its start: whether the row cannot have come before.
    pub is_first: bool,
}

impl PageRows<'_> {
    /// Hands over each row that belongs to the list, in the order of the page.
    pub fn each(
        self,
        take: impl FnMut(RowRef<'_>, &RowPlace, &Origin<'_>) -> Result<()>,
    ) -> Result<()> {
        self.rows.drain(&mut Each {
            admission: self.admission,
            origin: self.origin,
            take,
        })
    }
}

struct Each<'a, F> {
    admission: Admission<'a>,
    origin: Origin<'a>,
    take: F,
}

impl<F> RowSink for Each<'_, F>
where
    F: FnMut(RowRef<'_>, &RowPlace, &Origin<'_>) -> Result<()>,
{
    fn admit(&mut self, cursor: Option<CursorValue>) -> bool {
        self.admission.admit(cursor)
    }

    fn take(&mut self, row: RowRef<'_>, record: &dyn Any) -> Result<()> {
        let place = self.admission.take(row, record)?;
        (self.take)(row, &place, &self.origin)
    }

    fn link(&mut self, record: &dyn Any) {
        self.admission.link(record);
    }
}

/// What a page has shown.
#[derive(Default)]
pub(super) struct Seen {
    /// The highest cursor value.
    pub high: Option<CursorValue>,
    /// The indexes on the page of the first rows that have it.
    pub tops: Vec<usize>,
    /// Whether a row is not newer than those that earlier passes have shown.
    pub joined: bool,
    /// The number of rows outside the bounds.
    pub outside: u64,
    /// Whether a row has no cursor value.
    pub lacks_cursor: bool,
    /// Slices of children.
    pub found: Vec<(usize, SliceRequest)>,
}

/// Checks the rows of a page before they are taken.
pub(super) struct Admission<'a> {
    pub feed: Option<&'a mut Feed>,
    pub pending: Option<(&'a mut Pending, &'a Lookup)>,
    pub links: &'a [Arc<LinkFn>],
    pub tombstone: Option<&'a Lookup>,
    pub stats: &'a Stats,
    pub sorting: &'a mut Sorting,
    pub window: &'a Window,
    pub request: &'a SliceRequest,
    /// The index of the next row in its list.
    pub next: u64,
    /// The index on the page of the next row.
    pub row: usize,
    /// The highest cursor value of earlier passes, if the page is to show one that is not higher.
    pub edge: Option<CursorValue>,
    /// The index from which on rows are not taken.
    pub end: u64,
    /// The cursor of the row that comes next, for the feed.
    pub cursor: Option<CursorValue>,
    /// What is known of a list that does not begin at its start.
    pub resting: Option<Resting>,
    /// Whether the row that comes next cannot have come before.
    pub is_first: bool,
    /// Whether the row that was taken last says that it is deleted.
    pub is_gone: bool,
    pub seen: &'a mut Seen,
}

impl Admission<'_> {
    /// Returns whether a row with this cursor value is wanted.
    pub fn admit(&mut self, cursor: Option<CursorValue>) -> bool {
        self.next += 1;
        self.row += 1;
        self.sorting.see(cursor.as_ref());
        if let Some(edge) = &self.edge
            && cursor.as_ref().is_some_and(|value| value <= edge)
        {
            self.seen.joined = true;
        }
        if self.next > self.end {
            return false;
        }
        let wanted = self.window.holds(cursor.as_ref());
        if !wanted {
            self.seen.outside += 1;
        } else if cursor.is_none() {
            self.stats.without_cursor.fetch_add(1, Relaxed);
            self.seen.lacks_cursor = true;
        } else {
            self.rise(&cursor);
        }
        if let Some(resting) = &self.resting {
            self.is_first = resting.is_first(cursor.as_ref());
        }
        if self.feed.is_some() {
            self.cursor = cursor;
        }
        wanted
    }

    /// Remembers the highest cursor value, and the first rows that have it.
    fn rise(&mut self, cursor: &Option<CursorValue>) {
        match cursor.cmp(&self.seen.high) {
            Ordering::Less => return,
            Ordering::Equal if self.seen.tops.len() >= TOPS => return,
            Ordering::Equal => {}
            Ordering::Greater => {
                self.seen.high.clone_from(cursor);
                self.seen.tops.clear();
            }
        }
        self.seen.tops.push(self.row - 1);
    }

    /// Takes what a wanted row says about changes of other resources and about itself.
    pub fn take(&mut self, row: RowRef<'_>, record: &dyn Any) -> Result<RowPlace> {
        if let Some(feed) = &mut self.feed {
            feed.take(record, self.cursor.as_ref())?;
        }
        if let Some((pending, key)) = &mut self.pending {
            pending.forget(key, row);
        }
        let gone = self.tombstone.and_then(|field| field.gone(row));
        self.is_gone = gone.is_some();
        Ok(RowPlace {
            ordinal: self.next - 1,
            gone,
            is_first: self.is_first,
        })
    }

    /// Makes the slices of children from the row that was taken last.
    pub fn link(&mut self, record: &dyn Any) {
        // A deleted record has no lists.
        let links = self.links.iter().enumerate().filter(|_| !self.is_gone);
        for (child, link) in links {
            let slice = link(record, self.request).finish().unwrap_or_else(|slice| {
                // The list may exist: the child's reader says that it was not read.
                self.stats.unlinked.fetch_add(1, Relaxed);
                slice
            });
            self.seen.found.push((child, slice));
        }
    }
}
