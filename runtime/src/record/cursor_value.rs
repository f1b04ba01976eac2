//! Positions of incremental cursors: ordered, sent in requests, and stored as text between runs.

use std::cmp::Ordering;
use std::fmt;

use super::decimal::Decimal;
use super::layout::ValueRef;
use super::parse_error::ParseError;
use super::schema::Shape;
use super::time::{Date, Timestamp, UnixMillis, UnixTime, parse_instant, rfc3339};

/// The format of a field's values in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireFormat {
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// RFC 3339 in UTC.
    Rfc3339,
    /// `2024-01-31`.
    Date,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Text, unchanged.
    Text,
}

impl WireFormat {
    const ALL: [(WireFormat, &str); 7] = [
        (WireFormat::EpochSeconds, "epoch seconds"),
        (WireFormat::EpochMillis, "epoch milliseconds"),
        (WireFormat::Rfc3339, "RFC 3339"),
        (WireFormat::Date, "date"),
        (WireFormat::Integer, "integer"),
        (WireFormat::Number, "number"),
        (WireFormat::Text, "text"),
    ];

    /// Returns its name in the state.
    pub(crate) fn name(self) -> &'static str {
        let found = WireFormat::ALL.iter().find(|(format, _)| *format == self);
        found.map_or("text", |(_, name)| name)
    }

    /// Returns the format of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = WireFormat::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(format, _)| *format)
    }

    /// Returns the format for a field's type.
    pub(crate) fn of(shape: Shape) -> Self {
        match shape {
            Shape::UnixTime => WireFormat::EpochSeconds,
            Shape::UnixMillis => WireFormat::EpochMillis,
            Shape::Timestamp => WireFormat::Rfc3339,
            Shape::Date => WireFormat::Date,
            Shape::Int => WireFormat::Integer,
            Shape::Float | Shape::Decimal => WireFormat::Number,
            _ => WireFormat::Text,
        }
    }
}

/// A position of an incremental cursor. Values of one field are ordered. Its text is sent in requests;
/// [`CursorValue::parse`] reads that text again.
#[derive(Clone, Debug)]
pub enum CursorValue {
    /// A point in time (µs since 1970) and its format.
    Instant(i64, WireFormat),
    /// A day.
    Date(Date),
    /// A whole number.
    Int(i64),
    /// An exact number.
    Decimal(Decimal),
    /// A double.
    Float(f64),
    /// Text, ordered by its bytes.
    Text(String),
}

