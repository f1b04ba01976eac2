//! The one budget of a source: how many requests run at a time, and how many in a time.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::limits::Left;

/// At most that many requests in any span of that length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub requests: usize,
    pub per: Duration,
}

impl Rate {
    /// `2.5` a second; `None` if that is no rate.
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

/// Shared by all requests of a source.
pub(super) struct Budget {
    /// Never more than that many at a time.
    most: usize,
    state: Mutex<State>,
    /// A place or a token may have come free.
    freed: Notify,
}

struct State {
    in_flight: usize,
    /// How many may run at a time now.
    allowed: usize,
    /// Successes since that number last changed.
    successes: usize,
    halved: Instant,
    rates: Vec<(Rate, VecDeque<Instant>)>,
    /// Nothing is sent before: a 429 said so.
    pause: Option<Instant>,
    told: Option<Told>,
}

/// What the API's headers say is left.
enum Told {
    Window {
        requests: u64,
        reset: Instant,
    },
    Bucket {
        requests: f64,
        size: f64,
        leak: f64,
        at: Instant,
    },
}

/// A request under way; its place is free again when this is dropped.
pub(super) struct Permit<'a> {
    budget: &'a Budget,
    started: Instant,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.budget.lock().in_flight -= 1;
        self.budget.freed.notify_one();
    }
}

/// Why a request cannot be sent yet.
enum Wait {
    /// For another one to end.
    Place,
    /// For the rate limit, that long.
    Time(Duration),
}

impl Budget {
    pub fn new(concurrency: usize, rates: &[Rate]) -> Self {
        let most = concurrency.max(1);
        let state = State {
            in_flight: 0,
            allowed: most,
            successes: 0,
            halved: Instant::now(),
            rates: rates.iter().map(|rate| (*rate, VecDeque::new())).collect(),
            pause: None,
            told: None,
        };
        Budget {
            most,
            state: Mutex::new(state),
            freed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the right to send one request now, else says how long the rate limit forbids it.
    pub async fn take(&self) -> Result<Permit<'_>, Duration> {
        loop {
            let wait = {
                let mut state = self.lock();
                let now = Instant::now();
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
                    // Another one may have use for what woke us.
                    self.freed.notify_one();
                    return Err(time);
                }
            }
        }
    }

    /// Hears how a request ended: `overload` is a 429 or a 503, `left` what the headers say.
    pub fn heard(&self, permit: &Permit<'_>, overload: bool, left: Option<Left>) {
        let mut state = self.lock();
        let now = Instant::now();
        if let Some(left) = left {
            state.told(left, now);
        }
        if overload {
            // Answers to requests that were under way when it was halved say nothing new.
            if permit.started > state.halved {
                state.allowed = (state.allowed / 2).max(1);
                state.halved = now;
            }
            state.successes = 0;
        } else {
            state.successes += 1;
            if state.successes >= 2 * state.allowed && state.allowed < self.most {
                state.allowed += 1;
                state.successes = 0;
                drop(state);
                self.freed.notify_one();
            }
        }
    }

    /// Nothing is sent for that long: what a 429 asks of all of us.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        state.pause = Some(state.pause.map_or(until, |before| before.max(until)));
    }
}

impl State {
    fn wait(&mut self, now: Instant) -> Option<Wait> {
        if self.in_flight >= self.allowed {
            return Some(Wait::Place);
        }
        if self.pause.is_some_and(|until| until <= now) {
            self.pause = None;
        }
        let mut until = self.pause;
        for (rate, sent) in &mut self.rates {
            while sent.front().is_some_and(|at| *at + rate.per <= now) {
                sent.pop_front();
            }
            if sent.len() >= rate.requests {
                until = until.max(sent.front().map(|at| *at + rate.per));
            }
        }
        match &mut self.told {
            Some(Told::Window { reset, .. }) if *reset <= now => self.told = None,
            Some(Told::Window { requests: 0, reset }) => until = until.max(Some(*reset)),
            Some(Told::Bucket {
                requests,
                size,
                leak,
                at,
            }) => {
                *requests = (*requests + *leak * (now - *at).as_secs_f64()).min(*size);
                *at = now;
                if *requests < 1.0 {
                    let wait = Duration::from_secs_f64((1.0 - *requests) / *leak);
                    until = until.max(Some(now + wait));
                }
            }
            _ => {}
        }
        until.map(|until| Wait::Time(until - now))
    }

