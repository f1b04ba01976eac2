//! What the end-to-end tests share.

pub mod connector;
pub mod hostile;
pub mod mock;
pub mod tables;
pub mod workspace;
