//! Structs that several resources share.

mod address;

pub use address::*;
