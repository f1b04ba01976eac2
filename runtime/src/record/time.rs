//! Points in time and days.

use std::fmt;
use std::str::FromStr;

use super::parse_error::ParseError;

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

macro_rules! instant {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Returns the time that many microseconds after 1970-01-01T00:00:00Z.
            pub const fn from_micros(micros: i64) -> Self {
                $name(micros)
            }

            /// Returns microseconds after 1970-01-01T00:00:00Z.
            pub const fn micros(self) -> i64 {
                self.0
            }

            /// Returns whole seconds after 1970-01-01T00:00:00Z, rounded down.
            pub const fn seconds(self) -> i64 {
                self.0.div_euclid(MICROS)
            }
        }

        /// Writes RFC 3339 in UTC, with as many fractional digits as needed.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(rfc3339(self.0).as_str())
            }
        }
    };
}

instant! {
    /// A point in time, sent as text: RFC 3339 with any offset (a space may replace the `T`, and no offset means UTC),
    /// with microsecond precision.
    ///
    /// ```
    /// use etlgen_runtime::prelude::Timestamp;
    ///
    /// let time: Timestamp = "2024-01-31T13:00:00+01:00".parse()?;
    /// assert_eq!(time.seconds(), 1_706_702_400);
    /// assert_eq!(time.to_string(), "2024-01-31T12:00:00Z");
    /// # Ok::<(), etlgen_runtime::record::ParseError>(())
    /// ```
    Timestamp
}
instant! {
    /// A point in time, sent as seconds since 1970: a number with up to six digits after the point, the same as text,
    /// or RFC 3339.
    ///
    /// ```
    /// use etlgen_runtime::prelude::UnixTime;
    ///
    /// let time: UnixTime = "1706702400".parse()?;
    /// assert_eq!(time, UnixTime::from_micros(1_706_702_400_000_000));
    /// # Ok::<(), etlgen_runtime::record::ParseError>(())
    /// ```
    UnixTime
}
instant! {
    /// A point in time, sent as milliseconds since 1970: a number with up to three digits after the point, the same as
    /// text, or RFC 3339.
    ///
    /// ```
    /// use etlgen_runtime::prelude::UnixMillis;
    ///
    /// let time: UnixMillis = "1706702400000".parse()?;
    /// assert_eq!(time.seconds(), 1_706_702_400);
    /// # Ok::<(), etlgen_runtime::record::ParseError>(())
    /// ```
    UnixMillis
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_instant(text, true)
            .map(Timestamp)
            .ok_or(ParseError("a time such as 2024-01-31T12:00:00Z"))
    }
}

impl FromStr for UnixTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_scaled(text, 6)
            .or_else(|| parse_instant(text, true))
            .map(UnixTime)
            .ok_or(ParseError("seconds since 1970 or RFC 3339"))
    }
}

impl FromStr for UnixMillis {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_scaled(text, 3)
            .or_else(|| parse_instant(text, true))
            .map(UnixMillis)
            .ok_or(ParseError("milliseconds since 1970 or RFC 3339"))
    }
}

/// A day, sent as `2024-01-31`.
///
/// ```
/// use etlgen_runtime::prelude::Date;
///
/// let day: Date = "2024-01-31".parse()?;
/// assert_eq!(day.to_string(), "2024-01-31");
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// Returns the day that many days after 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Date(days)
    }

    /// Returns days after 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }
}

