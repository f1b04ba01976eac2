//! A code forge similar to GitHub: bare arrays, and the next page in the `Link` header.

use std::cmp::Reverse;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::Mock;
use super::data::{Kind, NAMES, START, WORDS, drifts, extend, mix, parse_time, pick, timestamp};
use super::github;
use super::http::{Request, Response, encode};

/// The token that the forge accepts.
pub const FORGE_TOKEN: &str = "forge_mock_token";

/// The organisation that owns all repositories.
pub const FORGE_ORG: &str = "acme";

const PAGE: i64 = 30;
const LARGEST_PAGE: usize = 100;

pub(super) fn answer(mock: &Mock, request: &Request) -> Response {
    match request
        .header("authorization")
        .map(|given| given.split_once(' '))
    {
        Some(Some(("Bearer" | "token", FORGE_TOKEN))) => {}
        // GitHub's own document declares no authentication, so a connector generated from it may send none.
        None if mock.scenario.github => {}
        None => return error(401, "Requires authentication"),
        Some(_) => return error(401, "Bad credentials"),
    }
    let base = format!("http://{}", request.header("host").unwrap_or("127.0.0.1"));
    let parts: Vec<&str> = request.path.split('/').skip(1).collect();
    let site = Site {
        mock,
        base,
        full: mock.scenario.github || parts[0] == "user",
    };
    let repos = mock.scenario.repos;
    if request.method != "GET" {
        return error(404, "Not Found");
    }
    let page = match parts.as_slice() {
        ["orgs", FORGE_ORG, "repos"] | ["user", "repos"] => {
            site.page(request, repos, |repo| site.repo(repo))
        }
        ["repos", FORGE_ORG, name, rest @ ..] => {
            let number = name.strip_prefix("repo-").and_then(|n| n.parse().ok());
            match (number.filter(|n| (1..=repos).contains(n)), rest) {
                (Some(number), []) => Ok(Response::json(200, &site.repo(number - 1))),
                (Some(number), ["issues"]) => site.issues(number - 1, request),
                (Some(number), ["commits"]) => site.commits(number - 1, request),
                _ => return error(404, "Not Found"),
            }
        }
        _ => return error(404, "Not Found"),
    };
    page.unwrap_or_else(|message| error(422, &message))
}

fn error(status: u16, message: &str) -> Response {
    Response::json(status, &json!({"message": message}))
}

fn time(request: &Request, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = request.param(name) else {
        return Ok(None);
    };
    let time = parse_time(text).ok_or_else(|| format!("`{name}` is not a time: {text}"))?;
    Ok(Some(time))
}

/// Returns the time at which an issue was opened, by its number.
fn opened(number: usize) -> i64 {
    START + 600 * number as i64
}

fn state(number: usize) -> &'static str {
    pick(&["closed", "open", "open"], number)
}

/// The view of the data in one response.
struct Site<'a> {
    mock: &'a Mock,
    /// The base URL that the client uses.
    base: String,
    /// Whether it sends everything that GitHub sends, not only the fields of the forge's document.
    full: bool,
}

