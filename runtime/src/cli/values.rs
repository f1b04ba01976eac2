//! Parses the values of flags.

use std::time::Duration;

/// Parses a number of requests per second.
pub fn per_second(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| number.is_finite() && *number >= 1e-3)
        .ok_or_else(|| format!("`{text}` is not a number of at least 0.001"))
}

/// Parses a duration (`90s`, `10m`, `1h30m`); a plain number is in seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a duration (write 90d, 12h, 30m or 45s)");
    let (mut seconds, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().map_err(|_| bad())?;
        let mut letters = rest[end..].chars();
        let unit = match letters.next() {
            Some('s') | None => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some(_) => return Err(bad()),
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
    fn durations_have_units() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("10m", 600),
            ("1h30m", 5400),
            ("2d", 172_800),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "0",
            "0m",
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
