//! The suites that others wrote for Singer taps and Airbyte sources, for a connector that is called
//! through links. They need Python and a network once: `cargo long hosts`. The environments are kept
//! in the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use etlgen_testkit::http::{Response, Server};
use etlgen_testkit::{Kind, skip};
use etlgen_tests::workspace::{binary, root};
use serde_json::{Value, json};

/// Runs a command; an error is what it has written.
fn run(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    match status.success() {
        true => Ok(text),
        false => Err(text + &String::from_utf8_lossy(&stderr)),
    }
}

/// Returns the folder of the programs of an environment with these packages, which is made once;
/// `None`: it cannot be made here.
fn environment(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let made = || -> Result<PathBuf, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hosts-{name}"));
        let programs = folder.join("bin");
        let (ready, wanted) = (folder.join("ready"), packages.join("\n"));
        if std::fs::read_to_string(&ready).is_ok_and(|there| there == wanted) {
            return Ok(programs);
        }
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder))?;
        run(Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--retries", "1"])
            .args(packages))?;
        std::fs::write(ready, wanted).map_err(|error| error.to_string())?;
        Ok(programs)
    };
    match made() {
        Ok(programs) => Some(programs),
        Err(why) => {
            skip(Kind::Python, &format!("{name} cannot be installed: {why}"));
            None
        }
    }
}

/// An API with customers, their orders, and rates; `/more` adds a customer.
fn api() -> Server {
    let customers = AtomicUsize::new(7);
    let customer = |id: usize| {
        json!({
            "id": id, "updated": format!("2024-01-{id:02}T00:00:00Z"), "name": format!("ü {id}"),
            "balance": format!("{id}.123456789"), "tags": ["x", "y"],
            "address": {"city": "Rome", "lines": [{"text": "a", "grid": [[1, 2], [3]]}, {"text": "b"}]},
        })
    };
    let server = Server::start(0, move |request| {
        let path = request.target.split('?').next().unwrap_or_default();
        if path != "/more" && request.header("authorization") != Some("Bearer good") {
            return Response::json(401, &json!({"error": "who are you?"}));
        }
        let mut rows: Vec<Value> = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "more"] => {
                customers.fetch_add(1, Ordering::SeqCst);
                Vec::new()
            }
            ["", "customers"] => (1..=customers.load(Ordering::SeqCst))
                .map(customer)
                .collect(),
            ["", "customers", id, ..] => vec![json!({"number": format!("o{id}"), "paid": true})],
            _ => (1..=4)
                .map(|day| json!({"day": format!("2024-02-0{day}"), "rate": 0.25}))
                .collect(),
        };
        if let Some(since) = request.param("since") {
            rows.retain(|row| row["updated"].as_str().unwrap_or_default() >= since);
        }
        let page = request
            .param("page")
            .and_then(|page| page.parse().ok())
            .unwrap_or(1usize);
        if page == 0 {
            return Response::json(400, &json!({"error": "pages start at 1"}));
        }
        let more = rows.len() > page * 3;
        let rows: Vec<Value> = rows.into_iter().skip((page - 1) * 3).take(3).collect();
        Response::json(200, &json!({"data": rows, "has_more": more}))
    });
    server.unwrap()
}

/// A folder with links to the connector and its settings, and the API that it reads.
struct Place {
    folder: tempfile::TempDir,
    _api: Server,
}

