//! Incremental cursors: the field that orders records by age, and the parameter that filters by it.

mod range;

use std::time::Duration;

pub use etlgen_model::TimeFormat;
pub(crate) use etlgen_model::{Meaning, Order};

use crate::http::Request;
use crate::record::{CursorValue, FieldPath, IntoFieldPath, Record, WireFormat};
pub use range::Interval;
pub(crate) use range::Range;

/// How a resource is read incrementally.
///
/// A filter on the time of *creation* cannot see later changes: with [`Cursor::created`] a resource
/// is read in full each time and merged by key, unless [`Cursor::new_rows_only`] says that its
/// records never change. A filter on the time of the last *update* sees every change.
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
    /// How its values are written in the state, and in requests unless `sent` says otherwise.
    pub format: WireFormat,
    /// How its parameters take a time, if the field holds it in another way.
    pub sent: Option<TimeFormat>,
    pub meaning: Meaning,
    pub param: Option<String>,
    pub until: Option<String>,
    /// Whether its parameters are fields of the JSON body of a POST.
    pub in_body: bool,
    /// The text of the parameters; `{}` stands for the value.
    pub template: Option<String>,
    pub lookback: Duration,
    pub new_rows_only: bool,
    /// Whether the lower bound's parameter excludes the bound itself.
    pub exclusive: bool,
    pub order: Option<Order>,
    /// Where windows begin, and how long each is.
    pub windows: Option<(String, Duration)>,
    /// The most rows of one list that the API returns.
    pub most_rows: Option<u64>,
}

/// A day in microseconds. The zones in which one API may read a time lie closer together.
pub(crate) const DAY: i64 = 86_400_000_000;

/// Returns a duration of this many days.
pub const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// Returns a duration of this many hours.
pub const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

impl<T: Record> Cursor<T> {
    /// Creates a cursor whose field is the time of creation.
    pub fn created(field: impl IntoFieldPath<T>) -> Self {
        Cursor::new(field, Meaning::Created)
    }

    /// Creates a cursor whose field is the time of the last change, or another value that grows
    /// with every change.
    pub fn updated(field: impl IntoFieldPath<T>) -> Self {
        Cursor::new(field, Meaning::Updated)
    }

    fn new(field: impl IntoFieldPath<T>, meaning: Meaning) -> Self {
        let field = field.into_field_path();
        let spec = CursorSpec {
            keys: field.keys().to_vec(),
            format: field.wire_format(),
            sent: None,
            meaning,
            param: None,
            until: None,
            in_body: false,
            template: None,
            lookback: Duration::ZERO,
            new_rows_only: false,
            exclusive: false,
            order: None,
            windows: None,
            most_rows: None,
        };
        Cursor { field, spec }
    }

    /// Sets the parameter that selects records from a value on (`created[gte]`, `since`).
    pub fn param(mut self, name: &str) -> Self {
        self.spec.param = Some(name.to_owned());
        self
    }

    /// Sets the parameter that selects records up to a value (`created[lte]`, `until`).
    pub fn until(mut self, name: &str) -> Self {
        self.spec.until = Some(name.to_owned());
        self
    }

    /// Sends the parameters as fields of the JSON body of a POST; dotted paths name fields within
    /// objects (`filter.updated_after`).
    ///
    /// ```
    /// use etlgen_runtime::prelude::*;
    ///
    /// #[derive(Record)]
    /// struct Run {
    ///     id: Option<String>,
    ///     updated: Option<UnixTime>,
    /// }
    ///
    /// let cursor = Cursor::updated(Run::UPDATED).param("filter.since").in_body();
    /// let runs = Run::list("runs", "/runs/search").post().primary_key(Run::ID).incremental(cursor);
    /// # let _ = runs;
    /// ```
    pub fn in_body(mut self) -> Self {
        self.spec.in_body = true;
        self
    }

    /// Sets how the parameters take a time, if the field holds it in another way: a filter by days
    /// on a field with times.
    pub fn format(mut self, format: TimeFormat) -> Self {
        self.spec.sent = Some(format).filter(|format| *format != TimeFormat::AsIs);
        self
    }

    /// Sets the expression that [`Cursor::param`] holds: `updated>={}`, `greater-than(updated,{})`.
    /// `{}` stands for the value. An expression without equality also needs a [`Cursor::lookback`],
    /// or records of the same moment are missed.
    pub fn template(mut self, template: &str) -> Self {
        self.spec.template = Some(template.to_owned());
        self
    }

    /// Reads records again that are up to this much older than the last value seen, to find records
    /// that arrive late.
    pub fn lookback(mut self, time: Duration) -> Self {
        self.spec.lookback = time;
        self
    }

