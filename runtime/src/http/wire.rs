//! One exchange over a transport: redirects, a time limit, and a decompressed, complete body.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};

use super::failure::Failure;
use super::response::Response;
use super::sent::Sent;
use super::{body, encrypted, redirect};
use crate::error::{Error, ErrorKind, Result};
use crate::world::{Transport, WireError, WireErrorKind, WireRequest, World};

/// The transport of a source's requests, with its limits.
pub(super) struct Wire {
    transport: Arc<dyn Transport>,
    pub world: World,
    user_agent: HeaderValue,
    bounds: Bounds,
}

/// The limits of one exchange.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// The time from a request to the last byte of its response.
    pub timeout: Duration,
    /// The longest body, both received and decompressed.
    pub body_limit: usize,
    /// Whether secrets may be sent over unencrypted connections.
    pub allow_http: bool,
}

/// A response of any status; the body is decompressed and complete.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether only the end of the connection shows that the body is complete.
    pub open_ended: bool,
    /// The words of its request, as far as the sender says them.
    pub sent: Sent,
    /// The path to which a redirect has led, if it leads to another resource.
    pub landed: Option<String>,
}

impl Answer {
    /// Returns the response to the request of that description.
    pub fn to(self, request: String) -> Response {
        Response {
            status: self.status,
            headers: self.headers,
            body: self.body,
            open_ended: self.open_ended,
            repeated: false,
            landed: self.landed,
            request,
            sent: self.sent,
        }
    }
}

impl Wire {
    pub fn new(
        transport: Arc<dyn Transport>,
        world: World,
        name: &str,
        bounds: Bounds,
    ) -> Result<Self> {
        let user_agent = HeaderValue::from_str(name).map_err(|_| {
            let message = format!("the name of the source cannot be sent as a header: `{name}`");
            Error::new(ErrorKind::Usage, message)
                .hint("use letters, digits and hyphens in the name of the source")
        })?;
        Ok(Wire {
            transport,
            world,
            user_agent,
            bounds,
        })
    }

    /// Refuses to send a secret over a connection that others could read.
    pub fn check_secret(&self, url: &Url) -> Result<()> {
        match self.bounds.allow_http || encrypted::is_safe(url) {
            true => Ok(()),
            false => Err(encrypted::refusal(url)),
        }
    }

    /// Sends a request and reads its response; redirects are followed within the origin of `home`.
    pub async fn exchange(&self, mut request: WireRequest, home: &Url) -> Result<Answer, Failure> {
        let headers = &mut request.headers;
        (headers.entry(USER_AGENT)).or_insert_with(|| self.user_agent.clone());
        (headers.entry(ACCEPT_ENCODING)).or_insert(HeaderValue::from_static("gzip"));
        let asked = request.url.clone();
        if !matches!(asked.scheme(), "http" | "https") {
            let message = format!(
                "a URL must begin with http:// or https://, not {}://",
                asked.scheme()
            );
            return Err(Error::new(ErrorKind::Usage, message).into());
        }
        let answer = self
            .world
            .timeout(self.bounds.timeout, self.follow(request, home))
            .await;
        let late = || Failure::of(WireError::new(WireErrorKind::Timeout, ""), &asked);
        answer.unwrap_or_else(|| Err(late()))
    }

    async fn follow(&self, mut request: WireRequest, home: &Url) -> Result<Answer, Failure> {
        let mut followed = 0..redirect::MOST;
        let asked = request.url.clone();
        loop {
            let url = request.url.clone();
            let failed = |error| Failure::of(error, &url);
            let response = self.transport.send(request.clone()).await;
            let response = response.map_err(|error| Failure::before_answer(error, &url))?;
            let (status, mut headers) = (response.status, response.headers);
            let next = redirect::target(&request, status, &headers, home);
            if let Some(next) = next.filter(|_| followed.next().is_some()) {
                request = next;
                continue;
            }
            let mut body = response.body;
            let whole =
                body::whole(&mut *body, &mut headers, self.bounds.body_limit, failed).await?;
            return Ok(Answer {
                status,
                headers,
                body: whole.bytes,
                open_ended: response.open_ended && !whole.packed,
                sent: Sent::default(),
                landed: redirect::elsewhere(&asked, &url),
            });
        }
    }
}
