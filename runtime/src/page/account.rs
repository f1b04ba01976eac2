//! The account of a list over one pass: what its responses announce, and what has arrived.
//!
//! A list is proved complete only if something states its end and nothing contradicts that. If one
//! more request can settle a doubt, it is sent; a contradiction that remains is an error that names
//! both sides.

mod alone;
mod answer;
mod arrived;
mod before;
mod embedded;
mod ending;
mod front;
mod pointer;
mod silent;
mod ties;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use etlgen_model::counted;
use xxhash_rust::xxh3::xxh3_64;

pub(crate) use self::silent::Endings;
use super::advance::{By, End, PageFacts, Proposal, Step, paging};
use super::distinct::Distinct;
use super::paginator::{Next, Pager, Position, TotalOf};
use super::places::{Ending, Look, Moved, Taken};
use super::proof::Proof;
use super::statements::{Says, Statements};
use super::totals::Totals;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Stands;

/// This many pages in a row without a new row are an error.
const STALE_PAGES: u32 = 3;

/// Small numbers of rows that are more often the size of a page than the length of a list.
const USUAL_SIZES: [u64; 9] = [10, 15, 20, 25, 30, 40, 50, 60, 75];

/// A page shorter than the requested size may have been cut off if it has at least this many rows,
/// and a usual number of them.
const CAPPED: u64 = 50;

/// Returns whether a number of rows is more often the size of a page than the length of a list: few
/// lists have a round number of records.
fn is_usual(rows: u64) -> bool {
    match rows {
        0..100 => USUAL_SIZES.contains(&rows),
        100..1000 => rows.is_multiple_of(50),
        _ => rows.is_multiple_of(500),
    }
}

/// The account's judgement of a page.
pub(crate) struct Judgement {
    /// The next step; if it is an error, the list is at fault, and the rows of the page are kept.
    pub step: Result<Step>,
    /// The number of leading rows of the page that earlier pages already had.
    pub known: usize,
    /// The number of its other rows whose keys have also arrived before.
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

/// What the account must know about its list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// The resource, for the line that settles a contradiction.
    pub name: String,
    /// Whether its records have a key.
    pub keyed: bool,
    /// Whether `--since` requests only a part of it.
    pub filters: bool,
    /// The path of each part of the key.
    pub key: Vec<Vec<String>>,
    /// Whether its pages are requested by number.
    pub numbered: bool,
    /// Whether it is one object instead of a list.
    pub single: bool,
    /// Whether a list that is not proved complete is read twice.
    pub thorough: bool,
    /// Whether only a part of the list is requested, so that totals may count the rest too.
    pub narrowed: bool,
    /// When the pass began by the API's clock, in microseconds since 1970, if that is known.
    pub clock: Option<i64>,
    /// When the pass began by this machine's clock.
    pub started: Option<i64>,
    /// Whether the list is embedded in a record; then no request is sent to settle a doubt.
    pub embedded: bool,
    /// The length of the longest page of the resource, whose lists share it.
    pub longest: Arc<AtomicU64>,
    /// Whether a list of the resource has shown that no page precedes its first one.
    pub begins: Arc<AtomicBool>,
    /// Whether it is one of several lists, those of the records of a parent.
    pub child: bool,
    /// How the lists of the resource end.
    pub endings: Arc<Endings>,
}

