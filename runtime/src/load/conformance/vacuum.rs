//! A vacuum removes what no commit needs: rows, state, loads and passes in progress are as they were.

use std::path::Path;
use std::time::Duration;

use super::Place;
use super::support::*;
use crate::load::{
    Chunk, Commit, DeletedIds, LoadStatus, NotSeenSince, Operation, PassMark, Vacuum,
};
use crate::schema::{Disposition, Done};
use crate::state::{StateChange, StateRow};

/// Vacuums the place, which keeps what the passes of these resources have staged; returns how many files it merged.
/// A place that cannot do that says so, and returns `None`.
fn vacuum<P: Place>(dir: &Path, staged: &[&str]) -> Option<u64> {
    let mut open = opened::<P>(dir, "90");
    let asked = Vacuum::new(Duration::ZERO).keep_staged(staged.iter().map(|&name| name.to_owned()));
    match (open.capabilities().vacuums, open.vacuum(&asked)) {
        (true, done) => Some(done.unwrap().merged),
        (false, Ok(_)) => panic!("it vacuums, and its capabilities do not say so"),
        (false, Err(error)) => {
            assert!(error.message().contains("cannot"), "{error}");
            None
        }
    }
}

/// Returns a chunk of a pass that has not ended.
fn of(load: &str, records: &[Rec<'_>]) -> Chunk {
    hashed(load, records, PassMark::new("1"))
}

/// Returns all columns of the rows of the tables, sorted.
fn all<P: Place>(dir: &Path) -> Vec<Vec<Option<String>>> {
    let mut rows = P::rows(
        dir,
        "orders",
        &[
            "_etl_id",
            "n",
            "_etl_load_id",
            "_etl_hash",
            "_etl_deleted_at",
            "more",
        ],
    );
    rows.extend(P::rows(
        dir,
        "orders__lines",
        &["_etl_id", "_etl_root_id", "v"],
    ));
    rows.extend(P::rows(
        dir,
        "_etl_drift",
        &["load_id", "keys", "done", "count"],
    ));
    rows.sort();
    rows
}

pub fn a_vacuum_changes_no_row<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    // There is nothing yet.
    if vacuum::<P>(dir.path(), &[]).is_none() {
        return;
    }
    let value = |id: u32| StateRow::new("orders", "", format!("{id}"));
    for id in 1..=6 {
        let mut open = opened::<P>(dir.path(), &id.to_string());
        let [new, old] = [format!("a{id}"), format!("a{}", id / 2)];
        let records = [(&*new, i64::from(id), &[1, 2][..]), (&*old, -1, &[])];
        open.write(of(&id.to_string(), &records)).unwrap();
        let met = drifted("key", Done::Columns);
        open.drift("orders", &[(met, u64::from(id))]).unwrap();
        let state = [StateChange::Put(value(id))];
        open.commit(&Commit::new(1, &state, &LoadStatus::Complete))
            .unwrap();
    }
    let wider = chunk_of(Disposition::Merge, tables(&[("w", 1, &[7])], Some("more")));
    let gone = DeletedIds::new(vec!["a6".to_owned()], None);
    let marked = DeletedIds::new(vec!["a5".to_owned()], Some(1_000_000));
    let wider = and(
        and(wider, Operation::Delete(gone)),
        Operation::Delete(marked),
    );
    run::<P>(dir.path(), "7", &[&[wider]]);
    let (before, loads) = (all::<P>(dir.path()), opened::<P>(dir.path(), "8").loads());
    assert_eq!(orders::<P>(dir.path()).len(), 7);
    let merged = vacuum::<P>(dir.path(), &[]);
    assert_eq!(all::<P>(dir.path()), before);
    assert_eq!(
        opened::<P>(dir.path(), "8").loads().unwrap(),
        loads.unwrap()
    );
    let memory = P::at(dir.path()).open(&load("8")).unwrap();
    assert_eq!(memory.state, [value(6)]);
    check::<P>(dir.path());
    // What is merged is not merged again.
    let again = vacuum::<P>(dir.path(), &[]);
    assert!(again == Some(0), "{again:?} after {merged:?}");
    assert_eq!(all::<P>(dir.path()), before);
    // Loads go on: the next one finds the records, changes, marks and removes them.
    let gone = DeletedIds::new(vec!["a4".to_owned()], None);
    let marked = DeletedIds::new(vec!["a2".to_owned(), "a5".to_owned()], Some(2_000_000));
    let next = of("9", &[("w", 2, &[]), ("a1", 8, &[8]), ("z", 9, &[])]);
    let next = and(
        and(next, Operation::Delete(gone)),
        Operation::Delete(marked),
    );
    run::<P>(dir.path(), "9", &[&[next]]);
    let expected = ["a0=-1", "a1=8", "a2=-1", "a3=-1", "a5=5", "w=2", "z=9"];
    assert_eq!(orders::<P>(dir.path()), expected);
    assert_eq!(lines::<P>(dir.path()), ["a1=8", "a5=1", "a5=2"]);
    let marks = P::rows(dir.path(), "orders", &["_etl_id", "_etl_deleted_at"]);
    let mut marks: Vec<String> = (marks.into_iter())
        .filter_map(|row| Some(format!("{}@{}", row[0].clone()?, row[1].clone()?)))
        .collect();
    marks.sort();
    let expected = [
        "a2@1970-01-01T00:00:02.000000Z",
        "a5@1970-01-01T00:00:01.000000Z",
    ];
    assert_eq!(marks, expected);
    check::<P>(dir.path());
}

