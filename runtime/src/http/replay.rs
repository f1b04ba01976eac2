//! Answers from recorded exchanges, without a network.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Request, Response};
use crate::error::{Error, ErrorKind, Result};

/// One request and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Exchange {
    pub request: RecordedRequest,
    pub response: RecordedResponse,
}

/// What was asked; the host is left out, so that a recording fits any base URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedRequest {
    pub method: String,
    /// Path and query, percent-decoded (`/v1/customers?limit=100`).
    pub path: String,
    /// For whoever reads it; any headers get the answer.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub headers: std::collections::BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// What was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedResponse {
    pub status: u16,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    pub body: serde_json::Value,
    /// The body as it came, where it is not JSON or JSON would lose something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Answers recorded requests, in the order of the recording.
pub(crate) struct Replay {
    exchanges: Mutex<Vec<Slot>>,
    /// A request that has been answered is answered once more.
    again: bool,
}

struct Slot {
    exchange: Exchange,
    used: bool,
}

impl Replay {
    /// `again`: a request that has been answered is answered once more, as it was the last time; else, each answer is
    /// given once.
    pub fn new(exchanges: Vec<Exchange>, again: bool) -> Self {
        let slot = |exchange| Slot {
            exchange,
            used: false,
        };
        Replay {
            exchanges: Mutex::new(exchanges.into_iter().map(slot).collect()),
            again,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may be answered more than once.
    pub fn is_lenient(&self) -> bool {
        self.again
    }

    /// What was recorded and not asked for.
    pub fn unused(&self) -> Vec<String> {
        let exchanges = self.lock();
        let unused = exchanges.iter().filter(|slot| !slot.used);
        unused.map(|slot| slot.exchange.request.line()).collect()
    }

    /// The recorded answer to this request.
    pub fn answer(&self, request: &Request) -> Result<Response> {
        let (method, path) = (request.method.name(), decoded_path(request));
        let mut exchanges = self.lock();
        let asks = |slot: &Slot| {
            let recorded = &slot.exchange.request;
            recorded.method == method
                && same_path(&recorded.path, &path)
                && same_body(recorded.body.as_ref(), request.body.as_ref())
        };
        let found = exchanges
            .iter()
            .position(|slot| !slot.used && asks(slot))
            .or_else(|| exchanges.iter().rposition(|slot| self.again && asks(slot)));
        let Some(found) = found else {
            let mut message = format!("the recording has no (further) answer to {method} {path}");
            let nearest = exchanges
                .iter()
                .max_by_key(|slot| nearness(&slot.exchange.request, method, &path));
            if let Some(nearest) = nearest {
                let line = nearest.exchange.request.line();
                message.push_str(&format!("; the nearest recorded request is {line}"));
            }
            return Err(Error::new(ErrorKind::Api, message)
                .hint("record the exchange again, or correct the request in it"));
        };
        exchanges[found].used = true;
        let exchange = &exchanges[found].exchange;
        let mut headers = HeaderMap::new();
        for (name, value) in &exchange.response.headers {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            {
                headers.append(name, value);
            }
        }
        let body = match &exchange.response.text {
            Some(text) => text.clone().into_bytes(),
            None => serde_json::to_vec(&exchange.response.body).unwrap_or_default(),
        };
        Ok(Response {
            status: exchange.response.status,
            headers,
            body,
            request: String::new(),
        })
    }
}

impl RecordedRequest {
    fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What stands in a recording in the place of a secret; whatever it was, it is the same.
const HIDDEN: &str = "***";

fn same_text(recorded: &str, asked: &str) -> bool {
    match recorded.split_once(HIDDEN) {
        Some((before, _)) => asked.starts_with(before),
        None => recorded == asked,
    }
}

/// Whether two paths ask for the same thing: the order of parameters says nothing.
fn same_path(recorded: &str, asked: &str) -> bool {
    let ((recorded, left), (asked, right)) = (parts(recorded), parts(asked));
    let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (recorded, asked) = (segments(recorded), segments(asked));
    let same = |(left, right): (&String, &String)| same_text(left, right);
    recorded.len() == asked.len()
        && recorded.iter().zip(&asked).all(same)
        && left.len() == right.len()
        && left.iter().zip(&right).all(|(l, r)| same_text(l, r))
}

/// The path, and its parameters in order.
fn parts(path: &str) -> (&str, Vec<&str>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_by_key(|pair| pair.split_once('=').map_or((*pair, ""), |pair| pair));
    (path, pairs)
}

fn same_body(recorded: Option<&Value>, asked: Option<&Value>) -> bool {
    match (recorded, asked) {
        (Some(Value::String(recorded)), Some(Value::String(asked))) => same_text(recorded, asked),
        (Some(Value::Object(recorded)), Some(Value::Object(asked))) => {
            recorded.len() == asked.len()
                && recorded
                    .iter()
                    .all(|(key, json)| same_body(Some(json), asked.get(key)))
        }
        (Some(Value::Array(recorded)), Some(Value::Array(asked))) => {
            recorded.len() == asked.len()
                && recorded
                    .iter()
                    .zip(asked)
                    .all(|(l, r)| same_body(Some(l), Some(r)))
        }
        (recorded, asked) => recorded == asked,
    }
}

/// How much a recorded request has in common with one that has no answer.
fn nearness(recorded: &RecordedRequest, method: &str, path: &str) -> (bool, usize, usize) {
    let ((place, left), (asked, right)) = (parts(&recorded.path), parts(path));
    let alike = place.bytes().zip(asked.bytes());
    let alike = alike.take_while(|(left, right)| left == right).count();
    let shared = left.iter().filter(|pair| right.contains(pair)).count();
    (recorded.method == method && place == asked, alike, shared)
}

/// Path and query of a request as a recording writes them: decoded, to be read by people.
pub(super) fn decoded_path(request: &Request) -> String {
    let mut path = String::new();
    for segment in request.url.path_segments().into_iter().flatten() {
        path.push('/');
        path.push_str(&percent_decoded(segment));
    }
    let pairs: Vec<String> = request
        .url
        .query_pairs()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if pairs.is_empty() {
        path
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex
            .filter(|_| bytes[at] == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
