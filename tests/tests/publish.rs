//! Publishes etlgen and a newly generated connector to a registry, and installs them from it into
//! empty folders.
//!
//! The registry is a real one, from crates.io.

use std::path::Path;
use std::process::Command;

use etlgen_testkit::{Kind, skip};
use etlgen_tests::mock::{BILLING_KEY, MockApi, Scenario};
use etlgen_tests::registry::{Registry, succeeded};
use etlgen_tests::workspace::{cargo, root};

/// The published crates, each after those that it needs.
const OURS: [&str; 5] = [
    "etlgen-derive",
    "etlgen-model",
    "etlgen-runtime",
    "etlgen-templates",
    "etlgen",
];

/// The variable and the value of the connector's key.
const KEY: (&str, &str) = ("LEDGER_API_KEY", BILLING_KEY);

/// A program that uses the connector as a library.
const PROGRAM: &str = r#"
use etlgen_runtime::prelude::*;
use ledger_connector::{Config, resources, source};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut invoices = source(&Config::load()?).stream(resources::invoices());
    let (mut count, mut due) = (0, 0);
    while let Some(invoice) = invoices.next().await {
        count += 1;
        due += invoice?.amount_due.unwrap_or_default();
    }
    println!("{count} invoices, {due} due");
    Ok(())
}
"#;

#[test]
fn a_connector_goes_to_a_registry_and_comes_back_from_it() {
    let registry = match Registry::start(&["etlgen", "ledger-connector"]) {
        Ok(registry) => registry,
        Err(error) => return skip(Kind::Registry, &error),
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();

    for name in OURS {
        let publish = [
            "publish",
            "--registry",
            "local",
            "--allow-dirty",
            "--package",
            name,
        ];
        let said = registry.cargo(&root(), &publish);
        // The tests of the crates need files of the repository.
        quiet(&said, &["ignoring test "]);
    }
    let examples = ["billing", "forge", "tracker"].map(|name| format!("{name}-connector"));
    let mut dry = vec![
        "publish",
        "--dry-run",
        "--registry",
        "local",
        "--allow-dirty",
    ];
    dry.extend(
        examples
            .iter()
            .flat_map(|name| ["--package", name.as_str()]),
    );
    quiet(
        &registry.cargo(&root(), &dry),
        &["aborting upload due to dry run"],
    );

    let tools = folder.join("tools");
    install(&registry, folder, "etlgen", &tools);
    let connector = generate(&tools, folder);
    workflow(&registry, &tools, &connector);
    let publish = ["publish", "--registry", "local", "--locked"];
    quiet(&registry.cargo(&connector, &publish), &[]);

    let empty = folder.join("empty");
    std::fs::create_dir(&empty).unwrap();
    install(&registry, &empty, "ledger-connector", &tools);
    let mock = MockApi::start(Scenario::default());
    let sync = [
        "sync",
        "--destination",
        "sqlite:loaded.db",
        "--base-url",
        &mock.url(),
    ];
    let mut loads = Command::new(tools.join("bin/ledger-connector"));
    let loads = loads.args(sync).current_dir(&empty).env(KEY.0, KEY.1);
    succeeded(&loads.output().unwrap(), &sync);
    let loaded = rusqlite::Connection::open(empty.join("loaded.db")).unwrap();
    let total = "select count(*), sum(amount_due) from invoices";
    let total = loaded.query_row(total, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (count, due): (i64, i64) = total.unwrap();
    assert_eq!(count, 400);

    let program = folder.join("program");
    registry.cargo(folder, &["new", "--quiet", "program"]);
    registry.cargo(&program, &["add", "ledger-connector", "etlgen-runtime"]);
    registry.cargo(&program, &["add", "tokio", "--features", "macros,rt"]);
    std::fs::write(program.join("src/main.rs"), PROGRAM).unwrap();
    pin(&program);
    let mut run = cargo();
    run.args(["run", "--quiet"]).current_dir(&program);
    run.env(KEY.0, KEY.1).env("LEDGER_BASE_URL", mock.url());
    let said = succeeded(&registry.known_to(&mut run).output().unwrap(), &["run"]);
    assert_eq!(said, format!("{count} invoices, {due} due\n"));
}

/// Checks that cargo printed no other warnings than these.
fn quiet(said: &str, allowed: &[&str]) {
    let warned = said.lines().find(|line| {
        let warning = line.strip_prefix("warning: ");
        warning.is_some_and(|text| !allowed.iter().any(|allowed| text.starts_with(allowed)))
    });
    assert_eq!(warned, None, "{said}");
}

/// Pins other crates to the versions of the workspace, which are already compiled.
fn pin(folder: &Path) {
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

fn install(registry: &Registry, folder: &Path, name: &str, tools: &Path) {
    let tools = tools.to_str().unwrap();
    let install = ["install", name, "--debug", "--locked", "--root", tools];
    quiet(&registry.cargo(folder, &install), &["be sure to add "]);
}

/// Generates a connector with the installed etlgen and default options, so that its runtime is from
/// the registry.
fn generate(tools: &Path, folder: &Path) -> std::path::PathBuf {
    let spec = root().join("generated-examples/specs/billing.yaml");
    std::fs::copy(spec, folder.join("api.yaml")).unwrap();
    let new = [
        "new", "--spec", "api.yaml", "--name", "ledger", "--ci", "github", "--docker",
    ];
    let mut etlgen = Command::new(tools.join("bin/etlgen"));
    let output = etlgen.args(new).current_dir(folder).output().unwrap();
    succeeded(&output, &new);
    let connector = folder.join("ledger-connector");
    let manifest = std::fs::read_to_string(connector.join("Cargo.toml")).unwrap();
    let runtime = format!("etlgen-runtime = \"{}\"\n", env!("CARGO_PKG_VERSION"));
    assert!(manifest.contains(&runtime), "{manifest}");
    pin(&connector);
    connector
}

/// Runs the commands of the generated workflow.
fn workflow(registry: &Registry, tools: &Path, connector: &Path) {
    let text = std::fs::read_to_string(connector.join(".github/workflows/ci.yml")).unwrap();
    let workflow: serde_json::Value = yaml_serde::from_str(&text).unwrap();
    let steps = workflow["jobs"]["test"]["steps"].as_array().unwrap();
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    assert!(commands.contains(&"etlgen check"), "{commands:?}");
    // The first build writes the lock file, without crates that only others need.
    registry.cargo(connector, &["build"]);
    for line in commands {
        if line.starts_with("cargo install ") {
            continue;
        }
        // The commands run without a shell: C code of other crates would be compiled again if
        // another `PATH` found the compiler.
        let mut words = line.split(' ');
        let mut command = match words.next() {
            Some("cargo") => cargo(),
            program => Command::new(tools.join("bin").join(program.unwrap_or_default())),
        };
        command.args(words).current_dir(connector);
        command.env("RUSTDOCFLAGS", "-D warnings");
        let output = registry.known_to(&mut command).output().unwrap();
        quiet(&succeeded(&output, &[line]), &[]);
    }
}
