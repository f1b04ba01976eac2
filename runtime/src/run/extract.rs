//! Reads one resource to its end: its slices, page by page, each page together with the state that follows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::error::{ErrorKind, Result};
use crate::load::Vanished;
use crate::page::{Position, Proof, Step};
use crate::record::CursorValue;
use crate::run::ahead::{Ahead, flatten};
use crate::run::children::Found;
use crate::run::fetch::{Fetcher, undecided};
use crate::run::sink::{PageOrigin, Sink};
use crate::run::window::Window;
use crate::run::{Progress, StopSignal};
use crate::schema::Deletes;
use crate::state::{Pass, SliceState, StateChange, StateRow};

/// Slices of one child resource that are read side by side.
const SLICES_AT_ONCE: usize = 8;
/// After that many failed slices a child resource gives up.
const FAILED_SLICES: usize = 10;

/// Reads one resource.
pub(crate) struct Extraction {
    pub fetcher: Arc<Fetcher>,
    pub sink: Mutex<Sink>,
    /// `None`: the resource is read only for its children, and its own state stays as it is.
    pub keeps_state: bool,
    /// The pass of this run (which may have begun in an earlier one).
    pub pass: String,
    /// Its rows go to staging and replace the table's at its end.
    pub staged: bool,
    /// A pass that `--limit` cuts short is published as it is, since nothing was loaded before.
    pub publish_cut: bool,
    /// New passes ask for everything, wherever the cursor stands.
    pub from_start: bool,
    /// What becomes of records that are gone.
    pub deletes: Deletes,
    /// A child: its state when the pass began.
    pub begun: SliceState,
    /// This pass does not show every record that there is.
    pub partial: AtomicBool,
    /// Asked for by `--since` or `--until`; such a run leaves the cursor as it is.
    pub explicit: Option<Window>,
    pub limit: Option<u64>,
    pub taken: AtomicU64,
    pub stop: StopSignal,
}

/// Why reading ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// At the end of the list.
    AtEnd,
    /// Left out, as the rules for its status say.
    Skipped,
    /// At `--limit`, or by a signal.
    Stopped,
}

impl Extraction {
    fn name(&self) -> &str {
        &self.fetcher.spec().name
    }

    /// Reads a resource without a parent.
    pub async fn root(self: Arc<Self>, state: SliceState) -> Result<Ended> {
        let ended = self.clone().slice(String::new(), state).await?;
        if ended == Ended::Skipped {
            // Its tables stay as they are, and those of its children.
            let mut sink = self.sink.lock().await;
            sink.flush(false).await?;
            sink.skip();
            return Ok(ended);
        }
        self.finish(ended).await
    }

    /// Reads a child resource: the slices that its parent finds, side by side.
    pub async fn child(
        self: Arc<Self>,
        mut queue: mpsc::UnboundedReceiver<Found>,
    ) -> Result<Ended> {
        let mut slices = JoinSet::new();
        let (mut ended, mut failures, mut first_error) = (Ended::AtEnd, 0, None);
        loop {
            let next = tokio::select! {
                next = queue.recv(), if slices.len() < SLICES_AT_ONCE => next,
                Some(done) = slices.join_next(), if !slices.is_empty() => {
                    match flatten(done) {
                        Ok(Ended::Stopped) => ended = Ended::Stopped,
                        Ok(_) => {}
                        Err(error) => {
                            failures += 1;
                            let fatal = matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Contract | ErrorKind::Destination | ErrorKind::Usage);
                            first_error.get_or_insert(error);
                            if fatal || failures >= FAILED_SLICES {
                                break;
                            }
                        }
                    }
                    continue;
                }
            };
            match next {
                Some(Found::Slice(..)) if self.stopped() => ended = Ended::Stopped,
                Some(Found::Slice(slice, state)) => {
                    slices.spawn(self.clone().slice(slice, *state));
                }
                Some(Found::Skipped) => {
                    let why = "left out: its parent was".to_owned();
                    self.fetcher.stats.prove(Proof::Unproved(why));
                    let mut sink = self.sink.lock().await;
                    sink.flush(false).await?;
                    sink.skip();
                    return Ok(Ended::Skipped);
                }
                Some(Found::End { whole }) => {
                    self.partial.fetch_or(!whole, Relaxed);
                    break;
                }
                None => {
                    // The parent did not get to its end: there may be slices that nobody has found.
                    ended = Ended::Stopped;
                    break;
                }
            }
        }
        while let Some(done) = slices.join_next().await {
            match flatten(done) {
                Ok(Ended::Stopped) => ended = Ended::Stopped,
                Ok(_) => {}
                Err(error) => {
                    failures += 1;
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) => {
                self.sink.lock().await.flush(false).await?;
                Err(if failures > 1 {
                    error.at(format!("{failures} slices failed, the first"))
                } else {
                    error
                })
            }
            None => self.finish(ended).await,
        }
    }

