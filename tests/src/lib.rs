//! Code that the end-to-end tests share.

// The invoice of the benchmark has more fields than `json!` takes by default.
#![recursion_limit = "256"]

pub mod compile;
pub mod connector;
pub mod hostile;
pub mod mock;
pub mod owned;
pub mod registry;
pub mod rendered;
pub mod soak;
pub mod tables;
pub mod tree;
pub mod workspace;
