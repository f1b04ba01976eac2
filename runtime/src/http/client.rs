//! Sends requests: credentials, concurrency, retries, redirects.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Url, redirect};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::budget::{Budget, Permit, Rate};
use super::cassette::{self, Recorder};
use super::limits;
use super::retry::{LONGEST_PAUSE, MAX_TRIES, is_transient, pause, retry_after};
use super::{Auth, Exchange, Method, Replay, Request, StatusRule};
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Redactor, Secret};

/// What came back, whatever its status; the body is decompressed and complete.
#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// `GET /v1/customers?limit=100`.
    pub request: String,
}

/// Sends the requests of one source.
pub(crate) struct Client {
    transport: Transport,
    base: Url,
    trusted_hosts: Vec<String>,
    auth: Auth,
    other_auth: Vec<Auth>,
    hidden: Vec<Secret>,
    headers: HeaderMap,
    budget: Budget,
    concurrency: usize,
}

enum Transport {
    Live(reqwest::Client, Option<Recorder>),
    Replay(Replay),
}

/// A folder of exchanges that a client writes or reads.
#[derive(Clone, Debug)]
pub(crate) enum Tape {
    /// What is asked and answered is written there.
    Record(PathBuf),
    /// Nothing is sent: the answers are there.
    Replay(PathBuf),
}

/// How a client is set up.
pub(crate) struct ClientOptions {
    pub base_url: String,
    pub auth: Auth,
    /// Those of single resources.
    pub other_auth: Vec<Auth>,
    pub headers: Vec<(String, String)>,
    /// Hosts beside the API's own that next links may lead to; they get the credentials too.
    pub trusted_hosts: Vec<String>,
    /// Requests at a time.
    pub concurrency: usize,
    /// All of them hold.
    pub rates: Vec<Rate>,
    pub user_agent: String,
    /// From the request to the last byte of its answer.
    pub timeout: Duration,
    /// Secrets beside those of `auth`: never shown.
    pub hidden: Vec<Secret>,
    pub tape: Option<Tape>,
}

impl Client {
    /// A client that talks to the network, unless its tape holds the answers.
    pub fn new(mut options: ClientOptions) -> Result<Self> {
        let recorder = match &options.tape {
            Some(Tape::Replay(folder)) => {
                let exchanges = cassette::load(folder)?;
                // A recording fits any base URL, also one that is not set.
                if Url::parse(&options.base_url).is_err() {
                    options.base_url = "http://localhost".to_owned();
                }
                let replay = Replay::new(exchanges, true);
                return Client::with(Transport::Replay(replay), options);
            }
            Some(Tape::Record(folder)) => Some(Recorder::new(folder)?),
            None => None,
        };
        let http = live_transport(&options)?;
        Client::with(Transport::Live(http, recorder), options)
    }

    /// A client that answers from a recorded exchange.
    pub fn replay(options: ClientOptions, exchanges: Vec<Exchange>) -> Result<Self> {
        Client::with(Transport::Replay(Replay::new(exchanges, false)), options)
    }

