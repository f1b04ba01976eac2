//! Exact numbers.

use std::fmt;
use std::str::FromStr;

use super::parse_error::ParseError;

/// Digits after the point.
const SCALE: u32 = 9;
/// The largest number of billionths: 38 digits.
const MAX: i128 = 10_i128.pow(38) - 1;

/// An exact number of up to 38 digits, 9 of them after the point; sent as a number or as text.
///
/// ```
/// use etlgen_runtime::prelude::Decimal;
///
/// let price: Decimal = "19.90".parse()?;
/// assert_eq!(price.to_string(), "19.9");
/// assert!(price < "20".parse()?);
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

impl Decimal {
    /// Returns the number with that many billionths; `None` beyond 38 digits.
    pub const fn from_billionths(value: i128) -> Option<Self> {
        if value > MAX || value < -MAX {
            None
        } else {
            Some(Decimal(value))
        }
    }

    /// Returns the number times 10^9.
    pub const fn billionths(self) -> i128 {
        self.0
    }

    /// Returns the nearest double.
    pub fn to_f64(self) -> f64 {
        // Parsing the shortest text is exact; a division would not be.
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl FromStr for Decimal {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_scaled(text, SCALE)
            .and_then(Decimal::from_billionths)
            .ok_or(ParseError(
                "a number of up to 29 digits, and up to 9 after the point",
            ))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u128.pow(SCALE);
        let value = self.0.unsigned_abs();
        let (whole, fraction) = (value / unit, value % unit);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:09}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// Parses a decimal number (`-12.5e3`) as an integer of `10^-digits`; `None` if it is not a number or would lose
/// digits.
pub(crate) fn parse_scaled(text: &str, digits: u32) -> Option<i128> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_point = whole.len() != mantissa.len();
    if whole.is_empty() || has_point && fraction.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    // The number of zeros read and not yet multiplied in: trailing zeros cost nothing, and there
    // may be many.
    let mut zeros: i64 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        if byte == b'0' {
            zeros += i64::from(value != 0);
            continue;
        }
        for _ in 0..=zeros {
            value = value.checked_mul(10)?;
        }
        zeros = 0;
        value = value.checked_add(i128::from(byte - b'0'))?;
    }
    if value != 0 {
        let power = zeros + exponent - i64::try_from(fraction.len()).ok()? + i64::from(digits);
        value = value.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)?;
    }
    Some(if negative { -value } else { value })
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // An exponent that does not fit into 64 bits is too large in any case.
    let value: i64 = digits.parse().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
    Some(if text.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        let text = |text: &str| text.parse::<Decimal>().ok().map(|value| value.to_string());
        for (from, to) in [
            ("12.50", "12.5"),
            ("-0.000000001", "-0.000000001"),
            ("0", "0"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("1.25E-2", "0.0125"),
            ("100e-2", "1"),
            (
                "99999999999999999999999999999.999999999",
                "99999999999999999999999999999.999999999",
            ),
            ("1.0000000000000000000000000000000000000000000000", "1"),
            ("0e999999999999999999999", "0"),
            ("000012", "12"),
        ] {
            assert_eq!(text(from).as_deref(), Some(to), "{from}");
        }
        for from in [
            "",
            "-",
            ".5",
            "5.",
            "1e",
            "1e400",
            "1e-10",
            "100000000000000000000000000000",
            "0.0000000001",
            "1 2",
            "0x1",
            "१",
            "1e99999999999999999999",
        ] {
            assert_eq!(text(from), None, "{from}");
        }
        assert_eq!("0.1".parse::<Decimal>().unwrap().to_f64(), 0.1);
    }
}
