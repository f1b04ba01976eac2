//! Migrations of tables.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, StringArray};

use super::Place;
use super::support::*;
use crate::error::{Error, ErrorKind};
use crate::load::{Commit, Destination, LoadStatus, TableChange};
use crate::schema::{ColumnType, Disposition, TableSchema};
use crate::state::{StateChange, StateRow};

/// Returns changes that rename `orders` and its lines to `sales`, and turn the number `n` into the
/// text `amount`. With `fails`, the last table cannot be written.
fn renamed(destination: &mut dyn Destination, fails: bool) -> Vec<TableChange> {
    let tables = destination.open(&load("2")).unwrap().tables;
    let change = |from: TableSchema| {
        let mut to = TableSchema {
            name: from.name.replace("orders", "sales"),
            resource: "sales".into(),
            parent: from.parent.as_ref().map(|_| "sales".into()),
            ..from.clone()
        };
        let is_root = to.parent.is_none();
        if is_root {
            to.columns[1].ty = ColumnType::Text;
            to.columns[1].name = "amount".into();
        }
        let fails = fails && !is_root;
        TableChange {
            from,
            to: Some(to),
            anew: vec![1],
            values: Box::new(move |rows| {
                if fails {
                    return Err(Error::new(ErrorKind::Destination, "dead"));
                }
                let column = rows.column(1);
                let texts: StringArray = match column.as_primitive_opt::<Int64Type>() {
                    Some(numbers) => numbers.iter().map(|n| n.map(|n| n.to_string())).collect(),
                    None => return Ok(vec![column.clone()]),
                };
                Ok(vec![Arc::new(texts) as ArrayRef])
            }),
        }
    };
    tables.into_iter().map(change).collect()
}

fn state() -> Vec<StateChange> {
    vec![StateChange::Put(StateRow {
        resource: "sales".into(),
        slice: String::new(),
        value: "{}".into(),
    })]
}

fn filled<P: Place>(dir: &std::path::Path) {
    let first = chunk(Disposition::Merge, &[("a", 1, &[10, 11]), ("b", 2, &[])]);
    let second = chunk(Disposition::Merge, &[("c", 3, &[30])]);
    run::<P>(dir, "1", &[&[first], &[second]]);
}

pub fn tables_change_with_the_state<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !P::at(dir.path()).capabilities().migrates {
        return;
    }
    filled::<P>(dir.path());
    let mut destination = P::at(dir.path());
    let changes = renamed(&mut *destination, false);
    destination.migrate(&changes, &state()).unwrap();
    // The same run continues.
    drop(destination);
    let mut destination = P::at(dir.path());
    let memory = destination.open(&load("3")).unwrap();
    assert_eq!(memory.state.len(), 1);
    let names: Vec<&str> = memory.tables.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["sales", "sales__lines"]);
    assert_eq!(memory.tables[0].columns[1].ty, ColumnType::Text);
    let mut rows = P::rows(dir.path(), "sales", &["_etl_id", "amount"]);
    rows.sort();
    let text = |text: &str| Some(text.to_owned());
    let expected = [("a", "1"), ("b", "2"), ("c", "3")];
    assert_eq!(rows, expected.map(|(id, n)| vec![text(id), text(n)]));
    assert_eq!(P::rows(dir.path(), "sales__lines", &["v"]).len(), 3);
    assert!(P::rows(dir.path(), "orders", &["_etl_id"]).is_empty());
    assert_eq!(destination.row_counts().unwrap()[1].1, 3);
    // The name is free again.
    let again = chunk(Disposition::Merge, &[("z", 9, &[])]);
    destination.write(again).unwrap();
    destination
        .commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap();
    assert_eq!(orders::<P>(dir.path()), ["z=9"]);
}

pub fn a_migration_that_dies_leaves_the_last_commit<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !P::at(dir.path()).capabilities().migrates {
        return;
    }
    filled::<P>(dir.path());
    let before = (orders::<P>(dir.path()), lines::<P>(dir.path()));
    let mut destination = P::at(dir.path());
    let changes = renamed(&mut *destination, true);
    destination.migrate(&changes, &state()).unwrap_err();
    drop(destination);
    let mut destination = P::at(dir.path());
    assert!(destination.open(&load("3")).unwrap().state.is_empty());
    drop(destination);
    assert_eq!(before, (orders::<P>(dir.path()), lines::<P>(dir.path())));
    check::<P>(dir.path());
    assert!(P::rows(dir.path(), "sales", &["_etl_id"]).is_empty());
}

pub fn a_table_of_another_is_not_taken<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !P::at(dir.path()).capabilities().migrates {
        return;
    }
    filled::<P>(dir.path());
    P::foreign(dir.path(), "sales");
    let mut destination = P::at(dir.path());
    let changes = renamed(&mut *destination, false);
    let error = destination.migrate(&changes, &state()).unwrap_err();
    assert!(
        error.report().contains("table `sales` exists already"),
        "{error}"
    );
    drop(destination);
    check::<P>(dir.path());
}

pub fn tables_go<P: Place>() {
    let dir = tempfile::tempdir().unwrap();
    if !P::at(dir.path()).capabilities().migrates {
        return;
    }
    filled::<P>(dir.path());
    let mut destination = P::at(dir.path());
    let tables = destination.open(&load("2")).unwrap().tables;
    let changes: Vec<TableChange> = tables.into_iter().map(TableChange::drop).collect();
    destination.migrate(&changes, &[]).unwrap();
    drop(destination);
    let memory = P::at(dir.path()).open(&load("3")).unwrap();
    assert!(memory.tables.is_empty());
    assert!(P::rows(dir.path(), "orders", &["_etl_id"]).is_empty());
}
