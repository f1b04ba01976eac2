//! The commands that show what was loaded: `query`, `tables --head`, `loads`, `report`; and what a log says.

use std::path::Path;
use std::sync::LazyLock;

use etlgen_tests::connector::Connector;
use etlgen_tests::mock::{MockApi, Scenario};
use etlgen_tests::workspace::{stderr, stdout};
use serde_json::Value;

static BILLING: LazyLock<Connector> = LazyLock::new(Connector::billing);

const PLACES: [&str; 2] = ["sqlite:billing.db", "parquet:lake"];

fn loaded(folder: &Path, into: &str) -> MockApi {
    let mock = MockApi::start(Scenario::default());
    BILLING.sync(folder, &mock, into, &[]);
    mock
}

fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = BILLING.run(folder, arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_query_prints_rows_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let _mock = loaded(folder.path(), PLACES[0]);
    let query = |sql: &str, more: &[&str]| {
        let to = ["query", sql, "--destination", PLACES[0]];
        BILLING.succeed(folder.path(), &[&to, more].concat())
    };
    let counted = query("select count(*) as invoices from invoices", &[]);
    assert_eq!(counted, "invoices\n     400\n1 row\n");
    let csv = query(
        "select id, null as none, 'a,b' as text from customers order by id limit 1",
        &["--format", "csv"],
    );
    assert_eq!(csv.lines().next(), Some("id,none,text"));
    assert!(csv.lines().nth(1).unwrap().ends_with(",,\"a,b\""), "{csv}");
    // A wide table is shown row by row.
    let wide = query("select * from invoices limit 2", &[]);
    assert!(
        wide.contains("row 1\n") && wide.lines().all(|line| line.chars().count() <= 80),
        "{wide}"
    );

    let to = ["--destination", PLACES[0]];
    for (sql, word) in [
        ("delete from invoices", "write one SELECT"),
        ("select * from invoice", "no such table: invoice"),
        ("selec", "syntax error"),
    ] {
        refused(
            folder.path(),
            &[&["query", sql], &to[..]].concat(),
            2,
            &[word],
        );
    }
    assert_eq!(
        query("select count(*) as invoices from invoices", &[]),
        counted
    );
    refused(
        folder.path(),
        &["query", "select 1", "--destination", "parquet:lake"],
        5,
        &["cannot be queried", "read_parquet"],
    );
    refused(
        folder.path(),
        &["query", "select 1", "--destination", "sqlite:none.db"],
        5,
        &["does not exist"],
    );
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn tables_show_their_first_rows() {
    let folder = tempfile::tempdir().unwrap();
    let _mock = loaded(folder.path(), PLACES[0]);
    let to = ["--destination", PLACES[0]];
    let all = BILLING.succeed(
        folder.path(),
        &[&["tables", "--head", "1"], &to[..]].concat(),
    );
    assert!(
        all.contains("\ncustomers\n") && all.contains("\ninvoices\n"),
        "{all}"
    );
    let one = BILLING.succeed(
        folder.path(),
        &[&["tables", "--head", "2", "customers"], &to[..]].concat(),
    );
    assert!(
        one.contains("2 rows") && !one.contains("\ninvoices\n"),
        "{one}"
    );
    refused(
        folder.path(),
        &[&["tables", "--head", "2", "custmers"], &to[..]].concat(),
        2,
        &["did you mean `customers`?"],
    );
}

#[test]
fn each_run_leaves_its_report_in_the_destination() {
    for place in PLACES {
        let folder = tempfile::tempdir().unwrap();
        let mock = loaded(folder.path(), place);
        mock.add_invoices(5);
        BILLING.sync(folder.path(), &mock, place, &["--report", "report.json"]);
        let to = ["--destination", place];
        let run = |words: &[&str]| BILLING.succeed(folder.path(), &[words, &to].concat());
        let loads = run(&["loads"]);
        let lines: Vec<&str> = loads.lines().collect();
        assert_eq!(lines.len(), 3, "{loads}");
        assert!(
            lines[0].trim_start().starts_with("load ") && lines[1].contains("complete"),
            "{loads}"
        );

        let written = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
        let written: Value = serde_json::from_str(&written).unwrap();
        let kept: Value = serde_json::from_str(&run(&["report", "--format", "json"])).unwrap();
        assert_eq!(kept, written);
        let first = lines[2].split(' ').next().unwrap();
        let text = run(&["report", first]);
        assert!(text.contains(&format!("(load {first}, ")), "{text}");
        assert!(text.contains("total: "), "{text}");

        let html = run(&["report", "--html"]);
        assert!(
            html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"),
            "{html}"
        );
        for part in [
            "Timeline",
            "class=\"bar good\"",
            "invoices",
            "How the ends are known",
        ] {
            assert!(html.contains(part), "{place}, {part}");
        }
        // It loads nothing.
        for part in ["<script", "http://", "https://", "url("] {
            assert!(!html.contains(part), "{part}");
        }
        let wrong = [&["report", "1.5"], &to[..]].concat();
        refused(folder.path(), &wrong, 2, &["there is no load `1.5`"]);
        // A load that is taken back keeps its report.
        let last = lines[1].split(' ').next().unwrap();
        run(&["rollback", last]);
        assert!(run(&["loads"]).contains("rolled back"));
        run(&["report", last]);
    }
}

#[test]
fn a_log_has_a_beginning_and_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let mock = MockApi::start(Scenario::default());
    let url = mock.url();
    let sync = [
        "sync",
        "--log-format",
        "json",
        "--destination",
        PLACES[0],
        "--base-url",
    ];
    let events = |more: &[&str]| {
        let output = BILLING.run(folder.path(), &[&sync, more].concat());
        let lines = stderr(&output);
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (output.status.code(), lines)
    };
    let (code, lines) = events(&[&url]);
    assert_eq!(code, Some(0));
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert_eq!(
        (&first["event"], &first["source"]),
        (&"started".into(), &"billing".into())
    );
    assert_eq!(first["destination"], "sqlite:billing.db");
    assert_eq!(first["version"], "0.1.0");
    assert_eq!(
        (&last["event"], &last["outcome"]),
        (&"ended".into(), &"complete".into())
    );
    assert_eq!(
        (&last["exit_code"], &last["load_id"]),
        (&0.into(), &first["load_id"])
    );
    assert!(
        last["records"].as_u64() > Some(900) && last["requests"].as_u64() > Some(5),
        "{last}"
    );

    let (code, lines) = events(&["ftp://api.example"]);
    assert_eq!(code, Some(2));
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["event"], &last["exit_code"]),
        (&"ended".into(), &2.into())
    );
    assert_eq!(last["error"]["kind"], "usage");
}

