//! Loads without failures.

use std::slice::from_ref;

use super::Place;
use super::support::*;
use crate::load::{Brought, Chunk, DeletedIds, NotSeenSince, Operation};
use crate::schema::{ArrowType, ColumnRole, ColumnType, Disposition, TableSchema};

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

/// Returns the chunk with only its root table.
fn root_only(mut chunk: Chunk) -> Chunk {
    tables_of(&mut chunk).truncate(1);
    chunk
}

pub fn append_leaves_out_what_is_there<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let append = |records: &[Rec<'_>]| chunk(Disposition::Append, records);
    let first = append(&[("a", 1, &[1, 2]), ("b", 2, &[])]);
    run::<P>(dir.path(), "1", &[from_ref(&first)]);
    let again = append(&[("c", 3, &[5]), ("a", 9, &[9]), ("d", 4, &[])]);
    run::<P>(dir.path(), "2", &[&[first, again.clone(), again]]);
    assert_eq!(orders::<P>(dir.path()), ["a=1", "b=2", "c=3", "d=4"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "c=5"]);
    check::<P>(dir.path());
}

pub fn merge_replaces_a_record_and_its_child_rows<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let first = merge(&[("a", 1, &[1, 2]), ("b", 2, &[7]), ("c", 3, &[])]);
    let second = merge(&[("a", 5, &[3]), ("d", 4, &[4])]);
    let check_all = || {
        assert_eq!(orders::<P>(dir.path()), ["a=5", "b=2", "c=3", "d=4"]);
        assert_eq!(lines::<P>(dir.path()), ["a=3", "b=7", "d=4"]);
        check::<P>(dir.path());
    };
    run::<P>(dir.path(), "1", &[from_ref(&first), from_ref(&second)]);
    check_all();
    run::<P>(dir.path(), "2", &[&[first.clone(), second.clone()]]);
    check_all();
    run::<P>(dir.path(), "3", &[&[first], &[second]]);
    check_all();
    // Child rows are removed even if the chunk does not name their table.
    let third = root_only(merge(&[("a", 6, &[])]));
    run::<P>(dir.path(), "4", &[&[third]]);
    assert_eq!(orders::<P>(dir.path()), ["a=6", "b=2", "c=3", "d=4"]);
    assert_eq!(lines::<P>(dir.path()), ["b=7", "d=4"]);
}

pub fn a_record_that_comes_again_before_the_commit_is_one_row<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let chunks = [
        merge(&[("a", 1, &[1]), ("b", 1, &[1])]),
        merge(&[("a", 2, &[2])]),
        merge(&[("b", 3, &[]), ("a", 3, &[3])]),
    ];
    run::<P>(dir.path(), "1", &[&chunks]);
    assert_eq!(orders::<P>(dir.path()), ["a=3", "b=3"]);
    assert_eq!(lines::<P>(dir.path()), ["a=3"]);
    check::<P>(dir.path());
}

pub fn a_pass_takes_the_place_of_all_rows_when_it_ends<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let run = |id: &str, commits: &[&[Chunk]]| run::<P>(dir.path(), id, commits);
    let orders = || orders::<P>(dir.path());
    let lines = || lines::<P>(dir.path());
    run(
        "1",
        &[
            &[pass(&[("a", 1, &[1]), ("b", 1, &[1])], true, false)],
            &[pass(&[("b", 2, &[2])], false, true)],
        ],
    );
    assert_eq!(orders(), ["a=1", "b=2"]);
    assert_eq!(lines(), ["a=1", "b=2"]);
    // The pass is first one commit, then several runs.
    run("2", &[&[pass(&[("c", 3, &[])], true, true)]]);
    assert_eq!(orders(), ["c=3"]);
    assert!(lines().is_empty());
    run("3", &[&[pass(&[("d", 4, &[4])], true, false)]]);
    assert_eq!(orders(), ["c=3"]);
    run("4", &[&[pass(&[("d", 5, &[5])], false, false)]]);
    assert_eq!(orders(), ["c=3"]);
    run("5", &[&[pass(&[], false, true)]]);
    assert_eq!(orders(), ["d=5"]);
    assert_eq!(lines(), ["d=5"]);
    // A new pass drops what an earlier one staged; it may add columns.
    run("6", &[&[pass(&[("e", 1, &[1])], true, false)]]);
    let wider = pass_of(tables(&[("g", 3, &[])], Some("more")), false, true);
    run("7", &[&[pass(&[("f", 2, &[])], true, false)], &[wider]]);
    assert_eq!(orders(), ["f=2", "g=3"]);
    assert!(lines().is_empty());
    check::<P>(dir.path());
}

