//! Sends the requests of one source: credentials, concurrency, retries.

use std::sync::Arc;
use std::time::Duration;

use etlgen_model::StatusRule;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::auth::Auth;
use super::budget::{Budget, Permit};
use super::cassette::{self, Recorder};
use super::failure::Failure;
use super::limits;
use super::listener::{Listener, sleep};
use super::options::{ClientOptions, Tape};
use super::replay::{Exchange, Replay};
use super::request::Request;
use super::response::{Response, refusal};
use super::retry::{MAX_TRIES, is_transient, pause, retry_after};
use super::wire::{Answer, Wire};
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Redactor, Secret};
use crate::world::{Transport, WireRequest, World};

/// Sends the requests of one source.
pub(crate) struct Client {
    wire: Wire,
    base: Url,
    trusted_hosts: Vec<String>,
    auth: Auth,
    other_auth: Vec<Auth>,
    hidden: Vec<Secret>,
    headers: HeaderMap,
    budget: Budget,
    concurrency: usize,
    longest_pause: Duration,
    recorder: Option<Recorder>,
    /// Where the answers come from, if nothing is sent.
    replay: Option<Arc<Replay>>,
}

impl Client {
    /// A client that sends its requests to the API, unless its tape holds the answers.
    pub fn new(options: ClientOptions) -> Result<Self> {
        match &options.tape {
            Some(Tape::Replay(folder)) => {
                let exchanges = cassette::load(folder)?;
                Client::answering(options, Replay::new(exchanges, true))
            }
            Some(Tape::Record(folder)) => {
                let recorder = Recorder::new(folder)?;
                let transport = options.world.transport()?;
                let recorder = Some(recorder);
                Ok(Client {
                    recorder,
                    ..Client::with(transport, options)?
                })
            }
            None => Client::with(options.world.transport()?, options),
        }
    }

    /// A client that gives each answer of a recording once.
    pub fn replay(options: ClientOptions, exchanges: Vec<Exchange>) -> Result<Self> {
        Client::answering(options, Replay::new(exchanges, false))
    }

    /// A client that sends nothing, and so needs no credentials.
    fn answering(mut options: ClientOptions, replay: Replay) -> Result<Self> {
        // A recording fits any base URL, also one that is not set.
        if replay.is_lenient() && Url::parse(&options.base_url).is_err() {
            options.base_url = "http://localhost".to_owned();
        }
        let replay = Arc::new(replay);
        Ok(Client {
            replay: Some(replay.clone()),
            ..Client::with(replay, options)?
        })
    }

