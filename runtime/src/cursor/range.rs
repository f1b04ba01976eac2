//! Ranges of a cursor: windows, the ranges that have been read, and the rest.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CursorSpec;
use crate::record::CursorValue;

/// A range of a cursor in the state: from a value up to, and excluding, another one. A missing
/// value means an open end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// The first value, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first value after the range, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A range of a cursor: from a value up to, and excluding, another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub from: Option<CursorValue>,
    pub until: Option<CursorValue>,
}

impl Range {
    pub fn parse(interval: &Interval, cursor: &CursorSpec) -> Self {
        let value = |text: &Option<String>| text.as_deref().and_then(|text| cursor.parse(text));
        Range {
            from: value(&interval.from),
            until: value(&interval.until),
        }
    }

    pub fn interval(&self) -> Interval {
        Interval {
            from: self.from.as_ref().map(CursorValue::to_string),
            until: self.until.as_ref().map(CursorValue::to_string),
        }
    }

    /// Returns whether it ends at or before the start of another range; an open end never does.
    fn ends_by(&self, other: &Range) -> bool {
        match (&self.until, &other.from) {
            (Some(until), Some(from)) => until <= from,
            _ => false,
        }
    }

    /// Returns whether the two ranges overlap or touch.
    fn meets(&self, other: &Range) -> bool {
        let apart = |a: &Range, b: &Range| match (&a.until, &b.from) {
            (Some(until), Some(from)) => until < from,
            _ => false,
        };
        !apart(self, other) && !apart(other, self)
    }

    /// Adds the range to the closed ones, and joins ranges that touch, so that the list stays
    /// short.
    pub fn close(self, closed: &mut Vec<Range>) {
        let mut grown = self;
        closed.retain(|range| {
            if !range.meets(&grown) {
                return true;
            }
            let lower = |a: &Option<CursorValue>, b: &Option<CursorValue>| match (a, b) {
                (Some(a), Some(b)) => Some(a.min(b).clone()),
                _ => None,
            };
            let upper = |a: &Option<CursorValue>, b: &Option<CursorValue>| match (a, b) {
                (Some(a), Some(b)) => Some(a.max(b).clone()),
                _ => None,
            };
            grown = Range {
                from: lower(&grown.from, &range.from),
                until: upper(&grown.until, &range.until),
            };
            false
        });
        let at = closed.iter().take_while(|range| range.ends_by(&grown));
        closed.insert(at.count(), grown);
    }

    /// Returns the range without these parts, which are in order.
    pub fn without(&self, parts: &[Range]) -> Vec<Range> {
        let (mut left, mut rest) = (Vec::new(), Some(self.clone()));
        for part in parts {
            let Some(range) = rest.take() else { break };
            if range.ends_by(part) || part.ends_by(&range) {
                rest = Some(range);
                continue;
            }
            if let Some(from) = &part.from
                && range.from.as_ref().is_none_or(|begin| begin < from)
            {
                left.push(Range {
                    from: range.from.clone(),
                    until: Some(from.clone()),
                });
            }
            rest = match (&part.until, &range.until) {
                (None, _) => None,
                (Some(until), Some(end)) if until >= end => None,
                (Some(until), end) => Some(Range {
                    from: Some(until.clone()),
                    until: end.clone(),
                }),
            };
        }
        left.extend(rest);
        left
    }

    /// Returns windows of this length, the first starting at `first`: one for everything before it,
    /// and an open last one if the range has no end. `end`: the place at which new values are
    /// created.
    pub fn windows(&self, first: &CursorValue, length: Duration, end: i64) -> Vec<Range> {
        let Some((mut edge, length)) = first.place().zip(places(first, length)) else {
            return vec![self.clone()];
        };
        let begin = self.from.as_ref().and_then(CursorValue::place);
        let last = self
            .until
            .as_ref()
            .and_then(CursorValue::place)
            .unwrap_or(end);
        // Windows with a wrong length must not fill the memory.
        let length = length.max(last.saturating_sub(edge) / MOST_WINDOWS);
        let mut windows = Vec::new();
        let mut from = self.from.clone();
        while edge < last {
            if begin.is_none_or(|begin| begin < edge) {
                let until = first.at(edge);
                windows.push(Range {
                    from: from.take(),
                    until: until.clone(),
                });
                from = until;
            }
            edge = edge.saturating_add(length);
        }
        windows.push(Range {
            from,
            until: self.until.clone(),
        });
        windows
    }

