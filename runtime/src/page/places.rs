//! Lists whose pages are requested by position: a row that is created or deleted shifts all later
//! rows, and a reader that only counts silently misses some.
//!
//! Pages by offset are requested one row early: as long as each begins with the last row of the
//! previous page, no row that existed throughout has been missed. Page numbers cannot overlap: only
//! the total and the first page can show a shift, and if a proof is required the list is read
//! twice.

mod counting;
mod end;

use std::ops::Deref;
use std::sync::Arc;

use etlgen_model::{Offset, PageNumber, Paginator};
use xxhash_rust::xxh3::xxh3_64;

use super::advance::{PageFacts, Step};
use super::paginator::{Next, Pager, Position};
use super::proof::Proof;
use super::statements::plain;
use crate::error::Result;
use crate::text::percent_decoded;
pub(super) use counting::spelled;
pub(super) use end::{Ending, Moved};

/// Every server is assumed to return at least this many rows of a list.
const DEPTH: u64 = 1_000;

/// The names of parameters that request a page by its number, in lower case, with only letters and
/// digits.
const NAMES: [&str; 24] = [
    "beginindex",
    "currentpage",
    "firstresult",
    "firstrow",
    "offset",
    "p",
    "page",
    "paged",
    "pageindex",
    "pageno",
    "pagenr",
    "pagenum",
    "pagenumber",
    "pageoffset",
    "pg",
    "recordoffset",
    "recordstart",
    "rowoffset",
    "skip",
    "start",
    "startat",
    "startindex",
    "startrow",
    "startrecord",
];

/// What has been observed of such a list; it is not stored beyond the run, since the list changes
/// by then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// The rows of the first page.
    first: Arc<[u64]>,
    /// A fingerprint of all rows so far, in order.
    all: u64,
    /// The rows of the previous page as the API sent it.
    last: Arc<[u64]>,
    /// Whether the page is requested one row early, to begin with the last row of the previous
    /// page.
    early: bool,
    /// The number of its rows that are expected to be known.
    overlap: u64,
    /// Whether that failed, so that the known rows are searched for at the position of the previous
    /// page.
    back: Option<u64>,
    /// Whether it failed because the page was empty.
    missed: bool,
    /// Whether they were not found, so that the rest is read without an overlap.
    plain: bool,
    /// Whether the server has returned an overlap on request.
    overlapped: bool,
    /// Whether the server has not returned a row at its offset, although the row exists: it limits
    /// how far a list can be read.
    cut: bool,
    joints: Joints,
    /// Whether a page did not begin with the last row of the previous page but had it elsewhere:
    /// rows were created or deleted, or changed places.
    shifted: bool,
    /// Whether the first page is requested again, after the last.
    looks_back: bool,
    /// The second reading of the list.
    again: Option<Box<Again>>,
    /// What is known of the end, if another page is requested to confirm it: the page before the first
    /// one, or the first one.
    confirms: Option<Box<Confirms>>,
}

/// The end of a list that another page is to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Confirms {
    end: Proof,
    /// Whether the page is the first one, of a list that is sorted by the time of the last change;
    /// else it is the page before the first one.
    in_front: bool,
}

/// Whether consecutive pages were seen to be adjacent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Joints {
    #[default]
    Seen,
    Unseen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Again {
    why: String,
    /// [`Places::all`] of the first reading.
    before: u64,
}

/// A page, and how many rows at its beginning have arrived before.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    pub position: &'a Position,
    pub page: &'a PageFacts<'a>,
    pub known: usize,
}

/// What to do with a page.
pub(super) enum Look {
    /// Take the rows after this many at the beginning.
    Take(usize),
    /// Take no rows.
    Pass(Box<Step>),
}

impl Places {
    /// Returns the state of a page that is requested one row early.
    #[cfg(test)]
    pub(super) fn early() -> Self {
        Places {
            early: true,
            overlap: 1,
            ..Places::default()
        }
    }