/// The account of one list.
#[derive(Default)]
pub(crate) struct Account {
    terms: Terms,
    /// The distinct rows that have arrived.
    rows: Distinct,
    /// Those of the second reading.
    second: Distinct,
    /// The number of rows that arrived in earlier runs, or that have no ids to tell them apart.
    others: u64,
    /// The number of repeated rows, except those of a requested overlap.
    again: u64,
    /// The last row of the previous page.
    last: Option<u64>,
    /// The tokens and links that have been requested.
    asked: Distinct,
    totals: Totals,
    /// The length of the longest page.
    longest: u64,
    /// Whether the previous page had the full length of a page.
    was_full: bool,
    /// Whether the previous page is known to be shorter than another one.
    was_short: bool,
    /// Whether unchanged rows were repeated out of order: the list has no stable order.
    is_unordered: bool,
    /// The number of new rows on the page.
    new: u64,
    /// The end that the previous page proposed and that was doubted.
    doubt: Option<End>,
    /// The end that the first page proposed and that an empty second page confirms.
    confirmed: Option<End>,
    /// The number of rows whose key was repeated with other contents.
    changed: u64,
    /// The number of consecutive pages without a new row.
    stale: u32,
    /// The number of consecutive pages without a row.
    empty: u32,
    /// The number of pages with rows.
    filled: u64,
    /// The flag of the previous page that announced more pages.
    promised: Option<String>,
    /// A doubted flag or number of pages, and the number of rows at that point.
    doubted: Option<(String, u64)>,
    /// Whether the records have been in a list.
    listed: bool,
    /// The least number of rows that the API counts, where it counts no further, and its place.
    least: Option<(u64, String)>,
    /// Whether the previous page had fewer rows than were requested.
    few: bool,
    /// Whether rows followed a page that had fewer than were requested.
    gap: bool,
    /// Whether its pages have one token, by which each request brings the next page.
    scrolls: bool,
    /// Whether a response says that it is an error, or incomplete.
    faulty: bool,
    /// The strongest proof that the list can still get, with the reason.
    at_most: Option<Proof>,
    /// The number of pages of this reading, and of the previous one.
    pages: [u64; 2],
    /// Rows of a repeated first page that no page had brought.
    strays: Vec<u64>,
    /// The number of unchanged rows that the second reading has repeated.
    twice: u64,
    /// The path from which a redirect has brought a page with rows.
    landed: Option<String>,
    /// The order of its pages by the time of the last change.
    newest: front::Newest,
    /// The field whose values its tokens are.
    ties: ties::Ties,
}

impl Account {
    pub fn new(terms: Terms) -> Self {
        Account {
            terms,
            ..Account::default()
        }
    }

    /// Returns when the pass began by the API's clock, which is ahead of this machine's by `ahead`
    /// microseconds.
    pub fn began(&self, ahead: Option<i64>) -> Option<i64> {
        let here = self.terms.started.zip(ahead);
        let here = here.map(|(started, ahead)| started.saturating_add(ahead));
        self.terms.clock.or(here)
    }

    /// Returns whether all rows that a total counts have arrived.
    pub fn is_reached(&mut self) -> Result<bool> {
        let came = self.came()?;
        Ok(self.totals.least().is_some_and(|total| came >= total))
    }

    /// Returns whether a row has arrived: an empty response that proves nothing does not delete
    /// rows.
    pub fn has_rows(&mut self) -> bool {
        self.came().is_ok_and(|came| came > 0)
    }

    /// Returns whether a response says that it is an error, or incomplete.
    pub fn is_faulty(&self) -> bool {
        self.faulty
    }