impl Place {
    fn new() -> Self {
        let (folder, api) = (tempfile::tempdir().unwrap(), api());
        let place = Place { folder, _api: api };
        let program = binary("hosts");
        for link in ["tap-shop", "source-shop"] {
            let folder = place.path(&format!("bin/{link}"));
            std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink(&program, folder).unwrap();
        }
        let config = json!({"base_url": place._api.url(), "api_key": "good"});
        std::fs::write(place.path("config.json"), config.to_string()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a command in the folder.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("FOLDER", self.folder.path())
            .env("TAP", self.path("bin/tap-shop"))
            .env("SOURCE", self.path("bin/source-shop"))
            .env("CONFIG", self.path("config.json"))
            .env("DO_NOT_TRACK", "1")
            .env("AIRBYTE_OFFLINE_MODE", "1")
            .env("MELTANO_SEND_ANONYMOUS_USAGE_STATS", "false");
        command
    }

    /// Replaces a link by a program that changes what the connector writes.
    fn corrupt(&self, link: &str, script: &str) {
        let link = self.path(&format!("bin/{link}"));
        let real = std::fs::read_link(&link).unwrap();
        std::fs::remove_file(&link).unwrap();
        let name = link.file_name().unwrap().to_string_lossy().into_owned();
        let inner = self.path(&format!("real/{name}"));
        std::fs::create_dir_all(inner.parent().unwrap()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::os::unix::fs::symlink(real, &inner).unwrap();
            let text = format!("#!/bin/sh\n{} \"$@\" | {script}\n", inner.display());
            std::fs::write(&link, text).unwrap();
            std::fs::set_permissions(&link, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

fn adapter(name: &str) -> PathBuf {
    root().join("tests/tests/hosts").join(name)
}

#[test]
#[ignore = "it installs packages of Python: cargo long hosts"]
fn stitch_checks_the_tap() {
    let Some(programs) = environment("singer-tools", &["singer-tools==0.4.*", "setuptools<80"])
    else {
        return;
    };
    // With `--tap`, the tool does not wait for the last lines of a program that has ended.
    let check = |place: &Place, arguments: &str| {
        let tool = programs.join("singer-check-tap");
        let text = format!(
            "bin/tap-shop --config config.json {arguments} > out && {} < out",
            tool.display()
        );
        run(place.command(Path::new("sh")).args(["-c", &text]))
    };
    let place = Place::new();
    let said = check(&place, "").unwrap();
    assert!(said.contains("18 record messages"), "{said}");
    let out = std::fs::read_to_string(place.path("out")).unwrap();
    let state: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    std::fs::write(place.path("state.json"), state["value"].to_string()).unwrap();
    let said = check(&place, "--state state.json").unwrap();
    assert!(said.contains("12 record messages"), "{said}");
    place.corrupt(
        "tap-shop",
        "sed 's/\"type\":\"SCHEMA\"/\"type\":\"SCHEMAS\"/'",
    );
    assert!(check(&place, "").is_err());
}

#[test]
#[ignore = "it installs packages of Python: cargo long hosts"]
fn the_suite_of_meltano_passes_for_the_tap() {
    let packages = ["singer-sdk[testing,jsonschema]==0.54.*", "pytest"];
    let Some(programs) = environment("singer-sdk", &packages) else {
        return;
    };
    let check = |place: &Place| {
        let mut command = place.command(&programs.join("python"));
        run(command
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(adapter("test_tap.py")))
    };
    let place = Place::new();
    let said = check(&place).unwrap();
    assert!(
        said.contains(" passed") && !said.contains("failed"),
        "{said}"
    );
    place.corrupt(
        "tap-shop",
        "sed 's/\"record\":{\"id\":1,/\"record\":{\"id\":\"one\",/'",
    );
    let said = check(&place).unwrap_err();
    assert!(said.contains("failed"), "{said}");
}

#[test]
#[ignore = "it installs packages of Python: cargo long hosts"]
fn meltano_runs_the_tap_twice() {
    let Some(programs) = environment("meltano", &["meltano==4.4.*"]) else {
        return;
    };
    let place = Place::new();
    let tap = place.path("bin/tap-shop").display().to_string();
    let base = place._api.url();
    let project = json!({
        "version": 1,
        "default_environment": "test",
        "send_anonymous_usage_stats": false,
        "environments": [{"name": "test"}],
        "plugins": {
            "extractors": [{
                "name": "tap-shop", "namespace": "tap_shop", "executable": tap,
                "capabilities": ["catalog", "state", "discover", "about"],
                "settings": [{"name": "base_url"}, {"name": "api_key", "sensitive": true}],
                "config": {"base_url": base, "api_key": "good"},
            }],
            "loaders": [{
                "name": "target-jsonl", "namespace": "target_jsonl", "pip_url": "target-jsonl",
                "settings": [{"name": "destination_path"}, {"name": "do_timestamp_file"}],
                "config": {"destination_path": "out", "do_timestamp_file": false},
            }],
        },
    });
    // YAML includes JSON.
    std::fs::write(place.path("meltano.yml"), project.to_string()).unwrap();
    std::fs::create_dir(place.path("out")).unwrap();
    let meltano = |arguments: &[&str]| {
        let mut command = place.command(&programs.join("meltano"));
        run(command.args(arguments))
    };
    if let Err(why) = meltano(&["install", "loader", "target-jsonl"]) {
        skip(
            Kind::Python,
            &format!("target-jsonl cannot be installed: {why}"),
        );
        return;
    }
    let rows = |stream: &str| {
        let file = place.path(&format!("out/{stream}.jsonl"));
        std::fs::read_to_string(file)
            .unwrap_or_default()
            .lines()
            .count()
    };
    meltano(&["run", "tap-shop", "target-jsonl"]).unwrap();
    assert_eq!(
        (rows("customers"), rows("orders"), rows("rates")),
        (7, 7, 4)
    );
    run(Command::new("python3").args([
        "-c",
        &format!("import urllib.request; urllib.request.urlopen('{base}/more')"),
    ]))
    .unwrap();
    meltano(&["run", "tap-shop", "target-jsonl"]).unwrap();
    // The new customer, and the newest one of before.
    assert_eq!(rows("customers"), 9);
}

#[test]
#[ignore = "it installs packages of Python: cargo long hosts"]
fn the_standard_tests_of_airbyte_pass_for_the_source() {
    let packages = ["airbyte-cdk[dev]==7.39.*", "pytest"];
    let Some(programs) = environment("airbyte-cdk", &packages) else {
        return;
    };
    let check = |place: &Place| {
        let folder = place.path("source-shop");
        std::fs::create_dir_all(&folder).unwrap();
        let each = json!({"tests": [{"config_path": "../config.json"}]});
        let connection = json!({"tests": [{"config_path": "../config.json", "status": "succeed"}]});
        let tests = json!({
            "connector_image": "shop:dev",
            "acceptance_tests": {"connection": connection, "discovery": each, "basic_read": each},
        });
        std::fs::write(folder.join("acceptance-test-config.yml"), tests.to_string()).unwrap();
        let mut command = place.command(&programs.join("python"));
        run(command
            .args([
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-m",
                "not image_tests",
            ])
            .args(["-p", "airbyte_cdk.test.standard_tests.pytest_hooks"])
            .arg(adapter("test_source.py")))
    };
    let place = Place::new();
    let said = check(&place).unwrap();
    assert!(
        said.contains(" passed") && !said.contains("failed"),
        "{said}"
    );
    place.corrupt(
        "source-shop",
        "sed 's/\"data\":{\"id\":1,/\"data\":{\"id\":\"one\",/'",
    );
    let said = check(&place).unwrap_err();
    assert!(said.contains("failed"), "{said}");
}

#[test]
#[ignore = "it installs packages of Python: cargo long hosts"]
fn pyairbyte_reads_the_source_twice() {
    let Some(programs) = environment("pyairbyte", &["airbyte==0.71.*"]) else {
        return;
    };
    let place = Place::new();
    let mut command = place.command(&programs.join("python"));
    let said = run(command.arg(adapter("read.py"))).unwrap();
    let runs = said.lines().find_map(|line| line.strip_prefix("RUNS "));
    let runs: Value = serde_json::from_str(runs.unwrap()).unwrap();
    let all = |customers: u64| json!({"customers": customers, "orders": customers, "rates": 4});
    assert_eq!(runs[0], json!({"records": 18, "rows": all(7)}));
    // The new customer and the newest one of before, all orders, and all rates.
    assert_eq!(runs[1], json!({"records": 14, "rows": all(8)}));
}
