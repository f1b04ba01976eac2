//! Small chunks, runs, and what a reader with a glob finds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::Schema;

use crate::load::parquet::{Parquet, files};
use crate::load::{Chunk, Destination, LoadInfo, LoadStatus};
use crate::schema::{Column, ColumnRole, ColumnType, Disposition, TableBatch, TableSchema};

/// A record: its id, a value (`None`: the column is not there), its child rows.
pub type Rec<'a> = (&'a str, i64, &'a [i64]);

pub fn column(name: &str, ty: ColumnType, role: ColumnRole) -> Column {
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

pub fn batch(schema: TableSchema, columns: Vec<ArrayRef>) -> TableBatch {
    let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
    TableBatch {
        rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(),
        schema: Arc::new(schema),
    }
}

/// The tables `orders` (`_etl_id`, `n`, and `more` if there is one) and `orders__lines`.
pub fn tables(records: &[Rec<'_>], more: Option<&str>) -> Vec<TableBatch> {
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

pub fn chunk(disposition: Disposition, records: &[Rec<'_>]) -> Chunk {
    Chunk {
        resource: "orders".into(),
        disposition,
        tables: tables(records, None),
        begins_pass: false,
        ends_pass: false,
    }
}

pub fn pass(records: &[Rec<'_>], begins_pass: bool, ends_pass: bool) -> Chunk {
    Chunk {
        begins_pass,
        ends_pass,
        ..chunk(Disposition::Replace, records)
    }
}

pub fn load(id: &str) -> LoadInfo {
    LoadInfo {
        id: id.to_owned(),
        source: "shop".to_owned(),
    }
}

pub fn opened(folder: &Path, id: &str) -> Parquet {
    let mut destination = Parquet::new(folder);
    destination.open(&load(id)).unwrap();
    destination
}

/// A whole run: one commit after each group of chunks.
pub fn run(folder: &Path, id: &str, commits: &[&[Chunk]]) {
    let mut destination = opened(folder, id);
    for chunks in commits {
        for chunk in *chunks {
            destination.write(chunk).unwrap();
        }
        destination.commit(&[], LoadStatus::Running).unwrap();
    }
}

/// The data files of a table, as a glob finds them.
pub fn glob(folder: &Path, table: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(table)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The rows of a table as a glob finds them: `id=n`, sorted.
pub fn rows(folder: &Path, table: &str) -> Vec<String> {
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

pub fn staged(folder: &Path, table: &str) -> usize {
    glob(&folder.join("_etl/staging"), table).len()
}

/// What the manifest counts is what the glob finds.
pub fn check(folder: &Path) {
    let counts = opened(folder, "9").row_counts().unwrap();
    assert_eq!(counts.len(), 2);
    for (table, count) in counts {
        assert_eq!(count as usize, rows(folder, &table).len(), "{table}");
        assert!(!glob(folder, &table).is_empty(), "{table} has a file");
    }
}
