//! Any bytes as an overlay of a small document.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../generator/tests/mutated/pipeline.rs"]
mod pipeline;

const DOCUMENT: &[u8] = include_bytes!("../../tests/fixtures/documents/examples.yaml");

fuzz_target!(|overlay: &[u8]| pipeline::run(DOCUMENT, Some(overlay)));
