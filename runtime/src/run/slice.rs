//! Reads one slice to its end: as one list, or window by window.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::task::JoinSet;
use tracing::Instrument;

use crate::cursor::{CursorSpec, Interval, Range};
use crate::error::{Error, ErrorKind, Result};
use crate::page::Position;
use crate::record::CursorValue;
use crate::run::ahead::flatten;
use crate::run::extract::{Ended, Extraction, now};
use crate::run::list::{List, Read};
use crate::run::sink::Sink;
use crate::run::trace;
use crate::run::window::Window;
use crate::source::SliceRequest;
use crate::state::{OpenWindow, Pass, SliceState};

/// Windows of one slice that are read side by side.
const WINDOWS_AT_ONCE: usize = 4;

/// A slice while it is read; its windows share it.
pub(super) struct Slice {
    pub id: String,
    pub request: SliceRequest,
    /// Columns that each row gets.
    pub columns: BTreeMap<String, Option<String>>,
    state: Mutex<SliceState>,
}

impl Slice {
    fn state(&self) -> MutexGuard<'_, SliceState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Its pass, while it is open.
    pub fn pass(&self) -> Pass {
        self.state().pass.clone().unwrap_or_default()
    }

    /// Changes its pass, while it is open.
    pub fn change(&self, change: impl FnOnce(&mut Pass)) {
        if let Some(pass) = &mut self.state().pass {
            change(pass);
        }
    }
}

impl Extraction {
    /// Reads one slice from where its state says to its end.
    pub(super) fn slice(
        self: Arc<Self>,
        id: String,
        state: SliceState,
    ) -> impl Future<Output = Result<Ended>> + Send {
        let span = trace::slice(&id);
        self.read_slice(id, state).instrument(span)
    }

    async fn read_slice(self: Arc<Self>, id: String, state: SliceState) -> Result<Ended> {
        self.fetcher.stats.slices.fetch_add(1, Relaxed);
        let slice = Arc::new(self.begin(id, state));
        let range = self.range(&slice.pass());
        let waiting = self.windows(&slice.pass(), &range);
        let read = match waiting.is_empty() {
            true => self.whole(&slice, range).await,
            false => self.clone().windowed(&slice, waiting).await,
        };
        match read {
            // What was read before is remembered with its pages.
            Err(error) if error.kind() == ErrorKind::Stopped => Ok(Ended::Stopped),
            Err(error) => Err(error),
            Ok(Ended::AtEnd) => {
                let mut sink = self.sink.lock().await;
                self.close(&mut slice.state());
                self.remember(&mut sink, &slice);
                sink.hold();
                sink.checkpoint().await?;
                Ok(Ended::AtEnd)
            }
            Ok(Ended::Skipped) if self.fetcher.spec().parent.is_some() => {
                let mut sink = self.sink.lock().await;
                // What was not shown is not gone.
                self.fall_short(&mut sink);
                {
                    let mut state = slice.state();
                    (state.pass, state.done) = (None, Some(self.pass.clone()));
                }
                self.remember(&mut sink, &slice);
                Ok(Ended::Skipped)
            }
            Ok(ended) => Ok(ended),
        }
    }

    /// The pass that is gone on with, or a new one.
    fn begin(&self, id: String, mut state: SliceState) -> Slice {
        let spec = self.fetcher.spec();
        let mut pass = state.pass.take().unwrap_or_default();
        if pass.id != self.pass {
            pass = Pass {
                id: self.pass.clone(),
                ..Pass::default()
            };
        }
        if !spec.can_resume() {
            pass.position = Position::default();
            for open in &mut pass.open {
                open.position = Position::default();
            }
        }
        pass.staged = self.staged;
        if spec.parent.is_none() {
            pass.partial |= self.partial.load(Relaxed);
            self.partial.fetch_or(pass.partial, Relaxed);
        }
        let begun = pass.is_begun() || pass.from.is_some() || pass.high.is_some();
        // Rows that replace all others must be all.
        let in_full = self.from_start || self.staged || self.explicit.is_some();
        if !begun && !in_full {
            pass.from = self.stored_start(&state);
        }
        let request = state.request.clone().unwrap_or_default();
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
        state.pass = Some(pass);
        Slice {
            id,
            request,
            columns,
            state: Mutex::new(state),
        }
    }

    /// The part of the cursor's range that a pass reads.
    fn range(&self, pass: &Pass) -> Range {
        match (&self.explicit, &self.fetcher.spec().cursor) {
            (Some(window), _) => window.range.clone(),
            (None, Some(cursor)) => Range {
                from: pass.from.as_deref().and_then(|text| cursor.parse(text)),
                until: None,
            },
            (None, None) => Range::default(),
        }
    }

    /// The windows that are left of a pass; none: it is read as one list.
    fn windows(&self, pass: &Pass, range: &Range) -> VecDeque<OpenWindow> {
        let Some(cursor) = self.fetcher.spec().cursor.as_ref() else {
            return VecDeque::new();
        };
        let parse = |interval: &Interval| Range::parse(interval, cursor);
        let mut taken = pass.closed.iter().map(parse).collect();
        for open in &pass.open {
            parse(&open.window).close(&mut taken);
        }
        let left = range.without(&taken).into_iter();
        let end = self.end(pass).and_then(|end| end.place());
        let new: Vec<Range> = match self.first_window(cursor, range).zip(end) {
            Some(((first, length), end)) => left
                .flat_map(|range| range.windows(&first, length, end))
                .collect(),
            None => left.collect(),
        };
        if !pass.is_windowed() && new.len() < 2 {
            return VecDeque::new();
        }
        let new = new.into_iter().map(|range| OpenWindow {
            window: range.interval(),
            position: Position::default(),
        });
        pass.open.iter().cloned().chain(new).collect()
    }

