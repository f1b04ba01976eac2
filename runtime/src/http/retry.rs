//! Which failed requests are worth another try, and after which pause.

use std::time::{Duration, SystemTime};

/// Tries per request, the first included.
pub const MAX_TRIES: u32 = 6;

/// Whether a status is likely to be temporary.
pub fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599) && status != 501 && status != 505
}

/// The pause before try number `next_try` (from 2): what the server asks for, else exponential; both with jitter
/// (a number in 0..1), so that many callers do not come back at once.
pub fn pause(next_try: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
    let backoff =
        Duration::from_millis(250) * 2u32.saturating_pow(next_try.saturating_sub(2)).min(120);
    match retry_after {
        // Never earlier than asked; after 0 it still backs off, to spare a busy server.
        Some(asked) => asked.max(backoff / 2) + backoff.mul_f64(0.25 * jitter),
        None => backoff.mul_f64(0.5 + 0.5 * jitter),
    }
}

/// `Retry-After` in seconds or as an HTTP date.
pub fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(1e9)));
    }
    let at = httpdate::parse_http_date(header).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_honour_the_server() {
        for jitter in [0.0, 0.5, 0.999] {
            assert!(pause(2, None, jitter) <= Duration::from_millis(250));
            assert!(pause(6, None, jitter) >= Duration::from_millis(2000));
            assert!(pause(2, Some(Duration::from_secs(3)), jitter) >= Duration::from_secs(3));
            assert!(pause(3, Some(Duration::ZERO), jitter) >= Duration::from_millis(250));
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:40 GMT", now),
            Some(Duration::from_secs(3))
        );
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:30 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("soon", now), None);
    }
}
