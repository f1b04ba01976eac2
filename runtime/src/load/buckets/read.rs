//! Reads data files: the footer, then the columns that are asked for, a row group at a time.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{
    AsyncFileReader, ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::connect::Objects;
use crate::load::lake::files::READ_ROWS;

/// The bytes at the end of a file that are read first: most footers fit.
const FOOTER: usize = 64 << 10;

/// The rows of a file.
pub type Rows = ParquetRecordBatchStream<Reader>;

/// A file that is read.
pub struct Reader {
    objects: Arc<dyn Objects>,
    path: Path,
    size: u64,
}

/// Reads a file, with only the named columns if any are named.
pub async fn rows(objects: Arc<dyn Objects>, path: Path, columns: Vec<String>) -> Result<Rows> {
    let size = objects.head(&path).await.map_err(outside)?.size;
    let reader = Reader {
        objects,
        path,
        size,
    };
    let mut builder = ParquetRecordBatchStreamBuilder::new(reader).await?;
    if !columns.is_empty() {
        let schema = builder.schema().clone();
        let index = |column: &String| schema.index_of(column).ok();
        let indexes: Vec<usize> = columns.iter().filter_map(index).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), indexes);
        builder = builder.with_projection(mask);
    }
    builder.with_batch_size(READ_ROWS).build()
}

fn outside(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            self.objects
                .get_range(&self.path, range)
                .await
                .map_err(outside)
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            let read = self.objects.get_ranges(&self.path, &ranges);
            read.await.map_err(outside)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader = ParquetMetaDataReader::new()
                .with_arrow_reader_options(options)
                .with_prefetch_hint(Some(FOOTER));
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}
