//! `etlgen inspect`: the resources to generate, with the evidence, as JSON for programs and as a
//! table for people.

mod json;
#[cfg(test)]
mod left_out;
mod table;
mod top;

pub use json::json;
pub(crate) use json::{auth, place, renewal};
pub use table::{View, table};
