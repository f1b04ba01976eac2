//! Small chunks, and runs with them.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow_schema::Schema;
use xxhash_rust::xxh3::xxh3_64;

use super::Place;
use crate::load::{Chunk, Commit, Destination, LoadInfo, LoadStatus, Operation, PassMark};
use crate::schema::{
    ArrowType, Column, ColumnRole, ColumnType, Disposition, Done, Drifted, Layout, TableBatch,
    TableSchema,
};

/// A record: its id, a value, its child rows.
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

/// Builds the tables `orders` (`_etl_id`, `n`, and `more` if there is one) and `orders__lines`.
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
    chunk_of(disposition, tables(records, None))
}

pub fn chunk_of(disposition: Disposition, tables: Vec<TableBatch>) -> Chunk {
    let operation = match disposition {
        Disposition::Append => Operation::Append(tables),
        Disposition::Merge => Operation::Merge(tables),
        Disposition::Replace => return pass_of(tables, false, false),
    };
    Chunk::new("orders", [operation])
}

pub fn pass(records: &[Rec<'_>], first: bool, publishes: bool) -> Chunk {
    pass_of(tables(records, None), first, publishes)
}

pub fn pass_of(tables: Vec<TableBatch>, first: bool, publishes: bool) -> Chunk {
    let publish = publishes.then_some(Operation::Publish);
    let stage = Operation::Stage { tables, first };
    Chunk::new("orders", [stage].into_iter().chain(publish))
}

/// Returns the chunk with more operations after its own.
pub fn and(mut chunk: Chunk, operation: Operation) -> Chunk {
    chunk.operations.push(operation);
    chunk
}

/// Returns the tables of the first operation of a chunk.
pub fn tables_of(chunk: &mut Chunk) -> &mut Vec<TableBatch> {
    match chunk.operations.first_mut() {
        Some(
            Operation::Append(tables) | Operation::Merge(tables) | Operation::Stage { tables, .. },
        ) => tables,
        _ => panic!("no tables"),
    }
}

/// Returns a chunk whose root rows hold the id of the load.
pub fn brought_by(load: &str, records: &[Rec<'_>]) -> Chunk {
    let mut chunk = chunk(Disposition::Merge, records);
    let root = &mut tables_of(&mut chunk)[0];
    let mut schema = (*root.schema).clone();
    let by = column("_etl_load_id", ColumnType::Text, ColumnRole::LoadId);
    schema.columns.push(by);
    let loads: StringArray = records.iter().map(|_| Some(load)).collect();
    let mut columns = root.rows.columns().to_vec();
    columns.push(Arc::new(loads));
    *root = batch(schema, columns);
    chunk
}

/// Returns a chunk whose root rows hold the id of the load, the content hash and a mark that is not set, as a run
/// delivers them that belongs to a pass.
pub fn hashed(load: &str, records: &[Rec<'_>], pass: PassMark) -> Chunk {
    let mut chunk = brought_by(load, records);
    let root = &mut tables_of(&mut chunk)[0];
    let mut schema = (*root.schema).clone();
    let mut columns = root.rows.columns().to_vec();
    let hash = |(_, n, lines): &Rec<'_>| xxh3_64(format!("{n} {lines:?}").as_bytes());
    let hashes = records.iter().map(|record| hash(record).cast_signed());
    let hashes: Int64Array = hashes.map(Some).collect();
    schema.columns.push(column(
        "_etl_hash",
        ColumnType::Int64,
        ColumnRole::ContentHash,
    ));
    columns.push(Arc::new(hashes));
    let mark = column(
        "_etl_deleted_at",
        ColumnType::Timestamp,
        ColumnRole::DeletedAt,
    );
    columns.push(new_null_array(&mark.ty.arrow(), records.len()));
    schema.columns.push(mark);
    *root = batch(schema, columns);
    chunk.of_pass(pass)
}

pub fn load(id: &str) -> LoadInfo {
    LoadInfo::new(id, "shop", Layout::Etl)
}

/// Returns a row of `_etl_drift`.
pub fn drifted(keys: &str, done: Done) -> Drifted {
    Drifted {
        table: "orders".to_owned(),
        keys: keys.to_owned(),
        came: "text",
        done,
    }
}

pub fn opened<P: Place>(dir: &Path, id: &str) -> Box<dyn Destination> {
    let mut destination = P::at(dir);
    destination.open(&load(id)).unwrap();
    destination
}

/// Runs a load with one commit after each group of chunks.
pub fn run<P: Place>(dir: &Path, id: &str, commits: &[&[Chunk]]) {
    let mut destination = opened::<P>(dir, id);
    for (number, chunks) in (1..).zip(commits) {
        for chunk in *chunks {
            destination.write(chunk.clone()).unwrap();
        }
        let commit = Commit::new(number, &[], &LoadStatus::Running);
        destination.commit(&commit).unwrap();
    }
}

/// Returns the records as a reader finds them: `id=n`, sorted.
pub fn orders<P: Place>(dir: &Path) -> Vec<String> {
    pairs::<P>(dir, "orders", "_etl_id", "n")
}

/// Returns their child rows: `id=v`, sorted.
pub fn lines<P: Place>(dir: &Path) -> Vec<String> {
    pairs::<P>(dir, "orders__lines", "_etl_root_id", "v")
}

fn pairs<P: Place>(dir: &Path, table: &str, key: &str, value: &str) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let rows = P::rows(dir, table, &[key, value]);
    let mut rows: Vec<String> = rows
        .iter()
        .map(|row| format!("{}={}", text(&row[0]), text(&row[1])))
        .collect();
    rows.sort();
    rows
}

/// Checks that the destination's counts equal those of a reader.
pub fn check<P: Place>(dir: &Path) {
    let counts = opened::<P>(dir, "9").row_counts().unwrap();
    let found = [
        ("orders".to_owned(), orders::<P>(dir).len() as u64),
        ("orders__lines".to_owned(), lines::<P>(dir).len() as u64),
    ];
    assert_eq!(counts, found);
}
