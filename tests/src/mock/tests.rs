//! Pages through every API like a client.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::*;

/// One response: status, status line and headers, and the part of the body that arrived.
struct Answer {
    status: u16,
    head: String,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// Returns the target of the link to the next page.
    fn next(&self) -> Option<String> {
        let links = self.head.lines().find(|line| line.starts_with("Link:"))?;
        let next = links.split(", ").find(|link| link.contains("\"next\""))?;
        let url = next.split(['<', '>']).nth(1)?;
        Some(url.splitn(4, '/').nth(3)?.to_owned())
    }
}

/// A persistent connection.
type Client = BufReader<TcpStream>;

fn send(client: &mut Client, target: &str, header: &str) -> Answer {
    let host = client.get_ref().peer_addr().unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n\r\n");
    client.get_mut().write_all(request.as_bytes()).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(client.read_line(&mut head).unwrap() > 0);
    }
    let status = head[9..12].parse().unwrap();
    let length = |line: &str| line.strip_prefix("Content-Length: ")?.parse().ok();
    let length = head.lines().find_map(length).unwrap();
    let mut bytes = Vec::new();
    client.take(length).read_to_end(&mut bytes).unwrap();
    Answer {
        status,
        head,
        bytes,
    }
}

fn connect(mock: &MockApi) -> Client {
    let address = mock.url();
    BufReader::new(TcpStream::connect(address.trim_start_matches("http://")).unwrap())
}

fn get(mock: &MockApi, target: &str, header: &str) -> Answer {
    send(&mut connect(mock), target, header)
}

fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}")
}

/// Reads all records of a billing collection, over one connection.
fn billing(mock: &MockApi, collection: &str, filter: &str) -> Vec<Value> {
    let mut client = connect(mock);
    let mut all: Vec<Value> = Vec::new();
    loop {
        let mut target = format!("v1/{collection}?limit=100{filter}");
        if let Some(last) = all.last() {
            target += &format!("&starting_after={}", last["id"].as_str().unwrap());
        }
        let page = send(&mut client, &target, &bearer(BILLING_KEY)).json();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["has_more"] == false {
            return all;
        }
    }
}

fn forge(mock: &MockApi, target: &str) -> Vec<Value> {
    let (mut client, mut all) = (connect(mock), Vec::new());
    let mut target = Some(target.to_owned());
    while let Some(wanted) = target {
        let answer = send(&mut client, &wanted, &bearer(FORGE_TOKEN));
        assert_eq!(answer.status, 200);
        all.extend(answer.json().as_array().unwrap().iter().cloned());
        target = answer.next();
    }
    all
}

fn tracker(mock: &MockApi, target: &str) -> Vec<Value> {
    let (mut client, mut all) = (connect(mock), Vec::new());
    for page in 1.. {
        let target = format!("{target}per_page=50&page={page}");
        let key = format!("X-Api-Key: {TRACKER_KEY}");
        let body = send(&mut client, &target, &key).json();
        all.extend(body["items"].as_array().unwrap().iter().cloned());
        if all.len() as u64 >= body["page"]["total"].as_u64().unwrap() {
            break;
        }
    }
    all
}

fn distinct(records: &[Value], key: &str) -> usize {
    let keys: BTreeSet<String> = records.iter().map(|r| r[key].to_string()).collect();
    keys.len()
}

#[test]
fn billing_pages_to_its_end() {
    let mock = MockApi::start(Scenario::default());
    for (collection, count) in [("customers", 250), ("invoices", 400), ("events", 300)] {
        let all = billing(&mock, collection, "");
        assert_eq!((all.len(), distinct(&all, "id")), (count, count));
        assert!(all.is_sorted_by(|a, b| a["created"].as_i64() >= b["created"].as_i64()));
    }
    assert_eq!(mock.requests()[0], "GET /v1/customers?limit=100");
    assert_eq!(mock.requests().len(), 3 + 4 + 3);
}

#[test]
fn billing_filters_by_creation_and_shows_what_is_new() {
    let mock = MockApi::start(Scenario::default());
    let newest = billing(&mock, "customers", "")[0]["created"].clone();
    mock.add_customers(3);
    let filter = format!("&created%5Bgte%5D={newest}");
    assert_eq!(billing(&mock, "customers", &filter).len(), 4);
    let filter = format!("&created[gt]={newest}");
    assert_eq!(billing(&mock, "customers", &filter).len(), 3);
    let filter = format!("&created[lte]={newest}&created[gte]={newest}");
    assert_eq!(billing(&mock, "customers", &filter).len(), 1);
    let filter = format!("&created[lt]={newest}");
    assert_eq!(billing(&mock, "customers", &filter).len(), 249);
    assert!(billing(&mock, "customers", "&created[lt]=0").is_empty());
    let expanded = billing(&mock, "invoices", "&expand%5B%5D=data.customer");
    assert_eq!(expanded[0]["customer"]["object"], "customer");
}

#[test]
fn every_fiftieth_record_drifts() {
    let mock = MockApi::start(Scenario::default());
    let odd = |all: Vec<Value>| all.iter().filter(|r| r["balance"].is_string()).count();
    assert_eq!(odd(billing(&mock, "customers", "")), 5);
    let mock = MockApi::start(Scenario {
        drift: false,
        ..Scenario::default()
    });
    assert_eq!(odd(billing(&mock, "customers", "")), 0);
}

