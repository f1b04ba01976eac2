//! Tests of complete runs in a simulated world: responses from memory, virtual time, one thread,
//! one seed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::support::InMemory;
use etlgen_runtime::load::{Brought, Capabilities, Chunk, Commit, Destination, LoadInfo, Memory};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, sync};
use etlgen_runtime::schema::Drifted;
use etlgen_runtime::world::{
    BoxFuture, Clock, Transport, VirtualClock, WireError, WireErrorKind, WireRequest, WireResponse,
    World,
};
use serde_json::json;

/// The events, each line with its second.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<String>>>, VirtualClock);

impl Log {
    fn add(&self, line: String) {
        let second = self.1.monotonic().as_secs_f64();
        self.0.lock().unwrap().push(format!("{second:.3} {line}"));
    }

    fn count(&self, part: &str) -> usize {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|line| line.contains(part)).count()
    }
}

/// Four organisations on two pages, with three pages of members each. A page takes 20 s; tokens last ten minutes.
struct Api {
    log: Log,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: u32,
    expires: Duration,
    /// The second organisation has refused requests for an hour.
    refused: bool,
    broke: bool,
    withdrew: bool,
}

impl Api {
    fn answer(&self, request: &WireRequest) -> Result<WireResponse, WireError> {
        let now = self.log.1.monotonic();
        let mut state = self.state.lock().unwrap();
        let query = |name: &str| {
            let mut pairs = request.url().query_pairs();
            pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        let answer = |body: serde_json::Value| WireResponse::new(200).body(body.to_string());
        let path = request.url().path();
        if path == "/token" {
            assert_eq!(request.method(), "POST");
            assert!(request.body().starts_with(b"grant_type=client_credentials"));
            state.tokens += 1;
            state.expires = now + Duration::from_secs(600);
            let token = format!("token-{}", state.tokens);
            return Ok(answer(json!({"access_token": token, "expires_in": 600})));
        }
        let token = format!("Bearer token-{}", state.tokens);
        let page = query("page").unwrap_or_default();
        if request.header("authorization") != Some(&token) || now >= state.expires {
            return Ok(WireResponse::new(401));
        }
        if path == "/orgs" && !std::mem::replace(&mut state.withdrew, true) {
            state.expires = now;
            return Ok(WireResponse::new(401));
        }
        if path == "/orgs/2/members" && page == "2" && !std::mem::replace(&mut state.refused, true)
        {
            return Ok(WireResponse::new(429).header("retry-after", "3600"));
        }
        if path == "/orgs/3/members" && !std::mem::replace(&mut state.broke, true) {
            return Err(WireError::new(WireErrorKind::Broken, "reset"));
        }
        let (rows, next) = match (path, page.as_str()) {
            ("/orgs", "") => (json!([{"id": 1}, {"id": 2}]), Some("2")),
            ("/orgs", "2") => (json!([{"id": 3}, {"id": 4}]), None),
            (_, "") => (json!([{"id": 1}, {"id": 2}]), Some("2")),
            (_, "2") => (json!([{"id": 3}]), Some("3")),
            _ => (json!([{"id": 4}]), None),
        };
        Ok(answer(json!({"data": rows, "next": next})))
    }
}

impl Transport for Api {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        Box::pin(async move {
            let target = request.url().as_str().replace("https://api.example", "");
            self.log.1.sleep(Duration::from_secs(20)).await;
            let answer = self.answer(&request);
            let status = answer.as_ref().map_or(0, |answer| answer.status());
            self.log
                .add(format!("{} {target} {status}", request.method()));
            answer
        })
    }
}

#[derive(Record)]
struct Org {
    id: Option<i64>,
}

#[derive(Record)]
struct Member {
    id: Option<i64>,
}

fn source(world: World) -> Source {
    let pages = || Paginator::token("page", "next");
    Source::new("club", "https://api.example")
        .world(world)
        .auth(Auth::oauth2_client_credentials(
            "https://api.example/token",
            "client",
            "client-secret",
            &[],
        ))
        .longest_pause(Duration::from_secs(2 * 3600))
        .resource(
            Org::list("orgs", "/orgs")
                .records("data")
                .primary_key([Org::ID])
                .paginate(pages()),
        )
        .resource(
            Member::list("members", "/orgs/{org}/members")
                .records("data")
                .primary_key([Member::ID])
                .within_parent()
                .paginate(pages())
                .child_of("orgs", |org: &Org, request| request.path("org", org.id)),
        )
}

/// A destination that commits every half minute, and logs it.
struct Logged {
    into: InMemory,
    log: Log,
}

impl Destination for Logged {
    fn describe(&self) -> String {
        self.into.describe()
    }

    fn exists(&self) -> bool {
        self.into.exists()
    }

    fn capabilities(&self) -> Capabilities {
        self.into
            .capabilities()
            .checkpoints(1000, Duration::from_secs(30))
    }

    fn open(&mut self, load: &LoadInfo) -> Result<Memory> {
        self.log.add(format!("open {}", load.id));
        self.into.open(load)
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.log.add(format!("write {}", chunk.resource));
        self.into.write(chunk)
    }

