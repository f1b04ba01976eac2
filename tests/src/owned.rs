//! A generated crate for a test to edit, with the document next to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::compile::Tree;
use crate::workspace::{binary, root, stderr};

/// The document, as the crate names it.
const SPEC: &str = "api.yaml";

/// A folder with a document and the crate `made`.
pub struct Owned {
    etlgen: PathBuf,
    pub folder: TempDir,
}

impl Owned {
    /// Writes the crate of a document; `arguments` go to `etlgen new`.
    pub fn new(spec: &str, arguments: &[&str]) -> Owned {
        Owned::by(binary("etlgen"), spec, arguments)
    }

    /// Does the same with another program.
    pub fn by(etlgen: PathBuf, spec: &str, arguments: &[&str]) -> Owned {
        let runtime = root().join("runtime");
        let runtime = ["--runtime", runtime.to_str().unwrap()];
        let folder = tempfile::tempdir().unwrap();
        Owned::write_new(etlgen, folder, spec, &[&runtime, arguments].concat())
    }

    /// Does the same in an existing folder, with the runtime that etlgen finds.
    pub fn without_runtime(folder: TempDir, spec: &str) -> Owned {
        Owned::write_new(binary("etlgen"), folder, spec, &[])
    }

    /// Wraps a crate that exists in that folder already.
    pub fn kept(folder: TempDir) -> Owned {
        let etlgen = binary("etlgen");
        Owned { etlgen, folder }
    }

    fn write_new(etlgen: PathBuf, folder: TempDir, spec: &str, arguments: &[&str]) -> Owned {
        let owned = Owned { etlgen, folder };
        owned.respecify(spec);
        let mut command = Command::new(&owned.etlgen);
        command.args(["new", "--spec", SPEC, "--out", "made"]);
        command.args(arguments);
        let output = command.current_dir(owned.folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        owned
    }

    /// Copies the folder.
    pub fn copy(&self) -> Owned {
        let copy = Owned {
            etlgen: self.etlgen.clone(),
            folder: tempfile::tempdir().unwrap(),
        };
        let mut found = BTreeMap::new();
        files(self.folder.path(), "", &mut found);
        for (path, bytes) in found {
            let path = copy.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        copy
    }

    /// Returns the folder of the crate.
    pub fn made(&self) -> PathBuf {
        self.folder.path().join("made")
    }

    /// Replaces the document.
    pub fn respecify(&self, spec: &str) {
        std::fs::write(self.folder.path().join(SPEC), spec).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.etlgen);
        command.args(arguments).current_dir(self.made());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that ends with this code; returns everything that it prints.
    pub fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = crate::workspace::stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    pub fn read(&self, path: &str) -> String {
        let path = self.made().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn has(&self, path: &str) -> bool {
        self.made().join(path).exists()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.made().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Replaces a text in a file.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}:\n{text}");
        self.write(path, &text.replacen(old, new, 1));
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.made().join(path)).unwrap();
    }

    /// Returns every file of the crate, by its path.
    pub fn tree(&self) -> Tree {
        let mut found = BTreeMap::new();
        files(&self.made(), "", &mut found);
        found
    }
}

/// Collects the files below a folder by their path, without those of cargo and git.
pub fn files(folder: &Path, prefix: &str, found: &mut Tree) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if matches!(name.as_str(), "target" | "Cargo.lock" | ".git") {
            continue;
        }
        match path.is_dir() {
            true => files(&path, &format!("{prefix}{name}/"), found),
            false => _ = found.insert(format!("{prefix}{name}"), std::fs::read(&path).unwrap()),
        }
    }
}
