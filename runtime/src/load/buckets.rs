//! Parquet files in a bucket of S3, Google Cloud Storage or Azure Blob Storage: a lake of tables whose
//! store is the bucket.
//!
//! ```text
//! _etl/manifest.json                        replaced by a conditional put: only if no other run has replaced it
//! _etl/lock                                 says which run loads; the run renews it
//! _etl/staging/<table>/<file>               every file is uploaded here, and copied into its table before the commit
//! _etl/staging/<table>/<file>.upload        the id of an upload in parts that has not ended
//! ```
//!
//! The lock is a courtesy, the conditional put is the promise. A run that stood still for longer than its lock lasts can
//! be overtaken: before the other run removes its files, it replaces the manifest, so that no commit of the first one can
//! name them. Names of files have digits of their run, so that two runs never write the same file.

mod address;
mod catalog;
mod client;
mod connect;
mod errors;
mod keys;
mod lock;
mod profile;
mod read;
mod store;
mod tasks;
mod upload;
mod variables;

pub use self::store::Remote;
use super::lake::Lake;

/// Parquet files in a bucket.
pub type Bucket = Lake<Remote>;

impl Bucket {
    /// Creates a destination for a URL as `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`; nothing
    /// is asked before it is opened.
    pub fn new(url: impl AsRef<str>) -> Self {
        Lake::of(Remote::new(url.as_ref(), std::env::vars_os()))
    }
}

#[cfg(test)]
mod tests;
