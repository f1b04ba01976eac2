//! The keys at the top of the file.

pub mod auth;
pub mod base_url;
pub mod document;
pub mod package;
pub mod rate_limit;
pub mod runtime;
pub mod selection;
