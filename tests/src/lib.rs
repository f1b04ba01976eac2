//! Code that the end-to-end tests share.

// The invoice of the benchmark has more fields than `json!` takes by default.
#![recursion_limit = "256"]

/// The Rust of the guides compiles.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../docs/embed.md")]
    mod embed {}
    #[doc = include_str!("../../docs/rust.md")]
    mod rust {}
    #[doc = include_str!("../../docs/schema-changes.md")]
    mod schema_changes {}
}

pub mod compile;
pub mod connector;
pub mod hostile;
pub mod mock;
pub mod owned;
pub mod python;
pub mod registry;
pub mod rendered;
pub mod soak;
pub mod tables;
pub mod terminal;
pub mod tree;
pub mod workspace;
