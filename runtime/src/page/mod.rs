//! How pages follow one another. Each paginator ends on evidence; a short page proves nothing, since servers cap page
//! sizes without saying so.

mod account;
mod advance;
mod distinct;
mod paginator;
mod places;
mod proof;
mod statements;
mod totals;

#[cfg(test)]
mod tests;

pub(crate) use account::{Account, Terms};
pub(crate) use advance::{PageFacts, Step};
pub use etlgen_model::{
    LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, Paginator, ResponsePath, Token,
    Total,
};
pub(crate) use paginator::Pager;
pub use paginator::{Next, Position};
pub use proof::{Proof, Required};
pub(crate) use statements::hears;
