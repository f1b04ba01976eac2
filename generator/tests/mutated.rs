//! Broken documents, mutated in every part and at random: each yields a crate of valid Rust or a diagnostic, without a
//! panic and in bounded time.
//!
//! `PROPTEST_CASES` sets the number of cases per kind, `PROPTEST_RNG_SEED` the seed. `fuzz/` covers
//! more.

#[path = "mutated/mutate.rs"]
mod mutate;
#[path = "mutated/pipeline.rs"]
mod pipeline;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

/// Each of these documents is read within milliseconds.
const LONGEST: Duration = Duration::from_secs(20);
/// The number of cases per kind: a debug build must finish within half a minute.
const CASES: u32 = 250;

fn settings() -> ProptestConfig {
    let default = ProptestConfig::default();
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    ProptestConfig {
        cases: number("PROPTEST_CASES").map_or(CASES, |cases| cases as u32),
        // The cases are the same each time, so a failure comes from the current change.
        rng_seed: RngSeed::Fixed(number("PROPTEST_RNG_SEED").unwrap_or(1)),
        failure_persistence: None,
        max_shrink_iters: 500,
        ..default
    }
}

/// Returns the documents of this repository.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["tests/fixtures/documents", "generated-examples/specs"];
    let mut found = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        found.extend(files.filter(|path| path.is_file()));
    }
    found.sort();
    assert!(found.len() > 8);
    found
}

fn texts() -> Vec<String> {
    let read = |path| std::fs::read_to_string(path).unwrap();
    documents().into_iter().map(read).collect()
}

fn values() -> Vec<Value> {
    // YAML reads JSON, too.
    let read = |text: String| yaml_serde::from_str(&text).unwrap();
    texts().into_iter().map(read).collect()
}

/// Runs the pipeline. A run that does not end is a failure, too.
fn ends(document: Vec<u8>, overlay: Option<Vec<u8>>) -> Result<(), TestCaseError> {
    let shown = String::from_utf8_lossy(&document).into_owned();
    let (done, wait) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        pipeline::run(&document, overlay.as_deref());
        // Nobody receives the result of a case that took too long.
        let _ = done.send(());
    });
    match wait.recv_timeout(LONGEST) {
        Ok(()) => Ok(()),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(TestCaseError::fail(format!("hangs: {shown}"))),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = worker.join().err();
            let said = panic.and_then(|panic| panic.downcast::<String>().ok());
            Err(TestCaseError::fail(format!("panics: {said:?}\n{shown}")))
        }
    }
}

#[test]
fn values_of_all_kinds_in_all_places() {
    let documents = values();
    let strategy = (0..documents.len(), mutate::changes(8));
    proptest!(settings(), |((at, changes) in strategy)| {
        let changed = mutate::value(&documents[at], &changes);
        ends(changed.to_string().into_bytes(), None)?;
    });
}

#[test]
fn texts_that_were_cut_and_pasted() {
    let documents = texts();
    let strategy = (0..documents.len(), mutate::changes(6));
    proptest!(settings(), |((at, changes) in strategy)| {
        ends(mutate::text(&documents[at], &changes), None)?;
    });
}

#[test]
fn overlays_of_all_kinds() {
    let documents = texts();
    let overlay = json!({
        "overlay": "1.0.0",
        "info": {"title": "T", "version": "1"},
        "actions": [
            {"target": "$.paths.*.get", "update": {"parameters": [{"name": "page", "in": "query"}], "summary": "x"}},
            {"target": "$..parameters[0]", "remove": true},
            {"target": "$.components.schemas", "copy": "$.info"},
            {"target": "$.paths", "update": {"/x": {"get": {"responses": {"200": {"content": {"application/json": {"example": [{"id": 1}]}}}}}}}},
        ],
    });
    let strategy = (0..documents.len(), mutate::changes(5));
    proptest!(settings(), |((at, changes) in strategy)| {
        let overlay = mutate::value(&overlay, &changes).to_string();
        ends(documents[at].clone().into_bytes(), Some(overlay.into_bytes()))?;
    });
}
