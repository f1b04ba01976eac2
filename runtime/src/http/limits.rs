//! Rate limits as response headers state them, in the formats in use.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use crate::record::parse_instant;

/// The remaining budget that a response states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Left {
    /// A number of requests until the window ends.
    Window {
        /// The remaining requests.
        requests: u64,
        /// The time until the window ends.
        reset: Duration,
    },
    /// Shopify's leaky bucket.
    Bucket {
        /// The requests that fit in now.
        requests: u64,
        /// The requests that fit into the empty bucket.
        size: u64,
        /// The requests that leak out per second.
        leak: f64,
    },
}

/// The longest time until a window ends that is believed. A longer one is a time in another unit, or
/// a quota of a month, whose end is not waited for: the next request shows what is left.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 86_400);

/// Reads the remaining requests from headers; `None` if they state none, or no credible end of the
/// window.
pub(super) fn left(headers: &HeaderMap, now: SystemTime) -> Option<Left> {
    stated(headers, now).filter(|left| match left {
        Left::Window { reset, .. } => *reset <= LONGEST_WINDOW,
        Left::Bucket { .. } => true,
    })
}

/// Reads the remaining requests from headers, as they state them.
fn stated(headers: &HeaderMap, now: SystemTime) -> Option<Left> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some((used, size)) =
        text("x-shopify-shop-api-call-limit").and_then(|value| value.split_once('/'))
    {
        let (used, size): (u64, u64) = (used.trim().parse().ok()?, size.trim().parse().ok()?);
        // A bucket without room for any request is not a rate limit.
        return (size > 0).then(|| Left::Bucket {
            requests: size.saturating_sub(used),
            size,
            // Every plan empties a full bucket in 20 seconds.
            leak: (size as f64 / 20.0).max(0.1),
        });
    }
    // The server's clock is used if it is known: the local clock may be wrong.
    let now = text("date")
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or(now);
    if let Some((requests, reset)) = text("ratelimit").and_then(standard_left) {
        return Some(Left::Window { requests, reset });
    }
    for prefix in PREFIXES {
        let one = |name: &str| text(&format!("{prefix}{name}"));
        let requests = one("remaining").and_then(first_number);
        let reset = one("reset-after")
            .or_else(|| one("reset"))
            .and_then(|value| until(value, now));
        if let (Some(requests), Some(reset)) = (requests, reset) {
            return Some(Left::Window { requests, reset });
        }
    }
    None
}

/// Returns whether the headers say that no request is left, even if they do not say until when.
pub(super) fn is_spent(headers: &HeaderMap) -> bool {
    let text = |name: String| headers.get(name)?.to_str().ok();
    let zero = |prefix: &&str| {
        let left = text(format!("{prefix}remaining")).and_then(first_number);
        left == Some(0)
    };
    let standard = headers
        .get("ratelimit")
        .and_then(|value| value.to_str().ok());
    let standard = standard.and_then(standard_left);
    PREFIXES.iter().any(zero) || standard.is_some_and(|(left, _)| left == 0)
}

/// Returns for how long no request is left, if the headers say so.
pub(super) fn spent_until(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    match left(headers, now)? {
        Left::Window { requests: 0, reset } => Some(reset),
        _ => None,
    }
}

/// Prefixes of the headers that state the remaining requests.
const PREFIXES: [&str; 3] = ["x-ratelimit-", "x-rate-limit-", "ratelimit-"];

/// Parses `RateLimit` of the IETF drafts: `limit=100, remaining=5, reset=20` or `"burst";r=5;t=20,
/// "day";r=900;t=6000`. Of several policies the tightest counts.
fn standard_left(header: &str) -> Option<(u64, Duration)> {
    let value = |item: &str, name: &str| {
        let of = |parameter: &str| {
            let (key, value) = parameter.split_once('=')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
        };
        item.split([';', ',']).find_map(of)
    };
    let flat = value(header, "remaining").zip(value(header, "reset"));
    let structured = header
        .split(',')
        .filter_map(|item| value(item, "r").zip(value(item, "t")));
    let tightest = flat
        .into_iter()
        .chain(structured)
        .min_by_key(|(requests, reset)| (*requests, std::cmp::Reverse(*reset)));
    tightest.map(|(requests, reset)| (requests, Duration::from_secs(reset)))
}

/// Returns `12` for `12, 12;w=60`.
fn first_number(text: &str) -> Option<u64> {
    let number = text.split([',', ';']).next()?.trim();
    let number: f64 = number.parse().ok()?;
    (number.is_finite()).then_some(number.max(0.0) as u64)
}