    /// A value of the cursor near those that are made now.
    fn end(&self, pass: &Pass) -> Option<CursorValue> {
        let cursor = self.fetcher.spec().cursor.as_ref()?;
        let high = || cursor.parse(pass.high.as_deref()?);
        CursorValue::of_time(cursor.format, now()).or_else(high)
    }

    /// Where windows begin and how long they are, if the list is read in windows.
    fn first_window(
        &self,
        cursor: &CursorSpec,
        range: &Range,
    ) -> Option<(CursorValue, std::time::Duration)> {
        let declared = cursor.windows.as_ref().filter(|_| cursor.is_bounded());
        let first = declared.and_then(|(first, _)| cursor.parse(first));
        let length = self.window_length.filter(|_| cursor.is_bounded());
        let length = length.or(declared.map(|(_, length)| *length))?;
        let first = match (first, range.from.clone()) {
            // One window is for all that is older, unless someone asks for it.
            (Some(first), Some(from)) if self.explicit.is_some() => first.min(from),
            (Some(first), _) => first,
            (None, from) => from?,
        };
        Some((first, length))
    }

    /// Reads a slice as one list; where the API shows no more of it, in windows after all.
    async fn whole(self: &Arc<Self>, slice: &Arc<Slice>, range: Range) -> Result<Ended> {
        let (window, position) = (self.window(range), slice.pass().position);
        let list = List::new(self, slice, window, position, false);
        match list.read().await? {
            Read::Ended(ended) => Ok(ended),
            Read::Cut(range, why) => {
                let halves = self.narrower(slice, &range, &why)?;
                slice.change(|pass| {
                    (pass.position, pass.open) = (Position::default(), halves.clone());
                });
                self.clone().windowed(slice, halves.into()).await
            }
        }
    }

    /// Reads the windows of a slice, side by side.
    async fn windowed(
        self: Arc<Self>,
        slice: &Arc<Slice>,
        mut waiting: VecDeque<OpenWindow>,
    ) -> Result<Ended> {
        let Some(cursor) = self.fetcher.spec().cursor.clone() else {
            return Ok(Ended::AtEnd);
        };
        let (mut tasks, mut read) = (JoinSet::new(), 0);
        let mut ended = Ended::AtEnd;
        loop {
            while tasks.len() < WINDOWS_AT_ONCE
                && let Some(open) = waiting.pop_front()
            {
                if self.stopped() {
                    ended = Ended::Stopped;
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
                Read::Ended(Ended::AtEnd) => read += 1,
                Read::Ended(Ended::Stopped) => ended = Ended::Stopped,
                Read::Ended(Ended::Skipped) => return Ok(Ended::Skipped),
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
        Ok(ended)
    }

    /// A window of which the API shows no more, as two.
    fn narrower(&self, slice: &Slice, range: &Range, why: &str) -> Result<Vec<OpenWindow>> {
        let cursor = self.fetcher.spec().cursor.as_ref();
        let end = cursor
            .filter(|cursor| cursor.is_bounded())
            .and_then(|_| self.end(&slice.pass()));
        let halves = end.and_then(|end| range.halves(&end));
        let Some(halves) = halves else {
            return Err(Error::new(
                ErrorKind::Paging,
                format!("the API shows no more of this list ({why}), and its window cannot be narrower"),
            )
            .hint("where the list is sorted by its cursor, say `.oldest_first()`; else narrow it with a parameter"));
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

    fn window(&self, range: Range) -> Window {
        match &self.explicit {
            Some(window) => window.part(range),
            None => Window::of(range),
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

    pub(super) fn is_higher(&self, text: &str, than: Option<&str>) -> bool {
        let Some(cursor) = &self.fetcher.spec().cursor else {
            return false;
        };
        let value = |text: &str| -> Option<CursorValue> { cursor.parse(text) };
        than.and_then(value) < value(text)
    }

    /// A slice that was read to its end: its cursor moves, never back.
    fn close(&self, state: &mut SliceState) {
        let before = state.cursor.clone();
        let pass = state.pass.take().unwrap_or_default();
        if self.explicit.is_none()
            && let Some(high) = self.safe_high(&pass)
            && self.is_higher(&high, state.cursor.as_deref())
        {
            state.cursor = Some(high);
        }
        state.done = Some(pass.id);
        state.missed = None;
        let spec = self.fetcher.spec();
        if spec.parent.is_none() && spec.cursor.is_some() && self.explicit.is_none() {
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

    /// Adds the state of the slice to the rows taken so far.
    pub(super) fn remember(&self, sink: &mut Sink, slice: &Slice) {
        let state = slice.state();
        // A pass that is published although it was cut cannot be gone on with.
        let open_cut = self.publish_cut && state.pass.is_some();
        if self.keeps_state && !open_cut {
            sink.remember(self.row(&slice.id, &state));
        }
    }
}
