//! Pages through a recorded exchange; no network is needed.

use bulk_connector::{Config, source};
use etlgen_runtime::{prelude::*, testing};

#[test]
fn a_recorded_exchange_pages_to_its_end() {
    testing::replay_exchange(&source(&Config::placeholder()), "tests/exchange");
}
