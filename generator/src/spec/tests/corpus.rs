//! Real documents, if they are present.

use std::path::PathBuf;
use std::time::Instant;

use etlgen_testkit::shared::specs;
use etlgen_testkit::switches::SPECS_VERBOSE;
use etlgen_testkit::{Kind, skip};

use crate::diagnostics::Severity;
use crate::spec::{Input, read};

/// Returns every file.
pub(crate) fn corpus() -> Vec<PathBuf> {
    let mut directories = vec![specs()];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        skip(
            Kind::Shared,
            &format!("no documents in {}", specs().display()),
        );
    }
    files
}

/// Prints a row per document; run with `--release -- --ignored --nocapture` for figures.
#[test]
#[ignore = "slow without optimisation"]
fn every_document_gives_an_api_or_an_error_with_its_place() {
    for path in corpus() {
        let input = Input::load(&path.display().to_string()).unwrap();
        let start = Instant::now();
        let (api, diagnostics) = read(&input);
        let seconds = start.elapsed().as_secs_f32();
        let error = diagnostics.iter().find(|d| d.severity() == Severity::Error);
        match (&api, error) {
            (Some(api), None) => println!(
                "{:60} {seconds:6.3} s {:5} operations {:6} schemas {:3} findings",
                path.display(),
                api.operations.len(),
                api.schemas.0.len(),
                diagnostics.len()
            ),
            (None, Some(error)) => {
                assert!(error.position().is_some(), "{error}");
                println!("{:60} {seconds:6.3} s {error}", path.display());
            }
            _ => panic!("{}: neither an API nor an error, or both", path.display()),
        }
        if SPECS_VERBOSE.text().is_some() {
            diagnostics.iter().for_each(|d| println!("    {d}"));
        }
    }
}
