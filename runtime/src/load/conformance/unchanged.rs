//! Records whose content is that of their rows. A destination that does not skip them passes nothing but the rest.

use std::collections::BTreeMap;
use std::path::Path;

use super::Place;
use super::support::{self, *};
use crate::load::{
    Brought, Chunk, Commit, DeletedIds, LoadStatus, NotSeenSince, Operation, PassMark, TableChange,
};
use crate::state::{StateChange, StateRow};

const THREE: [Rec<'static>; 3] = [("a", 1, &[1, 2]), ("b", 2, &[3]), ("c", 3, &[])];

/// Returns whether the tests apply to a destination.
fn applies<P: Place>(dir: &Path) -> bool {
    P::at(dir).capabilities().skips_unchanged
}

/// Returns a chunk of a pass that has not ended.
fn of(load: &str, records: &[Rec<'_>], pass: &str) -> Chunk {
    hashed(load, records, PassMark::new(pass))
}

/// Returns the last chunk of a pass, after which what it did not bring is removed, or marked.
fn last(load: &str, records: &[Rec<'_>], pass: &str, mark: Option<i64>) -> Chunk {
    let chunk = hashed(load, records, PassMark::new(pass).ends(true));
    and(
        chunk,
        Operation::DeleteNotSeen(NotSeenSince::new(pass, mark)),
    )
}

/// Returns the records with their loads: `id@load`, with `!` if they are marked.
fn loads<P: Place>(dir: &Path) -> Vec<String> {
    let columns = ["_etl_id", "_etl_load_id", "_etl_deleted_at"];
    let rows = P::rows(dir, "orders", &columns);
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let row = |row: &Vec<Option<String>>| {
        let mark = if row[2].is_some() { "!" } else { "" };
        format!("{}@{}{mark}", text(&row[0]), text(&row[1]))
    };
    let mut rows: Vec<String> = rows.iter().map(row).collect();
    rows.sort();
    rows
}

pub fn an_unchanged_record_is_not_written_again<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    run::<P>(dir.path(), "1", &[&[of("1", &THREE, "1")]]);
    // One record has changed, one only in its child rows, and one is new.
    let second = [
        ("a", 1, &[1, 2][..]),
        ("b", 5, &[3]),
        ("c", 3, &[7]),
        ("d", 4, &[]),
    ];
    let mut destination = opened::<P>(dir.path(), "2");
    destination.write(of("2", &second, "2")).unwrap();
    let commit = Commit::new(1, &[], &LoadStatus::Complete);
    destination.commit(&commit).unwrap();
    let unchanged = BTreeMap::from([("orders".to_owned(), 1)]);
    assert_eq!(destination.unchanged(), unchanged);
    let rows: Vec<u64> = destination
        .loads()
        .unwrap()
        .iter()
        .map(|l| l.rows)
        .collect();
    assert_eq!(rows, [3, 3]);
    drop(destination);
    assert_eq!(loads::<P>(dir.path()), ["a@1", "b@2", "c@2", "d@2"]);
    assert_eq!(orders::<P>(dir.path()), ["a=1", "b=5", "c=3", "d=4"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "b=3", "c=7"]);
    check::<P>(dir.path());
    // A record changes and changes back before the commit, and one comes twice.
    let other = [("a", 9, &[9][..]), ("d", 4, &[])];
    run::<P>(
        dir.path(),
        "3",
        &[&[
            of("3", &other, "3"),
            of("3", &second, "3"),
            of("3", &second, "3"),
        ]],
    );
    assert_eq!(loads::<P>(dir.path()), ["a@3", "b@2", "c@2", "d@2"]);
    assert_eq!(orders::<P>(dir.path()), ["a=1", "b=5", "c=3", "d=4"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "b=3", "c=7"]);
    check::<P>(dir.path());
}

pub fn rows_without_a_hash_are_written_once<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    run::<P>(dir.path(), "1", &[&[brought_by("1", &THREE)]]);
    run::<P>(dir.path(), "2", &[&[of("2", &THREE[..2], "2")]]);
    assert_eq!(loads::<P>(dir.path()), ["a@2", "b@2", "c@1"]);
    run::<P>(dir.path(), "3", &[&[of("3", &THREE, "3")]]);
    assert_eq!(loads::<P>(dir.path()), ["a@2", "b@2", "c@3"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "b=3"]);
    check::<P>(dir.path());
}

pub fn an_unchanged_record_is_not_deleted<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    run::<P>(dir.path(), "1", &[&[of("1", &THREE, "1")]]);
    let second = [("a", 1, &[1, 2][..]), ("b", 5, &[3])];
    run::<P>(dir.path(), "2", &[&[last("2", &second, "2", Some(1))]]);
    assert_eq!(loads::<P>(dir.path()), ["a@1", "b@2", "c@1!"]);
    // The record that was marked returns unchanged.
    let third = [second[0], second[1], THREE[2]];
    run::<P>(dir.path(), "3", &[&[last("3", &third, "3", Some(1))]]);
    assert_eq!(loads::<P>(dir.path()), ["a@1", "b@2", "c@3"]);
    // So does one that the API has reported as deleted.
    let gone = Operation::Delete(DeletedIds::new(vec!["a".to_owned()], Some(1)));
    run::<P>(dir.path(), "4", &[&[and(of("4", &third, "4"), gone)]]);
    assert_eq!(loads::<P>(dir.path()), ["a@1!", "b@2", "c@3"]);
    run::<P>(dir.path(), "5", &[&[last("5", &third[..2], "5", None)]]);
    assert_eq!(loads::<P>(dir.path()), ["a@5", "b@2"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "b=3"]);
    check::<P>(dir.path());
}

