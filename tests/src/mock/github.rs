//! Fields that GitHub sends and the forge's document lacks.

use serde_json::{Value, json};

use super::data::{WORDS, mix, pick};
use super::forge::FORGE_ORG;

pub(super) fn user(base: &str, login: &str, id: usize) -> Value {
    json!({
        "node_id": format!("U_{id}"),
        "avatar_url": format!("{base}/avatars/{id}"),
        "gravatar_id": "",
        "url": format!("{base}/users/{login}"),
        "repos_url": format!("{base}/users/{login}/repos"),
        "type": if id == 1 { "Organization" } else { "User" },
        "site_admin": false,
    })
}

pub(super) fn repo(base: &str, name: &str, repo: usize, pushed: &str) -> Value {
    let description = match repo {
        1 => Value::Null,
        _ => json!(format!("The {}.", pick(&WORDS, repo))),
    };
    json!({
        "node_id": format!("R_{}", 1_001 + repo),
        "full_name": format!("{FORGE_ORG}/{name}"),
        "private": false,
        "html_url": format!("{base}/{FORGE_ORG}/{name}"),
        "url": format!("{base}/repos/{FORGE_ORG}/{name}"),
        "description": description,
        "fork": false,
        "default_branch": "main",
        "visibility": "public",
        "language": "Rust",
        "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT", "url": null, "node_id": "L_1"},
        "open_issues_count": 3,
        "stargazers_count": mix(repo) % 500,
        "forks_count": repo,
        "size": 100 + repo,
        "has_issues": true,
        "disabled": false,
        "permissions": {"admin": false, "push": true, "pull": true},
        "pushed_at": pushed,
        "updated_at": pushed,
    })
}

pub(super) fn label(index: usize) -> Value {
    let id = index % WORDS.len();
    json!({
        "id": id,
        "node_id": format!("LA_{id}"),
        "url": format!("https://api.forge.example/labels/{id}"),
        "description": null,
        "default": false,
    })
}

/// Returns the fields of an issue. `closed` is the time, if the issue is closed.
pub(super) fn issue(url: &str, number: usize, created: &str, closed: Option<&str>) -> Value {
    let body = match number % 4 {
        0 => Value::Null,
        _ => json!("It stops.\nThen it waits."),
    };
    json!({
        "node_id": format!("I_{number}"),
        "html_url": url,
        "url": url,
        "body": body,
        "assignee": null,
        "assignees": [],
        "milestone": null,
        "locked": false,
        "comments": number % 6,
        "created_at": created,
        "closed_at": closed,
        "author_association": "MEMBER",
        "state_reason": closed.map(|_| "completed"),
    })
}

pub(super) fn commit_info(committer: &Value) -> Value {
    json!({"committer": committer, "comment_count": 0})
}

pub(super) fn commit(url: &str, committer: Value) -> Value {
    json!({"node_id": "C_1", "url": url, "committer": committer, "parents": []})
}
