//! What an earlier etlgen wrote stays readable: each folder of `tests/fixtures/formats` holds what the build of its time
//! wrote, and the build of today goes on from a copy of it.
//!
//! `cargo test -p etlgen-tests --test formats -- --ignored` writes a new set with the build of today, see the README there.

mod crates;
mod histories;
mod recording;

use std::path::{Path, PathBuf};

use etlgen_tests::owned::files;
use etlgen_tests::workspace::root;

/// The set that `write` makes: raise it with the first format number that is raised.
const NEWEST: u32 = 2;

/// Where the sets are.
fn sets() -> Vec<PathBuf> {
    (1..=NEWEST).map(set).collect()
}

fn set(number: u32) -> PathBuf {
    root().join(format!("tests/fixtures/formats/{number}"))
}

/// Copies a folder with all that is in it.
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

/// A copy of a folder of a set.
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