    /// Declares that records never change after creation: only those created since the last run are
    /// read.
    pub fn new_rows_only(mut self) -> Self {
        self.spec.new_rows_only = true;
        self
    }

    /// Declares that the parameter of [`Cursor::param`] excludes records at the bound itself
    /// (`created[gt]`): the bound is sent one step lower (a second, a millisecond, a day or 1,
    /// depending on the field's format), so that no record is missed.
    pub fn exclusive(mut self) -> Self {
        self.spec.exclusive = true;
        self
    }

    /// Declares that the API sorts the list by this field, the newest first: a run ends at the
    /// first known record, even without a parameter that filters. Each row is checked: a list that
    /// is not sorted is read to its end.
    pub fn newest_first(mut self) -> Self {
        self.spec.order = Some(Order::NewestFirst);
        self
    }

    /// Declares that the API sorts the list by this field, the oldest first: a killed run continues
    /// from the last value even if pages have no stable position, and a list that the API cuts off
    /// ([`Cursor::most_rows`]) is requested again from there. Each row is checked.
    pub fn oldest_first(mut self) -> Self {
        self.spec.order = Some(Order::OldestFirst);
        self
    }

    /// Reads the list in windows of this length, in parallel: one for records older than `from`
    /// (RFC 3339 or a day), the others from there to now. It needs both [`Cursor::param`] and
    /// [`Cursor::until`]. Records without a value of the field are read if the API returns them in
    /// a window.
    pub fn windows(mut self, from: &str, length: Duration) -> Self {
        self.spec.windows = Some((from.to_owned(), length));
        self
    }

    /// Declares that the API returns at most this many rows of one list. A list that reaches the
    /// limit is read in narrower windows, or, if it is sorted the oldest first, again from the last
    /// value.
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

    /// Returns a value as it is sent in the parameter of the lower bound. An API that excludes the
    /// bound would not return a record with the same value as the last one: unless the parameter
    /// says that it includes the bound, records with a key are requested from one step lower on, as
    /// it does no harm if one of them comes again.
    pub fn bound(&self, value: &CursorValue, keyed: bool) -> String {
        let sent = self.sent_as(value, false);
        let value = sent.as_ref().unwrap_or(value);
        let value = match self.exclusive || keyed && !self.says_inclusive() {
            true => value.step_back().to_string(),
            false => value.to_string(),
        };
        match &self.template {
            Some(template) => template.replace("{}", &value),
            None => value,
        }
    }

    /// Returns whether the lower bound's parameter says that it includes the bound: `created[gte]`,
    /// `min_id`, `updated>={}`.
    fn says_inclusive(&self) -> bool {
        let name = self.param.as_deref().unwrap_or_default();
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        let is_inclusive = |word: &str| {
            let word = word.to_ascii_lowercase();
            matches!(
                word.as_str(),
                "ge" | "gte" | "min" | "minimum" | "inclusive"
            )
        };
        let template = self.template.as_deref().unwrap_or_default();
        words.any(is_inclusive) || template.contains(">=")
    }

    /// Returns a value as it is sent in the parameter of the upper bound: not below it if the
    /// parameter is coarser than the field.
    pub fn until_bound(&self, value: &CursorValue) -> String {
        let sent = self.sent_as(value, true);
        sent.as_ref().unwrap_or(value).to_string()
    }

    /// Returns the parameters of the bounds of a range, and their values. `keyed`: the records have a
    /// key.
    pub fn bounds(&self, range: &Range, keyed: bool) -> impl Iterator<Item = (&str, String)> {
        let from = range.from.as_ref().map(|from| self.bound(from, keyed));
        let until = range.until.as_ref().map(|until| self.until_bound(until));
        let params = [self.param.as_deref(), self.until.as_deref()];
        let pairs = params.into_iter().zip([from, until]);
        pairs.filter_map(|(param, bound)| param.zip(bound))
    }

    /// Adds the bounds of a range to the query or the body of a request. `keyed`: the records have a
    /// key.
    pub fn apply(&self, range: &Range, keyed: bool, request: &mut Request) {
        for (param, bound) in self.bounds(range, keyed) {
            match self.in_body {
                true => request.set_body(param, self.json(bound)),
                false => request.set_query(param, &bound),
            }
        }
    }

    /// Returns a bound as a JSON value: numbers stay numbers.
    pub fn json(&self, bound: String) -> serde_json::Value {
        let format = match self.sent {
            Some(TimeFormat::UnixSeconds | TimeFormat::UnixMillis) => WireFormat::Integer,
            Some(_) => WireFormat::Text,
            None => self.format,
        };
        let is_number = matches!(
            format,
            WireFormat::EpochSeconds
                | WireFormat::EpochMillis
                | WireFormat::Integer
                | WireFormat::Number
        );
        let number = serde_json::from_str::<serde_json::Number>(&bound).ok();
        match number.filter(|_| is_number && self.template.is_none()) {
            Some(number) => number.into(),
            None => bound.into(),
        }
    }

