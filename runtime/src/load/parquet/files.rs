//! Data files: writes those of a batch, and reads them.

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

/// Encoded rows that wait in memory for one file become a row group at about this many bytes.
const GROUP_BYTES: usize = 12 << 20;

/// The number of rows read at a time.
const READ_ROWS: usize = 4096;

/// The context of writing.
pub struct Context<'a> {
    pub folder: &'a Folder,
    pub schemas: &'a Schemas,
    pub load: &'a str,
    /// The number of the next file.
    pub next: &'a mut u32,
}

impl Context<'_> {
    /// Returns the table of the records.
    pub fn root(&self) -> Option<&Arc<TableSchema>> {
        self.schemas.values().find(|table| table.parent.is_none())
    }
}

/// A file that is open only while bytes are written: a source may have more tables than a process may have open files.
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

/// The file of a table, for writing.
struct TableWriter {
    writer: ArrowWriter<Appended>,
    path: PathBuf,
    schema: Arc<TableSchema>,
    rows: u64,
}

/// A batch for writing: at most one file per table.
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

    /// Returns whether its files have all current columns of the tables.
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
                    format!("the table `{table}` is unknown; this is a bug of etlgen"),
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
        self.writers.get_mut(table).ok_or_else(|| {
            Error::new(
                ErrorKind::Destination,
                "a writer is missing; this is a bug of etlgen",
            )
        })
    }

    /// Creates the file of a table, even without rows.
    pub fn declare(&mut self, at: &Context<'_>, table: &str) -> Result<()> {
        self.writer(at, table).map(|_| ())
    }

    /// Writes the rows to keep.
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

    /// Returns the bytes that wait in memory: of all files, and of the largest one.
    pub fn memory(&self) -> (usize, usize) {
        let sizes = self.writers.values().map(|w| w.writer.memory_size());
        sizes.fold((0, 0), |(sum, most), size| (sum + size, most.max(size)))
    }

    /// Writes out the waiting rows of files that have at least this many bytes waiting.
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

    /// Closes the files; returns `None` if there are none.
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

    /// Closes and discards the files.
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
    // Ids rarely repeat, so a dictionary of them has no benefit.
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

/// Reads a data file, with only the named columns if any are named, batch by batch.
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

/// Returns the column with the id of the record that a row belongs to.
pub fn key_column(schema: &TableSchema) -> Option<&Column> {
    schema.role(match schema.parent {
        None => ColumnRole::RowId,
        Some(_) => ColumnRole::RootId,
    })
}

/// Returns the keys of the records that rows belong to.
pub fn keys(rows: &RecordBatch, column: Option<&Column>) -> Vec<Option<Key>> {
    let ids: Option<&StringArray> = column
        .and_then(|column| rows.column_by_name(&column.name))
        .and_then(|ids| ids.as_string_opt());
    match ids {
        None => vec![None; rows.num_rows()],
        Some(ids) => ids.iter().map(|id| id.map(key)).collect(),
    }
}

/// Returns the key for the id of a record.
pub fn key(id: &str) -> Key {
    let [key @ .., _, _, _, _] = xxh3_128(id.as_bytes()).to_le_bytes();
    key
}

pub fn arrow_schema(schema: &TableSchema) -> Arc<Schema> {
    let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
    Arc::new(Schema::new(fields))
}

/// Returns the rows with exactly the columns of `schema`; missing columns are null.
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

/// Returns the runs of rows to keep, as (first row, number).
fn runs(rows: usize, keep: impl Fn(usize) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = (at..rows).find(|row| keep(*row))?;
        at = (start..rows).find(|row| !keep(*row)).unwrap_or(rows);
        Some((start, at - start))
    })
}