pub fn a_load_before_a_vacuum_is_rolled_back<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    let first = of("1", &[("a", 1, &[1]), ("b", 1, &[])]);
    run::<P>(dir.path(), "1", &[&[first]]);
    run::<P>(dir.path(), "2", &[&[of("2", &[("c", 2, &[2])])]]);
    run::<P>(
        dir.path(),
        "3",
        &[&[of("3", &[("a", 3, &[3]), ("d", 3, &[4])])]],
    );
    if vacuum::<P>(dir.path(), &[]).is_none() || !P::at(dir.path()).capabilities().rolls_back {
        return;
    }
    let mut open = opened::<P>(dir.path(), "4");
    let back = open.rollback(&["3".to_owned()]).unwrap();
    assert_eq!((back[0].removed, back[0].lost), (Some(2), 1));
    drop(open);
    assert_eq!(orders::<P>(dir.path()), ["b=1", "c=2"]);
    assert_eq!(lines::<P>(dir.path()), ["c=2"]);
    vacuum::<P>(dir.path(), &[]);
    let mut open = opened::<P>(dir.path(), "5");
    open.rollback(&["2".to_owned()]).unwrap();
    drop(open);
    assert_eq!(orders::<P>(dir.path()), ["b=1"]);
    check::<P>(dir.path());
}

pub fn a_vacuum_keeps_a_pass_in_progress<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    run::<P>(
        dir.path(),
        "1",
        &[&[of("1", &[("a", 1, &[1]), ("b", 2, &[])])]],
    );
    // What a pass has seen unchanged is not deleted at its end.
    run::<P>(
        dir.path(),
        "2",
        &[&[hashed("2", &[("a", 1, &[1])], PassMark::new("2"))]],
    );
    if vacuum::<P>(dir.path(), &[]).is_none() {
        return;
    }
    let end = hashed("3", &[("c", 3, &[])], PassMark::new("2").ends(true));
    let end = and(end, Operation::DeleteNotSeen(NotSeenSince::new("2", None)));
    run::<P>(dir.path(), "3", &[&[end]]);
    assert_eq!(orders::<P>(dir.path()), ["a=1", "c=3"]);
    // Staged rows stay as long as the pass goes on, and go with it.
    let stage = |first| pass(&[("d", 4, &[4]), ("e", 5, &[])], first, false);
    run::<P>(dir.path(), "4", &[&[stage(true)]]);
    run::<P>(dir.path(), "5", &[&[pass(&[("f", 6, &[])], false, false)]]);
    vacuum::<P>(dir.path(), &["orders"]);
    assert_eq!(orders::<P>(dir.path()), ["a=1", "c=3"]);
    run::<P>(dir.path(), "6", &[&[pass(&[("g", 7, &[])], false, true)]]);
    assert_eq!(orders::<P>(dir.path()), ["d=4", "e=5", "f=6", "g=7"]);
    assert_eq!(lines::<P>(dir.path()), ["d=4"]);
    run::<P>(dir.path(), "7", &[&[stage(true)]]);
    vacuum::<P>(dir.path(), &[]);
    run::<P>(dir.path(), "8", &[&[pass(&[("h", 8, &[])], false, true)]]);
    assert_eq!(orders::<P>(dir.path()), ["h=8"]);
    check::<P>(dir.path());
}