    /// Returns whether the page was requested so that it ends with the list according to the total;
    /// it is then full by design.
    pub(super) fn was_placed_last(&self) -> bool {
        self.early && self.overlap > 1
    }

    /// Returns whether the page is requested one row early.
    pub(super) fn overlaps(&self) -> bool {
        self.early
    }

    /// Returns how many rows of a page that was requested early have arrived before; `None` if that
    /// is unknown.
    fn known(&self, ids: &[u64]) -> Option<usize> {
        let mut old = self.last.iter().rev();
        let at = match self.back {
            None => ids.iter().position(|id| Some(id) == self.last.last())?,
            // The last row may have been deleted; the remaining rows keep their order.
            Some(_) => old.find_map(|old| ids.iter().position(|id| id == old))?,
        };
        // A page of several rows that ends with the known row may be the previous page, if the
        // server rounds offsets down.
        let behind = at + 1 < ids.len() || ids.len() == 1;
        (behind || self.overlapped).then_some(at + 1)
    }
}

impl Position {
    /// Returns whether this is the beginning of a second reading of the list.
    pub(crate) fn restarts(&self) -> bool {
        self.pages == 0 && self.places.again.is_some()
    }

    /// Returns whether the page is requested one row early, which a server may refuse although it
    /// would send the rest of the list.
    pub(crate) fn overlaps(&self) -> bool {
        self.places.overlaps()
    }

    /// Returns whether the following rows have arrived before, because they are checked or read
    /// again.
    pub(crate) fn comes_again(&self) -> bool {
        self.restarts() || self.looks_back() || self.front().is_some()
    }

    /// Returns whether this is the page before the first one, which exists if the API counts from 0
    /// and is asked from 1. Any response to it will do.
    pub(crate) fn is_before_first(&self) -> bool {
        self.before_first().is_some()
    }

    /// Returns what is known of the end of a list whose page before the first one is requested.
    pub(super) fn before_first(&self) -> Option<&Proof> {
        let confirms = self.places.confirms.as_ref();
        let confirms = confirms.filter(|confirms| !confirms.in_front);
        confirms.map(|confirms| &confirms.end)
    }

    /// Returns whether a text counts the rows or the pages before this position, as `20` does behind a
    /// first page of 20 rows, or is the index of the last of them.
    fn is_counted_by(&self, text: &str) -> bool {
        // The numbers may come from a stored state.
        let counts = |count: u64, number| number == count || number == count.saturating_add(1);
        let is_last = |number: u64| number.checked_add(1) == Some(self.rows) && number > 0;
        let number = text.parse::<u64>().ok();
        self.pages > 0
            && number.is_some_and(|number| {
                counts(self.rows, number) || counts(self.pages, number) || is_last(number)
            })
    }

    /// Returns what is known of the end of a list, sorted by the time of the last change, whose first
    /// page is requested again.
    pub(super) fn front(&self) -> Option<&Proof> {
        let confirms = self.places.confirms.as_ref();
        let confirms = confirms.filter(|confirms| confirms.in_front);
        confirms.map(|confirms| &confirms.end)
    }

    /// Returns the position of the first page after the end of such a list.
    pub(super) fn back_to_front(&self, proof: Proof) -> Position {
        Position {
            next: Next::First,
            fingerprint: None,
            // Another run cannot use this position.
            counts: true,
            places: Places {
                confirms: Some(Box::new(Confirms {
                    end: proof,
                    in_front: true,
                })),
                ..Places::default()
            },
            ..self.clone()
        }
    }

    /// Returns whether this is the repeated first page, which has no new rows.
    pub(super) fn looks_back(&self) -> bool {
        self.places.looks_back
    }
}

impl Pager {
    /// Returns whether pages are requested by position, by the paginator or in the links of the
    /// API.
    pub(super) fn by_place(&self, position: &Position, step: &Step) -> bool {
        let next = match step {
            Step::Next(next) => self.is_place(next),
            Step::End(_) => false,
        };
        self.is_place(position) || next
    }

