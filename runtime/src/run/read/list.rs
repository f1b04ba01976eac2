//! Reads one list to its end, page by page, each page together with the state that follows it.

mod doubts;
mod edge;

use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;

use crate::cursor::Range;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Response;
use crate::page::{Account, Position, Proof, Step};
use crate::record::CursorValue;
use crate::run::options::Progress;
use crate::run::read::fetch::Fetched;
use crate::run::read::intake::{Intake, PagePlace, Shown};
use crate::run::read::order::Sorting;
use crate::run::read::pages::Pages;
use crate::run::read::reader::{ReadOutcome, ResourceReader, Slice};
use crate::run::read::rows::{Origin, Resting};
use crate::run::read::window::Window;
use crate::state::OpenWindow;

/// How the reading of a list ended.
pub(super) enum Read {
    Ended(ReadOutcome),
    /// The API shows no more of this range although there is more; the text says how this is known.
    Cut(Range, String),
}

/// A list of a slice that is being read: the whole of it, or one window.
pub(super) struct List<'a> {
    of: &'a ResourceReader,
    slice: &'a Slice,
    window: Window,
    /// Where its reading continues.
    position: Position,
    /// Whether it is one window of several.
    windowed: bool,
    /// Whether it does not begin at its start, but where an earlier run stopped.
    resumed: bool,
    /// The position of an earlier run at which it begins, if it does.
    begun_at: Option<Position>,
    /// Whether its last page has no rows.
    is_empty: bool,
    /// Its number among all lists that this run reads.
    number: u64,
    sorting: Sorting,
    /// What its responses announced, and what has arrived.
    account: Account,
    /// Rows of it whose key came before with other contents.
    changed: u64,
    /// Whether its last page contradicts what came before.
    contradicted: bool,
    /// The strongest proof that it can get, because a part of it was read before.
    at_most: Option<Proof>,
    /// The status that a rule of the owner calls an empty page, if one had it.
    ruled: Option<u16>,
    /// A fingerprint of its records, and their number, so far.
    records: (u64, u64),
}

/// What follows a page.
enum Flow {
    GoOn,
    Ended(ReadOutcome),
    /// The API shows no more although there is more.
    CutOff(String),
    /// The list begins anew, with another bound.
    Anew,
}

impl<'a> List<'a> {
    pub fn new(
        of: &'a ResourceReader,
        slice: &'a Slice,
        window: Window,
        position: Position,
        windowed: bool,
    ) -> Self {
        let cursor = of.fetcher.spec().cursor.as_ref();
        let order = cursor.map_or_else(Default::default, |cursor| cursor.order);
        let account = of.fetcher.account(&window, &slice.pass());
        List {
            account,
            changed: 0,
            contradicted: false,
            at_most: None,
            ruled: None,
            records: (0, 0),
            of,
            slice,
            window,
            position,
            windowed,
            resumed: false,
            begun_at: None,
            is_empty: false,
            number: of.lists.fetch_add(1, Relaxed),
            sorting: Sorting::new(order, !slice.pass().unsorted),
        }
    }

    /// Reads it to its end.
    pub async fn read(mut self) -> Result<Read> {
        let Some((mut pages, mut response)) = self.begin().await? else {
            return Ok(Read::Ended(ReadOutcome::Skipped));
        };
        loop {
            let flow = match self.refused(&response) {
                Some(why) => Flow::CutOff(why),
                None => match self.page(response, &mut pages).await {
                    Err(error) if self.contradicted => {
                        self.begin_anew().await;
                        return Err(error);
                    }
                    flow => flow?,
                },
            };
            response = match flow {
                Flow::GoOn => pages.take(&self.position).await?,
                Flow::Ended(outcome) => return Ok(Read::Ended(outcome)),
                Flow::Anew => self.ask_anew(&mut pages).await?,
                Flow::CutOff(why) => match self.last() {
                    Some(from) => {
                        self.begin_at(from, &why);
                        self.ask_anew(&mut pages).await?
                    }
                    None => return Ok(Read::Cut(self.window.range, why)),
                },
            };
        }
    }

    /// Requests the first page with another bound.
    async fn ask_anew(&self, pages: &mut Pages) -> Result<Response> {
        let fetcher = &self.of.fetcher;
        let first = fetcher.first_request(&self.slice.request, &self.window)?;
        let response = fetcher.ask(&first, &self.position).await?;
        *pages = Pages::new(fetcher.clone(), first);
        Ok(response)
    }

