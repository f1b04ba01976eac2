//! The environment of a run as one value: the network, the clocks, randomness, and the host of the
//! loader.
//!
//! [`World::real`] is the default of a [`Source`](crate::source::Source). A test or a simulation
//! sets another one with [`Source::world`](crate::source::Source::world): a [`Transport`] that
//! answers in memory, a [`VirtualClock`], a seed. A whole run then happens on one thread, without
//! waiting, and identically each time.

mod network;
mod random;
mod real;
mod simulated;
mod transport;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::Result;
#[cfg(any(feature = "otel", feature = "buckets"))]
pub(crate) use network::install_tls;
use random::Random;
pub use simulated::VirtualClock;
pub use transport::{Body, Transport, WireError, WireErrorKind, WireRequest, WireResponse};

/// A boxed future, as the traits of this module return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of time that can wait.
pub trait Clock: Send + Sync {
    /// Returns the wall-clock time.
    fn time(&self) -> SystemTime;

    /// Returns the time since some fixed moment; it never decreases.
    fn monotonic(&self) -> Duration;

    /// Waits that long.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// A moment of a monotonic [`Clock`]. Its arithmetic saturates, so that a number from a peer cannot
/// overflow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// Returns the moment that much later.
    pub fn after(self, time: Duration) -> Moment {
        Moment(self.0.saturating_add(time))
    }

    /// Returns the time from an earlier moment to this one; zero if that one is later.
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The network, the clocks, randomness, and the host of the loader. Clones share all of it.
#[derive(Clone)]
pub struct World {
    /// The transport; `None` means the network, with separate connections for each client.
    transport: Option<Arc<dyn Transport>>,
    clock: Arc<dyn Clock>,
    random: Arc<Random>,
    loader: LoaderHost,
}

/// The host of the loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LoaderHost {
    /// A separate thread, since destinations block.
    Thread,
    /// A task of the run's own runtime.
    Task,
}

impl World {
    /// Returns the network, the clocks of the machine, and a thread for the loader.
    pub fn real() -> Self {
        World {
            transport: None,
            clock: Arc::new(real::MachineClock),
            random: Arc::new(Random::new(real::seed())),
            loader: LoaderHost::Thread,
        }
    }

    /// Returns a world in memory for tests: `transport` answers all requests, `clock` is the only
    /// clock, all random numbers come from `seed`, and the loader runs on the run's own thread.
    ///
    /// ```
    /// use etlgen_runtime::prelude::*;
    /// use etlgen_runtime::world::{BoxFuture, Transport, VirtualClock, WireError, WireRequest, WireResponse, World};
    ///
    /// struct Hourly;
    ///
    /// impl Transport for Hourly {
    ///     fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
    ///         assert_eq!(request.url().path(), "/things");
    ///         Box::pin(async { Ok(WireResponse::new(200).body(r#"[{"id": 1}]"#)) })
    ///     }
    /// }
    ///
    /// #[derive(Record)]
    /// struct Thing {
    ///     id: Option<i64>,
    /// }
    ///
    /// let clock = VirtualClock::new(std::time::UNIX_EPOCH);
    /// let source = Source::new("things", "https://api.example").world(World::simulated(Hourly, clock.clone(), 7));
    /// let mut things = 0;
    /// clock.runtime()?.block_on(async {
    ///     let mut records = source.stream(Thing::list("things", "/things").paginate(Paginator::single()));
    ///     while let Some(thing) = records.next().await {
    ///         things += thing?.id.unwrap_or_default();
    ///     }
    ///     Ok::<_, Error>(())
    /// })?;
    /// assert_eq!(things, 1);
    /// # Ok::<_, Error>(())
    /// ```
    pub fn simulated(transport: impl Transport + 'static, clock: VirtualClock, seed: u64) -> Self {
        World {
            transport: Some(Arc::new(transport)),
            clock: Arc::new(clock),
            random: Arc::new(Random::new(seed)),
            loader: LoaderHost::Task,
        }
    }

    /// Replaces the transport of all requests.
    pub fn with_transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Replaces the clock.
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Runs the loader on a separate thread (`true`) or as a task of the run's own runtime, where a
    /// destination that blocks delays everything else.
    pub fn with_loader_thread(mut self, thread: bool) -> Self {
        self.loader = match thread {
            true => LoaderHost::Thread,
            false => LoaderHost::Task,
        };
        self
    }

    /// Returns whether the loader has a thread of its own, which may wait.
    pub(crate) fn loader_blocks(&self) -> bool {
        self.loader == LoaderHost::Thread
    }

    /// Returns the transport for the requests of one client.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>> {
        match &self.transport {
            Some(given) => Ok(given.clone()),
            None => Ok(Arc::new(network::Network::new()?)),
        }
    }

    /// Returns the wall-clock time.
    pub(crate) fn time(&self) -> SystemTime {
        self.clock.time()
    }

    /// Returns the wall-clock time in microseconds since 1970.
    pub(crate) fn micros(&self) -> i64 {
        let since = self.time().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        })
    }

    /// Returns the current moment of the monotonic clock.
    pub(crate) fn moment(&self) -> Moment {
        Moment(self.clock.monotonic())
    }

    /// Waits that long.
    pub(crate) async fn sleep(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// Returns the result of the future, unless it takes longer than `time`.
    pub(crate) async fn timeout<T>(
        &self,
        time: Duration,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = self.clock.sleep(time) => None,
        }
    }

    /// Returns a random number in 0..1.
    pub(crate) fn fraction(&self) -> f64 {
        self.random.fraction()
    }

    /// Runs the loader to completion: on a separate thread, or as a task of the current runtime.
    pub(crate) fn host_loader(
        &self,
        loader: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        match self.loader {
            LoaderHost::Thread => real::thread("etlgen-loader", loader),
            LoaderHost::Task => {
                tokio::spawn(loader);
                Ok(())
            }
        }
    }
}

impl Default for World {
    fn default() -> Self {
        World::real()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.transport.is_some();
        f.debug_struct("World")
            .field("network", &!own)
            .field("loader", &self.loader)
            .finish_non_exhaustive()
    }
}
