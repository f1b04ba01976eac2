//! Tests destinations in the middle of a pass, and exported states: the next run continues,
//! requests no committed page again, and ends with the tables of an undisturbed run.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use etlgen_tests::connector::Connector;
use etlgen_tests::mock::http::Server;
use etlgen_tests::mock::{MockApi, Scenario};
use etlgen_tests::tables::{self, Tables, assert_same};
use etlgen_tests::tree::Tree;
use rusqlite::Connection;

use super::{copied, copy, sets};

/// The time of the tree's first record: 2024-01-01T00:00:00Z.
const CLOCK: u64 = 1_704_067_200_000;

/// An API whose data is the same in each process.
enum Api {
    Tree(Tree),
    Mock(MockApi),
}

impl Api {
    fn tree() -> Api {
        Api::Tree(Tree::start_at(CLOCK, 1).unwrap())
    }

    fn mock() -> Api {
        Api::Mock(MockApi::start(Scenario {
            customers: 110,
            invoices: 120,
            events: 130,
            repos: 2,
            issues_per_repo: 105,
            commits_per_repo: 20,
            ..Scenario::default()
        }))
    }

    fn server(&self) -> &Server {
        match self {
            Api::Tree(tree) => tree.server(),
            Api::Mock(mock) => mock.server(),
        }
    }

    /// Takes the requests since the last call.
    fn take_requests(&self) -> BTreeSet<String> {
        match self {
            Api::Tree(tree) => tree.take_requests().into_iter().collect(),
            Api::Mock(mock) => {
                let requests = mock.requests();
                mock.clear_requests();
                requests.into_iter().collect()
            }
        }
    }

    /// Adds, changes and, in the tree, deletes records.
    fn change(&self) {
        match self {
            Api::Tree(tree) => (0..4).for_each(|_| tree.change(true)),
            Api::Mock(mock) => {
                mock.add_customers(30);
                mock.add_invoices(20);
                mock.add_events(40);
                mock.add_issues(25);
                mock.add_commits(25);
            }
        }
    }
}

/// An event in the history of a destination.
enum Event {
    /// A run that completed.
    Run(&'static [&'static str]),
    Change,
    /// A run that was killed after the API had answered this many requests.
    Killed(usize, &'static [&'static str]),
}

use Event::{Change, Killed, Run};

struct History {
    name: &'static str,
    connector: fn() -> Connector,
    api: fn() -> Api,
    destination: &'static str,
    events: &'static [Event],
}

const SOFT: &[&str] = &["--checkpoint-rows", "20", "--deletes", "soft"];
const TREE: &[Event] = &[Run(SOFT), Change, Run(SOFT), Change, Killed(14, SOFT)];

const SMALL: &[&str] = &["--checkpoint-rows", "40"];
/// A backfill in windows, next to an open pass.
const BACKFILL: &[&str] = &[
    "--checkpoint-rows",
    "20",
    "--resources",
    "customers,invoices",
    "--since",
    "2023-12-31T23:00:00Z",
    "--until",
    "2024-01-01T03:00:00Z",
    "--window",
    "30m",
];
const BILLING: &[Event] = &[Killed(4, SMALL), Change, Killed(9, BACKFILL)];
const DLT: &[&str] = &["--checkpoint-rows", "40", "--layout", "dlt"];

const HISTORIES: &[History] = &[
    History {
        name: "tree-sqlite",
        connector: Connector::tree,
        api: Api::tree,
        destination: "sqlite:tree.db",
        events: TREE,
    },
    History {
        name: "tree-parquet",
        connector: Connector::tree,
        api: Api::tree,
        destination: "parquet:lake",
        events: TREE,
    },
    History {
        name: "billing-sqlite",
        connector: Connector::billing,
        api: Api::mock,
        destination: "sqlite:billing.db",
        events: BILLING,
    },
    History {
        name: "billing-parquet",
        connector: Connector::billing,
        api: Api::mock,
        destination: "parquet:lake",
        events: BILLING,
    },
    History {
        name: "billing-dlt",
        connector: Connector::billing,
        api: Api::mock,
        destination: "sqlite:billing.db",
        events: &[Killed(4, DLT)],
    },
    History {
        name: "forge-sqlite",
        connector: Connector::forge,
        api: Api::mock,
        destination: "sqlite:forge.db",
        events: &[Run(SMALL), Change, Killed(3, SMALL)],
    },
];