    fn spend(&mut self, now: Instant) {
        self.in_flight += 1;
        self.rates
            .iter_mut()
            .for_each(|(_, sent)| sent.push_back(now));
        match &mut self.told {
            Some(Told::Window { requests, .. }) => *requests = requests.saturating_sub(1),
            Some(Told::Bucket { requests, .. }) => *requests -= 1.0,
            None => {}
        }
    }

    fn told(&mut self, left: Left, now: Instant) {
        // The others that are under way may not have been counted yet.
        let others = self.in_flight.saturating_sub(1);
        self.told = Some(match (left, &self.told) {
            (
                Left::Window { requests, reset },
                Some(Told::Window {
                    requests: known,
                    reset: ends,
                }),
            ) if (now + reset).max(*ends) - (now + reset).min(*ends) < Duration::from_secs(2) => {
                // Answers overtake one another: in one window less is left, never more.
                Told::Window {
                    requests: requests.min(*known),
                    reset: (now + reset).min(*ends),
                }
            }
            (Left::Window { requests, reset }, _) => Told::Window {
                requests: requests.saturating_sub(others as u64),
                reset: now + reset,
            },
            (
                Left::Bucket {
                    requests,
                    size,
                    leak,
                },
                _,
            ) => Told::Bucket {
                requests: requests as f64 - others as f64,
                size: size as f64,
                leak,
                at: now,
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rate_holds_in_every_span() {
        let rate = Rate {
            requests: 3,
            per: Duration::from_millis(80),
        };
        let budget = Budget::new(8, &[rate]);
        let mut sent = Vec::new();
        while sent.len() < 9 {
            match budget.take().await {
                Ok(_) => sent.push(Instant::now()),
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        for four in sent.windows(4) {
            assert!(four[3] - four[0] >= Duration::from_millis(79), "{sent:?}");
        }
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

    #[tokio::test]
    async fn what_is_left_is_shared_out_and_then_waited_for() {
        let budget = Budget::new(8, &[]);
        let reset = Duration::from_secs(60);
        let permits = [budget.take().await, budget.take().await];
        let Ok(first) = &permits[0] else { panic!() };
        // Of three that are left, one belongs to the other request under way.
        budget.heard(first, false, Some(Left::Window { requests: 3, reset }));
        drop(permits);
        assert!(budget.take().await.is_ok());
        assert!(budget.take().await.is_ok());
        let wait = budget.take().await.err().unwrap();
        assert!(wait > Duration::from_secs(59), "{wait:?}");
    }

    #[tokio::test]
    async fn a_bucket_leaks() {
        let budget = Budget::new(8, &[]);
        let permit = budget.take().await.ok().unwrap();
        let left = Left::Bucket {
            requests: 0,
            size: 40,
            leak: 2.0,
        };
        budget.heard(&permit, false, Some(left));
        let wait = budget.take().await.err().unwrap();
        assert!(wait > Duration::from_millis(400) && wait <= Duration::from_millis(500));
    }

    #[tokio::test]
    async fn overload_halves_once_and_successes_win_back() {
        let budget = Budget::new(8, &[]);
        let mut permits = Vec::new();
        for _ in 0..8 {
            permits.push(budget.take().await.ok().unwrap());
        }
        permits
            .iter()
            .for_each(|permit| budget.heard(permit, true, None));
        assert_eq!(budget.lock().allowed, 4);
        drop(permits);
        for _ in 0..100 {
            let permit = budget.take().await.ok().unwrap();
            budget.heard(&permit, false, None);
        }
        assert_eq!(budget.lock().allowed, 8);
        assert_eq!(budget.lock().in_flight, 0);
    }
}