#[test]
fn the_forge_pages_to_its_end() {
    let mock = MockApi::start(Scenario::default());
    let repos = forge(&mock, "orgs/acme/repos?per_page=2");
    assert_eq!(distinct(&repos, "id"), 3);
    for repo in &repos {
        let name = repo["name"].as_str().unwrap();
        let all = forge(
            &mock,
            &format!("repos/acme/{name}/issues?state=all&per_page=100"),
        );
        assert_eq!(distinct(&all, "id"), 120);
        let open = forge(&mock, &format!("repos/acme/{name}/issues?per_page=7"));
        assert_eq!(distinct(&open, "id"), 80);
        let commits = forge(&mock, &format!("repos/acme/{name}/commits?per_page=25"));
        assert_eq!(distinct(&commits, "sha"), 60);
        let since = "since=2024-01-02T00%3A00%3A00%2B00%3A00";
        let late = forge(&mock, &format!("repos/acme/{name}/commits?{since}"));
        assert_eq!(late.len(), 60 - 24);
    }
    let answer = get(
        &mock,
        "repos/acme/repo-1/issues?since=soon",
        &bearer(FORGE_TOKEN),
    );
    assert_eq!(answer.status, 422);
}

#[test]
fn a_touched_issue_comes_again() {
    let mock = MockApi::start(Scenario::default());
    mock.touch_issue(1, 7);
    mock.add_issues(2);
    let since = "issues?state=all&since=2025-06-01T00:00:00Z";
    let changed = forge(&mock, &format!("repos/acme/repo-1/{since}"));
    let numbers: Vec<&Value> = changed.iter().map(|issue| &issue["number"]).collect();
    assert_eq!(numbers, [122, 121, 7]);
    assert_eq!(forge(&mock, &format!("repos/acme/repo-2/{since}")).len(), 2);
}

#[test]
fn the_forge_can_be_as_talkative_as_github() {
    let mock = MockApi::start(Scenario {
        github: true,
        ..Scenario::default()
    });
    let repos = get(&mock, "user/repos", "Accept: */*").json();
    assert_eq!(repos[0]["full_name"], "acme/repo-1");
    let issues = forge(&mock, "repos/acme/repo-1/issues?state=all");
    assert!(issues[0]["author_association"].is_string());
}

#[test]
fn the_tracker_pages_to_its_end() {
    let mock = MockApi::start(Scenario::default());
    assert_eq!(tracker(&mock, "projects?").len(), 4);
    for project in 1..=4 {
        let all = tracker(&mock, &format!("tasks?project_id={project}&"));
        assert_eq!((all.len(), distinct(&all, "id")), (70, 70));
    }
    mock.touch_task(2, 5);
    mock.add_tasks(1);
    let changed = "tasks?project_id=2&updated_after=2025-05-31T23:59:59.999Z&";
    assert_eq!(tracker(&mock, changed).len(), 2);
    let key = format!("X-Api-Key: {TRACKER_KEY}");
    assert_eq!(get(&mock, "tasks", &key).status, 400);
    assert_eq!(
        get(&mock, "tasks?project_id=1&per_page=51", &key).status,
        400
    );
}

#[test]
fn bulk_pages_to_its_end() {
    let mock = MockApi::start(Scenario {
        bulk: 250,
        ..Scenario::default()
    });
    let (mut client, mut cursor, mut all) = (connect(&mock), String::new(), Vec::new());
    loop {
        let target = format!("bulk/invoices?limit=100{cursor}");
        let page = send(&mut client, &target, "Accept: */*").json();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((all.len(), distinct(&all, "id")), (250, 250));
}

#[test]
fn strangers_are_turned_away() {
    let mock = MockApi::start(Scenario::default());
    for target in ["v1/customers", "orgs/acme/repos", "projects"] {
        let answer = get(&mock, target, &bearer("wrong"));
        assert_eq!(answer.status, 401);
        assert!(answer.json().is_object());
    }
}

#[test]
fn faults_happen_when_they_are_told_to() {
    let mock = MockApi::start(Scenario {
        faults: Faults {
            every_nth_503: Some(3),
            ..Faults::default()
        },
        ..Scenario::default()
    });
    let ask = || get(&mock, "v1/events?limit=2", &bearer(BILLING_KEY));
    let answers: Vec<Answer> = (0..6).map(|_| ask()).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 503, 200, 200, 503]);
    assert!(answers[2].head.contains("Retry-After: 0"));
    mock.set_faults(Faults {
        every_nth_cut: Some(2),
        ..Faults::default()
    });
    let (whole, cut) = (ask(), ask());
    assert_eq!(cut.status, 200);
    assert_eq!(cut.bytes.len(), whole.bytes.len() / 2);
    mock.set_faults(Faults {
        dead_after: Some(1),
        ..Faults::default()
    });
    assert_eq!((ask().status, ask().status), (200, 500));
}

#[test]
fn a_dropped_mock_answers_no_more() {
    let mock = MockApi::start(Scenario::default());
    let mut open = connect(&mock);
    send(&mut open, "v1/events", &bearer(BILLING_KEY));
    let url = mock.url();
    drop(mock);
    assert!(TcpStream::connect(url.trim_start_matches("http://")).is_err());
    assert_eq!(open.read(&mut [0]).unwrap_or(0), 0);
}