    /// Requests the first page, or the one where an earlier run stopped; returns `None` if the list
    /// is left out.
    async fn begin(&mut self) -> Result<Option<(Pages, Response)>> {
        let (fetcher, spec) = (&self.of.fetcher, self.of.fetcher.spec());
        let mut first = fetcher.first_request(&self.slice.request, &self.window)?;
        let mut response = fetcher.ask(&first, &self.position).await?;
        let resumed = self.position != Position::default();
        if resumed && matches!(response.status, 400 | 404 | 410 | 422) {
            self.of.warn(format!("the API no longer knows the position of the last run ({}): read again from the beginning", response.status));
            self.position = Position::default();
            if !self.windowed {
                self.slice.change(|pass| pass.high = None);
            }
            response = fetcher.ask(&first, &self.position).await?;
        }
        if !self.windowed && fetcher.refuses_filter(&response, &self.window) {
            let param = spec.cursor.as_ref().and_then(|cursor| cursor.param.clone());
            self.of.warn(format!(
                "the API refuses the filter `{}` ({}): read in full instead",
                param.unwrap_or_default(),
                response.status
            ));
            self.slice.change(|pass| pass.from = None);
            self.window.range.from = None;
            first = spec.first_request(&self.slice.request, &fetcher.client)?;
            response = fetcher.ask(&first, &self.position).await?;
        }
        if spec.skips(response.status) && self.position == Position::default() {
            self.of.leave_out(self.slice, response.status);
            return Ok(None);
        }
        let continues = self.slice.continues && !self.windowed;
        let goes_on = self.position != Position::default();
        self.begun_at = goes_on.then(|| self.position.clone());
        self.resumed = goes_on || continues;
        if continues {
            self.limit();
        }
        Ok(Some((Pages::new(fetcher.clone(), first), response)))
    }

    /// Takes a page, with the state that follows it.
    async fn page(&mut self, response: Response, pages: &mut Pages) -> Result<Flow> {
        let of = self.of;
        let slice = &self.slice.request;
        self.note_rule(response.status);
        let fetched = of
            .fetcher
            .read(response, &self.position, slice, &mut self.account);
        let wrong = |error: &Error| self.contradicted = error.kind() == ErrorKind::Paging;
        let mut fetched = fetched.await.inspect_err(wrong)?;
        self.contradicted = fetched.step.is_err();
        self.records = (
            fetched.follow(self.records.0),
            self.records.1.saturating_add(fetched.sent),
        );
        let step = std::mem::replace(&mut fetched.step, Ok(Step::End(Proof::Open)));
        let step = match step {
            // Without a key its rows would be duplicated when the page is requested again.
            Err(error) if of.fetcher.spec().primary_key.is_empty() => return Err(error),
            step => step,
        };
        let rows = fetched.page.spans.len() as u64;
        let cut_off = self.cut_off(rows, fetched.total);
        if cut_off.is_some() && self.position.pages == 0 && !self.may_go_on_from_last() {
            // The list is read again in parts.
            return Ok(Flow::CutOff(cut_off.unwrap_or_default()));
        }
        let cut = self.cut(rows);
        let goes_on = cut.is_none() && !of.stopped();
        let waits = cut_off.is_some() || self.sorting.may_leave(&self.window);
        if let Ok(Step::Next(position)) = &step
            && goes_on
            && !waits
        {
            pages.ask(self.foreseen(position, fetched.sent, fetched.stated));
        }
        self.count(rows, fetched.total);
        let replaced = self.count_repeated(fetched.again) + self.compare_keys(&fetched)?;
        let mut intake = of.intake.lock().await;
        if replaced > 0 {
            self.replace(&mut intake);
        }
        self.doubt(&mut intake, &fetched)?;
        let ids = std::mem::take(&mut fetched.ids);
        let shown = self.take(&mut intake, fetched, cut)?;
        self.count_replaced(&mut intake);
        self.note(&shown, &ids);
        if cut.is_some() {
            // The rest of this page was not taken: the next run requests it again.
            of.remember(&mut intake, self.slice);
            return Ok(Flow::Ended(ReadOutcome::Stopped));
        }
        if let Some(why) = self.sorting.leaves(&self.window) {
            return self.end(&mut intake, Proof::Proved(why.to_owned())).await;
        }
        if let Some(why) = cut_off {
            return Ok(Flow::CutOff(why));
        }
        match step? {
            Step::End(proof) => self.end(&mut intake, proof).await,
            Step::Next(position) => {
                if position.restarts() {
                    self.restart();
                }
                self.position = position;
                self.keep();
                of.remember(&mut intake, self.slice);
                intake.output.checkpoint().await?;
                Ok(match goes_on {
                    true => Flow::GoOn,
                    false => Flow::Ended(ReadOutcome::Stopped),
                })
            }
        }
    }

