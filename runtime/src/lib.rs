//! What an etlgen connector links: it pulls pages, turns bytes into columns, and commits data and state together.
//!
//! A generated crate declares its resources with [`source::Resource`] and hands a [`source::Source`] to
//! [`run`]; everything else here is the machinery behind these two.

#![warn(missing_docs)]

// The example of the README is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

// What the derives write names this crate, also within its own tests.
extern crate self as etlgen_runtime;

pub mod cursor;
pub mod error;
pub mod http;
pub mod load;
pub mod normalize;
pub mod page;
pub mod prelude;
pub mod record;
pub mod run;
pub mod schema;
pub mod settings;
pub mod source;
pub mod state;
pub mod testing;
mod text;

#[cfg(feature = "cli")]
pub mod cli;

/// The versions of Arrow that [`schema::TableBatch`] is made of.
pub use {arrow_array, arrow_schema};

pub use error::{Error, ErrorKind, Result};