/// Returns the time until a window ends. The text is in seconds from now, seconds, milliseconds,
/// microseconds or nanoseconds since 1970, RFC 3339, or an HTTP date.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    if let Ok(number) = text.parse::<f64>() {
        if !number.is_finite() || number < 0.0 {
            return None;
        }
        // No window lasts three years: larger numbers are timestamps.
        return Some(match number {
            n if n < 1e8 => Duration::from_secs_f64(n),
            n if n < 1e11 => Duration::from_secs_f64(n).saturating_sub(since_1970),
            n if n < 1e14 => Duration::from_secs_f64(n / 1e3).saturating_sub(since_1970),
            n if n < 1e17 => Duration::from_secs_f64(n / 1e6).saturating_sub(since_1970),
            n => Duration::from_secs_f64((n / 1e9).min(1e12)).saturating_sub(since_1970),
        });
    }
    if let Some(micros) = parse_instant(text, true) {
        let at = Duration::from_micros(u64::try_from(micros).ok()?);
        return Some(at.saturating_sub(since_1970));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Option<Left> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        left(&headers, now)
    }

    fn window(requests: u64, seconds: u64) -> Option<Left> {
        let reset = Duration::from_secs(seconds);
        Some(Left::Window { requests, reset })
    }

    #[test]
    fn every_dialect_is_read() {
        let x = |reset| read(&[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", reset)]);
        assert_eq!(x("1700000030"), window(7, 30));
        assert_eq!(x("1700000030000"), window(7, 30));
        assert_eq!(x("1700000030000000"), window(7, 30));
        assert_eq!(x("1700000030000000000"), window(7, 30));
        assert_eq!(x("30"), window(7, 30));
        assert_eq!(x("2023-11-14T22:13:50Z"), window(7, 30));
        assert_eq!(x("Tue, 14 Nov 2023 22:13:50 GMT"), window(7, 30));
        assert_eq!(x("1600000000"), window(7, 0));
        // A month is not waited for, and these are no times of this century.
        assert_eq!(x("604800"), window(7, 604_800));
        for far in ["2592000", "2700000000", "99999999999", "1e300"] {
            assert_eq!(x(far), None, "{far}");
        }
        assert_eq!(read(&[("ratelimit", "remaining=0, reset=99999999")]), None);
        assert_eq!(x("soon"), None);
        assert_eq!(x("-1"), None);
        let old = [("ratelimit-remaining", "0"), ("ratelimit-reset", "5")];
        assert_eq!(read(&old), window(0, 5));
        let flat = [("ratelimit", "limit=100, remaining=50, reset=5")];
        assert_eq!(read(&flat), window(50, 5));
        let structured = [("ratelimit", r#""burst";r=9;t=1, "day";r=3;t=6000"#)];
        assert_eq!(read(&structured), window(3, 6000));
        let discord = [
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset", "1700009999"),
            ("x-ratelimit-reset-after", "2"),
        ];
        assert_eq!(read(&discord), window(1, 2));
        let bucket = Left::Bucket {
            requests: 8,
            size: 40,
            leak: 2.0,
        };
        let shopify = [("x-shopify-shop-api-call-limit", "32/40")];
        assert_eq!(read(&shopify), Some(bucket));
        assert_eq!(read(&[("x-shopify-shop-api-call-limit", "40/0")]), None);
        assert_eq!(read(&[("x-ratelimit-remaining", "7")]), None);
        assert_eq!(read(&[("ratelimit-policy", r#""a";q=10;w=1"#)]), None);
    }

    #[test]
    fn a_budget_of_nothing_is_spent() {
        let spent = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let headers: HeaderMap = pairs.collect();
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            (is_spent(&headers), spent_until(&headers, now))
        };
        let until = |seconds| (true, Some(Duration::from_secs(seconds)));
        assert_eq!(spent(&[("x-ratelimit-remaining", "0")]), (true, None));
        let reset = ("x-ratelimit-reset", "1700000030");
        assert_eq!(spent(&[("x-ratelimit-remaining", "0"), reset]), until(30));
        assert_eq!(
            spent(&[("ratelimit", "limit=9, remaining=0, reset=5")]),
            until(5)
        );
        assert_eq!(
            spent(&[("x-ratelimit-remaining", "3"), reset]),
            (false, None)
        );
        assert_eq!(spent(&[]), (false, None));
    }

    #[test]
    fn the_servers_clock_counts() {
        let skewed = [
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "1700003610"),
            ("date", "Tue, 14 Nov 2023 23:13:20 GMT"),
        ];
        assert_eq!(read(&skewed), window(7, 10));
    }
}