impl Site<'_> {
    /// Returns one page of an array, with the links to the others.
    fn page(
        &self,
        request: &Request,
        total: usize,
        item: impl Fn(usize) -> Value,
    ) -> Result<Response, String> {
        // A larger size is reduced to the maximum, as GitHub does.
        let size = request.number("per_page")?.unwrap_or(PAGE);
        let size = usize::try_from(size).unwrap_or(1).clamp(1, LARGEST_PAGE);
        let page = request.number("page")?.unwrap_or(1);
        let page = usize::try_from(page).unwrap_or(1).max(1);
        let last = total.div_ceil(size).max(1);
        let mut links = Vec::new();
        let mut link = |page: usize, relation: &str| {
            let mut url = format!("{}{}?", self.base, request.path);
            for (name, value) in request.query.iter().filter(|(name, _)| name != "page") {
                url.push_str(&format!("{}={}&", encode(name), encode(value)));
            }
            links.push(format!("<{url}page={page}>; rel=\"{relation}\""));
        };
        if page > 1 {
            link(page - 1, "prev");
        }
        if page < last {
            link(page + 1, "next");
            link(last, "last");
        }
        if page > 1 {
            link(1, "first");
        }
        let first = (page - 1).saturating_mul(size);
        let shown = (first..first.saturating_add(size).min(total)).map(item);
        let response = Response::json(200, &shown.collect());
        Ok(match links.is_empty() {
            true => response,
            false => response.with("Link", links.join(", ")),
        })
    }

    fn user(&self, login: &str, id: usize) -> Value {
        let url = format!("{}/{login}", self.base);
        let mut user = json!({"id": id, "login": login, "html_url": url});
        if self.full {
            extend(&mut user, github::user(&self.base, login, id));
        }
        user
    }

    fn person(&self, index: usize) -> Value {
        let id = index % NAMES.len();
        self.user(&format!("dev-{id}"), 100 + id)
    }

    fn repo(&self, repo: usize) -> Value {
        let name = format!("repo-{}", repo + 1);
        let mut record = json!({
            "id": 1_001 + repo,
            "name": name,
            "archived": repo % 5 == 4,
            "created_at": timestamp(START + 86_400 * repo as i64),
            "owner": self.user(FORGE_ORG, 1),
            "topics": if repo % 3 == 2 { json!([]) } else { json!([pick(&WORDS, repo), "tools"]) },
        });
        if self.full {
            let pushed = timestamp(opened(100));
            extend(&mut record, github::repo(&self.base, &name, repo, &pushed));
        }
        record
    }

    fn issues(&self, repo: usize, request: &Request) -> Result<Response, String> {
        let since = time(request, "since")?;
        let wanted = request.param("state").unwrap_or("open");
        if !["open", "closed", "all"].contains(&wanted) {
            return Err("`state` must be open, closed or all".to_owned());
        }
        let count = self.mock.store.issues_per_repo.load(Ordering::SeqCst);
        let mut numbers: Vec<usize> = (1..=count)
            .rev()
            .filter(|number| wanted == "all" || state(*number) == wanted)
            .filter(|number| since.is_none_or(|since| self.updated(repo, *number) >= since))
            .collect();
        if request.param("sort") == Some("updated") {
            numbers.sort_by_key(|number| Reverse(self.updated(repo, *number)));
        }
        if request.param("direction") == Some("asc") {
            numbers.reverse();
        }
        self.page(request, numbers.len(), |at| self.issue(repo, numbers[at]))
    }

    fn updated(&self, repo: usize, number: usize) -> i64 {
        let changed = self.mock.store.changed_at(Kind::Issue, repo, number);
        changed.unwrap_or_else(|| opened(number) + (mix(number) % 86_400) as i64)
    }

    fn label(&self, index: usize) -> Value {
        let color = format!("{:06x}", mix(index) % 0xff_ffff);
        let mut label = json!({"name": pick(&WORDS, index), "color": color});
        if self.full {
            extend(&mut label, github::label(index));
        }
        label
    }

    fn issue(&self, repo: usize, number: usize) -> Value {
        let updated = timestamp(self.updated(repo, number));
        let labels: Vec<Value> = (0..number % 3).map(|at| self.label(number + at)).collect();
        let mut record = json!({
            "id": (repo + 1) * 1_000_000 + number,
            "number": number,
            "title": format!("The {} stops at {number}", pick(&WORDS, number)),
            "labels": labels,
            "state": state(number),
            "updated_at": updated,
            "user": if number % 11 == 10 { Value::Null } else { self.person(number) },
        });
        if self.full {
            let url = format!("{}/repos/{FORGE_ORG}/repo-{}", self.base, repo + 1);
            let url = format!("{url}/issues/{number}");
            let closed = (state(number) == "closed").then_some(updated.as_str());
            let created = timestamp(opened(number));
            extend(&mut record, github::issue(&url, number, &created, closed));
        }
        if self.mock.scenario.drift && drifts(number - 1) {
            let drift = json!({"number": format!("#{number}"), "pinned": true});
            extend(&mut record, drift);
        }
        record
    }

    fn commits(&self, repo: usize, request: &Request) -> Result<Response, String> {
        let (since, until) = (time(request, "since")?, time(request, "until")?);
        let count = self.mock.store.commits_per_repo.load(Ordering::SeqCst);
        let dated = |index: usize| START + 3600 * index as i64;
        let indexes: Vec<usize> = (0..count)
            .rev()
            .filter(|index| since.is_none_or(|since| dated(*index) >= since))
            .filter(|index| until.is_none_or(|until| dated(*index) <= until))
            .collect();
        self.page(request, indexes.len(), |at| {
            self.commit(repo, indexes[at], dated(indexes[at]))
        })
    }

    fn commit(&self, repo: usize, index: usize, at: i64) -> Value {
        let seed = (repo + 1) * 10_000_000 + index;
        let hash = format!(
            "{:016x}{:016x}{:016x}",
            mix(seed),
            mix(!seed),
            mix(seed * 7)
        );
        let (sha, name) = (&hash[..40], pick(&NAMES, index));
        let signature = json!({"name": name, "date": timestamp(at)});
        let url = format!("{}/{FORGE_ORG}/repo-{}/commit/{sha}", self.base, repo + 1);
        let message = format!("Teach the {} to wait", pick(&WORDS, index));
        let mut record = json!({
            "sha": sha,
            "author": if index % 13 == 12 { Value::Null } else { self.person(index) },
            "commit": {"author": signature, "message": message},
            "html_url": url,
        });
        if self.full {
            extend(&mut record["commit"], github::commit_info(&signature));
            extend(&mut record, github::commit(&url, self.person(index)));
        }
        record
    }
}
