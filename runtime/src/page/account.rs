//! The account of a list over one pass: what its answers have said on one side, what came on the other.
//!
//! A list is proved to be whole only if something says so and nothing says otherwise. What one more request can settle is asked
//! for; what stays contradicted is an error that names both sides.

mod alone;
mod answer;
mod embedded;
mod ending;

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::advance::{By, End, PageFacts, Proposal, Step, paging};
use super::distinct::Distinct;
use super::paginator::{Next, Pager, Position, TotalOf};
use super::places::{Ending, Look, Moved, Taken};
use super::proof::Proof;
use super::statements::{Says, Statements};
use super::totals::Totals;
use crate::error::{Error, ErrorKind, Result};

/// So many pages in a row without a new row are an error.
const STALE_PAGES: u32 = 3;

/// Numbers of rows that are the size of a page more often than the length of a list.
const USUAL_SIZES: [u64; 9] = [10, 20, 25, 50, 100, 200, 250, 500, 1000];

/// A page that is shorter than was asked for may be cut off if it has so many rows, and a usual number of them.
const CAPPED: u64 = 50;

fn is_usual(rows: u64) -> bool {
    USUAL_SIZES.contains(&rows)
}

/// What the account says of a page.
pub(crate) struct Judgement {
    /// What follows; an error is one of the list, and the rows of the page are to be kept.
    pub step: Result<Step>,
    /// How many of its rows had come before it.
    pub known: usize,
    /// How many of the others had come too: their keys came again.
    pub again: u64,
}

/// The page that is judged.
#[derive(Clone, Copy)]
struct At<'a> {
    paginator: &'a Pager,
    position: &'a Position,
    page: &'a PageFacts<'a>,
    known: usize,
    said: &'a Statements,
}

impl<'a> At<'a> {
    fn taken(self) -> Taken<'a> {
        Taken {
            position: self.position,
            page: self.page,
            known: self.known,
        }
    }
}

/// What the account must know of its list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// The resource, for the line that settles a contradiction.
    pub name: String,
    /// Its records have a key.
    pub keyed: bool,
    /// It is one object, and no list.
    pub single: bool,
    /// What is not proved is read twice.
    pub thorough: bool,
    /// Only a part of it is asked for: totals may count the rest.
    pub narrowed: bool,
    /// It stands within a record: no request is sent for a doubt.
    pub embedded: bool,
}

/// The account of one list.
#[derive(Default)]
pub(crate) struct Account {
    terms: Terms,
    /// The different rows that have come.
    rows: Distinct,
    /// The number of rows that came in earlier runs, or without numbers that tell them apart.
    others: u64,
    /// Rows that came again, other than by an overlap that was asked for.
    again: u64,
    /// The tokens and links that have been asked for.
    asked: HashSet<u64>,
    totals: Totals,
    /// The length of the longest page.
    longest: u64,
    /// Whether the page before was as long as pages get.
    was_full: bool,
    /// The rows of the page that had not come before.
    new: u64,
    /// The end that was not believed on the page before.
    doubt: Option<End>,
    /// Rows whose key came again with other contents.
    changed: u64,
    /// Pages in a row without a new row.
    stale: u32,
    /// Pages in a row without a row.
    empty: u32,
    /// Pages with rows.
    filled: u64,
    /// The flag of the page before that said that more follows.
    promised: Option<String>,
    /// A flag or a number of pages that was not believed, and the rows that had come then.
    doubted: Option<(String, u64)>,
    /// The records stood in a list.
    listed: bool,
    /// Why the list cannot be proved to be whole: it is this at most.
    at_most: Option<Proof>,
    /// Pages of this reading, and of the one before it.
    pages: [u64; 2],
}

impl Account {
    pub fn new(terms: Terms) -> Self {
        Account {
            terms,
            ..Account::default()
        }
    }

    /// Whether all rows that a total counts have come.
    pub fn is_reached(&mut self) -> Result<bool> {
        let came = self.came()?;
        Ok(self.totals.least().is_some_and(|total| came >= total))
    }

    /// Whether a row has come: nothing is taken for gone because of an empty answer that proves nothing.
    pub fn has_rows(&mut self) -> bool {
        self.came().is_ok_and(|came| came > 0)
    }