    fn with(transport: Transport, options: ClientOptions) -> Result<Self> {
        let base = Url::parse(&options.base_url)
            .ok()
            .filter(|url| url.has_host())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Usage,
                    format!("the base URL `{}` is not an absolute URL", options.base_url),
                )
                .hint("it looks like https://api.example.com/v1")
            })?;
        let mut headers = HeaderMap::new();
        for (name, value) in &options.headers {
            let bad = || {
                Error::new(
                    ErrorKind::Usage,
                    format!("the header `{name}` cannot be sent as it is declared"),
                )
            };
            let name = name.parse::<HeaderName>().map_err(|_| bad())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| bad())?);
        }
        Ok(Client {
            transport,
            base,
            trusted_hosts: options.trusted_hosts,
            auth: options.auth,
            other_auth: options.other_auth,
            hidden: options.hidden,
            headers,
            budget: Budget::new(options.concurrency, &options.rates),
            concurrency: options.concurrency.max(1),
        })
    }

    /// The root of the API.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Requests at a time, at most.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// What was recorded and not asked for, when replaying.
    pub fn unused_exchanges(&self) -> Vec<String> {
        match &self.transport {
            Transport::Live(..) => Vec::new(),
            Transport::Replay(replay) => replay.unused(),
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        let all = std::iter::once(&self.auth).chain(&self.other_auth);
        let mut secrets: Vec<Secret> = all.flat_map(Auth::secrets).collect();
        secrets.extend(self.hidden.iter().cloned());
        secrets
    }

    /// Replaces every secret by `***`.
    pub fn redact(&self, text: &str) -> String {
        Redactor::new(self.secrets()).redact(text)
    }

    /// Whether a link may be followed: credentials go to the API's own origin and to trusted hosts only.
    pub fn check_link(&self, url: &Url) -> Result<()> {
        let same_origin = url.origin() == self.base.origin();
        let trusted = url
            .host_str()
            .is_some_and(|host| self.trusted_hosts.iter().any(|t| t == host));
        // A recording may be of another base URL, and gets no credentials.
        let recorded = matches!(&self.transport, Transport::Replay(replay) if replay.is_lenient());
        if recorded || same_origin || (trusted && url.scheme() == "https") {
            return Ok(());
        }
        let host = url.host_str().unwrap_or("nowhere");
        Err(Error::new(
            ErrorKind::Paging,
            format!(
                "the next page is said to be at {}://{host}, which is not the API's own host",
                url.scheme()
            ),
        )
        .hint(format!(
            "if that host may get the credentials, add `.trust_host(\"{host}\")` to the source"
        )))
    }

    /// Sends a request until it is answered or not worth another try; a 4xx is an answer.
    pub async fn send(&self, request: &Request, listener: &dyn Listener) -> Result<Response> {
        let place = self.redact(&request.describe());
        let span = info_span!(
            "request",
            otel.kind = "client",
            request = place,
            http.request.method = request.method.name(),
            http.response.status_code = Empty,
            http.request.resend_count = Empty,
        );
        self.send_until(request, place, listener)
            .instrument(span)
            .await
    }

    async fn send_until(
        &self,
        request: &Request,
        place: String,
        listener: &dyn Listener,
    ) -> Result<Response> {
        let auth = request.auth.as_ref().unwrap_or(&self.auth);
        let mut renewed = false;
        let mut tries = 0;
        loop {
            let permit = self.permit(&place, listener).await?;
            tries += 1;
            let sent = self.send_once(request, auth).await;
            let status = sent.as_ref().map_or(0, |answer| answer.status);
            Span::current().record("http.response.status_code", status);
            Span::current().record("http.request.resend_count", tries - 1);
            let left = sent
                .as_ref()
                .ok()
                .filter(|_| !self.is_replay())
                .and_then(|answer| limits::left(&answer.headers, SystemTime::now()));
            self.budget
                .heard(&permit, matches!(status, 429 | 503), left);
            drop(permit);
            let (trouble, asked) = match sent {
                Ok(answer) if answer.status == 401 && !renewed && auth.forget_tokens() => {
                    renewed = true;
                    continue;
                }
                Ok(answer) if !worth_a_retry(request, answer.status) => {
                    return Ok(Response {
                        request: place,
                        ..answer
                    });
                }
                Ok(answer) => {
                    let now = SystemTime::now();
                    let asked = answer
                        .header("retry-after")
                        .and_then(|value| retry_after(value, now));
                    (self.redact(&said(answer.status, &answer.body)), asked)
                }
                Err(Failure::Final(error)) => return Err(error.at(place)),
                Err(Failure::Transient(message)) => (self.redact(&message), None),
            };
            let give_up = |why: String| Error::new(ErrorKind::Api, why).at(place.clone());
            if tries >= MAX_TRIES {
                return Err(give_up(format!("{trouble} (after {tries} tries)")));
            }
            let pause = pause(tries + 1, asked);
            if pause > LONGEST_PAUSE {
                return Err(
                    give_up(format!("{trouble}: it asks to wait {} s", pause.as_secs()))
                        .hint("run again later; the next run goes on from the last commit"),
                );
            }
            if self.is_replay() {
                // Whoever was busy then is not now.
                continue;
            }
            if status == 429 {
                // The others would be refused as well.
                self.budget.pause(pause);
            }
            listener.retry(format!(
                "{place}: {trouble}; again in {:.1} s",
                pause.as_secs_f64()
            ));
            sleep(pause, listener).await?;
        }
    }

    /// The right to send one request, when the rate limit allows it.
    async fn permit(&self, place: &str, listener: &dyn Listener) -> Result<Permit<'_>> {
        loop {
            let wait = match self.budget.take().await {
                Ok(permit) => return Ok(permit),
                Err(wait) => wait,
            };
            if wait > LONGEST_PAUSE {
                let message = format!(
                    "the API's rate limit is used up for another {} s",
                    wait.as_secs()
                );
                return Err(Error::new(ErrorKind::Api, message)
                    .at(place)
                    .hint("run again later; the next run goes on from the last commit"));
            }
            listener.waits(wait);
            sleep(wait, listener).await?;
        }
    }

    async fn send_once(&self, request: &Request, auth: &Auth) -> Result<Response, Failure> {
        let (http, recorder) = match &self.transport {
            Transport::Replay(replay) => return replay.answer(request).map_err(Failure::Final),
            Transport::Live(http, recorder) => (http, recorder),
        };
        let mut url = request.url.clone();
        let mut headers = self.headers.clone();
        for (name, value) in &request.headers {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        auth.apply(http, &mut url, &mut headers)
            .await
            .map_err(Failure::Final)?;
        let body = request.body.as_ref().map(serde_json::Value::to_string);
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.insert("content-type", json);
        }
        let signed = body.as_deref().unwrap_or_default();
        let signatures = auth
            .put_signatures(request.method, &url, &mut headers, signed)
            .map_err(Failure::Final)?;
        let mut builder = match request.method {
            Method::Get => http.get(url),
            Method::Post => http.post(url),
        };
        builder = builder.headers(headers);
        if let Some(body) = body {
            builder = builder.body(body);
        }
        let transient = |error: reqwest::Error| Failure::Transient(describe(&error));
        let response = builder.send().await.map_err(transient)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // What was decoded has no such header any more.
        if let Some(encoding) = headers.get("content-encoding")
            && encoding != "identity"
        {
            let encoding = encoding.to_str().unwrap_or("?");
            let message = format!(
                "the answer is encoded as `{encoding}`, which was not asked for and cannot be read"
            );
            return Err(Failure::Final(Error::new(ErrorKind::Api, message).hint(
                "a proxy between may do this; the API should honour `Accept-Encoding: gzip`",
            )));
        }
        let body = response.bytes().await.map_err(transient)?;
        let answer = Response {
            status,
            headers,
            body: body.into(),
            request: String::new(),
        };
        if let Some(recorder) = recorder {
            let secrets = self.secrets().into_iter().chain(signatures);
            recorder
                .write(request, &self.headers, &answer, secrets.collect())
                .map_err(Failure::Final)?;
        }
        Ok(answer)
    }

    fn is_replay(&self) -> bool {
        matches!(self.transport, Transport::Replay(_))
    }
}