    /// After the last slice: sends what is left; at the end of the list the pass is closed.
    async fn finish(&self, ended: Ended) -> Result<Ended> {
        let mut sink = self.sink.lock().await;
        let at_end = ended != Ended::Stopped || self.publish_cut;
        if at_end
            && self.keeps_state
            && self.explicit.is_none()
            && self.fetcher.spec().parent.is_some()
        {
            let state = SliceState {
                done: Some(self.pass.clone()),
                ..SliceState::default()
            };
            sink.remember(self.row("", &state));
        }
        let whole =
            ended != Ended::Stopped && self.explicit.is_none() && !self.partial.load(Relaxed);
        if whole && self.deletes != Deletes::Keep {
            sink.vanished = Some(Vanished {
                before: self.pass.clone(),
                mark: (self.deletes == Deletes::Soft).then(now),
            });
        }
        if ended == Ended::AtEnd {
            self.change(&mut sink).await?;
        }
        sink.flush(at_end).await?;
        if let Some(feed) = sink.feed.take_if(|_| ended == Ended::AtEnd) {
            let notes = feed.hand_over();
            notes
                .into_iter()
                .for_each(|note| self.fetcher.stats.note(note));
        }
        sink.close((ended == Ended::AtEnd).then_some(whole));
        match undecided(self.fetcher.spec()) {
            Some(error) if at_end => Err(error),
            _ => Ok(ended),
        }
    }

    /// Reads one slice from where its state says to its end.
    async fn slice(self: Arc<Self>, id: String, state: SliceState) -> Result<Ended> {
        match self.pages(id, state).await {
            // What was read before is remembered with its pages.
            Err(error) if error.kind() == ErrorKind::Stopped => Ok(Ended::Stopped),
            ended => ended,
        }
    }

