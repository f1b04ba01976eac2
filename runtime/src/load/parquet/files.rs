//! Data files: writing those of a batch, reading them again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_schema::Schema;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use xxhash_rust::xxh3::xxh3_128;

use super::batch::{Batch, FileInfo, Key, Retired};
use super::errors::{failed, failed_parquet};
use super::folder::Folder;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ArrowType, Column, ColumnRole, TableSchema};

/// The tables of a resource.
pub type Schemas = BTreeMap<String, Arc<TableSchema>>;

/// What waits in memory for one file, encoded, up to about that many bytes, becomes one row group.
const GROUP_BYTES: usize = 12 << 20;

/// Rows that are read at a time.
const READ_ROWS: usize = 4096;

/// What writing needs to know.
pub struct Context<'a> {
    pub folder: &'a Folder,
    pub schemas: &'a Schemas,
    pub load: &'a str,
    /// The number of the next file.
    pub next: &'a mut u32,
}

impl Context<'_> {
    /// The table of the records.
    pub fn root(&self) -> Option<&Arc<TableSchema>> {
        self.schemas.values().find(|table| table.parent.is_none())
    }
}

/// A file that is open only while bytes are written to it: a source may have more tables than a process may have
/// open files.
struct Appended(PathBuf);

impl Appended {
    fn open(&self) -> io::Result<File> {
        File::options().append(true).open(&self.0)
    }
}

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file of a table that is being written.
struct TableWriter {
    writer: ArrowWriter<Appended>,
    path: PathBuf,
    schema: Arc<TableSchema>,
    rows: u64,
}

/// A batch that is being written: at most one file a table.
pub struct OpenBatch {
    pub number: u32,
    name: String,
    writers: BTreeMap<String, TableWriter>,
}

impl OpenBatch {
    pub fn new(at: &mut Context<'_>) -> Self {
        let number = *at.next;
        *at.next += 1;
        let load = |letter: &char| letter.is_ascii_digit() || *letter == '.';
        let load: String = at.load.chars().filter(load).collect();
        OpenBatch {
            number,
            name: format!("{}-{number}", if load.is_empty() { "0" } else { &load }),
            writers: BTreeMap::new(),
        }
    }

    /// Whether its files have all the columns that the tables have now.
    pub fn fits(&self, schemas: &Schemas) -> bool {
        self.writers.iter().all(|(table, writer)| {
            schemas
                .get(table)
                .is_some_and(|schema| schema.columns.len() == writer.schema.columns.len())
        })
    }

    fn writer(&mut self, at: &Context<'_>, table: &str) -> Result<&mut TableWriter> {
        if !self.writers.contains_key(table) {
            let schema = at.schemas.get(table).cloned().ok_or_else(|| {
                Error::new(
                    ErrorKind::Destination,
                    format!("the table `{table}` is not known; this is a bug"),
                )
            })?;
            let path = at.folder.create(table, &self.name)?;
            let properties = properties(&schema);
            let file = Appended(path.clone());
            let writer = ArrowWriter::try_new(file, arrow_schema(&schema), Some(properties))
                .map_err(|error| failed_parquet(&path, error))?;
            let writer = TableWriter {
                writer,
                path,
                schema,
                rows: 0,
            };
            self.writers.insert(table.to_owned(), writer);
        }
        self.writers
            .get_mut(table)
            .ok_or_else(|| Error::new(ErrorKind::Destination, "a writer is gone; this is a bug"))
    }

    /// Makes the file of a table, also if no row comes.
    pub fn declare(&mut self, at: &Context<'_>, table: &str) -> Result<()> {
        self.writer(at, table).map(|_| ())
    }

    /// Writes the rows that are to be kept.
    pub fn write(
        &mut self,
        at: &Context<'_>,
        table: &str,
        rows: &RecordBatch,
        keep: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let mut kept = runs(rows.num_rows(), keep).peekable();
        if kept.peek().is_none() {
            return Ok(());
        }
        let writer = self.writer(at, table)?;
        let rows = fit(rows, &writer.schema).map_err(|error| error.at(table))?;
        for (start, length) in kept {
            writer
                .writer
                .write(&rows.slice(start, length))
                .map_err(|error| failed_parquet(&writer.path, error))?;
            writer.rows += length as u64;
        }
        match writer.writer.memory_size() >= GROUP_BYTES {
            true => self.flush(GROUP_BYTES),
            false => Ok(()),
        }
    }

    /// The bytes that wait in memory: of all files, and of the one that has most.
    pub fn memory(&self) -> (usize, usize) {
        let sizes = self.writers.values().map(|w| w.writer.memory_size());
        sizes.fold((0, 0), |(sum, most), size| (sum + size, most.max(size)))
    }