    /// Returns whether a position is requested by a number of rows or pages: by the paginator, in a
    /// link, or in a token that equals one of these numbers so far.
    fn is_place(&self, position: &Position) -> bool {
        match (self.deref(), &position.next) {
            (Paginator::PageNumber(_) | Paginator::Offset(_), _) => true,
            (_, Next::Url(url)) => is_numbered(url, position) || is_counting(url, position),
            (Paginator::Token(_), Next::Value(token)) => position.is_counted_by(token),
            _ => false,
        }
    }

    /// Returns whether a pass that stopped at that position can resume there: a position given by a
    /// record or a token still means the same after the list has grown, a page number, an offset, and
    /// a link or a token with one of them does not.
    pub(crate) fn keeps(&self, position: &Position) -> bool {
        !self.is_place(position) && !position.counts
    }

    /// Returns whether an error status for the page at that position may mean that the page does
    /// not exist: pages are requested by number, and one has arrived. A token or a link comes from the
    /// API, which says by it that the page exists, unless the token is a word for the end.
    pub(crate) fn may_be_behind(&self, position: &Position, status: u16) -> bool {
        let ends = Step::End(Proof::Open);
        let by_token = matches!(self.deref(), Paginator::Token(_));
        matches!(status, 400 | 404 | 416 | 422)
            && (!by_token || position.leads_by_end_word())
            && !matches!(position.next, Next::Url(_))
            && position.pages > 0
            && !position.overlaps()
            && !position.comes_again()
            && !position.is_before_first()
            && (by_token || self.by_place(position, &ends))
    }

    /// Returns the offset that this position requests.
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

    /// Returns the offset after the received rows, if none have shifted.
    fn behind(&self, position: &Position) -> u64 {
        match self.deref() {
            Paginator::Offset(Offset { first, .. }) => first.saturating_add(position.rows),
            _ => position.rows,
        }
    }

    /// Returns the offset of a last page with that many rows: servers that return only so many rows
    /// of a list refuse pages that exceed it.
    fn last_page(&self, page: &PageFacts<'_>) -> Option<u64> {
        match self.deref() {
            Paginator::Offset(Offset { first, .. }) => {
                let total = self.stated_total(page).filter(|total| *total >= DEPTH)?;
                Some(first.saturating_add(total.saturating_sub(page.rows)))
            }
            _ => None,
        }
    }

    /// Returns the number of the first page of a list by page numbers; 0 for others.
    pub(super) fn first_page(&self) -> u64 {
        match self.deref() {
            Paginator::PageNumber(PageNumber { first, .. }) => *first,
            _ => 0,
        }
    }

    /// Returns the position of the page before the first one, to confirm the `proof` of an end: an
    /// API that counts from 0 has rows there. A list whose first page has the number 0 has none.
    pub(super) fn ahead_of_first(&self, position: &Position, proof: Proof) -> Option<Position> {
        Some(Position {
            next: Next::Value(self.first_page().checked_sub(1)?.to_string()),
            fingerprint: None,
            places: Places {
                confirms: Some(Box::new(Confirms {
                    end: proof,
                    in_front: false,
                })),
                ..Places::default()
            },
            ..position.clone()
        })
    }

    /// Examines a page that was requested early, or again.
    pub(super) fn look(&self, position: &Position, page: &PageFacts<'_>, keyed: bool) -> Look {
        let places = &position.places;
        if places.looks_back {
            return Look::Pass(Box::new(self.looked_back(position, page, keyed)));
        }
        if !places.early {
            return Look::Take(0);
        }
        if let Some(known) = places.known(page.ids) {
            return Look::Take(known);
        }
        let (at, places) = if places.back.is_some() {
            let plain = Places {
                early: false,
                back: None,
                cut: places.missed && page.ids.contains(places.last.last().unwrap_or(&0)),
                plain: true,
                joints: Joints::Unseen,
                ..places.clone()
            };
            (self.behind(position), plain)
        } else {
            let at = self.offset_at(position).unwrap_or_default();
            let back = Places {
                back: Some(at),
                missed: page.ids.is_empty(),
                ..places.clone()
            };
            let at = at.saturating_add(1);
            (at.saturating_sub(places.last.len() as u64), back)
        };
        Look::Pass(Box::new(Step::Next(Position {
            next: Next::Value(at.to_string()),
            places,
            ..position.clone()
        })))
    }

