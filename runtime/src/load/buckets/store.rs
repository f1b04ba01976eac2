//! A bucket as a store of a lake.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::errors::ParquetError;
use tokio::task::JoinSet;

use super::address::Address;
use super::catalog::{self, Held};
use super::client::{Answer, Client};
use super::connect::Objects;
use super::keys::{Keys, UPLOAD};
use super::lock::Lease;
use super::read::rows;
use super::upload::{Upload, abort};
use super::variables::Variables;
use crate::error::Result;
use crate::load::DestinationUrl;
use crate::load::lake::batch::{DataFile, Retired};
use crate::load::lake::errors::failed_parquet;
use crate::load::lake::manifest::Manifest;
use crate::load::lake::store::{Catalog, Each, Listing, Output, Store};

/// How many lists are asked for at a time.
const LISTS: usize = 16;

/// A bucket, and a prefix in it.
pub struct Remote {
    url: DestinationUrl,
    full: String,
    variables: Variables,
    client: Mutex<Option<Arc<Client>>>,
    /// Staged files whose copies have their place, to remove after the commit.
    copied: Mutex<Vec<Path>>,
}

impl Remote {
    pub(super) fn new(url: &str, variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        Remote {
            url: DestinationUrl::parse(url),
            full: url.to_owned(),
            variables: Variables::new(variables),
            client: Mutex::new(None),
            copied: Mutex::new(Vec::new()),
        }
    }

    /// Returns the URL without its options.
    fn shown(&self) -> String {
        let shown = self.url.to_string();
        let place = shown.split('?').next().unwrap_or_default();
        place.trim_end_matches('/').to_owned()
    }

    pub(super) fn client(&self) -> Result<Arc<Client>> {
        let mut client = self.client.lock().unwrap_or_else(|lock| lock.into_inner());
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let connect = || {
            let address = Address::parse(&self.full)?;
            Client::new(&address, self.shown(), &self.variables)
        };
        let made = connect().map_err(|error| {
            let error = error.at(self.describe());
            error.map_message(|text| self.url.redact(text))
        })?;
        Ok(client.insert(Arc::new(made)).clone())
    }

