//! Tests of recordings: requests and responses without secrets, and runs that need nothing else.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, RunReport, check, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    amount: Option<Decimal>,
    secret: Option<String>,
}

const SECRETS: [&str; 7] = [
    "client-id-4711",
    "client secret/0815",
    "bought-token-1",
    "bought-token-2",
    "key-in-query&42",
    "whsec_made_by_the_api",
    "aWQtaW4taGVhZGVy",
];

fn items() -> Resource<Item> {
    Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .query("account", SECRETS[4])
        .header("X-Api-Key", SECRETS[6])
        .paginate(Paginator::next_url("next"))
}

fn run(source: &Source) -> (RunReport, InMemory) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let into = InMemory::new(10_000);
    let options = RunOptions::default();
    let report = sync(source, Box::new(into.clone()), &options, Arc::new(()));
    (runtime.block_on(report).unwrap(), into)
}

/// Serves an API with all difficulties at once: tokens that are fetched and renewed, a 429, keys in
/// links, secrets in records, and numbers that floating point would change.
fn api() -> String {
    let (calls, tokens) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (base, _) = serve(move |path, query| {
        if path == "/token" {
            let token = SECRETS[2 + tokens.fetch_add(1, Ordering::SeqCst).min(1)];
            let body = serde_json::json!({"access_token": token, "expires_in": 3600});
            return (200, Vec::new(), body.to_string());
        }
        assert_eq!(query.get("account").map(String::as_str), Some(SECRETS[4]));
        match calls.fetch_add(1, Ordering::SeqCst) {
            0 => {
                return (
                    401,
                    Vec::new(),
                    r#"{"message":"bought-token-1 is old"}"#.into(),
                );
            }
            1 => return (429, vec![("retry-after".into(), "0".into())], String::new()),
            _ => {}
        }
        let next = match query.get("page").map(String::as_str) {
            None => r#""/items?account=key-in-query%2642&page=2""#,
            Some(_) => "null",
        };
        let id = if query.contains_key("page") { 2 } else { 1 };
        let body = format!(
            r#"{{"data":[{{"id":{id},"amount":1.10,"secret":"whsec_made_by_the_api"}}],"next":{next},"by":"{}"}}"#,
            SECRETS[1]
        );
        let cookie = ("set-cookie".to_owned(), "session=bought-token-2".to_owned());
        (200, vec![cookie], body)
    });
    base
}

fn source(base: &str) -> Source {
    let auth = Auth::oauth2_client_credentials(
        &format!("{base}/token"),
        SECRETS[0],
        SECRETS[1],
        &["read"],
    );
    let query: Secret = SECRETS[4].into();
    Source::new("taped", base)
        .auth(auth)
        .hide([query])
        .resource(items())
}

fn recorded(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

#[test]
fn a_recording_holds_no_secret_and_is_all_that_a_run_needs() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    let (report, first) = run(&source(&api()).record(&tape));
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(first.table("items").len(), 2);
    #[cfg(unix)]
    for file in std::fs::read_dir(&tape).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let files = recorded(&tape);
    assert_eq!(files.len(), 4);
    let escaped = [
        "client%20secret%2F0815",
        "client+secret%2F0815",
        "key-in-query%2642",
    ];
    for (file, text) in files.iter().enumerate() {
        for secret in SECRETS.iter().chain(&escaped) {
            assert!(!text.contains(secret), "{secret} in file {file}: {text}");
        }
    }
    // This run has no network and other settings.
    let replayed = Source::new("taped", "placeholder")
        .auth(Auth::bearer("other"))
        .replay(&tape)
        .resource(
            Item::list("items", "/items")
                .records("data")
                .primary_key([Item::ID])
                .query("account", "placeholder")
                .paginate(Paginator::next_url("next")),
        );
    // The response to the expired token is an error that a fixed key cannot fix.
    let (report, _) = run(&replayed);
    let Outcome::Failed(_, message) = &report.resources[0].outcome else {
        panic!("{report:?}")
    };
    assert!(message.contains("*** is old"), "{message}");
    std::fs::remove_file(tape.join("000001-get-items.json")).unwrap();
    let (report, again) = run(&replayed);
    assert!(report.is_complete(), "{report:?}");
    let amounts = |into: &InMemory| -> Vec<_> {
        let table = into.table("items");
        table
            .into_values()
            .map(|row| row["amount"].clone())
            .collect()
    };
    assert_eq!(amounts(&again), amounts(&first));
    assert_eq!(report.resources[0].retries, 0);
}

