//! Answers from a recorded exchange, for tests without a network.

use std::sync::Mutex;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// What was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedResponse {
    pub status: u16,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    pub body: serde_json::Value,
}

/// Answers each recorded request once.
pub(crate) struct Replay(Mutex<Vec<Option<Exchange>>>);

impl Replay {
    pub fn new(exchanges: Vec<Exchange>) -> Self {
        Replay(Mutex::new(exchanges.into_iter().map(Some).collect()))
    }

    /// What was recorded and not asked for.
    pub fn unused(&self) -> Vec<String> {
        let exchanges = self.0.lock().unwrap_or_else(|e| e.into_inner());
        exchanges
            .iter()
            .flatten()
            .map(|e| format!("{} {}", e.request.method, e.request.path))
            .collect()
    }

    /// The recorded answer to this request.
    pub fn answer(&self, request: &Request) -> Result<Response> {
        let path = decoded_path(request);
        let mut exchanges = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let found = exchanges.iter_mut().find(|slot| {
            slot.as_ref().is_some_and(|exchange| {
                exchange.request.method == request.method.name()
                    && same_path(&exchange.request.path, &path)
                    && exchange.request.body == request.body
            })
        });
        let Some(exchange) = found.and_then(Option::take) else {
            let name = request.method.name();
            return Err(Error::new(
                ErrorKind::Api,
                format!("the recording has no (further) answer to {name} {path}"),
            )
            .hint("record the exchange again, or correct the request in it"));
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &exchange.response.headers {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            {
                headers.append(name, value);
            }
        }
        let body = serde_json::to_vec(&exchange.response.body).unwrap_or_default();
        Ok(Response {
            status: exchange.response.status,
            headers,
            body,
            request: String::new(),
        })
    }
}

/// Whether two paths ask for the same thing: the order of parameters says nothing.
fn same_path(left: &str, right: &str) -> bool {
    let parts = |path: &str| {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
        pairs.sort();
        (path.to_owned(), pairs)
    };
    parts(left) == parts(right)
}

/// Path and query of a request as a recording writes them: decoded, to be read by people.
fn decoded_path(request: &Request) -> String {
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
