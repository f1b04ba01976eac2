//! Structs that several resources share, one file per family of names.

mod user;

pub use user::*;