pub fn a_pass_is_of_all_tables_of_its_resource<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let run = |id: &str, commits: &[&[Chunk]]| run::<P>(dir.path(), id, commits);
    run("1", &[&[pass(&[("a", 1, &[1])], true, true)]]);
    // The last chunk does not name the child table.
    run(
        "2",
        &[
            &[pass(&[("b", 1, &[1])], true, false)],
            &[root_only(pass(&[("c", 1, &[])], false, true))],
        ],
    );
    assert_eq!(lines::<P>(dir.path()), ["b=1"]);
    // The same holds for the first chunk of a pass that drops an earlier one's rows.
    run("3", &[&[pass(&[("d", 1, &[1])], true, false)]]);
    run(
        "4",
        &[
            &[root_only(pass(&[("d", 2, &[])], true, false))],
            &[pass(&[], false, true)],
        ],
    );
    assert_eq!(orders::<P>(dir.path()), ["d=2"]);
    assert!(lines::<P>(dir.path()).is_empty());
    check::<P>(dir.path());
}

fn deleted(ids: &[&str], mark: Option<i64>) -> Operation {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    Operation::Delete(DeletedIds::new(ids, mark))
}

pub fn records_that_the_api_reports_as_deleted_are_deleted<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let there = merge(&[("a", 1, &[1, 2]), ("b", 2, &[7]), ("c", 3, &[3])]);
    let says = |records: &[Rec<'_>], ids: &[&str]| and(merge(records), deleted(ids, None));
    run::<P>(dir.path(), "1", &[&[there]]);
    // Some ids do not exist; others are in the same chunk, or in the same commit.
    let new = says(&[("d", 4, &[4]), ("e", 5, &[5])], &["a", "d", "x"]);
    run::<P>(dir.path(), "2", &[&[new, says(&[], &["e"])]]);
    assert_eq!(orders::<P>(dir.path()), ["b=2", "c=3"]);
    assert_eq!(lines::<P>(dir.path()), ["b=7", "c=3"]);
    check::<P>(dir.path());
    // A deleted record returns.
    run::<P>(
        dir.path(),
        "3",
        &[&[says(&[], &["b"]), merge(&[("b", 6, &[6])])]],
    );
    assert_eq!(orders::<P>(dir.path()), ["b=6", "c=3"]);
    assert_eq!(lines::<P>(dir.path()), ["b=6", "c=3"]);
    // Within a pass, only rows of that pass are deleted.
    let gone = DeletedIds::new(vec!["f".to_owned(), "c".to_owned()], None).staged(true);
    let staged = pass(&[("f", 1, &[1]), ("g", 1, &[1])], true, false);
    let staged = and(staged, Operation::Delete(gone));
    run::<P>(dir.path(), "4", &[&[staged]]);
    assert_eq!(orders::<P>(dir.path()), ["b=6", "c=3"]);
    run::<P>(dir.path(), "5", &[&[pass(&[], false, true)]]);
    assert_eq!(orders::<P>(dir.path()), ["g=1"]);
    assert_eq!(lines::<P>(dir.path()), ["g=1"]);
    check::<P>(dir.path());
}

