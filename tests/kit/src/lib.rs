//! Code that the tests of all crates share: an HTTP server on loopback, servers of Postgres, S3 and Azure, the switches that tests
//! read from the environment, and the handling of skipped tests.

pub mod azurite;
pub mod http;
pub mod moto;
pub mod postgres;
pub mod service;
pub mod shared;
pub mod skip;
pub mod switches;

pub use skip::{Kind, skip};

pub use insta;

/// Compares a text with its snapshot, as `insta::assert_snapshot!` does. The snapshot's header does not quote the expression: it
/// would change with each rename.
#[macro_export]
macro_rules! assert_snapshot {
    ($($argument:tt)*) => {
        $crate::insta::with_settings!({ omit_expression => true }, {
            $crate::insta::assert_snapshot!($($argument)*)
        })
    };
}
