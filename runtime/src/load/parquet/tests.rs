//! The folder after loads, kills and mistakes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::Schema;

use super::*;
use crate::schema::{Column, ColumnRole, ColumnType, TableBatch};
use crate::state::StateRow;

/// A record: its id, a value (`None`: the column is not there), its child rows.
type Rec<'a> = (&'a str, i64, &'a [i64]);

fn column(name: &str, ty: ColumnType, role: ColumnRole) -> Column {
    Column {
        name: name.to_owned(),
        ty,
        role,
        path: match role {
            ColumnRole::Data => format!("/{name}"),
            _ => String::new(),
        },
    }
}

fn batch(schema: TableSchema, columns: Vec<ArrayRef>) -> TableBatch {
    let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
    TableBatch {
        rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(),
        schema: Arc::new(schema),
    }
}

/// The tables `orders` (`_etl_id`, `n`, and `more` if there is one) and `orders__lines`.
fn tables(records: &[Rec<'_>], more: Option<&str>) -> Vec<TableBatch> {
    let mut root = TableSchema {
        name: "orders".into(),
        resource: "orders".into(),
        parent: None,
        path: String::new(),
        columns: vec![
            column("_etl_id", ColumnType::Text, ColumnRole::RowId),
            column("n", ColumnType::Int64, ColumnRole::Data),
        ],
    };
    let ids: StringArray = records.iter().map(|record| Some(record.0)).collect();
    let values: Int64Array = records.iter().map(|record| Some(record.1)).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(values)];
    if let Some(more) = more {
        root.columns
            .push(column(more, ColumnType::Text, ColumnRole::Data));
        let values: StringArray = records.iter().map(|_| Some("new")).collect();
        columns.push(Arc::new(values));
    }
    let lines = TableSchema {
        name: "orders__lines".into(),
        resource: "orders".into(),
        parent: Some("orders".into()),
        path: "/lines".into(),
        columns: vec![
            column("_etl_id", ColumnType::Text, ColumnRole::RowId),
            column("_etl_root_id", ColumnType::Text, ColumnRole::RootId),
            column("v", ColumnType::Int64, ColumnRole::Data),
        ],
    };
    let flat: Vec<(&str, i64)> = records
        .iter()
        .flat_map(|record| record.2.iter().map(|value| (record.0, *value)))
        .collect();
    let child: StringArray = flat
        .iter()
        .map(|(id, v)| Some(format!("{id}{v}")))
        .collect();
    let roots: StringArray = flat.iter().map(|(id, _)| Some(*id)).collect();
    let values: Int64Array = flat.iter().map(|(_, value)| Some(*value)).collect();
    let children = vec![
        Arc::new(child) as ArrayRef,
        Arc::new(roots),
        Arc::new(values),
    ];
    vec![batch(root, columns), batch(lines, children)]
}

