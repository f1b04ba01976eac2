//! Compiles generated and edited crates, many at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::workspace::{binary, cargo, root, stderr, stdout};

/// The files of a crate, by their path.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// Compiles crates by their names in one workspace, with the builds and pinned versions of this one. Returns the
/// compiler's output for those that do not compile.
pub fn failures(crates: impl IntoIterator<Item = (String, Tree)>) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    if workspace(folder.path(), crates) == 0 {
        return BTreeMap::new();
    }
    let output = cargo_in(folder.path())
        .args(["check", "--offline", "--workspace", "--keep-going"])
        .args(["--lib", "--bins", "--examples", "--test", "*"])
        .args(["--quiet", "--message-format", "json"])
        .output()
        .unwrap();
    let failures = errors(&stdout(&output));
    assert!(
        output.status.success() || !failures.is_empty(),
        "{}",
        stderr(&output)
    );
    failures
}

/// Compiles crates that must compile.
pub fn compile(crates: impl IntoIterator<Item = (String, Tree)>) {
    let failures = failures(crates);
    let names: Vec<&String> = failures.keys().collect();
    let said: String = failures.values().map(String::as_str).collect();
    assert!(names.is_empty(), "{names:?} do not compile:\n{said}");
}

/// Writes crates by their names as members of a workspace with the pinned versions of this one; returns their number.
pub fn workspace(folder: &Path, crates: impl IntoIterator<Item = (String, Tree)>) -> usize {
    let mut members = Vec::new();
    for (member, tree) in crates {
        put(&folder.join(&member), &member, &tree);
        members.push(format!("{member:?}"));
    }
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
        members.join(", ")
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    members.len()
}

/// Returns `cargo` for generated crates in that folder, with the builds of this workspace. The
/// crates share one target folder and one profile without debug information, like the dependencies
/// of the workspace.
pub fn cargo_in(folder: &Path) -> Command {
    let mut cargo = cargo();
    cargo
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo
}

/// Returns the target folder of this workspace.
pub fn target() -> PathBuf {
    let etlgen = binary("etlgen");
    etlgen.ancestors().nth(2).unwrap().to_owned()
}

/// Writes a crate as a member of a workspace.
fn put(folder: &Path, member: &str, tree: &Tree) {
    for (path, bytes) in tree {
        let mut text = String::from_utf8(bytes.clone()).unwrap();
        if path == "Cargo.toml" {
            // Packages of one workspace need distinct names; the library keeps its own.
            let name = text.lines().find_map(|line| line.strip_prefix("name = "));
            let name = name.unwrap().to_owned();
            let own = text.replacen(&name, &format!("{member:?}"), 1);
            let lib = name.replace('-', "_");
            text = format!(
                "{}\n[lib]\nname = {lib}\n",
                own.replace("[workspace]\n", "")
            );
        }
        let to = folder.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, text).unwrap();
    }
}

/// Returns the errors in cargo's JSON output, by the folder of their crate.
fn errors(messages: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::<String, String>::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let (Some(manifest), true) = (
            message["manifest_path"].as_str(),
            message["message"]["level"] == "error",
        ) else {
            continue;
        };
        let folder = Path::new(manifest).parent().and_then(Path::file_name);
        let said = message["message"]["rendered"].as_str().unwrap_or_default();
        let name = folder.unwrap_or_default().to_string_lossy().into_owned();
        *found.entry(name).or_default() += said;
    }
    found
}
