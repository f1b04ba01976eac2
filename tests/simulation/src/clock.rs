//! The clocks of the API and of the connector.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use etlgen_runtime::world::{BoxFuture, Clock, VirtualClock};

/// Returns the time of the API, in seconds since 1970.
pub fn seconds(clock: &VirtualClock) -> i64 {
    let since = clock.time().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

/// The clock of the connector: the clock of the API, shifted by this many seconds.
pub struct Shifted(pub VirtualClock, pub i64);

impl Clock for Shifted {
    fn time(&self) -> SystemTime {
        let by = Duration::from_secs(self.1.unsigned_abs());
        let shifted = match self.1 < 0 {
            true => self.0.time().checked_sub(by),
            false => self.0.time().checked_add(by),
        };
        shifted.unwrap_or(UNIX_EPOCH)
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(time)
    }
}