/// Returns the ids of the rows that a pass has brought.
fn brought<P: Place>(dir: &Path, load: &str, pass: &str) -> Vec<String> {
    let chunk = of(load, &[], pass);
    let table = &chunk.tables().next().unwrap().schema;
    let mut ids = Vec::new();
    let rows = Brought::new(table, &["n", "_etl_id"][1..], pass);
    let known = opened::<P>(dir, load).brought(&rows, &mut |texts| {
        ids.extend(texts[0].map(str::to_owned));
        Ok(())
    });
    assert!(known.unwrap());
    ids.sort();
    ids
}

pub fn a_resumed_pass_knows_what_it_has_seen<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    let four = [THREE[0], THREE[1], THREE[2], ("d", 4, &[4])];
    run::<P>(dir.path(), "1", &[&[of("1", &four, "1")]]);
    run::<P>(
        dir.path(),
        "2",
        &[&[of("2", &four[..1], "2")], &[of("2", &four[1..2], "2")]],
    );
    // A killed run, runs of another kind and runs that bring nothing change nothing of it.
    P::kill(dir.path(), &of("3", &four[2..3], "2"));
    let mut bounded = PassMark::new("3");
    bounded.scope = "~2024.. ".to_owned();
    run::<P>(dir.path(), "3", &[&[hashed("3", &four[3..], bounded)]]);
    run::<P>(dir.path(), "4", &[&[]]);
    assert_eq!(brought::<P>(dir.path(), "5", "2"), ["a", "b"]);
    let changed = [("e", 5, &[5][..])];
    run::<P>(dir.path(), "5", &[&[last("5", &changed, "2", None)]]);
    assert_eq!(loads::<P>(dir.path()), ["a@1", "b@1", "e@5"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "b=3", "e=5"]);
    check::<P>(dir.path());
    // What the pass has seen is forgotten.
    run::<P>(dir.path(), "6", &[&[last("6", &changed, "6", None)]]);
    assert_eq!(loads::<P>(dir.path()), ["e@5"]);
}

pub fn a_new_pass_has_seen_nothing<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    run::<P>(dir.path(), "1", &[&[of("1", &THREE, "1")]]);
    run::<P>(dir.path(), "2", &[&[of("2", &THREE[..2], "2")]]);
    run::<P>(dir.path(), "3", &[&[of("3", &THREE[1..], "3")]]);
    assert_eq!(brought::<P>(dir.path(), "4", "3"), ["b", "c"]);
    run::<P>(dir.path(), "4", &[&[last("4", &[], "3", None)]]);
    assert_eq!(loads::<P>(dir.path()), ["b@1", "c@1"]);
}