/// Hears what happens to a request before it is answered.
pub(crate) trait Listener: Send + Sync {
    /// It is sent again; why, and after how long.
    fn retry(&self, reason: String);
    /// It waits that long for the rate limit.
    fn waits(&self, time: Duration);
    /// Whether nobody wants to wait any longer.
    fn stopped(&self) -> bool;
}

/// Sleeps, unless the run is asked to stop.
async fn sleep(time: Duration, listener: &dyn Listener) -> Result<()> {
    const STEP: Duration = Duration::from_millis(200);
    let until = Instant::now() + time;
    loop {
        if listener.stopped() {
            return Err(Error::new(
                ErrorKind::Stopped,
                "stopped while it waited to ask again",
            ));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(left.min(STEP)).await;
    }
}

fn worth_a_retry(request: &Request, status: u16) -> bool {
    match request.rules.get(&status) {
        Some(rule) => *rule == StatusRule::Retry,
        None => is_transient(status),
    }
}

enum Failure {
    Transient(String),
    Final(Error),
}

impl Response {
    /// The answer if it is a 2xx, else the error that it tells.
    pub fn success(self, client: &Client) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let error = match self.status {
            401 | 403 => Error::new(ErrorKind::Credentials, said(self.status, &self.body))
                .hint("check the credentials, and what they are allowed to read"),
            300..=399 => Error::new(
                ErrorKind::Api,
                format!("{} redirects to another host", self.status),
            )
            .hint("set the base URL to where the API really is"),
            _ => Error::new(ErrorKind::Api, said(self.status, &self.body)),
        };
        Err(error
            .at(self.request)
            .map_message(|message| client.redact(message)))
    }

    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// `429 Too Many Requests: slow down`: the status and what the body says, on one line.
fn said(status: u16, body: &[u8]) -> String {
    let reason = reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|s| s.canonical_reason())
        .unwrap_or("");
    let message = message_of(body);
    let colon = if message.is_empty() { "" } else { ": " };
    format!("{status} {reason}{colon}{message}")
        .trim_end()
        .to_owned()
}