    /// Hands over the rows of a page, at most `cut` of them.
    fn take(&mut self, intake: &mut Intake, fetched: Fetched, cut: Option<u64>) -> Result<Shown> {
        self.note_zone(&fetched);
        let place = PagePlace {
            origin: Origin {
                slice: &self.slice.id,
                columns: &self.slice.columns,
                list: self.number,
                resumed: self.resumed,
            },
            request: &self.slice.request,
            rows_before: self.position.rows,
            window: &self.window,
            limit: cut.unwrap_or(u64::MAX),
            resting: self.resting(),
            edge: self.edge(),
        };
        self.sorting.turn();
        // The rows of a repeated first page are in no order with those before it.
        let mut apart = Sorting::default();
        let sorting = match self.position.comes_again() && !self.position.restarts() {
            true => &mut apart,
            false => &mut self.sorting,
        };
        intake.page(fetched.page, place, sorting)
    }

    /// Records that a page is empty by a rule of the owner.
    fn note_rule(&mut self, status: u16) {
        let is_asked = !self.position.overlaps() && !self.position.is_before_first();
        if is_asked && self.of.fetcher.spec().is_empty(status) {
            self.ruled = Some(status);
        }
    }

    /// Counts the rows of a page whose keys came before in this list; returns how many of them came
    /// with other contents.
    fn count_repeated(&mut self, again: u64) -> u64 {
        let before = std::mem::replace(&mut self.changed, self.account.changed());
        let changed = self.changed.saturating_sub(before);
        let fetcher = &self.of.fetcher;
        fetcher.stats.changed.fetch_add(changed, Relaxed);
        if !fetcher.spec().primary_key.is_empty() {
            fetcher.stats.again.fetch_add(again, Relaxed);
        }
        changed
    }

    /// Compares the list with those of other parents.
    fn compare_lists(&self) {
        let (records, rows) = self.records;
        let compares = self.of.fetcher.spec().parent.is_some() && !self.resumed;
        if compares {
            self.of.of_parents().add(records, rows);
        }
    }

    /// Compares the keys of a page with those of other lists; returns how many came in another slice.
    fn compare_keys(&self, page: &Fetched) -> Result<u64> {
        let of = self.of;
        let is_keyed = !of.fetcher.spec().primary_key.is_empty();
        if is_keyed && (self.windowed || self.may_go_on_from_last()) {
            of.compare_windows(self.slice, &self.window, page)?;
        }
        of.compare_keys(self.slice, page)
    }

    /// Counts the rows of a page that have replaced rows of an interrupted run.
    fn count_replaced(&self, intake: &mut Intake) {
        let replaced = intake.output.replaced();
        if replaced > 0 {
            let stats = &self.of.fetcher.stats;
            stats.replaced.fetch_add(replaced, Relaxed);
            self.replace(intake);
        }
    }

    /// Records that rows of the list have replaced others that may be other records.
    fn replace(&self, intake: &mut Intake) {
        self.of.fall_short(intake, self.slice);
        let why = "records of its table have replaced others with the same key";
        self.of.owe(self.slice, Proof::Unproved(why.to_owned()));
    }

    /// Returns what is known of the rows of a list that does not begin at its start.
    fn resting(&self) -> Option<Resting> {
        let fetcher = &self.of.fetcher;
        let began = || self.account.began(fetcher.client.clock_ahead());
        (self.resumed && fetcher.spec().cursor.is_some()).then(|| Resting {
            began: began().unwrap_or(i64::MIN),
            from: (self.window.range.from.clone()).filter(|_| self.slice.continues),
        })
    }

    /// Limits the proof of a list whose position of an earlier run leads to nothing: its token may have
    /// expired.
    fn doubt_position(&mut self) -> Result<()> {
        let is_first = self.begun_at.as_ref() == Some(&self.position);
        if is_first && self.is_empty && !self.account.is_reached()? {
            let why = "the position at which an earlier run stopped leads to nothing: it may no longer be valid";
            self.at_most(Proof::Unproved(why.to_owned()));
        }
        Ok(())
    }