    /// Returns a value as the parameters take it, if the field holds it in another way; `up`: not
    /// below it, else not above.
    fn sent_as(&self, value: &CursorValue, up: bool) -> Option<CursorValue> {
        let (format, unit) = match self.sent? {
            TimeFormat::UnixSeconds => (WireFormat::EpochSeconds, 1_000_000),
            TimeFormat::UnixMillis => (WireFormat::EpochMillis, 1_000),
            TimeFormat::Rfc3339 => (WireFormat::Rfc3339, 1),
            TimeFormat::Date => (WireFormat::Date, 86_400_000_000),
            TimeFormat::AsIs => return None,
        };
        let moment = Self::moment(value)?;
        let whole = moment - moment.rem_euclid(unit);
        let at = match up && whole < moment {
            true => whole.saturating_add(unit),
            false => whole,
        };
        CursorValue::of_time(format, at)
    }

    /// Returns the moment of a value, also of one that the field holds as text.
    fn moment(value: &CursorValue) -> Option<i64> {
        match value {
            CursorValue::Text(text) => {
                let time = CursorValue::parse(WireFormat::Rfc3339, text).ok()?;
                time.micros()
            }
            value => value.micros(),
        }
    }

    /// Returns whether a run loads only what is new since the last one.
    pub fn is_incremental(&self) -> bool {
        self.meaning == Meaning::Updated || self.new_rows_only
    }

    /// Returns whether a list can be read in windows.
    pub fn is_bounded(&self) -> bool {
        self.param.is_some() && self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Record)]
    struct Row {
        at: Option<crate::record::Timestamp>,
        text: Option<String>,
    }

    #[test]
    fn bounds_are_written_as_the_parameter_takes_them() {
        let moment = "2024-01-31T12:00:00.5Z";
        let bounds = |cursor: Cursor<Row>, format| {
            let spec = cursor.format(format).spec;
            let value = spec.parse(moment).unwrap();
            [spec.bound(&value, false), spec.until_bound(&value)]
        };
        let at = || Cursor::updated(Row::AT);
        let days = bounds(at(), TimeFormat::Date);
        assert_eq!(days, ["2024-01-31", "2024-02-01"]);
        let days = bounds(at().exclusive(), TimeFormat::Date);
        assert_eq!(days, ["2024-01-30", "2024-02-01"]);
        let seconds = bounds(at(), TimeFormat::UnixSeconds);
        assert_eq!(seconds, ["1706702400", "1706702401"]);
        let millis = bounds(Cursor::updated(Row::TEXT), TimeFormat::UnixMillis);
        assert_eq!(millis, ["1706702400500", "1706702400500"]);
        let own = bounds(Cursor::updated(Row::TEXT), TimeFormat::AsIs);
        assert_eq!(own, [moment, moment]);
    }

    #[test]
    fn records_with_a_key_are_requested_from_one_step_lower_unless_the_bound_is_included() {
        let bound = |name: &str, field: &str, value: &str| {
            let spec = Cursor::<Row>::updated(field).param(name).spec;
            spec.bound(&spec.parse(value).unwrap(), true)
        };
        for name in ["since", "updated_after", "from", "updatedSince"] {
            let sent = bound(name, "at", "2024-01-31T12:00:00.5Z");
            assert_eq!(sent, "2024-01-31T11:59:59.5Z", "{name}");
        }
        for name in ["updated[gte]", "updated_min", "min_updated", "updated__gte"] {
            let sent = bound(name, "at", "2024-01-31T12:00:00Z");
            assert_eq!(sent, "2024-01-31T12:00:00Z", "{name}");
        }
        let template = Cursor::<Row>::updated(Row::AT)
            .param("q")
            .template("updated>={}")
            .spec;
        let value = template.parse("2024-01-31T12:00:00Z").unwrap();
        assert_eq!(
            template.bound(&value, true),
            "updated>=2024-01-31T12:00:00Z"
        );
        // Text keeps its form; text that is neither a time nor a number has no step.
        for (value, lower) in [
            ("2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z"),
            ("2024-03-01", "2024-02-29"),
            ("100", "99"),
            ("1700000000", "1699999999"),
            ("2024-03-01 00:00:00", "2024-03-01 00:00:00"),
            ("007", "007"),
            ("v1", "v1"),
        ] {
            assert_eq!(bound("since", "text", value), lower);
        }
    }
}