impl FromStr for Date {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = text.as_bytes();
        (bytes.len() == 10)
            .then(|| parse_day(bytes))
            .flatten()
            .and_then(|days| i32::try_from(days).ok())
            .map(Date)
            .ok_or(ParseError("a day such as 2024-01-31"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Text::new();
        write_day(&mut out, i64::from(self.0));
        f.write_str(out.as_str())
    }
}

/// Parses RFC 3339 to microseconds; `None` if it is something else or would lose digits. `naive`
/// means that a time without an offset is read as UTC.
pub(crate) fn parse_instant(text: &str, naive: bool) -> Option<i64> {
    let (year, bytes) = match text.as_bytes() {
        // The year has more than four digits, as `rfc3339` writes it.
        [sign @ (b'+' | b'-'), a, b, bytes @ ..] => {
            let year = two(&[*a, *b], 0)? * 10_000 + parse_year(bytes)?;
            (if *sign == b'-' { -year } else { year }, bytes)
        }
        bytes => (parse_year(bytes)?, bytes),
    };
    if bytes.len() < 19 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let days = day_of(year, bytes)?;
    if bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(bytes, 11)?, two(bytes, 14)?, two(bytes, 17)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut at = 19;
    let mut fraction = 0;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let start = at;
        let mut unit = MICROS / 10;
        while let Some(digit) = bytes.get(at).filter(|b| b.is_ascii_digit()) {
            let digit = i64::from(digit - b'0');
            if unit == 0 && digit != 0 {
                return None;
            }
            fraction += digit * unit;
            unit /= 10;
            at += 1;
        }
        if at == start {
            return None;
        }
    }
    let offset = match &bytes[at..] {
        [] if naive => 0,
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [_, _, b':', _, _] => (two(rest, 0)?, two(rest, 3)?),
                [_, _, _, _] => (two(rest, 0)?, two(rest, 2)?),
                [_, _] => (two(rest, 0)?, 0),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = days * DAY + hour * 3600 + minute * 60 + second - offset;
    // The earliest instants are less than a second after a second that 64 bits cannot represent.
    i64::try_from(i128::from(seconds) * i128::from(MICROS) + i128::from(fraction)).ok()
}

/// Parses a decimal number as an integer of `10^-digits`; `None` if that would lose digits.
pub(crate) fn parse_scaled(text: &str, digits: u32) -> Option<i64> {
    super::decimal::parse_scaled(text, digits).and_then(|scaled| i64::try_from(scaled).ok())
}

fn two(bytes: &[u8], at: usize) -> Option<i64> {
    match bytes.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from(a - b'0') * 10 + i64::from(b - b'0')),
        _ => None,
    }
}

fn parse_year(bytes: &[u8]) -> Option<i64> {
    Some(two(bytes, 0)? * 100 + two(bytes, 2)?)
}

/// Returns days since 1970 of the `YYYY-MM-DD` at the start of the text.
fn parse_day(bytes: &[u8]) -> Option<i64> {
    day_of(parse_year(bytes)?, bytes)
}

