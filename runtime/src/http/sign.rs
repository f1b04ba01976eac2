//! Signatures: credentials that are made from the request with which they go.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Url;
use reqwest::header::HeaderMap;

/// A request that is about to be sent, for [`Auth::sign`](super::Auth::sign). Every try is a request of its own, with its
/// own time.
pub struct Unsigned<'a> {
    pub(super) method: &'static str,
    pub(super) url: &'a Url,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a str,
    pub(super) time: SystemTime,
    pub(super) added: Vec<Added>,
}

/// A header that a signature adds.
pub(super) struct Added {
    pub name: String,
    pub value: String,
    /// It is the signature itself.
    pub secret: bool,
}

impl Unsigned<'_> {
    /// `GET` or `POST`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The host with the port, if that is not the scheme's own, as the header `Host` has it.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The path, percent-encoded as it is sent: `/v1/customers`.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The query, percent-encoded and in the order in which it is sent: `limit=100&page=2`; empty: there is none.
    pub fn query(&self) -> &str {
        self.url.query().unwrap_or_default()
    }

    /// Path and query as they are sent: `/v1/customers?limit=100`.
    pub fn target(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// A header that the request has already, if it is text.
    pub fn sent_header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it is sent; empty: there is none.
    pub fn body(&self) -> &str {
        self.body
    }

    /// When it is sent.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// The same in seconds since 1970.
    pub fn unix_time(&self) -> u64 {
        let since = self.time.duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    /// Adds a header that may be seen: a time, a number used once.
    pub fn header(&mut self, name: &str, value: impl Into<String>) {
        self.add(name, value.into(), false);
    }

    /// Adds the header with the signature, which errors and recordings do not show.
    pub fn signature(&mut self, name: &str, value: impl Into<String>) {
        self.add(name, value.into(), true);
    }

    fn add(&mut self, name: &str, value: String, secret: bool) {
        self.added.push(Added {
            name: name.to_owned(),
            value,
            secret,
        });
    }
}
