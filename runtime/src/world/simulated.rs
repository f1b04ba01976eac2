//! A clock that jumps: time passes only when nothing else can happen.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use super::{BoxFuture, Clock};

/// A clock that stands still while any task can run, and then jumps to the next moment that a task
/// waits for. Clones share one clock.
///
/// It jumps automatically on the runtime of [`VirtualClock::runtime`]; elsewhere
/// [`VirtualClock::jump`] moves it.
#[derive(Clone)]
pub struct VirtualClock(Arc<Mutex<State>>);

struct State {
    start: SystemTime,
    elapsed: Duration,
    /// The waiting tasks, by moment and then in the order in which they started to wait.
    waiting: BTreeMap<(Duration, u64), Waker>,
    sleeps: u64,
}

impl VirtualClock {
    /// Creates a clock that shows `start` until a task waits for a later moment.
    pub fn new(start: SystemTime) -> Self {
        VirtualClock(Arc::new(Mutex::new(State {
            start,
            elapsed: Duration::ZERO,
            waiting: BTreeMap::new(),
            sleeps: 0,
        })))
    }

    /// Creates a runtime on the caller's own thread, on which this clock jumps whenever no task can
    /// continue.
    pub fn runtime(&self) -> std::io::Result<tokio::runtime::Runtime> {
        let clock = self.clone();
        tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || {
                clock.jump();
            })
            .build()
    }

    /// Jumps to the next moment that a task waits for; returns false if there is none.
    pub fn jump(&self) -> bool {
        let mut due = Vec::new();
        let mut state = self.lock();
        let Some(next) = state.waiting.keys().next().map(|(at, _)| *at) else {
            return false;
        };
        state.elapsed = state.elapsed.max(next);
        while let Some(first) = state.waiting.first_entry() {
            if first.key().0 > next {
                break;
            }
            due.push(first.remove());
        }
        drop(state);
        due.into_iter().for_each(Waker::wake);
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn time(&self) -> SystemTime {
        let state = self.lock();
        let time = state.start.checked_add(state.elapsed);
        time.unwrap_or(state.start)
    }

    fn monotonic(&self) -> Duration {
        self.lock().elapsed
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.lock();
        state.sleeps = state.sleeps.wrapping_add(1);
        let until = (state.elapsed.saturating_add(time), state.sleeps);
        drop(state);
        let clock = self.clone();
        Box::pin(Sleep { clock, until })
    }
}

struct Sleep {
    clock: VirtualClock,
    until: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        let over = state.elapsed >= self.until.0;
        let before = match over {
            true => state.waiting.remove(&self.until),
            false => state.waiting.insert(self.until, context.waker().clone()),
        };
        // Dropping a waker may drop a task, and that may drop another sleep.
        drop(state);
        drop(before);
        match over {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let before = self.clock.lock().waiting.remove(&self.until);
        drop(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_end_in_the_order_of_their_times_and_take_none() {
        let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
        let real = crate::world::World::real().moment();
        let order = Arc::new(Mutex::new(Vec::new()));
        clock.runtime().unwrap().block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for seconds in [7200, 3, 3600] {
                let (clock, order) = (clock.clone(), order.clone());
                tasks.spawn(async move {
                    clock.sleep(Duration::from_secs(seconds)).await;
                    order.lock().unwrap().push((seconds, clock.monotonic()));
                });
            }
            // A dropped sleep does not delay the clock.
            drop(clock.sleep(Duration::from_secs(1)));
            tasks.join_all().await;
        });
        let hours = |seconds| (seconds, Duration::from_secs(seconds));
        assert_eq!(*order.lock().unwrap(), [3, 3600, 7200].map(hours));
        assert_eq!(
            clock.time(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(7200)
        );
        assert!(crate::world::World::real().moment().since(real) < Duration::from_secs(60));
        assert!(!clock.jump());
    }
}
