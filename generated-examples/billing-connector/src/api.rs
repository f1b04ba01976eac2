//! What the lists of the API have in common.

use etlgen_runtime::prelude::*;

/// The paging that most lists share.
pub fn pages() -> Paginator {
    Paginator::last_id("starting_after")
        .more("has_more")
        .page_size("limit", 100)
        .into()
}