pub fn records_that_a_complete_pass_did_not_bring_are_deleted<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let first = brought_by("1.5", &[("a", 1, &[1]), ("b", 2, &[2, 3]), ("c", 3, &[])]);
    run::<P>(dir.path(), "1.5", &[&[first]]);
    let not_seen = Operation::DeleteNotSeen(NotSeenSince::new("2.5", None));
    let last = and(brought_by("2.5", &[("d", 4, &[4])]), not_seen);
    let again = brought_by("2.5", &[("a", 5, &[5])]);
    run::<P>(dir.path(), "2.5", &[&[again], &[last]]);
    assert_eq!(orders::<P>(dir.path()), ["a=5", "d=4"]);
    assert_eq!(lines::<P>(dir.path()), ["a=5", "d=4"]);
    check::<P>(dir.path());
}

pub fn records_that_the_api_reports_as_deleted_are_marked_once<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let says = |records: &[Rec<'_>], ids: &[&str], time: i64| {
        let mut chunk = merge(records);
        let root = &mut tables_of(&mut chunk)[0];
        let mut schema = (*root.schema).clone();
        let mark = column(
            "_etl_deleted_at",
            ColumnType::Timestamp,
            ColumnRole::DeletedAt,
        );
        let nulls = arrow_array::new_null_array(&mark.ty.arrow(), records.len());
        schema.columns.push(mark);
        let mut columns = root.rows.columns().to_vec();
        columns.push(nulls);
        *root = batch(schema, columns);
        and(chunk, deleted(ids, Some(time)))
    };
    let marks = || {
        let mut rows = P::rows(dir.path(), "orders", &["_etl_id", "_etl_deleted_at"]);
        rows.sort();
        let marks = rows.into_iter().map(|row| row[1].clone());
        marks.collect::<Vec<_>>()
    };
    run::<P>(
        dir.path(),
        "1",
        &[&[says(&[("a", 1, &[1]), ("b", 2, &[2])], &["a"], 1_000_000)]],
    );
    let first = marks();
    assert!(first[0].is_some() && first[1].is_none(), "{first:?}");
    run::<P>(
        dir.path(),
        "2",
        &[&[says(&[], &["a", "b", "x"], 2_000_000)]],
    );
    let second = marks();
    assert_eq!(second[0], first[0]);
    assert!(second[1].is_some() && second[1] != first[0], "{second:?}");
    assert_eq!(lines::<P>(dir.path()), ["a=1", "b=2"]);
    run::<P>(
        dir.path(),
        "3",
        &[&[says(&[("a", 3, &[])], &[], 3_000_000)]],
    );
    assert_eq!(marks(), [None, second[1].clone()]);
}

pub fn columns_are_only_added<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let wide =
        |records: &[Rec<'_>], more| chunk_of(Disposition::Merge, tables(records, Some(more)));
    let old = merge(&[("a", 1, &[1]), ("b", 2, &[])]);
    run::<P>(
        dir.path(),
        "1",
        &[&[old.clone(), wide(&[("c", 3, &[])], "more")]],
    );
    run::<P>(dir.path(), "2", &[&[wide(&[("a", 5, &[])], "more")]]);
    // Rows with fewer columns, and another column, leave existing rows unchanged.
    run::<P>(
        dir.path(),
        "3",
        &[&[merge(&[("d", 1, &[])]), wide(&[("e", 1, &[])], "other")]],
    );
    run::<P>(dir.path(), "4", &[&[wide(&[("f", 1, &[])], "more")]]);
    let mut rows = P::rows(dir.path(), "orders", &["_etl_id", "more", "other"]);
    rows.sort();
    let text = |(id, more, other): (&str, Option<&str>, Option<&str>)| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        vec![owned(Some(id)), owned(more), owned(other)]
    };
    let expected = [
        ("a", Some("new"), None),
        ("b", None, None),
        ("c", Some("new"), None),
        ("d", None, None),
        ("e", None, Some("new")),
        ("f", Some("new"), None),
    ];
    assert_eq!(rows, expected.map(text));
    let memory = P::at(dir.path()).open(&load("5")).unwrap();
    let orders = memory.tables.iter().find(|t| t.name == "orders").unwrap();
    let names: Vec<_> = orders.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["_etl_id", "n", "more", "other"]);
    check::<P>(dir.path());
}

