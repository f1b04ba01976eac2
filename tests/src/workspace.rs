//! The programs of this workspace, built where the tests need them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the workspace is there")
}

/// `cargo`, the one that runs the tests.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    // Of the package of the test; build scripts of others would take them for changes, and be run again.
    let own = ["CARGO_PKG_", "CARGO_MANIFEST_"];
    for (name, _) in std::env::vars_os() {
        if own
            .iter()
            .any(|own| name.to_string_lossy().starts_with(own))
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Builds a program of the workspace, if it is not fresh, once in a process; gives its path.
pub fn binary(package: &str, bin: &str) -> PathBuf {
    profile(package, bin, "dev")
}

/// The same, optimised: it takes minutes to build, and pays where it runs some hundred times.
pub fn optimised(package: &str, bin: &str) -> PathBuf {
    profile(package, bin, "release")
}

fn profile(package: &str, bin: &str, profile: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut known = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let path = known
        .entry(format!("{package} {bin} {profile}"))
        .or_insert_with(|| {
            let mut build = cargo();
            build.current_dir(root());
            build.args(["build", "--package", package, "--bin", bin]);
            build.args(["--profile", profile]);
            built(&mut build, bin)
        });
    path.clone()
}

/// Runs `cargo build`; gives the path of a program it made.
pub fn built(build: &mut Command, bin: &str) -> PathBuf {
    let output = build
        .args(["--quiet", "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{bin} does not build");
    let built = stdout(&output).lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let wanted = message["target"]["name"] == bin;
        let path = message["executable"].as_str().filter(|_| wanted)?;
        Some(PathBuf::from(path))
    });
    built.expect("cargo tells where the program is")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
