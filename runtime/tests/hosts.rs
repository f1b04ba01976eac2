//! One connector through every host: what arrives equals what `sync` loads, record by record.

#[cfg(feature = "airbyte")]
mod airbyte;
mod batches;
#[cfg(feature = "emit")]
mod emit;
#[cfg(any(feature = "singer", feature = "airbyte"))]
mod program;
mod shop;
#[cfg(feature = "singer")]
mod singer;
