//! The bucket after conflicts, lost answers, cut uploads, and a service that is busy.

use super::proxy::{self, Fate};
use super::*;
use crate::load::Chunk;

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

fn commit(open: &mut dyn Destination, number: u64) -> crate::error::Result<()> {
    open.commit(&Commit::new(number, &[], &LoadStatus::Running))
}

#[test]
fn of_two_writers_the_second_is_told() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut slow = opened::<S3>(dir.path(), "1");
    slow.write(merge(&[("a", 1, &[])])).unwrap();
    // Another run does not see the lock, as after a long pause of this one.
    put_object(dir.path(), "_etl/lock", r#"{"run": null, "renewed": 0}"#);
    run::<S3>(dir.path(), "2", &[&[merge(&[("b", 2, &[3])])]]);
    let error = commit(&mut *slow, 1).unwrap_err();
    assert!(
        error.message().contains("another run has loaded"),
        "{error}"
    );
    assert_eq!(slow.committed().unwrap(), 0);
    drop(slow);
    assert_eq!(lines::<S3>(dir.path()), ["b=3"]);
    drop(opened::<S3>(dir.path(), "3"));
    assert_eq!(orders::<S3>(dir.path()), ["b=2"]);
    check::<S3>(dir.path());
}

#[test]
fn a_run_whose_files_were_removed_cannot_commit_them() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut slow = opened::<S3>(dir.path(), "1");
    slow.write(merge(&[("a", 1, &[1])])).unwrap();
    commit(&mut *slow, 1).unwrap();
    // Its files are uploaded and not committed.
    slow.write(pass(&[("b", 2, &[])], true, false)).unwrap();
    slow.write(pass(&[("c", 2, &[])], true, false)).unwrap();
    proxy::next_commit(dir.path(), Fate::IsRefused);
    commit(&mut *slow, 2).unwrap_err();
    put_object(dir.path(), "_etl/lock", r#"{"run": null, "renewed": 0}"#);
    // The other run only opens the bucket, which removes them.
    drop(opened::<S3>(dir.path(), "2"));
    assert_eq!(super::staged(dir.path(), "orders"), 0);
    let error = commit(&mut *slow, 2).unwrap_err();
    assert!(
        error.message().contains("another run has loaded"),
        "{error}"
    );
    check::<S3>(dir.path());
    assert_eq!(orders::<S3>(dir.path()), ["a=1"]);
}

#[test]
fn a_lock_that_is_not_renewed_is_free_after_a_while() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    put_object(dir.path(), "_etl/lock", r#"{"run": "1", "renewed": 7}"#);
    run::<S3>(dir.path(), "1", &[&[merge(&[("a", 1, &[])])]]);
    assert_eq!(orders::<S3>(dir.path()), ["a=1"]);
}

#[test]
fn a_busy_service_and_cut_connections_are_asked_again() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (request, fate) in [
        ("PUT _etl/lock", Fate::SlowDown),
        ("GET list-type", Fate::SlowDown),
        ("GET list-type", Fate::LosesAnswer),
        ("PUT staging/orders/", Fate::SlowDown),
        ("PUT staging/orders/", Fate::SlowDown),
        ("PUT staging/orders__lines/", Fate::IsCut),
        ("PUT staging/orders__lines/", Fate::LosesAnswer),
        ("PUT /orders/", Fate::SlowDown),
        ("PUT /orders__lines/", Fate::LosesAnswer),
        ("PUT manifest.json", Fate::SlowDown),
        ("POST delete", Fate::SlowDown),
    ] {
        proxy::next(dir.path(), request, fate);
    }
    run::<S3>(
        dir.path(),
        "1",
        &[&[merge(&[("a", 1, &[1])])], &[merge(&[("a", 2, &[2])])]],
    );
    assert_eq!(proxy::left(dir.path()), 0);
    assert_eq!(orders::<S3>(dir.path()), ["a=2"]);
    check::<S3>(dir.path());
}

#[test]
fn parts_that_are_cut_are_sent_again() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (request, fate) in [
        ("PUT partNumber=1", Fate::IsCut),
        ("PUT partNumber=2", Fate::SlowDown),
        ("PUT partNumber=2", Fate::LosesAnswer),
        // The request is repeated although it succeeded: the upload is not there any more.
        ("POST uploadId=", Fate::LosesAnswer),
    ] {
        proxy::next(dir.path(), request, fate);
    }
    let store = bucket(dir.path(), &[]).store;
    let mut upload = store.create("orders", "7.1-9").unwrap();
    std::io::Write::write_all(&mut upload, &vec![7; 11 << 20]).unwrap();
    upload.finish().unwrap();
    store.sync(&Default::default()).unwrap();
    assert_eq!(proxy::left(dir.path()), 0);
    let uploaded = object(dir.path(), "_etl/staging/orders/7.1-9.parquet");
    assert!(uploaded.len() == 11 << 20 && uploaded.iter().all(|byte| *byte == 7));
    assert_eq!(place::uploads(dir.path()), 0);
}

#[test]
fn a_commit_that_does_not_arrive_is_not_there() {
    if !S3::is_available() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut open = opened::<S3>(dir.path(), "1");
    open.write(merge(&[("a", 1, &[])])).unwrap();
    proxy::next_commit(dir.path(), Fate::IsRefused);
    commit(&mut *open, 1).unwrap_err();
    assert_eq!(open.committed().unwrap(), 0);
    // The same commit can be tried again.
    commit(&mut *open, 1).unwrap();
    assert_eq!(open.committed().unwrap(), 1);
    drop(open);
    assert_eq!(orders::<S3>(dir.path()), ["a=1"]);
    check::<S3>(dir.path());
}

#[test]
fn a_service_that_does_not_look_at_conditions_is_refused() {
    if !S3::is_available() {
        return;
    }
    for ignored in 1..3 {
        let dir = tempfile::tempdir().unwrap();
        // The first put takes the lock; of the two that follow, one is answered as if it had no condition.
        put_object(dir.path(), "_etl/lock", r#"{"run": null, "renewed": 0}"#);
        for put in 0..3 {
            let fate = match put == ignored {
                true => Fate::LosesCondition,
                false => Fate::Passes,
            };
            proxy::next(dir.path(), "PUT _etl/lock", fate);
        }
        let error = bucket(dir.path(), &[]).open(&load("1")).unwrap_err();
        assert!(
            error.message().contains("does not check the conditions"),
            "{error}"
        );
    }
}
