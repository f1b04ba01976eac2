//! The request budget of a source: how many requests run concurrently, and at which rate.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::limits::Left;
use crate::world::{Moment, World};

/// At most `requests` requests in any span of length `per`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub requests: usize,
    pub per: Duration,
}

impl Rate {
    /// Returns the rate of so many requests per second (2.5 is allowed); `None` if the number is
    /// not a rate.
    pub fn per_second(requests: f64) -> Option<Self> {
        if !requests.is_finite() || requests <= 0.0 {
            return None;
        }
        let whole = requests.floor().clamp(1.0, 1e6);
        let per = Duration::try_from_secs_f64(whole / requests).ok()?;
        Some(Rate {
            requests: whole as usize,
            per,
        })
    }
}

/// The budget that all requests of a source share.
pub(super) struct Budget {
    world: World,
    /// The maximum number of concurrent requests.
    most: usize,
    state: Mutex<State>,
    /// Notified when a request ends or the limit rises.
    freed: Notify,
}

struct State {
    in_flight: usize,
    /// The number of concurrent requests that is allowed now.
    allowed: usize,
    /// Successes since `allowed` last changed.
    successes: usize,
    /// When `allowed` was last halved.
    halved: Option<Moment>,
    rates: Vec<(Rate, VecDeque<Moment>)>,
    /// After a 429, nothing is sent before this moment.
    pause: Option<Moment>,
    stated: Option<Stated>,
}

/// The remaining requests of the API's rate limit, as its headers state them.
enum Stated {
    Window {
        requests: u64,
        reset: Moment,
    },
    Bucket {
        requests: f64,
        size: f64,
        leak: f64,
        at: Moment,
    },
}

/// The permission to send one request; dropping it ends the request.
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    started: Moment,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(state);
        self.budget.freed.notify_one();
    }
}

/// The reason why a request must wait.
enum Wait {
    /// Another request must end first.
    Place,
    /// The rate limit requires a wait of this length.
    Time(Duration),
}

impl Budget {
    pub fn new(world: World, concurrency: usize, rates: &[Rate]) -> Self {
        let most = concurrency.max(1);
        let state = State {
            in_flight: 0,
            allowed: most,
            successes: 0,
            halved: None,
            rates: rates.iter().map(|rate| (*rate, VecDeque::new())).collect(),
            pause: None,
            stated: None,
        };
        Budget {
            world,
            most,
            state: Mutex::new(state),
            freed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the permission to send one request now; the error is how long the rate limit forbids
    /// it.
    pub async fn take(&self) -> Result<Permit<'_>, Duration> {
        loop {
            let wait = {
                let mut state = self.lock();
                let now = self.world.moment();
                match state.wait(now) {
                    None => {
                        state.spend(now);
                        return Ok(Permit {
                            budget: self,
                            started: now,
                        });
                    }
                    Some(wait) => wait,
                }
            };
            match wait {
                Wait::Place => self.freed.notified().await,
                Wait::Time(time) => {
                    // Another request may be able to use this notification.
                    self.freed.notify_one();
                    return Err(time);
                }
            }
        }
    }

    /// Records how a request ended: `overload` means a 429 or a 503, `left` is what the headers
    /// state.
    pub fn record(&self, permit: &Permit<'_>, overload: bool, left: Option<Left>) {
        let mut state = self.lock();
        let now = self.world.moment();
        if let Some(left) = left {
            state.update(left, now);
        }
        if overload {
            // Requests that were sent before the last halving do not halve it again.
            if state.halved.is_none_or(|halved| permit.started > halved) {
                state.allowed = (state.allowed / 2).max(1);
                state.halved = Some(now);
            }
            state.successes = 0;
        } else {
            state.successes = state.successes.saturating_add(1);
            let enough = state.allowed.saturating_mul(2);
            if state.successes >= enough && state.allowed < self.most {
                state.allowed = state.allowed.saturating_add(1);
                state.successes = 0;
                drop(state);
                self.freed.notify_one();
            }
        }
    }

    /// Holds back all requests for this long, after a 429.
    pub fn pause(&self, time: Duration) {
        let until = self.world.moment().after(time);
        let mut state = self.lock();
        state.pause = Some(state.pause.map_or(until, |before| before.max(until)));
    }
}

impl State {
    fn wait(&mut self, now: Moment) -> Option<Wait> {
        if self.in_flight >= self.allowed {
            return Some(Wait::Place);
        }
        if self.pause.is_some_and(|until| until <= now) {
            self.pause = None;
        }
        let mut until = self.pause;
        for (rate, sent) in &mut self.rates {
            while sent.front().is_some_and(|at| at.after(rate.per) <= now) {
                sent.pop_front();
            }
            if sent.len() >= rate.requests {
                until = until.max(sent.front().map(|at| at.after(rate.per)));
            }
        }
        match &mut self.stated {
            Some(Stated::Window { reset, .. }) if *reset <= now => self.stated = None,
            Some(Stated::Window { requests: 0, reset }) => until = until.max(Some(*reset)),
            Some(Stated::Bucket {
                requests,
                size,
                leak,
                at,
            }) => {
                *requests = (*requests + *leak * now.since(*at).as_secs_f64()).min(*size);
                *at = now;
                if *requests < 1.0 {
                    let wait = (1.0 - *requests) / *leak;
                    let wait = Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX);
                    until = until.max(Some(now.after(wait)));
                }
            }
            _ => {}
        }
        until.map(|until| Wait::Time(until.since(now)))
    }

