//! Why a request has no response.

use reqwest::Url;

use crate::error::{Error, ErrorKind};
use crate::world::{WireError, WireErrorKind};

/// Why a request has no response.
#[derive(Debug)]
pub(super) enum Failure {
    /// The failure is likely to be temporary.
    Transient(String),
    /// No server answers at the host, for example during a restart.
    Unreachable(String),
    /// The answer is not HTTP: no further attempt can succeed, unless the host has answered before.
    NotHttp(Error),
    /// No further attempt can succeed.
    Final(Error),
}

impl Failure {
    /// Returns the failure of a request whose response has not begun. A server that ends in the
    /// middle of a request closes its connections, so that this is the same as one that accepts
    /// none.
    pub fn before_answer(error: WireError, url: &Url) -> Self {
        let closed = error.kind() == Some(WireErrorKind::Broken);
        match Failure::of(error, url) {
            Failure::Transient(message) if closed => Failure::Unreachable(message),
            failure => failure,
        }
    }

    /// Returns the failure of a request to that URL; only its host is named, since the rest may
    /// contain a key.
    pub fn of(error: WireError, url: &Url) -> Self {
        let host = host(url);
        let kind = error.kind();
        let message = match error.into_fatal() {
            Ok(error) => return Failure::Final(error),
            Err(message) => format!("{host}: {message}"),
        };
        let last =
            |hint: String| Failure::Final(Error::new(ErrorKind::Api, message.clone()).hint(hint));
        match kind {
            Some(WireErrorKind::Connect) => Failure::Unreachable(message),
            Some(WireErrorKind::Unresolved) => last(format!(
                "check the host name `{host}`, and that this machine can resolve names"
            )),
            // The answer is that of a server without TLS.
            Some(WireErrorKind::Tls) if message.contains("corrupt message") => last(format!(
                "the server speaks no TLS at this port: check the scheme and the port, `http://{host}` is without TLS"
            )),
            Some(WireErrorKind::NotHttp) => {
                let hint = format!(
                    "check the scheme and the port; if the server speaks TLS there, use `https://{host}`"
                );
                Failure::NotHttp(Error::new(ErrorKind::Api, message).hint(hint))
            }
            Some(WireErrorKind::Tls) => last(format!(
                "check the scheme and the port of `{}://{host}`, and that this machine trusts the certificate of the server",
                url.scheme()
            )),
            _ => Failure::Transient(message),
        }
    }
}

/// Returns the host of a URL, with its port if that is not the usual one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("nowhere");
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}
