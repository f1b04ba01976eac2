//! Lengths of time.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time: `90d`, `12h`, `30m`, `45s`.
///
/// ```
/// use etlgen_model::Length;
///
/// let length: Length = "36h".parse().unwrap();
/// assert_eq!(length.seconds(), 129_600);
/// assert_eq!(length.to_string(), "36h");
/// assert_eq!("3600s".parse::<Length>().unwrap().to_string(), "1h");
/// assert_eq!(
///     "0d".parse::<Length>().unwrap_err(),
///     "`0d` is not a duration (write 90d, 12h, 30m or 45s)"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length {
    seconds: NonZeroU64,
}

/// Units, the largest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Length {
    /// Creates a length of this many seconds.
    pub const fn of_seconds(seconds: NonZeroU64) -> Self {
        Length { seconds }
    }

    /// Returns the number of seconds, at least 1.
    pub const fn seconds(self) -> u64 {
        self.seconds.get()
    }
}

impl From<Length> for Duration {
    fn from(length: Length) -> Self {
        Duration::from_secs(length.seconds())
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = UNITS
            .iter()
            .find(|(unit, _)| text[number.len()..].chars().eq([*unit]));
        let seconds = number.parse::<u64>().ok().zip(unit);
        seconds
            .and_then(|(number, (_, unit))| number.checked_mul(*unit))
            .and_then(NonZeroU64::new)
            .map(Length::of_seconds)
            .ok_or_else(|| format!("`{text}` is not a duration (write 90d, 12h, 30m or 45s)"))
    }
}

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

impl fmt::Display for Length {
    /// Writes the length in its largest whole unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let whole = UNITS
            .iter()
            .find(|(_, length)| seconds.is_multiple_of(*length));
        let (unit, length) = whole.unwrap_or(&('s', 1));
        write!(f, "{}{unit}", seconds / length)
    }
}
