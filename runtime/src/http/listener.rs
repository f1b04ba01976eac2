//! Who hears what happens to a request before it is answered.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::world::{BoxFuture, World};

/// Hears what happens to a request before it is answered.
pub(crate) trait Listener: Send + Sync {
    /// It is sent again; why, and after how long.
    fn retry(&self, reason: String);
    /// It waits that long for the rate limit.
    fn waits(&self, time: Duration);
    /// Whether the run is asked to stop.
    fn stopped(&self) -> bool;
    /// Comes when the time of the run is up: what is under way ends.
    fn cut(&self) -> BoxFuture<'_, ()>;
}

/// The end of a request for which the run does not wait any more.
pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Stopped, "stopped before it was answered")
}

/// Sleeps, unless the run is asked to stop.
pub(super) async fn sleep(world: &World, time: Duration, listener: &dyn Listener) -> Result<()> {
    const STEP: Duration = Duration::from_millis(200);
    let until = world.moment().after(time);
    loop {
        if listener.stopped() {
            return Err(stopped());
        }
        let left = until.since(world.moment());
        if left.is_zero() {
            return Ok(());
        }
        world.sleep(left.min(STEP)).await;
    }
}