impl CursorValue {
    /// Reads what [`WireFormat`] writes. A time may also be given as RFC 3339 or as a day (its
    /// midnight, UTC), a day as RFC 3339 (the day of that time in UTC).
    pub fn parse(format: WireFormat, text: &str) -> Result<Self, ParseError> {
        let text = if format == WireFormat::Text {
            text
        } else {
            text.trim()
        };
        match format {
            WireFormat::EpochSeconds | WireFormat::EpochMillis | WireFormat::Rfc3339 => {
                instant(format, text)
                    .map(|micros| CursorValue::Instant(micros, format))
                    .ok_or(ParseError(
                        "a time such as 2024-01-31T12:00:00Z, or a day such as 2024-01-31",
                    ))
            }
            WireFormat::Date => {
                let day = match parse_instant(text, true) {
                    Some(micros) => i32::try_from(micros.div_euclid(86_400_000_000))
                        .map(Date::from_days)
                        .map_err(|_| ParseError("a day such as 2024-01-31"))?,
                    None => text.parse()?,
                };
                Ok(CursorValue::Date(day))
            }
            WireFormat::Integer => text
                .parse()
                .map(CursorValue::Int)
                .map_err(|_| ParseError("a whole number")),
            WireFormat::Number => match text.parse() {
                Ok(number) => Ok(CursorValue::Decimal(number)),
                Err(error) => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => Ok(CursorValue::Float(number)),
                    _ => Err(error),
                },
            },
            WireFormat::Text => Ok(CursorValue::Text(text.to_owned())),
        }
    }

    /// Rewrites a value from one format to another: the same moment or number, or the day that
    /// contains the moment; `None` if the formats differ in meaning.
    pub(crate) fn rewritten(text: &str, from: WireFormat, to: WireFormat) -> Option<Self> {
        use WireFormat::{Date as Day, EpochMillis, EpochSeconds, Rfc3339, Text};
        let is_time = |format| matches!(format, EpochSeconds | EpochMillis | Rfc3339 | Day);
        let value = CursorValue::parse(from, text).ok()?;
        match (from, to) {
            (from, to) if from == to => Some(value),
            (_, Day) if is_time(from) => {
                let days = value.micros()?.div_euclid(86_400_000_000);
                Some(CursorValue::Date(Date::from_days(
                    i32::try_from(days).ok()?,
                )))
            }
            _ if is_time(from) && is_time(to) => Some(CursorValue::Instant(value.micros()?, to)),
            // The type was changed, but the API sends the same values.
            (Rfc3339 | Day, _) | (_, Text) => None,
            _ => CursorValue::parse(to, text).ok(),
        }
    }

    /// Returns microseconds since 1970, if the value is a time or a day.
    pub fn micros(&self) -> Option<i64> {
        match self {
            CursorValue::Instant(micros, _) => Some(*micros),
            CursorValue::Date(date) => i64::from(date.days()).checked_mul(86_400_000_000),
            _ => None,
        }
    }

    /// Returns the position that many microseconds earlier, if the value is a time; days are
    /// reduced by whole days, rounded up. Other values do not change.
    #[must_use]
    pub fn earlier(&self, micros: i64) -> Self {
        match self {
            CursorValue::Instant(at, format) => {
                CursorValue::Instant(at.saturating_sub(micros), *format)
            }
            CursorValue::Date(date) => {
                let days = micros.max(0).saturating_add(86_399_999_999) / 86_400_000_000;
                let days = i32::try_from(days).unwrap_or(i32::MAX);
                CursorValue::Date(Date::from_days(date.days().saturating_sub(days)))
            }
            other => other.clone(),
        }
    }

    /// Returns the value as an integer, if possible: microseconds, days, or the number itself.
    pub(crate) fn place(&self) -> Option<i64> {
        match self {
            CursorValue::Instant(micros, _) => Some(*micros),
            CursorValue::Date(date) => Some(date.days().into()),
            CursorValue::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns that moment (µs since 1970) in this format; `None` if the format has no times.
    pub(crate) fn of_time(format: WireFormat, micros: i64) -> Option<Self> {
        match format {
            WireFormat::EpochSeconds | WireFormat::EpochMillis | WireFormat::Rfc3339 => {
                Some(CursorValue::Instant(micros, format))
            }
            WireFormat::Date => {
                let days = i32::try_from(micros.div_euclid(86_400_000_000)).ok()?;
                Some(CursorValue::Date(Date::from_days(days)))
            }
            WireFormat::Integer | WireFormat::Number | WireFormat::Text => None,
        }
    }

    /// Returns the value of the same kind for that integer.
    pub(crate) fn at(&self, place: i64) -> Option<Self> {
        match self {
            CursorValue::Instant(_, format) => Some(CursorValue::Instant(place, *format)),
            CursorValue::Date(_) => {
                let days = i32::try_from(place).ok()?;
                Some(CursorValue::Date(Date::from_days(days)))
            }
            CursorValue::Int(_) => Some(CursorValue::Int(place)),
            _ => None,
        }
    }

    /// Returns the smallest difference that a request can express between two values of its kind.
    /// Many APIs accept only whole seconds.
    pub(crate) fn step(&self) -> i64 {
        match self {
            CursorValue::Instant(_, WireFormat::EpochMillis) => 1_000,
            CursorValue::Instant(..) => 1_000_000,
            _ => 1,
        }
    }

    /// Returns the value one step lower; text and numbers for which there is none do not change.
    #[must_use]
    pub(crate) fn step_back(&self) -> Self {
        let lower = match self {
            CursorValue::Text(text) => {
                let formats = [WireFormat::Integer, WireFormat::Date, WireFormat::Rfc3339];
                // The API takes its own form.
                let kinds = formats.into_iter();
                let kinds = kinds.filter_map(|format| CursorValue::parse(format, text).ok());
                let mut kinds = kinds.filter(|value| value.to_string() == *text);
                let lower = kinds.next().map(|value| value.step_back().to_string());
                lower.map(CursorValue::Text)
            }
            CursorValue::Decimal(_) | CursorValue::Float(_) => self.below(),
            _ => self
                .place()
                .and_then(|place| self.at(place.saturating_sub(self.step()))),
        };
        lower.unwrap_or_else(|| self.clone())
    }

    /// Returns a whole number below a number, and not more than one below it.
    fn below(&self) -> Option<Self> {
        let text = self.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let number: i64 = whole.parse().ok()?;
        let is_whole = part.bytes().all(|digit| digit == b'0');
        let lowers = is_whole || whole.starts_with('-');
        let lower = number.checked_sub(i64::from(lowers))?;
        Some(CursorValue::Int(lower))
    }

    pub(crate) fn of(value: ValueRef<'_>) -> Option<Self> {
        Some(match value {
            ValueRef::String(value) => CursorValue::Text(value.clone()),
            ValueRef::Int(value) => CursorValue::Int(*value),
            ValueRef::Float(value) => CursorValue::Float(*value),
            ValueRef::Decimal(value) => CursorValue::Decimal(*value),
            ValueRef::Timestamp(value) => CursorValue::Instant(value.micros(), WireFormat::Rfc3339),
            ValueRef::UnixTime(value) => {
                CursorValue::Instant(value.micros(), WireFormat::EpochSeconds)
            }
            ValueRef::UnixMillis(value) => {
                CursorValue::Instant(value.micros(), WireFormat::EpochMillis)
            }
            ValueRef::Date(value) => CursorValue::Date(*value),
            ValueRef::Uuid(value) => CursorValue::Text(value.to_string()),
            ValueRef::Json(value) => CursorValue::Text(super::json::scalar_text(value.as_str())?),
            ValueRef::Dynamic(value) => {
                CursorValue::Text(super::json::scalar_text(value.json().as_str())?)
            }
            ValueRef::Null
            | ValueRef::Bool(_)
            | ValueRef::Bytes(_)
            | ValueRef::Record(_)
            | ValueRef::List(_) => return None,
        })
    }

    /// Values of one field have one kind; values of different kinds are ordered by kind.
    fn rank(&self) -> u8 {
        match self {
            CursorValue::Instant(..) => 0,
            CursorValue::Date(_) => 1,
            CursorValue::Int(_) | CursorValue::Decimal(_) | CursorValue::Float(_) => 2,
            CursorValue::Text(_) => 3,
        }
    }
}

/// Returns the microseconds of a time. Finer digits are cut: a request from that time on returns
/// the record again.
fn instant(format: WireFormat, text: &str) -> Option<i64> {
    whole_instant(format, text).or_else(|| {
        let digits = match format {
            WireFormat::EpochMillis => 3,
            _ => 6,
        };
        whole_instant(format, &without_finer_digits(text, digits)?)
    })
}

/// Returns a time without the digits of its fraction beyond that number; `None` if it has none.
fn without_finer_digits(text: &str, digits: usize) -> Option<String> {
    let (whole, behind) = text.split_once('.')?;
    let end = behind.find(|c: char| !c.is_ascii_digit());
    let (fraction, zone) = behind.split_at(end.unwrap_or(behind.len()));
    let kept = fraction.get(..digits).filter(|kept| *kept != fraction)?;
    Some(format!("{whole}.{kept}{zone}"))
}

fn whole_instant(format: WireFormat, text: &str) -> Option<i64> {
    if let Some(micros) = parse_instant(text, true) {
        return Some(micros);
    }
    if let Ok(day) = text.parse::<Date>() {
        return i64::from(day.days()).checked_mul(86_400_000_000);
    }
    match format {
        WireFormat::EpochSeconds => text.parse::<UnixTime>().ok().map(UnixTime::micros),
        WireFormat::EpochMillis => text.parse::<UnixMillis>().ok().map(UnixMillis::micros),
        _ => text.parse::<Timestamp>().ok().map(Timestamp::micros),
    }
}

impl fmt::Display for CursorValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CursorValue::Instant(micros, format) => match format {
                WireFormat::EpochSeconds => write_scaled(f, *micros, 6),
                WireFormat::EpochMillis => write_scaled(f, *micros, 3),
                _ => f.write_str(rfc3339(*micros).as_str()),
            },
            CursorValue::Date(value) => value.fmt(f),
            CursorValue::Int(value) => value.fmt(f),
            CursorValue::Decimal(value) => value.fmt(f),
            CursorValue::Float(value) => value.fmt(f),
            CursorValue::Text(value) => f.write_str(value),
        }
    }
}