    /// What comes after the page at `position`, and how many of its rows had come before it.
    pub fn judge(
        &mut self,
        paginator: &Pager,
        position: &Position,
        page: &PageFacts<'_>,
    ) -> Result<Judgement> {
        self.begin(position);
        let known = match paginator.look(position, page, self.terms.keyed) {
            Look::Take(known) => self.known(known, page)?,
            Look::Pass(step) => {
                let (known, step, again) = (page.ids.len(), Ok(step), 0);
                return Ok(Judgement { step, known, again });
            }
        };
        let said = self.hear(paginator, page);
        self.check(page, &said)?;
        self.take(page, known)?;
        let at = At {
            paginator,
            position,
            page,
            known,
            said: &said,
        };
        // The rows of a page are not to blame for what speaks against its list.
        let (step, known) = match self.doubt.take() {
            // Some servers show their last page, or the first one, where there is none.
            Some(end) if self.new == 0 && page.rows > known as u64 => {
                self.again -= (page.rows - known as u64).min(self.again);
                let known = page.rows as usize;
                (self.end(At { known, ..at }, &end), known)
            }
            _ => (self.step(at), known),
        };
        self.promised = match said.more() {
            Some((true, flag)) => Some(flag.place.clone()),
            _ => None,
        };
        let taken = page.rows.saturating_sub(known as u64);
        let again = taken.saturating_sub(self.new);
        Ok(Judgement { step, known, again })
    }

    /// What follows a page that has been taken.
    fn step(&mut self, at: At<'_>) -> Result<Step> {
        let At {
            paginator,
            position,
            page,
            known,
            ..
        } = at;
        if !paginator.is_paged() {
            return Ok(Step::End(self.alone(at)?));
        }
        let total = paginator
            .total_of(page)
            .filter(|(_, of)| *of == TotalOf::Pages || !self.totals.is_of_page());
        match paginator.propose(position, page, known, total)? {
            Proposal::Go(next) => self.go_on(at, next),
            Proposal::End(end) => match end.next.clone() {
                Some(next) if self.doubts(&end, at)? => {
                    if matches!(end.by, By::Flag | By::Pages) {
                        self.doubted = Some((end.why.clone(), self.came()?));
                    }
                    self.doubt = Some(end);
                    self.go_on(at, next)
                }
                _ => self.end(at, &end),
            },
        }
    }

    /// A page is about to be judged.
    fn begin(&mut self, position: &Position) {
        if position.restarts() {
            // Its rows come again.
            let before = self.pages[0];
            self.pages = [0, before.max(1)];
            (self.stale, self.empty, self.again, self.others) = (0, 0, 0, 0);
            self.filled = 0;
            (self.promised, self.doubted, self.doubt) = (None, None, None);
            self.at_most = None;
            self.asked.clear();
            self.totals = Totals::default();
        } else if self.pages == [0, 0] {
            (self.others, self.filled) = (position.rows, position.pages);
        }
        self.pages[0] += 1;
    }

    /// The list is read once more.
    fn is_again(&self) -> bool {
        self.pages[1] > 0
    }

    /// Of the rows at the beginning of a page that stand before the last one that is known, those that have come: in a list
    /// whose rows change places there may be others.
    fn known(&mut self, known: usize, page: &PageFacts<'_>) -> Result<usize> {
        for (at, id) in page.ids.iter().take(known).enumerate() {
            if !self.rows.contains(*id).map_err(on_disk)? {
                self.again += 1;
                return Ok(at);
            }
        }
        Ok(known)
    }

