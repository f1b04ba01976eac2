//! Shared by the tests of all crates: an HTTP server on loopback, the switches that tests read from the environment, and
//! the tests that are skipped.

pub mod http;
pub mod shared;
pub mod skip;
pub mod switches;

pub use skip::{Kind, skip};
