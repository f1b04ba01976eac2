//! The declarations of a generated crate: a [`Source`] (an API) and its [`Resource`]s (the
//! collections to extract).

mod body;
mod change;
mod child;
mod columns;
mod declare;
mod describe;
mod embedded;
mod embedding;
mod erased;
mod feed;
mod format;
mod partial;
mod path;
mod resource;
mod windows;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use change::Change;
pub(crate) use change::{ChangeFn, What};
pub use child::{ChildRequest, ParamValue, SliceRequest};
pub use declare::RecordExt;
pub use describe::ResourceDescription;
pub use embedded::Embedded;
pub(crate) use embedded::Place;
pub(crate) use erased::{AnyResource, PageReader, ReadPage, RowSink, Rows, TypedRows};
pub(crate) use path::placeholders;
pub use resource::Resource;
pub(crate) use resource::{LinkFn, ResourceSpec};

use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "cli")]
use crate::http::Seal;
use crate::http::{Auth, Client, ClientOptions, Rate, Tape};
use crate::record::Record;
use crate::schema::Contract;
use crate::settings::{Redactor, Secret};
use crate::text::alternatives;
use crate::world::World;

/// An API: its base URL, its credentials, and its resources.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Order {
///     id: Option<i64>,
/// }
///
/// let source = Source::new("shop", "https://api.shop.example")
///     .auth(Auth::bearer("sk_123"))
///     .header("Api-Version", "2024-05-01")
///     .resource(Order::list("orders", "/orders").primary_key(Order::ID));
/// # let _ = source;
/// ```
#[derive(Clone)]
pub struct Source {
    name: String,
    base_url: String,
    auth: Auth,
    headers: Vec<(String, String)>,
    trusted_hosts: Vec<String>,
    concurrency: usize,
    timeout: Duration,
    body_limit: usize,
    longest_pause: Duration,
    pub(crate) world: World,
    rates: Vec<Rate>,
    hidden: Vec<Secret>,
    allow_http: bool,
    tape: Option<Tape>,
    contract: Contract,
    resources: Vec<Arc<dyn AnyResource>>,
}

impl Source {
    /// Creates a source with this name (which also names state and default files), whose paths
    /// start at `base_url`.
    pub fn new(name: &str, base_url: &str) -> Self {
        Source {
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            auth: Auth::none(),
            headers: Vec::new(),
            trusted_hosts: Vec::new(),
            concurrency: 8,
            timeout: Duration::from_secs(300),
            body_limit: 256 << 20,
            longest_pause: Duration::from_secs(300),
            world: World::real(),
            rates: Vec::new(),
            hidden: Vec::new(),
            allow_http: false,
            tape: None,
            contract: Contract::evolve(),
            resources: Vec::new(),
        }
    }

