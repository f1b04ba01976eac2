//! What the lists of the API have in common.

use etlgen_runtime::prelude::*;

/// The paging that most lists share.
pub fn pages() -> Paginator {
    Paginator::link_header()
        .first_page("page", 1)
        .page_size("per_page", 100)
        .into()
}
