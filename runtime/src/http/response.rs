//! Responses, and the messages of error responses.

use reqwest::header::HeaderMap;

use super::sent::Sent;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Redactor;

/// A response of any status; the body is decompressed and complete.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether only the end of the connection shows that the body is complete.
    pub open_ended: bool,
    /// Whether the request was sent before, and the server may have answered it without a response
    /// that arrived.
    pub repeated: bool,
    /// The path to which a redirect has led, if it leads to another resource.
    pub landed: Option<String>,
    /// The request, as `GET /v1/customers?limit=100`.
    pub request: String,
    /// The words that the request sent.
    pub sent: Sent,
}

impl Response {
    /// Returns the response if its status is 2xx, else the error that it describes.
    pub fn success(self, redactor: impl FnOnce() -> Redactor) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let error = match self.status {
            401 | 403 => Error::new(ErrorKind::Credentials, refusal(self.status, &self.body))
                .hint("check the credentials, and what they are allowed to read"),
            300..=399 => Error::new(
                ErrorKind::Api,
                format!("{} redirects to another host", self.status),
            )
            .hint("set the base URL to the API's actual URL"),
            400 if wants_tls(&self.body) => {
                Error::new(ErrorKind::Api, refusal(self.status, &self.body))
                    .hint("the server speaks TLS at this port: use `https://` in the base URL")
            }
            _ => Error::new(ErrorKind::Api, refusal(self.status, &self.body)),
        };
        let redactor = redactor();
        Err(error
            .at(self.request)
            .map_message(|message| redactor.redact(message)))
    }

    /// Returns the response as one without content.
    pub fn emptied(self) -> Self {
        Response {
            status: 204,
            body: Vec::new(),
            ..self
        }
    }

    /// Returns the value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Returns whether an error body says that the request should have been sent through TLS, in the
/// words of common servers.
fn wants_tls(body: &[u8]) -> bool {
    const WORDS: [&str; 5] = [
        "http request to an https server",
        "plain http request was sent to https port",
        "speaking plain http to an ssl-enabled server port",
        "this combination of host and port requires tls",
        "http request was sent to an https port",
    ];
    let text = String::from_utf8_lossy(body.get(..body.len().min(1 << 14)).unwrap_or_default());
    let text = text.to_lowercase();
    WORDS.iter().any(|words| text.contains(words))
}

/// Returns the status and the message of the body, on one line (`429 Too Many Requests: slow
/// down`).
pub(super) fn refusal(status: u16, body: &[u8]) -> String {
    let (status, message) = (status_line(status), message_of(body));
    match message.as_str() {
        "" => status,
        message => format!("{status}: {message}"),
    }
}

/// Returns the status with its reason phrase (`429 Too Many Requests`).
pub(super) fn status_line(status: u16) -> String {
    let known = reqwest::StatusCode::from_u16(status).ok();
    match known.and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// Returns the message of an error body, in the shapes that APIs use; else the beginning of the
/// body.
fn message_of(body: &[u8]) -> String {
    const LONGEST: usize = 300;
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let found = json.as_ref().and_then(|json| {
        [
            "/error/message",
            "/error_description",
            "/message",
            "/error",
            "/detail",
            "/errors/0/message",
            "/errors/0/detail",
            "/errors/0",
            "/title",
        ]
        .iter()
        .find_map(|pointer| json.pointer(pointer)?.as_str())
    });
    let text = found.map_or_else(
        || String::from_utf8_lossy(&body[..body.len().min(4 * LONGEST)]).into_owned(),
        str::to_owned,
    );
    let mut line: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(LONGEST + 1)
        .collect();
    if line.chars().count() > LONGEST {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_become_one_line() {
        assert_eq!(
            refusal(404, br#"{"error":{"message":"No such\ncustomer"}}"#),
            "404 Not Found: No such customer"
        );
        assert_eq!(
            refusal(500, b"<html>\x1b[31mboom"),
            "500 Internal Server Error: <html>\u{fffd}[31mboom"
        );
        assert_eq!(refusal(599, b""), "599");
    }
}
