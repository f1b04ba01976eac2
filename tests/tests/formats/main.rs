//! Checks that files of earlier builds stay readable: each folder of `tests/fixtures/formats` holds
//! files of one build, and the current build continues from a copy.
//!
//! `cargo test -p etlgen-tests --test formats -- --ignored` writes a new set with the current build; see its README.

mod crates;
mod histories;
mod recording;

use std::path::{Path, PathBuf};

use etlgen_tests::owned::files;
use etlgen_tests::workspace::root;

/// The set that `write` creates: raise it with the first format number that is raised.
const NEWEST: u32 = 2;

/// Returns the folders of the sets.
fn sets() -> Vec<PathBuf> {
    (1..=NEWEST).map(set).collect()
}

fn set(number: u32) -> PathBuf {
    root().join(format!("tests/fixtures/formats/{number}"))
}

/// Copies a folder with its content.
fn copy(from: &Path, to: &Path) {
    let mut found = Default::default();
    files(from, "", &mut found);
    assert!(!found.is_empty(), "{} is empty", from.display());
    for (path, bytes) in found {
        let path = to.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Copies a folder of a set.
fn copied(set: &Path, name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&set.join(name), folder.path());
    folder
}

#[test]
#[ignore = "writes the fixtures of the newest format anew"]
fn write() {
    let set = set(NEWEST);
    histories::write(&set);
    recording::write(&set);
    crates::write(&set);
}
