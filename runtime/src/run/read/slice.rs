//! Reads one slice to its end, as one list or window by window.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;
use tracing::Instrument;

use crate::cursor::{CursorSpec, Range};
use crate::error::{Error, ErrorKind, Result};
use crate::page::{Position, Proof};
use crate::run::plan::{self, SlicePlan};
use crate::run::read::intake::Intake;
use crate::run::read::list::{List, Read};
use crate::run::read::reader::{ReadOutcome, ResourceReader, Slice};
use crate::run::read::tasks::flatten;
use crate::run::read::window::Window;
use crate::run::report::trace;
use crate::state::{OpenWindow, Pass, SliceState};

/// The time in which most transactions end and most copies of a database follow, in microseconds:
/// five minutes.
const LATE: i64 = 300_000_000;

/// Windows of one slice that are read concurrently.
const WINDOWS_AT_ONCE: usize = 4;

impl ResourceReader {
    /// Reads one slice to its end, from where its state says.
    pub(super) fn slice(
        self: Arc<Self>,
        id: String,
        planned: SlicePlan,
        listed: bool,
    ) -> impl Future<Output = Result<ReadOutcome>> + Send {
        let span = trace::slice(&id);
        self.read_slice(id, planned, listed).instrument(span)
    }

    async fn read_slice(
        self: Arc<Self>,
        id: String,
        planned: SlicePlan,
        listed: bool,
    ) -> Result<ReadOutcome> {
        self.fetcher.stats.slices.fetch_add(1, Relaxed);
        let (slice, waiting) = self.begin(id, planned);
        let slice = Slice { listed, ..slice };
        let slice = Arc::new(slice);
        if self.fetcher.spec().refuses(&slice.request) {
            return self.leave_unread(&slice).await;
        }
        if let Some(proof) = slice.pass().proof {
            self.fetcher.stats.prove(proof);
        }
        let range = match &self.fetcher.spec().cursor {
            Some(cursor) => self.plan.range(cursor, Some(&slice.pass())),
            None => Range::default(),
        };
        let from = slice.pass().from;
        let read = match waiting.is_empty() {
            true => self.whole(&slice, range).await,
            false => self.clone().windowed(&slice, waiting).await,
        };
        if let Ok(ReadOutcome::Stopped) = read {
            self.note_restart(&slice.pass(), from.as_ref());
        }
        match read {
            // What was read before is stored with its pages.
            Err(error) if error.kind() == ErrorKind::Stopped => Ok(ReadOutcome::Stopped),
            Err(error) => Err(error),
            Ok(ReadOutcome::AtEnd) => {
                // A list that is no window has closed its slice with its last page.
                if slice.state().pass.is_none() {
                    return Ok(ReadOutcome::AtEnd);
                }
                let mut intake = self.intake.lock().await;
                if slice.pass().is_windowed() && self.misses_edge(&slice) {
                    self.doubt_edge(&slice);
                }
                self.finish_slice(&mut intake, &slice);
                intake.output.checkpoint().await?;
                Ok(ReadOutcome::AtEnd)
            }
            Ok(ReadOutcome::Skipped) if self.fetcher.spec().parent.is_some() => {
                let mut intake = self.intake.lock().await;
                // Records that were not shown are not deleted.
                self.fall_short(&mut intake, &slice);
                // A list whose parent exists is requested again in the next run.
                if !slice.hidden.load(Relaxed) {
                    let mut state = slice.state();
                    state.proof = state.pass.take().and_then(|pass| pass.proof);
                    (state.left_out, state.done) = (true, Some(self.plan.id.clone()));
                }
                self.remember(&mut intake, &slice);
                Ok(ReadOutcome::Skipped)
            }
            Ok(outcome) => Ok(outcome),
        }
    }

    /// Closes a slice that was read to its end. Its state belongs to its last rows: if
    /// they were committed without it, the next run would take them for other records.
    pub(super) fn finish_slice(&self, intake: &mut Intake, slice: &Slice) {
        self.close(&mut slice.state());
        let ending = self.remembered(slice);
        match &mut intake.feed {
            // The changes that its records make to other resources must be loaded first.
            Some(feed) => feed.end_with(ending),
            None => ending
                .into_iter()
                .for_each(|row| intake.output.remember(row)),
        }
    }

