//! etlgen reads an OpenAPI document and writes a strongly typed connector crate in Rust.
//!
//! Each phase is a function from one plain value to the next:
//! bytes -> [`spec::api::Api`] -> [`infer::facts::Facts`] -> plan -> files -> crate on disk.

pub mod diagnostics;
pub mod infer;
pub mod inspect;
pub mod spec;
