//! How requests reach an API: one method, which tests and other hosts can implement.

use std::fmt;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::BoxFuture;
use crate::error::Error;

/// A sender of requests. Every request of a source goes through one, including those for OAuth
/// tokens.
///
/// An implementation sends one request and returns the response unchanged: it does not follow
/// redirects, decompress bodies, retry, or limit time or size; the caller does all that.
pub trait Transport: Send + Sync {
    /// Sends one request; returns the head of its response, and the body in chunks.
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>>;
}

/// The body of a response as it arrives.
pub trait Body: Send {
    /// Returns the next chunk; `None` after the last.
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, WireError>>;
}

/// A request as it is sent, credentials included.
#[derive(Clone)]
pub struct WireRequest {
    pub(crate) method: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl WireRequest {
    /// Returns `GET` or `POST`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Returns the whole URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns all headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body; empty if there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// A response: its head, and the body that follows.
pub struct WireResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Box<dyn Body>,
    /// Whether only the end of the connection ends the body, so that a broken one is not noticed.
    pub(crate) open_ended: bool,
}

impl WireResponse {
    /// Creates a response without headers and without a body.
    pub fn new(status: u16) -> Self {
        WireResponse {
            status,
            headers: HeaderMap::new(),
            body: Box::new(Whole(None)),
            open_ended: false,
        }
    }

    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Adds a header; an invalid one is left out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            self.headers.append(name, value);
        }
        self
    }

    /// Sets the body, which arrives in one chunk.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Box::new(Whole(Some(body.into())));
        self
    }

    /// Sets the body, which arrives in chunks.
    pub fn chunks(mut self, body: impl Body + 'static) -> Self {
        self.body = Box::new(body);
        self
    }
}

/// A body that has already arrived.
struct Whole(Option<Bytes>);

impl Body for Whole {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, WireError>> {
        let chunk = self.0.take();
        Box::pin(async move { Ok(chunk) })
    }
}

/// The reason why a request was not answered, or its response was cut off.
pub struct WireError(Fault);

enum Fault {
    Wire(WireErrorKind, String),
    Fatal(Error),
}

/// The kinds of connection failures. All of them are retried, except where noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// No connection was established.
    Connect,
    /// The name of the host does not resolve. This is not retried.
    Unresolved,
    /// No TLS connection was established: the server speaks no TLS, or its certificate is not
    /// trusted. This is not retried.
    Tls,
    /// The answer is not HTTP, as if another protocol is spoken at the port. This is retried only if
    /// the host has answered before.
    NotHttp,
    /// The connection broke while the request was sent or answered.
    Broken,
    /// Nothing arrived for too long.
    Timeout,
}

impl WireError {
    /// Creates a connection failure. The message must not contain the URL, which may contain a key.
    pub fn new(kind: WireErrorKind, message: impl Into<String>) -> Self {
        WireError(Fault::Wire(kind, message.into()))
    }

    /// Creates an error that no retry can fix.
    pub fn fatal(error: Error) -> Self {
        WireError(Fault::Fatal(error))
    }

    /// Returns the kind; `None` for [`WireError::fatal`].
    pub fn kind(&self) -> Option<WireErrorKind> {
        match &self.0 {
            Fault::Wire(kind, _) => Some(*kind),
            Fault::Fatal(_) => None,
        }
    }

    /// Returns the final error, or the message of one that is worth a retry.
    pub(crate) fn into_fatal(self) -> Result<Error, String> {
        match self.0 {
            Fault::Fatal(error) => Ok(error),
            wire => Err(WireError(wire).to_string()),
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stage, message) = match &self.0 {
            Fault::Fatal(error) => return error.fmt(f),
            Fault::Wire(WireErrorKind::Timeout, message) if message.is_empty() => {
                ("the server did not answer in time", message)
            }
            Fault::Wire(WireErrorKind::Timeout, message) => return f.write_str(message),
            Fault::Wire(WireErrorKind::Connect, message) => ("cannot connect", message),
            Fault::Wire(WireErrorKind::Unresolved, message) => {
                ("the name of the host does not resolve", message)
            }
            Fault::Wire(WireErrorKind::Tls, message) => ("no TLS connection", message),
            Fault::Wire(WireErrorKind::NotHttp, message) => ("the answer is not HTTP", message),
            Fault::Wire(WireErrorKind::Broken, message) => ("the connection broke", message),
        };
        f.write_str(stage)?;
        match message.as_str() {
            "" => Ok(()),
            message => write!(f, ": {message}"),
        }
    }
}

impl fmt::Debug for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireError({self})")
    }
}

impl std::error::Error for WireError {}
