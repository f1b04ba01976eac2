//! Checks that every document yields a crate that compiles without a warning and passes its tests,
//! or a diagnostic.
//!
//! The test always uses the documents of `tests/fixtures/documents`. It also reads real documents next to the
//! repository; with `ETLGEN_CORPUS=compile` their crates are compiled and tested too, which takes a while.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use etlgen_testkit::shared::specs;
use etlgen_testkit::switches::CORPUS;
use etlgen_testkit::{Kind, skip};
use etlgen_tests::compile::cargo_in;
use etlgen_tests::rendered::headings;
use etlgen_tests::workspace::{binary, root, stderr, stdout};

/// The longest time for a document; a release build needs a tenth of it.
const LONGEST: Duration = Duration::from_secs(60);

fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(documents(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn generate(document: &Path, name: &str, out: &Path) -> Output {
    // Waiting for other builds does not count.
    let etlgen = binary("etlgen");
    let started = Instant::now();
    let output = std::process::Command::new(etlgen)
        .args(["new", "--name", name, "--spec"])
        .arg(document)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    assert!(
        started.elapsed() < LONGEST,
        "{} took too long",
        document.display()
    );
    output
}

/// Checks that a document yields a crate, or a diagnostic that states the fault and its place, and
/// no panic; returns whether it is a crate.
fn crate_or_diagnosis(document: &Path, name: &str, out: &Path) -> bool {
    let output = generate(document, name, out);
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{}: {said}", document.display());
    match output.status.code() {
        Some(0) => {
            assert!(out.join("src/lib.rs").exists());
            let readme = std::fs::read_to_string(out.join("README.md")).unwrap();
            let headings = headings(&readme)
                .unwrap_or_else(|error| panic!("{}: README.md: {error}", document.display()));
            let own = [
                "Settings",
                "Resources",
                "Features",
                "Changing it",
                "Publishing it",
            ];
            let foreign = headings
                .iter()
                .skip(1)
                .find(|heading| !own.contains(&heading.as_str()));
            assert_eq!(foreign, None, "{}", document.display());
            assert!(
                headings.len() >= own.len(),
                "{}: {headings:?}",
                document.display()
            );
        }
        Some(1) => {
            assert!(said.contains("error: "), "{}: {said}", document.display());
            assert!(!out.exists(), "{}: half a crate", document.display());
        }
        code => panic!("{}: {code:?}: {said}", document.display()),
    }
    output.status.success()
}

/// Learns a resource from a record with keys of all kinds.
fn learn(resource: &str, out: &Path) {
    let record = r#"{"id": 1, "@type": "a", "+1": 2, "": {"self": [[1.5]], "größe": null}, "Id": "x", "at": "2026-01-02",
        "u": "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f", "amount": "0.10", "either": 1, "created": 1700000000}
        {"id": 18446744073709551615, "either": {"a": "b"}, "created": 1700000001}"#;
    let sample = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(sample.path(), record).unwrap();
    let output = std::process::Command::new(binary("etlgen"))
        .args(["learn", resource, "--out"])
        .arg(out)
        .stdin(std::fs::File::open(sample.path()).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Compiles and tests the crates of a folder in one workspace, with the builds and pinned versions of this one.
fn compile(folder: &Path) {
    std::fs::write(
        folder.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"*-connector\"]\n",
    )
    .unwrap();
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let run = |arguments: &[&str]| {
        let output = cargo_in(folder)
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(arguments)
            .output()
            .unwrap();
        let said = stdout(&output) + &stderr(&output);
        assert!(output.status.success(), "{said}");
        // Cargo itself warns about examples of one name in one folder.
        let warned = said.lines().find(|line| {
            line.starts_with("warning: ") && !line.contains("output filename collision")
        });
        assert_eq!(warned, None, "{said}");
    };
    run(&["fmt", "--all", "--check"]);
    run(&["test", "--workspace", "--lib", "--bins", "--tests"]);
    // A text of a document that became markup would give a warning.
    run(&["doc", "--workspace", "--no-deps"]);
}

#[test]
fn every_fixture_becomes_a_crate_that_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = documents(&root().join("tests/fixtures/documents"));
    for document in fixtures.iter().filter(|document| {
        !document
            .components()
            .any(|part| part.as_os_str() == "refused")
    }) {
        let name = document.file_stem().unwrap().to_str().unwrap();
        let out = folder.path().join(format!("{name}-connector"));
        assert!(
            crate_or_diagnosis(document, name, &out),
            "{name} is refused"
        );
        if name == "unsaid" {
            learn("things", &out);
        }
    }
    compile(folder.path());
}

#[test]
fn what_is_no_document_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for document in documents(&root().join("tests/fixtures/documents/refused")) {
        let output = generate(&document, "x", &folder.path().join("x"));
        assert_eq!(output.status.code(), Some(1), "{}", document.display());
        let said = stderr(&output);
        let named = said.contains(document.file_name().unwrap().to_str().unwrap());
        assert!(
            named && !said.contains("panicked"),
            "{}: {said}",
            document.display()
        );
    }
}

#[test]
fn every_real_document_becomes_a_crate_or_a_diagnosis() {
    let specs = specs();
    let documents = documents(&specs);
    if documents.is_empty() {
        return skip(
            Kind::Shared,
            &format!("no documents in {}", specs.display()),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let mut crates = 0;
    for (at, document) in documents.iter().enumerate() {
        let name = format!("d{at}");
        let out = folder.path().join(format!("{name}-connector"));
        crates += usize::from(crate_or_diagnosis(document, &name, &out));
    }
    println!("{crates} crates of {} documents", documents.len());
    assert!(
        crates * 4 >= documents.len() * 3,
        "{crates} of {}",
        documents.len()
    );
    if CORPUS.is("compile") {
        compile(folder.path());
    }
}
