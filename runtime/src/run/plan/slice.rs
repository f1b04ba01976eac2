//! How one slice is read: the pass that resumes or begins, and the windows of it that remain.

use std::time::Duration;

use super::values::{PassPlan, SlicePlan};
use crate::cursor::{CursorSpec, DAY, Interval, Range};
use crate::error::{Error, ErrorKind, Result};
use crate::http::is_lost;
use crate::page::{Next, Position, Proof};
use crate::record::CursorValue;
use crate::run::options::RunOptions;
use crate::source::ResourceSpec;
use crate::state::{OpenWindow, Pass, SliceState};

impl PassPlan {
    /// Returns the plan of a slice, whose pass resumes or begins. `now`: microseconds since 1970.
    pub(crate) fn slice(&self, spec: &ResourceSpec, mut state: SliceState, now: i64) -> SlicePlan {
        let mut pass = state.pass.take().unwrap_or_default();
        if pass.id != self.id {
            pass = Pass {
                id: self.id.clone(),
                started: self.began,
                ..Pass::default()
            };
        }
        let positions = pass.open.iter_mut().map(|open| &mut open.position);
        for position in positions.chain([&mut pass.position]) {
            if !spec.keeps(position) || is_lost(token(position)) {
                *position = Position::default();
            }
        }
        pass.staged = self.staged;
        if spec.parent.is_none() {
            pass.partial |= self.partial;
        }
        let begun = pass.is_begun() || pass.from.is_some() || pass.high.is_some();
        if !begun && !self.reads_in_full() {
            pass.from = self.start(spec, &state);
            // What earlier passes have missed is not requested again.
            let earlier = state.proof.clone().filter(|_| pass.from.is_some());
            pass.proof = earlier.map(Proof::inherited);
        }
        let windows = spec.cursor.as_ref();
        let windows = windows.map(|cursor| self.windows(cursor, &pass, now));
        state.pass = Some(pass);
        SlicePlan {
            state,
            windows: windows.unwrap_or_default(),
        }
    }

    /// Returns whether a pass requests everything. Rows that replace all others must be complete.
    fn reads_in_full(&self) -> bool {
        self.in_full || self.staged || self.bounds.is_some()
    }

    /// Returns the value of the cursor from which a pass of a slice begins.
    pub(crate) fn start(&self, spec: &ResourceSpec, state: &SliceState) -> Option<String> {
        let cursor = spec.cursor.as_ref().filter(|_| !self.reads_in_full())?;
        stored_start(cursor, state)
    }

    /// Returns the part of the cursor's range that a pass reads.
    pub(crate) fn range(&self, cursor: &CursorSpec, pass: Option<&Pass>) -> Range {
        match &self.bounds {
            Some(bounds) => Range::parse(bounds, cursor),
            None => Range {
                from: pass.and_then(|pass| cursor.parse(pass.from.as_deref()?)),
                until: None,
            },
        }
    }

    /// Returns the windows of a pass that remain; empty if it is read as one list.
    fn windows(&self, cursor: &CursorSpec, pass: &Pass, now: i64) -> Vec<OpenWindow> {
        let range = self.range(cursor, Some(pass));
        let parse = |interval: &Interval| Range::parse(interval, cursor);
        let mut taken = pass.closed.iter().map(parse).collect();
        for open in &pass.open {
            parse(&open.window).close(&mut taken);
        }
        let left = range.without(&taken).into_iter();
        let end = end(cursor, pass, now).and_then(|end| end.place());
        let new: Vec<Range> = match self.first_window(cursor, &range).zip(end) {
            Some(((first, length), end)) => left
                .flat_map(|range| range.windows(&first, length, end))
                .collect(),
            None => left.collect(),
        };
        if !pass.is_windowed() && new.len() < 2 {
            return Vec::new();
        }
        let new = new.into_iter().map(|range| OpenWindow {
            window: range.interval(),
            position: Position::default(),
        });
        pass.open.iter().cloned().chain(new).collect()
    }

