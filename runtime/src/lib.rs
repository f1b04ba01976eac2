//! The library that an etlgen connector links: it requests pages, turns bytes into columns, and
//! commits data and state together.
//!
//! - Authors of connectors use the [`prelude`]: a crate declares its resources with
//!   [`source::Resource`], collects them in a [`source::Source`], and hands that to [`run::sync`]
//!   or to the command line of the feature `cli`. The settings are in [`settings`], the tests in
//!   [`testing`].
//! - Authors of destinations implement [`load::Destination`] with the values of [`load`],
//!   [`schema`] and [`state`]; the feature `conformance` has the tests that a destination must
//!   pass.
//!
//! Everything else is private. Structs and enums of these modules may get fields and variants in a
//! minor version.

#![warn(missing_docs)]
// A function fits on a screen and has few parameters: the bounds are in `clippy.toml`.
#![warn(clippy::too_many_lines, clippy::too_many_arguments)]

// The example of the README is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

// Derived code uses this name, also in the crate's own tests.
extern crate self as etlgen_runtime;

pub mod cursor;
pub mod error;
pub mod http;
pub mod load;
mod normalize;
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
pub mod world;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod hosts;

/// Used by derived code only. It may change in every version: do not use it directly.
#[doc(hidden)]
pub mod __private {
    pub use crate::record::page::{Page, PageReader};
    pub use crate::record::schema::{
        Field, FieldSchema, FieldType, FieldValue, ListType, Record, RecordSchema, Shape,
        Unordered, Value, schema_of,
    };
    pub use crate::record::traits::{debug, equal};
}

/// The versions of Arrow in [`schema::TableBatch`].
pub use {arrow_array, arrow_schema};

pub use error::{Error, ErrorKind, Result};