    /// Returns two halves, or `None` if the range is too narrow for a request to separate them.
    /// `end`: a value near the newest ones, which stands for an open end; below an open start, each
    /// cut goes back twice as far as the one before.
    pub fn halves(&self, end: &CursorValue) -> Option<[Range; 2]> {
        let place = |bound: &Option<CursorValue>| match bound {
            Some(value) => value.place().map(Some),
            None => Some(None),
        };
        let (from, until, end_at) = (place(&self.from)?, place(&self.until)?, end.place()?);
        let step = end.step();
        let middle = match (from, until) {
            (Some(from), until) => {
                let length = until.unwrap_or(end_at).checked_sub(from)?;
                from.checked_add(length / 2)?
            }
            (None, Some(until)) => {
                let back = end_at.saturating_sub(until);
                until.checked_sub(back.max(step.checked_mul(86_400)?))?
            }
            (None, None) => end_at,
        };
        let middle = middle - middle.rem_euclid(step);
        if from.is_some_and(|from| middle <= from) || until.is_some_and(|until| middle >= until) {
            return None;
        }
        let middle = end.at(middle)?;
        let until = Some(middle.clone());
        Some([
            Range {
                from: self.from.clone(),
                until,
            },
            Range {
                from: Some(middle),
                until: self.until.clone(),
            },
        ])
    }
}

/// A pass uses at most this many windows.
const MOST_WINDOWS: i64 = 10_000;

/// Returns a duration in places of this kind of value; `None` if the value is not a time.
fn places(kind: &CursorValue, length: Duration) -> Option<i64> {
    let micros = i64::try_from(length.as_micros()).ok()?;
    let places = match kind {
        CursorValue::Instant(..) => micros.max(kind.step()),
        CursorValue::Date(_) => (micros.saturating_add(DAY - 1) / DAY).max(1),
        _ => return None,
    };
    Some(places)
}

const DAY: i64 = 86_400_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn int(from: i64, until: i64) -> Range {
        let value = |n: i64| (n.abs() < 1_000).then_some(CursorValue::Int(n));
        Range {
            from: value(from),
            until: value(until),
        }
    }

    fn holds(range: &Range, n: i64) -> bool {
        let n = CursorValue::Int(n);
        range.from.as_ref().is_none_or(|from| *from <= n)
            && range.until.as_ref().is_none_or(|until| n < *until)
    }

    const OPEN: i64 = 1_000;

    proptest! {
        #[test]
        fn what_is_left_is_what_was_not_closed(
            ranges in prop::collection::vec((-9_i64..12, 1_i64..6), 0..6),
            open in prop::bool::ANY,
        ) {
            let ranges: Vec<Range> =
                ranges.into_iter().map(|(from, length)| int(from, from + length)).collect();
            let mut closed = Vec::new();
            for range in &ranges {
                range.clone().close(&mut closed);
            }
            for pair in closed.windows(2) {
                prop_assert!(!pair[0].meets(&pair[1]), "{closed:?}");
            }
            let whole = if open { int(-OPEN, OPEN) } else { int(-5, 9) };
            let left = whole.without(&closed);
            for n in -20..20 {
                let read = ranges.iter().any(|range| holds(range, n));
                prop_assert_eq!(closed.iter().any(|range| holds(range, n)), read);
                let wanted = holds(&whole, n) && !read;
                let found = left.iter().filter(|range| holds(range, n)).count();
                prop_assert_eq!(found, usize::from(wanted), "{} in {:?}", n, left);
            }
        }
    }

    fn time(text: &str) -> CursorValue {
        CursorValue::parse(crate::record::WireFormat::EpochSeconds, text).unwrap()
    }

    #[test]
    fn windows_cover_the_range_and_halves_the_window() {
        let now = time("2024-01-10T12:00:00Z");
        let days = |range: &Range, first: &str, days: u64| -> Vec<[String; 2]> {
            let windows =
                range.windows(&time(first), super::super::days(days), now.place().unwrap());
            let day = |value: &Option<CursorValue>| {
                let micros = value.as_ref().and_then(CursorValue::micros);
                micros.map_or("open".to_owned(), |m| (m / DAY - 19_723).to_string())
            };
            let text = |range: &Range| [day(&range.from), day(&range.until)];
            windows.iter().map(text).collect()
        };
        let from = Range {
            from: Some(time("2024-01-02")),
            until: None,
        };
        // Days since 2024-01-01.
        assert_eq!(
            days(&from, "2024-01-01", 4),
            [["1", "4"], ["4", "8"], ["8", "open"]]
        );
        let bounded = Range {
            until: Some(time("2024-01-05")),
            ..from.clone()
        };
        assert_eq!(days(&bounded, "2024-01-01", 4), [["1", "4"]]);
        assert_eq!(days(&bounded, "2024-01-02", 1).len(), 3);
        let [left, right] = bounded.halves(&now).unwrap();
        assert_eq!(left.until, Some(time("2024-01-03T12:00:00Z")));
        assert_eq!((right.from, right.until), (left.until, bounded.until));
        let narrow = Range {
            from: Some(time("1704067200")),
            until: Some(time("1704067201")),
        };
        assert_eq!(narrow.halves(&now), None);
        let mut below = Range {
            from: None,
            until: Some(time("2024-01-10")),
        };
        for cuts in 0.. {
            let Some([older, _]) = below.halves(&now) else {
                panic!("no cut is left")
            };
            if older.until < Some(time("1970-01-01")) {
                assert!(cuts < 20, "{cuts} cuts");
                break;
            }
            below = older;
        }
    }
}
