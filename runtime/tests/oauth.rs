//! Tests of OAuth 2 against a token endpoint on loopback: renewal, rotation, refusal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, sync};

#[derive(Record)]
struct Thing {
    id: Option<i64>,
}

/// The server's state: the valid refresh token, the valid access token, and whether a new refresh
/// token replaces the old one.
struct Tokens {
    refresh: String,
    access: String,
    replaces: bool,
    /// Requests with this token get a 401, as if it had been revoked.
    withdrawn: String,
    wants_header: bool,
    sold: u32,
}

/// Serves `POST /token`, which issues tokens, and `GET /things`, which requires one; returns the
/// base URL.
fn serve(tokens: Arc<Mutex<Tokens>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap_or_default();
            let (mut length, mut authorization) = (0, String::new());
            let mut header = String::new();
            while reader.read_line(&mut header).is_ok_and(|n| n > 2) {
                if let Some((name, value)) = header.split_once(':') {
                    match name.to_lowercase().as_str() {
                        "content-length" => length = value.trim().parse().unwrap(),
                        "authorization" => authorization = value.trim().to_owned(),
                        _ => {}
                    }
                }
                header.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let mut tokens = tokens.lock().unwrap();
            let (status, answer) = if line.starts_with("POST /token") {
                sell(&mut tokens, &body, &authorization)
            } else if authorization == format!("Bearer {}", tokens.access)
                && tokens.access != tokens.withdrawn
            {
                (200, r#"[{"id": 1}]"#.to_owned())
            } else {
                (401, "{}".to_owned())
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    base
}

fn sell(tokens: &mut Tokens, body: &str, authorization: &str) -> (u16, String) {
    let named = authorization.starts_with("Basic ") || body.contains("client_secret=client-secret");
    if !named || tokens.wants_header && authorization.is_empty() {
        return (401, r#"{"error": "invalid_client"}"#.to_owned());
    }
    if !body.contains("grant_type=refresh_token")
        || !body.contains(&format!("refresh_token={}&", tokens.refresh))
            && !body.ends_with(&format!("refresh_token={}", tokens.refresh))
    {
        let answer = format!(
            r#"{{"error": "invalid_grant", "error_description": "bad token: {}"}}"#,
            body.replace('"', "")
        );
        return (400, answer);
    }
    tokens.sold += 1;
    tokens.access = format!("access-{}", tokens.sold);
    let mut answer = serde_json::json!({"access_token": tokens.access, "expires_in": 3600});
    if tokens.replaces {
        tokens.refresh = format!("refresh-{}", tokens.sold + 1);
        answer["refresh_token"] = tokens.refresh.as_str().into();
    }
    (200, answer.to_string())
}

fn tokens() -> Arc<Mutex<Tokens>> {
    Arc::new(Mutex::new(Tokens {
        refresh: "refresh-1".into(),
        access: String::new(),
        replaces: true,
        withdrawn: String::new(),
        wants_header: false,
        sold: 0,
    }))
}

/// Reads all things; returns the number of records, or the printed error.
fn run(base: &str, given: &str, file: &Path) -> std::result::Result<u64, String> {
    let auth = Auth::oauth2_refresh_token(
        &format!("{base}/token"),
        "client-id",
        "client-secret",
        given,
        file,
    );
    let things = Thing::list("things", "/things").primary_key([Thing::ID]);
    let source = Source::new("shop", base).auth(auth).resource(things);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime
        .block_on(sync(
            &source,
            Box::new(InMemory::new(10)),
            &RunOptions::default(),
            Arc::new(()),
        ))
        .map_err(|error| format!("{error:?} {error}"))?;
    let shown = format!("{report:?}");
    assert!(
        !shown.contains("refresh-") && !shown.contains("client-secret"),
        "{shown}"
    );
    match report.resources[0].records {
        0 => Err(shown),
        records => Ok(records),
    }
}

#[test]
fn a_replaced_refresh_token_is_kept_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.refresh-token.json");
    let tokens = tokens();
    let base = serve(tokens.clone());
    for sold in 1..=3 {
        assert_eq!(run(&base, "refresh-1", &file), Ok(1));
        assert_eq!(tokens.lock().unwrap().sold, sold);
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(
        kept.contains("refresh-4") && !kept.contains("refresh-1"),
        "{kept}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A token given by hand takes precedence over the stored one.
    tokens.lock().unwrap().refresh = "refresh-new".into();
    assert_eq!(run(&base, "refresh-new", &file), Ok(1));
}

#[test]
fn a_refresh_token_that_stays_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.json");
    let tokens = tokens();
    tokens.lock().unwrap().replaces = false;
    tokens.lock().unwrap().wants_header = true;
    let base = serve(tokens);
    assert_eq!(run(&base, "refresh-1", &file), Ok(1));
    assert!(!file.exists());
}

#[test]
fn a_401_renews_once() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = tokens();
    tokens.lock().unwrap().withdrawn = "access-1".into();
    let base = serve(tokens.clone());
    assert_eq!(
        run(&base, "refresh-1", &folder.path().join("a.json")),
        Ok(1)
    );
    assert_eq!(tokens.lock().unwrap().sold, 2);
}

#[test]
fn a_used_up_refresh_token_is_said_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let base = serve(tokens());
    let error = run(&base, "refresh-old", &folder.path().join("a.json")).unwrap_err();
    assert!(error.contains("expired or was revoked"), "{error}");
    assert!(
        !error.contains("refresh-old") && !error.contains("client-secret"),
        "{error}"
    );
}

#[test]
fn without_a_token_the_settings_are_named() {
    let source = |auth| {
        let things = Thing::list("things", "/things");
        Source::new("shop", "http://127.0.0.1:9")
            .auth(auth)
            .resource(things)
    };
    let source = source(Auth::first_set([
        (&["username", "password"], None),
        (&["access_token"], None),
    ]));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(sync(
        &source,
        Box::new(InMemory::new(10)),
        &RunOptions::default(),
        Arc::new(()),
    ));
    let error = report.unwrap_err();
    assert_eq!(error.kind(), etlgen_runtime::ErrorKind::Usage);
    let shown = error.report();
    assert!(
        shown.contains("`username` and `password`, or `access_token`"),
        "{shown}"
    );
    assert!(
        shown.contains("--username and --password, or --access-token"),
        "{shown}"
    );
}

/// What a login of an API was asked, and the token that is valid now.
#[derive(Default)]
struct Logins {
    bodies: Vec<serde_json::Value>,
    /// The requests that the current token may still make.
    left: usize,
    /// Requests with a valid token and without one.
    accepted: usize,
    refused: usize,
}

/// Returns a source with many lists, whose tokens end after some requests.
fn behind_a_login(
    logins: Arc<Mutex<Logins>>,
    life: usize,
    auth: Auth,
) -> (Source, etlgen_runtime::world::VirtualClock) {
    let (world, clock) = crate::support::simulated(0, move |request| {
        let mut logins = logins.lock().unwrap();
        if request.url().path() == "/api/v1/security/login" {
            assert_eq!(request.method(), "POST");
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            logins.bodies.push(body.clone());
            if body["password"] != "the-password" {
                let said = r#"{"message": "no user with the-passwort"}"#;
                return Ok(etlgen_runtime::world::WireResponse::new(401).body(said));
            }
            logins.left = life;
            let token = format!("token-{}", logins.bodies.len());
            return Ok(crate::support::page(
                serde_json::json!({"result": {"access_token": token}}),
            ));
        }
        let current = format!("Bearer token-{}", logins.bodies.len());
        let sent = request
            .headers()
            .get("x-session")
            .map(|value| value.to_str().unwrap());
        let sent = sent.map(|token| format!("Bearer {token}"));
        let bearer = request.headers().get("authorization");
        let bearer = bearer.map(|value| value.to_str().unwrap().to_owned());
        if sent.or(bearer) != Some(current) || logins.left == 0 {
            logins.refused += 1;
            return Ok(etlgen_runtime::world::WireResponse::new(401));
        }
        logins.left -= 1;
        logins.accepted += 1;
        Ok(crate::support::page(serde_json::json!([{"id": 1}])))
    });
    let mut source = Source::new("shop", "https://api.example/api/v1")
        .world(world)
        .auth(auth);
    for number in 0..12 {
        let things = Thing::list(&format!("things_{number}"), &format!("/things/{number}"));
        source = source.resource(things.primary_key([Thing::ID]));
    }
    (source, clock)
}

fn login(password: &str) -> Login {
    Login::post("/security/login")
        .user("username", "ann")
        .password("password", password)
        .field("provider", "db")
}

#[test]
fn a_login_fetches_a_token_and_renews_it_once_for_all() {
    for auth in [
        login("the-password").token("result.access_token"),
        login("the-password").token_in("result.access_token", "X-Session", ""),
    ] {
        let logins = Arc::new(Mutex::new(Logins::default()));
        let (source, clock) = behind_a_login(logins.clone(), 7, auth);
        let into = InMemory::new(10);
        let report =
            crate::support::run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        assert!(report.is_complete(), "{report:?}");
        let logins = logins.lock().unwrap();
        assert_eq!(logins.accepted, 12);
        // Twelve requests, of which a token serves seven: two tokens, though several requests were
        // refused at once.
        assert_eq!(logins.bodies.len(), 2);
        let body =
            serde_json::json!({"username": "ann", "password": "the-password", "provider": "db"});
        assert_eq!(logins.bodies[0], body);
    }
}

#[test]
fn a_login_that_is_refused_names_its_request_and_no_password() {
    let logins = Arc::new(Mutex::new(Logins::default()));
    let auth = login("the-passwort").token("result.access_token");
    let (source, clock) = behind_a_login(logins.clone(), 7, auth);
    let into = InMemory::new(10);
    let report = crate::support::run_by(&clock, &source, &into, &RunOptions::default());
    let shown = format!("{report:?}");
    assert!(shown.contains("POST security/login"), "{shown}");
    assert!(shown.contains("check the user and the password"), "{shown}");
    assert!(!shown.contains("the-passwort"), "{shown}");
    assert_eq!(logins.lock().unwrap().accepted, 0);
}

#[test]
fn a_login_without_a_token_in_its_response_names_the_place() {
    let logins = Arc::new(Mutex::new(Logins::default()));
    let auth = login("the-password").token("access_token");
    let (source, clock) = behind_a_login(logins, 7, auth);
    let into = InMemory::new(10);
    let report = crate::support::run_by(&clock, &source, &into, &RunOptions::default());
    let shown = format!("{report:?}");
    assert!(
        shown.contains("the response has no `access_token`"),
        "{shown}"
    );
}

#[test]
fn the_first_alternative_that_is_set_is_used() {
    let token = Some("token-0");
    let by_login = |password: Option<&str>| {
        let login = password.map(|password| login(password).token("result.access_token"));
        Auth::first_set([
            (&["username", "password"], login),
            (&["token"], token.map(Auth::bearer)),
        ])
    };
    for (password, bodies) in [(None, 0), (Some("the-password"), 1)] {
        let logins = Arc::new(Mutex::new(Logins {
            left: 100,
            ..Logins::default()
        }));
        let (source, clock) = behind_a_login(logins.clone(), 100, by_login(password));
        let into = InMemory::new(10);
        let report =
            crate::support::run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(logins.lock().unwrap().bodies.len(), bodies);
    }
}
