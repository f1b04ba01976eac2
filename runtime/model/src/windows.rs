//! Windows of time.

use serde::{Deserialize, Serialize};

use crate::Length;

/// The windows of time in which a list is read: `{ from = "2015-01-01", length = "90d" }`.
///
/// ```
/// use etlgen_model::Windows;
///
/// let windows: Windows = toml::from_str("from = '2015-01-01'\nlength = '90d'")?;
/// assert_eq!(windows.from(), "2015-01-01");
/// assert_eq!(windows.length().to_string(), "90d");
///
/// let wrong = toml::from_str::<Windows>("from = 'x'\nlength = '90d'").unwrap_err();
/// assert_eq!(wrong.message(), "`from` is `x`: write a day (2015-01-31) or a time (2015-01-31T00:00:00Z)");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Windows {
    from: String,
    length: Length,
}

impl Windows {
    /// Creates windows of that length, from that day or time (RFC 3339) on.
    ///
    /// # Errors
    /// Fails if `from` is neither.
    pub fn new(from: impl Into<String>, length: Length) -> Result<Self, String> {
        let from = from.into();
        match is_time(&from) {
            true => Ok(Windows { from, length }),
            false => Err(format!(
                "`from` is `{from}`: write a day (2015-01-31) or a time (2015-01-31T00:00:00Z)"
            )),
        }
    }

    /// Returns the start of the first one: a day, or a time in RFC 3339. Everything older is one
    /// window.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Returns the length of each.
    pub fn length(&self) -> Length {
        self.length
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Windows")]
struct Unchecked {
    from: String,
    length: Length,
}

impl TryFrom<Unchecked> for Windows {
    type Error = String;

    fn try_from(Unchecked { from, length }: Unchecked) -> Result<Self, String> {
        Windows::new(from, length)
    }
}

/// Returns whether it is a day, or a time with an offset.
fn is_time(text: &str) -> bool {
    let (day, time) = match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    is_day(day) && time.is_none_or(is_time_of_day)
}

fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |length, most| number(parts.next(), length).filter(|n| (1..=most).contains(n));
    let (year, month, day) = (part(4, 9_999), part(2, 12), part(2, 31));
    let [Some(year), Some(month), Some(day)] = [year, month, day] else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    day <= longest && parts.next().is_none()
}

fn is_time_of_day(text: &str) -> bool {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => return false,
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let below = |part: Option<&str>, most| number(part, 2).is_some_and(|n| n < most);
    let mut clock = clock.split(':');
    let whole = below(clock.next(), 24) && below(clock.next(), 60) && below(clock.next(), 61);
    let exact = fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()));
    let known = match offset {
        "Z" | "z" => true,
        _ => {
            let mut parts = offset[1..].split(':');
            below(parts.next(), 24) && below(parts.next(), 60) && parts.next().is_none()
        }
    };
    whole && clock.next().is_none() && exact && known
}

/// Parses a number of exactly that many digits.
fn number(text: Option<&str>, digits: usize) -> Option<u32> {
    let text = text.filter(|text| text.len() == digits)?;
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_told_from_the_rest() {
        for right in [
            "2015-01-01",
            "2024-02-29",
            "2015-01-31T00:00:00Z",
            "2015-01-31t23:59:60.5+02:00",
            "2015-01-31 00:00:00-00:30",
        ] {
            assert!(is_time(right), "{right}");
        }
        for wrong in [
            "",
            "x",
            "2015",
            "2015-1-1",
            "2015-13-01",
            "2023-02-29",
            "2015-01-01-01",
            "2015-01-01T",
            "2015-01-01T00:00:00",
            "2015-01-01T24:00:00Z",
            "2015-01-01T00:00:00.Z",
            "2015-01-01T00:00:00+2",
            "2015-01-01T00:00:00+",
            "2015-01-01T00:00:00é",
            "+015-01-01",
        ] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }
}
