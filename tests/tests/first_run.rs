//! The first run of a whole document: `etlgen new` and `sync` without a word in `etlgen.toml`. It
//! reads all lists that need nothing, ends with 0, and names the others with the reason.

use std::path::Path;
use std::process::Output;

use etlgen_testkit::http::{Request, Response, Server};
use etlgen_testkit::shared::specs;
use etlgen_testkit::{Kind, skip};
use etlgen_tests::compile::{cargo_in, workspace};
use etlgen_tests::owned::Owned;
use etlgen_tests::workspace::{stderr, stdout};
use serde_json::{Value, json};

/// Lists of each kind: one that needs nothing, children by a required parameter of the query (named
/// after the parent, or held by it), the same list at another path, rows that come with the parent,
/// and a parameter whose values nobody knows.
const SPEC: &str = "\
openapi: 3.0.3
info: {title: Bank, version: '1'}
servers: [{url: https://bank.example}]
security: [{key: []}]
paths:
  /v1/accounts: {get: {description: The accounts., parameters: [&limit {name: limit, in: query, schema: {type: integer, maximum: 100}}, &after {name: starting_after, in: query, schema: {type: string}}], responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Accounts'}}}}}}}
  /v1/accounts/{account}/owners: {get: {description: The owners., parameters: [&account {name: account, in: path, required: true, schema: {type: string}}, {name: ownership, in: query, required: true, description: The ID of the ownership to fetch owners from., schema: {type: string}}, *limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Owners'}}}}}}}
  /v1/accounts/{account}/persons: {get: {description: The people., parameters: [*account, *limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: &persons {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Person'}}, has_more: {type: boolean}, url: {type: string}}}}}}}}}
  /v1/accounts/{account}/people: {get: {description: The people., parameters: [*account, *limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: *persons}}}}}}
  /v1/accounts/{account}/cards: {get: {description: The cards., parameters: [*account, *limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Cards'}}}}}}}
  /v1/value_lists: {get: {description: The lists., parameters: [*limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: &lists {type: object, properties: {data: {type: array, items: {type: object, properties: {id: {type: string}}}}, has_more: {type: boolean}, url: {type: string}}}}}}}}}
  /v1/value_list_items: {get: {description: The items., parameters: [{name: value_list, in: query, required: true, description: Identifier for the parent value list., schema: {type: string}}, *limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: *lists}}}}}}
  /v1/secrets: {get: {description: The secrets., parameters: [{name: scope, in: query, required: true, schema: {type: string}}, *limit, *after], responses: {'200': {description: ok, content: {application/json: {schema: *lists}}}}}}
components:
  securitySchemes:
    key: {type: http, scheme: bearer}
  schemas:
    Accounts: {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Account'}}, has_more: {type: boolean}, url: {type: string}}}
    Account: {type: object, required: [cards], properties: {id: {type: string}, ownership: {type: string}, cards: {$ref: '#/components/schemas/Cards'}}}
    Cards: {type: object, properties: {data: {type: array, items: {$ref: '#/components/schemas/Card'}}, has_more: {type: boolean}, url: {type: string}}}
    Card: {type: object, properties: {id: {type: string}, digits: {type: string}}}
    Owners: {type: object, properties: {data: {type: array, items: {type: object, properties: {id: {type: string}}}}, has_more: {type: boolean}, url: {type: string}}}
    Person: {type: object, properties: {id: {type: string}, name: {type: string}}}
";

/// Serves every list with one record, whose ids differ by path; `extra` adds to a record.
fn serve(extra: fn(&str) -> Value) -> Server {
    let answer = move |request: &Request| {
        let required = ["value_list", "ownership", "scope"];
        let empty = required.iter().any(|name| request.param(name) == Some(""));
        if empty || request.header("authorization").is_none() {
            return Response::json(
                400,
                &json!({"error": {"message": "a parameter is missing"}}),
            );
        }
        let mut record = json!({"id": format!("{}?1", request.path), "ownership": "own_1"});
        if let (Some(record), Value::Object(extra)) = (record.as_object_mut(), extra(&request.path))
        {
            record.extend(extra);
        }
        let page =
            json!({"object": "list", "url": request.path, "has_more": false, "data": [record]});
        Response::json(200, &page)
    };
    Server::start(0, answer).unwrap()
}

/// Builds a crate and runs a plain `sync` of it.
fn sync(owned: &Owned, folder: &Path, server: &Server, key: &str, more: &[&str]) -> Output {
    assert_eq!(workspace(folder, [("first".to_owned(), owned.tree())]), 1);
    let run = ["run", "--quiet", "--offline", "--package", "first", "--"];
    let url = server.url();
    let into = format!("sqlite:{}", folder.join("first.db").display());
    let arguments = ["sync", "--destination", &into, "--base-url", &url];
    let mut cargo = cargo_in(folder);
    cargo.args(run).args(arguments).args(more);
    cargo.env(key, "k").output().unwrap()
}

#[test]
fn a_plain_run_reads_what_needs_nothing() {
    let owned = Owned::new(SPEC, &[]);
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|path| match path {
        "/v1/accounts" => {
            json!({"cards": {"data": [{"id": "c1"}], "has_more": false, "url": "/v1/accounts/1/cards"}})
        }
        _ => json!({}),
    });
    let output = sync(&owned, folder.path(), &server, "BANK_API_KEY", &[]);
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for line in [
        "people: `persons` is the same list",
        "cards: its rows come with `accounts`, whose `cards` holds them",
        "secrets: needs the setting `scope` (set --scope or the environment variable BANK_SCOPE)",
    ] {
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(line), "no {line}: {said}");
    }
    let (report, _) = said.split_once("\noff").unwrap();
    for read in [
        "accounts",
        "owners",
        "persons",
        "value_lists",
        "value_list_items",
    ] {
        assert!(report.contains(read), "{read} is not read: {said}");
    }
    for left_out in ["secrets", "people"] {
        assert!(!report.contains(left_out), "{left_out} is read: {said}");
    }
    // A setting switches its resource on, and so does a name.
    let output = sync(
        &owned,
        folder.path(),
        &server,
        "BANK_API_KEY",
        &["--scope", "s", "--full-refresh"],
    );
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("needs the setting"), "{said}");
    let output = sync(
        &owned,
        folder.path(),
        &server,
        "BANK_API_KEY",
        &["--resources", "people"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // What is off is said by `new`, too, and in the README.
    assert!(
        owned
            .read("README.md")
            .contains("- secrets: needs `--scope` (BANK_SCOPE)")
    );
}

#[test]
fn stripes_whole_document_ends_well() {
    let Ok(spec) = std::fs::read_to_string(specs().join("Deployed/stripe.yaml")) else {
        return skip(
            Kind::Shared,
            "Stripe's document is not next to the repository",
        );
    };
    let owned = Owned::new(&spec, &[]);
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|_| json!({}));
    let report = folder.path().join("report.json");
    let more = ["--report", report.to_str().unwrap()];
    let output = sync(&owned, folder.path(), &server, "STRIPE_API_KEY", &more);
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report = std::fs::read_to_string(report).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let off = report["off"].as_array().unwrap();
    let twin = |off: &&Value| {
        let reason = off["reason"].as_str().unwrap_or_default();
        reason.contains("its rows come with") || reason.contains("is the same list")
    };
    let lacking: Vec<&Value> = off.iter().filter(|off| !twin(off)).collect();
    assert!(lacking.len() <= 5, "{lacking:?}");
    let read = report["resources"].as_array().unwrap().len();
    assert_eq!(read + off.len(), 101);
}
