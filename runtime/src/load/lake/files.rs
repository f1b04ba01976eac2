//! Data files: writes those of a batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use xxhash_rust::xxh3::xxh3_128;

use super::batch::{Batch, DataFile, FileInfo, Key, Retired};
use super::errors::failed_parquet;
use super::store::{Output, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ArrowType, Column, ColumnRole, TableSchema};

/// The tables of a resource.
pub type Schemas = BTreeMap<String, Arc<TableSchema>>;

/// Encoded rows that wait in memory for one file become a row group at about this many bytes.
const GROUP_BYTES: usize = 12 << 20;

/// The number of rows read at a time.
pub const READ_ROWS: usize = 4096;

/// The context of writing.
pub struct Context<'a> {
    pub store: &'a dyn Store,
    pub schemas: &'a Schemas,
    /// The first part of the names of files.
    pub prefix: &'a str,
    /// The number of the next file.
    pub next: &'a mut u32,
}

impl Context<'_> {
    /// Returns the table of the records.
    pub fn root(&self) -> Option<&Arc<TableSchema>> {
        self.schemas.values().find(|table| table.parent.is_none())
    }
}

/// The file of a table, for writing.
struct TableWriter {
    writer: ArrowWriter<Box<dyn Output>>,
    /// Its name for people.
    place: String,
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
        OpenBatch {
            number,
            name: format!("{}-{number}", at.prefix),
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
            let place = at.store.path(DataFile {
                table,
                name: &self.name,
                placed: false,
            });
            let properties = properties(&schema);
            let file = at.store.create(table, &self.name)?;
            let writer = ArrowWriter::try_new(file, arrow_schema(&schema), Some(properties))
                .map_err(|error| failed_parquet(&place, error))?;
            let writer = TableWriter {
                writer,
                place,
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
                .map_err(|error| failed_parquet(&writer.place, error))?;
            writer.rows += length as u64;
        }
        match writer.writer.memory_size() >= GROUP_BYTES {
            true => self.flush(GROUP_BYTES),
            false => Ok(()),
        }
    }

    /// Returns the bytes that wait in memory for the end of the files.
    pub fn waiting(&self) -> usize {
        let outputs = self.writers.values().map(|w| w.writer.inner().waiting());
        outputs.sum()
    }

    /// Returns the bytes of rows that wait in memory: of all files, and of the largest one.
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
                    .map_err(|error| failed_parquet(&writer.place, error))?;
            }
        }
        Ok(())
    }

    /// Closes the files; returns `None` if there are none.
    pub fn finish(self) -> Result<Option<Batch>> {
        let mut batch = Batch::new(&self.name, false);
        for (table, writer) in self.writers {
            let file = writer.writer.into_inner();
            let mut file = file.map_err(|error| failed_parquet(&writer.place, error))?;
            file.finish()?;
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
    // Ids and hashes rarely repeat, so a dictionary of them has no benefit.
    let ids = schema.columns.iter().filter(|column| {
        use ColumnRole::{ContentHash, ParentId, RootId, RowId};
        matches!(column.role, RowId | ParentId | RootId | ContentHash)
    });
    let plain = |properties: WriterPropertiesBuilder, column: &Column| {
        let path = ColumnPath::new(vec![column.name.clone()]);
        properties.set_column_dictionary_enabled(path, false)
    };
    ids.fold(properties, plain).build()
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

/// Returns the content hashes of the rows of a root table.
pub fn hashes<'a>(
    rows: &'a RecordBatch,
    root: &TableSchema,
) -> impl Iterator<Item = Option<i64>> + 'a {
    let hashes = root
        .role(ColumnRole::ContentHash)
        .and_then(|column| rows.column_by_name(&column.name))
        .and_then(|hashes| hashes.as_primitive_opt::<Int64Type>());
    (0..rows.num_rows()).map(move |row| {
        let hashes = hashes.filter(|hashes| hashes.is_valid(row))?;
        Some(hashes.value(row))
    })
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
        .hint("load into another place")
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
