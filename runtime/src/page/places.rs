//! Lists whose pages are asked for by their place: a row that comes or goes moves all that follow it, and a reader that
//! only counts on misses some without a sign.
//!
//! Pages by offset are asked for one row early: as long as each begins with the row that came last, nothing that was
//! there all the time has been passed over, whatever came and went. Page numbers cannot overlap: what can be seen of a
//! move is the total and the first page, and where a proof is wanted the list is read twice.

use std::ops::Deref;
use std::sync::Arc;

use etlgen_model::{Offset, Paginator};
use xxhash_rust::xxh3::xxh3_64;

use super::advance::{PageFacts, Step};
use super::paginator::{Next, Pager, Position};
use super::proof::Proof;

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
    /// It did not: its rows are looked for where the page before was.
    back: bool,
    /// They were not found: the rest is read without an overlap.
    plain: bool,
    /// The server has overlapped when asked to.
    overlapped: bool,
    joints: Joints,
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

/// What to do with a page.
pub(super) enum Look {
    /// Take the rows behind the first so many.
    Take(usize),
    /// Take none.
    Pass(Step),
}

impl Places {
    /// Whether all pages so far were seen to follow one another.
    pub(super) fn is_joined(&self) -> bool {
        self.early && self.joints == Joints::Seen
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

    /// Whether [`PageFacts::ids`] are wanted.
    pub(crate) fn compares_rows(&self, thorough: bool) -> bool {
        match self.deref() {
            Paginator::PageNumber(_) | Paginator::Offset(_) => true,
            Paginator::LinkHeader(_) | Paginator::NextUrl(_) => thorough,
            _ => false,
        }
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
            Paginator::Offset(Offset { first, .. }) => first + position.rows,
            _ => position.rows,
        }
    }

    /// The offset of a last page of that many rows: servers refuse pages that reach beyond what they show.
    fn last_page(&self, page: &PageFacts<'_>) -> Option<u64> {
        match self.deref() {
            Paginator::Offset(Offset { first, .. }) => {
                let total = self.stated_total(page)?;
                Some(first + total.saturating_sub(page.rows))
            }
            _ => None,
        }
    }

    /// Looks at a page that was asked for early, or once more.
    pub(super) fn look(&self, position: &Position, page: &PageFacts<'_>) -> Look {
        let places = &position.places;
        if places.looks_back {
            return Look::Pass(self.looked_back(position, page));
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
            ((at + 1).saturating_sub(places.last.len() as u64), back)
        };
        Look::Pass(Step::Next(Position {
            next: Next::Value(at.to_string()),
            places,
            ..position.clone()
        }))
    }

    /// What follows a page of such a list, where its own words say that it is `step`.
    /// `known`: rows of the page that had come before; `moved`: the totals of the first page and of this one, if they differ.
    pub(super) fn placed(
        &self,
        position: &Position,
        page: &PageFacts<'_>,
        known: usize,
        moved: Option<(u64, u64)>,
        step: Step,
    ) -> Step {
        let rows = page.ids.get(known..).unwrap_or_default();
        // Nothing came after the first page.
        let one_page = position.pages == 1 && rows.is_empty();
        let mut places = Places {
            back: false,
            last: page.ids.into(),
            overlapped: position.places.overlapped || position.places.overlaps(),
            all: rows
                .iter()
                .fold(position.places.all, |all, row| follow(all, *row)),
            ..position.places.clone()
        };
        if position.pages == 0 {
            places.first = rows.into();
        }
        match step {
            Step::Next(mut next) => {
                places.early = false;
                match (self.offset_at(position), page.ids.len()) {
                    // Where nothing says that more follows, the first page may be all there is.
                    (Some(_), 2..)
                        if !places.plain && position.pages == 0 && !self.says_more(page) =>
                    {
                        places.joints = Joints::AllButFirst;
                    }
                    (Some(at), rows @ 2..) if !places.plain => {
                        places.early = true;
                        let early = at + rows as u64 - 1;
                        // A list that grows in front would show that page for ever.
                        let last = self.last_page(page).filter(|_| known < rows);
                        let early = early.min(last.unwrap_or(early));
                        next.next = Next::Value(early.to_string());
                    }
                    _ => places.joints = Joints::Unseen,
                }
                next.places = places;
                Step::Next(next)
            }
            Step::End(Proof::Proved(evidence)) if position.pages > 0 => {
                let brief = one_page && !page.thorough;
                match self.ended(position, places, evidence.clone(), moved, page.thorough) {
                    // Small lists are many: one request more for each would cost more than it tells.
                    Step::Next(next) if brief && next.looks_back() => Step::End(Proof::Consistent(
                        format!("{evidence} behind the first one"),
                    )),
                    step => step,
                }
            }
            end => end,
        }
    }