    fn with(transport: Arc<dyn Transport>, options: ClientOptions) -> Result<Self> {
        let (base, headers) = (options.base()?, options.header_map()?);
        let wire = Wire::new(
            transport,
            options.world.clone(),
            &options.user_agent,
            options.timeout,
            options.body_limit,
        )?;
        Ok(Client {
            wire,
            base,
            trusted_hosts: options.trusted_hosts,
            auth: options.auth,
            other_auth: options.other_auth,
            hidden: options.hidden,
            headers,
            budget: Budget::new(options.world, options.concurrency, &options.rates),
            concurrency: options.concurrency.max(1),
            longest_pause: options.longest_pause,
            recorder: None,
            replay: None,
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

    /// The world that the requests go through.
    pub fn world(&self) -> &World {
        &self.wire.world
    }

    /// The recorded requests that were not asked for.
    pub fn unused_exchanges(&self) -> Vec<String> {
        let replay = self.replay.as_ref();
        replay.map_or_else(Vec::new, |replay| replay.unused())
    }

    fn secrets(&self) -> Vec<Secret> {
        let all = std::iter::once(&self.auth).chain(&self.other_auth);
        let mut secrets: Vec<Secret> = all.flat_map(Auth::secrets).collect();
        secrets.extend(self.hidden.iter().cloned());
        secrets
    }

    /// Replaces every secret by `***`.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.secrets())
    }

    fn redact(&self, text: &str) -> String {
        self.redactor().redact(text)
    }

    /// Whether a link may be followed: credentials go to the API's own origin and to trusted hosts only.
    pub fn check_link(&self, url: &Url) -> Result<()> {
        let same_origin = url.origin() == self.base.origin();
        let trusted = url
            .host_str()
            .is_some_and(|host| self.trusted_hosts.iter().any(|t| t == host));
        // A recording may be of another base URL, and gets no credentials.
        let replay = self.replay.as_ref();
        let recorded = replay.is_some_and(|replay| replay.is_lenient());
        if recorded || same_origin || (trusted && url.scheme() == "https") {
            return Ok(());
        }
        let host = url.host_str().unwrap_or("nowhere");
        Err(Error::new(
            ErrorKind::Paging,
            format!(
                "the link to the next page leads to {}://{host}, which is not the API's own host",
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
        let (mut renewed, mut tries) = (false, 0);
        loop {
            let sent = self.try_once(request, auth, &place, listener).await?;
            tries += 1;
            Span::current().record("http.request.resend_count", tries - 1);
            let refused = sent.as_ref().is_ok_and(|answer| answer.status == 401);
            if refused && !renewed && auth.forget_tokens() {
                renewed = true;
                continue;
            }
            let trouble = match self.judge(request, sent) {
                Verdict::Answered(answer) => return Ok(answer.to(place)),
                Verdict::Failed(error) => return Err(error.at(place)),
                Verdict::Again(trouble) => trouble,
            };
            self.wait_for_next_try(tries, &trouble, &place, listener)
                .await?;
        }
    }

    /// Sends a request once, as soon as the budget allows it.
    async fn try_once(
        &self,
        request: &Request,
        auth: &Auth,
        place: &str,
        listener: &dyn Listener,
    ) -> Result<Result<Answer, Failure>> {
        let permit = self.permit(place, listener).await?;
        let sent = self.send_once(request, auth).await;
        let status = sent.as_ref().map_or(0, |answer| answer.status);
        Span::current().record("http.response.status_code", status);
        // The limits in a recording are out of date.
        let answer = sent.as_ref().ok().filter(|_| self.replay.is_none());
        let left = answer.and_then(|answer| limits::left(&answer.headers, self.world().time()));
        self.budget
            .record(&permit, matches!(status, 429 | 503), left);
        Ok(sent)
    }

    fn judge(&self, request: &Request, sent: Result<Answer, Failure>) -> Verdict {
        match sent {
            Ok(answer) if !worth_a_retry(request, answer.status) => Verdict::Answered(answer),
            Ok(answer) => {
                let asked = answer.headers.get("retry-after");
                let asked = asked.and_then(|asked| asked.to_str().ok());
                Verdict::Again(Trouble {
                    message: self.redact(&refusal(answer.status, &answer.body)),
                    is_rate_limit: answer.status == 429,
                    asked: asked.and_then(|asked| retry_after(asked, self.world().time())),
                })
            }
            Err(Failure::Final(error)) => Verdict::Failed(error),
            Err(Failure::Transient(message)) => Verdict::Again(Trouble {
                message: self.redact(&message),
                is_rate_limit: false,
                asked: None,
            }),
        }
    }

    async fn wait_for_next_try(
        &self,
        tries: u32,
        trouble: &Trouble,
        place: &str,
        listener: &dyn Listener,
    ) -> Result<()> {
        let message = &trouble.message;
        if tries >= MAX_TRIES {
            let message = format!("{message} (after {tries} tries)");
            return Err(Error::new(ErrorKind::Api, message).at(place));
        }
        let pause = pause(tries + 1, trouble.asked, self.world().fraction());
        if pause > self.longest_pause {
            let message = format!("{message}: the API asks to wait {} s", pause.as_secs());
            return Err(try_later(message, place));
        }
        if self.replay.is_some() {
            // The recording answers at once.
            return Ok(());
        }
        if trouble.is_rate_limit {
            // Other requests would be refused as well.
            self.budget.pause(pause);
        }
        let seconds = pause.as_secs_f64();
        listener.retry(format!("{place}: {message}; again in {seconds:.1} s"));
        sleep(self.world(), pause, listener).await
    }

    /// The right to send one request, when the rate limit allows it.
    async fn permit(&self, place: &str, listener: &dyn Listener) -> Result<Permit<'_>> {
        loop {
            let wait = match self.budget.take().await {
                Ok(permit) => return Ok(permit),
                Err(wait) => wait,
            };
            if wait > self.longest_pause {
                let seconds = wait.as_secs();
                let message = format!("the API's rate limit is used up for another {seconds} s");
                return Err(try_later(message, place));
            }
            listener.waits(wait);
            sleep(self.world(), wait, listener).await?;
        }
    }

    async fn send_once(&self, request: &Request, auth: &Auth) -> Result<Answer, Failure> {
        let (wired, signatures) = self.wired(request, auth).await?;
        let answer = self.wire.exchange(wired, &self.base).await?;
        if let Some(recorder) = &self.recorder {
            let secrets = self.secrets().into_iter().chain(signatures);
            recorder.write(request, &self.headers, &answer, secrets.collect())?;
        }
        Ok(answer)
    }

    /// The request as it is sent, with its credentials; and the signatures among them.
    async fn wired(&self, request: &Request, auth: &Auth) -> Result<(WireRequest, Vec<Secret>)> {
        let mut headers = self.headers.clone();
        for (name, value) in &request.headers {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        let mut wired = WireRequest {
            method: request.method.name(),
            url: request.url.clone(),
            headers,
            body: Vec::new(),
        };
        // A recording needs no credentials.
        if self.replay.is_none() {
            auth.apply(&self.wire, &mut wired).await?;
        }
        if let Some(body) = &request.body {
            wired.body = body.to_string().into_bytes();
            let json = HeaderValue::from_static("application/json");
            wired.headers.insert(CONTENT_TYPE, json);
        }
        let signatures = match self.replay.is_none() {
            true => auth.put_signatures(self.world(), &mut wired)?,
            false => Vec::new(),
        };
        Ok((wired, signatures))
    }
}

/// What follows from an attempt.
enum Verdict {
    Answered(Answer),
    Again(Trouble),
    Failed(Error),
}

/// A failed attempt that is worth another one.
struct Trouble {
    message: String,
    is_rate_limit: bool,
    /// The pause that the API asks for.
    asked: Option<Duration>,
}

fn worth_a_retry(request: &Request, status: u16) -> bool {
    match request.rules.get(&status) {
        Some(rule) => *rule == StatusRule::Retry,
        None => is_transient(status),
    }
}

fn try_later(message: String, place: &str) -> Error {
    Error::new(ErrorKind::Api, message)
        .at(place)
        .hint("run again later; the next run goes on from the last commit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(base_url: &str) -> Result<Client> {
        let options = ClientOptions {
            base_url: base_url.into(),
            trusted_hosts: vec!["files.example".into()],
            ..ClientOptions::new(World::real(), base_url)
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