/// The message in an error body, in the shapes that APIs use; else the beginning of the body.
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

/// What a connection fault says, without the URL (which may carry a key).
fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "the server did not answer in time".to_owned()
    } else {
        String::new()
    };
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut innermost = String::new();
    while let Some(cause) = source {
        innermost = cause.to_string();
        source = cause.source();
    }
    if text.is_empty() {
        let stage = if error.is_connect() {
            "cannot connect"
        } else {
            "the connection broke"
        };
        text = if innermost.is_empty() {
            stage.to_owned()
        } else {
            format!("{stage}: {innermost}")
        };
    }
    text
}

/// Decides which library encrypts.
pub(crate) fn install_tls() {
    // An error means that the program around us has decided already.
    #[cfg(feature = "tls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn live_transport(options: &ClientOptions) -> Result<reqwest::Client> {
    install_tls();
    let base = Url::parse(&options.base_url).ok();
    let same_origin = move |attempt: redirect::Attempt<'_>| {
        let stays = base
            .as_ref()
            .is_some_and(|base| base.origin() == attempt.url().origin());
        if stays && attempt.previous().len() < 10 {
            attempt.follow()
        } else {
            attempt.stop()
        }
    };
    reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(Duration::from_secs(90))
        .timeout(options.timeout)
        .redirect(redirect::Policy::custom(same_origin))
        .build()
        .map_err(|error| Error::new(ErrorKind::System, format!("no HTTP client: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_become_one_line() {
        assert_eq!(
            said(404, br#"{"error":{"message":"No such\ncustomer"}}"#),
            "404 Not Found: No such customer"
        );
        assert_eq!(
            said(500, b"<html>\x1b[31mboom"),
            "500 Internal Server Error: <html>\u{fffd}[31mboom"
        );
        assert_eq!(said(599, b""), "599");
    }

    fn client(base_url: &str) -> Result<Client> {
        let options = ClientOptions {
            base_url: base_url.into(),
            auth: Auth::bearer("sk_secret"),
            other_auth: Vec::new(),
            headers: Vec::new(),
            trusted_hosts: vec!["files.example".into()],
            concurrency: 1,
            rates: Vec::new(),
            user_agent: "test".into(),
            timeout: Duration::from_secs(1),
            hidden: Vec::new(),
            tape: None,
        };
        Client::replay(options, Vec::new())
    }

    #[test]
    fn links_stay_with_the_api() {
        let client = client("https://api.example/v1").unwrap();
        for (url, allowed) in [
            ("https://api.example/v1/x?page=2", true),
            ("https://files.example/x", true),
            ("http://files.example/x", false),
            ("http://api.example/v1/x", false),
            ("https://api.example:8443/x", false),
            ("https://evil.example/x", false),
        ] {
            assert_eq!(
                client.check_link(&Url::parse(url).unwrap()).is_ok(),
                allowed,
                "{url}"
            );
        }
    }

    #[test]
    fn a_base_url_must_be_absolute() {
        for bad in ["", "/v1", "api.example.com", "mailto:x@example.com"] {
            assert!(client(bad).is_err(), "{bad}");
        }
    }
}
