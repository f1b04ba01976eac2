//! Structs that several resources share, one file per family of names.

mod address;

pub use address::*;
