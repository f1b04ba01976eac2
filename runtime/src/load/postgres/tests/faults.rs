//! Connections that end, other runs, and what a server refuses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::state::{StateChange, StateRow};

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

#[test]
fn a_run_that_was_overtaken_commits_nothing() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut slow = Postgres::new(url(dir.path(), port()));
    slow.open(&load("1")).unwrap();
    slow.write(merge(&[("a", 1, &[])])).unwrap();
    let refused = Postgres::new(url(dir.path(), port())).open(&load("2"));
    let refused = refused.unwrap_err();
    assert!(refused.message().contains("(session "), "{refused}");
    // Without its lock, nothing excludes another run.
    let store = slow.open.as_mut().unwrap();
    store
        .session
        .script("SELECT pg_advisory_unlock_all()")
        .unwrap();
    let mut fast = Postgres::new(url(dir.path(), port()));
    fast.open(&load("2")).unwrap();
    let commit = Commit::new(1, &[], &LoadStatus::Complete);
    fast.commit(&commit).unwrap();
    let error = slow.commit(&commit).unwrap_err();
    assert!(
        error.message().contains("another run has loaded shop"),
        "{error}"
    );
    assert!(orders::<Schema>(dir.path()).is_empty());
    // Another source does not overtake this one, and may load at the same time.
    let mut other = Postgres::new(url(dir.path(), port()));
    other
        .open(&LoadInfo::new("3", "other", Layout::Etl))
        .unwrap();
    other.commit(&commit).unwrap();
    fast.commit(&Commit::new(2, &[], &LoadStatus::Complete))
        .unwrap();
}

#[test]
fn a_commit_waits_for_the_commit_of_another_run() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut slow = Postgres::new(url(dir.path(), port()));
    slow.open(&load("1")).unwrap();
    let mut fast = reader(dir.path());
    fast.script(
        "BEGIN; LOCK TABLE _etl_loads IN SHARE ROW EXCLUSIVE MODE;
         INSERT INTO _etl_loads VALUES ('2', 'shop', 'complete', now(), 0, 1)",
    )
    .unwrap();
    let commit = Commit::new(1, &[], &LoadStatus::Complete);
    let done = std::thread::scope(|scope| {
        let done = scope.spawn(|| slow.commit(&commit));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!done.is_finished());
        fast.script("COMMIT").unwrap();
        done.join().unwrap()
    });
    let error = done.unwrap_err();
    assert!(
        error.message().contains("another run has loaded shop"),
        "{error}"
    );
    // The session that is left does not keep the lock from the next one.
    let error = slow.committed().unwrap_err();
    assert!(
        error.message().contains("another run has loaded shop"),
        "{error}"
    );
}

#[test]
fn a_load_that_another_has_overtaken_does_not_go_on_after_a_lost_answer() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut slow = opened::<Schema>(dir.path(), "1");
    slow.write(merge(&[("a", 1, &[])])).unwrap();
    proxy::lose_next_answer(dir.path());
    let commit = Commit::new(1, &[], &LoadStatus::Running);
    slow.commit(&commit).unwrap_err();
    run::<Schema>(dir.path(), "2", &[&[merge(&[("b", 1, &[])])]]);
    let error = slow.committed().unwrap_err();
    assert!(
        error.message().contains("another run has loaded shop"),
        "{error}"
    );
}

/// Ends the sessions of loads into the schema of a test, after short times.
fn kill_sessions(dir: &Path, done: &AtomicBool) {
    let mut db = reader(dir);
    let mut random = 7_u64;
    while !done.load(Ordering::Relaxed) {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_millis(20 + (random >> 33) % 60));
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        db.query(sql, &[(&schema(dir)).into()]).unwrap();
    }
}