    /// Returns the step after a page of such a list, given the account's `step`.
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
            back: None,
            // A server that knows only whole pages returns what follows.
            cut: before.cut && rows.is_empty(),
            last: page.ids.into(),
            overlapped: before.overlapped || before.overlaps(),
            shifted: before.shifted
                || before.back.is_some()
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
                        // There are many small lists: one more request for each would cost more
                        // than it is worth.
                        Step::Next(next) if brief && next.looks_back() => {
                            Step::End(Proof::Consistent(format!("{evidence} after the first one")))
                        }
                        step => step,
                    },
                )
            }
            end => Ok(end),
        }
    }

    /// Returns the position of the page after one of such a list.
    fn place(&self, taken: Taken<'_>, mut places: Places, mut next: Position) -> Position {
        let Taken {
            position,
            page,
            known,
        } = taken;
        places.early = false;
        match (self.offset_at(position), page.ids.len()) {
            (Some(at), rows @ 2..) if !places.plain => {
                places.early = true;
                let early = at.saturating_add(rows as u64 - 1);
                // A list that grows at the front would return that page endlessly; a total that has
                // been passed has no meaning.
                let last = self
                    .last_page(page)
                    .filter(|last| known < rows && at < *last);
                let early = early.min(last.unwrap_or(early));
                match known == rows && position.places.back == Some(early) {
                    // Nothing has moved, and that request has just been answered without the row.
                    true => {
                        places.early = false;
                        places.plain = true;
                        places.cut = position.places.missed;
                        places.joints = Joints::Unseen;
                    }
                    false => {
                        places.overlap = at.saturating_add(rows as u64) - early;
                        next.next = Next::Value(early.to_string());
                    }
                }
            }
            _ => places.joints = Joints::Unseen,
        }
        next.places = places;
        next
    }
}

/// Adds one row to the fingerprint of all rows.
fn follow(all: u64, row: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&all.to_le_bytes());
    bytes[8..].copy_from_slice(&row.to_le_bytes());
    xxh3_64(&bytes)
}

/// Returns whether a link requests a page by its number: `?page=2`, `?page[offset]=100`,
/// `/page/2`.
fn is_numbered(url: &str, position: &Position) -> bool {
    let is_number = |value: &str| {
        let number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        // A long number is the id of a record, unless it counts.
        number && (value.len() < 8 || position.is_counted_by(value))
    };
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.rsplit('/');
    let last = segments.next().unwrap_or_default();
    let is_page = segments
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("page"));
    is_page && is_number(last)
        || query(url).any(|(name, value)| is_number(&value) && NAMES.contains(&name.as_str()))
}

/// Returns whether a link requests the position by a token that counts its rows or pages:
/// `?cursor=40`.
fn is_counting(url: &str, position: &Position) -> bool {
    query(url).any(|(name, value)| is_token_name(&name) && position.is_counted_by(&value))
}

/// Returns whether a parameter of this name may hold a token.
fn is_token_name(name: &str) -> bool {
    const WORDS: [&str; 10] = [
        "after", "continu", "cursor", "from", "key", "marker", "next", "position", "start", "token",
    ];
    WORDS.iter().any(|word| name.contains(word))
}

/// Returns the parameters of a link, decoded: their names in lower case, with only letters and
/// digits, and their values.
fn query(url: &str) -> impl Iterator<Item = (String, String)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(&percent_decoded(name)), percent_decoded(value))
    })
}