pub fn tables_without_rows_exist<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    run::<P>(dir.path(), "1", &[&[merge(&[])]]);
    check::<P>(dir.path());
    let memory = P::at(dir.path()).open(&load("2")).unwrap();
    assert_eq!(memory.tables.len(), 2);
}

/// Checks that system tables do not collide with tables that an API's keys create.
pub fn a_list_may_have_any_name<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    for (run_id, name) in [("1", "id"), ("2", "root"), ("3", "index")] {
        let mut chunk = merge(&[("a", 1, &[1, 2])]);
        let lines = &mut tables_of(&mut chunk)[1];
        lines.schema = std::sync::Arc::new(TableSchema {
            name: format!("orders__{name}"),
            path: format!("/{name}"),
            ..(*lines.schema).clone()
        });
        run::<P>(dir.path(), run_id, &[&[merge(&[("a", 1, &[1])]), chunk]]);
        let found = P::rows(dir.path(), &format!("orders__{name}"), &["v"]);
        assert_eq!(found.len(), 2);
    }
    assert!(lines::<P>(dir.path()).is_empty());
}

/// Returns the ids of the rows that a pass has brought, sorted; `None` if the destination does not
/// read them back.
fn brought<P: Place>(dir: &std::path::Path, pass: &str, staged: bool) -> Option<Vec<String>> {
    let mut destination = P::at(dir);
    let memory = destination.open(&load("9")).unwrap();
    let orders = memory.tables.iter().find(|table| table.name == "orders")?;
    let rows = Brought::new(orders, &["_etl_id", "_etl_load_id"], pass).staged(staged);
    let mut ids = Vec::new();
    let known = destination.brought(&rows, &mut |texts| {
        assert_eq!(texts.len(), 2);
        assert!(staged || texts[1].unwrap() >= pass, "{texts:?}");
        ids.push(texts[0].unwrap().to_owned());
        Ok(())
    });
    ids.sort();
    known.unwrap().then_some(ids)
}

pub fn the_rows_of_a_pass_are_read_back<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let first = brought_by("1.5", &[("a", 1, &[1]), ("b", 2, &[2])]);
    run::<P>(dir.path(), "1.5", &[&[first]]);
    if brought::<P>(dir.path(), "1.5", false).is_none() {
        return;
    }
    let is = |pass: &str, staged: bool, ids: &[&str]| {
        assert_eq!(brought::<P>(dir.path(), pass, staged).unwrap(), ids);
    };
    let second = brought_by("2.5", &[("c", 3, &[]), ("b", 5, &[])]);
    run::<P>(dir.path(), "2.5", &[&[second]]);
    let third = brought_by("3.5", &[("d", 4, &[])]);
    run::<P>(dir.path(), "3.5", &[&[third]]);
    is("1.5", false, &["a", "b", "c", "d"]);
    is("2.5", false, &["b", "c", "d"]);
    is("4.5", false, &[]);
    is("2.5", true, &[]);
    // Staged rows are those of the pass, whatever load has brought them.
    let staged = |mut chunk: Chunk, first, publishes| {
        pass_of(std::mem::take(tables_of(&mut chunk)), first, publishes)
    };
    let begins = brought_by("4.5", &[("e", 1, &[1]), ("f", 1, &[])]);
    run::<P>(dir.path(), "4.5", &[&[staged(begins, true, false)]]);
    let goes_on = brought_by("5.5", &[("f", 2, &[])]);
    run::<P>(dir.path(), "5.5", &[&[staged(goes_on, false, false)]]);
    is("4.5", true, &["e", "f"]);
    is("4.5", false, &[]);
    let ends = brought_by("6.5", &[("g", 1, &[])]);
    run::<P>(dir.path(), "6.5", &[&[staged(ends, false, true)]]);
    is("4.5", true, &[]);
    is("4.5", false, &["e", "f", "g"]);
}
