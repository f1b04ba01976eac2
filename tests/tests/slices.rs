//! Runs whose slices several processes read: processes that are killed, slices that fail, two that
//! read the same slice, and two commits at once. The tables are those of one `sync`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use etlgen_testkit::http::{Request, Response, Server};
use etlgen_testkit::switches::SEED;
use etlgen_testkit::{Kind, moto, skip};
use etlgen_tests::python::environment;
use etlgen_tests::tables::{self, assert_same};
use etlgen_tests::workspace::{binary, root, stderr, stdout};
use serde_json::{Value, json};

const START: u64 = 1_704_067_200;
const DAY: u64 = 86_400;
/// The packages of the environment with Ray.
const RAY: &[&str] = &["ray==2.60.0", "pytest==9.2.0"];

/// What the API has been asked, and what fails.
#[derive(Default)]
struct Heard {
    requests: Vec<String>,
    /// Paths that answer 418, so many times.
    fails: BTreeMap<String, u32>,
    /// Paths whose first answer takes so long.
    slow: BTreeMap<String, Duration>,
    /// When each request came.
    moments: Vec<Duration>,
}

/// An API with repos, their issues, the comments of these, and events.
struct Forge {
    server: Server,
    heard: Arc<Mutex<Heard>>,
}

impl Forge {
    fn start(repos: u64, delay: Duration) -> Forge {
        let heard = Arc::<Mutex<Heard>>::default();
        let kept = heard.clone();
        let started = Instant::now();
        let server = Server::start(0, move |request| {
            let path = request.target.split('?').next().unwrap_or_default();
            let slow = {
                let mut heard = kept.lock().unwrap();
                heard.moments.push(started.elapsed());
                heard.slow.remove(path)
            };
            std::thread::sleep(slow.unwrap_or(delay));
            answer(request, repos, &mut kept.lock().unwrap())
        });
        let server = server.unwrap();
        Forge { server, heard }
    }

    fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().requests)
    }

    /// Returns a command of the connector, in a folder of its own.
    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("slices"));
        command
            .args(arguments)
            .current_dir(folder)
            .env("FORGE_BASE_URL", self.server.url())
            .env("FORGE_API_KEY", "good");
        command
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.command(folder, arguments).output().unwrap()
    }

    fn succeed(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        stdout(&output)
    }

    fn spawn(&self, folder: &Path, arguments: &[&str]) -> Child {
        let mut command = self.command(folder, arguments);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn answer(request: &Request, repos: u64, heard: &mut Heard) -> Response {
    let path = request
        .target
        .split('?')
        .next()
        .unwrap_or_default()
        .to_owned();
    heard.requests.push(request.target.clone());
    if let Some(left) = heard.fails.get_mut(&path)
        && *left > 0
    {
        *left -= 1;
        return Response::json(418, &json!({}));
    }
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let rows: Vec<Value> = match parts.as_slice() {
        ["repos"] => (1..=repos)
            .map(|id| json!({"id": id, "name": format!("repo {id}")}))
            .collect(),
        ["repos", repo, "issues"] => {
            let repo = number(repo);
            let issue =
                |n: u64| json!({"id": repo * 100 + n, "title": "…", "tags": ["a"], "size": repo});
            (1..=repo % 5).map(issue).collect()
        }
        ["issues", issue, "comments"] => {
            let issue = number(issue);
            (1..=issue % 3)
                .map(|n| json!({"id": issue * 10 + n, "text": "…"}))
                .collect()
        }
        _ => {
            let bound = |name: &str, none: u64| request.param(name).map_or(none, number);
            let (from, until) = (bound("from", 0), bound("until", u64::MAX));
            let at = |n: &u64| START + n * DAY / 3;
            let rows = (0..90).filter(|n| (from..=until).contains(&at(n)));
            rows.map(|n| json!({"id": n, "at": at(&n)})).collect()
        }
    };
    let start = request
        .param("page")
        .map_or(0, |page| number(page) as usize);
    let end = rows.len().min(start + 3);
    let next = (end < rows.len()).then_some(end);
    Response::json(
        200,
        &json!({"data": rows[start.min(end)..end], "next": next}),
    )
}

/// Chance from one seed.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
        let seed = SEED.number().unwrap_or(u64::from(now) + 1);
        println!("ETLGEN_SEED={seed}");
        Chance(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn id(line: &str) -> String {
    let slice: Value = serde_json::from_str(line).unwrap();
    slice["id"].as_str().unwrap().to_owned()
}

/// The words of a command that extracts a slice.
fn extract<'a>(line: &'a str, run: &'a str) -> [&'a str; 5] {
    ["extract", "--slice", line, "--out", run]
}

#[test]
fn processes_that_are_killed_leave_what_sync_loads() {
    let forge = Forge::start(9, Duration::from_millis(1));
    let (here, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    forge.succeed(
        here.path(),
        &[
            "sync",
            "--destination",
            "sqlite:whole.db",
            "--until",
            "2024-02-15",
        ],
    );
    let whole = forge.take_requests();
    let run = shared.path().join("run").display().to_string();
    let mut chance = Chance::new();
    forge.heard.lock().unwrap().fails =
        BTreeMap::from([("/repos/3/issues".into(), 2), ("/events".into(), 2)]);
    let mut slices = lines(&forge.succeed(
        here.path(),
        &[
            "plan",
            "--out",
            &run,
            "--destination",
            "sqlite:parts.db",
            "--group",
            "4",
            "--until",
            "2024-02-15",
            "--window",
            "4d",
        ],
    ));
    let (mut seen, mut killed, mut failed) = (BTreeSet::new(), 0, 0);
    while !slices.is_empty() {
        for line in &slices {
            let first = seen.insert(id(line));
            // Each process has a folder of its own.
            let own = tempfile::tempdir().unwrap();
            if first && chance.below(3) == 0 {
                let mut process = forge.spawn(own.path(), &extract(line, &run));
                std::thread::sleep(Duration::from_millis(chance.below(60)));
                process.kill().unwrap();
                process.wait().unwrap();
                killed += 1;
                continue;
            }
            let twin =
                (chance.below(5) == 0).then(|| forge.spawn(own.path(), &extract(line, &run)));
            let done = forge.run(own.path(), &extract(line, &run));
            match done.status.code() {
                Some(0) => {
                    let receipt: Value = serde_json::from_str(stdout(&done).trim()).unwrap();
                    assert_eq!(receipt["slice"], id(line));
                }
                Some(4) => failed += 1,
                other => panic!("{other:?}: {}", stderr(&done)),
            }
            if let Some(mut twin) = twin {
                twin.wait().unwrap();
            }
        }
        slices = lines(&forge.succeed(here.path(), &["plan", "--run", &run]));
    }
    assert!(
        seen.len() > 15 && killed > 0,
        "{} slices, {killed} kills",
        seen.len()
    );
    assert!(failed >= 2, "{failed}");
    // A commit that is killed leaves nothing, or everything.
    let commit = ["commit", "--run", &run, "--destination", "sqlite:parts.db"];
    for _ in 0..4 {
        let mut process = forge.spawn(here.path(), &commit);
        std::thread::sleep(Duration::from_millis(chance.below(120)));
        process.kill().unwrap();
        process.wait().unwrap();
    }
    forge.take_requests();
    forge.succeed(here.path(), &commit);
    assert!(forge.take_requests().is_empty(), "a commit sends nothing");
    let parts = tables::sqlite(&here.path().join("parts.db"));
    assert_same(&tables::sqlite(&here.path().join("whole.db")), &parts);
    let told = forge.succeed(here.path(), &commit);
    assert!(told.contains("nothing to do"), "{told}");
    assert_same(&tables::sqlite(&here.path().join("parts.db")), &parts);
    assert!(whole.len() > 20);
}

#[test]
fn what_is_missing_is_named_and_two_commits_at_once_are_one() {
    let forge = Forge::start(4, Duration::ZERO);
    let here = tempfile::tempdir().unwrap();
    let plan = [
        "plan",
        "--out",
        "run",
        "--destination",
        "sqlite:a.db",
        "--resources",
        "repos,issues",
    ];
    let slices = lines(&forge.succeed(here.path(), &plan));
    assert_eq!(slices.len(), 1);
    let commit = ["commit", "--run", "run", "--destination", "sqlite:a.db"];
    let missing = forge.run(here.path(), &commit);
    assert_eq!(missing.status.code(), Some(6));
    assert!(
        stderr(&missing).contains(&id(&slices[0])),
        "{}",
        stderr(&missing)
    );
    assert!(!here.path().join("a.db").exists());
    forge.succeed(here.path(), &extract(&slices[0], "run"));
    for line in lines(&forge.succeed(here.path(), &["plan", "--run", "run"])) {
        forge.succeed(here.path(), &extract(&line, "run"));
    }
    assert_eq!(forge.succeed(here.path(), &["plan", "--run", "run"]), "");
    let waits = [&commit[..], &["--wait", "30s"]].concat();
    let both: Vec<Child> = (0..2)
        .map(|_| {
            let mut command = forge.command(here.path(), &waits);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let ended: Vec<Output> = both
        .into_iter()
        .map(|it| it.wait_with_output().unwrap())
        .collect();
    let told: Vec<String> = ended.iter().map(stdout).collect();
    assert!(
        ended.iter().all(|it| it.status.code() == Some(0)),
        "{ended:?}"
    );
    let before = told
        .iter()
        .filter(|told| told.contains("nothing to do"))
        .count();
    assert_eq!(before, 1, "{told:?}");
    assert_eq!(tables::counts(&here.path().join("a.db"))["issues"], 10);
}

#[test]
fn a_run_that_meets_another_waits_for_it() {
    let forge = Forge::start(8, Duration::ZERO);
    let slow = BTreeMap::from([("/repos/8/issues".into(), Duration::from_secs(12))]);
    forge.heard.lock().unwrap().slow = slow;
    let here = tempfile::tempdir().unwrap();
    let sync = [
        "sync",
        "--destination",
        "sqlite:a.db",
        "--resources",
        "issues",
    ];
    let mut first = forge.spawn(here.path(), &sync);
    while forge.heard.lock().unwrap().requests.is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let refused = forge.run(here.path(), &sync);
    assert_eq!(refused.status.code(), Some(5), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--wait"), "{}", stderr(&refused));
    let waits = [&sync[..], &["--wait", "60s"]].concat();
    forge.succeed(here.path(), &waits);
    assert!(first.wait().unwrap().success());
}

#[test]
fn a_plan_can_be_looked_at_as_lines() {
    let forge = Forge::start(2, Duration::ZERO);
    let here = tempfile::tempdir().unwrap();
    let plan = [
        "sync",
        "--plan",
        "--format",
        "jsonl",
        "--destination",
        "sqlite:a.db",
    ];
    let looked = lines(&forge.succeed(here.path(), &plan));
    assert!(
        looked.iter().any(|line| line.contains("\"window\"")),
        "{looked:?}"
    );
    assert!(forge.take_requests().is_empty());
    assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
}

/// Returns a command of Python that finds the package `etlgen_ray`.
fn python(program: &Path) -> Command {
    let package = root().join("python/etlgen-ray/src");
    let mut command = Command::new(program);
    command
        .env("PYTHONPATH", package)
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// A budget of requests that several processes share.
struct Budget {
    server: Child,
    url: String,
}

impl Budget {
    /// `None`: there is no Python here.
    fn start(rate: u32) -> Option<Budget> {
        let mut command = python(Path::new("python3"));
        command.args(["-m", "etlgen_ray.budget", &rate.to_string()]);
        let started = command
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut server = match started {
            Ok(server) => server,
            Err(error) => {
                skip(Kind::Python, &error.to_string());
                return None;
            }
        };
        let mut url = String::new();
        let mut out = BufReader::new(server.stdout.take().unwrap());
        out.read_line(&mut url).unwrap();
        let url = url.trim().to_owned();
        assert!(url.starts_with("http://"), "{url}");
        Some(Budget { server, url })
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Returns the most of these moments that are in one second.
fn busiest(moments: &[Duration]) -> usize {
    let second = |from: &Duration| {
        let end = *from + Duration::from_secs(1);
        moments
            .iter()
            .filter(|at| (*from..end).contains(at))
            .count()
    };
    moments.iter().map(second).max().unwrap_or(0)
}

#[test]
fn eight_processes_share_one_budget() {
    let Some(budget) = Budget::start(50) else {
        return;
    };
    let forge = Forge::start(60, Duration::ZERO);
    let here = tempfile::tempdir().unwrap();
    let plan = [
        "plan",
        "--out",
        "run",
        "--destination",
        "sqlite:a.db",
        "--group",
        "4",
        "--resources",
        "comments",
    ];
    let first = lines(&forge.succeed(here.path(), &plan));
    forge.succeed(here.path(), &extract(&first[0], "run"));
    let slices = lines(&forge.succeed(here.path(), &["plan", "--run", "run"]));
    assert_eq!(slices.len(), 15);
    let extract = |forge: &Forge, slices: &[String]| {
        let waiting = Mutex::new(slices.iter());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    loop {
                        let Some(line) = waiting.lock().unwrap().next() else {
                            return;
                        };
                        let more = ["--budget-url", budget.url.as_str()];
                        forge.succeed(here.path(), &[&extract(line, "run")[..], &more].concat());
                    }
                });
            }
        });
    };
    extract(&forge, &slices);
    let slices = lines(&forge.succeed(here.path(), &["plan", "--run", "run"]));
    forge.take_requests();
    extract(&forge, &slices);
    let moments = std::mem::take(&mut forge.heard.lock().unwrap().moments);
    // What the network delays may fall into the next second.
    assert!(
        busiest(&moments) <= 52,
        "{} requests in a second",
        busiest(&moments)
    );
    forge.succeed(
        here.path(),
        &["commit", "--run", "run", "--destination", "sqlite:a.db"],
    );
}

#[test]
#[ignore = "it installs Ray and moto: `cargo long slices`"]
fn a_backfill_on_a_ray_cluster_is_what_sync_loads() {
    let Some(programs) = environment("ray", RAY) else {
        return;
    };
    let moto = match moto::server() {
        Ok(server) => server,
        Err(why) => return skip(Kind::Service, &why),
    };
    let forge = Forge::start(90, Duration::from_millis(2));
    let (here, name) = (tempfile::tempdir().unwrap(), std::process::id());
    let at = format!(
        "s3://{}/slices-{name}?endpoint=http://127.0.0.1:{}",
        moto::BUCKET,
        moto.port
    );
    forge.succeed(
        here.path(),
        &["sync", "--destination", "sqlite:whole.db", "--window", "7d"],
    );
    forge.take_requests();
    {
        let mut heard = forge.heard.lock().unwrap();
        heard.fails = BTreeMap::from([("/repos/7/issues".into(), 2)]);
        heard.slow = BTreeMap::from([("/issues/8904/comments".into(), Duration::from_secs(60))]);
    }
    let mut run = python(&programs.join("python"));
    run.arg(root().join("tests/tests/slices/cluster.py"))
        .arg(binary("slices"))
        .args([
            "sqlite:parts.db",
            &at,
            r#"["--group", "1", "--window", "7d"]"#,
        ])
        .current_dir(here.path())
        .env("FORGE_BASE_URL", forge.server.url())
        .env("FORGE_API_KEY", "good")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1");
    let done = run.output().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    println!("{}", stdout(&done));
    let told: Value = serde_json::from_str(stdout(&done).lines().last().unwrap()).unwrap();
    assert!(told["slices"].as_u64().unwrap() >= 400, "{told}");
    assert_eq!(told["killed"], true);
    assert!(told["retries"].as_u64().unwrap() >= 2, "{told}");
    assert!(told["speculated"].as_u64().unwrap() >= 1, "{told}");
    let moments = std::mem::take(&mut forge.heard.lock().unwrap().moments);
    assert!(busiest(&moments) <= 210, "{}", busiest(&moments));
    let parts = tables::sqlite(&here.path().join("parts.db"));
    assert_same(&tables::sqlite(&here.path().join("whole.db")), &parts);
    let mut again = forge.command(
        here.path(),
        &["commit", "--run", &at, "--destination", "sqlite:parts.db"],
    );
    again
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1");
    let again = again.output().unwrap();
    assert!(
        stdout(&again).contains("nothing to do"),
        "{}{}",
        stdout(&again),
        stderr(&again)
    );
    assert_same(&tables::sqlite(&here.path().join("parts.db")), &parts);
}

/// Returns the first block of code in this language below a heading of `docs/slices.md`.
fn block(heading: &str, language: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/slices.md")).unwrap();
    let (_, below) = page.split_once(&format!("### {heading}\n")).unwrap();
    let (_, code) = below.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

#[test]
#[cfg(unix)]
fn the_lines_for_xargs_load_what_sync_loads() {
    let forge = Forge::start(6, Duration::ZERO);
    let here = tempfile::tempdir().unwrap();
    let programs = here.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(binary("slices"), programs.join("my-connector")).unwrap();
    forge.succeed(here.path(), &["sync", "--destination", "sqlite:whole.db"]);
    forge.heard.lock().unwrap().fails = BTreeMap::from([("/repos/3/issues".into(), 1)]);
    let path = std::env::var("PATH").unwrap_or_default();
    // The connector declares windows of a day, which are many.
    let script =
        block("xargs, GNU parallel", "sh").replace("plan --out", "plan --window 60d --out");
    let done = Command::new("sh")
        .args(["-e", "-c", &script])
        .current_dir(here.path())
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("RUN", "run")
        .env("DESTINATION", "sqlite:parts.db")
        .env("FORGE_BASE_URL", forge.server.url())
        .env("FORGE_API_KEY", "good")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
    let parts = tables::sqlite(&here.path().join("parts.db"));
    assert_same(&tables::sqlite(&here.path().join("whole.db")), &parts);
}

#[test]
fn the_definitions_of_the_page_are_what_they_claim_to_be() {
    let machine: Value = serde_json::from_str(&block("Step Functions", "json")).unwrap();
    let states = machine["States"].as_object().unwrap();
    for state in states.values() {
        let choices = state["Choices"].as_array().into_iter().flatten();
        let next = choices
            .map(|choice| &choice["Next"])
            .chain([&state["Next"], &state["Default"]]);
        for name in next.filter_map(Value::as_str) {
            assert!(states.contains_key(name), "{name}");
        }
    }
    let job = yaml_serde::from_str::<Value>(&block("Kubernetes", "yaml")).unwrap();
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    for heading in ["Airflow", "Dagster"] {
        let mut check = python(Path::new("python3"));
        check.args([
            "-c",
            "import ast, sys; ast.parse(sys.argv[1])",
            &block(heading, "python"),
        ]);
        match check.status() {
            Ok(status) => assert!(status.success(), "{heading}"),
            Err(error) => skip(Kind::Python, &error.to_string()),
        }
    }
}

#[test]
#[ignore = "it installs Dagster and Airflow: `cargo long slices`"]
fn the_jobs_of_the_page_run() {
    let forge = Forge::start(6, Duration::ZERO);
    let run = |name: &str, packages: &[&str], heading: &str, arguments: &[&str]| {
        let Some(programs) = environment(name, packages) else {
            return;
        };
        let here = tempfile::tempdir().unwrap();
        forge.succeed(here.path(), &["sync", "--destination", "sqlite:whole.db"]);
        let place = |file: &str| here.path().join(file).display().to_string();
        let code = block(heading, "python")
            .replace(
                "/opt/bin/my-connector",
                &binary("slices").display().to_string(),
            )
            .replace("s3://lake", &place("runs"))
            .replace(
                "postgres://etl@db/warehouse",
                &format!("sqlite:{}", place("parts.db")),
            )
            .replace(
                r#""plan", "--out""#,
                r#""plan", "--window", "60d", "--out""#,
            )
            .replace(
                r#"("plan", *more)"#,
                r#"("plan", *more, *(["--window", "60d"] if begins else []))"#,
            );
        let job = here.path().join("dags/job.py");
        std::fs::create_dir_all(job.parent().unwrap()).unwrap();
        std::fs::write(&job, code).unwrap();
        let mut command = python(&programs.join(name));
        let done = command
            .args(arguments)
            .current_dir(here.path())
            .env("FORGE_BASE_URL", forge.server.url())
            .env("FORGE_API_KEY", "good")
            .env("DAGSTER_HOME", here.path())
            .env("AIRFLOW_HOME", here.path())
            .env("AIRFLOW__CORE__DAGS_FOLDER", place("dags"))
            .env("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
            .output()
            .unwrap();
        assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
        let parts = tables::sqlite(&here.path().join("parts.db"));
        assert_same(&tables::sqlite(&here.path().join("whole.db")), &parts);
    };
    run(
        "dagster",
        &["dagster==1.13.27"],
        "Dagster",
        &["job", "execute", "-f", "dags/job.py", "-j", "my_source"],
    );
}

#[test]
#[ignore = "it installs pytest, and plays runs on many workers: `cargo long slices`"]
fn the_package_for_ray_passes_its_tests() {
    let Some(programs) = environment("ray", RAY) else {
        return;
    };
    let folder = root().join("python/etlgen-ray");
    let mut tests = python(&programs.join("python"));
    tests.args([
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests",
    ]);
    let done = tests.current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", stdout(&done));
}
