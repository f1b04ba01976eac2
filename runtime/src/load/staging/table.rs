//! The file of a table, for writing.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use xxhash_rust::xxh3::Xxh3;

use super::StagedFile;
use crate::error::Result;
use crate::load::lake::errors::failed_parquet;
use crate::schema::{Column, TableSchema};

/// Encoded rows that wait in memory become a row group at about this many bytes.
const GROUP_BYTES: usize = 12 << 20;

/// The size and the hash of a file that has been written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    pub bytes: u64,
    pub hash: u128,
}

/// A Parquet file that is written.
pub(crate) struct TableFile {
    writer: ArrowWriter<Summed>,
    name: String,
    rows: u64,
}

impl TableFile {
    /// Begins the file of a table.
    pub fn new(file: Box<dyn StagedFile>, name: String, schema: &TableSchema) -> Result<Self> {
        let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let schema = Arc::new(Schema::new(fields));
        let writer = ArrowWriter::try_new(Summed::new(file), schema, Some(properties.build()))
            .map_err(|error| failed_parquet(&name, error))?;
        Ok(TableFile {
            writer,
            name,
            rows: 0,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes rows.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        let damaged = |error| failed_parquet(&self.name, error);
        self.writer.write(rows).map_err(damaged)?;
        self.rows += rows.num_rows() as u64;
        if self.writer.memory_size() >= GROUP_BYTES {
            self.writer.flush().map_err(damaged)?;
        }
        Ok(())
    }

    /// Ends the file; returns the number of its rows, and its size and hash.
    pub fn finish(self) -> Result<(u64, Sum)> {
        let file = self.writer.into_inner();
        let file = file.map_err(|error| failed_parquet(&self.name, error))?;
        Ok((self.rows, file.finish()?))
    }
}

/// A file whose bytes are counted and hashed.
struct Summed {
    file: Box<dyn StagedFile>,
    bytes: u64,
    hash: Xxh3,
}

impl Summed {
    fn new(file: Box<dyn StagedFile>) -> Self {
        Summed {
            file,
            bytes: 0,
            hash: Xxh3::new(),
        }
    }

    fn finish(self) -> Result<Sum> {
        self.file.finish()?;
        Ok(Sum {
            bytes: self.bytes,
            hash: self.hash.digest128(),
        })
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
