//! The part of a resource that a list requests: bounds on its cursor.

use crate::cursor::{CursorSpec, Range};
use crate::http::Request;
use crate::record::CursorValue;

/// Bounds on the cursor of one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// The bounds that are sent.
    pub range: Range,
    /// Whether rows outside the bounds are left out, whatever the API sends.
    strict: bool,
}

impl Window {
    /// Creates the window of a caller's bounds: no other rows are taken, whatever the API sends.
    pub fn strict(range: Range) -> Self {
        Window {
            range,
            strict: true,
        }
    }

    /// Creates the window for a part of the range that a pass reads. Text is ordered by its bytes,
    /// which may not be the API's order: then the API alone selects the rows.
    pub fn of(range: Range) -> Self {
        let is_text = |value: &CursorValue| matches!(value, CursorValue::Text(_));
        let strict = ![&range.from, &range.until]
            .iter()
            .any(|bound| bound.as_ref().is_some_and(is_text));
        Window { range, strict }
    }

    /// Returns whether a row belongs to the window; a row without the cursor's field does.
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

    /// Returns whether `newest` and all lower values are below the window.
    pub fn is_behind(&self, newest: &CursorValue) -> bool {
        self.strict && self.is_below(newest)
    }

    /// Returns whether `oldest` and all higher values are above the window.
    pub fn is_ahead_of(&self, oldest: &CursorValue) -> bool {
        self.strict && self.is_above(oldest)
    }

    /// Adds the bounds to a request.
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