    /// Returns where windows begin and how long they are, if the list is read in windows.
    fn first_window(&self, cursor: &CursorSpec, range: &Range) -> Option<(CursorValue, Duration)> {
        let declared = cursor.windows.as_ref().filter(|_| cursor.is_bounded());
        let first = declared.and_then(|(first, _)| cursor.parse(first));
        let length = self.window.filter(|_| cursor.is_bounded());
        let length = length.or(declared.map(|(_, length)| *length))?;
        let first = match (first, range.from.clone()) {
            // One window covers everything older than the declared start, unless bounds begin earlier.
            (Some(first), Some(from)) if self.bounds.is_some() => first.min(from),
            (Some(first), _) => first,
            (None, from) => from?,
        };
        Some((first, length))
    }
}

/// Returns the token of a position.
fn token(position: &Position) -> &str {
    match &position.next {
        Next::First => "",
        Next::Value(token) | Next::Url(token) => token,
    }
}

/// Returns the bounds of `--since` and `--until`; `None` without them or without a cursor.
pub(crate) fn bounds(
    cursor: Option<&CursorSpec>,
    options: &RunOptions,
) -> Result<Option<Interval>> {
    let RunOptions { since, until, .. } = options;
    let Some(cursor) = cursor.filter(|_| since.is_some() || until.is_some()) else {
        return Ok(None);
    };
    for (flag, text) in [("since", since), ("until", until)] {
        if let Some(text) = text
            && cursor.parse(text).is_none()
        {
            let field = cursor.keys.join(".");
            let message = format!("`--{flag} {text}` is not a bound for `{field}`");
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("a date (2024-01-31) or a time (2024-01-31T12:00:00Z)"));
        }
    }
    if let (Some(since), Some(until)) = (since, until)
        && cursor.parse(since) >= cursor.parse(until)
    {
        let message = format!("`--since {since}` is not before `--until {until}`");
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("`--until` excludes its own time: name the day after the last one"));
    }
    Ok(Some(Interval {
        from: since.clone(),
        until: until.clone(),
    }))
}

/// Returns why `--window` has no effect on a resource that is read as one list.
pub(super) fn no_windows(cursor: Option<&CursorSpec>) -> &'static str {
    match cursor {
        None => "`--window` has no effect: it has no cursor",
        Some(cursor) if !cursor.is_bounded() => {
            "`--window` has no effect: the API cannot bound its list by a last value"
        }
        Some(_) => "`--window` has no effect: the range is one window, or has no start (`--since`)",
    }
}

/// Returns the cursor value of `now`, or the highest value of the pass if times are not cursor
/// values.
pub(crate) fn end(cursor: &CursorSpec, pass: &Pass, now: i64) -> Option<CursorValue> {
    let high = || cursor.parse(pass.high.as_deref()?);
    CursorValue::of_time(cursor.format, now).or_else(high)
}

/// Returns whether the open pass is read from a later value than that from which it began: where
/// its position means nothing to another run, it goes on from its last value.
pub(crate) fn continues(cursor: &CursorSpec, state: &SliceState) -> bool {
    let value = |text: &str| cursor.parse(text);
    let from = state.pass.as_ref().and_then(|pass| pass.from.as_deref());
    let start = stored_start(cursor, state);
    // A pass that asks for more than the last one left may begin before its start.
    from.is_some() && start.as_deref().and_then(value) < from.and_then(value)
}

/// Returns the cursor value from which a new pass reads, as text.
fn stored_start(cursor: &CursorSpec, state: &SliceState) -> Option<String> {
    let value = cursor.parse(
        state
            .cursor
            .as_deref()
            .filter(|_| cursor.is_incremental())?,
    )?;
    let lookback = cursor.lookback.as_micros() as i64;
    let lookback = match state.edge.as_ref().is_some_and(|edge| edge.zoneless) {
        true => lookback.max(DAY),
        false => lookback,
    };
    Some(value.earlier(lookback).to_string())
}
