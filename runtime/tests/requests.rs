//! Tests of the exact requests, as a server on loopback sees them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, sync};

#[derive(Record)]
struct Thing {
    id: Option<i64>,
}

/// One received request.
#[derive(Clone, Debug)]
struct Seen {
    /// The request line, as `GET /things?x=1`.
    line: String,
    /// The headers, with names in lower case, joined with their values by `: `.
    headers: Vec<String>,
    body: String,
}

/// Responds to every request with `answer`; returns the base URL and the requests.
fn serve(
    answer: impl Fn(&Seen) -> (u16, String) + Send + 'static,
) -> (String, Arc<Mutex<Vec<Seen>>>) {
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

/// Reads every resource of a source; returns the first error as text.
fn run(source: &Source) -> Result<(), String> {
    run_with(source, &RunOptions::default())
}

fn run_with(source: &Source, options: &RunOptions) -> Result<(), String> {
    let destination = Box::new(InMemory::new(100));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime
        .block_on(sync(source, destination, options, Arc::new(())))
        .map_err(|error| error.report())?;
    match report
        .resources
        .iter()
        .all(|it| it.requests > 0 && it.records > 0 && !matches!(it.outcome, Outcome::Failed(..)))
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
            Some(1) => r#"[{"id": 2}, {"id": 3}]"#,
            Some(2) => r#"[{"id": 3}]"#,
            _ => "[]",
        };
        (200, rows.to_owned())
    });
    let paginator = Paginator::offset("offset").page_size("limit", 2).in_body();
    let things = Thing::list("things", "/things/search")
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
            // The second page begins with the last row of the first one.
            (line, r#"{"limit":2,"offset":1}"#)
        ]
    );
}

