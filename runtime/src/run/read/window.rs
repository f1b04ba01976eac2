//! The part of a resource that a list requests: bounds on its cursor.

use crate::cursor::{CursorSpec, Range};
use crate::http::Request;
use crate::record::CursorValue;

/// Bounds on the cursor of one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// The bounds that are sent.
    pub range: Range,
    /// Whether the values of rows can be compared with the bounds.
    strict: bool,
    /// Whether rows outside the bounds are taken nevertheless, because the API returned them under
    /// these bounds.
    lenient: bool,
    /// Whether the bounds are those of a caller.
    given: bool,
    /// Whether the request has the bounds.
    sent: bool,
}

impl Window {
    /// Creates the window of a caller's bounds: no other rows are taken, whatever the API sends.
    pub fn strict(range: Range) -> Self {
        Window {
            range,
            strict: true,
            given: true,
            ..Window::default()
        }
    }

    /// Creates the window for a part of the range that a pass reads. Text is ordered by its bytes,
    /// which may not be the API's order: then the API alone selects the rows. `sent`: the request
    /// has the bounds. `upserts`: a row that comes again replaces itself, so that it does no harm to
    /// take what the API returns: a record that arrived late, that changed without another time, or
    /// at the edge of two windows.
    pub fn of(range: Range, sent: bool, upserts: bool) -> Self {
        let is_text = |value: &CursorValue| matches!(value, CursorValue::Text(_));
        let strict = ![&range.from, &range.until]
            .iter()
            .any(|bound| bound.as_ref().is_some_and(is_text));
        Window {
            range,
            strict,
            lenient: sent && upserts,
            given: false,
            sent,
        }
    }

    /// Returns why rows outside the bounds are left out.
    pub fn excuse(&self) -> &'static str {
        match (self.given, self.sent) {
            (true, _) => "`--since` and `--until` ask for others",
            (false, true) => {
                "without a key, a record that comes again would be a second row; these are known, or arrived late (`lookback` reads some time again)"
            }
            (false, false) => "they are older than the last value of an earlier run",
        }
    }

    /// Returns whether a row belongs to the window; a row without the cursor's field does.
    pub fn holds(&self, cursor: Option<&CursorValue>) -> bool {
        let Some(value) = cursor.filter(|_| self.strict && !self.lenient) else {
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

    /// Adds the bounds to a request. `keyed`: the records have a key.
    pub fn apply(&self, cursor: &CursorSpec, keyed: bool, request: &mut Request) {
        cursor.apply(&self.range, keyed, request);
    }
}
