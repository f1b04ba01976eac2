//! Whether a list that is requested from the cursor on goes on where earlier passes ended: it shows
//! one of the records that they have shown last, since the bound includes them. If it does not, the
//! API filters in another way than it was asked to (by another zone, another unit, another field, or
//! only a few days back), or those records were deleted.

use super::List;
use crate::cursor::{CursorSpec, DAY};
use crate::page::{Position, Proof};
use crate::record::{CursorValue, WireFormat, raw_scalar};
use crate::run::read::fetch::Fetched;
use crate::run::read::intake::{Intake, Shown};
use crate::run::read::reader::{ResourceReader, Slice};
use crate::run::read::rows::TOPS;
use crate::state::{Edge, Pass};

impl List<'_> {
    /// Returns the highest cursor value of earlier passes, until the list has shown one that is not
    /// higher.
    pub(super) fn edge(&self) -> Option<CursorValue> {
        self.of.edge(self.slice).map(|(edge, _)| edge)
    }

    /// Records whether a page has a record that earlier passes have shown.
    pub(super) fn join(&self, shown: &Shown, ids: &[u64]) {
        let Some((_, records)) = self.of.edge(self.slice) else {
            return;
        };
        if shown.joined || ids.iter().any(|id| records.contains(id)) {
            self.slice.change(|pass| pass.joined = true);
        }
    }

    /// Records whether the times of the list have no zone: what the API takes a time for that is sent
    /// with one is then unknown, and later runs ask from a day earlier on.
    pub(super) fn note_zone(&self, page: &Fetched) {
        let cursor = self.of.fetcher.spec().cursor.as_ref();
        let Some(cursor) = cursor.filter(|cursor| cursor.format == WireFormat::Rfc3339) else {
            return;
        };
        if self.position.pages > 0 || !self.of.upserts || !self.of.sends_bounds {
            return;
        }
        let first = page.page.spans.first();
        let first = first.and_then(|span| page.body.get(span.clone()));
        let time = first.and_then(|record| raw_scalar(record, &cursor.keys));
        if time.is_some_and(|time| lacks_zone(&time)) {
            self.slice.change(|pass| pass.zoneless = true);
        }
    }

    /// Records the highest cursor value of a page, and the keys of the records that have it.
    pub(super) fn rise(&self, pass: &mut Pass, shown: &Shown, ids: &[u64]) {
        let Some(high) = shown.high.as_ref().map(ToString::to_string) else {
            return;
        };
        match self.of.is_higher(&high, pass.high.as_deref()) {
            true => (pass.high, pass.tops) = (Some(high), Vec::new()),
            false if pass.high.as_ref() != Some(&high) => return,
            false => {}
        }
        if self.of.upserts {
            let tops = shown.tops.iter().filter_map(|row| ids.get(*row));
            pass.tops.extend(tops);
            pass.tops.truncate(TOPS);
        }
    }

    /// Makes a list that has ended without a record of earlier passes ask for more: from a day
    /// earlier on, and then for everything. Returns whether it does. Where rows would be doubled, or
    /// windows are read, it limits the proof instead.
    pub(super) fn asks_for_more(&mut self, intake: &mut Intake) -> bool {
        // Without a bound the list has shown everything: those records were deleted.
        let has_bound = self.window.range.from.is_some();
        if self.windowed || !has_bound || !self.of.misses_edge(self.slice) {
            return false;
        }
        let spec = self.of.fetcher.spec();
        let Some(cursor) = spec.cursor.as_ref().filter(|_| self.of.upserts) else {
            self.of.doubt_edge(self.slice);
            return false;
        };
        if !spec.changes.is_empty() {
            self.of.doubt_edge(self.slice);
            return false;
        }
        let state = self.slice.state().clone();
        let start = self.of.plan.start(spec, &state);
        let start = start.and_then(|start| cursor.parse(&start));
        let from = &self.window.range.from;
        let earlier = start.filter(|start| from.as_ref() >= Some(start));
        let earlier = earlier.and_then(|start| {
            let earlier = start.earlier(DAY);
            (earlier < start).then_some(earlier)
        });
        let param = cursor.param.as_deref().unwrap_or_default();
        match &earlier {
            Some(from) => self.of.fetcher.stats.note(format!(
                "the API's filter `{param}` has not returned a record at its bound: requested again from {from}"
            )),
            None => self.of.warn(format!(
                "the API's filter `{param}` has not returned a record at its bound, so the list is read in full: those records were deleted, or the filter excludes them; then set `exclusive` or `lookback` of `incremental` in etlgen.toml"
            )),
        }
        self.begin_from(earlier);
        self.of.remember(intake, self.slice);
        true
    }

    /// Begins the list anew from this value on.
    fn begin_from(&mut self, from: Option<CursorValue>) {
        self.restart();
        let mut range = self.window.range.clone();
        range.from = from;
        self.slice.change(|pass| {
            pass.from = range.from.as_ref().map(ToString::to_string);
            pass.position = Position::default();
        });
        self.window = self.of.window(range);
        self.position = Position::default();
        self.account = self.of.fetcher.account(&self.window, &self.slice.pass());
        (self.changed, self.contradicted) = (0, false);
    }
}

