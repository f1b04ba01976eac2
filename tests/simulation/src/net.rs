//! The network between the connector and the API: it is slow, it breaks, and gateways respond
//! instead of the API.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use etlgen_runtime::world::{
    Body, BoxFuture, Clock, Transport, VirtualClock, WireError, WireErrorKind, WireRequest,
    WireResponse,
};
use etlgen_runtime::{Error, ErrorKind};
use serde_json::Value;

use crate::api::{Answer, Api};
use crate::clock::seconds;
use crate::fault::Fault;
use crate::life::Life;
use crate::random::Rng;
use crate::trace::Trace;

/// The network of one run.
pub struct Network {
    pub api: Arc<Mutex<Api>>,
    pub clock: VirtualClock,
    pub life: Life,
    pub trace: Trace,
    pub rng: Mutex<Rng>,
    /// The percentage of requests that meet a fault.
    pub faults: usize,
    /// The greatest number of requests of the run.
    pub bound: u64,
    pub fault: Option<Fault>,
    /// The responses that a runtime with [`Fault::Hoards`] keeps.
    pub hoard: Mutex<Vec<String>>,
}

/// The fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Refused,
    /// The connection breaks before the API receives the request.
    Reset,
    /// The connection breaks after the API has responded.
    AnswerLost,
    Silence,
    TooMany,
    Unavailable,
    Broken,
    Slow,
    Truncated,
}

const TROUBLES: [Trouble; 9] = [
    Trouble::Refused,
    Trouble::Reset,
    Trouble::AnswerLost,
    Trouble::Silence,
    Trouble::TooMany,
    Trouble::Unavailable,
    Trouble::Broken,
    Trouble::Slow,
    Trouble::Truncated,
];

impl Network {
    fn draw(&self) -> (Trouble, Duration, u64) {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = match rng.chance(self.faults) {
            true => rng.pick(&TROUBLES),
            false => Trouble::None,
        };
        let takes = Duration::from_millis(rng.within(5, 900) as u64);
        (trouble, takes, rng.any())
    }

    fn ask(&self, request: &WireRequest) -> Answer {
        let mut api = self.api.lock().unwrap_or_else(PoisonError::into_inner);
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let query = |name: &str| {
            let mut pairs = request.url().query_pairs();
            let found = pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()));
            found.or_else(|| match &body[name] {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                value => Some(value.to_string()),
            })
        };
        let mut ask = || api.answer(request.url().path(), query, seconds(&self.clock));
        if self.fault == Some(Fault::AsksAgain) {
            (0..3).for_each(|_| drop(ask()));
        }
        let answer = ask();
        if self.fault == Some(Fault::Hoards) {
            let mut hoard = self.hoard.lock().unwrap_or_else(PoisonError::into_inner);
            hoard.push(answer.body.clone());
        }
        match self.fault {
            Some(fault) => fault.of_the_way(answer),
            None => answer,
        }
    }

    async fn exchange(&self, request: WireRequest) -> Result<WireResponse, WireError> {
        let target = format!(
            "{} {} {}",
            request.method(),
            request.url().as_str().replace("https://api.example", ""),
            String::from_utf8_lossy(request.body())
        );
        let target = target.trim_end();
        if !self.life.step() {
            self.trace
                .add(format_args!("the process dies before {target}"));
            return std::future::pending().await;
        }
        let asked = self
            .api
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests;
        if asked >= self.bound {
            let message = "more requests than a run may send";
            return Err(WireError::fatal(Error::new(ErrorKind::Usage, message)));
        }
        let (trouble, takes, number) = self.draw();
        self.clock.sleep(takes).await;
        let status = |status: u16| {
            self.trace
                .add(format_args!("{target} -> {status} (the way)"));
            WireResponse::new(status)
        };
        let broken = |kind, message: &str| {
            self.trace.add(format_args!("{target} -> {message}"));
            Err(WireError::new(kind, message))
        };
        match trouble {
            Trouble::Refused => return broken(WireErrorKind::Connect, "refused"),
            Trouble::Reset => return broken(WireErrorKind::Broken, "reset"),
            Trouble::Silence => return broken(WireErrorKind::Timeout, "silence"),
            Trouble::TooMany => {
                let wait = (1 + number % 20).to_string();
                return Ok(status(429).header("retry-after", &wait));
            }
            Trouble::Unavailable => return Ok(status(503)),
            Trouble::Broken => return Ok(status(500)),
            _ => {}
        }
        let answer = self.ask(&request);
        self.trace.add(format_args!(
            "{target} -> {} {:?} {}{}",
            answer.status,
            answer.headers,
            answer.body,
            match trouble {
                Trouble::None => String::new(),
                trouble => format!(" ({trouble:?})"),
            }
        ));
        if trouble == Trouble::AnswerLost {
            return Err(WireError::new(WireErrorKind::Broken, "reset"));
        }
        let mut response = WireResponse::new(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        Ok(match trouble {
            Trouble::Slow | Trouble::Truncated => response.chunks(Pieces::new(
                &answer.body,
                self.clock.clone(),
                (trouble == Trouble::Truncated).then_some(number),
            )),
            _ => response.body(answer.body),
        })
    }
}

impl Transport for Network {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        Box::pin(self.exchange(request))
    }
}

/// A body that arrives slowly and may be cut off.
struct Pieces {
    pieces: VecDeque<Bytes>,
    clock: VirtualClock,
    breaks: bool,
}

impl Pieces {
    fn new(body: &str, clock: VirtualClock, cut: Option<u64>) -> Self {
        let whole = body.as_bytes();
        let end = cut.map_or(whole.len(), |cut| cut as usize % whole.len().max(1));
        let pieces = whole[..end].chunks(64).map(Bytes::copy_from_slice);
        Pieces {
            pieces: pieces.collect(),
            clock,
            breaks: cut.is_some(),
        }
    }
}

impl Body for Pieces {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, WireError>> {
        Box::pin(async {
            self.clock.sleep(Duration::from_millis(700)).await;
            match self.pieces.pop_front() {
                None if self.breaks => Err(WireError::new(WireErrorKind::Broken, "cut off")),
                piece => Ok(piece),
            }
        })
    }
}
