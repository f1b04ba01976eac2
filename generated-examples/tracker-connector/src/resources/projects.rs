use etlgen_runtime::prelude::*;

/// The projects: `GET /projects`
pub fn projects() -> Resource<Project> {
    Project::list("projects", "/projects")
        .records("items")
        .primary_key([Project::ID])
        .paginate(
            Paginator::page_number("page")
                .total_items("page.total")
                .page_size("per_page", 50),
        )
}

/// What tasks belong to.
#[derive(Record)]
pub struct Project {
    pub id: Option<i64>,
    pub name: Option<String>,
    pub archived: Option<bool>,
    pub created_at: Option<Timestamp>,
}
