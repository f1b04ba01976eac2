//! The files of a run whose slices are read by several processes: in a folder that they share, or in
//! a bucket.
//!
//! A file is created once and never changes: of two processes that create the same file, one wins
//! and the other is told.

#[cfg(feature = "buckets")]
mod bucket;
mod folder;
mod table;

use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;

pub(crate) use self::table::TableFile;
use crate::error::{Error, ErrorKind, Result};

/// A file that is written.
pub(crate) trait StagedFile: Write + Send {
    /// Ends the file: from now on it can be read.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The rows of a file, batch by batch.
pub(crate) type StagedRows = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// The files of a run. Names have `/` between their parts.
pub(crate) trait Staging: Send + Sync {
    /// Returns its name for people, without secrets.
    fn describe(&self) -> String;

    /// Reads a file; `None` if there is none.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Reads files, several at a time.
    fn get_all(&self, names: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        names.iter().map(|name| self.get(name)).collect()
    }

    /// Creates a file with this content, whole or not at all; returns false if there is one already.
    fn create(&self, name: &str, content: &[u8]) -> Result<bool>;

    /// Begins a file whose name nobody else uses.
    fn write(&self, name: &str) -> Result<Box<dyn StagedFile>>;

    /// Reads the rows of a Parquet file.
    fn rows(&self, name: &str) -> Result<StagedRows>;

    /// Lists the files directly in a folder, by their last part.
    fn list(&self, folder: &str) -> Result<Vec<String>>;

    /// Removes the files of a folder and below, as far as possible.
    fn remove(&self, folder: &str);
}

/// Returns the place that `url` names: a path, or the URL of a bucket as `--destination` takes it.
///
/// # Errors
/// If the connector is built without the bucket's service.
pub(crate) fn staging(url: &str) -> Result<Arc<dyn Staging>> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        #[cfg(feature = "buckets")]
        Some("s3" | "gs" | "az") => Ok(Arc::new(bucket::Bucket::new(url)?)),
        #[cfg(not(feature = "buckets"))]
        Some("s3" | "gs" | "az") => {
            let message =
                format!("this connector is built without buckets, which `{url}` is one of");
            Err(Error::new(ErrorKind::Usage, message).hint(
                "add \"s3\" to `destinations` in etlgen.toml and run `etlgen update`, or the feature `buckets` to etlgen-runtime in Cargo.toml",
            ))
        }
        Some(other) => {
            let message = format!("`{other}://` is neither a folder nor a bucket");
            Err(Error::new(ErrorKind::Usage, message)
                .hint("write the path of a folder, or s3://BUCKET/PREFIX"))
        }
        None if url.is_empty() => {
            let message = "the folder of the run has no name";
            Err(Error::new(ErrorKind::Usage, message))
        }
        None => Ok(Arc::new(folder::Folder::new(url))),
    }
}