    fn drift(&mut self, resource: &str, counts: &[(Drifted, u64)]) -> Result<()> {
        Destination::drift(&mut self.into, resource, counts)
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        let (state, status) = (commit.state, commit.status);
        self.log.add(format!("commit {} {state:?}", status.name()));
        self.into.commit(commit)
    }

    fn brought(
        &mut self,
        rows: &Brought<'_>,
        each: &mut dyn FnMut(&[Option<&str>]) -> Result<()>,
    ) -> Result<bool> {
        self.into.brought(rows, each)
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        self.into.row_counts()
    }
}

/// Makes complete runs, one after another; returns the events, the reports, and the contents of the
/// destination.
fn runs(seed: u64, options: &[RunOptions]) -> (Log, Vec<serde_json::Value>, InMemory) {
    let clock = VirtualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let log = Log(Arc::default(), clock.clone());
    let api = Api {
        log: log.clone(),
        state: Mutex::default(),
    };
    let memory = InMemory::new(1000);
    let source = source(World::simulated(api, clock.clone(), seed));
    let runtime = clock.runtime().unwrap();
    let report = options.iter().map(|options| {
        let into = Box::new(Logged {
            into: memory.clone(),
            log: log.clone(),
        });
        let report = runtime.block_on(sync(&source, into, options, Arc::new(())));
        report.unwrap().to_json()
    });
    let reports = report.collect();
    (log, reports, memory)
}

fn run(seed: u64) -> (Log, Vec<serde_json::Value>, InMemory) {
    runs(seed, &[RunOptions::default()])
}

#[test]
fn a_run_of_hours_takes_no_time_and_happens_in_the_same_way_each_time() {
    let began = Instant::now();
    let (log, report, memory) = run(7);
    let (again, report_again, memory_again) = run(7);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );

    assert_eq!(*log.0.lock().unwrap(), *again.0.lock().unwrap());
    assert_eq!(report, report_again);
    assert_eq!(memory.tables(), memory_again.tables());
    assert_eq!(memory.state(), memory_again.state());

    assert_eq!(report[0]["complete"], true, "{report:?}");
    // The run had an hour's pause, a broken connection, expired tokens and a revoked one, and
    // commits.
    let lines = log.0.lock().unwrap().join("\n");
    assert!(log.1.monotonic() > Duration::from_secs(3600), "{lines}");
    assert_eq!(memory.table("orgs").len(), 4);
    assert_eq!(memory.table("members").len(), 16);
    for (part, count) in [
        (" 429", 1),
        ("/members 0", 1),
        (" 401", 1),
        ("/token 200", 3),
    ] {
        assert_eq!(log.count(part), count, "{part}:\n{lines}");
    }
    assert!(log.count("commit running") > 1, "{lines}");
    assert_eq!(log.count("commit complete"), 1, "{lines}");
    assert_eq!(log.count("0.000 open 1700000000.000000"), 1, "{lines}");
}

#[test]
fn another_seed_waits_otherwise_and_loads_the_same() {
    let (log, _, memory) = run(7);
    let (other, _, memory_other) = run(8);
    assert_ne!(*log.0.lock().unwrap(), *other.0.lock().unwrap());
    assert_eq!(memory.tables(), memory_other.tables());
}

#[test]
fn a_run_goes_on_after_a_stop_in_the_same_way_each_time() {
    let twice = || {
        let stopped = RunOptions::default().max_time(Duration::from_secs(110));
        runs(7, &[stopped, RunOptions::default()])
    };
    let (log, reports, memory) = twice();
    let (again, reports_again, _) = twice();
    let outcome = |run: usize| &reports[run]["resources"][1]["outcome"];
    assert_eq!(
        [outcome(0), outcome(1)],
        ["stopped", "complete"],
        "{reports:?}"
    );
    assert_eq!(memory.table("members").len(), 16);
    assert_eq!(*log.0.lock().unwrap(), *again.0.lock().unwrap());
    assert_eq!(reports, reports_again);
}

/// A transport that answers with a function.
struct Answers<F>(F);

impl<F: Fn(&str) -> WireResponse + Send + Sync> Transport for Answers<F> {
    fn send(&self, request: WireRequest) -> BoxFuture<'_, Result<WireResponse, WireError>> {
        let answer = (self.0)(request.url().query().unwrap_or_default());
        Box::pin(async { Ok(answer) })
    }
}