impl ResourceReader {
    /// Returns the highest cursor value of earlier passes with the keys of the records that have it,
    /// if the API is asked for it and has not shown one of them yet.
    fn edge(&self, slice: &Slice) -> Option<(CursorValue, Vec<u64>)> {
        let cursor = self.fetcher.spec().cursor.as_ref()?;
        let state = slice.state();
        let pass = state.pass.as_ref().filter(|pass| !pass.joined)?;
        let (edge, from) = (state.edge.as_ref()?, pass.from.as_deref()?);
        if !self.sends_bounds || self.plan.bounds.is_some() {
            return None;
        }
        let value = cursor.parse(&edge.value)?;
        (cursor.parse(from)? <= value).then(|| (value, edge.records.clone()))
    }

    /// Returns whether a slice that has been read to its end has not shown the records at its bound.
    pub(in crate::run::read) fn misses_edge(&self, slice: &Slice) -> bool {
        let Some((edge, _)) = self.edge(slice) else {
            return false;
        };
        // A feed may not go back to its last event.
        let reach = self.fetcher.spec().reach.zip(edge.micros());
        reach.is_none_or(|(reach, at)| {
            let reach = i64::try_from(reach.as_micros()).unwrap_or(i64::MAX);
            at > self.world().micros().saturating_sub(reach)
        })
    }

    /// Limits the proof of a slice that has not shown the records at its bound.
    pub(in crate::run::read) fn doubt_edge(&self, slice: &Slice) {
        let cursor = self.fetcher.spec().cursor.as_ref();
        let param = cursor.and_then(|cursor| cursor.param.as_deref());
        let why = format!(
            "the API's filter `{}` has not returned a record at its bound: it may leave out others too, and `--full-refresh` reads all",
            param.unwrap_or_default()
        );
        self.prove(slice, Proof::Unproved(why));
    }

    /// Returns the newest records after a pass. One that asked for everything knows them; another one
    /// may have asked for newer ones only.
    pub(in crate::run::read) fn edge_after(
        &self,
        cursor: &CursorSpec,
        before: Option<Edge>,
        pass: &Pass,
    ) -> Option<Edge> {
        let known = before.as_ref().is_some_and(|edge| edge.zoneless);
        let mut now = pass.high.as_ref().map(|high| Edge {
            value: high.clone(),
            records: pass.tops.clone(),
            zoneless: pass.zoneless || pass.from.is_some() && known,
        });
        let value = |edge: &Option<Edge>| cursor.parse(&edge.as_ref()?.value);
        let (old, new) = (value(&before), value(&now));
        if pass.from.is_none() || pass.in_full || new > old {
            return now;
        }
        if let (Some(before), Some(now), true) = (&before, &mut now, old == new) {
            now.records.extend(&before.records);
            now.records.truncate(TOPS);
            return Some(now.clone());
        }
        before
    }
}

/// Returns whether a text has a time of a day and no zone: `2024-01-31T12:00:00`.
fn lacks_zone(text: &str) -> bool {
    let time = text.get(10..).unwrap_or_default();
    let (Some('T' | 't' | ' '), Some(time)) = (time.chars().next(), time.get(1..)) else {
        return false;
    };
    !time.contains(|c: char| c.is_ascii_alphabetic() || matches!(c, '+' | '-'))
}

#[cfg(test)]
mod tests {
    use super::lacks_zone;

    #[test]
    fn a_time_has_a_zone_or_not() {
        for naive in [
            "2024-01-31T12:00:00",
            "2024-01-31 12:00",
            "2024-01-31T12:00:00.5",
        ] {
            assert!(lacks_zone(naive), "{naive}");
        }
        for zoned in [
            "2024-01-31T12:00:00Z",
            "2024-01-31T12:00:00+09:00",
            "2024-01-31 12:00:00 UTC",
            "2024-01-31T12:00:00-08:00",
            "2024-01-31",
            "1700000000",
            "",
        ] {
            assert!(!lacks_zone(zoned), "{zoned}");
        }
    }
}
