//! Signatures: credentials that are computed from the request that they are sent with.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::world::WireRequest;

/// A request that is about to be sent, for [`Auth::sign`](super::Auth::sign). Every attempt is
/// signed again, with its own time.
pub struct Unsigned<'a> {
    pub(super) request: &'a WireRequest,
    pub(super) time: SystemTime,
    pub(super) added: Vec<Added>,
}

/// A header that a signature adds.
pub(super) struct Added {
    pub name: String,
    pub value: String,
    /// Whether the header contains the signature.
    pub secret: bool,
}

impl Unsigned<'_> {
    /// Returns `GET` or `POST`.
    pub fn method(&self) -> &'static str {
        self.request.method
    }

    /// Returns the host, with the port unless it is the scheme's default, as in the header `Host`.
    pub fn host(&self) -> String {
        let host = self.request.url.host_str().unwrap_or_default();
        match self.request.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Returns the path, percent-encoded as it is sent: `/v1/customers`.
    pub fn path(&self) -> &str {
        self.request.url.path()
    }

    /// Returns the query, percent-encoded and in the order in which it is sent: `limit=100&page=2`;
    /// empty if there is no query.
    pub fn query(&self) -> &str {
        self.request.url.query().unwrap_or_default()
    }

    /// Returns the path and the query as they are sent: `/v1/customers?limit=100`.
    pub fn target(&self) -> String {
        match self.request.url.query() {
            Some(query) => format!("{}?{query}", self.request.url.path()),
            None => self.request.url.path().to_owned(),
        }
    }

    /// Returns the value of a header of the request, if it is text.
    pub fn sent_header(&self, name: &str) -> Option<&str> {
        self.request.header(name)
    }

    /// Returns the body as it is sent; empty if there is no body.
    pub fn body(&self) -> &str {
        // The body is JSON and therefore text.
        std::str::from_utf8(&self.request.body).unwrap_or_default()
    }

    /// Returns the time at which the request is sent.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// Returns the time at which the request is sent, in seconds since 1970.
    pub fn unix_time(&self) -> u64 {
        let since = self.time.duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }

    /// Adds a header that is not secret, such as a time or a nonce.
    pub fn header(&mut self, name: &str, value: impl Into<String>) {
        self.add(name, value.into(), false);
    }

    /// Adds the header with the signature, which errors and recordings never show.
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