fn chunk(disposition: Disposition, records: &[Rec<'_>]) -> Chunk {
    Chunk {
        resource: "orders".into(),
        disposition,
        tables: tables(records, None),
        begins_pass: false,
        ends_pass: false,
    }
}

fn pass(records: &[Rec<'_>], begins_pass: bool, ends_pass: bool) -> Chunk {
    Chunk {
        begins_pass,
        ends_pass,
        ..chunk(Disposition::Replace, records)
    }
}

fn load(id: &str) -> LoadInfo {
    LoadInfo {
        id: id.to_owned(),
        source: "shop".to_owned(),
    }
}

fn opened(folder: &Path, id: &str) -> Parquet {
    let mut destination = Parquet::new(folder);
    destination.open(&load(id)).unwrap();
    destination
}

/// A whole run: one commit after each group of chunks.
fn run(folder: &Path, id: &str, commits: &[&[Chunk]]) {
    let mut destination = opened(folder, id);
    for chunks in commits {
        for chunk in *chunks {
            destination.write(chunk).unwrap();
        }
        destination.commit(&[], LoadStatus::Running).unwrap();
    }
}

/// The data files of a table, as a glob finds them.
fn glob(folder: &Path, table: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(table)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The rows of a table as a glob finds them: `id=n`, sorted.
fn rows(folder: &Path, table: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in glob(folder, table) {
        files::read(&path, None, |rows| {
            let value = if table == "orders" { "n" } else { "v" };
            let key = if table == "orders" {
                "_etl_id"
            } else {
                "_etl_root_id"
            };
            let ids = rows.column_by_name(key).unwrap().as_string::<i32>();
            let values = rows.column_by_name(value).unwrap();
            let values = values.as_primitive::<Int64Type>();
            let row = |at| format!("{}={}", ids.value(at), values.value(at));
            found.extend((0..rows.num_rows()).map(row));
            Ok(())
        })
        .unwrap();
    }
    found.sort();
    found
}

fn staged(folder: &Path, table: &str) -> usize {
    glob(&folder.join("_etl/staging"), table).len()
}

/// What the manifest counts is what the glob finds.
fn check(folder: &Path) {
    let counts = opened(folder, "9").row_counts().unwrap();
    assert_eq!(counts.len(), 2);
    for (table, count) in counts {
        assert_eq!(count as usize, rows(folder, &table).len(), "{table}");
        assert!(!glob(folder, &table).is_empty(), "{table} has a file");
    }
}

#[test]
fn append_leaves_out_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let append = |records: &[Rec<'_>]| chunk(Disposition::Append, records);
    let first = append(&[("a", 1, &[1, 2]), ("b", 2, &[])]);
    run(dir.path(), "1", &[&[first.clone()]]);
    let again = append(&[("c", 3, &[5]), ("a", 9, &[9]), ("d", 4, &[])]);
    run(dir.path(), "2", &[&[first, again.clone(), again]]);
    assert_eq!(rows(dir.path(), "orders"), ["a=1", "b=2", "c=3", "d=4"]);
    assert_eq!(rows(dir.path(), "orders__lines"), ["a=1", "a=2", "c=5"]);
    check(dir.path());
}

#[test]
fn merge_replaces_a_record_and_its_child_rows() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    let first = merge(&[("a", 1, &[1, 2]), ("b", 2, &[7]), ("c", 3, &[])]);
    let second = merge(&[("a", 5, &[3]), ("d", 4, &[4])]);
    run(dir.path(), "1", &[&[first.clone()], &[second.clone()]]);
    let check_all = || {
        assert_eq!(rows(dir.path(), "orders"), ["a=5", "b=2", "c=3", "d=4"]);
        assert_eq!(rows(dir.path(), "orders__lines"), ["a=3", "b=7", "d=4"]);
        check(dir.path());
    };
    check_all();
    // The small batches have become one.
    assert_eq!(glob(dir.path(), "orders").len(), 1);
    run(dir.path(), "2", &[&[first.clone(), second.clone()]]);
    check_all();
    run(dir.path(), "3", &[&[first], &[second]]);
    check_all();
}

#[test]
fn a_record_that_comes_again_before_the_commit_is_one_row() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    let chunks = [
        merge(&[("a", 1, &[1]), ("b", 1, &[1])]),
        merge(&[("a", 2, &[2])]),
        merge(&[("b", 3, &[]), ("a", 3, &[3])]),
    ];
    run(dir.path(), "1", &[&chunks]);
    assert_eq!(rows(dir.path(), "orders"), ["a=3", "b=3"]);
    assert_eq!(rows(dir.path(), "orders__lines"), ["a=3"]);
    assert!(!dir.path().join("_etl/staging/orders").exists());
    check(dir.path());
}

#[test]
fn a_large_batch_keeps_files_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..space::SMALL + 100).map(|id| format!("r{id}")).collect();
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
    // All in one commit, then over several runs.
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
fn a_pass_that_is_killed_leaves_the_old_rows() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "1", &[&[pass(&[("a", 1, &[1])], true, true)]]);
    let mut killed = opened(dir.path(), "2");
    killed.write(&pass(&[("b", 2, &[])], true, false)).unwrap();
    killed.commit(&[], LoadStatus::Running).unwrap();
    killed.write(&pass(&[("c", 3, &[])], false, true)).unwrap();
    drop(killed);
    assert_eq!(rows(dir.path(), "orders"), ["a=1"]);
    check(dir.path());
    assert_eq!(rows(dir.path(), "orders"), ["a=1"]);
    assert_eq!(staged(dir.path(), "orders"), 1, "what was committed stays");
    // It goes on from there; a new pass would drop it.
    run(dir.path(), "3", &[&[pass(&[("d", 4, &[])], false, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["b=2", "d=4"]);
    run(dir.path(), "4", &[&[pass(&[("e", 4, &[])], true, false)]]);
    run(dir.path(), "5", &[&[pass(&[("f", 4, &[])], true, true)]]);
    assert_eq!(rows(dir.path(), "orders"), ["f=4"]);
    check(dir.path());
}

/// Runs a commit of which everything happens but the new manifest.
fn kill_before_manifest(folder: &Path, chunk: &Chunk) {
    let manifest = folder.join("_etl/manifest.json");
    let before = fs::read(&manifest).ok();
    let mut killed = opened(folder, "7");
    killed.write(chunk).unwrap();
    let blocked = folder.join("_etl/manifest.json.new");
    fs::create_dir(&blocked).unwrap();
    killed.commit(&[], LoadStatus::Complete).unwrap_err();
    drop(killed);
    fs::remove_dir(&blocked).unwrap();
    assert_eq!(fs::read(&manifest).ok(), before);
}

#[test]
fn files_without_a_manifest_are_cleaned_up() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>]| chunk(Disposition::Merge, records);
    // The very first commit: the tables are nobody's yet.
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
    // A merge, and a pass of which files were committed as staged.
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
fn one_run_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened(dir.path(), "1");
    let error = Parquet::new(dir.path()).open(&load("2")).unwrap_err();
    assert!(error.to_string().contains("another run"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Destination);
    drop(first);
    opened(dir.path(), "2");
}

#[test]
fn columns_are_only_added() {
    let dir = tempfile::tempdir().unwrap();
    let merge = |records: &[Rec<'_>], more| Chunk {
        tables: tables(records, more),
        ..chunk(Disposition::Merge, records)
    };
    let old = merge(&[("a", 1, &[1]), ("b", 2, &[])], None);
    // Within a commit, then over old files.
    run(
        dir.path(),
        "1",
        &[&[old.clone(), merge(&[("c", 3, &[])], Some("more"))]],
    );
    assert_eq!(rows(dir.path(), "orders"), ["a=1", "b=2", "c=3"]);
    assert_eq!(glob(dir.path(), "orders").len(), 2);
    run(dir.path(), "2", &[&[merge(&[("a", 5, &[])], Some("more"))]]);
    assert_eq!(rows(dir.path(), "orders"), ["a=5", "b=2", "c=3"]);
    // The rows of the file that was written anew have the column too.
    let mut values = Vec::new();
    for path in glob(dir.path(), "orders") {
        files::read(&path, Some("more"), |rows| {
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
    assert_eq!(*orders, *merge(&[], Some("more")).tables[0].schema);
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
    let wider = Chunk {
        tables: tables(&[], Some("more")),
        ..chunk(Disposition::Merge, &[])
    };
    run(dir.path(), "3", &[&[wider]]);
    assert_eq!(columns(), [2, 3]);
    check(dir.path());
}

#[test]
fn state_and_loads_are_remembered_with_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Parquet::new(dir.path()).exists());
    let row = |slice: &str, value: &str| StateRow {
        resource: "orders".into(),
        slice: slice.into(),
        value: value.into(),
    };
    let mut destination = opened(dir.path(), "1.5");
    let put = |slice, value| StateChange::Put(row(slice, value));
    destination
        .write(&chunk(Disposition::Merge, &[("a", 1, &[])]))
        .unwrap();
    destination
        .commit(&[put("x", "1"), put("y", "{}")], LoadStatus::Running)
        .unwrap();
    let forget = StateChange::Forget {
        resource: "orders".into(),
        slice: "x".into(),
    };
    destination
        .commit(&[forget, put("y", "[2]")], LoadStatus::Complete)
        .unwrap();
    drop(destination);
    let mut again = Parquet::new(dir.path());
    assert!(again.exists());
    let memory = again.open(&load("2")).unwrap();
    assert_eq!(memory.state, [row("y", "[2]")]);
    let names: Vec<_> = memory.tables.iter().map(|table| &table.name).collect();
    assert_eq!(names, ["orders", "orders__lines"]);
    let manifest = again.folder.read().unwrap();
    let loads = &manifest.sources["shop"].loads;
    assert_eq!(loads.len(), 1);
    assert_eq!((loads[0].status.as_str(), loads[0].rows), ("complete", 1));
    assert!(glob(dir.path(), "orders")[0].ends_with("1.5-0.parquet"));
}

#[test]
fn tables_of_others_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let rows = chunk(Disposition::Merge, &[("a", 1, &[])]);
    fs::create_dir(dir.path().join("orders__lines")).unwrap();
    let error = opened(dir.path(), "1").write(&rows).unwrap_err();
    assert!(error.to_string().contains("`orders__lines`"), "{error}");
    fs::remove_dir(dir.path().join("orders__lines")).unwrap();
    run(dir.path(), "1", &[&[rows.clone()]]);
    let mut other = Parquet::new(dir.path());
    let source = "other".to_owned();
    let memory = other
        .open(&LoadInfo {
            source,
            ..load("2")
        })
        .unwrap();
    assert!(memory.tables.is_empty());
    other.write(&rows).unwrap_err();
    let mut odd = rows.clone();
    for name in ["../x", "", "a/b", "_etl"] {
        let schema = TableSchema {
            name: name.to_owned(),
            ..(*rows.tables[0].schema).clone()
        };
        odd.tables[0].schema = Arc::new(schema);
        other.write(&odd).unwrap_err();
    }
    drop(other);
    check(dir.path());
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
        let error = error.to_string();
        assert!(
            error.contains("manifest") && error.contains("hint"),
            "{error}"
        );
        assert_eq!(glob(dir.path(), "orders").len(), 1, "nothing is removed");
    }
    fs::write(&manifest, whole).unwrap();
    fs::remove_file(&glob(dir.path(), "orders")[0]).unwrap();
    let error = Parquet::new(dir.path()).open(&load("2")).unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Parquet::new(&file).open(&load("2")).unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
}