    /// Judges the page at `position`: what comes next, and how many of its rows have arrived
    /// before.
    pub fn judge(
        &mut self,
        paginator: &Pager,
        position: &Position,
        page: &PageFacts<'_>,
    ) -> Result<Judgement> {
        self.begin(position);
        if let Some(proof) = position.before_first() {
            return self.before_first(paginator, page, proof);
        }
        if let Some(proof) = position.front() {
            return self.front(page, proof);
        }
        let known = match paginator.look(position, page, self.terms.keyed) {
            Look::Take(known) => self.known(known, page)?,
            Look::Pass(step) => {
                let strays = match position.looks_back() {
                    true => self.stray(page)?,
                    false => 0,
                };
                let step = match *step {
                    Step::End(proof) => {
                        self.doubt_strays()?;
                        let end = Step::End(self.capped(proof));
                        self.confirm_first(paginator, position, end)
                    }
                    step => step,
                };
                let (known, again) = match strays {
                    0 => (page.ids.len(), 0),
                    new => (0, (page.ids.len() as u64).saturating_sub(new)),
                };
                let step = Ok(step);
                return Ok(Judgement { step, known, again });
            }
        };
        let said = self.hear(paginator, page);
        self.check(page, &said)?;
        self.see_tie(page)?;
        self.take(page, known)?;
        self.gap |= self.new > 0 && std::mem::take(&mut self.few);
        let at = At {
            paginator,
            position,
            page,
            known,
            said: &said,
        };
        self.doubt_repeated(at);
        // The rows of a page are kept even if its list is contradicted.
        let (step, known) = match self.doubt.take() {
            // Some servers repeat their last or first page if the requested page does not exist.
            Some(end) if self.new == 0 && page.rows > known as u64 => {
                self.again -= (page.rows - known as u64).min(self.again);
                self.twice = self.twice.saturating_sub(page.rows - known as u64);
                let known = page.rows as usize;
                (self.end(At { known, ..at }, &end), known)
            }
            doubt => {
                // Nothing follows the first page, which has shown its whole list at once.
                let alone = position.pages == 1 && page.rows == 0 && page.stands == Stands::List;
                // A number of pages does not count the rows that may have moved from the second page to
                // the first one.
                self.confirmed =
                    doubt.filter(|end| alone && page.response.status == 200 && end.by != By::Pages);
                (self.step(at), known)
            }
        };
        self.promised = promise(&said);
        let step = step.map(|step| self.confirm_first(paginator, position, step));
        let step = step.map(|step| self.look_to_front(at, step));
        let taken = page.rows.saturating_sub(known as u64);
        let again = taken.saturating_sub(self.new);
        Ok(Judgement { step, known, again })
    }