#[test]
fn loads_that_are_killed_again_and_again_end_equal() {
    if !is_there() {
        return;
    }
    const CHUNKS: i64 = 40;
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..CHUNKS).map(|n| format!("r{n}")).collect();
    let step = |n: i64| -> Chunk {
        // Each chunk replaces a record of an earlier one.
        let (new, old) = (&ids[n as usize], &ids[n as usize / 2]);
        let lines = [n, n + 1];
        let new: Rec<'_> = (new, n, &lines);
        let old: Rec<'_> = (old, -n, &lines[..1]);
        if new.0 == old.0 {
            merge(&[new])
        } else {
            merge(&[new, old])
        }
    };
    let done = AtomicBool::new(false);
    let mut kills = 0;
    std::thread::scope(|scope| {
        let killer = scope.spawn(|| kill_sessions(dir.path(), &done));
        let mut next = 0;
        let mut number = 1_000;
        let ended = |next: i64, kills: u32| next >= CHUNKS && kills >= 10 && next % CHUNKS == 0;
        while !ended(next, kills) {
            number += 1;
            let name = schema(dir.path()).replace('"', "%22");
            let mut open = Postgres::new(format!(
                "{}&application_name={name}",
                url(dir.path(), port())
            ));
            let Ok(memory) = open.open(&load(&number.to_string())) else {
                kills += 1;
                continue;
            };
            let reached = memory
                .state
                .first()
                .map_or(0, |row| row.value.parse().unwrap());
            assert!(reached >= next, "a commit that was answered is gone");
            next = reached;
            for commit in 1.. {
                let at = next % CHUNKS;
                let row = StateRow::new("orders", "", (next + 1).to_string());
                let state = [StateChange::Put(row)];
                let written = open.write(step(at));
                let written = written
                    .and_then(|()| open.commit(&Commit::new(commit, &state, &LoadStatus::Running)));
                if written.is_err() {
                    kills += 1;
                    match open.committed() {
                        Ok(last) if last == commit => {}
                        _ => break,
                    }
                }
                next += 1;
                if ended(next, kills) {
                    break;
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        killer.join().unwrap();
    });
    let again = tempfile::tempdir().unwrap();
    let all: Vec<Chunk> = (0..CHUNKS).map(step).collect();
    run::<Schema>(again.path(), "1", &[&all]);
    assert_eq!(orders::<Schema>(dir.path()), orders::<Schema>(again.path()));
    assert_eq!(lines::<Schema>(dir.path()), lines::<Schema>(again.path()));
    check::<Schema>(dir.path());
}

#[test]
fn errors_say_what_to_do_and_show_no_password() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let good = url(dir.path(), port());
    // It accepts a connection and is silent.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = url(dir.path(), silent.local_addr().unwrap().port()) + "&connect_timeout=1";
    let closed = url(dir.path(), 1);
    let password = &kit::server().unwrap().password;
    for (url, wanted) in [
        (good.replace(password, "s3cret"), "`PGPASSWORD`"),
        (
            good.replace("/postgres?", "/nowhere?"),
            "create the database",
        ),
        (
            good.replace("sslmode=disable", "sslmode=require"),
            "`sslmode`",
        ),
        (closed, "cannot be reached"),
        (silent_url, "did not answer in time"),
    ] {
        let mut destination = Postgres::new(&url);
        assert!(destination.exists());
        let error = destination.open(&load("1")).unwrap_err().report();
        assert!(error.contains(wanted), "{error}");
        assert!(error.contains("postgres://etl:***@127.0.0.1"), "{error}");
        assert!(
            !error.contains("s3cret") && !error.contains(password.as_str()),
            "{error}"
        );
    }
}

#[test]
fn a_user_with_a_password_of_today_loads_into_a_schema_that_exists() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut db = reader(dir.path());
    db.create_schema().unwrap();
    let schema = db.dialect().quoted(&schema(dir.path()));
    let user = format!("u{}", std::process::id());
    db.script(&format!(
        "SET password_encryption TO 'scram-sha-256'; CREATE ROLE {user} LOGIN PASSWORD 's3cr%t'"
    ))
    .unwrap();
    let mut destination = Postgres::new(url(dir.path(), port()).replace(
        &format!("{}:{}", kit::USER, kit::server().unwrap().password),
        &format!("{user}:s3cr%25t"),
    ));
    let refused = destination.open(&load("1")).unwrap_err().report();
    assert!(refused.contains("?schema=NAME"), "{refused}");
    db.script(&format!("GRANT ALL ON SCHEMA {schema} TO {user}"))
        .unwrap();
    destination.open(&load("1")).unwrap();
    destination.write(merge(&[("a", 1, &[1])])).unwrap();
    destination
        .commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap();
    drop(destination);
    assert_eq!(orders::<Schema>(dir.path()), ["a=1"]);
    db.script(&format!("DROP OWNED BY {user}; DROP ROLE {user}"))
        .unwrap();
}

/// The loader drives a runtime of its own.
#[test]
fn a_load_runs_within_another_runtime() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut open = opened::<Schema>(dir.path(), "1");
        open.write(merge(&[("a", 1, &[1])])).unwrap();
        proxy::lose_next_answer(dir.path());
        let commit = Commit::new(1, &[], &LoadStatus::Complete);
        open.commit(&commit).unwrap_err();
        assert_eq!(open.committed().unwrap(), 1);
        assert_eq!(open.row_counts().unwrap().len(), 2);
        let mut refused = Postgres::new(url(dir.path(), 1));
        refused.open(&load("2")).unwrap_err();
    });
    assert_eq!(orders::<Schema>(dir.path()), ["a=1"]);
}