pub fn a_rollback_keeps_unchanged_records<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    run::<P>(dir.path(), "1", &[&[of("1", &THREE, "1")]]);
    let second = [THREE[0], ("b", 5, &[6]), THREE[2]];
    run::<P>(dir.path(), "2", &[&[of("2", &second, "2")]]);
    let undone = opened::<P>(dir.path(), "3").rollback(&["2".to_owned()]);
    let undone = undone.unwrap();
    assert_eq!((undone[0].removed, undone[0].lost), (Some(1), 1));
    assert_eq!(loads::<P>(dir.path()), ["a@1", "c@1"]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2"]);
    // The next load restores the record, and writes nothing else.
    run::<P>(dir.path(), "4", &[&[of("4", &THREE, "4")]]);
    assert_eq!(loads::<P>(dir.path()), ["a@1", "b@4", "c@1"]);
    // What a pass has seen in a load that is rolled back, it has not seen.
    run::<P>(dir.path(), "5", &[&[of("5", &THREE[..1], "5")]]);
    run::<P>(dir.path(), "6", &[&[of("6", &THREE[1..2], "5")]]);
    let undone = opened::<P>(dir.path(), "7").rollback(&["6".to_owned()]);
    assert_eq!(undone.unwrap()[0].removed, Some(0));
    run::<P>(dir.path(), "8", &[&[last("8", &THREE[2..], "5", None)]]);
    assert_eq!(loads::<P>(dir.path()), ["a@1", "c@1"]);
    check::<P>(dir.path());
}

/// The ids that a pass has found unchanged are dropped when it ends. If the load that ends it is rolled back, the pass must not
/// go on: its end would delete those records.
pub fn a_rollback_forgets_a_pass_in_progress<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) {
        return;
    }
    let state = |value: &str| [StateChange::Put(StateRow::new("orders", "", value))];
    let load = |id: &str, chunk: Chunk, value: &str| {
        let mut open = opened::<P>(dir.path(), id);
        open.write(chunk).unwrap();
        let state = state(value);
        let commit = Commit::new(1, &state, &LoadStatus::Complete);
        open.commit(&commit).unwrap();
    };
    load("1", of("1", &THREE, "1"), r#"{"done":"1"}"#);
    let open = r#"{"pass":{"id":"2"},"done":"1"}"#;
    load("2", of("2", &THREE[..2], "2"), open);
    load("3", last("3", &THREE[2..], "2", None), r#"{"done":"2"}"#);
    opened::<P>(dir.path(), "4")
        .rollback(&["3".to_owned()])
        .unwrap();
    let memory = P::at(dir.path()).open(&support::load("5")).unwrap();
    let row = StateRow::new("orders", "", r#"{"done":"1"}"#);
    assert_eq!(memory.state, [row]);
    check::<P>(dir.path());
}

pub fn a_migration_keeps_what_a_pass_has_seen<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !applies::<P>(dir.path()) || !P::at(dir.path()).capabilities().migrates {
        return;
    }
    run::<P>(dir.path(), "1", &[&[of("1", &THREE, "1")]]);
    run::<P>(dir.path(), "2", &[&[of("2", &THREE[..2], "2")]]);
    let mut destination = P::at(dir.path());
    let memory = destination.open(&load("3")).unwrap();
    let changes: Vec<TableChange> = memory.tables.iter().map(renamed).collect();
    destination.migrate(&changes, &[]).unwrap();
    drop(destination);
    let mut end = last("4", &[], "2", None);
    tables_of(&mut end).clear();
    run::<P>(dir.path(), "4", &[&[end]]);
    let rows = P::rows(dir.path(), "orders", &["_etl_id", "number"]);
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    rows.sort();
    let row = |id: &str, n: &str| (Some(id.to_owned()), Some(n.to_owned()));
    assert_eq!(rows, [row("a", "1"), row("b", "2")]);
    assert_eq!(lines::<P>(dir.path()), ["a=1", "a=2", "b=3"]);
}

/// Renames the column `n` of the root table.
fn renamed(table: &crate::schema::TableSchema) -> TableChange {
    let mut to = table.clone();
    for column in to.columns.iter_mut().filter(|column| column.name == "n") {
        column.name = "number".to_owned();
    }
    TableChange {
        to: Some(to),
        ..TableChange::drop(table.clone())
    }
}
