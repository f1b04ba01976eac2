//! etlgen reads an OpenAPI document and writes a strongly typed connector crate in Rust.
//!
//! Each phase is a function from one plain value to the next:
//! bytes -> [`spec::api::Api`] -> [`infer::facts::Facts`] -> [`plan::Plan`] -> [`emit::Files`] -> crate on disk ([`project`]).

pub mod cli;
pub mod diagnostics;
pub mod diff;
pub mod emit;
pub mod explain;
pub mod infer;
pub mod inspect;
pub mod learn;
pub mod plan;
pub mod project;
pub mod shape;
pub mod spec;

pub use diagnostics::{Diagnostic, Kind, Position, Severity};
