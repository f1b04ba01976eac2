//! Any bytes as a document.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../generator/tests/mutated/pipeline.rs"]
mod pipeline;

fuzz_target!(|document: &[u8]| pipeline::run(document, None));
