//! Checks typical mistakes of connector authors: the compiler marks the place of the mistake and
//! says how to fix it.

use std::collections::BTreeMap;

use etlgen_tests::compile::{self, Tree};
use etlgen_tests::workspace::{root, stderr, stdout};
use serde_json::Value;

/// The code around each mistake.
const PREAMBLE: &str = r#"use etlgen_runtime::prelude::*;

#[derive(Record)]
pub struct Customer {
    pub id: Option<String>,
}

#[derive(Record)]
pub struct Invoice {
    pub id: Option<String>,
    pub amount: Option<i64>,
    pub paid: Option<bool>,
    pub created: Option<UnixTime>,
    pub meta: Option<Json>,
}

"#;

struct Mistake {
    name: &'static str,
    code: &'static str,
    /// The code that the compiler must mark.
    marked: &'static str,
    /// Parts of the error, its labels and its notes.
    said: &'static [&'static str],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "derive_is_missing",
        code: "pub struct Plain { pub id: Option<String> }
pub fn list() -> Resource<Plain> { Plain::list(\"x\", \"/x\") }",
        marked: "list",
        said: &[
            "`Plain` is not a record",
            "write `#[derive(Record)]` above the struct",
        ],
    },
    Mistake {
        name: "field_is_not_optional",
        code: "#[derive(Record)]
pub struct Strict { pub id: String }",
        marked: "String",
        said: &[
            "`String` cannot be a field of a record",
            "write `Option<String>`",
        ],
    },
    Mistake {
        name: "field_has_another_type",
        code: "#[derive(Record)]
pub struct Odd { pub id: Option<std::path::PathBuf> }",
        marked: "Option",
        said: &[
            "`PathBuf` is not a type that a record can hold",
            "it can hold String, i64",
        ],
    },
    Mistake {
        name: "handle_has_a_typo",
        code: "pub fn list() -> Resource<Invoice> { Invoice::list(\"x\", \"/x\").primary_key(Invoice::IDD) }",
        marked: "IDD",
        said: &["no associated item named `IDD` found for struct `Invoice`"],
    },
    Mistake {
        name: "option_is_compared_with_a_number",
        code: "pub fn list() -> Resource<Invoice> { Invoice::list(\"x\", \"/x\").filter(|invoice| invoice.amount > 0) }",
        marked: "0",
        said: &["mismatched types", "expected `Option<i64>`, found integer"],
    },
    Mistake {
        name: "cursor_has_no_order",
        code: "pub fn list() -> Resource<Invoice> { Invoice::list(\"x\", \"/x\").incremental(Cursor::created(Invoice::PAID)) }",
        marked: "Invoice::PAID",
        said: &[
            "this field has no order, so it cannot be a key or a cursor",
            "a key or a cursor is a number, a text or a time",
        ],
    },
    Mistake {
        name: "json_stands_in_a_path",
        code: "pub fn list() -> Resource<Customer> {
    Customer::list(\"x\", \"/x/{meta}\")
        .child_of(\"invoices\", |invoice: &Invoice, request| request.path(\"meta\", &invoice.meta))
}",
        marked: "invoice.meta",
        said: &[
            "cannot be a parameter of a request",
            "for JSON, send the text at some keys: `.text(\"id\")`",
        ],
    },
    Mistake {
        name: "key_of_another_record",
        code: "pub fn list() -> Resource<Invoice> { Invoice::list(\"x\", \"/x\").primary_key([Customer::ID]) }",
        marked: "[Customer::ID]",
        said: &[
            "does not name a field of `Invoice`",
            "write a handle of the record, like `Invoice::ID`",
        ],
    },
    Mistake {
        name: "attribute_is_unknown",
        code: "#[derive(Record)]
pub struct Renamed { #[record(rename = \"ID\")] pub id: Option<String> }",
        marked: "rename",
        said: &[
            "unknown attribute `rename`",
            "`key = \"..\"` is the name in JSON",
        ],
    },
    Mistake {
        name: "call_belongs_to_another_paginator",
        code: "pub fn pages() -> Paginator { Paginator::page_number(\"page\").field(\"id\").into() }",
        marked: "field",
        said: &["method not found in `etlgen_runtime::page::PageNumber`"],
    },
    Mistake {
        name: "token_comes_from_nowhere",
        code: "pub fn pages() -> Paginator { Paginator::token(\"after\").into() }",
        marked: "Paginator::token",
        said: &["takes 2 arguments but 1 argument was supplied"],
    },
    Mistake {
        name: "case_is_unknown",
        code: "#[derive(Record)]
#[record(rename_all = \"camel\")]
pub struct Cased { pub id: Option<String> }",
        marked: "\"camel\"",
        said: &["unknown case `camel`: use one of"],
    },
];

/// Code that was wrongly rejected in the past.
const RIGHT: &[(&str, &str)] = &[
    (
        "closure_before_the_first_typed_call",
        "pub fn list() -> Resource<Invoice> { Invoice::list(\"x\", \"/x\").filter(|invoice| invoice.amount > Some(0)).records(\"data\") }",
    ),
    (
        "key_is_one_text",
        "pub fn list() -> Resource<Invoice> { Invoice::list(\"x\", \"/x\").primary_key(\"meta.id\") }",
    ),
];

fn tree(name: &str, code: &str) -> (String, Tree) {
    let runtime = root().join("runtime");
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\netlgen-runtime = {{ path = {runtime:?} }}\n"
    );
    let files = [
        ("Cargo.toml", manifest),
        ("src/lib.rs", format!("{PREAMBLE}{code}\n")),
    ];
    let tree = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
    (name.to_owned(), tree.into())
}

/// An error of the compiler.
struct Told {
    /// The code that it marks.
    marked: Vec<String>,
    /// The message, the labels and the notes.
    text: String,
}

/// Returns the compiler's errors, by crate.
fn told(messages: &str) -> BTreeMap<String, Vec<Told>> {
    let mut all = BTreeMap::<String, Vec<Told>>::new();
    let messages = messages.lines().map(serde_json::from_str::<Value>);
    for message in messages.filter_map(Result::ok) {
        let error = &message["message"];
        let Some(name) = message["target"]["name"].as_str() else {
            continue;
        };
        if error["level"] != "error" || error["spans"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let spans = error["spans"].as_array().into_iter().flatten();
        let marked = spans.filter(|span| span["is_primary"] == true).map(code);
        let text = error["rendered"].as_str().unwrap_or_default().to_owned();
        let marked = marked.collect();
        all.entry(name.to_owned())
            .or_default()
            .push(Told { marked, text });
    }
    all
}

/// Returns the code of a span.
fn code(span: &Value) -> String {
    let line = &span["text"][0];
    let at = |key: &str| usize::try_from(line[key].as_u64().unwrap()).unwrap() - 1;
    let text = line["text"].as_str().unwrap();
    text[at("highlight_start")..at("highlight_end")].to_owned()
}

#[test]
fn the_compiler_marks_a_mistake_and_says_how_to_mend_it() {
    let wrong = MISTAKES
        .iter()
        .map(|mistake| tree(mistake.name, mistake.code));
    let right = RIGHT.iter().map(|(name, code)| tree(name, code));
    let folder = tempfile::tempdir().unwrap();
    compile::workspace(folder.path(), wrong.chain(right));
    let output = compile::cargo_in(folder.path())
        .args([
            "check",
            "--offline",
            "--workspace",
            "--keep-going",
            "--quiet",
        ])
        .args(["--message-format", "json"])
        .output()
        .unwrap();
    let told = told(&stdout(&output));
    assert!(!told.is_empty(), "{}", stderr(&output));
    let mut faults = Vec::new();
    for mistake in MISTAKES {
        let Some(errors) = told.get(mistake.name) else {
            faults.push(format!("{}: it compiles", mistake.name));
            continue;
        };
        // The first error is the one that readers look at.
        let first = &errors[0];
        let missing = mistake
            .said
            .iter()
            .filter(|said| !first.text.contains(**said));
        faults.extend(
            missing.map(|said| format!("{}: no {said:?} in\n{}", mistake.name, first.text)),
        );
        if !first.marked.iter().any(|marked| marked == mistake.marked) {
            let message = format!("{}: {:?} is marked", mistake.name, first.marked);
            faults.push(format!(
                "{message}, not {:?}\n{}",
                mistake.marked, first.text
            ));
        }
        // One mistake gives one message, although the derive uses a type twice.
        let message = |error: &Told| error.text.lines().next().map(str::to_owned);
        let others = errors
            .iter()
            .filter(|error| message(error) != message(first));
        faults.extend(others.map(|error| format!("{}: also\n{}", mistake.name, error.text)));
    }
    for (name, _) in RIGHT {
        if let Some(errors) = told.get(*name) {
            faults.push(format!("{name}: {}", errors[0].text));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