    /// Writes out what waits in memory in files that have at least that many bytes waiting.
    pub fn flush(&mut self, at_least: usize) -> Result<()> {
        for writer in self.writers.values_mut() {
            if writer.writer.memory_size() >= at_least {
                writer
                    .writer
                    .flush()
                    .map_err(|error| failed_parquet(&writer.path, error))?;
            }
        }
        Ok(())
    }

    /// Closes the files; `None` if there are none.
    pub fn finish(self) -> Result<Option<Batch>> {
        let mut batch = Batch::new(&self.name, false);
        for (table, mut writer) in self.writers {
            let path = &writer.path;
            writer
                .writer
                .finish()
                .map_err(|error| failed_parquet(path, error))?;
            writer
                .writer
                .inner()
                .open()
                .and_then(|file| file.sync_all())
                .map_err(|error| failed(path, error))?;
            let info = FileInfo {
                rows: writer.rows,
                columns: writer.schema.columns.len(),
            };
            batch.files.insert(table, info);
        }
        Ok(Some(batch).filter(|batch| !batch.files.is_empty()))
    }

    /// Gives the files up as they are.
    pub fn abandon(self, retired: &mut Vec<Retired>) {
        for table in self.writers.into_keys() {
            retired.push(Retired {
                table,
                name: self.name.clone(),
                placed: false,
            });
        }
    }
}

fn properties(schema: &TableSchema) -> WriterProperties {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("etlgen ", env!("CARGO_PKG_VERSION")).to_owned());
    // Ids hardly come again: a dictionary of them is work for nothing.
    let ids = schema.columns.iter().filter(|column| {
        use ColumnRole::{ParentId, RootId, RowId};
        matches!(column.role, RowId | ParentId | RootId)
    });
    let plain = |properties: WriterPropertiesBuilder, column: &Column| {
        let path = ColumnPath::new(vec![column.name.clone()]);
        properties.set_column_dictionary_enabled(path, false)
    };
    ids.fold(properties, plain).build()
}

/// Reads a data file, of its columns only those that are named if any are, and hands over one batch of rows after the other.
pub fn read(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    let reader = || {
        let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        if !columns.is_empty() {
            let index = |column: &&str| builder.schema().index_of(column).ok();
            let indexes: Vec<usize> = columns.iter().filter_map(index).collect();
            let mask = ProjectionMask::roots(builder.parquet_schema(), indexes);
            builder = builder.with_projection(mask);
        }
        builder.with_batch_size(READ_ROWS).build()
    };
    let reader = reader().map_err(|error| failed_parquet(path, error))?;
    for rows in reader {
        each(&rows.map_err(|error| failed_parquet(path, error.into()))?)?;
    }
    Ok(())
}

/// Which record a row belongs to: the column that says it.
pub fn key_column(schema: &TableSchema) -> Option<&Column> {
    schema.role(match schema.parent {
        None => ColumnRole::RowId,
        Some(_) => ColumnRole::RootId,
    })
}

/// The records that rows belong to.
pub fn keys(rows: &RecordBatch, column: Option<&Column>) -> Vec<Option<Key>> {
    let ids: Option<&StringArray> = column
        .and_then(|column| rows.column_by_name(&column.name))
        .and_then(|ids| ids.as_string_opt());
    match ids {
        None => vec![None; rows.num_rows()],
        Some(ids) => ids.iter().map(|id| id.map(key)).collect(),
    }
}

/// What stands for the id of a record.
pub fn key(id: &str) -> Key {
    let [key @ .., _, _, _, _] = xxh3_128(id.as_bytes()).to_le_bytes();
    key
}

pub fn arrow_schema(schema: &TableSchema) -> Arc<Schema> {
    let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
    Arc::new(Schema::new(fields))
}

/// The rows with exactly the columns of `schema`; those that they lack are null.
pub fn fit(rows: &RecordBatch, schema: &TableSchema) -> Result<RecordBatch> {
    let there = rows.schema();
    let names = there.fields().iter().map(|field| field.name());
    if names.eq(schema.columns.iter().map(|column| &column.name)) {
        return Ok(rows.clone());
    }
    let column = |column: &Column| -> ArrayRef {
        rows.column_by_name(&column.name)
            .cloned()
            .unwrap_or_else(|| new_null_array(&column.ty.arrow(), rows.num_rows()))
    };
    let columns = schema.columns.iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(arrow_schema(schema), columns, &options).map_err(|error| {
        Error::new(
            ErrorKind::Destination,
            format!("rows do not fit the table `{}`", schema.name),
        )
        .caused_by(error)
        .hint("load into another folder")
    })
}

/// The runs of rows that are to be kept, as (first row, how many).
fn runs(rows: usize, keep: impl Fn(usize) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = (at..rows).find(|row| keep(*row))?;
        at = (start..rows).find(|row| !keep(*row)).unwrap_or(rows);
        Some((start, at - start))
    })
}
