//! Kills, concurrent runs, and foreign tables.

use std::slice::from_ref;

use super::Place;
use super::support::*;
use crate::error::ErrorKind;
use crate::load::{Chunk, Commit, LoadInfo, LoadStatus};
use crate::schema::{Disposition, Done, Layout};
use crate::state::{StateChange, StateRow};

fn merge(records: &[Rec<'_>]) -> Chunk {
    chunk(Disposition::Merge, records)
}

pub fn a_second_run_is_refused<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened::<P>(dir.path(), "1");
    let error = P::at(dir.path()).open(&load("2")).unwrap_err();
    assert!(error.report().contains("another run"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Destination);
    drop(first);
    opened::<P>(dir.path(), "2");
}

pub fn a_killed_run_leaves_the_last_commit<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    // The run is killed before anything is committed.
    P::kill(dir.path(), &merge(&[("z", 1, &[1])]));
    let memory = P::at(dir.path()).open(&load("1")).unwrap();
    assert!(memory.tables.is_empty() && memory.state.is_empty());
    let first = merge(&[("a", 1, &[1]), ("b", 1, &[])]);
    run::<P>(dir.path(), "2", &[&[first]]);
    let state = StateChange::Put(StateRow {
        resource: "orders".into(),
        slice: String::new(),
        value: "1".into(),
    });
    let mut killed = opened::<P>(dir.path(), "3");
    killed
        .write(merge(&[("a", 2, &[2]), ("c", 2, &[])]))
        .unwrap();
    killed
        .commit(&Commit::new(1, &[state], &LoadStatus::Running))
        .unwrap();
    let wider = chunk_of(Disposition::Merge, tables(&[("a", 3, &[])], Some("more")));
    killed.write(wider.clone()).unwrap();
    drop(killed);
    P::kill(dir.path(), &wider);
    let mut again = P::at(dir.path());
    let memory = again.open(&load("4")).unwrap();
    assert_eq!(memory.state.len(), 1);
    let columns = memory.tables.iter().map(|table| table.columns.len());
    assert_eq!(columns.collect::<Vec<_>>(), [2, 3]);
    drop(again);
    assert_eq!(orders::<P>(dir.path()), ["a=2", "b=1", "c=2"]);
    assert_eq!(lines::<P>(dir.path()), ["a=2"]);
    // A pass continues from what it has committed.
    run::<P>(dir.path(), "5", &[&[pass(&[("d", 1, &[])], true, false)]]);
    let mut killed = opened::<P>(dir.path(), "6");
    killed.write(pass(&[("e", 1, &[])], false, true)).unwrap();
    drop(killed);
    P::kill(dir.path(), &pass(&[("f", 1, &[])], true, true));
    drop(opened::<P>(dir.path(), "7"));
    assert_eq!(orders::<P>(dir.path()), ["a=2", "b=1", "c=2"]);
    run::<P>(dir.path(), "8", &[&[pass(&[("g", 1, &[])], false, true)]]);
    assert_eq!(orders::<P>(dir.path()), ["d=1", "g=1"]);
    check::<P>(dir.path());
}

