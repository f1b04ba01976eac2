//! Incremental cursors: the field that orders records by age, and the parameter that filters by it.

mod range;

use std::time::Duration;

use crate::record::{CursorValue, FieldPath, IntoFieldPath, Record, WireFormat};
pub use range::Interval;
pub(crate) use range::Range;

/// How a resource is read incrementally.
///
/// A filter on the time of *creation* cannot see later changes: with [`Cursor::created`] a resource is read in full
/// each time and merged by key, unless [`Cursor::new_rows_only`] says that its records never change. A filter on the
/// time of the last *update* sees every change.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Invoice {
///     id: Option<String>,
///     updated: Option<UnixTime>,
/// }
///
/// // Each run reads changes from two hours before the last value of the previous run on.
/// let cursor = Cursor::updated(Invoice::UPDATED).param("updated[gte]").lookback(hours(2));
/// let invoices = Invoice::list("invoices", "/v1/invoices").primary_key(Invoice::ID).incremental(cursor);
/// # let _ = invoices;
/// ```
pub struct Cursor<T> {
    pub(crate) field: FieldPath<T>,
    pub(crate) spec: CursorSpec,
}

/// A cursor without its record's type.
#[derive(Clone)]
pub(crate) struct CursorSpec {
    /// The keys of its field.
    pub keys: Vec<String>,
    /// The format of its values in requests and in the state.
    pub format: WireFormat,
    pub meaning: Meaning,
    pub param: Option<String>,
    pub until: Option<String>,
    /// The text of the parameters; `{}` stands for the value.
    pub template: Option<String>,
    pub lookback: Duration,
    pub new_rows_only: bool,
    /// The lower bound's parameter excludes the bound itself.
    pub exclusive: bool,
    pub order: Order,
    /// The start of the first window, and the length of each.
    pub windows: Option<(String, Duration)>,
    /// The API returns at most this many rows of one list.
    pub most_rows: Option<u64>,
}

/// The order in which the API returns a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    Unknown,
    NewestFirst,
    OldestFirst,
}

/// A number of days.
pub const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// A number of hours.
pub const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Created,
    Updated,
}

impl<T: Record> Cursor<T> {
    /// The field is the time of creation.
    pub fn created(field: impl IntoFieldPath<T>) -> Self {
        Cursor::new(field, Meaning::Created)
    }

    /// The field is the time of the last change, or another value that grows with every change.
    pub fn updated(field: impl IntoFieldPath<T>) -> Self {
        Cursor::new(field, Meaning::Updated)
    }

    fn new(field: impl IntoFieldPath<T>, meaning: Meaning) -> Self {
        let field = field.into_field_path();
        let spec = CursorSpec {
            keys: field.keys().to_vec(),
            format: field.wire_format(),
            meaning,
            param: None,
            until: None,
            template: None,
            lookback: Duration::ZERO,
            new_rows_only: false,
            exclusive: false,
            order: Order::Unknown,
            windows: None,
            most_rows: None,
        };
        Cursor { field, spec }
    }

    /// The parameter that selects records from a value on (`created[gte]`, `since`).
    pub fn param(mut self, name: &str) -> Self {
        self.spec.param = Some(name.to_owned());
        self
    }

    /// The parameter that selects records up to a value (`created[lte]`, `until`).
    pub fn until(mut self, name: &str) -> Self {
        self.spec.until = Some(name.to_owned());
        self
    }

    /// The text of [`Cursor::param`], if it takes an expression: `updated>={}`, `greater-than(updated,{})`. `{}` stands
    /// for the value. An expression without equality also needs a [`Cursor::lookback`]; otherwise records of the same
    /// moment are missed.
    pub fn template(mut self, template: &str) -> Self {
        self.spec.template = Some(template.to_owned());
        self
    }

    /// Reads records again that are up to this much older than the last value seen, to find records that arrive late.
    pub fn lookback(mut self, time: Duration) -> Self {
        self.spec.lookback = time;
        self
    }

    /// Records never change after creation: only those created since the last run are read.
    pub fn new_rows_only(mut self) -> Self {
        self.spec.new_rows_only = true;
        self
    }

    /// The parameter of [`Cursor::param`] excludes records at the bound itself (`created[gt]`): the bound is sent one
    /// step lower (a second, a millisecond, a day or 1, depending on the field's format), so that no record is missed.
    pub fn exclusive(mut self) -> Self {
        self.spec.exclusive = true;
        self
    }

    /// The API sorts the list by this field, the newest first: a run ends at the first known record, even without a
    /// parameter that filters. Each row is checked: a list that is not sorted is read to its end.
    pub fn newest_first(mut self) -> Self {
        self.spec.order = Order::NewestFirst;
        self
    }

    /// The API sorts the list by this field, the oldest first: a killed run continues from the last value even if pages
    /// have no stable position, and a list that the API cuts off ([`Cursor::most_rows`]) is requested again from there.
    /// Each row is checked.
    pub fn oldest_first(mut self) -> Self {
        self.spec.order = Order::OldestFirst;
        self
    }

    /// Reads the list in windows of this length, in parallel: one for records older than `from` (RFC 3339 or a day),
    /// the others from there to now. It needs both [`Cursor::param`] and [`Cursor::until`]. Records without a value of
    /// the field are read if the API returns them in a window.
    pub fn windows(mut self, from: &str, length: Duration) -> Self {
        self.spec.windows = Some((from.to_owned(), length));
        self
    }

    /// The API returns at most this many rows of one list. A list that reaches the limit is read in narrower windows,
    /// or, if it is sorted the oldest first, again from the last value.
    pub fn most_rows(mut self, rows: u64) -> Self {
        self.spec.most_rows = Some(rows);
        self
    }
}

impl CursorSpec {
    /// Parses a value in the format of the state, `--since` and `--until`.
    pub fn parse(&self, text: &str) -> Option<CursorValue> {
        CursorValue::parse(self.format, text).ok()
    }

    /// A value as sent in the parameter of the lower bound.
    pub fn bound(&self, value: &CursorValue) -> String {
        let value = match self.exclusive {
            true => value.step_back().to_string(),
            false => value.to_string(),
        };
        match &self.template {
            Some(template) => template.replace("{}", &value),
            None => value,
        }
    }

    /// Whether a run loads only what is new since the last one.
    pub fn is_incremental(&self) -> bool {
        self.meaning == Meaning::Updated || self.new_rows_only
    }

    /// Whether a list can be read in windows.
    pub fn is_bounded(&self) -> bool {
        self.param.is_some() && self.until.is_some()
    }
}
