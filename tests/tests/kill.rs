//! Checks that a connector that is killed at any moment continues as if nothing had happened.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use etlgen_testkit::switches::SEED;
use etlgen_tests::connector::Connector;
use etlgen_tests::mock::{MockApi, Scenario, invoice_lines};
use etlgen_tests::tables::{self, assert_same};
use etlgen_tests::workspace::stderr;

const CHECKPOINT: &[&str] = &["--checkpoint-rows", "50"];
/// A backfill in windows, some of them empty.
const BACKFILL: &[&str] = &[
    "--checkpoint-rows",
    "50",
    "--resources",
    "customers,invoices",
    "--since",
    "2023-12-31",
    "--until",
    "2024-01-03",
    "--window",
    "3h",
];

/// A connector, its destination, and the number of kills.
struct Siege {
    connector: Connector,
    mock: MockApi,
    destination: &'static str,
    options: &'static [&'static str],
    /// Adds work for the next run.
    grow: fn(&MockApi),
    /// The parameter of requests for later pages; `None`: pages are numbered, and a pass that was killed starts again.
    paging: Option<&'static str>,
    kills: usize,
}

/// Random moments from a seed (xorshift).
struct Moments(u64);

impl Moments {
    /// Creates the moments; `ETLGEN_SEED` repeats a run that failed.
    fn new() -> Moments {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
        let seed = SEED.number().unwrap_or(u64::from(now) + 1);
        println!("{}={seed}", SEED.name);
        Moments(seed)
    }

    fn within(&mut self, span: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        span.mul_f64((self.0 >> 11) as f64 / (1u64 << 53) as f64)
    }
}

impl Siege {
    /// Kills runs until enough have been killed, then lets one complete.
    fn hold(&self, folder: &Path) {
        let span = self.time_a_run();
        let mut moments = Moments::new();
        let (mut kills, mut resumed, mut ends) = (0, 0, 0);
        while kills < self.kills {
            self.settle();
            self.mock.clear_requests();
            let moment = moments.within(span);
            let killed = self.kill_after(folder, moment);
            if self.went_on() {
                resumed += 1;
            }
            kills += usize::from(killed);
            ends += usize::from(!killed);
            // Data also changes between a kill and the run that continues; such data must not be missed.
            if !killed || kills % 5 == 0 {
                (self.grow)(&self.mock);
            }
        }
        println!("{kills} kills within {span:?} each, {resumed} runs went on, {ends} ended before");
        match self.paging {
            Some(_) => assert!(resumed * 5 > self.kills, "most runs began at the beginning"),
            // A number names another page after rows were added or deleted in front of it.
            None => assert_eq!(resumed, 0, "a run went on at a numbered page"),
        }
        // The first run completes the open passes, the second loads the data that was added in the
        // meantime.
        self.undisturbed(folder);
        self.undisturbed(folder);
    }

