//! The manifest lists what was committed. Replacing it is the commit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::batch::{Batch, FileInfo};
use super::names::{ENDING, is_folder_name, parse};
use crate::error::{Error, ErrorKind, Result};
use crate::load::Memory;
use crate::schema::{Column, ColumnRole, ColumnType, TableSchema};
use crate::state::{StateRow, format};

/// Everything that was committed to the folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    /// The number of the next data file.
    pub next: u32,
    pub sources: BTreeMap<String, SourceEntry>,
    /// Identifies the write of it, where the answer to a write may be lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
}

/// What a source has committed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceEntry {
    pub tables: Vec<TableEntry>,
    pub state: Vec<StateEntry>,
    pub loads: Vec<LoadEntry>,
    /// Its files of `_etl_drift`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<FileEntry>,
    /// The unchanged records that unfinished passes have seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SeenEntry>,
}

/// A file with ids of unchanged records that a pass has seen; it is in the staging folder of the root table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeenEntry {
    pub resource: String,
    /// Which kind of passes it belongs to; empty for usual runs.
    pub scope: String,
    pub pass: String,
    /// The load that wrote the file.
    pub load_id: String,
    pub table: String,
    pub file: FileEntry,
}

/// A table and its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TableEntry {
    pub name: String,
    pub resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    pub path: String,
    pub columns: Vec<ColumnEntry>,
    /// The files in the table's folder; together they are the table.
    pub files: Vec<FileEntry>,
    /// Files of a pass that has not ended; they are in the staging folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub staged: Vec<FileEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ColumnEntry {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub role: String,
    pub path: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileEntry {
    pub name: String,
    pub rows: u64,
    /// The number of the table's columns that it has: the first ones.
    pub columns: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StateEntry {
    pub resource: String,
    pub slice: String,
    pub value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadEntry {
    pub load_id: String,
    pub status: String,
    pub committed_at: String,
    pub rows: u64,
    /// Its changes; only the last loads have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoEntry>,
}

/// The changes of a load.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UndoEntry {
    /// The rows of the state that it changed, with their old values.
    pub state: Vec<UndoState>,
    /// By resource.
    pub resources: BTreeMap<String, UndoResource>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UndoState {
    pub resource: String,
    pub slice: String,
    /// `None`: the row did not exist.
    pub value: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UndoResource {
    /// The number of added records minus removed ones.
    pub records: i64,
    /// Whether all rows were replaced at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
}

impl SourceEntry {
    /// Returns the memory of the source.
    pub fn memory(&self) -> Memory {
        let mut tables: Vec<TableSchema> = self.tables.iter().map(TableEntry::schema).collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        let state = self.state.iter().map(|row| StateRow {
            resource: row.resource.clone(),
            slice: row.slice.clone(),
            value: row.value.clone(),
        });
        let mut memory = Memory::new(tables, state.collect());
        let loads = self.loads.iter().map(|load| load.load_id.clone());
        memory.last_load = loads.max();
        memory
    }
}

impl TableEntry {
    /// Creates the entry of a table that has no files yet.
    pub fn new(schema: &TableSchema) -> Self {
        let columns = schema.columns.iter().map(|column| ColumnEntry {
            name: column.name.clone(),
            ty: column.ty.name().to_owned(),
            role: column.role.name().to_owned(),
            path: column.path.clone(),
        });
        TableEntry {
            name: schema.name.clone(),
            resource: schema.resource.clone(),
            parent: schema.parent.clone(),
            path: schema.path.clone(),
            columns: columns.collect(),
            files: Vec::new(),
            staged: Vec::new(),
        }
    }

    /// Returns the schema of the table.
    pub fn schema(&self) -> TableSchema {
        let columns = self.columns.iter().map(|column| Column {
            name: column.name.clone(),
            ty: ColumnType::parse(&column.ty).unwrap_or(ColumnType::Text),
            role: ColumnRole::parse(&column.role).unwrap_or(ColumnRole::Data),
            path: column.path.clone(),
        });
        TableSchema {
            name: self.name.clone(),
            resource: self.resource.clone(),
            parent: self.parent.clone(),
            path: self.path.clone(),
            columns: columns.collect(),
        }
    }
}

/// Returns the entries of a table's files.
pub fn entries<'a>(table: &str, batches: impl Iterator<Item = &'a Batch>) -> Vec<FileEntry> {
    let of = |batch: &Batch| {
        batch.files.get(table).map(|file| FileEntry {
            name: format!("{}{ENDING}", batch.name),
            rows: file.rows,
            columns: file.columns,
        })
    };
    batches.filter_map(of).collect()
}

/// Groups files into batches: files with one name in the folders of a resource's tables form one
/// batch.
pub fn batches<'a>(
    files: impl Iterator<Item = (&'a str, &'a FileEntry)>,
    placed: bool,
) -> BTreeMap<u32, Batch> {
    let mut batches: BTreeMap<u32, Batch> = BTreeMap::new();
    for (table, file) in files {
        let Some((name, number)) = parse(&file.name) else {
            continue;
        };
        let batch = batches
            .entry(number)
            .or_insert_with(|| Batch::new(name, placed));
        let info = FileInfo {
            rows: file.rows,
            columns: file.columns,
        };
        batch.files.insert(table.to_owned(), info);
    }
    batches
}

impl Manifest {
    /// Returns the manifest of a place without a commit.
    pub fn empty() -> Self {
        Manifest {
            version: format::FORMAT,
            ..Manifest::default()
        }
    }

    /// Reads the file of that name.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let broken = |why: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Destination, "the manifest cannot be used")
                .caused_by(why)
                .at(place)
                .hint("restore it from a backup, or load into another place; it lists the files of the tables")
        };
        let version = version(bytes).map_err(|error| broken(error.into()))?;
        format::check("the manifest", version).map_err(|error| error.at(place))?;
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| broken(error.into()))?;
        match fault(&manifest) {
            None => Ok(manifest),
            Some(fault) => Err(broken(fault.into())),
        }
    }
}

/// Reads the format number of a manifest. A manifest of another format may differ in everything
/// else.
fn version(bytes: &[u8]) -> serde_json::Result<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        version: u64,
    }
    serde_json::from_slice::<Numbered>(bytes).map(|numbered| numbered.version)
}

/// Returns a contradiction in a manifest, if there is one.
fn fault(manifest: &Manifest) -> Option<String> {
    let mut names = BTreeSet::new();
    for table in manifest.sources.values().flat_map(|source| &source.tables) {
        if !names.insert(&table.name) {
            return Some(format!("it has the table `{}` twice", table.name));
        }
        if !is_folder_name(&table.name) {
            return Some(format!("`{}` is not a table name", table.name));
        }
        for column in &table.columns {
            let known = ColumnType::parse(&column.ty).zip(ColumnRole::parse(&column.role));
            if known.is_none() {
                return Some(format!(
                    "the column `{}` of `{}` is of an unknown kind",
                    column.name, table.name
                ));
            }
        }
    }
    let of_source = |source: &'_ SourceEntry| -> Vec<String> {
        let tables = source.tables.iter();
        let files = tables.flat_map(|table| table.files.iter().chain(&table.staged));
        let seen = source.seen.iter().map(|entry| &entry.file);
        let files = files.chain(&source.drift).chain(seen);
        files.map(|file| file.name.clone()).collect()
    };
    let mut files = manifest.sources.values().flat_map(of_source);
    files
        .find(|name| parse(name).is_none_or(|(_, number)| number >= manifest.next))
        .map(|name| format!("`{name}` is not the name of a data file"))
}
