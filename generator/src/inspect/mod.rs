//! `etlgen inspect`: what will be generated and on which evidence, for programs (JSON) and for people (a table).

mod json;
#[cfg(test)]
mod left_out;
mod table;
mod top;

pub use json::json;
pub(crate) use json::{auth, place};
pub use table::{View, table};
