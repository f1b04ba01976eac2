//! The folder after kills and failures.

use std::fs;
use std::sync::Arc;

use super::support::*;
use crate::load::lake::store::Store;
use crate::load::parquet::Parquet;
use crate::load::{Commit, Destination, LoadStatus};
use crate::schema::{Disposition, TableSchema};

#[test]
fn a_pass_that_is_killed_leaves_the_old_rows() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "1", &[&[pass(&[("a", 1, &[1])], true, true)]]);
    let mut killed = opened(dir.path(), "2");
    killed.write(pass(&[("b", 2, &[])], true, false)).unwrap();
    killed
        .commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap();
    killed.write(pass(&[("c", 3, &[])], false, true)).unwrap();
    drop(killed);
    assert_eq!(rows(dir.path(), "orders"), ["a=1"]);
    check(dir.path());
    assert_eq!(rows(dir.path(), "orders"), ["a=1"]);
    assert_eq!(staged(dir.path(), "orders"), 1, "what was committed stays");
    // The pass continues; a new pass would drop the staged row.
    run(dir.path(), "3", &[&[pass(&[("d", 4, &[])], false, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["b=2", "d=4"]);
    run(dir.path(), "4", &[&[pass(&[("e", 4, &[])], true, false)]]);
    run(dir.path(), "5", &[&[pass(&[("f", 4, &[])], true, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["f=4"]);
    check(dir.path());
}

#[test]
fn files_without_a_manifest_are_cleaned_up() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    // The first commit is killed: no source owns the tables yet.
    kill_before_manifest(dir.path(), &merge(&[("z", 1, &[1])]));
    assert_eq!(rows(dir.path(), "orders"), ["z=1"], "moved, not committed");
    opened(dir.path(), "8");
    assert!(!dir.path().join("orders").exists());
    run(
        dir.path(),
        "1",
        &[&[merge(&[("a", 1, &[1]), ("b", 1, &[])])]],
    );
    fs::write(dir.path().join("orders/notes.txt"), "mine").unwrap();
    // A merge is killed, then a pass whose staged files were committed.
    kill_before_manifest(dir.path(), &merge(&[("a", 2, &[2])]));
    opened(dir.path(), "8");
    fs::remove_file(dir.path().join("orders/notes.txt")).unwrap();
    assert_eq!(rows(dir.path(), "orders"), ["a=1", "b=1"]);
    run(dir.path(), "2", &[&[pass(&[("c", 3, &[3])], true, false)]]);
    kill_before_manifest(dir.path(), &pass(&[("d", 4, &[])], false, true));
    assert_eq!(staged(dir.path(), "orders"), 0);
    opened(dir.path(), "8");
    assert_eq!(staged(dir.path(), "orders"), 1);
    assert_eq!(rows(dir.path(), "orders"), ["a=1", "b=1"]);
    run(dir.path(), "3", &[&[pass(&[("d", 4, &[])], false, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["c=3", "d=4"]);
    check(dir.path());
}

#[test]
fn the_manifest_has_one_entry_for_a_load() {
    let dir = tempfile::tempdir().unwrap();
    let mut destination = opened(dir.path(), "1.5");
    let rows = chunk(Disposition::Merge, &[("a", 1, &[])]);
    destination.write(rows.clone()).unwrap();
    destination
        .commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap();
    destination
        .commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap();
    let manifest = destination.store.look().unwrap();
    let loads = &manifest.sources["shop"].loads;
    assert_eq!(loads.len(), 1);
    assert_eq!((loads[0].status.as_str(), loads[0].rows), ("complete", 1));
    assert!(glob(dir.path(), "orders")[0].ends_with("1.5-0.parquet"));
}

#[test]
fn a_table_has_the_name_of_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut odd = chunk(Disposition::Merge, &[("a", 1, &[])]);
    let mut destination = opened(dir.path(), "1");
    for name in ["../x", "", "a/b", "_etl"] {
        let schema = TableSchema {
            name: name.to_owned(),
            ..(*tables_of(&mut odd)[0].schema).clone()
        };
        tables_of(&mut odd)[0].schema = Arc::new(schema);
        destination.write(odd.clone()).unwrap_err();
    }
}

#[test]
fn what_is_damaged_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let rows = chunk(Disposition::Merge, &[("a", 1, &[])]);
    run(dir.path(), "1", &[&[rows]]);
    let manifest = dir.path().join("_etl/manifest.json");
    let whole = fs::read_to_string(&manifest).unwrap();
    for broken in [
        "",
        "{",
        &whole.replace("\"version\": 1", "\"version\": 2"),
        &whole.replace("orders__lines", "../orders"),
        &whole.replace("1-0.parquet", "x.parquet"),
    ] {
        assert_ne!(broken, whole);
        fs::write(&manifest, broken).unwrap();
        let error = Parquet::new(dir.path()).open(&load("2")).unwrap_err();
        let error = error.report();
        assert!(
            error.contains("manifest") && error.contains("hint"),
            "{error}"
        );
        assert_eq!(glob(dir.path(), "orders").len(), 1, "nothing is removed");
    }
    fs::write(&manifest, whole).unwrap();
    fs::remove_file(&glob(dir.path(), "orders")[0]).unwrap();
    let error = Parquet::new(dir.path()).open(&load("2")).unwrap_err();
    assert!(error.report().contains("is missing"), "{error:?}");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Parquet::new(&file).open(&load("2")).unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
}

#[test]
fn the_files_of_a_table_that_has_gone_go_also_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let rows = chunk(Disposition::Merge, &[("a", 1, &[10])]);
    run(dir.path(), "1", &[&[rows]]);
    let mut destination = Parquet::new(dir.path());
    let tables = destination.open(&load("2")).unwrap().tables;
    let changes: Vec<_> = tables
        .into_iter()
        .map(crate::load::TableChange::drop)
        .collect();
    destination.migrate(&changes, &[]).unwrap();
    drop(destination);
    let lake = dir.path();
    assert!(!lake.join("orders").exists());
    // The process ended between the manifest and the removal.
    for folder in ["orders", "_etl/staging/orders"] {
        std::fs::create_dir_all(lake.join(folder)).unwrap();
    }
    std::fs::write(lake.join("orders/1-0.parquet"), "").unwrap();
    Parquet::new(dir.path()).open(&load("3")).unwrap();
    assert!(!lake.join("orders").exists());
}

#[test]
fn a_folder_that_is_removed_or_replaced_gets_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, aside) = (dir.path().join("data"), dir.path().join("aside"));
    for replaces in [false, true] {
        let mut destination = Parquet::new(&folder);
        destination.open(&load("1")).unwrap();
        let rows = chunk(Disposition::Merge, &[("a", 1, &[2])]);
        destination.write(rows.clone()).unwrap();
        destination
            .commit(&Commit::new(1, &[], &LoadStatus::Running))
            .unwrap();
        fs::rename(&folder, &aside).unwrap();
        if replaces {
            drop(Parquet::new(&folder).open(&load("2")));
        }
        let error = destination
            .commit(&Commit::new(1, &[], &LoadStatus::Running))
            .unwrap_err();
        let what = if replaces {
            "was replaced"
        } else {
            "was removed"
        };
        assert!(error.message().contains(what), "{error}");
        drop(destination);
        fs::remove_dir_all(&aside).unwrap();
        let _ = fs::remove_dir_all(&folder);
    }
}

#[test]
fn a_run_that_was_overtaken_commits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut slow = Parquet::new(dir.path());
    slow.open(&load("1")).unwrap();
    // Another run commits. It does not see the lock, as over a network.
    let manifest = dir.path().join("_etl/manifest.json");
    fs::write(&manifest, r#"{"version": 1, "next": 1, "sources": {}}"#).unwrap();
    let error = slow
        .commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap_err();
    assert!(
        error.message().contains("another run has loaded"),
        "{error}"
    );
    let kept = fs::read_to_string(&manifest).unwrap();
    assert!(kept.contains("\"next\": 1"), "{kept}");
}
