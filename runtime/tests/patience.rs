//! Tests of what a run waits for, and how long: disguised rate limits, delayed responses,
//! restarting servers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{InMemory, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions};
use etlgen_runtime::world::{
    Body, BoxFuture, Clock, Transport, VirtualClock, WireError, WireErrorKind, WireRequest,
    WireResponse, World,
};
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

fn items() -> Resource<Item> {
    Item::list("items", "/items")
        .records("items")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"))
}

/// Loads two pages, replacing the responses for which `trouble` returns another one. Returns the
/// outcome, and the numbers of rows, requests and seconds.
fn with_trouble(
    list: Resource<Item>,
    trouble: impl Fn(usize) -> Option<Result<WireResponse, WireError>> + Send + Sync + 'static,
) -> (Outcome, usize, usize, u64) {
    let requests = Arc::new(Mutex::new(0));
    let count = requests.clone();
    let (world, clock) = simulated(1_700_000_000, move |request| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if let Some(answer) = trouble(*count) {
            return answer;
        }
        Ok(match asked(request, "after").as_str() {
            "" => page(json!({"items": [{"id": 1}], "next": "b"})),
            _ => page(json!({"items": [{"id": 2}]})),
        })
    });
    let source = Source::new("slow", "https://api.example")
        .world(world)
        .auth(Auth::bearer("a-good-key"))
        .resource(list);
    let into = InMemory::new(1);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    let requests = *requests.lock().unwrap();
    assert_eq!(report.resources[0].requests, requests as u64);
    let outcome = report.resources[0].outcome.clone();
    (
        outcome,
        into.table("items").len(),
        requests,
        clock.monotonic().as_secs(),
    )
}

type Make = fn() -> WireResponse;

fn refused() -> Option<Result<WireResponse, WireError>> {
    Some(Err(WireError::new(
        WireErrorKind::Connect,
        "connection refused",
    )))
}

fn closed() -> Option<Result<WireResponse, WireError>> {
    let message = "connection closed before message completed";
    Some(Err(WireError::new(WireErrorKind::Broken, message)))
}

