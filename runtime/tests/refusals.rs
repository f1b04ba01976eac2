//! Tests of credentials that are refused or expire: they are renewed once for all requests, or the
//! run ends with one error.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{InMemory, asked, page, run_by};
use etlgen_runtime::ErrorKind;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, RunReport};
use etlgen_runtime::world::{
    BoxFuture, Clock, Transport, VirtualClock, WireError, WireRequest, WireResponse, World,
};
use serde_json::json;

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

fn items(name: &str) -> Resource<Item> {
    Item::list(name, &format!("/{name}"))
        .records("items")
        .primary_key([Item::ID])
        .paginate(Paginator::token("after", "next"))
}

type Make = fn() -> WireResponse;
type Answer = Box<dyn Fn(&WireRequest) -> WireResponse + Send + Sync>;

/// An API that answers after a tenth of a second, so that requests overlap.
struct Api {
    clock: VirtualClock,
    answer: Answer,
    log: Arc<Mutex<Vec<String>>>,
}

impl Transport for Api {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        Box::pin(async move {
            let line = format!("{} {}", request.method(), request.url().path());
            self.log.lock().unwrap().push(line);
            self.clock.sleep(Duration::from_millis(100)).await;
            Ok((self.answer)(&request))
        })
    }
}

/// Runs `r1` to `r4` against such an API; returns the report, the rows and the requests.
fn run(
    auth: Auth,
    answer: impl Fn(&WireRequest) -> WireResponse + Send + Sync + 'static,
) -> (RunReport, InMemory, Vec<String>) {
    let clock = VirtualClock::new(std::time::UNIX_EPOCH);
    let log = Arc::new(Mutex::new(Vec::new()));
    let api = Api {
        clock: clock.clone(),
        answer: Box::new(answer),
        log: log.clone(),
    };
    let mut source = Source::new("race", "https://api.example")
        .world(World::simulated(api, clock.clone(), 1))
        .auth(auth);
    for name in ["r1", "r2", "r3", "r4"] {
        source = source.resource(items(name));
    }
    let into = InMemory::new(1000);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    let log = log.lock().unwrap().clone();
    (report, into, log)
}

/// Returns page number `after` of four.
fn one_of_four(request: &WireRequest) -> WireResponse {
    let after = asked(request, "after");
    let at: i64 = after.trim_start_matches('p').parse().unwrap_or(0);
    let next = (at < 3).then(|| format!("p{}", at + 1));
    page(json!({"items": [{"id": at}], "next": next}))
}

fn failures(report: &RunReport) -> Vec<(ErrorKind, String)> {
    let failed = report.resources.iter().filter_map(|r| match &r.outcome {
        Outcome::Failed(kind, message) => Some((*kind, message.clone())),
        _ => None,
    });
    failed.collect()
}