    async fn pages(self: Arc<Self>, id: String, mut state: SliceState) -> Result<Ended> {
        let spec = self.fetcher.spec();
        self.fetcher.stats.slices.fetch_add(1, Relaxed);
        let request = state.request.clone().unwrap_or_default();
        let mut pass = state.pass.take().unwrap_or_default();
        if pass.id != self.pass || !spec.can_resume() || self.explicit.is_some() {
            pass = Pass {
                id: self.pass.clone(),
                ..Pass::default()
            };
        }
        pass.staged = self.staged;
        if spec.parent.is_none() {
            pass.partial |= self.partial.load(Relaxed);
            self.partial.fetch_or(pass.partial, Relaxed);
        }
        let resumed = pass.position != Position::default();
        if !resumed {
            pass.from = self.stored_start(&state).filter(|_| !self.from_start);
        }
        let mut window = match (&self.explicit, &spec.cursor) {
            (Some(window), _) => window.clone(),
            (None, Some(cursor)) => {
                Window::from(pass.from.as_deref().and_then(|text| cursor.parse(text)))
            }
            (None, None) => Window::default(),
        };

        let mut first = self.fetcher.first_request(&request, &window)?;
        let mut response = self.fetcher.ask(&first, &pass.position).await?;
        if resumed && matches!(response.status, 400 | 404 | 410 | 422) {
            self.warn(format!("the API no longer knows the position of the last run ({}): read again from the beginning", response.status));
            pass = Pass {
                position: Position::default(),
                high: None,
                ..pass
            };
            response = self.fetcher.ask(&first, &pass.position).await?;
        }
        if self.fetcher.refuses_filter(&response, &window) {
            let param = spec
                .cursor
                .as_ref()
                .and_then(|cursor| cursor.param.clone())
                .unwrap_or_default();
            self.warn(format!(
                "the API refuses the filter `{param}` ({}): read in full instead",
                response.status
            ));
            pass.from = None;
            first = spec.first_request(&request, &self.fetcher.client)?;
            window.from = None;
            response = self.fetcher.ask(&first, &pass.position).await?;
        }
        if spec.skips(response.status) && pass.position == Position::default() {
            self.fetcher.stats.skip(response.status);
            if spec.parent.is_some() {
                state.done = Some(self.pass.clone());
                let mut sink = self.sink.lock().await;
                // What was not shown is not gone.
                self.fall_short(&mut sink);
                self.remember(&mut sink, &id, &mut state, None);
            } else {
                let why = format!("left out: it was answered {}", response.status);
                self.fetcher.stats.prove(Proof::Unproved(why));
            }
            return Ok(Ended::Skipped);
        }

        let schema = self.fetcher.resource.schema();
        let columns = request.row_columns(
            spec.parent.as_ref().map_or("", |parent| &parent.resource),
            |name| schema.position(name).is_some(),
            |name| {
                spec.primary_key
                    .iter()
                    .any(|keys| keys.len() == 1 && keys[0] == name)
            },
        );
        let mut ahead = Ahead::new(self.fetcher.clone(), first);
        loop {
            let fetched = (self.fetcher.read(response, &pass.position, &request)).await?;
            let rows = fetched.page.spans.len() as u64;
            let cut = self.cut(rows);
            let goes_on = match &fetched.step {
                Step::Next(position) if cut.is_none() && !self.stopped() => {
                    ahead.ask(self.foreseen(position, rows, fetched.stated));
                    true
                }
                _ => false,
            };
            self.count(rows, fetched.total);
            let mut sink = self.sink.lock().await;
            let origin = PageOrigin {
                slice: &id,
                request: &request,
                columns: &columns,
                pass: &pass.id,
                rows_before: pass.position.rows,
                window: &window,
                limit: cut.unwrap_or(u64::MAX),
            };
            let high = sink.page(fetched.page, &origin).await?;
            if let Some(text) = high.map(|value| value.to_string())
                && self.is_higher(&text, pass.high.as_deref())
            {
                pass.high = Some(text);
            }
            match fetched.step {
                _ if cut.is_some() => {
                    // The rest of this page was not taken: the next run asks for it again.
                    self.remember(&mut sink, &id, &mut state, Some(pass));
                    return Ok(Ended::Stopped);
                }
                Step::Next(position) => {
                    pass.position = position;
                    self.remember(&mut sink, &id, &mut state, Some(pass.clone()));
                    sink.checkpoint().await?;
                    drop(sink);
                    if !goes_on {
                        return Ok(Ended::Stopped);
                    }
                    response = ahead.take(&pass.position).await?;
                }
                Step::End(proof) => {
                    if !matches!(proof, Proof::Proved(_)) {
                        self.fall_short(&mut sink);
                    }
                    self.fetcher.stats.prove(proof);
                    self.close(&mut state, pass);
                    self.remember(&mut sink, &id, &mut state, None);
                    sink.hold();
                    sink.checkpoint().await?;
                    return Ok(Ended::AtEnd);
                }
            }
        }
    }

    /// A slice did not show all its records: nor does the pass, in whatever run it ends.
    fn fall_short(&self, sink: &mut Sink) {
        let before = self.partial.swap(true, Relaxed);
        if before || !self.keeps_state || self.explicit.is_some() {
            return;
        }
        let mut state = self.begun.clone();
        if let Some(pass) = &mut state.pass {
            pass.partial = true;
            sink.remember(self.row("", &state));
        }
    }

    /// The cursor value from which a new pass asks, as text.
    fn stored_start(&self, state: &SliceState) -> Option<String> {
        let cursor = self
            .fetcher
            .spec()
            .cursor
            .as_ref()
            .filter(|cursor| cursor.is_incremental())?;
        let value = cursor.parse(state.cursor.as_deref()?)?;
        Some(
            value
                .earlier(cursor.lookback.as_micros() as i64)
                .to_string(),
        )
    }

