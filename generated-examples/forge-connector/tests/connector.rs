//! Decodes the document's examples and pages through a recorded exchange; no network is needed.

use etlgen_runtime::{prelude::*, testing};
use forge_connector::{Config, source};

#[test]
fn the_examples_decode() {
    testing::decode_examples(&source(&Config::placeholder()), "tests/examples");
}

#[test]
fn a_recorded_exchange_pages_to_its_end() {
    testing::replay_exchange(&source(&Config::placeholder()), "tests/exchange");
}
