//! Lists whose pages are asked for by their place: a row that comes or goes moves all that follow it, and a reader that
//! only counts on misses some without a sign.
//!
//! Pages by offset are asked for one row early: as long as each begins with the row that came last, nothing that was
//! there all the time has been passed over, whatever came and went. Page numbers cannot overlap: what can be seen of a
//! move is the total and the first page, and where a proof is wanted the list is read twice.

mod end;

use std::ops::Deref;
use std::sync::Arc;

use etlgen_model::{Offset, Paginator};
use xxhash_rust::xxh3::xxh3_64;

use super::advance::{PageFacts, Step};
use super::paginator::{Next, Pager, Position};
use super::proof::Proof;
use crate::error::Result;
pub(super) use end::{Ending, Moved};

/// No server shows fewer rows of a list than that.
const DEPTH: u64 = 1_000;

/// What has been seen of such a list; not kept beyond the run, since then the list has moved on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// The rows of the first page.
    first: Arc<[u64]>,
    /// A fingerprint of all rows so far, in their order.
    all: u64,
    /// The rows of the page before, as it was sent.
    last: Arc<[u64]>,
    /// The page is asked for one row early, to begin with the row that came last.
    early: bool,
    /// How many rows of it are to be known.
    overlap: u64,
    /// It did not: its rows are looked for where the page before was.
    back: bool,
    /// They were not found: the rest is read without an overlap.
    plain: bool,
    /// The server has overlapped when asked to.
    overlapped: bool,
    joints: Joints,
    /// A page did not begin with the row that came last, but had it elsewhere: rows have come, gone or changed places.
    shifted: bool,
    /// The first page is asked for once more, after the last.
    looks_back: bool,
    /// The list is read once more.
    again: Option<Again>,
}

/// Whether the pages were seen to follow one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Joints {
    #[default]
    Seen,
    /// All but that of the first two.
    AllButFirst,
    Unseen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Again {
    why: String,
    /// [`Places::all`] of the first time.
    before: u64,
}

/// A page, and how many rows at its beginning had come before.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    pub position: &'a Position,
    pub page: &'a PageFacts<'a>,
    pub known: usize,
}

/// What to do with a page.
pub(super) enum Look {
    /// Take the rows behind the first so many.
    Take(usize),
    /// Take none.
    Pass(Step),
}

impl Places {
    /// Of a page that is asked for one row early.
    #[cfg(test)]
    pub(super) fn early() -> Self {
        Places {
            early: true,
            overlap: 1,
            ..Places::default()
        }
    }

    /// Whether the page was asked for so that it ends with the list, as the total has it: it is full as it should be.
    pub(super) fn was_placed_last(&self) -> bool {
        self.early && self.overlap > 1
    }

    /// Whether the page is asked for one row early.
    pub(super) fn overlaps(&self) -> bool {
        self.early
    }

    /// How many rows of a page that was asked for early had come before; `None`: it does not tell.
    fn known(&self, ids: &[u64]) -> Option<usize> {
        let mut old = self.last.iter().rev();
        let at = match self.back {
            false => ids.iter().position(|id| Some(id) == self.last.last())?,
            // The last one may be gone; rows that stay keep their order.
            true => old.find_map(|old| ids.iter().position(|id| id == old))?,
        };
        // With nothing behind it, a page of several rows may be the one before, rounded down.
        let behind = at + 1 < ids.len() || ids.len() == 1;
        (behind || self.overlapped).then_some(at + 1)
    }
}

impl Position {
    /// The beginning of a list that is read once more.
    pub(crate) fn restarts(&self) -> bool {
        self.pages == 0 && self.places.again.is_some()
    }

    /// The page is asked for one row early, which a server may refuse and yet send the rest of the list.
    pub(crate) fn overlaps(&self) -> bool {
        self.places.overlaps()
    }

    /// What follows has come before: it is looked at once more, or read.
    pub(crate) fn comes_again(&self) -> bool {
        self.restarts() || self.looks_back()
    }

    /// The first page, asked for once more: there are no new rows in it.
    fn looks_back(&self) -> bool {
        self.places.looks_back
    }
}

impl Pager {
    /// Whether pages are asked for by their place, here or in the links that the API gives.
    pub(super) fn by_place(&self, position: &Position, step: &Step) -> bool {
        let numbered = |next: &Next| matches!(next, Next::Url(url) if is_numbered(url));
        match self.deref() {
            Paginator::PageNumber(_) | Paginator::Offset(_) => true,
            Paginator::LinkHeader(_) | Paginator::NextUrl(_) => {
                numbered(&position.next) || matches!(step, Step::Next(next) if numbered(&next.next))
            }
            _ => false,
        }
    }

    /// Whether a pass that is stopped at that position can go on there: a position that names a record or a token still means
    /// the same place when the list has grown, a page number or an offset does not, nor does a link that asks for one.
    pub(crate) fn keeps(&self, position: &Position) -> bool {
        let numbered = matches!(&position.next, Next::Url(url) if is_numbered(url));
        self.can_resume() && !numbered
    }

    /// Whether a status that refuses the page at that position may mean that there is none: pages are asked for by number, and
    /// one has come.
    pub(crate) fn may_be_behind(&self, position: &Position, status: u16) -> bool {
        let ends = Step::End(Proof::Open);
        matches!(status, 400 | 404 | 416 | 422)
            && position.pages > 0
            && !position.overlaps()
            && !position.comes_again()
            && self.by_place(position, &ends)
    }

