//! How pages follow one another. Each paginator ends on evidence; a short page proves nothing,
//! since servers cap page sizes silently.

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

pub(crate) use account::{Account, Endings, Terms};
pub(crate) use advance::{PageFacts, Step};
pub(crate) use distinct::Distinct;
/// How a list is paged, for [`Resource::paginate`](crate::source::Resource::paginate).
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Order {
///     id: Option<String>,
/// }
///
/// let pages = Paginator::token("after", "meta.next").page_size("limit", 100);
/// let orders = Order::list("orders", "/orders").records("data").paginate(pages);
/// # let _ = orders;
/// ```
#[doc(inline)]
pub use etlgen_model::Paginator;
#[doc(inline)]
pub use etlgen_model::{
    LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, ResponsePath, Token, Total,
};
pub(crate) use paginator::Pager;
pub use paginator::{Next, Position};
pub use proof::{Proof, Required};
pub(crate) use statements::{hears, says_within};
