//! Reads data files.

use std::fs::File;
use std::path::Path;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Result;
use crate::load::lake::errors::{failed, failed_parquet};
use crate::load::lake::files::READ_ROWS;
use crate::load::lake::store::Each;

/// Reads a file, with only the named columns if any are named, batch by batch.
pub fn read(path: &Path, columns: &[&str], each: Each<'_>) -> Result<()> {
    let file = File::open(path).map_err(|error| failed(path.display(), error))?;
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
    let reader = reader().map_err(|error| failed_parquet(path.display(), error))?;
    for rows in reader {
        each(&rows.map_err(|error| failed_parquet(path.display(), error.into()))?)?;
    }
    Ok(())
}
