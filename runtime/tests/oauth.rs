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
    let renew =
        |token: &Secret| Auth::oauth2_refresh_token("http://127.0.0.1:9/", "i", "s", token, "f");
    let source = |auth| {
        let things = Thing::list("things", "/things");
        Source::new("shop", "http://127.0.0.1:9")
            .auth(auth)
            .resource(things)
    };
    let source = source(Auth::oauth2_given(None, None, renew));
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
        shown.contains("neither `access_token` nor `refresh_token`"),
        "{shown}"
    );
    assert!(shown.contains("--access-token"), "{shown}");
}
