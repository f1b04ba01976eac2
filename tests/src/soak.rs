//! An API of forty lists, paged in every way, that fails one request in twenty.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::mock::http::{Request, Response, Server};

/// The number of lists without a parent.
pub const ROOTS: u64 = 35;
/// The number of child lists: each of the first roots has one, for each of [`PER_PARENT`] rows.
pub const CHILDREN: u64 = 5;
/// The number of rows of a child's list.
pub const PER_PARENT: u64 = 100;
/// The largest page.
const PAGE: u64 = 100;

/// Returns the number of rows of a list, with about `records` in total.
pub fn rows(list: u64, records: u64) -> u64 {
    let each = records / (ROOTS + CHILDREN);
    match list {
        // Each row of these lists has [`PER_PARENT`] children.
        list if list < CHILDREN => each.div_ceil(PER_PARENT),
        list if list < ROOTS => each + each / 7,
        list => rows(list - ROOTS, records) * PER_PARENT,
    }
}

/// A running API; dropping it stops it.
pub struct Soak {
    server: Server,
    faults: Arc<AtomicU64>,
}

impl Soak {
    /// Starts an API with about that many records.
    pub fn start(records: u64) -> io::Result<Soak> {
        let (asked, faults) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
        let counted = faults.clone();
        let server = Server::start(0, move |request| {
            let asked = asked.fetch_add(1, Ordering::Relaxed);
            // One request in twenty fails, with each kind of fault in turn.
            if asked % 20 == 13 {
                counted.fetch_add(1, Ordering::Relaxed);
                match asked / 20 % 4 {
                    0 => return fault(429).with("Retry-After", "0".to_owned()),
                    1 => return fault(500),
                    2 => {
                        let mut response = answer(request, records);
                        response.cut = true;
                        return response;
                    }
                    _ => std::thread::sleep(Duration::from_millis(200)),
                }
            }
            answer(request, records)
        })?;
        Ok(Soak { server, faults })
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the number of faults so far.
    pub fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }
}

fn fault(status: u16) -> Response {
    Response::json(status, &json!({"message": "a fault of the test"}))
}

/// Responds to `/list/7` with list 7, and to `/parent/3/42` with the children of row 42 of list 3.
fn answer(request: &Request, records: u64) -> Response {
    let parts: Vec<&str> = request.path.split('/').skip(1).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let (list, first, total) = match parts.as_slice() {
        ["list", list] => match number(list) {
            Some(list) => (list, 0, rows(list, records)),
            None => return fault(404),
        },
        ["parent", list, row] => match (number(list), number(row)) {
            (Some(list), Some(row)) => (list + ROOTS, row * PER_PARENT, PER_PARENT),
            _ => return fault(404),
        },
        _ => return fault(404),
    };
    let asked = |name: &str| request.number(name).ok().flatten().map(|n| n as u64);
    let start = match list % 5 {
        0 => asked("after").map_or(0, |id| id + 1 - first),
        1 => asked("offset").unwrap_or(0),
        2 => (asked("page").unwrap_or(1) - 1) * PAGE,
        _ => asked("cursor").unwrap_or(0),
    };
    let end = (start + PAGE).min(total);
    let data: Vec<Value> = (start.min(end)..end)
        .map(|row| record(list, first + row))
        .collect();
    let more = end < total;
    let mut body = json!({"data": data, "more": more});
    match list % 5 {
        1 | 2 => body["total"] = total.into(),
        3 => body["next"] = if more { json!(end) } else { Value::Null },
        4 if more => body["next"] = format!("{}?cursor={end}", request.path).into(),
        _ => {}
    }
    Response::json(200, &body)
}

fn record(list: u64, id: u64) -> Value {
    json!({
        "id": id,
        "name": format!("row {id} of list {list}"),
        "amount": id * 7 % 1000,
        "note": "a text that is as long as notes are, so that the bytes of a record are not only those of its numbers",
        "updated": format!("2024-05-{:02}T12:00:00Z", id % 28 + 1),
        "tags": [format!("t{}", id % 10), format!("l{list}")],
    })
}
