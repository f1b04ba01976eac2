//! `etlgen inspect`: what will be generated, with the evidence, for programs (JSON) and for people (a table).

mod json;
#[cfg(test)]
mod left_out;
mod table;
mod top;

pub(crate) use json::{auth, place};
pub use json::{json, kind};
pub use table::{View, table};
