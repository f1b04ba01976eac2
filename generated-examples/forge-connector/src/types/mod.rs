//! Structs that several resources share.

mod user;

pub use user::*;
