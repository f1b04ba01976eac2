//! A hand-written connector for `tests/slices.rs`, whose slices several processes read: repos with
//! issues and comments, and events in windows.

use std::time::Duration;

use etlgen_runtime::prelude::*;

#[derive(Settings)]
#[settings(prefix = "FORGE")]
struct Config {
    /// The base URL of the API.
    base_url: String,
    /// The key of the API.
    api_key: Secret,
}

#[derive(Record)]
struct Repo {
    id: Option<i64>,
    name: Option<String>,
}

#[derive(Record)]
struct Issue {
    id: Option<i64>,
    title: Option<String>,
    tags: Option<Vec<String>>,
}

#[derive(Record)]
struct Comment {
    id: Option<i64>,
    text: Option<String>,
}

#[derive(Record)]
struct Event {
    id: Option<i64>,
    at: Option<UnixTime>,
}

fn list<T: Record>(name: &str, path: &str) -> Resource<T> {
    T::list(name, path)
        .records("data")
        .paginate(Paginator::token("page", "next"))
}

fn source(config: &Config) -> Source {
    let windows = Cursor::created(Event::AT)
        .param("from")
        .until("until")
        .windows("2024-01-01", Duration::from_secs(86_400));
    Source::new("forge", &config.base_url)
        .auth(Auth::bearer(config.api_key.expose()))
        .resource(list::<Repo>("repos", "/repos").primary_key(Repo::ID))
        .resource(
            list::<Issue>("issues", "/repos/{repo}/issues")
                .primary_key(Issue::ID)
                .child_of("repos", |repo: &Repo, request| {
                    request.path("repo", repo.id)
                }),
        )
        .resource(
            list::<Comment>("comments", "/issues/{issue}/comments")
                .primary_key(Comment::ID)
                .child_of("issues", |issue: &Issue, request| {
                    request.path("issue", issue.id)
                }),
        )
        .resource(
            list::<Event>("events", "/events")
                .primary_key(Event::ID)
                .incremental(windows),
        )
}

fn main() -> std::process::ExitCode {
    etlgen_runtime::cli::main("forge-connector", "1.0.0", source)
}
