//! Checks that a generated crate's tests call.
