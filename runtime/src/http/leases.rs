//! Requests that a process leases, in blocks, from a budget that several processes share.
//!
//! The process asks a URL for requests, and says what it has heard of the API's rate limit:
//!
//! ```text
//! POST / {"worker": "host-71", "resource": "issues", "want": 8, "unspent": 0,
//!         "remaining": {"requests": 40, "seconds": 12.5}, "pause_seconds": 30.0, "overloads": 1}
//! ```
//!
//! The answer grants requests that must be sent within `seconds`, or says when to ask again:
//!
//! ```text
//! {"grant": 2, "seconds": 0.05}
//! {"grant": 0, "wait_seconds": 0.013}
//! ```

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::limits::Left;
use crate::error::{Error, ErrorKind, Result};
use crate::world::{Moment, Transport, WireRequest, World};

/// The longest time in which the budget must answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How often it is asked again before the run fails.
const TRIES: u32 = 20;
/// The shortest and the longest time until it is asked again.
const WAITS: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(10)];

/// The requests that this process has leased.
pub(super) struct Leases {
    transport: Arc<dyn Transport>,
    world: World,
    url: Url,
    worker: String,
    resource: String,
    /// The most requests that are asked for.
    want: usize,
    held: Mutex<Held>,
    heard: StdMutex<Heard>,
}

/// Leased requests that were not sent yet, and until when they may be.
#[derive(Default)]
struct Held {
    requests: u64,
    until: Option<Moment>,
}

/// What has been heard since the budget was asked last.
#[derive(Default)]
struct Heard {
    remaining: Option<(u64, Duration, Moment)>,
    pause: Option<Moment>,
    overloads: u64,
}

/// The answer of the budget.
#[derive(Deserialize)]
struct Granted {
    grant: u64,
    #[serde(default)]
    seconds: f64,
    #[serde(default)]
    wait_seconds: f64,
}

impl Leases {
    /// Leases from this URL. `of`: the resource that is read, if it is one.
    pub fn new(
        transport: Arc<dyn Transport>,
        world: World,
        (url, of): (&str, &str),
        want: usize,
    ) -> Result<Self> {
        let bad = |why: &str| {
            let message = format!("the URL of the shared budget {why}");
            Error::new(ErrorKind::Usage, message).hint("it looks like http://127.0.0.1:8080/")
        };
        let url = Url::parse(url).map_err(|error| bad("cannot be read").caused_by(error))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(bad("is not one of http"));
        }
        let chance = (world.fraction() * 1e9) as u64;
        Ok(Leases {
            transport,
            world,
            url,
            worker: format!("{}-{chance:x}", std::process::id()),
            resource: of.to_owned(),
            want: want.max(1),
            held: Mutex::default(),
            heard: StdMutex::default(),
        })
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one request; waits until the budget grants it. Returns how long it has waited.
    pub async fn take(&self) -> Result<Duration> {
        let started = self.world.moment();
        // Whoever waits here is served in order.
        let mut held = self.held.lock().await;
        let mut failed = 0;
        loop {
            let now = self.world.moment();
            if held.requests > 0 && held.until.is_some_and(|until| now < until) {
                held.requests = held.requests.saturating_sub(1);
                return Ok(now.since(started));
            }
            let unspent = std::mem::take(&mut held.requests);
            let wait = match self.ask(unspent).await {
                Ok(granted) if granted.grant > 0 => {
                    failed = 0;
                    // The time begins when the budget was asked: it counts from a later moment.
                    let valid = Duration::try_from_secs_f64(granted.seconds).unwrap_or_default();
                    held.requests = granted.grant;
                    held.until = Some(now.after(valid));
                    if self.world.moment() < now.after(valid) {
                        continue;
                    }
                    // The answer was slow: the requests are given back with the next question.
                    WAITS[0]
                }
                Ok(granted) => {
                    failed = 0;
                    Duration::try_from_secs_f64(granted.wait_seconds).unwrap_or(WAITS[0])
                }
                Err(error) if failed >= TRIES => return Err(error),
                Err(_) => {
                    failed = u32::saturating_add(failed, 1);
                    Duration::from_millis(100).saturating_mul(failed)
                }
            };
            self.world.sleep(wait.clamp(WAITS[0], WAITS[1])).await;
        }
    }

    /// Records what the headers of an answer state, and whether it was a 429 or a 503.
    pub fn record(&self, overload: bool, left: Option<Left>) {
        let now = self.world.moment();
        let mut heard = self.heard();
        heard.overloads = heard.overloads.saturating_add(u64::from(overload));
        match left {
            Some(Left::Window { requests, reset }) => {
                heard.remaining = Some((requests, reset, now));
            }
            // An empty bucket of that leak has room again soon.
            Some(Left::Bucket {
                requests: 0, leak, ..
            }) => {
                let wait = Duration::try_from_secs_f64(1.0 / leak).unwrap_or(WAITS[1]);
                heard.pause = heard.pause.max(Some(now.after(wait)));
            }
            Some(Left::Bucket { .. }) | None => {}
        }
    }

