//! Sends a request, and retries it until it is answered or no further attempt is worthwhile.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use etlgen_model::StatusRule;
use etlgen_model::counted;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::auth::Auth;
use super::budget::Permit;
use super::charset;
use super::client::Client;
use super::failure::Failure;
use super::limits;
use super::listener::{Listener, sleep, stopped};
use super::request::Request;
use super::response::{Response, refusal};
use super::retry::{Tries, is_transient, retry_after};
use super::seal;
use super::sent::Sent;
use super::told::{self, Cause};
use super::wire::Answer;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Secret;
use crate::text::shortened;
use crate::world::WireRequest;

/// The maximum number of times that one request is repeated after tokens were renewed, by itself or
/// by other requests.
const RENEWALS: u32 = 4;

/// The most characters of a request in a line about a retry.
const PLACE: usize = 100;

/// The outcome of an exchange.
enum End {
    Answered(Response),
    /// The credentials are not valid.
    Refused(Result<Response>),
    Failed(Error),
}

/// One attempt: its result, and the fetched tokens that it was sent with.
struct Attempt {
    sent: Result<Answer, Failure>,
    tokens: Vec<Secret>,
}

impl Client {
    /// Sends a request until it is answered or no further attempt is worthwhile; a 4xx is an
    /// answer.
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
        self.send_and_judge(request, place, listener)
            .instrument(span)
            .await
    }

    /// Returns whether the API has refused the source's own credentials; if so, no further request
    /// uses them.
    pub fn is_refused(&self) -> bool {
        self.trial.is_refused()
    }

    /// Sends a request. If the source's own credentials are refused, one request reports it, and
    /// all others end.
    async fn send_and_judge(
        &self,
        request: &Request,
        place: String,
        listener: &dyn Listener,
    ) -> Result<Response> {
        let own = request.auth.is_none();
        if own && self.is_refused() {
            return Err(given_up());
        }
        match self.send_until(request, place, listener).await {
            End::Answered(response) => {
                if own && (200..300).contains(&response.status) {
                    self.trial.accept(request);
                }
                Ok(response)
            }
            End::Failed(error) => Err(error),
            End::Refused(refused) if !own || self.auth.is_none() => refused,
            End::Refused(refused) => {
                let _turn = self.trial.judging.lock().await;
                if self.is_refused() {
                    return Err(given_up());
                }
                if self.refuses_all(listener).await? {
                    self.trial.refuse();
                }
                refused
            }
        }
    }

    /// Returns whether the API now refuses even a request that it accepted before.
    async fn refuses_all(&self, listener: &dyn Listener) -> Result<bool> {
        let Some(known) = self.trial.accepted() else {
            return Ok(true);
        };
        if self.replay.is_some() {
            return Ok(false);
        }
        let place = self.redact(&known.describe());
        let attempt = self.try_once(&known, &self.auth, &place, listener).await?;
        Ok(attempt.is_refused())
    }

    async fn send_until(&self, request: &Request, place: String, listener: &dyn Listener) -> End {
        let auth = request.auth.as_ref().unwrap_or(&self.auth);
        let mut tries = Tries::new();
        let (mut renewed, mut renewals) = (false, 0u32);
        let mut repeated = false;
        loop {
            let attempt = match self.try_once(request, auth, &place, listener).await {
                Ok(attempt) => attempt,
                Err(error) => return End::Failed(error),
            };
            Span::current().record("http.request.resend_count", tries.count());
            tries.add(self.world().moment());
            let refused = attempt.is_refused();
            if refused && renewals < RENEWALS {
                // If several requests have one expired token, the first one renews it, and all are
                // repeated.
                match auth.forget_tokens(&attempt.tokens) {
                    Some(forgotten) if !(forgotten && renewed) => {
                        renewed |= forgotten;
                        renewals = renewals.saturating_add(1);
                        continue;
                    }
                    _ => {}
                }
            }
            let trouble = match self.judge(request, attempt.sent) {
                Verdict::Answered(answer) if refused => {
                    let known = request.rules.contains_key(&answer.status);
                    let response = answer.to(place);
                    return match known {
                        true => End::Answered(response),
                        false => End::Refused(Ok(response)),
                    };
                }
                Verdict::Answered(answer) => {
                    return End::Answered(Response {
                        repeated,
                        ..answer.to(place)
                    });
                }
                Verdict::Failed(error) if refused => return End::Refused(Err(error.at(place))),
                Verdict::Failed(error) => return End::Failed(error.at(place)),
                Verdict::Again(trouble) => trouble,
            };
            repeated |= trouble.may_have_acted;
            let waited = self.wait_for_next_try(&mut tries, &trouble, &place, listener);
            if let Err(error) = waited.await {
                return End::Failed(error);
            }
        }
    }

    /// Sends a request once, as soon as the budget allows it.
    async fn try_once(
        &self,
        request: &Request,
        auth: &Auth,
        place: &str,
        listener: &dyn Listener,
    ) -> Result<Attempt> {
        let permit = self.permit(place, listener).await?;
        let mut tokens = Vec::new();
        let sent = tokio::select! {
            biased;
            sent = self.send_once(request, auth, &mut tokens) => sent,
            () = listener.cut() => return Err(stopped()),
        };
        let status = sent.as_ref().map_or(0, |answer| answer.status);
        Span::current().record("http.response.status_code", status);
        // The limits in a recording are out of date.
        let answer = sent.as_ref().ok().filter(|_| self.replay.is_none());
        let left = answer.and_then(|answer| limits::left(&answer.headers, self.world().time()));
        let overload = status == 503 || sent.as_ref().is_ok_and(is_rate_limit);
        self.budget.record(&permit, overload, left);
        self.answered.fetch_or(sent.is_ok(), Relaxed);
        Ok(Attempt { sent, tokens })
    }

    fn judge(&self, request: &Request, sent: Result<Answer, Failure>) -> Verdict {
        let again = |message: &str, unreachable: bool| {
            Verdict::Again(Trouble {
                message: self.redact(message),
                patient: unreachable,
                may_have_acted: !unreachable,
                hint: Some(match unreachable {
                    true => "check the host and the port, and that the server is running",
                    false => "run again later; the next run continues from the last commit",
                }),
                ..Trouble::default()
            })
        };
        let answer = match sent {
            Ok(answer) => answer,
            Err(Failure::NotHttp(error)) if self.answered.load(Relaxed) => {
                return again(error.message(), false);
            }
            Err(Failure::Final(error) | Failure::NotHttp(error)) => return Verdict::Failed(error),
            Err(Failure::Transient(message)) => return again(&message, false),
            Err(Failure::Unreachable(message)) => return again(&message, true),
        };
        let rule = request.rules.get(&answer.status);
        let limited = is_rate_limit(&answer) && (answer.status != 429 || rule.is_none());
        let told = told_by(&answer).filter(|_| rule.is_none() && !request.asks_whether);
        let is_reply = request.asks_whether && answer.status == 500;
        let late = answer.status == 202 && rule.is_none() && !told::holds_records(&answer.body);
        if limited
            || late
            || rule == Some(&StatusRule::Retry)
            || (rule.is_none() && is_transient(answer.status) && !is_reply)
        {
            return Verdict::Again(Trouble {
                message: self.redact(&refusal(answer.status, &answer.body)),
                is_rate_limit: limited,
                patient: rule.is_none() && (late || answer.status == 503),
                asked: self.asked(&answer, limited),
                hint: None,
                may_have_acted: !limited && matches!(answer.status, 500 | 502 | 504),
            });
        }
        match told {
            None => Verdict::Answered(answer),
            Some(cause) => Verdict::Failed(self.told(cause, &answer)),
        }
    }

    /// Returns the error that a response with a success status contains.
    fn told(&self, cause: Cause, answer: &Answer) -> Error {
        let kind = match cause {
            Cause::Credentials | Cause::Forbidden => ErrorKind::Credentials,
            Cause::RateLimit | Cause::Other => ErrorKind::Api,
        };
        let said = refusal(answer.status, &answer.body);
        let error = Error::new(
            kind,
            self.redact(&format!("an error in a response with {said}")),
        );
        match kind {
            ErrorKind::Credentials => {
                error.hint("check the credentials, and what they are allowed to read")
            }
            _ => error,
        }
    }

    /// Returns the pause that the API asks for.
    fn asked(&self, answer: &Answer, limited: bool) -> Option<Duration> {
        let now = self.world().time();
        let asked = answer.headers.get("retry-after");
        let asked = asked.and_then(|asked| asked.to_str().ok());
        let asked = asked.and_then(|asked| retry_after(asked, now));
        asked.or_else(|| limits::spent_until(&answer.headers, now).filter(|_| limited))
    }

    async fn wait_for_next_try(
        &self,
        tries: &mut Tries,
        trouble: &Trouble,
        place: &str,
        listener: &dyn Listener,
    ) -> Result<()> {
        let message = &trouble.message;
        let patience = trouble.patient.then(|| self.answered.load(Relaxed));
        let now = self.world().moment();
        let Some(pause) = tries.pause(now, patience, trouble.asked, self.world().fraction()) else {
            let message = format!("{message} (after {})", counted(tries.count().into(), "try"));
            let error = Error::new(ErrorKind::Api, message).at(place);
            return Err(match trouble.hint {
                Some(hint) => error.hint(hint),
                None => error,
            });
        };
        if pause > self.longest_pause {
            let message = format!("{message}: the API asks to wait {} s", pause.as_secs());
            return Err(try_later(message, place));
        }
        if self.replay.is_some() {
            // A recording answers immediately.
            return Ok(());
        }
        if trouble.is_rate_limit {
            // Other requests would be refused too.
            self.budget.pause(pause);
        }
        let seconds = pause.as_secs_f64();
        // A token in a query may be longer than a line.
        let place = shortened(place, PLACE);
        let reason = format!("{place}: {message}; again in {seconds:.1} s");
        listener.retry(reason, message.clone());
        sleep(self.world(), pause, listener).await
    }

    /// Returns the permission to send one request, once the rate limit allows it.
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

    async fn send_once(
        &self,
        request: &Request,
        auth: &Auth,
        tokens: &mut Vec<Secret>,
    ) -> Result<Answer, Failure> {
        let (wired, signatures) = self.wired(request, auth, tokens).await?;
        let mut answer = self.wire.exchange(wired, &self.base).await?;
        answer.sent = Sent::of(&request.url, request.body.as_ref());
        charset::decode(&mut answer.headers, &mut answer.body);
        self.hear_clock(&answer.headers);
        if let Some(recorder) = &self.recorder {
            let secrets = self.secrets().into_iter().chain(signatures);
            recorder.write(request, &self.headers, &answer, secrets.collect())?;
        }
        Ok(answer)
    }

    /// Returns the request as it is sent, with its credentials, and the signatures among them.
    async fn wired(
        &self,
        request: &Request,
        auth: &Auth,
        tokens: &mut Vec<Secret>,
    ) -> Result<(WireRequest, Vec<Secret>), Failure> {
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
            url: self
                .secured(&request.url)
                .unwrap_or_else(|| request.url.clone()),
            headers,
            body: Vec::new(),
        };
        // A recording needs no credentials.
        if self.replay.is_none() {
            if !auth.is_none() || self.hidden.iter().any(|secret| request.carries(secret)) {
                self.wire.check_secret(&wired.url)?;
            }
            *tokens = auth.apply(&self.wire, &self.base, &mut wired).await?;
        }
        let marked = auth.marked();
        seal::open_url(&mut wired.url, &marked);
        if let Some(body) = &request.body {
            let mut body = body.to_string();
            seal::open_json(&mut body, &marked);
            wired.body = body.into_bytes();
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

impl Attempt {
    /// Returns whether the API, or its token endpoint, says that the credentials are not valid.
    fn is_refused(&self) -> bool {
        match &self.sent {
            Ok(answer) => answer.status == 401 || told_by(answer) == Some(Cause::Credentials),
            Err(Failure::Final(error)) => error.kind() == ErrorKind::Credentials,
            Err(_) => false,
        }
    }
}

/// The consequence of an attempt.
enum Verdict {
    Answered(Answer),
    Again(Trouble),
    Failed(Error),
}

/// A failed attempt that is worth repeating.
#[derive(Default)]
struct Trouble {
    message: String,
    is_rate_limit: bool,
    /// Whether to retry longer, because the server may be restarting.
    patient: bool,
    /// The pause that the API asks for.
    asked: Option<Duration>,
    /// Whether the server may have acted on the request.
    may_have_acted: bool,
    /// What to do if no further attempt is worthwhile.
    hint: Option<&'static str>,
}

/// Returns the cause of an error that has a success status; `None` if the response is not an error.
fn told_by(answer: &Answer) -> Option<Cause> {
    match answer.status {
        200..300 => told::error(&answer.body, &answer.sent),
        _ => None,
    }
}

/// Returns whether a response means that there were too many requests; some APIs use 403 or a
/// success status.
fn is_rate_limit(answer: &Answer) -> bool {
    match answer.status {
        429 => true,
        403 => {
            answer.headers.contains_key("retry-after")
                || limits::is_spent(&answer.headers)
                || told::cause(&answer.body) == Cause::RateLimit
        }
        _ => told_by(answer) == Some(Cause::RateLimit),
    }
}

fn try_later(message: String, place: &str) -> Error {
    Error::new(ErrorKind::Api, message)
        .at(place)
        .hint("run again later; the next run continues from the last commit")
}

/// Returns the error of a request that is no longer sent.
fn given_up() -> Error {
    Error::new(
        ErrorKind::Stopped,
        "stopped because the credentials were refused",
    )
}
