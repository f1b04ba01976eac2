//! Uploads a file: one put if it is small, otherwise parts that are sent beside the encoding of the next ones.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{MultipartId, ObjectStoreExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

use super::client::{Answer, Client};
use super::connect::Objects;
use super::keys::Keys;
use super::tasks::ended;
use crate::error::Result;
use crate::load::lake::store::Output;

/// Bytes of a part: the least that the services take.
const PART: usize = 5 << 20;

/// A file that is uploaded.
pub struct Upload {
    client: Arc<Client>,
    path: Path,
    /// Bytes that wait for the next part.
    buffer: Vec<u8>,
    parts: Option<Parts>,
}

/// An upload in parts.
struct Parts {
    id: MultipartId,
    sent: Vec<JoinHandle<Answer<PartId>>>,
    bytes: u64,
}

impl Upload {
    pub fn new(client: Arc<Client>, path: Path) -> Self {
        Upload {
            client,
            path,
            buffer: Vec::new(),
            parts: None,
        }
    }

    /// Waits until so many bytes may be sent.
    fn permit(&self, bytes: usize) -> Result<OwnedSemaphorePermit> {
        let count = u32::try_from((bytes >> 10).max(1)).unwrap_or(u32::MAX);
        let permit = self.client.sent.clone().acquire_many_owned(count);
        self.client.wait(permit)?.map_err(|_| ended())
    }

    /// Sends a part.
    fn send(&mut self, part: Bytes) -> Result<()> {
        let permit = self.permit(part.len())?;
        if self.parts.is_none() {
            let id = self.begin()?;
            self.parts = Some(Parts {
                id,
                sent: Vec::new(),
                bytes: 0,
            });
        }
        let runtime = self.client.runtime()?;
        let Some(parts) = &mut self.parts else {
            return Err(ended());
        };
        parts.bytes += part.len() as u64;
        let (objects, path) = (self.client.objects.clone(), self.path.clone());
        let (id, number) = (parts.id.clone(), parts.sent.len());
        parts.sent.push(runtime.spawn(async move {
            let sent = objects.put_part(&path, &id, number, part.into()).await;
            drop(permit);
            sent
        }));
        Ok(())
    }

    /// Begins an upload in parts, and stores its id: the parts of a run that was killed can be removed.
    fn begin(&self) -> Result<MultipartId> {
        let (objects, path) = (self.client.objects.clone(), self.path.clone());
        let begun = self.client.wait(async move {
            let id = objects.create_multipart(&path).await?;
            if !id.is_empty() {
                let mark = Keys::upload(&path);
                objects.put(&mark, id.clone().into_bytes().into()).await?;
            }
            Ok(id)
        })?;
        begun.map_err(self.client.explain(&self.path))
    }
}

impl io::Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= PART {
            let rest = self.buffer.split_off(PART);
            let part = std::mem::replace(&mut self.buffer, rest);
            self.send(part.into()).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Upload {
    fn finish(&mut self) -> Result<()> {
        let last = Bytes::from(std::mem::take(&mut self.buffer));
        if self.parts.is_some() && !last.is_empty() {
            self.send(last.clone())?;
        }
        let (objects, path) = (self.client.objects.clone(), self.path.clone());
        let explain = self.client.explain(&path);
        let runtime = self.client.runtime()?;
        match self.parts.take() {
            Some(parts) => self.client.uploads.start(runtime, async move {
                complete(objects, path, parts).await.map_err(explain)
            }),
            None => {
                let permit = self.permit(last.len())?;
                self.client.uploads.start(runtime, async move {
                    let put = objects.put(&path, last.into()).await;
                    drop(permit);
                    put.map(drop).map_err(explain)
                });
            }
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.buffer.len()
    }
}

/// Ends an upload in parts.
async fn complete(objects: Arc<dyn Objects>, path: Path, parts: Parts) -> Answer<()> {
    let mut sent = Vec::new();
    for part in parts.sent {
        sent.push(part.await??);
    }
    if let Err(error) = objects.complete_multipart(&path, &parts.id, sent).await {
        // The library may have repeated a request whose answer was lost: the upload is not found any more.
        let there = objects.head(&path).await;
        if !there.is_ok_and(|there| there.size == parts.bytes) {
            return Err(error);
        }
    }
    if !parts.id.is_empty() {
        // One that stays is removed with the next repair.
        let _ = objects.delete(&Keys::upload(&path)).await;
    }
    Ok(())
}

/// Removes the parts of an upload that has not ended, and the object with its id.
pub async fn abort(objects: Arc<dyn Objects>, path: Path, id: MultipartId) -> Answer<()> {
    match objects.abort_multipart(&path, &id).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    objects.delete(&Keys::upload(&path)).await
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else {
            return;
        };
        // What is not done here, the next repair does.
        let (objects, path) = (self.client.objects.clone(), self.path.clone());
        if let Ok(runtime) = self.client.runtime() {
            runtime.spawn(async move {
                for part in parts.sent {
                    part.abort();
                }
                let _ = abort(objects, path, parts.id).await;
            });
        }
    }
}