/// The file with the exported state of each history.
const STATE: &str = "state.json";

impl History {
    fn find(name: &str) -> &'static History {
        HISTORIES.iter().find(|known| known.name == name).unwrap()
    }

    fn tables(&self, connector: &Connector, folder: &Path) -> Tables {
        match self.destination.split_once(':').unwrap() {
            ("sqlite", file) => tables::sqlite(&folder.join(file)),
            (_, lake) => tables::parquet(&folder.join(lake), connector.name),
        }
    }

    fn arguments<'a>(&self, url: &'a str, options: &[&'a str]) -> Vec<&'a str> {
        let sync = ["sync", "--destination", self.destination, "--base-url", url];
        [&sync[..], options].concat()
    }

    /// Returns the options of the killed runs, in order.
    fn open(&self) -> impl Iterator<Item = &'static [&'static str]> {
        let options = |event: &Event| match event {
            Killed(_, options) => Some(*options),
            Run(_) | Change => None,
        };
        self.events.iter().filter_map(options)
    }

    /// Starts the API with its data at the end of the history.
    fn api_now(&self) -> Api {
        let api = (self.api)();
        let changes = self.events.iter().filter(|event| matches!(event, Change));
        changes.for_each(|_| api.change());
        api
    }

    /// Lets the killed runs continue to their ends; returns the requests of each.
    fn go_on(&self, connector: &Connector, api: &Api, folder: &Path) -> Vec<BTreeSet<String>> {
        let url = api.server().url();
        let ended = self.open().map(|options| {
            api.take_requests();
            connector.succeed(folder, &self.arguments(&url, options));
            api.take_requests()
        });
        ended.collect()
    }

    /// Creates the destination.
    fn make(&self, connector: &Connector, folder: &Path) {
        if let Some(("sqlite", file)) = self.destination.split_once(':') {
            // The file gets small pages, because most tables have few rows.
            let empty = Connection::open(folder.join(file)).unwrap();
            empty
                .execute_batch("PRAGMA page_size = 512; CREATE TABLE t (c); DROP TABLE t;")
                .unwrap();
        }
        let api = (self.api)();
        let url = api.server().url();
        for event in self.events {
            match event {
                Run(options) => {
                    _ = connector.succeed(folder, &self.arguments(&url, options));
                }
                Change => api.change(),
                Killed(requests, options) => {
                    api.server().stall_after(Some(*requests));
                    let mut run = connector
                        .command(folder, &self.arguments(&url, options))
                        .stderr(Stdio::null())
                        .spawn()
                        .unwrap();
                    assert!(api.server().has_stalled(Duration::from_secs(30)));
                    // Earlier data is committed in the meantime.
                    std::thread::sleep(Duration::from_secs(2));
                    run.kill().unwrap();
                    assert_eq!(run.wait().unwrap().code(), None, "{} ended", self.name);
                    api.server().stall_after(None);
                }
            }
        }
        // SQLite rebuilds the index of its log, and the lock belonged to the killed run.
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().unwrap_or_default();
            if ending == "db-shm" || ending == "lock" {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

/// Returns the file with the requests of a run that continues.
fn requests_file(folder: &Path, name: &str, run: usize) -> std::path::PathBuf {
    folder.join(format!("requests/{name}-{run}.txt"))
}

/// Returns a row without the port of the mock API.
fn without_port(row: &str) -> String {
    let mut parts = row.split("http://127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// Returns the rows that the API still has, and the ids of deleted ones.
fn standing(mut tables: Tables) -> (Tables, BTreeSet<String>) {
    let mut marked = BTreeSet::new();
    let is_marked = |row: &str| {
        let mut lines = row.lines();
        lines.any(|line| line.starts_with("_etl_deleted_at = ") && !line.ends_with(" = null"))
    };
    for rows in tables.values_mut() {
        let gone = rows.iter().filter(|(_, row)| is_marked(row));
        marked.extend(gone.map(|(id, _)| id.clone()));
        rows.retain(|id, _| !marked.contains(id));
    }
    for row in tables.values_mut().flat_map(|rows| rows.values_mut()) {
        *row = without_port(row);
    }
    // This removes the rows of their lists, and the log, which is read by its cursor and does not
    // see deletions.
    let of_marked = |row: &str| marked.iter().any(|id| row.contains(id.as_str()));
    for rows in tables.values_mut() {
        rows.retain(|_, row| !of_marked(row));
    }
    tables.retain(|name, _| !name.starts_with("log"));
    (tables, marked)
}

pub fn write(set: &Path) {
    std::fs::create_dir_all(set.join("requests")).unwrap();
    for history in HISTORIES {
        let connector = (history.connector)();
        let folder = set.join(history.name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        history.make(&connector, &folder);

        let kept = copied(set, history.name);
        if !history.name.ends_with("dlt") {
            let export = ["state", "export", "--destination", history.destination];
            let state = connector.succeed(kept.path(), &export);
            std::fs::write(folder.join(STATE), state).unwrap();
        }
        let requests = history.go_on(&connector, &history.api_now(), kept.path());
        for (run, requests) in requests.iter().enumerate() {
            let lines: Vec<&str> = requests.iter().map(String::as_str).collect();
            let file = requests_file(set, history.name, run);
            std::fs::write(file, lines.join("\n") + "\n").unwrap();
        }
    }
}

/// Returns the form in which an earlier build sent a request: the first page of a list with links had no number, and the
/// bound of a cursor was the last value, not one step below it.
fn as_before(request: &str) -> String {
    let request = request.strip_suffix("&page=1").unwrap_or(request);
    let Some((before, bound)) = request.split_once("since=") else {
        return request.to_owned();
    };
    let (bound, after) = bound.split_at(bound.find('&').unwrap_or(bound.len()));
    // The step of a number is 1, that of a time a second; those of the histories carry nothing over.
    let (head, last, tail) = match bound.strip_suffix('Z') {
        Some(time) => (&time[..time.len() - 2], &time[time.len() - 2..], "Z"),
        None => ("", bound, ""),
    };
    let Ok(last) = last.parse::<u64>() else {
        return request.to_owned();
    };
    format!("{before}since={head}{:02}{tail}{after}", last + 1)
}

/// Returns the requests that an earlier build did not send. The record one step below the bound makes a list one page longer
/// at most.
fn unknown<'a>(requests: &'a BTreeSet<String>, known: &BTreeSet<String>) -> Vec<&'a String> {
    let mut longer = BTreeSet::new();
    let is_new = |request: &&String| {
        let unnumbered = request.strip_suffix("&page=1").unwrap_or(request);
        let before = as_before(request);
        if known.contains(unnumbered) || known.contains(&before) {
            return false;
        }
        match before.split_once("&after=") {
            Some((list, _)) if list.contains("since=") && known.contains(list) => {
                !longer.insert(list.to_owned())
            }
            _ => true,
        }
    };
    requests.iter().filter(is_new).collect()
}

/// Checks that a run continues in a destination that an earlier build left in the middle of a pass.
fn goes_on(name: &str) {
    let history = History::find(name);
    let connector = (history.connector)();
    for set in sets() {
        let kept = copied(&set, name);
        let (_, marked) = standing(history.tables(&connector, kept.path()));
        let api = history.api_now();
        let requests = history.go_on(&connector, &api, kept.path());
        for (run, requests) in requests.iter().enumerate() {
            let file = requests_file(&set, name, run);
            let known = std::fs::read_to_string(file).unwrap();
            let known: BTreeSet<String> = known.lines().map(str::to_owned).collect();
            let more = unknown(requests, &known);
            assert!(
                more.is_empty() && !requests.is_empty(),
                "{name}, run {run}, of {}: the build that wrote it did not ask for {more:#?}",
                set.display()
            );
        }

        // The first runs complete the open passes, the others load the data that was added in the
        // meantime.
        history.go_on(&connector, &api, kept.path());
        let whole = tempfile::tempdir().unwrap();
        history.go_on(&connector, &api, whole.path());
        let (loaded, still) = standing(history.tables(&connector, kept.path()));
        let (expected, _) = standing(history.tables(&connector, whole.path()));
        assert_same(&expected, &loaded);
        assert!(marked.is_subset(&still), "{name}: marks were lost");
        assert_eq!(!still.is_empty(), name.starts_with("tree"));
    }
}

#[test]
fn sqlite_with_children_and_marked_rows_goes_on() {
    goes_on("tree-sqlite");
}

#[test]
fn parquet_with_children_and_marked_rows_goes_on() {
    goes_on("tree-parquet");
}

#[test]
fn sqlite_with_drift_and_a_backfill_goes_on() {
    goes_on("billing-sqlite");
}

#[test]
fn parquet_with_drift_and_a_backfill_goes_on() {
    goes_on("billing-parquet");
}

#[test]
fn sqlite_in_the_layout_of_dlt_goes_on() {
    goes_on("billing-dlt");
}

#[test]
fn sqlite_with_lists_by_page_number_goes_on() {
    goes_on("forge-sqlite");
}

/// Checks that a run continues from an exported state in a new destination, and that the state is
/// the same when it is exported again.
#[test]
fn an_exported_state_is_imported() {
    for name in [
        "tree-sqlite",
        "tree-parquet",
        "billing-sqlite",
        "forge-sqlite",
    ] {
        let history = History::find(name);
        let connector = (history.connector)();
        for set in sets() {
            let folder = tempfile::tempdir().unwrap();
            let state = folder.path().join(STATE);
            std::fs::copy(set.join(name).join(STATE), &state).unwrap();
            let to = ["--destination", history.destination];
            let import = ["state", "import", STATE];
            connector.succeed(folder.path(), &[&import[..], &to].concat());
            let again = connector.succeed(folder.path(), &[&["state", "export"][..], &to].concat());
            let parse = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
            let kept = parse(&std::fs::read_to_string(state).unwrap());
            assert_eq!(parse(&again)["rows"], kept["rows"]);

            let api = history.api_now();
            let requests = history.go_on(&connector, &api, folder.path());
            for (run, requests) in requests.iter().enumerate() {
                let known = std::fs::read_to_string(requests_file(&set, name, run)).unwrap();
                let known = known.lines().map(str::to_owned).collect();
                let more = unknown(requests, &known);
                assert_eq!(
                    more, [""; 0],
                    "{name}: not asked for by the build that wrote it"
                );
            }
        }
    }
}

/// Checks that the exported state of a copied destination equals that of the build that wrote it.
#[test]
fn a_kept_state_is_exported_as_it_was() {
    for name in ["tree-sqlite", "tree-parquet", "billing-parquet"] {
        let history = History::find(name);
        let connector = (history.connector)();
        for set in sets() {
            let folder = tempfile::tempdir().unwrap();
            copy(&set.join(name), folder.path());
            let export = ["state", "export", "--destination", history.destination];
            let exported = connector.succeed(folder.path(), &export);
            let parse = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
            let kept = std::fs::read_to_string(set.join(name).join(STATE)).unwrap();
            assert_eq!(parse(&exported)["rows"], parse(&kept)["rows"], "{name}");
        }
    }
}
