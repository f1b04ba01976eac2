//! Small chunks, runs, and a reader with a glob.

use std::fs;
use std::path::{Path, PathBuf};

use crate::load::conformance::Place;
pub use crate::load::conformance::support::{
    Rec, chunk, chunk_of, drifted, load, pass, tables, tables_of,
};
use crate::load::lake::cells;
use crate::load::parquet::Parquet;
use crate::load::{Chunk, Commit, Destination, LoadStatus};
use crate::schema::Done;

/// The folder, for tests of every destination.
pub struct ParquetFolder;

impl Place for ParquetFolder {
    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(Parquet::new(dir))
    }

    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let files = glob(dir, table).into_iter();
        files
            .flat_map(|path| cells::rows(fs::File::open(path).unwrap(), columns))
            .collect()
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        fs::create_dir_all(dir.join(table)).is_ok()
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        kill_before_manifest(dir, chunk);
    }
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
