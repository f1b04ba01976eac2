//! Responses from recorded exchanges, without a network.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::world::{BoxFuture, Transport, WireError, WireRequest, WireResponse};

/// One request and its response.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Exchange {
    pub request: RecordedRequest,
    pub response: RecordedResponse,
}

/// A recorded request without its host, so that a recording works with any base URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedRequest {
    pub method: String,
    /// The path and query, percent-decoded (`/v1/customers?limit=100`).
    pub path: String,
    /// Headers for the reader of a recording; replay ignores them.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub headers: std::collections::BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// A recorded response.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedResponse {
    pub status: u16,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    pub body: serde_json::Value,
    /// The body as text, if it is not JSON or if JSON would lose something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A transport that answers recorded requests, in the order of the recording.
pub(crate) struct Replay {
    exchanges: Mutex<Vec<Slot>>,
    /// Whether a request that was answered before is answered again.
    again: bool,
}

struct Slot {
    exchange: Exchange,
    used: bool,
}

impl Replay {
    /// Creates a replay. With `again`, a repeated request gets its last response again; otherwise
    /// each response is given once.
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

    /// Returns whether a request may be answered more than once.
    pub fn is_lenient(&self) -> bool {
        self.again
    }

    /// Returns the recorded requests that were not sent.
    pub fn unused(&self) -> Vec<String> {
        let exchanges = self.lock();
        let unused = exchanges.iter().filter(|slot| !slot.used);
        unused.map(|slot| slot.exchange.request.line()).collect()
    }

    fn answer(&self, request: &WireRequest) -> Result<WireResponse, Error> {
        let (method, path) = (request.method(), decoded_path(request.url()));
        let body: Option<Value> = serde_json::from_slice(request.body()).ok();
        let mut exchanges = self.lock();
        let asks = |slot: &Slot| {
            let recorded = &slot.exchange.request;
            recorded.method == method
                && (same_path(&recorded.path, &path) || same_encoded(&recorded.path, request.url()))
                && same_body(recorded.body.as_ref(), body.as_ref())
        };
        let found = exchanges
            .iter()
            .position(|slot| !slot.used && asks(slot))
            .or_else(|| exchanges.iter().rposition(|slot| self.again && asks(slot)));
        let Some(found) = found else {
            let mut message = format!("the recording has no (further) response to {method} {path}");
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
        let mut response = WireResponse::new(exchange.response.status);
        for (name, value) in &exchange.response.headers {
            // A recorded body is not compressed, even if someone wrote the file by hand with the
            // original headers.
            let packed = ["content-encoding", "content-length"];
            if !packed
                .iter()
                .any(|packed| name.eq_ignore_ascii_case(packed))
            {
                response = response.header(name, value);
            }
        }
        Ok(response.body(match &exchange.response.text {
            Some(text) => text.clone().into_bytes(),
            None => serde_json::to_vec(&exchange.response.body).unwrap_or_default(),
        }))
    }
}

impl Transport for Replay {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        let answer = self.answer(&request).map_err(WireError::fatal);
        Box::pin(async { answer })
    }
}

impl RecordedRequest {
    fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The text that replaces secrets in a recording; it matches any text.
const HIDDEN: &str = "***";

fn same_text(recorded: &str, asked: &str) -> bool {
    match recorded.split_once(HIDDEN) {
        Some((before, _)) => asked.starts_with(before),
        None => recorded == asked,
    }
}

/// Returns whether two paths are the same request: the order of parameters does not matter.
fn same_path(recorded: &str, asked: &str) -> bool {
    let ((recorded, left), (asked, right)) = (parts(recorded), parts(asked));
    let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (recorded, asked) = (segments(recorded), segments(asked));
    let same = |(left, right): (&String, &String)| same_text(left, right);
    recorded.len() == asked.len()
        && recorded.iter().zip(&asked).all(same)
        && left.len() == right.len()
        && left.iter().zip(&right).all(|(l, r)| same_pair(l, r))
}

/// Returns whether two parameters are the same. JSON in a value is compared as JSON.
fn same_pair(recorded: &str, asked: &str) -> bool {
    if same_text(recorded, asked) {
        return true;
    }
    let (Some((left, recorded)), Some((right, asked))) =
        (recorded.split_once('='), asked.split_once('='))
    else {
        return false;
    };
    let is_holder = |json: &Value| json.is_object() || json.is_array();
    let json = |text: &str| serde_json::from_str(text).ok().filter(is_holder);
    let recorded = json(recorded);
    left == right && recorded.is_some() && same_body(recorded.as_ref(), json(asked).as_ref())
}

/// Returns whether the recorded path is that of the request, written as URLs show it: a recording
/// that someone wrote by hand may be percent-encoded.
fn same_encoded(recorded: &str, asked: &Url) -> bool {
    let pairs = |url: &Url| {
        let pairs = url.query_pairs();
        let mut pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.sort();
        pairs
    };
    asked.join(recorded).is_ok_and(|recorded| {
        let (left, right) = (pairs(&recorded), pairs(asked));
        recorded.path() == asked.path()
            && left.len() == right.len()
            && left.iter().zip(&right).all(|(l, r)| same_pair(l, r))
    })
}

/// Splits a path into the path itself and its sorted parameters.
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

/// Returns how similar a recorded request is to one that has no recorded response.
fn nearness(recorded: &RecordedRequest, method: &str, path: &str) -> (bool, usize, usize) {
    let ((place, left), (asked, right)) = (parts(&recorded.path), parts(path));
    let alike = place.bytes().zip(asked.bytes());
    let alike = alike.take_while(|(left, right)| left == right).count();
    let shared = left.iter().filter(|pair| right.contains(pair)).count();
    (recorded.method == method && place == asked, alike, shared)
}

/// Returns the path and query of a request as a recording writes them: decoded, to be readable.
pub(super) fn decoded_path(url: &Url) -> String {
    let mut path = String::new();
    for segment in url.path_segments().into_iter().flatten() {
        path.push('/');
        path.push_str(&percent_decoded(segment));
    }
    let pairs: Vec<String> = url
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
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.split_at_checked(2).filter(|_| *byte == b'%');
        let escaped = hex.and_then(|(hex, behind)| {
            let hex = std::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, behind))
        });
        let (byte, behind) = escaped.unwrap_or((*byte, after));
        decoded.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
