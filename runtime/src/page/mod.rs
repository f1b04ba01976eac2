//! How pages follow one another. Each paginator ends on evidence; a short page proves nothing, since servers cap page
//! sizes without saying so.

mod account;
mod advance;
mod distinct;
mod paginator;
mod places;
mod proof;
mod settled;
mod statements;
mod totals;

#[cfg(test)]
mod tests;

pub(crate) use account::{Account, Terms};
pub(crate) use advance::{PageFacts, Step};
pub(crate) use paginator::Kind;
pub use paginator::{Next, Paginator, Position};
pub use proof::{Proof, Required};
pub(crate) use statements::hears;
