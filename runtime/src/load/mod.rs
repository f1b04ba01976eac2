//! Destinations. A destination takes chunks of batches and commits them together with the state.

mod append_only;
mod brought;
#[cfg(feature = "buckets")]
pub mod buckets;
pub(crate) mod checks;
mod chunk;
mod commit;
#[cfg(any(
    feature = "conformance",
    all(
        test,
        any(
            feature = "sqlite",
            feature = "parquet",
            feature = "postgres",
            feature = "duckdb"
        )
    )
))]
pub mod conformance;
#[cfg(any(
    feature = "sqlite",
    feature = "parquet",
    feature = "postgres",
    feature = "duckdb"
))]
mod contents;
mod destination;
mod destinations;
#[cfg(feature = "duckdb")]
pub mod duckdb;
pub(crate) mod emit;
#[cfg(any(feature = "sqlite", feature = "parquet", feature = "duckdb"))]
mod identity;
#[cfg(feature = "parquet")]
mod lake;
mod loads;
mod lock;
mod migrate;
mod open;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(any(feature = "sqlite", feature = "duckdb"))]
mod place;
#[cfg(feature = "postgres")]
pub mod postgres;
mod redacted;
#[cfg(any(feature = "postgres", feature = "duckdb"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod url;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod values;

pub use crate::state::{Capabilities, CheckpointPolicy, Memory};
pub use brought::Brought;
pub use chunk::{Chunk, DeletedIds, NotSeenSince, Operation, PassMark};
pub use commit::Commit;
pub use destination::Destination;
pub use destinations::{Destinations, destination};
#[cfg(feature = "emit")]
pub use emit::emit_to;
pub use loads::{LoadInfo, LoadRow, LoadStatus, RolledBack, UNDOABLE_LOADS};
pub use migrate::{NewValues, TableChange};
#[cfg(feature = "cli")]
pub(crate) use open::look;
pub(crate) use open::open;
pub use url::DestinationUrl;
