//! The tests of every destination, in a container of Azure.

use std::path::Path;

use bytes::Bytes;
use etlgen_testkit::{Kind, azurite as kit, skip};
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use xxhash_rust::xxh3::xxh3_64;

use super::place::of_url;
use crate::conformance;
use crate::load::Destination;
use crate::load::buckets::Bucket;
use crate::load::conformance::Place;
use crate::load::lake::cells;

/// A prefix of the tests' container, by the folder of the test.
struct Azure;

fn bucket(dir: &Path) -> Bucket {
    let (account, container) = (kit::ACCOUNT, kit::CONTAINER);
    let port = kit::server().unwrap().port;
    let prefix = xxh3_64(dir.as_os_str().as_encoded_bytes());
    let url = format!(
        "az://{container}/t{prefix:016x}?account={account}&endpoint=http://127.0.0.1:{port}/{account}"
    );
    of_url(&url, &[("AZURE_STORAGE_ACCOUNT_KEY", kit::KEY)])
}

impl Place for Azure {
    fn is_available() -> bool {
        let server = kit::server();
        if let Err(why) = &server {
            skip(Kind::Service, why);
        }
        server.is_ok()
    }

    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(bucket(dir))
    }

    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let client = bucket(dir).store.client().unwrap();
        let (objects, prefix) = (client.objects.clone(), client.keys.table(table, true));
        let files = client.wait(async move {
            let files: Vec<_> = objects.list(Some(&prefix)).try_collect().await?;
            let mut found: Vec<Bytes> = Vec::new();
            for file in files {
                let file = objects.get(&file.location).await?;
                found.push(file.bytes().await?);
            }
            crate::load::buckets::client::Answer::Ok(found)
        });
        let files = files.unwrap().unwrap().into_iter();
        files.flat_map(|file| cells::rows(file, columns)).collect()
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        let client = bucket(dir).store.client().unwrap();
        let folder = client.keys.table(table, true);
        let notes = object_store::path::Path::from(format!("{folder}/notes.txt"));
        let put = client.put(&notes, Bytes::from_static(b"mine"), PutMode::Overwrite);
        put.unwrap().is_ok()
    }
}

conformance!(Azure);
