//! The machine's clocks, its randomness and its threads.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use super::{BoxFuture, Clock};

/// The clocks of the machine.
pub(super) struct MachineClock;

/// The start of the clock for the whole process, so that moments of several worlds can be compared.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for MachineClock {
    fn time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        START.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Returns a number that differs from process to process.
pub(super) fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// Runs a future to completion on a separate thread, within the runtime of the caller.
pub(super) fn thread(
    name: &str,
    future: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(move || runtime.block_on(future)).map(drop)
}