    /// Leaves out a list that cannot be requested; the others are read.
    async fn leave_unread(&self, slice: &Slice) -> Result<ReadOutcome> {
        let unsendable = u64::from(!slice.request.lacks_a_value());
        (self.fetcher.stats.unsendable).fetch_add(unsendable, Relaxed);
        let why = match slice.request.lacks_a_value() {
            true => "a parent has no value for the request of its list, so the list was not read",
            false => {
                "the path of a list cannot hold a value of its parent, so the list was not read"
            }
        };
        self.prove(slice, Proof::Unproved(why.to_owned()));
        let mut intake = self.intake.lock().await;
        self.fall_short(&mut intake, slice);
        self.remember(&mut intake, slice);
        Ok(ReadOutcome::Skipped)
    }

    /// Records whether the next run must read a list that was stopped from its start again: it can
    /// use neither the position nor the last value of the cursor.
    fn note_restart(&self, pass: &Pass, from: Option<&String>) {
        let restarts = pass.position.pages > 0
            && !pass.is_windowed()
            && !self.fetcher.spec().keeps(&pass.position)
            && pass.from.as_ref() == from;
        self.fetcher.stats.restarts.fetch_or(restarts, Relaxed);
    }

    /// Returns the slice to read, and the windows of it that remain.
    fn begin(&self, id: String, planned: SlicePlan) -> (Slice, VecDeque<OpenWindow>) {
        let spec = self.fetcher.spec();
        let SlicePlan { state, windows } = planned;
        let request = state.request.clone().unwrap_or_default();
        let cursor = spec.cursor.as_ref();
        let continues = cursor.is_some_and(|cursor| plan::continues(cursor, &state));
        let columns = spec.row_columns(&request, self.fetcher.resource.schema());
        let slice = Slice {
            id,
            request,
            columns,
            listed: false,
            continues,
            hidden: AtomicBool::new(false),
            state: Mutex::new(state),
        };
        (slice, windows.into())
    }

    /// Reads a slice as one list; if the API cuts the list off, reads it in windows.
    async fn whole(self: &Arc<Self>, slice: &Arc<Slice>, range: Range) -> Result<ReadOutcome> {
        let (window, position) = (self.window(range), slice.pass().position);
        let list = List::new(self, slice, window, position, false);
        match list.read().await? {
            Read::Ended(outcome) => Ok(outcome),
            Read::Cut(range, why) => {
                let halves = self.narrower(slice, &range, &why)?;
                slice.change(|pass| {
                    (pass.position, pass.open) = (Position::default(), halves.clone());
                });
                self.clone().windowed(slice, halves.into()).await
            }
        }
    }

    /// Reads the windows of a slice concurrently.
    async fn windowed(
        self: Arc<Self>,
        slice: &Arc<Slice>,
        mut waiting: VecDeque<OpenWindow>,
    ) -> Result<ReadOutcome> {
        let Some(cursor) = self.fetcher.spec().cursor.clone() else {
            return Ok(ReadOutcome::AtEnd);
        };
        let (mut tasks, mut read) = (JoinSet::new(), 0);
        let mut outcome = ReadOutcome::AtEnd;
        loop {
            while tasks.len() < WINDOWS_AT_ONCE
                && let Some(open) = self.next(&slice.pass(), &mut waiting, tasks.is_empty())
            {
                if self.stopped() {
                    outcome = ReadOutcome::Stopped;
                    continue;
                }
                let window = self.window(Range::parse(&open.window, &cursor));
                let (this, slice) = (self.clone(), slice.clone());
                let read = async move {
                    let list = List::new(&this, &slice, window, open.position, true);
                    list.read().await
                };
                tasks.spawn(read.in_current_span());
            }
            let Some(done) = tasks.join_next().await else {
                break;
            };
            match flatten(done)? {
                Read::Ended(ReadOutcome::AtEnd) => read += 1,
                Read::Ended(ReadOutcome::Stopped) => outcome = ReadOutcome::Stopped,
                Read::Ended(ReadOutcome::Skipped) => return Ok(ReadOutcome::Skipped),
                Read::Cut(range, why) => {
                    let whole = range.interval();
                    let halves = self.narrower(slice, &range, &why)?;
                    slice.change(|pass| {
                        pass.open.retain(|open| open.window != whole);
                        pass.open.extend(halves.clone());
                    });
                    for half in halves.into_iter().rev() {
                        waiting.push_front(half);
                    }
                }
            }
        }
        if slice.id.is_empty() {
            let note = format!("read in windows of its cursor: {read} in this run");
            self.fetcher.stats.note(note);
        }
        Ok(outcome)
    }

