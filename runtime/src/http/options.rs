//! The options of a client.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::auth::Auth;
use super::budget::Rate;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Secret;
use crate::world::World;

/// A folder of exchanges that a client writes or reads.
#[derive(Clone, Debug)]
pub(crate) enum Tape {
    /// Requests and their responses are written to this folder.
    Record(PathBuf),
    /// Nothing is sent: the responses come from this folder.
    Replay(PathBuf),
}

/// The options of a client.
pub(crate) struct ClientOptions {
    pub world: World,
    pub base_url: String,
    pub auth: Auth,
    /// The credentials of single resources.
    pub other_auth: Vec<Auth>,
    pub headers: Vec<(String, String)>,
    /// Hosts other than the API's own that next links may lead to; they get the credentials too.
    pub trusted_hosts: Vec<String>,
    /// The maximum number of concurrent requests.
    pub concurrency: usize,
    /// Rates that all apply.
    pub rates: Vec<Rate>,
    pub user_agent: String,
    /// The time from the request to the last byte of its response.
    pub timeout: Duration,
    /// The longest response body in bytes, both received and decompressed.
    pub body_limit: usize,
    /// The longest pause that an API may ask for; a longer one is an error.
    pub longest_pause: Duration,
    /// Secrets other than those of `auth` that are never shown.
    pub hidden: Vec<Secret>,
    /// Whether secrets may be sent over unencrypted connections.
    pub allow_http: bool,
    pub tape: Option<Tape>,
}

impl ClientOptions {
    /// Returns options for an API without credentials, with the default limits.
    pub fn new(world: World, base_url: &str) -> Self {
        ClientOptions {
            world,
            base_url: base_url.to_owned(),
            auth: Auth::none(),
            other_auth: Vec::new(),
            headers: Vec::new(),
            trusted_hosts: Vec::new(),
            concurrency: 8,
            rates: Vec::new(),
            user_agent: format!("etlgen {}", env!("CARGO_PKG_VERSION")),
            timeout: Duration::from_secs(300),
            body_limit: 256 << 20,
            longest_pause: Duration::from_secs(300),
            hidden: Vec::new(),
            allow_http: false,
            tape: None,
        }
    }

    /// Returns the root of the API.
    pub(super) fn base(&self) -> Result<Url> {
        let base = Url::parse(&self.base_url).ok();
        let base = base.filter(|base| base.has_host() && matches!(base.scheme(), "http" | "https"));
        base.ok_or_else(|| {
            let message = format!(
                "the base URL `{}` is not an absolute http:// or https:// URL",
                self.base_url
            );
            Error::new(ErrorKind::Usage, message).hint("it looks like https://api.example.com/v1")
        })
    }

    /// Returns the headers of every request.
    pub(super) fn header_map(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let bad = || {
                let message = format!("the header `{name}` is not a valid header");
                Error::new(ErrorKind::Usage, message)
            };
            let name = name.parse::<HeaderName>().map_err(|_| bad())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| bad())?);
        }
        Ok(headers)
    }
}
