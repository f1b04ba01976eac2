use etlgen_runtime::prelude::*;

use crate::api;
use crate::resources::Repo;
use crate::types::User;

/// The commits of a repository: `GET /repos/{owner}/{repo}/commits`
pub fn commits() -> Resource<Commit> {
    Commit::list("commits", "/repos/{owner}/{repo}/commits")
        .child_of("repos", |repo: &Repo, request| {
            request
                .path("owner", repo.owner.as_ref().map(|owner| &owner.login))
                .path("repo", &repo.name)
        })
        .primary_key([Commit::SHA])
        .paginate(api::pages())
}

/// A change of the repository's files.
#[derive(Record)]
pub struct Commit {
    pub sha: Option<String>,
    /// Whose account it belongs to, if that is known.
    pub author: Option<User>,
    pub commit: Option<CommitInfo>,
    pub html_url: Option<String>,
}

/// What the commit itself says.
#[derive(Record)]
pub struct CommitInfo {
    pub author: Option<Signature>,
    pub message: Option<String>,
}

/// Who made a commit, and when.
#[derive(Record)]
pub struct Signature {
    pub name: Option<String>,
    pub date: Option<Timestamp>,
}
