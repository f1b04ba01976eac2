use etlgen_runtime::prelude::*;

use crate::api;
use crate::resources::Repo;
use crate::types::User;

/// The issues of a repository: `GET /repos/{owner}/{repo}/issues`
pub fn issues() -> Resource<Issue> {
    Issue::list("issues", "/repos/{owner}/{repo}/issues")
        .child_of("repos", |repo: &Repo, request| {
            request
                .path("owner", repo.owner.as_ref().map(|owner| &owner.login))
                .path("repo", &repo.name)
        })
        .query("state", "all")
        .primary_key([Issue::ID])
        .paginate(api::pages())
        .incremental(Cursor::updated(Issue::UPDATED_AT).param("since"))
}

/// Something to be done.
#[derive(Record)]
pub struct Issue {
    pub id: Option<i64>,
    pub number: Option<i64>,
    pub title: Option<String>,
    pub labels: Option<Vec<Label>>,
    pub state: Option<String>,
    pub updated_at: Option<Timestamp>,
    pub user: Option<User>,
}

/// A label.
#[derive(Record)]
pub struct Label {
    pub name: Option<String>,
    pub color: Option<String>,
}