#[test]
fn one_renewal_is_enough_for_all_who_were_refused() {
    // Each token is valid for this many requests.
    for uses in [4, 5, 6, 7] {
        let state = Arc::new(Mutex::new((0, 0)));
        let answer = move |request: &WireRequest| {
            let mut state = state.lock().unwrap();
            let (sold, left) = &mut *state;
            if request.url().path() == "/token" {
                (*sold, *left) = (*sold + 1, uses);
                return page(json!({"access_token": format!("t{sold}")}));
            }
            let good = request.header("authorization") == Some(&format!("Bearer t{sold}"));
            if !good || *left == 0 {
                return WireResponse::new(401).body(r#"{"error": "token expired"}"#);
            }
            *left -= 1;
            one_of_four(request)
        };
        let auth =
            || Auth::oauth2_client_credentials("https://api.example/token", "i", "secret", &[]);
        let (report, into, log) = run(auth(), answer);
        assert!(report.is_complete(), "{uses}: {:?}", failures(&report));
        for name in ["r1", "r2", "r3", "r4"] {
            assert_eq!(into.table(name).len(), 4, "{uses}");
        }
        let renewals = log.iter().filter(|line| *line == "POST /token").count();
        assert_eq!(renewals, 16usize.div_ceil(uses), "{uses}: {log:?}");
    }
}

#[test]
fn refused_credentials_end_the_run_and_are_said_once() {
    let refuse: [(&str, Make); 2] = [
        ("status", || {
            WireResponse::new(401).body(r#"{"message": "who are you?"}"#)
        }),
        ("told", || {
            page(json!({"ok": false, "error": "invalid_auth"}))
        }),
    ];
    for (how, refusal) in refuse {
        let (report, _, log) = run(Auth::bearer("a-wrong-key"), move |_| refusal());
        assert!(report.refused, "{how}: {report:?}");
        let failures = failures(&report);
        assert_eq!(failures.len(), 1, "{how}: {failures:?}");
        assert_eq!(failures[0].0, ErrorKind::Credentials, "{how}");
        // The requests in flight have ended, and none was sent after them.
        assert_eq!(log.len(), 4, "{how}: {log:?}");
        let words = if how == "told" {
            "invalid_auth"
        } else {
            "who are you?"
        };
        assert!(failures[0].1.contains(words), "{failures:?}");
    }
}

#[test]
fn a_key_that_is_withdrawn_ends_the_run_and_what_came_is_kept() {
    let sent = Mutex::new(0);
    let (report, into, log) = run(Auth::bearer("a-key-of-yesterday"), move |request| {
        let mut sent = sent.lock().unwrap();
        *sent += 1;
        match *sent {
            0..=8 => one_of_four(request),
            _ => WireResponse::new(401),
        }
    });
    assert!(report.refused, "{report:?}");
    assert_eq!(failures(&report).len(), 1, "{report:?}");
    // Four requests were in flight, and one that had been answered before was repeated.
    assert_eq!(log.len(), 13, "{log:?}");
    let rows = ["r1", "r2", "r3", "r4"].map(|name| into.table(name).len());
    assert_eq!(rows, [2, 2, 2, 2]);
}

#[test]
fn a_list_that_is_closed_fails_alone() {
    for closed in [
        || WireResponse::new(401),
        || WireResponse::new(403),
        || page(json!({"ok": false, "error": "missing_scope"})),
    ] {
        let (report, into, _) = run(Auth::bearer("a-good-key"), move |request| {
            // The list closes only after the others have been answered.
            match (request.url().path(), asked(request, "after").as_str()) {
                ("/r3", "p1") => closed(),
                _ => one_of_four(request),
            }
        });
        assert!(!report.refused, "{report:?}");
        let failures = failures(&report);
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert_eq!(failures[0].0, ErrorKind::Credentials);
        let rows = ["r1", "r2", "r3", "r4"].map(|name| into.table(name).len());
        assert_eq!(rows, [4, 4, 1, 4]);
    }
}

#[test]
fn a_token_server_that_is_refused_or_gone_for_a_moment_is_told_apart() {
    let auth = || Auth::oauth2_client_credentials("https://api.example/token", "i", "secret", &[]);
    let (report, _, log) = run(auth(), |request| {
        assert_eq!(request.url().path(), "/token");
        WireResponse::new(400).body(r#"{"error": "unauthorized_client"}"#)
    });
    assert!(report.refused, "{report:?}");
    assert_eq!(failures(&report).len(), 1, "{report:?}");
    assert!(log.len() <= 4, "{log:?}");

    let asked_for = Mutex::new(0);
    let (report, _, _) = run(auth(), move |request| {
        let mut asked_for = asked_for.lock().unwrap();
        if request.url().path() != "/token" {
            return one_of_four(request);
        }
        *asked_for += 1;
        match *asked_for {
            1 => WireResponse::new(503),
            _ => page(json!({"access_token": "t"})),
        }
    });
    assert!(report.is_complete(), "{report:?}");
}

#[test]
fn a_user_and_a_password_buy_a_token() {
    // One server requires a form, another one JSON; both issue tokens of which the first is
    // refused.
    for wants_json in [false, true] {
        let sold = Mutex::new(0);
        let auth = Auth::oauth2_password("/auth/token", "reader", "pass word", None, &["read"]);
        let (report, into, _) = run(auth, move |request| {
            let mut sold = sold.lock().unwrap();
            if request.url().path() == "/auth/token" {
                let body = String::from_utf8(request.body().to_vec()).unwrap();
                let form = "grant_type=password&username=reader&password=pass+word&scope=read";
                let good = match wants_json {
                    false => body == form,
                    true => {
                        let given: serde_json::Value =
                            serde_json::from_str(&body).unwrap_or_default();
                        given == json!({"username": "reader", "password": "pass word"})
                    }
                };
                if !good {
                    return WireResponse::new(422).body(r#"{"detail": "not the right form"}"#);
                }
                *sold += 1;
                return page(json!({"access_token": format!("t{sold}")}));
            }
            match request.header("authorization") {
                Some(token) if *sold > 1 && token == format!("Bearer t{sold}") => {
                    one_of_four(request)
                }
                _ => WireResponse::new(401),
            }
        });
        assert!(report.is_complete(), "{wants_json}: {report:?}");
        assert_eq!(into.table("r4").len(), 4);
    }
}

/// Loads twenty items and their parts; `answer` answers for the parts of an item.
fn parts_of(answer: impl Fn(i64) -> WireResponse + Send + Sync + 'static) -> (RunReport, InMemory) {
    use crate::support::simulated;

    let (world, clock) = simulated(0, move |request| {
        Ok(match request.url().path().split('/').nth(2) {
            None => page((1..=20).map(|id| json!({"id": id})).collect()),
            Some(item) => answer(item.parse().unwrap()),
        })
    });
    let list = |name: &str, path: &str| Item::list(name, path).primary_key([Item::ID]);
    let parts = list("parts", "/items/{item}/parts").child_of("items", |item: &Item, request| {
        request.path("item", item.id)
    });
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(list("items", "/items"))
        .resource(parts);
    let into = InMemory::new(1000);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    (report, into)
}

#[test]
fn many_lists_that_fail_alike_are_one_line_and_the_others_are_read() {
    // Credentials may be good for the lists of some parents.
    let (report, into) = parts_of(|item| match item % 4 {
        0 => WireResponse::new(403).body(r#"{"message": "not yours"}"#),
        _ => page(json!([{"id": item}])),
    });
    let failures = failures(&report);
    assert_eq!(failures.len(), 1, "{failures:?}");
    let said = &failures[0].1;
    assert!(
        said.contains("5 of 20 lists failed, each like the first"),
        "{said}"
    );
    assert_eq!(
        said.matches("403 Forbidden: not yours").count(),
        1,
        "{said}"
    );
    assert_eq!(into.table("parts").len(), 15);
    // After ten of them the rest is not requested.
    let (report, _) = parts_of(|_| WireResponse::new(403).body(r#"{"message": "not yours"}"#));
    let said = &self::failures(&report)[0].1;
    assert!(
        said.contains("lists failed, and the others were not requested"),
        "{said}"
    );
    assert!(report.resources[1].requests < 20, "{said}");
    // Lists that fail for several reasons.
    let (report, _) = parts_of(|item| match item {
        3 => WireResponse::new(403).body("no"),
        4 => WireResponse::new(418).body("a teapot"),
        item => page(json!([{"id": item}])),
    });
    let said = &self::failures(&report)[0].1;
    assert!(
        said.contains("2 of 20 lists failed, for 2 reasons, the first"),
        "{said}"
    );
}