    fn spend(&mut self, now: Moment) {
        self.in_flight = self.in_flight.saturating_add(1);
        self.rates
            .iter_mut()
            .for_each(|(_, sent)| sent.push_back(now));
        match &mut self.stated {
            Some(Stated::Window { requests, .. }) => *requests = requests.saturating_sub(1),
            Some(Stated::Bucket { requests, .. }) => *requests -= 1.0,
            None => {}
        }
    }

    fn update(&mut self, left: Left, now: Moment) {
        // The server may not have counted the other requests in flight yet.
        let others = self.in_flight.saturating_sub(1);
        self.stated = Some(match (left, &self.stated) {
            (
                Left::Window { requests, reset },
                Some(Stated::Window {
                    requests: known,
                    reset: ends,
                }),
            ) if is_near(now.after(reset), *ends) => {
                // Responses may arrive out of order, but within a window the remaining number only
                // decreases.
                Stated::Window {
                    requests: requests.min(*known),
                    reset: now.after(reset).min(*ends),
                }
            }
            (Left::Window { requests, reset }, _) => Stated::Window {
                requests: requests.saturating_sub(others as u64),
                reset: now.after(reset),
            },
            (
                Left::Bucket {
                    requests,
                    size,
                    leak,
                },
                _,
            ) => Stated::Bucket {
                requests: requests as f64 - others as f64,
                size: size as f64,
                leak,
                at: now,
            },
        });
    }
}

/// Returns whether both moments are the end of the same window.
fn is_near(one: Moment, other: Moment) -> bool {
    one.since(other).max(other.since(one)) < Duration::from_secs(2)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::world::VirtualClock;

    /// Runs `test` in virtual time with a budget of eight concurrent requests.
    fn with_budget(rates: &[Rate], test: impl AsyncFnOnce(Budget)) {
        let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
        let world = World::real().with_clock(clock.clone());
        let budget = Budget::new(world, 8, rates);
        clock.runtime().unwrap().block_on(test(budget));
    }

    #[test]
    fn a_rate_holds_in_every_span() {
        let rate = Rate {
            requests: 3,
            per: Duration::from_secs(80),
        };
        with_budget(&[rate], async |budget| {
            let mut sent = Vec::new();
            while sent.len() < 9 {
                match budget.take().await {
                    Ok(_) => sent.push(budget.world.moment()),
                    Err(wait) => budget.world.sleep(wait).await,
                }
            }
            for four in sent.windows(4) {
                assert_eq!(four[3].since(four[0]), rate.per, "{sent:?}");
            }
        });
    }

    #[test]
    fn a_rate_may_be_less_than_one_a_second() {
        let half = Rate::per_second(0.5).unwrap();
        assert_eq!((half.requests, half.per), (1, Duration::from_secs(2)));
        assert_eq!(Rate::per_second(20.0).unwrap().requests, 20);
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
            assert_eq!(Rate::per_second(none), None);
        }
    }

    #[test]
    fn what_is_left_is_shared_out_and_then_waited_for() {
        with_budget(&[], async |budget| {
            let reset = Duration::from_secs(60);
            let permits = [budget.take().await, budget.take().await];
            let Ok(first) = &permits[0] else { panic!() };
            // Of the three requests left, one belongs to the other request in flight.
            budget.record(first, false, Some(Left::Window { requests: 3, reset }));
            drop(permits);
            assert!(budget.take().await.is_ok());
            assert!(budget.take().await.is_ok());
            let wait = budget.take().await.err().unwrap();
            assert!(wait > Duration::from_secs(59), "{wait:?}");
        });
    }

    #[test]
    fn a_bucket_leaks() {
        with_budget(&[], async |budget| {
            let permit = budget.take().await.ok().unwrap();
            let left = Left::Bucket {
                requests: 0,
                size: 40,
                leak: 2.0,
            };
            budget.record(&permit, false, Some(left));
            let wait = budget.take().await.err().unwrap();
            assert!(wait > Duration::from_millis(400) && wait <= Duration::from_millis(500));
        });
    }

    #[test]
    fn overload_halves_once_and_successes_win_back() {
        with_budget(&[], async |budget| {
            let mut permits = Vec::new();
            for _ in 0..8 {
                permits.push(budget.take().await.ok().unwrap());
            }
            permits
                .iter()
                .for_each(|permit| budget.record(permit, true, None));
            assert_eq!(budget.lock().allowed, 4);
            drop(permits);
            for _ in 0..100 {
                let permit = budget.take().await.ok().unwrap();
                budget.record(&permit, false, None);
            }
            assert_eq!(budget.lock().allowed, 8);
            assert_eq!(budget.lock().in_flight, 0);
        });
    }
}
