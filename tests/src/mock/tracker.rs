//! A task tracker: numbered pages, the total number of items in the body, a key in a header.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::Mock;
use super::data::{Kind, START, WORDS, date, drifts, extend, mix, parse_time, pick, timestamp};
use super::http::{Request, Response};

/// The key that the tracker accepts.
pub const TRACKER_KEY: &str = "tracker_mock_key";

const PAGE: i64 = 20;
const LARGEST_PAGE: i64 = 50;

pub(super) fn answer(mock: &Mock, request: &Request) -> Response {
    if request.header("x-api-key") != Some(TRACKER_KEY) {
        return error(401, "the key is missing or unknown");
    }
    let parts: Vec<&str> = request.path.split('/').skip(1).collect();
    let projects = mock.scenario.projects;
    let answer = match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["projects"]) => page(request, projects, |index| project(index + 1)),
        ("GET", ["projects", id]) => match id.parse() {
            Ok(id) if (1..=projects).contains(&id) => Ok(project(id)),
            _ => return error(404, "no such project"),
        },
        ("GET", ["tasks"]) => tasks(mock, request),
        _ => return error(404, "there is nothing here"),
    };
    match answer {
        Ok(body) => Response::json(200, &body),
        Err(message) => error(400, &message),
    }
}

fn error(status: u16, message: &str) -> Response {
    Response::json(
        status,
        &json!({"error": {"code": status, "message": message}}),
    )
}

fn page(request: &Request, total: usize, item: impl Fn(usize) -> Value) -> Result<Value, String> {
    let number = request.number("page")?.unwrap_or(1);
    let size = request.number("per_page")?.unwrap_or(PAGE);
    if number < 1 {
        return Err("`page` counts from 1".to_owned());
    }
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(format!("`per_page` must be 1 to {LARGEST_PAGE}"));
    }
    let first = usize::try_from((number - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let end = first.saturating_add(usize::try_from(size).unwrap_or(0));
    let items: Vec<Value> = (first..end.min(total)).map(item).collect();
    Ok(json!({"items": items, "page": {"number": number, "total": total}}))
}

fn project(id: usize) -> Value {
    json!({
        "id": id,
        "name": format!("The {}", pick(&WORDS, id)),
        "archived": id % 4 == 3,
        "created_at": timestamp(START + 86_400 * id as i64),
    })
}

fn tasks(mock: &Mock, request: &Request) -> Result<Value, String> {
    let project = request.number("project_id")?;
    let project = project.ok_or("`project_id` is required")?;
    let project = usize::try_from(project)
        .ok()
        .filter(|id| (1..=mock.scenario.projects).contains(id))
        .ok_or("`project_id` is not a project")?;
    let after = match request.param("updated_after") {
        None => None,
        Some(text) => {
            Some(parse_time(text).ok_or_else(|| format!("`updated_after` is not a time: {text}"))?)
        }
    };
    let numbers: Vec<usize> = (1..=mock.store.tasks_per_project.load(Ordering::SeqCst))
        .filter(|number| after.is_none_or(|after| updated(mock, project, *number) > after))
        .collect();
    page(request, numbers.len(), |at| {
        task(mock, project, numbers[at])
    })
}

fn updated(mock: &Mock, project: usize, number: usize) -> i64 {
    let changed = mock.store.changed_at(Kind::Task, project, number);
    changed.unwrap_or(START + 900 * number as i64)
}

fn task(mock: &Mock, project: usize, number: usize) -> Value {
    let at = updated(mock, project, number);
    let mut record = json!({
        "id": project * 100_000 + number,
        "project_id": project,
        "title": format!("Look after the {} ({number})", pick(&WORDS, number)),
        "due": if number % 6 == 5 { Value::Null } else { json!(date(at + 7 * 86_400)) },
        "done": number.is_multiple_of(3),
        "estimate_hours": (mix(number) % 64) as f64 / 4.0,
        "updated_at": timestamp(at),
    });
    if mock.scenario.drift && drifts(number - 1) {
        extend(
            &mut record,
            json!({"estimate_hours": "half a day", "sprint": 12}),
        );
    }
    record
}