    /// Returns the step after a page that has been accounted for.
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
            .filter(|(_, of)| *of == TotalOf::Pages || !self.totals.is_of_page())
            // A number that is smaller than what the page itself adds ends nothing.
            .filter(|(count, of)| match of {
                _ if page.rows == 0 => true,
                TotalOf::Items => *count > 0,
                TotalOf::Pages => *count > position.pages,
            });
        if self.is_clamped(at) {
            let why = "the API answers every further offset by the same page: the list ends there, or the API limits how far it can be read";
            self.caps(Proof::Unproved(why.to_owned()));
            let end = End {
                why: "nothing after the last page".to_owned(),
                by: By::Empty,
                next: None,
            };
            return self.end(at, &end);
        }
        match paginator.propose(position, page, known, total)? {
            Proposal::Go(next) => self.go_on(at, next),
            Proposal::End(end) if end.by == By::Itself => {
                if self.may_scroll(at) {
                    return self.scroll(at);
                }
                // A full page that leads to itself hides what follows it.
                if page.rows >= self.longest {
                    return Err(paging("the next link or token repeats this page"));
                }
                let why = format!("{}, and it is shorter than others", end.why);
                self.caps(Proof::Consistent(why));
                self.end(at, &end)
            }
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

    /// Begins to judge a page.
    fn begin(&mut self, position: &Position) {
        if position.restarts() {
            // The rows of the list arrive again.
            let before = self.pages[0];
            self.pages = [0, before.max(1)];
            (self.stale, self.empty, self.again, self.others) = (0, 0, 0, 0);
            (self.filled, self.twice) = (0, 0);
            (self.promised, self.doubted, self.doubt) = (None, None, None);
            // A list without an order has none in a second reading either.
            self.at_most = self.at_most.take().filter(|_| self.is_unordered);
            self.least = None;
            (self.gap, self.few, self.faulty) = (false, false, false);
            self.asked = Distinct::default();
            self.totals = Totals::default();
            self.second = Distinct::default();
        } else if self.pages == [0, 0] {
            (self.others, self.filled) = (position.rows, position.pages);
            self.promised = position.promised.clone();
            self.listed = position.listed;
        }
        self.pages[0] += 1;
    }

    /// Returns whether the list is read a second time.
    fn is_again(&self) -> bool {
        self.pages[1] > 0
    }

    /// Returns the strongest proof that the list can still get, if it is limited. A run that
    /// continues the list does not see the reason again.
    pub fn at_most(&self) -> Option<&Proof> {
        self.at_most.as_ref()
    }

    /// Limits the proof to this one at most.
    fn caps(&mut self, proof: Proof) {
        Proof::weaken(&mut self.at_most, proof);
    }

    /// Continues with another page.
    fn go_on(&mut self, at: At<'_>, next: Next) -> Result<Step> {
        let At {
            paginator,
            position,
            page,
            known,
            ..
        } = at;
        if !paginator.is_numbered() {
            self.asked.add_one(of(&position.next)).map_err(on_disk)?;
            let scrolls = self.scrolls && next == position.next;
            if !scrolls && self.asked.contains(of(&next)).map_err(on_disk)? {
                return Err(paging(
                    "the next links form a cycle: this page has already been read",
                ));
            }
        }
        if self.stale >= STALE_PAGES {
            // All pages have the rows of one page, or a list that grows moves known rows onward.
            let same = self.came()? <= page.rows;
            let hint = match (same, self.terms.filters) {
                (true, _) => "the page parameter probably has no effect",
                (false, true) => {
                    "the list may grow while it is read: read less at once (`--since`), or page it by a token or the last id if the API can"
                }
                (false, false) => {
                    "the list may grow while it is read: page it by a token or the last id if the API can"
                }
            };
            let what = format!("{STALE_PAGES} pages in a row had no new row");
            return Err(paging(what).hint(hint));
        }
        // A list that has shown no record yet may have half as many empty pages, unless the
        // paginator sets the limit.
        let said = paginator.common().and_then(|common| common.empty_pages);
        let most = match said {
            None if !self.has_rows() => paginator.empty_pages() / 2,
            _ => paginator.empty_pages(),
        };
        if self.empty > most {
            return Err(paging(format!(
                "{} in a row had no rows, but a next page",
                counted(most.into(), "page")
            ))
            .hint("follow more of them with `.empty_pages(…)` on the paginator"));
        }
        if self.is_again() && self.pages[0] > self.pages[1].saturating_mul(2) + 100 {
            return Err(paging(
                "read again, the list has more than twice as many pages",
            ));
        }
        let size = self.size_after(at);
        self.was_full = self.is_full(paginator, page);
        self.was_short = page.rows < self.longest.max(self.terms.longest.load(Relaxed));
        self.longest = self.longest.max(page.rows);
        let next = Position {
            next,
            rows: position.rows + page.rows.saturating_sub(known as u64),
            pages: position.pages + 1,
            fingerprint: page.fingerprint,
            total: position.total.or(self.totals.now()),
            counted_rows: position.counted_rows.max(self.totals.counted_rows()),
            counted_pages: position.counted_pages.max(self.totals.counted_pages()),
            promised: promise(at.said),
            // What the first token seemed to be is settled by the second one.
            counts: position.counts && position.pages > 1,
            listed: self.listed,
            size,
            places: position.places.clone(),
        };
        let counts = next.counts || self.scrolls || paginator.counts(position, &next, page);
        if !paginator.is_numbered() {
            self.ties.lead(&next.next, page, &self.terms.key);
        }
        let step = Step::Next(Position { counts, ..next });
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
            repeats: self.is_again() && self.twice > 0,
        }
    }

    /// Returns whether one more request can settle an end: a full page reaches a total, or
    /// something else says that more follows.
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
        // A total that counts fewer rows than have arrived is wrong: it ends nothing.
        if end.by == By::Total && self.totals.exceeded(came).is_some() {
            return Ok(true);
        }
        let counted = matches!(end.by, By::Total | By::Pages);
        let first = at.position.pages == 0;
        let full = at.position.places.was_placed_last()
            || self.is_full(at.paginator, page)
            || first && self.may_be_full(at.paginator, page);
        Ok(counted && !ends && full)
    }

    fn capped(&self, proof: Proof) -> Proof {
        match &self.at_most {
            Some(most) => most.clone().and(proof),
            None => proof,
        }
    }
}

/// Returns the place of the flag that announces more pages.
fn promise(said: &Statements) -> Option<String> {
    match said.more() {
        Some((true, flag)) => Some(flag.place.clone()),
        _ => None,
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
        format!("the received rows cannot be counted in a temporary file: {error}"),
    )
}