/// Loads a list of two pages, whose first response `first` changes; returns the report and the
/// number of rows.
fn two_pages(
    first: impl Fn(WireResponse) -> WireResponse + Send + Sync + 'static,
) -> (serde_json::Value, usize) {
    let answer = move |query: &str| match query {
        "" => {
            first(WireResponse::new(200).body(r#"{"data": [{"id": 1}, {"id": 2}], "next": "2"}"#))
        }
        _ => WireResponse::new(200).body(r#"{"data": [{"id": 3}]}"#),
    };
    let clock = VirtualClock::new(SystemTime::UNIX_EPOCH);
    let pages = Paginator::token("page", "next");
    let list = Org::list("orgs", "/orgs").records("data");
    let source = Source::new("club", "https://api.example")
        .world(World::simulated(Answers(answer), clock.clone(), 1))
        .body_limit(1 << 20)
        .resource(list.primary_key([Org::ID]).paginate(pages));
    let memory = InMemory::new(1000);
    let (into, options) = (Box::new(memory.clone()), RunOptions::default());
    let run = async { sync(&source, into, &options, Arc::new(())).await };
    let report = clock.runtime().unwrap().block_on(run).unwrap().to_json();
    (report["resources"][0].clone(), memory.table("orgs").len())
}

#[test]
fn no_number_of_a_peer_is_too_large() {
    for (name, value) in [
        (
            "ratelimit",
            "limit=1, remaining=0, reset=18446744073709551615",
        ),
        ("ratelimit", r#""day";r=0;t=9223372036854775807"#),
    ] {
        // No window is that long.
        let (report, rows) = two_pages(|answer| answer.header(name, value));
        assert_eq!((&report["outcome"], rows), (&json!("complete"), 3));
    }
    let bucket = |answer: WireResponse| answer.header("x-shopify-shop-api-call-limit", "40/0");
    let (report, rows) = two_pages(bucket);
    assert_eq!(
        (&report["outcome"], rows),
        (&json!("complete"), 3),
        "{report}"
    );
}

#[test]
fn a_body_is_bounded_as_it_comes_and_as_it_is_unpacked() {
    // The body is a megabyte of spaces in a thousand bytes.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b' '; (1 << 20) + 1]).unwrap();
    let bomb = packed.finish().unwrap();
    let plain = vec![b' '; (1 << 20) + 1];
    for (body, encoding) in [(bomb, "gzip"), (plain, "identity")] {
        let body = move |_| {
            WireResponse::new(200)
                .header("content-encoding", encoding)
                .body(body.clone())
        };
        let (report, rows) = two_pages(body);
        let error = report["error"]["message"].as_str().unwrap_or_default();
        assert!(error.contains("longer than 1048576 bytes"), "{report}");
        assert!(error.contains(".body_limit("), "{report}");
        assert_eq!(rows, 0);
    }
}

/// External inputs of a run, and the names that show them in code.
const FROM_OUTSIDE: [(&str, &[&str]); 6] = [
    (
        "the wall clock",
        &[
            "SystemTime::now",
            "UtcDateTime::now",
            "CURRENT_TIMESTAMP",
            "%fZ')",
            "'now'",
        ],
    ),
    ("the monotonic clock", &["Instant::now", ".elapsed()"]),
    ("sleep", &["tokio::time", "thread::sleep"]),
    (
        "threads",
        &[
            "thread::spawn",
            "thread::Builder",
            "thread::scope",
            "spawn_blocking",
        ],
    ),
    (
        "randomness",
        &[
            "RandomState",
            "process::id",
            "rand::",
            "getrandom",
            "fastrand",
            "new_v4",
            "temp_dir",
        ],
    ),
    (
        "the network",
        &[
            "reqwest::Client",
            "reqwest::get",
            "reqwest::blocking",
            "TcpStream",
            "TcpListener",
        ],
    ),
];

/// Returns the external inputs in a source file; `tokio::select!` is random unless it is `biased`.
fn taken(source: &str) -> Vec<&'static str> {
    let code: Vec<&str> = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut taken: Vec<&str> = FROM_OUTSIDE
        .iter()
        .filter(|(_, names)| names.iter().any(|name| code.contains(name)))
        .map(|(what, _)| *what)
        .collect();
    let unordered = |select: &str| !select.trim_start().starts_with("biased;");
    if code.split("select! {").skip(1).any(unordered) {
        taken.push("a random order");
    }
    taken
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_the_real_world_takes_from_outside() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 100);
    let mut of_the_world = Vec::new();
    for file in files {
        let taken = taken(&std::fs::read_to_string(&file).unwrap());
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        match name {
            "world/real.rs" | "world/network.rs" => of_the_world.extend(taken),
            // No simulated world has a database server or a bucket, or runs another program.
            name if name.starts_with("load/postgres")
                || name.starts_with("load/buckets")
                || name.starts_with("load/duckdb/tests") => {}
            name => assert!(taken.is_empty(), "{name} takes from outside: {taken:?}"),
        }
    }
    // The test finds each input where it is allowed.
    of_the_world.sort_unstable();
    let all: Vec<&str> = FROM_OUTSIDE.iter().map(|(what, _)| *what).collect();
    for what in all {
        assert!(
            of_the_world.contains(&what),
            "{what} is not found where it is"
        );
    }
    assert_eq!(taken("tokio::select! { a = b => c }"), ["a random order"]);
    assert!(taken("tokio::select! {\n biased;\n a = b => c }").is_empty());
    assert_eq!(
        taken("let now = SystemTime::now(); // Instant::now"),
        ["the wall clock"]
    );
}
