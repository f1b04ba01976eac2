//! The main task from end to end: a document in, a connector out, rows in a database. `cargo demo` runs it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use etlgen_tests::mock::{BILLING_KEY, MockApi, Scenario};

const SPEC: &str = "generated-examples/specs/billing.yaml";
const CRATE: &str = "target/demo/billing-connector";
const DATABASE: &str = "target/demo/billing.db";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    std::env::set_current_dir(&root)?;
    for leftover in [
        CRATE,
        DATABASE,
        "target/demo/billing.db-wal",
        "target/demo/billing.db-shm",
    ] {
        remove(Path::new(leftover))?;
    }
    say("1. etlgen reads a document and writes a connector");
    let generate = [
        "run",
        "--package",
        "etlgen",
        "--",
        "new",
        "--spec",
        SPEC,
        "--out",
        CRATE,
    ];
    run(Command::new(cargo()).args(generate))?;
    // The same versions as here, so that existing builds are reused.
    std::fs::copy("Cargo.lock", Path::new(CRATE).join("Cargo.lock"))?;

    say("2. an API starts on loopback");
    let mock = MockApi::start(Scenario::default());
    println!("{}", mock.url());

    say("3. the connector loads it into SQLite");
    let connector = Connector {
        folder: root.join(CRATE),
        database: format!("sqlite:{}", root.join(DATABASE).display()),
        url: mock.url(),
    };
    connector.run(&["sync"], true)?;

    say("4. ten new invoices; the next run loads them, and nothing twice");
    mock.add_invoices(10);
    connector.run(&["sync", "--resources", "invoices"], true)?;

    say("5. the tables");
    connector.run(&["tables"], false)?;
    println!("\nThe connector is in {CRATE}, the database is {DATABASE}.");
    Ok(())
}

struct Connector {
    folder: PathBuf,
    database: String,
    url: String,
}

impl Connector {
    fn run(&self, arguments: &[&str], asks: bool) -> Result<(), Box<dyn Error>> {
        let mut command = Command::new(cargo());
        command
            .args(["run", "--"])
            .args(arguments)
            .args(["--destination", &self.database])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", "../..")
            .env("BILLING_API_KEY", BILLING_KEY);
        if asks {
            command.args(["--base-url", &self.url]);
        }
        run(&mut command)
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn say(step: &str) {
    println!("\n== {step}");
}

/// Prints the command as a user would type it, and runs it.
fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = command
        .get_args()
        .map(|arg| arg.to_string_lossy())
        .collect();
    println!("$ cargo {}", arguments.join(" "));
    match command.status()? {
        status if status.success() => Ok(()),
        status => Err(format!("cargo: {status}").into()),
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    let removed = match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
