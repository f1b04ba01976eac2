//! The bucket after loads. The tests for every destination are in `load/conformance.rs`.

mod azure;
mod faults;
mod place;
mod proxy;

use std::path::Path;

use self::place::*;
use crate::conformance;
use crate::load::conformance::Place;
use crate::load::conformance::support::*;
use crate::load::lake::store::Store;
use crate::load::{Commit, Destination, LoadStatus};
use crate::schema::Disposition;

conformance!(S3);

/// Returns how many data files of a table are staged.
fn staged(dir: &Path, table: &str) -> usize {
    let prefix = format!("_etl/staging/{table}/");
    let staged = objects(dir);
    staged
        .iter()
        .filter(|name| name.starts_with(&prefix))
        .count()
}

#[test]
fn a_bucket_holds_the_committed_files_and_nothing_else() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    run::<S3>(
        dir.path(),
        "1.5",
        &[&[merge(&[("a", 1, &[1]), ("b", 2, &[])])]],
    );
    run::<S3>(dir.path(), "2.5", &[&[merge(&[("a", 3, &[4])])]]);
    let all = objects(dir.path());
    let (data, own): (Vec<&String>, Vec<&String>) =
        all.iter().partition(|name| !name.starts_with("_etl/"));
    assert_eq!(own, ["_etl/lock", "_etl/manifest.json"]);
    assert_eq!(data.len(), 2, "{data:?}");
    assert!(data[0].starts_with("orders/2.5."), "{data:?}");
    assert_eq!(orders::<S3>(dir.path()), ["a=3", "b=2"]);
    check::<S3>(dir.path());
}

#[test]
fn a_large_file_is_uploaded_in_parts() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // Ids that cannot be compressed: more than three parts.
    let ids: Vec<String> = (0..450_000u64)
        .map(|id| format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&id.to_le_bytes())))
        .collect();
    let many: Vec<Rec<'_>> = ids.iter().map(|id| (id.as_str(), 0, &[][..])).collect();
    let mut open = opened::<S3>(dir.path(), "1");
    open.write(chunk(Disposition::Merge, &many)).unwrap();
    assert!(
        objects(dir.path())
            .iter()
            .any(|name| name.ends_with(".upload"))
    );
    open.commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap();
    drop(open);
    assert!(
        !objects(dir.path())
            .iter()
            .any(|name| name.ends_with(".upload"))
    );
    assert_eq!(S3::rows(dir.path(), "orders", &["n"]).len(), ids.len());
    assert_eq!(place::uploads(dir.path()), 0);
    check::<S3>(dir.path());
}

#[test]
fn uploads_of_a_killed_run_are_removed_by_the_next_one() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    run::<S3>(
        dir.path(),
        "1",
        &[&[chunk(Disposition::Merge, &[("a", 1, &[])])]],
    );
    let store = bucket(dir.path(), &[]).store.clone();
    let mut upload = store.create("orders", "7.1-9").unwrap();
    std::io::Write::write_all(&mut upload, &vec![7; 11 << 20]).unwrap();
    // The process ends here.
    std::mem::forget(upload);
    assert_eq!(place::uploads(dir.path()), 1);
    assert_eq!(staged(dir.path(), "orders"), 1);
    drop(opened::<S3>(dir.path(), "2"));
    assert_eq!(place::uploads(dir.path()), 0);
    assert_eq!(staged(dir.path(), "orders"), 0);
    assert_eq!(orders::<S3>(dir.path()), ["a=1"]);
}

#[test]
fn no_text_shows_a_secret() {
    let url = "s3://bucket/prefix?endpoint=http://127.0.0.1:1&region=x";
    let keys = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret/Key"),
    ];
    let bucket = of_url(url, &keys);
    assert_eq!(bucket.describe(), url);
    let error = of_url("s3://bucket?secret_access_key=s3cret", &keys).look(&load("1"));
    let error = error.unwrap_err().report();
    assert!(!error.contains("s3cret"), "{error}");
    let partial = of_url("s3://bucket", &keys[1..]).look(&load("1"));
    let error = partial.unwrap_err().report();
    assert!(
        error.contains("AccessKeyId") && !error.contains("s3cret"),
        "{error}"
    );
}
