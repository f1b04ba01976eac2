//! The account of a list over one pass: what its answers have said on one side, what came on the other.
//!
//! A list is proved to be whole only if something says so and nothing says otherwise. What one more request can settle is asked
//! for; what stays contradicted is an error that names both sides.

use std::collections::HashSet;
use std::ops::Deref;

use etlgen_model::{Paginator, ResponsePath, Token, Total as Stated};
use xxhash_rust::xxh3::xxh3_64;

use super::advance::{By, End, PageFacts, Proposal, Step, paging};
use super::distinct::Distinct;
use super::paginator::{Next, Pager, Position, TotalOf};
use super::places::{Ending, Look, Moved, Taken};
use super::proof::Proof;
use super::statements::{Says, Statement, Statements};
use super::totals::Totals;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Stands;

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
    /// Pages in a row without a new row.
    stale: u32,
    /// Pages in a row without a row.
    empty: u32,
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
                let (known, step) = (page.ids.len(), Ok(step));
                return Ok(Judgement { step, known });
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
        let step = self.step(at);
        self.promised = match said.more() {
            Some((true, flag)) => Some(flag.place.clone()),
            _ => None,
        };
        Ok(Judgement { step, known })
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
                        self.doubted = Some((end.why, self.came()?));
                    }
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
            (self.promised, self.doubted, self.at_most) = (None, None, None);
            self.asked.clear();
            self.totals = Totals::default();
        } else if self.pages == [0, 0] {
            self.others = position.rows;
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

    /// What a page says.
    fn hear(&mut self, paginator: &Pager, page: &PageFacts<'_>) -> Statements {
        let mut said = Statements::of(page.beside, &page.response.headers);
        let total = paginator.total_of(page).map(|(count, _)| count);
        said.declare(paginator, total, paginator.says(page));
        if paginator.total() == Some(&Stated::Ignored) {
            said.without_counts();
        }
        let size = paginator.page_size().map(|size| size.rows.get());
        self.totals.hear(&said, page.rows, size);
        said
    }

    /// What makes a page no page of this list.
    fn check(&mut self, page: &PageFacts<'_>, said: &Statements) -> Result<()> {
        if self.listed && !self.terms.single && page.stands == Stands::Object {
            return Err(paging(
                "the records stood in a list on the pages before, and here is one object",
            ));
        }
        self.listed |= page.stands == Stands::List;
        if page.response.status == 202 && page.rows == 0 {
            return Err(api(
                "202 Accepted: the answer is not ready, and holds no records",
            ));
        }
        let wrong = said.find(|said| match &said.says {
            Says::Error(words) => Some(words),
            _ => None,
        });
        match wrong {
            Some((words, at)) if page.rows == 0 => {
                return Err(api(format!("`{}` in a 2xx answer: {words}", at.place)));
            }
            Some((words, at)) => {
                let place = &at.place;
                let why = format!("an answer names an error beside its rows (`{place}`: {words})");
                self.caps(Proof::Unproved(why));
            }
            None => {}
        }
        let incomplete = |said: &Statement| (said.says == Says::Incomplete).then_some(());
        if let Some(((), at)) = said.find(incomplete) {
            let why = format!(
                "`{}` says that an answer does not hold all that it should",
                at.place
            );
            self.caps(Proof::Unproved(why));
        }
        if page.stands == Stands::Nothing && page.response.status == 200 {
            let why = "an object without records stands for an empty list".to_owned();
            self.caps(match self.pages == [1, 0] {
                true => Proof::Assumed(why),
                false => Proof::Consistent(why),
            });
        }
        let silent = said.more().is_none() && said.leads().is_none();
        match &self.promised {
            Some(flag) if page.rows == 0 && silent && page.response.status < 400 => {
                Err(paging(format!(
                    "`{flag}` said that more follows, and what followed is empty ({})",
                    match page.response.status {
                        204 => "204 No Content".to_owned(),
                        _ => page.response.request.clone(),
                    }
                )))
            }
            _ => Ok(()),
        }
    }

    /// Takes the rows of a page into account.
    fn take(&mut self, page: &PageFacts<'_>, known: usize) -> Result<()> {
        let came = page.rows.saturating_sub(known as u64);
        let new = if page.ids.is_empty() {
            self.others += came;
            came
        } else {
            let ids = page.ids.get(known..).unwrap_or_default();
            self.rows.add(ids).map_err(on_disk)? as u64
        };
        if !self.is_again() {
            self.again += came.saturating_sub(new);
        }
        self.empty = match page.rows {
            0 => self.empty + 1,
            _ => 0,
        };
        self.stale = match (new, page.rows, self.is_again()) {
            (0, 1.., false) => self.stale + 1,
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
        let most = paginator.empty_pages();
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

    /// The list of one answer: nothing leads on, or nobody knows how.
    fn alone(&mut self, at: At<'_>) -> Result<Proof> {
        let At { page, said, .. } = at;
        if self.terms.single {
            return Ok(self.capped(Proof::Proved("it is one object".into())));
        }
        let (rows, usual) = (page.rows, is_usual(page.rows));
        let undecided = **at.paginator == Paginator::Undecided;
        if let Some((more, counts)) = says_more(rows, said) {
            if undecided {
                let why = format!("how it is paged is undecided, and {more}");
                return Ok(Proof::Unproved(why));
            }
            if counts && self.terms.narrowed {
                let why = format!("{rows} rows came, and {more}: it may count others too");
                return Ok(Proof::Unproved(why));
            }
            return Err(paging(format!(
                "one answer of {rows} rows was read, since nothing says how this list is paged, but {more}"
            ))
            .hint(format!(
                "say how it is paged: `paginate = {{ kind = \"…\" }}` of `{0}` in etlgen.toml, or `.paginate(…)` in its file; `total = false` there, if a total lies",
                self.terms.name
            )));
        }
        let ends = said.find(|said| match said.says {
            Says::More(false) => Some("says that nothing follows".to_owned()),
            Says::NoNext => Some("leads nowhere".to_owned()),
            Says::Pages(pages) if pages <= 1 && !said.may_count_from_0() => {
                Some(format!("counts {pages} pages"))
            }
            Says::Total(total) if total == rows && !usual => Some(format!("counts {total} rows")),
            _ => None,
        });
        let less = said.find(|said| match said.says {
            Says::Total(total) if total < rows => Some(total),
            _ => None,
        });
        if let Some((total, said)) = less {
            return Ok(Proof::Unproved(format!(
                "{rows} rows came in one answer, and `{}` counts {total}",
                said.place
            )));
        }
        let proof = match ends {
            Some((what, said)) => Proof::Proved(format!("`{}` {what}", said.place)),
            None if undecided => {
                Proof::Unproved("how this resource is paged is undecided: one page was read".into())
            }
            None if usual => Proof::Unproved(format!(
                "one answer of {rows} rows was read, which is a usual length of a page: more may follow"
            )),
            None => Proof::Assumed("nothing says that there is more than one answer".into()),
        };
        Ok(self.capped(proof))
    }

    /// The end of a list, as far as a page says so.
    fn end(&mut self, at: At<'_>, end: &End) -> Result<Step> {
        let At {
            paginator,
            position,
            page,
            known,
            ..
        } = at;
        self.contradicted(end, at)?;
        let came = self.came()?;
        // Rows that came the first time may be gone.
        let now = position.rows + page.rows.saturating_sub(known as u64);
        let most = if self.is_again() { came.min(now) } else { came };
        let mut moved = match self.short(end, came, at) {
            Some(moved) => Some(moved),
            None => self.over(most)?,
        };
        if end.by == By::Refusal {
            return self.refused(end, page, moved, came).map(Step::End);
        }
        let proved = Step::End(Proof::Proved(end.why.clone()));
        let by_place = paginator.by_place(position, &proved);
        if moved.is_none() {
            moved = self.moved(position, by_place);
        }
        // What stands for an empty page may stand for something else.
        let empty = match page.stands {
            Stands::Null if !at.said.has(&Says::NoNext) => Some("null"),
            _ if page.response.status == 204 => Some("204 No Content"),
            _ => None,
        };
        if let Some(empty) = empty.filter(|_| !by_place && position.pages > 0) {
            let why = format!("{empty} stands for the page that it led to last");
            self.caps(Proof::Consistent(why));
        }
        if let Some(why) = self.silence(end, at) {
            self.caps(Proof::Unproved(why));
        }
        if by_place && (position.pages > 0 || self.is_again()) {
            let ending = self.ending(moved);
            let step = paginator.placed(at.taken(), ending, proved)?;
            return Ok(match step {
                Step::End(proof) => Step::End(self.capped(proof)),
                next => next,
            });
        }
        let proof = match moved {
            Some(Moved::Short { error, .. }) => return Err(error),
            Some(Moved::Rows(why) | Moved::Over { reason: why, .. }) => Proof::Consistent(why),
            Some(Moved::Unknown(why)) => Proof::Unproved(why),
            None => Proof::Proved(end.why.clone()),
        };
        Ok(Step::End(self.capped(proof)))
    }

    fn capped(&self, proof: Proof) -> Proof {
        match &self.at_most {
            Some(most) => most.clone().and(proof),
            None => proof,
        }
    }

    /// What speaks against an end, of this page and of those before it.
    fn contradicted(&mut self, end: &End, at: At<'_>) -> Result<()> {
        let At { page, said, .. } = at;
        let why = &end.why;
        if let Some((true, flag)) = said.more() {
            return Err(paging(format!(
                "the list ended ({why}), yet the API says that more follows (`{}`)",
                flag.place
            )));
        }
        if page.rows > 0
            && let Some(lead) = said.leads()
        {
            return Err(paging(format!(
                "the list ended ({why}), yet the API leads on in `{}`",
                lead.place
            ))
            .hint(format!(
                "say what leads on: `next` of `paginate` of `{}` in etlgen.toml, or `.paginate(…)` in its file",
                self.terms.name
            )));
        }
        if let Some((doubted, rows)) = self.doubted.clone() {
            let more = self.came()?.saturating_sub(rows);
            if more > 0 {
                return Err(paging(format!(
                    "after {rows} rows the API said that nothing follows ({doubted}), and {more} rows followed"
                ))
                .hint(self.line()));
            }
        }
        Ok(())
    }

    /// The line that settles a total that lies.
    fn line(&self) -> String {
        format!(
            "run again; if it stays, a wrong total is settled by `total = false` in `paginate` of `{}` in etlgen.toml, or by `.without_total()` in its file; else the paginator or its page size is not what the API wants",
            self.terms.name
        )
    }

    /// Whether rows are missing of those that the totals count.
    fn short(&self, end: &End, came: u64, at: At<'_>) -> Option<Moved> {
        let (why, read) = (&end.why, at.position.pages + 1);
        if let Some((pages, place)) = self.totals.pages().filter(|(pages, _)| read < *pages) {
            let reason = format!("it ended after {read} pages, and `{place}` counts {pages}");
            let error = paging(format!(
                "the list ended ({why}) after {read} pages, but the API counts {pages} (`{place}`)"
            ));
            let error = error.hint(self.line());
            return Some(Moved::Short { reason, error });
        }
        let total = self.totals.missing(came)?;
        let (count, place) = (total.last, &total.place);
        if total.moved() && end.by == By::Total {
            // Its rows have passed all the same.
            let why = format!("`{place}` moved from {} to {count}", total.first);
            return Some(Moved::Rows(why));
        }
        if total.is_weak || self.terms.narrowed && !total.declared || total.moved() {
            let counts = match total.moved() {
                true => format!("moved from {} to {count}", total.first),
                false => format!("counts {count}"),
            };
            let why = format!("{came} rows came, and `{place}` {counts}");
            return Some(Moved::Unknown(why));
        }
        let reason = format!("{came} different rows came, and `{place}` counts {count}");
        let error = paging(format!(
            "the list ended ({why}) after {came} rows, but the API counts {count} (`{place}`)"
        ));
        let error = error.hint(self.line());
        Some(Moved::Short { reason, error })
    }

    /// Whether more rows have come than the totals count.
    fn over(&self, came: u64) -> Result<Option<Moved>> {
        let Some((most, place)) = self.totals.exceeded(came) else {
            return Ok(None);
        };
        let reason = format!("`{place}` counts {most} rows, and {came} different ones came");
        let error = paging(reason.clone()).hint(self.line());
        // Rows that came and went meanwhile are few.
        match came - most > self.longest.max(1) {
            true => Err(error),
            false => Ok(Some(Moved::Over { reason, error })),
        }
    }

    /// Signs that the list has moved while it was read.
    fn moved(&self, position: &Position, by_place: bool) -> Option<Moved> {
        if let Some((before, now)) = position.total.zip(self.totals.now())
            && before != now
            && !self.totals.is_of_page()
        {
            let why = format!("its total moved from {before} to {now}");
            return Some(Moved::Rows(why));
        }
        (by_place && self.terms.keyed && self.again > 0)
            .then(|| Moved::Rows("rows of it came twice".to_owned()))
    }

    /// Why the silence of a page proves nothing.
    fn silence(&self, end: &End, at: At<'_>) -> Option<String> {
        let page = at.page;
        let first = at.position.pages == 0 && end.by == By::NoNext;
        if !first || !self.is_full(at.paginator, page) {
            return None;
        }
        let header = match at.paginator.deref() {
            Paginator::LinkHeader(_) => Some("Link"),
            Paginator::Token(Token { next, .. }) => next.header(),
            _ => None,
        };
        let place = match header {
            Some(header) if page.response.header(header).is_some() => return None,
            Some(header) => header,
            _ => at.paginator.probes()[2].filter(|_| page.probes[2].is_none())?,
        };
        // A wrong place looks like the end of the list.
        Some(format!(
            "the first page is full, and there is no `{place}` in it: more may follow"
        ))
    }

    /// A status behind the last page: the end, or all that the API shows.
    fn refused(
        &mut self,
        end: &End,
        page: &PageFacts<'_>,
        moved: Option<Moved>,
        came: u64,
    ) -> Result<Proof> {
        let why = &end.why;
        if let Some(flag) = &self.promised {
            return Err(paging(format!(
                "`{flag}` said that more follows, and what followed is {why}"
            )));
        }
        match moved {
            Some(Moved::Short { reason, .. }) => Err(paging(format!(
                "the API shows no more of this list ({why}), and {reason}"
            ))
            .hint(format!(
                "it shows only so many rows: narrow `{}` by a parameter, or read it in windows of its cursor (`incremental` in etlgen.toml)",
                self.terms.name
            ))),
            Some(Moved::Unknown(why)) => Ok(Proof::Unproved(why)),
            _ if page.response.status != 404 && self.was_full && !self.is_reached()? => {
                Ok(Proof::Unproved(format!(
                    "{why}, which was full, after {came} rows: the end, or all that the API shows of it"
                )))
            }
            _ => Ok(self.capped(Proof::Consistent(why.clone()))),
        }
    }

    /// The first step of a list whose beginning came within a record. Where the place of the next page does not follow from
    /// that, since it has no headers or is not as long as a page, the list is read from its first page.
    pub fn begin_embedded(&mut self, paginator: &Pager, beginning: &PageFacts<'_>) -> Result<Step> {
        let start = Position::default();
        let more = paginator.says(beginning);
        let numbered = matches!(
            paginator.deref(),
            Paginator::PageNumber(_)
                | Paginator::LinkHeader(_)
                | Paginator::Token(Token {
                    next: ResponsePath::Header(_),
                    ..
                })
        );
        let stub = beginning.rows == 0 && more == Some(true);
        if !numbered && !stub {
            return self.judge(paginator, &start, beginning)?.step;
        }
        let ends = beginning.rows == 0
            || more == Some(false)
            || paginator
                .total_of(beginning)
                .is_some_and(|(count, of)| match of {
                    TotalOf::Items => beginning.rows >= count,
                    TotalOf::Pages => count <= 1,
                });
        Ok(match !stub && ends {
            true => Step::End(Proof::Proved("it is whole within the record".into())),
            false => Step::Next(start),
        })
    }
}

/// What says of one answer that there is more, and whether it says so by a number.
fn says_more(rows: u64, said: &Statements) -> Option<(String, bool)> {
    if let Some((true, flag)) = said.more() {
        return Some((format!("`{}` says that more follows", flag.place), false));
    }
    if let Some(lead) = said.leads() {
        return Some((format!("`{}` leads on", lead.place), false));
    }
    let counted = said.find(|said| match said.says {
        Says::Total(total) | Says::Count(total) if total > rows => Some(format!("{total} rows")),
        Says::Pages(pages) if pages > 1 => Some(format!("{pages} pages")),
        _ => None,
    });
    counted.map(|(count, said)| (format!("`{}` counts {count}", said.place), true))
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