#[test]
fn a_shell_completes_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = BILLING.succeed(folder.path(), &["completions", shell]);
        assert!(
            script.contains("billing-connector") && script.contains("full-refresh"),
            "{shell}"
        );
    }
    let program = BILLING.run(folder.path(), &["completions", "tcsh"]);
    assert_eq!(program.status.code(), Some(2));
}

#[test]
fn the_tables_are_sources_of_dbt() {
    let folder = tempfile::tempdir().unwrap();
    let text = BILLING.succeed(folder.path(), &["discover", "--format", "dbt"]);
    let yaml: Value = yaml_serde::from_str(&text).unwrap();
    let source = &yaml["sources"][0];
    assert_eq!(source["name"], "billing");
    let tables = source["tables"].as_array().unwrap();
    let invoices = tables
        .iter()
        .find(|table| table["name"] == "invoices")
        .unwrap();
    assert_eq!(invoices["freshness"]["warn_after"]["count"], 24);
    let id = &invoices["columns"]
        .as_array()
        .unwrap()
        .iter()
        .find(|column| column["name"] == "_etl_id")
        .unwrap();
    assert_eq!(id["data_tests"], serde_json::json!(["unique", "not_null"]));
}

#[test]
fn every_unknown_name_is_named_with_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    let sync = ["sync", "--resources", "custmers,foo,invoices"];
    refused(
        folder.path(),
        &sync,
        2,
        &[
            "no resources `custmers`, `foo`",
            "`custmers`: did you mean `customers`?",
        ],
    );
}

#[test]
fn help_begins_with_what_the_connector_does() {
    let folder = tempfile::tempdir().unwrap();
    let output = BILLING.run(folder.path(), &["--help"]);
    assert!(
        stdout(&output).starts_with("Load data from the API of billing into a database or files.")
    );
    let sync = BILLING.succeed(folder.path(), &["sync", "--help"]);
    for heading in [
        "What is read:",
        "How it is loaded:",
        "What is told:",
        "Settings:",
    ] {
        assert!(sync.contains(heading), "{heading}: {sync}");
    }
    assert!(sync.contains("in `ps`"), "{sync}");
}