#[test]
fn a_rate_limit_is_one_whatever_its_status() {
    let answers: [(&str, Make, u64); 6] = [
        (
            "403 and a pause",
            || WireResponse::new(403).header("retry-after", "7"),
            7,
        ),
        (
            "403 and nothing left",
            || {
                WireResponse::new(403)
                    .header("x-ratelimit-remaining", "0")
                    .header("x-ratelimit-reset", "1700000031")
            },
            30,
        ),
        (
            "403 and nothing left, for ever",
            || WireResponse::new(403).header("x-ratelimit-remaining", "0"),
            0,
        ),
        (
            "403 in words",
            || {
                WireResponse::new(403)
                    .body(r#"{"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}"#)
            },
            0,
        ),
        (
            "200",
            || page(json!({"ok": false, "error": "ratelimited"})).header("retry-after", "9"),
            9,
        ),
        (
            "429",
            || WireResponse::new(429).header("retry-after", "3"),
            3,
        ),
    ];
    for (name, answer, seconds) in answers {
        for list in [items(), items().on_status(403, StatusRule::Skip)] {
            let (outcome, rows, requests, waited) =
                with_trouble(list, move |number| (number == 2).then(|| Ok(answer())));
            assert!(matches!(outcome, Outcome::Complete), "{name}: {outcome:?}");
            assert_eq!((rows, requests), (2, 3), "{name}");
            assert!((seconds..seconds + 3).contains(&waited), "{name}: {waited}");
        }
    }
    // Without a sign of a rate limit, 403 is a refusal.
    let plain = |number| (number == 2).then(|| Ok(WireResponse::new(403)));
    let (outcome, ..) = with_trouble(items(), plain);
    assert!(matches!(outcome, Outcome::Failed(..)), "{outcome:?}");
}

#[test]
fn an_answer_that_comes_later_is_waited_for() {
    for body in ["", "{}", r#"{"status": "running"}"#] {
        let late = move |number| (number < 3).then(|| Ok(WireResponse::new(202).body(body)));
        let (outcome, rows, requests, _) = with_trouble(items(), late);
        assert!(matches!(outcome, Outcome::Complete), "{outcome:?}");
        assert_eq!((rows, requests), (2, 4));
    }
    let never = |_| Some(Ok(WireResponse::new(202)));
    let (outcome, _, _, waited) = with_trouble(items(), never);
    let Outcome::Failed(_, message) = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(message.contains("202 Accepted"), "{message}");
    assert!((119..150).contains(&waited), "{waited}");
}

#[test]
fn a_server_that_starts_again_is_waited_for_once_it_has_answered() {
    let unavailable = || Some(Ok(WireResponse::new(503)));
    for trouble in [refused as fn() -> _, closed, unavailable] {
        // The trouble lasts about a hundred seconds.
        let (outcome, rows, ..) = with_trouble(items(), move |number| {
            (2..12).contains(&number).then(trouble).flatten()
        });
        assert!(matches!(outcome, Outcome::Complete), "{outcome:?}");
        assert_eq!(rows, 2);
        let (outcome, _, requests, waited) =
            with_trouble(items(), move |number| (number > 1).then(trouble).flatten());
        assert!(matches!(outcome, Outcome::Failed(..)), "{outcome:?}");
        assert!((119..150).contains(&waited), "{waited}");
        assert!(requests < 25, "{requests}");
    }
    // A host that has never answered may be the wrong one.
    for trouble in [refused as fn() -> _, closed] {
        let (outcome, _, _, waited) = with_trouble(items(), move |_| trouble());
        assert!(matches!(outcome, Outcome::Failed(..)), "{outcome:?}");
        assert!((9..15).contains(&waited), "{waited}");
    }
}

/// A body that ends in the middle.
struct Cut(bool);

impl Body for Cut {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<bytes::Bytes>, WireError>> {
        let first = !std::mem::replace(&mut self.0, true);
        Box::pin(async move {
            match first {
                true => Ok(Some(bytes::Bytes::from_static(b"{\"items\": ["))),
                false => Err(WireError::new(WireErrorKind::Broken, "connection reset")),
            }
        })
    }
}

#[test]
fn a_response_that_always_breaks_off_is_not_a_server_that_starts_again() {
    let cut = |number| {
        let response = WireResponse::new(200).chunks(Cut(false));
        (number > 1).then_some(Ok(response))
    };
    let (outcome, _, requests, waited) = with_trouble(items(), cut);
    assert!(matches!(outcome, Outcome::Failed(..)), "{outcome:?}");
    assert_eq!(requests, 7);
    assert!(waited < 10, "{waited}");
}

/// A clock whose pauses of seconds take milliseconds.
struct Quick(std::time::Instant);

impl Quick {
    fn new() -> Self {
        Quick(std::time::Instant::now())
    }
}

impl Clock for Quick {
    fn time(&self) -> std::time::SystemTime {
        std::time::SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed() * 100
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time / 100))
    }
}

#[test]
fn a_server_that_closes_its_connections_is_waited_for() {
    use std::io::{Read, Write};

    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for (number, stream) in server.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            // The connections from the second to the ninth end without an answer, or within its
            // headers.
            let answer: &[u8] = match number {
                0 => b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 35\r\n\r\n{\"items\": [{\"id\": 1}], \"next\": \"b\"}",
                1..=4 => b"",
                5..=8 => b"HTTP/1.1 200 OK\r\nconte",
                _ => b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 22\r\n\r\n{\"items\": [{\"id\": 2}]}",
            };
            let _ = stream.write_all(answer);
        }
    });
    let source = Source::new("slow", &format!("http://{host}"))
        .world(World::real().with_clock(Quick::new()))
        .resource(items());
    let into = InMemory::new(1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = RunOptions::default();
    let run = etlgen_runtime::run::sync(&source, Box::new(into.clone()), &options, Arc::new(()));
    let report = runtime.block_on(run).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(into.table("items").len(), 2);
}

#[test]
fn a_name_that_does_not_resolve_is_asked_for_once() {
    let unresolved = |_| {
        Some(Err(WireError::new(
            WireErrorKind::Unresolved,
            "no such host",
        )))
    };
    let (outcome, _, requests, waited) = with_trouble(items(), unresolved);
    let Outcome::Failed(_, message) = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        message.contains("api.example: the name of the host does not resolve: no such host"),
        "{message}"
    );
    assert!(
        message.contains("check the host name `api.example`"),
        "{message}"
    );
    assert_eq!((requests, waited), (1, 0));
}

