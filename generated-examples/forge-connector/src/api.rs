//! What the lists of the API have in common.

use etlgen_runtime::prelude::*;

/// The paging of most lists; a list that is paged in another way has a paginator of its own.
pub fn pages() -> Paginator {
    Paginator::link_header().page_size("per_page", 100).into()
}