#[test]
fn pages_are_asked_for_in_the_json_of_a_parameter() {
    let (base, log) = serve(|request| {
        let (_, query) = request.line.split_once("?q=").unwrap();
        let query = query
            .replace("%7B", "{")
            .replace("%7D", "}")
            .replace("%22", "\"");
        let query = query.replace("%3A", ":").replace("%2C", ",");
        let asked: serde_json::Value = serde_json::from_str(&query).unwrap();
        assert_eq!(asked["order"], "id");
        let rows = match asked["page"].as_u64() {
            Some(0) => r#"[{"id": 1}, {"id": 2}]"#,
            Some(1) => r#"[{"id": 3}]"#,
            _ => "[]",
        };
        (200, format!(r#"{{"count": 3, "result": {rows}}}"#))
    });
    let paginator = Paginator::page_number("page")
        .starting_at(0)
        .total_items("count")
        .page_size("page_size", 2)
        .in_json("q");
    let things = Thing::list("things", "/things")
        .query("q", r#"{"order":"id"}"#)
        .records("result")
        .paginate(paginator);
    run(&Source::new("jsons", &base).resource(things)).unwrap();
    let log = log.lock().unwrap();
    assert!(log.len() >= 2, "{log:?}");
}

/// Reads three things by page numbers in that form; returns the queries, decoded.
fn by_numbers(page: &str, size: &str, holder: Option<&str>) -> Vec<String> {
    let second = |line: &str| line.contains("=2&") || line.ends_with("=2") || line.contains(":2");
    let decoded = |line: &str| {
        let line = line.trim_start_matches("GET ");
        let url = reqwest::Url::parse(&format!("http://h{line}")).unwrap();
        let pairs = url
            .query_pairs()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    };
    let (base, log) = serve(move |request| {
        let rows = match second(&decoded(&request.line).replace("size", "")) {
            true => r#"[{"id": 4}]"#,
            false => r#"[{"id": 1}, {"id": 2}, {"id": 3}]"#,
        };
        (200, format!(r#"{{"total": 4, "data": {rows}}}"#))
    });
    let paginator = Paginator::page_number(page)
        .page_size(size, 3)
        .total_items("total");
    let paginator = match holder {
        Some(holder) => paginator.in_json(holder),
        None => paginator,
    };
    let things = Thing::list("things", "/things")
        .records("data")
        .primary_key([Thing::ID])
        .paginate(paginator);
    run(&Source::new("numbers", &base).resource(things)).unwrap();
    let log = log.lock().unwrap();
    log.iter().map(|seen| decoded(&seen.line)).collect()
}

#[test]
fn pages_may_be_fields_of_a_parameter_in_brackets() {
    let asked = by_numbers("page[number]", "page[size]", None);
    let lines = ["page[size]=3&page[number]=1", "page[size]=3&page[number]=2"];
    assert_eq!(asked[..2], lines, "{asked:?}");
}

#[test]
fn pages_may_be_in_an_object_within_the_json_of_a_parameter() {
    let asked = by_numbers("page.number", "page.size", Some("query"));
    for (line, number) in asked.iter().zip(1..=2) {
        let value = line.strip_prefix("query=").unwrap();
        let value: serde_json::Value = serde_json::from_str(value).unwrap();
        let page = serde_json::json!({"page": {"number": number, "size": 3}});
        assert_eq!(value, page, "{asked:?}");
    }
    assert!(asked.len() >= 2, "{asked:?}");
}

#[test]
fn linked_pages_begin_with_the_number_of_the_first() {
    let (base, log) = serve(|_| (200, r#"[{"id": 1}]"#.to_owned()));
    let paginator = Paginator::link_header()
        .first_page("_page", 1)
        .page_size("_limit", 2);
    let things = Thing::list("things", "/things").paginate(paginator);
    run(&Source::new("links", &base).resource(things)).unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log[0].line, "GET /things?_limit=2&_page=1");
}

#[test]
fn the_first_page_may_want_an_empty_token() {
    let (base, log) = serve(|request| match request.line.contains("cursor=b") {
        false => (200, r#"{"data": [{"id": 1}], "next": "b"}"#.to_owned()),
        true => (200, r#"{"data": [{"id": 2}], "next": ""}"#.to_owned()),
    });
    let things = Thing::list("things", "/things")
        .records("data")
        .paginate(Paginator::token("cursor", "next").first(""));
    run(&Source::new("tokens", &base).resource(things)).unwrap();
    let log = log.lock().unwrap();
    let asked: Vec<_> = log.iter().map(|seen| seen.line.as_str()).collect();
    assert_eq!(asked, ["GET /things?cursor=", "GET /things?cursor=b"]);
}

#[test]
fn a_link_of_a_post_list_to_another_path_is_followed_by_get() {
    for (next, method, body) in [
        ("/events/filter/next?token=t", "GET", ""),
        ("/events/filter?token=t", "POST", r#"{"kind":"all"}"#),
    ] {
        let (base, seen) = serve(move |request| match request.line.contains("token") {
            true => (200, r#"{"data": [{"id": 2}]}"#.to_owned()),
            false => (
                200,
                format!(r#"{{"data": [{{"id": 1}}], "next": "{next}"}}"#),
            ),
        });
        let list = Thing::list("events", "/events/filter")
            .post()
            .body(serde_json::json!({"kind": "all"}))
            .records("data")
            .primary_key([Thing::ID])
            .paginate(Paginator::next_url("next"));
        run(&Source::new("s", &base).resource(list)).unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(seen[1].line, format!("{method} {next}"));
        assert_eq!(seen[1].body, body);
    }
}

#[test]
fn a_bound_is_sent_as_the_parameter_takes_it() {
    #[derive(Record)]
    struct Event {
        id: Option<i64>,
        at: Option<Timestamp>,
    }
    let (base, log) = serve(|_| {
        let body = r#"[{"id": 1, "at": "2024-01-31T12:00:00Z"}]"#;
        (200, body.to_owned())
    });
    let cursor = Cursor::updated(Event::AT)
        .param("from")
        .until("to")
        .format(TimeFormat::Date);
    let events = Event::list("events", "/events")
        .primary_key(Event::ID)
        .paginate(Paginator::single())
        .incremental(cursor);
    let source = Source::new("bounds", &base).resource(events);
    let options = RunOptions::default()
        .since("2024-01-01T12:00:00Z")
        .until("2024-02-01T12:00:00Z");
    run_with(&source, &options).unwrap();
    let log = log.lock().unwrap();
    // The API may exclude the bound: the day before is requested too.
    assert_eq!(log[0].line, "GET /events?from=2023-12-31&to=2024-02-02");
}

#[test]
fn each_credential_goes_with_its_own_requests_only() {
    let (base, log) = serve(|_| (200, r#"[{"id": 1}]"#.to_owned()));
    let things = Thing::list("things", "/things");
    let audits: Resource<Thing> =
        Thing::list("audits", "/audits").auth("admin_token", Some(Auth::bearer("ADMIN")));
    let reports = Thing::list("reports", "/reports")
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
    let audits = Thing::list("audits", "/audits").auth("admin_token", None);
    let source = Source::new("credentials", &base)
        .auth(Auth::bearer("MAIN"))
        .resource(audits);
    let error = run(&source).unwrap_err();
    assert!(
        error.contains("no value for the setting `admin_token`"),
        "{error}"
    );
    assert!(
        error.contains("--admin-token or the environment variable CREDENTIALS_ADMIN_TOKEN"),
        "{error}"
    );
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn an_answer_that_echoes_an_own_credential_is_shown_without_it() {
    let (base, _) = serve(|_| (400, r#"{"message": "no use for ADMIN-TOKEN"}"#.to_owned()));
    let audits: Resource<Thing> =
        Thing::list("audits", "/audits").auth("admin_token", Some(Auth::bearer("ADMIN-TOKEN")));
    let error = run(&Source::new("credentials", &base).resource(audits)).unwrap_err();
    assert!(error.contains("no use for ***"), "{error}");
}

/// Signs with the key, the request and a counter; the time is in whole seconds, and tests must not
/// wait for one.
fn signed(base: &str) -> Source {
    let tries = std::sync::atomic::AtomicUsize::new(1);
    let auth = Auth::sign("the-signing-key", move |key, request| {
        let number = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let text = format!(
            "{} {} {} {} {}",
            request.method(),
            request.target(),
            request.sent_header("x-key-id").unwrap_or("nobody"),
            request.body(),
            key.expose().len(),
        );
        request.header("X-Time", request.unix_time().to_string());
        request.signature("X-Signature", format!("signature-{number} {text}"));
    });
    let things = Thing::list("things", "/things/search")
        .post()
        .body(serde_json::json!({"order": "id"}))
        .query("kind", "a b");
    Source::new("signed", base)
        .auth(Auth::header("X-Key-Id", "kid-0001").and(auth))
        .resource(things)
}

#[test]
fn every_try_is_signed_anew_and_as_it_is_sent() {
    let (base, log) = serve(|request| {
        let first = request.headers.iter().any(|it| it.contains("signature-1 "));
        match first {
            true => (503, "{}".to_owned()),
            false => (200, r#"[{"id": 1}]"#.to_owned()),
        }
    });
    run(&signed(&base)).unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 2);
    for (at, seen) in log.iter().enumerate() {
        let expected = format!(
            "x-signature: signature-{} {} kid-0001 {} 15",
            at + 1,
            seen.line,
            seen.body
        );
        assert!(seen.headers.contains(&expected), "{expected}: {seen:?}");
        assert!(seen.headers.iter().any(|it| it.starts_with("x-time: ")));
        assert!(seen.line.ends_with("?kind=a+b"), "{seen:?}");
        assert_eq!(seen.body, r#"{"order":"id"}"#);
    }
}

#[test]
fn neither_key_nor_signature_is_recorded_or_shown() {
    let echo = |seen: &Seen| {
        let signature = seen.headers.iter().find(|it| it.starts_with("x-signature"));
        let (_, signature) = signature.unwrap().split_once(": ").unwrap();
        let body = serde_json::json!([{"id": 1, "told": signature, "key": "the-signing-key"}]);
        (200, body.to_string())
    };
    let (base, _) = serve(echo);
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    run(&signed(&base).record(&tape)).unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(&tape).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("signature-"), "{text}");
        assert!(!text.contains("the-signing-key"), "{text}");
        files += 1;
    }
    assert_eq!(files, 1);
    // The recording answers requests with other signatures.
    run(&signed("http://127.0.0.1:9").replay(&tape)).unwrap();

    let refuse = |_: &Seen| (403, r#"{"message": "bad key the-signing-key"}"#.to_owned());
    let error = run(&signed(&serve(refuse).0)).unwrap_err();
    assert!(error.contains("bad key ***"), "{error}");
}

#[test]
fn a_signature_stays_with_the_api() {
    let (elsewhere, log) = serve(|_| (200, r#"{"items": [{"id": 2}]}"#.to_owned()));
    let body = format!(r#"{{"items": [{{"id": 1}}], "next": "{elsewhere}/things"}}"#);
    let (base, _) = serve(move |_| (200, body.clone()));
    let things = Thing::list("things", "/things")
        .records("items")
        .paginate(Paginator::next_url("next"));
    let auth = Auth::sign("key", |key, request| {
        request.signature("X-Signature", key.expose());
    });
    let source = Source::new("signed", &base).auth(auth).resource(things);
    let error = run(&source).unwrap_err();
    assert!(error.contains("not the API's own host"), "{error}");
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn settings_fill_the_body_with_their_types() {
    let source = |base: &str, depth: &str, region: Option<&str>| {
        let things = Thing::list("things", "/things/search")
            .post()
            .body(json!({"ids": ["0"]}))
            .body_text("region", region)
            .body_number("depth", depth)
            .body_bool("archived", "true")
            .query("kind", "a");
        Source::new("bodies", base).resource(things)
    };
    let (base, log) = serve(|_| (200, r#"[{"id": 1}]"#.to_owned()));
    run(&source(&base, "5", Some("7"))).unwrap();
    let sent = r#"{"ids":["0"],"region":"7","depth":5,"archived":true}"#;
    assert_eq!(log.lock().unwrap()[0].body, sent);
    for (depth, region, said) in [
        ("deep", Some("7"), "the value of `depth` is not a number"),
        ("5", None, "no value for the setting `region`"),
    ] {
        let error = run(&source(&base, depth, region)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[derive(Record)]
struct Change {
    id: Option<i64>,
    at: Option<UnixTime>,
    day: Option<Date>,
}

/// Returns the requests of two runs of a list that is read by a cursor in its body.
fn read_twice(cursor: Cursor<Change>) -> Vec<Seen> {
    let (base, log) = serve(|_| {
        (
            200,
            r#"[{"id": 1, "at": 1700000000, "day": "2023-11-14"}]"#.to_owned(),
        )
    });
    let list = Change::list("changes", "/changes/search")
        .post()
        .body(json!({"filter": {"kind": "a"}}))
        .primary_key([Change::ID])
        .incremental(cursor);
    let source = Source::new("bodies", &base).resource(list);
    let (into, options) = (InMemory::new(100), RunOptions::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..2 {
        let run = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
        runtime.block_on(run).unwrap();
    }
    log.lock().unwrap().clone()
}

#[test]
fn the_bound_of_a_cursor_is_sent_where_its_parameter_is() {
    let updated = || Cursor::updated(Change::AT);
    for (cursor, query, body) in [
        (
            updated().param("filter.gte"),
            "?filter.gte=1700000000",
            r#"{"filter":{"kind":"a"}}"#,
        ),
        (
            updated().param("filter.gte").in_body(),
            "",
            r#"{"filter":{"kind":"a","gte":1700000000}}"#,
        ),
        (
            updated()
                .param("min_at")
                .in_body()
                .format(TimeFormat::Rfc3339),
            "",
            r#"{"filter":{"kind":"a"},"min_at":"2023-11-14T22:13:20Z"}"#,
        ),
        (
            updated().param("q").template("at>={}").in_body(),
            "",
            r#"{"filter":{"kind":"a"},"q":"at>=1700000000"}"#,
        ),
        (
            Cursor::updated(Change::DAY).param("min_day").in_body(),
            "",
            r#"{"filter":{"kind":"a"},"min_day":"2023-11-14"}"#,
        ),
    ] {
        let seen = read_twice(cursor);
        let asked: Vec<_> = seen
            .iter()
            .map(|seen| (seen.line.as_str(), seen.body.as_str()))
            .collect();
        let first = ("POST /changes/search", r#"{"filter":{"kind":"a"}}"#);
        let second = format!("POST /changes/search{query}");
        assert_eq!(asked, [first, (second.as_str(), body)]);
    }
    let list = Change::list("changes", "/changes").primary_key([Change::ID]);
    let cursor = updated().param("since").in_body();
    let source = Source::new("bodies", "http://127.0.0.1:9").resource(list.incremental(cursor));
    let error = run(&source).unwrap_err();
    assert!(error.contains("needs `.post()`"), "{error}");
}

#[test]
fn a_plan_says_what_several_resources_lack_once() {
    let list = |name: &str| Thing::list(name, "/things");
    let source = Source::new("lacking", "http://127.0.0.1:9")
        .resource(list("teams").query("region", None::<String>))
        .resource(list("members").query("region", None::<String>))
        .resource(list("events").query("year", None::<String>));
    let now = std::time::SystemTime::now();
    let plan = etlgen_runtime::run::plan(&source, &Default::default(), &RunOptions::default(), now);
    let text = plan.unwrap().to_string();
    let of = |name: &str| {
        text.matches(&format!("no value for the setting `{name}`"))
            .count()
    };
    assert_eq!((of("region"), of("year")), (1, 1), "{text}");
    assert!(text.contains("(teams, members)"), "{text}");
    assert_eq!(text.matches("set --").count(), 2, "{text}");
}
