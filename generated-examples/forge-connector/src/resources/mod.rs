//! One file per resource.

mod commits;
mod issues;
mod repos;

pub use commits::*;
pub use issues::*;
pub use repos::*;
