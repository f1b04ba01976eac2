//! Incremental cursors: which field says how new a record is, and which parameter filters by it.

mod range;

use std::time::Duration;

pub use etlgen_model::TimeFormat;
pub(crate) use etlgen_model::{Meaning, Order};

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
/// // Each run asks for what changed since two hours before the last value that the run before has seen.
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
    /// How its parameters take a time, where the field holds it in another way.
    pub sent: Option<TimeFormat>,
    pub meaning: Meaning,
    pub param: Option<String>,
    pub until: Option<String>,
    /// What the parameters hold; `{}` stands for the value.
    pub template: Option<String>,
    pub lookback: Duration,
    pub new_rows_only: bool,
    /// The lower bound's parameter leaves out the bound itself.
    pub exclusive: bool,
    pub order: Option<Order>,
    /// Where windows begin, and how long each is.
    pub windows: Option<(String, Duration)>,
    /// The API shows no more rows of one list than that.
    pub most_rows: Option<u64>,
}

/// That many days.
pub const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// That many hours.
pub const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

impl<T: Record> Cursor<T> {
    /// The field is the time at which the record was made.
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
            sent: None,
            meaning,
            param: None,
            until: None,
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

    /// The parameter that asks for records from a value on (`created[gte]`, `since`).
    pub fn param(mut self, name: &str) -> Self {
        self.spec.param = Some(name.to_owned());
        self
    }

    /// The parameter that asks for records up to a value (`created[lte]`, `until`).
    pub fn until(mut self, name: &str) -> Self {
        self.spec.until = Some(name.to_owned());
        self
    }

    /// How the parameters take a time, where the field holds it in another way: a filter by days on a field with times.
    pub fn format(mut self, format: TimeFormat) -> Self {
        self.spec.sent = Some(format).filter(|format| *format != TimeFormat::AsIs);
        self
    }

    /// What [`Cursor::param`] holds where it takes an expression: `updated>={}`, `greater-than(updated,{})`. `{}` stands
    /// for the value. An expression without equality wants a [`Cursor::lookback`] besides, or records of the same
    /// moment are missed.
    pub fn template(mut self, template: &str) -> Self {
        self.spec.template = Some(template.to_owned());
        self
    }

    /// Asks again for the records of that much time before the last value seen, for records that turn up late.
    pub fn lookback(mut self, time: Duration) -> Self {
        self.spec.lookback = time;
        self
    }

    /// Records never change once made: only those made since the last run are read.
    pub fn new_rows_only(mut self) -> Self {
        self.spec.new_rows_only = true;
        self
    }

    /// The parameter of [`Cursor::param`] leaves out records of the bound itself (`created[gt]`): it is sent one step
    /// lower (a second, a millisecond, a day or 1, as the field is written), so that none is missed.
    pub fn exclusive(mut self) -> Self {
        self.spec.exclusive = true;
        self
    }

    /// The API sorts the list by this field, the newest first: a run ends where it meets what is known, also without a
    /// parameter that filters. Each row is held against it: a list that is not sorted is read to its end.
    pub fn newest_first(mut self) -> Self {
        self.spec.order = Some(Order::NewestFirst);
        self
    }

    /// The API sorts the list by this field, the oldest first: a killed run goes on from the last value even where pages
    /// have no stable place, and a list that the API cuts off ([`Cursor::most_rows`]) is asked for again from there.
    /// Each row is held against it.
    pub fn oldest_first(mut self) -> Self {
        self.spec.order = Some(Order::OldestFirst);
        self
    }

    /// Reads the list in windows of that length, side by side: one for what is older than `from` (RFC 3339 or a day),
    /// the others from there to now. Wants both [`Cursor::param`] and [`Cursor::until`]. Records without a value of the
    /// field are read if the API shows them in a window.
    pub fn windows(mut self, from: &str, length: Duration) -> Self {
        self.spec.windows = Some((from.to_owned(), length));
        self
    }

    /// The API shows no more than that many rows of one list, whatever there is. A list that reaches it is read in
    /// narrower windows, or, where it is sorted the oldest first, again from the last value.
    pub fn most_rows(mut self, rows: u64) -> Self {
        self.spec.most_rows = Some(rows);
        self
    }
}

impl CursorSpec {
    /// A value as the state, `--since` or `--until` hold it.
    pub fn parse(&self, text: &str) -> Option<CursorValue> {
        CursorValue::parse(self.format, text).ok()
    }

    /// A value as the lower bound's parameter takes it.
    pub fn bound(&self, value: &CursorValue) -> String {
        let sent = self.sent_as(value, false);
        let value = sent.as_ref().unwrap_or(value);
        let value = match self.exclusive {
            true => value.step_back().to_string(),
            false => value.to_string(),
        };
        match &self.template {
            Some(template) => template.replace("{}", &value),
            None => value,
        }
    }

    /// A value as the upper bound's parameter takes it: not below it where the parameter is coarser than the field.
    pub fn until_bound(&self, value: &CursorValue) -> String {
        let sent = self.sent_as(value, true);
        sent.as_ref().unwrap_or(value).to_string()
    }

    /// A value as the parameters take it, where that is not as the field holds it; `up`: not below it, else not above.
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

    /// The moment of a value, also of one that the field holds as text.
    fn moment(value: &CursorValue) -> Option<i64> {
        match value {
            CursorValue::Text(text) => {
                let time = CursorValue::parse(WireFormat::Rfc3339, text).ok()?;
                time.micros()
            }
            value => value.micros(),
        }
    }

    /// Whether a run loads only what is new since the last one.
    pub fn is_incremental(&self) -> bool {
        self.meaning == Meaning::Updated || self.new_rows_only
    }

    /// Whether a list can be asked for in windows.
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
            [spec.bound(&value), spec.until_bound(&value)]
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
}
