use etlgen_runtime::prelude::*;

use crate::resources::Project;

/// The tasks of a project: `GET /tasks`
pub fn tasks() -> Resource<Task> {
    Task::list("tasks", "/tasks")
        .child_of("projects", |project: &Project, request| {
            request.query("project_id", project.id)
        })
        .records("items")
        .primary_key([Task::ID])
        .paginate(
            Paginator::page_number("page")
                .total_items("page.total")
                .page_size("per_page", 50),
        )
        .incremental(Cursor::updated(Task::UPDATED_AT).param("updated_after"))
}

/// Something to be done in a project.
#[derive(Record)]
pub struct Task {
    pub id: Option<i64>,
    pub project_id: Option<i64>,
    pub title: Option<String>,
    pub due: Option<Date>,
    pub done: Option<bool>,
    pub estimate_hours: Option<f64>,
    pub updated_at: Option<Timestamp>,
}
