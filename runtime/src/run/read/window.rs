//! Which part of a resource a list asks for: bounds on its cursor.

use crate::cursor::{CursorSpec, Range};
use crate::http::Request;
use crate::record::CursorValue;

/// Bounds on the cursor of one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// Sent as bounds.
    pub range: Range,
    /// Rows outside of the bounds are left out, whatever the API sends.
    strict: bool,
}

impl Window {
    /// What a caller asks for: nothing else is taken, whatever the API sends.
    pub fn strict(range: Range) -> Self {
        Window {
            range,
            strict: true,
        }
    }

    /// A part of the range that a pass reads. Text is ordered by its bytes, which may not be the API's order: rows
    /// are left to the API then.
    pub fn of(range: Range) -> Self {
        let is_text = |value: &CursorValue| matches!(value, CursorValue::Text(_));
        let strict = ![&range.from, &range.until]
            .iter()
            .any(|bound| bound.as_ref().is_some_and(is_text));
        Window { range, strict }
    }

    /// Whether a row belongs to the window; a row without the cursor's field does.
    pub fn holds(&self, cursor: Option<&CursorValue>) -> bool {
        let Some(value) = cursor.filter(|_| self.strict) else {
            return true;
        };
        !self.is_above(value) && !self.is_below(value)
    }

    fn is_below(&self, value: &CursorValue) -> bool {
        self.range.from.as_ref().is_some_and(|from| value < from)
    }

    fn is_above(&self, value: &CursorValue) -> bool {
        self.range
            .until
            .as_ref()
            .is_some_and(|until| value >= until)
    }

    /// Whether all values down from `newest` are below it.
    pub fn is_behind(&self, newest: &CursorValue) -> bool {
        self.strict && self.is_below(newest)
    }

    /// Whether all values up from `oldest` are above it.
    pub fn is_ahead_of(&self, oldest: &CursorValue) -> bool {
        self.strict && self.is_above(oldest)
    }

    /// Puts the bounds into a request.
    pub fn apply(&self, cursor: &CursorSpec, request: &mut Request) {
        let from = self.range.from.as_ref().map(|from| cursor.bound(from));
        let until = self.range.until.as_ref();
        let until = until.map(|until| cursor.until_bound(until));
        for (param, bound) in [(&cursor.param, from), (&cursor.until, until)] {
            if let (Some(param), Some(bound)) = (param, bound) {
                request.set_query(param, &bound);
            }
        }
    }
}
