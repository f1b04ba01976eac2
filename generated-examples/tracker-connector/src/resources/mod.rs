//! One file per resource.

mod projects;
mod tasks;

pub use projects::*;
pub use tasks::*;