    /// Records that the API asks for a pause.
    pub fn pause(&self, time: Duration) {
        let until = self.world.moment().after(time);
        let mut heard = self.heard();
        heard.pause = heard.pause.max(Some(until));
    }

    async fn ask(&self, unspent: u64) -> Result<Granted> {
        let heard = std::mem::take(&mut *self.heard());
        let body = self.question(unspent, &heard);
        let asked = self.world.timeout(ANSWER, self.post(body)).await;
        let answer = asked.unwrap_or_else(|| Err(silent()));
        if answer.is_err() {
            // It is told with the next question.
            let mut now = self.heard();
            now.overloads = now.overloads.saturating_add(heard.overloads);
            now.pause = now.pause.max(heard.pause);
            now.remaining = now.remaining.or(heard.remaining);
        }
        answer
    }

    fn question(&self, unspent: u64, heard: &Heard) -> Value {
        let now = self.world.moment();
        let mut question = Map::new();
        question.insert("worker".to_owned(), self.worker.as_str().into());
        question.insert("resource".to_owned(), self.resource.as_str().into());
        question.insert("want".to_owned(), self.want.into());
        question.insert("unspent".to_owned(), unspent.into());
        if let Some((requests, reset, at)) = heard.remaining {
            let left = reset.saturating_sub(now.since(at)).as_secs_f64();
            let remaining = json!({"requests": requests, "seconds": left});
            question.insert("remaining".to_owned(), remaining);
        }
        if let Some(until) = heard.pause {
            let seconds = until.since(now).as_secs_f64();
            question.insert("pause_seconds".to_owned(), seconds.into());
        }
        if heard.overloads > 0 {
            question.insert("overloads".to_owned(), heard.overloads.into());
        }
        Value::Object(question)
    }

    async fn post(&self, body: Value) -> Result<Granted> {
        let json = HeaderValue::from_static("application/json");
        let request = WireRequest {
            method: "POST",
            url: self.url.clone(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
            body: body.to_string().into_bytes(),
        };
        let answer = self.transport.send(request).await;
        let mut answer = answer.map_err(|error| silent().caused_by(error))?;
        let mut text = Vec::new();
        while let Some(chunk) = answer
            .body
            .chunk()
            .await
            .map_err(|e| silent().caused_by(e))?
        {
            text.extend_from_slice(&chunk);
            if text.len() > 1 << 16 {
                return Err(silent());
            }
        }
        serde_json::from_slice(&text).map_err(|error| silent().caused_by(error))
    }
}

fn silent() -> Error {
    Error::new(
        ErrorKind::System,
        "the shared budget of requests does not answer",
    )
    .hint("`--budget-url` names it; without it, each process has the limits of the connector")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::world::{BoxFuture, VirtualClock, WireError, WireResponse};

    /// A budget that grants two requests, then refuses for a second.
    #[derive(Default)]
    struct Two(Arc<StdMutex<Vec<Value>>>);

    impl Transport for Two {
        fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
            let mut asked = self.0.lock().unwrap();
            asked.push(serde_json::from_slice(request.body()).unwrap());
            let answer = match asked.len() % 2 {
                1 => r#"{"grant": 2, "seconds": 0.5}"#,
                _ => r#"{"grant": 0, "wait_seconds": 1.0}"#,
            };
            Box::pin(async move { Ok(WireResponse::new(200).body(answer)) })
        }
    }

    #[test]
    fn requests_are_leased_in_blocks_and_what_was_heard_is_told() {
        let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
        let asked = Arc::<StdMutex<Vec<Value>>>::default();
        let two = Arc::new(Two(asked.clone()));
        let world = World::real().with_clock(clock.clone());
        let leases = Leases::new(two, world, ("http://budget/", "issues"), 8).unwrap();
        clock.runtime().unwrap().block_on(async {
            for _ in 0..2 {
                assert_eq!(leases.take().await.unwrap(), Duration::ZERO);
            }
            leases.pause(Duration::from_secs(7));
            leases.record(true, None);
            let waited = leases.take().await.unwrap();
            assert!(waited >= Duration::from_secs(1), "{waited:?}");
        });
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 3);
        assert_eq!(asked[0]["resource"], "issues");
        assert_eq!(asked[1]["overloads"], 1);
        assert_eq!(asked[1]["pause_seconds"], 7.0);
        assert_eq!(asked[2].get("overloads"), None);
    }

    #[test]
    fn a_budget_that_does_not_answer_is_an_error() {
        struct Gone;
        impl Transport for Gone {
            fn send(&self, _: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
                Box::pin(async { Ok(WireResponse::new(500).body("what?")) })
            }
        }
        let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
        let world = World::real().with_clock(clock.clone());
        let leases = Leases::new(Arc::new(Gone), world.clone(), ("http://budget/", ""), 1).unwrap();
        let error = clock
            .runtime()
            .unwrap()
            .block_on(leases.take())
            .unwrap_err();
        assert!(error.message().contains("does not answer"), "{error}");
        let bad = Leases::new(Arc::new(Gone), world, ("ftp://budget", ""), 1);
        assert_eq!(bad.err().unwrap().kind(), ErrorKind::Usage);
    }
}
