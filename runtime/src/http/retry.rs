//! Which failed requests are retried, and after which pause.

use std::time::{Duration, SystemTime};

use crate::world::Moment;

/// The maximum number of attempts per request, including the first.
const MOST: u32 = 6;
/// How long requests are retried while a server does not accept them: it may be restarting.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same for a host that has not answered any request yet: it may be the wrong one.
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(10);

/// The attempts of one request.
pub struct Tries {
    count: u32,
    /// When the first attempt ended.
    since: Option<Moment>,
}

impl Tries {
    pub fn new() -> Self {
        Tries {
            count: 0,
            since: None,
        }
    }

    /// Returns the number of attempts.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Counts an attempt that has ended.
    pub fn add(&mut self, now: Moment) {
        self.count = self.count.saturating_add(1);
        self.since.get_or_insert(now);
    }

    /// Returns the pause before the next attempt; `None` means that there is none. `patience` is
    /// set if the server accepts no requests now, and says whether it has answered before; `asked`
    /// is the pause that it asks for; `jitter` is in 0..1.
    pub fn pause(
        &self,
        now: Moment,
        patience: Option<bool>,
        asked: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        let pause = pause(self.count.saturating_add(1), asked, jitter);
        let Some(has_answered) = patience else {
            return (self.count < MOST).then_some(pause);
        };
        let patience = match has_answered {
            true => PATIENCE,
            false => PATIENCE_AT_FIRST,
        };
        let waited = self.since.map_or(Duration::ZERO, |since| now.since(since));
        match (patience.checked_sub(waited), asked) {
            (None | Some(Duration::ZERO), Some(_)) => (self.count < MOST).then_some(pause),
            (None | Some(Duration::ZERO), None) => None,
            (Some(_), Some(_)) => Some(pause),
            (Some(left), None) => Some(pause.min(left)),
        }
    }
}

/// Returns whether a status is likely to be temporary.
pub fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599) && status != 501 && status != 505
}

/// Returns the pause before attempt number `next_try` (from 2): what the server asks for, else
/// exponential backoff; both with jitter (a number in 0..1), so that many clients do not return at
/// once.
fn pause(next_try: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
    let times = 2u32.saturating_pow(next_try.saturating_sub(2)).min(120);
    let backoff = Duration::from_millis(250).saturating_mul(times);
    match retry_after {
        // The pause is never shorter than asked; after 0 it still backs off, to spare a busy
        // server.
        Some(asked) => asked
            .max(backoff.mul_f64(0.5))
            .saturating_add(backoff.mul_f64(0.25 * jitter)),
        None => backoff.mul_f64(0.5 + 0.5 * jitter),
    }
}

/// Parses `Retry-After`, in seconds or as an HTTP date.
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
    fn a_server_that_starts_again_is_waited_for() {
        let world = crate::world::World::real();
        let start = world.moment();
        // Returns the total time and number of attempts, if no attempt takes time itself.
        let all = |patience, asked| {
            let (mut tries, mut waited) = (Tries::new(), Duration::ZERO);
            loop {
                tries.add(start.after(waited));
                match tries.pause(start.after(waited), patience, asked, 0.5) {
                    Some(pause) => waited += pause,
                    None => return (waited.as_secs(), tries.count()),
                }
            }
        };
        assert_eq!(all(Some(false), None).0, 10);
        assert_eq!(all(Some(true), None).0, 120);
        assert!(all(Some(true), None).1 < 20);
        assert_eq!(all(None, None), (5, 6));
        let (waited, tries) = all(Some(true), Some(Duration::from_secs(60)));
        assert!(waited >= 300 && tries == 6, "{waited} {tries}");
        let (waited, _) = all(Some(true), Some(Duration::from_secs(5)));
        assert!((120..140).contains(&waited), "{waited}");
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
