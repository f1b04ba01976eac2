//! Parses the values of flags.

use std::time::Duration;

/// Parses a number of requests per second.
pub fn per_second(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| number.is_finite() && *number >= 1e-3)
        .ok_or_else(|| format!("`{text}` is not a number of at least 0.001"))
}

/// Parses a text that must not be empty: an unset shell variable must not mean the default.
pub fn filled(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty; leave the option out, or give it a value".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// Parses a duration: numbers with units (`90s`, `10m`, `1h30m`).
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || {
        format!(
            "`{text}` is not a duration: write a number with a unit, as in 90d, 12h, 30m or 45s"
        )
    };
    let (mut seconds, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().map_err(|_| bad())?;
        let mut letters = rest[end..].chars();
        let unit = match letters.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(bad()),
        };
        let more = number
            .checked_mul(unit)
            .and_then(|n| seconds.checked_add(n));
        seconds = more.ok_or_else(bad)?;
        rest = letters.as_str();
    }
    match seconds {
        0 => Err(bad()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_empty() {
        assert_eq!(filled(" a "), Ok("a".to_owned()));
        assert!(filled("").is_err() && filled(" ").is_err());
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "0",
            "0m",
            "90",
            "1h30",
            "-1",
            "m",
            "1y",
            "1.5h",
            "99999999999999999999",
            "999999999999999999d",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