    /// Takes the rows of a page into account.
    fn take(&mut self, page: &PageFacts<'_>, known: usize) -> Result<()> {
        let came = page.rows.saturating_sub(known as u64);
        let new = if page.ids.is_empty() {
            self.others += came;
            came
        } else {
            let ids = page.ids.get(known..).unwrap_or_default();
            let contents = page.contents.get(known..).unwrap_or_default();
            let added = self.rows.add_page(ids, contents).map_err(on_disk)?;
            // A list that is read once more may have changed.
            if !self.is_again() {
                self.changed += added.changed as u64;
            }
            added.new as u64
        };
        self.new = new;
        if !self.is_again() {
            self.again += came.saturating_sub(new);
        }
        self.empty = match page.rows {
            0 => self.empty + 1,
            _ => 0,
        };
        self.filled += u64::from(page.rows > 0);
        self.stale = match (new, came) {
            // It was asked for so that its rows are known.
            (_, 0) => self.stale,
            (0, _) if !self.is_again() => self.stale + 1,
            _ => 0,
        };
        if !self.terms.keyed && self.again > 0 {
            self.caps(Proof::Consistent(
                "some of its records are equal, and without a key nobody can tell whether they came twice"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// The different rows that have come; without a key all of them.
    fn came(&mut self) -> Result<u64> {
        let rows = self.rows.count().map_err(on_disk)?;
        let equal = if self.terms.keyed { 0 } else { self.again };
        Ok(self.others + rows + equal)
    }

    /// How many rows came with a key that had come with other contents.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// It is this at most.
    fn caps(&mut self, proof: Proof) {
        self.at_most = Some(match self.at_most.take() {
            Some(before) => before.and(proof),
            None => proof,
        });
    }

    /// Whether a page is as long as pages of this list get: more may follow it, whatever it says.
    fn is_full(&self, paginator: &Pager, page: &PageFacts<'_>) -> bool {
        let rows = page.rows;
        if self.longest > 0 {
            return rows >= self.longest;
        }
        match paginator.page_size().map(|size| size.rows.get()) {
            // A server may show fewer than are asked for, but hardly as few as it likes.
            Some(size) => rows > 0 && rows >= size || rows >= CAPPED && is_usual(rows),
            None => is_usual(rows),
        }
    }

    /// Another page follows.
    fn go_on(&mut self, at: At<'_>, next: Next) -> Result<Step> {
        let At {
            paginator,
            position,
            page,
            known,
            ..
        } = at;
        if !paginator.is_numbered() {
            self.asked.insert(of(&position.next));
            if self.asked.contains(&of(&next)) {
                return Err(paging(
                    "the API leads in a circle, back to a page that has been read: following it would never end",
                ));
            }
        }
        if self.stale >= STALE_PAGES {
            return Err(paging(format!(
                "{STALE_PAGES} pages in a row brought no row that had not come before"
            ))
            .hint("the page parameter probably has no effect"));
        }
        // A list that has shown no record at all gets half as long, unless its owner has said how long.
        let said = paginator.common().and_then(|common| common.empty_pages);
        let most = match said {
            None if !self.has_rows() => paginator.empty_pages() / 2,
            _ => paginator.empty_pages(),
        };
        if self.empty > most {
            return Err(paging(format!(
                "{most} pages in a row are empty, and each leads on"
            ))
            .hint("follow more of them with `.empty_pages(…)` on the paginator"));
        }
        if self.is_again() && self.pages[0] > self.pages[1].saturating_mul(2) + 100 {
            return Err(paging(
                "read once more, the list has more than twice as many pages",
            ));
        }
        self.was_full = self.is_full(paginator, page);
        self.longest = self.longest.max(page.rows);
        let step = Step::Next(Position {
            next,
            rows: position.rows + page.rows.saturating_sub(known as u64),
            pages: position.pages + 1,
            fingerprint: page.fingerprint,
            total: position.total.or(self.totals.now()),
            places: position.places.clone(),
        });
        match paginator.by_place(position, &step) {
            true => paginator.placed(at.taken(), self.ending(None), step),
            false => Ok(step),
        }
    }

    fn ending(&self, moved: Option<Moved>) -> Ending {
        Ending {
            moved,
            thorough: self.terms.thorough,
            keyed: self.terms.keyed,
        }
    }

    /// Whether one more request can settle an end: a total is reached by a page that is full, or something else says that more
    /// follows.
    fn doubts(&mut self, end: &End, at: At<'_>) -> Result<bool> {
        let At { page, said, .. } = at;
        if page.rows == 0 || self.terms.embedded {
            return Ok(false);
        }
        let flag = said.more().map(|(more, _)| more);
        let pages = self.totals.pages().map_or(0, |(pages, _)| pages);
        if said.leads().is_some() || flag == Some(true) || pages > at.position.pages + 1 {
            return Ok(true);
        }
        let came = self.came()?;
        if self.totals.most().is_some_and(|total| total > came) && self.again == 0 {
            return Ok(true);
        }
        let ends = flag == Some(false) || said.has(&Says::NoNext);
        let counted = matches!(end.by, By::Total | By::Pages);
        let full = at.position.places.was_placed_last() || self.is_full(at.paginator, page);
        Ok(counted && !ends && full)
    }

    fn capped(&self, proof: Proof) -> Proof {
        match &self.at_most {
            Some(most) => most.clone().and(proof),
            None => proof,
        }
    }
}

fn of(next: &Next) -> u64 {
    match next {
        Next::First => 0,
        Next::Value(value) => xxh3_64(value.as_bytes()),
        Next::Url(url) => xxh3_64(url.as_bytes()),
    }
}

fn api(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Api, message)
}

fn on_disk(error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::System,
        format!("the rows that have come cannot be counted in a temporary file: {error}"),
    )
}