    /// The end of a list of several pages: how well is it known?
    fn ended(
        &self,
        position: &Position,
        places: Places,
        evidence: String,
        moved: Option<(u64, u64)>,
        thorough: bool,
    ) -> Step {
        let seen = places.joints == Joints::Seen;
        match &places.again {
            Some(again) if again.before == places.all => Step::End(Proof::Proved(
                "read twice, and the same both times".to_owned(),
            )),
            None if seen => Step::End(Proof::Proved(evidence)),
            Some(again) if seen => Step::End(Proof::Consistent(rested(&again.why))),
            Some(_) if places.plain && places.overlapped => Step::End(Proof::Unproved(
                "rows went from it whenever it was read: others may be missing".to_owned(),
            )),
            Some(_) if let Some((before, now)) = moved => Step::End(Proof::Unproved(format!(
                "its total moved whenever it was read (from {before} to {now} the last time): rows may be missing"
            ))),
            None if let Some((before, now)) = moved => {
                start_again(&places, format!("its total moved from {before} to {now}"))
            }
            None if thorough && places.joints != Joints::AllButFirst => {
                start_again(&places, "its pages are asked for by number".to_owned())
            }
            None if matches!(
                self.deref(),
                Paginator::LinkHeader(_) | Paginator::NextUrl(_)
            ) =>
            {
                Step::End(Proof::Consistent(format!(
                    "{evidence}; the links lead on by number: what moved meanwhile cannot be seen"
                )))
            }
            // Of a server that does not overlap, or of one whose rows have gone: the second time tells.
            None if places.plain => start_again(
                &places,
                "a page did not begin where the one before ended".to_owned(),
            ),
            _ => Step::Next(Position {
                next: Next::First,
                fingerprint: None,
                places: Places {
                    looks_back: true,
                    early: false,
                    ..places
                },
                ..position.clone()
            }),
        }
    }

    /// The first page has come once more.
    fn looked_back(&self, position: &Position, page: &PageFacts<'_>) -> Step {
        let places = &position.places;
        let now = page.ids;
        // Rows that came in front have only repeated others.
        let head = places.first.first();
        let came = head.and_then(|head| now.iter().position(|id| id == head));
        let same = came.is_some_and(|came| {
            let (old, new) = (&places.first, &now[came..]);
            let both = old.len().min(new.len());
            let totals = position.total.zip(self.stated(page));
            old[..both] == new[..both]
                && (came > 0 || old.len() == new.len())
                && totals.is_none_or(|(before, now)| now == before || now == before + came as u64)
        });
        match (same, &places.again) {
            (true, None) if places.joints == Joints::AllButFirst => Step::End(Proof::Proved(
                "each page began with the last row of the one before".to_owned(),
            )),
            (true, None) => Step::End(Proof::Consistent(
                "asked for by number, and neither its total nor its first page moved meanwhile"
                    .to_owned(),
            )),
            (true, Some(again)) => Step::End(Proof::Consistent(rested(&again.why))),
            (false, None) => start_again(places, "its first page changed".to_owned()),
            (false, Some(_)) => Step::End(Proof::Unproved(
                "its first page changed whenever it was read: rows may be missing".to_owned(),
            )),
        }
    }
}

fn rested(why: &str) -> String {
    format!("{why}: read again, and it rested")
}

/// The beginning of the second time.
fn start_again(places: &Places, why: String) -> Step {
    let before = places.all;
    Step::Next(Position {
        places: Places {
            plain: places.plain && !places.overlapped,
            overlapped: places.overlapped,
            again: Some(Again { why, before }),
            ..Places::default()
        },
        ..Position::default()
    })
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
