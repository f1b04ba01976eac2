//! The manifest in a bucket: it is replaced only where no other run has replaced it.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{PutMode, UpdateVersion};
use serde::Deserialize;

use super::client::Client;
use super::errors::is_conflict;
use super::lock::Lease;
use crate::error::{Error, ErrorKind, Result};
use crate::load::identity::overtaken;
use crate::load::lake::manifest::Manifest;
use crate::load::lake::store::Catalog;

/// The manifest of a bucket that is locked for this run.
pub struct Held {
    /// Given back before the client goes, which gives it back.
    lease: Lease,
    client: Arc<Client>,
    /// The version of the last commit; `None`: there is none.
    version: Option<UpdateVersion>,
    /// How often this run has written it.
    writes: u64,
    /// The mark of the write whose answer was lost.
    asked: Option<String>,
}

/// The mark of the write of a manifest.
#[derive(Deserialize)]
struct Marked {
    written: Option<String>,
}

/// Reads the manifest and its version.
pub fn read(client: &Client) -> Result<(Manifest, Option<UpdateVersion>)> {
    let path = client.keys.manifest();
    match client.get(&path)? {
        None => Ok((Manifest::empty(), None)),
        Some((bytes, version)) => {
            let manifest = Manifest::parse(&bytes, &client.place(&path))?;
            Ok((manifest, Some(version)))
        }
    }
}

impl Held {
    pub fn new(client: Arc<Client>, lease: Lease) -> Self {
        Held {
            client,
            lease,
            version: None,
            writes: 0,
            asked: None,
        }
    }

    /// Replaces the manifest that this run has read or written last.
    fn put(&mut self, manifest: &Manifest) -> Result<()> {
        self.writes += 1;
        let mark = format!("{}.{}", self.lease.run(), self.writes);
        let marked = Manifest {
            written: Some(mark.clone()),
            ..manifest.clone()
        };
        let mut bytes = serde_json::to_vec_pretty(&marked).map_err(|error| {
            Error::new(ErrorKind::Destination, "the manifest cannot be written").caused_by(error)
        })?;
        bytes.push(b'\n');
        let mode = match &self.version {
            None => PutMode::Create,
            Some(version) => PutMode::Update(version.clone()),
        };
        let path = self.client.keys.manifest();
        match self.client.put(&path, Bytes::from(bytes), mode)? {
            Ok(written) => {
                self.version = Some(written.into());
                Ok(())
            }
            Err(error) => {
                // The library may have repeated a put that was there already.
                self.asked = Some(mark);
                match self.is_there() {
                    Ok(true) => Ok(()),
                    Ok(false) if is_conflict(&error) => Err(self.overtaken()),
                    _ => Err(self.client.explain(&path)(error)),
                }
            }
        }
    }

    fn overtaken(&self) -> Error {
        overtaken(self.client.shown())
    }
}

impl Catalog for Held {
    fn read(&mut self) -> Result<Manifest> {
        let (manifest, version) = read(&self.client)?;
        self.version = version;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        if self.client.has_failed() {
            let message = "an upload of this run has failed: it cannot commit any more";
            return Err(Error::new(ErrorKind::Destination, message)
                .at(self.client.shown())
                .hint("run again: it continues from the last commit"));
        }
        match self.lease.is_lost() {
            true => Err(self.overtaken()),
            false => Ok(()),
        }
    }

    fn exclude(&mut self, committed: &Manifest) -> Result<()> {
        self.put(committed)
    }

    fn commit(&mut self, manifest: &Manifest) -> Result<()> {
        self.check()?;
        self.put(manifest)
    }

    fn is_there(&mut self) -> Result<bool> {
        let Some(asked) = &self.asked else {
            return Ok(false);
        };
        let Some((bytes, version)) = self.client.get(&self.client.keys.manifest())? else {
            return Ok(false);
        };
        let there = serde_json::from_slice::<Marked>(&bytes);
        if there.is_ok_and(|there| there.written.as_ref() == Some(asked)) {
            self.version = Some(version);
            self.asked = None;
            return Ok(true);
        }
        Ok(false)
    }

    fn digits(&self) -> Option<&str> {
        Some(self.lease.run())
    }
}