    /// Takes the next window to read. A record that changes during the pass moves to the window of
    /// the current time, so this one is read when all earlier ones have been read.
    fn next(
        &self,
        pass: &Pass,
        waiting: &mut VecDeque<OpenWindow>,
        idle: bool,
    ) -> Option<OpenWindow> {
        let cursor = self.fetcher.spec().cursor.as_ref()?;
        let began = self.clock(pass).or_else(|| pass.began());
        let is_past = |open: &OpenWindow| {
            let until = Range::parse(&open.window, cursor).until;
            until.is_some_and(|until| until.micros() <= began)
        };
        let at = match waiting.iter().position(is_past) {
            Some(at) => at,
            None if idle => {
                let from = |at: &usize| Range::parse(&waiting[*at].window, cursor).from;
                (0..waiting.len()).min_by_key(from)?
            }
            None => return None,
        };
        waiting.remove(at)
    }

    /// Splits a window that the API cuts off into two.
    fn narrower(&self, slice: &Slice, range: &Range, why: &str) -> Result<Vec<OpenWindow>> {
        let cursor = self.fetcher.spec().cursor.as_ref();
        let end = cursor
            .filter(|cursor| cursor.is_bounded())
            .and_then(|cursor| plan::end(cursor, &slice.pass(), self.world().micros()));
        let halves = end.and_then(|end| range.halves(&end));
        let Some(halves) = halves else {
            return Err(Error::new(
                ErrorKind::Paging,
                format!("the API returns no more of this list ({why}), and its window cannot be narrowed further"),
            )
            .hint("if the list is sorted by its cursor, add `.oldest_first()`; otherwise narrow it with a parameter"));
        };
        self.fetcher.stats.note(format!(
            "the API cut a list off ({why}): read in narrower windows"
        ));
        let open = |range: Range| OpenWindow {
            window: range.interval(),
            position: Position::default(),
        };
        Ok(halves.map(open).to_vec())
    }

    pub(super) fn window(&self, range: Range) -> Window {
        match &self.plan.bounds {
            Some(_) => Window::strict(range),
            None => Window::of(range, self.sends_bounds, self.upserts),
        }
    }

    /// Closes a slice that was read to its end: its cursor moves, but never back.
    fn close(&self, state: &mut SliceState) {
        let before = state.cursor.clone();
        let pass = state.pass.take().unwrap_or_default();
        if self.plan.bounds.is_none()
            && let Some(high) = self.safe_high(&pass)
            && self.is_higher(&high, state.cursor.as_deref())
        {
            state.cursor = Some(high);
        }
        if let Some(cursor) = &self.fetcher.spec().cursor
            && self.plan.bounds.is_none()
        {
            state.edge = self.edge_after(cursor, state.edge.take(), &pass);
        }
        let spec = self.fetcher.spec();
        // A list that each run reads in full owes nothing to earlier ones.
        let owes = spec.cursor.is_some() || spec.parent.is_some();
        (state.done, state.proof) = (Some(pass.id), pass.proof.filter(|_| owes));
        (state.missed, state.left_out) = (None, false);
        if spec.parent.is_none() && spec.cursor.is_some() && self.plan.bounds.is_none() {
            self.fetcher.stats.lock().cursor = Some((before, state.cursor.clone()));
        }
    }

    /// Returns for how long a record may stay hidden after its change, in microseconds. Where records
    /// that come again replace themselves, it does no harm to ask for more.
    fn lateness(&self, cursor: &CursorSpec) -> i64 {
        let asks = cursor.param.is_some() && cursor.lookback.is_zero();
        match asks && self.upserts && self.fetcher.spec().changes.is_empty() {
            true => LATE,
            false => 0,
        }
    }

    /// Returns the cursor after a pass. It is not later than the time at which the pass began, by
    /// the API's clock if that is known, less some minutes: what changed while the pages were read may
    /// have been missed, a change may become visible only when its transaction ends, and a date in
    /// the future must not hide what comes until then.
    fn safe_high(&self, pass: &Pass) -> Option<String> {
        let cursor = self.fetcher.spec().cursor.as_ref()?;
        let high = cursor.parse(pass.high.as_deref()?)?;
        // Whole seconds are used, since every format of a time can express them.
        let began = self.clock(pass).or_else(|| pass.began());
        let began = began.map(|began| began.saturating_sub(self.lateness(cursor)));
        let began = began.map(|began| began - began.rem_euclid(1_000_000));
        let began = began.zip(high.micros());
        let ahead = began.map_or(0, |(began, high)| high.saturating_sub(began).max(0));
        Some(high.earlier(ahead).to_string())
    }
}
