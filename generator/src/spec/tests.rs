//! Tests with whole documents.

pub(crate) mod corpus;
