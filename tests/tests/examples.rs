//! Checks that the examples equal the current output of etlgen, and load all data of the API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use etlgen_tests::connector::Connector;
use etlgen_tests::mock::{FORGE_TOKEN, MockApi, Scenario, invoice_lines};
use etlgen_tests::tables::{self, assert_same};
use etlgen_tests::workspace::{self, binary, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

/// Returns the files of a crate by their path in it, without `target` and `Cargo.lock`, which
/// etlgen does not write.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap();
            if name == Path::new("target") || name == Path::new("Cargo.lock") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(name.to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn assert_same_text(file: &Path, committed: &[u8], written: &[u8]) {
    if committed == written {
        return;
    }
    let (committed, written) = (
        String::from_utf8_lossy(committed),
        String::from_utf8_lossy(written),
    );
    let same = committed
        .lines()
        .zip(written.lines())
        .take_while(|(committed, written)| committed == written)
        .count();
    panic!(
        "{}:{}: {:?} is committed, {:?} is written",
        file.display(),
        same + 1,
        committed.lines().nth(same),
        written.lines().nth(same)
    );
}

fn regenerate(name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join(format!("{name}-connector"));
    let committed = workspace::root().join(format!("generated-examples/{name}-connector"));
    let output = std::process::Command::new(binary("etlgen"))
        .current_dir(workspace::root())
        .args(["new", "--config"])
        .arg(format!("generated-examples/{name}-connector/etlgen.toml"))
        .arg("--out")
        .arg(&written)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let (committed, written) = (tree(&committed), tree(&written));
    // Files for readers come before the base files of updates.
    let (merged, read): (Vec<_>, Vec<_>) = committed
        .iter()
        .partition(|(file, _)| file.starts_with(".etlgen"));
    for (file, text) in read.into_iter().chain(merged) {
        let other = written.get(file);
        let other = other.unwrap_or_else(|| panic!("{} is not written", file.display()));
        assert_same_text(file, text, other);
    }
    let more = written.keys().find(|file| !committed.contains_key(*file));
    assert_eq!(None, more, "a file is written that is not committed");
}

#[test]
fn billing_is_what_etlgen_writes() {
    regenerate("billing");
}

#[test]
fn forge_is_what_etlgen_writes() {
    regenerate("forge");
}

#[test]
fn tracker_is_what_etlgen_writes() {
    regenerate("tracker");
}

/// A connector, an API, and a folder to load into.
struct Site {
    connector: Connector,
    mock: MockApi,
    folder: TempDir,
}

impl Site {
    fn new(connector: Connector) -> Site {
        Site {
            connector,
            mock: MockApi::start(Scenario::default()),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn sync(&self, more: &[&str]) -> String {
        let (folder, mock) = (self.folder.path(), &self.mock);
        self.connector.sync(folder, mock, "sqlite:loaded.db", more)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.connector.run(self.folder.path(), arguments)
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("loaded.db")
    }

    fn assert_counts(&self, expected: &[(&str, usize)]) {
        let expected = expected.iter().map(|(name, n)| ((*name).to_owned(), *n));
        assert_eq!(
            tables::counts(&self.database()),
            expected.collect::<BTreeMap<_, _>>()
        );
    }

    /// Checks that a run that finds nothing new leaves every row unchanged.
    fn assert_settled(&self) {
        let before = tables::sqlite(&self.database());
        self.sync(&[]);
        assert_same(&before, &tables::sqlite(&self.database()));
    }
}

#[test]
fn billing_loads_everything_and_then_what_is_new() {
    let site = Site::new(Connector::billing());
    site.sync(&[]);
    // Every second invoice has two tags; some have more lines than the invoice itself holds.
    assert!(invoice_lines(400) > 2_000);
    site.assert_counts(&[
        ("customers", 250),
        ("events", 300),
        ("invoices", 400),
        ("invoices__lines__data", invoice_lines(400)),
        ("invoices__tags", 400),
    ]);
    site.assert_settled();
    site.mock.add_customers(3);
    site.mock.add_invoices(4);
    site.mock.add_events(5);
    site.mock.clear_requests();
    site.sync(&[]);
    site.assert_counts(&[
        ("customers", 253),
        ("events", 305),
        ("invoices", 404),
        ("invoices__lines__data", invoice_lines(404)),
        ("invoices__tags", 404),
    ]);
    let events = |request: &&String| request.contains("/v1/events");
    assert_eq!(site.mock.requests().iter().filter(events).count(), 1);
}

#[test]
fn forge_loads_everything_and_then_what_is_new() {
    let site = Site::new(Connector::forge());
    site.sync(&[]);
    // Issue n has n % 3 labels; the first two repositories have two topics each.
    site.assert_counts(&[
        ("commits", 3 * 60),
        ("issues", 3 * 120),
        ("issues__labels", 3 * 120),
        ("repos", 3),
        ("repos__topics", 4),
    ]);
    site.assert_settled();
    site.mock.add_issues(3);
    site.mock.add_commits(2);
    site.mock.touch_issue(1, 7);
    site.mock.clear_requests();
    site.sync(&[]);
    site.assert_counts(&[
        ("commits", 3 * 62),
        ("issues", 3 * 123),
        ("issues__labels", 3 * 123),
        ("repos", 3),
        ("repos__topics", 4),
    ]);
    let requests = site.mock.requests();
    let mut issues = requests.iter().filter(|r| r.contains("/issues"));
    assert!(issues.all(|request| request.contains("since=")));
    let touched = tables::sqlite(&site.database());
    let mut issues = touched["issues"].values();
    let issue = issues.find(|issue| issue.starts_with("id = 1000007\n"));
    assert!(issue.unwrap().contains("2025-06-01T"), "{issue:?}");
}

#[test]
fn tracker_loads_everything_and_then_what_is_new() {
    let site = Site::new(Connector::tracker());
    site.sync(&[]);
    site.assert_counts(&[("projects", 4), ("tasks", 4 * 70)]);
    site.assert_settled();
    site.mock.add_tasks(2);
    site.mock.touch_task(2, 5);
    site.sync(&[]);
    site.assert_counts(&[("projects", 4), ("tasks", 4 * 72)]);
}

#[test]
fn a_wrong_key_is_told_and_not_shown() {
    let wrong = "sk_wrong_4711";
    let site = Site::new(Connector::billing());
    let url = site.mock.url();
    let sync = ["sync", "--destination", "sqlite:loaded.db"];
    for command in [&["check"][..], &["read", "events"], &sync] {
        let arguments = [command, &["--base-url", &url, "--api-key", wrong]].concat();
        let output = site.run(&arguments);
        let said = stdout(&output) + &stderr(&output);
        assert!(!said.contains(wrong), "{said}");
        assert!(said.contains("401"), "{said}");
        assert_eq!(output.status.code(), Some(3), "{command:?}: {said}");
    }
}

#[test]
fn a_missing_key_sends_nothing() {
    let site = Site::new(Connector::billing());
    let url = site.mock.url();
    let mut command = site
        .connector
        .command(site.folder.path(), &["check", "--base-url", &url]);
    let output = command.env_remove("BILLING_API_KEY").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("BILLING_API_KEY"),
        "{}",
        stderr(&output)
    );
    assert!(site.mock.requests().is_empty());
}

#[test]
fn check_asks_once() {
    let site = Site::new(Connector::forge());
    let url = site.mock.url();
    let arguments = ["check", "--base-url", &url];
    let said = site.connector.succeed(site.folder.path(), &arguments);
    assert!(!said.contains(FORGE_TOKEN), "{said}");
    assert_eq!(site.mock.requests().len(), 1);
}

#[test]
fn a_limited_run_is_no_failure_and_the_next_goes_on() {
    let site = Site::new(Connector::billing());
    site.sync(&["--limit", "150", "--resources", "events"]);
    let events = tables::counts(&site.database())["events"];
    assert!((150..300).contains(&events), "{events} events");
    site.sync(&["--resources", "events"]);
    assert_eq!(tables::counts(&site.database())["events"], 300);
}

#[test]
fn a_full_refresh_drops_what_the_api_no_longer_has() {
    let mut site = Site::new(Connector::billing());
    site.sync(&[]);
    site.mock = MockApi::start(Scenario {
        customers: 100,
        invoices: 8,
        events: 20,
        ..Scenario::default()
    });
    site.sync(&[]);
    assert_eq!(tables::counts(&site.database())["customers"], 250);
    site.sync(&["--full-refresh"]);
    site.assert_counts(&[
        ("customers", 100),
        ("events", 20),
        ("invoices", 8),
        ("invoices__lines__data", 12),
        ("invoices__tags", 8),
    ]);
}

#[test]
fn read_prints_the_records_as_lines_of_json() {
    let site = Site::new(Connector::forge());
    let url = site.mock.url();
    let succeed = |arguments: &[&str]| site.connector.succeed(site.folder.path(), arguments);
    let all = succeed(&["read", "issues", "--base-url", &url]);
    let records: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 360);
    // The records are as the API sends them, including keys that the structs do not declare.
    assert!(records.iter().any(|record| record["pinned"] == true));
    let some = succeed(&["read", "issues", "--base-url", &url, "--limit", "7"]);
    assert_eq!(some.lines().count(), 7);
}

#[test]
fn discover_prints_the_tables_as_json() {
    for (connector, table) in [
        (Connector::billing(), "invoices__lines__data"),
        (Connector::forge(), "issues__labels"),
        (Connector::tracker(), "tasks"),
    ] {
        let site = Site::new(connector);
        let text = site.connector.succeed(site.folder.path(), &["discover"]);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["source"], site.connector.name);
        let tables = json["tables"].as_array().unwrap();
        assert!(tables.iter().any(|known| known["name"] == table), "{text}");
        assert!(site.mock.requests().is_empty());
    }
}

#[test]
fn state_is_shown_and_forgotten() {
    let site = Site::new(Connector::billing());
    let state = |arguments: &[&str]| {
        let into = ["--destination", "sqlite:loaded.db"];
        let arguments = [&["state"], arguments, &into].concat();
        site.connector.succeed(site.folder.path(), &arguments)
    };
    let resources = || -> Vec<String> {
        let shown = state(&["show"]);
        let rows = shown
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.map(|row| row["resource"].as_str().unwrap().to_owned())
            .collect()
    };
    site.sync(&[]);
    assert_eq!(resources(), ["customers", "events", "invoices"]);
    state(&["reset", "--resources", "events"]);
    assert_eq!(resources(), ["customers", "invoices"]);
    let before = tables::sqlite(&site.database());
    site.mock.clear_requests();
    site.sync(&["--resources", "events"]);
    assert_eq!(site.mock.requests().len(), 3, "everything is read again");
    assert_same(&before, &tables::sqlite(&site.database()));
    state(&["reset"]);
    assert!(state(&["show"]).trim().is_empty());
}