#[test]
fn a_request_that_was_not_recorded_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = |path: &str| {
        serde_json::json!({
            "request": {"method": "GET", "path": path},
            "response": {"status": 200, "body": {"data": []}},
        })
        .to_string()
    };
    std::fs::write(folder.path().join("1.json"), exchange("/other")).unwrap();
    std::fs::write(folder.path().join("2.json"), exchange("/items?limit=10")).unwrap();
    let list = Item::list("items", "/items")
        .records("data")
        .query("limit", "20");
    let source = Source::new("taped", "https://api.example").resource(list);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime
        .block_on(check(&source.clone().replay(folder.path())))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/items?limit=20") && error.contains("GET /items?limit=10"),
        "{error}"
    );
    // A folder without a recording is refused, and a recording is never overwritten.
    let empty = tempfile::tempdir().unwrap();
    let error = runtime.block_on(check(&source.clone().replay(empty.path())));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("holds no recording")
    );
    let error = runtime.block_on(check(&source.clone().record(folder.path())));
    assert!(error.unwrap_err().to_string().contains("is not empty"));
    std::fs::write(empty.path().join("notes.txt"), "mine").unwrap();
    let error = runtime.block_on(check(&source.record(empty.path())));
    assert!(error.unwrap_err().to_string().contains("is not empty"));
}

#[test]
fn json_in_a_parameter_is_compared_as_json() {
    let source = |base: &str| {
        let pages = Paginator::page_number("page").page_size("size", 2);
        let list = Item::list("items", "/items")
            .records("data")
            .query("q", r#"{"order":"a&b","of":[1,2]}"#)
            .primary_key([Item::ID])
            .paginate(pages.total_items("total").in_json("q"));
        Source::new("taped", base).resource(list)
    };
    // A recording is replayed.
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    let (base, _) = serve(|_, _| {
        let body = r#"{"data": [{"id": 1}], "total": 1}"#;
        (200, Vec::new(), body.to_owned())
    });
    run(&source(&base).record(&tape));
    let (report, _) = run(&source("https://elsewhere.example").replay(&tape));
    assert!(report.is_complete(), "{report:?}");
    // Whoever writes one by hand orders keys differently, or copies the parameter from a URL.
    let replayed = |param: &str| {
        let folder = tempfile::tempdir().unwrap();
        let exchange = serde_json::json!({
            "request": {"method": "GET", "path": format!("/items?q={param}")},
            "response": {"status": 200, "body": {"data": [{"id": 1}], "total": 1}},
        });
        std::fs::write(folder.path().join("1.json"), exchange.to_string()).unwrap();
        let (report, _) = run(&source("https://elsewhere.example").replay(folder.path()));
        report.is_complete()
    };
    let of = |order: &str| format!(r#"{{"size": 2, "page": 1, "of": [1, 2], "order": "{order}"}}"#);
    let encoded = of("a%26b").replace('"', "%22").replace(' ', "%20");
    assert!(replayed(&encoded));
    // Another value is another request.
    assert!(!replayed(
        &encoded.replace("1%2C", "3%2C").replace("a%26b", "a")
    ));
}

#[test]
fn what_is_not_json_is_recorded_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape");
    let lines = "{\"id\":1,\"amount\":1.10}\n{\"id\":2}\n";
    let (base, _) = serve(move |_, _| (200, Vec::new(), lines.to_owned()));
    let source = |base: &str| {
        let list = Item::list("items", "/items")
            .primary_key([Item::ID])
            .ndjson();
        Source::new("taped", base).resource(list)
    };
    let (_, first) = run(&source(&base).record(&tape));
    let (_, again) = run(&source("https://elsewhere.example").replay(&tape));
    assert_eq!(again.table("items"), first.table("items"));
    assert_eq!(again.table("items").len(), 2);
}
