//! `etlgen inspect`: what was inferred, for programs (JSON) and for people (a table).

mod json;
mod table;
mod top;

pub(crate) use json::{auth, place};
pub use json::{json, kind};
pub use table::{View, show, table};
