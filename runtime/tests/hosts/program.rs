//! The connector as a program: the tests start themselves again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use etlgen_runtime::hosts;
use etlgen_runtime::prelude::*;
use serde_json::{Value, json};

use super::shop::{Shop, source};

/// The settings of the connector.
#[derive(Settings)]
#[settings(prefix = "SHOP")]
struct Config {
    /// The address of the API.
    base_url: String,
    /// The key of the API.
    api_key: Secret,
    /// A note.
    note: Option<String>,
}

fn shop(config: &Config) -> Source {
    let source = source(&config.base_url).auth(Auth::bearer(config.api_key.expose()));
    match &config.note {
        Some(note) => source.header("Note", note),
        None => source,
    }
}

/// The variable with the arguments of the connector, as JSON.
const ARGS: &str = "ETLGEN_TEST_CONNECTOR";
/// The secret that nothing may print.
pub const SECRET: &str = "s3cret-key";

/// It is the connector if [`ARGS`] is set, and no test otherwise.
#[test]
fn connector() {
    let Ok(args) = std::env::var(ARGS) else {
        return;
    };
    let args: Vec<String> = serde_json::from_str(&args).unwrap();
    let code = hosts::run("shop-connector", "1.2.3", shop, args);
    assert_eq!(code, Some(std::process::ExitCode::SUCCESS), "no success");
}

/// A folder in which the connector is run.
pub struct Program {
    folder: tempfile::TempDir,
    /// The name of the link, and the arguments before all others.
    called: Vec<String>,
}

/// What it has written.
#[derive(Debug)]
pub struct Ran {
    /// The lines of its messages.
    pub lines: Vec<String>,
    pub stdout: String,
    pub stderr: String,
    pub ok: bool,
}

impl Ran {
    /// Returns the messages of a type.
    pub fn of(&self, ty: &str) -> Vec<Value> {
        let all = self.messages().into_iter();
        all.filter(|message| message["type"] == ty).collect()
    }

    /// Returns all messages.
    pub fn messages(&self) -> Vec<Value> {
        let lines = self.lines.iter();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Program {
    pub fn called(words: &[&str]) -> Self {
        Program {
            folder: tempfile::tempdir().unwrap(),
            called: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// Writes a file; returns its path.
    pub fn file(&self, name: &str, value: &Value) -> String {
        let path = self.path(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.display().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the settings; returns their file.
    pub fn config(&self, shop: &Shop) -> String {
        let config = json!({
            "base_url": shop.base, "api_key": SECRET, "note": null, "of_another_program": {"a": 1},
        });
        self.file("config.json", &config)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut all = self.called.clone();
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["hosts::program::connector", "--exact", "--nocapture"])
            .env(ARGS, serde_json::to_string(&all).unwrap())
            .env("RUST_BACKTRACE", "0")
            .current_dir(self.folder.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// Runs it with its messages in a file, and kills it once they hold that text.
    pub fn kill_after(&self, args: &[&str], text: &str) -> Ran {
        let path = self.path("killed.out");
        let out = std::fs::File::create(&path).unwrap();
        let mut command = self.command(args);
        let mut child = command
            .stdout(Stdio::from(out))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !written(&path).contains(text) {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{}",
                written(&path)
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        ran(Output {
            status,
            stdout: written(&path).into_bytes(),
            stderr: Vec::new(),
        })
    }
}

fn written(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

fn ran(output: Output) -> Ran {
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        !stdout.contains(SECRET) && !stderr.contains(SECRET),
        "{stdout}{stderr}"
    );
    // The harness of the tests writes lines of its own; a killed program may leave half a line.
    let whole = match stdout.rfind('\n') {
        Some(end) => &stdout[..end],
        None => "",
    };
    let lines = whole
        .lines()
        .filter(|line| line.starts_with('{') && line.ends_with('}'));
    Ran {
        lines: lines.map(str::to_owned).collect(),
        ok: output.status.success(),
        stdout,
        stderr,
    }
}
