//! What goes out, to the letter, seen from a server on loopback.

#[allow(dead_code, reason = "the other tests use the rest")]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, sync};
use support::InMemory;

#[derive(Record)]
struct Thing {
    id: Option<i64>,
}

/// One request.
#[derive(Clone, Debug)]
struct Seen {
    /// `GET /things?x=1`.
    line: String,
    /// Names in lower case, joined with their values by `: `.
    headers: Vec<String>,
    body: String,
}

/// Answers every request with `answer`; gives the base URL and what was asked.
fn serve(answer: fn(&Seen) -> (u16, String)) -> (String, Arc<Mutex<Vec<Seen>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap_or_default();
            let mut headers = Vec::new();
            let mut length = 0;
            let mut header = String::new();
            while reader.read_line(&mut header).is_ok_and(|n| n > 2) {
                if let Some((name, value)) = header.split_once(':') {
                    let (name, value) = (name.to_lowercase(), value.trim());
                    if name == "content-length" {
                        length = value.parse().unwrap();
                    }
                    headers.push(format!("{name}: {value}"));
                }
                header.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let request = Seen {
                line: line
                    .rsplit_once(' ')
                    .map_or("", |(line, _)| line)
                    .to_owned(),
                headers,
                body: String::from_utf8(body).unwrap(),
            };
            let (status, text) = answer(&request);
            seen.lock().unwrap().push(request);
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
                text.len()
            );
        }
    });
    (base, log)
}

/// Reads every resource of a source; the first error as text.
fn run(source: &Source) -> Result<(), String> {
    let destination = Box::new(InMemory::new(100));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime
        .block_on(sync(
            source,
            destination,
            &RunOptions::default(),
            Arc::new(()),
        ))
        .map_err(|error| error.to_string())?;
    match report
        .resources
        .iter()
        .all(|resource| resource.requests > 0 && resource.records > 0)
    {
        true => Ok(()),
        false => Err(format!("{:?}", report.resources)),
    }
}

#[test]
fn counted_pages_are_asked_for_in_the_body() {
    let (base, log) = serve(|request| {
        let asked: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let rows = match asked.get("offset").and_then(serde_json::Value::as_u64) {
            None => r#"[{"id": 1}, {"id": 2}]"#,
            Some(2) => r#"[{"id": 3}]"#,
            _ => "[]",
        };
        (200, rows.to_owned())
    });
    let paginator = Paginator::offset("offset").page_size("limit", 2).in_body();
    let things: Resource<Thing> = Resource::list("things", "/things/search")
        .post()
        .paginate(paginator);
    run(&Source::new("bodies", &base).resource(things)).unwrap();
    let log = log.lock().unwrap();
    let asked: Vec<_> = log
        .iter()
        .map(|seen| (seen.line.as_str(), seen.body.as_str()))
        .collect();
    let line = "POST /things/search";
    assert_eq!(
        asked[..2],
        [
            (line, r#"{"limit":2}"#),
            (line, r#"{"limit":2,"offset":2}"#)
        ]
    );
}

#[test]
fn each_credential_goes_with_its_own_requests_only() {
    let (base, log) = serve(|_| (200, r#"[{"id": 1}]"#.to_owned()));
    let things: Resource<Thing> = Resource::list("things", "/things");
    let audits: Resource<Thing> =
        Resource::list("audits", "/audits").auth("admin_token", Some(Auth::bearer("ADMIN")));
    let reports: Resource<Thing> = Resource::list("reports", "/reports")
        .auth("report_key", Some(Auth::query("key", "REPORT")))
        .auth("report_id", Some(Auth::header("X-Id", "WHO")));
    let source = Source::new("credentials", &base)
        .auth(Auth::bearer("MAIN"))
        .resource(things)
        .resource(audits)
        .resource(reports);
    run(&source).unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 3);
    for seen in log.iter() {
        let whole = format!("{} {}", seen.line, seen.headers.join("\n"));
        let path = seen.line.split([' ', '?']).nth(1).unwrap();
        let own: &[&str] = match path {
            "/things" => &["MAIN"],
            "/audits" => &["ADMIN"],
            _ => &["REPORT", "WHO"],
        };
        for secret in ["MAIN", "ADMIN", "REPORT", "WHO"] {
            assert_eq!(whole.contains(secret), own.contains(&secret), "{seen:?}");
        }
    }
}

#[test]
fn what_has_no_credentials_is_not_asked_for_and_names_the_setting() {
    let (base, log) = serve(|_| (200, "[]".to_owned()));
    let audits: Resource<Thing> = Resource::list("audits", "/audits").auth("admin_token", None);
    let source = Source::new("credentials", &base)
        .auth(Auth::bearer("MAIN"))
        .resource(audits);
    let error = run(&source).unwrap_err();
    assert!(error.contains("admin_token"), "{error}");
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn an_answer_that_echoes_an_own_credential_is_shown_without_it() {
    let (base, _) = serve(|_| (400, r#"{"message": "no use for ADMIN-TOKEN"}"#.to_owned()));
    let audits: Resource<Thing> =
        Resource::list("audits", "/audits").auth("admin_token", Some(Auth::bearer("ADMIN-TOKEN")));
    let error = run(&Source::new("credentials", &base).resource(audits)).unwrap_err();
    assert!(error.contains("no use for ***"), "{error}");
}
