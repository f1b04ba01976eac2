//! Whole documents.

mod corpus;
