//! The folder after loads; `faults` has kills and failures. The tests for every destination are in
//! `load/conformance.rs`.

mod faults;
mod support;

use std::fs;

use arrow_array::Array;

use self::support::*;
use super::read::read;
use super::*;
use crate::load::Destination;
use crate::load::lake::space::SMALL;
use crate::schema::Disposition;

crate::conformance!(ParquetFolder);

#[test]
fn small_batches_become_one() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    let first = merge(&[("a", 1, &[1, 2]), ("b", 2, &[7])]);
    let second = merge(&[("a", 5, &[3]), ("d", 4, &[4])]);
    run(dir.path(), "1", &[&[first], &[second]]);
    assert_eq!(rows(dir.path(), "orders"), ["a=5", "b=2", "d=4"]);
    assert_eq!(glob(dir.path(), "orders").len(), 1);
    check(dir.path());
}

#[test]
fn rows_that_come_again_before_the_commit_leave_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    let chunks = [merge(&[("a", 1, &[1])]), merge(&[("a", 2, &[2])])];
    run(dir.path(), "1", &[&chunks]);
    assert_eq!(glob(dir.path(), "orders").len(), 1);
    assert!(!dir.path().join("_etl/staging/orders").exists());
    check(dir.path());
}

#[test]
fn a_large_batch_keeps_files_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..SMALL + 100).map(|id| format!("r{id}")).collect();
    let many: Vec<Rec<'_>> = ids.iter().map(|id| (id.as_str(), 0, &[1][..])).collect();
    run(dir.path(), "1", &[&[chunk(Disposition::Merge, &many)]]);
    let some: Vec<Rec<'_>> = many.iter().step_by(200).map(|r| (r.0, 1, r.2)).collect();
    run(dir.path(), "2", &[&[chunk(Disposition::Merge, &some)]]);
    run(dir.path(), "3", &[&[chunk(Disposition::Merge, &some[..1])]]);
    let found = rows(dir.path(), "orders");
    assert_eq!(found.len(), many.len());
    let new = found.iter().filter(|row| row.ends_with("=1")).count();
    assert_eq!(new, some.len());
    assert_eq!(rows(dir.path(), "orders__lines").len(), many.len());
    assert_eq!(glob(dir.path(), "orders").len(), 2);
    check(dir.path());
}

#[test]
fn a_pass_takes_the_place_of_all_rows_when_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    run(
        dir.path(),
        "1",
        &[
            &[pass(&[("a", 1, &[1]), ("b", 1, &[1])], true, false)],
            &[pass(&[("b", 2, &[2])], false, true)],
        ],
    );
    assert_eq!(rows(dir.path(), "orders"), ["a=1", "b=2"]);
    assert_eq!(rows(dir.path(), "orders__lines"), ["a=1", "b=2"]);
    // The pass is first one commit, then several runs.
    run(dir.path(), "2", &[&[pass(&[("c", 3, &[])], true, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["c=3"]);
    assert!(rows(dir.path(), "orders__lines").is_empty());
    run(dir.path(), "3", &[&[pass(&[("d", 4, &[4])], true, false)]]);
    assert_eq!(rows(dir.path(), "orders"), ["c=3"]);
    run(dir.path(), "4", &[&[pass(&[("d", 5, &[5])], false, false)]]);
    assert_eq!(staged(dir.path(), "orders"), 1);
    run(dir.path(), "5", &[&[pass(&[], false, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["d=5"]);
    assert_eq!(rows(dir.path(), "orders__lines"), ["d=5"]);
    assert_eq!(staged(dir.path(), "orders"), 0);
    check(dir.path());
}

#[test]
fn columns_are_only_added() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>], more| chunk_of(Disposition::Merge, tables(records, more));
    let old = merge(&[("a", 1, &[1]), ("b", 2, &[])], None);
    // The column is added first within a commit, then over old files.
    run(
        dir.path(),
        "1",
        &[&[old.clone(), merge(&[("c", 3, &[])], Some("more"))]],
    );
    assert_eq!(rows(dir.path(), "orders"), ["a=1", "b=2", "c=3"]);
    assert_eq!(glob(dir.path(), "orders").len(), 2);
    run(dir.path(), "2", &[&[merge(&[("a", 5, &[])], Some("more"))]]);
    assert_eq!(rows(dir.path(), "orders"), ["a=5", "b=2", "c=3"]);
    // The rows of the rewritten file have the column too.
    let mut values = Vec::new();
    for path in glob(dir.path(), "orders") {
        read(&path, &["more"], &mut |rows| {
            values.extend((0..rows.num_rows()).map(|row| rows.column(0).is_valid(row)));
            Ok(())
        })
        .unwrap();
    }
    values.sort_unstable();
    assert_eq!(values, [false, true, true]);
    let memory = Parquet::new(dir.path()).open(&load("3")).unwrap();
    let orders = memory.tables.iter().find(|t| t.name == "orders").unwrap();
    assert_eq!(orders.columns[2].name, "more");
    assert_eq!(
        *orders,
        *merge(&[], Some("more")).tables().next().unwrap().schema
    );
    check(dir.path());
}

#[test]
fn tables_and_columns_without_rows_exist() {
    let dir = tempfile::tempdir().unwrap();
    let columns = || {
        let found = glob(dir.path(), "orders").into_iter().map(|path| {
            let mut names = 0;
            let file = fs::File::open(path).unwrap();
            let reader =
                parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
            names += reader.unwrap().schema().fields().len();
            names
        });
        found.collect::<Vec<_>>()
    };
    run(dir.path(), "1", &[&[chunk(Disposition::Merge, &[])]]);
    check(dir.path());
    assert_eq!(columns(), [2]);
    run(
        dir.path(),
        "2",
        &[&[chunk(Disposition::Merge, &[("a", 1, &[])])]],
    );
    assert_eq!(columns(), [2]);
    let wider = chunk_of(Disposition::Merge, tables(&[], Some("more")));
    run(dir.path(), "3", &[&[wider]]);
    assert_eq!(columns(), [2, 3]);
    check(dir.path());
}
