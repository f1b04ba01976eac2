//! The client of one source: its credentials, its limits, and what it has learnt about the API.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use reqwest::Url;
use reqwest::header::{DATE, HeaderMap};

use super::auth::Auth;
use super::budget::Budget;
use super::cassette::{self, Recorder};
use super::credentials::Trial;
use super::options::{ClientOptions, Tape};
use super::replay::{Exchange, Replay};
use super::request::Request;
use super::seal::{self, Marked, Seal};
use super::wire::{Bounds, Wire};
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Redactor, Secret};
use crate::world::{Transport, World};

/// Sends the requests of one source.
pub(crate) struct Client {
    pub(super) wire: Wire,
    pub(super) base: Url,
    trusted_hosts: Vec<String>,
    pub(super) auth: Auth,
    other_auth: Vec<Auth>,
    pub(super) hidden: Vec<Secret>,
    pub(super) headers: HeaderMap,
    pub(super) budget: Budget,
    concurrency: usize,
    pub(super) longest_pause: Duration,
    pub(super) recorder: Option<Recorder>,
    /// The source of the responses if nothing is sent.
    pub(super) replay: Option<Arc<Replay>>,
    /// Whether the host has answered any request.
    pub(super) answered: AtomicBool,
    /// What is known about the source's own credentials.
    pub(super) trial: Trial,
    /// How far the API's clock is ahead of the local clock, in microseconds, according to its first
    /// response.
    ahead: OnceLock<i64>,
}

