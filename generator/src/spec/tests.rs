//! Whole documents.

pub(crate) mod corpus;