/// Returns days since 1970 of the month and day in `YYYY-MM-DD`, in that year.
fn day_of(year: i64, bytes: &[u8]) -> Option<i64> {
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let (month, day) = (two(bytes, 5)?, two(bytes, 8)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    // Years start in March, so that the leap day is the last of its year; eras of 400 years start in year 0.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468)
}

/// Text of a fixed size, since runs write millions of times.
pub(crate) struct Text {
    bytes: [u8; 40],
    len: usize,
}

impl Text {
    fn new() -> Self {
        Text {
            bytes: [0; 40],
            len: 0,
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// Writes the last `width` digits of a value that is not negative.
    fn digits(&mut self, mut value: i64, width: usize) {
        let end = self.len + width;
        if let Some(places) = self.bytes.get_mut(self.len..end) {
            for place in places.iter_mut().rev() {
                *place = b'0' + (value % 10) as u8;
                value /= 10;
            }
            self.len = end;
        }
    }
}

fn write_day(out: &mut Text, days: i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        out.push(if year < 0 { b'-' } else { b'+' });
        out.digits(year.abs(), 6);
    } else {
        out.digits(year, 4);
    }
    out.push(b'-');
    out.digits(month, 2);
    out.push(b'-');
    out.digits(day, 2);
}

/// Formats a time as RFC 3339 in UTC, with the fractional digits that are needed.
pub(crate) fn rfc3339(micros: i64) -> Text {
    let (mut fraction, mut width) = (micros.rem_euclid(MICROS), 6);
    while width > 0 && fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    instant(micros, fraction, width)
}

/// Formats a time as `2024-01-31T12:00:00.000000Z`: the constant length makes text sort as time.
pub(crate) fn sortable(micros: i64) -> Text {
    instant(micros, micros.rem_euclid(MICROS), 6)
}

/// Formats a day as `2024-01-31`.
pub(crate) fn day(days: i32) -> Text {
    let mut out = Text::new();
    write_day(&mut out, i64::from(days));
    out
}

fn instant(micros: i64, fraction: i64, width: usize) -> Text {
    let mut out = Text::new();
    let seconds = micros.div_euclid(MICROS);
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    write_day(&mut out, days);
    out.push(b'T');
    out.digits(second / 3600, 2);
    out.push(b':');
    out.digits(second / 60 % 60, 2);
    out.push(b':');
    out.digits(second % 60, 2);
    if width > 0 {
        out.push(b'.');
        out.digits(fraction, width);
    }
    out.push(b'Z');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_as_text_sort_by_time() {
        assert_eq!(sortable(0).as_str(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(sortable(-1).as_str(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(
            sortable(951_827_696_123_456).as_str(),
            "2000-02-29T12:34:56.123456Z"
        );
        assert_eq!(day(19_789).as_str(), "2024-03-07");
        assert_eq!(day(-719_162).as_str(), "0001-01-01");
    }

    #[test]
    fn every_day_of_the_calendar_comes_back() {
        let mut expected = parse_day(b"0000-01-01").unwrap();
        assert_eq!(parse_day(b"1970-01-01"), Some(0));
        assert_eq!(parse_day(b"2000-02-29"), Some(11_016));
        assert_eq!(parse_day(b"1900-02-29"), None);
        for year in 0..=9999 {
            for (month, day) in [(1, 1), (2, 28), (2, 29), (3, 1), (12, 31)] {
                let text = format!("{year:04}-{month:02}-{day:02}");
                let Some(days) = parse_day(text.as_bytes()) else {
                    continue;
                };
                assert!(days >= expected, "{text}");
                expected = days;
                assert_eq!(Date(days as i32).to_string(), text);
            }
        }
    }

    #[test]
    fn times_are_read_with_any_offset_and_lose_nothing() {
        let micros = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::micros);
        let noon = Some(1_706_702_400_000_000);
        for text in [
            "2024-01-31T12:00:00Z",
            "2024-01-31 12:00:00z",
            "2024-01-31t14:00:00+02:00",
            "2024-01-31T06:30:00-0530",
            "2024-01-31T13:00:00+01",
            "2024-01-31T12:00:00",
            "2024-01-31T12:00:00.000000000Z",
        ] {
            assert_eq!(micros(text), noon, "{text}");
        }
        assert_eq!(micros("1969-12-31T23:59:59.999999Z"), Some(-1));
        for text in [
            "",
            "n/a",
            "2024-01-31",
            "2024-01-31T12:00:60Z",
            "2024-01-31T24:00:00Z",
            "2024-02-30T12:00:00Z",
            "2024-01-31T12:00:00.0000001Z",
            "2024-01-31T12:00:00.Z",
            "2024-01-31T12:00:00+2",
            "2024-01-31T12:00:00Zulu",
            "２024-01-31T12:00:00Z",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
        assert_eq!(
            Timestamp(1_706_702_400_120_000).to_string(),
            "2024-01-31T12:00:00.12Z"
        );
        assert_eq!(
            Timestamp(i64::MIN).to_string(),
            "-290308-12-21T19:59:05.224192Z"
        );
        for value in [
            i64::MIN,
            -62_167_219_200_000_001,
            253_402_300_800_000_000,
            i64::MAX,
        ] {
            assert_eq!(micros(&Timestamp(value).to_string()), Some(value));
        }
        assert_eq!(micros("+999999-01-01T00:00:00Z"), None);
    }

    #[test]
    fn epochs_are_read_from_numbers_and_text() {
        let micros = |text: &str| text.parse::<UnixTime>().ok().map(UnixTime::micros);
        assert_eq!(micros("1706702400"), Some(1_706_702_400_000_000));
        assert_eq!(micros("1706702400.0"), Some(1_706_702_400_000_000));
        assert_eq!(micros("1512085950.000216"), Some(1_512_085_950_000_216));
        assert_eq!(micros("2024-01-31T12:00:00Z"), Some(1_706_702_400_000_000));
        assert_eq!(micros("1.0000001"), None);
        assert_eq!(micros("99999999999999999999"), None);
        assert_eq!(micros(""), None);
        let millis = "1706702400123".parse::<UnixMillis>().unwrap();
        assert_eq!(millis.to_string(), "2024-01-31T12:00:00.123Z");
    }
}