pub fn a_commit_whose_answer_is_lost_is_there_once<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let append = |records: &[Rec<'_>]| chunk(Disposition::Append, records);
    let mut open = opened::<P>(dir.path(), "1");
    open.write(append(&[("a", 1, &[1])])).unwrap();
    P::lose_next_answer(dir.path());
    let answer = open.commit(&Commit::new(1, &[], &LoadStatus::Running));
    if let Err(error) = answer {
        assert_eq!(open.committed().unwrap(), 1, "{error}");
    }
    // The load goes on, and knows its rows.
    open.write(append(&[("a", 1, &[1]), ("b", 2, &[])]))
        .unwrap();
    open.commit(&Commit::new(2, &[], &LoadStatus::Complete))
        .unwrap();
    drop(open);
    assert_eq!(orders::<P>(dir.path()), ["a=1", "b=2"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1"]);
    check::<P>(dir.path());
}

pub fn what_is_counted_is_what_is_committed<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = opened::<P>(dir.path(), "1");
    assert!(open.row_counts().unwrap().is_empty());
    open.write(merge(&[("a", 1, &[1, 2])])).unwrap();
    assert!(open.row_counts().unwrap().is_empty());
    open.commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap();
    let counts = [("orders".to_owned(), 1), ("orders__lines".to_owned(), 2)];
    assert_eq!(open.row_counts().unwrap(), counts);
    open.write(merge(&[("b", 1, &[])])).unwrap();
    assert_eq!(open.row_counts().unwrap(), counts);
}

pub fn what_a_load_met_is_committed_with_its_rows<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let column = || drifted("a.b", Done::Column("a__b".into()));
    let found = || {
        let columns = [
            "load_id",
            "source",
            "resource",
            "table_name",
            "keys",
            "type",
            "done",
            "count",
        ];
        let mut rows: Vec<String> = P::rows(dir.path(), "_etl_drift", &columns)
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .map(Option::unwrap)
                    .collect::<Vec<_>>()
                    .join("|")
            })
            .collect();
        rows.sort();
        rows
    };
    // A load without drift writes no drift.
    run::<P>(dir.path(), "1", &[&[merge(&[("a", 1, &[])])]]);
    assert!(found().is_empty());
    let mut open = opened::<P>(dir.path(), "2");
    open.write(merge(&[("a", 2, &[])])).unwrap();
    open.drift(
        "orders",
        &[(column(), 2), (drifted("c", Done::DiscardedRow), 1)],
    )
    .unwrap();
    assert!(found().is_empty());
    open.commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap();
    open.drift("orders", &[(column(), 3)]).unwrap();
    open.commit(&Commit::new(1, &[], &LoadStatus::Running))
        .unwrap();
    let second = [
        "2|shop|orders|orders|a.b|text|column a__b|5",
        "2|shop|orders|orders|c|text|discarded row|1",
    ];
    assert_eq!(found(), second);
    // Uncommitted drift is lost with its rows.
    open.write(merge(&[("b", 1, &[])])).unwrap();
    open.drift("orders", &[(column(), 7)]).unwrap();
    drop(open);
    P::kill(dir.path(), &merge(&[("b", 1, &[])]));
    drop(opened::<P>(dir.path(), "3"));
    assert_eq!(found(), second);
    let mut other = P::at(dir.path());
    other
        .open(&LoadInfo::new("4", "other", Layout::Etl))
        .unwrap();
    other.drift("orders", &[(column(), 1)]).unwrap();
    other
        .commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap();
    drop(other);
    drop(opened::<P>(dir.path(), "5"));
    let mut all: Vec<&str> = second.to_vec();
    all.push("4|other|orders|orders|a.b|text|column a__b|1");
    assert_eq!(found(), all);
    // No resource can have a table of that name.
    assert!(opened::<P>(dir.path(), "6").is_taken("_etl_drift").unwrap());
    check::<P>(dir.path());
}

pub fn tables_of_others_are_not_touched<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let rows = merge(&[("a", 1, &[])]);
    if P::foreign(dir.path(), "orders__lines") {
        let mut open = opened::<P>(dir.path(), "1");
        assert!(open.is_taken("orders__lines").unwrap());
        assert!(!open.is_taken("orders").unwrap());
    }
    let dir = tempfile::tempdir().unwrap();
    run::<P>(dir.path(), "1", &[std::slice::from_ref(&rows)]);
    // Another source does not see the first one's tables and state.
    let mut other = P::at(dir.path());
    let memory = other
        .open(&LoadInfo::new("2", "other", Layout::Etl))
        .unwrap();
    assert!(memory.tables.is_empty() && memory.state.is_empty());
    assert!(other.is_taken("orders").unwrap());
    drop(other);
    assert_eq!(orders::<P>(dir.path()), ["a=1"]);
    check::<P>(dir.path());
}

pub fn loads_grow_although_the_clock_goes_back<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let first = merge(&[("a", 1, &[])]);
    run::<P>(dir.path(), "1700000000.000007", &[from_ref(&first)]);
    let memory = P::at(dir.path()).open(&load("1600000000.000000")).unwrap();
    assert_eq!(memory.last_load.as_deref(), Some("1700000000.000007"));
    run::<P>(dir.path(), "1600000000.000000", &[from_ref(&first)]);
    let memory = P::at(dir.path()).open(&load("1600000000.000000")).unwrap();
    assert_eq!(memory.last_load.as_deref(), Some("1700000000.000008"));
}

pub fn tables_and_state_are_remembered<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!P::at(dir.path()).exists());
    let row = |slice: &str, value: &str| StateRow {
        resource: "orders".into(),
        slice: slice.into(),
        value: value.into(),
    };
    let put = |slice, value| StateChange::Put(row(slice, value));
    let mut open = opened::<P>(dir.path(), "1.5");
    let rows = merge(&[("a", 1, &[])]);
    open.write(rows.clone()).unwrap();
    let state = [put("x", "1"), put("y", "{}"), put("z\u{0}é", "\u{0}")];
    open.commit(&Commit::new(1, &state, &LoadStatus::Running))
        .unwrap();
    let forget = StateChange::Forget {
        resource: "orders".into(),
        slice: "x".into(),
    };
    open.commit(&Commit::new(
        2,
        &[forget, put("y", "[2]")],
        &LoadStatus::Complete,
    ))
    .unwrap();
    drop(open);
    let mut again = P::at(dir.path());
    assert!(again.exists());
    let mut memory = again.open(&load("2")).unwrap();
    memory
        .state
        .sort_by(|one, other| one.slice.cmp(&other.slice));
    assert_eq!(memory.state, [row("y", "[2]"), row("z\u{0}é", "\u{0}")]);
    memory
        .tables
        .sort_by(|one, other| one.name.cmp(&other.name));
    let schemas: Vec<_> = rows.tables().map(|t| (*t.schema).clone()).collect();
    assert_eq!(memory.tables, schemas);
}
