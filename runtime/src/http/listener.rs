//! Observes a request until it is answered.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::world::{BoxFuture, World};

/// An observer of a request until it is answered.
pub(crate) trait Listener: Send + Sync {
    /// Reports a retry: its request, cause and delay, and the cause alone.
    fn retry(&self, reason: String, cause: String);
    /// Reports a wait of that length for the rate limit.
    fn waits(&self, time: Duration);
    /// Returns whether the run must stop.
    fn stopped(&self) -> bool;
    /// Resolves when the time of the run is up: requests in flight are then cancelled.
    fn cut(&self) -> BoxFuture<'_, ()>;
}

/// Returns the error of a request that the run no longer waits for.
pub(super) fn stopped() -> Error {
    Error::new(
        ErrorKind::Stopped,
        "the run stopped before the request was answered",
    )
}

/// Sleeps, unless the run must stop.
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