/// Writes an integer of `10^-digits`.
fn write_scaled(f: &mut fmt::Formatter<'_>, value: i64, digits: u32) -> fmt::Result {
    let unit = 10_u64.pow(digits);
    let (whole, fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let sign = if value < 0 { "-" } else { "" };
    write!(f, "{sign}{whole}")?;
    if fraction == 0 {
        return Ok(());
    }
    let fraction = format!("{fraction:0width$}", width = digits as usize);
    write!(f, ".{}", fraction.trim_end_matches('0'))
}

impl Ord for CursorValue {
    fn cmp(&self, other: &Self) -> Ordering {
        use CursorValue::*;
        let float = |value: &CursorValue| match value {
            Int(value) => *value as f64,
            Decimal(value) => value.to_f64(),
            Float(value) => *value,
            _ => 0.0,
        };
        match (self, other) {
            (Instant(a, _), Instant(b, _)) => a.cmp(b),
            (Date(a), Date(b)) => a.cmp(b),
            (Int(a), Int(b)) => a.cmp(b),
            (Decimal(a), Decimal(b)) => a.cmp(b),
            (Text(a), Text(b)) => a.cmp(b),
            _ => self
                .rank()
                .cmp(&other.rank())
                .then_with(|| float(self).total_cmp(&float(other))),
        }
    }
}

impl PartialOrd for CursorValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for CursorValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for CursorValue {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_the_same_value() {
        for (format, text) in [
            (WireFormat::EpochSeconds, "1706702400"),
            (WireFormat::EpochSeconds, "-1.5"),
            (WireFormat::EpochMillis, "1706702400123"),
            (WireFormat::Rfc3339, "2024-01-31T12:00:00.5Z"),
            (WireFormat::Date, "2024-01-31"),
            (WireFormat::Integer, "-7"),
            (WireFormat::Number, "1.25"),
            (WireFormat::Text, " a b "),
        ] {
            let value = CursorValue::parse(format, text).unwrap();
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn a_day_stands_for_its_midnight() {
        let since = |format| {
            CursorValue::parse(format, "2024-01-01")
                .unwrap()
                .to_string()
        };
        assert_eq!(since(WireFormat::EpochSeconds), "1704067200");
        assert_eq!(since(WireFormat::EpochMillis), "1704067200000");
        assert_eq!(since(WireFormat::Rfc3339), "2024-01-01T00:00:00Z");
        assert_eq!(since(WireFormat::Date), "2024-01-01");
        assert!(CursorValue::parse(WireFormat::EpochSeconds, "yesterday").is_err());
        assert!(CursorValue::parse(WireFormat::Integer, "2024-01-01").is_err());
    }

    #[test]
    fn digits_finer_than_microseconds_are_cut() {
        let read = |format, text| CursorValue::parse(format, text).map(|value| value.to_string());
        for (format, text, cut) in [
            (
                WireFormat::Rfc3339,
                "2024-01-31T12:00:00.123456789Z",
                "2024-01-31T12:00:00.123456Z",
            ),
            (
                WireFormat::Rfc3339,
                "2024-01-31T13:00:00.1234567+01:00",
                "2024-01-31T12:00:00.123456Z",
            ),
            (
                WireFormat::EpochSeconds,
                "1706702400.123456789",
                "1706702400.123456",
            ),
            (
                WireFormat::EpochMillis,
                "1706702400123.4567",
                "1706702400123.456",
            ),
        ] {
            assert_eq!(read(format, text).unwrap(), cut);
        }
        for text in [
            "2024-01-31T12:00:00.12345678x",
            "2024-01-31.123456789",
            "a.1234567",
            "1.2.3456789",
        ] {
            assert!(read(WireFormat::Rfc3339, text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_ordered_and_go_back_in_time() {
        let at = |text| CursorValue::parse(WireFormat::Rfc3339, text).unwrap();
        assert!(at("2024-01-31T12:00:00+02:00") < at("2024-01-31T12:00:00Z"));
        assert_eq!(
            at("2024-01-31T12:00:00Z").earlier(1_500_000).to_string(),
            "2024-01-31T11:59:58.5Z"
        );
        let day = CursorValue::parse(WireFormat::Date, "2024-03-01T05:00:00Z").unwrap();
        assert_eq!(day.earlier(1).to_string(), "2024-02-29");
        let number = |text| CursorValue::parse(WireFormat::Number, text).unwrap();
        assert!(number("9") < number("10.5"));
        assert!(number("1e300") > number("10.5"));
    }
}
