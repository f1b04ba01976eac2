//! The files of a run in a bucket.

use std::io::{self, Write};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStore, PutMode};
use parquet::errors::ParquetError;

use super::{StagedFile, StagedRows, Staging};
use crate::error::Result;
use crate::load::DestinationUrl;
use crate::load::buckets::address::Address;
use crate::load::buckets::client::{Client, get};
use crate::load::buckets::read::rows;
use crate::load::buckets::upload::Upload;
use crate::load::buckets::variables::Variables;
use crate::load::lake::errors::failed_parquet;
use crate::load::lake::store::Output;

/// How many files are read at a time.
const AT_ONCE: usize = 32;

/// A bucket, and a prefix in it.
pub(super) struct Bucket {
    client: Arc<Client>,
    shown: String,
}

impl Bucket {
    pub fn new(url: &str) -> Result<Self> {
        let shown = DestinationUrl::parse(url).to_string();
        let variables = Variables::new(std::env::vars_os());
        let connect = || Client::new(&Address::parse(url)?, shown.clone(), &variables);
        let client = Arc::new(connect().map_err(|error| error.at(&shown))?);
        Ok(Bucket { client, shown })
    }

    fn path(&self, name: &str) -> Path {
        self.client.keys.named(name)
    }
}

impl Staging for Bucket {
    fn describe(&self) -> String {
        self.shown.clone()
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let found = self.client.get(&self.path(name))?;
        Ok(found.map(|(bytes, _)| bytes.into()))
    }

    fn get_all(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let paths: Vec<Path> = names.iter().map(|name| self.path(name)).collect();
        let objects = self.client.objects.clone();
        let read = self.client.wait(async move {
            let reads = paths.into_iter().map(|path| get(objects.clone(), path));
            let reads = stream::iter(reads).buffered(AT_ONCE);
            let read: std::result::Result<Vec<_>, StoreError> = reads.try_collect().await;
            read
        })?;
        let read = read.map_err(self.client.explain(self.client.keys.prefix()))?;
        let content = |found: Option<(bytes::Bytes, _)>| found.map(|(bytes, _)| bytes.into());
        Ok(read.into_iter().map(content).collect())
    }

    fn create(&self, name: &str, content: &[u8]) -> Result<bool> {
        let path = self.path(name);
        let content = bytes::Bytes::copy_from_slice(content);
        let put = self.client.put(&path, content.clone(), PutMode::Create)?;
        match put {
            Ok(_) => Ok(true),
            // The answer to the first try may have been lost.
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                let there = self.client.get(&path)?;
                Ok(there.is_some_and(|(there, _)| there == content))
            }
            Err(error) => Err(self.client.explain(&path)(error)),
        }
    }

    fn write(&self, name: &str) -> Result<Box<dyn StagedFile>> {
        let upload = Upload::new(self.client.clone(), self.path(name));
        Ok(Box::new(Uploaded {
            client: self.client.clone(),
            upload,
        }))
    }

    fn rows(&self, name: &str) -> Result<StagedRows> {
        let (client, path) = (self.client.clone(), self.path(name));
        let damaged = move |client: &Client, path: &Path, error: ParquetError| match error {
            ParquetError::External(inner) => match inner.downcast::<StoreError>() {
                Ok(error) => client.explain(path)(*error),
                Err(inner) => failed_parquet(client.place(path), ParquetError::External(inner)),
            },
            error => failed_parquet(client.place(path), error),
        };
        let begun = client.wait(rows(client.objects.clone(), path.clone(), Vec::new()))?;
        let begun = begun.map_err(|error| damaged(&client, &path, error))?;
        let mut left = Some(begun);
        Ok(Box::new(std::iter::from_fn(move || {
            let mut rows = left.take()?;
            let next = client.wait(async move { (rows.next().await, rows) });
            let (next, rows) = match next {
                Ok(next) => next,
                Err(error) => return Some(Err(error)),
            };
            let next = next?.map_err(|error| damaged(&client, &path, error));
            if next.is_ok() {
                left = Some(rows);
            }
            Some(next)
        })))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let (objects, prefix) = (self.client.objects.clone(), self.path(folder));
        let path = prefix.clone();
        let listed = self
            .client
            .wait(async move { objects.list_with_delimiter(Some(&path)).await })?;
        let listed = listed.map_err(self.client.explain(&prefix))?;
        let names = listed.objects.iter().filter_map(|o| o.location.filename());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, folder: &str) {
        let (objects, prefix) = (self.client.objects.clone(), self.path(folder));
        let _ = self.client.wait(async move {
            let listed = objects.list(Some(&prefix)).map_ok(|object| object.location);
            let mut deleted = objects.delete_stream(listed.boxed());
            while let Some(done) = deleted.next().await {
                if done.is_err() {
                    return;
                }
            }
        });
    }
}

/// A file that is uploaded.
struct Uploaded {
    client: Arc<Client>,
    upload: Upload,
}

impl Write for Uploaded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.upload.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StagedFile for Uploaded {
    fn finish(mut self: Box<Self>) -> Result<()> {
        self.upload.finish()?;
        self.client.settle(&self.client.uploads)
    }
}