    /// Ends a list that has been read to its end.
    async fn end(&mut self, intake: &mut Intake, proof: Proof) -> Result<Flow> {
        self.doubt_position()?;
        if self.asks_for_more(intake) {
            return Ok(Flow::Anew);
        }
        let proof = match self.at_most.take() {
            Some(limit) => limit.and(proof),
            None => proof,
        };
        let proof = match intake.output.doubt() {
            Some(why) => proof.and(Proof::Unproved(why)),
            None => proof,
        };
        let proof = match &self.of.fetcher.spec().unsure {
            Some(why) => proof.and(Proof::Unproved(why.clone())),
            None => proof,
        };
        // The owner says that this is the end, and not the API.
        let proof = match (proof, self.ruled) {
            (Proof::Proved(_), Some(status)) => {
                Proof::Assumed(format!("{status} is an empty page, as `on_status` says"))
            }
            (proof, _) => proof,
        };
        let has_rows = self.account.has_rows();
        let silent = !has_rows && !proof.is_proved();
        self.of.silent.fetch_or(silent, Relaxed);
        self.of.faulty.fetch_or(self.account.is_faulty(), Relaxed);
        let whole = match proof {
            Proof::Proved(_) => true,
            // An empty response that announces nothing does not prove that all known records were
            // deleted; among the lists of several parents, some are empty.
            Proof::Assumed(_) => has_rows || self.of.fetcher.spec().parent.is_some(),
            _ => false,
        };
        if !whole {
            self.of.fall_short(intake, self.slice);
        }
        self.of.prove(self.slice, proof);
        intake.output.end_list(self.number);
        match self.windowed {
            true => {
                self.close(&self.window.range);
                self.of.remember(intake, self.slice);
            }
            false => {
                self.compare_lists();
                self.of.finish_slice(intake, self.slice);
            }
        }
        intake.output.checkpoint().await?;
        Ok(Flow::Ended(ReadOutcome::AtEnd))
    }

    /// Records what the rows of a page, which have these ids, show about the cursor.
    fn note(&mut self, shown: &Shown, ids: &[u64]) {
        if shown.lacks_cursor {
            self.doubt_filter();
        }
        let broken = self.sorting.is_broken();
        self.join(shown, ids);
        self.slice.change(|pass| {
            self.rise(pass, shown, ids);
            if broken && !pass.unsorted {
                pass.unsorted = true;
                self.of.warn(
                    "the list is not sorted by its cursor as declared, so it was read to its end"
                        .to_owned(),
                );
            }
        });
    }

    /// Writes into the pass where the list continues.
    fn keep(&self) {
        let (position, last) = (self.position.clone(), self.last());
        if let Some(limit) = self.account.at_most()
            && self.of.fetcher.spec().keeps(&position)
        {
            self.of.owe(self.slice, limit.clone());
        }
        self.slice.change(|pass| {
            if !self.windowed {
                pass.position = position;
                let spec = self.of.fetcher.spec();
                // If another run cannot use the position, the last value is worth more.
                if !spec.paginator.keeps(&pass.position)
                    && spec.changes.is_empty()
                    && !pass.staged
                    && let Some(last) = last
                {
                    pass.in_full |= pass.from.is_none();
                    pass.from = Some(last.to_string());
                }
                return;
            }
            let window = self.window.range.interval();
            match pass.open.iter_mut().find(|open| open.window == window) {
                Some(open) => open.position = position,
                None => pass.open.push(OpenWindow { window, position }),
            }
        });
    }

    /// Writes into the pass of windows that a part of its range has been read.
    fn close(&self, read: &Range) {
        let Some(cursor) = &self.of.fetcher.spec().cursor else {
            return;
        };
        let window = self.window.range.interval();
        self.slice.change(|pass| {
            pass.open.retain(|open| open.window != window);
            let closed = pass.closed.iter();
            let mut closed = closed.map(|part| Range::parse(part, cursor)).collect();
            read.clone().close(&mut closed);
            pass.closed = closed.iter().map(Range::interval).collect();
        });
    }

    /// Returns why the response means that the API shows no more of a list: it refuses a page after
    /// the first.
    fn refused(&mut self, response: &Response) -> Option<String> {
        let cursor = self.of.fetcher.spec().cursor.as_ref()?;
        let refused = matches!(response.status, 400 | 416 | 422)
            && self.position.pages > 0
            && !self.position.overlaps()
            && !self.of.fetcher.spec().is_empty(response.status)
            && !self.position.is_before_first()
            && !self.position.leads_by_end_word()
            && !self.account.is_reached().unwrap_or_default();
        (refused && (cursor.is_bounded() || self.last().is_some())).then(|| {
            format!(
                "{} after {}",
                response.status,
                counted(self.position.rows, "row")
            )
        })
    }

