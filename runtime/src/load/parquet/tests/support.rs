//! Small chunks, runs, and a reader with a glob.

use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::load::conformance::Place;
pub use crate::load::conformance::support::{
    Rec, chunk, chunk_of, drifted, load, pass, tables, tables_of,
};
use crate::load::parquet::{Parquet, files};
use crate::load::{Chunk, Commit, Destination, LoadStatus};
use crate::schema::Done;
use crate::text::{base64, decimal};

/// The folder, for tests of every destination.
pub struct ParquetFolder;

impl Place for ParquetFolder {
    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(Parquet::new(dir))
    }

    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let mut found = Vec::new();
        for path in glob(dir, table) {
            files::read(&path, &[], |rows| {
                let row = |at: usize| {
                    let cell = |name: &&str| cell(rows.column_by_name(name)?, at);
                    columns.iter().map(cell).collect()
                };
                found.extend((0..rows.num_rows()).map(row));
                Ok(())
            })
            .unwrap();
        }
        found
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        fs::create_dir_all(dir.join(table)).is_ok()
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        kill_before_manifest(dir, chunk);
    }
}

/// Returns a value as text, in the form of SQLite.
fn cell(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let array = array.as_ref();
    Some(match array.data_type() {
        DataType::Boolean => u8::from(array.as_boolean().value(row)).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Timestamp(..) => {
            crate::record::sortable(array.as_primitive::<TimestampMicrosecondType>().value(row))
                .as_str()
                .to_owned()
        }
        DataType::Date32 => crate::record::day(array.as_primitive::<Date32Type>().value(row))
            .as_str()
            .to_owned(),
        DataType::Binary => base64(array.as_binary::<i32>().value(row)),
        _ => array.as_string::<i32>().value(row).to_owned(),
    })
}

pub fn opened(folder: &Path, id: &str) -> Parquet {
    let mut destination = Parquet::new(folder);
    destination.open(&load(id)).unwrap();
    destination
}

/// Runs a load with one commit after each group of chunks.
pub fn run(folder: &Path, id: &str, commits: &[&[Chunk]]) {
    let mut destination = opened(folder, id);
    for chunks in commits {
        for chunk in *chunks {
            destination.write(chunk.clone()).unwrap();
        }
        destination
            .commit(&Commit::new(1, &[], &LoadStatus::Running))
            .unwrap();
    }
}

/// Returns the data files of a table, as a glob finds them.
pub fn glob(folder: &Path, table: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(table)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Returns the rows of a table as a glob finds them: `id=n`, sorted.
pub fn rows(folder: &Path, table: &str) -> Vec<String> {
    match table {
        "orders" => crate::load::conformance::support::orders::<ParquetFolder>(folder),
        _ => crate::load::conformance::support::lines::<ParquetFolder>(folder),
    }
}

pub fn staged(folder: &Path, table: &str) -> usize {
    glob(&folder.join("_etl/staging"), table).len()
}

/// Checks that the manifest's counts equal those of the glob.
pub fn check(folder: &Path) {
    let counts = opened(folder, "9").row_counts().unwrap();
    assert_eq!(counts.len(), 2);
    for (table, count) in counts {
        assert_eq!(count as usize, rows(folder, &table).len(), "{table}");
        assert!(!glob(folder, &table).is_empty(), "{table} has a file");
    }
}

/// Runs a commit up to, but without, the new manifest.
pub fn kill_before_manifest(folder: &Path, chunk: &Chunk) {
    let manifest = folder.join("_etl/manifest.json");
    let before = fs::read(&manifest).ok();
    let mut killed = opened(folder, "7");
    killed.write(chunk.clone()).unwrap();
    let met = drifted("killed", Done::Columns);
    killed.drift("orders", &[(met, 1)]).unwrap();
    let blocked = folder.join("_etl/manifest.json.new");
    fs::create_dir(&blocked).unwrap();
    killed
        .commit(&Commit::new(1, &[], &LoadStatus::Complete))
        .unwrap_err();
    drop(killed);
    fs::remove_dir(&blocked).unwrap();
    assert_eq!(fs::read(&manifest).ok(), before);
}