    /// The offset that this position asks for.
    pub(super) fn offset_at(&self, position: &Position) -> Option<u64> {
        let Paginator::Offset(Offset { first, .. }) = self.deref() else {
            return None;
        };
        match &position.next {
            Next::First => Some(*first),
            Next::Value(at) => at.parse().ok(),
            Next::Url(_) => None,
        }
    }

    /// The offset behind the rows that have come, where none have moved.
    fn behind(&self, position: &Position) -> u64 {
        match self.deref() {
            Paginator::Offset(Offset { first, .. }) => first.saturating_add(position.rows),
            _ => position.rows,
        }
    }

    /// The offset of a last page of that many rows: servers that show only so many rows of a list refuse pages that reach beyond.
    fn last_page(&self, page: &PageFacts<'_>) -> Option<u64> {
        match self.deref() {
            Paginator::Offset(Offset { first, .. }) => {
                let total = self.stated_total(page).filter(|total| *total >= DEPTH)?;
                Some(first.saturating_add(total.saturating_sub(page.rows)))
            }
            _ => None,
        }
    }

    /// Looks at a page that was asked for early, or once more.
    pub(super) fn look(&self, position: &Position, page: &PageFacts<'_>, keyed: bool) -> Look {
        let places = &position.places;
        if places.looks_back {
            return Look::Pass(self.looked_back(position, page, keyed));
        }
        if !places.early {
            return Look::Take(0);
        }
        if let Some(known) = places.known(page.ids) {
            return Look::Take(known);
        }
        let (at, places) = if places.back {
            let plain = Places {
                early: false,
                back: false,
                plain: true,
                joints: Joints::Unseen,
                ..places.clone()
            };
            (self.behind(position), plain)
        } else {
            let at = self.offset_at(position).unwrap_or_default();
            let back = Places {
                back: true,
                ..places.clone()
            };
            let at = at.saturating_add(1);
            (at.saturating_sub(places.last.len() as u64), back)
        };
        Look::Pass(Step::Next(Position {
            next: Next::Value(at.to_string()),
            places,
            ..position.clone()
        }))
    }

    /// What follows a page of such a list, where the account says that it is `step`.
    pub(super) fn placed(&self, taken: Taken<'_>, ending: Ending, step: Step) -> Result<Step> {
        let Taken {
            position,
            page,
            known,
        } = taken;
        let rows = page.ids.get(known..).unwrap_or_default();
        // Nothing came after the first page.
        let one_page = position.pages == 1 && rows.is_empty();
        let before = &position.places;
        let empty = page.ids.is_empty();
        let mut places = Places {
            back: false,
            last: page.ids.into(),
            overlapped: before.overlapped || before.overlaps(),
            shifted: before.shifted
                || before.back
                || before.early && known as u64 != before.overlap && !empty,
            all: rows.iter().fold(before.all, |all, row| follow(all, *row)),
            ..before.clone()
        };
        if position.pages == 0 {
            places.first = rows.into();
        }
        match step {
            Step::Next(next) => Ok(Step::Next(self.place(taken, places, next))),
            Step::End(Proof::Proved(evidence)) if position.pages > 0 || places.again.is_some() => {
                let brief = one_page && !ending.thorough;
                Ok(
                    match self.ended(position, places, evidence.clone(), ending)? {
                        // Small lists are many: one request more for each would cost more than it tells.
                        Step::Next(next) if brief && next.looks_back() => Step::End(
                            Proof::Consistent(format!("{evidence} behind the first one")),
                        ),
                        step => step,
                    },
                )
            }
            end => Ok(end),
        }
    }

    /// Where the page behind one of such a list is asked for.
    fn place(&self, taken: Taken<'_>, mut places: Places, mut next: Position) -> Position {
        let Taken {
            position,
            page,
            known,
        } = taken;
        places.early = false;
        match (self.offset_at(position), page.ids.len()) {
            // Where nothing says that more follows, the first page may be all there is.
            (Some(_), 2..) if !places.plain && position.pages == 0 && !self.says_more(page) => {
                places.joints = Joints::AllButFirst;
            }
            (Some(at), rows @ 2..) if !places.plain => {
                places.early = true;
                let early = at.saturating_add(rows as u64 - 1);
                // A list that grows in front would show that page for ever; a total that has been passed says nothing.
                let last = self
                    .last_page(page)
                    .filter(|last| known < rows && at < *last);
                let early = early.min(last.unwrap_or(early));
                places.overlap = at.saturating_add(rows as u64) - early;
                next.next = Next::Value(early.to_string());
            }
            _ => places.joints = Joints::Unseen,
        }
        next.places = places;
        next
    }
}

/// One row more.
fn follow(all: u64, row: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&all.to_le_bytes());
    bytes[8..].copy_from_slice(&row.to_le_bytes());
    xxh3_64(&bytes)
}

/// Whether a link asks for a page by its number: `?page=2`, `?page[offset]=100`.
fn is_numbered(url: &str) -> bool {
    const NAMES: [&str; 9] = [
        "page",
        "pagenumber",
        "pageindex",
        "pageoffset",
        "offset",
        "skip",
        "start",
        "startat",
        "startindex",
    ];
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut name = name
            .to_ascii_lowercase()
            .replace("%5b", "")
            .replace("%5d", "");
        name.retain(|c| c.is_ascii_alphanumeric());
        let number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        // A long number is the id of a record.
        number && value.len() < 8 && NAMES.contains(&name.as_str())
    })
}