    /// Waits until the API has responded to all requests of a killed run, which belong to no later
    /// run.
    fn settle(&self) {
        let mut before = usize::MAX;
        while before != self.mock.requests().len() {
            before = self.mock.requests().len();
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns whether the first request for any list was for a later page.
    fn went_on(&self) -> bool {
        let requests = self.mock.requests();
        let path = |request: &str| request.split('?').next().unwrap_or_default().to_owned();
        let mut seen = BTreeSet::new();
        let mut firsts = requests.iter().filter(|request| seen.insert(path(request)));
        let paging = self.paging.unwrap_or("&page=");
        let first_page = |request: &str| request.ends_with("&page=1");
        firsts.any(|request| request.contains(paging) && !first_page(request))
    }

    /// Returns the duration of a first run.
    fn time_a_run(&self) -> Duration {
        let folder = tempfile::tempdir().unwrap();
        let start = Instant::now();
        self.undisturbed(folder.path());
        start.elapsed()
    }

    fn undisturbed(&self, folder: &Path) {
        self.connector
            .sync(folder, &self.mock, self.destination, self.options);
    }

    /// Kills a run after that time; returns false if the run ended before.
    fn kill_after(&self, folder: &Path, moment: Duration) -> bool {
        let url = self.mock.url();
        let sync = [
            "sync",
            "--destination",
            self.destination,
            "--base-url",
            &url,
        ];
        let mut run = self
            .connector
            .command(folder, &[&sync[..], self.options].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(moment);
        // A run that has just ended is not an error; its exit status shows it.
        let _ = run.kill();
        let output = run.wait_with_output().unwrap();
        let code = output.status.code();
        assert!(
            matches!(code, None | Some(0)),
            "{code:?}: {}",
            stderr(&output)
        );
        code.is_none()
    }
}

#[test]
fn fifty_kills_of_a_load_into_sqlite() {
    let scenario = Scenario {
        customers: 1_000,
        invoices: 1_500,
        events: 1_000,
        delay: Duration::from_millis(4),
        ..Scenario::default()
    };
    let siege = Siege {
        connector: Connector::billing(),
        mock: MockApi::start(scenario),
        destination: "sqlite:billing.db",
        options: CHECKPOINT,
        grow: |mock| {
            mock.add_customers(110);
            mock.add_invoices(150);
            mock.add_events(250);
        },
        paging: Some("starting_after="),
        kills: 50,
    };
    let (killed, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    siege.hold(killed.path());
    siege.undisturbed(whole.path());
    let read = |folder: &Path| tables::sqlite(&folder.join("billing.db"));
    let expected = read(whole.path());
    // This includes the lines of invoices that hold only their first page.
    let lines = invoice_lines(expected["invoices"].len());
    assert_eq!(expected["invoices__lines__data"].len(), lines);
    assert_same(&expected, &read(killed.path()));
}

#[test]
fn kills_of_children_by_their_parents() {
    let scenario = Scenario {
        repos: 4,
        issues_per_repo: 400,
        commits_per_repo: 300,
        delay: Duration::from_millis(4),
        ..Scenario::default()
    };
    let siege = Siege {
        connector: Connector::forge(),
        mock: MockApi::start(scenario),
        destination: "sqlite:forge.db",
        options: CHECKPOINT,
        grow: |mock| {
            mock.add_issues(90);
            mock.add_commits(50);
        },
        paging: None,
        kills: 15,
    };
    let (killed, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    siege.hold(killed.path());
    siege.undisturbed(whole.path());
    let read = |folder: &Path| tables::sqlite(&folder.join("forge.db"));
    assert_same(&read(whole.path()), &read(killed.path()));
}

#[test]
fn kills_of_a_load_into_parquet() {
    let scenario = Scenario {
        customers: 600,
        invoices: 900,
        events: 600,
        delay: Duration::from_millis(4),
        ..Scenario::default()
    };
    let siege = Siege {
        connector: Connector::billing(),
        mock: MockApi::start(scenario),
        destination: "parquet:lake",
        options: CHECKPOINT,
        grow: |mock| {
            mock.add_customers(90);
            mock.add_invoices(120);
            mock.add_events(200);
        },
        paging: Some("starting_after="),
        kills: 15,
    };
    let (killed, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    siege.hold(killed.path());
    siege.undisturbed(whole.path());
    let read = |folder: &Path| tables::parquet(&folder.join("lake"), "billing");
    assert_same(&read(whole.path()), &read(killed.path()));
}

#[test]
fn kills_of_a_backfill_in_windows() {
    let scenario = Scenario {
        customers: 900,
        invoices: 900,
        delay: Duration::from_millis(6),
        ..Scenario::default()
    };
    let siege = Siege {
        connector: Connector::billing(),
        mock: MockApi::start(scenario),
        destination: "sqlite:billing.db",
        options: BACKFILL,
        grow: |_| {},
        paging: Some("starting_after="),
        kills: 15,
    };
    let (killed, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    siege.hold(killed.path());
    siege.undisturbed(whole.path());
    let read = |folder: &Path| tables::sqlite(&folder.join("billing.db"));
    assert_eq!(read(whole.path())["customers"].len(), 900);
    assert_same(&read(whole.path()), &read(killed.path()));
}
