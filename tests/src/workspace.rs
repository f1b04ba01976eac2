//! The programs of this workspace, built when the tests need them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// Returns the folder of the workspace.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the workspace is there")
}

/// Returns the `cargo` that runs the tests.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    // Build scripts of other packages would see the variables of the test's package as changes, and
    // run again.
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

/// Returns the path of a program or an example of the workspace.
///
/// The first call in a process builds all of them, if necessary, with the features that `cargo test --workspace` uses,
/// so that nothing is built twice.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
        let mut build = cargo();
        build.args(["build", "--workspace", "--bins", "--examples"]);
        built(build.current_dir(root()))
    });
    let path = BUILT.get(name).cloned();
    path.unwrap_or_else(|| panic!("the workspace has no program `{name}`"))
}

/// Builds an optimised program or example and returns its path. This takes minutes, which pays if
/// the program runs hundreds of times.
pub fn optimised(package: &str, name: &str) -> PathBuf {
    let mut build = cargo();
    build.args(["build", "--release", "--package", package]);
    build.args(["--bins", "--examples"]);
    let mut built = built(build.current_dir(root()));
    let path = built.remove(name);
    path.unwrap_or_else(|| panic!("`{package}` has no program `{name}`"))
}

/// Runs `cargo build`; returns the paths of the programs that it built, by their names.
pub fn built(build: &mut Command) -> BTreeMap<String, PathBuf> {
    let output = build
        .args(["--quiet", "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the workspace does not build");
    let text = stdout(&output);
    let programs = text.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let path = PathBuf::from(message["executable"].as_str()?);
        let name = message["target"]["name"].as_str()?;
        Some((name.to_owned(), path))
    });
    programs.collect()
}

/// Returns standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