impl Client {
    /// Creates a client that sends its requests to the API, unless its tape supplies the responses.
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
                let client = Client {
                    recorder,
                    ..Client::with(transport, options)?
                };
                client.guarded()
            }
            None => Client::with(options.world.transport()?, options)?.guarded(),
        }
    }

    /// Creates a client that returns each response of a recording once.
    pub fn replay(options: ClientOptions, exchanges: Vec<Exchange>) -> Result<Self> {
        Client::answering(options, Replay::new(exchanges, false))
    }

    /// Creates a client that sends nothing and therefore needs no credentials.
    fn answering(mut options: ClientOptions, replay: Replay) -> Result<Self> {
        // A recording works with any base URL, even one that is not set.
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
        let bounds = Bounds {
            timeout: options.timeout,
            body_limit: options.body_limit,
            allow_http: options.allow_http,
        };
        let world = options.world.clone();
        let wire = Wire::new(transport, world, &options.user_agent, bounds)?;
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
            answered: AtomicBool::new(false),
            trial: Trial::default(),
            ahead: OnceLock::new(),
        })
    }

    /// Refuses to send credentials unencrypted; this fails once, not for each resource.
    fn guarded(self) -> Result<Self> {
        if !self.auth.is_none() {
            self.wire.check_secret(&self.base)?;
        }
        Ok(self)
    }

    /// Returns the root of the API.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the maximum number of concurrent requests.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Returns the world that sends the requests.
    pub fn world(&self) -> &World {
        &self.wire.world
    }

    /// Returns how far the clock of the API is ahead of the local clock, in microseconds; `None` if
    /// it has not sent its time.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.ahead.get().copied()
    }

    /// Reads the time of the API from a response. The time in a recording is ignored.
    pub(super) fn hear_clock(&self, headers: &HeaderMap) {
        if self.replay.is_some() || self.ahead.get().is_some() {
            return;
        }
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        let since = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
        let there = since.and_then(|since| i64::try_from(since.as_micros()).ok());
        if let Some(there) = there {
            self.ahead
                .get_or_init(|| there.saturating_sub(self.world().micros()));
        }
    }

    /// Returns whether responses come from a recording.
    pub fn is_recorded(&self) -> bool {
        self.replay.is_some()
    }

    /// Returns the recorded requests that were not made.
    pub fn unused_exchanges(&self) -> Vec<String> {
        let replay = self.replay.as_ref();
        replay.map_or_else(Vec::new, |replay| replay.unused())
    }

    pub(super) fn secrets(&self) -> Vec<Secret> {
        let all = std::iter::once(&self.auth).chain(&self.other_auth);
        let mut secrets: Vec<Secret> = all.flat_map(Auth::secrets).collect();
        secrets.extend(self.hidden.iter().cloned());
        secrets
    }

    /// Returns a redactor that replaces every secret by `***`.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.secrets())
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.redactor().redact(text)
    }

    /// Returns the seal for the stored data of a resource with these credentials; `None` means
    /// those of the source.
    pub fn seal(&self, auth: Option<&Auth>) -> Seal {
        let mut marked = auth.unwrap_or(&self.auth).marked();
        marked.extend(self.marked_settings());
        Seal::new(marked, self.secrets())
    }

    fn marked_settings(&self) -> impl Iterator<Item = Marked> {
        let settings = self.hidden.iter().enumerate();
        settings.map(|(at, secret)| (seal::of_setting(at), secret.clone()))
    }

    /// Replaces the placeholders of secret settings by the settings that the first request of the
    /// list contains too, so that a link never receives a secret that the API does not receive
    /// anyway.
    pub fn open(&self, request: &mut Request, first: &Request) {
        let carried = |(_, secret): &Marked| first.carries(secret);
        let marked: Vec<Marked> = self.marked_settings().filter(carried).collect();
        request.open(&marked);
    }

    /// Returns the URL with `https` if a link of the API's own host has `http`, as behind a proxy,
    /// so that nothing is sent unencrypted.
    pub(super) fn secured(&self, url: &Url) -> Option<Url> {
        let own_host = url.host_str() == self.base.host_str();
        let own_port = [None, self.base.port_or_known_default()].contains(&url.port());
        if self.base.scheme() != "https" || url.scheme() != "http" || !own_host || !own_port {
            return None;
        }
        let mut secured = url.clone();
        secured.set_scheme("https").ok()?;
        secured.set_port(self.base.port()).ok()?;
        Some(secured)
    }

    /// Checks that a link may be followed: credentials are sent only to the API's own origin and to
    /// trusted hosts.
    pub fn check_link(&self, url: &Url) -> Result<()> {
        let same_origin = url.origin() == self.base.origin() || self.secured(url).is_some();
        let trusted = url
            .host_str()
            .is_some_and(|host| self.trusted_hosts.iter().any(|t| t == host));
        // A recording may come from another base URL, and receives no credentials.
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
            "if the base URL has changed since an earlier run stored the link, forget it: `state reset --resources NAME`, or `sync --full-refresh`; if that host may receive the credentials, add `.trust_host(\"{host}\")` to the source"
        )))
    }
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
            ("http://api.example/v1/x", true),
            ("http://api.example:443/v1/x", true),
            ("http://api.example:8080/v1/x", false),
            ("http://evil.example/v1/x", false),
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
    fn a_link_of_the_api_is_followed_as_the_api_is() {
        let secured = |base: &str, url: &str| {
            let url = client(base).unwrap().secured(&Url::parse(url).unwrap());
            url.map(String::from)
        };
        for (base, url, wanted) in [
            (
                "https://a.example/v1",
                "http://a.example/x?y",
                Some("https://a.example/x?y"),
            ),
            (
                "https://a.example:8443",
                "http://a.example:8443/x",
                Some("https://a.example:8443/x"),
            ),
            (
                "https://a.example:8443",
                "http://a.example/x",
                Some("https://a.example:8443/x"),
            ),
            ("https://a.example", "https://a.example/x", None),
            ("https://a.example", "http://b.example/x", None),
            ("https://a.example", "http://a.example:81/x", None),
            ("http://a.example", "http://a.example/x", None),
        ] {
            assert_eq!(secured(base, url).as_deref(), wanted, "{base} {url}");
        }
    }

    #[test]
    fn a_base_url_must_be_absolute() {
        for bad in ["", "/v1", "api.example.com", "mailto:x@example.com"] {
            assert!(client(bad).is_err(), "{bad}");
        }
    }
}