    fn is_higher(&self, text: &str, than: Option<&str>) -> bool {
        let Some(cursor) = &self.fetcher.spec().cursor else {
            return false;
        };
        let value = |text: &str| -> Option<CursorValue> { cursor.parse(text) };
        than.and_then(value) < value(text)
    }

    /// A slice that was read to its end: its cursor moves, never back.
    fn close(&self, state: &mut SliceState, pass: Pass) {
        let before = state.cursor.clone();
        if self.explicit.is_none()
            && let Some(high) = self.safe_high(&pass)
            && self.is_higher(&high, state.cursor.as_deref())
        {
            state.cursor = Some(high);
        }
        state.done = Some(pass.id);
        state.missed = None;
        if self.fetcher.spec().parent.is_none() && self.fetcher.spec().cursor.is_some() {
            self.fetcher.stats.lock().cursor = Some((before, state.cursor.clone()));
        }
    }

    /// The cursor after a pass: not beyond the time at which the pass began. What changed while the pages were read may
    /// have been missed, and a date in the future must not hide what comes until then.
    fn safe_high(&self, pass: &Pass) -> Option<String> {
        let cursor = self.fetcher.spec().cursor.as_ref()?;
        let high = cursor.parse(pass.high.as_deref()?)?;
        // Whole seconds, which every form of a time can say.
        let began = pass
            .began()
            .map(|began| began - began.rem_euclid(1_000_000));
        let began = began.zip(high.micros());
        let ahead = began.map_or(0, |(began, high)| high.saturating_sub(began).max(0));
        Some(high.earlier(ahead).to_string())
    }

    /// The pages to ask for while this one is taken in: `next`, and those that the stated total makes certain.
    fn foreseen(&self, next: &Position, rows: u64, total: Option<u64>) -> Vec<Position> {
        let wanted = self.limit.map(|limit| {
            let left = limit.saturating_sub(self.taken.load(Relaxed));
            left.div_ceil(rows.max(1))
        });
        let most = (self.fetcher.client.concurrency() as u64).min(wanted.unwrap_or(u64::MAX));
        let paginator = &self.fetcher.spec().paginator;
        paginator.foreseen(next, rows, total, most.max(1))
    }

    /// How many rows of a page `--limit` still allows, if it cuts the page or ends with it.
    fn cut(&self, rows: u64) -> Option<u64> {
        let limit = self.limit?;
        let before = self.taken.fetch_add(rows, Relaxed);
        (before + rows >= limit).then(|| limit.saturating_sub(before))
    }

    fn count(&self, rows: u64, total: Option<u64>) {
        let stats = &self.fetcher.stats;
        let records = stats.records.fetch_add(rows, Relaxed) + rows;
        let pages = stats.pages.fetch_add(1, Relaxed) + 1;
        let total = total.filter(|_| self.fetcher.spec().parent.is_none());
        let resource = self.name().to_owned();
        self.fetcher.observer.on(Progress::Page {
            resource,
            pages,
            records,
            total,
        });
    }

    fn warn(&self, message: String) {
        self.fetcher.stats.note(message.clone());
        self.fetcher.observer.on(Progress::Warning {
            resource: self.name().to_owned(),
            message,
        });
    }

    fn stopped(&self) -> bool {
        self.stop.is_set()
            || self
                .limit
                .is_some_and(|limit| self.taken.load(Relaxed) >= limit)
    }

    fn row(&self, slice: &str, state: &SliceState) -> StateChange {
        StateChange::Put(StateRow {
            resource: self.name().to_owned(),
            slice: slice.to_owned(),
            value: state.to_json(),
        })
    }

    fn remember(&self, sink: &mut Sink, slice: &str, state: &mut SliceState, pass: Option<Pass>) {
        // A pass that is published although it was cut cannot be gone on with.
        let open_cut = self.publish_cut && pass.is_some();
        if self.keeps_state && self.explicit.is_none() && !open_cut {
            state.pass = pass;
            sink.remember(self.row(slice, state));
        }
    }
}

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