    /// Returns why a page is the last one that the API shows of a list that is longer.
    fn cut_off(&self, rows: u64, total: Option<u64>) -> Option<String> {
        let most = self.of.fetcher.spec().cursor.as_ref()?.most_rows?;
        let read = self.position.rows + rows;
        match total {
            Some(total) if total > most => Some(format!("{most} of {}", counted(total, "row")))
                .filter(|_| read >= most || !self.may_go_on_from_last()),
            Some(total) if total <= read => None,
            _ => (read >= most).then(|| counted(read, "row")),
        }
    }

    /// Returns whether a list that is cut off can be requested again from its last value.
    fn may_go_on_from_last(&self) -> bool {
        let cursor = self.of.fetcher.spec().cursor.as_ref();
        self.sorting.rises() && cursor.is_some_and(|cursor| cursor.param.is_some())
    }

    /// Returns the value of the last row, if the rest can be requested by it.
    fn last(&self) -> Option<CursorValue> {
        let last = self.sorting.last().filter(|_| self.may_go_on_from_last())?;
        let goes_on = self
            .window
            .range
            .from
            .as_ref()
            .is_none_or(|from| from < last);
        goes_on.then(|| last.clone())
    }

    /// Begins the list anew: rows that have come may come again.
    fn restart(&mut self) {
        self.number = self.of.lists.fetch_add(1, Relaxed);
        self.resumed = false;
        self.records = (0, 0);
        self.sorting.restart();
    }

    /// Makes the next run read the list from its start: where it stands, nothing is known.
    async fn begin_anew(&self) {
        let state = self.slice.state().clone();
        let from = self.of.plan.start(self.of.fetcher.spec(), &state);
        let window = self.window.range.interval();
        self.slice.change(|pass| match self.windowed {
            true => pass.open.retain(|open| open.window != window),
            false => (pass.position, pass.from) = (Position::default(), from),
        });
        let mut intake = self.of.intake.lock().await;
        self.of.remember(&mut intake, self.slice);
    }

    /// Limits the proof of a list by number of which a part was read before, whose end has not shown
    /// whether rows have moved from page to page.
    fn limit(&mut self) {
        let why = "its pages are requested by number, and it is requested again from the last value: changes during the pass cannot be detected";
        let proof = Proof::Consistent(why.to_owned());
        self.of.owe(self.slice, proof.clone());
        self.at_most(proof);
    }

    /// Continues at a value; the rows that have it come again.
    fn begin_at(&mut self, from: CursorValue, why: &str) {
        self.of.fetcher.stats.note(format!(
            "the API cut a list off ({why}): requested again from the last value"
        ));
        if self.windowed {
            self.close(&Range {
                from: self.window.range.from.clone(),
                until: Some(from.clone()),
            });
        }
        self.restart();
        if !self.of.fetcher.spec().paginator.keeps(&self.position) {
            self.limit();
        }
        self.window.range.from = Some(from);
        self.position = Position::default();
        self.account = self.of.fetcher.account(&self.window, &self.slice.pass());
        self.changed = 0;
        self.keep();
    }

    /// Returns the pages to request while this one is taken: `next`, and those that the stated
    /// total makes certain.
    fn foreseen(&self, next: &Position, rows: u64, total: Option<u64>) -> Vec<Position> {
        let wanted = self.of.plan.limit.map(|limit| {
            let left = limit.saturating_sub(self.of.taken.load(Relaxed));
            left.div_ceil(rows.max(1))
        });
        let most = (self.of.fetcher.client.concurrency() as u64).min(wanted.unwrap_or(u64::MAX));
        let paginator = &self.of.fetcher.spec().paginator;
        paginator.foreseen(next, rows, total, most.max(1))
    }

    /// Returns how many rows of a page `--limit` still allows, if it cuts the page or ends with it.
    fn cut(&self, rows: u64) -> Option<u64> {
        let limit = self.of.plan.limit?;
        let before = self.of.taken.fetch_add(rows, Relaxed);
        (before + rows >= limit).then(|| limit.saturating_sub(before))
    }

    fn count(&mut self, rows: u64, total: Option<u64>) {
        self.is_empty = rows == 0;
        let stats = &self.of.fetcher.stats;
        let records = stats.records.fetch_add(rows, Relaxed) + rows;
        let pages = stats.pages.fetch_add(1, Relaxed) + 1;
        let total = total.filter(|_| self.of.fetcher.spec().parent.is_none());
        let resource = self.of.name().to_owned();
        self.of.fetcher.observer.on(Progress::Page {
            resource,
            pages,
            records,
            total,
        });
    }
}
