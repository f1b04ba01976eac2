//! The tests of every destination in a container of Azure, and conflicts, cut uploads and a service that is busy there.

use std::path::Path;

use bytes::Bytes;
use etlgen_testkit::{Kind, azurite as kit, skip};
use futures_util::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use xxhash_rust::xxh3::xxh3_64;

use super::place::of_url;
use super::proxy::{self, Fate};
use crate::conformance;
use crate::load::buckets::Bucket;
use crate::load::conformance::Place;
use crate::load::conformance::support::*;
use crate::load::lake::cells;
use crate::load::lake::store::Store;
use crate::load::{Chunk, Commit, Destination, LoadStatus};
use crate::schema::{Disposition, Done};

/// A prefix of the tests' container, by the folder of the test.
struct Azure;

fn bucket(dir: &Path) -> Bucket {
    let (account, container) = (kit::ACCOUNT, kit::CONTAINER);
    let port = proxy::port_to(dir, kit::server().unwrap().port);
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
        put(dir, &format!("{table}/notes.txt"), "mine");
        true
    }

    fn lose_next_answer(dir: &Path) {
        proxy::next_commit(dir, Fate::LosesAnswer);
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        let mut killed = bucket(dir);
        killed.open(&load("7")).unwrap();
        killed.write(chunk.clone()).unwrap();
        let met = drifted("killed", Done::Columns);
        killed.drift("orders", &[(met, 1)]).unwrap();
        // This is the whole commit except its end.
        proxy::next_commit(dir, Fate::IsRefused);
        let commit = Commit::new(1, &[], &LoadStatus::Complete);
        killed.commit(&commit).unwrap_err();
        assert_eq!(killed.committed().unwrap(), 0);
    }
}

/// Writes an object below the prefix of a test.
fn put(dir: &Path, name: &str, text: &'static str) {
    let client = bucket(dir).store.client().unwrap();
    let path = Key::from(format!("{}/{name}", client.keys.prefix()));
    let put = client.put(
        &path,
        Bytes::from_static(text.as_bytes()),
        PutMode::Overwrite,
    );
    put.unwrap().unwrap();
}

conformance!(Azure);

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

#[test]
fn of_two_writers_the_second_is_told() {
    if !Azure::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut slow = opened::<Azure>(dir.path(), "1");
    slow.write(merge(&[("a", 1, &[])])).unwrap();
    // Another run does not see the lock, as after a long pause of this one.
    put(dir.path(), "_etl/lock", r#"{"run": null, "renewed": 0}"#);
    run::<Azure>(dir.path(), "2", &[&[merge(&[("b", 2, &[3])])]]);
    let commit = Commit::new(1, &[], &LoadStatus::Running);
    let error = slow.commit(&commit).unwrap_err();
    let told = error.message().contains("another run has loaded");
    assert!(told, "{error}");
    drop(slow);
    // The next run removes what the slow one has placed.
    drop(opened::<Azure>(dir.path(), "3"));
    assert_eq!(orders::<Azure>(dir.path()), ["b=2"]);
    check::<Azure>(dir.path());
}

#[test]
fn a_busy_service_and_cut_connections_are_asked_again() {
    if !Azure::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    drop(bucket(dir.path()).store.client().unwrap());
    for (request, fate) in [
        ("PUT _etl/lock", Fate::SlowDown),
        ("GET comp=list", Fate::SlowDown),
        ("GET comp=list", Fate::LosesAnswer),
        ("PUT staging/orders/", Fate::SlowDown),
        ("PUT staging/orders__lines/", Fate::IsCut),
        ("PUT staging/orders__lines/", Fate::LosesAnswer),
        ("PUT /orders__lines/", Fate::LosesAnswer),
        ("PUT manifest.json", Fate::SlowDown),
    ] {
        proxy::next(dir.path(), request, fate);
    }
    let first = merge(&[("a", 1, &[1])]);
    run::<Azure>(dir.path(), "1", &[&[first], &[merge(&[("a", 2, &[2])])]]);
    assert_eq!(proxy::left(dir.path()), 0);
    assert_eq!(orders::<Azure>(dir.path()), ["a=2"]);
    check::<Azure>(dir.path());
}

#[test]
fn parts_that_are_cut_are_sent_again() {
    if !Azure::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = bucket(dir.path()).store;
    let mut upload = store.create("orders", "7.1-9").unwrap();
    for (request, fate) in [
        ("PUT comp=block", Fate::IsCut),
        ("PUT comp=block", Fate::SlowDown),
        ("PUT comp=block", Fate::LosesAnswer),
        ("PUT comp=blocklist", Fate::LosesAnswer),
    ] {
        proxy::next(dir.path(), request, fate);
    }
    std::io::Write::write_all(&mut upload, &vec![7; 11 << 20]).unwrap();
    upload.finish().unwrap();
    store.sync(&Default::default()).unwrap();
    assert_eq!(proxy::left(dir.path()), 0);
    let client = store.client().unwrap();
    let (bytes, _) = client
        .get(&Key::from(format!(
            "{}/_etl/staging/orders/7.1-9.parquet",
            client.keys.prefix()
        )))
        .unwrap()
        .unwrap();
    assert!(bytes.len() == 11 << 20 && bytes.iter().all(|byte| *byte == 7));
}
