//! How pages follow one another. Each paginator ends on evidence; a short page proves nothing, since servers cap page
//! sizes without saying so.

#![allow(clippy::too_many_lines, clippy::too_many_arguments)]

mod advance;
mod paginator;
mod places;
mod proof;

pub(crate) use advance::{PageFacts, Step};
pub use etlgen_model::{
    LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, Paginator, ResponsePath, Token,
    Total,
};
pub(crate) use paginator::Pager;
pub use paginator::{Next, Position};
pub use proof::Proof;