    /// Sets the credentials of every request, except for resources that have their own.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Returns whether requests carry a credential.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.auth.is_none() || !self.hidden.is_empty()
    }

    /// Adds a header to every request.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a host that links may point to; it gets the credentials too.
    pub fn trust_host(mut self, host: &str) -> Self {
        self.trusted_hosts.push(host.to_owned());
        self
    }

    /// Lets the credentials go over `http://` to any host. By default, an unencrypted connection
    /// carries them only to this machine and to private addresses.
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Writes every exchange with the API into a folder that is new or empty, one file each. The
    /// files do not contain the credentials, the secrets of [`Source::hide`], or values of keys
    /// like `client_secret`; they contain what the API sends.
    pub fn record(mut self, folder: impl Into<PathBuf>) -> Self {
        self.tape = Some(Tape::Record(folder.into()));
        self
    }

    /// Sends nothing: the responses come from a folder that [`Source::record`] has written. A
    /// request without a recorded response is an error.
    pub fn replay(mut self, folder: impl Into<PathBuf>) -> Self {
        self.tape = Some(Tape::Replay(folder.into()));
        self
    }

    /// Adds secrets, besides the credentials of [`Source::auth`], that errors, reports and
    /// recordings must not show.
    pub fn hide(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.hidden.extend(secrets);
        self
    }

    /// Sends at most this many requests in any span of this length, over all resources. Rate-limit
    /// headers of the API (`RateLimit`, `X-RateLimit-…`, Shopify's) are respected without it.
    pub fn rate_limit(mut self, requests: usize, per: Duration) -> Self {
        let requests = requests.max(1);
        self.rates.push(Rate { requests, per });
        self
    }

    /// Sends at most this many requests per second, which may be less than one; a value that is not
    /// a positive number changes nothing.
    pub fn requests_per_second(mut self, requests: f64) -> Self {
        self.rates.extend(Rate::per_second(requests));
        self
    }

    /// Sends at most this many requests at a time (default: 8), and fewer while the API responds
    /// with 429 or 503.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// Sets the longest duration of one request, up to the last byte of its response (default: 5
    /// minutes); then it is retried.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest body of a response in bytes, both compressed and decompressed (default: 256
    /// MB). A larger one is an error of its resource.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets the longest pause that the API may ask for, with `Retry-After` or by its rate limit
    /// (default: 5 minutes). If it asks for a longer one, the resource fails, and the next run
    /// continues from the last commit.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// Sets the network, the clocks and the threads for everything that uses this source: runs,
    /// streams, checks, tokens. The default is [`World::real`].
    pub fn world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// Sets the contract of the resources without one of their own: how their tables may change.
    pub fn contract(mut self, contract: Contract) -> Self {
        self.contract = contract;
        self
    }

    /// Adds a resource.
    pub fn resource<T: Record>(mut self, mut resource: Resource<T>) -> Self {
        resource.spec.source.clone_from(&self.name);
        self.resources.push(Arc::new(resource));
        self
    }

    /// Returns the source's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the root of the API, which may contain a secret.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the names of its resources, in order.
    pub fn resource_names(&self) -> Vec<&str> {
        self.resources
            .iter()
            .map(|resource| resource.spec().name.as_str())
            .collect()
    }

    pub(crate) fn resources(&self) -> &[Arc<dyn AnyResource>] {
        &self.resources
    }

    pub(crate) fn find(&self, name: &str) -> Result<&Arc<dyn AnyResource>> {
        self.resources
            .iter()
            .find(|resource| resource.spec().name == name)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Usage,
                    format!("the source `{}` has no resource `{name}`", self.name),
                )
                .hint(alternatives(name, &self.resource_names()))
            })
    }

    /// Returns whether a run reads only changed records of a resource: by its cursor, or because of
    /// its parents' cursor.
    pub(crate) fn shows_changes_only(&self, spec: &ResourceSpec) -> bool {
        let by_cursor = |spec: &ResourceSpec| {
            let cursor = spec.cursor.as_ref();
            cursor.is_some_and(|cursor| cursor.is_incremental())
        };
        let mut at = spec;
        loop {
            let changed = at.parent.as_ref().filter(|link| link.changed_only);
            let above = changed.and_then(|link| self.find(&link.resource).ok());
            match (by_cursor(at), above) {
                (true, _) => return true,
                (false, Some(above)) => at = above.spec(),
                (false, None) => return false,
            }
        }
    }

    /// Returns the feed that changes a resource.
    pub(crate) fn feed_of(&self, target: &str) -> Option<&ResourceSpec> {
        let mut specs = self.resources.iter().map(|resource| resource.spec());
        specs.find(|spec| spec.changes.iter().any(|changes| changes.target == target))
    }

    /// Returns the declared contract of a resource.
    pub(crate) fn contract_of(&self, spec: &ResourceSpec) -> Contract {
        spec.contract.unwrap_or(self.contract)
    }

    pub(crate) fn client_options(&self) -> ClientOptions {
        let own = self.resources.iter();
        let own = own.filter_map(|resource| resource.spec().auth.clone());
        let version = env!("CARGO_PKG_VERSION");
        ClientOptions {
            auth: self.auth.clone(),
            other_auth: own.collect(),
            headers: self.headers.clone(),
            trusted_hosts: self.trusted_hosts.clone(),
            concurrency: self.concurrency,
            timeout: self.timeout,
            body_limit: self.body_limit,
            longest_pause: self.longest_pause,
            rates: self.rates.clone(),
            hidden: self.hidden.clone(),
            allow_http: self.allow_http,
            tape: self.tape.clone(),
            user_agent: format!("{}-connector (etlgen {version})", self.name),
            ..ClientOptions::new(self.world.clone(), &self.base_url)
        }
    }

    /// Returns a redactor of every secret that the source knows.
    pub(crate) fn redactor(&self) -> Redactor {
        let own = self.resources.iter().filter_map(|r| r.spec().auth.as_ref());
        let secrets = self.auth.secrets().into_iter();
        let secrets = secrets.chain(own.flat_map(Auth::secrets));
        Redactor::new(secrets.chain(self.hidden.iter().cloned()).collect())
    }

    /// Returns a seal that keeps the secrets of [`Source::hide`] out of what is stored. Those of
    /// the credentials may be missing here.
    #[cfg(feature = "cli")]
    pub(crate) fn seal(&self) -> Seal {
        Seal::new(Vec::new(), self.hidden.clone())
    }

    pub(crate) fn client(&self) -> Result<Client> {
        let mut specs = self.resources.iter().map(|resource| resource.spec());
        let replayed = matches!(self.tape, Some(Tape::Replay(_)));
        if !replayed && specs.any(|spec| spec.auth.is_none()) {
            self.auth.check()?;
        }
        Client::new(self.client_options())
    }

    /// Checks what only the whole source shows: duplicate names, parents that are missing or have
    /// another type, circles.
    pub(crate) fn validate(&self) -> Result<()> {
        let mut by_name = HashMap::new();
        for resource in &self.resources {
            let name = resource.spec().name.as_str();
            if by_name.insert(name, resource).is_some() {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("two resources have the name `{name}`"),
                ));
            }
        }
        let mut fed: HashMap<&String, &String> = HashMap::new();
        for resource in &self.resources {
            let place = || format!("resource {}", resource.spec().name);
            for list in &resource.spec().embedded {
                resource.spec().validate_embedded(list)?;
            }
            for changes in &resource.spec().changes {
                let target = by_name.get(changes.target.as_str());
                let target = target.map(|target| target.spec());
                resource.spec().validate_changes(changes, target)?;
                if let Some(other) = fed.insert(&changes.target, &resource.spec().name) {
                    let message = format!(
                        "two feeds change `{}`: this one and `{other}`",
                        changes.target
                    );
                    return Err(Error::new(ErrorKind::Usage, message).at(place()));
                }
            }
            if let Some(cursor) = &resource.spec().cursor {
                windows::validate(cursor, resource.spec()).map_err(|error| error.at(place()))?;
            }
            let mut at = resource;
            for _ in 0..=self.resources.len() {
                let Some(link) = &at.spec().parent else { break };
                let Some(parent) = by_name.get(link.resource.as_str()) else {
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("it is a child of `{}`, which does not exist", link.resource),
                    )
                    .at(place())
                    .hint("add the parent to the source, or give the parameters with `.path(…)`"));
                };
                if parent.record_type() != link.record_type {
                    let message = format!(
                        "its link takes a `{}`, but the records of `{}` have another type",
                        link.record_name, link.resource
                    );
                    return Err(Error::new(ErrorKind::Usage, message).at(place()));
                }
                at = parent;
            }
            if at.spec().parent.is_some() {
                return Err(Error::new(ErrorKind::Usage, "its parents form a circle").at(place()));
            }
        }
        Ok(())
    }
}