    /// Removes objects, and those that do not exist.
    fn delete(&self, client: &Client, paths: Vec<Path>) -> Result<()> {
        let objects = client.objects.clone();
        let explain = client.explain(&client.keys.staging());
        let deleted = client.wait(async move {
            let paths = stream::iter(paths.into_iter().map(Ok)).boxed();
            let mut deleted = objects.delete_stream(paths);
            while let Some(done) = deleted.next().await {
                match done {
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })?;
        deleted.map_err(explain)
    }
}

impl Store for Remote {
    fn describe(&self) -> String {
        self.url.to_string()
    }

    fn path(&self, file: DataFile<'_>) -> String {
        match self.client() {
            Ok(client) => client.place(&client.keys.file(file)),
            Err(_) => self.describe(),
        }
    }

    fn exists(&self) -> bool {
        // What prevents the connection is the error of `open`.
        self.look()
            .map_or(true, |manifest| !manifest.sources.is_empty())
    }

    fn look(&self) -> Result<Manifest> {
        let (manifest, _) = catalog::read(&*self.client()?)?;
        Ok(manifest)
    }

    fn lock(&self) -> Result<Box<dyn Catalog>> {
        let client = self.client()?;
        let lease = Lease::take(&client)?;
        Ok(Box::new(Held::new(client, lease)))
    }

    fn has(&self, table: &str) -> Result<bool> {
        let client = self.client()?;
        let (objects, prefix) = (client.objects.clone(), client.keys.table(table, true));
        let path = prefix.clone();
        let found = client.wait(async move {
            let mut listed = objects.list(Some(&path));
            listed.next().await.transpose()
        })?;
        Ok(found.map_err(client.explain(&prefix))?.is_some())
    }

    fn create(&self, table: &str, name: &str) -> Result<Box<dyn Output>> {
        let client = self.client()?;
        let path = client.keys.file(DataFile {
            table,
            name,
            placed: false,
        });
        Ok(Box::new(Upload::new(client, path)))
    }

    fn read(&self, file: DataFile<'_>, columns: &[&str], each: Each<'_>) -> Result<()> {
        let client = self.client()?;
        client.settle(&client.uploads)?;
        let path = client.keys.file(file);
        let (objects, place) = (client.objects.clone(), client.place(&path));
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let damaged = |error: ParquetError| match error {
            ParquetError::External(inner) => match inner.downcast::<object_store::Error>() {
                Ok(error) => client.explain(&path)(*error),
                Err(inner) => failed_parquet(&place, ParquetError::External(inner)),
            },
            error => failed_parquet(&place, error),
        };
        let begun = client.wait(rows(objects, path.clone(), columns))?;
        let mut rows = begun.map_err(damaged)?;
        loop {
            let (next, rest) = client.wait(async move { (rows.next().await, rows) })?;
            rows = rest;
            match next {
                None => return Ok(()),
                Some(batch) => each(&batch.map_err(damaged)?)?,
            }
        }
    }

    fn place(&self, table: &str, name: &str) -> Result<()> {
        let client = self.client()?;
        client.settle(&client.uploads)?;
        let path = |placed| {
            client.keys.file(DataFile {
                table,
                name,
                placed,
            })
        };
        let (from, to) = (path(false), path(true));
        let (objects, requests) = (client.objects.clone(), client.requests.clone());
        let explain = client.explain(&to);
        let mut copied = self.copied.lock().unwrap_or_else(|lock| lock.into_inner());
        copied.push(from.clone());
        client.copies.start(client.runtime()?, async move {
            let _permit = requests.acquire().await;
            objects.copy(&from, &to).await.map_err(explain)
        });
        Ok(())
    }

    fn sync(&self, _: &BTreeSet<String>) -> Result<()> {
        let client = self.client()?;
        client.settle(&client.uploads)?;
        client.settle(&client.copies)
    }

    fn remove(&self, files: Vec<Retired>) {
        let Ok(client) = self.client() else { return };
        let mut copied = self.copied.lock().unwrap_or_else(|lock| lock.into_inner());
        let mut paths = std::mem::take(&mut *copied);
        paths.extend(files.iter().map(|file| client.keys.file(file.file())));
        if !paths.is_empty() {
            let _ = self.delete(&client, paths);
        }
    }

    fn leave(&self, table: &str) -> Result<()> {
        let client = self.client()?;
        let (objects, path) = (client.objects.clone(), client.keys.mark(table));
        let mark = path.clone();
        let put = client.wait(async move { objects.put(&mark, Vec::new().into()).await })?;
        put.map(drop).map_err(client.explain(&path))
    }

    fn forget(&self, table: &str) {
        if let Ok(client) = self.client() {
            let _ = self.delete(&client, vec![client.keys.mark(table)]);
        }
    }

    fn list(&self, tables: &BTreeSet<String>) -> Result<Listing> {
        let client = self.client()?;
        let mut listing = Listing::default();
        let staging = client.keys.staging();
        let (objects, prefix) = (client.objects.clone(), staging.clone());
        let staged = client.wait(async move { below(objects, prefix).await })?;
        for object in staged.map_err(client.explain(&staging))? {
            if let Some((table, name)) = client.keys.staged(&object) {
                // What an upload that has not ended would have become.
                let name = name.strip_suffix(UPLOAD).unwrap_or(&name).to_owned();
                listing.staged.entry(table).or_default().insert(name);
            }
        }
        let all: BTreeSet<&String> = tables.iter().chain(listing.staged.keys()).collect();
        let prefix = |table: &String| (table.clone(), client.keys.table(table, true));
        let all: Vec<_> = all.into_iter().map(prefix).collect();
        let listed = client.wait(names(client.objects.clone(), all))?;
        listing.placed = listed.map_err(client.explain(&staging))?;
        Ok(listing)
    }

    fn restage(&self, table: &str, name: &str) -> Result<()> {
        let client = self.client()?;
        let path = |placed| {
            client.keys.file(DataFile {
                table,
                name,
                placed,
            })
        };
        let (objects, from, to) = (client.objects.clone(), path(true), path(false));
        let explain = client.explain(&to);
        let copied = client.wait(async move { objects.copy(&from, &to).await })?;
        copied.map_err(explain)
    }

    fn sweep(&self, file: &Retired) -> Result<()> {
        let client = self.client()?;
        let path = client.keys.file(file.file());
        if !file.placed {
            end_upload(&client, &path)?;
        }
        self.delete(&client, vec![path])
    }

    fn disown(&self, table: &str) -> Result<()> {
        let client = self.client()?;
        let prefix = client.keys.table(table, false);
        let objects = client.objects.clone();
        let path = prefix.clone();
        let staged = client.wait(async move { below(objects, path).await })?;
        self.delete(&client, staged.map_err(client.explain(&prefix))?)
    }
}

/// Returns the names of the objects directly below the prefix of each table.
async fn names(
    objects: Arc<dyn Objects>,
    tables: Vec<(String, Path)>,
) -> Answer<BTreeMap<String, BTreeSet<String>>> {
    let (mut left, mut asked) = (tables.into_iter(), JoinSet::new());
    let mut found = BTreeMap::new();
    loop {
        while asked.len() < LISTS
            && let Some((table, prefix)) = left.next()
        {
            let objects = objects.clone();
            asked.spawn(async move {
                let listed = objects.list_with_delimiter(Some(&prefix)).await?;
                let names = listed.objects.iter().filter_map(|o| o.location.filename());
                Answer::Ok((table, names.map(str::to_owned).collect()))
            });
        }
        let Some(listed) = asked.join_next().await else {
            return Ok(found);
        };
        found.extend([listed??]);
    }
}

/// Returns the objects below a prefix.
async fn below(objects: Arc<dyn Objects>, prefix: Path) -> Answer<Vec<Path>> {
    let listed = objects.list(Some(&prefix)).map_ok(|object| object.location);
    listed.try_collect().await
}

/// Removes the parts of an upload that a killed run has left.
fn end_upload(client: &Client, path: &Path) -> Result<()> {
    let Some((id, _)) = client.get(&Keys::upload(path))? else {
        return Ok(());
    };
    let id = String::from_utf8_lossy(&id).into_owned();
    let aborted = client.wait(abort(client.objects.clone(), path.clone(), id))?;
    aborted.map_err(client.explain(path))
}
