//! The network: TCP and TLS through reqwest, with the proxies and certificates of the environment.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use reqwest::{Version, redirect};

use super::BoxFuture;
use super::transport::{Body, Transport, WireError, WireErrorKind, WireRequest, WireResponse};
use crate::error::{Error, ErrorKind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest wait between two parts of a response.
const READ_TIMEOUT: Duration = Duration::from_secs(90);

/// Connections, which are opened on demand.
pub(super) struct Network(reqwest::Client);

impl Network {
    pub fn new() -> Result<Self> {
        install_tls();
        // `wire` follows redirects and decompresses bodies, where both are limited.
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|error| Error::new(ErrorKind::System, format!("no HTTP client: {error}")))?;
        Ok(Network(client))
    }
}

impl Transport for Network {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        Box::pin(async move {
            let mut builder = match request.method {
                "POST" => self.0.post(request.url),
                _ => self.0.get(request.url),
            };
            builder = builder.headers(request.headers);
            if !request.body.is_empty() {
                builder = builder.body(request.body);
            }
            let response = builder.send().await.map_err(|error| fault(&error))?;
            let headers = response.headers();
            let open_ended = response.version() <= Version::HTTP_11
                && !headers.contains_key(CONTENT_LENGTH)
                && !headers.contains_key(TRANSFER_ENCODING);
            Ok(WireResponse {
                open_ended,
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: Box::new(Incoming(response)),
            })
        })
    }
}

struct Incoming(reqwest::Response);

impl Body for Incoming {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, WireError>> {
        Box::pin(async { self.0.chunk().await.map_err(|error| fault(&error)) })
    }
}

/// Returns the error with its innermost cause, without the URL (which may contain a key).
fn fault(error: &reqwest::Error) -> WireError {
    if error.is_timeout() {
        return WireError::new(WireErrorKind::Timeout, "");
    }
    let mut source = std::error::Error::source(error);
    let (mut innermost, mut lookup, mut tls) = (String::new(), false, false);
    while let Some(cause) = source {
        innermost = cause.to_string();
        lookup |= innermost == "dns error";
        tls |= cause.downcast_ref().is_some_and(is_tls);
        source = cause.source();
    }
    // A resolver that temporarily does not answer does not mean that the name is unknown.
    let unresolved = lookup && !innermost.to_lowercase().contains("temporary");
    let kind = match error.is_connect() {
        true if unresolved => WireErrorKind::Unresolved,
        true if tls => WireErrorKind::Tls,
        true => WireErrorKind::Connect,
        false if is_not_http(&innermost) => WireErrorKind::NotHttp,
        false => WireErrorKind::Broken,
    };
    WireError::new(kind, innermost)
}

/// Returns whether an error says that the first line of an answer is none of HTTP; the library has
/// no other sign of it than its words.
fn is_not_http(cause: &str) -> bool {
    cause.starts_with("invalid HTTP version") || cause.starts_with("invalid HTTP status-code")
}

/// Returns whether an error is one of TLS: the library reports data that it cannot use, in one error
/// within another.
fn is_tls(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == std::io::ErrorKind::InvalidData || inner.is_some_and(is_tls)
}

/// Selects the TLS library.
pub(crate) fn install_tls() {
    // An error means that the surrounding program has selected one already.
    #[cfg(feature = "tls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
}
