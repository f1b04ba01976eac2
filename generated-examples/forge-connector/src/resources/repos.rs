use etlgen_runtime::prelude::*;

use crate::Config;
use crate::api;
use crate::types::User;

/// The repositories of an organisation: `GET /orgs/{org}/repos`
pub fn repos(config: &Config) -> Resource<Repo> {
    Repo::list("repos", "/orgs/{org}/repos")
        .path("org", &config.org)
        .primary_key([Repo::ID])
        .paginate(api::pages())
}

/// A repository.
#[derive(Record)]
pub struct Repo {
    pub id: Option<i64>,
    pub name: Option<String>,
    pub archived: Option<bool>,
    pub created_at: Option<Timestamp>,
    pub owner: Option<User>,
    pub topics: Option<Vec<String>>,
}