#[test]
fn an_error_that_comes_as_a_success_is_told_in_its_own_words() {
    let answers = [
        json!({"ok": false, "error": "channel_is_closed"}),
        json!({"errors": [{"message": "channel_is_closed"}], "data": null}),
        json!({"items": [], "errors": ["channel_is_closed"]}),
        json!({"error": {"code": 7, "message": "channel_is_closed"}}),
        json!({"status": "error", "message": "channel_is_closed"}),
    ];
    for answer in answers {
        let body = answer.clone();
        let told = move |number| (number == 2).then(|| Ok(page(body.clone())));
        let (outcome, rows, requests, _) = with_trouble(items(), told);
        let Outcome::Failed(kind, message) = &outcome else {
            panic!("{answer}: {outcome:?}")
        };
        assert_eq!(kind.name(), "api", "{answer}");
        assert!(message.contains("channel_is_closed"), "{answer}: {message}");
        assert_eq!((rows, requests), (1, 2), "{answer}");
    }
}

/// A transport that answers the second page after an hour.
struct Slow(VirtualClock);

impl Transport for Slow {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        Box::pin(async move {
            let second = asked(&request, "after") == "b";
            let time = Duration::from_secs(if second { 3600 } else { 1 });
            self.0.sleep(time).await;
            let next = (!second).then_some("b");
            Ok(page(
                json!({"items": [{"id": 1 + i64::from(second)}], "next": next}),
            ))
        })
    }
}

#[test]
fn the_end_of_the_time_ends_requests_under_way() {
    let clock = VirtualClock::new(std::time::UNIX_EPOCH);
    let source = Source::new("slow", "https://api.example")
        .world(World::simulated(Slow(clock.clone()), clock.clone(), 1))
        .request_timeout(Duration::from_secs(7200))
        .resource(items());
    let into = InMemory::new(1);
    let options = RunOptions::default().max_time(Duration::from_secs(60));
    let report = run_by(&clock, &source, &into, &options).unwrap();
    assert!(
        matches!(report.resources[0].outcome, Outcome::Stopped),
        "{report:?}"
    );
    assert_eq!(into.table("items").len(), 1);
    assert_eq!(clock.monotonic().as_secs(), 60);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(into.table("items").len(), 2);
}

/// Loads from a server that answers each connection with these bytes; returns the message of the
/// failure, the host, and the number of connections.
fn asked_in_the_wrong_way(scheme: &str, answer: &'static [u8]) -> (String, String, usize) {
    use std::io::{Read, Write};

    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = server.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            *count.lock().unwrap() += 1;
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    let source = Source::new("slow", &format!("{scheme}://{host}")).resource(items());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = Box::new(InMemory::new(1));
    let options = RunOptions::default();
    let run = etlgen_runtime::run::sync(&source, into, &options, Arc::new(()));
    let report = runtime.block_on(run).unwrap();
    let Outcome::Failed(_, message) = &report.resources[0].outcome else {
        panic!("{report:?}")
    };
    let asked = *asked.lock().unwrap();
    (message.clone(), host, asked)
}

#[test]
fn a_server_that_speaks_no_tls_is_asked_once() {
    let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    let (message, host, asked) = asked_in_the_wrong_way("https", answer);
    let plain = format!("`http://{host}`");
    for part in ["no TLS connection", "check the scheme and the port", &plain] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(asked, 1);
}

#[test]
fn a_server_that_wants_tls_is_asked_once_and_the_message_says_so() {
    let answers: [&[u8]; 4] = [
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
        // An alert of TLS: the message was not expected.
        b"\x15\x03\x01\x00\x02\x02\x0a",
    ];
    for answer in answers {
        let (message, _, asked) = asked_in_the_wrong_way("http", answer);
        assert!(message.contains("TLS"), "{message}");
        assert!(message.contains("`https://"), "{message}");
        assert_eq!(asked, 1, "{message}");
    }
}

#[test]
fn only_http_is_spoken() {
    let source = Source::new("slow", "ftp://api.example").resource(items());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (into, options) = (Box::new(InMemory::new(1)), RunOptions::default());
    let run = etlgen_runtime::run::sync(&source, into, &options, Arc::new(()));
    let error = runtime.block_on(run).unwrap_err();
    assert_eq!(error.kind(), etlgen_runtime::ErrorKind::Usage);
    assert!(error.message().contains("`ftp://api.example`"), "{error}");
}
