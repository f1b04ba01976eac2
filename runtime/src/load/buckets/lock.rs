//! The lock of a bucket: an object that says which run loads. The run renews it; one that it no longer renews is free.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{PutMode, UpdateVersion};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::client::{Answer, Client, get, put};
use super::connect::Objects;
use super::errors::is_conflict;
use crate::error::{Error, ErrorKind, Result};

/// How often a run renews its lock.
const RENEWAL: Duration = Duration::from_secs(5);
/// A lock that has not changed for so long is free: its run was killed.
const LAPSE: Duration = Duration::from_secs(20);
/// How often a lock is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long the release of the lock is waited for.
const RELEASE: Duration = Duration::from_secs(5);

/// What the object says.
#[derive(Serialize, Deserialize)]
struct Lock {
    /// The run that loads; `None`: none does.
    run: Option<String>,
    /// How often it was renewed.
    renewed: u64,
}

/// The lock, as this run holds it.
pub struct Lease {
    run: String,
    lost: Arc<AtomicBool>,
    end: Option<oneshot::Sender<()>>,
    ended: mpsc::Receiver<()>,
}

impl Lease {
    /// Takes the lock; waits until that of a run that was killed is free.
    pub fn take(client: &Client) -> Result<Self> {
        let run = random_digits();
        let version = acquire(client, &run)?;
        check_conditions(client)?;
        // The check does not change the object.
        let (end, ending) = oneshot::channel();
        let (sender, ended) = mpsc::channel();
        let lost = Arc::new(AtomicBool::new(false));
        let held = Renewal {
            objects: client.objects.clone(),
            path: client.keys.lock(),
            run: run.clone(),
            version,
            lost: lost.clone(),
        };
        client.runtime()?.spawn(async move {
            held.keep(ending).await;
            let _ = sender.send(());
        });
        Ok(Lease {
            run,
            lost,
            end: Some(end),
            ended,
        })
    }

    /// Returns the digits that identify this run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Returns whether another run has taken the lock.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
            let _ = self.ended.recv_timeout(RELEASE);
        }
    }
}

/// Returns nine random digits.
fn random_digits() -> String {
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
    format!("{:09}", random % 1_000_000_000)
}

fn bytes(run: Option<&str>, renewed: u64) -> Bytes {
    let run = run.map(str::to_owned);
    let text = serde_json::to_vec(&Lock { run, renewed });
    Bytes::from(text.unwrap_or_default())
}

fn acquire(client: &Client, run: &str) -> Result<UpdateVersion> {
    let path = client.keys.lock();
    let mut seen: Option<(UpdateVersion, Instant)> = None;
    loop {
        let mode = match client.get(&path)? {
            None => PutMode::Create,
            Some((found, version)) => {
                // One that cannot be read is held by somebody.
                let held = serde_json::from_slice::<Lock>(&found).map(|lock| lock.run);
                match held {
                    Ok(None) => PutMode::Update(version),
                    // The answer to a put was lost.
                    Ok(Some(held)) if held == run => return Ok(version),
                    _ => match &seen {
                        None => {
                            seen = Some((version, Instant::now()));
                            std::thread::sleep(LOOK);
                            continue;
                        }
                        Some((before, _)) if *before != version => return Err(taken(client)),
                        Some((_, since)) if since.elapsed() < LAPSE => {
                            std::thread::sleep(LOOK);
                            continue;
                        }
                        Some(_) => PutMode::Update(version),
                    },
                }
            }
        };
        match client.put(&path, bytes(Some(run), 0), mode)? {
            Ok(written) => return Ok(written.into()),
            // The next look says who holds it.
            Err(error) if is_conflict(&error) => std::thread::sleep(LOOK),
            Err(error) => return Err(client.explain(&path)(error)),
        }
    }
}

fn taken(client: &Client) -> Error {
    let message = format!("another run is loading into `{}`", client.shown());
    Error::new(ErrorKind::Destination, message)
        .hint("wait until it has ended, or load below another prefix")
}

/// Refuses a service that writes without looking at conditions: two runs would lose each other's commits.
fn check_conditions(client: &Client) -> Result<()> {
    let path = client.keys.lock();
    let other = UpdateVersion {
        e_tag: Some("\"00000000000000000000000000000000\"".to_owned()),
        version: Some("1".to_owned()),
    };
    for mode in [PutMode::Create, PutMode::Update(other)] {
        match client.put(&path, bytes(None, 0), mode)? {
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(client.explain(&path)(error)),
            Ok(_) => {
                let message = "the service does not check the conditions of a put: a commit of one run could remove that of another";
                return Err(Error::new(ErrorKind::Destination, message)
                    .at(client.shown())
                    .hint("use a service that knows `If-Match` and `If-None-Match`"));
            }
        }
    }
    Ok(())
}

/// Renews the lock until the run ends.
struct Renewal {
    objects: Arc<dyn Objects>,
    path: Path,
    run: String,
    version: UpdateVersion,
    lost: Arc<AtomicBool>,
}

impl Renewal {
    async fn keep(mut self, mut ending: oneshot::Receiver<()>) {
        let mut renewed = 0;
        while tokio::time::timeout(RENEWAL, &mut ending).await.is_err() {
            renewed += 1;
            match self.put(bytes(Some(&self.run), renewed)).await {
                Err(error) if is_conflict(&error) && !self.is_ours().await => {
                    self.lost.store(true, Ordering::Relaxed);
                    return;
                }
                // The next renewal may succeed.
                _ => {}
            }
        }
        let _ = self.put(bytes(None, renewed)).await;
    }

    async fn put(&mut self, bytes: Bytes) -> Answer<()> {
        let mode = PutMode::Update(self.version.clone());
        let written = put(self.objects.clone(), self.path.clone(), bytes, mode).await?;
        self.version = written.into();
        Ok(())
    }

    /// Returns whether this run holds the lock after all: the answer to a renewal was lost.
    async fn is_ours(&mut self) -> bool {
        match get(self.objects.clone(), self.path.clone()).await {
            Ok(Some((found, version))) => {
                let lock = serde_json::from_slice::<Lock>(&found);
                let ours = lock.is_ok_and(|lock| lock.run.as_ref() == Some(&self.run));
                if ours {
                    self.version = version;
                }
                ours
            }
            Ok(None) => false,
            // It is not known: the next renewal says it.
            Err(_) => true,
        }
    }
}
