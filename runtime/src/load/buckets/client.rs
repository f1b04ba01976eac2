//! A connection to a bucket.
//!
//! The caller's thread may drive a runtime of its own, where it must not drive another: requests have their own threads,
//! and each call waits for its result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::address::Address;
use super::connect::{Connected, Objects, connect};
use super::errors::explain;
use super::keys::Keys;
use super::tasks::{Tasks, all, ended};
use super::variables::Variables;
use crate::error::{Error, Result};
use crate::settings::Redactor;

/// At most about this many bytes are on their way to the bucket.
const SENT_BYTES: usize = 24 << 20;
/// At most this many requests are on their way.
const REQUESTS: usize = 16;

/// The result of a request.
pub type Answer<T> = object_store::Result<T>;

/// A connection to a bucket.
pub struct Client {
    pub objects: Arc<dyn Objects>,
    pub keys: Keys,
    /// The URL of the bucket and the prefix, for people.
    shown: String,
    redactor: Arc<Redactor>,
    runtime: Option<Runtime>,
    /// Bytes that may be sent, in KiB.
    pub sent: Arc<Semaphore>,
    pub requests: Arc<Semaphore>,
    /// Files that are uploaded.
    pub uploads: Tasks,
    /// Files that are placed.
    pub copies: Tasks,
    /// Whether a file could not be uploaded or placed: a commit that names it must not follow.
    failed: AtomicBool,
}

impl Client {
    /// Makes a client; asks nothing yet.
    pub fn new(address: &Address, shown: String, variables: &Variables) -> Result<Self> {
        let Connected { objects, secrets } = connect(address, variables)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("etlgen-bucket")
            .enable_all()
            .build()?;
        Ok(Client {
            objects,
            keys: Keys::new(address.prefix.clone()),
            shown,
            redactor: Arc::new(Redactor::new(secrets)),
            runtime: Some(runtime),
            sent: Arc::new(Semaphore::new(SENT_BYTES >> 10)),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            uploads: Tasks::default(),
            copies: Tasks::default(),
            failed: AtomicBool::new(false),
        })
    }

    pub fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(ended)
    }

    /// Runs a request, and waits for its result.
    pub fn wait<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime()?.spawn(async move {
            let _ = sender.send(request.await);
        });
        receiver.recv().map_err(|_| ended())
    }

    /// Waits for requests that run beside this thread.
    pub fn settle(&self, tasks: &Tasks) -> Result<()> {
        let started = tasks.take();
        if started.is_empty() {
            return Ok(());
        }
        let done = self.wait(all(started)).flatten();
        if done.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Returns whether a file could not be uploaded or placed.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Returns what explains an error of a request for an object.
    pub fn explain(&self, path: &Path) -> impl Fn(object_store::Error) -> Error + Send + use<> {
        let (place, redactor) = (self.place(path), self.redactor.clone());
        move |error| {
            let error = explain(&error).at(&place);
            error.map_message(|text| redactor.redact(text))
        }
    }

    /// Returns the URL of the bucket and the prefix for people.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the URL of an object for people.
    pub fn place(&self, path: &Path) -> String {
        let prefix = self.keys.prefix().as_ref();
        let below = path.as_ref().strip_prefix(prefix).unwrap_or(path.as_ref());
        format!("{}/{}", self.shown, below.trim_start_matches('/'))
    }

    /// Reads an object and its version; returns `None` if it does not exist.
    pub fn get(&self, path: &Path) -> Result<Option<(Bytes, UpdateVersion)>> {
        let found = self.wait(get(self.objects.clone(), path.clone()))?;
        found.map_err(self.explain(path))
    }

    /// Writes an object on a condition.
    pub fn put(&self, path: &Path, bytes: Bytes, mode: PutMode) -> Result<Answer<PutResult>> {
        self.wait(put(self.objects.clone(), path.clone(), bytes, mode))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A runtime must not wait for its threads where another one runs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Reads an object and its version; returns `None` if it does not exist.
pub async fn get(objects: Arc<dyn Objects>, path: Path) -> Answer<Option<(Bytes, UpdateVersion)>> {
    let found = match objects.get(&path).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        found => found?,
    };
    let version = UpdateVersion {
        e_tag: found.meta.e_tag.clone(),
        version: found.meta.version.clone(),
    };
    Ok(Some((found.bytes().await?, version)))
}

/// Writes an object on a condition.
pub async fn put(
    objects: Arc<dyn Objects>,
    path: Path,
    bytes: Bytes,
    mode: PutMode,
) -> Answer<PutResult> {
    let options = PutOptions::from(mode);
    objects.put_opts(&path, bytes.into(), options).await
}
